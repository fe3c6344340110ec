//! Expressions as text for minijinja.

use super::names::mangle;
use super::{Emit, Emitter};
use crate::jinja::builtins::{is_test, known_tests};
use crate::jinja::syntax::SyntaxError;
use crate::jinja::syntax::ast::*;
use crate::jinja::syntax::walk;
use crate::jinja::values::int_literal;
use crate::text::nearest;

impl Emitter<'_> {
    /// A string literal.
    pub(super) fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                self.out.push('\\');
            }
            self.out.push(c);
        }
        self.out.push('"');
    }

    fn list(&mut self, items: &[Expr<'_>]) -> Emit {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.expr(item)?;
        }
        Ok(())
    }

    /// Emits an expression as something that filters can follow.
    pub(super) fn filterable(&mut self, expr: &Expr<'_>) -> Emit {
        self.expr(expr)
    }

    /// Emits an expression as something that attributes, subscripts and calls can follow.
    fn postfixable(&mut self, expr: &Expr<'_>) -> Emit {
        let stands_alone = matches!(
            expr.kind,
            ExprKind::Name(_)
                | ExprKind::Str(_)
                | ExprKind::Tuple(_)
                | ExprKind::Attr(..)
                | ExprKind::Item(..)
                | ExprKind::Call(..)
        );
        if stands_alone && !is_cycle(expr) {
            return self.expr(expr);
        }
        self.push("(");
        self.expr(expr)?;
        self.push(")");
        Ok(())
    }

    /// Emits an expression that binds at least as tight as a filter.
    pub(super) fn expr(&mut self, expr: &Expr<'_>) -> Emit {
        self.mark(expr.at);
        match &expr.kind {
            ExprKind::None => self.push("none"),
            ExprKind::Bool(value) => self.push(if *value { "true" } else { "false" }),
            ExprKind::Int(text) => self.int(text, expr.at)?,
            ExprKind::Float(text) => {
                let text = text.replace('_', "");
                self.push(&text);
            }
            ExprKind::Str(text) => self.string(text),
            ExprKind::Name(name) => self.push(&mangle(name)),
            ExprKind::List(items) => {
                self.push("[");
                self.list(items)?;
                self.push("]|__list");
            }
            ExprKind::Tuple(items) => {
                self.push("(");
                self.list(items)?;
                self.push(if items.is_empty() { ")" } else { ",)" });
            }
            ExprKind::Dict(pairs) => {
                self.push("[");
                for (key, value) in pairs {
                    self.expr(key)?;
                    self.push(", ");
                    self.expr(value)?;
                    self.push(", ");
                }
                self.push("]|__dict");
            }
            ExprKind::Attr(value, name) => {
                self.postfixable(value)?;
                self.mark(value.end);
                self.attribute(name);
                self.step(expr, value);
            }
            ExprKind::Item(value, index) => {
                self.postfixable(value)?;
                self.mark(value.end);
                self.push("[");
                self.expr(index)?;
                self.push("]");
                self.step(expr, value);
            }
            ExprKind::Slice(value, parts) => {
                self.filterable(value)?;
                self.mark(value.end);
                self.push("|__slice(");
                for part in parts {
                    match part {
                        Some(part) => self.expr(part)?,
                        None => self.push("none"),
                    }
                    self.push(", ");
                }
                self.push(")");
            }
            ExprKind::Call(callee, args) => self.call(callee, args, expr, None)?,
            ExprKind::Filter(value, name, args) => {
                self.filterable(value)?;
                self.push("|");
                self.filter_name(name, self.place_of(name, value.end))?;
                self.args_in_parens(args, None)?;
            }
            ExprKind::Test(value, name, args, negated) => self.test(value, name, args, *negated)?,
            ExprKind::Neg(value) => self.sign(value, "-", "__neg")?,
            ExprKind::Pos(value) => self.sign(value, "", "__pos")?,
            ExprKind::Not(value) => {
                self.push("(not ");
                self.expr(value)?;
                self.push(")");
            }
            ExprKind::And(items) => self.balanced(items, " and ")?,
            ExprKind::Or(items) => self.balanced(items, " or ")?,
            ExprKind::Arithmetic(items, operators) => self.arithmetic(items, operators)?,
            ExprKind::Concat(items) => {
                self.push("[");
                self.list(items)?;
                self.push("]|__concat");
            }
            ExprKind::Compare(items, operators) => self.compare(items, operators)?,
            ExprKind::If { .. } => {
                self.push("(");
                self.conditional(expr)?;
                self.push(")");
            }
        }
        Ok(())
    }

    /// `value if condition else other`; the other value needs no brackets, so that long chains do not nest.
    fn conditional(&mut self, expr: &Expr<'_>) -> Emit {
        let ExprKind::If { condition, value, otherwise } = &expr.kind else {
            return self.expr(expr);
        };
        self.expr(value)?;
        self.push(" if ");
        self.expr(condition)?;
        if let Some(otherwise) = otherwise {
            self.push(" else ");
            self.conditional(otherwise)?;
        }
        Ok(())
    }

    /// Remembers which value an attribute or item was taken of, for errors.
    fn step(&mut self, expr: &Expr<'_>, base: &Expr<'_>) {
        self.steps.push((self.out.len() as u32, expr.at, base.end));
    }

    fn int(&mut self, text: &str, at: u32) -> Emit {
        match int_literal(text) {
            Some(value) => {
                self.push(&value.to_string());
                Ok(())
            }
            None => Err(SyntaxError::new(format!("the number {text} is too large"), at as usize)),
        }
    }

    fn attribute(&mut self, name: &str) {
        if name.is_ascii() {
            self.push(".");
            self.push(name);
        } else {
            self.push("[");
            self.string(name);
            self.push("]");
        }
    }

    fn sign(&mut self, value: &Expr<'_>, sign: &str, filter: &str) -> Emit {
        if matches!(value.kind, ExprKind::Int(_) | ExprKind::Float(_)) {
            self.push("(");
            self.push(sign);
            self.expr(value)?;
            self.push(")");
            return Ok(());
        }
        self.filterable(value)?;
        self.push("|");
        self.push(filter);
        Ok(())
    }

    pub(super) fn call(
        &mut self,
        callee: &Expr<'_>,
        args: &Args<'_>,
        whole: &Expr<'_>,
        caller: Option<usize>,
    ) -> Emit {
        if is_cycle(whole)
            && caller.is_none()
            && let ExprKind::Attr(value, _) = &callee.kind
        {
            // minijinja's own `cycle` does not stand a call without arguments.
            self.filterable(value)?;
            self.mark(value.end);
            self.push("|__cycle");
            return self.args_in_parens(args, None);
        }
        match &callee.kind {
            ExprKind::Attr(value, name) if name.is_ascii() => {
                self.postfixable(value)?;
                self.mark(value.end);
                self.attribute(name);
            }
            _ => self.postfixable(callee)?,
        }
        if args.positional.is_empty() && args.named.is_empty() && caller.is_none() {
            // An empty argument list is still a call.
            self.push("(");
            self.arguments(args, None)?;
            self.push(")");
        } else {
            self.args_in_parens(args, caller)?;
        }
        if let ExprKind::Attr(value, _) = &callee.kind {
            self.steps.push((self.out.len() as u32, whole.at, value.end));
        } else {
            self.steps.push((self.out.len() as u32, whole.at, callee.end));
        }
        Ok(())
    }

    pub(super) fn args_in_parens(&mut self, args: &Args<'_>, caller: Option<usize>) -> Emit {
        if args.expressions().next().is_none() && caller.is_none() {
            return Ok(());
        }
        self.push("(");
        self.arguments(args, caller)?;
        self.push(")");
        Ok(())
    }

    fn arguments(&mut self, args: &Args<'_>, caller: Option<usize>) -> Emit {
        for value in &args.positional {
            self.expr(value)?;
            self.push(", ");
        }
        if let Some(value) = &args.star {
            self.push("*");
            self.filterable(value)?;
            self.push("|__iter, ");
        }
        for (name, value) in &args.named {
            if name.is_ascii() {
                self.push(name);
                self.push("=");
                self.expr(value)?;
            } else {
                self.push("**{");
                self.string(name);
                self.push(": ");
                self.expr(value)?;
                self.push("}");
            }
            self.push(", ");
        }
        if let Some(value) = &args.double_star {
            self.push("**");
            self.filterable(value)?;
            self.push("|__mapping, ");
        }
        if let Some(number) = caller {
            self.push(&format!("caller={number}|__closure"));
        }
        Ok(())
    }

    fn test(&mut self, value: &Expr<'_>, name: &str, args: &Args<'_>, negated: bool) -> Emit {
        let at = self.place_of(name, value.end);
        if !is_test(name) {
            let error = SyntaxError::new(format!("No test named '{name}'."), at as usize);
            return Err(match nearest(name, known_tests()) {
                Some(known) => error.help(format!("did you mean '{known}'?")),
                None => error,
            });
        }
        self.push("(");
        self.filterable(value)?;
        self.push(if negated { " is not " } else { " is " });
        self.mark(at);
        self.push(name);
        self.args_in_parens(args, None)?;
        self.push(")");
        Ok(())
    }

    /// `and` and `or` as a balanced tree, so that long chains do not nest deep.
    fn balanced(&mut self, items: &[Expr<'_>], operator: &str) -> Emit {
        if let [only] = items {
            return self.expr(only);
        }
        let (left, right) = items.split_at(items.len() / 2);
        self.push("(");
        self.balanced(left, operator)?;
        self.push(operator);
        self.balanced(right, operator)?;
        self.push(")");
        Ok(())
    }

    fn arithmetic(&mut self, items: &[Expr<'_>], operators: &[&str]) -> Emit {
        if let ([left, right], [operator]) = (items, operators) {
            return self.binary(left, arithmetic_filter(operator), right);
        }
        self.push("[");
        self.list(items)?;
        self.push("]|__fold(");
        self.string(&operators.join(" "));
        self.push(")");
        Ok(())
    }

    fn binary(&mut self, left: &Expr<'_>, filter: &str, right: &Expr<'_>) -> Emit {
        self.filterable(left)?;
        self.push("|");
        self.mark(left.end);
        self.push(filter);
        self.push("(");
        self.expr(right)?;
        self.push(")");
        Ok(())
    }

    fn compare(&mut self, items: &[Expr<'_>], operators: &[&str]) -> Emit {
        if let ([left, right], [operator]) = (items, operators) {
            return self.binary(left, comparison_filter(operator), right);
        }
        self.push("[");
        self.list(items)?;
        self.push("]|__compare(");
        self.string(&operators.join(","));
        self.push(")");
        Ok(())
    }
}

/// The filter of an arithmetic operator.
fn arithmetic_filter(operator: &str) -> &'static str {
    match operator {
        "+" => "__add",
        "-" => "__sub",
        "*" => "__mul",
        "/" => "__div",
        "//" => "__floordiv",
        "%" => "__mod",
        _ => "__pow",
    }
}

/// The filter of a comparison.
fn comparison_filter(operator: &str) -> &'static str {
    match operator {
        "==" => "__eq",
        "!=" => "__ne",
        "<" => "__lt",
        "<=" => "__le",
        ">" => "__gt",
        ">=" => "__ge",
        "in" => "__in",
        _ => "__not_in",
    }
}

/// Whether an expression is a call of a method `cycle`.
fn is_cycle(expr: &Expr<'_>) -> bool {
    match &expr.kind {
        ExprKind::Call(callee, _) => matches!(callee.kind, ExprKind::Attr(_, "cycle")),
        _ => false,
    }
}

/// Whether an expression has the same value whenever it is evaluated: it reads no names and calls nothing.
pub(super) fn is_constant(root: &Expr<'_>) -> bool {
    let mut constant = true;
    walk::expression(root, &mut |expr| {
        constant &= match &expr.kind {
            ExprKind::Name(_) | ExprKind::Call(..) => false,
            ExprKind::Filter(_, name, _) => !name.starts_with("as_"),
            _ => true,
        };
    });
    constant
}
