//! The Spotify Web API (<https://developer.spotify.com/documentation/web-api>): artists, their top tracks, and the albums
//! of these tracks, a file each and day.
//!
//! ```text
//! artists ──▶ their top tracks ──▶ the albums of these ──▶ raw files
//!    └──────────────┴────────────────────┴── every answer into the journal
//! ```

mod api;
mod artists;
mod config;
mod files;
mod shape;
mod top_tracks;

use std::collections::HashSet;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::http::{Auth, Client, Credentials, Secret, Url};
use super::journal::Journal;
use super::plan::Declaration;
use super::raw_files::RawFolder;
use super::{Extracted, Extractor, Request, Written, work};
use crate::error::{Error, Result};
use api::Api;
use artists::Wanted;
use config::Config;
pub use files::{Entity, Row, write_table};

/// A declared extraction from Spotify.
pub struct Spotify {
    config: Config,
    artists: Vec<Wanted>,
    raw_path: PathBuf,
    api_url: Url,
    token_url: Url,
    /// The client's id and secret, if the environment has them.
    credentials: Option<(Secret, Secret)>,
}

/// An object of the API that is to become a row.
#[derive(Debug, Clone)]
pub struct Object {
    pub(super) id: String,
    /// The object as JSON text.
    pub(super) json: String,
}

impl Object {
    /// An object of the API; one without an id has an empty one.
    pub fn of(value: &Value) -> Object {
        Object { id: value["id"].as_str().unwrap_or_default().to_owned(), json: value.to_string() }
    }
}

/// Reads the declaration of an extraction.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub fn declare(declaration: &Declaration) -> Result<Box<dyn Extractor>> {
    let mut config: Config = declaration.read()?;
    config.settle(declaration)?;
    let credentials = match declaration.sandbox {
        Some(sandbox) => Some((sandbox.client_id(), sandbox.client_secret())),
        None => declaration
            .secret("SPOTIFY_CLIENT_ID", "client_id")
            .zip(declaration.secret("SPOTIFY_CLIENT_SECRET", "client_secret")),
    };
    let artists = match declaration.sandbox {
        Some(sandbox) => sandbox.artists().into_iter().map(Wanted::of_id).collect(),
        None => artists::read(&config.artists, declaration)?,
    };
    Ok(Box::new(Spotify {
        artists,
        raw_path: super::in_project(declaration.root, &config.raw_path),
        api_url: config.api_url(declaration)?,
        token_url: config.token_url(declaration)?,
        config,
        credentials,
    }))
}

impl Extractor for Spotify {
    fn fills(&self, table: &str) -> bool {
        Entity::of_name(table).is_some_and(|entity| self.config.entities.contains(&entity))
    }

    fn tables(&self) -> String {
        let names: Vec<&str> = self.config.entities.iter().map(|entity| entity.name()).collect();
        names.join(", ")
    }

    fn lacks(&self) -> Option<String> {
        self.credentials.is_none().then(|| {
            "set the environment variables SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET, or name them in profiles.yml"
                .to_owned()
        })
    }

    fn extract(&self, request: &Request) -> Result<Extracted> {
        let Some((client_id, client_secret)) = self.credentials.clone() else {
            return Err(
                Error::runtime("there are no credentials for Spotify").help(self.lacks().unwrap_or_default())
            );
        };
        let folder = RawFolder::open(&self.raw_path)?;
        let name = format!("spotify-{}", request.day);
        let fingerprint = format!("{} {} {:?}", self.api_url, self.config.market, self.config.mode);
        let journal = Journal::open(&folder.journal_path(&name), &fingerprint, request.anew)?;
        let auth = Auth::Token(Credentials { token_url: self.token_url.clone(), client_id, client_secret });
        let client = Client::new(&self.api_url, self.config.limits.clone(), auth)?;
        let resumed = journal.len();
        let api = Api::new(&client, &self.api_url, &self.config, &journal, request);
        let mut done = work::run(self.fetch(&api, &folder, request))?;
        journal.finish();
        done.requests = client.requests();
        done.resumed = resumed;
        Ok(done)
    }
}

