//! Writing YAML, in the block style of PyYAML's `safe_dump`.

use serde_json::Value;

use super::{YamlValue, scalar};

/// A value as YAML text, with a newline at the end.
pub fn to_text(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_block(value, 0, &mut text),
        Value::Array(items) if !items.is_empty() => write_block(value, 0, &mut text),
        Value::Object(_) | Value::Array(_) | Value::String(_) => {
            text.push_str(&inline(value));
            text.push('\n');
        }
        scalar => text.push_str(&format!("{}\n...\n", inline(scalar))),
    }
    text
}

fn write_block(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                text.push_str(&format!("{pad}{}:", plain_or_quoted(key)));
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
        && !text.is_empty()
        && text.trim() == text
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.contains(char::is_control)
        && !text.starts_with([
            '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
        ]);
    if is_plain {
        text.to_owned()
    } else if text.contains(char::is_control) {
        Value::from(text).to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_read_back_as_they_were() {
        let value = json!({"a": [1, {"b": "yes", "c": null}], "d": {"e": "x: y", "f": []}, "g": "plain"});
        let text = to_text(&value);
        assert_eq!(text, "a:\n- 1\n- b: 'yes'\n  c: null\nd:\n  e: 'x: y'\n  f: []\ng: plain\n");
        let read = super::super::parse(&text, std::path::Path::new("x")).expect("valid YAML");
        assert_eq!(read.to_json(), value);
    }
}
