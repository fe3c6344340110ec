//! As many artists as a test wants, and what an extraction of them must write.

use std::collections::BTreeMap;
use std::path::Path;

use rbt::extract::sandbox::server::Catalogue;
use serde_json::{Value, json};

/// Each artist has this many albums and top tracks.
const ALBUMS: usize = 6;
const TOP: usize = 10;

/// Artists `artist0`, `artist1`, …
#[derive(Clone, Copy)]
pub struct Crowd(pub usize);

impl Crowd {
    pub fn ids(self) -> Vec<String> {
        (0..self.0).map(|number| format!("artist{number}")).collect()
    }

    /// What the tables must hold: the id of each row, with the object and the rank.
    pub fn tables(self) -> BTreeMap<&'static str, BTreeMap<String, (Value, u64)>> {
        let mut tables: BTreeMap<&'static str, BTreeMap<String, (Value, u64)>> = BTreeMap::new();
        for id in self.ids() {
            let artist = self.artist(&id).expect("in the crowd");
            tables.entry("artists").or_default().insert(id.clone(), (artist, 0));
            for (rank, track) in (1..).zip(self.top_tracks(&id).expect("in the crowd")) {
                let album = track["album"]["id"].as_str().expect("an id").to_owned();
                let album_object = self.album(&album).expect("in the crowd");
                tables.entry("albums").or_default().insert(album, (album_object, 0));
                let id = track["id"].as_str().expect("an id").to_owned();
                let known = tables.entry("tracks").or_default().entry(id).or_insert((track, rank));
                known.1 = known.1.min(rank);
            }
        }
        tables
    }

    /// The number of an id of this kind that is in the crowd.
    fn number(self, id: &str, kind: &str) -> Option<(usize, usize)> {
        let (owner, own) = id.strip_prefix(kind)?.split_once('x')?;
        let owner: usize = owner.parse().ok().filter(|owner| *owner < self.0)?;
        Some((owner, own.parse().ok()?))
    }
}

fn person(number: usize) -> Value {
    json!({"id": format!("artist{number}"), "name": format!("Ärtist №{number} 🎷, \"the {number}th\""), "type": "artist"})
}

impl Catalogue for Crowd {
    fn artist(&self, id: &str) -> Option<Value> {
        let number: usize = id.strip_prefix("artist")?.parse().ok().filter(|number| *number < self.0)?;
        let mut artist = person(number);
        artist["genres"] = json!(["café jazz"]);
        artist["followers"] = json!({"href": null, "total": number * 1000});
        artist["popularity"] = json!(number % 100);
        Some(artist)
    }

    fn album(&self, id: &str) -> Option<Value> {
        let (owner, own) = self.number(id, "album")?;
        Some(json!({
            "id": id,
            "name": format!("Álbum {own} of {owner}"),
            "album_type": "album",
            "release_date": "1999-12",
            "total_tracks": 12,
            "popularity": own,
            "label": "Crowd",
            "artists": [person(owner)],
            "tracks": {"items": (0..TOP).filter(|track| track % ALBUMS == own)
                .map(|track| json!({"id": format!("track{owner}x{track}"), "artists": [person(owner)]}))
                .collect::<Vec<_>>()},
        }))
    }

    fn track(&self, id: &str) -> Option<Value> {
        let (owner, own) = self.number(id, "track")?;
        let mut artists = vec![person(owner)];
        if own == 0 {
            artists.push(person((owner + 1) % self.0));
        }
        Some(json!({
            "id": id,
            "name": format!("Trâck {own}"),
            "album": {"id": format!("album{owner}x{}", own % ALBUMS), "name": format!("Álbum {}", own % ALBUMS)},
            "artists": artists,
            "duration_ms": 1000 + own,
            "explicit": own % 2 == 0,
            "popularity": 90 - own,
        }))
    }

    /// The own tracks, but for the last: it is the first of the artist before, where this one is a guest.
    fn top_tracks(&self, artist: &str) -> Option<Vec<Value>> {
        let number: usize = artist.strip_prefix("artist")?.parse().ok().filter(|number| *number < self.0)?;
        let own = (0..TOP - 1).map(|track| format!("track{number}x{track}"));
        let shared = format!("track{}x0", (number + self.0 - 1) % self.0);
        own.chain([shared]).map(|id| self.track(&id)).collect()
    }

    fn albums_of(&self, artist: &str) -> Option<Vec<Value>> {
        let number: usize = artist.strip_prefix("artist")?.parse().ok().filter(|number| *number < self.0)?;
        Some((0..ALBUMS).map(|album| json!({"id": format!("album{number}x{album}")})).collect())
    }

    fn search(&self, artist_name: &str) -> Vec<Value> {
        let named = |number: &usize| {
            person(*number)["name"].as_str().expect("a name").replace('"', "") == artist_name
        };
        let Some(number) = (0..self.0).find(named) else { return Vec::new() };
        self.top_tracks(&format!("artist{number}")).expect("in the crowd")
    }
}

/// The raw files of a day: by table, the id of each row with its object and rank.
pub fn read(raw_path: &Path, day: &str) -> BTreeMap<&'static str, BTreeMap<String, (Value, u64)>> {
    let mut tables = BTreeMap::new();
    for table in ["artists", "tracks", "albums"] {
        let path = raw_path.join(table).join(format!("{table}_data_{day}.csv"));
        let mut reader =
            csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut rows = BTreeMap::new();
        for row in reader.records() {
            let row = row.expect("a whole row");
            assert_eq!(&row[row.len() - 1], day);
            let object: Value = serde_json::from_str(&row[1]).expect("an object");
            let custom: Value =
                if table == "tracks" { serde_json::from_str(&row[2]).expect("an object") } else { json!({}) };
            let rank = custom["rank_in_artist"].as_u64().unwrap_or(0);
            assert!(rows.insert(row[0].to_owned(), (object, rank)).is_none(), "{} is there twice", &row[0]);
        }
        tables.insert(table, rows);
    }
    tables
}
