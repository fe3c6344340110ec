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
pub use itertools::Deprecated;

static MODULES: LazyLock<Vec<(Value, Value)>> = LazyLock::new(|| {
    let members = [("datetime", classes::datetime()), ("pytz", zones::pytz()), ("re", regexes::re())];
    members.map(|(name, value)| (Value::from(name), value)).to_vec()
});

/// The value of the name `modules`. dbt gives up `itertools`: whoever calls one of its functions is told by `deprecated`.
pub fn modules(deprecated: &Deprecated) -> Value {
    let itertools = (Value::from("itertools"), itertools::itertools(deprecated));
    Value::from_object(Dict::new(MODULES.iter().cloned().chain([itertools])))
}
