//! Visiting a tree: every expression of a template, and what follows from that.

use std::collections::HashSet;

use super::ast::*;

/// Calls a function with every expression of some statements, outer before inner, in the order in which Jinja2
/// finds them (which is that of a macro's dependencies). Bodies of definitions and call blocks are part of it.
pub fn expressions<'t, 's>(body: &'t [Stmt<'s>], visit: &mut impl FnMut(&'t Expr<'s>)) {
    for statement in body {
        match statement {
            Stmt::Data(..) | Stmt::Break | Stmt::Continue => {}
            Stmt::Output(value) | Stmt::Do(value) | Stmt::Set { value, .. } => expression(value, visit),
            Stmt::SetBlock { filters, body, .. } => {
                filter_arguments(filters, visit);
                expressions(body, visit);
            }
            Stmt::Filter { filters, body } => {
                expressions(body, visit);
                filter_arguments(filters, visit);
            }
            Stmt::For(each) => {
                expression(&each.iterable, visit);
                expressions(&each.body, visit);
                each.otherwise.iter().for_each(|body| expressions(body, visit));
                each.condition.iter().for_each(|condition| expression(condition, visit));
            }
            Stmt::If { branches, otherwise } => {
                for (condition, body) in branches {
                    expression(condition, visit);
                    expressions(body, visit);
                }
                otherwise.iter().for_each(|body| expressions(body, visit));
            }
            Stmt::With { bindings, body } => {
                bindings.iter().for_each(|(_, value)| expression(value, visit));
                expressions(body, visit);
            }
            Stmt::CallBlock { params, call, body, .. } => {
                expression(call, visit);
                params.iter().flat_map(|param| &param.default).for_each(|default| expression(default, visit));
                expressions(body, visit);
            }
            Stmt::Define(definition) => {
                let defaults = definition.params.iter().flat_map(|param| &param.default);
                defaults.for_each(|default| expression(default, visit));
                expressions(&definition.body, visit);
            }
        }
    }
}

fn filter_arguments<'t, 's>(filters: &'t [FilterCall<'s>], visit: &mut impl FnMut(&'t Expr<'s>)) {
    for filter in filters {
        filter.args.expressions().for_each(|arg| expression(arg, visit));
    }
}

/// Calls a function with an expression and all expressions in it.
pub fn expression<'t, 's>(root: &'t Expr<'s>, visit: &mut impl FnMut(&'t Expr<'s>)) {
    visit(root);
    match &root.kind {
        ExprKind::None
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Str(_)
        | ExprKind::Name(_) => {}
        ExprKind::List(items)
        | ExprKind::Tuple(items)
        | ExprKind::And(items)
        | ExprKind::Or(items)
        | ExprKind::Concat(items)
        | ExprKind::Arithmetic(items, _)
        | ExprKind::Compare(items, _) => items.iter().for_each(|item| expression(item, visit)),
        ExprKind::Dict(pairs) => {
            for (key, value) in pairs {
                expression(key, visit);
                expression(value, visit);
            }
        }
        ExprKind::Attr(value, _) | ExprKind::Neg(value) | ExprKind::Pos(value) | ExprKind::Not(value) => {
            expression(value, visit);
        }
        ExprKind::Item(value, index) => {
            expression(value, visit);
            expression(index, visit);
        }
        ExprKind::Slice(value, parts) => {
            expression(value, visit);
            parts.iter().flatten().for_each(|part| expression(part, visit));
        }
        ExprKind::Call(value, args)
        | ExprKind::Filter(value, _, args)
        | ExprKind::Test(value, _, args, _) => {
            expression(value, visit);
            args.expressions().for_each(|arg| expression(arg, visit));
        }
        ExprKind::If { condition, value, otherwise } => {
            expression(condition, visit);
            expression(value, visit);
            otherwise.iter().for_each(|otherwise| expression(otherwise, visit));
        }
    }
}

/// The names that some statements read.
pub fn names_read<'s>(body: &[Stmt<'s>]) -> HashSet<&'s str> {
    let mut names = HashSet::new();
    expressions(body, &mut |expr| {
        if let ExprKind::Name(name) = expr.kind {
            names.insert(name);
        }
    });
    objects_assigned_to(body, &mut names);
    names
}

/// The names whose attributes some statements assign to: `ns` of `{% set ns.x = 1 %}`.
fn objects_assigned_to<'s>(body: &[Stmt<'s>], names: &mut HashSet<&'s str>) {
    for statement in body {
        let bodies: Vec<&[Stmt<'s>]> = match statement {
            Stmt::Set { target, .. } => {
                names.extend(target.object());
                Vec::new()
            }
            Stmt::SetBlock { target, body, .. } => {
                names.extend(target.object());
                vec![body]
            }
            Stmt::For(each) => vec![&each.body, each.otherwise.as_deref().unwrap_or_default()],
            Stmt::If { branches, otherwise } => {
                branches.iter().map(|(_, body)| body.as_slice()).chain(otherwise.as_deref()).collect()
            }
            Stmt::With { body, .. } | Stmt::Filter { body, .. } | Stmt::CallBlock { body, .. } => vec![body],
            Stmt::Define(definition) => vec![&definition.body],
            _ => Vec::new(),
        };
        bodies.into_iter().for_each(|body| objects_assigned_to(body, names));
    }
}

/// The names that some statements bind in their own frame or in loops in it: assignments, loop variables
/// and definitions; not what the bodies of definitions and call blocks bind.
pub fn names_bound<'s>(body: &[Stmt<'s>], names: &mut HashSet<&'s str>) {
    for statement in body {
        match statement {
            Stmt::Set { target, .. } => target.each_name(&mut |name| {
                names.insert(name);
            }),
            Stmt::SetBlock { target, body, .. } => {
                target.each_name(&mut |name| {
                    names.insert(name);
                });
                names_bound(body, names);
            }
            Stmt::For(each) => {
                names.insert("loop");
                each.target.each_name(&mut |name| {
                    names.insert(name);
                });
                names_bound(&each.body, names);
                each.otherwise.iter().for_each(|body| names_bound(body, names));
            }
            Stmt::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| names_bound(body, names));
                otherwise.iter().for_each(|body| names_bound(body, names));
            }
            Stmt::With { bindings, body } => {
                for (target, _) in bindings {
                    target.each_name(&mut |name| {
                        names.insert(name);
                    });
                }
                names_bound(body, names);
            }
            Stmt::Filter { body, .. } => names_bound(body, names),
            Stmt::Define(definition) => {
                if let std::borrow::Cow::Borrowed(name) = definition.name {
                    names.insert(name);
                }
            }
            Stmt::Data(..)
            | Stmt::Output(_)
            | Stmt::Do(_)
            | Stmt::CallBlock { .. }
            | Stmt::Break
            | Stmt::Continue => {}
        }
    }
}
