//! The file of a stored project: digests, a header, and pieces. The details of nodes, its larger part, are read one by
//! one when somebody looks at them.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use rayon::prelude::*;

use super::key::{Digest, Observations};
use crate::events::Warning;
use crate::jinja::MacroTemplate;
use crate::jinja::context::Macros;
use crate::manifest::{Id, Manifest, Node};
use crate::stored::{Input, Output, Shelf, Stored, stored};

/// How every file begins; the number changes with the form.
const MAGIC: &[u8; 16] = b"rbt project  3\n\0";
/// Where the digest of the files' metadata stands; then, where the header does, which is the last thing of the file; then
/// the pieces: details of nodes, nodes, everything else.
const STAT_AT: u64 = MAGIC.len() as u64;
const HEADER_PLACE_AT: u64 = STAT_AT + size_of::<Digest>() as u64;
const PIECES_AT: u64 = HEADER_PLACE_AT + size_of::<u64>() as u64;

/// How many nodes one piece holds.
const NODES: usize = 128;

/// Of how many pieces the details are made before they are written.
const WAITING: usize = 8;

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
    pub pieces: Pieces,
}

/// What stands before the header.
#[derive(Default)]
pub struct Pieces {
    details: Vec<Piece>,
    nodes: Vec<Piece>,
    others: Vec<Piece>,
}

struct Piece {
    length: usize,
    checksum: u64,
}

stored!(Pieces { details, nodes, others });
stored!(Piece { length, checksum });

impl Stored for Digest {
    fn put(&self, out: &mut Output) {
        out.raw(self);
    }

    fn get(input: &mut Input) -> Option<Self> {
        input.raw(size_of::<Digest>())?.try_into().ok()
    }
}

stored!(Header { id, surroundings, observed, target, contents, macros, warnings, told, pieces });

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
    file: Arc<DetailsFile>,
}

impl StoredProject {
    /// Reads the header; `None` if there is no file, or another program wrote it.
    pub fn open(path: &Path) -> Option<StoredProject> {
        let mut file = File::open(path).ok()?;
        let mut start = [0; PIECES_AT as usize];
        file.read_exact(&mut start).ok()?;
        let (magic, rest) = start.split_at(MAGIC.len());
        let (stat, header_at) = rest.split_at(size_of::<Digest>());
        if magic != MAGIC {
            return None;
        }
        file.seek(SeekFrom::Start(u64::from_le_bytes(header_at.try_into().ok()?))).ok()?;
        let mut header = Vec::new();
        file.read_to_end(&mut header).ok()?;
        let header = Header::get(&mut Input::new(&header))?;
        let stat: Digest = stat.try_into().ok()?;
        let stat = (stat != Digest::default()).then_some(stat);
        Some(StoredProject { header, stat, file: Arc::new(DetailsFile(Mutex::new(file))) })
    }

    /// Notes that files with this metadata are the ones that the project was made of.
    pub fn note_stat(&self, path: &Path, stat: Digest) {
        let write = || -> io::Result<()> {
            let mut file = File::options().write(true).open(path)?;
            file.seek(SeekFrom::Start(STAT_AT))?;
            file.write_all(&stat)
        };
        // Without the note, the files are read again.
        let _ = write();
    }

    /// The project; `None` if the file is damaged. Details of nodes are looked through, and read when somebody looks at
    /// them.
    pub fn read(&self) -> Option<Project> {
        let Pieces { details, nodes, others } = &self.header.pieces;
        let of_details: u64 = details.iter().map(|piece| piece.length as u64).sum();
        let (are_whole, project) = rayon::join(
            || {
                let mut pieces = PiecesReader::new(&self.file, PIECES_AT);
                details.iter().all(|piece| pieces.next(piece).is_some())
            },
            || {
                let mut pieces = PiecesReader::new(&self.file, PIECES_AT + of_details);
                let nodes = read_nodes(&mut pieces, nodes, self.file.clone())?;
                let [others] = others.as_slice() else { return None };
                let others = Others::get(&mut Input::new(pieces.next(others)?))?;
                Some(others.into_project(nodes))
            },
        );
        project.filter(|_| are_whole)
    }
}

