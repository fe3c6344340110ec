//! Applying properties to the nodes that they describe, and rendering descriptions.

use std::sync::{Arc, LazyLock, Mutex};

use chrono::{Local, NaiveDate, TimeZone};
use minijinja::value::{Object, Value};
use minijinja::{Error as JinjaError, State};
use regex::Regex;
use serde_json::Value as Json;

use super::properties::Properties;
use super::sql_nodes::{VersionOf, static_reference};
use super::{Parser, columns, versions};
use crate::error::{Error, Location, Result};
use crate::jinja::context::{Args, Context, Names, Role, lock};
use crate::jinja::{Origin, raise};
use crate::manifest::{Column, Node, Reference};
use crate::project::yaml::Yaml;
use crate::text::nearest;

impl Parser<'_> {
    /// Gives a node what its entry in a property file says, apart from the configuration.
    pub fn apply_properties(
        &self,
        node: &mut Node,
        entry: &Properties,
        version: Option<&VersionOf>,
    ) -> Result<()> {
        let own = version.and_then(|version| versions::entry_of(entry, &version.version));
        let get = |key: &str| own.and_then(|own| own.get(key)).or_else(|| entry.yaml.get(key));
        node.patch_path = Some(entry.patch_path());
        node.columns = match own {
            Some(own) => versions::columns_of(entry, own, &entry.path)?,
            None => columns::columns(&entry.yaml, &entry.path)?,
        };
        let description = get("description").and_then(Yaml::as_str).unwrap_or_default();
        let place = get("description").unwrap_or(&entry.yaml).location(&entry.path);
        (node.description, node.doc_blocks) = self.describe(&entry.package, description, &place)?;
        self.describe_columns(&entry.package, &mut node.columns, entry)?;
        if node.resource_type == crate::manifest::ResourceType::Function {
            let keys = ["arguments", "returns"];
            let fields =
                keys.into_iter().filter_map(|key| Some((key.to_owned(), entry.yaml.get(key)?.to_json())));
            node.function = Some(fields.collect());
        }
        self.apply_model_properties(node, entry, get)
    }

    fn apply_model_properties<'y>(
        &self,
        node: &mut Node,
        entry: &Properties,
        get: impl Fn(&str) -> Option<&'y Yaml>,
    ) -> Result<()> {
        let Some(model) = &mut node.model else { return Ok(()) };
        let model = Arc::make_mut(model);
        if let Some(access) = get("access").and_then(Yaml::as_str) {
            model.access = access.to_owned();
            node.config.set("access", Json::from(access));
        }
        model.deprecation_date = get("deprecation_date").map(deprecation_date);
        model.time_spine = get("time_spine").filter(|value| !value.is_null()).map(time_spine);
        if let Some(list) = get("constraints").filter(|list| !list.is_null()) {
            let list = list.need_seq("constraints", &entry.path)?;
            model.constraints = list
                .iter()
                .map(|item| columns::constraint(item, &entry.path, true))
                .collect::<Result<_>>()?;
        }
        self.foreign_keys(node, entry)
    }

    /// The targets of foreign keys are dependencies.
    fn foreign_keys(&self, node: &mut Node, entry: &Properties) -> Result<()> {
        let of_model = node.model.as_ref().map(|model| model.constraints.clone()).unwrap_or_default();
        let of_columns = node.columns.values().flat_map(|column| column.constraints.iter().cloned());
        let targets: Vec<String> = of_model
            .into_iter()
            .chain(of_columns)
            .filter(|constraint| constraint["type"] == "foreign_key")
            .filter_map(|constraint| constraint["to"].as_str().map(str::to_owned))
            .collect();
        for to in targets {
            match static_reference(&self.shared, &to) {
                Some(Reference::Ref(reference)) => node.refs.push(reference),
                Some(Reference::Source(source)) => node.sources.push(source),
                None => {
                    return Err(entry.error(format!(
                        "Invalid 'ref' or 'source' syntax on foreign key constraint 'to' on model {}: {to}.",
                        node.name
                    )));
                }
            }
        }
        Ok(())
    }

    /// Renders the descriptions of columns.
    pub fn describe_columns(
        &self,
        package: &str,
        columns: &mut indexmap::IndexMap<String, Column>,
        entry: &Properties,
    ) -> Result<()> {
        for column in columns.values_mut() {
            let place = entry.yaml.location(&entry.path);
            (column.description, column.doc_blocks) = self.describe(package, &column.description, &place)?;
        }
        Ok(())
    }

    /// Renders a description. Gives the text and the ids of the documentation blocks in it.
    pub fn describe(&self, package: &str, text: &str, place: &Location) -> Result<(String, Vec<String>)> {
        if !text.contains('{') {
            return Ok((text.to_owned(), Vec::new()));
        }
        let docs = Arc::new(DocFunction {
            blocks: self.docs.clone(),
            package: package.into(),
            root: self.shared.project_name.clone(),
            used: Mutex::default(),
        });
        let mut names = Names::default();
        names.values.insert("doc".to_owned(), Value::from_dyn_object(docs.clone()));
        let context = Context::build(&self.shared, package, Role::Yaml, names);
        let origin = Origin::at(place.path.as_path(), place.line.max(1), 1);
        let rendered = context.render(text, &origin).map_err(|error| error.at(place.clone()))?;
        let mut used = std::mem::take(&mut *lock(&docs.used));
        let shown = shown_blocks(text);
        used.retain(|id| id.rsplit('.').next().is_some_and(|name| shown.contains(&name)));
        Ok((rendered, used))
    }
}

