//! How the values of one key combine over the layers, and the form they finally have.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::schema::{Field, Merge, RecordDefault, Shape};
use crate::error::{Error, Result};

fn invalid(key: &str, expected: &str, value: &Value) -> Error {
    let found = match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        scalar => scalar.to_string(),
    };
    Error::compilation(format!("invalid configuration `{key}`: expected {expected}, found {found}"))
}

/// Says it in the words of JSON schemas, as dbt does.
fn no_boolean(key: &str, value: &Value) -> Error {
    let shown = match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    Error::compilation(format!("invalid configuration `{key}`: {shown} is not of type 'boolean'"))
        .help("write true or false, without quotes")
}

/// A single value as a list of one. An empty value in YAML adds nothing.
fn listify(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        value => vec![value.clone()],
    }
}

fn mapping<'a>(key: &str, value: &'a Value, empty: &'a Map<String, Value>) -> Result<&'a Map<String, Value>> {
    match value {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(empty),
        other => Err(invalid(key, "a mapping", other)),
    }
}

/// What a key's value becomes when a nearer layer sets it.
pub(super) fn combine(field: &Field, old: &Value, new: Arc<Value>) -> Result<Arc<Value>> {
    let empty = Map::new();
    let combined = match field.merge {
        Merge::Clobber => return Ok(new),
        Merge::Append => {
            let mut items = listify(old);
            items.extend(listify(&new));
            Value::Array(items)
        }
        Merge::Update => {
            let mut map = mapping(field.key, old, &empty)?.clone();
            map.extend(mapping(field.key, &new, &empty)?.iter().map(|(k, v)| (k.clone(), v.clone())));
            Value::Object(map)
        }
        Merge::DictKeyAppend => {
            let mut map = mapping(field.key, old, &empty)?.clone();
            for (key, value) in mapping(field.key, &new, &empty)? {
                let name = key.trim_start_matches('+');
                match map.get_mut(name) {
                    Some(Value::Array(items)) if key.starts_with('+') => items.extend(listify(value)),
                    _ => {
                        map.insert(name.to_owned(), Value::Array(listify(value)));
                    }
                }
            }
            Value::Object(map)
        }
    };
    Ok(Arc::new(combined))
}

/// Brings a value into the form that artifacts show.
///
/// # Errors
/// If the value does not have the shape that the key wants.
pub(super) fn normalize(field: &Field, value: &mut Value) -> Result<()> {
    let key = field.key;
    let fits = |is_fit: bool, expected: &str, value: &Value| match is_fit {
        true => Ok(()),
        false => Err(invalid(key, expected, value)),
    };
    match field.shape {
        Shape::Any => Ok(()),
        Shape::Bool if value.is_boolean() => Ok(()),
        Shape::OptionalBool if value.is_boolean() || value.is_null() => Ok(()),
        Shape::Bool | Shape::OptionalBool => Err(no_boolean(key, value)),
        Shape::Text => fits(value.is_string(), "a string", value),
        Shape::OptionalText => fits(value.is_string() || value.is_null(), "a string", value),
        Shape::OptionalInt => normalize_int(key, value),
        Shape::OptionalTextOrList => fits(
            value.is_null() || value.is_string() || is_text_list(value),
            "a string or a list of strings",
            value,
        ),
        Shape::TextList => {
            if !value.is_array() {
                *value = Value::Array(listify(value));
            }
            fits(is_text_list(value), "a string or a list of strings", value)
        }
        Shape::Mapping if value.is_null() => {
            *value = json!({});
            Ok(())
        }
        Shape::Mapping => fits(value.is_object(), "a mapping", value),
        Shape::Hooks => normalize_hooks(key, value),
        Shape::Record(parts) => normalize_record(key, parts, value),
        Shape::OptionalRecord(parts) => match value.is_null() {
            true => Ok(()),
            false => normalize_record(key, parts, value),
        },
        Shape::OneOf(words) => fits(is_one_of(value, words), &alternatives(words), value),
        Shape::OptionalOneOf(words) => {
            fits(value.is_null() || is_one_of(value, words), &alternatives(words), value)
        }
        Shape::OnOff => {
            if let Value::Bool(is_on) = *value {
                *value = Value::from(if is_on { "on" } else { "off" });
            }
            fits(value.is_string() || value.is_null(), "a string", value)
        }
        Shape::Severity => {
            let is_known = |text: &str| ["warn", "error"].iter().any(|word| text.eq_ignore_ascii_case(word));
            fits(value.as_str().is_some_and(is_known), "'warn' or 'error'", value)
        }
        Shape::ModelFreshness => normalize_model_freshness(key, value),
    }
}

fn is_text_list(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

fn is_one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|text| words.contains(&text))
}

fn alternatives(words: &[&str]) -> String {
    format!("one of '{}'", words.join("', '"))
}

fn normalize_int(key: &str, value: &mut Value) -> Result<()> {
    if let Some(number) = value.as_str().and_then(|text| text.trim().parse::<i64>().ok()) {
        *value = Value::from(number);
    }
    match value.is_i64() || value.is_null() {
        true => Ok(()),
        false => Err(invalid(key, "a whole number", value)),
    }
}