/// Nodes, with their details on the shelf.
fn read_nodes(
    reader: &mut PiecesReader,
    pieces: &[Piece],
    shelf: Arc<DetailsFile>,
) -> Option<IndexMap<Id, Node>> {
    let mut nodes: IndexMap<Id, Node> = IndexMap::new();
    let mut input = Input::with_shelf(shelf);
    for piece in pieces {
        let mut here = input.then(reader.next(piece)?);
        let count = usize::try_from(here.number()?).ok()?;
        // A damaged count cannot be that large.
        nodes.reserve_exact(if nodes.is_empty() { pieces.len() * NODES.min(count) } else { 0 });
        for _ in 0..count {
            let node = Node::get(&mut here)?;
            nodes.insert(node.unique_id.clone(), node);
        }
        input = here.then(&[]);
    }
    Some(nodes)
}

/// The file, in which details of nodes are read.
struct DetailsFile(Mutex<File>);

impl DetailsFile {
    fn read(&self, start: u64, into: &mut [u8]) -> io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(into)
    }
}

impl Shelf for DetailsFile {
    fn bytes(&self, start: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        // What cannot be read is nothing that can be understood.
        self.read(start, &mut bytes).map_or_else(|_| Vec::new(), |()| bytes)
    }
}

/// Reads piece after piece into the same memory.
struct PiecesReader<'a> {
    file: &'a DetailsFile,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> PiecesReader<'a> {
    fn new(file: &'a DetailsFile, start: u64) -> Self {
        PiecesReader { file, start, bytes: Vec::new() }
    }

    /// The next piece, if it is whole.
    fn next(&mut self, piece: &Piece) -> Option<&[u8]> {
        self.bytes.resize(piece.length, 0);
        self.file.read(self.start, &mut self.bytes).ok()?;
        self.start += piece.length as u64;
        (u64::from(crc32fast::hash(&self.bytes)) == piece.checksum).then_some(self.bytes.as_slice())
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
            template.as_ref().put(out);
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

    fn into_project(self, nodes: IndexMap<Id, Node>) -> Project {
        let mut manifest = self.manifest;
        manifest.nodes = nodes;
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
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let unfinished = path.with_extension(format!("rbt.{}", std::process::id()));
    let mut writer = PiecesWriter { file: File::create(&unfinished)?, place: PIECES_AT };
    writer.file.seek(SeekFrom::Start(PIECES_AT))?;
    let nodes: Vec<&Node> = manifest.nodes.values().collect();
    let mut places = Vec::with_capacity(nodes.len());
    let mut pieces = Pieces::default();
    for waiting in nodes.chunks(NODES * WAITING) {
        let made: Vec<_> = waiting.par_chunks(NODES).map(details).collect();
        for (bytes, lengths) in made {
            let mut place = writer.place;
            for length in lengths {
                places.push((place, length));
                place += length as u64;
            }
            pieces.details.push(writer.write(&bytes)?);
        }
    }
    let mut out = Output::with_shelved(places);
    for nodes in nodes.chunks(NODES) {
        out.number(nodes.len() as u64);
        nodes.iter().for_each(|node| node.put(&mut out));
        pieces.nodes.push(writer.write(&out.take())?);
    }
    let mut out = Output::default();
    Others::put(&mut out, manifest, macros);
    pieces.others.push(writer.write(&out.finish())?);
    header.pieces = pieces;
    let header_at = writer.place;
    let mut out = Output::default();
    header.put(&mut out);
    writer.write(&out.finish())?;
    let mut file = writer.file;
    file.rewind()?;
    let start = [MAGIC.as_slice(), &stat.unwrap_or_default(), &header_at.to_le_bytes()];
    file.write_all(&start.concat())?;
    fs::rename(&unfinished, path)
}

/// The details of some nodes, and how long they are.
fn details(nodes: &[&Node]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let length = |node: &&Node| {
        // Each is read alone.
        let mut out = Output::default();
        (*node.details).put(&mut out);
        let details = out.finish();
        bytes.extend_from_slice(&details);
        details.len()
    };
    let lengths = nodes.iter().map(length).collect();
    (bytes, lengths)
}

struct PiecesWriter {
    file: File,
    place: u64,
}

impl PiecesWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<Piece> {
        self.file.write_all(bytes)?;
        self.place += bytes.len() as u64;
        Ok(Piece { length: bytes.len(), checksum: u64::from(crc32fast::hash(bytes)) })
    }
}
