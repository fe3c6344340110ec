//! `ls --output tree`: packages, folders, and what is in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::{Id, Manifest, Resource, ResourceType};

/// A folder, or something that has tests below it.
#[derive(Default)]
struct Branch {
    /// By name; folders come first.
    inside: BTreeMap<(bool, String), Branch>,
}

impl Branch {
    fn at(&mut self, is_leaf: bool, name: String) -> &mut Branch {
        self.inside.entry((is_leaf, name)).or_default()
    }

    /// The lines of what is inside; `margin` is what stands before all of them.
    fn draw(&self, margin: &str, lines: &mut Vec<String>) {
        let last = self.inside.len().saturating_sub(1);
        for (index, ((_, name), branch)) in self.inside.iter().enumerate() {
            let (corner, bar) = if index == last { ("└── ", "    ") } else { ("├── ", "│   ") };
            lines.push(format!("{margin}{corner}{name}"));
            branch.draw(&format!("{margin}{bar}"), lines);
        }
    }
}

/// The selected resources as a tree, line by line: packages, in them the folders of the files, in these the
/// resources, and tests below what they test.
pub fn lines(manifest: &Manifest, selected: &BTreeSet<Id>) -> Vec<String> {
    let mut root = Branch::default();
    for id in selected {
        let Some(resource) = manifest.resource(id) else { continue };
        let tested = tested(resource).filter(|tested| selected.contains(*tested));
        let owner = tested.and_then(|id| manifest.resource(id)).unwrap_or(resource);
        let mut branch = root.at(false, owner.package_name().to_owned());
        let path = owner.original_file_path();
        for folder in path.rsplit_once('/').map_or("", |(folders, _)| folders).split('/') {
            branch = branch.at(false, folder.to_owned());
        }
        let branch = branch.at(true, label(owner));
        if tested.is_some() {
            branch.at(true, label(resource));
        }
    }
    let mut lines = Vec::new();
    for ((_, package), branch) in &root.inside {
        lines.push(package.clone());
        branch.draw("", &mut lines);
    }
    lines
}

/// What a test tests.
fn tested(resource: Resource<'_>) -> Option<&Id> {
    match resource {
        Resource::Node(node) => node.test.as_ref()?.attached_node.as_ref(),
        Resource::UnitTest(test) => test.depends_on.nodes.first(),
        _ => None,
    }
}

/// `orders (table)`, `shop.customers (source)`
fn label(resource: Resource) -> String {
    let name = match resource {
        Resource::Source(source) => source.search_name(),
        Resource::Node(node) => super::list::name(Resource::Node(node)),
        resource => resource.name().to_owned(),
    };
    let kind = match resource {
        Resource::Node(node) if node.resource_type == ResourceType::Model => node.materialized(),
        resource => resource.resource_type().as_str(),
    };
    format!("{name} ({kind})")
}
