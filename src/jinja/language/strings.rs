//! The filters of Jinja2 for text.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::methods::{capitalize, replace as replace_text, split_lines, strip};
use crate::jinja::builtins::Builtin;
use crate::jinja::error::raise_message;
use crate::jinja::values::{Arguments, is_undefined, iterate, pairs, python_str};

/// The filters by name.
pub const FILTERS: &[(&str, Builtin)] = &[
    ("upper", |_, args| text(args, |text| text.to_uppercase())),
    ("lower", |_, args| text(args, |text| text.to_lowercase())),
    ("capitalize", |_, args| text(args, capitalize)),
    ("title", |_, args| text(args, title)),
    ("escape", |_, args| text(args, escape)),
    ("e", |_, args| text(args, escape)),
    ("forceescape", |_, args| text(args, escape)),
    ("striptags", |_, args| text(args, strip_tags)),
    ("wordcount", |_, args| Ok(Value::from(word_count(&python_str(&args.exactly::<1>()?[0]))))),
    ("trim", trim),
    ("replace", replace),
    ("center", center),
    ("indent", indent),
    ("truncate", truncate),
    ("wordwrap", wordwrap),
    ("urlencode", urlencode),
    ("xmlattr", xmlattr),
];

/// The widest that text may be made.
const MAX_WIDTH: usize = 1_000_000;

fn text(args: &Arguments<'_>, change: impl Fn(&str) -> String) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    Ok(Value::from(change(&python_str(&value))))
}

fn string(value: Option<Value>, default: &str) -> String {
    value.map_or_else(|| default.to_owned(), |value| python_str(&value))
}

fn width(value: Option<Value>, default: usize) -> usize {
    value.and_then(|value| value.as_i64()).map_or(default, |width| width.max(0) as usize).min(MAX_WIDTH)
}

fn is_true(value: Option<Value>) -> bool {
    value.is_some_and(|value| value.is_true())
}

/// Words begin behind spaces, hyphens and opening brackets.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at_start = true;
    for c in text.chars() {
        if at_start {
            out.extend(c.to_uppercase())
        } else {
            out.extend(c.to_lowercase())
        }
        at_start = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
    }
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

fn strip_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (end, length) = match rest[start..].starts_with("<!--") {
            true => (rest[start..].find("-->"), 3),
            false => (rest[start..].find('>'), 1),
        };
        let Some(end) = end else { break };
        out.push_str(&rest[..start]);
        rest = &rest[start + end + length..];
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn word_count(text: &str) -> usize {
    text.split(|c: char| c != '_' && !c.is_alphanumeric()).filter(|word| !word.is_empty()).count()
}

fn trim(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, chars] = args.bind(["value", "chars"], 1)?;
    let chars = chars.filter(|chars| !chars.is_none()).map(|chars| python_str(&chars));
    let value = python_str(&value.unwrap_or_default());
    Ok(Value::from(strip(&value, chars.as_deref(), true, true)))
}

fn replace(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, old, new, count] = args.bind(["s", "old", "new", "count"], 3)?;
    let count = count.and_then(|count| count.as_i64()).unwrap_or(-1);
    let [value, old, new] = [value, old, new].map(|text| string(text, ""));
    replace_text(&value, &old, &new, count).map(Value::from)
}

fn center(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, width_] = args.bind(["value", "width"], 1)?;
    let (value, width) = (string(value, ""), width(width_, 80));
    let missing = width.saturating_sub(value.chars().count());
    let left = missing / 2 + (missing & width & 1);
    Ok(Value::from(format!("{}{value}{}", " ".repeat(left), " ".repeat(missing - left))))
}

fn indent(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, by, first, blank] = args.bind(["s", "width", "first", "blank"], 1)?;
    let by = match by {
        Some(by) if by.kind() == ValueKind::String => python_str(&by),
        by => " ".repeat(width(by, 4)),
    };
    let blank = is_true(blank);
    let value = string(value, "") + "\n";
    let mut out = if is_true(first) { by.clone() } else { String::new() };
    for (index, line) in split_lines(&value, false).into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&by);
            }
        }
        out.push_str(line);
    }
    Ok(Value::from(out))
}

