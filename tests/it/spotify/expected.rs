//! What the project's tables must hold, from the raw files alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use md5::{Digest, Md5};
use serde_json::Value as Json;

pub const DIM_ARTIST: &str =
    "artist_id VARCHAR, artist_name VARCHAR, genres VARCHAR[], followers INTEGER, popularity INTEGER";
pub const DIM_ALBUM: &str = "album_id VARCHAR, album_name VARCHAR, album_type VARCHAR, released_at_year INTEGER, \
    total_tracks INTEGER, popularity INTEGER";
pub const DIM_TRACK: &str = "track_id VARCHAR, track_name VARCHAR, duration_ms INTEGER, is_explicit BOOLEAN";
pub const FACT: &str = "track_popularity_id VARCHAR, track_id VARCHAR, album_id VARCHAR, artist_id VARCHAR, \
    loaded_at DATE, popularity INTEGER, rank_in_artist INTEGER";

/// The raw files of a day: rows with the id, the object as text, and what else there is.
pub struct Day {
    date: String,
    artists: Vec<Raw>,
    tracks: Vec<Raw>,
    albums: Vec<Raw>,
}

struct Raw {
    id: String,
    text: String,
    object: Json,
    custom: String,
}

impl Day {
    pub fn read(raw_path: &Path, date: &str) -> Self {
        let rows = |entity: &str| -> Vec<Raw> {
            let path = raw_path.join(entity).join(format!("{entity}_data_{date}.csv"));
            let mut file = csv::Reader::from_path(path).expect("the file can be read");
            let rows = file.records().map(|row| row.expect("a row"));
            rows.map(|row| {
                assert_eq!(&row[row.len() - 1], date);
                Raw {
                    id: row[0].to_owned(),
                    text: row[1].to_owned(),
                    object: serde_json::from_str(&row[1]).expect("an object"),
                    custom: if row.len() == 4 { row[2].to_owned() } else { String::new() },
                }
            })
            .collect()
        };
        let mut tracks: BTreeMap<String, Raw> = BTreeMap::new();
        for track in rows("tracks") {
            match tracks.get(&track.id) {
                Some(known) if rank(known) <= rank(&track) => {}
                _ => drop(tracks.insert(track.id.clone(), track)),
            }
        }
        Day {
            date: date.to_owned(),
            artists: rows("artists"),
            tracks: tracks.into_values().collect(),
            albums: rows("albums"),
        }
    }
}

fn rank(track: &Raw) -> i64 {
    let custom: Json = serde_json::from_str(&track.custom).expect("an object");
    custom["rank_in_artist"].as_i64().expect("a number")
}

/// A dimension: for each id, the newest day that has it, and the row of that day.
type Dimension = BTreeMap<String, (String, String)>;

/// A version of a row: the row, what decides whether it changed, and from and until when it held.
struct Version {
    row: String,
    watched: String,
    from: String,
    until: Option<String>,
}

/// All tables after some days.
#[derive(Default)]
pub struct World {
    staging: [Vec<String>; 3],
    artists: Dimension,
    albums: Dimension,
    tracks: Dimension,
    facts: BTreeSet<String>,
    artist_versions: BTreeMap<String, Vec<Version>>,
    album_versions: BTreeMap<String, Vec<Version>>,
}

impl World {
    /// What building a day does.
    pub fn add(&mut self, day: &Day) {
        let staged = |raws: &[Raw]| {
            raws.iter().map(|raw| [&*raw.id, &raw.text, &raw.custom, &day.date].join(",")).collect()
        };
        self.staging = [staged(&day.artists), staged(&day.tracks), staged(&day.albums)];
        update(&mut self.artists, day, &day.artists, artist);
        update(&mut self.albums, day, &day.albums, album);
        update(&mut self.tracks, day, &day.tracks, track);
        for raw in &day.tracks {
            self.add_facts(day, raw);
        }
        // An artist has a version for every change, an album for every change of its popularity.
        add_versions(&mut self.artist_versions, day, &day.artists, &self.artists, |row| row.to_owned());
        add_versions(&mut self.album_versions, day, &day.albums, &self.albums, |row| {
            row.rsplit(',').next().unwrap_or_default().to_owned()
        });
    }

