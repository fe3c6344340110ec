//! `adapter.dispatch`: which implementation of a macro serves this warehouse
//! (<https://docs.getdbt.com/reference/dbt-jinja-functions/dispatch>).

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::super::Context;
use super::super::args::Args;
use crate::error::Error as RbtError;
use crate::jinja::raise;

/// `adapter.dispatch` without its call.
#[derive(Debug)]
pub struct Dispatch(pub Arc<Context>);

impl Object for Dispatch {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        dispatch(&self.0, &Args::new("dispatch", args)?)
    }
}

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
    let shared = &context.shared;
    let find = |package: &str| shared.macros.dispatch(&shared.dispatch, package, &name, namespace.as_deref());
    let own = find(&context.package);
    match own.or_else(|tried| {
        packages_of_test(context).into_iter().find_map(|package| find(package).ok()).ok_or(tried)
    }) {
        Ok(template) => Ok(shared.engine.macro_value(template, &context.scope())),
        Err(tried) => {
            let tried: Vec<String> = tried.into_iter().map(|name| format!("'{name}'")).collect();
            let namespace = namespace.as_deref().unwrap_or("None");
            Err(raise(RbtError::compilation(format!(
                "In dispatch: No macro named '{name}' found within namespace: '{namespace}'\n    Searched for: {}",
                tried.join(", ")
            ))))
        }
    }
}

/// Where else a generic test looks: in the packages of the macros that it depends on.
fn packages_of_test(context: &Context) -> Vec<&str> {
    let Some(node) = context.node.as_ref().filter(|node| node.is_generic_test()) else { return Vec::new() };
    node.depends_on.macros.iter().filter_map(|id| id.split('.').nth(1)).collect()
}
