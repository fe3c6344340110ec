//! The records of a part of a CSV file, read piece by piece: memory that is touched for the first time costs more
//! than all else here, so that none is taken for the file as a whole.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::{memchr_iter, memchr3_iter, memrchr};

use crate::error::{Error, Location, Result};
use crate::interrupt;

/// The mark that some programs put at the start of UTF-8 files.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How much is read at a time, unless a record is longer.
const PIECE: usize = if cfg!(test) { 8 } else { 1 << 18 };

/// Reads the records that begin in a part of a file. An empty line is a record without fields.
pub struct Records<'path> {
    pub path: &'path Path,
    pub delimiter: u8,
    file: File,
    /// No record of the part begins here or later.
    stop: u64,
    buffer: Vec<u8>,
    /// Where the buffer is in the file.
    offset: u64,
    /// Where in the buffer the next record begins.
    start: usize,
    /// How much of the buffer are whole lines.
    whole: usize,
    /// Whether some line ends with a carriage return alone.
    lone_returns: bool,
    at_end: bool,
    fields: Vec<(usize, usize)>,
    quoted: Quoted,
}

/// What it takes to read a record with quotes.
struct Quoted {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Quoted {
    fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        let mut quoted = Quoted { reader, text: Vec::new(), ends: Vec::new() };
        quoted.rewind();
        quoted
    }

    /// Makes the reader ready for the start of a record. As new, it would take a byte order mark off it, so that it is
    /// given a line break before, which it skips.
    fn rewind(&mut self) {
        self.reader.reset();
        self.reader.read_record(b"\n", &mut [0], &mut [0]);
    }
}

/// The fields of a record.
pub struct Record<'text> {
    text: &'text str,
    fields: &'text [(usize, usize)],
}

impl<'text> Record<'text> {
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &'text str> {
        let text = self.text;
        self.fields.iter().map(move |(start, end)| text.get(*start..*end).unwrap_or_default())
    }
}

/// Where the text of the fields is that were found.
enum Found {
    InBuffer { start: usize, end: usize },
    Unquoted { length: usize },
    Incomplete,
}

impl<'path> Records<'path> {
    /// The records of a file from a place on where one begins, up to the last that begins before `stop`.
    pub fn new(path: &'path Path, delimiter: u8, start: u64, stop: u64) -> Result<Self> {
        let unreadable = |error| Error::io("read", path, &error);
        let mut file = File::open(path).map_err(unreadable)?;
        file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        Ok(Records {
            path,
            delimiter,
            file,
            stop,
            buffer: Vec::new(),
            offset: start,
            start: 0,
            whole: 0,
            lone_returns: false,
            at_end: false,
            fields: Vec::new(),
            quoted: Quoted::new(delimiter),
        })
    }

    /// Where in the file the next record begins.
    pub fn position(&self) -> u64 {
        self.offset + self.start as u64
    }

