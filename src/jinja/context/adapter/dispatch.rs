//! `adapter.dispatch`: which implementation of a macro serves this warehouse
//! (<https://docs.getdbt.com/reference/dbt-jinja-functions/dispatch>).

use std::sync::Arc;

use minijinja::Error;
use minijinja::value::Value;

use super::super::args::Args;
use super::super::{Context, DISPATCH_PREFIXES};
use crate::error::Error as RbtError;
use crate::jinja::raise;

/// `adapter.dispatch('name', 'namespace')`.
pub fn dispatch(context: &Arc<Context>, args: &Args) -> Result<Value, Error> {
    let name = args.string(0, "macro_name")?;
    if let Some((package, short)) = name.split_once('.') {
        return Err(raise(RbtError::compilation(format!(
            "In adapter.dispatch, got a macro name of \"{name}\", but \".\" is not a valid macro name component. \
             Did you mean `adapter.dispatch(\"{short}\", macro_namespace=\"{package}\")`?"
        ))));
    }
    if args.get(2, "packages").is_some_and(|packages| !packages.is_none()) {
        return Err(raise(RbtError::compilation(format!(
            "The \"packages\" argument of adapter.dispatch() has been deprecated. \
             Use the \"macro_namespace\" argument instead.\n\nRaised during dispatch for: {name}"
        ))));
    }
    let namespace = args.optional_string(1, "macro_namespace");
    let mut tried = Vec::new();
    for package in search_packages(context, namespace.as_deref()) {
        for prefix in DISPATCH_PREFIXES {
            let candidate = format!("{prefix}__{name}");
            let macros = &context.shared.macros;
            let found = match &package {
                None => macros.find_macro(&context.package, &candidate),
                Some(package) => macros.find_in_package(package, &candidate).ok().flatten(),
            };
            if let Some(template) = found {
                return Ok(context.shared.engine.macro_value(template, &context.scope()));
            }
            tried.push(match &package {
                None => format!("'{candidate}'"),
                Some(package) => format!("'{package}.{candidate}'"),
            });
        }
    }
    let namespace = namespace.as_deref().unwrap_or("None");
    Err(raise(RbtError::compilation(format!(
        "In dispatch: No macro named '{name}' found within namespace: '{namespace}'\n    Searched for: {}",
        tried.join(", ")
    ))))
}

/// The packages to search, in order. `None` stands for what a template of the context finds.
fn search_packages(context: &Context, namespace: Option<&str>) -> Vec<Option<String>> {
    let Some(namespace) = namespace else { return vec![None] };
    let shared = &context.shared;
    if let Some((_, order)) = shared.dispatch.iter().find(|(known, _)| known == namespace) {
        return order.iter().cloned().map(Some).collect();
    }
    if shared.packages.iter().any(|package| package == namespace) {
        return vec![Some(shared.project_name.to_string()), Some(namespace.to_owned())];
    }
    vec![None]
}
