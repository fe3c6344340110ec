//! Python's dict.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, State};

use super::compare::{equal_pairs, order_items};
use super::list::dismantle;
use super::lock::lock;
use super::{
    Arguments, DictView, Set, Tuple, Undefined, check_defined, iterate, python_repr, tuple, type_name,
};
use crate::jinja::error::raise_message;

/// A dict that is shared by everything that holds it, and mutable. It keeps the order of its keys.
#[derive(Debug, Default)]
pub struct Dict(Mutex<IndexMap<Value, Value>>);

impl Dict {
    /// A dict of some pairs; of equal keys the last value counts.
    pub fn new(pairs: impl IntoIterator<Item = (Value, Value)>) -> Self {
        Dict(Mutex::new(pairs.into_iter().collect()))
    }

    /// The keys and values as they are now.
    pub fn pairs(&self) -> Vec<(Value, Value)> {
        lock(&self.0).iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The value of a key.
    pub fn get(&self, key: &Value) -> Option<Value> {
        if unhashable(key).is_some() {
            return None;
        }
        lock(&self.0).get(key).cloned()
    }

    /// Sets the value of a key.
    pub fn insert(&self, key: Value, value: Value) {
        lock(&self.0).insert(key, value);
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn take(&self) -> IndexMap<Value, Value> {
        std::mem::take(&mut lock(&self.0))
    }

    fn keys(&self) -> Vec<Value> {
        lock(&self.0).keys().cloned().collect()
    }

    fn call(&self, method: &str, args: &Arguments<'_>) -> Result<Value, Error> {
        match method {
            "items" | "keys" | "values" | "copy" | "clear" | "popitem" => {
                args.exactly::<0>()?;
            }
            _ => {}
        }
        Ok(match method {
            "items" | "keys" | "values" => DictView::of_method(method, self.pairs()).unwrap_or_default(),
            "copy" => Value::from_object(Dict::new(self.pairs())),
            "clear" => {
                self.take();
                Value::from(())
            }
            "popitem" => match lock(&self.0).pop() {
                Some((key, value)) => tuple(vec![key, value]),
                None => return Err(raise_message("popitem(): dictionary is empty")),
            },
            "get" => {
                let [key, default] = args.bind(["key", "default"], 1)?;
                self.get(&key.unwrap_or_default()).or(default).unwrap_or_else(|| Value::from(()))
            }
            "setdefault" => {
                let [key, default] = args.bind(["key", "default"], 1)?;
                let key = hashable(key.unwrap_or_default())?;
                let default = default.unwrap_or_else(|| Value::from(()));
                lock(&self.0).entry(key).or_insert(default).clone()
            }
            "pop" => {
                let [key, default] = args.bind(["key", "default"], 1)?;
                let key = hashable(key.unwrap_or_default())?;
                let removed = lock(&self.0).shift_remove(&key).or(default);
                removed.ok_or_else(|| raise_message(format!("KeyError: {}", python_repr(&key))))?
            }
            "update" => {
                self.update(args)?;
                Value::from(())
            }
            "fromkeys" => {
                let [keys, value] = args.bind(["iterable", "value"], 1)?;
                let value = value.unwrap_or_else(|| Value::from(()));
                let keys = iterate(&keys.unwrap_or_default())?;
                let pairs = keys.into_iter().map(|key| Ok((hashable(key)?, value.clone())));
                Value::from_object(Dict::new(pairs.collect::<Result<Vec<_>, Error>>()?))
            }
            _ => return Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        })
    }

    /// Adds the pairs of an argument and the keyword arguments, as `dict.update` and `dict()` do.
    pub(crate) fn update(&self, args: &Arguments<'_>) -> Result<(), Error> {
        let mut added = match args.positional {
            [] => Vec::new(),
            [source] => dict_source(source)?,
            more => {
                let message = format!("update expected at most 1 argument, got {}", more.len());
                return Err(raise_message(message));
            }
        };
        for name in args.named.args() {
            added.push((Value::from(name), args.named.get(name)?));
        }
        lock(&self.0).extend(added);
        Ok(())
    }
}

/// The pairs that `dict(source)` is made of: those of a mapping, or the items of a sequence of pairs.
fn dict_source(source: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if let Some(pairs) = pairs(source) {
        return Ok(pairs);
    }
    check_defined(&[source])?;
    let mut result = Vec::new();
    for (index, item) in iterate(source)?.iter().enumerate() {
        let pair = iterate(item)?;
        let length = pair.len();
        let [key, value] = <[Value; 2]>::try_from(pair).map_err(|_| {
            raise_message(format!(
                "dictionary update sequence element #{index} has length {length}; 2 is required"
            ))
        })?;
        result.push((hashable(key)?, value));
    }
    Ok(result)
}

/// The keys and values of a mapping value; `None` for other values.
pub(crate) fn pairs(value: &Value) -> Option<Vec<(Value, Value)>> {
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return Some(dict.pairs());
    }
    if value.kind() != ValueKind::Map {
        return None;
    }
    Some(value.as_object()?.try_iter_pairs()?.collect())
}

/// A value that may be a key.
///
/// Errors: lists, dicts and sets may not, nor tuples with such in them.
pub(crate) fn hashable(value: Value) -> Result<Value, Error> {
    match unhashable(&value) {
        Some(name) => Err(raise_message(format!("unhashable type: '{name}'"))),
        None => Ok(value),
    }
}

/// The type of what makes a value no key.
pub(super) fn unhashable(value: &Value) -> Option<&'static str> {
    value.as_object()?;
    let mut rest = vec![value.clone()];
    while let Some(value) = rest.pop() {
        if let Some(tuple) = value.downcast_object_ref::<Tuple>() {
            rest.extend(tuple.iter().cloned());
        } else if super::is_list(&value)
            || value.downcast_object_ref::<Dict>().is_some()
            || value.downcast_object_ref::<Set>().is_some()
            || is_namespace(&value)
        {
            return Some(type_name(&value));
        }
    }
    None
}

