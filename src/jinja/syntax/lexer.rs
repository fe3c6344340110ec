//! Text to tokens, by the rules of Jinja2: tags, whitespace control, raw blocks, comments, literals.

use std::borrow::Cow;

use super::SyntaxError;

/// A token and where it starts in the template (a byte offset).
#[derive(Debug, Clone, PartialEq)]
pub struct Token<'s> {
    pub kind: TokenKind<'s>,
    pub at: u32,
    pub end: u32,
}

/// What a token is. Operators carry their spelling.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind<'s> {
    Data(Cow<'s, str>),
    OutputBegin,
    OutputEnd,
    TagBegin,
    TagEnd,
    Name(&'s str),
    Str(Cow<'s, str>),
    Int(&'s str),
    Float(&'s str),
    Op(&'static str),
    End,
}

impl TokenKind<'_> {
    /// How an error message names the token.
    pub fn describe(&self) -> String {
        match self {
            TokenKind::Data(_) => "template text".into(),
            TokenKind::OutputBegin => "'{{'".into(),
            TokenKind::OutputEnd => "'}}'".into(),
            TokenKind::TagBegin => "'{%'".into(),
            TokenKind::TagEnd => "'%}'".into(),
            TokenKind::Name(name) => format!("'{name}'"),
            TokenKind::Str(_) => "a string".into(),
            TokenKind::Int(text) | TokenKind::Float(text) => format!("number {text}"),
            TokenKind::Op(op) => format!("'{op}'"),
            TokenKind::End => "the end of the template".into(),
        }
    }
}

/// Longest first, so that `**` is not read as two `*`.
const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|", ",", ";",
];

/// Cuts a template into tokens; the last one is [`TokenKind::End`].
///
/// `source` has its line ends normalized to `\n` and its one trailing newline removed by the caller.
/// Errors: unclosed tags, comments, strings and raw blocks, unbalanced brackets, characters that
/// Jinja does not know.
pub fn tokenize(source: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut lexer =
        Lexer { source, position: 0, tokens: Vec::with_capacity(source.len() / 8 + 8), brackets: Vec::new() };
    lexer.template()?;
    let at = source.len() as u32;
    lexer.tokens.push(Token { kind: TokenKind::End, at, end: at });
    Ok(lexer.tokens)
}

/// Cuts the inside of one tag, given without its delimiters.
pub fn tokenize_expression(source: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut lexer = Lexer { source, position: 0, tokens: Vec::with_capacity(16), brackets: Vec::new() };
    while !lexer.skip_whitespace() {
        lexer.expression_token()?;
    }
    let at = source.len() as u32;
    lexer.tokens.push(Token { kind: TokenKind::End, at, end: at });
    Ok(lexer.tokens)
}

struct Lexer<'s> {
    source: &'s str,
    position: usize,
    tokens: Vec<Token<'s>>,
    /// Closing brackets still to come, with the place of their opening ones.
    brackets: Vec<(&'static str, usize)>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    fn push(&mut self, kind: TokenKind<'s>, start: usize) {
        self.tokens.push(Token { kind, at: start as u32, end: self.position as u32 });
    }

    fn push_data(&mut self, start: usize, end: usize, strip_right: bool) {
        let mut text = &self.source[start..end];
        if strip_right {
            text = text.trim_end();
        }
        if !text.is_empty() {
            let kind = TokenKind::Data(Cow::Borrowed(text));
            self.tokens.push(Token { kind, at: start as u32, end: (start + text.len()) as u32 });
        }
    }

    fn template(&mut self) -> Result<(), SyntaxError> {
        while self.position < self.source.len() {
            let start = self.position;
            let Some(tag) = find_tag(self.source, start) else {
                self.push_data(start, self.source.len(), false);
                self.position = self.source.len();
                break;
            };
            let bytes = self.source.as_bytes();
            let sign = bytes.get(tag + 2).copied().filter(|byte| matches!(byte, b'-' | b'+'));
            self.push_data(start, tag, sign == Some(b'-'));
            self.position = tag + 2 + usize::from(sign.is_some());
            match bytes[tag + 1] {
                b'{' => self.tag(tag, TokenKind::OutputBegin)?,
                b'#' => self.comment(tag)?,
                _ => match raw_tag_end(self.rest(), "raw") {
                    Some(length) => self.raw(tag, length)?,
                    None => self.tag(tag, TokenKind::TagBegin)?,
                },
            }
        }
        Ok(())
    }

    fn comment(&mut self, start: usize) -> Result<(), SyntaxError> {
        // The sign after `{#` may itself be the sign before `#}`, as in `{#-#}`.
        let body = start + 2;
        let Some(length) = self.source[body..].find("#}") else {
            return Err(SyntaxError::new("this comment is never closed: '#}' is missing", start));
        };
        let end = body + length;
        self.position = end + 2;
        if length > 0 && self.source.as_bytes()[end - 1] == b'-' {
            self.skip_whitespace();
        }
        Ok(())
    }

    fn raw(&mut self, start: usize, tag_length: usize) -> Result<(), SyntaxError> {
        let stripped = self.source.as_bytes()[self.position + tag_length - 3] == b'-';
        self.position += tag_length;
        if stripped {
            self.skip_whitespace();
        }
        let body = self.position;
        let mut search = body;
        while let Some(found) = self.source[search..].find("{%") {
            let tag = search + found;
            let sign = self.source.as_bytes().get(tag + 2).copied().filter(|b| matches!(b, b'-' | b'+'));
            let inner = tag + 2 + usize::from(sign.is_some());
            if let Some(length) = raw_tag_end(&self.source[inner..], "endraw") {
                self.push_data(body, tag, sign == Some(b'-'));
                let strip_after = self.source.as_bytes()[inner + length - 3] == b'-';
                self.position = inner + length;
                if strip_after {
                    self.skip_whitespace();
                }
                return Ok(());
            }
            search = tag + 2;
        }
        Err(SyntaxError::new("this raw block is never closed: '{% endraw %}' is missing", start))
    }

    fn tag(&mut self, start: usize, begin: TokenKind<'s>) -> Result<(), SyntaxError> {
        let (close, end) = match begin {
            TokenKind::OutputBegin => ("}}", TokenKind::OutputEnd),
            _ => ("%}", TokenKind::TagEnd),
        };
        self.push(begin, start);
        loop {
            if self.skip_whitespace() {
                return Err(match self.brackets.last() {
                    Some(&(bracket, at)) => {
                        SyntaxError::new(format!("this bracket is never closed: '{bracket}' is missing"), at)
                    }
                    None => {
                        SyntaxError::new(format!("this tag is never closed: '{close}' is missing"), start)
                    }
                });
            }
            if self.brackets.is_empty() {
                let rest = self.rest();
                let at = self.position;
                if rest.starts_with(close) {
                    self.position += 2;
                    self.push(end, at);
                    return Ok(());
                }
                let signed = rest.starts_with('-') || (rest.starts_with('+') && close == "%}");
                if signed && rest[1..].starts_with(close) {
                    self.position += 3;
                    self.push(end, at);
                    if rest.starts_with('-') {
                        self.skip_whitespace();
                    }
                    return Ok(());
                }
            }
            self.expression_token()?;
        }
    }

    /// Skips whitespace; true at the end of the text.
    fn skip_whitespace(&mut self) -> bool {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start().len();
        self.position == self.source.len()
    }

    fn expression_token(&mut self) -> Result<(), SyntaxError> {
        let start = self.position;
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or_default();
        if first.is_ascii_digit() {
            let (length, float) = number_length(rest, self.source[..start].ends_with('.'));
            self.position += length;
            let text = &rest[..length];
            self.push(if float { TokenKind::Float(text) } else { TokenKind::Int(text) }, start);
        } else if first == '_' || first.is_alphabetic() {
            let length = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
            self.position += length;
            self.push(TokenKind::Name(&rest[..length]), start);
        } else if first == '"' || first == '\'' {
            self.string(first)?;
        } else if let Some(op) = OPERATORS.into_iter().find(|op| rest.starts_with(op)) {
            self.position += op.len();
            self.balance(op, start)?;
            self.push(TokenKind::Op(op), start);
        } else {
            return Err(SyntaxError::new(format!("unexpected character '{first}'"), start));
        }
        Ok(())
    }

    fn balance(&mut self, op: &'static str, start: usize) -> Result<(), SyntaxError> {
        match op {
            "(" => self.brackets.push((")", start)),
            "[" => self.brackets.push(("]", start)),
            "{" => self.brackets.push(("}", start)),
            ")" | "]" | "}" => match self.brackets.pop() {
                None => return Err(SyntaxError::new(format!("unexpected '{op}'"), start)),
                Some((expected, _)) if expected != op => {
                    return Err(SyntaxError::new(format!("unexpected '{op}', expected '{expected}'"), start));
                }
                Some(_) => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn string(&mut self, quote: char) -> Result<(), SyntaxError> {
        let start = self.position;
        let bytes = self.source.as_bytes();
        let mut end = start + 1;
        let mut escapes = false;
        loop {
            match bytes.get(end) {
                None => {
                    return Err(SyntaxError::new(
                        format!("this string is never closed: {quote} is missing"),
                        start,
                    ));
                }
                Some(b'\\') => {
                    escapes = true;
                    end += 2;
                }
                Some(&byte) if byte == quote as u8 => break,
                Some(_) => end += 1,
            }
        }
        let text = &self.source[start + 1..end];
        self.position = end + 1;
        let text = if escapes { Cow::Owned(unescape(text, start + 1)?) } else { Cow::Borrowed(text) };
        self.push(TokenKind::Str(text), start);
        Ok(())
    }
}

/// The next `{{`, `{%` or `{#` at or after a position.
pub fn find_tag(source: &str, from: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut position = from;
    while let Some(found) = source[position..].find('{') {
        let tag = position + found;
        if matches!(bytes.get(tag + 1), Some(b'{' | b'%' | b'#')) {
            return Some(tag);
        }
        position = tag + 1;
    }
    None
}

/// If the text after `{%` and its sign is `name`, the length up to and with `%}`.
pub fn raw_tag_end(rest: &str, name: &str) -> Option<usize> {
    let inner = rest.trim_start().strip_prefix(name)?.trim_start();
    let after = inner.strip_prefix('-').or_else(|| inner.strip_prefix('+')).unwrap_or(inner);
    let after = after.strip_prefix("%}")?;
    Some(rest.len() - after.len())
}

/// The length of the number a text starts with, and whether it is a float. After a dot
/// (`x.1.2`) a number is an index and has no fraction.
fn number_length(text: &str, after_dot: bool) -> (usize, bool) {
    let bytes = text.as_bytes();
    let radix_digits: Option<fn(&u8) -> bool> = match bytes.get(1) {
        Some(b'x' | b'X') if bytes[0] == b'0' => Some(u8::is_ascii_hexdigit),
        Some(b'o' | b'O') if bytes[0] == b'0' => Some(|b| matches!(b, b'0'..=b'7')),
        Some(b'b' | b'B') if bytes[0] == b'0' => Some(|b| matches!(b, b'0' | b'1')),
        _ => None,
    };
    if let Some(is_digit) = radix_digits {
        let length = digits(bytes, 2, is_digit);
        if length > 2 {
            return (length, false);
        }
        return (1, false);
    }
    let whole = digits(bytes, 0, u8::is_ascii_digit);
    if after_dot {
        return (whole, false);
    }
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(bytes, end + 1, u8::is_ascii_digit);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(bytes, end + 1 + sign, u8::is_ascii_digit);
        }
    }
    if end == whole && bytes[0] == b'0' {
        // An integer with a leading zero is no number: `007` reads as `00` and `7`, and fails there.
        return (digits(bytes, 0, |byte| *byte == b'0'), false);
    }
    (end, end > whole)
}

/// The end of a run of digits, possibly separated by single underscores.
fn digits(bytes: &[u8], from: usize, is_digit: fn(&u8) -> bool) -> usize {
    let mut end = from;
    loop {
        match bytes.get(end) {
            Some(byte) if is_digit(byte) => end += 1,
            Some(b'_') if bytes.get(end + 1).is_some_and(is_digit) => end += 2,
            _ => return end,
        }
    }
}

/// Python's escapes in a string literal. `at` is where the text starts, for errors.
fn unescape(text: &str, at: usize) -> Result<String, SyntaxError> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(index) = rest.find('\\') {
        result.push_str(&rest[..index]);
        let escape = &rest[index + 1..];
        let code = escape.chars().next().unwrap_or('\\');
        let mut used = code.len_utf8();
        match code {
            '\n' => {}
            '\\' | '\'' | '"' => result.push(code),
            'a' => result.push('\u{7}'),
            'b' => result.push('\u{8}'),
            'f' => result.push('\u{c}'),
            'n' => result.push('\n'),
            'r' => result.push('\r'),
            't' => result.push('\t'),
            'v' => result.push('\u{b}'),
            '0'..='7' => {
                let digits = escape.bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
                used = digits;
                result.push(code_point(&escape[..digits], 8));
            }
            'x' | 'u' | 'U' => {
                let width = if code == 'x' {
                    2
                } else if code == 'u' {
                    4
                } else {
                    8
                };
                let digits = escape.get(1..1 + width).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let Some(digits) = digits else {
                    let shown = "X".repeat(width);
                    let place = at + text.len() - rest.len() + index;
                    return Err(SyntaxError::new(format!("truncated \\{code}{shown} escape"), place));
                };
                used = 1 + width;
                result.push(code_point(digits, 16));
            }
            other => {
                result.push('\\');
                result.push(other);
            }
        }
        rest = &escape[used..];
    }
    result.push_str(rest);
    Ok(result)
}

/// The character of a number in a radix; the replacement character where there is none.
fn code_point(digits: &str, radix: u32) -> char {
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
