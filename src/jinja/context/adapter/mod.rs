//! `adapter`: what macros ask of the warehouse (<https://docs.getdbt.com/reference/dbt-jinja-functions/adapter>).
//!
//! While parsing, methods that would need the warehouse answer with nothing, as dbt's do.

mod dispatch;
mod incremental;
mod relations;
mod settings;

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::args::Args;
use super::column::ColumnClass;
use super::relation::RelationClass;
use super::statements::response_value;
use super::table::table_value;
use super::value as values;
use super::{Context, Running, TableObject};
use crate::jinja::raise;
use crate::jinja::values::is_undefined;
use crate::sql::{constraint, quote_identifier};
use crate::warehouse::{Cell, Fetch, Response, Table};

/// `adapter` in a template.
#[derive(Debug)]
pub struct AdapterObject(pub Arc<Context>);

impl Object for AdapterObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "Relation" => Some(Value::from_object(RelationClass { quoting: self.0.shared.quoting })),
            "Column" => Some(Value::from_object(ColumnClass)),
            "config" => Some(settings::config(&self.0)),
            "behavior" => Some(Value::from_object(settings::Behavior)),
            // As a value, for templates that call it by another name.
            "dispatch" => Some(Value::from_object(dispatch::Dispatch(self.0.clone()))),
            _ => None,
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Args::new(method, args)?;
        let context = &self.0;
        if let Some(answer) = without_warehouse(context, method, &args) {
            return answer;
        }
        match context.running() {
            Some(running) => with_warehouse(context, running, method, &args),
            None => Ok(while_parsing(method)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<adapter>")
    }
}

fn none() -> Value {
    Value::from(())
}

fn strings(items: impl IntoIterator<Item = String>) -> Value {
    values::list(items.into_iter().map(Value::from))
}

/// What needs no connection and answers while parsing as well.
fn without_warehouse(context: &Arc<Context>, method: &str, args: &Args) -> Option<Result<Value, Error>> {
    Some(match method {
        "type" => Ok(Value::from("duckdb")),
        "dispatch" => dispatch::dispatch(context, args),
        "quote" => args.string(0, "identifier").map(|name| Value::from(quote_identifier(&name))),
        "quote_as_configured" => settings::quote_as_configured(context, args),
        "quote_seed_column" => settings::quote_seed_column(args),
        "render_raw_columns_constraints" => columns_constraints(args),
        "render_raw_model_constraints" => model_constraints(args),
        "builtin_incremental_strategies" | "valid_incremental_strategies" => {
            Ok(strings(incremental::STRATEGIES.map(str::to_owned)))
        }
        "get_hard_deletes_behavior" => incremental::hard_deletes_behavior(args),
        "standardize_grants_dict" => settings::standardize_grants(args),
        "convert_datetimes_to_strs" => args.required(0, "table"),
        "escape_sql_string" => {
            args.required(0, "value").map(|value| Value::from(value.to_string().replace('\'', "''")))
        }
        "get_binding_char" => Ok(Value::from("?")),
        "is_motherduck" => Ok(Value::from(context.shared.target.is_motherduck)),
        "disable_transactions" => Ok(Value::from(context.shared.target.disable_transactions)),
        "is_ducklake" => Ok(Value::from(settings::is_ducklake(context, args))),
        "use_ducklake_table_workarounds" => Ok(Value::from(false)),
        "external_root" => Ok(Value::from(context.shared.target.external_root.as_str())),
        "external_write_options" => settings::external_write_options(args),
        "external_read_location" => settings::external_read_location(args),
        "get_seed_file_path" => settings::seed_file_path(args),
        "parse_index" => settings::parse_index(args),
        "warn_once" => settings::warn_once(context, args),
        "batch_id_for_model" => Ok(args
            .get(0, "model")
            .and_then(|model| model.get_attr("batch").ok()?.get_attr("id").ok())
            .unwrap_or(none())),
        "nice_connection_name" => Ok(Value::from("master")),
        _ => return None,
    })
}

/// What dbt answers while parsing, when nothing may be asked of the warehouse.
fn while_parsing(method: &str) -> Value {
    match method {
        "execute" => values::tuple(vec![response_value(&Response::ok()), table_value(Table::default())]),
        "get_columns_in_relation"
        | "get_column_schema_from_query"
        | "get_missing_columns"
        | "list_relations"
        | "list_relations_without_caching"
        | "list_schemas" => values::list([]),
        "check_schema_exists" | "already_exists" | "location_exists" => Value::from(false),
        "get_temp_relation_path" => values::dict(
            [("database", ""), ("schema", ""), ("identifier", "")]
                .map(|(key, value)| (key, Value::from(value))),
        ),
        _ => none(),
    }
}

