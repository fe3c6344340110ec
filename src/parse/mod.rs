//! From files to the manifest.
//!
//! Macros come first, then YAML, then everything that renders with both. A node is parsed by rendering it with a
//! context that records what it calls; nothing is executed.

mod assemble;
mod checks;
mod columns;
mod described;
mod docs;
mod finish;
mod generic_tests;
mod hooks;
mod macro_properties;
mod macros;
mod microbatch;
mod model_tests;
mod names;
mod patch;
mod properties;
mod python;
mod resolve;
mod semantic;
mod shape;
mod sources;
mod sql_nodes;
mod stages;
mod unit_tests;
mod unknown_keys;
mod versions;
mod yaml_resources;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::error::{Error, Location, Result};
use crate::events::Warning;
use crate::jinja::context::{Context, Names, Role, Shared, lock};
use crate::jinja::{self, Origin};
use crate::manifest::{Lookup, Manifest};
use crate::project::config::ConfigTrees;
use crate::project::project_file::Project;
use crate::project::workspace::Workspace;
use crate::project::yaml::Yaml;

pub use generic_tests::{KWARGS_NAME, render_kwargs};
pub use microbatch::{BatchSize, batch_size, begin, is_microbatch, moment};
pub use names::stores_failures;
pub use sql_nodes::{inline_node, is_python_model, static_reference};
pub use stages::{Invocation, ProjectFiles, parse, restore};

/// A parsed project: the manifest, with what is needed to go on.
pub struct ParsedProject {
    pub manifest: Arc<Manifest>,
    pub lookup: Arc<Lookup>,
    pub shared: Arc<Shared>,
}

/// What all parts of parsing need.
struct Parser<'a> {
    shared: Arc<Shared>,
    workspace: &'a Workspace,
    /// A context for YAML values, by package.
    yaml_contexts: HashMap<String, Arc<Context>>,
    docs: Arc<patch::DocBlocks>,
    names: names::NameCache,
    failed_warnings: Mutex<Vec<Error>>,
    /// The moment of parsing, in seconds since the epoch.
    now: f64,
}

impl<'a> Parser<'a> {
    fn new(shared: Arc<Shared>, workspace: &'a Workspace, docs: patch::DocBlocks, now: f64) -> Self {
        let context =
            |project: &Project| Context::build(&shared, &project.name, Role::Yaml, Names::default());
        let yaml_contexts =
            workspace.projects.iter().map(|project| (project.name.clone(), context(project))).collect();
        Parser {
            shared,
            workspace,
            yaml_contexts,
            docs: Arc::new(docs),
            names: names::NameCache::default(),
            failed_warnings: Mutex::default(),
            now,
        }
    }

    /// Warns. Where warnings are errors, parsing goes on to its end before it fails.
    fn warn(&self, warning: Warning) {
        if let Err(error) = self.shared.events.warn(warning) {
            lock(&self.failed_warnings).push(error);
        }
    }

    /// Fails if there were warnings that are errors.
    fn fail_on_warnings(&self) -> Result<()> {
        let errors = std::mem::take(&mut *lock(&self.failed_warnings));
        Error::many(errors).map_or(Ok(()), Err)
    }

    /// The project of a package that is being parsed.
    fn project_of(&self, package: &str) -> &'a Project {
        self.workspace.project(package).unwrap_or(self.workspace.root())
    }

    /// The root project's configuration, which overrides that of packages.
    fn root_trees(&self, project: &Project) -> Option<&'a ConfigTrees> {
        self.is_package(project).then(|| &self.workspace.root().configs)
    }

    fn unrendered_root_trees(&self, project: &Project) -> Option<&'a ConfigTrees> {
        self.is_package(project).then(|| &self.workspace.root().unrendered_configs)
    }

    fn is_package(&self, project: &Project) -> bool {
        project.name != *self.shared.project_name
    }

    /// Renders a YAML value, which keeps the type that the template gives it.
    fn render_yaml(&self, package: &str, text: &str, place: &Location) -> Result<Yaml> {
        let Some(context) = self.yaml_contexts.get(package) else { return Ok(Yaml::from(text)) };
        let origin = Origin::at(place.path.as_path(), place.line.max(1), place.column.max(1));
        let value = context.render_native(text, &origin).map_err(|error| error.at(place.clone()))?;
        Ok(Yaml::from_json(&jinja::to_json(&value)?))
    }
}
