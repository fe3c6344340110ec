//! `on-run-start` and `on-run-end` of the project files: operations that run before and after everything else.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::Parser;
use super::sql_nodes::{Parsed, checksum, take_capture};
use crate::error::{Error, Result};
use crate::manifest::{Checksum, Details, Node, ResourceType};
use crate::project::config::{Config, resolve, resolve_unrendered};
use crate::project::project_file::Project;

/// When a hook runs; also its tag.
pub const HOOK_TYPES: [&str; 2] = ["on-run-start", "on-run-end"];

impl Parser<'_> {
    /// The hooks of one project as operation nodes.
    pub fn parse_run_hooks(&self, project: &Project) -> Result<Vec<Parsed>> {
        let mut nodes = Vec::new();
        if project.on_run_start.is_empty() && project.on_run_end.is_empty() {
            return Ok(nodes);
        }
        let path = project.root.join("dbt_project.yml");
        let text = std::fs::read_to_string(&path).map_err(|error| Error::io("read", &path, &error))?;
        let checksum = checksum(&text);
        for (hook_type, hooks) in HOOK_TYPES.iter().zip([&project.on_run_start, &project.on_run_end]) {
            for (index, sql) in hooks.iter().enumerate() {
                nodes.push(self.parse_run_hook(project, hook_type, index, sql, &checksum)?);
            }
        }
        Ok(nodes)
    }

    /// `checksum` is that of the project file, where the hook stands.
    fn parse_run_hook(
        &self,
        project: &Project,
        hook_type: &str,
        index: usize,
        sql: &str,
        checksum: &Checksum,
    ) -> Result<Parsed> {
        let package = project.name.as_str();
        let name = format!("{package}-{hook_type}-{index}");
        let fqn = vec![package.to_owned(), "hooks".to_owned(), name.clone()];
        let root = self.root_trees(project);
        let mut config = resolve(ResourceType::Operation, &project.configs, root, &fqn, None, None)
            .unwrap_or_else(|_| Config::new(ResourceType::Operation));
        let configured = config.get("tags").and_then(Json::as_array).cloned().unwrap_or_default();
        config.set("tags", std::iter::once(json!(hook_type)).chain(configured).collect());
        let id = format!("operation.{package}.{name}");
        let file = "./dbt_project.yml".to_owned();
        let details = Details {
            path: format!("hooks/{name}.sql"),
            database: self.shared.target.database.clone(),
            schema: self.shared.target.schema.clone(),
            checksum: checksum.clone(),
            unrendered_config: resolve_unrendered(
                ResourceType::Operation,
                &project.unrendered_configs,
                self.unrendered_root_trees(project),
                &fqn,
                None,
                None,
            ),
            created_at: self.now,
            raw_code: Arc::from(sql),
            ..Details::new(&name)
        };
        let node =
            Node { fqn, config, ..Node::new(ResourceType::Operation, id, &name, package, file, details) };
        let (mut node, capture) = self.capture(node)?;
        take_capture(&mut node, capture);
        self.name_relation(&mut node)?;
        let parsed = if node.is_enabled() { Parsed::Enabled } else { Parsed::Disabled };
        Ok(parsed(Box::new(node)))
    }
}
