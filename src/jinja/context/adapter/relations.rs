//! Relations and schemas: listed, created, dropped and renamed, with the cache kept true.
//!
//! The statements are macros, so that projects can override them; this is what happens around them.

use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Error, ErrorKind};

use super::super::args::Args;
use super::super::value as values;
use super::super::{ColumnObject, Context, RelationObject, Running};
use super::none;
use crate::error::{Error as RbtError, Result as RbtResult};
use crate::jinja::raise;
use crate::sql::{Column, Relation};

/// The methods of `adapter` that concern relations.
pub fn call(context: &Arc<Context>, running: &Running, method: &str, args: &Args) -> Result<Value, Error> {
    match method {
        "get_relation" => get_relation(context, running, args),
        "list_relations" => list_relations(running, args),
        "list_relations_without_caching" => context
            .call_macro("list_relations_without_caching", &[args.required(0, "schema_relation")?])
            .map_err(raise),
        "list_schemas" => context.call_macro("list_schemas", &[args.required(0, "database")?]).map_err(raise),
        "check_schema_exists" => check_schema_exists(running, args),
        "already_exists" => already_exists(context, running, args),
        "get_columns_in_relation" => columns_in_relation(context, &args.required(0, "relation")?),
        "get_missing_columns" => missing_columns(context, args),
        "expand_target_column_types" => Ok(none()),
        "create_schema" => create_schema(context, running, args),
        "drop_schema" => drop_schema(context, running, args),
        "drop_relation" => drop_relation(context, running, args),
        "truncate_relation" => {
            context.call_macro(method, &[args.required(0, "relation")?]).map(|_| none()).map_err(raise)
        }
        "rename_relation" => rename_relation(context, running, args),
        "cache_added" => with_relation(args, |relation| running.session.cache.add(relation)),
        "cache_dropped" => with_relation(args, |relation| running.session.cache.remove(relation)),
        "cache_renamed" => {
            let (from, to) = (args.required(0, "from_relation")?, args.required(1, "to_relation")?);
            running.session.cache.rename(relation_of(&from)?, relation_of(&to)?);
            Ok(Value::from(""))
        }
        "existing_key_constraint_types" => {
            let value = args.required(0, "relation")?;
            let kinds = running.session.key_constraints(relation_of(&value)?).map_err(raise)?;
            Ok(values::list(kinds.into_iter().map(Value::from)))
        }
        "get_rows_different_sql" => rows_different(context, args),
        _ => Err(Error::new(ErrorKind::UnknownMethod, format!("the adapter has no method '{method}'"))),
    }
}

/// The relation that a template passed.
pub fn relation_of(value: &Value) -> Result<&Relation, Error> {
    RelationObject::from_value(value).ok_or_else(|| {
        raise(RbtError::compilation(format!("expected a relation, found {}: {value}", value.kind())))
    })
}

fn with_relation(args: &Args, act: impl FnOnce(&Relation)) -> Result<Value, Error> {
    let value = args.required(0, "relation")?;
    if !value.is_none() {
        act(relation_of(&value)?);
    }
    Ok(Value::from(""))
}

/// The relation of a name. One whose name differs in its case only is another one to dbt and the same one to DuckDB:
/// nobody meant to replace it, unless the project quotes no names.
fn get_relation(context: &Context, running: &Running, args: &Args) -> Result<Value, Error> {
    let database = args.optional_string(0, "database");
    let schema = args.optional_string(1, "schema");
    let identifier = args.optional_string(2, "identifier");
    let wanted = Relation::new(database.as_deref(), schema.as_deref(), identifier.as_deref());
    let Some(found) = running.session.relation(&wanted).map_err(raise)? else { return Ok(none()) };
    if context.shared.quoting.identifier && found.identifier != wanted.identifier {
        let message = format!("{wanted} is not there, and an approximate match is in its place: {found}");
        let error = RbtError::compilation(message)
            .help("drop or rename one of them, as DuckDB does not tell names apart by their case");
        return Err(raise(error));
    }
    Ok(Value::from(found))
}

fn list_relations(running: &Running, args: &Args) -> Result<Value, Error> {
    let database = args.optional_string(0, "database").unwrap_or_default();
    let schema = args.optional_string(1, "schema").unwrap_or_default();
    let relations = running.session.relations(&database, &schema).map_err(raise)?;
    Ok(values::list(relations.into_iter().map(Value::from)))
}

fn check_schema_exists(running: &Running, args: &Args) -> Result<Value, Error> {
    let database = args.optional_string(0, "database").unwrap_or_default();
    let schema = args.string(1, "schema")?;
    running.session.schema_exists(&database, &schema).map(Value::from).map_err(raise)
}

fn already_exists(context: &Context, running: &Running, args: &Args) -> Result<Value, Error> {
    let database = &context.shared.target.database;
    let wanted =
        Relation::new(Some(database), Some(&args.string(0, "schema")?), Some(&args.string(1, "name")?));
    running.session.relation(&wanted).map(|found| Value::from(found.is_some())).map_err(raise)
}

