//! Cutting files into their blocks: macros, tests, materializations, snapshots, documentation.
//!
//! Only tags are looked at, not what is between them, so that a file with a syntax error in one macro still
//! tells of all the others.

use std::path::Path;

use super::origin::Origin;
use super::syntax::ast::{DefinitionKind, ExprKind};
use super::syntax::{SyntaxError, find_tag, parse_definition_header, raw_tag_end};
use crate::error::Result;
use crate::text::nearest;

/// A block at the top level of a file.
#[derive(Debug, Clone)]
pub struct Block {
    pub kind: BlockKind,
    /// The name as written.
    pub name: String,
    /// The parameters of a macro or test.
    pub params: Vec<Param>,
    /// The whole block with its tags, and with the whitespace that they strip.
    pub text: String,
    /// What is between the tags.
    pub contents: String,
    /// Where `text` starts.
    pub origin: Origin,
    /// Where `contents` starts.
    pub contents_origin: Origin,
}

/// What a block defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockKind {
    Macro,
    /// `{% test %}` or `{% data_test %}`
    Test,
    Materialization {
        /// `default`, or the adapter that it is for.
        adapter: String,
        supported_languages: Vec<String>,
    },
    Snapshot,
    Docs,
}

/// A parameter of a macro or test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    pub name: String,
    /// The default as written.
    pub default: Option<String>,
}

impl Block {
    /// The name that dbt gives to what the block defines: `test_<name>` for tests,
    /// `materialization_<name>_<adapter>` for materializations.
    pub fn macro_name(&self) -> String {
        match &self.kind {
            BlockKind::Test => format!("test_{}", self.name),
            BlockKind::Materialization { adapter, .. } => format!("materialization_{}_{adapter}", self.name),
            _ => self.name.clone(),
        }
    }
}

/// Cuts a file into its blocks. Text between them is ignored, and so are tags that define nothing.
///
/// Errors: a block, comment or tag is not closed; a block is inside of another or of `if` or `for`; an
/// end tag closes nothing; a block's first tag is wrong.
pub fn split(text: &str, path: &Path) -> Result<Vec<Block>> {
    let origin = Origin::file(path);
    Splitter { text, origin: &origin, position: 0 }.blocks().map_err(|error| origin.syntax_error(error, text))
}

const DEFINITIONS: [&str; 6] = ["macro", "test", "data_test", "materialization", "snapshot", "docs"];

struct Splitter<'t> {
    text: &'t str,
    origin: &'t Origin,
    position: usize,
}

/// A tag: its first word, and its place including the whitespace that it strips.
struct Tag<'t> {
    keyword: &'t str,
    start: usize,
    /// Where its `{%` is.
    open: usize,
    /// Where its inside starts and ends.
    inside: (usize, usize),
    end: usize,
}

impl<'t> Splitter<'t> {
    fn blocks(mut self) -> Result<Vec<Block>, SyntaxError> {
        let mut blocks = Vec::new();
        let mut current: Option<Tag<'t>> = None;
        let mut control: Vec<Tag<'t>> = Vec::new();
        while let Some(tag) = self.next_tag()? {
            match tag.keyword {
                "if" | "for" => {
                    control.push(tag);
                    continue;
                }
                "endif" | "endfor" => {
                    close_control(&mut control, &tag)?;
                    continue;
                }
                _ => {}
            }
            if DEFINITIONS.contains(&tag.keyword) {
                if let Some(outer) = control.last() {
                    let message =
                        format!("a '{}' block must stand at the top level of its file", tag.keyword);
                    let help = format!("it is inside of an '{}' here", outer.keyword);
                    return Err(SyntaxError::new(message, tag.open).help(help));
                }
                if let Some(outer) = &current {
                    let message =
                        format!("a '{}' block cannot be inside of a '{}' block", tag.keyword, outer.keyword);
                    let help = format!("is '{{% end{} %}}' missing before it?", outer.keyword);
                    return Err(SyntaxError::new(message, tag.open).help(help));
                }
                current = Some(tag);
            } else if let Some(closed) = tag.keyword.strip_prefix("end") {
                match current.take() {
                    Some(open) if open.keyword == closed => blocks.push(self.block(&open, &tag)?),
                    other => {
                        if DEFINITIONS.contains(&closed) {
                            return Err(stray_end(&tag, other.as_ref()));
                        }
                        current = other;
                    }
                }
            } else if current.is_none()
                && let Some(known) = nearest(tag.keyword, DEFINITIONS)
            {
                let message = format!("unknown block '{}'", tag.keyword);
                return Err(SyntaxError::new(message, tag.open).help(format!("did you mean '{known}'?")));
            }
        }
        match current {
            Some(open) => Err(SyntaxError::new(
                format!(
                    "this '{}' block is never closed: '{{% end{} %}}' is missing",
                    open.keyword, open.keyword
                ),
                open.open,
            )),
            None => Ok(blocks),
        }
    }

