//! The functions of dbt's context that need no node: variables, the environment, JSON and YAML, logging.

use std::collections::HashMap;
use std::env;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use md5::{Digest, Md5};
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};
use serde_json::Value as Json;

use super::args::Args;
use super::value as values;
use super::{Context, Role, Shared, metrics, nodes, runtime_config, statements};
use crate::error::{Error as RbtError, ErrorKind};
use crate::events::{Event, NodeInfo};
use crate::flags::SECRET_PREFIX;
use crate::jinja::values::{is_undefined, json_dumps};
use crate::jinja::{Origin, python_str, raise};
use crate::manifest::Node;
use crate::project::yaml::{self, YamlValue};
use crate::text::nearest;

type Implementation = fn(&Arc<Context>, &mut State, &Args) -> Result<Value, Error>;

const FUNCTIONS: &[(&str, Implementation)] = &[
    ("ref", nodes::reference),
    ("source", nodes::source),
    ("metric", metrics::metric),
    ("function", nodes::function),
    ("var", var),
    ("env_var", env_var),
    ("log", log),
    ("print", print),
    ("debug", nothing),
    ("tojson", to_json),
    ("fromjson", from_json),
    ("toyaml", to_yaml),
    ("fromyaml", from_yaml),
    ("set", set),
    ("set_strict", set_strict),
    ("zip", zip),
    ("zip_strict", zip_strict),
    ("local_md5", local_md5),
    ("diff_of_two_dicts", diff_of_two_dicts),
    ("load_result", statements::load_result),
    ("store_result", statements::store_result),
    ("store_raw_result", statements::store_raw_result),
    ("load_agate_table", statements::load_agate_table),
    ("write", statements::write),
    ("render", statements::render),
    ("try_or_compiler_error", statements::try_or_compiler_error),
    ("submit_python_job", statements::submit_python_job),
    ("adapter_macro", adapter_macro),
];

/// Functions that need nothing but variables: all that YAML may call.
const YAML_FUNCTIONS: &[&str] = &[
    "var",
    "env_var",
    "log",
    "print",
    "debug",
    "tojson",
    "fromjson",
    "toyaml",
    "fromyaml",
    "set",
    "set_strict",
    "zip",
    "zip_strict",
    "local_md5",
    "diff_of_two_dicts",
];

/// The function of a name, bound to a context.
pub fn function(context: &Arc<Context>, name: &str) -> Option<Value> {
    static BY_NAME: OnceLock<HashMap<&'static str, (&'static str, Implementation)>> = OnceLock::new();
    let functions = BY_NAME
        .get_or_init(|| FUNCTIONS.iter().map(|(name, function)| (*name, (*name, *function))).collect());
    let (name, implementation) = *functions.get(name)?;
    if matches!(context.role, Role::Yaml | Role::Secrets) && !YAML_FUNCTIONS.contains(&name) {
        return None;
    }
    Some(Value::from_object(Function { name, implementation, context: context.clone() }))
}

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, _)| *name)
}

#[derive(Debug)]
struct Function {
    name: &'static str,
    implementation: Implementation,
    context: Arc<Context>,
}

impl Object for Function {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    /// `builtins.ref.config` is how packages find the project's configuration.
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let resolves = matches!(self.name, "ref" | "source");
        (resolves && key.as_str() == Some("config")).then(|| runtime_config::value(&self.context.shared))
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.implementation)(&self.context, state, &Args::new(self.name, args)?)
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if self.name == "var" && method == "has_var" {
            let name = Args::new(method, args)?.string(0, "var_name")?;
            return Ok(Value::from(lookup_var(&self.context, &name).is_some()));
        }
        Err(Error::from(minijinja::ErrorKind::UnknownMethod))
    }
}

fn compilation(message: impl Into<String>) -> Error {
    raise(RbtError::compilation(message))
}

fn lookup_var(context: &Context, name: &str) -> Option<Json> {
    if let Some(value) = context.running().and_then(|running| running.overrides.vars.get(name)) {
        return Some(value.clone());
    }
    let value = context.shared.vars.get(&context.package, name)?;
    Some(match &value.value {
        // As Python prints a moment.
        YamlValue::Timestamp(text) => Json::String(text.replacen('T', " ", 1)),
        _ => value.to_json(),
    })
}

