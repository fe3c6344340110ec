//! The sandbox: an invented music world that answers where the Spotify Web API would.
//!
//! A [`World`] is a pure function of its seed. It gives the API's objects, in the API's shapes, for any day: the
//! popularity of everything and the followers of artists move from day to day, tracks enter and leave their artist's
//! top tracks, and an album is there from the day of its release on. Nothing is stored and no clock is read.
//!
//! [`server`] speaks the API for it, [`Sandbox`] is what `--sandbox` starts, and [`sample`] writes a few of its days as
//! raw files.

mod cast;
mod objects;
mod random;
pub mod sample;
pub mod server;

use chrono::NaiveDate;
use serde_json::Value;

use super::http::Secret;
use crate::error::Result;
use random::{Dice, wander};
use server::{Catalogue, Server, Settings};

/// How many tracks the API gives as an artist's top tracks.
const TOP: usize = 10;

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEXADECIMAL: &[u8] = b"0123456789abcdef";
const DECIMAL: &[u8] = b"0123456789";

/// An invented world of artists, albums and tracks.
pub struct World {
    seed: u64,
    artists: Vec<Artist>,
    albums: Vec<Album>,
    tracks: Vec<Track>,
}

struct Artist {
    id: String,
    image: String,
    cast: &'static cast::Artist,
    /// The own albums, as indices into the world's; so are all numbers in these types that name their like.
    albums: Vec<usize>,
}

struct Album {
    id: String,
    image: String,
    upc: String,
    cast: &'static cast::Album,
    artist: usize,
    tracks: Vec<usize>,
    /// The first day on which the album is out.
    first_day: NaiveDate,
    /// The popularity around which the album's moves.
    fame: u32,
}

struct Track {
    id: String,
    isrc: String,
    duration_ms: u64,
    cast: &'static cast::Track,
    album: usize,
    /// The album's artist first, then the guests.
    artists: Vec<usize>,
    number: usize,
    /// The id of the recording that this one stands in for, on compilations.
    replaced: Option<String>,
    fame: u32,
}

impl World {
    /// The world of a seed. Worlds of other seeds have the same names, and other ids, numbers and movements.
    pub fn new(seed: u64) -> World {
        let artists = cast::ARTISTS.iter().map(|artist| Artist::new(seed, artist)).collect();
        let mut world = World { seed, artists, albums: Vec::new(), tracks: Vec::new() };
        for (artist, of_artist) in cast::ARTISTS.iter().enumerate() {
            for album in of_artist.albums {
                world.add_album(artist, album);
            }
        }
        world
    }

    fn add_album(&mut self, artist: usize, cast: &'static cast::Album) {
        let index = self.albums.len();
        let mut album = Album::new(self.seed, &self.artists[artist], artist, cast);
        for (place, track) in cast.tracks.iter().enumerate() {
            album.tracks.push(self.tracks.len());
            self.tracks.push(Track::new(self.seed, index, &album, &self.artists, track, place + 1));
        }
        self.artists[artist].albums.push(index);
        self.albums.push(album);
    }

    /// The ids of the artists who have albums of their own; the others are guests on tracks.
    pub fn headliners(&self) -> Vec<&str> {
        let headliners = self.artists.iter().filter(|artist| !artist.albums.is_empty());
        headliners.map(|artist| artist.id.as_str()).collect()
    }

    /// The artist object of an id, as of a day; `None` if there is no such artist.
    pub fn artist(&self, id: &str, day: NaiveDate) -> Option<Value> {
        self.artist_index(id).map(|index| self.artist_object(index, day))
    }

    /// The album object of an id, with all its tracks, as of a day; `None` if no such album is out.
    pub fn album(&self, id: &str, day: NaiveDate) -> Option<Value> {
        let index = self.albums.iter().position(|album| album.id == id)?;
        self.is_out(index, day).then(|| self.album_object(index, day))
    }

    /// The track object of an id, as of a day; `None` if no such track is out.
    pub fn track(&self, id: &str, day: NaiveDate) -> Option<Value> {
        let index = self.tracks.iter().position(|track| track.id == id)?;
        self.is_out(self.tracks[index].album, day).then(|| self.track_object(index, day))
    }

    /// The track objects of an artist's ten most popular tracks of a day, guest appearances included, the most
    /// popular first; `None` if there is no such artist.
    pub fn top_tracks(&self, artist_id: &str, day: NaiveDate) -> Option<Vec<Value>> {
        let artist = self.artist_index(artist_id)?;
        let mut tracks: Vec<usize> = (0..self.tracks.len())
            .filter(|&track| self.tracks[track].artists.contains(&artist))
            .filter(|&track| self.is_out(self.tracks[track].album, day))
            .collect();
        // Stable: tracks of the same popularity stay in the order of the world.
        tracks.sort_by_key(|&track| std::cmp::Reverse(self.track_popularity(track, day)));
        tracks.truncate(TOP);
        Some(tracks.into_iter().map(|track| self.track_object(track, day)).collect())
    }