/// A hook is its SQL, or a mapping (which may come as JSON text) that also says how to run it.
fn normalize_hooks(key: &str, value: &mut Value) -> Result<()> {
    const EXPECTED: &str = "SQL, or a mapping with `sql` and `transaction`";
    let mut hooks = Vec::new();
    for hook in listify(value) {
        let parts = match hook {
            Value::String(sql) => match serde_json::from_str(&sql) {
                Ok(Value::Object(parts)) => parts,
                _ => Map::from_iter([("sql".to_owned(), Value::String(sql))]),
            },
            Value::Object(parts) => parts,
            other => return Err(invalid(key, EXPECTED, &other)),
        };
        let sql = parts.get("sql").filter(|sql| sql.is_string());
        let transaction = parts.get("transaction").unwrap_or(&Value::Bool(true));
        let (Some(sql), true) = (sql, transaction.is_boolean()) else {
            return Err(invalid(key, EXPECTED, &Value::Object(parts)));
        };
        let index = parts.get("index").unwrap_or(&Value::Null);
        hooks.push(json!({"sql": sql, "transaction": transaction, "index": index}));
    }
    *value = Value::Array(hooks);
    Ok(())
}

/// Gives a record all its keys, in their order, and drops others.
fn normalize_record(key: &str, parts: &[(&str, RecordDefault)], value: &mut Value) -> Result<()> {
    let Value::Object(given) = value else { return Err(invalid(key, "a mapping", value)) };
    let mut record = Map::new();
    for (part, default) in parts {
        let part_value = match (given.remove(*part), default) {
            (None, default) => default.value(),
            (Some(Value::Object(time)), RecordDefault::Time) => {
                let get = |name: &str| time.get(name).cloned().unwrap_or(Value::Null);
                json!({"count": get("count"), "period": get("period")})
            }
            (Some(Value::Null), _) if !matches!(default, RecordDefault::Bool(_)) => Value::Null,
            (Some(given), RecordDefault::Bool(_)) if !given.is_boolean() => {
                return Err(invalid(&format!("{key}.{part}"), "true or false", &given));
            }
            (Some(given), RecordDefault::Time) => {
                return Err(invalid(&format!("{key}.{part}"), "a mapping with `count` and `period`", &given));
            }
            (Some(given), _) => given,
        };
        record.insert((*part).to_owned(), part_value);
    }
    *value = Value::Object(record);
    Ok(())
}

fn normalize_model_freshness(key: &str, value: &mut Value) -> Result<()> {
    let Some(build_after) = value.get("build_after") else {
        *value = Value::Null;
        return Ok(());
    };
    let Value::Object(given) = build_after else {
        return Err(invalid(key, "a mapping in `build_after`", build_after));
    };
    let get = |name: &str| given.get(name).cloned().unwrap_or(Value::Null);
    let (count, period) = (get("count"), get("period"));
    let missing = match (count.is_null(), period.is_null()) {
        (true, false) => Some(("count", "period")),
        (false, true) => Some(("period", "count")),
        _ => None,
    };
    if let Some((missing, given)) = missing {
        return Err(Error::compilation(format!(
            "`{key}.build_after` must have a value for `{missing}` if a `{given}` is provided"
        )));
    }
    let updates_on = given.get("updates_on").cloned().unwrap_or_else(|| json!("any"));
    if !is_one_of(&updates_on, &["all", "any"]) {
        return Err(invalid("freshness.build_after.updates_on", &alternatives(&["all", "any"]), &updates_on));
    }
    *value = json!({"build_after": {"count": count, "period": period, "updates_on": updates_on}});
    Ok(())
}

/// Adds one `config(...)` call of a file to those before it. Together they are one layer of [`super::resolve`].
///
/// # Errors
/// If a value that is to be merged into a mapping is none.
pub fn add_config_call(calls: &mut Map<String, Value>, call: Map<String, Value>) -> Result<()> {
    if calls.is_empty() {
        *calls = call;
        return Ok(());
    }
    for (key, value) in call {
        let merged = match (key.as_str(), calls.get(&key)) {
            ("pre-hook" | "pre_hook" | "post-hook" | "post_hook" | "tags" | "packages", old) => {
                let mut items = old.map(listify).unwrap_or_default();
                items.extend(listify(&value));
                Value::Array(items)
            }
            (
                "quoting" | "column_types" | "meta" | "docs" | "contract" | "snapshot_meta_column_names",
                old,
            ) => {
                let Value::Object(new) = value else { return Err(invalid(&key, "a mapping", &value)) };
                let mut map = old.and_then(Value::as_object).cloned().unwrap_or_default();
                map.extend(new);
                Value::Object(map)
            }
            ("grants", old) => {
                let Value::Object(new) = value else { return Err(invalid(&key, "a mapping", &value)) };
                Value::Object(add_grants(old.and_then(Value::as_object), new))
            }
            _ => value,
        };
        calls.insert(key, merged);
    }
    Ok(())
}

/// Grants of a later call; keys keep their `+`, which still counts against the outer layers.
fn add_grants(old: Option<&Map<String, Value>>, new: Map<String, Value>) -> Map<String, Value> {
    let mut grants: Map<String, Value> =
        old.into_iter().flatten().map(|(key, value)| (key.clone(), Value::Array(listify(value)))).collect();
    for (key, value) in new {
        match grants.get_mut(&key) {
            Some(Value::Array(items)) if key.starts_with('+') => items.extend(listify(&value)),
            _ => {
                grants.insert(key, Value::Array(listify(&value)));
            }
        }
    }
    grants
}
