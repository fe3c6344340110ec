//! Before the first node: what is in the warehouse is read once, and missing schemas are made.

use std::sync::Arc;

use indexmap::IndexSet;

use super::Job;
use crate::error::Result;
use crate::jinja::context::Context;
use crate::manifest::{Node, ResourceType};
use crate::parse::stores_failures;
use crate::sql::Relation;
use crate::warehouse::Session;

/// Reads the schemas of the project into the cache, and creates those that the selected nodes build into.
pub fn prepare(job: &Job, session: &Arc<Session>) -> Result<()> {
    let compiler = &job.compiler;
    let selected = job.selected.iter().filter_map(|id| compiler.manifest.node(id));
    let selected = schemas_of(selected.filter(|node| builds(node)));
    let flags = &compiler.shared.flags;
    // Other schemas are read when they are asked for.
    let all = schemas_of(compiler.manifest.nodes.values().filter(|node| builds(node)));
    session.read_schemas(if flags.cache_selected_only || !flags.populate_cache {
        &selected
    } else {
        &all
    })?;
    let missing: Vec<(String, String)> = selected
        .into_iter()
        .filter(|(database, schema)| !session.cache.schema_exists(database, schema))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let context = compiler.operation_context(&compiler.shared.project_name, session);
    for (database, schema) in missing {
        create(&context, session, &database, &schema)?;
    }
    session.commit()
}

fn create(context: &Arc<Context>, session: &Session, database: &str, schema: &str) -> Result<()> {
    let relation = Relation::new(Some(database), Some(schema), None).without_identifier();
    context.call_macro("create_schema", &[relation.into()])?;
    session.cache.add_schema(database, schema);
    Ok(())
}

/// Whether a node leaves something in the warehouse.
fn builds(node: &Node) -> bool {
    match node.resource_type {
        ResourceType::Model => !node.is_ephemeral(),
        ResourceType::Seed | ResourceType::Snapshot | ResourceType::Function => true,
        ResourceType::Test => stores_failures(node),
        _ => false,
    }
}

fn schemas_of<'a>(nodes: impl Iterator<Item = &'a Node>) -> Vec<(String, String)> {
    let unique: IndexSet<(String, String)> =
        nodes.map(|node| (node.database.clone(), node.schema.clone())).collect();
    unique.into_iter().collect()
}
