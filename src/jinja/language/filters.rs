//! The filters of Jinja2 for single values: defaults, numbers, JSON.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::percent;
use crate::jinja::builtins::Builtin;
use crate::jinja::error::{raise, raise_message};
use crate::jinja::values::{
    Arguments, Number, check_defined, int, is_list, is_undefined, iterate, json_dumps, list, pairs,
    python_repr, python_str, to_json, tuple, type_name,
};

/// The filters by name.
pub const FILTERS: &[(&str, Builtin)] = &[
    ("default", default),
    ("d", default),
    ("string", |_, args| Ok(Value::from(python_str(&args.exactly::<1>()?[0])))),
    ("safe", |_, args| Ok(Value::from(python_str(&args.exactly::<1>()?[0])))),
    ("int", to_int),
    ("float", to_float),
    ("abs", absolute),
    ("round", round),
    ("length", length),
    ("count", length),
    ("items", items),
    ("attr", attribute),
    ("tojson", tojson),
    ("pprint", |_, args| Ok(Value::from(python_repr(&args.positional[0])))),
    ("format", format_percent),
    ("filesizeformat", file_size),
    // dbt's own; in text they change nothing, in YAML values they mark what a value is to be read as.
    ("as_text", |_, args| Ok(args.positional[0].clone())),
    ("as_bool", |_, args| Ok(args.positional[0].clone())),
    ("as_number", |_, args| Ok(args.positional[0].clone())),
    ("as_native", |_, args| Ok(args.positional[0].clone())),
    ("is_list", |_, args| Ok(Value::from(is_list(&args.positional[0])))),
];

fn default(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, default, boolean] = args.bind(["value", "default_value", "boolean"], 1)?;
    let value = value.unwrap_or_default();
    let boolean = boolean.is_some_and(|boolean| boolean.is_true());
    if is_undefined(&value) || (boolean && !value.is_true()) {
        return Ok(default.unwrap_or_else(|| Value::from("")));
    }
    Ok(value)
}

/// `int(text, base)`
fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let prefix = match lower.get(..2) {
        Some("0x") => Some(16),
        Some("0o") => Some(8),
        Some("0b") => Some(2),
        _ => None,
    };
    let (digits, base) = match prefix {
        Some(radix) if base == 0 || base == radix => (&lower[2..], radix),
        _ if base == 0 => (lower.as_str(), 10),
        _ => (lower.as_str(), base),
    };
    if !(2..=36).contains(&base)
        || digits.starts_with(['_', '+', '-'])
        || digits.ends_with('_')
        || digits.contains("__")
    {
        return None;
    }
    i128::from_str_radix(&digits.replace('_', ""), base).ok().map(|number| sign * number)
}

/// `float(text)`
pub fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse().ok()
}

fn to_int(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, default, base] = args.bind(["value", "default", "base"], 1)?;
    let value = value.unwrap_or_default();
    let base = base.and_then(|base| base.as_i64()).and_then(|base| u32::try_from(base).ok()).unwrap_or(10);
    let float = |float: f64| (float.is_finite()).then_some(float.trunc() as i128);
    let number = match Number::of(&value) {
        Some(Number::Int(number)) => Some(number),
        Some(Number::Float(number)) => float(number),
        None => {
            let text = value.as_str();
            text.and_then(|text| parse_int(text, base).or_else(|| parse_float(text).and_then(float)))
        }
    };
    Ok(number.map(int).or(default).unwrap_or_else(|| Value::from(0)))
}

fn to_float(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, default] = args.bind(["value", "default"], 1)?;
    let value = value.unwrap_or_default();
    let number = Number::of(&value).map(Number::as_f64).or_else(|| value.as_str().and_then(parse_float));
    Ok(number.map(Value::from).or(default).unwrap_or_else(|| Value::from(0.0)))
}

fn absolute(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    match Number::of(&value) {
        Some(Number::Int(number)) => Ok(int(number.saturating_abs())),
        Some(Number::Float(number)) => Ok(Value::from(number.abs())),
        None => {
            check_defined(&[&value])?;
            Err(raise_message(format!("bad operand type for abs(): '{}'", type_name(&value))))
        }
    }
}

