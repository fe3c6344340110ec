//! What incremental models and snapshots ask of the adapter.

use std::sync::Arc;

use minijinja::Error;
use minijinja::value::Value;

use super::super::args::Args;
use super::super::{ColumnObject, Context, RelationObject};
use super::none;
use crate::error::Error as RbtError;
use crate::jinja::raise;

/// The strategies that dbt-duckdb has.
pub const STRATEGIES: [&str; 4] = ["append", "delete+insert", "merge", "microbatch"];

/// `adapter.get_incremental_strategy_macro(context, strategy)`: the macro that writes the statements.
pub fn strategy_macro(context: &Arc<Context>, args: &Args) -> Result<Value, Error> {
    let strategy = args.optional_string(1, "strategy").unwrap_or_else(|| "default".to_owned());
    if strategy == "insert_overwrite" {
        return Err(raise(
            RbtError::runtime(format!("The incremental strategy '{strategy}' is not valid for this adapter"))
                .help(format!("use one of: {}", STRATEGIES.join(", "))),
        ));
    }
    let name = format!("get_incremental_{}_sql", strategy.replace('+', "_"));
    match context.shared.macros.find_macro(&context.package, &name) {
        Some(template) => Ok(context.shared.engine.macro_value(template, &context.scope())),
        None => Err(raise(
            RbtError::runtime(format!(
                "dbt could not find an incremental strategy macro with the name \"{name}\" in {}",
                context.package
            ))
            .help(format!("use one of {}, or write the macro '{name}'", STRATEGIES.join(", "))),
        )),
    }
}

/// `adapter.get_hard_deletes_behavior(config)`: `ignore`, `invalidate` or `new_record`.
pub fn hard_deletes_behavior(args: &Args) -> Result<Value, Error> {
    let config = args.required(0, "config")?;
    let ask = |name: &str| -> Result<Value, Error> {
        let state = &mut minijinja::Environment::new();
        config.call_method(&mut state.empty_state(), "get", &[Value::from(name)])
    };
    let invalidate = ask("invalidate_hard_deletes")?;
    let chosen = ask("hard_deletes")?;
    if !chosen.is_none() && chosen.is_true() && invalidate.is_true() {
        return Err(raise(RbtError::compilation(
            "You cannot set both the invalidate_hard_deletes and hard_deletes config properties on the same snapshot.",
        )));
    }
    if invalidate.is_true() {
        return Ok(Value::from("invalidate"));
    }
    match chosen.as_str() {
        Some("invalidate" | "new_record" | "ignore") => Ok(chosen),
        None => Ok(Value::from("ignore")),
        Some(other) => Err(raise(RbtError::compilation(format!(
            "Invalid setting for property hard_deletes: '{other}'. It must be 'ignore', 'invalidate' or 'new_record'."
        )))),
    }
}

/// Checks that an existing table can take a snapshot: it has the columns that snapshots keep their history in.
pub fn check_snapshot_target(context: &Arc<Context>, args: &Args) -> Result<Value, Error> {
    let relation = args.required(0, "relation")?;
    let names = args.get(1, "column_names").filter(|names| !names.is_none());
    let strategy = args.get(2, "strategy");
    let columns = super::relations::columns_in_relation(context, &relation)?;
    let existing: Vec<String> = columns
        .try_iter()?
        .filter_map(|column| ColumnObject::from_value(&column).map(|column| column.name.to_lowercase()))
        .collect();
    let new_records = strategy
        .and_then(|strategy| strategy.get_attr("hard_deletes").ok())
        .is_some_and(|behavior| behavior.as_str() == Some("new_record"));
    let mut wanted = vec!["dbt_scd_id", "dbt_valid_from", "dbt_valid_to"];
    if new_records {
        wanted.push("dbt_is_deleted");
    }
    let renamed = |name: &str| {
        let given =
            names.as_ref().and_then(|names| names.get_attr(name).ok()).filter(|value| value.is_true());
        given.map_or_else(|| name.to_owned(), |value| value.to_string())
    };
    let missing: Vec<String> = wanted
        .into_iter()
        .map(renamed)
        .filter(|name| !existing.contains(&name.to_lowercase()))
        .map(|name| format!("\"{name}\""))
        .collect();
    if missing.is_empty() {
        return Ok(none());
    }
    let target = RelationObject::from_value(&relation).map(ToString::to_string).unwrap_or_default();
    Err(raise(
        RbtError::compilation(format!(
            "Snapshot target is missing configured columns (missing {})",
            missing.join(", ")
        ))
        .help(format!("{target} exists and is not a snapshot of this shape; rename or drop it")),
    ))
}
