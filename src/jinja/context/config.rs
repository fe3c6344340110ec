//! `config`: called, it configures; asked, it answers
//! (<https://docs.getdbt.com/reference/dbt-jinja-functions/config>).

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};
use serde_json::{Map, Value as Json};

use super::Context;
use super::args::Args;
use super::value as values;
use crate::error::Error as RbtError;
use crate::jinja::values::is_undefined;
use crate::jinja::values::to_json_with;
use crate::jinja::{iso_text, raise};
use crate::project::config::Config;

/// `config` in a template.
#[derive(Debug)]
pub struct ConfigObject(pub Arc<Context>);

impl Object for ConfigObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "model" => self.0.lookup_model(),
            _ => None,
        }
    }

    /// `{{ config(materialized='table') }}` or `{{ config({'materialized': 'table'}) }}`.
    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let args = Args::new("config", args)?;
        let mut given: Map<String, Json> = Map::new();
        if let Some(dict) = args.positional().first() {
            match config_json(dict)? {
                Json::Object(map) => given.extend(map),
                _ => {
                    return Err(raise(
                        RbtError::compilation("Invalid inline model config")
                            .help("pass keyword arguments, config(materialized='table'), or one dictionary"),
                    ));
                }
            }
        }
        for (key, value) in args.named_pairs() {
            let value = if is_undefined(&value) { Json::Null } else { config_json(&value)? };
            given.insert(key, value);
        }
        self.configure(given)
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Args::new(method, args)?;
        match method {
            "get" => Ok(self.get(&args)?),
            "require" => self.require(&args, false),
            "meta_get" => {
                let name = args.string(0, "name")?;
                Ok(self.meta(&name).unwrap_or_else(|| args.get(1, "default").unwrap_or(Value::from(()))))
            }
            "meta_require" => self.require(&args, true),
            "set" => {
                let value = args.required(1, "value")?;
                self.configure(Map::from_iter([(args.string(0, "name")?, config_json(&value)?)]))
            }
            "persist_relation_docs" => Ok(Value::from(self.persists("relation"))),
            "persist_column_docs" => Ok(Value::from(self.persists("columns"))),
            _ => Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<config>")
    }
}

impl ConfigObject {
    /// Adds to what the node's own calls configure, while it is parsed. Later it is as it is.
    fn configure(&self, mut given: Map<String, Json>) -> Result<Value, Error> {
        for (key, written) in [("pre-hook", "pre_hook"), ("post-hook", "post_hook")] {
            if given.contains_key(key) && given.contains_key(written) {
                let message = format!("Got duplicate keys: ({written}, {key}) all map to \"{key}\"");
                return Err(raise(
                    RbtError::compilation(message).help(format!("put all hooks into one `{written}`")),
                ));
            }
            if let Some(hooks) = given.shift_remove(written) {
                given.insert(key.to_owned(), hooks);
            }
        }
        if let Some(mut capture) = self.0.capture() {
            crate::project::config::add_config_call(&mut capture.config_calls, given).map_err(raise)?;
        }
        Ok(Value::from(""))
    }

    fn value(&self, name: &str) -> Option<Value> {
        let alias = match name {
            "pre_hook" => "pre-hook",
            "post_hook" => "post-hook",
            _ => name,
        };
        if self.0.capture().is_some() {
            return None;
        }
        let config = self.0.config()?;
        let configured = config.get(alias).map(values::from_json);
        configured.or_else(|| (name == "snapshot_table_column_names").then(|| snapshot_columns(config))?)
    }

    fn meta(&self, name: &str) -> Option<Value> {
        self.0.config()?.get("meta")?.get(name).map(values::from_json)
    }

    /// `config.get(name, default)`: while parsing, always the empty string, as in dbt.
    fn get(&self, args: &Args) -> Result<Value, Error> {
        let name = args.string(0, "name")?;
        if self.0.capture().is_some() {
            return Ok(Value::from(""));
        }
        let default = || args.get(1, "default").unwrap_or(Value::from(()));
        Ok(self.value(&name).unwrap_or_else(default))
    }

    fn require(&self, args: &Args, meta: bool) -> Result<Value, Error> {
        let name = args.string(0, "name")?;
        if self.0.capture().is_some() {
            return Ok(Value::from(""));
        }
        let value = if meta { self.meta(&name) } else { self.value(&name) };
        value.ok_or_else(|| {
            let id = self.0.node.as_ref().map_or("a macro", |node| &node.unique_id);
            raise(RbtError::compilation(format!(
                "Model '{id}' does not define a required config parameter '{name}'."
            )))
        })
    }

    fn persists(&self, part: &str) -> bool {
        let docs = self.0.config().and_then(|config| config.get("persist_docs"));
        docs.and_then(|docs| docs.get(part)).and_then(Json::as_bool).unwrap_or(false)
    }
}

/// The names of the columns that a snapshot adds, where `snapshot_meta_column_names` is configured.
fn snapshot_columns(config: &Config) -> Option<Value> {
    let names = config.get("snapshot_meta_column_names")?.as_object()?;
    let name_of =
        |(column, name): (&String, &Json)| (column.clone(), Value::from(name.as_str().unwrap_or(column)));
    Some(values::dict(names.iter().map(name_of)))
}

impl Context {
    fn lookup_model(&self) -> Option<Value> {
        self.node.is_some().then(|| self.model_value())
    }
}

/// A value of the configuration as it is kept; dates are kept as text.
fn config_json(value: &Value) -> Result<Json, Error> {
    to_json_with(value, &iso_text).map_err(raise)
}