/// Whether a value is what `namespace()` gives; its type is minijinja's own.
pub(super) fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"))
}

const METHODS: [&str; 11] =
    ["items", "keys", "values", "get", "update", "pop", "popitem", "setdefault", "copy", "clear", "fromkeys"];

/// A method taken from its object without being called: `{% set add = names.append %}`.
pub(super) fn bound_method(object: DynObject, method: &str) -> Value {
    Value::from_object(BoundMethod { object: Value::from_dyn_object(object), method: method.to_owned() })
}

#[derive(Debug)]
struct BoundMethod {
    object: Value,
    method: String,
}

impl Object for BoundMethod {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.object.call_method(state, &self.method, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<built-in method {} of {} object>", self.method, type_name(&self.object))
    }
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(value) = self.get(key) {
            return Some(value);
        }
        match key.as_str() {
            Some(name) => self.missing(name),
            None => Some(Undefined::value(format!("dict object has no element {}", python_repr(key)))),
        }
    }

    /// Attributes: methods hide keys of the same name.
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if METHODS.contains(&key) {
            return self.missing(key);
        }
        self.get(&Value::from(key)).or_else(|| self.missing(key))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if METHODS.contains(&method) {
            return Dict::call(self, method, &Arguments::new(method, args)?);
        }
        match self.get(&Value::from(method)) {
            Some(value) => value.call(state, args),
            None => Err(crate::jinja::error::raise_undefined(format!(
                "'dict object' has no attribute '{method}'"
            ))),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Dict>()?;
        let flat =
            |dict: &Dict| dict.pairs().into_iter().flat_map(|(key, value)| [key, value]).collect::<Vec<_>>();
        if self.len() == other.len() && equal_pairs(self.pairs(), other.pairs()) {
            return Some(Ordering::Equal);
        }
        // Equality decides first; the order only has to be some order that is not equal.
        Some(order_items(&flat(self), &flat(other)).then(Ordering::Less))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&python_repr(&Value::from_dyn_object(self.clone())))
    }
}

impl Dict {
    /// What a key that is not in the dict gives: the method of this name, or an undefined value.
    fn missing(self: &Arc<Self>, name: &str) -> Option<Value> {
        if METHODS.contains(&name) {
            return Some(bound_method(DynObject::new(self.clone()), name));
        }
        Some(Undefined::value(format!("'dict object' has no attribute '{name}'")))
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        dismantle(self.take().into_iter().flat_map(|(key, value)| [key, value]).collect());
    }
}
