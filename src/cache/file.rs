//! The file of a stored project: digests, a header, and pieces that are read on all processors.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;

use super::key::{Digest, Observations};
use crate::events::Warning;
use crate::jinja::MacroTemplate;
use crate::jinja::context::Macros;
use crate::manifest::{Id, Manifest, Node};
use crate::stored::{Input, Output, Stored, stored};

/// How every file begins; the number changes with the form.
const MAGIC: &[u8; 16] = b"rbt project  2\n\0";
/// Where the digest of the files' metadata stands, and the header after it.
const STAT_AT: usize = MAGIC.len();
const HEADER_AT: usize = STAT_AT + size_of::<Digest>();

/// How many nodes one piece holds.
const NODES: usize = 512;

/// What is known of a stored project before it is read.
pub struct Header {
    /// What the project goes by.
    pub id: String,
    pub surroundings: Digest,
    pub observed: Observations,
    /// The target alone, to tell what has changed.
    pub target: Digest,
    pub contents: Digest,
    /// Files with macros alone, for the same purpose.
    pub macros: Digest,
    /// To be told again.
    pub warnings: Vec<Warning>,
    /// Warnings that are told once and were told.
    pub told: Vec<String>,
    /// The pieces that follow: how long they are, and their checksums.
    pub lengths: Vec<(usize, u64)>,
}

impl Stored for Digest {
    fn put(&self, out: &mut Output) {
        out.raw(self);
    }

    fn get(input: &mut Input) -> Option<Self> {
        input.raw(size_of::<Digest>())?.try_into().ok()
    }
}

stored!(Header { id, surroundings, observed, target, contents, macros, warnings, told, lengths });

/// A project as it was parsed.
pub struct Project {
    pub manifest: Manifest,
    pub macros: Macros,
}

/// A file with a project.
pub struct StoredProject {
    pub header: Header,
    /// The digest of the files' metadata when they were last known to be the same.
    pub stat: Option<Digest>,
    bytes: Vec<u8>,
    pieces_at: usize,
}

impl StoredProject {
    /// Reads the file; `None` if there is none, or another program wrote it.
    pub fn open(path: &Path) -> Option<StoredProject> {
        let bytes = fs::read(path).ok()?;
        if bytes.get(..STAT_AT)? != MAGIC {
            return None;
        }
        let stat: Digest = bytes.get(STAT_AT..HEADER_AT)?.try_into().ok()?;
        let mut input = Input::new(bytes.get(HEADER_AT..)?);
        let length = usize::try_from(input.number()?).ok()?;
        let header_bytes = input.raw(length)?;
        let pieces_at = header_bytes.as_ptr_range().end as usize - bytes.as_ptr() as usize;
        let header = Header::get(&mut Input::new(header_bytes))?;
        let stat = (stat != Digest::default()).then_some(stat);
        Some(StoredProject { header, stat, pieces_at, bytes })
    }

    /// Notes that files with this metadata are the ones that the project was made of.
    pub fn note_stat(&self, path: &Path, stat: Digest) {
        let write = || -> io::Result<()> {
            let mut file = File::options().write(true).open(path)?;
            file.seek(SeekFrom::Start(STAT_AT as u64))?;
            file.write_all(&stat)
        };
        // Without the note, the files are read again.
        let _ = write();
    }

    /// The project; `None` if the file is damaged.
    pub fn read(self) -> Option<(Project, Header)> {
        let mut rest = self.bytes.get(self.pieces_at..)?;
        let mut pieces = Vec::with_capacity(self.header.lengths.len());
        for (length, checksum) in &self.header.lengths {
            let (piece, after) = rest.split_at_checked(*length)?;
            pieces.push((piece, *checksum));
            rest = after;
        }
        let (others, nodes) = pieces.split_first()?;
        let whole = |(piece, checksum): &(&[u8], u64)| u64::from(crc32fast::hash(piece)) == *checksum;
        let (others, nodes) = rayon::join(
            || whole(others).then(|| Others::get(&mut Input::new(others.0))).flatten(),
            || {
                let read = nodes
                    .par_iter()
                    .map(|piece| whole(piece).then(|| Vec::<Node>::get(&mut Input::new(piece.0))).flatten());
                read.collect::<Option<Vec<_>>>()
            },
        );
        let project = others?.into_project(nodes?);
        Some((project, self.header))
    }
}

