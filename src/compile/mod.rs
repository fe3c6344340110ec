//! From nodes to SQL: rendering with the whole manifest at hand, and putting ephemeral models into the statements
//! that refer to them.

mod ctes;
mod foreign_keys;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use crate::error::{Error, Result};
use crate::jinja::Origin;
use crate::jinja::context::{
    Batch, Context, Deferral, Names, Overrides, Role, Running, Shared, lock, node_relation,
};
use crate::manifest::{Compiled, Id, Lookup, Manifest, Node, ResourceType, Source};
use crate::parse::{KWARGS_NAME, is_python_model, render_kwargs};
use crate::warehouse::Session;

pub use ctes::inject;
pub use foreign_keys::point_foreign_keys;

/// Compiles nodes. One compiler serves a whole invocation, from all threads.
pub struct Compiler {
    pub shared: Arc<Shared>,
    pub manifest: Arc<Manifest>,
    pub lookup: Arc<Lookup>,
    /// Ids of the resources that this invocation selected.
    pub selected: Arc<Vec<Id>>,
    /// The folder of compiled and run files, `target` below the project.
    target: PathBuf,
    /// The same as artifacts show it.
    shown_target: String,
    /// Where an earlier run has the nodes.
    pub deferral: Arc<Deferral>,
    ephemerals: Mutex<HashMap<Id, Arc<OnceLock<Result<Rendered>>>>>,
    graph: Arc<OnceLock<minijinja::Value>>,
}

/// What differs from one compilation of a node to another.
#[derive(Default, Clone)]
pub struct Occasion {
    /// The stretch of time that a batch sees.
    pub event_time: Option<(Option<String>, Option<String>)>,
    /// The batch that is built, of a microbatch model.
    pub batch: Option<Batch>,
    /// Relations that stand for others.
    pub replaced: HashMap<Id, crate::sql::Relation>,
    /// The expressions behind replaced relations: rows that stand for an input.
    pub fixtures: HashMap<Id, String>,
    /// What a unit test sets in place of macros and variables.
    pub overrides: Overrides,
    /// Further names.
    pub values: HashMap<String, minijinja::Value>,
    /// Whether `ref` may name nodes that parsing did not see.
    pub any_ref: bool,
}

impl Compiler {
    /// A compiler that writes below `target`; `shown_target` is how artifacts name that folder.
    pub fn new(
        shared: Arc<Shared>,
        manifest: Arc<Manifest>,
        lookup: Arc<Lookup>,
        selected: Arc<Vec<Id>>,
        target: PathBuf,
        shown_target: String,
        deferral: Arc<Deferral>,
    ) -> Self {
        let (ephemerals, graph) = (Mutex::default(), Arc::default());
        Compiler { shared, manifest, lookup, selected, target, shown_target, deferral, ephemerals, graph }
    }

    /// The folder of this invocation's files.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// A context in which a node runs.
    pub fn context(&self, node: &Arc<Node>, session: &Arc<Session>, occasion: &Occasion) -> Arc<Context> {
        let mut values = occasion.values.clone();
        if node.resource_type != ResourceType::Operation && !values.contains_key("this") {
            values.insert("this".to_owned(), node_relation(&self.shared, node).into());
        }
        let names = Names { node: Some(node.clone()), values };
        Context::build(&self.shared, &node.package_name, self.running(session, occasion), names)
    }

    /// A context in which a source is looked at: its macros are those of its package.
    pub fn source_context(
        &self,
        source: &Source,
        session: &Arc<Session>,
        occasion: &Occasion,
    ) -> Arc<Context> {
        let mut values = occasion.values.clone();
        if let Ok(json) = serde_json::to_value(source) {
            values.insert("model".to_owned(), crate::jinja::from_json(&json));
        }
        let names = Names { values, ..Names::default() };
        Context::build(&self.shared, &source.package_name, self.running(session, occasion), names)
    }

    /// A context for macros that belong to no node.
    pub fn operation_context(&self, package: &str, session: &Arc<Session>) -> Arc<Context> {
        let occasion = Occasion { any_ref: true, ..Occasion::default() };
        Context::build(&self.shared, package, self.running(session, &occasion), Names::default())
    }

    fn running(&self, session: &Arc<Session>, occasion: &Occasion) -> Role {
        Role::Running(Box::new(Running {
            manifest: self.manifest.clone(),
            lookup: self.lookup.clone(),
            session: session.clone(),
            run_dir: self.target.join("run"),
            selected: self.selected.clone(),
            any_ref: occasion.any_ref,
            event_time: occasion.event_time.clone(),
            batch: occasion.batch.clone(),
            deferral: self.deferral.clone(),
            ephemerals: Mutex::default(),
            replaced: occasion.replaced.clone(),
            overrides: occasion.overrides.clone(),
            graph: self.graph.clone(),
        }))
    }

