//! What a dict's `keys()`, `values()` and `items()` give.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use super::python_repr;

/// Which part of the pairs a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ViewKind {
    Keys,
    Values,
    Items,
}

/// A view of a dict, with what the dict held when it was asked for. It is iterated, counted and printed, and has no
/// places to index.
#[derive(Debug)]
pub(crate) struct DictView {
    kind: ViewKind,
    items: Vec<Value>,
}

impl DictView {
    /// The view that the method of this name gives of some pairs.
    pub(crate) fn of_method(method: &str, pairs: Vec<(Value, Value)>) -> Option<Value> {
        let (kind, items) = match method {
            "keys" => (ViewKind::Keys, pairs.into_iter().map(|(key, _)| key).collect()),
            "values" => (ViewKind::Values, pairs.into_iter().map(|(_, value)| value).collect()),
            "items" => {
                let items = pairs.into_iter().map(|(key, value)| super::tuple(vec![key, value]));
                (ViewKind::Items, items.collect())
            }
            _ => return None,
        };
        Some(Value::from_object(DictView { kind, items }))
    }

    /// Python's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self.kind {
            ViewKind::Keys => "dict_keys",
            ViewKind::Values => "dict_values",
            ViewKind::Items => "dict_items",
        }
    }

    /// What is in the view.
    pub(crate) fn items(&self) -> &[Value] {
        &self.items
    }

    /// Whether the view takes part in the operations of sets, which that of values does not.
    pub(crate) fn is_set(&self) -> bool {
        self.kind != ViewKind::Values
    }
}

impl Object for DictView {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&python_repr(&Value::from_dyn_object(self.clone())))
    }
}