    /// The next record.
    ///
    /// Fails if the file cannot be read, or is not UTF-8.
    pub fn next(&mut self) -> Result<Option<Record<'_>>> {
        let begin = self.position();
        let found = loop {
            if self.position() >= self.stop {
                return Ok(None);
            }
            match (self.start == self.whole, self.at_end) {
                (true, true) => return Ok(None),
                (true, false) => self.read_on()?,
                (false, _) => match self.find() {
                    Found::Incomplete => self.read_on()?,
                    found => break found,
                },
            }
        };
        let text = match found {
            Found::InBuffer { start, end } => &self.buffer[start..end],
            Found::Unquoted { length } => &self.quoted.text[..length],
            Found::Incomplete => &[],
        };
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Some(Record { text, fields: &self.fields })),
            Err(error) => {
                let line = line_at(self.path, begin) + count_breaks(&text[..error.valid_up_to()]);
                Err(Error::runtime("the seed is not UTF-8")
                    .at(Location::new(self.path, line, 0))
                    .help("save the file with the encoding UTF-8"))
            }
        }
    }

    /// Finds the fields of the record that begins at `start`, and goes on to the next.
    fn find(&mut self) -> Found {
        self.fields.clear();
        if self.lone_returns {
            return self.find_quoted();
        }
        let start = self.start;
        let lines = &self.buffer[start..self.whole];
        let mut field = 0;
        for at in memchr3_iter(self.delimiter, b'\n', b'"', lines) {
            match lines[at] {
                b'\n' => {
                    let end = if lines[..at].ends_with(b"\r") { at - 1 } else { at };
                    if end > 0 {
                        self.fields.push((field, end));
                    }
                    self.start += at + 1;
                    return Found::InBuffer { start, end: start + end };
                }
                b'"' => return self.find_quoted(),
                _ => {
                    self.fields.push((field, at));
                    field = at + 1;
                }
            }
        }
        if !self.at_end {
            return Found::Incomplete;
        }
        // The last line has no line break.
        self.fields.push((field, lines.len()));
        self.start = self.whole;
        Found::InBuffer { start, end: self.whole }
    }

    /// The same for a record that may have quotes, or end with a carriage return.
    fn find_quoted(&mut self) -> Found {
        self.fields.clear();
        let start = self.start;
        let lines = &self.buffer[start..self.whole];
        let break_at = |at: usize| match lines.get(at..).unwrap_or_default() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        if break_at(0) > 0 {
            self.start += break_at(0);
            return Found::InBuffer { start, end: start };
        }
        let Quoted { reader, text, ends } = &mut self.quoted;
        // What is unquoted is never longer than it was.
        text.resize(text.len().max(lines.len() + 1), 0);
        let (mut read, mut written, mut count) = (0, 0, 0);
        loop {
            let (result, more_read, more_written, more) =
                reader.read_record(&lines[read..], &mut text[written..], &mut ends[count..]);
            (read, written, count) = (read + more_read, written + more_written, count + more);
            match result {
                ReadRecordResult::OutputEndsFull => ends.resize(ends.len().max(32) * 2, 0),
                ReadRecordResult::InputEmpty if !self.at_end => {
                    self.quoted.rewind();
                    return Found::Incomplete;
                }
                // At the end, the reader is told so by being given nothing.
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull => {}
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        if lines[..read].ends_with(b"\r") && lines[read..].starts_with(b"\n") {
            read += 1;
        }
        let begins = std::iter::once(0).chain(ends.iter().copied());
        self.fields.extend(begins.zip(ends.iter().copied()).take(count));
        self.start += read;
        Found::Unquoted { length: written }
    }

    /// Reads more of the file, behind the lines that are still to be looked at.
    fn read_on(&mut self) -> Result<()> {
        interrupt::check()?;
        self.buffer.drain(..self.start);
        self.offset += self.start as u64;
        self.start = 0;
        // A record that is longer than all that was read is read in doubling steps.
        let more = PIECE.max(self.buffer.len());
        self.buffer.reserve(more);
        let input = Read::by_ref(&mut self.file).take(more as u64).read_to_end(&mut self.buffer);
        let read = input.map_err(|error| Error::io("read", self.path, &error))?;
        self.at_end = read < more;
        if self.offset == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        let last_break = || memrchr(b'\n', &self.buffer).map_or(0, |at| at + 1);
        self.whole = if self.at_end { self.buffer.len() } else { last_break() };
        let lines = &self.buffer[..self.whole];
        self.lone_returns = memchr_iter(b'\r', lines).any(|at| lines.get(at + 1) != Some(&b'\n'));
        Ok(())
    }
}

/// The line that a place in a file is in; 0 if the file cannot be read any more.
pub fn line_at(path: &Path, position: u64) -> usize {
    let count = || -> std::io::Result<usize> {
        let mut rest = BufReader::new(File::open(path)?).take(position);
        let mut breaks = 0;
        while rest.skip_until(b'\n')? > 0 {
            breaks += 1;
        }
        Ok(breaks + 1)
    };
    count().unwrap_or_default()
}

/// The place in a file where the line behind a place begins.
pub fn next_line(path: &Path, position: u64) -> Result<u64> {
    let found = || -> std::io::Result<u64> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(position))?;
        Ok(position + BufReader::new(file).skip_until(b'\n')? as u64)
    };
    found().map_err(|error| Error::io("read", path, &error))
}

fn count_breaks(text: &[u8]) -> usize {
    memchr_iter(b'\n', text).count()
}
