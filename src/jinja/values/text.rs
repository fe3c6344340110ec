//! Values as text, as Python's `str()` and `repr()` write them.

use std::fmt::Write;

use indexmap::IndexMap;
use minijinja::value::{Tuple, Value, ValueKind};

use super::dict::is_namespace;
use super::{Dict, DictView, List, Set, Undefined};

/// How deep containers are written before `...` stands for the rest.
const MAX_DEPTH: usize = 100;

/// Python's `str()` of a value.
pub fn python_str(value: &Value) -> String {
    let mut out = String::new();
    write_str(&mut out, value);
    out
}

/// Python's `repr()` of a value.
pub fn python_repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value, 0);
    out
}

/// Appends `str()` of a value.
pub(crate) fn write_str(out: &mut String, value: &Value) {
    match value.kind() {
        ValueKind::String => out.push_str(value.as_str().unwrap_or_default()),
        ValueKind::Undefined => {}
        _ => write_repr(out, value, 0),
    }
}

fn write_repr(out: &mut String, value: &Value, depth: usize) {
    match value.kind() {
        ValueKind::Undefined => out.push_str("Undefined"),
        ValueKind::String => str_repr(out, value.as_str().unwrap_or_default()),
        ValueKind::Number if !value.is_integer() => {
            out.push_str(&float_repr(f64::try_from(value.clone()).unwrap_or(f64::NAN)));
        }
        ValueKind::Bytes => bytes_repr(out, value.as_bytes().unwrap_or_default()),
        ValueKind::None | ValueKind::Bool | ValueKind::Number | ValueKind::Invalid => push(out, value),
        _ if depth == MAX_DEPTH => out.push_str("..."),
        _ => object_repr(out, value, depth + 1),
    }
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    // Writing into a string cannot fail; an object whose own Display fails leaves what it wrote.
    let _ = write!(out, "{value}");
}

fn object_repr(out: &mut String, value: &Value, depth: usize) {
    if let Some(list) = value.downcast_object_ref::<List>() {
        sequence(out, "[", &list.items(), "]", depth);
    } else if let Some(list) = value.downcast_object_ref::<Vec<Value>>() {
        sequence(out, "[", list, "]", depth);
    } else if let Some(tuple) = value.downcast_object_ref::<Tuple>() {
        sequence(out, "(", tuple, if tuple.len() == 1 { ",)" } else { ")" }, depth);
    } else if let Some(dict) = value.downcast_object_ref::<Dict>() {
        mapping(out, dict.pairs(), depth);
    } else if let Some(set) = value.downcast_object_ref::<Set>() {
        match set.items() {
            items if items.is_empty() => out.push_str("set()"),
            items => sequence(out, "{", &items, "}", depth),
        }
    } else if let Some(view) = value.downcast_object_ref::<DictView>() {
        out.push_str(view.type_name());
        sequence(out, "([", view.items(), "])", depth);
    } else if let Some(map) = value.downcast_object_ref::<IndexMap<Value, Value>>() {
        mapping(out, map.iter().map(|(key, value)| (key.clone(), value.clone())).collect(), depth);
    } else if is_namespace(value) {
        out.push_str("<Namespace ");
        mapping(out, super::pairs(value).unwrap_or_default(), depth);
        out.push('>');
    } else if value.is_kwargs() {
        mapping(out, super::pairs(value).unwrap_or_default(), depth);
    } else if depth > 1 && value.downcast_object_ref::<Undefined>().is_some() {
        out.push_str("Undefined");
    } else if depth > 1 {
        // The minus flag, which formats nothing else, asks objects for their `repr()`.
        let _ = write!(out, "{value:-?}");
    } else {
        push(out, value);
    }
}

fn sequence(out: &mut String, open: &str, items: &[Value], close: &str, depth: usize) {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(out, item, depth);
    }
    out.push_str(close);
}

fn mapping(out: &mut String, pairs: Vec<(Value, Value)>, depth: usize) {
    out.push('{');
    for (index, (key, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(out, key, depth);
        out.push_str(": ");
        write_repr(out, value, depth);
    }
    out.push('}');
}

/// Appends a string literal as Python writes it.
pub(crate) fn str_repr(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// Whether Python writes a character as it is: no control, format or private characters, no spaces
/// but the plain one.
fn is_printable(c: char) -> bool {
    !(c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}'))
}

fn bytes_repr(out: &mut String, bytes: &[u8]) {
    out.push_str("b'");
    for &byte in bytes {
        match byte {
            b'"' => out.push('"'),
            _ => push(out, byte.escape_ascii()),
        }
    }
    out.push('\'');
}

/// Python's `repr()` of a float: the shortest text that reads back as the same number.
pub(crate) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".into();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = float.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The name of a value's type in Python.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "Undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        _ if value.is_tuple() => "tuple",
        _ if super::is_list(value) => "list",
        _ if value.downcast_object_ref::<Set>().is_some() => "set",
        _ if value.downcast_object_ref::<Undefined>().is_some() => "Undefined",
        _ if value.downcast_object_ref::<Dict>().is_some() || value.is_kwargs() => "dict",
        ValueKind::Map if value.downcast_object_ref::<IndexMap<Value, Value>>().is_some() => "dict",
        _ if super::decimal::is_decimal(value) => "decimal.Decimal",
        _ => value.downcast_object_ref::<DictView>().map_or("object", DictView::type_name),
    }
}
