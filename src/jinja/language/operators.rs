//! The operators of Python.

use std::cmp::Ordering;

use minijinja::Error;
use minijinja::value::{Tuple, Value, ValueKind};

use super::percent;
use crate::jinja::error::raise_message;
use crate::jinja::modules;
use crate::jinja::values::{
    DictView, List, Number, Set, check_defined, compare, contains, decimal, equal, int, is_list, iterate,
    list, tuple, type_name,
};

type Binary = fn(&Value, &Value) -> Result<Value, Error>;

/// The operators that take two values, by the names of their filters.
pub const BINARY: &[(&str, Binary)] = &[
    ("__add", add),
    ("__sub", subtract),
    ("__mul", multiply),
    ("__div", divide),
    ("__floordiv", floor_divide),
    ("__mod", modulo),
    ("__pow", power),
    ("__eq", |left, right| Ok(Value::from(equal(left, right)))),
    ("__ne", |left, right| Ok(Value::from(!equal(left, right)))),
    ("__lt", |left, right| holds(left, "<", right).map(Value::from)),
    ("__le", |left, right| holds(left, "<=", right).map(Value::from)),
    ("__gt", |left, right| holds(left, ">", right).map(Value::from)),
    ("__ge", |left, right| holds(left, ">=", right).map(Value::from)),
    ("__in", |left, right| holds(left, "in", right).map(Value::from)),
    ("__not_in", |left, right| holds(left, "not in", right).map(Value::from)),
];

/// Applies an arithmetic operator.
pub fn arithmetic(left: &Value, operator: &str, right: &Value) -> Result<Value, Error> {
    match operator {
        "+" => add(left, right),
        "-" => subtract(left, right),
        "*" => multiply(left, right),
        "/" => divide(left, right),
        "//" => floor_divide(left, right),
        "%" => modulo(left, right),
        _ => power(left, right),
    }
}

/// Whether a comparison holds.
pub fn holds(left: &Value, operator: &str, right: &Value) -> Result<bool, Error> {
    Ok(match operator {
        "==" => equal(left, right),
        "!=" => !equal(left, right),
        "in" => contains(right, left)?,
        "not in" => !contains(right, left)?,
        _ if is_nan(left) || is_nan(right) => false,
        "<" => compare(left, right, "<")? == Ordering::Less,
        "<=" => compare(left, right, "<=")? != Ordering::Greater,
        ">" => compare(left, right, ">")? == Ordering::Greater,
        _ => compare(left, right, ">=")? != Ordering::Less,
    })
}

fn is_nan(value: &Value) -> bool {
    matches!(Number::of(value), Some(Number::Float(float)) if float.is_nan())
}

/// How long a repeated string or list may become.
const MAX_REPEATED: usize = 50_000_000;

fn unsupported(left: &Value, operator: &str, right: &Value) -> Error {
    if let Err(error) = check_defined(&[left, right]) {
        return error;
    }
    let (left, right) = (type_name(left), type_name(right));
    raise_message(format!("unsupported operand type(s) for {operator}: '{left}' and '{right}'"))
}

fn too_large(operator: &str) -> Error {
    raise_message(format!("the result of '{operator}' is too large"))
}

/// The operation, if it is one of decimals, dates or durations.
fn of_objects(left: &Value, operator: &str, right: &Value) -> Option<Result<Value, Error>> {
    if left.as_object().is_none() && right.as_object().is_none() {
        return None;
    }
    decimal::arithmetic(left, operator, right).or_else(|| modules::dates::arithmetic(left, operator, right))
}

fn add(left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(result) = of_objects(left, "+", right) {
        return result;
    }
    match (Number::of(left), Number::of(right)) {
        (Some(Number::Int(left)), Some(Number::Int(right))) => {
            return left.checked_add(right).map(int).ok_or_else(|| too_large("+"));
        }
        (Some(left), Some(right)) => return Ok(Value::from(left.as_f64() + right.as_f64())),
        _ => {}
    }
    if left.kind() == ValueKind::String {
        if right.kind() == ValueKind::String {
            let texts = [left.as_str().unwrap_or_default(), right.as_str().unwrap_or_default()];
            return Ok(Value::from(texts.concat()));
        }
        check_defined(&[right])?;
        let name = type_name(right);
        return Err(raise_message(format!("can only concatenate str (not \"{name}\") to str")));
    }
    if is_list(left) && is_list(right) {
        let mut items = iterate(left)?;
        items.extend(iterate(right)?);
        return Ok(list(items));
    }
    if let (Some(left), Some(right)) =
        (left.downcast_object_ref::<Tuple>(), right.downcast_object_ref::<Tuple>())
    {
        return Ok(tuple([&left[..], &right[..]].concat()));
    }
    if is_list(left) || left.is_tuple() {
        check_defined(&[right])?;
        let (left, right) = (type_name(left), type_name(right));
        return Err(raise_message(format!("can only concatenate {left} (not \"{right}\") to {left}")));
    }
    Err(unsupported(left, "+", right))
}

