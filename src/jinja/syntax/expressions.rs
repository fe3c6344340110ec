//! Tokens to a tree: the expressions, with the precedences of Jinja2.

use std::borrow::Cow;

use super::SyntaxError;
use super::ast::*;
use super::lexer::TokenKind;
use super::parser::Parser;

/// How deep an expression tree may be. Long chains of attributes, calls and filters count as depth.
const MAX_DEPTH: u16 = 300;
/// How many arguments a call may have.
const MAX_ARGUMENTS: usize = 1500;

type Parsed<'s> = Result<Expr<'s>, SyntaxError>;

impl<'s> Parser<'s> {
    /// Makes an expression that starts at `at` and ends before the next token, deeper than its deepest part.
    fn make(&self, kind: ExprKind<'s>, at: u32, deepest: u16) -> Parsed<'s> {
        if deepest >= MAX_DEPTH {
            return Err(SyntaxError::new("this expression is too long or nests too deep", at as usize));
        }
        Ok(Expr { kind, at, end: self.last_end(), depth: deepest + 1 })
    }

    fn make_list(
        &self,
        make: impl FnOnce(Vec<Expr<'s>>) -> ExprKind<'s>,
        items: Vec<Expr<'s>>,
        at: u32,
    ) -> Parsed<'s> {
        let deepest = items.iter().map(|item| item.depth).max().unwrap_or(0);
        self.make(make(items), at, deepest)
    }

    /// One expression, or several with commas between them, which make a tuple.
    pub(super) fn tuple(&mut self, conditional: bool) -> Parsed<'s> {
        let at = self.at();
        let first = if conditional { self.expression()? } else { self.nested(Self::or)? };
        if !self.is_op(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_op(",") {
            let ended = match self.peek() {
                TokenKind::OutputEnd | TokenKind::TagEnd | TokenKind::End => true,
                TokenKind::Op(op) => *op == ")",
                TokenKind::Name(name) => !conditional && matches!(*name, "recursive" | "if"),
                _ => false,
            };
            if ended {
                break;
            }
            items.push(if conditional { self.expression()? } else { self.nested(Self::or)? });
        }
        self.make_list(ExprKind::Tuple, items, at)
    }

    /// An expression: `value if condition else other` and everything below it.
    pub(super) fn expression(&mut self) -> Parsed<'s> {
        self.nested(|parser| {
            let at = parser.at();
            let mut value = parser.or()?;
            while parser.skip_name("if") {
                let condition = parser.or()?;
                let otherwise =
                    if parser.skip_name("else") { Some(Box::new(parser.expression()?)) } else { None };
                let deepest = value.depth.max(condition.depth).max(otherwise.as_ref().map_or(0, |o| o.depth));
                let kind = ExprKind::If { condition: Box::new(condition), value: Box::new(value), otherwise };
                value = parser.make(kind, at, deepest)?;
            }
            Ok(value)
        })
    }

