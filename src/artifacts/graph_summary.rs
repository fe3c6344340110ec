//! `graph_summary.json`: the graph in numbers, for a look at its shape.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::write_json;
use crate::error::Result;
use crate::graph::Dag;

/// Writes the graph; of `build`, also the one in which tests hold up what is downstream.
///
/// # Errors
/// The file cannot be written.
pub fn write_graph_summary(
    path: &Path,
    linked: &Dag,
    with_tests: Option<&Dag>,
    invocation_id: &str,
) -> Result<()> {
    let mut content = json!({ "_invocation_id": invocation_id, "linked": summary(linked) });
    if let Some(dag) = with_tests {
        content["with_test_edges"] = summary(dag);
    }
    write_json(path, &content)
}

/// The nodes by their numbers, with the numbers of what depends on them.
fn summary(dag: &Dag) -> Json {
    let entry = |(number, (id, children)): (usize, (&crate::manifest::Id, Vec<usize>))| {
        let kind = id.split('.').next().unwrap_or_default();
        let mut node = json!({ "name": &**id, "type": kind });
        if !children.is_empty() {
            node["succ"] = json!(children);
        }
        (number.to_string(), node)
    };
    Json::Object(dag.links().enumerate().map(entry).collect::<Map<_, _>>())
}
