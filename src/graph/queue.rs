//! What may run now: nodes in the order of their dependencies.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::NodeIndex;

use super::dag::{Dag, NodeSet};
use crate::manifest::{Id, ResourceType};

/// Hands out the selected nodes, each after all selected nodes that it depends on, be it through nodes that
/// are not selected. The order among nodes that are ready is fixed: by their depth in what is selected, then
/// by id; a unit test comes right before its model.
///
/// The queue never waits. A scheduler takes with [`Queue::next`] what is ready, and tells with
/// [`Queue::finish`] what has ended; when `next` gives nothing and nothing runs, all is done.
#[derive(Debug)]
pub struct Queue<'a> {
    dag: &'a Dag,
    selected: NodeSet,
    priorities: Vec<Priority>,
    /// How many parents of a node have not ended; in an unordered queue a number that never comes to zero.
    unfinished_parents: Vec<usize>,
    ready: BinaryHeap<Reverse<(Priority, NodeIndex)>>,
    running: NodeSet,
    /// The selected nodes that were not handed out yet.
    remaining: usize,
}

/// Smaller runs sooner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Priority {
    depth: usize,
    /// The node's own id; of a unit test, the id of its model.
    id: Id,
    is_unit_test: Reverse<bool>,
}

impl<'a> Queue<'a> {
    /// A queue of the selected nodes; ids that are not in the graph are left out.
    ///
    /// # Arguments
    /// - `dag`: of `build` the [`Dag::build_order`], of any other command the plain graph.
    pub fn new(dag: &'a Dag, selected: &BTreeSet<Id>) -> Queue<'a> {
        let unfinished: Vec<usize> =
            dag.nodes().map(|node| dag.neighbours_of(node, Incoming).count()).collect();
        let mut queue = Queue::empty(dag, selected, depths(dag, selected), unfinished);
        for node in dag.nodes().filter(|node| queue.unfinished_parents[node.index()] == 0).collect::<Vec<_>>()
        {
            queue.release(node);
        }
        queue
    }

    /// A queue of the selected nodes in which none waits for another.
    pub fn unordered(dag: &'a Dag, selected: &BTreeSet<Id>) -> Queue<'a> {
        let mut queue = Queue::empty(dag, selected, vec![0; dag.len()], vec![usize::MAX; dag.len()]);
        for node in queue.selected.ones().map(NodeIndex::new).collect::<Vec<_>>() {
            queue.push(node);
        }
        queue
    }

    fn empty(dag: &'a Dag, selected: &BTreeSet<Id>, depths: Vec<usize>, unfinished: Vec<usize>) -> Queue<'a> {
        let mut set = dag.no_nodes();
        set.extend(selected.iter().filter_map(|id| dag.node(id)).map(NodeIndex::index));
        Queue {
            dag,
            priorities: dag.nodes().map(|node| Priority::new(dag, node, depths[node.index()])).collect(),
            unfinished_parents: unfinished,
            ready: BinaryHeap::new(),
            running: dag.no_nodes(),
            remaining: set.count_ones(..),
            selected: set,
        }
    }

    /// The next node that may run now; `None` if there is none until another one ends.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator ends at the first None; a queue may go on"
    )]
    pub fn next(&mut self) -> Option<Id> {
        let Reverse((_, node)) = self.ready.pop()?;
        self.running.insert(node.index());
        self.remaining -= 1;
        Some(self.dag.id(node).clone())
    }

    /// Tells that a node has ended, whatever its result; what waited for it may become ready.
    /// Ids that do not run are ignored.
    pub fn finish(&mut self, id: &str) {
        let Some(node) = self.dag.node(id) else { return };
        if self.running.contains(node.index()) {
            self.running.set(node.index(), false);
            self.release_children(node);
        }
    }

    /// How many selected nodes have not been handed out.
    pub fn remaining(&self) -> usize {
        self.remaining
    }

    /// How many nodes are handed out and have not ended.
    pub fn running(&self) -> usize {
        self.running.count_ones(..)
    }

    /// A node without unfinished parents runs if it is selected, else it lets its children pass.
    fn release(&mut self, node: NodeIndex) {
        if self.selected.contains(node.index()) {
            self.push(node);
        } else {
            self.release_children(node);
        }
    }

    fn push(&mut self, node: NodeIndex) {
        self.ready.push(Reverse((self.priorities[node.index()].clone(), node)));
    }

    fn release_children(&mut self, node: NodeIndex) {
        let mut passed = vec![node];
        while let Some(node) = passed.pop() {
            for child in self.dag.neighbours_of(node, Outgoing) {
                let unfinished = &mut self.unfinished_parents[child.index()];
                *unfinished -= 1;
                if *unfinished > 0 {
                    continue;
                }
                if self.selected.contains(child.index()) {
                    self.push(child);
                } else {
                    passed.push(child);
                }
            }
        }
    }
}

impl Priority {
    fn new(dag: &Dag, node: NodeIndex, depth: usize) -> Priority {
        let is_unit_test = is_unit_test(dag.id(node));
        // In the order of a build, a unit test leads to its model and to nothing else.
        let model = is_unit_test.then(|| dag.neighbours_of(node, Outgoing).next()).flatten();
        Priority { depth, id: dag.id(model.unwrap_or(node)).clone(), is_unit_test: Reverse(is_unit_test) }
    }
}

fn is_unit_test(id: &str) -> bool {
    id.split('.').next() == Some(ResourceType::UnitTest.as_str())
}

/// For each node, how many selected nodes stand on the longest way to it. Unit tests do not count, as they
/// run in one go with their model.
fn depths(dag: &Dag, selected: &BTreeSet<Id>) -> Vec<usize> {
    let mut depths = vec![0; dag.len()];
    for node in dag.topological_nodes() {
        let id = dag.id(node);
        let counts = !is_unit_test(id) && selected.contains(id);
        let below = depths[node.index()] + usize::from(counts);
        for child in dag.neighbours_of(node, Outgoing) {
            depths[child.index()] = depths[child.index()].max(below);
        }
    }
    depths
}
