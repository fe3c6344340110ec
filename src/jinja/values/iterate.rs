//! Iteration as Python does it.

use minijinja::Error;
use minijinja::value::{Tuple, Value, ValueKind};

use super::{List, check_defined, is_undefined, type_name};
use crate::jinja::error::raise_message;

/// The items of a value: of a list, tuple or set its elements, of a dict its keys, of a string its
/// characters; of an undefined value nothing.
///
/// Errors: the value is not iterable.
pub(crate) fn iterate(value: &Value) -> Result<Vec<Value>, Error> {
    if let Some(list) = value.downcast_object_ref::<List>() {
        return Ok(list.items());
    }
    if let Some(tuple) = value.downcast_object_ref::<Tuple>() {
        return Ok(tuple.to_vec());
    }
    if is_undefined(value) {
        return Ok(Vec::new());
    }
    if matches!(value.kind(), ValueKind::None) || (value.as_object().is_none() && value.as_str().is_none()) {
        return Err(not_iterable(value));
    }
    let items = value.try_iter().map_err(|_| not_iterable(value))?;
    let mut result = Vec::new();
    for item in items.checked() {
        result.push(item?);
    }
    Ok(result)
}

fn not_iterable(value: &Value) -> Error {
    match check_defined(&[value]) {
        Ok(()) => raise_message(format!("'{}' object is not iterable", type_name(value))),
        Err(error) => error,
    }
}
