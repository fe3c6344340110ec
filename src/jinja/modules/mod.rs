//! dbt's `modules`: the parts of Python's library that templates may use.

pub(crate) mod dates;

use minijinja::value::Value;

use super::values::Dict;

/// The value of the name `modules`.
pub fn modules() -> Value {
    Value::from_object(Dict::default())
}
