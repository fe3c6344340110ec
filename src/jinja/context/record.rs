//! Objects of dbt that templates read by attribute and turn into dictionaries with `to_dict()`.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};
use minijinja::{Error, State};

use crate::jinja::values::is_undefined;

/// A dictionary that has `to_dict()` as well: a run result, a step's timing, the variables of a project.
#[derive(Debug)]
struct Record(Value);

/// The record with the fields of a dictionary.
pub fn record(fields: Value) -> Value {
    Value::from_object(Record(fields))
}

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get_item(key).ok().filter(|value| !is_undefined(value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.0.try_iter().map_or(Enumerator::Empty, |keys| Enumerator::Values(keys.collect()))
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
