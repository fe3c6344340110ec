//! The top tracks of artists, or what comes closest where the API does not tell them.

use serde_json::Value;

use super::Object;
use super::api::{Api, Belief, Presence};
use super::files::Entity;
use crate::error::Result;
use crate::extract::http::{Failure, Url, Verdict};
use crate::extract::work;

/// How many tracks the API gives as an artist's top tracks.
const TOP: usize = 10;
/// The most that a page of a search or a list of albums holds in development mode.
const PAGE: usize = 10;
/// How many pages of a search are looked through for tracks of an artist.
const SEARCHED_PAGES: usize = 3;

impl Api<'_> {
    /// The top tracks of each artist, best first.
    ///
    /// # Errors
    /// Anything but an artist without tracks.
    pub async fn top_tracks(&self, artists: &[Object]) -> Result<Vec<Vec<Object>>> {
        if let Some(first) = artists.first().filter(|_| self.top_tracks.is(Presence::Unknown)) {
            // Finds out whether the endpoint is there, before many ask. The answer is kept.
            self.top_of(first).await?;
        }
        work::each(self.request, self.client, "top tracks", artists, |artist| self.top_of(artist)).await
    }

    async fn top_of(&self, artist: &Object) -> Result<Vec<Object>> {
        let key = format!("top/{}", artist.id);
        let list = match self.known(&key) {
            Some(known) => known,
            None => {
                let list = Value::Array(match self.told_top(artist).await? {
                    Some(list) => list,
                    None => self.likely_top(artist).await?,
                });
                self.keep(&key, &list.to_string())?;
                list
            }
        };
        Ok(list.as_array().into_iter().flatten().map(Object::of).collect())
    }

    /// What the API says; `None` if the endpoint is not there.
    async fn told_top(&self, artist: &Object) -> Result<Option<Vec<Value>>> {
        if self.top_tracks.is(Presence::Gone) {
            return Ok(None);
        }
        let path = format!("artists/{}/top-tracks", artist.id);
        let url = self.url(&path, &format!("market={}", self.config.market));
        match self.tracks(&url, "/tracks").await {
            Ok(tracks) => {
                self.top_tracks.set(Presence::There);
                Ok(Some(tracks))
            }
            Err(Failure::Refused { status, message }) if self.top_tracks.is_refused_by(status) => {
                self.lose(&self.top_tracks, "top tracks", &message)?;
                Ok(None)
            }
            Err(Failure::Refused { status: 400 | 404, .. }) => {
                self.skipped("artists' top tracks", std::slice::from_ref(&artist.id));
                Ok(Some(Vec::new()))
            }
            Err(failure) => Err(failure.into_error(&format!("Spotify, {path}"))),
        }
    }

    /// The tracks at a place of an answer. A null among them may be an accident, and is asked for again like other
    /// changes of shape.
    async fn tracks(&self, url: &Url, pointer: &str) -> Result<Vec<Value>, Failure> {
        let (mut belief, mut nulls) = (Belief::default(), 0);
        let answer = self.client.get(url, |answer| {
            let Some(list) = answer.pointer(pointer).and_then(Value::as_array) else {
                return Verdict::Again("the answer holds no list of tracks".to_owned());
            };
            if list.iter().any(Value::is_null) && nulls < 3 {
                nulls += 1;
                return Verdict::Again("one of the tracks is null".to_owned());
            }
            self.judge(Entity::Tracks, list.iter().filter(|track| !track.is_null()), &mut belief)
        });
        let mut answer = answer.await?;
        let list = answer.pointer_mut(pointer).and_then(Value::as_array_mut).map(std::mem::take);
        Ok(list.unwrap_or_default().into_iter().filter(|track| !track.is_null()).collect())
    }

    /// The tracks that a search for the artist finds first or, if it finds none, those of the artist's albums; the most
    /// popular first, where popularity is told.
    async fn likely_top(&self, artist: &Object) -> Result<Vec<Value>> {
        let mut tracks = self.searched(artist).await?;
        if tracks.is_empty() {
            tracks = self.albums_tracks(artist).await?;
        }
        if tracks.iter().all(|track| track["popularity"].is_number()) {
            tracks.sort_by_key(|track| std::cmp::Reverse(track["popularity"].as_i64()));
        }
        tracks.truncate(TOP);
        Ok(tracks)
    }

    async fn searched(&self, artist: &Object) -> Result<Vec<Value>> {
        let name = serde_json::from_str::<Value>(&artist.json).ok();
        let name = name.as_ref().and_then(|artist| artist["name"].as_str()).unwrap_or_default();
        let mut found: Vec<Value> = Vec::new();
        for page in 0..SEARCHED_PAGES {
            let mut url = self.url("search", "");
            url.query_pairs_mut()
                .append_pair("q", &format!("artist:\"{}\"", name.replace('"', "")))
                .append_pair("type", "track")
                .append_pair("market", &self.config.market)
                .append_pair("limit", &PAGE.to_string())
                .append_pair("offset", &(page * PAGE).to_string());
            let tracks = match self.tracks(&url, "/tracks/items").await {
                Ok(tracks) => tracks,
                // Where there is no search either, albums remain.
                Err(Failure::Refused { status: 400 | 403 | 404 | 410, .. }) => break,
                Err(failure) => return Err(failure.into_error("Spotify, search")),
            };
            let is_last = tracks.len() < PAGE;
            for track in tracks.into_iter().filter(|track| is_by(track, &artist.id)) {
                if !found.iter().any(|known| known["id"] == track["id"]) {
                    found.push(track);
                }
            }
            if is_last || found.len() >= TOP {
                break;
            }
        }
        Ok(found)
    }

    async fn albums_tracks(&self, artist: &Object) -> Result<Vec<Value>> {
        let albums = self.albums_of(artist).await?;
        let mut ids: Vec<String> = Vec::new();
        for album in self.objects(Entity::Albums, &albums).await?.values() {
            let album: Value = serde_json::from_str(&album.json).unwrap_or_default();
            let tracks = album["tracks"]["items"].as_array().cloned().unwrap_or_default();
            let own = tracks.iter().filter(|track| is_by(track, &artist.id));
            ids.extend(own.filter_map(|track| track["id"].as_str().map(str::to_owned)));
            if ids.len() >= TOP {
                break;
            }
        }
        ids.truncate(TOP);
        let tracks = self.objects(Entity::Tracks, &ids).await?;
        Ok(tracks.values().filter_map(|track| serde_json::from_str(&track.json).ok()).collect())
    }

    /// The ids of the first albums of an artist.
    async fn albums_of(&self, artist: &Object) -> Result<Vec<String>> {
        let path = format!("artists/{}/albums", artist.id);
        let query = format!("include_groups=album,single&market={}&limit={PAGE}", self.config.market);
        let url = self.url(&path, &query);
        let answer = self.client.get(&url, |answer| match answer["items"].is_array() {
            true => Verdict::Good,
            false => Verdict::Again("the answer holds no list of albums".to_owned()),
        });
        match answer.await {
            Ok(answer) => {
                let albums = answer["items"].as_array().into_iter().flatten();
                Ok(albums.filter_map(|album| album["id"].as_str().map(str::to_owned)).collect())
            }
            Err(Failure::Refused { status: 400 | 403 | 404 | 410, .. }) => {
                self.skipped("artists' tracks", std::slice::from_ref(&artist.id));
                Ok(Vec::new())
            }
            Err(failure) => Err(failure.into_error(&format!("Spotify, {path}"))),
        }
    }
}

/// Whether an artist is among a track's.
fn is_by(track: &Value, artist: &str) -> bool {
    track["artists"].as_array().into_iter().flatten().any(|it| it["id"].as_str() == Some(artist))
}