    /// The album objects, in the short form without tracks, of an artist's own albums that are out on a day, the
    /// newest first; `None` if there is no such artist.
    pub fn albums_of(&self, artist_id: &str, day: NaiveDate) -> Option<Vec<Value>> {
        let artist = self.artist_index(artist_id)?;
        let mut albums = self.artists[artist].albums.clone();
        albums.retain(|&album| self.is_out(album, day));
        albums.sort_by_key(|&album| std::cmp::Reverse(self.albums[album].first_day));
        Some(albums.into_iter().map(|album| self.short_album_object(album)).collect())
    }

    fn artist_index(&self, id: &str) -> Option<usize> {
        self.artists.iter().position(|artist| artist.id == id)
    }

    fn is_out(&self, album: usize, day: NaiveDate) -> bool {
        self.albums[album].first_day <= day
    }

    fn artist_popularity(&self, artist: usize, day: NaiveDate) -> i64 {
        let artist = &self.artists[artist];
        self.popularity(&artist.id, artist.cast.fame, 1, day)
    }

    fn album_popularity(&self, album: usize, day: NaiveDate) -> i64 {
        let album = &self.albums[album];
        self.popularity(&album.id, album.fame, 2, day)
    }

    fn track_popularity(&self, track: usize, day: NaiveDate) -> i64 {
        let track = &self.tracks[track];
        self.popularity(&track.id, track.fame, 4, day)
    }

    fn popularity(&self, id: &str, fame: u32, swing: u32, day: NaiveDate) -> i64 {
        (i64::from(fame) + wander(self.seed, id, swing, day_number(day))).clamp(1, 100)
    }

    /// The followers grow steadily, with a little noise where there are many.
    fn followers(&self, artist: usize, day: NaiveDate) -> u64 {
        let Artist { id, cast, .. } = &self.artists[artist];
        let grown = (i128::from(cast.weekly_growth) * i128::from(day_number(day))).div_euclid(7);
        let noise = Dice::new(self.seed, &format!("followers {id} {day}")).below(cast.weekly_growth / 14 + 1);
        u64::try_from(i128::from(cast.followers) + grown).unwrap_or(0) + noise
    }
}

/// The world on one day, for the server.
struct Today {
    world: World,
    day: NaiveDate,
}

impl Catalogue for Today {
    fn artist(&self, id: &str) -> Option<Value> {
        self.world.artist(id, self.day)
    }

    fn album(&self, id: &str) -> Option<Value> {
        self.world.album(id, self.day)
    }

    fn track(&self, id: &str) -> Option<Value> {
        self.world.track(id, self.day)
    }

    fn top_tracks(&self, artist: &str) -> Option<Vec<Value>> {
        self.world.top_tracks(artist, self.day)
    }

    fn albums_of(&self, artist: &str) -> Option<Vec<Value>> {
        self.world.albums_of(artist, self.day)
    }

    fn search(&self, artist_name: &str) -> Vec<Value> {
        let artist = self.world.artists.iter().find(|artist| artist.cast.name == artist_name);
        artist.and_then(|artist| self.world.top_tracks(&artist.id, self.day)).unwrap_or_default()
    }
}

/// The sample's world on one day behind a server of this machine, for as long as the value lives.
pub struct Sandbox {
    server: Server,
    artists: Vec<String>,
}

impl Sandbox {
    /// Starts the server.
    ///
    /// # Errors
    /// If the system gives no port or thread.
    pub fn start(day: NaiveDate) -> Result<Sandbox> {
        Sandbox::with(day, Settings::default())
    }

    /// Starts a server that behaves as it is told.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub fn with(day: NaiveDate, settings: Settings) -> Result<Sandbox> {
        let world = World::new(sample::SEED);
        let artists = world.headliners().into_iter().map(str::to_owned).collect();
        Ok(Sandbox { server: Server::start(Box::new(Today { world, day }), settings)?, artists })
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The artists who have albums in this world.
    pub fn artists(&self) -> Vec<String> {
        self.artists.clone()
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.server.url()
    }

    pub(super) fn client_id(&self) -> Secret {
        Secret::new(Settings::default().client_id)
    }

    pub(super) fn client_secret(&self) -> Secret {
        Secret::new(Settings::default().client_secret)
    }
}

/// The day as a number; the world's first day, 2026-01-01, is 0, and there are days before it.
fn day_number(day: NaiveDate) -> i64 {
    const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date of the calendar");
    (day - FIRST_DAY).num_days()
}

