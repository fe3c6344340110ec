//! Values from and to JSON.

use minijinja::value::{Value, ValueKind};
use serde_json::Value as Json;

use super::{Dict, float_repr, is_undefined, iterate, list, pairs, python_str, type_name};
use crate::error::{Error, Result};

/// How deep values are turned to JSON; only ones that contain themselves go deeper.
const MAX_DEPTH: usize = 200;

/// A value of JSON as a template sees it: arrays are lists, objects are dicts.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Value::from(int),
            (None, Some(int)) => Value::from(int),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => list(items.iter().map(from_json).collect()),
        Json::Object(fields) => {
            let pairs = fields.iter().map(|(key, value)| (Value::from(key.as_str()), from_json(value)));
            Value::from_object(Dict::new(pairs))
        }
    }
}

/// A value as JSON. Tuples and sets become arrays, keys become strings as in Python's `json.dumps`.
///
/// Errors: the value (or one in it) has no form in JSON, such as a date or a function, or contains itself.
pub fn to_json(value: &Value) -> Result<Json> {
    json_at(value, &|_| None, 0)
}

/// The same, with a text for values that have no form in JSON.
pub fn to_json_with(value: &Value, text: &dyn Fn(&Value) -> Option<String>) -> Result<Json> {
    json_at(value, text, 0)
}

fn json_at(value: &Value, text: &dyn Fn(&Value) -> Option<String>, depth: usize) -> Result<Json> {
    if depth == MAX_DEPTH {
        return Err(Error::compilation("Circular reference detected"));
    }
    let not_serializable =
        || Error::compilation(format!("Object of type {} is not JSON serializable", type_name(value)));
    if is_undefined(value) {
        return Err(not_serializable());
    }
    Ok(match value.kind() {
        ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => number(value).ok_or_else(not_serializable)?,
        ValueKind::String => Json::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Map => {
            let mut fields = serde_json::Map::new();
            for (key, value) in pairs(value).unwrap_or_default() {
                fields.insert(key_text(&key)?, json_at(&value, text, depth + 1)?);
            }
            Json::Object(fields)
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = iterate(value).map_err(|_| not_serializable())?;
            Json::Array(items.iter().map(|item| json_at(item, text, depth + 1)).collect::<Result<_>>()?)
        }
        _ => Json::String(text(value).ok_or_else(not_serializable)?),
    })
}

fn number(value: &Value) -> Option<Json> {
    if value.is_integer() {
        if let Ok(int) = i64::try_from(value.clone()) {
            return Some(Json::from(int));
        }
        if let Ok(int) = u64::try_from(value.clone()) {
            return Some(Json::from(int));
        }
    }
    let float = f64::try_from(value.clone()).ok()?;
    serde_json::Number::from_f64(float).map(Json::Number)
}

fn key_text(key: &Value) -> Result<String> {
    match key.kind() {
        ValueKind::String | ValueKind::Number => Ok(python_str(key)),
        ValueKind::None => Ok("null".into()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.into()),
        _ => Err(Error::compilation(format!(
            "keys must be str, int, float, bool or None, not {}",
            type_name(key)
        ))),
    }
}

/// A value of JSON as Python's `json.dumps` writes it: `", "` and `": "` between the parts, everything but
/// ASCII escaped; with an indent on lines of their own.
pub fn json_dumps(json: &Json, sort_keys: bool, indent: Option<usize>) -> String {
    let mut out = String::new();
    dump(&mut out, json, sort_keys, indent, 0);
    out
}

fn dump(out: &mut String, json: &Json, sort_keys: bool, indent: Option<usize>, level: usize) {
    let separator = if indent.is_some() { "," } else { ", " };
    let line = |out: &mut String, level: usize| {
        if let Some(indent) = indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent * level));
        }
    };
    match json {
        Json::Array(items) if items.is_empty() => out.push_str("[]"),
        Json::Object(fields) if fields.is_empty() => out.push_str("{}"),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(separator);
                }
                line(out, level + 1);
                dump(out, item, sort_keys, indent, level + 1);
            }
            line(out, level);
            out.push(']');
        }
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            if sort_keys {
                fields.sort_by_key(|(key, _)| *key);
            }
            out.push('{');
            for (index, (key, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    out.push_str(separator);
                }
                line(out, level + 1);
                dump_str(out, key);
                out.push_str(": ");
                dump(out, value, sort_keys, indent, level + 1);
            }
            line(out, level);
            out.push('}');
        }
        Json::String(text) => dump_str(out, text),
        Json::Number(number) if number.is_f64() => {
            out.push_str(&float_repr(number.as_f64().unwrap_or(f64::NAN)))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => out.push_str(&json.to_string()),
    }
}

fn dump_str(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}
