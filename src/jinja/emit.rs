//! The tree of a template as text for minijinja.
//!
//! minijinja runs the control flow, scopes and calls; everything in which Python's values behave in their own
//! way becomes a filter of ours (`a + b` is `a|__add(b)`, `[1]` is `[1]|__list`). Bodies of macros and call
//! blocks become templates of their own, because `return`, arguments and `caller` have to work across
//! files.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::builtins::{is_filter, is_test, known_filters, known_tests};
use super::origin::{Origin, Source};
use super::suggest::nearest;
use super::syntax::SyntaxError;
use super::syntax::ast::*;
use super::syntax::walk;
use super::values::int_literal;

/// A template ready to be compiled by minijinja.
#[derive(Debug)]
pub struct Emitted {
    pub text: String,
    pub source: Source,
    /// The bodies of local macros and call blocks, in the order of their numbers in the text.
    pub parts: Vec<EmittedPart>,
}

/// A macro body ready to be compiled, with what a call has to know.
#[derive(Debug)]
pub struct EmittedPart {
    pub name: String,
    /// The parameters; those with a default may be left out.
    pub params: Vec<(String, bool)>,
    pub takes_varargs: bool,
    pub takes_kwargs: bool,
    pub takes_caller: bool,
    /// The names it sees of the frame that it is written in.
    pub captures: Vec<String>,
    /// Whether it is the body of a call block rather than a macro.
    pub is_caller: bool,
    pub emitted: Emitted,
}

/// How the outputs of a template are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As text.
    Text,
    /// As values; see `render_native`.
    Native,
}

/// Emits a template.
pub fn emit(body: &[Stmt<'_>], text: &Arc<str>, origin: &Origin, mode: Mode) -> Result<Emitted, SyntaxError> {
    let mut bound = HashSet::new();
    let mut exported = HashSet::new();
    if body.iter().any(has_parts) {
        walk::names_bound(body, &mut bound);
        local_macros(body, &mut |definition| exported.extend(walk::names_read(&definition.body)));
        exported.retain(|name| bound.contains(name) && *name != "loop");
    }
    let emitter = Emitter::new(text, origin, mode, bound, exported);
    emitter.template(body)
}

/// Emits the body of a macro.
pub fn emit_definition(
    definition: &Definition<'_>,
    text: &Arc<str>,
    origin: &Origin,
) -> Result<EmittedPart, SyntaxError> {
    let part =
        Part { name: &definition.name, params: &definition.params, body: &definition.body, is_caller: false };
    part.emit(text, origin, &HashSet::new(), &HashSet::new())
}

fn has_parts(statement: &Stmt<'_>) -> bool {
    match statement {
        Stmt::CallBlock { .. } | Stmt::Define(_) => true,
        Stmt::SetBlock { body, .. } | Stmt::Filter { body, .. } | Stmt::With { body, .. } => {
            body.iter().any(has_parts)
        }
        Stmt::For(each) => each.body.iter().chain(each.otherwise.iter().flatten()).any(has_parts),
        Stmt::If { branches, otherwise } => {
            let bodies = branches.iter().map(|(_, body)| body).chain(otherwise);
            bodies.flatten().any(has_parts)
        }
        _ => false,
    }
}

/// Calls a function with the macros defined in some statements themselves, not in other macros.
fn local_macros<'t, 's>(body: &'t [Stmt<'s>], f: &mut impl FnMut(&'t Definition<'s>)) {
    for statement in body {
        match statement {
            Stmt::Define(definition) => f(definition),
            Stmt::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| local_macros(body, f));
                otherwise.iter().for_each(|body| local_macros(body, f));
            }
            _ => {}
        }
    }
}

/// A macro or call block to be emitted.
struct Part<'t, 's> {
    name: &'t str,
    params: &'t [Param<'s>],
    body: &'t [Stmt<'s>],
    is_caller: bool,
}

