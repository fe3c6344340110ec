//! Large files of JSON: made piece by piece on all processors, written in order.
//!
//! A manifest of many nodes is tens of megabytes. It is never whole in memory: while some pieces are written, the
//! next ones are made. What an earlier invocation wrote for the same parsed project is not made at all: it is copied
//! from the file that is there, as far as the index beside it knows it, or stays in its place where nothing but the
//! metadata at the file's beginning is new.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::Serialize;

use super::write_whole;
use crate::error::Result;
use crate::manifest::Id;
use crate::stored::{Input, Output, Stored, stored};

/// Adds a piece to the text.
type Make<'a> = Box<dyn Fn(&mut Vec<u8>) -> serde_json::Result<()> + Send + Sync + 'a>;

/// One piece of the text.
struct Piece<'a> {
    make: Make<'a>,
    /// Whether it is the same whenever the parsed project is.
    lasts: bool,
}

impl Piece<'_> {
    fn text(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = Vec::new();
        self.text_in(&mut text).map(|()| text)
    }

    /// Puts the text in the place of another one, in the memory of that.
    fn text_in(&self, text: &mut Vec<u8>) -> serde_json::Result<()> {
        text.clear();
        (self.make)(text)
    }
}

/// How many entries of a mapping are made in one piece, and how many pieces wait to be written.
const ENTRIES: usize = 32;
const WAITING: usize = 8;

/// What is changed in its place stays within so many bytes of the file's beginning: nobody reads half of a page.
const PAGE: u64 = 4096;

/// The pieces of an object, in order.
#[derive(Default)]
pub struct Pieces<'a>(Vec<Piece<'a>>);

impl<'a> Pieces<'a> {
    fn push(
        &mut self,
        lasts: bool,
        make: impl Fn(&mut Vec<u8>) -> serde_json::Result<()> + Send + Sync + 'a,
    ) {
        self.0.push(Piece { make: Box::new(make), lasts });
    }

    /// A text as it is.
    pub fn text(&mut self, text: &'static str) {
        self.push(true, move |out| {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        });
    }

    /// The name of a field, after a comma where one is needed.
    fn name(&mut self, name: &'static str) {
        let is_first = self.0.len() == 1;
        self.push(true, move |out| {
            out.extend_from_slice(if is_first { b"\"" } else { b",\"" });
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            Ok(())
        });
    }

    /// A field with a value that is made when it is written; `lasts`: whether it comes from the parsed project alone.
    pub fn value<T: Serialize>(
        &mut self,
        name: &'static str,
        lasts: bool,
        value: impl Fn() -> T + Send + Sync + 'a,
    ) {
        self.name(name);
        self.push(lasts, move |out| serde_json::to_writer(out, &value()));
    }

    /// A field that is a mapping; its entries are what `entry` makes of them. `lasts` tells for each whether that comes
    /// from the parsed project alone.
    pub fn map<V: Sync, T: Serialize>(
        &mut self,
        name: &'static str,
        map: &'a IndexMap<Id, V>,
        lasts: impl Fn(&Id) -> bool,
        entry: impl Fn(&'a Id, &'a V) -> T + Send + Sync + Copy + 'a,
    ) {
        self.name(name);
        self.text("{");
        for start in (0..map.len()).step_by(ENTRIES) {
            let entries = move || map.iter().enumerate().skip(start).take(ENTRIES);
            let all_last = entries().all(|(_, (id, _))| lasts(id));
            self.push(all_last, move |out| {
                for (index, (id, value)) in entries() {
                    if index > 0 {
                        out.push(b',');
                    }
                    serde_json::to_writer(&mut *out, id)?;
                    out.push(b':');
                    serde_json::to_writer(&mut *out, &entry(id, value))?;
                }
                Ok(())
            });
        }
        self.text("}");
    }

    /// Writes the file. `project` names the parsed project that the pieces come from, if it may be met again; `last`:
    /// whether it is the last time for this invocation. If it is not, a file of the same project keeps what
    /// earlier invocations put into it, and only the metadata is new.
    pub fn write(&self, path: &Path, project: Option<&str>, last: bool) -> Result<()> {
        let old = project.and_then(|project| OldFile::open(path, project, self.0.len()));
        if let (Some(project), Some(old)) = (project, &old)
            && old.renew(&self.0, last).unwrap_or(false)
        {
            let signature = old.file.metadata().map(|metadata| signature(&metadata)).unwrap_or_default();
            let pieces = old.pieces.clone();
            let _ = Index { project: project.to_owned(), signature, pieces }.write(path);
            return Ok(());
        }
        let (mut lengths, mut written) = (Vec::with_capacity(self.0.len()), None);
        write_whole(path, |out| {
            let mut rest = self.0.as_slice();
            while !rest.is_empty() {
                let start = lengths.len();
                let there = |index: usize| old.as_ref().filter(|old| old.lasts(start + index, &rest[index]));
                let first = there(0);
                let same = |index: &usize| there(*index).is_some() == first.is_some();
                let count = (0..rest.len()).take_while(same).count();
                match first {
                    Some(old) => lengths.extend(old.copy(start, count, out)?),
                    None => make(&rest[..count], out, &mut lengths)?,
                }
                rest = &rest[count..];
            }
            out.flush()?;
            written = Some(out.get_ref().try_clone()?);
            Ok(())
        })?;
        if let (Some(project), Some(file)) = (project, written) {
            let pieces = lengths.into_iter().zip(self.0.iter().map(|piece| piece.lasts)).collect();
            // Without an index, all pieces are made again.
            let signature = file.metadata().map(|metadata| signature(&metadata)).unwrap_or_default();
            let _ = Index { project: project.to_owned(), signature, pieces }.write(path);
        }
        Ok(())
    }
}

