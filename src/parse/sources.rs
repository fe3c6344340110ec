//! Sources (<https://docs.getdbt.com/docs/build/sources>): each table of each source becomes a node.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::Parser;
use super::columns::{self, sorted_tags};
use super::generic_tests::{TargetKind, TestTarget};
use super::properties::{Properties, wrong_config};
use super::sql_nodes::Parsed;
use crate::error::{Error, Result};
use crate::events::Warning;
use crate::jinja::context::source_relation;
use crate::manifest::{Quoting, ResourceType, Source, SourceFields};
use crate::project::config::{resolve, resolve_unrendered};
use crate::project::yaml::{Mapping, Yaml, YamlValue};

/// Sources and their tests, as found in one entry.
#[derive(Default)]
pub struct ParsedSources {
    pub sources: Vec<Source>,
    pub tests: Vec<Parsed>,
}

/// Entries with `overrides:`, which change the sources of packages, by package and source name.
pub type SourcePatches = HashMap<(String, String), Arc<Properties>>;

/// The entries that override sources of packages.
///
/// # Errors
/// Two override one source.
pub fn patches<'a>(entries: impl Iterator<Item = &'a Arc<Properties>>) -> Result<SourcePatches> {
    let mut patches = SourcePatches::new();
    let mut errors = Vec::new();
    for entry in entries {
        let Some(package) = entry.text("overrides") else { continue };
        if let Some(first) = patches.insert((package.to_owned(), entry.name.clone()), entry.clone()) {
            let message = format!(
                "dbt found two schema.yml entries for the same source named {} in package {package}: a source can be \
                 overridden once.",
                entry.name
            );
            let error = Error::compilation(message).at(entry.location());
            let files = format!("\n- {}\n- {}", first.file, entry.file);
            errors.push(
                error.help(format!("remove the entry for {} from one of these files:{files}", entry.name)),
            );
        }
    }
    Error::many(errors).map_or(Ok(patches), Err)
}

fn text(yaml: &Yaml, key: &str) -> Option<String> {
    yaml.get(key).filter(|value| !value.is_null()).map(Yaml::key_text)
}

