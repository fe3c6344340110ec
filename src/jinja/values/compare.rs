//! Equality, order and membership as Python has them.

use std::cell::Cell;
use std::cmp::Ordering;

use indexmap::IndexMap;
use minijinja::Error;
use minijinja::value::{Tuple, Value, ValueKind};

use super::decimal::is_decimal;
use super::dict::is_namespace;
use super::{Dict, List, Number, Set, check_defined, is_undefined, iterate, pairs, type_name};
use crate::jinja::error::raise_message;
use crate::jinja::native::marked_text;

/// How deep containers are compared; only ones that contain themselves reach it.
const MAX_DEPTH: usize = 200;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Runs a comparison one level deeper; `None` if that is too deep.
fn deeper<T>(compare: impl FnOnce() -> T) -> Option<T> {
    DEPTH.with(|depth| {
        if depth.get() == MAX_DEPTH {
            return None;
        }
        depth.set(depth.get() + 1);
        let result = compare();
        depth.set(depth.get() - 1);
        Some(result)
    })
}

/// The items of a list, or of a tuple.
enum Sequence {
    List(Vec<Value>),
    Tuple(Vec<Value>),
}

fn sequence(value: &Value) -> Option<Sequence> {
    if let Some(list) = value.downcast_object_ref::<List>() {
        Some(Sequence::List(list.items()))
    } else if let Some(list) = value.downcast_object_ref::<Vec<Value>>() {
        Some(Sequence::List(list.clone()))
    } else {
        value.downcast_object_ref::<Tuple>().map(|tuple| Sequence::Tuple(tuple.to_vec()))
    }
}

fn is_dict(value: &Value) -> bool {
    value.downcast_object_ref::<Dict>().is_some()
        || value.is_kwargs()
        || value.downcast_object_ref::<IndexMap<Value, Value>>().is_some()
        || is_namespace(value)
}

/// `left == right`
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    if is_decimal(left) != is_decimal(right)
        && let (Some(left), Some(right)) = (Number::of(left), Number::of(right))
    {
        return left.as_f64() == right.as_f64();
    }
    if left.as_object().is_none() || right.as_object().is_none() {
        return left == right || (is_undefined(left) && is_undefined(right));
    }
    deeper(|| match (sequence(left), sequence(right)) {
        (Some(Sequence::List(left)), Some(Sequence::List(right)))
        | (Some(Sequence::Tuple(left)), Some(Sequence::Tuple(right))) => {
            left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| equal(left, right))
        }
        (Some(_), Some(_)) => false,
        _ if is_dict(left) && is_dict(right) => equal_dicts(left, right),
        _ => equal_objects(left, right),
    })
    .unwrap_or(false)
}

fn equal_dicts(left: &Value, right: &Value) -> bool {
    match (pairs(left), pairs(right)) {
        (Some(left), Some(right)) => equal_pairs(left, right),
        _ => false,
    }
}

/// Whether two dicts of these pairs are equal; the order of their keys does not count.
pub(super) fn equal_pairs(left: Vec<(Value, Value)>, right: Vec<(Value, Value)>) -> bool {
    let right: IndexMap<Value, Value> = right.into_iter().collect();
    left.len() == right.len()
        && deeper(|| left.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other))))
            .unwrap_or(false)
}

fn equal_objects(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (left.downcast_object_ref::<Set>(), right.downcast_object_ref::<Set>())
    {
        return left.equals(right);
    }
    left == right
}

/// The order of two values.
///
/// Errors: they have none, such as a string and a number, or one is undefined. `operator` is for the message.
pub(crate) fn compare(left: &Value, right: &Value, operator: &str) -> Result<Ordering, Error> {
    check_defined(&[left, right])?;
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Ok(match (left, right) {
            (Number::Int(left), Number::Int(right)) => left.cmp(&right),
            _ => left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Greater),
        });
    }
    if left.kind() == ValueKind::String && right.kind() == ValueKind::String {
        return Ok(left.as_str().cmp(&right.as_str()));
    }
    match (sequence(left), sequence(right)) {
        (Some(Sequence::List(left)), Some(Sequence::List(right)))
        | (Some(Sequence::Tuple(left)), Some(Sequence::Tuple(right))) => {
            let order = deeper(|| compare_items(&left, &right, operator));
            return order.unwrap_or_else(|| Err(raise_message("the lists compared here nest too deep")));
        }
        _ => {}
    }
    if let (Some(left), Some(right)) = (left.as_object(), right.as_object())
        && left.downcast_ref::<Dict>().is_none()
        && let Some(order) = left.custom_cmp(right)
    {
        return Ok(order);
    }
    let (left, right) = (type_name(left), type_name(right));
    Err(raise_message(format!("'{operator}' not supported between instances of '{left}' and '{right}'")))
}

fn compare_items(left: &[Value], right: &[Value], operator: &str) -> Result<Ordering, Error> {
    for (left, right) in left.iter().zip(right) {
        if !equal(left, right) {
            return compare(left, right, operator);
        }
    }
    Ok(left.len().cmp(&right.len()))
}

/// `item in container`
///
/// Errors: the container is none, or a string is searched for something else than a string.
pub(crate) fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    if is_undefined(container) {
        return Ok(false);
    }
    if let Some(text) = container.as_str().or_else(|| marked_text(container)) {
        check_defined(&[item])?;
        return match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => Err(raise_message(format!(
                "'in <string>' requires string as left operand, not {}",
                type_name(item)
            ))),
        };
    }
    if let Some(dict) = container.downcast_object_ref::<Dict>() {
        return Ok(dict.get(item).is_some());
    }
    if let Some(set) = container.downcast_object_ref::<Set>() {
        return Ok(set.contains(item));
    }
    if container.as_object().is_none() {
        let message = format!("argument of type '{}' is not iterable", type_name(container));
        return Err(raise_message(message));
    }
    Ok(iterate(container)?.iter().any(|candidate| equal(candidate, item)))
}

/// Sorts values by keys, keeping the order of equal ones. Unlike the standard sort it stands values without
/// a total order (not-a-number) and stops at values that cannot be compared.
pub(crate) fn sort_values(mut items: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>, Error> {
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        let mut rest = items.into_iter().peekable();
        while rest.peek().is_some() {
            let left: Vec<_> = rest.by_ref().take(width).collect();
            let right: Vec<_> = rest.by_ref().take(width).collect();
            merge(left, right, reverse, &mut merged)?;
        }
        items = merged;
        width *= 2;
    }
    Ok(items.into_iter().map(|(_, value)| value).collect())
}

type Keyed = (Value, Value);

fn merge(left: Vec<Keyed>, right: Vec<Keyed>, reverse: bool, out: &mut Vec<Keyed>) -> Result<(), Error> {
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some((first, _)), Some((second, _))) = (left.peek(), right.peek()) {
        let second_goes_first = match reverse {
            false => compare(second, first, "<")? == Ordering::Less,
            true => compare(first, second, "<")? == Ordering::Less,
        };
        out.extend(if second_goes_first { right.next() } else { left.next() });
    }
    out.extend(left);
    out.extend(right);
    Ok(())
}

/// The order of two containers for minijinja's own comparisons, by their items.
pub(super) fn order_items(left: &[Value], right: &[Value]) -> Ordering {
    deeper(|| left.cmp(right)).unwrap_or(Ordering::Equal)
}
