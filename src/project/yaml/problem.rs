//! What can be wrong with a YAML text, before the file's name is known.

use std::path::Path;

use crate::error::{Error, Location};

/// What is wrong and where. Lines and columns count from 1.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// The mistake behind many others in dbt projects.
pub(super) const QUOTE_JINJA: &str = "put Jinja in quotes: key: \"{{ ... }}\"";

impl Problem {
    pub(super) fn new(message: impl Into<String>, (line, column): (u32, u32)) -> Self {
        Problem { message: message.into(), help: None, line, column }
    }

    pub(super) fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// The error for people, with the line and a hint.
    pub(super) fn into_error(self, source: &str, path: &Path) -> Error {
        let line = lines(source).nth(self.line.saturating_sub(1) as usize).unwrap_or_default();
        let help = self.help.or_else(|| guess(line));
        let location = Location::new(path, self.line as usize, self.column as usize);
        let error = Error::parsing(self.message).at(location).excerpt(line);
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

/// The lines as YAML counts them: a lone carriage return ends one, too.
pub(super) fn lines(source: &str) -> impl Iterator<Item = &str> {
    source.split("\r\n").flat_map(|lines| lines.split(['\r', '\n']))
}

/// What most often is behind a syntax error, guessed from the line where it was noticed.
fn guess(line: &str) -> Option<&'static str> {
    let indent = &line[..line.len() - line.trim_start().len()];
    let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_start().trim_start_matches("- ");
    if indent.contains('\t') {
        Some("indent with spaces; YAML does not allow tabs there")
    } else if value.starts_with("{{") || value.starts_with("{%") {
        Some(QUOTE_JINJA)
    } else if value.starts_with(['@', '`', '%']) {
        Some("put a text that starts with this character in quotes")
    } else {
        None
    }
}
