//! Python's values for templates: lists, dicts and sets that are shared and mutable, printing, comparison,
//! iteration and JSON. Strings, numbers, `none` and tuples are minijinja's own.

mod args;
mod compare;
pub(crate) mod decimal;
mod dict;
mod iterate;
mod json;
mod list;
mod literal;
mod lock;
mod range;
mod set;
mod text;
mod undefined;
mod view;

pub use minijinja::value::Tuple;

pub use args::{Arguments, function};
pub(crate) use compare::{compare, contains, equal, sort_values};
pub use decimal::decimal_value;
pub use dict::Dict;
pub(crate) use dict::{hashable, pairs};
pub(crate) use iterate::iterate;
pub use json::{from_json, json_dumps, to_json, to_json_with};
pub use list::List;
pub(crate) use literal::int_literal;
pub use literal::native_literal;
pub(crate) use range::Range;
pub use set::Set;
pub(crate) use text::{float_repr, type_name, write_str};
pub use text::{python_repr, python_str};
pub(crate) use undefined::{Undefined, check_defined, is_lenient, is_undefined, with_leniency};

pub(crate) use view::DictView;

use minijinja::value::Value;

/// Whether a value is a list (not a tuple).
pub fn is_list(value: &Value) -> bool {
    value.downcast_object_ref::<List>().is_some() || value.downcast_object_ref::<Vec<Value>>().is_some()
}

/// A list value.
pub fn list(items: Vec<Value>) -> Value {
    Value::from_object(List::new(items))
}

/// A tuple value.
pub fn tuple(items: Vec<Value>) -> Value {
    Value::from(Tuple::from(items))
}

/// A number as Python sees it; booleans are numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    /// The number a value is, if it is one.
    pub(crate) fn of(value: &Value) -> Option<Number> {
        use minijinja::value::ValueKind;
        match value.kind() {
            ValueKind::Bool => Some(Number::Int(i128::from(value.is_true()))),
            ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok().map(Number::Int),
            ValueKind::Number => f64::try_from(value.clone()).ok().map(Number::Float),
            ValueKind::Plain => {
                value.downcast_object_ref::<decimal::Decimal>().map(|number| Number::Float(number.as_f64()))
            }
            _ => None,
        }
    }

    /// The number as a float.
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Number::Int(int) => int as f64,
            Number::Float(float) => float,
        }
    }
}

/// An integer value, as small as it can be.
pub(crate) fn int(value: i128) -> Value {
    match i64::try_from(value) {
        Ok(small) => Value::from(small),
        Err(_) => Value::from(value),
    }
}