fn object(yaml: Option<&Yaml>) -> Map<String, Json> {
    match yaml.map(Yaml::to_json) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

fn config_of(yaml: &Yaml) -> Map<String, Json> {
    object(yaml.get("config"))
}

/// One mapping laid over another.
fn overlaid(base: &Yaml, over: &Yaml, skip: &[&str]) -> Yaml {
    let (Some(base_map), Some(over_map)) = (base.as_map(), over.as_map()) else { return base.clone() };
    let mut merged: Mapping = base_map.clone();
    for (key, value) in over_map.iter() {
        let key = key.key_text();
        if !skip.contains(&key.as_str()) {
            merged.set(&key, value.clone());
        }
    }
    Yaml::new(YamlValue::Map(merged)).placed_at(base)
}

impl Parser<'_> {
    /// Parses an entry under `sources:`.
    pub fn parse_source(&self, entry: &Properties, patches: &SourcePatches) -> Result<ParsedSources> {
        let mut parsed = ParsedSources::default();
        if entry.text("overrides").is_some() {
            return Ok(parsed);
        }
        entry.mark_used();
        let patch = patches.get(&(entry.package.to_string(), entry.name.clone()));
        let yaml = match patch {
            Some(patch) => {
                patch.mark_used();
                overlaid(&entry.yaml, &patch.yaml, &["name", "overrides", "tables", "version"])
            }
            None => entry.yaml.clone(),
        };
        let Some(tables) = yaml.get("tables").filter(|tables| !tables.is_null()) else { return Ok(parsed) };
        for table in tables.need_seq("tables", &entry.path)? {
            let name = table.get("name").ok_or_else(|| {
                table
                    .error(&entry.path, format!("a table of source '{}' has no name", entry.name))
                    .help("add `name:`")
            })?;
            let name = name.need_name("the name of a table", &entry.path)?;
            let table_patch = patch.and_then(|patch| {
                let tables = patch.yaml.get("tables")?.as_seq()?;
                tables.iter().find(|table| table.get("name").map(Yaml::key_text).as_deref() == Some(name))
            });
            let table = table_patch.map_or_else(|| table.clone(), |over| overlaid(table, over, &["name"]));
            let source = self.parse_table(entry, &yaml, &table, name, patch)?;
            parsed.tests.extend(self.source_tests(entry, &yaml, &table, &source)?);
            parsed.sources.push(source);
        }
        Ok(parsed)
    }

    fn parse_table(
        &self,
        entry: &Properties,
        source: &Yaml,
        table: &Yaml,
        name: &str,
        patch: Option<&Arc<Properties>>,
    ) -> Result<Source> {
        let package = &entry.package;
        let mut fqn = super::sql_nodes::fqn(package, entry.relative_path(), &entry.name);
        fqn.push(name.to_owned());
        let config = self.table_config(entry, source, table)?;
        let project = self.project_of(package);
        let at = |error: Error| error.at(table.location(&entry.path));
        let with = |layer: &Map<String, Json>| {
            resolve(ResourceType::Source, &project.configs, self.root_trees(project), &fqn, Some(layer), None)
        };
        let resolved = with(&config).map_err(|error| {
            match wrong_config(&config, [table, source], |alone| with(alone).is_err()) {
                Some(value) => error.at(value.location(&entry.path)),
                None => at(error),
            }
        })?;
        let mut unrendered = resolve_unrendered(
            ResourceType::Source,
            &project.unrendered_configs,
            self.unrendered_root_trees(project),
            &fqn,
            Some(&config),
            None,
        );
        // What is written of freshness is filled up before it is noted.
        if let Some(written) = unrendered.get_mut("freshness").filter(|written| written.is_object()) {
            *written = resolved.get("freshness").cloned().unwrap_or_default();
        }
        let place = table.location(&entry.path);
        let (description, doc_blocks) =
            self.describe(package, &text(table, "description").unwrap_or_default(), &place)?;
        let (source_description, _) =
            self.describe(package, &text(source, "description").unwrap_or_default(), &place)?;
        let mut columns = columns::columns(table, &entry.path)?;
        self.describe_columns(package, &mut columns, entry)?;
        let mut source_meta = object(source.get("meta"));
        source_meta.extend(object(config_of(source).get("meta").map(Yaml::from_json).as_ref()));
        let owned = |key: &str| resolved.get_str(key).map(str::to_owned);
        let fields = SourceFields {
            source_description,
            description,
            loader: text(table, "loader").or_else(|| text(source, "loader")).unwrap_or_default(),
            loaded_at_field: owned("loaded_at_field"),
            loaded_at_query: owned("loaded_at_query"),
            freshness: resolved.get("freshness").filter(|freshness| !freshness.is_null()).cloned(),
            external: table.get("external").map(external_fields),
            meta: resolved.get("meta").and_then(Json::as_object).cloned().unwrap_or_default(),
            source_meta,
            tags: resolved.get("tags").and_then(Json::as_array).cloned().unwrap_or_default(),
            doc_blocks,
        };
        let mut node = Source {
            unique_id: format!("source.{package}.{}.{name}", entry.name).into(),
            database: text(source, "database").unwrap_or_else(|| self.shared.target.database.clone()),
            schema: text(source, "schema").unwrap_or_else(|| entry.name.clone()),
            identifier: text(table, "identifier").unwrap_or_else(|| name.to_owned()),
            name: name.to_owned(),
            package_name: package.clone(),
            original_file_path: entry.file.to_string(),
            fqn,
            source_name: entry.name.clone(),
            quoting: quoting(source, table),
            fields,
            columns,
            config: resolved,
            patch_path: patch.map(|patch| patch.file.to_string()),
            unrendered_config: unrendered,
            relation_name: String::new(),
            created_at: self.now,
            unrendered_database: entry.unrendered_place.0.clone(),
            unrendered_schema: entry.unrendered_place.1.clone(),
            line: table.line as usize,
        };
        node.relation_name = source_relation(&node).map_err(at)?.render();
        let is_measurable = node.fields.loaded_at_field.is_some() || node.fields.loaded_at_query.is_some();
        if node.checks_freshness() && !is_measurable {
            let message = format!(
                "A loaded_at_field must be specified for source '{}': DuckDB does not tell when a table was changed.",
                node.search_name()
            );
            self.warn(Warning::new("FreshnessConfigProblem", message).at(table.location(&entry.path)));
        }
        Ok(node)
    }

    /// The configuration layer of a table: the source's, overlaid by its own, with freshness, meta and tags combined.
    fn table_config(&self, entry: &Properties, source: &Yaml, table: &Yaml) -> Result<Map<String, Json>> {
        let (of_source, of_table) = (config_of(source), config_of(table));
        let mut config = of_source.clone();
        config.extend(of_table.clone());
        let meta = [
            object(source.get("meta")),
            object(of_source.get("meta").map(Yaml::from_json).as_ref()),
            object(table.get("meta")),
            object(of_table.get("meta").map(Yaml::from_json).as_ref()),
        ];
        config.insert("meta".to_owned(), Json::Object(meta.into_iter().flatten().collect()));
        let tags = [source.get("tags").map(Yaml::to_json), of_source.get("tags").cloned()]
            .into_iter()
            .chain([table.get("tags").map(Yaml::to_json), of_table.get("tags").cloned()])
            .flatten()
            .collect::<Vec<_>>();
        config.insert("tags".to_owned(), Json::Array(sorted_tags(tags.iter())));
        match freshness([
            source.get("freshness").map(Yaml::to_json),
            of_source.get("freshness").cloned(),
            table.get("freshness").map(Yaml::to_json),
            of_table.get("freshness").cloned(),
        ]) {
            Some(freshness) => config.insert("freshness".to_owned(), freshness),
            None => config.shift_remove("freshness"),
        };
        let level = |yaml: &Yaml, config: &Map<String, Json>, key: &str| {
            text(yaml, key)
                .map(Json::from)
                .or_else(|| config.get(key).cloned().filter(|value| !value.is_null()))
        };
        if let Some(field) = table.get("loaded_at_field").filter(|field| field.as_str() == Some("")) {
            return Err(field
                .error(&entry.path, "loaded_at_field cannot be an empty string.")
                .help("leave the key out, or write null to override that of the source"));
        }
        let has_own_field = table.get("loaded_at_field").is_some();
        for (yaml, of, name) in [(table, &of_table, "table"), (source, &of_source, "source")] {
            if level(yaml, of, "loaded_at_field").is_some() && level(yaml, of, "loaded_at_query").is_some() {
                return Err(yaml.error(
                    &entry.path,
                    format!("Cannot specify both loaded_at_field and loaded_at_query at {name} level."),
                ));
            }
        }
        let field = if has_own_field {
            level(table, &of_table, "loaded_at_field")
        } else {
            level(table, &of_table, "loaded_at_field")
                .or_else(|| level(source, &of_source, "loaded_at_field"))
        };
        let query = level(table, &of_table, "loaded_at_query")
            .or_else(|| level(source, &of_source, "loaded_at_query"))
            .filter(|_| !has_own_field && level(table, &of_table, "loaded_at_field").is_none());
        config.insert("loaded_at_field".to_owned(), field.unwrap_or(Json::Null));
        config.insert("loaded_at_query".to_owned(), query.unwrap_or(Json::Null));
        Ok(config)
    }

    fn source_tests(
        &self,
        entry: &Properties,
        source: &Yaml,
        table: &Yaml,
        node: &Source,
    ) -> Result<Vec<Parsed>> {
        let target = TestTarget {
            name: &node.name,
            reference: format!("source('{}', '{}')", node.source_name, node.name),
            kind: TargetKind::Source { source: &node.source_name },
            package: &entry.package,
            file: &entry.file,
            path: &entry.path,
            file_key_name: format!("sources.{}", node.source_name),
            attached_node: None,
        };
        let tags_of = |yaml: &Yaml| yaml.get("tags").map(Yaml::to_json);
        let tags: Vec<Json> = [tags_of(source), tags_of(table)].into_iter().flatten().collect();
        let tests = |yaml: &'_ Yaml| yaml.get("data_tests").or_else(|| yaml.get("tests")).cloned();
        let mut parsed = self.parse_tests(&target, tests(table).as_ref(), None, &tags)?;
        for column in table.get("columns").and_then(Yaml::as_seq).unwrap_or_default() {
            let Some(name) = column.get("name").map(Yaml::key_text) else { continue };
            let quoted = column.get("quote").and_then(Yaml::as_bool).or(node.quoting.column).unwrap_or(false);
            let name = if quoted { crate::sql::quote_identifier(&name) } else { name };
            let mut tags = tags.clone();
            tags.extend(tags_of(column));
            tags.extend(config_of(column).get("tags").cloned());
            parsed.extend(self.parse_tests(&target, tests(column).as_ref(), Some(&name), &tags)?);
        }
        Ok(parsed)
    }

    /// Warns of overrides that override nothing.
    pub fn warn_unused_patches(&self, patches: &SourcePatches) {
        let mut unused: Vec<_> = patches.iter().filter(|(_, entry)| entry.is_unused()).collect();
        unused.sort_by(|a, b| a.0.cmp(b.0));
        for ((package, source), entry) in unused {
            let message = format!(
                "During parsing, dbt encountered source overrides that had no target:\n  - Source {package}.{source} (in {})",
                entry.file
            );
            self.warn(Warning::new("UnusedTables", message).at(entry.yaml.location(&entry.path)));
        }
    }
}

