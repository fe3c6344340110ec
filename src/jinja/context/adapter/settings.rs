//! Quoting, grants, external files, and other settings that macros ask the adapter for.

use std::fmt;
use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Object, ObjectRepr, Value};
use serde_json::Value as Json;

use super::super::args::Args;
use super::super::builtins::md5_hex;
use super::super::table::expect_table;
use super::super::value as values;
use super::super::{Context, RelationObject, Running, Target};
use crate::error::Error as RbtError;
use crate::events::Warning;
use crate::jinja::raise;
use crate::sql::{Policy, quote_identifier};
use crate::warehouse::Fetch;

/// `adapter.config`: what macros ask of the project's and the profile's configuration.
pub fn config(context: &Context) -> Value {
    let Target { profile_name, name, threads, .. } = &context.shared.target;
    let Policy { database, schema, identifier } = context.shared.quoting;
    let quoting = [("database", database), ("schema", schema), ("identifier", identifier)];
    values::dict([
        ("project_name", Value::from(context.shared.project_name.clone())),
        ("profile_name", Value::from(profile_name.as_str())),
        ("target_name", Value::from(name.as_str())),
        ("threads", Value::from(*threads)),
        ("quoting", values::dict(quoting.map(|(part, quoted)| (part, Value::from(quoted))))),
        ("credentials", context.shared.target.to_value()),
    ])
}

/// `adapter.quote_as_configured(name, part)`: quoted if the project quotes that part of a relation.
pub fn quote_as_configured(context: &Context, args: &Args) -> Result<Value, Error> {
    let name = args.string(0, "identifier")?;
    let quoting = context.shared.quoting;
    let quoted = match args.string(1, "quote_key")?.as_str() {
        "database" => quoting.database,
        "schema" => quoting.schema,
        _ => quoting.identifier,
    };
    Ok(Value::from(if quoted { quote_identifier(&name) } else { name }))
}

/// `adapter.quote_seed_column(name, quote_columns)`: quoted unless the seed says no.
pub fn quote_seed_column(args: &Args) -> Result<Value, Error> {
    let name = args.string(0, "column")?;
    let quoted = args.optional_bool(1, "quote_config").unwrap_or(true);
    Ok(Value::from(if quoted { quote_identifier(&name) } else { name }))
}

/// Whether a relation's database is an attached DuckLake.
pub fn is_ducklake(context: &Context, args: &Args) -> bool {
    let relation = args.get(0, "relation");
    let database = relation.as_ref().and_then(RelationObject::from_value).and_then(|r| r.database.clone());
    database.is_some_and(|database| context.shared.target.ducklakes.contains(&database))
}

/// `adapter.standardize_grants_dict(table)`: from privileges to the lists of those who have them.
pub fn standardize_grants(args: &Args) -> Result<Value, Error> {
    let value = args.required(0, "grants_table")?;
    let table = expect_table(&value)?;
    let text = |row: &[crate::warehouse::Cell], name: &str| {
        let index = table.columns().iter().position(|column| column.name == name)?;
        Some(row.get(index)?.to_string())
    };
    let mut grants: indexmap::IndexMap<String, Vec<Value>> = indexmap::IndexMap::new();
    for row in &table.table().rows {
        if let (Some(grantee), Some(privilege)) = (text(row, "grantee"), text(row, "privilege_type")) {
            grants.entry(privilege).or_default().push(Value::from(grantee));
        }
    }
    Ok(values::dict(grants.into_iter().map(|(privilege, grantees)| (privilege, values::list(grantees)))))
}

/// `adapter.warn_once(message)`: a warning that is told the first time only.
pub fn warn_once(context: &Arc<Context>, args: &Args) -> Result<Value, Error> {
    let message = args.string(0, "msg")?;
    if !context.shared.is_first_telling(&message) {
        return Ok(Value::from(""));
    }
    context.shared.events.warn(Warning::new("AdapterEventWarning", message)).map_err(raise)?;
    Ok(Value::from(""))
}

/// `adapter.location_exists(path)`: whether DuckDB can read a file or a set of files.
pub fn location_exists(running: &Running, args: &Args) -> Result<Value, Error> {
    let location = args.string(0, "location")?;
    let sql = format!("select 1 from '{}' where 1 = 0", location.replace('\'', "''"));
    Ok(Value::from(running.session.execute(&sql, false, Fetch::None).is_ok()))
}

/// `adapter.get_seed_file_path(model)`: where a seed's file is.
pub fn seed_file_path(args: &Args) -> Result<Value, Error> {
    let model = args.required(0, "model")?;
    let (root, path) = (model.get_attr("root_path")?, model.get_attr("original_file_path")?);
    Ok(Value::from(format!("{root}/{path}")))
}

/// `adapter.get_temp_relation_path(model)`: a schema of its own for intermediate tables on MotherDuck.
pub fn temp_relation_path(context: &Context, args: &Args) -> Result<Value, Error> {
    let model = args.required(0, "model")?;
    let alias = model.get_attr("alias")?.to_string();
    let path = [
        ("database", context.shared.target.database.clone()),
        ("schema", "dbt_temp".to_owned()),
        (
            "identifier",
            format!(
                "{}__{alias}",
                &context.shared.invocation_id[..8.min(context.shared.invocation_id.len())]
            ),
        ),
    ];
    Ok(values::dict(path.map(|(key, value)| (key, Value::from(value)))))
}

