//! The order of `build`: a failing test keeps what is downstream from running.
//!
//! Two things are added to the edges of the [`Dag`]:
//! - A node waits for the tests on what it depends on. A test on several nodes guards those nodes alone that
//!   depend on all of them, so that no cycle can arise. Edges are added to the first nodes of each path only:
//!   what is behind them waits anyway.
//! - A unit test, which in the graph depends on its model, runs before it, as soon as the model could.

use std::collections::HashMap;

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::NodeIndex;

use super::dag::{Dag, NodeSet};
use crate::manifest::{Manifest, ResourceType};

impl Dag {
    /// The same nodes with the edges in which `build` runs them.
    ///
    /// # Arguments
    /// - `manifest`: the one that this graph was made of.
    pub fn build_order(&self, manifest: &Manifest) -> Dag {
        let mut ordered = self.clone();
        for (test, guarded) in guarded_nodes(self, manifest) {
            ordered.add_edge(test, guarded);
        }
        put_unit_tests_first(&mut ordered, manifest);
        ordered
    }
}

/// Pairs of a test and a node that must wait for it.
fn guarded_nodes(dag: &Dag, manifest: &Manifest) -> Vec<(NodeIndex, NodeIndex)> {
    let kinds = Kinds::new(dag, manifest);
    let order = dag.topological_nodes();
    let mut rank = vec![0; dag.len()];
    for (position, node) in order.iter().enumerate() {
        rank[node.index()] = position;
    }
    let ancestors = TestedAncestors::new(dag, &kinds, &order);
    let mut edges = Vec::new();
    // The last test on whose walk a node was seen: one list for all walks, as there may be thousands.
    let mut seen_by = vec![None; dag.len()];
    for test in kinds.tests.ones().map(NodeIndex::new) {
        // The walk starts at the last of the tested nodes, below which there is the least to look at.
        let tested: Vec<NodeIndex> = dag.neighbours_of(test, Incoming).collect();
        let Some(last) = tested.iter().copied().max_by_key(|node| rank[node.index()]) else { continue };
        let mut waiting: Vec<NodeIndex> = dag.neighbours_of(last, Outgoing).collect();
        while let Some(node) = waiting.pop() {
            let seen = seen_by[node.index()].replace(test) == Some(test);
            if seen || kinds.tests.contains(node.index()) {
                continue;
            }
            if kinds.executable.contains(node.index()) && ancestors.include_all(node, &tested) {
                edges.push((test, node));
            } else {
                waiting.extend(dag.neighbours_of(node, Outgoing));
            }
        }
    }
    edges
}

/// Which nodes are tests, and which are run otherwise.
struct Kinds {
    tests: NodeSet,
    executable: NodeSet,
}

impl Kinds {
    fn new(dag: &Dag, manifest: &Manifest) -> Kinds {
        let mut kinds = Kinds { tests: dag.no_nodes(), executable: dag.no_nodes() };
        for node in dag.nodes() {
            match manifest.nodes.get(dag.id(node)).map(|node| node.resource_type) {
                Some(ResourceType::Test) => kinds.tests.insert(node.index()),
                Some(_) => kinds.executable.insert(node.index()),
                None => {}
            }
        }
        kinds
    }
}

/// For every node, which of the nodes that share a test are above it.
struct TestedAncestors {
    /// The position of such a node in the sets.
    position: HashMap<NodeIndex, usize>,
    above: Vec<NodeSet>,
}

impl TestedAncestors {
    fn new(dag: &Dag, kinds: &Kinds, order: &[NodeIndex]) -> TestedAncestors {
        let mut position = HashMap::new();
        for test in kinds.tests.ones().map(NodeIndex::new) {
            let tested: Vec<NodeIndex> = dag.neighbours_of(test, Incoming).collect();
            if tested.len() > 1 {
                for node in tested {
                    let next = position.len();
                    position.entry(node).or_insert(next);
                }
            }
        }
        let mut above = vec![NodeSet::with_capacity(position.len()); dag.len()];
        for &node in order.iter().filter(|node| !kinds.tests.contains(node.index())) {
            let mut here = std::mem::take(&mut above[node.index()]);
            here.grow(position.len());
            for parent in dag.neighbours_of(node, Incoming) {
                here.union_with(&above[parent.index()]);
                if let Some(position) = position.get(&parent) {
                    here.insert(*position);
                }
            }
            above[node.index()] = here;
        }
        TestedAncestors { position, above }
    }

    /// Whether all of the tested nodes are above this one, which is known to be below the last of them.
    fn include_all(&self, node: NodeIndex, tested: &[NodeIndex]) -> bool {
        let above = &self.above[node.index()];
        tested.len() == 1
            || tested.iter().all(|node| self.position.get(node).is_some_and(|bit| above.contains(*bit)))
    }
}

fn put_unit_tests_first(dag: &mut Dag, manifest: &Manifest) {
    for test in manifest.unit_tests.values() {
        let model = test.depends_on.nodes.first().and_then(|id| dag.node(id));
        let (Some(test), Some(model)) = (dag.node(&test.unique_id), model) else { continue };
        dag.remove_edges(model, test);
        let parents: Vec<NodeIndex> = dag.neighbours_of(model, Incoming).collect();
        for parent in parents {
            if !is_unit_test_of(dag, manifest, parent, model) {
                dag.add_edge(parent, test);
            }
        }
        dag.add_edge(test, model);
    }
}

/// Whether `node` is another unit test of the model, which needs no order among its like.
fn is_unit_test_of(dag: &Dag, manifest: &Manifest, node: NodeIndex, model: NodeIndex) -> bool {
    let test = manifest.unit_tests.get(dag.id(node));
    test.and_then(|test| test.depends_on.nodes.first()).is_some_and(|tested| tested == dag.id(model))
}