    /// Compiles a node and writes its SQL below `target/compiled`.
    pub fn compile(&self, node: &Arc<Node>, session: &Arc<Session>, occasion: &Occasion) -> Result<Compiled> {
        if node.resource_type == ResourceType::Seed {
            return Ok(Compiled::default());
        }
        let rendered = self.render(node, session, occasion)?;
        self.write(node, rendered, occasion.batch.as_ref().map(|batch| batch.label.as_str()))
    }

    /// Completes a rendered statement and writes it.
    fn write(&self, node: &Node, rendered: Rendered, suffix: Option<&str>) -> Result<Compiled> {
        let injects = self.shared.flags.inject_ephemeral_ctes;
        let compiled_code = if injects { inject(&rendered.code, &rendered.ctes) } else { rendered.code };
        let path = Path::new("compiled").join(&*node.package_name).join(node.write_path(suffix));
        // As in dbt: a snapshot is seen in what it runs, and what renders to nothing is no file.
        if node.resource_type != ResourceType::Snapshot && !compiled_code.is_empty() {
            write_file(&self.target.join(&path), &compiled_code)?;
        }
        let compiled_path = Some(format!("{}/{}", self.shown_target, path.to_string_lossy()));
        Ok(Compiled { compiled_code, compiled_path, extra_ctes: rendered.ctes })
    }

    fn render(&self, node: &Arc<Node>, session: &Arc<Session>, occasion: &Occasion) -> Result<Rendered> {
        if is_python_model(node) {
            return Ok(Rendered { code: node.raw_code.to_string(), ctes: Vec::new() });
        }
        let mut occasion = occasion.clone();
        let mut ids = Vec::new();
        if node.is_generic_test() {
            let context = self.context(node, session, &occasion);
            let kwargs = render_kwargs(&context, node).map_err(|error| in_node(error, node))?;
            occasion.values.insert(KWARGS_NAME.to_owned(), kwargs);
            ids = context.ephemerals();
        }
        let context = self.context(node, session, &occasion);
        let origin = Origin::at(&node.original_file_path, node.first_line.max(1), 1);
        let code = context.render(&node.raw_code, &origin).map_err(|error| in_node(error, node))?;
        for id in context.ephemerals() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let mut ctes = Vec::new();
        // A fixture for the model itself has no `ref` that asks for it.
        let own = node.depends_on.nodes.iter().filter(|id| occasion.fixtures.contains_key(*id));
        for id in own.cloned() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        for id in ids {
            match occasion.fixtures.get(&id) {
                Some(cte) => push_cte(&mut ctes, (id, cte.clone())),
                None => self.add_ephemeral(&id, session, &mut ctes)?,
            }
        }
        Ok(Rendered { code, ctes })
    }

    /// Adds an ephemeral model, after the ephemeral models that it refers to itself.
    fn add_ephemeral(&self, id: &Id, session: &Arc<Session>, ctes: &mut Vec<(Id, String)>) -> Result<()> {
        let Some(node) = self.manifest.node(id) else { return Ok(()) };
        let slot = lock(&self.ephemerals).entry(id.clone()).or_default().clone();
        let rendered = slot.get_or_init(|| {
            let node = Arc::new(node.clone());
            let rendered = self.render(&node, session, &Occasion::default())?;
            self.write(&node, rendered.clone(), None).map(|_| rendered)
        });
        let rendered = rendered.as_ref().map_err(Clone::clone)?;
        for cte in &rendered.ctes {
            push_cte(ctes, cte.clone());
        }
        push_cte(ctes, (id.clone(), cte(&node.alias, &rendered.code)));
        Ok(())
    }
}

/// A statement, and the expressions that it needs.
#[derive(Debug, Clone)]
struct Rendered {
    code: String,
    ctes: Vec<(Id, String)>,
}

/// A query under the name of an ephemeral model.
pub fn cte(alias: &str, query: &str) -> String {
    format!(" __dbt__cte__{alias} as (\n{query}\n)")
}

fn push_cte(ctes: &mut Vec<(Id, String)>, cte: (Id, String)) {
    if !ctes.iter().any(|(id, _)| *id == cte.0) {
        ctes.push(cte);
    }
}

/// Says in which node an error happened.
pub fn in_node(error: Error, node: &Node) -> Error {
    if node.resource_type == ResourceType::SqlOperation {
        return error.trace("Error parsing inline query");
    }
    error.trace(format!("in {} {} ({})", node.resource_type, node.name, node.original_file_path))
}

/// Writes a file, and the folders above it.
pub fn write_file(path: &Path, text: &str) -> Result<()> {
    if let Err(error) = fs::write(path, text) {
        if error.kind() != std::io::ErrorKind::NotFound {
            return Err(Error::io("write", path, &error));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Error::io("create", parent, &error))?;
        }
        fs::write(path, text).map_err(|error| Error::io("write", path, &error))?;
    }
    Ok(())
}
