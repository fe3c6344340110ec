//! Running a materialization: the macro that turns compiled SQL into something in the warehouse.

use std::sync::Arc;

use minijinja::Value;

use crate::error::{Error, Location, Result};
use crate::events::Warning;
use crate::jinja::MacroTemplate;
use crate::jinja::context::{Context, INTERNAL_PACKAGES, RelationObject, Role, StatementResult};
use crate::jinja::values::is_undefined;
use crate::manifest::Node;
use crate::parse::is_python_model;
use crate::sql::Relation;
use crate::text::nearest;
use crate::warehouse::Session;

/// What a materialization did.
pub struct Materialized {
    /// The result of the statement named `main`.
    pub main: Option<StatementResult>,
    pub relations: Vec<Relation>,
}

/// The materializations that rbt ships.
const BUILT_IN: [&str; 9] =
    ["table", "view", "incremental", "ephemeral", "seed", "snapshot", "test", "external", "table_function"];

/// Runs the materialization that a node is configured with. On failure its transaction is undone.
pub fn materialize(context: &Arc<Context>, node: &Node, session: &Session) -> Result<Materialized> {
    materialize_as(context, node, node.materialized(), session)
}

/// The same, with the name of the materialization.
pub fn materialize_as(
    context: &Arc<Context>,
    node: &Node,
    name: &str,
    session: &Session,
) -> Result<Materialized> {
    let shared = &context.shared;
    let packages_override =
        !shared.flags.behavior.require_explicit_package_overrides_for_builtin_materializations;
    let Some((template, overrides)) = shared.macros.materialization(name, packages_override) else {
        let error = Error::compilation(format!(
            "No materialization '{name}' was found for adapter duckdb! (searched types 'default' and 'duckdb')"
        ))
        .at(Location::file(&node.original_file_path));
        return Err(match nearest(name, BUILT_IN) {
            Some(similar) => error.help(format!("did you mean '{similar}'?")),
            None => error.help(format!("use one of {}, or define it in macros/", BUILT_IN.join(", "))),
        });
    };
    if overrides {
        warn_of_override(context, template, name)?;
    }
    check_language(context, node, template)?;
    let outcome = context.call(&template.clone(), &[]).and_then(|returned| {
        let relations = relations(node, &returned)?;
        Ok(Materialized { main: context.result("main"), relations })
    });
    // What a materialization did not commit was not meant to last.
    let undone = session.rollback();
    let materialized = outcome?;
    undone?;
    for relation in &materialized.relations {
        session.cache.add(relation);
    }
    Ok(materialized)
}

/// Tells once of a package that has its own materialization for one that is built in.
fn warn_of_override(context: &Context, template: &MacroTemplate, name: &str) -> Result<()> {
    const CODE: &str = "PackageMaterializationOverrideDeprecation";
    let shared = &context.shared;
    if !shared.is_first_telling(&format!("{CODE} {name}")) {
        return Ok(());
    }
    let package = template.unique_id.split('.').nth(1).unwrap_or_default();
    shared.events.warn(
        Warning::new(
            CODE,
            format!(
                "The package '{package}' has its own materialization '{name}', which is used instead of the built-in one. \
                 That is deprecated: to go on with it, define the materialization in the project and let it call the package's."
            ),
        )
        .with("package_name", package)
        .with("materialization_name", name),
    )
}

/// Whether a materialization takes a node in this language. Those that rbt ships would have to run what is no SQL.
fn check_language(context: &Context, node: &Node, template: &MacroTemplate) -> Result<()> {
    let Role::Running(running) = &context.role else { return Ok(()) };
    let Some(found) = running.manifest.macros.get(template.unique_id.as_str()) else { return Ok(()) };
    let languages = found.supported_languages.as_deref().unwrap_or_default();
    let place = Location::file(&node.original_file_path);
    if is_python_model(node) && INTERNAL_PACKAGES.contains(&&*found.package_name) {
        return Err(Error::runtime(format!("'{}' is a Python model, and rbt runs no Python", node.name))
            .at(place)
            .help("write the model in SQL, or run it with dbt and read its table as a source"));
    }
    if !languages.is_empty() && !languages.iter().any(|language| language == node.language) {
        return Err(Error::runtime(format!(
            "Materialization \"{}\" only supports languages ['{}']; got \"{}\"",
            found.name,
            languages.join("', '"),
            node.language
        ))
        .at(place)
        .help("write the model in one of them, or add the language to `supported_languages`"));
    }
    Ok(())
}

/// The `{'relations': [...]}` that a materialization returns.
fn relations(node: &Node, returned: &Value) -> Result<Vec<Relation>> {
    let list = returned.get_attr("relations").ok().filter(|list| !is_undefined(list));
    let Some(items) = list.and_then(|list| list.try_iter().ok()) else {
        return Err(Error::compilation(format!(
            "The materialization (\"{}\") did not explicitly return a list of relations to add to the cache.",
            node.materialized()
        ))
        .help("end it with {{ return({'relations': [target_relation]}) }}"));
    };
    Ok(items.filter_map(|item| RelationObject::from_value(&item).cloned()).collect())
}
