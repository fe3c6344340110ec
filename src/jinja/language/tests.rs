//! The tests of Jinja2: what stands behind `is`.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::operators::{arithmetic, holds};
use crate::jinja::builtins::{Builtin, is_filter, is_test};
use crate::jinja::error::raise_message;
use crate::jinja::values::{
    Arguments, Dict, List, Number, Set, check_defined, is_undefined, iterate, pairs, python_str,
};

/// The tests by name.
pub const TESTS: &[(&str, Builtin)] = &[
    ("defined", |_, args| answer(!is_undefined(&args.positional[0]))),
    ("undefined", |_, args| answer(is_undefined(&args.positional[0]))),
    ("none", |_, args| answer(args.positional[0].is_none())),
    ("boolean", |_, args| answer(args.positional[0].kind() == ValueKind::Bool)),
    ("true", |_, args| answer(args.positional[0].kind() == ValueKind::Bool && args.positional[0].is_true())),
    ("false", |_, args| {
        answer(args.positional[0].kind() == ValueKind::Bool && !args.positional[0].is_true())
    }),
    ("integer", |_, args| answer(args.positional[0].is_integer())),
    ("float", |_, args| answer(args.positional[0].is_number() && !args.positional[0].is_integer())),
    ("number", |_, args| answer(Number::of(&args.positional[0]).is_some())),
    ("string", |_, args| answer(args.positional[0].kind() == ValueKind::String)),
    ("mapping", |_, args| answer(pairs(&args.positional[0]).is_some())),
    ("sequence", |_, args| answer(is_sequence(&args.positional[0]))),
    ("iterable", |_, args| answer(is_undefined(&args.positional[0]) || iterate(&args.positional[0]).is_ok())),
    ("callable", |_, args| answer(is_callable(&args.positional[0]))),
    ("sameas", sameas),
    ("odd", |_, args| remainder(&args.positional[0], &Value::from(2)).map(|rest| Value::from(rest == 1))),
    ("even", |_, args| remainder(&args.positional[0], &Value::from(2)).map(|rest| Value::from(rest == 0))),
    ("divisibleby", divisible),
    ("lower", |_, args| answer(is_lower(&python_str(&args.positional[0])))),
    ("upper", |_, args| answer(is_upper(&python_str(&args.positional[0])))),
    ("escaped", |_, _| answer(false)),
    ("filter", |_, args| answer(args.positional[0].as_str().is_some_and(is_filter))),
    ("test", |_, args| answer(args.positional[0].as_str().is_some_and(is_test))),
    ("in", |_, args| comparison(args, "in")),
    ("eq", |_, args| comparison(args, "==")),
    ("equalto", |_, args| comparison(args, "==")),
    ("ne", |_, args| comparison(args, "!=")),
    ("lt", |_, args| comparison(args, "<")),
    ("lessthan", |_, args| comparison(args, "<")),
    ("le", |_, args| comparison(args, "<=")),
    ("gt", |_, args| comparison(args, ">")),
    ("greaterthan", |_, args| comparison(args, ">")),
    ("ge", |_, args| comparison(args, ">=")),
];

fn answer(answer: bool) -> Result<Value, Error> {
    Ok(Value::from(answer))
}

fn comparison(args: &Arguments<'_>, operator: &str) -> Result<Value, Error> {
    let [left, right] = args.exactly()?;
    holds(&left, operator, &right).map(Value::from)
}

fn is_sequence(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::String | ValueKind::Bytes | ValueKind::Seq | ValueKind::Undefined)
        || pairs(value).is_some()
        || is_undefined(value)
}

/// Whether a value can be called; objects with fields or items are taken not to be.
fn is_callable(value: &Value) -> bool {
    value.kind() == ValueKind::Plain
}

fn sameas(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [left, right] = args.exactly()?;
    let shared = address::<List>(&left).or(address::<Dict>(&left)).or(address::<Set>(&left));
    answer(match shared {
        Some(address_of_left) => {
            let right = address::<List>(&right).or(address::<Dict>(&right)).or(address::<Set>(&right));
            right == Some(address_of_left)
        }
        None => left.kind() == right.kind() && left.is_integer() == right.is_integer() && left == right,
    })
}

/// Where a shared value lives, which tells it from an equal one.
fn address<T: 'static>(value: &Value) -> Option<*const ()> {
    value.downcast_object_ref::<T>().map(|object| std::ptr::from_ref(object).cast())
}

fn remainder(value: &Value, divisor: &Value) -> Result<i128, Error> {
    check_defined(&[value])?;
    match Number::of(&arithmetic(value, "%", divisor)?) {
        Some(Number::Int(rest)) => Ok(rest),
        // A float that is no whole number is neither odd nor even.
        Some(Number::Float(rest)) => Ok(if rest.fract() == 0.0 { rest as i128 } else { -1 }),
        None => Err(raise_message("not all arguments converted during string formatting")),
    }
}

fn divisible(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, divisor] = args.exactly()?;
    remainder(&value, &divisor).map(|rest| Value::from(rest == 0))
}

/// Python's `str.islower`: there are letters with case, and all of them are small.
pub fn is_lower(text: &str) -> bool {
    text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase)
}

/// Python's `str.isupper`.
pub fn is_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)
}
