//! The undefined value, which remembers what was missing.

use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use crate::jinja::error::raise_undefined;

thread_local! {
    static LENIENT: Cell<bool> = const { Cell::new(false) };
}

/// Runs a step in which undefined values are born lenient or strict. Objects make them in answer to an
/// attribute, where minijinja does not tell them which template asks.
pub(crate) fn with_leniency<T>(lenient: bool, step: impl FnOnce() -> T) -> T {
    let before = LENIENT.replace(lenient);
    let result = step();
    LENIENT.set(before);
    result
}

/// Whether the running template swallows what is undefined.
pub(crate) fn is_lenient() -> bool {
    LENIENT.get()
}

/// A missing name, key or attribute: prints nothing, is false, iterates over nothing. Every other use is
/// an error that tells what was missing, unless it is the lenient kind, which swallows attributes, items
/// and calls: those of a node's own text at parse time.
#[derive(Debug)]
pub(crate) struct Undefined {
    message: String,
    lenient: bool,
}

impl Undefined {
    /// An undefined value with the message of its use, such as `'x' is undefined`.
    pub(crate) fn value(message: impl Into<String>) -> Value {
        Value::from_object(Undefined { message: message.into(), lenient: is_lenient() })
    }

    /// An undefined name.
    pub(crate) fn name(name: &str) -> Value {
        Undefined::value(format!("'{name}' is undefined"))
    }

    fn error(&self) -> Error {
        raise_undefined(self.message.clone())
    }

    fn step(self: &Arc<Self>) -> Result<Value, Error> {
        if self.lenient { Ok(Value::from_dyn_object(self.clone())) } else { Err(self.error()) }
    }
}

impl Object for Undefined {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, _key: &Value) -> Option<Value> {
        Some(self.step().unwrap_or_else(Value::from))
    }

    fn get_value_by_str(self: &Arc<Self>, _key: &str) -> Option<Value> {
        Some(self.step().unwrap_or_else(Value::from))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Empty
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
        self.step()
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        _method: &str,
        _args: &[Value],
    ) -> Result<Value, Error> {
        self.step()
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Undefined>().map(|_| Ordering::Equal)
    }

    fn render(self: &Arc<Self>, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Whether a value is undefined, ours or minijinja's.
pub(crate) fn is_undefined(value: &Value) -> bool {
    value.is_undefined() || value.downcast_object_ref::<Undefined>().is_some()
}

/// Errors if one of some values is undefined, with what was missing.
pub(crate) fn check_defined(values: &[&Value]) -> Result<(), Error> {
    for value in values {
        if value.is_undefined() {
            return Err(Error::from(minijinja::ErrorKind::UndefinedError));
        }
        if let Some(undefined) = value.downcast_object_ref::<Undefined>() {
            return Err(undefined.error());
        }
    }
    Ok(())
}
