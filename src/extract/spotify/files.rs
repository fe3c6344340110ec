//! The raw files of the pipeline.
//!
//! ```text
//! artists/artists_data_2026-01-02.csv    artist_id, attributes, loaded_at
//! tracks/tracks_data_2026-01-02.csv      track_id, attributes, custom_attributes, loaded_at
//! albums/albums_data_2026-01-02.csv      album_id, attributes, loaded_at
//! ```
//!
//! `attributes` is the API's JSON object, whole, as one field.

use std::path::PathBuf;

use chrono::NaiveDate;
use serde::Deserialize;

use super::Object;
use crate::error::Result;
use crate::extract::raw_files::{Format, RawFile, RawFolder, RunSql};

/// What a raw file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entity {
    Artists,
    Tracks,
    Albums,
}

impl Entity {
    pub(super) const ALL: [Entity; 3] = [Entity::Artists, Entity::Tracks, Entity::Albums];

    /// The word in addresses, folders and file names.
    pub fn name(self) -> &'static str {
        match self {
            Entity::Artists => "artists",
            Entity::Tracks => "tracks",
            Entity::Albums => "albums",
        }
    }

    /// The entity of a table.
    pub(super) fn of_name(name: &str) -> Option<Entity> {
        Entity::ALL.into_iter().find(|entity| entity.name() == name)
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
pub struct Row {
    pub object: Object,
    /// For tracks: the place among the artist's top tracks, from 1. Not written for other entities.
    pub rank: usize,
}

/// Writes the raw file of an entity and a day.
///
/// # Errors
/// As [`RawFolder::write`].
pub fn write_table(
    folder: &RawFolder,
    entity: Entity,
    day: NaiveDate,
    format: Format,
    rows: &[Row],
    sql: RunSql,
) -> Result<PathBuf> {
    let file = RawFile { table: entity.name(), day, format, header: entity.header() };
    let loaded_at = day.to_string();
    let ranks: Vec<String> = rows.iter().map(|row| format!("{{\"rank_in_artist\":{}}}", row.rank)).collect();
    let fields = rows.iter().zip(&ranks).map(|(row, rank)| {
        let object = [row.object.id.as_str(), row.object.json.as_str()];
        let rank = (entity == Entity::Tracks).then_some(rank.as_str());
        object.into_iter().chain(rank).chain([loaded_at.as_str()]).collect()
    });
    folder.write(&file, fields, sql)
}
