//! The raw layer of the Spotify pipeline: a CSV file per entity and day, under one folder.
//!
//! ```text
//! artists/artists_data_2026-01-02.csv    artist_id, attributes, loaded_at
//! tracks/tracks_data_2026-01-02.csv      track_id, attributes, custom_attributes, loaded_at
//! albums/albums_data_2026-01-02.csv      album_id, attributes, loaded_at
//! ```
//!
//! `attributes` is the API's JSON object, whole, as one field. A file is there whole or not at all: it is written
//! beside its place under a hidden name, brought to the disk, and only then renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// What a raw file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    Artists,
    Tracks,
    Albums,
}

impl Entity {
    /// The word in folder and file names.
    pub fn name(self) -> &'static str {
        match self {
            Entity::Artists => "artists",
            Entity::Tracks => "tracks",
            Entity::Albums => "albums",
        }
    }

    fn header(self) -> &'static [&'static str] {
        match self {
            Entity::Artists => &["artist_id", "attributes", "loaded_at"],
            Entity::Tracks => &["track_id", "attributes", "custom_attributes", "loaded_at"],
            Entity::Albums => &["album_id", "attributes", "loaded_at"],
        }
    }
}

/// One row of a raw file: an object of the API and what the extraction knows about it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub id: &'a str,
    /// The API's object.
    pub attributes: &'a Value,
    /// For tracks: the place among the artist's top tracks, from 1. Not written for other entities.
    pub rank_in_artist: usize,
}

/// Where the raw file of an entity and a day is, under the folder of the raw layer.
pub fn path(raw_path: &Path, entity: Entity, day: NaiveDate) -> PathBuf {
    let name = entity.name();
    raw_path.join(name).join(format!("{name}_data_{day}.csv"))
}

/// Writes the raw file of an entity and a day, in the order of the rows, and returns its path. A file that was
/// there is replaced in one step; the same rows make the same bytes.
///
/// # Errors
/// Folders or files that cannot be made or written; the file that was there is then still as it was.
pub fn write(raw_path: &Path, entity: Entity, day: NaiveDate, rows: &[Row]) -> Result<PathBuf> {
    let target = path(raw_path, entity, day);
    let folder = raw_path.join(entity.name());
    fs::create_dir_all(&folder).map_err(|error| Error::io("create the folder", &folder, &error))?;

    // The process id keeps two extractions of the same day from writing into one file.
    let aside = folder.join(format!(".{}_data_{day}.csv.{}.tmp", entity.name(), std::process::id()));
    let written = write_rows(&aside, entity, day, rows)
        .and_then(|()| fs::rename(&aside, &target))
        .and_then(|()| sync_folder(&folder));
    if let Err(error) = written {
        // Whether or not the half file can be removed, the first error is the one to tell.
        let _ = fs::remove_file(&aside);
        return Err(Error::io("write the raw file", &target, &error));
    }
    Ok(target)
}

fn write_rows(path: &Path, entity: Entity, day: NaiveDate, rows: &[Row]) -> io::Result<()> {
    let loaded_at = day.to_string();
    // Lines end as RFC 4180 says and as in the files of other extractions: readers that take all days of a folder as
    // one table stumble over a mixture.
    let mut csv = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(BufWriter::new(File::create(path)?));
    csv.write_record(entity.header())?;
    for row in rows {
        let attributes = row.attributes.to_string();
        match entity {
            Entity::Artists | Entity::Albums => {
                csv.write_record([row.id, attributes.as_str(), loaded_at.as_str()])?;
            }
            Entity::Tracks => {
                let custom_attributes = json!({"rank_in_artist": row.rank_in_artist}).to_string();
                csv.write_record([row.id, &attributes, &custom_attributes, &loaded_at])?;
            }
        }
    }
    let mut file = csv.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    file.flush()?;
    file.get_ref().sync_all()
}

/// Brings a rename in a folder to the disk. Other systems than Unix do not let folders be opened for this.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 2).expect("a date of the calendar")
    }

    fn row(attributes: &Value, rank_in_artist: usize) -> Row<'_> {
        Row { id: "id", attributes, rank_in_artist }
    }

    fn files(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn an_object_is_one_field_whatever_it_holds() {
        let raw = tempfile::tempdir().expect("a folder");
        let attributes = json!({"name": "a \"quote\", a comma,\na line and 🌞"});
        let file = write(raw.path(), Entity::Tracks, day(), &[row(&attributes, 3)]).expect("written");

        assert_eq!(file, raw.path().join("tracks/tracks_data_2026-01-02.csv"));
        let mut reader = csv::Reader::from_path(file).expect("a CSV file");
        assert_eq!(reader.headers().expect("a header"), Entity::Tracks.header());
        let record = reader.records().next().expect("a row").expect("a good row");
        assert_eq!(serde_json::from_str::<Value>(&record[1]).expect("JSON"), attributes);
        assert_eq!(&record[2], r#"{"rank_in_artist":3}"#);
        assert_eq!(&record[3], "2026-01-02");
    }

    #[test]
    fn a_day_is_replaced_and_leaves_nothing_beside_it() {
        let raw = tempfile::tempdir().expect("a folder");
        let (old, new) = (json!({"followers": 1}), json!({"followers": 2}));
        let first =
            write(raw.path(), Entity::Artists, day(), &[row(&old, 0), row(&old, 0)]).expect("written");
        let second = write(raw.path(), Entity::Artists, day(), &[row(&new, 0)]).expect("written");

        assert_eq!(first, second);
        let text = fs::read_to_string(second).expect("readable");
        assert_eq!(text, "artist_id,attributes,loaded_at\r\nid,\"{\"\"followers\"\":2}\",2026-01-02\r\n");
        assert_eq!(files(&raw.path().join("artists")), ["artists_data_2026-01-02.csv"]);
    }

    #[test]
    fn a_failure_names_the_file_and_leaves_nothing_beside_it() {
        let raw = tempfile::tempdir().expect("a folder");
        let target = path(raw.path(), Entity::Albums, day());
        fs::create_dir_all(&target).expect("a folder in the file's place");

        let error = write(raw.path(), Entity::Albums, day(), &[]).expect_err("the place is taken");
        assert!(error.message().contains("albums_data_2026-01-02.csv"), "{error}");
        assert_eq!(files(&raw.path().join("albums")), ["albums_data_2026-01-02.csv"]);
    }
}
