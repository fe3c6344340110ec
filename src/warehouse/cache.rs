//! What is known of the warehouse's relations, so that it need not be asked again.
//!
//! Filled by one query for the schemas that a run builds into, and kept by what the run itself does. Other schemas
//! are read when they are first asked for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use super::{CatalogKind, CatalogRelation};
use crate::sql::{Relation, RelationKind};

/// The relations of some schemas. Names are compared without regard to case, as DuckDB does.
#[derive(Debug, Default)]
pub struct RelationCache {
    schemas: Mutex<HashMap<SchemaKey, Schema>>,
    /// Which keys the tables of a schema had when it was first asked: pairs of table and kind of key.
    keys: Mutex<HashMap<SchemaKey, Vec<(String, String)>>>,
}

type SchemaKey = (String, String);

#[derive(Debug, Default)]
struct Schema {
    exists: bool,
    relations: IndexMap<String, CatalogRelation>,
}

fn schema_key(database: &str, schema: &str) -> SchemaKey {
    (database.to_lowercase(), schema.to_lowercase())
}

fn relation_key(relation: &Relation) -> Option<(SchemaKey, String)> {
    let schema = schema_key(relation.database.as_deref().unwrap_or_default(), relation.schema.as_deref()?);
    Some((schema, relation.identifier.as_deref()?.to_lowercase()))
}

fn as_relation(found: &CatalogRelation) -> Relation {
    let mut relation = Relation::new(Some(&found.database), Some(&found.schema), Some(&found.name));
    relation.kind = Some(match found.kind {
        CatalogKind::Table => RelationKind::Table,
        CatalogKind::View => RelationKind::View,
    });
    relation
}

impl RelationCache {
    fn lock(&self) -> MutexGuard<'_, HashMap<SchemaKey, Schema>> {
        self.schemas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the contents of these schemas, which were read from the catalog.
    pub fn fill(
        &self,
        schemas: &[(String, String)],
        existing: &[(String, String)],
        found: Vec<CatalogRelation>,
    ) {
        let mut known = self.lock();
        for (database, schema) in schemas {
            known.insert(schema_key(database, schema), Schema::default());
        }
        for (database, schema) in existing {
            if let Some(entry) = known.get_mut(&schema_key(database, schema)) {
                entry.exists = true;
            }
        }
        for relation in found {
            if let Some(entry) = known.get_mut(&schema_key(&relation.database, &relation.schema)) {
                entry.exists = true;
                entry.relations.insert(relation.name.to_lowercase(), relation);
            }
        }
    }

    /// The kinds of keys that a table has, if the keys of its schema are known.
    pub fn key_constraints(&self, relation: &Relation) -> Option<Vec<String>> {
        let (schema, name) = relation_key(relation)?;
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let of_table = keys.get(&schema)?.iter().filter(|(table, _)| *table == name);
        Some(of_table.map(|(_, kind)| kind.clone()).collect())
    }

    /// Takes over the keys of a schema's tables: pairs of table and kind of key.
    pub fn fill_keys(&self, database: &str, schema: &str, keys: Vec<(String, String)>) {
        let keys = keys.into_iter().map(|(table, kind)| (table.to_lowercase(), kind)).collect();
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(schema_key(database, schema), keys);
    }

    /// Whether the contents of a schema are known.
    pub fn knows(&self, database: &str, schema: &str) -> bool {
        self.lock().contains_key(&schema_key(database, schema))
    }

    /// Whether a known schema exists in the database.
    pub fn schema_exists(&self, database: &str, schema: &str) -> bool {
        self.lock().get(&schema_key(database, schema)).is_some_and(|schema| schema.exists)
    }

    /// Marks a schema as created.
    pub fn add_schema(&self, database: &str, schema: &str) {
        self.lock().entry(schema_key(database, schema)).or_default().exists = true;
    }

    /// Forgets a schema that was dropped.
    pub fn drop_schema(&self, database: &str, schema: &str) {
        self.lock().insert(schema_key(database, schema), Schema::default());
    }

    /// The relation of this name, with its kind.
    pub fn get(&self, wanted: &Relation) -> Option<Relation> {
        let (schema, name) = relation_key(wanted)?;
        self.lock().get(&schema)?.relations.get(&name).map(as_relation)
    }

    /// All relations of a schema.
    pub fn list(&self, database: &str, schema: &str) -> Vec<Relation> {
        let known = self.lock();
        let relations = known.get(&schema_key(database, schema)).map(|schema| schema.relations.values());
        relations.into_iter().flatten().map(as_relation).collect()
    }

    /// Remembers a relation that was created or replaced.
    pub fn add(&self, relation: &Relation) {
        let Some((schema, name)) = relation_key(relation) else { return };
        let kind = match relation.kind {
            Some(RelationKind::View | RelationKind::External) => CatalogKind::View,
            _ => CatalogKind::Table,
        };
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let entry = CatalogRelation {
            database: text(&relation.database),
            schema: text(&relation.schema),
            name: text(&relation.identifier),
            kind,
        };
        if let Some(schema) = self.lock().get_mut(&schema) {
            schema.exists = true;
            schema.relations.insert(name, entry);
        }
    }

    /// Forgets a relation that was dropped.
    pub fn remove(&self, relation: &Relation) {
        let Some((schema, name)) = relation_key(relation) else { return };
        if let Some(schema) = self.lock().get_mut(&schema) {
            schema.relations.shift_remove(&name);
        }
    }

    /// Follows a renaming.
    pub fn rename(&self, from: &Relation, to: &Relation) {
        let mut renamed = to.clone();
        renamed.kind = self.get(from).and_then(|known| known.kind).or(to.kind);
        self.remove(from);
        self.add(&renamed);
    }
}