fn subtract(left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(result) = of_objects(left, "-", right) {
        return result;
    }
    match (Number::of(left), Number::of(right)) {
        (Some(Number::Int(left)), Some(Number::Int(right))) => {
            return left.checked_sub(right).map(int).ok_or_else(|| too_large("-"));
        }
        (Some(left), Some(right)) => return Ok(Value::from(left.as_f64() - right.as_f64())),
        _ => {}
    }
    if let (Some(left), Some(right)) = (as_set(left), as_set(right)) {
        return Ok(Value::from_object(left.difference(&right)?));
    }
    Err(unsupported(left, "-", right))
}

/// A set, or what is like one: the keys and the items of a dict.
fn as_set(value: &Value) -> Option<Set> {
    if let Some(view) = value.downcast_object_ref::<DictView>().filter(|view| view.is_set()) {
        return Set::new(view.items().to_vec()).ok();
    }
    Set::new(value.downcast_object_ref::<Set>()?.items()).ok()
}

fn multiply(left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(result) = of_objects(left, "*", right) {
        return result;
    }
    match (Number::of(left), Number::of(right)) {
        (Some(Number::Int(left)), Some(Number::Int(right))) => {
            return left.checked_mul(right).map(int).ok_or_else(|| too_large("*"));
        }
        (Some(left), Some(right)) => return Ok(Value::from(left.as_f64() * right.as_f64())),
        (Some(Number::Int(times)), None) => {
            if let Some(result) = repeat(right, times)? {
                return Ok(result);
            }
        }
        (None, Some(Number::Int(times))) => {
            if let Some(result) = repeat(left, times)? {
                return Ok(result);
            }
        }
        _ => {}
    }
    Err(unsupported(left, "*", right))
}

/// A string, list or tuple several times over.
fn repeat(value: &Value, times: i128) -> Result<Option<Value>, Error> {
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    let fits = |length: usize| match length.checked_mul(times) {
        Some(total) if total <= MAX_REPEATED => Ok(times),
        _ => Err(too_large("*")),
    };
    if value.kind() == ValueKind::String {
        let text = value.as_str().unwrap_or_default();
        return Ok(Some(Value::from(text.repeat(fits(text.len())?))));
    }
    let sequence = is_list(value) || value.is_tuple();
    if !sequence {
        return Ok(None);
    }
    let items = iterate(value)?;
    let times = fits(items.len())?;
    let items = items.iter().cycle().take(items.len() * times).cloned().collect();
    Ok(Some(if value.is_tuple() { tuple(items) } else { list(items) }))
}

fn divide(left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(result) = of_objects(left, "/", right) {
        return result;
    }
    match (Number::of(left), Number::of(right)) {
        (Some(_), Some(right)) if right.as_f64() == 0.0 => Err(raise_message("division by zero")),
        (Some(left), Some(right)) => Ok(Value::from(left.as_f64() / right.as_f64())),
        _ => Err(unsupported(left, "/", right)),
    }
}

fn floor_divide(left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(result) = of_objects(left, "//", right) {
        return result;
    }
    match (Number::of(left), Number::of(right)) {
        (Some(_), Some(right)) if right.as_f64() == 0.0 => {
            Err(raise_message("integer division or modulo by zero"))
        }
        (Some(Number::Int(left)), Some(Number::Int(right))) => {
            let quotient = left.checked_div(right).ok_or_else(|| too_large("//"))?;
            let exact = left % right == 0 || (left < 0) == (right < 0);
            Ok(int(if exact { quotient } else { quotient - 1 }))
        }
        (Some(left), Some(right)) => Ok(Value::from((left.as_f64() / right.as_f64()).floor())),
        _ => Err(unsupported(left, "//", right)),
    }
}