    fn block(&self, open: &Tag<'t>, close: &Tag<'t>) -> Result<Block, SyntaxError> {
        let (from, to) = open.inside;
        let inside = &self.text[from..to];
        let header =
            parse_definition_header(inside).map_err(|error| SyntaxError { at: error.at + from, ..error })?;
        let params = header.params.iter().map(|param| Param {
            name: param.name.to_owned(),
            default: param
                .default
                .as_ref()
                .and_then(|default| inside.get(default.at as usize..default.end as usize))
                .map(str::to_owned),
        });
        let (kind, name) = match header.kind {
            DefinitionKind::Macro => (BlockKind::Macro, header.name.to_string()),
            DefinitionKind::Docs => (BlockKind::Docs, header.name.to_string()),
            DefinitionKind::Snapshot => (BlockKind::Snapshot, header.name.to_string()),
            DefinitionKind::Test => {
                (BlockKind::Test, header.name.strip_prefix("test_").unwrap_or(&header.name).to_owned())
            }
            DefinitionKind::Materialization => {
                let written = inside.trim_start().strip_prefix("materialization").unwrap_or_default();
                let name: String =
                    written.trim_start().chars().take_while(|c| *c == '_' || c.is_alphanumeric()).collect();
                let adapter = header
                    .name
                    .strip_prefix(&format!("materialization_{name}_"))
                    .unwrap_or("default")
                    .to_owned();
                let languages = header.params.first().and_then(|param| param.default.as_ref());
                let supported_languages = match languages.map(|languages| &languages.kind) {
                    Some(ExprKind::List(items) | ExprKind::Tuple(items)) => items
                        .iter()
                        .filter_map(|item| match &item.kind {
                            ExprKind::Str(text) => Some(text.to_string()),
                            _ => None,
                        })
                        .collect(),
                    _ => vec!["sql".to_owned()],
                };
                (BlockKind::Materialization { adapter, supported_languages }, name)
            }
        };
        let params = match kind {
            BlockKind::Macro | BlockKind::Test => params.collect(),
            _ => Vec::new(),
        };
        Ok(Block {
            kind,
            name,
            params,
            text: self.text[open.start..close.end].to_owned(),
            contents: self.text[open.end..close.start].to_owned(),
            origin: self.origin.advance(self.text, open.start),
            contents_origin: self.origin.advance(self.text, open.end),
        })
    }