/// The names of the blocks that a description shows as they are, and not in the midst of an expression.
fn shown_blocks(text: &str) -> Vec<&str> {
    static CALL: LazyLock<Regex> = LazyLock::new(|| {
        let call = r#"\{\{-?\s*doc\((?:[^()]*,)?\s*['"]([^'"()]+)['"]\s*\)\s*-?\}\}"#;
        Regex::new(call).expect("a correct expression")
    });
    CALL.captures_iter(text).filter_map(|call| call.get(1)).map(|name| name.as_str()).collect()
}

/// A date as the beginning of that day here, as Python writes it.
fn deprecation_date(yaml: &Yaml) -> String {
    let text = yaml.key_text();
    let day = text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    match day.and_then(|day| Local.from_local_datetime(&day).earliest()) {
        Some(moment) => moment.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        None => text,
    }
}

/// A time spine with all of its fields.
fn time_spine(yaml: &Yaml) -> Json {
    let mut spine = yaml.to_json();
    if let Some(map) = spine.as_object_mut() {
        let custom = map.entry("custom_granularities").or_insert_with(|| Json::Array(Vec::new()));
        for granularity in custom.as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
            granularity.entry("column_name").or_insert(Json::Null);
        }
    }
    spine
}

/// Documentation blocks by package and name.
pub type DocBlocks = std::collections::HashMap<(String, String), String>;

/// `doc('name')` in a description (<https://docs.getdbt.com/reference/dbt-jinja-functions/doc>).
#[derive(Debug)]
struct DocFunction {
    blocks: Arc<DocBlocks>,
    package: String,
    root: Arc<str>,
    used: Mutex<Vec<String>>,
}

impl Object for DocFunction {
    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, JinjaError> {
        let args = Args::new("doc", args)?;
        let (packages, name) = match args.positional().len() {
            1 => (vec![self.package.clone(), self.root.to_string()], args.string(0, "name")?),
            2 => (vec![args.string(0, "package")?], args.string(1, "name")?),
            count => {
                let message = format!("doc() takes at most two arguments ({count} given)");
                return Err(raise(Error::compilation(message)));
            }
        };
        let any_package = (args.positional().len() == 1).then(|| {
            let mut found: Vec<&(String, String)> =
                self.blocks.keys().filter(|(_, known)| *known == name).collect();
            found.sort();
            found.into_iter().next().cloned()
        });
        let own = packages
            .into_iter()
            .map(|package| (package, name.clone()))
            .find(|key| self.blocks.contains_key(key));
        let Some(key) = own.or(any_package.flatten()) else {
            let known = self.blocks.keys().map(|(_, name)| name.as_str());
            let error = Error::compilation(format!("Documentation for '{name}' not found"));
            return Err(raise(match nearest(&name, known) {
                Some(similar) => error.help(format!("did you mean doc('{similar}')?")),
                None => error.help(format!("write {{% docs {name} %}} … {{% enddocs %}} in an .md file")),
            }));
        };
        let mut used = lock(&self.used);
        let id = format!("doc.{}.{}", key.0, key.1);
        if !used.contains(&id) {
            used.push(id);
        }
        Ok(Value::from(self.blocks[&key].as_str()))
    }
}
