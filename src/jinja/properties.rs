//! What holds for every template.

use std::path::Path;
use std::sync::Arc;

use minijinja::value::Value;
use proptest::prelude::*;

use super::emit::Mode;
use super::engine::Template;
use super::syntax::{self, SyntaxError, has_jinja, normalize};
use super::{Engine, Origin, Scope, blocks};
use crate::error::Error;
use crate::properties::{hold, is_within, texts};

const WORDS: &[&str] = &[
    "{{ ",
    " }}",
    "{{- ",
    " -}}",
    "{% ",
    " %}",
    "{%- ",
    " -%}",
    "{%+ ",
    "{# ",
    " #}",
    "{#",
    "#}",
    "{{",
    "}}",
    "{%",
    "%}",
    "\n",
    " ",
    "a",
    "b",
    "select 1",
    "1",
    "1.5",
    "'x'",
    "\"y\"",
    "'",
    "\"",
    "\\",
    "é",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ": ",
    ".",
    "|",
    "~",
    "+",
    "-",
    "*",
    "**",
    "//",
    "/",
    "%",
    "=",
    " == ",
    " != ",
    "<",
    ">=",
    " and ",
    " or ",
    " not ",
    " in ",
    " is ",
    " if ",
    " else ",
    "none",
    "loop.index",
    "|upper",
    "|join(',')",
    "|nope",
    " is defined",
    "a(b=1)",
    "a(*b)",
    "a[1:2]",
    "{'k': 1}",
    "[1, 2]",
    "(1, 2)",
    "ref('a')",
];

const TAGS: &[&str] = &[
    "{% if a %}",
    "{% elif b %}",
    "{% else %}",
    "{% endif %}",
    "{% for a in [1] %}",
    "{% for a, b in c if d %}",
    "{% endfor %}",
    "{% set a = 1 %}",
    "{% set a %}",
    "{% set a, b = c %}",
    "{% set a.b = 1 %}",
    "{% endset %}",
    "{% do a.b(1) %}",
    "{% macro m(a, b=1) %}",
    "{% endmacro %}",
    "{% call m(1) %}",
    "{% call(x) m() %}",
    "{% endcall %}",
    "{% filter upper %}",
    "{% endfilter %}",
    "{% raw %}",
    "{% endraw %}",
    "{%- raw -%}",
    "{% test t(model) %}",
    "{% endtest %}",
    "{% docs d %}",
    "{% enddocs %}",
    "{% snapshot s %}",
    "{% endsnapshot %}",
    "{% materialization x, adapter='duckdb' %}",
    "{% endmaterialization %}",
    "{% break %}",
    "{% continue %}",
    "{% with a = 1 %}",
    "{% endwith %}",
    "{% autoescape true %}",
    "{% endautoescape %}",
    "{% print a %}",
    "{# c #}",
    "{{ a }}",
    "{{ loop.index }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{{ m(1) }}",
    "{{ super() }}",
    "text",
    "\n",
    " ",
    "{%- ",
    " -%}",
    "{{ 'x' ~ 1 }}",
];

#[derive(Debug)]
struct Nothing;

impl Scope for Nothing {
    fn lookup(&self, _: &str) -> Option<Value> {
        None
    }

    fn macro_entered(&self, _: &str) {}

    fn macro_left(&self, _: &str) {}

    fn lenient_undefined(&self) -> bool {
        true
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

fn templates() -> impl Strategy<Value = String> {
    prop_oneof![
        texts(WORDS),
        texts(TAGS),
        texts(WORDS).prop_map(|inside| format!("{{{{ {inside} }}}}")),
        (texts(TAGS), texts(WORDS)).prop_map(|(tags, words)| format!("{tags}{{{{ {words} }}}}{tags}")),
    ]
}

fn assert_place_within(text: &str, error: &Error) {
    let place = error.location().expect("a place");
    assert!(is_within(&normalize(text), place.line, place.column), "{place:?} {error}");
}

/// Whatever is good Jinja for rbt is good for minijinja, once it is emitted.
#[test]
fn every_template_is_compiled_or_refused_at_a_place_in_it() {
    hold(templates(), |text| match Template::parse(&text, &Origin::file("a.sql"), Mode::Text, false) {
        Ok(template) => {
            template.compile().unwrap_or_else(|error| panic!("{error}\n{template:?}"));
        }
        Err(error) => assert_place_within(&text, &error),
    });
}

#[test]
fn every_expression_is_parsed_or_refused_at_a_place_in_it() {
    hold(texts(WORDS), |text| {
        let assert_within = |error: SyntaxError| assert!(error.at <= text.len(), "{error:?}");
        let parsed = syntax::parse_expression(&text).map_err(assert_within);
        if let Ok(parsed) = parsed {
            assert!(text.get(parsed.at as usize..parsed.end as usize).is_some(), "{parsed:?}");
        }
    });
}

#[test]
fn text_without_jinja_renders_to_itself() {
    let scope: Arc<dyn Scope> = Arc::new(Nothing);
    let plain = ["a", "{", "}", "%", "#", "-", "'", "\"", "\\", "\n", " ", "\t", "$", "select 1;"];
    let words: &'static [&'static str] = plain.to_vec().leak();
    hold(texts(words), |text| {
        if !has_jinja(&text) {
            let rendered = Engine::new().render(&text, &Origin::file("a.sql"), &scope);
            assert_eq!(rendered.expect("no Jinja, no error"), text);
        }
    });
}

#[test]
fn every_file_is_cut_into_parts_of_it_or_refused_at_a_place_in_it() {
    hold(texts(TAGS), |text| match blocks::split(&text, Path::new("a.sql")) {
        Ok(blocks) => {
            for block in blocks {
                assert!(text.contains(&block.text) && block.text.contains(&block.contents), "{block:?}");
                assert!(is_within(&text, block.origin.line, block.origin.column), "{block:?}");
                assert!(
                    is_within(&text, block.contents_origin.line, block.contents_origin.column),
                    "{block:?}"
                );
            }
        }
        Err(error) => {
            let place = error.location().expect("a place");
            assert!(is_within(&text, place.line, place.column), "{place:?} {error}");
        }
    });
}
