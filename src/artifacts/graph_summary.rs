//! `graph_summary.json`: the graph in numbers, for a look at its shape.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::pieces::Pieces;
use crate::error::Result;
use crate::graph::Dag;

/// Writes the graph; of `build`, also the one in which tests hold up what is downstream. `project` names the parsed
/// project that the graph is of, if another invocation may meet it again.
///
/// # Errors
/// The file cannot be written.
pub fn write_graph_summary(
    path: &Path,
    linked: &Dag,
    with_tests: Option<&Dag>,
    invocation_id: &str,
    project: Option<&str>,
) -> Result<()> {
    let mut pieces = Pieces::default();
    pieces.text("{");
    pieces.value("_invocation_id", false, || invocation_id);
    pieces.value("linked", true, || Summary(linked));
    if let Some(dag) = with_tests {
        pieces.value("with_test_edges", true, || Summary(dag));
    }
    pieces.text("}");
    pieces.write(path, project, true)
}

/// The nodes by their numbers, with the numbers of what depends on them.
struct Summary<'a>(&'a Dag);

impl Serialize for Summary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.links().enumerate().map(|(number, (id, succ))| {
            let kind = id.split('.').next().unwrap_or_default();
            (number, Entry { name: id, kind, succ })
        }))
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    succ: Vec<usize>,
}
