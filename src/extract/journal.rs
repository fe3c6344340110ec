//! What an extraction has been told so far, so that one that failed in the middle goes on where it was.
//!
//! A line per answer: its key, a tab, the answer as JSON. Lines are only ever added; one that a crash cut short is
//! dropped when the journal is read again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::de::IgnoredAny;

use crate::error::{Error, Result};

/// Answers by their key.
pub struct Journal {
    path: PathBuf,
    file: RefCell<File>,
    answers: RefCell<HashMap<String, String>>,
}

/// Older answers are of another time than those that are still missing.
const TOO_OLD: Duration = Duration::from_secs(24 * 3600);

impl Journal {
    /// Opens the journal of an extraction. One that is a day old, or was begun with another `fingerprint` (of the
    /// settings that shape the answers), is begun anew, and so is every one with `anew`.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub fn open(path: &Path, fingerprint: &str, anew: bool) -> Result<Journal> {
        let text = if anew { Ok(String::new()) } else { read(path) };
        let text = text.map_err(|error| Error::io("read", path, &error))?;
        let first_line = format!("rbt\t{}\n", serde_json::Value::from(fingerprint));
        let known = text.strip_prefix(&first_line).unwrap_or_default();
        // A crash may have cut the last line short, or left blocks that were never filled.
        let whole = known.rfind('\n').map_or("", |end| &known[..=end]);
        let answers: HashMap<String, String> = whole.lines().filter_map(entry).collect();
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|error| Error::io("open", path, &error))?;
        let kept = if whole.is_empty() { 0 } else { first_line.len() + whole.len() };
        begin(&mut file, kept as u64, &first_line).map_err(|error| Error::io("write", path, &error))?;
        let (file, answers) = (RefCell::new(file), RefCell::new(answers));
        Ok(Journal { path: path.to_owned(), file, answers })
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.answers.borrow().len()
    }

    /// Whether there is an answer.
    pub fn has(&self, key: &str) -> bool {
        self.answers.borrow().contains_key(key)
    }

    /// The answer of a key.
    pub fn get(&self, key: &str) -> Option<String> {
        self.answers.borrow().get(key).cloned()
    }

    /// Keeps an answer, JSON on one line.
    ///
    /// # Errors
    /// A file that cannot be written, such as on a full disk.
    pub fn put(&self, key: &str, answer: &str) -> Result<()> {
        let line = format!("{key}\t{answer}\n");
        let written = self.file.borrow_mut().write_all(line.as_bytes());
        written.map_err(|error| Error::io("write", &self.path, &error))?;
        self.answers.borrow_mut().insert(key.to_owned(), answer.to_owned());
        Ok(())
    }

    /// Ends the journal: everything it holds is in the raw files.
    pub fn finish(self) {
        // If it stays, it is taken up again within the day, and otherwise begun anew.
        let _ = fs::remove_file(&self.path);
    }
}

/// The journal's text; nothing if there is none of today.
fn read(path: &Path) -> io::Result<String> {
    let age = match fs::metadata(path) {
        Ok(metadata) => SystemTime::now().duration_since(metadata.modified()?).unwrap_or_default(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    if age > TOO_OLD {
        return Ok(String::new());
    }
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn entry(line: &str) -> Option<(String, String)> {
    let (key, answer) = line.split_once('\t')?;
    serde_json::from_str::<IgnoredAny>(answer).ok()?;
    Some((key.to_owned(), answer.to_owned()))
}

/// Leaves of the file what is kept, and stands at its end.
fn begin(file: &mut File, kept: u64, first_line: &str) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    file.set_len(kept)?;
    file.seek(SeekFrom::End(0))?;
    if kept == 0 { file.write_all(first_line.as_bytes()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_outlive_a_crash() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.journal");
        let journal = Journal::open(&path, "x", false).expect("new");
        journal.put("artist:1", r#"{"name":"é"}"#).expect("written");
        journal.put("artist:2", "null").expect("written");
        drop(journal);
        let mut text = fs::read(&path).expect("readable");
        text.extend(b"artist:3\t{\"na");
        fs::write(&path, text).expect("written");

        let again = Journal::open(&path, "x", false).expect("there");
        assert_eq!((again.len(), again.get("artist:1").as_deref()), (2, Some(r#"{"name":"é"}"#)));
        again.put("artist:3", "{}").expect("written");
        drop(again);
        assert_eq!(Journal::open(&path, "x", false).expect("there").get("artist:3").as_deref(), Some("{}"));
        assert_eq!(Journal::open(&path, "other settings", false).expect("there").len(), 0);
    }

    #[test]
    fn nothing_is_left_of_a_finished_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.journal");
        Journal::open(&path, "x", false).expect("new").finish();
        assert!(!path.exists());
    }
}