/// `adapter.parse_index(config)`: an index of the model's `indexes`, with a `render(relation)` that names it.
pub fn parse_index(args: &Args) -> Result<Value, Error> {
    let raw = values::to_json(&args.required(0, "raw_index")?).map_err(raise)?;
    let columns = raw
        .get("columns")
        .and_then(Json::as_array)
        .map(|columns| columns.iter().filter_map(Json::as_str).map(str::to_owned).collect::<Vec<_>>());
    let Some(columns) = columns.filter(|columns| !columns.is_empty()) else {
        return Err(raise(
            RbtError::compilation(format!("Could not parse index config: {raw}"))
                .help("write indexes as a list of {'columns': ['a', 'b'], 'unique': true}"),
        ));
    };
    let known = |key: &&String| ["columns", "unique"].contains(&key.as_str());
    if let Some(key) = raw.as_object().and_then(|raw| raw.keys().find(|key| !known(key))) {
        return Err(raise(
            RbtError::compilation(format!("Could not parse index config: '{key}' is no key of an index"))
                .help("an index has the keys `columns` and `unique`"),
        ));
    }
    let unique = raw.get("unique").and_then(Json::as_bool).unwrap_or(false);
    Ok(Value::from_object(Index { columns, unique }))
}

#[derive(Debug)]
struct Index {
    columns: Vec<String>,
    unique: bool,
}

impl Object for Index {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "columns" => Some(values::list(self.columns.iter().map(|column| Value::from(column.as_str())))),
            "unique" => Some(Value::from(self.unique)),
            _ => None,
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut minijinja::State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if method != "render" {
            return Err(Error::from(minijinja::ErrorKind::UnknownMethod));
        }
        // The moment is part of the name, because the old table's index still has its name when the new one is made.
        let relation = Args::new(method, args)?.required(0, "relation")?;
        let now = chrono::Utc::now().to_rfc3339();
        let parts = format!("{}_{relation}_{}_{now}", self.columns.join("_"), self.unique);
        Ok(Value::from(md5_hex(parts.as_bytes())))
    }
}

fn options_of(args: &Args) -> Result<Vec<(String, String)>, Error> {
    let options = args.required(1, "rendered_options")?;
    options.try_iter()?.map(|key| Ok((key.to_string(), options.get_item(&key)?.to_string()))).collect()
}

/// `adapter.external_write_options(location, options)`: the options of DuckDB's `COPY … TO`, with the format taken
/// from the file's name where it is not given.
pub fn external_write_options(args: &Args) -> Result<Value, Error> {
    let location = args.string(0, "write_location")?;
    let mut options = options_of(args)?;
    let has = |options: &[(String, String)], name: &str| options.iter().any(|(key, _)| key == name);
    if !has(&options, "format") {
        let (format, compression) = format_of(&location, has(&options, "delimiter"));
        options.push(("format".to_owned(), format));
        if let Some(compression) = compression.filter(|_| !has(&options, "compression")) {
            options.push(("compression".to_owned(), compression.to_owned()));
        }
    }
    let is_csv = options.iter().any(|(key, value)| key == "format" && value == "csv");
    if is_csv && !has(&options, "header") {
        options.push(("header".to_owned(), "1".to_owned()));
    }
    let rendered = options.into_iter().map(|(key, value)| match key.to_lowercase().as_str() {
        "delimiter" | "quote" | "escape" | "null" if !value.starts_with('\'') => format!("{key} '{value}'"),
        "partition_by" if value.contains(',') && !value.starts_with('(') => format!("{key} ({value})"),
        _ => format!("{key} {value}"),
    });
    Ok(Value::from(rendered.collect::<Vec<_>>().join(", ")))
}

/// The format and compression that a file's name tells.
fn format_of(location: &str, has_delimiter: bool) -> (String, Option<&'static str>) {
    let extension = |name: &str| {
        let file = name.rsplit('/').next().unwrap_or(name);
        file.rsplit_once('.')
            .filter(|(stem, _)| !stem.is_empty())
            .map(|(_, extension)| extension.to_lowercase())
    };
    let (compression, stem) = match extension(location).as_deref() {
        Some("gz") => (Some("gzip"), &location[..location.len() - 3]),
        Some("zst") => (Some("zstd"), &location[..location.len() - 4]),
        _ => (None, location),
    };
    match extension(stem) {
        Some(format) => (format, compression),
        None if has_delimiter => ("csv".to_owned(), None),
        None => ("parquet".to_owned(), None),
    }
}

/// `adapter.external_read_location(location, options)`: what to read to get back what was written.
pub fn external_read_location(args: &Args) -> Result<Value, Error> {
    let location = args.string(0, "write_location")?;
    let options = options_of(args)?;
    let option = |name: &str| options.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let levels = option("partition_by").map_or(0, |columns| columns.split(',').count());
    let per_thread = option("per_thread_output").is_some_and(|value| !value.eq_ignore_ascii_case("false"));
    if levels == 0 && !per_thread {
        return Ok(Value::from(location));
    }
    let format = option("format").unwrap_or("parquet");
    Ok(Value::from(format!("{location}/*{}.{format}", "/*".repeat(levels))))
}

/// `adapter.store_relation(plugin, …)`: refused, as dbt-duckdb's plugins are Python modules.
pub fn refuse_plugin(args: &Args) -> Result<Value, Error> {
    let plugin = args.string(0, "plugin_name")?;
    let message = format!("the model hands its file to the plugin {plugin}, and rbt runs no Python");
    Err(raise(RbtError::runtime(message).help(
        "remove `plugin` or `glue_register`; to register files with a catalog, attach it (extension iceberg, ducklake)",
    )))
}

/// `adapter.behavior`: flags that change dbt's behaviour; rbt has the present behaviour of each.
#[derive(Debug)]
pub struct Behavior;

impl Object for Behavior {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, _key: &Value) -> Option<Value> {
        Some(values::dict([("setting", Value::from(false)), ("no_warn", Value::from(false))]))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<behavior>")
    }
}
