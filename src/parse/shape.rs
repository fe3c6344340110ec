//! What a mapping in YAML must look like: its keys, what each may hold, and what stands for a key that is missing.
//!
//! One table serves both ends: reading tells what is wrong at its line, with the nearest known key, and gives the mapping
//! as the manifest has it, with all keys in their order.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, Result};
use crate::jinja::{self, python_str};
use crate::project::yaml::{Yaml, YamlValue};
use crate::text::nearest;

/// One key of a mapping.
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub absent: Absent,
}

/// What a key may hold.
pub enum Shape {
    Text,
    /// A text, number or boolean, as Python prints it.
    Scalar,
    Bool,
    Int,
    Number,
    Mapping,
    Texts,
    /// A text or a list of texts; gives a list.
    TextOrTexts,
    OneOf(&'static [&'static str]),
    /// Conditions of the semantic layer: a text or a list of texts.
    Filter,
    /// A time window such as `7 days`.
    Window,
    Record(&'static [Key]),
    /// A mapping, or a text that is its `name`.
    Named(&'static [Key]),
    List(&'static Shape),
    /// Filled in by rbt; not to be written.
    Filled,
}

/// What stands for a key that is missing or empty.
#[derive(Clone, Copy)]
pub enum Absent {
    Error,
    Null,
    False,
    Text(&'static str),
    List,
    Mapping,
}

/// A key that must be there.
pub const fn required(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, absent: Absent::Error }
}

/// A key that is null if it is missing.
pub const fn optional(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, absent: Absent::Null }
}

/// A key with another default.
pub const fn or(name: &'static str, shape: Shape, absent: Absent) -> Key {
    Key { name, shape, absent }
}

/// The periods of time that the semantic layer knows.
pub const GRANULARITIES: &[&str] = &[
    "nanosecond",
    "microsecond",
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
];

/// Reads a mapping: all keys of the table, in its order.
///
/// # Errors
/// All that is wrong in it, each at its place.
pub fn read(yaml: &Yaml, keys: &[Key], path: &Path) -> Result<Map<String, Json>> {
    let given = yaml.need_map("a mapping", path)?;
    let mut errors: Vec<Error> = given
        .iter()
        .filter_map(|(key, _)| {
            let name = key.key_text();
            let known = || keys.iter().filter(|key| !matches!(key.shape, Shape::Filled)).map(|key| key.name);
            (!known().any(|known| known == name)).then(|| {
                let error = key
                    .error(path, format!("Additional properties are not allowed ('{name}' was unexpected)"));
                match nearest(&name, known()) {
                    Some(similar) => error.help(format!("did you mean '{similar}'?")),
                    None => {
                        error.help(format!("the known keys are: {}", known().collect::<Vec<_>>().join(", ")))
                    }
                }
            })
        })
        .collect();
    let mut read = Map::new();
    for key in keys {
        let value = given.get(key.name).filter(|value| !value.is_null());
        let result = match (value, key.absent) {
            (Some(value), _) => value_of(value, key.name, &key.shape, path),
            (None, Absent::Error) => Err(yaml
                .error(path, format!("'{}' is a required property", key.name))
                .help(format!("add `{}:`", key.name))),
            (None, Absent::Null) => Ok(Json::Null),
            (None, Absent::False) => Ok(json!(false)),
            (None, Absent::Text(text)) => Ok(json!(text)),
            (None, Absent::List) => Ok(json!([])),
            (None, Absent::Mapping) => Ok(json!({})),
        };
        match result {
            Ok(value) => drop(read.insert(key.name.to_owned(), value)),
            Err(error) => errors.push(error),
        }
    }
    Error::many(errors).map_or(Ok(read), Err)
}

fn value_of(value: &Yaml, name: &str, shape: &Shape, path: &Path) -> Result<Json> {
    let what = || format!("`{name}`");
    let wrong = |wanted: &str| {
        Err(value.error(path, format!("expected {wanted} for `{name}`, found {}", value.kind())))
    };
    match shape {
        Shape::Text => value.need_str(&what(), path).map(Json::from),
        Shape::Scalar => match &value.value {
            YamlValue::Seq(_) | YamlValue::Map(_) => wrong("a text or a number"),
            _ => Ok(Json::from(python_str(&jinja::from_json(&value.to_json())))),
        },
        Shape::Bool => match value.as_bool() {
            Some(value) => Ok(json!(value)),
            None => wrong("true or false"),
        },
        Shape::Int => match value.as_i64() {
            Some(value) => Ok(json!(value)),
            None => wrong("a whole number"),
        },
        Shape::Number => match value.value {
            YamlValue::Int(_) | YamlValue::Float(_) => Ok(value.to_json()),
            _ => wrong("a number"),
        },
        Shape::Mapping => value.need_map(&what(), path).map(|_| value.to_json()),
        Shape::Texts => texts(value, name, path).map(|texts| json!(texts)),
        Shape::TextOrTexts => text_or_texts(value, name, path).map(|texts| json!(texts)),
        Shape::OneOf(words) => {
            let word = value.need_str(&what(), path)?;
            match words.iter().find(|known| known.eq_ignore_ascii_case(word)) {
                Some(known) => Ok(json!(known)),
                None => {
                    let error = value.error(path, format!("'{word}' is not a value of `{name}`"));
                    let known = || words.iter().copied();
                    Err(match nearest(word, known()) {
                        Some(similar) => error.help(format!("did you mean '{similar}'?")),
                        None => error.help(format!("use one of: {}", words.join(", "))),
                    })
                }
            }
        }
        Shape::Filter => {
            let filters: Vec<Json> = text_or_texts(value, name, path)?
                .into_iter()
                .map(|filter| json!({"where_sql_template": filter}))
                .collect();
            Ok(json!({"where_filters": filters}))
        }
        Shape::Window => window(value.need_str(&what(), path)?).map_err(|message| {
            value.error(path, message).help("write a count and a period, such as '28 days'")
        }),
        Shape::Record(keys) => read(value, keys, path).map(Json::Object),
        Shape::Named(keys) => match value.as_str() {
            Some(name) => {
                let mut only_name = crate::project::yaml::Mapping::default();
                only_name.set("name", Yaml::from(name).placed_at(value));
                read(&Yaml::new(YamlValue::Map(only_name)).placed_at(value), keys, path).map(Json::Object)
            }
            None => read(value, keys, path).map(Json::Object),
        },
        Shape::List(shape) => {
            let items = value.need_seq(name, path)?;
            let (mut read, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
            for item in items {
                match value_of(item, name, shape, path) {
                    Ok(item) => read.push(item),
                    Err(error) => errors.push(error),
                }
            }
            Error::many(errors).map_or(Ok(Json::Array(read)), Err)
        }
        Shape::Filled => Ok(Json::Null),
    }
}

fn texts(value: &Yaml, name: &str, path: &Path) -> Result<Vec<String>> {
    let items = value.need_seq(name, path)?.iter();
    items.map(|item| item.need_str(&format!("an item of `{name}`"), path).map(str::to_owned)).collect()
}

fn text_or_texts(value: &Yaml, name: &str, path: &Path) -> Result<Vec<String>> {
    match value.as_str() {
        Some(text) => Ok(vec![text.to_owned()]),
        None => texts(value, name, path),
    }
}

/// `7 days` as a count and a granularity; the plural is dropped from the granularities that are known.
fn window(text: &str) -> Result<Json, String> {
    let lower = text.to_lowercase();
    let parts: Vec<&str> = lower.split(' ').collect();
    let [count, period] = parts[..] else {
        return Err(format!("Invalid window ({text}) in cumulative/conversion metric"));
    };
    let Ok(count) = count.parse::<u64>() else {
        return Err(format!(
            "Invalid count ({count}) in cumulative/conversion metric window string: ({text})"
        ));
    };
    let singular = period.strip_suffix('s').filter(|singular| GRANULARITIES.contains(singular));
    Ok(json!({"count": count, "granularity": singular.unwrap_or(period)}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::yaml;

    const INNER: &[Key] = &[required("name", Shape::Text), or("flag", Shape::Bool, Absent::False)];
    const KEYS: &[Key] = &[
        required("name", Shape::Text),
        optional("window", Shape::Window),
        optional("filter", Shape::Filter),
        or("items", Shape::List(&Shape::Named(INNER)), Absent::List),
        optional("expr", Shape::Scalar),
        optional("inside", Shape::Filled),
    ];

    fn read_text(text: &str) -> Result<Map<String, Json>> {
        let path = Path::new("a.yml");
        read(&yaml::parse(text, path)?, KEYS, path)
    }

    #[test]
    fn gives_all_keys_in_their_order() {
        let read =
            read_text("{expr: true, name: a, window: 2 Months, filter: x, items: [b, {name: c, flag: yes}]}");
        let expected = json!({
            "name": "a", "window": {"count": 2, "granularity": "month"},
            "filter": {"where_filters": [{"where_sql_template": "x"}]},
            "items": [{"name": "b", "flag": false}, {"name": "c", "flag": true}], "expr": "True", "inside": null,
        });
        assert_eq!(Json::Object(read.expect("correct")), expected);
    }

    #[test]
    fn tells_everything_that_is_wrong_at_its_place() {
        let error = read_text("window: soon\nfitler: x\nitems:\n  - {name: a, flag: 3}\n  - {}\n")
            .expect_err("wrong");
        let told: Vec<String> = std::iter::once(&error)
            .chain(error.others())
            .map(|error| format!("{} {}", error.location().expect("a place"), error.message()))
            .collect();
        assert_eq!(
            told,
            [
                "a.yml:2:1 Additional properties are not allowed ('fitler' was unexpected)",
                "a.yml:1:1 'name' is a required property",
                "a.yml:1:9 Invalid window (soon) in cumulative/conversion metric",
                "a.yml:4:21 expected true or false for `flag`, found a number",
                "a.yml:5:5 'name' is a required property",
            ]
        );
        assert!(error.to_string().contains("did you mean 'filter'?"));
    }
}