impl Spotify {
    async fn fetch(&self, api: &Api<'_>, folder: &RawFolder, request: &Request<'_>) -> Result<Extracted> {
        let wants = |entity: Entity| request.tables.iter().any(|table| table == entity.name());
        let artists = self.fetch_artists(api).await?;
        let tracks = match wants(Entity::Tracks) || wants(Entity::Albums) {
            true => ranked(api.top_tracks(&artists).await?),
            false => IndexMap::new(),
        };
        let albums = match wants(Entity::Albums) {
            true => self.fetch_albums(api, &tracks).await?,
            false => Vec::new(),
        };
        let row = |object| Row { object, rank: 0 };
        let tables = [
            (Entity::Artists, artists.into_iter().map(row).collect::<Vec<_>>()),
            (
                Entity::Tracks,
                tracks.into_values().map(|it| Row { object: it.object, rank: it.rank }).collect(),
            ),
            (Entity::Albums, albums.into_iter().map(row).collect()),
        ];
        let mut done = Extracted { warnings: api.warnings(), ..Extracted::default() };
        for (entity, rows) in tables.into_iter().filter(|(entity, _)| wants(*entity)) {
            let path = write_table(folder, entity, request.day, self.config.format, &rows, request.sql)?;
            done.tables.insert(entity.name().to_owned(), Written { path, rows: rows.len() });
        }
        Ok(done)
    }

    async fn fetch_artists(&self, api: &Api<'_>) -> Result<Vec<Object>> {
        let ids: Vec<String> = self.artists.iter().map(|artist| artist.id.clone()).collect();
        let found = api.objects(Entity::Artists, &ids).await?;
        let unknown: Vec<String> =
            self.artists.iter().filter(|artist| !found.contains_key(&artist.id)).map(Wanted::label).collect();
        api.skipped("artists", &unknown);
        if found.is_empty() && !ids.is_empty() {
            return Err(Error::runtime("the API knows none of the artists")
                .help(format!("check their ids: {}", unknown.join(", "))));
        }
        Ok(in_order(&ids, found))
    }

    async fn fetch_albums(&self, api: &Api<'_>, tracks: &IndexMap<String, Ranked>) -> Result<Vec<Object>> {
        let mut seen = HashSet::new();
        let ids: Vec<String> = tracks
            .values()
            .filter_map(|track| track.album.clone())
            .filter(|album| seen.insert(album.clone()))
            .collect();
        let found = api.objects(Entity::Albums, &ids).await?;
        let unknown: Vec<String> = ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
        api.skipped("albums", &unknown);
        Ok(in_order(&ids, found))
    }
}

/// A track with its best place among the top tracks of an artist of interest.
struct Ranked {
    object: Object,
    rank: usize,
    album: Option<String>,
}

/// The tracks in the order of their artists; one that several artists share is there once, with its best place.
fn ranked(tops: Vec<Vec<Object>>) -> IndexMap<String, Ranked> {
    let mut tracks: IndexMap<String, Ranked> = IndexMap::new();
    for (rank, object) in tops.into_iter().flat_map(|top| (1..).zip(top)) {
        match tracks.get_mut(&object.id) {
            Some(known) => known.rank = known.rank.min(rank),
            None => {
                let album = album_of(&object.json);
                tracks.insert(object.id.clone(), Ranked { object, rank, album });
            }
        }
    }
    tracks
}

fn album_of(track: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Track {
        album: Album,
    }
    #[derive(Deserialize)]
    struct Album {
        id: String,
    }
    serde_json::from_str::<Track>(track).ok().map(|track| track.album.id)
}

/// What was found, in the order in which it was asked for.
fn in_order(ids: &[String], mut found: IndexMap<String, Object>) -> Vec<Object> {
    ids.iter().filter_map(|id| found.swap_remove(id)).collect()
}
