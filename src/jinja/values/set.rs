//! Python's set. It keeps the order in which its items came.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexSet;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::dict::{hashable, unhashable};
use super::lock::lock;
use super::{Arguments, iterate, python_repr};
use crate::jinja::error::raise_message;

/// A set that is shared by everything that holds it, and mutable.
#[derive(Debug, Default)]
pub struct Set(Mutex<IndexSet<Value>>);

impl Set {
    /// The set of some items.
    ///
    /// Errors: an item is a list, dict or set.
    pub fn new(items: impl IntoIterator<Item = Value>) -> Result<Self, Error> {
        let items = items.into_iter().map(hashable).collect::<Result<IndexSet<_>, _>>()?;
        Ok(Set(Mutex::new(items)))
    }

    /// The items as they are now.
    pub fn items(&self) -> Vec<Value> {
        lock(&self.0).iter().cloned().collect()
    }

    pub(super) fn contains(&self, item: &Value) -> bool {
        unhashable(item).is_none() && lock(&self.0).contains(item)
    }

    pub(super) fn equals(&self, other: &Set) -> bool {
        let other: IndexSet<Value> = other.items().into_iter().collect();
        *lock(&self.0) == other
    }

    fn call(&self, method: &str, args: &Arguments<'_>) -> Result<Value, Error> {
        if let Some(operation) = Operation::of_method(method) {
            let mut result = self.items();
            for other in args.positional {
                let other = iterate(other)?.into_iter().map(hashable).collect::<Result<Vec<_>, _>>()?;
                result = operation.apply(result, other);
            }
            return Ok(Value::from_object(Set::new(result)?));
        }
        let none = Value::from(());
        Ok(match method {
            "add" => {
                let [item] = args.exactly()?;
                lock(&self.0).insert(hashable(item)?);
                none
            }
            "discard" | "remove" => {
                let [item] = args.exactly()?;
                let item = hashable(item)?;
                if !lock(&self.0).shift_remove(&item) && method == "remove" {
                    return Err(raise_message(format!("KeyError: {}", python_repr(&item))));
                }
                none
            }
            "update" => {
                for other in args.positional {
                    let items = iterate(other)?.into_iter().map(hashable).collect::<Result<Vec<_>, _>>()?;
                    lock(&self.0).extend(items);
                }
                none
            }
            "pop" => {
                args.exactly::<0>()?;
                let popped = lock(&self.0).shift_remove_index(0);
                popped.ok_or_else(|| raise_message("pop from an empty set"))?
            }
            "clear" => {
                lock(&self.0).clear();
                none
            }
            "copy" => Value::from_object(Set::new(self.items())?),
            "issubset" | "issuperset" | "isdisjoint" => {
                let [other] = args.exactly()?;
                let other = iterate(&other)?.into_iter().map(hashable).collect::<Result<IndexSet<_>, _>>()?;
                let items = lock(&self.0);
                Value::from(match method {
                    "issubset" => items.is_subset(&other),
                    "issuperset" => items.is_superset(&other),
                    _ => items.is_disjoint(&other),
                })
            }
            _ => return Err(raise_message(format!("'set' object has no attribute '{method}'"))),
        })
    }

    /// `left - right`, as sets.
    pub(crate) fn difference(&self, other: &Set) -> Result<Set, Error> {
        Set::new(Operation::Difference.apply(self.items(), other.items()))
    }
}

/// What two sets can be combined to.
#[derive(Clone, Copy)]
enum Operation {
    Union,
    Intersection,
    Difference,
    SymmetricDifference,
}

impl Operation {
    fn of_method(method: &str) -> Option<Self> {
        Some(match method {
            "union" => Operation::Union,
            "intersection" => Operation::Intersection,
            "difference" => Operation::Difference,
            "symmetric_difference" => Operation::SymmetricDifference,
            _ => return None,
        })
    }

    fn apply(self, left: Vec<Value>, right: Vec<Value>) -> Vec<Value> {
        let left: IndexSet<Value> = left.into_iter().collect();
        let right: IndexSet<Value> = right.into_iter().collect();
        match self {
            Operation::Union => left.union(&right).cloned().collect(),
            Operation::Intersection => left.intersection(&right).cloned().collect(),
            Operation::Difference => left.difference(&right).cloned().collect(),
            Operation::SymmetricDifference => left.symmetric_difference(&right).cloned().collect(),
        }
    }
}

impl Object for Set {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(lock(&self.0).len())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        Set::call(self, method, &Arguments::new(method, args)?)
    }

    /// Sets are ordered by inclusion; sets that do not include one another count as greater.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other: IndexSet<Value> = other.downcast_ref::<Set>()?.items().into_iter().collect();
        let items = lock(&self.0);
        Some(match (items.is_subset(&other), items.len().cmp(&other.len())) {
            (true, order) => order,
            (false, _) => Ordering::Greater,
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&python_repr(&Value::from_dyn_object(self.clone())))
    }
}
