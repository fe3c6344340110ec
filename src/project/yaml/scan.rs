//! From the text to tokens, as YAML 1.1 has it: indentation becomes starts and ends of blocks, and what turns
//! out to be a key by the `:` behind it gets its `Key` token afterwards.
//!
//! The rules are those of libyaml, which stands behind PyYAML: where it is more lenient than the
//! specification (flow collections may be indented less than their parent, tabs may separate), so is this.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::problem::Problem;

/// A token and where it starts.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    pub(super) place: (u32, u32),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'a> {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    BlockSeqStart,
    BlockMapStart,
    BlockEnd,
    FlowSeqStart,
    FlowSeqEnd,
    FlowMapStart,
    FlowMapEnd,
    /// `- `
    BlockEntry,
    /// `,`
    FlowEntry,
    Key,
    /// `:`
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// With its exclamation marks; `!!str` is written out as `!!str`, whatever a directive says.
    Tag(&'a str),
    Scalar {
        text: Cow<'a, str>,
        is_plain: bool,
    },
}

/// Where a key may have started, until its `:` comes or cannot come any more.
#[derive(Clone, Copy)]
struct PossibleKey {
    /// The number of the token, counted from the start of the text.
    token: usize,
    at: Mark,
    /// At this indentation nothing but a key is possible.
    is_required: bool,
}

/// A place in the text.
#[derive(Clone, Copy)]
struct Mark {
    offset: usize,
    line: u32,
    line_start: usize,
}

impl Mark {
    /// How far from the start of the line, in bytes: only blanks and ASCII stand before what is indented.
    fn indent(self) -> i32 {
        i32::try_from(self.offset - self.line_start).unwrap_or(i32::MAX)
    }
}

