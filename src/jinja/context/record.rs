//! A dbt object that templates read: a value with fields, which can also be had as a dictionary.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};
use minijinja::{Error, State};
use serde_json::Value as Json;

use super::value as values;
use crate::jinja::values::is_undefined;

#[derive(Debug)]
struct Record(Value);

/// An object with these fields and the method `to_dict()`, such as a result in `on-run-end`.
pub fn record(fields: Json) -> Value {
    Value::from_object(Record(values::from_json(&fields)))
}

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get_item(key).ok().filter(|value| !is_undefined(value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.try_iter().into_iter().flatten().collect())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "to_dict" => Ok(self.0.clone()),
            _ => self.0.call_method(state, method, args),
        }
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}
