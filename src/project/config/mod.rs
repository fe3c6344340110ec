//! The configuration of a node: what its resource type knows by default, overlaid by the layers that the
//! project gives ([`resolve`]).

mod colors;
mod merge;
mod schema;
mod tree;

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::project::resource::ResourceType;
use crate::stored::{Input, Output, Stored, stored};
use schema::Schema;

pub use merge::add_config_call;
pub use tree::{ConfigTrees, resolve, resolve_unrendered, section_of_project};

/// The configuration of one node, an ordered mapping from key to JSON value.
///
/// The keys that the resource type knows are always there, with their defaults; others follow in the order in
/// which they were first set. Defaults and what the project file configures are shared, so a configuration
/// costs as much memory as the node itself configures.
#[derive(Clone)]
pub struct Config(Arc<Settings>);

/// What a configuration consists of. Nodes that are configured alike may share one.
#[derive(Clone)]
struct Settings {
    schema: &'static Schema,
    /// Deviations from the defaults.
    fields: Vec<SetField>,
    extras: Vec<(Arc<str>, Arc<Value>)>,
    /// Fields that a nearer layer set to null in vain; see [`Config::custom_name`].
    nulled: Vec<usize>,
}

/// A field that some layer set. What only the project file sets is shared by all nodes below that level.
#[derive(Clone)]
struct SetField {
    index: usize,
    value: Arc<Value>,
    /// Whether the value has its final form.
    is_settled: bool,
}

/// The keys that all nodes of a resource type have.
pub fn known_keys(resource: ResourceType) -> impl Iterator<Item = &'static str> {
    Schema::of(resource).fields.iter().map(|field| field.key)
}

/// Hooks are known under two spellings; the one with a hyphen is the key.
fn canonical(key: &str) -> &str {
    match key {
        "pre_hook" => "pre-hook",
        "post_hook" => "post-hook",
        key => key,
    }
}

impl Config {
    /// The defaults of a resource type.
    pub fn new(resource: ResourceType) -> Self {
        let schema = Schema::of(resource);
        Config(Arc::new(Settings { schema, fields: Vec::new(), extras: Vec::new(), nulled: Vec::new() }))
    }

    /// A configuration as an artifact has it: the object's keys replace the defaults.
    ///
    /// # Errors
    /// If a value does not have the shape that its key wants.
    pub fn from_json(resource: ResourceType, object: &Map<String, Value>) -> Result<Self> {
        let mut config = Config::new(resource);
        for (key, value) in object {
            config.set(key, value.clone());
        }
        config.finish()?;
        Ok(config)
    }

