//! Tokens to a tree: the statements.

use std::borrow::Cow;

use super::SyntaxError;
use super::ast::*;
use super::lexer::{Token, TokenKind, tokenize, tokenize_expression};
use crate::text::nearest;

/// How deep a template may nest. Python's own limits for compiled templates are in this region.
const MAX_NESTING: usize = 100;
/// Stack that a level must find, and how much is allocated if it does not.
const STACK_OF_A_LEVEL: usize = 128 * 1024;
const STACK_GROWTH: usize = 2 * 1024 * 1024;
/// How many `elif` branches an `if` may have.
const MAX_BRANCHES: usize = 500;

/// Parses a template (already [normalized](super::normalize)).
pub fn parse(source: &str) -> Result<Vec<Stmt<'_>>, SyntaxError> {
    let tokens = tokenize(source)?;
    let mut parser = Parser::new(tokens);
    let (body, end) = parser.body(&[])?;
    debug_assert!(end.is_none());
    Ok(body)
}

/// Parses an expression (or several with commas between them), given without delimiters.
pub fn parse_expression(source: &str) -> Result<Expr<'_>, SyntaxError> {
    let mut parser = Parser::new(tokenize_expression(source)?);
    let value = parser.tuple(true)?;
    parser.expect_end()?;
    Ok(value)
}

/// Parses the opening tag of a definition, given as the text between `{%` and `%}`, such as
/// `macro name(a, b=1)`: the definition without its body.
pub fn parse_definition_header(tag: &str) -> Result<Definition<'_>, SyntaxError> {
    let mut parser = Parser::new(tokenize_expression(tag)?);
    let keyword = parser.next();
    let kind = match keyword.kind {
        TokenKind::Name(word) => definition_kind(word),
        _ => None,
    };
    let Some(kind) = kind else {
        return Err(SyntaxError::new("this tag does not define anything", keyword.at as usize));
    };
    let definition = parser.definition_header(kind, keyword.at)?;
    parser.expect_end()?;
    Ok(definition)
}

fn definition_kind(keyword: &str) -> Option<DefinitionKind> {
    Some(match keyword {
        "macro" => DefinitionKind::Macro,
        "test" | "data_test" => DefinitionKind::Test,
        "materialization" => DefinitionKind::Materialization,
        "docs" => DefinitionKind::Docs,
        "snapshot" => DefinitionKind::Snapshot,
        _ => return None,
    })
}

/// Tags whose end tag is found by the parser.
const TAGS: [&str; 17] = [
    "if",
    "for",
    "set",
    "do",
    "call",
    "filter",
    "with",
    "macro",
    "test",
    "data_test",
    "materialization",
    "docs",
    "snapshot",
    "break",
    "continue",
    "print",
    "autoescape",
];

pub(super) struct Parser<'s> {
    tokens: Vec<Token<'s>>,
    position: usize,
    nesting: usize,
    loops: usize,
    /// Open tags, for the messages about missing end tags.
    open: Vec<(&'s str, u32)>,
}

impl<'s> Parser<'s> {
    fn new(tokens: Vec<Token<'s>>) -> Self {
        Parser { tokens, position: 0, nesting: 0, loops: 0, open: Vec::new() }
    }

