//! What to do when DuckDB meets a limit of the machine.

use crate::error::Error;

/// Words of DuckDB or of the system, and what helps. The first that is found counts.
const ADVICE: [(&[&str], &str); 6] = [
    (
        &["No space left on device", "File too large", "Disk quota exceeded", "max_temp_directory_size"],
        "the disk is full, or a limit for files is reached: make room, and run it again; what was there before is \
         as it was",
    ),
    (
        &["Failed to create directory", "temporary directory", "failed to offload"],
        "DuckDB puts aside here what does not fit into memory: let this user write there, name another folder with \
         `settings: {temp_directory: …}` in the profile, or raise `memory_limit`",
    ),
    (
        &["Out of Memory Error"],
        "raise `settings: {memory_limit: …}` in the profile, lower `threads`, or name a folder that can be written \
         with `temp_directory`",
    ),
    (
        &["Permission denied", "Read-only file system", "Operation not permitted"],
        "this user must be allowed to write the file and its folder; change their permissions, or work on a copy",
    ),
    (
        &["database is locked"],
        "SQLite lets one connection write at a time: set `threads: 1`, and close other programs on the file",
    ),
    (
        &["database has been invalidated"],
        "the error before it made DuckDB give up this database for the rest of the run; on disk it is whole",
    ),
];

/// Adds to an error what to do about it, if that is known.
pub fn add(error: Error, refusal: &str) -> Error {
    let known = ADVICE.iter().find(|(words, _)| words.iter().any(|word| refusal.contains(word)));
    match known {
        Some((_, help)) => error.help(*help),
        None => error,
    }
}
