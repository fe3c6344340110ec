//! The methods of strings and numbers.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::format::format;
use super::tests::{is_lower, is_upper};
use crate::jinja::error::{raise_message, raise_undefined};
use crate::jinja::values::{
    Arguments, DictView, Number, Undefined, check_defined, equal, int, is_lenient, iterate, list, pairs,
    python_str, tuple, type_name,
};

/// Calls a method of a value that has none of its own: a string, a number, a tuple.
pub fn call(_state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let args = Arguments::new(method, args)?;
    let result = match value.kind() {
        ValueKind::String => string_method(value.as_str().unwrap_or_default(), method, &args)?,
        ValueKind::Bool | ValueKind::Number => number_method(value, method)?,
        ValueKind::Bytes if method == "decode" => {
            Some(Value::from(String::from_utf8_lossy(value.as_bytes().unwrap_or_default())))
        }
        ValueKind::Seq => sequence_method(value, method, &args)?,
        ValueKind::Map => mapping_method(value, method, &args)?,
        _ => None,
    };
    if let Some(result) = result {
        return Ok(result);
    }
    // Objects with callable fields are minijinja's to call.
    if value.as_object().is_some_and(|object| !is_lenient() || object.get_value_by_str(method).is_some()) {
        return Err(Error::from(minijinja::ErrorKind::UnknownMethod));
    }
    let missing = match value.is_none() {
        true => format!("'None' has no attribute '{method}'"),
        false => format!("'{} object' has no attribute '{method}'", type_name(value)),
    };
    if is_lenient() {
        return Ok(Undefined::value(missing));
    }
    check_defined(&[value])?;
    Err(raise_undefined(missing))
}

/// A text argument.
fn text(value: &Value) -> Result<&str, Error> {
    match value.as_str() {
        Some(text) => Ok(text),
        None => {
            check_defined(&[value])?;
            Err(raise_message(format!("expected str, got {}", type_name(value))))
        }
    }
}

fn string_method(text_: &str, method: &str, args: &Arguments<'_>) -> Result<Option<Value>, Error> {
    if let Some(result) = changed(text_, method, args)? {
        return Ok(Some(Value::from(result)));
    }
    if let Some(result) = property(text_, method) {
        args.exactly::<0>()?;
        return Ok(Some(Value::from(result)));
    }
    Ok(Some(match method {
        "startswith" | "endswith" => affix(text_, method == "startswith", args)?,
        "find" | "rfind" | "index" | "rindex" | "count" => search(text_, method, args)?,
        "split" => {
            let [separator, limit] = args.bind(["sep", "maxsplit"], 0)?;
            strings(split(text_, separator.as_ref(), limit.as_ref())?)
        }
        "rsplit" => {
            let [separator, limit] = args.bind(["sep", "maxsplit"], 0)?;
            strings(rsplit(text_, separator.as_ref(), limit.as_ref())?)
        }
        "splitlines" => {
            let [keep] = args.bind(["keepends"], 0)?;
            strings(split_lines(text_, keep.is_some_and(|keep| keep.is_true())))
        }
        "partition" | "rpartition" => {
            let [separator] = args.exactly()?;
            let separator = text(&separator)?.to_owned();
            if separator.is_empty() {
                return Err(raise_message("empty separator"));
            }
            let parts = match method {
                "partition" => {
                    text_.split_once(&separator).map_or([text_, "", ""], |(a, b)| [a, &separator, b])
                }
                _ => text_.rsplit_once(&separator).map_or(["", "", text_], |(a, b)| [a, &separator, b]),
            };
            tuple(parts.into_iter().map(Value::from).collect())
        }
        "join" => {
            let [items] = args.exactly()?;
            let mut parts = Vec::new();
            for (index, item) in iterate(&items)?.iter().enumerate() {
                let part = item.as_str().filter(|_| item.kind() == ValueKind::String).ok_or_else(|| {
                    let name = type_name(item);
                    raise_message(format!("sequence item {index}: expected str instance, {name} found"))
                })?;
                parts.push(part.to_owned());
            }
            Value::from(parts.join(text_))
        }
        "format" => Value::from(format(text_, args)?),
        "format_map" => {
            let [mapping] = args.exactly()?;
            let fields = pairs(&mapping).ok_or_else(|| raise_message("format_map() takes a mapping"))?;
            let named = fields.into_iter().map(|(key, value)| (python_str(&key), value)).collect();
            Value::from(format(text_, &Arguments::split("format_map", &[], named))?)
        }
        "encode" => Value::from_bytes(text_.as_bytes().to_vec()),
        _ => return Ok(None),
    }))
}

