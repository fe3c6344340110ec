//! The tree of a template as text for minijinja.
//!
//! minijinja runs the control flow, scopes and calls; everything in which Python's values behave in their own
//! way becomes a filter of ours (`a + b` is `a|__add(b)`, `[1]` is `[1]|__list`). Bodies of macros and call
//! blocks become templates of their own, because `return`, arguments and `caller` have to work across
//! files.

mod expressions;
mod names;

use std::collections::HashSet;
use std::sync::Arc;

use super::builtins::{is_filter, known_filters};
use super::origin::{Origin, Source};
use super::syntax::SyntaxError;
use super::syntax::ast::*;
use super::syntax::walk;
use crate::text::nearest;

pub use names::{mangle, unmangle};

use expressions::is_constant;

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

    /// Where a name stands that comes next after a place, behind a sign like `|`.
    fn place_of(&self, name: &str, from: u32) -> u32 {
        let rest = self.text.get(from as usize..).unwrap_or_default();
        from + rest.find(name).unwrap_or(0) as u32
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
}
