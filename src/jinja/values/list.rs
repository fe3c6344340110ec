//! Python's list.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::compare::order_items;
use super::lock::lock;
use super::{Arguments, Dict, Tuple, Undefined, equal, iterate, python_repr, sort_values};
use crate::jinja::error::raise_message;

/// A list that is shared by everything that holds it, and mutable.
#[derive(Debug, Default)]
pub struct List(Mutex<Vec<Value>>);

impl List {
    /// A list of some items.
    pub fn new(items: Vec<Value>) -> Self {
        List(Mutex::new(items))
    }

    /// The items as they are now.
    pub fn items(&self) -> Vec<Value> {
        lock(&self.0).clone()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an item at the end.
    pub fn push(&self, item: Value) {
        lock(&self.0).push(item);
    }

    fn call(&self, method: &str, args: &Arguments<'_>) -> Result<Value, Error> {
        match method {
            "append" => {
                let [item] = args.exactly()?;
                self.push(item);
            }
            "extend" => {
                let [items] = args.exactly()?;
                let items = iterate(&items)?;
                lock(&self.0).extend(items);
            }
            "insert" => {
                let [index, item] = args.exactly()?;
                let index = integer(&index)?;
                let mut items = lock(&self.0);
                let index = clamp_index(index, items.len());
                items.insert(index, item);
            }
            "pop" => {
                let [index] = args.bind(["index"], 0)?;
                let index = index.map_or(Ok(-1), |index| integer(&index))?;
                let mut items = lock(&self.0);
                if items.is_empty() {
                    return Err(raise_message("pop from empty list"));
                }
                return match position(index, items.len()) {
                    Some(index) => Ok(items.remove(index)),
                    None => Err(raise_message("pop index out of range")),
                };
            }
            "remove" => {
                let [item] = args.exactly()?;
                match self.find(&item, 0, usize::MAX) {
                    Some(index) => drop(lock(&self.0).remove(index)),
                    None => return Err(raise_message("list.remove(x): x not in list")),
                }
            }
            "index" => return self.index(args),
            "count" => {
                let [item] = args.exactly()?;
                let count = self.items().iter().filter(|other| equal(other, &item)).count();
                return Ok(Value::from(count));
            }
            "sort" => self.sort(args)?,
            "reverse" => {
                args.exactly::<0>()?;
                lock(&self.0).reverse();
            }
            "clear" => {
                args.exactly::<0>()?;
                lock(&self.0).clear();
            }
            "copy" => {
                args.exactly::<0>()?;
                return Ok(super::list(self.items()));
            }
            _ => return Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }

    fn find(&self, item: &Value, from: usize, to: usize) -> Option<usize> {
        let items = self.items();
        (from..to.min(items.len())).find(|&index| equal(&items[index], item))
    }

    fn index(&self, args: &Arguments<'_>) -> Result<Value, Error> {
        let [item, start, end] = args.bind(["value", "start", "stop"], 1)?;
        let item = item.unwrap_or_default();
        let length = self.len();
        let bound = |value: Option<Value>, default: usize| match value {
            Some(value) => integer(&value).map(|index| clamp_index(index, length)),
            None => Ok(default),
        };
        match self.find(&item, bound(start, 0)?, bound(end, usize::MAX)?) {
            Some(index) => Ok(Value::from(index)),
            None => Err(raise_message(format!("{} is not in list", python_repr(&item)))),
        }
    }

    fn sort(&self, args: &Arguments<'_>) -> Result<(), Error> {
        let [key, reverse] = args.bind(["key", "reverse"], 0)?;
        if key.is_some_and(|key| !key.is_none()) {
            return Err(raise_message("list.sort() takes no key function here; use the filter 'sort'"));
        }
        let keyed = self.items().into_iter().map(|item| (item.clone(), item)).collect();
        let sorted = sort_values(keyed, reverse.is_some_and(|reverse| reverse.is_true()))?;
        *lock(&self.0) = sorted;
        Ok(())
    }
}

/// The methods of a list, for `x.append` without a call.
const METHODS: [&str; 11] =
    ["append", "extend", "insert", "pop", "remove", "index", "count", "sort", "reverse", "clear", "copy"];

/// An index argument.
pub(super) fn integer(value: &Value) -> Result<i64, Error> {
    match super::Number::of(value) {
        Some(super::Number::Int(index)) => Ok(index.clamp(i64::MIN.into(), i64::MAX.into()) as i64),
        _ => {
            let name = super::type_name(value);
            Err(raise_message(format!("'{name}' object cannot be interpreted as an integer")))
        }
    }
}

/// The position an index means, counted from the end if negative; `None` if there is none.
pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(length as i64)? } else { index };
    usize::try_from(index).ok().filter(|&index| index < length)
}

/// The bound an index means, as in slices: never outside of the list.
fn clamp_index(index: i64, length: usize) -> usize {
    let index = if index < 0 { index.saturating_add(length as i64).max(0) } else { index };
    usize::try_from(index).unwrap_or(usize::MAX).min(length)
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(name) = key.as_str() {
            return self.get_value_by_str(name);
        }
        let index = key.as_i64()?;
        let items = lock(&self.0);
        match position(index, items.len()) {
            Some(index) => Some(items[index].clone()),
            None => {
                drop(items);
                Some(Undefined::value(format!("list object has no element {}", python_repr(key))))
            }
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if METHODS.contains(&key) {
            return Some(super::dict::bound_method(DynObject::new(self.clone()), key));
        }
        Some(Undefined::value(format!("'list object' has no attribute '{key}'")))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.len())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if !METHODS.contains(&method) {
            return Err(raise_message(format!("'list object' has no attribute '{method}'")));
        }
        List::call(self, method, &Arguments::new(method, args)?)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<List>()?;
        Some(order_items(&self.items(), &other.items()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&python_repr(&Value::from_dyn_object(self.clone())))
    }
}

impl Drop for List {
    /// Takes nested containers apart one by one: dropping a very deep nest by recursion would overflow
    /// the stack.
    fn drop(&mut self) {
        let items = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        dismantle(std::mem::take(items));
    }
}

/// Drops values without recursion into lists, dicts and tuples that nothing else holds.
pub(super) fn dismantle(mut values: Vec<Value>) {
    while let Some(value) = values.pop() {
        if value.as_object().is_none() {
            continue;
        }
        if let Some(list) = value.downcast_object::<List>() {
            drop(value);
            if let Some(mut list) = Arc::into_inner(list) {
                let items = list.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
                values.append(items);
            }
        } else if let Some(dict) = value.downcast_object::<Dict>() {
            drop(value);
            if let Some(dict) = Arc::into_inner(dict) {
                values.extend(dict.take().into_iter().flat_map(|(key, value)| [key, value]));
            }
        } else if let Some(tuple) = value.downcast_object::<Tuple>() {
            drop(value);
            values.extend(Arc::into_inner(tuple).map(Tuple::into_vec).unwrap_or_default());
        }
    }
}