/// The columns of a relation; none if it does not exist.
pub fn columns_in_relation(context: &Context, relation: &Value) -> Result<Value, Error> {
    if relation.is_none() {
        return Ok(values::list([]));
    }
    match context.call_macro("get_columns_in_relation", std::slice::from_ref(relation)) {
        Ok(columns) => Ok(columns),
        Err(error) if error.message().to_lowercase().contains("does not exist") => Ok(values::list([])),
        Err(error) => Err(raise(error)),
    }
}

/// The columns that a query gives; structs are taken apart.
pub fn columns_of_query(running: &Running, args: &Args) -> Result<Value, Error> {
    let sql = args.string(0, "sql")?;
    let columns = running.session.connection().columns_of_query(&sql).map_err(raise)?;
    let columns = columns.into_iter().flat_map(|column| Column::new(column.name, column.data_type).flatten());
    Ok(values::list(columns.map(Value::from)))
}

fn missing_columns(context: &Context, args: &Args) -> Result<Value, Error> {
    let names = |columns: &Value| -> Result<Vec<(String, Value)>, Error> {
        let named = |column: Value| {
            ColumnObject::from_value(&column).map(|c| c.name.clone()).map(|name| (name, column))
        };
        Ok(columns.try_iter()?.filter_map(named).collect())
    };
    let from = columns_in_relation(context, &args.required(0, "from_relation")?)?;
    let to = names(&columns_in_relation(context, &args.required(1, "to_relation")?)?)?;
    let missing = names(&from)?.into_iter().filter(|(name, _)| !to.iter().any(|(known, _)| known == name));
    Ok(values::list(missing.map(|(_, column)| column)))
}

fn run_macro(context: &Context, name: &str, args: &[Value]) -> Result<(), Error> {
    context.call_macro(name, args).map(|_| ()).map_err(raise)
}

fn create_schema(context: &Context, running: &Running, args: &Args) -> Result<Value, Error> {
    let value = args.required(0, "relation")?;
    run_macro(context, "create_schema", std::slice::from_ref(&value))?;
    let relation = relation_of(&value)?;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    running.session.cache.add_schema(&part(&relation.database), &part(&relation.schema));
    running.session.commit().map_err(raise)?;
    Ok(none())
}

fn drop_schema(context: &Context, running: &Running, args: &Args) -> Result<Value, Error> {
    let value = args.required(0, "relation")?;
    run_macro(context, "drop_schema", std::slice::from_ref(&value))?;
    let relation = relation_of(&value)?;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    running.session.cache.drop_schema(&part(&relation.database), &part(&relation.schema));
    running.session.commit().map_err(raise)?;
    Ok(none())
}

fn drop_relation(context: &Context, running: &Running, args: &Args) -> Result<Value, Error> {
    let value = args.required(0, "relation")?;
    let relation = relation_of(&value)?;
    running.session.cache.remove(relation);
    // A relation whose kind nobody knows cannot be dropped by name; it is not in the catalog either.
    if relation.kind.is_some() {
        run_macro(context, "drop_relation", std::slice::from_ref(&value))?;
    }
    Ok(none())
}

fn rename_relation(context: &Context, running: &Running, args: &Args) -> Result<Value, Error> {
    let (from, to) = (args.required(0, "from_relation")?, args.required(1, "to_relation")?);
    running.session.cache.rename(relation_of(&from)?, relation_of(&to)?);
    run_macro(context, "rename_relation", &[from, to])?;
    Ok(none())
}

/// A query that counts the rows in which two relations differ; dbt's tests use it.
fn rows_different(context: &Context, args: &Args) -> Result<Value, Error> {
    let (a, b) = (args.required(0, "relation_a")?, args.required(1, "relation_b")?);
    let names: RbtResult<Vec<String>> = match args.get(2, "column_names").filter(|names| !names.is_none()) {
        Some(names) => Ok(names.try_iter()?.map(|name| name.to_string()).collect()),
        None => {
            let columns = columns_in_relation(context, &a)?;
            Ok(columns
                .try_iter()?
                .filter_map(|c| ColumnObject::from_value(&c).map(|c| c.name.clone()))
                .collect())
        }
    };
    let mut names = names.map_err(raise)?;
    names.sort();
    let columns = names.iter().map(|name| crate::sql::quote_identifier(name)).collect::<Vec<_>>().join(", ");
    Ok(Value::from(format!(
        "with only_a as (select {columns} from {a} except all select {columns} from {b}), \
         only_b as (select {columns} from {b} except all select {columns} from {a}) \
         select abs((select count(*) from {a}) - (select count(*) from {b})) as row_count_difference, \
         (select count(*) from only_a) + (select count(*) from only_b) as num_mismatched"
    )))
}
