//! Short ways to make values for templates.

use minijinja::value::Value;

use crate::jinja::values::{Dict, List, Set, decimal_value};

pub use crate::jinja::values::{from_json, to_json, tuple};

/// A list.
pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from_object(List::new(items.into_iter().collect()))
}

/// A dictionary.
pub fn dict<K: Into<Value>, V: Into<Value>>(pairs: impl IntoIterator<Item = (K, V)>) -> Value {
    Value::from_object(Dict::new(pairs.into_iter().map(|(key, value)| (key.into(), value.into()))))
}

/// A set.
pub fn set(items: impl IntoIterator<Item = Value>) -> Result<Value, minijinja::Error> {
    Set::new(items).map(Value::from_object)
}

/// A decimal number, which keeps the zeros at its end; without fractional digits it is an integer.
pub fn decimal(text: &str) -> Value {
    match text.parse::<i128>() {
        Ok(number) => i64::try_from(number).map_or_else(|_| Value::from(number), Value::from),
        Err(_) => decimal_value(text).unwrap_or_else(|| Value::from(text)),
    }
}