    /// The value of a key; hooks are found under both spellings. `None` for a key that neither the resource
    /// type nor the user knows, while a known key that is not set has a null value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let key = canonical(key);
        match self.0.schema.position(key) {
            Some(index) => Some(self.field(index)),
            None => self.0.extras.iter().find(|(k, _)| &**k == key).map(|(_, value)| &**value),
        }
    }

    fn field(&self, index: usize) -> &Value {
        let own = self.0.fields.iter().find(|field| field.index == index);
        own.map_or(&self.0.schema.fields[index].default, |field| &field.value)
    }

    /// The value of a key if it is a string.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The value of a key if it is a boolean.
    pub fn get_bool(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    /// The custom `schema`, `database` or `alias` that a relation's name is made of.
    ///
    /// It differs from [`Config::get_str`] where the node sets the key to null and the project file does not:
    /// in dbt the configuration then keeps the project's value, while the name is made without it.
    pub fn custom_name(&self, key: &str) -> Option<&str> {
        let is_nulled = self.0.schema.position(key).is_some_and(|index| self.0.nulled.contains(&index));
        if is_nulled { None } else { self.get_str(key) }
    }

    /// Replaces the value of a key, without looking at its shape.
    pub fn set(&mut self, key: &str, value: Value) {
        self.set_shared(key, Arc::new(value));
    }

    fn set_shared(&mut self, key: &str, value: Arc<Value>) {
        let key = canonical(key);
        let settings = Arc::make_mut(&mut self.0);
        match settings.schema.position(key) {
            Some(index) => {
                let field = SetField { index, value, is_settled: false };
                match settings.fields.iter_mut().find(|field| field.index == index) {
                    Some(old) => *old = field,
                    None => settings.fields.push(field),
                }
            }
            None => match settings.extras.iter_mut().find(|(k, _)| &**k == key) {
                Some((_, old)) => *old = value,
                None => settings.extras.push((Arc::from(key), value)),
            },
        }
    }

    /// All keys with their values, in the order of dbt's artifacts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let fields = self.0.schema.fields.iter().enumerate();
        let known = fields.map(|(index, field)| (field.key, self.field(index)));
        known.chain(self.0.extras.iter().map(|(key, value)| (&**key, &**value)))
    }

    /// The configuration as a JSON object.
    pub fn to_json(&self) -> Value {
        Value::Object(self.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect())
    }

    /// Overlays one layer, key by key as the resource type combines them.
    fn overlay<'a>(&mut self, layer: impl Iterator<Item = (&'a str, Arc<Value>)>) -> Result<()> {
        for (key, value) in layer {
            let key = canonical(key);
            let merged = match self.0.schema.position(key) {
                Some(index) => {
                    if self.0.nulled.contains(&index) {
                        Arc::make_mut(&mut self.0).nulled.retain(|nulled| *nulled != index);
                    }
                    merge::combine(&self.0.schema.fields[index], self.field(index), value)?
                }
                None => value,
            };
            self.set_shared(key, merged);
        }
        Ok(())
    }

    /// Overlays the node's own layers. A null there does not undo what the project file sets for things that
    /// are built.
    fn overlay_own(&mut self, layers: &[&Map<String, Value>]) -> Result<()> {
        let sets_null = layers.iter().any(|layer| layer.values().any(Value::is_null));
        let project = (sets_null && self.0.schema.position("materialized").is_some()).then(|| self.clone());
        for layer in layers {
            self.overlay(layer.iter().map(|(key, value)| (key.as_str(), Arc::new(value.clone()))))?;
        }
        for kept in project.iter().flat_map(|project| &project.0.fields) {
            if self.field(kept.index).is_null() && !kept.value.is_null() {
                self.set_shared(self.0.schema.fields[kept.index].key, kept.value.clone());
                Arc::make_mut(&mut self.0).nulled.push(kept.index);
            }
        }
        Ok(())
    }

    /// Checks what a snapshot must configure, which is known only when all its layers are.
    ///
    /// # Errors
    /// If the strategy lacks something, or is given what it does not take.
    pub fn check_snapshot(&self) -> Result<()> {
        let is_set = |key: &str| self.get(key).is_some_and(|value| !value.is_null() && value != "");
        let needs = |message: &str, help: &str| Err(Error::compilation(message).help(help));
        match self.get_str("strategy") {
            _ if !is_set("strategy") || !is_set("unique_key") => needs(
                "Snapshots must be configured with a 'strategy' and 'unique_key'",
                "for example  strategy: timestamp, unique_key: id, updated_at: updated_at",
            ),
            Some("check") => match self.get("check_cols") {
                Some(Value::Array(columns)) if !columns.is_empty() => Ok(()),
                Some(Value::String(all)) if all == "all" => Ok(()),
                Some(Value::String(other)) => needs(
                    &format!("Invalid value for 'check_cols': {other}"),
                    "write 'all' or a list of columns",
                ),
                _ => needs(
                    "A snapshot configured with the check strategy must specify a check_cols configuration",
                    "write  check_cols: all  or a list of columns",
                ),
            },
            Some("timestamp") if !is_set("updated_at") => needs(
                "A snapshot configured with the timestamp strategy must specify an updated_at configuration",
                "name the column that says when a row was changed",
            ),
            Some("timestamp") if is_set("check_cols") => needs(
                "A 'timestamp' snapshot should not have 'check_cols'",
                "remove it, or take the strategy 'check'",
            ),
            _ if self.get_str("materialized") != Some("snapshot") => needs(
                "A snapshot must have a materialized value of 'snapshot'",
                "remove the configuration `materialized` from this snapshot",
            ),
            _ => Ok(()),
        }
    }

    /// Brings the values into their final form and checks them.
    fn finish(&mut self) -> Result<()> {
        if self.0.fields.iter().any(|field| !field.is_settled) {
            let Settings { schema, fields, .. } = Arc::make_mut(&mut self.0);
            for field in fields.iter_mut().filter(|field| !field.is_settled) {
                merge::normalize(&schema.fields[field.index], Arc::make_mut(&mut field.value))?;
                field.is_settled = true;
            }
        }
        self.finish_test();
        self.check()
    }

    /// Brings the values into their final form where that is possible, so that nodes can share them. Values
    /// that are wrong may still be replaced by nearer layers.
    fn settle(&mut self) {
        let Settings { schema, fields, .. } = Arc::make_mut(&mut self.0);
        for field in fields.iter_mut().filter(|field| !field.is_settled) {
            let mut value = Value::clone(&field.value);
            if merge::normalize(&schema.fields[field.index], &mut value).is_ok() {
                field.value = Arc::new(value);
                field.is_settled = true;
            }
        }
    }

    /// For tests, `store_failures_as` rules `store_failures`, and stands for it where it is not set.
    fn finish_test(&mut self) {
        if self.0.schema.position("store_failures_as").is_none() {
            return;
        }
        match (self.get_str("store_failures_as"), self.get_bool("store_failures")) {
            (Some(stored_as), _) => {
                let is_stored = stored_as != "ephemeral";
                self.set("store_failures", Value::Bool(is_stored));
            }
            (None, Some(is_stored)) => {
                self.set("store_failures_as", Value::from(if is_stored { "table" } else { "ephemeral" }));
            }
            (None, None) => {}
        }
    }

    /// What one key demands of another.
    fn check(&self) -> Result<()> {
        let materialized = self.get_str("materialized");
        let fixed = self
            .0
            .schema
            .position("materialized")
            .and_then(|index| self.0.schema.fields[index].default.as_str());
        if let (Some(fixed @ ("seed" | "test")), Some(chosen)) = (fixed, materialized)
            && fixed != chosen
        {
            return Err(Error::compilation(format!("a {fixed} cannot be materialized as '{chosen}'"))
                .help(format!("remove the configuration `materialized` from this {fixed}")));
        }
        let color = self.get("docs").and_then(|docs| docs.get("node_color")?.as_str());
        if let Some(color) = color.filter(|color| !colors::is_color(color)) {
            return Err(Error::compilation(format!("Invalid color name for docs.node_color: {color}"))
                .help("use the name of an HTML color, or a code such as '#ff7f50'"));
        }
        let is_enforced =
            self.get("contract").and_then(|contract| contract.get("enforced")) == Some(&Value::Bool(true));
        let on_schema_change = self.get_str("on_schema_change").unwrap_or_default();
        if is_enforced
            && materialized == Some("incremental")
            && !matches!(on_schema_change, "append_new_columns" | "fail")
        {
            return Err(Error::compilation(format!(
                "invalid value for `on_schema_change`: '{on_schema_change}' in an incremental model with an enforced contract"
            ))
            .help("set on_schema_change to 'append_new_columns' or 'fail'"));
        }
        Ok(())
    }
}

stored!(SetField { index, value, is_settled });

impl Stored for Config {
    fn put(&self, out: &mut Output) {
        self.0.put(out);
    }

    fn get(input: &mut Input) -> Option<Self> {
        Arc::get(input).map(Config)
    }
}

/// What the configuration deviates in; its schema goes by the name of a resource type that has it.
impl Stored for Settings {
    fn put(&self, out: &mut Output) {
        self.schema.resource().put(out);
        self.fields.put(out);
        self.extras.put(out);
        self.nulled.put(out);
    }

    fn get(input: &mut Input) -> Option<Self> {
        let schema = Schema::of(ResourceType::get(input)?);
        let config =
            Settings { schema, fields: Vec::get(input)?, extras: Vec::get(input)?, nulled: Vec::get(input)? };
        let known = |index: &usize| *index < schema.fields.len();
        let is_whole =
            config.fields.iter().all(|field| known(&field.index)) && config.nulled.iter().all(known);
        is_whole.then_some(config)
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0.schema, other.0.schema) && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
