//! The arguments of a call from Jinja to Rust: by position or by name, as Python binds them.

use minijinja::value::{Kwargs, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind};

use crate::jinja::values::is_undefined;

/// The arguments of one call.
pub struct Args<'a> {
    function: &'a str,
    positional: Vec<Value>,
    named: Kwargs,
}

impl<'a> Args<'a> {
    /// Takes apart what minijinja hands over. `function` is the name used in messages.
    pub fn new(function: &'a str, args: &[Value]) -> Result<Self, Error> {
        let (positional, named): (Vec<Value>, Kwargs) = match from_args::<(&[Value], Kwargs)>(args) {
            Ok((positional, named)) => (positional.to_vec(), named),
            Err(_) => (args.to_vec(), Kwargs::from_iter(Vec::<(String, Value)>::new())),
        };
        Ok(Args { function, positional, named })
    }

    /// The argument at this position or with this name.
    pub fn get(&self, index: usize, name: &str) -> Option<Value> {
        self.positional.get(index).cloned().or_else(|| self.named(name))
    }

    /// The argument with this name, if it was given by name.
    pub fn named(&self, name: &str) -> Option<Value> {
        self.named.get::<Option<Value>>(name).ok().flatten()
    }

    /// Whether an argument was given, even as None.
    pub fn has(&self, index: usize, name: &str) -> bool {
        self.positional.len() > index || self.named.has(name)
    }

    /// The arguments given by position.
    pub fn positional(&self) -> &[Value] {
        &self.positional
    }

    /// The arguments given by name, in order; None is a value as others are.
    pub fn named_pairs(&self) -> Vec<(String, Value)> {
        let names: Vec<String> = self.named.args().map(str::to_owned).collect();
        let value = |name: &str| self.named.peek::<Value>(name).unwrap_or_default();
        names.into_iter().map(|name| (name.clone(), value(&name))).collect()
    }

    /// An argument that must be there.
    pub fn required(&self, index: usize, name: &str) -> Result<Value, Error> {
        self.get(index, name).filter(|value| !is_undefined(value)).ok_or_else(|| {
            Error::new(
                ErrorKind::MissingArgument,
                format!("{}() is missing its argument '{name}'", self.function),
            )
        })
    }

    /// A string that must be there.
    pub fn string(&self, index: usize, name: &str) -> Result<String, Error> {
        let value = self.required(index, name)?;
        match value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None if value.kind() == ValueKind::Plain => Ok(value.to_string()),
            None => Err(Error::new(
                ErrorKind::InvalidOperation,
                format!(
                    "the argument '{name}' of {}() must be a string, not {}",
                    self.function,
                    value.kind()
                ),
            )),
        }
    }

    /// A string, or nothing where None, undefined or nothing was given.
    pub fn optional_string(&self, index: usize, name: &str) -> Option<String> {
        let value = self.get(index, name)?;
        if value.is_none() || is_undefined(&value) {
            return None;
        }
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// A boolean by Python's truth, or nothing where None, undefined or nothing was given.
    pub fn optional_bool(&self, index: usize, name: &str) -> Option<bool> {
        let value = self.get(index, name)?;
        (!value.is_none() && !is_undefined(&value)).then(|| value.is_true())
    }
}
