//! Who a node is, for every line about it.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::events::NodeInfo;
use crate::jinja::{self, python_str};
use crate::manifest::{Group, Manifest, Node, Resource, ResourceType, Source};

/// The identity of a resource for events.
pub fn node_info(manifest: &Manifest, id: &str) -> Arc<NodeInfo> {
    let Some(resource) = manifest.resource(id) else {
        return Arc::new(NodeInfo { unique_id: id.to_owned(), name: id.to_owned(), ..NodeInfo::default() });
    };
    let mut info = NodeInfo {
        unique_id: resource.id().to_string(),
        name: resource.name().to_owned(),
        resource_type: resource.resource_type().as_str().to_owned(),
        original_file_path: resource.original_file_path().to_owned(),
        meta: object(resource.config().get("meta")),
        label: resource.name().to_owned(),
        language: "sql".to_owned(),
        ..NodeInfo::default()
    };
    match resource {
        Resource::Node(node) => describe_node(&mut info, node, manifest),
        Resource::Source(source) => describe_source(&mut info, source),
        Resource::UnitTest(test) => {
            info.name = test.versioned_name();
            info.label = format!("{}::{}", test.model, info.name);
        }
        Resource::Exposure(_) | Resource::Semantic(_) => {}
    }
    Arc::new(info)
}

fn object(json: Option<&Json>) -> Map<String, Json> {
    json.and_then(Json::as_object).cloned().unwrap_or_default()
}

/// What a run does with a source, in place of a materialization.
pub const EXTRACTION: &str = "extraction";

fn describe_source(info: &mut NodeInfo, source: &Source) {
    info.label = source.search_name();
    info.materialized = EXTRACTION.to_owned();
    info.database = source.database.clone();
    info.schema = source.schema.clone();
    info.alias = source.identifier.clone();
    info.relation_name = source.relation_name.clone();
}

/// A group as events have it: what its owner is made of is text.
fn group_fields(group: &Group) -> Json {
    let given = group.owner.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let owner = given.map(|(key, value)| (key.clone(), Json::from(python_str(&jinja::from_json(value)))));
    json!({ "name": group.name, "package_name": &*group.package_name, "owner": owner.collect::<Map<_, _>>() })
}

fn describe_node(info: &mut NodeInfo, node: &Node, manifest: &Manifest) {
    info.materialized = node.materialized().to_owned();
    info.incremental_strategy = node.config.get_str("incremental_strategy").unwrap_or_default().to_owned();
    info.language = node.language.to_owned();
    info.path = node.path.clone();
    info.database = node.database.clone();
    info.schema = node.schema.clone();
    info.alias = node.alias.clone();
    info.relation_name = node.relation_name.clone().unwrap_or_default();
    info.checksum = node.checksum.checksum.clone();
    let group = node.group().map(|group| format!("group.{}.{group}", node.package_name));
    info.group = group.and_then(|id| manifest.groups.get(id.as_str())).map(group_fields);
    info.attached_node =
        node.test.as_ref().and_then(|test| test.attached_node.as_ref()).map(|id| id.to_string());
    if node.resource_type == ResourceType::Test {
        info.label = node.name.clone();
    } else if node.resource_type != ResourceType::Operation {
        info.label = format!("{}.{}", node.schema, node.alias);
    }
}