/// `var('name', default)` (<https://docs.getdbt.com/reference/dbt-jinja-functions/var>).
fn var(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let name = args.string(0, "var_name")?;
    if let Some(value) = lookup_var(context, &name) {
        return rendered_var(context, &name, value);
    }
    if args.has(1, "default") {
        return Ok(args.get(1, "default").unwrap_or(Value::from(())));
    }
    if matches!(context.role, Role::Parsing(_)) {
        return Ok(Value::from(()));
    }
    let who = context.node.as_ref().map_or("<Configuration>", |node| &node.name);
    let known: Vec<String> =
        context.shared.vars.all(&context.package).iter().map(|(key, _)| key.key_text()).collect();
    let error = RbtError::compilation(format!(
        "Required var '{name}' not found in config:\nVars supplied to {who} = {{{}}}",
        known.join(", ")
    ));
    let help = match nearest(&name, known.iter().map(String::as_str)) {
        Some(similar) => format!("did you mean '{similar}'? Or give a default: var('{name}', ...)"),
        None => {
            format!("set it under vars: in dbt_project.yml, with --vars '{{{name}: ...}}', or give a default")
        }
    };
    Err(raise(error.help(help)))
}

/// A variable's value: a text may have Jinja in it, which sees what the asking template sees.
fn rendered_var(context: &Arc<Context>, name: &str, value: Json) -> Result<Value, Error> {
    match value.as_str() {
        Some(text) if text.contains('{') => {
            let origin = Origin::at(format!("the variable '{name}'"), 1, 1);
            context.render(text, &origin).map(Value::from).map_err(raise)
        }
        _ => Ok(values::from_json(&value)),
    }
}

/// `env_var('NAME', default)` (<https://docs.getdbt.com/reference/dbt-jinja-functions/env_var>).
fn env_var(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let name = args.string(0, "var")?;
    if name.starts_with(SECRET_PREFIX) && !matches!(context.role, Role::Secrets) {
        return Err(raise(RbtError::parsing(format!(
            "Secret env vars are allowed only in profiles.yml or packages.yml. Found '{name}' referenced elsewhere."
        ))));
    }
    if let Some(value) = context.running().and_then(|running| running.overrides.env_vars.get(&name)) {
        return Ok(values::from_json(value));
    }
    context.shared.observed.note_variable(&name);
    let of_option = context.shared.flags.engine_env.get(&name).cloned();
    match of_option.or_else(|| env::var(&name).ok()) {
        Some(_) if name.starts_with(SECRET_PREFIX) => Ok(Value::from(placeholder_of_secret(&name))),
        Some(value) => Ok(Value::from(value)),
        None => match args.get(1, "default").filter(|default| !default.is_none()) {
            Some(default) => Ok(default),
            None => Err(raise(
                RbtError::parsing(format!("Env var required but not provided: '{name}'"))
                    .help(format!("set it in the environment, or give a default: env_var('{name}', '...')")),
            )),
        },
    }
}

/// The ancestor of `adapter.dispatch`.
fn adapter_macro(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let name = args.string(0, "name").unwrap_or_default();
    let message = "The \"adapter_macro\" macro has been deprecated: `adapter.dispatch` finds macros now.";
    Err(raise(RbtError::compilation(message).help(format!("write adapter.dispatch('{name}')(…)"))))
}

/// What stands for a secret while it is rendered, so that no filter gets hold of it.
fn placeholder_of_secret(name: &str) -> String {
    format!("$$${SECRET_PREFIX}_START$$${name}$$${SECRET_PREFIX}_END$$$")
}

/// A rendered text with the secrets that it asked for.
pub fn reveal_secrets(text: &str) -> String {
    let secrets = env::vars().filter(|(name, _)| name.starts_with(SECRET_PREFIX));
    secrets.fold(text.to_owned(), |text, (name, secret)| text.replace(&placeholder_of_secret(&name), &secret))
}

fn log(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let message = python_str(&args.get(0, "msg").unwrap_or_default());
    let info = args.optional_bool(1, "info").unwrap_or(false);
    let node = context.node.as_ref().map(|node| Arc::new(identity(node)));
    context.shared.events.emit(Event::Log { message, info, node });
    Ok(Value::from(""))
}

fn print(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let message = python_str(&args.get(0, "msg").unwrap_or_default());
    context.shared.events.emit(Event::Print { message });
    Ok(Value::from(""))
}

fn nothing(_context: &Arc<Context>, _state: &mut State, _args: &Args) -> Result<Value, Error> {
    Ok(Value::from(""))
}

fn default_of(args: &Args) -> Value {
    args.get(1, "default").unwrap_or(Value::from(()))
}

/// Sorts the keys of all objects, as `tojson(sort_keys=True)` asks.
fn sort_keys(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(key, value)| (key, sort_keys(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sort_keys).collect()),
        other => other,
    }
}

fn to_json(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.get(0, "value").unwrap_or_default();
    if is_undefined(&value) {
        return Ok(default_of(args));
    }
    let json = values::to_json(&value).map_err(raise)?;
    let json = if args.optional_bool(2, "sort_keys").unwrap_or(false) { sort_keys(json) } else { json };
    Ok(Value::from(json_dumps(&json, false, None)))
}

fn from_json(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    match serde_json::from_str::<Json>(&args.string(0, "string")?) {
        Ok(json) => Ok(values::from_json(&json)),
        Err(_) => Ok(default_of(args)),
    }
}