fn round(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, precision, method] = args.bind(["value", "precision", "method"], 1)?;
    let value = value.unwrap_or_default();
    let precision = precision.and_then(|precision| precision.as_i64()).unwrap_or(0).clamp(-400, 400) as i32;
    let method = method.unwrap_or_else(|| Value::from("common"));
    let Some(number) = Number::of(&value) else {
        check_defined(&[&value])?;
        return Err(raise_message(format!("type {} doesn't define __round__ method", type_name(&value))));
    };
    let scale = 10f64.powi(precision);
    match method.as_str() {
        Some("common") => Ok(match number {
            Number::Int(number) if precision >= 0 => int(number),
            Number::Int(number) => {
                int((number as f64 * scale).round_ties_even().mul_add(1.0 / scale, 0.0) as i128)
            }
            Number::Float(number) => Value::from(round_float(number, precision)),
        }),
        Some("ceil") => Ok(Value::from((number.as_f64() * scale).ceil() / scale)),
        Some("floor") => Ok(Value::from((number.as_f64() * scale).floor() / scale)),
        _ => Err(raise_message("method must be common, ceil or floor")),
    }
}

/// Python's `round` of a float: to the nearest decimal, by the float's exact value.
fn round_float(number: f64, precision: i32) -> f64 {
    match usize::try_from(precision) {
        Ok(precision) => format!("{number:.precision$}").parse().unwrap_or(number),
        Err(_) => {
            let scale = 10f64.powi(-precision);
            (number / scale).round_ties_even() * scale
        }
    }
}

fn length(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    if is_undefined(&value) {
        return Ok(Value::from(0));
    }
    match value.len() {
        Some(length) => Ok(Value::from(length)),
        None if value.kind() == ValueKind::Iterable => Ok(Value::from(iterate(&value)?.len())),
        None => Err(raise_message(format!("object of type '{}' has no len()", type_name(&value)))),
    }
}

fn items(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    if is_undefined(&value) {
        return Ok(list(Vec::new()));
    }
    let pairs = pairs(&value).ok_or_else(|| raise_message("Can only get item pairs from a mapping."))?;
    Ok(list(pairs.into_iter().map(|(key, value)| tuple(vec![key, value])).collect()))
}

fn attribute(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, name] = args.exactly()?;
    value.get_attr(&python_str(&name))
}

/// JSON that is also safe in HTML, with sorted keys, as Jinja2 writes it.
fn tojson(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, indent] = args.bind(["value", "indent"], 1)?;
    let json = to_json(&value.unwrap_or_default()).map_err(raise)?;
    let indent = indent.and_then(|indent| indent.as_usize()).map(|indent| indent.min(100));
    let text = json_dumps(&json, true, indent);
    let safe =
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(Value::from(safe))
}

/// `"%s"|format(x)`
fn format_percent(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let template = python_str(&args.positional[0]);
    let rest = &args.positional[1..];
    let names: Vec<&str> = args.named.args().collect();
    if names.is_empty() {
        return percent::format(&template, &tuple(rest.to_vec())).map(Value::from);
    }
    if !rest.is_empty() {
        return Err(raise_message("can't handle positional and keyword arguments at the same time"));
    }
    percent::format(&template, &Value::from(args.named.clone())).map(Value::from)
}

fn file_size(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, binary] = args.bind(["value", "binary"], 1)?;
    let value = value.unwrap_or_default();
    let bytes = Number::of(&value).map(Number::as_f64).or_else(|| value.as_str().and_then(parse_float));
    let bytes = bytes.ok_or_else(|| raise_message("filesizeformat needs a number"))?;
    let binary = binary.is_some_and(|binary| binary.is_true());
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::from(format!("{} Bytes", bytes.trunc())));
    }
    let units = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let mut unit = base * base;
    let mut shown = 0;
    while bytes >= unit && shown + 1 < units.len() {
        unit *= base;
        shown += 1;
    }
    let name = match binary {
        true => format!("{}iB", units[shown].to_uppercase()),
        false => format!("{}B", units[shown]),
    };
    Ok(Value::from(format!("{:.1} {name}", base * bytes / unit)))
}
