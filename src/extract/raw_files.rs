//! The raw layer: a file per table and day, under one folder.
//!
//! ```text
//! artists/artists_data_2026-01-02.csv
//! .rbt/                                  what is being written, and answers to go on with after a failure
//! ```
//!
//! A file is there whole or not at all: it is written in the hidden folder, brought to the disk, and only then moved to
//! its place. So a reader never sees half a file, and a crash leaves the old one.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::sql::quote_literal;

/// The form of raw files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Csv,
    Parquet,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }
}

/// Runs a statement in a database, to write parquet.
pub type RunSql<'a> = &'a dyn Fn(&str) -> Result<()>;

/// The folder of the raw layer, for one extraction at a time.
pub struct RawFolder {
    folder: PathBuf,
    /// Held until the extraction ends.
    _lock: File,
}

/// A raw file to be.
pub struct RawFile<'a> {
    pub table: &'a str,
    pub day: NaiveDate,
    pub format: Format,
    pub header: &'a [&'a str],
}

/// The hidden folder beside the tables' folders.
const HIDDEN: &str = ".rbt";

/// Where the raw file of a table and a day is, under the folder of the raw layer.
pub fn path(raw_path: &Path, table: &str, day: NaiveDate, format: Format) -> PathBuf {
    raw_path.join(table).join(format!("{table}_data_{day}.{}", format.extension()))
}

impl RawFolder {
    /// Makes the folder ready, and removes what an extraction left that was killed.
    ///
    /// # Errors
    /// Folders that cannot be made; another extraction at work in the same one.
    pub fn open(raw_path: &Path) -> Result<RawFolder> {
        let hidden = raw_path.join(HIDDEN);
        fs::create_dir_all(&hidden).map_err(|error| Error::io("create the folder", &hidden, &error))?;
        let lock_file = hidden.join("lock");
        let lock = File::create(&lock_file).map_err(|error| Error::io("create", &lock_file, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::runtime(format!(
                    "another extraction is at work in {}",
                    raw_path.display()
                ))
                .help("wait until it is done, or give this one another raw_path"));
            }
            // Where the file system has no locks, users see to it themselves.
            Err(TryLockError::Error(_)) => {}
        }
        let leftovers = fs::read_dir(&hidden).into_iter().flatten().flatten().map(|entry| entry.path());
        for leftover in leftovers.filter(|path| path.extension().is_some_and(|it| it == "tmp")) {
            // What cannot be removed is overwritten later.
            let _ = fs::remove_file(leftover);
        }
        Ok(RawFolder { folder: raw_path.to_owned(), _lock: lock })
    }

    /// A place for the answers of an extraction.
    pub fn journal_path(&self, name: &str) -> PathBuf {
        self.folder.join(HIDDEN).join(format!("{name}.journal"))
    }

    /// Writes a raw file, in the order of the rows, and returns its path. A file that was there is replaced in one
    /// step; the same rows make the same bytes.
    ///
    /// # Errors
    /// Folders or files that cannot be made or written; the file that was there is then still as it was.
    pub fn write<'r, R>(&self, file: &RawFile, rows: R, sql: RunSql) -> Result<PathBuf>
    where
        R: IntoIterator<Item = Vec<&'r str>>,
    {
        let target = path(&self.folder, file.table, file.day, file.format);
        let folder = self.folder.join(file.table);
        fs::create_dir_all(&folder).map_err(|error| Error::io("create the folder", &folder, &error))?;
        let csv = self.folder.join(HIDDEN).join(format!("{}.csv.tmp", file.table));
        let parquet = csv.with_extension("parquet.tmp");
        let written = write_csv(&csv, file.header, rows)
            .map_err(|error| Error::io("write the raw file", &target, &error))
            .and_then(|()| match file.format {
                Format::Csv => Ok(&csv),
                Format::Parquet => sql(&copy_to_parquet(&csv, &parquet)).map(|()| &parquet),
            })
            .and_then(|made| {
                publish(made, &target).map_err(|error| Error::io("write the raw file", &target, &error))
            });
        for aside in [&csv, &parquet] {
            // Whatever is left of them is of no use; the first error is the one to tell.
            let _ = fs::remove_file(aside);
        }
        written.map(|()| target)
    }
}

