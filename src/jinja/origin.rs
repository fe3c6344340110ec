//! Where a template's text comes from, and the way back from minijinja's places to the user's file.

use std::path::PathBuf;
use std::sync::Arc;

use super::syntax::SyntaxError;
use crate::error::{Error, Location};

/// The file a text was cut from, and where in it the text starts (lines and columns count from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub path: Arc<PathBuf>,
    pub line: usize,
    pub column: usize,
}

impl Origin {
    /// A text that is a whole file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Origin { path: Arc::new(path.into()), line: 1, column: 1 }
    }

    /// A text that starts at a line and column of a file.
    pub fn at(path: impl Into<PathBuf>, line: usize, column: usize) -> Self {
        Origin { path: Arc::new(path.into()), line, column }
    }

    /// Puts an error at a byte of the text, with the line it is on.
    pub(crate) fn place(&self, error: Error, text: &str, at: usize) -> Error {
        let (line, column, shown) = line_and_column(text, at);
        let shift = if line == 0 { self.column - 1 } else { 0 };
        let location = Location::new(self.path.as_path(), self.line + line, column + shift + 1);
        // The text before the origin's column is not known here; spaces keep the caret in place.
        error.at(location).excerpt(format!("{}{shown}", " ".repeat(shift)))
    }

    /// A syntax error as people read it.
    pub(crate) fn syntax_error(&self, error: SyntaxError, text: &str) -> Error {
        let mut result = Error::compilation(error.message);
        if let Some(help) = error.help {
            result = result.help(help);
        }
        self.place(result, text, error.at)
    }

    /// The origin of a part of the text that starts at a byte of it.
    pub(crate) fn advance(&self, text: &str, at: usize) -> Origin {
        let (line, column, _) = line_and_column(text, at);
        let shift = if line == 0 { self.column - 1 } else { 0 };
        Origin { path: self.path.clone(), line: self.line + line, column: column + shift + 1 }
    }
}

/// Line and column of a byte (from 0), and the text of the line.
fn line_and_column(text: &str, at: usize) -> (usize, usize, &str) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let line = text[..start].bytes().filter(|&byte| byte == b'\n').count();
    (line, text[start..at].chars().count(), &text[start..end])
}

/// A template's text, its origin, and which byte of it each piece of the emitted text stands for.
#[derive(Debug)]
pub struct Source {
    pub text: Arc<str>,
    pub origin: Origin,
    /// Byte of the emitted text, byte of the template; ascending.
    pub map: Vec<(u32, u32)>,
    /// For each attribute, item and call of the emitted text: where it ends there, and where in the template
    /// the value begins and ends that it was taken of. Ascending.
    pub steps: Vec<(u32, u32, u32)>,
}

impl Source {
    /// No text of a file, for errors that have a place of their own.
    pub fn empty(origin: &Origin) -> Source {
        Source { text: Arc::from(""), origin: origin.clone(), map: Vec::new(), steps: Vec::new() }
    }

    /// The byte of the template that a byte of the emitted text stands for.
    pub fn template_offset(&self, emitted: usize) -> usize {
        let index = self.map.partition_point(|&(from, _)| from as usize <= emitted);
        index.checked_sub(1).map_or(0, |index| self.map[index].1 as usize)
    }

    /// The value that a failing attribute, item or call was taken of, given where that ends in the emitted
    /// text: its text and its place in the template.
    pub fn base(&self, emitted_end: usize) -> Option<(&str, usize)> {
        let index = self.steps.partition_point(|&(end, ..)| (end as usize) < emitted_end);
        let &(end, from, to) = self.steps.get(index)?;
        let text = self.text.get(from as usize..to as usize)?;
        (end as usize == emitted_end).then_some((text.trim(), from as usize))
    }

    /// Puts an error where it has no place yet: at a byte of the template, or in its file.
    pub fn place(&self, error: Error, at: Option<usize>) -> Error {
        if error.location().is_some_and(|location| location.line > 0) {
            return error;
        }
        match at {
            Some(at) => self.origin.place(error, &self.text, at),
            None => error.at(Location::new(self.origin.path.as_path(), self.origin.line, 0)),
        }
    }
}