fn truncate(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, length, kill_words, end, leeway] =
        args.bind(["s", "length", "killwords", "end", "leeway"], 1)?;
    let (value, end) = (string(value, ""), string(end, "..."));
    let (length, leeway) = (width(length, 255), width(leeway, 5));
    if value.chars().count() <= length + leeway {
        return Ok(Value::from(value));
    }
    let kept = length.checked_sub(end.chars().count());
    let kept = kept.ok_or_else(|| raise_message(format!("expected length >= {}", end.chars().count())))?;
    let mut cut: String = value.chars().take(kept).collect();
    if !is_true(kill_words)
        && let Some(space) = cut.rfind(' ')
    {
        cut.truncate(space);
    }
    Ok(Value::from(cut + &end))
}

fn wordwrap(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let names = ["s", "width", "break_long_words", "wrapstring", "break_on_hyphens"];
    let [value, width_, break_long, separator, hyphens] = args.bind(names, 1)?;
    let (value, width) = (string(value, ""), width(width_, 79).max(1));
    let separator = string(separator.filter(|separator| !separator.is_none()), "\n");
    let (break_long, hyphens) = (break_long.is_none_or(|v| v.is_true()), hyphens.is_none_or(|v| v.is_true()));
    let lines = split_lines(&value, false);
    let wrapped = lines.into_iter().map(|line| wrap(line, width, break_long, hyphens).join(&separator));
    Ok(Value::from(wrapped.collect::<Vec<_>>().join(&separator)))
}

/// Breaks a line into lines of at most some characters, at spaces and behind hyphens.
fn wrap(line: &str, width: usize, break_long: bool, hyphens: bool) -> Vec<String> {
    let mut chunks = chunks(line, hyphens);
    chunks.reverse();
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        let mut current: Vec<String> = Vec::new();
        let mut length = 0;
        if !lines.is_empty() && chunks.last().is_some_and(|chunk| chunk.trim().is_empty()) {
            chunks.pop();
        }
        while let Some(chunk) = chunks.last() {
            let size = chunk.chars().count();
            if length + size > width {
                break;
            }
            length += size;
            current.extend(chunks.pop());
        }
        if let Some(chunk) = chunks.last_mut().filter(|chunk| chunk.chars().count() > width) {
            if break_long {
                let room = (width - length).max(1);
                let head: String = chunk.chars().take(room).collect();
                *chunk = chunk.chars().skip(room).collect();
                current.push(head);
            } else if current.is_empty() {
                current.extend(chunks.pop());
            }
        }
        if current.last().is_some_and(|chunk| chunk.trim().is_empty()) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}

/// Words and the spaces between them; words are cut behind hyphens between letters.
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut previous: Option<char> = None;
    let mut before = None;
    for c in line.chars() {
        let same = previous.is_some_and(|previous: char| previous.is_whitespace() == c.is_whitespace());
        let after_hyphen = hyphens
            && previous == Some('-')
            && c.is_alphabetic()
            && before.is_some_and(|before: char| before.is_alphabetic());
        match chunks.last_mut() {
            Some(chunk) if same && !after_hyphen => chunk.push(c),
            _ => chunks.push(c.to_string()),
        }
        before = previous;
        previous = Some(c);
    }
    chunks
}

fn quote(text: &str, for_query: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(byte as char),
            b'/' if !for_query => out.push('/'),
            b' ' if for_query => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn urlencode(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    if value.kind() == ValueKind::String || value.as_object().is_none() {
        return Ok(Value::from(quote(&python_str(&value), false)));
    }
    let fields = match pairs(&value) {
        Some(pairs) => pairs,
        None => {
            let items = iterate(&value)?;
            items
                .iter()
                .filter_map(|item| <[Value; 2]>::try_from(iterate(item).ok()?).ok())
                .map(|[a, b]| (a, b))
                .collect()
        }
    };
    let fields = fields
        .iter()
        .map(|(key, value)| format!("{}={}", quote(&python_str(key), true), quote(&python_str(value), true)));
    Ok(Value::from(fields.collect::<Vec<_>>().join("&")))
}

fn xmlattr(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, autospace] = args.bind(["d", "autospace"], 1)?;
    let fields = pairs(&value.unwrap_or_default()).ok_or_else(|| raise_message("xmlattr needs a mapping"))?;
    let mut attributes = Vec::new();
    for (key, value) in fields.iter().filter(|(_, value)| !value.is_none() && !is_undefined(value)) {
        let key = python_str(key);
        if key.contains(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(raise_message(format!("Invalid character in attribute name: '{key}'")));
        }
        attributes.push(format!("{}=\"{}\"", escape(&key), escape(&python_str(value))));
    }
    let joined = attributes.join(" ");
    let space = autospace.is_none_or(|autospace| autospace.is_true()) && !joined.is_empty();
    Ok(Value::from(if space { format!(" {joined}") } else { joined }))
}