    /// A row for each artist of the track that is of interest.
    fn add_facts(&mut self, day: &Day, raw: &Raw) {
        let album = text(&raw.object["album"]["id"]);
        let artists: BTreeSet<String> = raw.object["artists"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|artist| text(&artist["id"]))
            .collect();
        for artist in artists.into_iter().filter(|artist| self.artists.contains_key(artist)) {
            let key = Md5::digest(format!("{}-{album}-{artist}-{}", raw.id, day.date));
            let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            let popularity = text(&raw.object["popularity"]);
            self.facts.insert(format!(
                "{key},{},{album},{artist},{},{popularity},{}",
                raw.id,
                day.date,
                rank(raw)
            ));
        }
    }

    /// Queries, and the rows that each must give.
    pub fn tables(&self) -> Vec<(&'static str, Vec<String>)> {
        let rows = |dimension: &Dimension| dimension.values().map(|(_, row)| row.clone()).collect();
        let [artists, tracks, albums] = self.staging.clone();
        vec![
            ("select artist_id, attributes, '', loaded_at from staging.stg_artist", artists),
            ("select * from staging.stg_track", tracks),
            ("select album_id, attributes, '', loaded_at from staging.stg_album", albums),
            ("select * from analytics.dim_artist", rows(&self.artists)),
            ("select * from analytics.dim_album", rows(&self.albums)),
            ("select * from analytics.dim_track", rows(&self.tracks)),
            ("select * from analytics.fact_track_popularity", self.facts.iter().cloned().collect()),
            (
                "select * exclude (dbt_scd_id, updated_at, dbt_updated_at, dbt_valid_from, dbt_valid_to), \
                 dbt_updated_at::date, dbt_valid_from::date, dbt_valid_to::date from snapshots.dim_artist_snapshot",
                version_rows(&self.artist_versions),
            ),
            (
                "select * exclude (dbt_scd_id, updated_at, dbt_updated_at, dbt_valid_from, dbt_valid_to), \
                 dbt_updated_at::date, dbt_valid_from::date, dbt_valid_to::date from snapshots.dim_album_snapshot",
                version_rows(&self.album_versions),
            ),
        ]
    }
}

/// Rows of a day replace those of older days.
fn update(dimension: &mut Dimension, day: &Day, raws: &[Raw], row: fn(&Raw) -> String) {
    for raw in raws {
        match dimension.get(&raw.id) {
            Some((newest, _)) if *newest > day.date => {}
            _ => drop(dimension.insert(raw.id.clone(), (day.date.clone(), row(raw)))),
        }
    }
}

/// What is in the day's file and is not as in its last version starts a version, unless a later one is there.
fn add_versions(
    all: &mut BTreeMap<String, Vec<Version>>,
    day: &Day,
    raws: &[Raw],
    dimension: &Dimension,
    watched: fn(&str) -> String,
) {
    for raw in raws {
        let versions = all.entry(raw.id.clone()).or_default();
        let row = dimension[&raw.id].1.clone();
        let version = Version { watched: watched(&row), row, from: day.date.clone(), until: None };
        match versions.last_mut() {
            Some(last) if last.from > day.date || last.watched == version.watched => continue,
            Some(last) => last.until = Some(day.date.clone()),
            None => {}
        }
        versions.push(version);
    }
}

fn version_rows(all: &BTreeMap<String, Vec<Version>>) -> Vec<String> {
    let row = |version: &Version| {
        let until = version.until.as_deref().unwrap_or("NULL");
        format!("{},{},{},{until}", version.row, version.from, version.from)
    };
    all.values().flatten().map(row).collect()
}

fn artist(raw: &Raw) -> String {
    let object = &raw.object;
    let genres: Vec<String> = object["genres"].as_array().into_iter().flatten().map(text).collect();
    let genres = if genres.is_empty() { "NULL".to_owned() } else { format!("[{}]", genres.join(", ")) };
    let followers = text(&object["followers"]["total"]);
    format!("{},{},{genres},{followers},{}", raw.id, text(&object["name"]), text(&object["popularity"]))
}

fn album(raw: &Raw) -> String {
    let object = &raw.object;
    let year = text(&object["release_date"]).chars().take(4).collect::<String>();
    let fields = ["name", "album_type"].map(|key| text(&object[key])).join(",");
    let numbers = ["total_tracks", "popularity"].map(|key| text(&object[key])).join(",");
    format!("{},{fields},{year},{numbers}", raw.id)
}

fn track(raw: &Raw) -> String {
    let fields = ["name", "duration_ms", "explicit"].map(|key| text(&raw.object[key])).join(",");
    format!("{},{fields}", raw.id)
}

/// A value as the tables show it.
fn text(value: &Json) -> String {
    match value {
        Json::Null => "NULL".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