fn modulo(left: &Value, right: &Value) -> Result<Value, Error> {
    if left.kind() == ValueKind::String {
        let text = percent::format(left.as_str().unwrap_or_default(), right)?;
        return Ok(Value::from(text));
    }
    if let Some(result) = of_objects(left, "%", right) {
        return result;
    }
    match (Number::of(left), Number::of(right)) {
        (Some(_), Some(right)) if right.as_f64() == 0.0 => {
            Err(raise_message("integer division or modulo by zero"))
        }
        (Some(Number::Int(left)), Some(Number::Int(right))) => {
            let rest = left.checked_rem(right).unwrap_or(0);
            Ok(int(if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest }))
        }
        (Some(left), Some(right)) => {
            let (left, right) = (left.as_f64(), right.as_f64());
            let rest = left % right;
            let rest = if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest };
            Ok(Value::from(rest))
        }
        _ => Err(unsupported(left, "%", right)),
    }
}

fn power(left: &Value, right: &Value) -> Result<Value, Error> {
    match (Number::of(left), Number::of(right)) {
        (Some(Number::Int(base)), Some(Number::Int(exponent))) if exponent >= 0 => {
            let exponent = u32::try_from(exponent).map_err(|_| too_large("**"))?;
            base.checked_pow(exponent).map(int).ok_or_else(|| too_large("**"))
        }
        (Some(base), Some(exponent)) => {
            if base.as_f64() == 0.0 && exponent.as_f64() < 0.0 {
                return Err(raise_message("0.0 cannot be raised to a negative power"));
            }
            Ok(Value::from(base.as_f64().powf(exponent.as_f64())))
        }
        _ => Err(unsupported(left, "** or pow()", right)),
    }
}

/// `-value`
pub fn negate(value: &Value) -> Result<Value, Error> {
    if let Some(negative) = decimal::negate(value) {
        return Ok(negative);
    }
    match Number::of(value) {
        Some(Number::Int(number)) => number.checked_neg().map(int).ok_or_else(|| too_large("-")),
        Some(Number::Float(number)) => Ok(Value::from(-number)),
        None => {
            check_defined(&[value])?;
            modules::dates::negate(value).ok_or_else(|| bad_sign("-", value))
        }
    }
}

/// `+value`
pub fn positive(value: &Value) -> Result<Value, Error> {
    match Number::of(value) {
        Some(Number::Int(number)) => Ok(int(number)),
        Some(Number::Float(_)) => Ok(value.clone()),
        None => {
            check_defined(&[value])?;
            Err(bad_sign("+", value))
        }
    }
}

fn bad_sign(sign: &str, value: &Value) -> Error {
    raise_message(format!("bad operand type for unary {sign}: '{}'", type_name(value)))
}

/// `value[start:stop:step]` of a string, list, tuple or anything else that iterates.
pub fn slice(value: &Value, parts: [Option<i64>; 3]) -> Result<Value, Error> {
    check_defined(&[value])?;
    let step = parts[2].unwrap_or(1);
    if step == 0 {
        return Err(raise_message("slice step cannot be zero"));
    }
    if let Some(text) = value.as_str() {
        let chars: Vec<char> = text.chars().collect();
        let picked = slice_indices(parts[0], parts[1], step, chars.len()).map(|index| chars[index]);
        return Ok(Value::from(picked.collect::<String>()));
    }
    let sequence = value.kind() == ValueKind::Seq || value.downcast_object_ref::<List>().is_some();
    if !sequence {
        return Err(raise_message(format!("'{}' object cannot be sliced", type_name(value))));
    }
    let items = iterate(value)?;
    let picked =
        slice_indices(parts[0], parts[1], step, items.len()).map(|index| items[index].clone()).collect();
    Ok(if value.is_tuple() { tuple(picked) } else { list(picked) })
}

/// The positions that a slice picks.
fn slice_indices(
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
    length: usize,
) -> impl Iterator<Item = usize> {
    let length = length as i64;
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |index: i64| {
        let index = if index < 0 { index.saturating_add(length) } else { index };
        index.clamp(low, high)
    };
    let start = start.map_or(if step > 0 { low } else { high }, clamp);
    let stop = stop.map_or(if step > 0 { high } else { low }, clamp);
    let mut next = start;
    std::iter::from_fn(move || {
        let inside = if step > 0 { next < stop } else { next > stop };
        let index = next;
        next = next.saturating_add(step);
        inside.then_some(index as usize)
    })
}
