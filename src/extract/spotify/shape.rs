//! What the API's objects must look like, as far as somebody relies on it.
//!
//! An object that looks different may be an accident of one answer, so it is asked for again. What stays different is
//! the API's new shape: it is taken as it is, and told.

use serde_json::Value;

use super::files::Entity;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Truth,
    List,
}

impl Kind {
    fn suits(self, value: &Value) -> bool {
        match self {
            Kind::Text => value.is_string(),
            Kind::Number => value.is_number(),
            Kind::Truth => value.is_boolean(),
            Kind::List => value.is_array(),
        }
    }
}

/// How a field differs from what is expected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// `tracks.album.id`
    pub field: String,
    /// `is missing`, `is text`
    pub how: &'static str,
}

impl Difference {
    /// Whether the field is not there at all.
    pub fn is_absence(&self) -> bool {
        self.how == MISSING
    }
}

const MISSING: &str = "is missing";

/// Fields and what they are, by the path to them.
type Fields = &'static [(&'static [&'static str], Kind)];

const ARTIST: Fields = &[
    (&["name"], Kind::Text),
    (&["genres"], Kind::List),
    (&["followers", "total"], Kind::Number),
    (&["popularity"], Kind::Number),
];

const TRACK: Fields = &[
    (&["name"], Kind::Text),
    (&["album", "id"], Kind::Text),
    (&["artists"], Kind::List),
    (&["duration_ms"], Kind::Number),
    (&["explicit"], Kind::Truth),
    (&["popularity"], Kind::Number),
];

const ALBUM: Fields = &[
    (&["name"], Kind::Text),
    (&["album_type"], Kind::Text),
    (&["release_date"], Kind::Text),
    (&["total_tracks"], Kind::Number),
    (&["popularity"], Kind::Number),
];

/// Fields that apps in development mode are no longer promised (Spotify's changelog of February 2026).
pub const WITHHELD: [&str; 2] = ["popularity", "followers.total"];

/// Whether it is an object with an id, without which it cannot be a row.
pub fn is_object(value: &Value) -> bool {
    value["id"].as_str().is_some_and(|id| !id.is_empty())
}

/// How an object differs from what is expected. A null is a value that is not known, and no difference.
pub fn differences(entity: Entity, object: &Value) -> Vec<Difference> {
    let fields = match entity {
        Entity::Artists => ARTIST,
        Entity::Tracks => TRACK,
        Entity::Albums => ALBUM,
    };
    let how = |(path, kind): &(&[&str], Kind)| {
        let mut value = object;
        for key in *path {
            match value.get(key) {
                Some(inner) => value = inner,
                None if value.is_null() => return None,
                None => return Some(MISSING),
            }
        }
        (!value.is_null() && !kind.suits(value)).then(|| name_of(value))
    };
    let difference = |field: &(&[&str], Kind)| {
        let how = how(field)?;
        let path = field.0;
        Some(Difference { field: format!("{}.{}", entity.name(), path.join(".")), how })
    };
    fields.iter().filter_map(difference).collect()
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "is null",
        Value::Bool(_) => "is true or false",
        Value::Number(_) => "is a number",
        Value::String(_) => "is text",
        Value::Array(_) => "is a list",
        Value::Object(_) => "is an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_the_field() {
        let artist = json!({"id": "a", "name": "A", "genres": null, "followers": {"total": "7"}});
        let told: Vec<String> = differences(Entity::Artists, &artist)
            .iter()
            .map(|difference| format!("{} {}", difference.field, difference.how))
            .collect();
        assert_eq!(told, ["artists.followers.total is text", "artists.popularity is missing"]);
        assert!(is_object(&artist) && !is_object(&json!({"id": 7})) && !is_object(&json!([])));
    }
}
