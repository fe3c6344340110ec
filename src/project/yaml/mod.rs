//! YAML as dbt reads it: the text of a file becomes a tree whose every node knows its line and column.
//!
//! The meaning of plain scalars is that of YAML 1.1 as PyYAML's safe loader gives it (`yes` is true, `1_000` is a
//! thousand, `2024-01-31` is a date), because that is what dbt projects are written against.
//!
//! A tree does not know its file: whoever reports an error adds the path ([`Yaml::location`], [`Yaml::error`]).

mod emit;
mod parse;
mod problem;
mod scalar;
mod scan;

use std::path::Path;

use serde_json::{Map, Number, Value};

use crate::error::{Error, Location, Result};

pub use emit::to_text;
pub use parse::{Duplicate, parse, parse_checked};

/// A node of the tree, with the place where it starts. Lines and columns count from 1; 0 means that the node
/// was not read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Yaml {
    pub value: YamlValue,
    pub line: u32,
    pub column: u32,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum YamlValue {
    Null,
    Bool(bool),
    /// An integer; one that does not fit 64 bits is kept as the text of its digits, in `Str`.
    Int(i64),
    Float(f64),
    Str(String),
    /// A date (`2024-01-31`) or a moment (`2024-01-31T12:00:00+00:00`), as Python's `isoformat` writes it.
    Timestamp(String),
    Seq(Vec<Yaml>),
    Map(Mapping),
}

/// An ordered mapping. Keys are scalars, mostly strings, and occur once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping {
    entries: Vec<(Yaml, Yaml)>,
}