fn to_yaml(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let Ok(json) = values::to_json(&args.required(0, "value")?) else { return Ok(default_of(args)) };
    let json = if args.optional_bool(2, "sort_keys").unwrap_or(false) { sort_keys(json) } else { json };
    Ok(Value::from(yaml::to_text(&json)))
}

fn from_yaml(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    match yaml::parse(&args.string(0, "value")?, Path::new("fromyaml()")) {
        Ok(tree) => Ok(values::from_json(&tree.to_json())),
        Err(_) => Ok(default_of(args)),
    }
}

fn make_set(args: &Args) -> Result<Value, Error> {
    let value = args.required(0, "value")?;
    if value.is_none() {
        return Err(compilation("'NoneType' object is not iterable".to_owned()));
    }
    values::set(value.try_iter()?)
}

fn set(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    make_set(args).or_else(|_| Ok(default_of(args)))
}

fn set_strict(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    make_set(args).map_err(|error| compilation(format!("set_strict(): {error}")))
}

fn make_zip(args: &[Value]) -> Result<Value, Error> {
    let mut columns = args.iter().map(Value::try_iter).collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::new();
    if columns.is_empty() {
        return Ok(values::list(rows));
    }
    while let Some(row) = columns.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>() {
        rows.push(values::tuple(row));
    }
    Ok(values::list(rows))
}

fn zip(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    make_zip(args.positional()).or_else(|_| Ok(args.named("default").unwrap_or(Value::from(()))))
}

fn zip_strict(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    make_zip(args.positional()).map_err(|error| compilation(format!("zip_strict(): {error}")))
}

fn local_md5(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    Ok(Value::from(md5_hex(args.string(0, "value")?.as_bytes())))
}

/// The MD5 of some bytes as hexadecimal digits, as dbt hashes names.
pub fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the lists in one dictionary have that those under the same key (in any case) in the other lack.
fn diff_of_two_dicts(_context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let as_lists = |value: Value| -> Result<Vec<(String, Vec<String>)>, Error> {
        value
            .try_iter()?
            .map(|key| {
                let items =
                    value.get_item(&key)?.try_iter()?.map(|item| item.to_string().to_lowercase()).collect();
                Ok((key.to_string().to_lowercase(), items))
            })
            .collect()
    };
    let a = as_lists(args.required(0, "dict_a")?)?;
    let b: HashMap<String, Vec<String>> = as_lists(args.required(1, "dict_b")?)?.into_iter().collect();
    let difference = a.into_iter().filter_map(|(key, items)| {
        let other = b.get(&key).map(Vec::as_slice).unwrap_or_default();
        let missing: Vec<Value> = items
            .iter()
            .filter(|item| !other.contains(item))
            .map(|item| Value::from(item.as_str()))
            .collect();
        (!missing.is_empty()).then(|| (key, values::list(missing)))
    });
    Ok(values::dict(difference.collect::<Vec<_>>()))
}

/// `flags`: the settings of the invocation under dbt's upper-case names.
pub fn flags_value(shared: &Shared) -> Value {
    values::from_json(&Json::Object(shared.flags.jinja()))
}

/// `dbt_metadata_envs`: the environment variables that are written into artifacts, without their prefix.
pub fn metadata_envs() -> Value {
    values::dict(metadata_env_vars().collect::<Vec<_>>())
}

/// Environment variables named `DBT_ENV_CUSTOM_ENV_…`, without the prefix
/// (<https://docs.getdbt.com/reference/dbt-jinja-functions/env_var#custom-metadata>).
pub fn metadata_env_vars() -> impl Iterator<Item = (String, String)> {
    env::vars()
        .filter_map(|(name, value)| Some((name.strip_prefix("DBT_ENV_CUSTOM_ENV_")?.to_owned(), value)))
}

/// A function that gives the same value whatever its arguments.
#[derive(Debug)]
pub struct Constant(pub Value);

impl Object for Constant {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
        Ok(self.0.clone())
    }
}

/// Who a node is, for log lines.
fn identity(node: &Node) -> NodeInfo {
    NodeInfo {
        unique_id: node.unique_id.to_string(),
        name: node.name.clone(),
        resource_type: node.resource_type.as_str().to_owned(),
        original_file_path: node.original_file_path.clone(),
        label: node.name.clone(),
        ..NodeInfo::default()
    }
}

/// `validation.any[...]`, which older materializations pass to `config.require`; it accepts everything.
#[derive(Debug)]
pub struct Anything;

impl Object for Anything {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, _key: &Value) -> Option<Value> {
        Some(Value::from_object(Anything))
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
        Ok(Value::from_object(Anything))
    }
}

/// A function that only the engine may miss: a broken promise inside rbt.
pub fn internal(message: impl Into<String>) -> Error {
    raise(RbtError::new(ErrorKind::Internal, message))
}
