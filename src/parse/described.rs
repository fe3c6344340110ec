//! Which node an entry of a property file describes: the one of that name in its own package, else the one in another.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::Parser;
use super::properties::{Properties, PropertyIndex};
use super::sql_nodes::{Parsed, Unparsed};
use super::versions;
use crate::error::{Error, Result};
use crate::events::Warning;
use crate::manifest::{Node, ResourceType};

/// Parses nodes, each with the entry that describes it.
pub fn parse(parser: &Parser, unparsed: &[Unparsed], properties: &PropertyIndex) -> Vec<Result<Parsed>> {
    let own = |node: &Unparsed| properties.get(node.resource_type, &node.project.name, &node.name);
    let mut parsed: Vec<Result<Parsed>> =
        unparsed.par_iter().map(|node| parser.parse_node(node, own(node).map(|entry| &**entry))).collect();
    for (index, entry) in of_others(parser, unparsed, &mut parsed, properties) {
        parsed[index] = parser.parse_node(&unparsed[index], entry);
    }
    parsed
}

/// The nodes that an entry of another package describes, and those that it leaves for them.
fn of_others<'e>(
    parser: &Parser,
    unparsed: &[Unparsed],
    parsed: &mut Vec<Result<Parsed>>,
    properties: &'e PropertyIndex,
) -> Vec<(usize, Option<&'e Properties>)> {
    let refable = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot];
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, node) in unparsed.iter().enumerate() {
        if refable.contains(&node.resource_type) && node.version.is_none() {
            by_name.entry(&node.name).or_default().push(index);
        }
    }
    let mut again = Vec::new();
    let mut errors = Vec::new();
    let entries = properties.all.iter().filter(|entry| refable.contains(&entry.kind));
    for entry in entries.filter(|entry| versions::versions(entry).is_empty()) {
        let named = by_name.get(entry.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let candidates = named.iter().map(|index| (*index, &unparsed[*index], &parsed[*index]));
        match choose(entry, candidates.collect()) {
            Ok(Choice::Own) => {}
            Ok(Choice::OtherKind(kind)) => {
                entry.mark_used();
                warn_of_kind(parser, entry, kind);
            }
            Ok(Choice::OfOther { node, left }) => {
                again.push((node, Some(&**entry)));
                again.extend(left.map(|index| (index, None)));
            }
            Err(error) => errors.push(error),
        }
    }
    parsed.extend(errors.into_iter().map(Err));
    again
}

/// What an entry describes.
enum Choice {
    /// A node of its own package, or nothing.
    Own,
    /// Nothing, for what has this name is of another kind.
    OtherKind(ResourceType),
    /// A node of another package, and not the one of its own that is switched off.
    OfOther { node: usize, left: Option<usize> },
}

fn choose(entry: &Arc<Properties>, named: Vec<(usize, &Unparsed, &Result<Parsed>)>) -> Result<Choice> {
    let (own, others): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(_, node, _)| *node.project.name == *entry.package);
    let is_on = |parsed: &Result<Parsed>| matches!(parsed, Ok(Parsed::Enabled(_)) | Err(_));
    // The entry itself may have switched the node off.
    let switches_off = entry.config.get("enabled").is_some_and(|enabled| enabled == false);
    let of_kind = own.iter().find(|(_, node, _)| node.resource_type == entry.kind);
    if of_kind.is_some_and(|(_, _, parsed)| is_on(parsed) || switches_off) {
        return Ok(Choice::Own);
    }
    let other_kind = own.iter().find(|(_, node, parsed)| node.resource_type != entry.kind && is_on(parsed));
    if let Some((_, node, _)) = other_kind {
        return Ok(Choice::OtherKind(node.resource_type));
    }
    let on: Vec<(usize, &Node)> = others
        .into_iter()
        .filter_map(|(index, _, parsed)| match parsed {
            Ok(Parsed::Enabled(node)) => Some((index, &**node)),
            _ => None,
        })
        .collect();
    match on[..] {
        [] => Ok(Choice::Own),
        [(_, node)] if node.resource_type != entry.kind => Ok(Choice::OtherKind(node.resource_type)),
        [(index, node)] => match &node.patch_path {
            None => Ok(Choice::OfOther { node: index, left: of_kind.map(|(index, _, _)| *index) }),
            Some(first) => Err(described_twice(entry, first)),
        },
        _ => Err(entry
            .error(format!("'{}' could be any of several nodes of other packages", entry.name))
            .help(on.iter().map(|(_, node)| format!("\n- {}", node.unique_id)).collect::<String>())),
    }
}

fn described_twice(entry: &Properties, first: &str) -> Error {
    let name = &entry.name;
    entry
        .error(format!(
            "dbt found two schema.yml entries for the same resource named {name}: a resource of another package, \
             which describes it itself."
        ))
        .help(format!("remove this entry: {name} is described in {first}"))
}

fn warn_of_kind(parser: &Parser, entry: &Properties, kind: ResourceType) {
    let section = |kind: ResourceType| format!("{kind}s");
    let message = format!(
        "'{}' is a {kind}, but it is described in the '{}' section of file '{}'. Move the entry to the '{}' section.",
        entry.name,
        section(entry.kind),
        entry.file,
        section(kind)
    );
    parser.warn(Warning::new("WrongResourceSchemaFile", message).at(entry.location()));
}
