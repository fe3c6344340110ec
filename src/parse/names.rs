//! Where a node lives: database, schema and alias, from the macros that projects override
//! (<https://docs.getdbt.com/docs/build/custom-schemas>).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use minijinja::Value;

use super::Parser;
use crate::error::Result;
use crate::jinja::context::{Context, Names, NodeObject, Role, lock, node_relation};
use crate::jinja::{self, MacroTemplate, python_str};
use crate::manifest::{Node, ResourceType};

/// The parts of a name, each made by a macro.
const COMPONENTS: [&str; 3] = ["database", "schema", "alias"];

/// What spares calling the built-in macros for every node.
#[derive(Debug, Default)]
pub struct NameCache {
    /// Of each component, whether `generate_…_name` ends in the macro that rbt ships.
    ends_built_in: OnceLock<[bool; COMPONENTS.len()]>,
    /// Answers of the built-in macros for databases and schemas, which depend on the custom name alone.
    answers: Mutex<HashMap<(&'static str, Option<String>), String>>,
}

/// Something that has custom names in its configuration.
pub trait NamedNode {
    /// The custom `database`, `schema` or `alias`.
    fn config_name(&self, component: &str) -> Option<&str>;
}

impl Parser<'_> {
    /// Gives a node its database, schema, alias and the name of its relation.
    pub fn name_relation(&self, node: &mut Node) -> Result<()> {
        for component in COMPONENTS {
            let name = self.generate(component, node)?;
            match component {
                "database" => node.database = name,
                "schema" => node.schema = name,
                _ => node.alias = name,
            }
        }
        if node.resource_type == ResourceType::Snapshot {
            let details = &mut *node.details;
            let parts = [("target_database", &mut details.database), ("target_schema", &mut details.schema)];
            for (key, part) in parts {
                if let Some(name) = node.config.get_str(key).filter(|name| !name.is_empty()) {
                    *part = name.to_owned();
                }
            }
        }
        node.relation_name = self.has_relation(node).then(|| node_relation(&self.shared, node).render());
        Ok(())
    }

    fn generate(&self, component: &'static str, node: &Node) -> Result<String> {
        let custom = node.config_name(component);
        let Some(template) = self.shared.macros.generate_name(component, &node.package_name) else {
            return Ok(custom.unwrap_or_default().to_owned());
        };
        if !template.unique_id.starts_with("macro.dbt.") || !self.ends_built_in(component) {
            return self.call_generator(template, custom, node);
        }
        if component == "alias" {
            return Ok(built_in_alias(custom, node));
        }
        let key = (component, custom.map(str::to_owned));
        if let Some(name) = lock(&self.names.answers).get(&key) {
            return Ok(name.clone());
        }
        let name = self.call_generator(template, custom, node)?;
        lock(&self.names.answers).insert(key, name.clone());
        Ok(name)
    }

    fn ends_built_in(&self, component: &str) -> bool {
        let all = self.names.ends_built_in.get_or_init(|| {
            COMPONENTS.map(|component| {
                let name = format!("generate_{component}_name");
                let shared = &self.shared;
                let found =
                    shared.macros.dispatch(&shared.dispatch, &shared.project_name, &name, Some("dbt"));
                found.is_ok_and(|found| found.unique_id == format!("macro.dbt.default__{name}"))
            })
        });
        COMPONENTS.iter().zip(all).any(|(known, built_in)| *known == component && *built_in)
    }

    fn call_generator(
        &self,
        template: &Arc<MacroTemplate>,
        custom: Option<&str>,
        node: &Node,
    ) -> Result<String> {
        let shared_node = Arc::new(node.clone());
        let names = Names { node: Some(shared_node.clone()), ..Names::default() };
        let context = Context::build(&self.shared, &self.shared.project_name, Role::Naming, names);
        let argument = custom.map_or(Value::from(()), Value::from);
        let value = context.call(template, &[argument, NodeObject::value(shared_node)])?;
        Ok(if value.is_none() { String::new() } else { python_str(&value).trim().to_owned() })
    }

    /// Whether a node becomes a relation. A test does if its failing rows are kept.
    fn has_relation(&self, node: &Node) -> bool {
        match node.resource_type {
            ResourceType::Model => !node.is_ephemeral(),
            ResourceType::Seed | ResourceType::Snapshot | ResourceType::Function => true,
            ResourceType::Test => {
                node.config.get_bool("store_failures").unwrap_or(self.shared.flags.store_failures)
            }
            _ => false,
        }
    }
}

/// What the built-in `generate_alias_name` answers. Every node is asked for its alias, and the macro looks at nothing
/// but what is here.
fn built_in_alias(custom: Option<&str>, node: &Node) -> String {
    if let Some(custom) = custom.filter(|custom| !custom.is_empty()) {
        return custom.trim().to_owned();
    }
    match node.version().map(jinja::from_json).filter(Value::is_true) {
        Some(version) => format!("{}_v{}", node.name, python_str(&version).replace('.', "_")),
        None => node.name.clone(),
    }
}

/// Whether a test keeps the rows that fail it: then they have a relation.
pub fn stores_failures(node: &Node) -> bool {
    node.resource_type == ResourceType::Test && node.relation_name.is_some()
}