fn with_warehouse(
    context: &Arc<Context>,
    running: &Running,
    method: &str,
    args: &Args,
) -> Result<Value, Error> {
    match method {
        "execute" => execute(running, args),
        "add_query" => add_query(running, args),
        "commit" | "commit_if_has_connection" => {
            running.session.commit().map(|()| Value::from("")).map_err(raise)
        }
        "ensure_transaction" => running.session.begin().map(|()| Value::from("")).map_err(raise),
        "clear_transaction" => running.session.rollback().map(|()| Value::from("")).map_err(raise),
        "catalog_supports_foreign_keys" => Ok(Value::from(true)),
        "location_exists" => settings::location_exists(running, args),
        "get_column_schema_from_query" => relations::columns_of_query(running, args),
        "get_incremental_strategy_macro" => incremental::strategy_macro(context, args),
        "valid_snapshot_target" | "assert_valid_snapshot_target_given_strategy" => {
            incremental::check_snapshot_target(context, args)
        }
        "get_temp_relation_path" => settings::temp_relation_path(context, args),
        "store_relation" => settings::refuse_plugin(args),
        "convert_type" => convert_type(args),
        "run_sql" | "debug_query" => execute(running, args),
        _ => relations::call(context, running, method, args),
    }
}

/// `adapter.execute(sql, auto_begin, fetch, limit)`: the response and the table.
fn execute(running: &Running, args: &Args) -> Result<Value, Error> {
    let sql = args.string(0, "sql")?;
    let begin = args.optional_bool(1, "auto_begin").unwrap_or(false);
    let limit = args.get(3, "limit").and_then(|limit| usize::try_from(limit).ok());
    let fetch = match (args.optional_bool(2, "fetch").unwrap_or(false), limit) {
        (false, _) => Fetch::None,
        (true, Some(limit)) => Fetch::Limit(limit),
        (true, None) => Fetch::All,
    };
    let (response, table) = running.session.execute(&sql, begin, fetch).map_err(raise)?;
    Ok(values::tuple(vec![response_value(&response), table_value(table)]))
}

/// `adapter.add_query(sql, auto_begin, bindings)`: a statement with values for its placeholders.
fn add_query(running: &Running, args: &Args) -> Result<Value, Error> {
    let sql = args.string(0, "sql")?;
    let cells: Vec<Cell> = match args.get(2, "bindings").filter(|bindings| !bindings.is_none()) {
        Some(bindings) => bindings.try_iter()?.map(|value| binding(&value)).collect(),
        None => Vec::new(),
    };
    let done = if cells.is_empty() {
        running.session.execute(&sql, true, Fetch::None).map(|_| ())
    } else {
        running.session.execute_with(&sql, &cells).map(|_| ())
    };
    done.map(|()| Value::from("")).map_err(raise)
}

fn binding(value: &Value) -> Cell {
    if value.is_none() || is_undefined(value) {
        return Cell::Null;
    }
    match bool::try_from(value.clone()) {
        Ok(flag) if value.kind() == minijinja::value::ValueKind::Bool => Cell::Bool(flag),
        _ if value.is_integer() => i128::try_from(value.clone()).map_or(Cell::Null, Cell::Int),
        _ if value.is_number() => f64::try_from(value.clone()).map_or(Cell::Null, Cell::Float),
        _ => Cell::Text(value.to_string()),
    }
}

fn columns_constraints(args: &Args) -> Result<Value, Error> {
    let columns = values::to_json(&args.required(0, "raw_columns")?).map_err(raise)?;
    let columns = columns.as_object().map(|columns| columns.values()).into_iter().flatten();
    Ok(strings(columns.map(constraint::column_definition)))
}

fn model_constraints(args: &Args) -> Result<Value, Error> {
    let constraints = values::to_json(&args.required(0, "raw_constraints")?).map_err(raise)?;
    let constraints = constraints.as_array().into_iter().flatten();
    Ok(strings(constraints.filter_map(constraint::model_constraint)))
}

/// `adapter.convert_type(table, column)`: the SQL type of a seed's column.
fn convert_type(args: &Args) -> Result<Value, Error> {
    let table = args.required(0, "agate_table")?;
    let index = usize::try_from(args.required(1, "col_idx")?)?;
    let table = TableObject::from_value(&table);
    let column = table.and_then(|table| table.columns().get(index));
    Ok(column.map_or(none(), |column| Value::from(column.data_type.as_str())))
}