impl Mapping {
    /// The value of a key that is a string.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.entries.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// The key itself, to point at in a message, and its value.
    pub fn get_entry(&self, key: &str) -> Option<(&Yaml, &Yaml)> {
        self.entries.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(k, value)| (k, value))
    }

    /// Whether a string key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The entries in the order of the file.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Yaml, &Yaml)> + ExactSizeIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Sets a string key, in its place if it is there and at the end if not.
    pub fn set(&mut self, key: &str, value: Yaml) {
        match self.entries.iter_mut().find(|(k, _)| k.as_str() == Some(key)) {
            Some((_, old)) => *old = value,
            None => self.entries.push((Yaml::from(key), value)),
        }
    }

    /// Takes a string key out.
    pub fn remove(&mut self, key: &str) -> Option<Yaml> {
        let index = self.entries.iter().position(|(k, _)| k.as_str() == Some(key))?;
        Some(self.entries.remove(index).1)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl From<Vec<(Yaml, Yaml)>> for Mapping {
    /// The caller sees to it that keys occur once.
    fn from(entries: Vec<(Yaml, Yaml)>) -> Self {
        Mapping { entries }
    }
}

impl Yaml {
    /// A node that was not read from a file.
    pub fn new(value: YamlValue) -> Self {
        Yaml { value, line: 0, column: 0 }
    }

    /// The null node.
    pub fn null() -> Self {
        Yaml::new(YamlValue::Null)
    }

    /// The same value, standing at the place of another node.
    pub fn placed_at(mut self, other: &Yaml) -> Self {
        self.line = other.line;
        self.column = other.column;
        self
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, YamlValue::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            YamlValue::Str(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            YamlValue::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self.value {
            YamlValue::Int(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_seq(&self) -> Option<&[Yaml]> {
        match &self.value {
            YamlValue::Seq(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Mapping> {
        match &self.value {
            YamlValue::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value of a string key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.as_map()?.get(key)
    }

    /// What this node is, in a phrase that fits behind "found".
    pub fn kind(&self) -> &'static str {
        match self.value {
            YamlValue::Null => "nothing",
            YamlValue::Bool(_) => "a boolean",
            YamlValue::Int(_) | YamlValue::Float(_) => "a number",
            YamlValue::Str(_) => "a string",
            YamlValue::Timestamp(_) => "a date",
            YamlValue::Seq(_) => "a list",
            YamlValue::Map(_) => "a mapping",
        }
    }

    /// The place of this node in a file.
    pub fn location(&self, path: &Path) -> Location {
        Location::new(path, self.line as usize, self.column as usize)
    }

    /// A parsing error at this node.
    pub fn error(&self, path: &Path, message: impl Into<String>) -> Error {
        Error::parsing(message).at(self.location(path))
    }

    /// The text of a string. `what` names the node in the error for anything else (`the name of the model`).
    pub fn need_str(&self, what: &str, path: &Path) -> Result<&str> {
        self.as_str().ok_or_else(|| self.unexpected(what, "a string", path))
    }

    /// The name of something: a string, which a date is too, as dbt reads it. Otherwise an error as in
    /// [`Yaml::need_str`].
    pub fn need_name(&self, what: &str, path: &Path) -> Result<&str> {
        match &self.value {
            YamlValue::Str(text) | YamlValue::Timestamp(text) => Ok(text),
            _ => Err(self
                .unexpected(what, "a string", path)
                .help("write a name; one that YAML reads as something else goes in quotes: 'off', '2024'")),
        }
    }

    /// A boolean, or an error as in [`Yaml::need_str`].
    pub fn need_bool(&self, what: &str, path: &Path) -> Result<bool> {
        self.as_bool().ok_or_else(|| self.unexpected(what, "a boolean", path))
    }

    /// The items of a list, or an error as in [`Yaml::need_str`].
    pub fn need_seq(&self, what: &str, path: &Path) -> Result<&[Yaml]> {
        self.as_seq().ok_or_else(|| self.unexpected(what, "a list", path))
    }

    /// A mapping, or an error as in [`Yaml::need_str`].
    pub fn need_map(&self, what: &str, path: &Path) -> Result<&Mapping> {
        self.as_map().ok_or_else(|| self.unexpected(what, "a mapping", path))
    }

    fn unexpected(&self, what: &str, expected: &str, path: &Path) -> Error {
        self.error(path, format!("expected {expected} for {what}, found {}", self.kind()))
    }

    /// The text of a scalar as a key of a JSON object, as Python's `json` writes it: `true` and `null` for
    /// the special values, digits for numbers.
    pub fn key_text(&self) -> String {
        match &self.value {
            YamlValue::Null => "null".into(),
            YamlValue::Bool(value) => value.to_string(),
            YamlValue::Int(value) => value.to_string(),
            YamlValue::Float(value) => format!("{value:?}"),
            YamlValue::Str(text) | YamlValue::Timestamp(text) => text.clone(),
            YamlValue::Seq(_) | YamlValue::Map(_) => self.to_json().to_string(),
        }
    }

    /// The tree as JSON: dates become strings, keys become text, and numbers that JSON does not have become
    /// the words that Python prints for them.
    pub fn to_json(&self) -> Value {
        match &self.value {
            YamlValue::Null => Value::Null,
            YamlValue::Bool(value) => Value::Bool(*value),
            YamlValue::Int(value) => Value::from(*value),
            YamlValue::Float(value) => float_to_json(*value),
            YamlValue::Str(text) | YamlValue::Timestamp(text) => Value::String(text.clone()),
            YamlValue::Seq(items) => Value::Array(items.iter().map(Yaml::to_json).collect()),
            YamlValue::Map(map) => {
                Value::Object(map.iter().map(|(k, v)| (k.key_text(), v.to_json())).collect::<Map<_, _>>())
            }
        }
    }

    /// The tree of a JSON value, with no place in a file.
    pub fn from_json(value: &Value) -> Yaml {
        Yaml::new(match value {
            Value::Null => YamlValue::Null,
            Value::Bool(value) => YamlValue::Bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => YamlValue::Int(int),
                (None, Some(float)) if number.is_f64() => YamlValue::Float(float),
                _ => YamlValue::Str(number.to_string()),
            },
            Value::String(text) => YamlValue::Str(text.clone()),
            Value::Array(items) => YamlValue::Seq(items.iter().map(Yaml::from_json).collect()),
            Value::Object(map) => YamlValue::Map(Mapping {
                entries: map.iter().map(|(k, v)| (Yaml::from(k.as_str()), Yaml::from_json(v))).collect(),
            }),
        })
    }
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Yaml::new(YamlValue::Str(text.to_owned()))
    }
}

fn float_to_json(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => Value::from("nan"),
        None if value > 0.0 => Value::from("inf"),
        None => Value::from("-inf"),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
