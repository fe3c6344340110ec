//! The syntax of Jinja2 with dbt's extensions: text to tokens to a tree.

pub mod ast;
mod expressions;
mod lexer;
mod parser;
pub mod walk;

use std::borrow::Cow;

pub use lexer::{find_tag, raw_tag_end};
pub use parser::{parse, parse_definition_header, parse_expression};

/// A mistake in a template's syntax: what, and at which byte of the template.
#[derive(Debug, Clone)]
pub struct SyntaxError {
    pub message: String,
    pub at: usize,
    /// What to do about it, where something can be said.
    pub help: Option<String>,
}

impl SyntaxError {
    /// A mistake at a byte offset.
    pub fn new(message: impl Into<String>, at: usize) -> Self {
        SyntaxError { message: message.into(), at, help: None }
    }

    /// Adds what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A template's text as Jinja reads it: line ends are `\n`, and one newline at the end is not part of it.
pub fn normalize(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
        if text.ends_with('\n') {
            text.pop();
        }
        return Cow::Owned(text);
    }
    Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text))
}

/// Whether a text has anything that Jinja would look at.
pub fn has_jinja(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| matches!(pair, [b'{', b'{' | b'%' | b'#'] | [b'#' | b'}' | b'%', b'}']))
}
