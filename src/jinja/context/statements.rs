//! What `statement` is made of: results that are stored and loaded, files that are written, seeds that are read.

use std::path::Path;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};
use serde_json::Value as Json;

use super::args::Args;
use super::{Context, TableObject, lock};
use crate::error::Error as RbtError;
use crate::jinja::{Origin, python_str, raise};
use crate::manifest::ResourceType;
use crate::warehouse::seed::Seed;
use crate::warehouse::{Response, Table};

/// What a statement gave: the warehouse's answer and the rows.
#[derive(Debug, Clone)]
pub struct StatementResult {
    pub response: Response,
    pub table: TableObject,
}

impl StatementResult {
    /// The result behind a stored value.
    pub fn from_value(value: &Value) -> Option<StatementResult> {
        value.downcast_object_ref::<StatementResult>().cloned()
    }
}

impl Object for StatementResult {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["response", "data", "table"])
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "response" | "status" => Some(response_value(&self.response)),
            "data" => Some(self.table.matrix()),
            "table" => Some(Value::from_object(self.table.clone())),
            _ => None,
        }
    }
}

/// The warehouse's answer, as templates see it: printed, it is the message.
#[derive(Debug)]
struct ResponseObject(Response);

impl Object for ResponseObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "_message" | "message" => Some(Value::from(self.0.message.as_str())),
            "code" => Some(self.0.code.as_deref().map_or(Value::from(()), Value::from)),
            "rows_affected" => Some(self.0.rows_affected.map_or(Value::from(()), Value::from)),
            _ => None,
        }
    }

    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// A response for a template's eyes.
pub fn response_value(response: &Response) -> Value {
    Value::from_object(ResponseObject(response.clone()))
}

/// `load_result(name)`: what a statement stored. All but `main` can be loaded once.
pub fn load_result(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let name = args.string(0, "name")?;
    let mut results = lock(&context.results);
    match results.get_mut(&name) {
        None => Ok(Value::from(())),
        Some(stored) if name == "main" => Ok(stored.clone().unwrap_or(Value::from(()))),
        Some(stored) => stored.take().ok_or_else(|| {
            raise(RbtError::compilation(format!(
                "The 'statement' result named '{name}' has already been loaded into a variable"
            )))
        }),
    }
}

fn store(context: &Context, name: String, response: Response, table: Option<Value>) {
    let table = table.as_ref().and_then(TableObject::from_value).cloned();
    let table = table.unwrap_or_else(|| TableObject::new(Table::default()));
    let result = Value::from_object(StatementResult { response, table });
    lock(&context.results).insert(name, Some(result));
}

/// `store_result(name, response, agate_table)`.
pub fn store_result(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let given = args.get(1, "response").unwrap_or_default();
    let response = match given.downcast_object_ref::<ResponseObject>() {
        Some(response) => response.0.clone(),
        None => Response { message: given.to_string(), code: None, rows_affected: None },
    };
    store(context, args.string(0, "name")?, response, args.get(2, "agate_table"));
    Ok(Value::from(""))
}

/// `store_raw_result(name, message, code, rows_affected, agate_table)`.
pub fn store_raw_result(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let response = Response {
        message: args.optional_string(1, "message").unwrap_or_default(),
        code: args.optional_string(2, "code"),
        rows_affected: args.optional_string(3, "rows_affected").and_then(|rows| rows.parse().ok()),
    };
    store(context, args.string(0, "name")?, response, args.get(4, "agate_table"));
    Ok(Value::from(""))
}

/// `load_agate_table()`: the rows of the seed that is running.
pub fn load_agate_table(context: &Arc<Context>, _state: &mut State, _args: &Args) -> Result<Value, Error> {
    let node = context.node.as_ref().filter(|node| node.resource_type == ResourceType::Seed);
    let Some(node) = node else {
        return Err(raise(RbtError::compilation("load_agate_table can only be called by seeds")));
    };
    let path = Path::new(node.root_path.as_deref().unwrap_or(".")).join(&node.original_file_path);
    let delimiter = node.config.get_str("delimiter").unwrap_or(",");
    let typed = node.config.get("column_types").and_then(Json::as_object);
    let text_columns: Vec<&str> =
        typed.into_iter().flat_map(|types| types.keys()).map(String::as_str).collect();
    let seed = Seed::read(&path, delimiter, &text_columns).map_err(raise)?;
    Ok(Value::from_object(TableObject::of_seed(seed)))
}

/// `write(payload)`: writes the SQL that is about to run below `target/run`.
pub fn write(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let (Some(node), Some(running)) = (&context.node, context.running()) else { return Ok(Value::from("")) };
    let payload = args.get(0, "payload").unwrap_or_default();
    running.write_run_file(node, payload.as_str().unwrap_or_default()).map_err(raise)?;
    Ok(Value::from(""))
}

/// `render(string)`: renders a text that is itself a template, such as a hook's SQL. What is no text, a relation for
/// example, is taken as it prints.
pub fn render(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.required(0, "string").map(|value| python_str(&value))?;
    let path = context.node.as_ref().map_or("", |node| &node.original_file_path);
    context.render(&text, &Origin::file(path)).map(Value::from).map_err(raise)
}

/// `try_or_compiler_error(message, function, …)`: calls, and turns any failure into the message.
pub fn try_or_compiler_error(
    _context: &Arc<Context>,
    state: &mut State,
    args: &Args,
) -> Result<Value, Error> {
    let message = args.string(0, "message_if_exception")?;
    let function = args.required(1, "func")?;
    let rest = args.positional().get(2..).unwrap_or_default();
    function.call(state, rest).map_err(|_| raise(RbtError::compilation(message)))
}

/// `submit_python_job`: refused, as rbt runs no Python.
pub fn submit_python_job(context: &Arc<Context>, _state: &mut State, _args: &Args) -> Result<Value, Error> {
    let name = context.node.as_ref().map_or("this model", |node| &node.name);
    Err(raise(
        RbtError::runtime(format!("'{name}' is a Python model, and rbt runs no Python"))
            .help("write the model in SQL, or run it with dbt and read its table as a source"),
    ))
}