impl Part<'_, '_> {
    /// Emits the part; `outer` are the names bound around it, `exported` those it finds in the module.
    fn emit(
        &self,
        text: &Arc<str>,
        origin: &Origin,
        outer: &HashSet<&str>,
        exported: &HashSet<&str>,
    ) -> Result<EmittedPart, SyntaxError> {
        let mut read = walk::names_read(self.body);
        for default in self.params.iter().filter_map(|param| param.default.as_ref()) {
            walk::expression(default, &mut |expr| {
                if let ExprKind::Name(name) = expr.kind {
                    read.insert(name);
                }
            });
        }
        let own: HashSet<&str> = self.params.iter().map(|param| param.name).collect();
        let takes = |name: &str| !self.is_caller && read.contains(name) && !own.contains(name);
        let (takes_varargs, takes_kwargs, takes_caller) =
            (takes("varargs"), takes("kwargs"), takes("caller"));
        let mut captures: Vec<String> = read
            .iter()
            .filter(|name| outer.contains(**name) && !own.contains(**name) && !exported.contains(**name))
            .filter(|name| self.is_caller || !matches!(**name, "varargs" | "kwargs" | "caller"))
            .map(|name| name.to_string())
            .collect();
        captures.sort();

        let mut bound = own;
        if self.body.iter().any(has_parts) {
            walk::names_bound(self.body, &mut bound);
            bound.extend(captures.iter().map(String::as_str));
            bound.extend(["varargs", "kwargs", "caller"]);
        }
        let mut emitter = Emitter::new(text, origin, Mode::Text, bound, HashSet::new());
        for param in self.params {
            if let Some(default) = &param.default {
                emitter.default(param.name, default)?;
            }
        }
        let emitted = emitter.template(self.body)?;
        let params =
            self.params.iter().map(|param| (param.name.to_owned(), param.default.is_some())).collect();
        Ok(EmittedPart {
            name: self.name.to_owned(),
            params,
            takes_varargs,
            takes_kwargs,
            takes_caller,
            captures,
            is_caller: self.is_caller,
            emitted,
        })
    }
}

struct Emitter<'n> {
    out: String,
    map: Vec<(u32, u32)>,
    steps: Vec<(u32, u32, u32)>,
    parts: Vec<EmittedPart>,
    text: Arc<str>,
    origin: Origin,
    mode: Mode,
    /// The names bound in this frame, if it has parts that may capture them.
    bound: HashSet<&'n str>,
    /// The names of this frame that local macros read when they are called.
    exported: HashSet<&'n str>,
}

type Emit = Result<(), SyntaxError>;

impl<'n> Emitter<'n> {
    fn new(
        text: &Arc<str>,
        origin: &Origin,
        mode: Mode,
        bound: HashSet<&'n str>,
        exported: HashSet<&'n str>,
    ) -> Self {
        Emitter {
            out: String::with_capacity(text.len() + text.len() / 4),
            map: Vec::new(),
            steps: Vec::new(),
            parts: Vec::new(),
            text: text.clone(),
            origin: origin.clone(),
            mode,
            bound,
            exported,
        }
    }

