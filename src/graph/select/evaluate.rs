//! From what a selection says to the nodes it means: relatives, tests that come along, and set operations.

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::NodeIndex;

use super::spec::{Criterion, Group, IndirectSelection, Operator, Spec};
use super::{Context, SelectionWarning, methods, suggest};
use crate::error::Result;
use crate::graph::dag::{ALL_GENERATIONS, NodeSet};
use crate::manifest::{Resource, ResourceType};

/// What a part of a selection finds.
struct Found {
    /// What is selected.
    direct: NodeSet,
    /// Tests that touch it, and may be selected once all that they touch is.
    indirect: NodeSet,
}

impl Context<'_> {
    /// The nodes that are meant, of all types.
    pub(super) fn selected(&self, spec: &Spec) -> Result<NodeSet> {
        Ok(self.evaluate(spec)?.direct)
    }

    fn evaluate(&self, spec: &Spec) -> Result<Found> {
        match spec {
            Spec::Criterion(criterion) => self.evaluate_criterion(criterion),
            Spec::Group(group) => self.evaluate_group(group),
        }
    }

    fn evaluate_criterion(&self, criterion: &Criterion) -> Result<Found> {
        let named = methods::search(self, criterion)?;
        let mut selected = named.clone();
        if criterion.childrens_parents {
            let mut family = self.dag.reach(&named, Outgoing, ALL_GENERATIONS);
            family.union_with(&named);
            selected.union_with(&self.dag.reach(&family, Incoming, ALL_GENERATIONS));
            selected.union_with(&family);
        }
        if let Some(generations) = criterion.parents {
            selected.union_with(&self.dag.reach(&named, Incoming, generations));
        }
        if let Some(generations) = criterion.children {
            selected.union_with(&self.dag.reach(&named, Outgoing, generations));
        }
        Ok(self.with_tests(selected, criterion.indirect.unwrap_or(self.request.indirect)))
    }

    /// Adds the tests that come along with what is selected, and notes those that might later.
    fn with_tests(&self, selected: NodeSet, mode: IndirectSelection) -> Found {
        let mut found = Found { direct: selected.clone(), indirect: self.dag.no_nodes() };
        if mode == IndirectSelection::Empty {
            return found;
        }
        let mut tested = selected;
        let nodes: Vec<NodeIndex> = tested.ones().map(NodeIndex::new).collect();
        if mode == IndirectSelection::Buildable {
            tested.union_with(&self.dag.reach(&tested, Incoming, ALL_GENERATIONS));
            let sources = self.resources().filter(|(_, resource)| matches!(resource, Resource::Source(_)));
            tested.extend(sources.map(|(node, _)| node.index()));
        }
        for test in nodes.into_iter().flat_map(|node| self.dag.neighbours_of(node, Outgoing)) {
            if !self.is_test(test) {
                continue;
            }
            if mode == IndirectSelection::Eager || self.depends_only_on(test, &tested) {
                found.direct.insert(test.index());
            } else {
                found.indirect.insert(test.index());
            }
        }
        found
    }

    fn evaluate_group(&self, group: &Group) -> Result<Found> {
        let parts: Vec<Found> = group.parts.iter().map(|part| self.evaluate(part)).collect::<Result<_>>()?;
        let direct = self.joined(group.operator, parts.iter().map(|part| part.direct.clone()));
        let with_indirect = parts.iter().map(|part| {
            let mut all = part.direct.clone();
            all.union_with(&part.indirect);
            all
        });
        let indirect = self.joined(group.operator, with_indirect);
        let mode = group.indirect.unwrap_or(self.request.indirect);
        let direct = self.with_completed_tests(direct, &indirect, mode);
        if let Some(typed) = group.typed.as_deref().filter(|_| direct.is_clear()) {
            self.warn(SelectionWarning {
                event: "NoNodesForSelectionCriteria",
                message: format!("The selection criterion '{typed}' does not match any enabled nodes"),
                help: suggest::help(self, group),
            });
        }
        Ok(Found { direct, indirect })
    }

    fn joined(&self, operator: Operator, mut sets: impl Iterator<Item = NodeSet>) -> NodeSet {
        let Some(mut joined) = sets.next() else { return self.dag.no_nodes() };
        for set in sets {
            match operator {
                Operator::Union => joined.union_with(&set),
                Operator::Intersection => joined.intersect_with(&set),
                Operator::Difference => joined.difference_with(&set),
            }
        }
        joined
    }

    /// Adds the tests of which each tested node was selected by some part of a group.
    fn with_completed_tests(&self, direct: NodeSet, indirect: &NodeSet, mode: IndirectSelection) -> NodeSet {
        let mut tested = direct.clone();
        match mode {
            IndirectSelection::Eager | IndirectSelection::Empty => return direct,
            IndirectSelection::Cautious => {}
            IndirectSelection::Buildable => {
                tested.union_with(&self.dag.reach(&direct, Incoming, ALL_GENERATIONS));
            }
        }
        let mut selected = direct;
        for node in indirect.ones().map(NodeIndex::new) {
            // A unit test has one parent: it came along with that or not at all.
            let is_node = matches!(self.resource(node), Some(Resource::Node(_)));
            if is_node && self.depends_only_on(node, &tested) {
                selected.insert(node.index());
            }
        }
        selected
    }

    fn is_test(&self, node: NodeIndex) -> bool {
        let kind = self.resource(node).map(Resource::resource_type);
        matches!(kind, Some(ResourceType::Test | ResourceType::UnitTest))
    }

    fn depends_only_on(&self, node: NodeIndex, nodes: &NodeSet) -> bool {
        self.dag.neighbours_of(node, Incoming).all(|parent| nodes.contains(parent.index()))
    }
}
