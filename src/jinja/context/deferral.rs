//! Deferral: where an earlier run, the state, has the project's nodes
//! (<https://docs.getdbt.com/reference/node-selection/defer>).

use std::collections::HashMap;

use super::Running;
use crate::error::Result;
use crate::manifest::Id;
use crate::sql::Relation;

/// The relations of an earlier run, and when they stand for those of this one.
#[derive(Debug, Default)]
pub struct Deferral {
    /// By the node's id.
    pub relations: HashMap<Id, Relation>,
    /// Whether `ref` gives them at all (`--defer`); `clone` only copies them.
    pub in_refs: bool,
    /// Whether they stand for nodes that are not selected even if those exist (`--favor-state`).
    pub favored: bool,
}

impl Deferral {
    /// The relation that stands for a node's own: that of the state, if the node's is missing, or if the state is
    /// favored and the node is not selected.
    ///
    /// # Errors
    /// If the warehouse cannot be asked.
    pub(super) fn stand_in(&self, running: &Running, id: &Id, own: &Relation) -> Result<Option<Relation>> {
        let Some(relation) = self.relations.get(id).filter(|_| self.in_refs) else { return Ok(None) };
        let passed_over = self.favored && !running.selected.contains(id);
        let defers = passed_over || running.session.relation(own)?.is_none();
        Ok(defers.then(|| relation.clone()))
    }
}