fn strings<'p>(parts: impl IntoIterator<Item = &'p str>) -> Value {
    list(parts.into_iter().map(Value::from).collect())
}

/// Methods that give a changed string.
fn changed(text_: &str, method: &str, args: &Arguments<'_>) -> Result<Option<String>, Error> {
    Ok(Some(match method {
        "upper" | "lower" | "title" | "capitalize" | "swapcase" | "casefold" => {
            args.exactly::<0>()?;
            match method {
                "upper" => text_.to_uppercase(),
                "lower" | "casefold" => text_.to_lowercase(),
                "title" => title(text_),
                "capitalize" => capitalize(text_),
                _ => text_.chars().map(swap_case).collect(),
            }
        }
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = args.bind(["chars"], 0)?;
            let chars = chars.filter(|chars| !chars.is_none());
            strip(text_, chars.as_ref().map(text).transpose()?, method != "rstrip", method != "lstrip")
                .to_owned()
        }
        "removeprefix" | "removesuffix" => {
            let [affix] = args.exactly()?;
            let affix = text(&affix)?;
            let stripped =
                if method == "removeprefix" { text_.strip_prefix(affix) } else { text_.strip_suffix(affix) };
            stripped.unwrap_or(text_).to_owned()
        }
        "replace" => {
            let [old, new, count] = args.bind(["old", "new", "count"], 2)?;
            let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
            let count = count.map_or(Some(-1), |count| count.as_i64()).unwrap_or(-1);
            replace(text_, text(&old)?, text(&new)?, count)?
        }
        "zfill" | "ljust" | "rjust" | "center" => {
            let [width, fill] = args.bind(["width", "fillchar"], 1)?;
            let width = width.and_then(|width| width.as_i64()).unwrap_or(0).clamp(0, 10_000_000) as usize;
            let fill = fill.unwrap_or_else(|| Value::from(if method == "zfill" { "0" } else { " " }));
            justify(text_, method, width, text(&fill)?)
        }
        "expandtabs" => {
            let [size] = args.bind(["tabsize"], 0)?;
            let size = size.and_then(|size| size.as_usize()).unwrap_or(8).min(1000);
            expand_tabs(text_, size)
        }
        "translate" | "maketrans" => return Err(raise_message(format!("str.{method}() is not available"))),
        _ => return Ok(None),
    }))
}

/// Methods that ask what a string is made of.
fn property(text_: &str, method: &str) -> Option<bool> {
    let all = |test: fn(char) -> bool| !text_.is_empty() && text_.chars().all(test);
    Some(match method {
        "isdigit" | "isdecimal" => all(|c| c.is_ascii_digit()),
        "isnumeric" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "islower" => is_lower(text_),
        "isupper" => is_upper(text_),
        "isascii" => text_.is_ascii(),
        "isprintable" => text_.chars().all(|c| !c.is_control()),
        "isidentifier" => {
            text_.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic())
                && text_.chars().all(|c| c == '_' || c.is_alphanumeric())
        }
        "istitle" => text_.chars().any(char::is_alphabetic) && title(text_) == text_,
        _ => return None,
    })
}

/// Every word with a capital letter and small ones behind it.
pub fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    for c in text.chars() {
        if in_word {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        in_word = c.is_alphabetic();
    }
    out
}

/// A capital letter and small ones behind it.
pub fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect(),
        None => String::new(),
    }
}

fn swap_case(c: char) -> char {
    let swapped = if c.is_uppercase() { c.to_lowercase().next() } else { c.to_uppercase().next() };
    swapped.unwrap_or(c)
}