fn quoting(source: &Yaml, table: &Yaml) -> Quoting {
    let part = |key: &str| {
        let of =
            |yaml: &Yaml| yaml.get("quoting").and_then(|quoting| quoting.get(key)).and_then(Yaml::as_bool);
        of(table).or_else(|| of(source))
    };
    Quoting {
        database: part("database"),
        schema: part("schema"),
        identifier: part("identifier"),
        column: part("column"),
    }
}

/// `external:` with all of its fields.
fn external_fields(external: &Yaml) -> Json {
    let mut fields = json!({
        "location": null, "file_format": null, "row_format": null, "tbl_properties": null, "partitions": null
    });
    if let (Some(all), Some(given)) = (fields.as_object_mut(), external.to_json().as_object()) {
        all.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    fields
}

/// Combines freshness thresholds from the outermost place to the innermost. `None` if none is written; null if the
/// innermost that is written says so.
fn freshness(levels: [Option<Json>; 4]) -> Option<Json> {
    let mut merged: Option<Json> = None;
    for level in levels.into_iter().flatten() {
        merged = Some(match (merged, level) {
            (_, Json::Null) => Json::Null,
            (Some(Json::Object(mut base)), Json::Object(over)) => {
                for (key, value) in over {
                    match (base.get_mut(&key), value) {
                        (Some(Json::Object(old)), Json::Object(new)) => old.extend(new),
                        (_, value) => drop(base.insert(key, value)),
                    }
                }
                Json::Object(base)
            }
            (_, level) => level,
        });
    }
    merged
}