impl Artist {
    fn new(seed: u64, cast: &'static cast::Artist) -> Artist {
        let mut dice = Dice::new(seed, &format!("artist {}", cast.name));
        Artist { id: dice.text(BASE62, 22), image: dice.text(HEXADECIMAL, 24), cast, albums: Vec::new() }
    }
}

impl Album {
    fn new(seed: u64, of_artist: &Artist, artist: usize, cast: &'static cast::Album) -> Album {
        let mut dice = Dice::new(seed, &format!("album {} {}", of_artist.id, cast.title));
        Album {
            id: dice.text(BASE62, 22),
            image: dice.text(HEXADECIMAL, 24),
            upc: dice.text(DECIMAL, 12),
            cast,
            artist,
            tracks: Vec::new(),
            first_day: first_day(cast.released).unwrap_or(NaiveDate::MIN),
            fame: of_artist.cast.fame.saturating_sub(dice.below(14) as u32),
        }
    }
}

impl Track {
    fn new(
        seed: u64,
        album_index: usize,
        album: &Album,
        artists: &[Artist],
        cast: &'static cast::Track,
        number: usize,
    ) -> Track {
        let mut dice = Dice::new(seed, &format!("track {} {}", album.id, cast.title));
        let guest = |name: &&str| artists.iter().position(|artist| artist.cast.name == *name);
        // A single is what is played most; an album also has tracks for those who listen to the end.
        let depth = if album.cast.kind == "single" { 3 } else { 9 };
        Track {
            id: dice.text(BASE62, 22),
            isrc: format!("QZ{}", dice.text(DECIMAL, 10)),
            duration_ms: 95_000 + dice.below(230_000),
            cast,
            album: album_index,
            artists: std::iter::once(album.artist).chain(cast.guests.iter().filter_map(guest)).collect(),
            number,
            replaced: (album.cast.kind == "compilation").then(|| dice.text(BASE62, 22)),
            fame: artists[album.artist].cast.fame.saturating_sub(dice.below(depth) as u32),
        }
    }
}

/// The first day of a release date of any precision.
fn first_day(released: &str) -> Option<NaiveDate> {
    let padded = format!("{released}-01-01");
    padded.get(..10)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn january(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, day).expect("a date of the calendar")
    }

    fn ids(objects: &[Value]) -> Vec<&str> {
        objects.iter().filter_map(|object| object["id"].as_str()).collect()
    }

    #[test]
    fn every_guest_and_every_release_date_of_the_cast_is_understood() {
        for album in cast::ARTISTS.iter().flat_map(|artist| artist.albums) {
            assert!(first_day(album.released).is_some(), "{}", album.released);
            for guest in album.tracks.iter().flat_map(|track| track.guests) {
                assert!(cast::ARTISTS.iter().any(|artist| artist.name == *guest), "{guest}");
            }
        }
    }

    #[test]
    fn a_world_is_a_function_of_its_seed() {
        let (world, again, other) = (World::new(1), World::new(1), World::new(2));
        let artist = world.headliners()[0];
        assert_eq!(world.top_tracks(artist, january(2)), again.top_tracks(artist, january(2)));
        assert_eq!(other.artist(artist, january(2)), None);
    }

    #[test]
    fn ids_tell_everything_apart() {
        let world = World::new(1);
        let artists = world.artists.iter().map(|artist| &artist.id);
        let albums = world.albums.iter().map(|album| &album.id);
        let mut ids: Vec<_> =
            artists.chain(albums).chain(world.tracks.iter().map(|track| &track.id)).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn an_album_is_there_from_its_release_on() {
        let world = World::new(1);
        let ferry = world.albums.iter().find(|album| album.cast.title == "Slow Ferry").expect("in the cast");
        let (track, artist) = (&world.tracks[ferry.tracks[0]].id, &world.artists[ferry.artist].id);
        for (day, is_out) in [(january(3), false), (january(4), true)] {
            assert_eq!(world.album(&ferry.id, day).is_some(), is_out);
            assert_eq!(world.track(track, day).is_some(), is_out);
            let albums = world.albums_of(artist, day).expect("the artist is known");
            assert_eq!(ids(&albums).contains(&ferry.id.as_str()), is_out);
        }
    }

    #[test]
    fn top_tracks_are_the_ten_most_popular_in_order() {
        let world = World::new(1);
        for artist in world.headliners() {
            let top = world.top_tracks(artist, january(2)).expect("the artist is known");
            let popularity: Vec<_> = top.iter().filter_map(|track| track["popularity"].as_i64()).collect();
            assert!(top.len() <= TOP && top.len() == popularity.len());
            assert!(popularity.is_sorted_by(|more, less| more >= less), "{popularity:?}");
        }
    }
}
