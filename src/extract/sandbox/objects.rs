//! The world's objects in the Web API's shapes: the same keys in the same order as in its answers for a market.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Album, World};

/// The market that all objects are for. With a market the API says `is_playable` and leaves out the list of markets.
const MARKET: &str = "ES";

/// The most tracks that an album object carries itself.
const ALBUM_PAGE: usize = 50;

impl World {
    /// The full object of an artist.
    pub(super) fn artist_object(&self, artist: usize, day: NaiveDate) -> Value {
        let (popularity, followers) = (self.artist_popularity(artist, day), self.followers(artist, day));
        let artist = &self.artists[artist];
        json!({
            "external_urls": external_urls("artist", &artist.id),
            "followers": {"href": null, "total": followers},
            "genres": artist.cast.genres,
            "href": href("artists", &artist.id),
            "id": artist.id,
            "images": [
                image("ab6761610000e5eb", &artist.image, 640),
                image("ab67616100005174", &artist.image, 320),
                image("ab6761610000f178", &artist.image, 160),
            ],
            "name": artist.cast.name,
            "popularity": popularity,
            "type": "artist",
            "uri": uri("artist", &artist.id),
        })
    }

    /// The artist as other objects name it.
    fn short_artist_object(&self, artist: usize) -> Value {
        let artist = &self.artists[artist];
        json!({
            "external_urls": external_urls("artist", &artist.id),
            "href": href("artists", &artist.id),
            "id": artist.id,
            "name": artist.cast.name,
            "type": "artist",
            "uri": uri("artist", &artist.id),
        })
    }

    /// The full object of an album, with its tracks.
    pub(super) fn album_object(&self, album: usize, day: NaiveDate) -> Value {
        let popularity = self.album_popularity(album, day);
        let album = &self.albums[album];
        let tracks: Vec<Value> =
            album.tracks.iter().take(ALBUM_PAGE).map(|&track| self.short_track_object(track)).collect();
        let year = &album.cast.released[..4];
        json!({
            "album_type": album.cast.kind,
            "total_tracks": album.tracks.len(),
            "is_playable": true,
            "external_urls": external_urls("album", &album.id),
            "href": format!("{}?market={MARKET}", href("albums", &album.id)),
            "id": album.id,
            "images": album_images(album),
            "name": album.cast.title,
            "release_date": album.cast.released,
            "release_date_precision": precision(album.cast.released),
            "type": "album",
            "uri": uri("album", &album.id),
            "artists": [self.short_artist_object(album.artist)],
            "tracks": {
                "href": format!("{}/tracks?offset=0&limit={ALBUM_PAGE}&market={MARKET}", href("albums", &album.id)),
                "limit": ALBUM_PAGE,
                "next": null,
                "offset": 0,
                "previous": null,
                "total": album.tracks.len(),
                "items": tracks,
            },
            "copyrights": [
                {"text": format!("© {year} {}", album.cast.label), "type": "C"},
                {"text": format!("℗ {year} {}", album.cast.label), "type": "P"},
            ],
            "external_ids": {"upc": album.upc},
            "genres": [],
            "label": album.cast.label,
            "popularity": popularity,
        })
    }

    /// The album as tracks and lists of albums name it.
    pub(super) fn short_album_object(&self, album: usize) -> Value {
        let album = &self.albums[album];
        json!({
            "album_type": album.cast.kind,
            "artists": [self.short_artist_object(album.artist)],
            "external_urls": external_urls("album", &album.id),
            "href": href("albums", &album.id),
            "id": album.id,
            "images": album_images(album),
            "is_playable": true,
            "name": album.cast.title,
            "release_date": album.cast.released,
            "release_date_precision": precision(album.cast.released),
            "total_tracks": album.tracks.len(),
            "type": "album",
            "uri": uri("album", &album.id),
        })
    }

    /// The full object of a track, with its album.
    pub(super) fn track_object(&self, track: usize, day: NaiveDate) -> Value {
        let popularity = self.track_popularity(track, day);
        let track = &self.tracks[track];
        json!({
            "album": self.short_album_object(track.album),
            "artists": self.short_artist_objects(&track.artists),
            "disc_number": 1,
            "duration_ms": track.duration_ms,
            "explicit": track.cast.explicit,
            "external_ids": {"isrc": track.isrc},
            "external_urls": external_urls("track", &track.id),
            "href": href("tracks", &track.id),
            "id": track.id,
            "is_local": false,
            "is_playable": true,
            "name": track.cast.title,
            "popularity": popularity,
            "preview_url": null,
            "track_number": track.number,
            "type": "track",
            "uri": uri("track", &track.id),
        })
    }

    /// The track as its album lists it. Those of compilations stand in for another recording, which they name.
    fn short_track_object(&self, track: usize) -> Value {
        let track = &self.tracks[track];
        let mut object = json!({
            "artists": self.short_artist_objects(&track.artists),
            "disc_number": 1,
            "duration_ms": track.duration_ms,
            "explicit": track.cast.explicit,
            "external_urls": external_urls("track", &track.id),
            "href": href("tracks", &track.id),
            "id": track.id,
            "is_playable": true,
            "name": track.cast.title,
            "preview_url": null,
            "track_number": track.number,
            "type": "track",
            "uri": uri("track", &track.id),
            "is_local": false,
        });
        if let (Some(map), Some(replaced)) = (object.as_object_mut(), &track.replaced) {
            let before_name = map.keys().take_while(|key| *key != "name").count();
            map.shift_insert(before_name, "linked_from".to_owned(), linked_from(replaced));
        }
        object
    }

    fn short_artist_objects(&self, artists: &[usize]) -> Vec<Value> {
        artists.iter().map(|&artist| self.short_artist_object(artist)).collect()
    }
}

fn external_urls(kind: &str, id: &str) -> Value {
    json!({"spotify": format!("https://open.spotify.com/{kind}/{id}")})
}

fn href(collection: &str, id: &str) -> String {
    format!("https://api.spotify.com/v1/{collection}/{id}")
}

fn uri(kind: &str, id: &str) -> String {
    format!("spotify:{kind}:{id}")
}

fn linked_from(track_id: &str) -> Value {
    json!({
        "external_urls": external_urls("track", track_id),
        "href": href("tracks", track_id),
        "id": track_id,
        "type": "track",
        "uri": uri("track", track_id),
    })
}

fn image(size_prefix: &str, image: &str, pixels: u32) -> Value {
    json!({"url": format!("https://i.scdn.co/image/{size_prefix}{image}"), "height": pixels, "width": pixels})
}

fn album_images(album: &Album) -> Value {
    json!([
        image("ab67616d0000b273", &album.image, 640),
        image("ab67616d00001e02", &album.image, 300),
        image("ab67616d00004851", &album.image, 64),
    ])
}

/// How precise a release date is, in the API's words.
fn precision(released: &str) -> &'static str {
    match released.len() {
        4 => "year",
        7 => "month",
        _ => "day",
    }
}
