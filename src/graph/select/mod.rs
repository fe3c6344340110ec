//! Which nodes a command is about.
//!
//! ```text
//! --select / --exclude ──spec──▶ Spec ──evaluate──▶ NodeSet ──filter by type──▶ Selection
//! selectors.yml ────────yaml──────┘        │
//!                                   methods, state: which nodes one criterion names
//! ```

mod contract;
mod evaluate;
mod glob;
mod methods;
mod names;
mod spec;
mod state;
mod suggest;
mod types;
mod yaml;

pub use spec::IndirectSelection;
pub use types::{
    BUILD_TYPES, CLONE_TYPES, COMPILE_TYPES, LIST_ALL_TYPES, LIST_TYPES, TEST_TYPES, resource_types,
};
pub use yaml::{Selectors, manifest_selectors};

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use petgraph::graph::NodeIndex;
use serde_json::Value as Json;

use self::spec::Spec;
use super::dag::{Dag, NodeSet};
use crate::error::Result;
use crate::manifest::{Id, Manifest, Resource, ResourceType};

/// What the user asked for, and what the answer may have to look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct SelectionRequest<'a> {
    /// `--select`, as typed; empty for all.
    pub select: &'a [String],
    /// `--exclude`, as typed.
    pub exclude: &'a [String],
    /// `--selector`: the name of a selector, which goes before all else.
    pub selector: Option<&'a str>,
    /// The project's `selectors.yml`, if there is one.
    pub selectors: Option<&'a Selectors>,
    /// `--indirect-selection`.
    pub indirect: IndirectSelection,
    /// The kinds of resources that the command works on; `None` for all.
    pub types: Option<&'a [ResourceType]>,
    /// Whether models without any SQL are wanted; only `ls` wants them.
    pub include_empty: bool,
    /// The artifacts of an earlier run (`--state`).
    pub previous: Option<&'a PreviousState>,
    /// The folder of the project; without it, `path:` goes by names alone.
    pub project_root: Option<&'a Path>,
    /// The project's own package, which `package:this` means.
    pub project_name: Option<&'a str>,
}

/// The artifacts of an earlier run, as parsed JSON; what is missing is an error only if a method needs it.
#[derive(Debug, Clone, Default)]
pub struct PreviousState {
    /// `manifest.json`.
    pub manifest: Option<Json>,
    /// `run_results.json`.
    pub run_results: Option<Json>,
    /// `sources.json`.
    pub sources: Option<Json>,
    /// The `sources.json` of this project's own target folder.
    pub sources_current: Option<Json>,
    /// The flag `state_modified_compare_more_unrendered_values`: sources are compared as written, before
    /// their Jinja is rendered.
    pub compare_unrendered: bool,
}

/// The nodes a command is about.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// In the order of their ids. Ephemeral models are among them, as they are compiled on the way.
    pub ids: BTreeSet<Id>,
    /// The selector with `default: true`, if it was used.
    pub default_selector: Option<String>,
    pub warnings: Vec<SelectionWarning>,
}

/// Something the user should know about a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionWarning {
    /// dbt's name of the event, for `--warn-error-options`.
    pub event: &'static str,
    pub message: String,
    /// What may help, if that is known.
    pub help: Option<String>,
}

/// Chooses the nodes that were asked for.
///
/// # Arguments
/// - `dag`: the plain graph of this manifest, not its build order.
///
/// # Errors
/// A selection that cannot be understood or needs a state that was not given; a broken contract of a
/// versioned model (only `state:modified` and its like look at that).
pub fn select(manifest: &Manifest, dag: &Dag, request: &SelectionRequest<'_>) -> Result<Selection> {
    let context = Context::new(manifest, dag, request);
    let asks_nothing = request.select.is_empty() && request.exclude.is_empty();
    let default = request.selectors.and_then(Selectors::default_name);
    let default = default.filter(|_| asks_nothing && request.selector.is_none());
    let nodes = match request.selector.or(default) {
        Some(name) => context.selected_by_name(name)?,
        None => context.selected(&Spec::from_arguments(request.select, request.exclude)?)?,
    };
    let wanted = nodes.ones().map(NodeIndex::new).filter(|node| context.is_wanted(*node));
    let mut ids: Vec<Id> = wanted.map(|node| dag.id(node).clone()).collect();
    ids.sort_unstable();
    Ok(Selection {
        ids: ids.into_iter().collect(),
        default_selector: default.map(str::to_owned),
        warnings: context.warnings.into_inner(),
    })
}

/// What all parts of a selection look at.
struct Context<'a> {
    manifest: &'a Manifest,
    dag: &'a Dag,
    request: &'a SelectionRequest<'a>,
    /// The resources that take part, by the index of their node.
    by_node: Vec<Option<Resource<'a>>>,
    warnings: RefCell<Vec<SelectionWarning>>,
}

impl<'a> Context<'a> {
    fn new(manifest: &'a Manifest, dag: &'a Dag, request: &'a SelectionRequest<'a>) -> Context<'a> {
        let takes_part =
            |resource: &Resource| !matches!(resource, Resource::Node(node) if !node.is_enabled());
        let by_node = dag.ids().map(|id| manifest.resource(id).filter(takes_part)).collect();
        Context { manifest, dag, request, by_node, warnings: RefCell::default() }
    }

    fn resources(&self) -> impl Iterator<Item = (NodeIndex, Resource<'a>)> {
        let indexed = self.by_node.iter().enumerate();
        indexed.filter_map(|(index, resource)| Some((NodeIndex::new(index), (*resource)?)))
    }

    fn resource(&self, node: NodeIndex) -> Option<Resource<'a>> {
        self.by_node.get(node.index()).copied().flatten()
    }

    fn previous(&self) -> &'a PreviousState {
        static NOTHING: PreviousState = PreviousState {
            manifest: None,
            run_results: None,
            sources: None,
            sources_current: None,
            compare_unrendered: false,
        };
        self.request.previous.unwrap_or(&NOTHING)
    }

    /// Notes a warning once.
    fn warn(&self, warning: SelectionWarning) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    fn selected_by_name(&self, selector: &str) -> Result<NodeSet> {
        static NONE: std::sync::LazyLock<Selectors> = std::sync::LazyLock::new(Selectors::default);
        self.selected(self.request.selectors.unwrap_or(&NONE).spec(selector)?)
    }

    /// Whether the command works on such nodes.
    fn is_wanted(&self, node: NodeIndex) -> bool {
        let Some(resource) = self.resource(node) else { return false };
        let kind = resource.resource_type();
        let is_empty = match resource {
            Resource::Node(node) if !matches!(kind, ResourceType::Seed | ResourceType::Function) => {
                node.is_blank()
            }
            _ => false,
        };
        self.request.types.is_none_or(|types| types.contains(&kind))
            && (self.request.include_empty || !is_empty)
    }
}

/// Equality as Python has it: numbers by value, dictionaries without order.
fn same_value(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            let same = |(key, value)| other.get(key).is_some_and(|other| same_value(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        (one, other) => one == other,
    }
}