    /// The next tag; comments, outputs and raw blocks are skipped.
    fn next_tag(&mut self) -> Result<Option<Tag<'t>>, SyntaxError> {
        while let Some(open) = find_tag(self.text, self.position) {
            let bytes = self.text.as_bytes();
            match bytes[open + 1] {
                b'#' => match self.text[open + 2..].find("#}") {
                    Some(length) => self.position = open + 2 + length + 2,
                    None => {
                        return Err(SyntaxError::new("this comment is never closed: '#}' is missing", open));
                    }
                },
                b'{' => self.position = self.closing(open, "}}")?,
                _ => {
                    let sign = usize::from(matches!(bytes.get(open + 2), Some(b'-' | b'+')));
                    let inside = open + 2 + sign;
                    if let Some(length) = raw_tag_end(&self.text[inside..], "raw") {
                        self.position = self.end_of_raw(open, inside + length)?;
                        continue;
                    }
                    return self.tag(open, inside).map(Some);
                }
            }
        }
        Ok(None)
    }

    fn tag(&mut self, open: usize, inside: usize) -> Result<Tag<'t>, SyntaxError> {
        let before = self.position;
        let mut end = self.closing(open, "%}")?;
        let bytes = self.text.as_bytes();
        let mut start = open;
        if bytes.get(open + 2) == Some(&b'-') {
            start = before + self.text[before..open].trim_end().len();
        }
        let mut inside_end = end - 2;
        if inside_end > inside && matches!(bytes[inside_end - 1], b'-' | b'+') {
            inside_end -= 1;
            if bytes[inside_end] == b'-' {
                let rest = &self.text[end..];
                end += rest.len() - rest.trim_start().len();
            }
        }
        self.position = end;
        let words = self.text[inside..inside_end].trim_start();
        let length = words.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(words.len());
        Ok(Tag { keyword: &words[..length], start, open, inside: (inside, inside_end), end })
    }

    /// Behind the end of a tag or output; strings in it are skipped.
    fn closing(&self, open: usize, close: &str) -> Result<usize, SyntaxError> {
        let bytes = self.text.as_bytes();
        let mut position = open + 2;
        while position < bytes.len() {
            match bytes[position] {
                quote @ (b'"' | b'\'') => position = self.end_of_string(position, quote)?,
                byte if byte == close.as_bytes()[0] && bytes.get(position + 1) == Some(&b'}') => {
                    return Ok(position + 2);
                }
                _ => position += 1,
            }
        }
        Err(SyntaxError::new(format!("this tag is never closed: '{close}' is missing"), open))
    }

    fn end_of_string(&self, start: usize, quote: u8) -> Result<usize, SyntaxError> {
        let bytes = self.text.as_bytes();
        let mut position = start + 1;
        while position < bytes.len() {
            match bytes[position] {
                b'\\' => position += 2,
                byte if byte == quote => return Ok(position + 1),
                _ => position += 1,
            }
        }
        let quote = char::from(quote);
        Err(SyntaxError::new(format!("this string is never closed: {quote} is missing"), start))
    }

    fn end_of_raw(&self, open: usize, from: usize) -> Result<usize, SyntaxError> {
        let mut position = from;
        while let Some(found) = self.text[position..].find("{%") {
            let tag = position + found + 2;
            let sign = usize::from(matches!(self.text.as_bytes().get(tag), Some(b'-' | b'+')));
            if let Some(length) = raw_tag_end(&self.text[tag + sign..], "endraw") {
                return Ok(tag + sign + length);
            }
            position = tag;
        }
        Err(SyntaxError::new("this raw block is never closed: '{% endraw %}' is missing", open))
    }
}

fn close_control(control: &mut Vec<Tag<'_>>, tag: &Tag<'_>) -> Result<(), SyntaxError> {
    let closed = tag.keyword.trim_start_matches("end");
    match control.pop() {
        Some(open) if open.keyword == closed => Ok(()),
        Some(open) => {
            let message =
                format!("unexpected '{}': the innermost open tag is '{}'", tag.keyword, open.keyword);
            Err(SyntaxError::new(message, tag.open))
        }
        None => {
            let message = format!("unexpected '{}': no '{closed}' is open here", tag.keyword);
            Err(SyntaxError::new(message, tag.open))
        }
    }
}

fn stray_end(tag: &Tag<'_>, open: Option<&Tag<'_>>) -> SyntaxError {
    let message = match open {
        Some(open) => format!("unexpected '{}': the open block is '{}'", tag.keyword, open.keyword),
        None => format!("unexpected '{}': no block is open here", tag.keyword),
    };
    SyntaxError::new(message, tag.open)
}
