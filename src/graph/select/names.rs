//! Names with dots: how a selector without method finds nodes.

use super::glob::Glob;
use crate::manifest::{Resource, ResourceType};

/// A name as a selector writes it: the node's own name, or its way through package and folders
/// (`package.folder.model`), of which the end may be left out or hold wildcards.
#[derive(Debug)]
pub(super) struct NamePattern {
    text: String,
    /// The parts before the first one with a wildcard.
    exact: Vec<String>,
    /// The parts from the first one with a wildcard, as one pattern.
    wild: Option<Glob>,
    /// A pattern without dots also matches the node's own name, however deep it lies.
    wild_leaf: bool,
}

impl NamePattern {
    pub(super) fn new(text: &str) -> NamePattern {
        let parts: Vec<&str> = text.split('.').collect();
        let first_wild = parts.iter().position(|part| Glob::is_pattern(part));
        let (exact, wild) = parts.split_at(first_wild.unwrap_or(parts.len()));
        NamePattern {
            text: text.to_owned(),
            exact: exact.iter().map(|part| (*part).to_owned()).collect(),
            wild: first_wild.map(|_| Glob::new(&wild.join("."))),
            wild_leaf: parts.len() == 1,
        }
    }

    /// Whether the resource is meant, with or without its package.
    pub(super) fn matches(&self, resource: Resource<'_>) -> bool {
        let fqn = resource.fqn();
        let versioned = is_versioned(resource);
        self.matches_fqn(fqn, versioned)
            || fqn.split_first().is_some_and(|(_, rest)| self.matches_fqn(rest, versioned))
    }

    fn matches_fqn(&self, fqn: &[String], versioned: bool) -> bool {
        let Some(leaf) = leaf(fqn, versioned) else { return false };
        if *leaf == self.text || (versioned && self.names_version(fqn)) {
            return true;
        }
        let mut segments = fqn.iter().flat_map(|segment| segment.split('.'));
        if !self.exact.iter().all(|part| segments.next() == Some(part)) {
            return false;
        }
        let Some(wild) = &self.wild else { return true };
        let rest: Vec<&str> = segments.collect();
        (!rest.is_empty() && wild.matches(&rest.join("."))) || (self.wild_leaf && wild.matches(leaf))
    }

    /// The name and version of a model, in the forms `model.v2` and `model_v2`.
    fn names_version(&self, fqn: &[String]) -> bool {
        let [.., name, version] = fqn else { return false };
        let own = format!("{name}_{version}");
        match self.text.rsplit_once('.') {
            None => self.text == own,
            Some((before, last)) => {
                let second = before.rsplit_once('.').map_or(before, |(_, second)| second);
                own == format!("{second}_{last}")
            }
        }
    }
}

/// The name of the node itself; of a versioned model the last part is the version.
fn leaf(fqn: &[String], versioned: bool) -> Option<&String> {
    match fqn {
        [.., name, _] if versioned => Some(name),
        [.., name] => Some(name),
        [] => None,
    }
}

fn is_versioned(resource: Resource<'_>) -> bool {
    match resource {
        Resource::Node(node) => node.resource_type == ResourceType::Model && node.version().is_some(),
        _ => false,
    }
}
