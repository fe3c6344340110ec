//! Models in Python: what they configure and refer to. Nothing of them is run.

/// The calls of `dbt.config`, `dbt.ref` and `dbt.source` in a model's text, as a template that makes them.
pub fn template_of_calls(text: &str) -> String {
    let tokens = tokens(text);
    let mut template = String::new();
    for (index, token) in tokens.iter().enumerate() {
        let function = match *token {
            "dbt.config" => "config",
            "dbt.ref" => "ref",
            "dbt.source" => "source",
            _ => continue,
        };
        if let Some(arguments) = arguments(&tokens[index + 1..]) {
            template.push_str(&format!("{{{{ {function}{arguments} }}}}"));
        }
    }
    template
}

/// What stands in the parentheses that follow, with them.
fn arguments(tokens: &[&str]) -> Option<String> {
    if tokens.first() != Some(&"(") {
        return None;
    }
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        match *token {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(tokens[..=index].join(" "));
        }
    }
    None
}

/// Texts, dotted names and single characters, without white space and comments.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => quoted_length(rest, first),
            c if is_of_name(c) => rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if first != '#' && !first.is_whitespace() {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// The length of a text in quotes, one or three of them, up to its end or that of everything.
fn quoted_length(text: &str, quote: char) -> usize {
    let triple = quote.to_string().repeat(3);
    let mark = if text.starts_with(&triple) { triple } else { quote.to_string() };
    let mut at = mark.len();
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(&mark) {
            return at + mark.len();
        }
        let mut characters = rest.chars();
        let first = characters.next().map_or(1, char::len_utf8);
        let escaped = if rest.starts_with('\\') { characters.next().map_or(0, char::len_utf8) } else { 0 };
        at += first + escaped;
    }
    text.len()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn finds_the_calls_of_dbt() {
        let text = r#"
            def model(dbt, session):
                """Not dbt.ref('this')."""
                dbt.config(materialized="table", # dbt.ref("nor this")
                           tags=['a)', "b"],)
                x = session.sql("dbt.ref('or this')", dbt.ref("a", v=1)).join([dbt.source('s', 't')])
                return dbt.config.get("x") + my_dbt.ref("y") + 'é
        "#;
        assert_eq!(
            template_of_calls(text),
            "{{ config( materialized = \"table\" , tags = [ 'a)' , \"b\" ] , ) }}\
             {{ ref( \"a\" , v = 1 ) }}{{ source( 's' , 't' ) }}"
        );
    }
}
