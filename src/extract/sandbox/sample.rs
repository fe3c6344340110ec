//! The sample data of the reference project: a few days of one world, as raw files.

use std::collections::HashSet;
use std::path::Path;

use chrono::NaiveDate;
use indexmap::IndexMap;
use serde_json::Value;

use super::World;
use crate::error::Result;
use crate::extract::raw_files::{Format, RawFolder};
use crate::extract::spotify::{Entity, Object, Row, write_table};

/// The world that the sample and `--sandbox` show.
pub(super) const SEED: u64 = 1975;

/// A Friday to a Monday, so that there are two weeks to compare.
const DAYS: [NaiveDate; 4] = [january(2), january(3), january(4), january(5)];

const fn january(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, day).expect("a date of the calendar")
}

/// Writes the raw files of all sample days into a folder; always the same bytes.
///
/// # Errors
/// As [`RawFolder::write`].
pub fn write(raw_path: &Path) -> Result<()> {
    let world = World::new(SEED);
    let folder = RawFolder::open(raw_path)?;
    DAYS.iter().try_for_each(|&day| write_day(&world, &world.headliners(), &folder, day))
}

/// Writes what an extraction of these artists would write on a day: the artists, their top tracks and the albums
/// of these tracks. A track that is among the top tracks of several is written once, with its best place.
fn write_day(world: &World, artist_ids: &[&str], folder: &RawFolder, day: NaiveDate) -> Result<()> {
    let artists: Vec<Value> = artist_ids.iter().filter_map(|id| world.artist(id, day)).collect();
    let mut tracks: IndexMap<String, (usize, Value)> = IndexMap::new();
    for top in artist_ids.iter().filter_map(|id| world.top_tracks(id, day)) {
        for (rank, track) in (1..).zip(top) {
            let (best, _) = tracks.entry(id(&track).to_owned()).or_insert((rank, track));
            *best = rank.min(*best);
        }
    }
    let mut seen = HashSet::new();
    let albums: Vec<Value> = tracks
        .values()
        .map(|(_, track)| id(&track["album"]))
        .filter(|album_id| seen.insert(*album_id))
        .filter_map(|album_id| world.album(album_id, day))
        .collect();

    let unranked = |object: &Value| Row { object: Object::of(object), rank: 0 };
    let tracks = tracks.values().map(|(rank, track)| Row { object: Object::of(track), rank: *rank });
    let tables = [
        (Entity::Artists, artists.iter().map(unranked).collect::<Vec<_>>()),
        (Entity::Tracks, tracks.collect()),
        (Entity::Albums, albums.iter().map(unranked).collect()),
    ];
    let no_sql = |_: &str| Ok(());
    for (entity, rows) in tables {
        write_table(folder, entity, day, Format::Csv, &rows, &no_sql)?;
    }
    Ok(())
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::raw_files;
    use std::fs;

    #[test]
    fn the_committed_sample_is_what_the_generator_writes() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("project/data/raw");
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path()).expect("written");
        for table in ["artists", "tracks", "albums"] {
            for day in DAYS {
                let read =
                    |raw: &Path| fs::read(raw_files::path(raw, table, day, Format::Csv)).expect("a file");
                let same = read(&committed) == read(folder.path());
                assert!(same, "{table} of {day}: run `cargo run --example sample_data`");
            }
        }
    }

    #[test]
    fn the_sample_has_what_it_is_there_to_show() {
        let world = World::new(SEED);
        let headliners = world.headliners();
        let top = |artist: &str, day| {
            let tracks = world.top_tracks(artist, day).expect("the artist is known");
            tracks.iter().map(|track| id(track).to_owned()).collect::<HashSet<_>>()
        };

        let shared = headliners.iter().enumerate().any(|(place, artist)| {
            let others = &headliners[place + 1..];
            others.iter().any(|other| !top(artist, DAYS[0]).is_disjoint(&top(other, DAYS[0])))
        });
        assert!(shared, "a track among the top tracks of two artists");

        let released = |day| world.albums.iter().filter(|album| album.first_day <= day).count();
        assert!(released(DAYS[0]) < released(DAYS[3]), "an album that comes out");
        assert_eq!(released(DAYS[2]), released(DAYS[3]));
        let moving = headliners.iter().any(|artist| top(artist, DAYS[2]) != top(artist, DAYS[3]));
        assert!(moving, "tracks that enter and leave the top tracks while nothing comes out");

        let followers =
            |artist: &str, day| world.artist(artist, day).map(|it| it["followers"]["total"].clone());
        let still = headliners.iter().any(|it| followers(it, DAYS[0]) == followers(it, DAYS[1]));
        assert!(still, "an artist who stays the same from one day to the next");
    }
}
