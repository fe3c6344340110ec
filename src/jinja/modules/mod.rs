//! dbt's `modules`: the parts of Python's library that templates may use.

mod classes;
mod date_format;
pub(crate) mod dates;
mod itertools;
mod regexes;
mod zones;

use std::sync::LazyLock;

use minijinja::value::Value;

use super::values::Dict;

pub use dates::{date_value, datetime_value, iso_text, naive_datetime_value, time_value};

static MODULES: LazyLock<Vec<(Value, Value)>> = LazyLock::new(|| {
    let members = [
        ("datetime", classes::datetime()),
        ("pytz", zones::pytz()),
        ("re", regexes::re()),
        ("itertools", itertools::itertools()),
    ];
    members.map(|(name, value)| (Value::from(name), value)).to_vec()
});

/// The value of the name `modules`.
pub fn modules() -> Value {
    Value::from_object(Dict::new(MODULES.iter().cloned()))
}
