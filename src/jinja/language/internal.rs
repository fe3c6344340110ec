//! The filters and tests that emitted templates use, under names that users cannot see.

use minijinja::value::Value;
use minijinja::{Error, State};

use super::operators::{arithmetic, holds, negate, positive, slice};
use crate::interrupt;
use crate::jinja::builtins::Builtin;
use crate::jinja::engine::{capture, current_frame};
use crate::jinja::error::{raise, raise_message};
use crate::jinja::macros::{Callable, Missing};
use crate::jinja::native::{Marker, Node, mark, push_node};
use crate::jinja::values::{
    Arguments, Dict, Number, check_defined, hashable, iterate, list, pairs, python_str, type_name, write_str,
};

pub const FILTERS: &[(&str, Builtin)] = &[
    ("__list", |_, args| Ok(list(literal_items(args)))),
    ("__dict", dict_literal),
    ("__neg", |_, args| negate(&first(args))),
    ("__pos", |_, args| positive(&first(args))),
    ("__slice", slice_filter),
    ("__fold", fold),
    ("__concat", concat),
    ("__compare", compare_chain),
    ("__iter", iterable),
    ("__mapping", mapping),
    ("__cycle", cycle),
    ("__closure", closure),
    ("__export", export),
    ("__node", |state, args| collect(state, Node::Value(first(args)))),
    ("__text", |state, args| collect(state, Node::Text(python_str(&first(args))))),
    ("__native_as_text", |_, args| Ok(mark(Marker::Text, &first(args)))),
    ("__native_as_bool", |_, args| Ok(mark(Marker::Bool, &first(args)))),
    ("__native_as_number", |_, args| Ok(mark(Marker::Number, &first(args)))),
    ("__native_as_native", |_, args| Ok(mark(Marker::Native, &first(args)))),
];

pub const TESTS: &[(&str, Builtin)] =
    &[("__missing", |_, args| Ok(Value::from(first(args).downcast_object_ref::<Missing>().is_some())))];

fn first(args: &Arguments<'_>) -> Value {
    args.positional.first().cloned().unwrap_or_default()
}

/// The items of a literal as minijinja builds it.
fn literal_items(args: &Arguments<'_>) -> Vec<Value> {
    let items = args.positional.first().and_then(|items| items.downcast_object_ref::<Vec<Value>>());
    items.cloned().unwrap_or_default()
}

/// `{key: value}` from its keys and values in turn.
fn dict_literal(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let items = literal_items(args);
    let mut pairs = Vec::with_capacity(items.len() / 2);
    for pair in items.chunks_exact(2) {
        pairs.push((hashable(pair[0].clone())?, pair[1].clone()));
    }
    Ok(Value::from_object(Dict::new(pairs)))
}

fn slice_filter(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let mut parts = [None; 3];
    for (part, value) in parts.iter_mut().zip(&args.positional[1..]) {
        *part = match Number::of(value) {
            _ if value.is_none() => None,
            Some(Number::Int(index)) => Some(index.clamp(i64::MIN.into(), i64::MAX.into()) as i64),
            _ => {
                check_defined(&[value])?;
                return Err(raise_message("slice indices must be integers or None"));
            }
        };
    }
    slice(&args.positional[0], parts)
}

/// `[a, b, c]|__fold("+ -")`: `a + b - c`
fn fold(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let mut items = literal_items(args).into_iter();
    let operators = args.positional.get(1).and_then(|operators| operators.as_str()).unwrap_or_default();
    let start = items.next().unwrap_or_default();
    items
        .zip(operators.split(' '))
        .try_fold(start, |left, (right, operator)| arithmetic(&left, operator, &right))
}

/// `[a, b, c]|__concat`: `a ~ b ~ c`
fn concat(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let mut text = String::new();
    literal_items(args).iter().for_each(|item| write_str(&mut text, item));
    Ok(Value::from(text))
}

/// `[a, b, c]|__compare("<,<=")`: `a < b <= c`
fn compare_chain(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let items = literal_items(args);
    let operators = args.positional.get(1).and_then(|operators| operators.as_str()).unwrap_or_default();
    for (pair, operator) in items.windows(2).zip(operators.split(',')) {
        if !holds(&pair[0], operator, &pair[1])? {
            return Ok(Value::from(false));
        }
    }
    Ok(Value::from(true))
}

/// What a loop runs over. No loop is long by itself; one in another may be, and ends here when the user asks to stop.
fn iterable(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    interrupt::check().map_err(raise)?;
    let value = first(args);
    if value.as_object().is_some() && value.try_iter().is_ok() {
        return Ok(value);
    }
    iterate(&value).map(list)
}

/// What `**` spreads.
fn mapping(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let value = first(args);
    if pairs(&value).is_some() {
        return Ok(value);
    }
    check_defined(&[&value])?;
    Err(raise_message(format!("argument after ** must be a mapping, not {}", type_name(&value))))
}

fn cycle(state: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    match args.positional {
        [value, items @ ..] if !items.is_empty() => value.call_method(state, "cycle", items),
        _ => Err(raise_message("no items for cycling given")),
    }
}

/// The local macro or call block of a number.
fn closure(state: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let frame = current_frame(state)?;
    let number = first(args).as_usize();
    let part = number.and_then(|number| frame.template.parts.get(number)).cloned();
    let part = part.ok_or_else(|| raise_message("this template lost one of its call blocks"))?;
    let captured = capture(state, &part.captures);
    Ok(Value::from_object(Callable::of_part(part, &frame, captured)))
}

/// Tells the local macros the value of a name.
fn export(state: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let name = first(args);
    let name = name.as_str().unwrap_or_default();
    for (name, value) in capture(state, &[name.to_owned()]) {
        current_frame(state)?.export(&name, value);
    }
    Ok(Value::from(false))
}

fn collect(state: &mut State<'_, '_>, node: Node) -> Result<Value, Error> {
    push_node(state, node);
    Ok(Value::from(""))
}
