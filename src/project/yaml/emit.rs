//! Writing YAML, in the block style of PyYAML's `safe_dump`.

use serde_json::Value;

use super::{YamlValue, scalar};

/// From this length on, a key is marked as one: YAML finds no others if they are long.
const MAX_SIMPLE_KEY: usize = 128;

/// A value as YAML text, with a newline at the end.
pub fn to_text(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_block(value, 0, &mut text),
        Value::Array(items) if !items.is_empty() => write_block(value, 0, &mut text),
        whole => {
            let whole = inline(whole);
            // A plain scalar has no end of its own.
            let is_open = !whole.starts_with(['\'', '"', '[', '{']);
            text.push_str(&format!("{whole}\n{}", if is_open { "...\n" } else { "" }));
        }
    }
    text
}

fn write_block(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = plain_or_quoted(key);
                match key.len() < MAX_SIMPLE_KEY {
                    true => text.push_str(&format!("{pad}{key}:")),
                    false => text.push_str(&format!("{pad}? {key}\n{pad}:")),
                }
                write_member(value, indent, matches!(value, Value::Array(_)), text);
            }
        }
        Value::Array(items) => {
            for item in items {
                text.push_str(&format!("{pad}-"));
                match item {
                    Value::Object(map) if !map.is_empty() => {
                        // The first key stands behind the dash, the others below it.
                        let mut inner = String::new();
                        write_block(item, indent + 2, &mut inner);
                        text.push_str(&format!(" {}", inner.trim_start()));
                    }
                    other => write_member(other, indent + 2, false, text),
                }
            }
        }
        other => text.push_str(&inline(other)),
    }
}

/// What stands behind a key or a dash.
fn write_member(value: &Value, indent: usize, flush: bool, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            write_block(value, indent + 2, text);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            write_block(value, if flush { indent } else { indent + 2 }, text);
        }
        other => text.push_str(&format!(" {}\n", inline(other))),
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => plain_or_quoted(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// A text without quotes where it would be read back as that text.
fn plain_or_quoted(text: &str) -> String {
    let reads_as_text = matches!(scalar::resolve(text), Ok(YamlValue::Str(_)));
    let is_plain = reads_as_text
        // Nothing is null, and YAML 1.1 has a meaning for the other two.
        && !matches!(text, "" | "<<" | "=")
        && text.trim() == text
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.contains(needs_escape)
        && !text.starts_with([
            '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
        ]);
    if is_plain {
        text.to_owned()
    } else if text.contains(needs_escape) {
        double_quoted(text)
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Whether YAML refuses a character, or takes it for the end of a line.
fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// JSON's escapes are YAML's as well, but JSON leaves some characters as they are.
fn double_quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in Value::from(text).to_string().chars() {
        match needs_escape(c) {
            true => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => quoted.push(c),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_that_yaml_would_not_find_are_marked_or_quoted() {
        for key in ["k".repeat(2000).as_str(), "<<", "=", "... ?", "\u{7f}", "a\u{2028}b", "\u{feff}a"] {
            let value = json!({ key: [1], "b": { key: 2 } });
            let text = to_text(&value);
            let read = super::super::parse(&text, std::path::Path::new("x")).expect("valid YAML");
            assert_eq!(read.to_json(), value, "{text}");
        }
    }

    #[test]
    fn texts_are_read_back_as_they_were() {
        let value = json!({"a": [1, {"b": "yes", "c": null}], "d": {"e": "x: y", "f": []}, "g": "plain"});
        let text = to_text(&value);
        assert_eq!(text, "a:\n- 1\n- b: 'yes'\n  c: null\nd:\n  e: 'x: y'\n  f: []\ng: plain\n");
        let read = super::super::parse(&text, std::path::Path::new("x")).expect("valid YAML");
        assert_eq!(read.to_json(), value);
    }
}