    fn template(mut self, body: &[Stmt<'_>]) -> Result<Emitted, SyntaxError> {
        self.body(body)?;
        let source = Source { text: self.text, origin: self.origin, map: self.map, steps: self.steps };
        Ok(Emitted { text: self.out, source, parts: self.parts })
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// What is emitted from here on stands for this place in the template.
    fn mark(&mut self, at: u32) {
        self.map.push((self.out.len() as u32, at));
    }

    fn body(&mut self, body: &[Stmt<'_>]) -> Emit {
        body.iter().try_for_each(|statement| self.statement(statement))
    }

    /// A body whose output is captured rather than printed.
    fn captured_body(&mut self, body: &[Stmt<'_>]) -> Emit {
        let mode = std::mem::replace(&mut self.mode, Mode::Text);
        self.body(body)?;
        self.mode = mode;
        Ok(())
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> Emit {
        match statement {
            Stmt::Data(text, at) => self.data(text, *at),
            Stmt::Output(value) => self.output(value)?,
            Stmt::Do(value) => {
                // The value is dropped by a condition: minijinja's own `do` only takes calls.
                self.push("{% if ");
                self.expr(value)?;
                self.push(" %}{% endif %}");
            }
            Stmt::Set { target, value } => {
                self.push("{% set ");
                self.target(target);
                self.push(" = ");
                self.expr(value)?;
                self.push(" %}");
                self.export(target);
            }
            Stmt::SetBlock { target, filters, body } => {
                self.push("{% set ");
                self.target(target);
                self.filter_chain(filters, " | ")?;
                self.push(" %}");
                self.captured_body(body)?;
                self.push("{% endset %}");
                self.export(target);
            }
            Stmt::Filter { filters, body } => {
                self.push("{% filter ");
                self.filter_chain(filters, "")?;
                self.push(" %}");
                self.captured_body(body)?;
                self.push("{% endfilter %}");
            }
            Stmt::For(each) => self.for_loop(each)?,
            Stmt::If { branches, otherwise } => {
                for (index, (condition, body)) in branches.iter().enumerate() {
                    self.push(if index == 0 { "{% if " } else { "{% elif " });
                    self.expr(condition)?;
                    self.push(" %}");
                    self.body(body)?;
                }
                if let Some(body) = otherwise {
                    self.push("{% else %}");
                    self.body(body)?;
                }
                self.push("{% endif %}");
            }
            Stmt::With { bindings, body } => self.with(bindings, body)?,
            Stmt::CallBlock { params, call, body, at } => self.call_block(params, call, body, *at)?,
            Stmt::Define(definition) => self.define(definition)?,
            Stmt::Break => self.push("{% break %}"),
            Stmt::Continue => self.push("{% continue %}"),
        }
        Ok(())
    }

    fn data(&mut self, text: &str, at: u32) {
        self.mark(at);
        let native = self.mode == Mode::Native;
        let looks_like_tag = text.ends_with('{') || super::syntax::find_tag(text, 0).is_some();
        if !native && !looks_like_tag {
            return self.push(text);
        }
        self.push("{{ ");
        self.string(text);
        self.push(if native { "|__text }}" } else { " }}" });
    }

    fn output(&mut self, value: &Expr<'_>) -> Emit {
        self.push("{{ ");
        if self.mode == Mode::Native {
            self.filterable(value)?;
            self.push(if is_constant(value) { "|__text" } else { "|__node" });
        } else {
            self.expr(value)?;
        }
        self.push(" }}");
        Ok(())
    }

    fn target(&mut self, target: &Target<'_>) {
        match target {
            Target::Name(name, at) => {
                self.mark(*at);
                self.push(&mangle(name));
            }
            Target::Attr(name, attribute, at) => {
                self.mark(*at);
                self.push(&mangle(name));
                self.push(".");
                self.push(&mangle(attribute));
            }
            Target::Tuple(items, at) => {
                self.mark(*at);
                self.push("(");
                for item in items {
                    self.target(item);
                    self.push(", ");
                }
                self.push(")");
            }
        }
    }

    /// Makes an assigned name known to local macros.
    fn export(&mut self, target: &Target<'_>) {
        if self.exported.is_empty() {
            return;
        }
        let mut names = Vec::new();
        target.each_name(&mut |name| names.push(name));
        for name in names {
            if self.exported.contains(name) {
                self.push("{% if ");
                self.string(name);
                self.push("|__export %}{% endif %}");
            }
        }
    }

    fn default(&mut self, name: &str, default: &Expr<'_>) -> Emit {
        let name = mangle(name);
        self.push(&format!("{{% if {name} is __missing %}}{{% set {name} = "));
        self.expr(default)?;
        self.push(" %}{% endif %}");
        Ok(())
    }

    fn for_loop(&mut self, each: &For<'_>) -> Emit {
        self.push("{% for ");
        self.target(&each.target);
        self.push(" in ");
        self.filterable(&each.iterable)?;
        self.push("|__iter");
        if let Some(condition) = &each.condition {
            self.push(" if ");
            self.expr(condition)?;
        }
        self.push(if each.recursive { " recursive %}" } else { " %}" });
        self.body(&each.body)?;
        if let Some(body) = &each.otherwise {
            self.push("{% else %}");
            self.body(body)?;
        }
        self.push("{% endfor %}");
        Ok(())
    }

    fn with(&mut self, bindings: &[(Target<'_>, Expr<'_>)], body: &[Stmt<'_>]) -> Emit {
        self.push("{% with ");
        if let [(target, value)] = bindings {
            self.target(target);
            self.push(" = ");
            self.expr(value)?;
        } else if !bindings.is_empty() {
            // All values are taken before any name is bound.
            self.push("(");
            for (target, _) in bindings {
                self.target(target);
                self.push(", ");
            }
            self.push(") = (");
            for (_, value) in bindings {
                self.expr(value)?;
                self.push(", ");
            }
            self.push(")");
        }
        self.push(" %}");
        self.body(body)?;
        self.push("{% endwith %}");
        Ok(())
    }

    fn part(&mut self, part: Part<'_, '_>) -> Result<usize, SyntaxError> {
        let emitted = part.emit(&self.text, &self.origin, &self.bound, &self.exported)?;
        self.parts.push(emitted);
        Ok(self.parts.len() - 1)
    }

    fn call_block(&mut self, params: &[Param<'_>], call: &Expr<'_>, body: &[Stmt<'_>], at: u32) -> Emit {
        let number = self.part(Part { name: "caller", params, body, is_caller: true })?;
        let ExprKind::Call(callee, args) = &call.kind else {
            return Err(SyntaxError::new("expected a call after 'call'", at as usize));
        };
        self.push("{{ ");
        self.mark(call.at);
        self.call(callee, args, call, Some(number))?;
        self.push(if self.mode == Mode::Native { "|__node }}" } else { " }}" });
        Ok(())
    }

    fn define(&mut self, definition: &Definition<'_>) -> Emit {
        if definition.kind == DefinitionKind::Snapshot {
            let message = "a snapshot cannot be defined inside of another template";
            return Err(SyntaxError::new(message, definition.at as usize));
        }
        let part = Part {
            name: &definition.name,
            params: &definition.params,
            body: &definition.body,
            is_caller: false,
        };
        let number = self.part(part)?;
        let name = mangle(&definition.name);
        self.push(&format!("{{% set {name} = {number}|__closure %}}"));
        if self.exported.contains(&*definition.name) {
            self.push("{% if ");
            self.string(&definition.name);
            self.push("|__export %}{% endif %}");
        }
        Ok(())
    }

    fn filter_chain(&mut self, filters: &[FilterCall<'_>], lead: &str) -> Emit {
        for (index, filter) in filters.iter().enumerate() {
            self.push(if index == 0 { lead } else { "|" });
            self.filter_name(filter.name, filter.at)?;
            self.args_in_parens(&filter.args, None)?;
        }
        Ok(())
    }

    fn filter_name(&mut self, name: &str, at: u32) -> Emit {
        if !is_filter(name) {
            let error = SyntaxError::new(format!("No filter named '{name}'."), at as usize);
            return Err(match nearest(name, known_filters()) {
                Some(known) => error.help(format!("did you mean '{known}'?")),
                None => error,
            });
        }
        self.mark(at);
        if self.mode == Mode::Native && matches!(name, "as_text" | "as_bool" | "as_number" | "as_native") {
            self.push("__native_");
        }
        self.push(name);
        Ok(())
    }

    /// A string literal.
    fn string(&mut self, text: &str) {
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
    fn filterable(&mut self, expr: &Expr<'_>) -> Emit {
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
    fn expr(&mut self, expr: &Expr<'_>) -> Emit {
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
                self.filter_name(name, value.end)?;
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
            ExprKind::If { condition, value, otherwise } => {
                self.push("(");
                self.expr(value)?;
                self.push(" if ");
                self.expr(condition)?;
                if let Some(otherwise) = otherwise {
                    self.push(" else ");
                    self.expr(otherwise)?;
                }
                self.push(")");
            }
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

    fn call(&mut self, callee: &Expr<'_>, args: &Args<'_>, whole: &Expr<'_>, caller: Option<usize>) -> Emit {
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

    fn args_in_parens(&mut self, args: &Args<'_>, caller: Option<usize>) -> Emit {
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
        if !is_test(name) {
            let error = SyntaxError::new(format!("No test named '{name}'."), value.end as usize);
            return Err(match nearest(name, known_tests()) {
                Some(known) => error.help(format!("did you mean '{known}'?")),
                None => error,
            });
        }
        self.push("(");
        self.filterable(value)?;
        self.push(if negated { " is not " } else { " is " });
        self.mark(value.end);
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
fn is_constant(root: &Expr<'_>) -> bool {
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

/// A name as minijinja can lex it: it knows ASCII only and has a meaning of its own for two names.
pub fn mangle(name: &str) -> Cow<'_, str> {
    if name.is_ascii() && !matches!(name, "super" | "self") {
        return Cow::Borrowed(name);
    }
    let mut mangled = String::from(MANGLED);
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            mangled.push(c);
        } else {
            mangled.push_str(&format!("_{:x}_", u32::from(c)));
        }
    }
    Cow::Owned(mangled)
}

/// The name that was [mangled](mangle).
pub fn unmangle(name: &str) -> Option<String> {
    let mut rest = name.strip_prefix(MANGLED)?;
    let mut result = String::new();
    while let Some(start) = rest.find('_') {
        result.push_str(&rest[..start]);
        let (code, after) = rest[start + 1..].split_once('_')?;
        result.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32)?);
        rest = after;
    }
    result.push_str(rest);
    Some(result)
}

const MANGLED: &str = "__name_";
