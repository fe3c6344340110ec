//! What holds for every YAML text.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::problem::lines;
use super::{Yaml, YamlValue, parse, to_text};
use crate::properties::{hold, is_within, texts};

const WORDS: &[&str] = &[
    "a",
    "b",
    "key",
    "1",
    "-1.5",
    "yes",
    "~",
    "<<",
    "2024-01-31",
    "0x1f",
    " ",
    "  ",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    ": ",
    ":",
    "- ",
    "-",
    "? ",
    "?",
    ", ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!str ",
    "!x ",
    "!",
    "|",
    ">",
    "|2-\n",
    ">+\n",
    "'",
    "\"",
    "\\",
    "\\x41",
    "\\u",
    "# c",
    "#",
    "---",
    "...",
    "\n---\n",
    "%YAML 1.1\n",
    "@",
    "`",
    "{{ x }}",
    "\"{{ x }}\"",
    "a: 1\n",
    "- a\n",
];

/// The lines as YAML counts them, with nothing but newlines between.
fn with_newlines(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    lines(text).collect::<Vec<_>>().join("\n")
}

fn assert_places_within(text: &str, node: &Yaml) {
    assert!(is_within(text, node.line as usize, node.column as usize), "{node:?}");
    match &node.value {
        YamlValue::Seq(items) => items.iter().for_each(|item| assert_places_within(text, item)),
        YamlValue::Map(map) => map.iter().for_each(|(key, value)| {
            assert_places_within(text, key);
            assert_places_within(text, value);
        }),
        _ => {}
    }
}

#[test]
fn every_text_is_read_or_refused_at_a_place_in_it() {
    hold(texts(WORDS), |text| match parse(&text, Path::new("f.yml")) {
        Ok(tree) if tree.line == 0 => assert!(tree.is_null()),
        Ok(tree) => assert_places_within(&with_newlines(&text), &tree),
        Err(error) => {
            let place = error.location().expect("a place");
            assert!(is_within(&with_newlines(&text), place.line, place.column), "{place:?} {error}");
        }
    });
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts(WORDS).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((texts(WORDS), inner), 0..5).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

#[test]
fn what_is_written_is_read_back() {
    hold(values(), |value| {
        let text = to_text(&value);
        let read = parse(&text, Path::new("f.yml")).unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(read.to_json(), value, "{text}");
    });
}
