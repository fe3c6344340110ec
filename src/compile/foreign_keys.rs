//! Foreign keys of contracts: what `to: ref('model')` means in the warehouse.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::jinja::context::{Deferral, Shared, source_relation};
use crate::manifest::{Found, Id, Lookup, Manifest, Node};
use crate::parse::static_reference;

/// Puts relations in the place of references, in the constraints of the selected models. The manifest is copied if there
/// are any.
pub fn point_foreign_keys(
    manifest: &mut Arc<Manifest>,
    lookup: &Lookup,
    shared: &Arc<Shared>,
    selected: &BTreeSet<Id>,
    deferral: &Deferral,
) {
    for id in selected {
        let Some(node) = manifest.nodes.get(id).filter(|node| has_foreign_key(node)) else { continue };
        let mut node = node.clone();
        let relation = |to: &str| {
            let reference = static_reference(shared, to)?;
            let found = lookup.resolve(&reference, &shared.project_name, &node.package_name);
            let Found::Enabled(id) = found else { return None };
            match deferral.relations.get(&id).filter(|_| deferral.in_refs) {
                Some(relation) => Some(relation.render()),
                None => relation_of(manifest, &id),
            }
        };
        let mut pointed: Vec<Json> = constraints(&node).cloned().collect();
        for constraint in pointed.iter_mut().filter(|constraint| constraint["type"] == "foreign_key") {
            if let Some(relation) = constraint["to"].as_str().and_then(relation) {
                constraint["to"] = Json::from(relation);
            }
        }
        let mut pointed = pointed.into_iter();
        for constraint in constraints_mut(&mut node) {
            if let Some(new) = pointed.next() {
                *constraint = new;
            }
        }
        Arc::make_mut(manifest).nodes.insert(id.clone(), node);
    }
}

fn constraints(node: &Node) -> impl Iterator<Item = &Json> {
    let of_model = node.model.iter().flat_map(|model| &model.constraints);
    of_model.chain(node.columns.values().flat_map(|column| &column.constraints))
}

/// The same in the same order.
fn constraints_mut(node: &mut Node) -> impl Iterator<Item = &mut Json> {
    let of_model = node.model.iter_mut().flat_map(|model| &mut Arc::make_mut(model).constraints);
    of_model.chain(node.details.columns.values_mut().flat_map(|column| &mut column.constraints))
}

fn has_foreign_key(node: &Node) -> bool {
    constraints(node).any(|constraint| constraint["type"] == "foreign_key" && constraint["to"].is_string())
}

fn relation_of(manifest: &Manifest, id: &Id) -> Option<String> {
    if let Some(node) = manifest.node(id) {
        return node.relation_name.clone();
    }
    let source = manifest.sources.get(id)?;
    source_relation(source).ok().map(|relation| relation.render())
}
