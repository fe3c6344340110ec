//! What can be told of a template without running it: the macros that it calls.

use super::engine::with_stack;
use super::origin::Origin;
use super::syntax::ast::{Args, Expr, ExprKind};
use super::syntax::{self, SyntaxError, normalize, walk};
use crate::error::Result;

/// A call that may be one of a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MacroCall {
    /// `name(…)`
    Name(String),
    /// `package.name(…)`
    InPackage { package: String, name: String },
    /// `adapter.dispatch('name', 'namespace')`
    Dispatch { name: String, namespace: Option<String> },
}

/// The calls in a text that may be calls of macros, each once, in the order of their places. What the names
/// mean is not known here: functions of dbt's context are among them, except `ref`, `source` and
/// `config`.
///
/// Errors: the text has a syntax error.
pub fn static_macro_calls(text: &str, origin: &Origin) -> Result<Vec<MacroCall>> {
    let mut calls = Vec::new();
    visit(text, origin, &mut |expr| {
        let ExprKind::Call(callee, args) = &expr.kind else { return };
        if let Some(call) = macro_call(callee, args)
            && !calls.contains(&call)
        {
            calls.push(call);
        }
    })?;
    Ok(calls)
}

fn macro_call(callee: &Expr<'_>, args: &Args<'_>) -> Option<MacroCall> {
    match &callee.kind {
        ExprKind::Name("ref" | "source" | "config") => None,
        ExprKind::Name(name) => Some(MacroCall::Name((*name).to_owned())),
        ExprKind::Attr(base, name) => match base.kind {
            ExprKind::Name("adapter") if *name == "dispatch" => dispatch(args),
            ExprKind::Name("adapter") => None,
            ExprKind::Name(package) => {
                Some(MacroCall::InPackage { package: package.to_owned(), name: (*name).to_owned() })
            }
            _ => None,
        },
        _ => None,
    }
}

/// The macro that `adapter.dispatch` looks for, if it is written out.
fn dispatch(args: &Args<'_>) -> Option<MacroCall> {
    let argument = |index: usize, name: &str| {
        let named = args.named.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        match args.positional.get(index).or(named).map(|value| &value.kind) {
            Some(ExprKind::Str(text)) => Some(text.to_string()),
            _ => None,
        }
    };
    Some(MacroCall::Dispatch { name: argument(0, "macro_name")?, namespace: argument(1, "macro_namespace") })
}

/// What the calls of `config()` in a text set, as it is written there: names and the text of their values.
///
/// Errors: the text has a syntax error.
pub fn static_config_calls(text: &str, origin: &Origin) -> Result<Vec<(String, String)>> {
    let mut written = Vec::new();
    let whole = normalize(text);
    visit(text, origin, &mut |expr| {
        let ExprKind::Call(callee, args) = &expr.kind else { return };
        if !matches!(callee.kind, ExprKind::Name("config")) {
            return;
        }
        for (name, value) in &args.named {
            let text = whole.get(value.at as usize..value.end as usize).unwrap_or_default();
            written.push(((*name).to_owned(), text.to_owned()));
        }
    })?;
    Ok(written)
}

/// Whether a text uses a name.
///
/// Errors: the text has a syntax error.
pub fn static_mentions(text: &str, name: &str, origin: &Origin) -> Result<bool> {
    let mut mentioned = false;
    visit(text, origin, &mut |expr| {
        mentioned |= matches!(expr.kind, ExprKind::Name(known) if known == name);
    })?;
    Ok(mentioned)
}

/// Parses a text and visits its expressions.
fn visit(text: &str, origin: &Origin, f: &mut impl FnMut(&Expr<'_>)) -> Result<()> {
    let text = normalize(text);
    let visited = with_stack(|| -> Result<(), SyntaxError> {
        walk::expressions(&syntax::parse(&text)?, &mut |expr| f(expr));
        Ok(())
    });
    visited.map_err(|error| origin.syntax_error(error, &text))
}