/// A key must fit on its line, and within this many bytes.
const MAX_KEY_LENGTH: usize = 1024;

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: Mark,
    is_ascii: bool,
    /// Tokens not yet taken; a `Key` may still be put between them.
    tokens: VecDeque<Token<'a>>,
    taken: usize,
    is_done: bool,
    /// The indentation of the innermost block, -1 outside of all.
    indent: i32,
    outer_indents: Vec<i32>,
    /// One for the block context and one for each open flow collection.
    possible_keys: Vec<Option<PossibleKey>>,
    may_start_key: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Scanner {
            text,
            at: Mark { offset: 0, line: 1, line_start: 0 },
            is_ascii: text.is_ascii(),
            tokens: VecDeque::new(),
            taken: 0,
            is_done: false,
            indent: -1,
            outer_indents: Vec::new(),
            possible_keys: vec![None],
            may_start_key: true,
        }
    }

    /// The next token, left in its place.
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Problem> {
        self.fill()?;
        Ok(&self.tokens[0])
    }

    /// The next token. At the end of the text this is `StreamEnd`, again and again.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Problem> {
        self.fill()?;
        match self.tokens.front() {
            Some(token) if token.kind == TokenKind::StreamEnd => Ok(token.clone()),
            _ => {
                self.taken += 1;
                // `fill` leaves at least one token.
                Ok(self
                    .tokens
                    .pop_front()
                    .unwrap_or(Token { kind: TokenKind::StreamEnd, place: self.place() }))
            }
        }
    }

    /// Scans until the first token is certain: as long as it may be a key, its `Key` token may still come.
    fn fill(&mut self) -> Result<(), Problem> {
        loop {
            if self.is_done {
                return Ok(());
            }
            if !self.tokens.is_empty() {
                self.drop_stale_keys()?;
                let may_get_key = self.possible_keys.iter().flatten().any(|key| key.token == self.taken);
                if !may_get_key {
                    return Ok(());
                }
            }
            self.scan_token()?;
        }
    }

    // Characters

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at.offset + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at.offset..]
    }

    /// Steps over ASCII characters on the same line.
    fn skip(&mut self, count: usize) {
        self.at.offset += count;
    }

    /// Steps over a line break, if there is one.
    fn skip_break(&mut self) -> bool {
        let width = match (self.byte(0), self.byte(1)) {
            (Some(b'\r'), Some(b'\n')) => 2,
            (Some(b'\r' | b'\n'), _) => 1,
            _ => return false,
        };
        self.at.offset += width;
        self.at.line += 1;
        self.at.line_start = self.at.offset;
        true
    }

    fn is_blank_or_end(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), None | Some(b' ' | b'\t' | b'\r' | b'\n'))
    }

    fn is_document_indicator(&self, indicator: &str) -> bool {
        self.at.indent() == 0 && self.rest().starts_with(indicator) && self.is_blank_or_end(3)
    }

    /// Line and column of a mark, for people.
    fn place_of(&self, mark: Mark) -> (u32, u32) {
        let column = match self.is_ascii {
            true => mark.offset - mark.line_start,
            false => self.text[mark.line_start..mark.offset].chars().count(),
        };
        (mark.line, u32::try_from(column + 1).unwrap_or(u32::MAX))
    }

    fn place(&self) -> (u32, u32) {
        self.place_of(self.at)
    }

    fn problem(&self, message: &str) -> Problem {
        Problem::new(message, self.place())
    }

    // Indentation and keys

    fn is_in_flow(&self) -> bool {
        self.possible_keys.len() > 1
    }

    fn push(&mut self, kind: TokenKind<'a>, mark: Mark) {
        let place = self.place_of(mark);
        self.tokens.push_back(Token { kind, place });
    }

    /// Opens a block if what starts here is indented more than the block around it. `number` is the token
    /// before which the block starts, or `None` for the next one.
    fn open_block(&mut self, kind: TokenKind<'a>, mark: Mark, number: Option<usize>) {
        if self.is_in_flow() || self.indent >= mark.indent() {
            return;
        }
        self.outer_indents.push(self.indent);
        self.indent = mark.indent();
        let token = Token { kind, place: self.place_of(mark) };
        match number {
            Some(number) => self.tokens.insert(number - self.taken, token),
            None => self.tokens.push_back(token),
        }
    }

    /// Closes the blocks that are indented more than this.
    fn close_blocks(&mut self, indent: i32) {
        while !self.is_in_flow() && self.indent > indent {
            self.push(TokenKind::BlockEnd, self.at);
            self.indent = self.outer_indents.pop().unwrap_or(-1);
        }
    }

    fn missing_colon(&self, key: PossibleKey) -> Problem {
        Problem::new("this key has no ':' behind it", self.place_of(key.at))
            .help("write  key: value ; a text over several lines must be indented more than its key")
    }

    /// Forgets keys whose `:` can no longer come.
    fn drop_stale_keys(&mut self) -> Result<(), Problem> {
        let at = self.at;
        let is_stale =
            |key: &PossibleKey| key.at.line < at.line || key.at.offset + MAX_KEY_LENGTH < at.offset;
        for index in 0..self.possible_keys.len() {
            if let Some(key) = self.possible_keys[index].filter(is_stale) {
                if key.is_required {
                    return Err(self.missing_colon(key));
                }
                self.possible_keys[index] = None;
            }
        }
        Ok(())
    }

    /// Forgets the possible key of the innermost context.
    fn drop_key(&mut self) -> Result<Option<PossibleKey>, Problem> {
        let key = self.possible_keys.last_mut().and_then(Option::take);
        match key {
            Some(key) if key.is_required => Err(self.missing_colon(key)),
            key => Ok(key),
        }
    }

    /// Notes that what starts here may be a key.
    fn note_possible_key(&mut self) -> Result<(), Problem> {
        if self.may_start_key {
            let is_required = !self.is_in_flow() && self.indent == self.at.indent();
            self.drop_key()?;
            let key = PossibleKey { token: self.taken + self.tokens.len(), at: self.at, is_required };
            if let Some(last) = self.possible_keys.last_mut() {
                *last = Some(key);
            }
        }
        Ok(())
    }

    // Tokens

    /// Scans at least one token.
    fn scan_token(&mut self) -> Result<(), Problem> {
        self.skip_to_token();
        self.drop_stale_keys()?;
        self.close_blocks(self.at.indent());
        let start = self.at;
        let Some(first) = self.byte(0) else { return self.end() };
        if first == b'%' && start.indent() == 0 {
            return self.skip_directive();
        }
        for (indicator, kind) in [("---", TokenKind::DocumentStart), ("...", TokenKind::DocumentEnd)] {
            if self.is_document_indicator(indicator) {
                self.close_blocks(-1);
                self.drop_key()?;
                self.may_start_key = false;
                self.push(kind, start);
                self.skip(3);
                return Ok(());
            }
        }
        let is_followed_by_blank = self.is_blank_or_end(1);
        let is_in_flow = self.is_in_flow();
        match first {
            b'[' => self.open_flow(TokenKind::FlowSeqStart),
            b'{' => self.open_flow(TokenKind::FlowMapStart),
            b']' => self.close_flow(TokenKind::FlowSeqEnd),
            b'}' => self.close_flow(TokenKind::FlowMapEnd),
            b',' => self.indicator(TokenKind::FlowEntry, true),
            b'-' if is_followed_by_blank => self.block_entry(),
            b'?' if is_in_flow || is_followed_by_blank => self.explicit_key(),
            b':' if is_in_flow || is_followed_by_blank => self.value(),
            b'*' => self.name(TokenKind::Alias),
            b'&' => self.name(TokenKind::Anchor),
            b'!' => self.tag(),
            b'|' | b'>' if !is_in_flow => self.block_scalar(first == b'|'),
            b'\'' | b'"' => self.quoted(first),
            b'-' if !matches!(self.byte(1), Some(b' ' | b'\t')) => self.plain(),
            b'?' | b':' if !is_in_flow => self.plain(),
            b'-' | b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                let message = match first {
                    b'\t' => "a tab cannot indent".to_owned(),
                    _ => format!("'{}' cannot start a value", first as char),
                };
                Err(self.problem(&message))
            }
            _ => self.plain(),
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            let may_be_tab = self.is_in_flow() || !self.may_start_key;
            while self.byte(0) == Some(b' ') || may_be_tab && self.byte(0) == Some(b'\t') {
                self.skip(1);
            }
            if self.byte(0) == Some(b'#') {
                self.skip_line();
            }
            if !self.skip_break() {
                return;
            }
            if !self.is_in_flow() {
                self.may_start_key = true;
            }
        }
    }

    /// Steps to the end of the line, before its break.
    fn skip_line(&mut self) {
        let rest = self.rest().as_bytes();
        let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        self.skip(length);
    }

    fn end(&mut self) -> Result<(), Problem> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.push(TokenKind::StreamEnd, self.at);
        self.is_done = true;
        Ok(())
    }

    /// `%YAML` and `%TAG` have nothing to say to dbt projects.
    fn skip_directive(&mut self) -> Result<(), Problem> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.may_start_key = false;
        if !self.rest().starts_with("%YAML ") && !self.rest().starts_with("%TAG ") {
            return Err(self.problem("unknown directive"));
        }
        self.skip_line();
        Ok(())
    }

    /// A character that is a token.
    fn indicator(&mut self, kind: TokenKind<'a>, may_start_key: bool) -> Result<(), Problem> {
        self.drop_key()?;
        self.may_start_key = may_start_key;
        self.push(kind, self.at);
        self.skip(1);
        Ok(())
    }

    fn open_flow(&mut self, kind: TokenKind<'a>) -> Result<(), Problem> {
        self.note_possible_key()?;
        self.possible_keys.push(None);
        self.may_start_key = true;
        self.push(kind, self.at);
        self.skip(1);
        Ok(())
    }

    fn close_flow(&mut self, kind: TokenKind<'a>) -> Result<(), Problem> {
        self.drop_key()?;
        if self.is_in_flow() {
            self.possible_keys.pop();
        }
        self.may_start_key = false;
        self.push(kind, self.at);
        self.skip(1);
        Ok(())
    }

    fn block_entry(&mut self) -> Result<(), Problem> {
        if !self.is_in_flow() {
            if !self.may_start_key {
                return Err(self
                    .problem("a list cannot start here")
                    .help("put the '-' on a line of its own"));
            }
            self.open_block(TokenKind::BlockSeqStart, self.at, None);
        }
        self.indicator(TokenKind::BlockEntry, true)
    }

    fn explicit_key(&mut self) -> Result<(), Problem> {
        if !self.is_in_flow() {
            if !self.may_start_key {
                return Err(self.problem("a key cannot start here"));
            }
            self.open_block(TokenKind::BlockMapStart, self.at, None);
        }
        let may_start_key = !self.is_in_flow();
        self.indicator(TokenKind::Key, may_start_key)
    }

    fn value(&mut self) -> Result<(), Problem> {
        let start = self.at;
        if let Some(key) = self.possible_keys.last_mut().and_then(Option::take) {
            let token = Token { kind: TokenKind::Key, place: self.place_of(key.at) };
            self.tokens.insert(key.token - self.taken, token);
            self.open_block(TokenKind::BlockMapStart, key.at, Some(key.token));
            self.may_start_key = false;
        } else {
            if !self.is_in_flow() {
                if !self.may_start_key {
                    return Err(self
                        .problem("mapping values are not allowed in this context")
                        .help("put a text that contains ': ' in quotes, or check the indentation"));
                }
                self.open_block(TokenKind::BlockMapStart, start, None);
            }
            self.may_start_key = !self.is_in_flow();
        }
        self.push(TokenKind::Value, start);
        self.skip(1);
        Ok(())
    }

    /// `&name` and `*name`.
    fn name(&mut self, kind: fn(&'a str) -> TokenKind<'a>) -> Result<(), Problem> {
        self.note_possible_key()?;
        self.may_start_key = false;
        let rest = &self.rest()[1..];
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let length = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let start = self.at;
        self.skip(1 + length);
        let is_ended = self.is_blank_or_end(0)
            || matches!(self.byte(0), Some(b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'));
        if length == 0 || !is_ended {
            let message = "expected a name of letters, digits, '-' and '_'";
            return Err(Problem::new(message, self.place_of(start))
                .help("put a text that starts with '*' or '&' in quotes"));
        }
        self.push(kind(&rest[..length]), start);
        Ok(())
    }

    fn tag(&mut self) -> Result<(), Problem> {
        self.note_possible_key()?;
        self.may_start_key = false;
        let start = self.at;
        let is_in_flow = self.is_in_flow();
        let is_end = |byte: u8| {
            matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
                || is_in_flow && matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
        };
        let rest = self.rest();
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        self.skip(length);
        self.push(TokenKind::Tag(&rest[..length]), start);
        Ok(())
    }

    fn push_scalar(&mut self, text: Cow<'a, str>, is_plain: bool, start: Mark) {
        self.push(TokenKind::Scalar { text, is_plain }, start);
    }

    // Scalars

    /// A scalar without quotes, perhaps over several lines.
    fn plain(&mut self) -> Result<(), Problem> {
        self.note_possible_key()?;
        self.may_start_key = false;
        let start = self.at;
        let indent = self.indent + 1;
        let mut text = Cow::Borrowed("");
        let mut breaks = 0;
        loop {
            let chunk = self.plain_chunk()?;
            if !chunk.is_empty() {
                fold(&mut text, breaks, chunk);
                breaks = 0;
            }
            let after_chunk = self.at;
            let new_breaks = self.skip_blank_lines(indent)?;
            breaks += new_breaks;
            let is_outdented = new_breaks > 0 && !self.is_in_flow() && self.at.indent() < indent;
            let is_document = self.is_document_indicator("---") || self.is_document_indicator("...");
            // A '#' behind a blank starts a comment.
            let is_over = matches!(self.byte(0), None | Some(b'#')) || is_outdented || is_document;
            if is_over || self.at.offset == after_chunk.offset || chunk.is_empty() && new_breaks == 0 {
                break;
            }
        }
        if breaks > 0 {
            self.may_start_key = true;
        }
        self.push_scalar(text, true, start);
        Ok(())
    }

    /// The part of a plain scalar on this line, without blanks at its end.
    fn plain_chunk(&mut self) -> Result<&'a str, Problem> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let is_in_flow = self.is_in_flow();
        let mut end = 0;
        let mut index = 0;
        while let Some(byte) = bytes.get(index) {
            let next = bytes.get(index + 1);
            match byte {
                b'\r' | b'\n' => break,
                b' ' | b'\t' if next == Some(&b'#') => break,
                b' ' | b'\t' => {}
                b':' if matches!(next, None | Some(b' ' | b'\t' | b'\r' | b'\n')) => break,
                b':' if is_in_flow && matches!(next, Some(b',' | b'?' | b'[' | b']' | b'{' | b'}')) => {
                    self.skip(index);
                    return Err(self.problem("unexpected ':'").help("put the text in quotes"));
                }
                b',' | b'[' | b']' | b'{' | b'}' if is_in_flow => break,
                _ => end = index + 1,
            }
            index += 1;
        }
        self.skip(end);
        Ok(&rest[..end])
    }

    /// Steps over blanks and line breaks inside a plain scalar, and counts the breaks.
    fn skip_blank_lines(&mut self, indent: i32) -> Result<usize, Problem> {
        let mut breaks = 0;
        loop {
            match self.byte(0) {
                Some(b'\t') if breaks > 0 && self.at.indent() < indent => {
                    return Err(self.problem("found a tab character that violates indentation"));
                }
                Some(b' ' | b'\t') => self.skip(1),
                _ if self.skip_break() => breaks += 1,
                _ => return Ok(breaks),
            }
        }
    }

    /// A scalar in single or double quotes.
    fn quoted(&mut self, quote: u8) -> Result<(), Problem> {
        self.note_possible_key()?;
        self.may_start_key = false;
        let start = self.at;
        self.skip(1);
        let mut text = Cow::Borrowed("");
        loop {
            let chunk = self.quoted_chunk(quote);
            text = join(text, chunk);
            match self.byte(0) {
                None => {
                    return Err(Problem::new("this text in quotes has no end", self.place_of(start)));
                }
                Some(b'\'') if quote == b'\'' && self.byte(1) == Some(b'\'') => {
                    text.to_mut().push('\'');
                    self.skip(2);
                }
                Some(byte) if byte == quote => break,
                Some(b'\\') => self.escape(text.to_mut())?,
                // `quoted_chunk` stops for blanks only before a line break.
                Some(_) => self.fold_quoted_lines(text.to_mut(), start)?,
            }
        }
        self.skip(1);
        self.push_scalar(text, false, start);
        Ok(())
    }

    /// What stands for itself in a quoted scalar: up to the quote, an escape, or the blanks before a break.
    fn quoted_chunk(&mut self, quote: u8) -> &'a str {
        let rest = self.rest();
        let is_special =
            |byte: &u8| *byte == quote || matches!(byte, b'\r' | b'\n') || *byte == b'\\' && quote == b'"';
        let length = rest.as_bytes().iter().position(is_special).unwrap_or(rest.len());
        let is_line_end = matches!(rest.as_bytes().get(length), Some(b'\r' | b'\n'));
        let chunk = &rest[..length];
        let chunk = if is_line_end { chunk.trim_end_matches([' ', '\t']) } else { chunk };
        self.skip(chunk.len());
        chunk
    }

    /// Line breaks in a quoted scalar: one is a blank, of more each but the first is kept.
    fn fold_quoted_lines(&mut self, text: &mut String, start: Mark) -> Result<(), Problem> {
        let breaks = self.skip_quoted_breaks(start)?;
        match breaks {
            1 => text.push(' '),
            more => text.extend(std::iter::repeat_n('\n', more - 1)),
        }
        Ok(())
    }

    /// Steps over breaks and the blanks around them; there is at least one.
    fn skip_quoted_breaks(&mut self, start: Mark) -> Result<usize, Problem> {
        let mut breaks = 0;
        loop {
            if self.is_document_indicator("---") || self.is_document_indicator("...") {
                return Err(Problem::new(
                    "this text in quotes has no end before the document's",
                    self.place_of(start),
                ));
            }
            match self.byte(0) {
                Some(b' ' | b'\t') => self.skip(1),
                _ if self.skip_break() => breaks += 1,
                _ => return Ok(breaks.max(1)),
            }
        }
    }

    /// An escape in double quotes.
    fn escape(&mut self, text: &mut String) -> Result<(), Problem> {
        let start = self.at;
        self.skip(1);
        if matches!(self.byte(0), Some(b'\r' | b'\n')) {
            // An escaped break vanishes; breaks behind it are kept.
            let breaks = self.skip_quoted_breaks(start)?;
            text.extend(std::iter::repeat_n('\n', breaks - 1));
            return Ok(());
        }
        let (plain, digits) = match self.byte(0) {
            Some(b'0') => ('\0', 0),
            Some(b'a') => ('\x07', 0),
            Some(b'b') => ('\x08', 0),
            Some(b't' | b'\t') => ('\t', 0),
            Some(b'n') => ('\n', 0),
            Some(b'v') => ('\x0b', 0),
            Some(b'f') => ('\x0c', 0),
            Some(b'r') => ('\r', 0),
            Some(b'e') => ('\x1b', 0),
            Some(byte @ (b' ' | b'"' | b'/' | b'\\')) => (byte as char, 0),
            Some(b'N') => ('\u{85}', 0),
            Some(b'_') => ('\u{a0}', 0),
            Some(b'L') => ('\u{2028}', 0),
            Some(b'P') => ('\u{2029}', 0),
            Some(b'x') => ('\0', 2),
            Some(b'u') => ('\0', 4),
            Some(b'U') => ('\0', 8),
            _ => {
                return Err(Problem::new("unknown escape", self.place_of(start))
                    .help("in double quotes write a backslash twice, or use single quotes"));
            }
        };
        self.skip(1);
        let code = self.rest().get(..digits).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let escaped = match (digits, code) {
            (0, _) => Some(plain),
            (_, code) => code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?)),
        };
        let Some(escaped) = escaped else {
            return Err(Problem::new("this is not the code of a character", self.place_of(start)));
        };
        text.push(escaped);
        self.skip(digits);
        Ok(())
    }

    /// A scalar behind `|` or `>`.
    fn block_scalar(&mut self, is_literal: bool) -> Result<(), Problem> {
        self.drop_key()?;
        self.may_start_key = true;
        let start = self.at;
        self.skip(1);
        let (chomping, increment) = self.block_header(start)?;
        let mut indent = increment.map(|increment| self.indent.max(0) + increment);
        let mut text = String::new();
        // The break behind the last line, not yet known to be kept, and the empty lines behind it.
        let mut last_break = "";
        let mut empty_lines = self.block_indent(&mut indent)?;
        let mut was_blank = false;
        let indent = indent.unwrap_or(0);
        while self.at.indent() == indent && self.byte(0).is_some() {
            let is_blank = matches!(self.byte(0), Some(b' ' | b'\t'));
            let is_folded = !is_literal && !last_break.is_empty() && !was_blank && !is_blank;
            match is_folded {
                true if empty_lines == 0 => text.push(' '),
                true => {}
                false => text.push_str(last_break),
            }
            text.extend(std::iter::repeat_n('\n', empty_lines));
            was_blank = is_blank;
            let line_start = self.at.offset;
            self.skip_line();
            text.push_str(&self.text[line_start..self.at.offset]);
            last_break = if self.skip_break() { "\n" } else { "" };
            empty_lines = self.block_indent(&mut Some(indent))?;
        }
        if chomping != Some(b'-') {
            text.push_str(last_break);
        }
        if chomping == Some(b'+') {
            text.extend(std::iter::repeat_n('\n', empty_lines));
        }
        self.push_scalar(Cow::Owned(text), false, start);
        Ok(())
    }

    /// Chomping (`+`, `-`) and indentation (a digit) behind `|` or `>`, and the rest of the line.
    fn block_header(&mut self, start: Mark) -> Result<(Option<u8>, Option<i32>), Problem> {
        let (mut chomping, mut increment) = (None, None);
        for _ in 0..2 {
            match self.byte(0) {
                Some(sign @ (b'+' | b'-')) if chomping.is_none() => chomping = Some(sign),
                Some(digit @ b'1'..=b'9') if increment.is_none() => increment = Some(i32::from(digit - b'0')),
                _ => break,
            }
            self.skip(1);
        }
        let has_blank = matches!(self.byte(0), Some(b' ' | b'\t'));
        while matches!(self.byte(0), Some(b' ' | b'\t')) {
            self.skip(1);
        }
        if has_blank && self.byte(0) == Some(b'#') {
            self.skip_line();
        }
        if !self.skip_break() && self.byte(0).is_some() {
            return Err(Problem::new(
                "a block of text starts on the line behind '|' or '>'",
                self.place_of(start),
            )
            .help("put a text that starts with '|' or '>' in quotes"));
        }
        Ok((chomping, increment))
    }

    /// Steps over empty lines and the indentation of a block scalar, which the first line sets if it is not
    /// known. Gives the number of empty lines.
    fn block_indent(&mut self, indent: &mut Option<i32>) -> Result<usize, Problem> {
        let (mut empty_lines, mut deepest) = (0, 0);
        loop {
            let is_before = |scanner: &Self| indent.is_none_or(|indent| scanner.at.indent() < indent);
            while is_before(self) && self.byte(0) == Some(b' ') {
                self.skip(1);
            }
            deepest = deepest.max(self.at.indent());
            if is_before(self) && self.byte(0) == Some(b'\t') {
                return Err(self.problem("found a tab character where an indentation space is expected"));
            }
            if !self.skip_break() {
                indent.get_or_insert(deepest.max(self.indent + 1).max(1));
                return Ok(empty_lines);
            }
            empty_lines += 1;
        }
    }
}

/// Appends to a text that is borrowed as long as it has one part.
fn join<'a>(text: Cow<'a, str>, more: &'a str) -> Cow<'a, str> {
    match (text.is_empty(), more.is_empty()) {
        (_, true) => text,
        (true, false) => Cow::Borrowed(more),
        (false, false) => Cow::Owned(text.into_owned() + more),
    }
}

/// Appends a line of a plain scalar: a single break before it is a blank, of more each but the first is kept.
fn fold<'a>(text: &mut Cow<'a, str>, breaks: usize, chunk: &'a str) {
    if text.is_empty() {
        *text = Cow::Borrowed(chunk);
        return;
    }
    let text = text.to_mut();
    match breaks {
        0 | 1 => text.push(' '),
        more => text.extend(std::iter::repeat_n('\n', more - 1)),
    }
    text.push_str(chunk);
}