/// Brings a finished file to the disk, and to its place.
fn publish(made: &Path, target: &Path) -> io::Result<()> {
    File::options().write(true).open(made)?.sync_all()?;
    fs::rename(made, target)?;
    target.parent().map_or(Ok(()), sync_folder)
}

fn write_csv<'r, R>(path: &Path, header: &[&str], rows: R) -> io::Result<()>
where
    R: IntoIterator<Item = Vec<&'r str>>,
{
    // Lines end as RFC 4180 says and as in the files of other extractions: readers that take all days of a folder as
    // one table stumble over a mixture.
    let mut csv = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(BufWriter::new(File::create(path)?));
    csv.write_record(header)?;
    for row in rows {
        csv.write_record(row)?;
    }
    csv.into_inner().map_err(|error| io::Error::other(error.to_string()))?.flush()
}

fn copy_to_parquet(csv: &Path, parquet: &Path) -> String {
    format!(
        "copy (select * from read_csv({}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', \
         max_line_size = 100000000)) to {} (format parquet, compression zstd)",
        quote_literal(&csv.to_string_lossy()),
        quote_literal(&parquet.to_string_lossy())
    )
}

/// Brings a rename in a folder to the disk. Other systems than Unix do not let folders be opened for this.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(table: &'static str) -> RawFile<'static> {
        let day = NaiveDate::from_ymd_opt(2026, 1, 2).expect("a date of the calendar");
        RawFile { table, day, format: Format::Csv, header: &["id", "attributes"] }
    }

    fn no_sql(_: &str) -> Result<()> {
        Err(Error::runtime("there is no database here"))
    }

    fn files(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_field_may_hold_anything() {
        let raw = tempfile::tempdir().expect("a folder");
        let folder = RawFolder::open(raw.path()).expect("free");
        let text = "{\"name\": \"a comma,\na line and 🌞\"}";
        let path = folder.write(&file("tracks"), [vec!["x", text]], &no_sql).expect("written");
        assert_eq!(path, raw.path().join("tracks/tracks_data_2026-01-02.csv"));
        let mut reader = csv::Reader::from_path(path).expect("a CSV file");
        assert_eq!(&reader.records().next().expect("a row").expect("a good row")[1], text);
    }

    #[test]
    fn a_day_is_replaced_and_leaves_nothing_beside_it() {
        let raw = tempfile::tempdir().expect("a folder");
        let folder = RawFolder::open(raw.path()).expect("free");
        folder.write(&file("artists"), [vec!["a", "1"], vec!["b", "1"]], &no_sql).expect("written");
        let path = folder.write(&file("artists"), [vec!["a", "2"]], &no_sql).expect("written");
        assert_eq!(fs::read_to_string(path).expect("readable"), "id,attributes\r\na,2\r\n");
        assert_eq!(files(&raw.path().join("artists")), ["artists_data_2026-01-02.csv"]);
        assert_eq!(files(&raw.path().join(HIDDEN)), ["lock"]);
    }

    #[test]
    fn a_failure_names_the_file_and_leaves_nothing_beside_it() {
        let raw = tempfile::tempdir().expect("a folder");
        let folder = RawFolder::open(raw.path()).expect("free");
        let target = path(raw.path(), "albums", file("albums").day, Format::Csv);
        fs::create_dir_all(&target).expect("a folder in the file's place");
        let error = folder.write(&file("albums"), [], &no_sql).expect_err("the place is taken");
        assert!(error.message().contains("albums_data_2026-01-02.csv"), "{error}");
        assert_eq!(files(&raw.path().join(HIDDEN)), ["lock"]);
    }

    #[test]
    fn two_extractions_do_not_share_a_folder() {
        let raw = tempfile::tempdir().expect("a folder");
        let first = RawFolder::open(raw.path()).expect("free");
        fs::write(raw.path().join(".rbt/tracks.csv.tmp"), "half").expect("written");
        assert!(
            RawFolder::open(raw.path()).is_err_and(|error| error.message().contains("another extraction"))
        );
        drop(first);
        RawFolder::open(raw.path()).expect("free again");
        assert_eq!(files(&raw.path().join(HIDDEN)), ["lock"]);
    }
}