    pub(super) fn peek(&self) -> &TokenKind<'s> {
        &self.tokens[self.position].kind
    }

    /// The token after the next one.
    pub(super) fn peek_second(&self) -> &TokenKind<'s> {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.position + 1).min(last)].kind
    }

    pub(super) fn at(&self) -> u32 {
        self.tokens[self.position].at
    }

    /// Where the token before the next one ended.
    pub(super) fn last_end(&self) -> u32 {
        self.tokens[self.position.saturating_sub(1)].end
    }

    /// Takes the next token; [`TokenKind::End`] stays.
    pub(super) fn next(&mut self) -> Token<'s> {
        let last = self.tokens.len() - 1;
        if self.position == last {
            return self.tokens[last].clone();
        }
        let token = &mut self.tokens[self.position];
        let (at, end) = (token.at, token.end);
        let kind = std::mem::replace(&mut token.kind, TokenKind::End);
        self.position += 1;
        Token { kind, at, end }
    }

    pub(super) fn skip_op(&mut self, op: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Op(next) if *next == op);
        if found {
            self.position += 1;
        }
        found
    }

    pub(super) fn is_op(&self, op: &str) -> bool {
        matches!(self.peek(), TokenKind::Op(next) if *next == op)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), TokenKind::Name(next) if *next == name)
    }

    pub(super) fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        if found {
            self.position += 1;
        }
        found
    }

    pub(super) fn unexpected(&self, expected: &str) -> SyntaxError {
        let found = self.peek().describe();
        SyntaxError::new(format!("unexpected {found}, expected {expected}"), self.at() as usize)
    }

    pub(super) fn expect_op(&mut self, op: &str) -> Result<(), SyntaxError> {
        if self.skip_op(op) { Ok(()) } else { Err(self.unexpected(&format!("'{op}'"))) }
    }

    pub(super) fn expect_name(&mut self) -> Result<(&'s str, u32), SyntaxError> {
        match *self.peek() {
            TokenKind::Name(name) => Ok((name, self.next().at)),
            _ => Err(self.unexpected("a name")),
        }
    }

    fn expect_end(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            TokenKind::End => Ok(()),
            _ => Err(self.unexpected("the end of the tag")),
        }
    }

    fn expect_tag_end(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            TokenKind::TagEnd => {
                self.position += 1;
                Ok(())
            }
            _ => Err(self.unexpected("'%}'")),
        }
    }

    /// Runs a step one nesting level deeper.
    pub(super) fn nested<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.nesting == MAX_NESTING {
            let message = format!("this template nests deeper than {MAX_NESTING} levels");
            return Err(SyntaxError::new(message, self.at() as usize));
        }
        self.nesting += 1;
        let result = stacker::maybe_grow(STACK_OF_A_LEVEL, STACK_GROWTH, || step(self));
        self.nesting -= 1;
        result
    }

    /// Statements up to one of the end tags, whose name is returned with the place of its tag. The parser then
    /// stands behind that name. With no end tags: up to the end of the template.
    fn body(&mut self, ends: &[&str]) -> Result<(Vec<Stmt<'s>>, Option<&'s str>), SyntaxError> {
        let mut body = Vec::new();
        loop {
            let token = self.next();
            match token.kind {
                TokenKind::Data(text) => body.push(Stmt::Data(text, token.at)),
                TokenKind::OutputBegin => {
                    let value = self.tuple(true)?;
                    if !matches!(self.peek(), TokenKind::OutputEnd) {
                        return Err(self.unexpected("'}}'"));
                    }
                    self.position += 1;
                    body.push(Stmt::Output(value));
                }
                TokenKind::TagBegin => {
                    let (name, at) = match *self.peek() {
                        TokenKind::Name(name) => (name, self.at()),
                        _ => return Err(self.unexpected("the name of a tag")),
                    };
                    self.position += 1;
                    if ends.contains(&name) {
                        return Ok((body, Some(name)));
                    }
                    let statement = self.nested(|parser| parser.statement(name, at))?;
                    body.extend(statement);
                    self.expect_tag_end()?;
                }
                _ => return Ok((body, None)),
            }
        }
    }

    /// The body of a tag, from the end of its opening tag to and with the name of its end tag.
    fn block(
        &mut self,
        tag: &'s str,
        at: u32,
        ends: &[&str],
    ) -> Result<(Vec<Stmt<'s>>, &'s str), SyntaxError> {
        // A colon at the end of an opening tag is let pass, for those who come from Python.
        self.skip_op(":");
        self.expect_tag_end()?;
        self.open.push((tag, at));
        let (body, end) = self.body(ends)?;
        self.open.pop();
        match end {
            Some(end) => Ok((body, end)),
            None => Err(unclosed(tag, at, ends)),
        }
    }

    fn statement(&mut self, tag: &'s str, at: u32) -> Result<Option<Stmt<'s>>, SyntaxError> {
        Ok(Some(match tag {
            "if" => self.if_statement(at)?,
            "for" => self.for_statement(at)?,
            "set" => self.set_statement(at)?,
            "do" => Stmt::Do(self.tuple(true)?),
            "print" => Stmt::Output(self.tuple(true)?),
            "call" => self.call_block(at)?,
            "filter" => {
                let filters = self.filter_chain()?;
                let (body, _) = self.block(tag, at, &["endfilter"])?;
                Stmt::Filter { filters, body }
            }
            "with" => self.with_statement(at)?,
            "autoescape" => {
                self.expression()?;
                let (body, _) = self.block(tag, at, &["endautoescape"])?;
                Stmt::With { bindings: Vec::new(), body }
            }
            "break" | "continue" => {
                if self.loops == 0 {
                    return Err(SyntaxError::new(format!("'{tag}' outside of a loop"), at as usize));
                }
                if tag == "break" { Stmt::Break } else { Stmt::Continue }
            }
            "include" | "import" | "from" | "extends" | "block" => {
                return Err(SyntaxError::new(format!("the tag '{tag}' is not available here"), at as usize)
                    .help("put shared code into a macro and call it by its name"));
            }
            _ => match definition_kind(tag) {
                Some(kind) => Stmt::Define(self.define(tag, kind, at)?),
                None => return Err(self.unknown_tag(tag, at)),
            },
        }))
    }

    fn unknown_tag(&self, tag: &str, at: u32) -> SyntaxError {
        let error = SyntaxError::new(format!("unknown tag '{tag}'"), at as usize);
        if tag.starts_with("end") || matches!(tag, "else" | "elif") {
            let message = match self.open.last() {
                Some((open, _)) => format!("unexpected '{tag}': the innermost open tag is '{open}'"),
                None => format!("unexpected '{tag}': no tag is open here"),
            };
            return SyntaxError::new(message, at as usize);
        }
        match nearest(tag, TAGS.iter().copied()) {
            Some(known) => error.help(format!("did you mean '{known}'?")),
            None => error,
        }
    }

    fn if_statement(&mut self, at: u32) -> Result<Stmt<'s>, SyntaxError> {
        let mut branches = Vec::new();
        loop {
            if branches.len() == MAX_BRANCHES {
                return Err(SyntaxError::new(
                    format!("more than {MAX_BRANCHES} branches in this 'if'"),
                    at as usize,
                ));
            }
            let condition = self.tuple(false)?;
            let (body, end) = self.block("if", at, &["elif", "else", "endif"])?;
            branches.push((condition, body));
            match end {
                "elif" => {}
                "else" => {
                    let (body, _) = self.block("if", at, &["endif"])?;
                    return Ok(Stmt::If { branches, otherwise: Some(body) });
                }
                _ => return Ok(Stmt::If { branches, otherwise: None }),
            }
        }
    }

    fn for_statement(&mut self, at: u32) -> Result<Stmt<'s>, SyntaxError> {
        let target = self.targets(false)?;
        if !self.skip_name("in") {
            return Err(self.unexpected("'in'"));
        }
        let iterable = self.tuple(false)?;
        let condition = if self.skip_name("if") { Some(self.expression()?) } else { None };
        let recursive = self.skip_name("recursive");
        self.loops += 1;
        let (body, end) = self.block("for", at, &["endfor", "else"])?;
        self.loops -= 1;
        let otherwise = if end == "else" { Some(self.block("for", at, &["endfor"])?.0) } else { None };
        Ok(Stmt::For(Box::new(For { target, iterable, condition, recursive, body, otherwise })))
    }

    fn set_statement(&mut self, at: u32) -> Result<Stmt<'s>, SyntaxError> {
        let target = self.targets(true)?;
        if self.skip_op("=") {
            return Ok(Stmt::Set { target, value: self.tuple(true)? });
        }
        let filters = if self.skip_op("|") { self.filter_chain()? } else { Vec::new() };
        let (body, _) = self.block("set", at, &["endset"])?;
        Ok(Stmt::SetBlock { target, filters, body })
    }

    fn with_statement(&mut self, at: u32) -> Result<Stmt<'s>, SyntaxError> {
        let mut bindings = Vec::new();
        while !matches!(self.peek(), TokenKind::TagEnd | TokenKind::End) {
            if !bindings.is_empty() {
                self.expect_op(",")?;
            }
            let target = self.single_target(false)?;
            self.expect_op("=")?;
            bindings.push((target, self.expression()?));
        }
        let (body, _) = self.block("with", at, &["endwith"])?;
        Ok(Stmt::With { bindings, body })
    }

    fn call_block(&mut self, at: u32) -> Result<Stmt<'s>, SyntaxError> {
        let params = if self.is_op("(") { self.params()? } else { Vec::new() };
        let call = self.expression()?;
        if !matches!(call.kind, ExprKind::Call(..)) {
            return Err(SyntaxError::new("expected a call after 'call'", call.at as usize));
        }
        let loops = std::mem::take(&mut self.loops);
        let (body, _) = self.block("call", at, &["endcall"])?;
        self.loops = loops;
        Ok(Stmt::CallBlock { params, call, body, at })
    }

    fn filter_chain(&mut self) -> Result<Vec<FilterCall<'s>>, SyntaxError> {
        let mut filters = Vec::new();
        loop {
            let at = self.at();
            let name = self.dotted_name()?;
            let args = if self.is_op("(") { self.call_args()? } else { Args::default() };
            filters.push(FilterCall { name, args, at });
            if !self.skip_op("|") {
                return Ok(filters);
            }
        }
    }

    fn define(&mut self, tag: &'s str, kind: DefinitionKind, at: u32) -> Result<Definition<'s>, SyntaxError> {
        let mut definition = self.definition_header(kind, at)?;
        let end = format!("end{tag}");
        let loops = std::mem::take(&mut self.loops);
        definition.body = self.block(tag, at, &[end.as_str()])?.0;
        self.loops = loops;
        Ok(definition)
    }

    /// What follows the keyword of a definition, up to the end of its tag.
    fn definition_header(&mut self, kind: DefinitionKind, at: u32) -> Result<Definition<'s>, SyntaxError> {
        let (written, name_at) = self.expect_name()?;
        reject_constant(written, name_at)?;
        let (name, params) = match kind {
            DefinitionKind::Macro => (Cow::Borrowed(written), self.params()?),
            DefinitionKind::Test => (Cow::Owned(format!("test_{written}")), self.params()?),
            DefinitionKind::Docs | DefinitionKind::Snapshot => (Cow::Borrowed(written), Vec::new()),
            DefinitionKind::Materialization => self.materialization(written)?,
        };
        Ok(Definition { kind, name, params, body: Vec::new(), at })
    }

    fn materialization(&mut self, written: &str) -> Result<(Cow<'s, str>, Vec<Param<'s>>), SyntaxError> {
        let mut adapter = Cow::Borrowed("default");
        let mut params = Vec::new();
        while self.skip_op(",") {
            let (option, at) = self.expect_name()?;
            match option {
                "default" => {}
                "adapter" => {
                    self.expect_op("=")?;
                    let value = self.expression()?;
                    let ExprKind::Str(text) = value.kind else {
                        let message = "the adapter of a materialization is a string";
                        return Err(SyntaxError::new(message, value.at as usize));
                    };
                    adapter = text;
                }
                "supported_languages" => {
                    self.expect_op("=")?;
                    params.push(Param { name: option, default: Some(self.expression()?) });
                }
                _ => {
                    let message = format!("materialization '{written}' has an unknown argument '{option}'");
                    return Err(SyntaxError::new(message, at as usize)
                        .help("known arguments are default, adapter='…' and supported_languages=[…]"));
                }
            }
        }
        Ok((Cow::Owned(format!("materialization_{written}_{adapter}")), params))
    }

    /// `(a, b=1, c: type = 2)`
    fn params(&mut self) -> Result<Vec<Param<'s>>, SyntaxError> {
        self.expect_op("(")?;
        let mut params: Vec<Param<'s>> = Vec::new();
        while !self.skip_op(")") {
            if !params.is_empty() {
                self.expect_op(",")?;
            }
            let (name, at) = self.expect_name()?;
            reject_constant(name, at)?;
            if self.skip_op(":") {
                self.type_name()?;
            }
            let default = if self.skip_op("=") { Some(self.expression()?) } else { None };
            if default.is_none() && params.last().is_some_and(|param| param.default.is_some()) {
                let message = format!("parameter '{name}' has no default, but the one before it has");
                return Err(SyntaxError::new(message, at as usize));
            }
            params.push(Param { name, default });
        }
        Ok(params)
    }

    /// A type annotation of a parameter, such as `list[string]`; it has no meaning yet.
    fn type_name(&mut self) -> Result<(), SyntaxError> {
        self.nested(|parser| {
            parser.expect_name()?;
            if parser.skip_op("[") {
                while !parser.skip_op("]") {
                    parser.type_name()?;
                    if !parser.is_op("]") {
                        parser.expect_op(",")?;
                    }
                }
            }
            Ok(())
        })
    }

    /// One or more targets separated by commas.
    fn targets(&mut self, attributes: bool) -> Result<Target<'s>, SyntaxError> {
        let at = self.at();
        let first = self.single_target(attributes)?;
        if !self.is_op(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_op(",") {
            if !matches!(self.peek(), TokenKind::Name(name) if *name != "in") && !self.is_op("(") {
                break;
            }
            items.push(self.single_target(attributes)?);
        }
        Ok(Target::Tuple(items, at))
    }

    fn single_target(&mut self, attributes: bool) -> Result<Target<'s>, SyntaxError> {
        if self.is_op("(") || self.is_op("[") {
            let close = if self.is_op("(") { ")" } else { "]" };
            self.position += 1;
            let target = self.nested(|parser| parser.targets(attributes))?;
            self.expect_op(close)?;
            return Ok(target);
        }
        let (name, at) = self.expect_name()?;
        reject_constant(name, at)?;
        if attributes && self.skip_op(".") {
            let (attribute, _) = self.expect_name()?;
            return Ok(Target::Attr(name, attribute, at));
        }
        if matches!(name, "loop" | "self") {
            return Err(SyntaxError::new(format!("cannot assign to '{name}'"), at as usize));
        }
        Ok(Target::Name(name, at))
    }
}

fn reject_constant(name: &str, at: u32) -> Result<(), SyntaxError> {
    if matches!(name, "true" | "True" | "false" | "False" | "none" | "None") {
        return Err(SyntaxError::new(format!("cannot assign to '{name}'"), at as usize));
    }
    Ok(())
}

fn unclosed(tag: &str, at: u32, ends: &[&str]) -> SyntaxError {
    let end = ends.last().copied().unwrap_or_default();
    let end = if ends.contains(&"endfor") { "endfor" } else { end };
    SyntaxError::new(format!("this '{tag}' is never closed: '{{% {end} %}}' is missing"), at as usize)
}
