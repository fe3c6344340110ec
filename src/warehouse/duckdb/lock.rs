//! Why a database file cannot be opened, in words that help.

use std::fs;
use std::path::Path;

use super::advice;
use super::attach::Attachment;
use crate::error::Error;

/// The error for a main database that DuckDB refuses to open.
pub fn opening(path: &str, refusal: &str) -> Error {
    explain(path, refusal)
}

/// The error for a further database that cannot be attached.
pub fn attaching(error: Error, attachment: &Attachment) -> Error {
    match attachment.is_file() {
        true => explain(&attachment.path, error.message()),
        false => error.help("look at this entry of the profile's `attach`"),
    }
}

fn explain(path: &str, refusal: &str) -> Error {
    let file = Path::new(path);
    if let Some(holder) = lock_holder(refusal) {
        return Error::runtime(format!("{path} is in use by another process: {holder}"))
            .help("wait until it has finished, or stop it; `retries: {connect_attempts: 5}` in the profile waits by itself")
            .trace(format!("DuckDB said: {refusal}"));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !path.contains(':')
        && !folder.is_dir()
    {
        return Error::runtime(format!(
            "the database {path} cannot be made: there is no folder {}",
            folder.display()
        ))
        .help(format!("create the folder {}, or change the profile's `path`", folder.display()));
    }
    if file.is_dir() {
        return Error::runtime(format!("{path} is a folder, not a database file"))
            .help("add the name of a file to the profile's `path`");
    }
    let error = Error::runtime(format!("the database {path} cannot be opened\n{refusal}"));
    match refusal {
        _ if fs::metadata(file).is_ok_and(|metadata| metadata.len() == 0) => {
            error.help(format!("the file is empty; remove it, and rbt makes a database in its place: rm {path}"))
        }
        it if it.contains("not a valid DuckDB database file") => {
            error.help("is it another kind of file? Then change the profile's `path`; a new name makes a new database")
        }
        it if it.contains("newer version of DuckDB") || it.contains("we can only read versions") => error.help(
            "rbt has DuckDB 1.5: take a newer rbt, or write the file anew in an older format with the DuckDB that made \
             it (ATTACH 'new.duckdb' AS new (STORAGE_VERSION 'v1.0.0'); COPY FROM DATABASE old TO new)",
        ),
        it if it.contains("Corrupt database file") => {
            error.help("the file was damaged outside of DuckDB; bring it back from a backup, or remove it and build again")
        }
        it if it.contains("WAL") => error.help(format!(
            "the log of the last changes, {path}.wal, cannot be replayed; move it away to open the database as it \
             was before them"
        )),
        it => advice::add(error, it),
    }
}

/// Who has locked the file, in the words of DuckDB and of the system.
fn lock_holder(refusal: &str) -> Option<String> {
    if !refusal.contains("Could not set lock on file") {
        return None;
    }
    let Some((_, rest)) = refusal.split_once("(PID ") else {
        return Some("one that DuckDB cannot name".to_owned());
    };
    let pid: u32 = rest.split_once(')')?.0.parse().ok()?;
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok().map(|line| {
        let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        words.join(" ").trim().to_owned()
    });
    Some(match command {
        Some(command) if !command.is_empty() => format!("process {pid}, {command}"),
        _ => format!("process {pid}"),
    })
}