/// Everything but the nodes, of which there are few.
struct Others {
    root: Arc<str>,
    macros: Vec<(String, MacroTemplate)>,
    manifest: Manifest,
}

impl Others {
    fn get(input: &mut Input) -> Option<Others> {
        let root = Stored::get(input)?;
        let macros = Vec::get(input)?;
        let manifest = Manifest {
            nodes: IndexMap::new(),
            sources: Stored::get(input)?,
            macros: Stored::get(input)?,
            docs: Stored::get(input)?,
            exposures: Stored::get(input)?,
            groups: Stored::get(input)?,
            unit_tests: Stored::get(input)?,
            functions: Stored::get(input)?,
            metrics: Stored::get(input)?,
            semantic_models: Stored::get(input)?,
            saved_queries: Stored::get(input)?,
            disabled: Stored::get(input)?,
        };
        Some(Others { root, macros, manifest })
    }

    fn put(out: &mut Output, manifest: &Manifest, macros: &Macros) {
        let Manifest {
            nodes: _,
            sources,
            macros: entries,
            docs,
            exposures,
            groups,
            unit_tests,
            functions,
            metrics,
            semantic_models,
            saved_queries,
            disabled,
        } = manifest;
        macros.root().put(out);
        out.number(macros.iter().count() as u64);
        for (package, template) in macros.iter() {
            out.text(package);
            template.put(out);
        }
        sources.put(out);
        entries.put(out);
        docs.put(out);
        exposures.put(out);
        groups.put(out);
        unit_tests.put(out);
        functions.put(out);
        metrics.put(out);
        semantic_models.put(out);
        saved_queries.put(out);
        disabled.put(out);
    }

    fn into_project(self, nodes: Vec<Vec<Node>>) -> Project {
        let mut manifest = self.manifest;
        let count = nodes.iter().map(Vec::len).sum();
        let mut all: IndexMap<Id, Node> = IndexMap::with_capacity(count);
        all.extend(nodes.into_iter().flatten().map(|node| (node.unique_id.clone(), node)));
        manifest.nodes = all;
        let mut macros = Macros::new(&self.root);
        for (package, template) in self.macros {
            let name = template.name.clone();
            macros.add(&package, &name, Arc::new(template));
        }
        Project { manifest, macros }
    }
}

/// Writes a project beside its place, and puts it there when it is whole.
pub fn write(
    path: &Path,
    mut header: Header,
    stat: Option<Digest>,
    manifest: &Manifest,
    macros: &Macros,
) -> io::Result<()> {
    let others = || {
        let mut out = Output::default();
        Others::put(&mut out, manifest, macros);
        out.finish()
    };
    let starts: Vec<usize> = (0..manifest.nodes.len()).step_by(NODES).collect();
    let nodes = starts.into_par_iter().map(|start| {
        let end = manifest.nodes.len().min(start + NODES);
        let mut out = Output::default();
        out.number((end - start) as u64);
        (start..end)
            .filter_map(|index| manifest.nodes.get_index(index))
            .for_each(|(_, node)| node.put(&mut out));
        out.finish()
    });
    let (others, nodes) = rayon::join(others, || nodes.collect::<Vec<_>>());
    let pieces = || std::iter::once(&others).chain(&nodes);
    header.lengths = pieces().map(|piece| (piece.len(), u64::from(crc32fast::hash(piece)))).collect();
    let mut out = Output::default();
    header.put(&mut out);
    let header = out.finish();
    let mut length = Output::default();
    length.number(header.len() as u64);

    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let unfinished = path.with_extension(format!("rbt.{}", std::process::id()));
    let mut file = File::create(&unfinished)?;
    file.write_all(MAGIC)?;
    file.write_all(&stat.unwrap_or_default())?;
    file.write_all(&length.finish())?;
    file.write_all(&header)?;
    pieces().try_for_each(|piece| file.write_all(piece))?;
    fs::rename(&unfinished, path)
}
