//! Nodes and edges, and the walks over them.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;
use indexmap::IndexMap;
use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::error::{Error, Location, Result};
use crate::manifest::{Id, Manifest, Resource, ResourceType};
use crate::text::quoted;

/// A set of nodes, by their index in the [`Dag`].
pub(super) type NodeSet = FixedBitSet;

/// No limit to the number of generations of a walk.
pub(super) const ALL_GENERATIONS: usize = usize::MAX;

/// The graph without cycles in which an edge leads from a node to what depends on it.
///
/// Its nodes are the resources of the manifest: what is disabled is not in it.
#[derive(Debug, Clone)]
pub struct Dag {
    graph: DiGraph<Id, ()>,
    index: HashMap<Id, NodeIndex>,
}

impl Dag {
    /// Links all resources of the manifest.
    ///
    /// # Errors
    /// A dependency that is not in the manifest, or a cycle; the message tells all of the cycle.
    pub fn new(manifest: &Manifest) -> Result<Dag> {
        let (nodes, edges) = linking_order(manifest)
            .fold((0, 0), |(nodes, edges), resource| (nodes + 1, edges + resource.depends_on().len()));
        let mut dag =
            Dag { graph: DiGraph::with_capacity(nodes, edges), index: HashMap::with_capacity(nodes) };
        for resource in linking_order(manifest) {
            let node = dag.insert(resource.id());
            for dependency in resource.depends_on() {
                if !can_be_depended_on(manifest, dependency) {
                    return Err(Error::compilation(format!(
                        "'{}' depends on '{dependency}' which is not in the graph!",
                        resource.id()
                    ))
                    .at(Location::file(resource.original_file_path())));
                }
                let parent = dag.insert(dependency);
                dag.graph.add_edge(parent, node, ());
            }
        }
        if toposort(&dag.graph, None).is_err() {
            return Err(dag.cycle_error(manifest));
        }
        Ok(dag)
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether there is no node at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the node is in the graph.
    pub fn contains(&self, id: &str) -> bool {
        self.index.contains_key(id)
    }

    /// All nodes, in the order they were linked: sources first, then as the manifest holds them.
    pub fn ids(&self) -> impl Iterator<Item = &Id> {
        self.graph.node_weights()
    }

    /// All nodes in the same order, each with the places in this order of what depends on it directly.
    pub fn links(&self) -> impl Iterator<Item = (&Id, Vec<usize>)> {
        self.nodes().map(|node| {
            let children = self.neighbours_of(node, Direction::Outgoing);
            let mut children: Vec<usize> = children.map(NodeIndex::index).collect();
            // The latest edge comes first in petgraph.
            children.reverse();
            (self.id(node), children)
        })
    }

    /// What the node depends on directly; nothing for an unknown node.
    pub fn parents(&self, id: &str) -> Vec<&Id> {
        self.neighbours(id, Direction::Incoming)
    }

    /// What depends on the node directly; nothing for an unknown node.
    pub fn children(&self, id: &str) -> Vec<&Id> {
        self.neighbours(id, Direction::Outgoing)
    }

    /// All that the node depends on, up to a number of generations (`None`: all).
    pub fn ancestors(&self, id: &str, generations: Option<usize>) -> Vec<&Id> {
        self.relatives(id, Direction::Incoming, generations)
    }

    /// All that depends on the node, up to a number of generations (`None`: all).
    pub fn descendants(&self, id: &str, generations: Option<usize>) -> Vec<&Id> {
        self.relatives(id, Direction::Outgoing, generations)
    }

    /// All nodes, each after its parents.
    pub fn topological(&self) -> Vec<&Id> {
        self.topological_nodes().into_iter().map(|node| self.id(node)).collect()
    }

    /// Lets a node come before another, in whose way it does not stand yet; nothing for unknown nodes.
    pub fn put_before(&mut self, first: &str, second: &str) {
        if let (Some(first), Some(second)) = (self.node(first), self.node(second)) {
            self.add_edge(first, second);
        }
    }

    fn neighbours(&self, id: &str, direction: Direction) -> Vec<&Id> {
        let Some(&node) = self.index.get(id) else { return Vec::new() };
        let mut found: Vec<&Id> = self.neighbours_of(node, direction).map(|node| self.id(node)).collect();
        // The latest edge comes first in petgraph.
        found.reverse();
        found
    }

    fn relatives(&self, id: &str, direction: Direction, generations: Option<usize>) -> Vec<&Id> {
        let Some(&node) = self.index.get(id) else { return Vec::new() };
        let mut start = self.no_nodes();
        start.insert(node.index());
        let reached = self.reach(&start, direction, generations.unwrap_or(ALL_GENERATIONS));
        reached.ones().map(|node| self.id(NodeIndex::new(node))).collect()
    }

    /// An edge for every way in which `insert` is reached; nodes are numbered in order of first sight.
    fn insert(&mut self, id: &Id) -> NodeIndex {
        if let Some(&node) = self.index.get(id) {
            return node;
        }
        let node = self.graph.add_node(id.clone());
        self.index.insert(id.clone(), node);
        node
    }

    fn cycle_error(&self, manifest: &Manifest) -> Error {
        let cycle = self.find_cycle();
        let names: Vec<&str> = cycle.iter().map(|id| &***id).collect();
        let parents = cycle.iter().cycle().skip(cycle.len().saturating_sub(1));
        let edges: Vec<String> = cycle
            .iter()
            .zip(parents)
            .map(|(id, parent)| {
                let place = place_of_call(manifest, id, parent).map(|place| format!(" in {place}"));
                format!("{id} depends on {parent}{}", place.unwrap_or_default())
            })
            .collect();
        Error::compilation(format!("Found a cycle: {}", names.join(" --> ")))
            .help(format!("take one of these references out:\n{}", edges.join("\n")))
    }

    /// The first cycle that a walk in depth meets, from the node where it closes.
    fn find_cycle(&self) -> Vec<&Id> {
        let mut seen = self.no_nodes();
        let mut on_path = self.no_nodes();
        for start in self.graph.node_indices() {
            let mut path = Vec::new();
            // A node is on the stack twice: to enter it, and (second field) to leave it.
            let mut stack = vec![(start, false)];
            while let Some((node, leave)) = stack.pop() {
                if leave {
                    path.pop();
                    on_path.set(node.index(), false);
                } else if on_path.contains(node.index()) {
                    let first = path.iter().position(|step| *step == node).unwrap_or(0);
                    return path[first..].iter().map(|node| self.id(*node)).collect();
                } else if !seen.put(node.index()) {
                    path.push(node);
                    on_path.insert(node.index());
                    stack.push((node, true));
                    stack.extend(self.graph.neighbors(node).map(|child| (child, false)));
                }
            }
        }
        Vec::new()
    }
}

/// What the rest of the room does with nodes by index.
impl Dag {
    pub(super) fn node(&self, id: &str) -> Option<NodeIndex> {
        self.index.get(id).copied()
    }