/// Makes pieces and writes them, the ones while the others are made.
fn make(pieces: &[Piece], out: &mut BufWriter<File>, lengths: &mut Vec<u64>) -> io::Result<()> {
    let mut write = |texts: &[Vec<u8>]| {
        lengths.extend(texts.iter().map(|text| text.len() as u64));
        texts.iter().try_for_each(|text| out.write_all(text))
    };
    // Two sets of texts take turns: of the one, texts are made in the memory that they had before.
    let (mut waiting, mut next) = (Vec::new(), Vec::new());
    for batch in pieces.chunks(WAITING) {
        next.resize(batch.len(), Vec::new());
        let made = || {
            let texts = batch.par_iter().zip(&mut next);
            texts.try_for_each(|(piece, text)| piece.text_in(text))
        };
        let (written, made) = rayon::join(|| write(&waiting), made);
        written?;
        made?;
        std::mem::swap(&mut waiting, &mut next);
    }
    write(&waiting)
}

/// What pieces a file consists of.
struct Index {
    project: String,
    signature: Vec<u64>,
    /// Their lengths, and whether they last.
    pieces: Vec<(u64, bool)>,
}

stored!(Index { project, signature, pieces });

impl Index {
    fn path(of: &Path) -> PathBuf {
        of.with_extension("pieces")
    }

    fn read(of: &Path) -> Option<Index> {
        Index::get(&mut Input::new(&fs::read(Index::path(of)).ok()?))
    }

    fn write(&self, of: &Path) -> io::Result<()> {
        let mut out = Output::default();
        self.put(&mut out);
        fs::write(Index::path(of), out.finish())
    }
}

/// What changes when a file does.
#[cfg(unix)]
fn signature(metadata: &Metadata) -> Vec<u64> {
    use std::os::unix::fs::MetadataExt;
    let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
    let numbers = [metadata.len(), metadata.ino(), metadata.dev()].into_iter();
    numbers.chain(times.map(|time| time as u64)).collect()
}

/// Elsewhere it is not known, and no file is like another.
#[cfg(not(unix))]
fn signature(_: &Metadata) -> Vec<u64> {
    Vec::new()
}

/// Whether the file has one name.
#[cfg(unix)]
fn is_alone(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) == 1
}

/// Elsewhere it is not known.
#[cfg(not(unix))]
fn is_alone(_: &Metadata) -> bool {
    false
}

/// A file that was written for the same project.
struct OldFile {
    file: File,
    pieces: Vec<(u64, bool)>,
}

impl OldFile {
    fn open(path: &Path, project: &str, count: usize) -> Option<OldFile> {
        let index = Index::read(path)?;
        let file = File::options().read(true).write(true).open(path).ok()?;
        let signature = signature(&file.metadata().ok()?);
        let is_same = index.project == project
            && index.signature == signature
            && !signature.is_empty()
            && index.pieces.len() == count;
        is_same.then_some(OldFile { file, pieces: index.pieces })
    }

    /// Writes the one new piece, the metadata, in its place; `false` where other pieces are new (which nobody asks for
    /// before the `last` time), it has another length, or the file goes by another name too, under which
    /// it is to stay as it is.
    fn renew(&self, pieces: &[Piece], last: bool) -> io::Result<bool> {
        if !is_alone(&self.file.metadata()?) {
            return Ok(false);
        }
        let mut renewed = None;
        let mut start = 0;
        for (piece, (length, lasted)) in pieces.iter().zip(&self.pieces) {
            let place = start;
            start += length;
            if last && piece.lasts != *lasted {
                return Ok(false);
            }
            if piece.lasts {
                continue;
            }
            let text = piece.text()?;
            if text.len() as u64 != *length {
                return Ok(false);
            }
            if start <= PAGE && renewed.is_none() {
                renewed = Some((place, text));
            } else if text != self.read(place, text.len())? {
                return Ok(false);
            }
        }
        let Some((place, text)) = renewed else { return Ok(false) };
        let mut file = &self.file;
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&text)?;
        Ok(true)
    }

    fn read(&self, place: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(place))?;
        let mut text = vec![0; length];
        file.read_exact(&mut text)?;
        Ok(text)
    }

    /// Whether a piece that lasts is here as it would be made.
    fn lasts(&self, index: usize, new: &Piece) -> bool {
        new.lasts && self.pieces.get(index).is_some_and(|(_, lasted)| *lasted)
    }

    /// Copies pieces, and gives their lengths.
    fn copy(&self, start: usize, count: usize, out: &mut BufWriter<File>) -> io::Result<Vec<u64>> {
        let length = |pieces: &[(u64, bool)]| pieces.iter().map(|(length, _)| length).sum::<u64>();
        let copied = &self.pieces[start..start + count];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(length(&self.pieces[..start])))?;
        out.flush()?;
        // The system copies from file to file.
        let done = io::copy(&mut file.take(length(copied)), out.get_mut())?;
        if done != length(copied) {
            return Err(io::Error::other("the file became shorter while it was copied"));
        }
        Ok(copied.iter().map(|(length, _)| *length).collect())
    }
}