/// A string without some characters (whitespace if none are given) at its ends.
pub fn strip<'t>(text: &'t str, chars: Option<&str>, left: bool, right: bool) -> &'t str {
    let strips = |c: char| chars.map_or_else(|| c.is_whitespace(), |chars| chars.contains(c));
    let text = if left { text.trim_start_matches(strips) } else { text };
    if right { text.trim_end_matches(strips) } else { text }
}

/// A string with one text replaced by another, at most `count` times if that is not negative.
pub fn replace(text: &str, old: &str, new: &str, count: i64) -> Result<String, Error> {
    let occurrences = text.matches(old).count();
    if occurrences.saturating_mul(new.len()).saturating_add(text.len()) > 1_000_000_000 {
        return Err(raise_message("the result of replace() is too large"));
    }
    Ok(match usize::try_from(count) {
        Ok(count) => text.replacen(old, new, count),
        Err(_) => text.replace(old, new),
    })
}

fn justify(text: &str, method: &str, width: usize, fill: &str) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let fill = |count: usize| fill.repeat(count);
    match method {
        "ljust" => format!("{text}{}", fill(missing)),
        "rjust" => format!("{}{text}", fill(missing)),
        "center" => {
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill(left), fill(missing - left))
        }
        _ => {
            let sign = usize::from(text.starts_with(['+', '-']));
            format!("{}{}{}", &text[..sign], fill(missing), &text[sign..])
        }
    }
}

fn expand_tabs(text: &str, size: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let spaces = size - column % size;
                out.push_str(&" ".repeat(spaces));
                column += spaces;
            }
            '\t' => {}
            '\n' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}

fn affix(text_: &str, at_start: bool, args: &Arguments<'_>) -> Result<Value, Error> {
    let [affix, start, end] = args.bind(["prefix", "start", "end"], 1)?;
    let affix = affix.unwrap_or_default();
    let part: String = slice_chars(text_, start.as_ref(), end.as_ref());
    let affixes = if affix.is_tuple() { iterate(&affix)? } else { vec![affix] };
    for affix in &affixes {
        let affix = text(affix)?;
        if if at_start { part.starts_with(affix) } else { part.ends_with(affix) } {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

fn bounds(length: usize, start: Option<&Value>, end: Option<&Value>) -> (usize, usize) {
    let clamp = |value: Option<&Value>, default: usize| {
        let index = value.and_then(Value::as_i64);
        index.map_or(default, |index| {
            let index = if index < 0 { index.saturating_add(length as i64).max(0) } else { index };
            (index as usize).min(length)
        })
    };
    (clamp(start, 0), clamp(end, length))
}

fn slice_chars(text: &str, start: Option<&Value>, end: Option<&Value>) -> String {
    if start.is_none() && end.is_none() {
        return text.to_owned();
    }
    let (start, end) = bounds(text.chars().count(), start, end);
    text.chars().take(end).skip(start).collect()
}

fn search(text_: &str, method: &str, args: &Arguments<'_>) -> Result<Value, Error> {
    let [part, start, end] = args.bind(["sub", "start", "end"], 1)?;
    let part = part.unwrap_or_default();
    let part = text(&part)?;
    let (from, _) = bounds(text_.chars().count(), start.as_ref(), end.as_ref());
    let searched = slice_chars(text_, start.as_ref(), end.as_ref());
    if method == "count" {
        return Ok(Value::from(searched.matches(part).count()));
    }
    let found = if method.starts_with('r') { searched.rfind(part) } else { searched.find(part) };
    match found {
        Some(byte) => Ok(Value::from(from + searched[..byte].chars().count())),
        None if method.ends_with("find") => Ok(Value::from(-1)),
        None => Err(raise_message("substring not found")),
    }
}

/// How many splits an argument allows: no limit if it is absent or negative.
fn split_limit(limit: Option<&Value>) -> usize {
    let limit = limit.and_then(Value::as_i64).unwrap_or(-1);
    usize::try_from(limit).map_or(usize::MAX, |limit| limit.saturating_add(1))
}

/// `str.split`: at a separator, or at runs of whitespace.
pub fn split<'t>(
    text_: &'t str,
    separator: Option<&Value>,
    limit: Option<&Value>,
) -> Result<Vec<&'t str>, Error> {
    let limit = split_limit(limit);
    match separator.filter(|separator| !separator.is_none()) {
        Some(separator) => match text(separator)? {
            "" => Err(raise_message("empty separator")),
            separator => Ok(text_.splitn(limit, separator).collect()),
        },
        None => {
            let mut parts = Vec::new();
            let mut rest = text_.trim_start();
            while !rest.is_empty() {
                match rest.find(char::is_whitespace) {
                    Some(end) if parts.len() + 1 < limit => {
                        parts.push(&rest[..end]);
                        rest = rest[end..].trim_start();
                    }
                    _ => {
                        parts.push(rest);
                        break;
                    }
                }
            }
            Ok(parts)
        }
    }
}

fn rsplit<'t>(
    text_: &'t str,
    separator: Option<&Value>,
    limit: Option<&Value>,
) -> Result<Vec<&'t str>, Error> {
    let limit = split_limit(limit);
    let mut parts: Vec<&str> = match separator.filter(|separator| !separator.is_none()) {
        Some(separator) => match text(separator)? {
            "" => return Err(raise_message("empty separator")),
            separator => text_.rsplitn(limit, separator).collect(),
        },
        None => {
            let mut parts = Vec::new();
            let mut rest = text_.trim_end();
            while !rest.is_empty() {
                match rest.rfind(char::is_whitespace) {
                    Some(start) if parts.len() + 1 < limit => {
                        let word = start + rest[start..].chars().next().map_or(0, char::len_utf8);
                        parts.push(&rest[word..]);
                        rest = rest[..start].trim_end();
                    }
                    _ => {
                        parts.push(rest);
                        break;
                    }
                }
            }
            parts
        }
    };
    parts.reverse();
    Ok(parts)
}

