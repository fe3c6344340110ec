//! Where a node lives: database, schema and alias, from the macros that projects override
//! (<https://docs.getdbt.com/docs/build/custom-schemas>).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use minijinja::Value;

use super::Parser;
use crate::error::Result;
use crate::jinja::context::{Context, Names, NodeObject, Role, lock, node_relation};
use crate::jinja::python_str;
use crate::manifest::{Node, ResourceType};

/// Answers of the built-in macros for schemas and databases, which depend on the custom name alone.
#[derive(Debug, Default)]
pub struct NameCache(Mutex<HashMap<(&'static str, Option<String>), String>>);

/// Something that has custom names in its configuration.
pub trait NamedNode {
    /// The custom `database`, `schema` or `alias`.
    fn config_name(&self, component: &str) -> Option<&str>;
}

impl Parser<'_> {
    /// Gives a node its database, schema, alias and the name of its relation.
    pub fn name_relation(&self, node: &mut Node) -> Result<()> {
        for component in ["database", "schema", "alias"] {
            let name = self.generate(component, node)?;
            match component {
                "database" => node.database = name,
                "schema" => node.schema = name,
                _ => node.alias = name,
            }
        }
        if node.resource_type == ResourceType::Snapshot {
            for (key, part) in [("target_database", &mut node.database), ("target_schema", &mut node.schema)]
            {
                if let Some(name) = node.config.get_str(key).filter(|name| !name.is_empty()) {
                    *part = name.to_owned();
                }
            }
        }
        node.relation_name = self.has_relation(node).then(|| node_relation(&self.shared, node).render());
        Ok(())
    }

    fn generate(&self, component: &'static str, node: &Node) -> Result<String> {
        let custom = node.config_name(component).map(str::to_owned);
        let Some(template) = self.shared.macros.generate_name(component, &node.package_name) else {
            return Ok(custom.unwrap_or_default());
        };
        let built_in = component != "alias" && template.unique_id.starts_with("macro.dbt.");
        if built_in && let Some(name) = lock(&self.names.0).get(&(component, custom.clone())) {
            return Ok(name.clone());
        }
        let shared_node = Arc::new(node.clone());
        let names = Names { node: Some(shared_node.clone()), ..Names::default() };
        let context = Context::build(&self.shared, &self.shared.project_name, Role::Naming, names);
        let argument = custom.as_deref().map_or(Value::from(()), Value::from);
        let value = context.call(&template.clone(), &[argument, NodeObject::value(shared_node, None)])?;
        let name = if value.is_none() { String::new() } else { python_str(&value).trim().to_owned() };
        if built_in {
            lock(&self.names.0).insert((component, custom), name.clone());
        }
        Ok(name)
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

/// Whether a test keeps the rows that fail it: then they have a relation.
pub fn stores_failures(node: &Node) -> bool {
    node.resource_type == ResourceType::Test && node.relation_name.is_some()
}
