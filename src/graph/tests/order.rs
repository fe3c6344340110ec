//! The graph, the order of a build, and the queue, on graphs of a few nodes.

use std::collections::BTreeSet;

use super::manifests::{id, manifest};
use crate::graph::{Dag, Queue};
use crate::manifest::Id;

fn dag(edges: &str) -> Dag {
    Dag::new(&manifest(edges)).unwrap()
}

/// The names of ids, without type and package.
fn names<'a>(ids: impl IntoIterator<Item = &'a Id>) -> Vec<String> {
    ids.into_iter().map(|id| id.splitn(3, '.').nth(2).unwrap().to_owned()).collect()
}

fn sorted_names<'a>(ids: impl IntoIterator<Item = &'a Id>) -> String {
    let mut names = names(ids);
    names.sort();
    names.join(" ")
}

fn ids(names: &str) -> BTreeSet<Id> {
    names.split_whitespace().map(|name| Id::from(id(name))).collect()
}

/// All that is ready, taken out at once.
fn ready(queue: &mut Queue<'_>) -> Vec<Id> {
    std::iter::from_fn(|| queue.next()).collect()
}

#[test]
fn relatives_are_found_by_generation() {
    let dag = dag("source.s -> a\na -> b c\nb -> d\nc -> d\nd -> e");
    let cases = [
        ("parents of d", sorted_names(dag.parents(&id("d"))), "b c"),
        ("children of a", sorted_names(dag.children(&id("a"))), "b c"),
        ("ancestors of d", sorted_names(dag.ancestors(&id("d"), None)), "a b c s"),
        ("two generations above e", sorted_names(dag.ancestors(&id("e"), Some(2))), "b c d"),
        ("one below a", sorted_names(dag.descendants(&id("a"), Some(1))), "b c"),
        ("all below a", sorted_names(dag.descendants(&id("a"), None)), "b c d e"),
        ("none below a", sorted_names(dag.descendants(&id("a"), Some(0))), ""),
        ("below an unknown", sorted_names(dag.descendants("model.p.x", None)), ""),
    ];
    for (what, found, expected) in cases {
        assert_eq!(found, expected, "{what}");
    }
    let order = names(dag.topological());
    let position = |name: &str| order.iter().position(|known| known == name).unwrap();
    assert!(position("a") < position("b") && position("b") < position("d") && position("c") < position("d"));
    assert_eq!((dag.len(), dag.is_empty(), dag.contains(&id("a"))), (6, false, true));
}

#[test]
fn a_cycle_is_told_from_end_to_end() {
    let error = Dag::new(&manifest("x -> a\na -> b\nb -> c\nc -> a\nc -> y")).unwrap_err();
    assert_eq!(error.message(), "Found a cycle: model.p.a --> model.p.b --> model.p.c");
    let shown = error.to_string();
    assert!(shown.contains("model.p.b depends on model.p.a in models/b.sql"), "{shown}");
    let error = Dag::new(&manifest("a -> a")).unwrap_err();
    assert_eq!(error.message(), "Found a cycle: model.p.a");
}

#[test]
fn a_dependency_that_is_not_there_is_an_error() {
    let mut manifest = manifest("a -> b");
    manifest.nodes.shift_remove("model.p.a");
    let error = Dag::new(&manifest).unwrap_err();
    assert_eq!(error.message(), "'model.p.b' depends on 'model.p.a' which is not in the graph!");
}

#[test]
fn a_build_puts_tests_before_what_they_guard() {
    let cases = [
        ("below the tested node", "a -> b test.t\nb -> c", "t", "b c"),
        ("through a function", "a -> function.f test.t\nfunction.f -> b", "t", "b"),
        ("below all tested nodes only", "a -> b test.t\nb -> c test.t\na -> d", "t", "c"),
        ("no node is below both", "a -> b test.t\nc -> d test.t", "t", ""),
        ("where two ways meet", "a -> c test.t\nb -> c test.t\nc -> d", "t", "c d"),
        ("sources are tested, too", "source.s -> a test.t\na -> b", "t", "a b"),
        ("exposures do not wait", "a -> exposure.e test.t", "t", ""),
    ];
    for (what, edges, test, expected) in cases {
        let manifest = manifest(edges);
        let order = Dag::new(&manifest).unwrap().build_order(&manifest);
        assert_eq!(sorted_names(order.descendants(&id(&format!("test.{test}")), None)), expected, "{what}");
    }
}

#[test]
fn unit_tests_come_between_what_their_model_needs_and_the_model() {
    let manifest = manifest("a -> b test.t\nb -> c unit_test.u unit_test.v");
    let order = Dag::new(&manifest).unwrap().build_order(&manifest);
    assert_eq!(sorted_names(order.parents(&id("unit_test.u"))), "a t");
    assert_eq!(sorted_names(order.parents(&id("unit_test.v"))), "a t");
    assert_eq!(sorted_names(order.children(&id("unit_test.u"))), "b");
    assert_eq!(sorted_names(order.descendants(&id("unit_test.u"), None)), "b c");
}

#[test]
fn the_queue_waits_through_what_is_not_selected() {
    let dag = dag("a -> b c\nb -> d\nd -> e\nc -> e\nf -> g");
    let mut queue = Queue::new(&dag, &ids("a e g missing"));
    assert_eq!(queue.remaining(), 3);
    let first = ready(&mut queue);
    assert_eq!((names(&first), queue.remaining(), queue.running()), (vec!["a".into(), "g".into()], 1, 2));
    queue.finish(&id("g"));
    queue.finish(&id("g"));
    queue.finish("model.p.unknown");
    assert_eq!(queue.next(), None);
    queue.finish(&id("a"));
    assert_eq!(names(&ready(&mut queue)), ["e"]);
    queue.finish(&id("e"));
    assert_eq!((queue.remaining(), queue.running()), (0, 0));
}

#[test]
fn ready_nodes_come_by_depth_and_then_by_id() {
    let dag = dag("b -> z\na -> m\nm -> y\nc");
    let mut queue = Queue::new(&dag, &ids("a b c m y z"));
    let mut order = Vec::new();
    while let Some(next) = queue.next() {
        queue.finish(&next);
        order.push(next);
    }
    assert_eq!(names(&order).join(" "), "a b c m z y");
}

#[test]
fn an_unordered_queue_gives_all_at_once() {
    let dag = dag("a -> b\nb -> c");
    let mut queue = Queue::unordered(&dag, &ids("a b c"));
    assert_eq!(names(&ready(&mut queue)).join(" "), "a b c");
    queue.finish(&id("a"));
    assert_eq!(queue.next(), None);
}
