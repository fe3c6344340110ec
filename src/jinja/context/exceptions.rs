//! `exceptions`: errors and warnings that templates raise
//! (<https://docs.getdbt.com/reference/dbt-jinja-functions/exceptions>).

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::Context;
use super::args::Args;
use super::table::contract_mismatch;
use crate::error::{Error as RbtError, ErrorKind};
use crate::events::Warning;
use crate::jinja::raise;

/// `exceptions` in a template.
#[derive(Debug)]
pub struct Exceptions(pub Arc<Context>);

impl Object for Exceptions {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Args::new(method, args)?;
        let message = || args.get(0, "msg").map(|message| message.to_string()).unwrap_or_default();
        let error = match method {
            "warn" => {
                self.0.shared.events.warn(Warning::new("JinjaLogWarning", message())).map_err(raise)?;
                return Ok(Value::from(""));
            }
            "warn_snapshot_timestamp_data_types" => {
                let warning = snapshot_types_warning(&args)?;
                self.0.shared.events.warn(warning).map_err(raise)?;
                return Ok(Value::from(""));
            }
            "raise_compiler_error" => RbtError::compilation(message()),
            "raise_not_implemented" => RbtError::compilation(format!("ERROR: {}", message())),
            "raise_parsing_error" => RbtError::parsing(message()),
            "raise_database_error" => RbtError::database(message()),
            "raise_fail_fast_error" => RbtError::runtime(message()),
            "raise_dependency_error" => RbtError::new(ErrorKind::Dependency, message()),
            "raise_invalid_property_yml_version" => RbtError::parsing(args.string(1, "issue")?),
            "missing_config" => RbtError::compilation(format!(
                "a required config parameter '{}' is not defined",
                args.string(1, "name")?
            )),
            "missing_materialization" => RbtError::compilation(format!(
                "No materialization '{}' was found for adapter duckdb! (searched types 'default' and 'duckdb')",
                args.string(0, "materialization")?
            )),
            "missing_relation" => {
                RbtError::compilation(format!("Relation {} not found!", args.string(0, "relation")?))
            }
            "relation_wrong_type" => RbtError::compilation(wrong_type(&args)?),
            "column_type_missing" => RbtError::compilation(format!(
                "Contracted models require data_type to be defined for each column. \
                 Please ensure that the column name and data_type are defined within the YAML configuration \
                 for the {} column(s).",
                args.required(0, "column_names")?
            )),
            "raise_contract_error" => {
                contract_mismatch(&args.required(0, "yaml_columns")?, &args.required(1, "sql_columns")?)
            }
            "disallow_secret_env_var" => RbtError::parsing(format!(
                "Secret env vars are allowed only in profiles.yml or packages.yml. \
                 Found '{}' referenced elsewhere.",
                args.string(0, "env_var_name")?
            )),
            _ => return Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        };
        Err(raise(error))
    }
}

fn snapshot_types_warning(args: &Args) -> Result<Warning, Error> {
    let snapshot = args.string(0, "snapshot_time_data_type")?;
    let updated_at = args.string(1, "updated_at_data_type")?;
    let message = format!(
        "The snapshot compares its own time, of type '{snapshot}', with the updated_at column, of type \
         '{updated_at}': rows may be dated wrongly. Please update snapshot config 'updated_at', or cast the column to '{snapshot}'."
    );
    let warning = Warning::new("SnapshotTimestampWarning", message);
    Ok(warning.with("snapshot_time_data_type", snapshot).with("updated_at_data_type", updated_at))
}

fn wrong_type(args: &Args) -> Result<String, Error> {
    let relation = args.required(0, "relation")?;
    let expected = args.string(1, "expected_type")?;
    let model = args.optional_string(2, "model").unwrap_or_else(|| "the model".to_owned());
    let found = relation.get_attr("type")?;
    Ok(format!(
        "Trying to create {expected} {relation}, but it currently exists as a {found}. \
         Either drop {relation} manually, or run with `--full-refresh` and {model} will be rebuilt."
    ))
}