/// The lines of a text, at any of the line ends that Unicode knows.
pub fn split_lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(is_end) {
        let mut after = end + rest[end..].chars().next().map_or(1, char::len_utf8);
        if rest[end..].starts_with("\r\n") {
            after = end + 2;
        }
        lines.push(&rest[..if keep_ends { after } else { end }]);
        rest = &rest[after..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

fn number_method(value: &Value, method: &str) -> Result<Option<Value>, Error> {
    let Some(number) = Number::of(value) else { return Ok(None) };
    Ok(Some(match (method, number) {
        ("is_integer", Number::Float(float)) => Value::from(float.is_finite() && float.fract() == 0.0),
        ("is_integer", Number::Int(_)) => Value::from(true),
        ("bit_length", Number::Int(number)) => Value::from(128 - number.unsigned_abs().leading_zeros()),
        ("conjugate", _) => value.clone(),
        ("as_integer_ratio", Number::Int(number)) => tuple(vec![int(number), Value::from(1)]),
        _ => return Ok(None),
    }))
}

fn sequence_method(value: &Value, method: &str, args: &Arguments<'_>) -> Result<Option<Value>, Error> {
    let items = iterate(value)?;
    Ok(Some(match method {
        "count" => {
            let [item] = args.exactly()?;
            Value::from(items.iter().filter(|other| equal(other, &item)).count())
        }
        "index" => {
            let [item] = args.exactly()?;
            let found = items.iter().position(|other| equal(other, &item));
            Value::from(found.ok_or_else(|| raise_message("tuple.index(x): x not in tuple"))?)
        }
        _ => return Ok(None),
    }))
}

/// Whether every mapping has this method.
pub fn is_mapping_method(method: &str) -> bool {
    matches!(method, "items" | "keys" | "values" | "get")
}

/// The methods of mappings that are no dicts of ours, such as keyword arguments.
fn mapping_method(value: &Value, method: &str, args: &Arguments<'_>) -> Result<Option<Value>, Error> {
    // Asked before the pairs are made, which cost much where a mapping has many.
    if !is_mapping_method(method) {
        return Ok(None);
    }
    let Some(pairs) = pairs(value) else { return Ok(None) };
    if method != "get" {
        return Ok(DictView::of_method(method, pairs));
    }
    let [key, default] = args.bind(["key", "default"], 1)?;
    let key = key.unwrap_or_default();
    let found = pairs.into_iter().find(|(known, _)| *known == key).map(|(_, value)| value);
    Ok(Some(found.or(default).unwrap_or_else(|| Value::from(()))))
}