    pub(super) fn id(&self, node: NodeIndex) -> &Id {
        &self.graph[node]
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeIndex> + use<> {
        self.graph.node_indices()
    }

    pub(super) fn neighbours_of(
        &self,
        node: NodeIndex,
        direction: Direction,
    ) -> impl Iterator<Item = NodeIndex> {
        self.graph.neighbors_directed(node, direction)
    }

    pub(super) fn no_nodes(&self) -> NodeSet {
        NodeSet::with_capacity(self.len())
    }

    pub(super) fn add_edge(&mut self, from: NodeIndex, to: NodeIndex) {
        self.graph.add_edge(from, to, ());
    }

    pub(super) fn remove_edges(&mut self, from: NodeIndex, to: NodeIndex) {
        while let Some(edge) = self.graph.find_edge(from, to) {
            self.graph.remove_edge(edge);
        }
    }

    pub(super) fn topological_nodes(&self) -> Vec<NodeIndex> {
        // `new` has refused cycles, and what changes a graph later adds none.
        toposort(&self.graph, None).unwrap_or_default()
    }

    /// The nodes reached from `start` within some generations. A node of `start` is among them only if
    /// another one leads to it.
    pub(super) fn reach(&self, start: &NodeSet, direction: Direction, generations: usize) -> NodeSet {
        let mut reached = self.no_nodes();
        let mut layer: Vec<NodeIndex> = start.ones().map(NodeIndex::new).collect();
        for _ in 0..generations {
            let mut next = Vec::new();
            for node in layer {
                for neighbour in self.graph.neighbors_directed(node, direction) {
                    if !reached.put(neighbour.index()) {
                        next.push(neighbour);
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            layer = next;
        }
        reached
    }
}

/// The order in which dbt links resources, which its graph summary shows.
fn linking_order(manifest: &Manifest) -> impl Iterator<Item = Resource<'_>> {
    (manifest.sources.values().map(Resource::Source))
        .chain(manifest.nodes.values().map(Resource::Node))
        .chain(manifest.semantic_models.values().map(Resource::Semantic))
        .chain(manifest.exposures.values().map(Resource::Exposure))
        .chain(manifest.functions.values().map(Resource::Node))
        .chain(manifest.metrics.values().map(Resource::Semantic))
        .chain(manifest.unit_tests.values().map(Resource::UnitTest))
        .chain(manifest.saved_queries.values().map(Resource::Semantic))
}

/// Where a resource names one that it depends on; the file of it, if its code does not tell.
fn place_of_call(manifest: &Manifest, id: &Id, dependency: &Id) -> Option<Location> {
    let named = manifest.resource(dependency)?.name();
    let call = manifest.node(id).and_then(|node| {
        let call = quoted(&node.raw_code, &[named])?;
        Some(Location::new(&node.original_file_path, node.first_line + call.line, call.column))
    });
    call.or_else(|| Some(Location::file(manifest.resource(id)?.original_file_path())))
}

fn can_be_depended_on(manifest: &Manifest, id: &str) -> bool {
    let leaf = [ResourceType::Exposure, ResourceType::SavedQuery, ResourceType::UnitTest];
    manifest.resource(id).is_some_and(|resource| !leaf.contains(&resource.resource_type()))
}

/// The order in which dbt writes resources into the two maps of the manifest.
fn writing_order(manifest: &Manifest) -> impl Iterator<Item = Resource<'_>> {
    (manifest.nodes.values().map(Resource::Node))
        .chain(manifest.sources.values().map(Resource::Source))
        .chain(manifest.exposures.values().map(Resource::Exposure))
        .chain(manifest.functions.values().map(Resource::Node))
        .chain(manifest.metrics.values().map(Resource::Semantic))
        .chain(manifest.semantic_models.values().map(Resource::Semantic))
        .chain(manifest.saved_queries.values().map(Resource::Semantic))
        .chain(manifest.unit_tests.values().map(Resource::UnitTest))
}

/// The `parent_map` of `manifest.json`: each resource with the sorted ids of what it depends on.
pub fn parent_map(manifest: &Manifest) -> IndexMap<Id, Vec<Id>> {
    let entry = |resource: Resource<'_>| {
        let mut parents = resource.depends_on().to_vec();
        parents.sort();
        (resource.id().clone(), parents)
    };
    writing_order(manifest).map(entry).collect()
}

/// The `child_map` of `manifest.json`: each resource with the sorted ids of what depends on it.
pub fn child_map(manifest: &Manifest) -> IndexMap<Id, Vec<Id>> {
    let mut map: IndexMap<Id, Vec<Id>> =
        writing_order(manifest).map(|resource| (resource.id().clone(), Vec::new())).collect();
    for resource in writing_order(manifest) {
        for parent in resource.depends_on() {
            if let Some(children) = map.get_mut(parent) {
                children.push(resource.id().clone());
            }
        }
    }
    for children in map.values_mut() {
        children.sort();
    }
    map
}