    fn or(&mut self) -> Parsed<'s> {
        let at = self.at();
        let first = self.and()?;
        if !self.is_name("or") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_name("or") {
            items.push(self.and()?);
        }
        self.make_list(ExprKind::Or, items, at)
    }

    fn and(&mut self) -> Parsed<'s> {
        let at = self.at();
        let first = self.not()?;
        if !self.is_name("and") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_name("and") {
            items.push(self.not()?);
        }
        self.make_list(ExprKind::And, items, at)
    }

    fn not(&mut self) -> Parsed<'s> {
        let at = self.at();
        if self.is_name("not") && !matches!(self.peek_second(), TokenKind::Name("in")) {
            self.next();
            let value = self.nested(Self::not)?;
            let depth = value.depth;
            return self.make(ExprKind::Not(Box::new(value)), at, depth);
        }
        self.compare()
    }

    fn compare(&mut self) -> Parsed<'s> {
        let at = self.at();
        let mut items = vec![self.sum()?];
        let mut operators = Vec::new();
        loop {
            let operator = match *self.peek() {
                TokenKind::Op(op @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => op,
                TokenKind::Name("in") => "in",
                TokenKind::Name("not") if matches!(self.peek_second(), TokenKind::Name("in")) => {
                    self.next();
                    "not in"
                }
                _ => break,
            };
            self.next();
            operators.push(operator);
            items.push(self.sum()?);
        }
        if operators.is_empty()
            && let Some(only) = items.pop()
        {
            return Ok(only);
        }
        self.make_list(|items| ExprKind::Compare(items, operators), items, at)
    }

    /// Operands of one precedence level, joined by any of its operators.
    fn arithmetic(&mut self, known: &[&str], operand: fn(&mut Self) -> Parsed<'s>) -> Parsed<'s> {
        let at = self.at();
        let first = operand(self)?;
        let mut items = vec![first];
        let mut operators = Vec::new();
        while let TokenKind::Op(op) = *self.peek()
            && known.contains(&op)
        {
            self.next();
            operators.push(op);
            items.push(operand(self)?);
        }
        if operators.is_empty()
            && let Some(only) = items.pop()
        {
            return Ok(only);
        }
        self.make_list(|items| ExprKind::Arithmetic(items, operators), items, at)
    }

    fn sum(&mut self) -> Parsed<'s> {
        self.arithmetic(&["+", "-"], Self::concat)
    }

    fn concat(&mut self) -> Parsed<'s> {
        let at = self.at();
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_op("~") {
            items.push(self.product()?);
        }
        self.make_list(ExprKind::Concat, items, at)
    }

    fn product(&mut self) -> Parsed<'s> {
        self.arithmetic(&["*", "/", "//", "%"], Self::power)
    }

    fn power(&mut self) -> Parsed<'s> {
        self.arithmetic(&["**"], |parser| parser.unary(true))
    }

    fn unary(&mut self, with_filters: bool) -> Parsed<'s> {
        let at = self.at();
        let mut value = match *self.peek() {
            TokenKind::Op(sign @ ("-" | "+")) => {
                self.next();
                let value = self.nested(|parser| parser.unary(false))?;
                let depth = value.depth;
                let value = Box::new(value);
                let kind = if sign == "-" { ExprKind::Neg(value) } else { ExprKind::Pos(value) };
                self.make(kind, at, depth)?
            }
            _ => self.primary()?,
        };
        value = self.postfix(value)?;
        if with_filters { self.filters(value) } else { Ok(value) }
    }

    fn primary(&mut self) -> Parsed<'s> {
        let token = self.next();
        let at = token.at;
        let kind = match token.kind {
            TokenKind::Name("true" | "True") => ExprKind::Bool(true),
            TokenKind::Name("false" | "False") => ExprKind::Bool(false),
            TokenKind::Name("none" | "None") => ExprKind::None,
            TokenKind::Name(name) => ExprKind::Name(name),
            TokenKind::Int(text) => ExprKind::Int(text),
            TokenKind::Float(text) => ExprKind::Float(text),
            TokenKind::Str(text) => self.adjacent_strings(text),
            TokenKind::Op("(") => return self.parenthesized(at),
            TokenKind::Op("[") => {
                let items = self.items("]")?;
                return self.make_list(ExprKind::List, items, at);
            }
            TokenKind::Op("{") => return self.dict(at),
            other => {
                let found = other.describe();
                return Err(SyntaxError::new(format!("unexpected {found}, expected a value"), at as usize));
            }
        };
        self.make(kind, at, 0)
    }

    fn adjacent_strings(&mut self, first: Cow<'s, str>) -> ExprKind<'s> {
        let mut text = first;
        while matches!(self.peek(), TokenKind::Str(_)) {
            if let TokenKind::Str(more) = self.next().kind {
                text.to_mut().push_str(&more);
            }
        }
        ExprKind::Str(text)
    }

    fn parenthesized(&mut self, at: u32) -> Parsed<'s> {
        if self.skip_op(")") {
            return self.make(ExprKind::Tuple(Vec::new()), at, 0);
        }
        let mut value = self.nested(|parser| parser.tuple(true))?;
        self.expect_op(")")?;
        value.at = at;
        value.end = self.last_end();
        Ok(value)
    }

    fn items(&mut self, close: &str) -> Result<Vec<Expr<'s>>, SyntaxError> {
        let mut items = Vec::new();
        while !self.skip_op(close) {
            if !items.is_empty() {
                self.expect_op(",")?;
                if self.skip_op(close) {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        Ok(items)
    }

    fn dict(&mut self, at: u32) -> Parsed<'s> {
        let mut pairs: Vec<(Expr<'s>, Expr<'s>)> = Vec::new();
        while !self.skip_op("}") {
            if !pairs.is_empty() {
                self.expect_op(",")?;
                if self.skip_op("}") {
                    break;
                }
            }
            let key = self.expression()?;
            self.expect_op(":")?;
            pairs.push((key, self.expression()?));
        }
        let deepest = pairs.iter().map(|(key, value)| key.depth.max(value.depth)).max().unwrap_or(0);
        self.make(ExprKind::Dict(pairs), at, deepest)
    }

    /// Attributes, subscripts and calls behind a value.
    fn postfix(&mut self, mut value: Expr<'s>) -> Parsed<'s> {
        loop {
            let (at, depth) = (value.at, value.depth);
            if self.skip_op(".") {
                value = match *self.peek() {
                    TokenKind::Name(name) => {
                        self.next();
                        self.make(ExprKind::Attr(Box::new(value), name), at, depth)?
                    }
                    TokenKind::Int(text) => {
                        let index_at = self.next().at;
                        let index = self.make(ExprKind::Int(text), index_at, 0)?;
                        self.make(ExprKind::Item(Box::new(value), Box::new(index)), at, depth)?
                    }
                    _ => return Err(self.unexpected("a name or a number after '.'")),
                };
            } else if self.skip_op("[") {
                value = self.subscript(value)?;
            } else if self.is_op("(") {
                let args = self.call_args()?;
                value = self.with_args(value, args, |value, args| ExprKind::Call(Box::new(value), args))?;
            } else {
                return Ok(value);
            }
        }
    }

    fn with_args(
        &mut self,
        value: Expr<'s>,
        args: Args<'s>,
        make: impl FnOnce(Expr<'s>, Args<'s>) -> ExprKind<'s>,
    ) -> Parsed<'s> {
        let deepest = args.expressions().map(|arg| arg.depth).max().unwrap_or(0).max(value.depth);
        let at = value.at;
        self.make(make(value, args), at, deepest)
    }

    fn subscript(&mut self, value: Expr<'s>) -> Parsed<'s> {
        let at = value.at;
        let mut parts: Vec<Option<Box<Expr<'s>>>> = Vec::new();
        let mut items = Vec::new();
        let first_at = self.at();
        // A colon makes a slice, a comma a tuple; both at once have no meaning for any value here.
        loop {
            if self.is_op(":") || self.is_op("]") {
                parts.push(None);
            } else {
                parts.push(Some(Box::new(self.expression()?)));
            }
            if parts.len() < 3 && self.skip_op(":") {
                continue;
            }
            break;
        }
        if parts.len() == 1
            && let Some(Some(first)) = parts.pop()
        {
            items.push(*first);
            while self.skip_op(",") {
                if self.is_op("]") {
                    break;
                }
                items.push(self.expression()?);
            }
            self.expect_op("]")?;
            let index = match (items.len(), items.pop()) {
                (1, Some(only)) => only,
                (_, last) => {
                    items.extend(last);
                    self.make_list(ExprKind::Tuple, items, first_at)?
                }
            };
            let deepest = value.depth.max(index.depth);
            return self.make(ExprKind::Item(Box::new(value), Box::new(index)), at, deepest);
        }
        if parts.is_empty() {
            return Err(SyntaxError::new("expected an index between '[' and ']'", first_at as usize));
        }
        self.expect_op("]")?;
        let deepest = parts.iter().flatten().map(|part| part.depth).max().unwrap_or(0).max(value.depth);
        parts.resize_with(3, || None);
        let mut parts = parts.into_iter();
        let mut next = || parts.next().flatten();
        let slice = [next(), next(), next()];
        self.make(ExprKind::Slice(Box::new(value), slice), at, deepest)
    }

    /// Filters and tests behind a value.
    fn filters(&mut self, mut value: Expr<'s>) -> Parsed<'s> {
        loop {
            if self.skip_op("|") {
                let name = self.dotted_name()?;
                let args = if self.is_op("(") { self.call_args()? } else { Args::default() };
                value =
                    self.with_args(value, args, |value, args| ExprKind::Filter(Box::new(value), name, args))?;
            } else if self.skip_name("is") {
                let negated = self.skip_name("not");
                let name = self.dotted_name()?;
                let args = self.test_args()?;
                value = self.with_args(value, args, |value, args| {
                    ExprKind::Test(Box::new(value), name, args, negated)
                })?;
            } else if self.is_op("(") {
                // `x|filter(…)(…)`: calls what the filter gave.
                let args = self.call_args()?;
                value = self.with_args(value, args, |value, args| ExprKind::Call(Box::new(value), args))?;
            } else {
                return Ok(value);
            }
        }
    }

    /// The arguments of a test: in brackets, or one bare value as in `is divisibleby 3`.
    fn test_args(&mut self) -> Result<Args<'s>, SyntaxError> {
        if self.is_op("(") {
            return self.call_args();
        }
        let bare = match self.peek() {
            TokenKind::Name(name) => {
                !matches!(*name, "else" | "or" | "and" | "if" | "in" | "not" | "recursive")
            }
            TokenKind::Str(_) | TokenKind::Int(_) | TokenKind::Float(_) => true,
            TokenKind::Op(op) => matches!(*op, "[" | "{"),
            _ => false,
        };
        if !bare {
            return Ok(Args::default());
        }
        if self.is_name("is") {
            let message = "tests cannot be chained with 'is': write 'x is a and x is b'";
            return Err(SyntaxError::new(message, self.at() as usize));
        }
        let value = self.nested(Self::primary)?;
        let value = self.postfix(value)?;
        Ok(Args { positional: vec![value], ..Args::default() })
    }

    /// The name of a filter or test; dots may be in it.
    pub(super) fn dotted_name(&mut self) -> Result<&'s str, SyntaxError> {
        let (name, at) = self.expect_name()?;
        if self.is_op(".") {
            return Err(SyntaxError::new(format!("no filter or test is named '{name}.…'"), at as usize));
        }
        Ok(name)
    }

    /// `(a, *b, c=d, **e)`
    pub(super) fn call_args(&mut self) -> Result<Args<'s>, SyntaxError> {
        let open = self.at() as usize;
        self.expect_op("(")?;
        let mut args = Args::default();
        let mut first = true;
        while !self.skip_op(")") {
            if !first {
                self.expect_op(",")?;
                if self.skip_op(")") {
                    break;
                }
            }
            first = false;
            self.argument(&mut args)?;
            if args.positional.len() + args.named.len() > MAX_ARGUMENTS {
                return Err(SyntaxError::new(format!("more than {MAX_ARGUMENTS} arguments"), open));
            }
        }
        Ok(args)
    }

    fn argument(&mut self, args: &mut Args<'s>) -> Result<(), SyntaxError> {
        let at = self.at() as usize;
        let misplaced =
            |what: &str| Err(SyntaxError::new(format!("{what} must come before keyword arguments"), at));
        if self.skip_op("**") {
            if args.double_star.is_some() {
                return Err(SyntaxError::new("only one '**' argument is allowed", at));
            }
            args.double_star = Some(Box::new(self.expression()?));
        } else if self.skip_op("*") {
            if args.star.is_some() {
                return Err(SyntaxError::new("only one '*' argument is allowed", at));
            }
            if args.double_star.is_some() {
                return misplaced("'*'");
            }
            args.star = Some(Box::new(self.expression()?));
        } else if let (TokenKind::Name(name), TokenKind::Op("=")) = (self.peek(), self.peek_second()) {
            let name = *name;
            if args.double_star.is_some() {
                return misplaced("keyword arguments after '**' are not allowed; they");
            }
            self.next();
            self.next();
            let value = self.expression()?;
            args.named.push((name, value));
        } else {
            if !args.named.is_empty() || args.star.is_some() || args.double_star.is_some() {
                return misplaced("positional arguments");
            }
            args.positional.push(self.expression()?);
        }
        Ok(())
    }
}
