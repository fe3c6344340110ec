//! The graph room beside real dbt: `fixtures/recorded.json` holds a manifest of dbt 1.11 with what dbt selected
//! from it, in which order it ran it, and which tests it put before which node. `fixtures/record.py` writes it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;

use super::manifests::read;
use crate::graph::*;
use crate::manifest::{Id, Manifest};

/// The recorded project: `path:` asks whether files exist.
const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/graph/fixtures/shop");

struct Recorded {
    json: Json,
    manifest: Manifest,
    dag: Dag,
    selectors: Selectors,
}

fn recorded() -> Recorded {
    let json: Json = serde_json::from_str(include_str!("../fixtures/recorded.json")).unwrap();
    let manifest = read(&json["manifest"]);
    let dag = Dag::new(&manifest).unwrap();
    let selectors = Selectors::parse(&json["selectors_file"]).unwrap();
    Recorded { json, manifest, dag, selectors }
}

fn texts(json: &Json) -> Vec<String> {
    json.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

impl Recorded {
    /// The ids that stand in the recording as positions in the graph.
    fn ids(&self, positions: &Json) -> Vec<String> {
        let all = texts(&self.json["graph_order"]);
        let positions = positions.as_array().unwrap().iter();
        positions.map(|at| all[at.as_u64().unwrap() as usize].clone()).collect()
    }

    /// An earlier manifest, which is recorded as its differences from the current one.
    fn before(&self, name: &str) -> Json {
        let mut manifest = self.json["manifest"].clone();
        for (section, entries) in self.json["before"][name].as_object().unwrap() {
            for (id, entry) in entries.as_object().unwrap() {
                let section = manifest[section.as_str()].as_object_mut().unwrap();
                match entry {
                    Json::Null => drop(section.remove(id)),
                    entry => drop(section.insert(id.clone(), entry.clone())),
                }
            }
        }
        manifest
    }

    fn previous(&self, state: Option<&str>) -> Option<PreviousState> {
        let part = |name: &str| Some(self.json[name].clone());
        Some(match state? {
            "results" => PreviousState {
                run_results: part("run_results"),
                sources: part("sources"),
                sources_current: part("sources_current"),
                ..PreviousState::default()
            },
            name => PreviousState { manifest: Some(self.before(name)), ..PreviousState::default() },
        })
    }

    fn select(&self, case: &Json) -> crate::error::Result<Selection> {
        let (chosen, excluded) = (texts(&case["select"]), texts(&case["exclude"]));
        let previous = self.previous(case["state"].as_str());
        let builds = case["build"] == true;
        let request = SelectionRequest {
            select: &chosen,
            exclude: &excluded,
            selector: case["selector"].as_str(),
            selectors: Some(&self.selectors),
            indirect: IndirectSelection::from_name(case["indirect"].as_str().unwrap()).unwrap(),
            types: Some(if builds { BUILD_TYPES } else { LIST_ALL_TYPES }),
            include_empty: !builds,
            previous: previous.as_ref(),
            project_root: Some(Path::new(PROJECT)),
            project_name: Some("shop"),
        };
        select(&self.manifest, &self.dag, &request)
    }
}

#[test]
fn the_same_is_selected_as_by_dbt() {
    let recorded = recorded();
    let mut differences = Vec::new();
    for case in recorded.json["cases"].as_array().unwrap() {
        let shown = format!(
            "{} --exclude {} --selector {} {} {}",
            case["select"], case["exclude"], case["selector"], case["indirect"], case["state"]
        );
        match recorded.select(case) {
            Err(error) if case["error"].is_null() => {
                differences.push(format!("{shown}: {}", error.message()))
            }
            Err(_) => {}
            Ok(_) if case["error"].is_string() => differences.push(format!("{shown}: no {}", case["error"])),
            Ok(selection) => {
                let expected: BTreeSet<String> = recorded.ids(&case["ids"]).into_iter().collect();
                let found: BTreeSet<String> = selection.ids.iter().map(|id| id.to_string()).collect();
                if found != expected {
                    let missing: Vec<_> = expected.difference(&found).collect();
                    let surplus: Vec<_> = found.difference(&expected).collect();
                    differences.push(format!("{shown}: missing {missing:?}, surplus {surplus:?}"));
                }
                let events: BTreeSet<&str> = selection.warnings.iter().map(|warning| warning.event).collect();
                let expected: BTreeSet<&str> = case["warnings"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|warning| warning[0].as_str())
                    .collect();
                if events != expected {
                    differences.push(format!("{shown}: warnings {events:?} instead of {expected:?}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn the_same_order_is_taken_as_by_dbt() {
    let recorded = recorded();
    let build_order = recorded.dag.build_order(&recorded.manifest);
    for case in recorded.json["queues"].as_array().unwrap() {
        let selected: BTreeSet<Id> = recorded.ids(&case["ids"]).into_iter().map(Id::from).collect();
        let dag = if case["build"] == true { &build_order } else { &recorded.dag };
        let mut queue = Queue::new(dag, &selected);
        let mut order = Vec::new();
        while let Some(id) = queue.next() {
            queue.finish(&id);
            order.push(id.to_string());
        }
        assert_eq!(queue.remaining(), 0);
        if case["build"] == true {
            assert_unit_tests_run_right_before_their_model(&recorded.manifest, &order);
            order.retain(|id| !id.starts_with("unit_test."));
        }
        assert_eq!(order, recorded.ids(&case["order"]));
    }
}

fn assert_unit_tests_run_right_before_their_model(manifest: &Manifest, order: &[String]) {
    for (at, id) in order.iter().enumerate().filter(|(_, id)| id.starts_with("unit_test.")) {
        let model = &manifest.unit_tests[id.as_str()].depends_on.nodes[0];
        let next = order[at..].iter().find(|id| !id.starts_with("unit_test."));
        assert!(next.is_none_or(|next| *next == **model) || !order.iter().any(|id| *id == **model), "{id}");
    }
}

#[test]
fn nodes_wait_for_the_same_tests_as_in_dbt() {
    let recorded = recorded();
    let build_order = recorded.dag.build_order(&recorded.manifest);
    for (node, tests) in recorded.json["guards"].as_object().unwrap() {
        let mut waits_for: Vec<String> =
            build_order.ancestors(node, None).into_iter().map(|id| id.to_string()).collect();
        waits_for.retain(|id| id.starts_with("test."));
        waits_for.sort();
        let mut expected = recorded.ids(tests);
        expected.sort();
        assert_eq!(waits_for, expected, "{node}");
    }
}

#[test]
fn maps_and_selectors_are_written_as_by_dbt() {
    let recorded = recorded();
    let written = |map: indexmap::IndexMap<Id, Vec<Id>>| serde_json::to_string(&map).unwrap();
    let manifest = &recorded.json["manifest"];
    assert_eq!(written(parent_map(&recorded.manifest)), manifest["parent_map"].to_string());
    assert_eq!(written(child_map(&recorded.manifest)), manifest["child_map"].to_string());
    let selectors = manifest_selectors(&recorded.json["selectors_file"]).unwrap();
    assert_eq!(Json::Object(selectors).to_string(), manifest["selectors"].to_string());
    let order: Vec<&str> = recorded.dag.ids().map(|id| &**id).collect();
    assert_eq!(order, texts(&recorded.json["graph_order"]));
}
