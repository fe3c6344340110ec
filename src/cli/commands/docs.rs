//! `docs generate` and `docs serve`: what the warehouse has of the project, beside what the project says.

use std::collections::{BTreeSet, HashMap};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::compile::compile_selected;
use super::execute::compiler;
use super::{select, setup};
use crate::artifacts::{CatalogTable, write_catalog, write_docs_page};
use crate::cli::Outcome;
use crate::cli::serve::Server;
use crate::error::{Error, Result};
use crate::events::{Event, Events, Level};
use crate::flags::Flags;
use crate::graph::{COMPILE_TYPES, Dag};
use crate::jinja::context::{Context, TableObject};
use crate::manifest::{Id, ResourceType};
use crate::parse::stores_failures;
use crate::sql::Relation;
use crate::warehouse::{Cell, Table};

/// The name by which tables of the warehouse and nodes find each other: database, schema and name in small letters.
type Key = (String, String, String);

/// Compiles the project and writes `catalog.json`.
pub fn generate(flags: &Flags, events: &Events) -> Result<Outcome> {
    let loaded = setup::load(flags, events)?;
    if flags.compile {
        compile_selected(flags, &loaded)?;
    }
    copy_assets(&loaded)?;
    events.emit(Event::note(Level::Info, "Building catalog"));
    let places = places(flags, &loaded)?;
    let mut tables = IndexMap::new();
    if !flags.empty_catalog && !places.is_empty() {
        let warehouse = loaded.open_warehouse()?;
        let session = Arc::new(loaded.session(&*warehouse, "generate_catalog")?);
        let shared = &loaded.parsed.shared;
        let context = compiler(&loaded, &BTreeSet::new())?.operation_context(&shared.project_name, &session);
        for (database, schemas) in schemas_of(&places) {
            read_catalog(&context, &database, schemas, &mut tables)?;
        }
    }
    let (mut nodes, mut sources) = (IndexMap::new(), IndexMap::new());
    for (key, table) in &tables {
        for id in places.get(key).into_iter().flatten() {
            let list = if id.starts_with("source.") { &mut sources } else { &mut nodes };
            list.insert(id.clone(), table);
        }
    }
    let path = loaded.target.join("catalog.json");
    write_catalog(&path, &nodes, &sources, &loaded.parsed.shared)?;
    events.emit(Event::ArtifactWritten { kind: "CatalogArtifact", path: path.display().to_string() });
    write_docs_page(&loaded.target, flags.static_)?;
    events.emit(Event::note(Level::Info, format!("Catalog written to {}", path.display())));
    Ok(Outcome::Succeeded)
}

/// Serves the pages until the user stops it. It needs no profile.
pub fn serve(flags: &Flags, events: &Events) -> Result<Outcome> {
    let target = match &flags.target_path {
        Some(path) => path.clone(),
        None => setup::without_profile(flags, events, |project, _, _| {
            Ok(PathBuf::from(project.target_path.as_deref().unwrap_or("target")))
        })?,
    };
    let folder = flags.project_dir.join(target);
    if !folder.join("manifest.json").is_file() {
        return Err(Error::runtime(format!("there is no manifest.json in {}", folder.display()))
            .help(format!("write the documentation first: {} docs generate", flags.program)));
    }
    let server = Server::listen(&flags.host, flags.port)?;
    let url = format!("http://{}", server.address);
    events.emit(Event::note(Level::Info, format!("Serving docs at {url}")));
    events.emit(Event::note(Level::Info, "Press Ctrl+C to exit."));
    if flags.browser && std::io::stdout().is_terminal() {
        open_browser(&url);
    }
    server.run(&folder);
    Ok(Outcome::Succeeded)
}

/// Opens a page in the user's browser, if there is one: the address is printed anyway.
fn open_browser(url: &str) {
    let (program, args): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start"]),
        _ => ("xdg-open", &[]),
    };
    let quiet = std::process::Stdio::null;
    let mut command = std::process::Command::new(program);
    drop(command.args(args).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn());
}

/// Copies the folders of `asset-paths`, which the pages of the documentation show, beside the catalog.
fn copy_assets(loaded: &setup::Loaded) -> Result<()> {
    let project = loaded.workspace.root();
    for folder in &project.asset_paths {
        let source = project.root.join(folder);
        if !source.is_dir() {
            continue;
        }
        for entry in walkdir::WalkDir::new(&source) {
            let entry = entry
                .map_err(|error| Error::runtime(format!("cannot read the asset path {folder}: {error}")))?;
            let below = entry.path().strip_prefix(&project.root).unwrap_or(entry.path());
            let target = loaded.target.join(below);
            let done = match entry.file_type().is_dir() {
                true => std::fs::create_dir_all(&target),
                false => std::fs::copy(entry.path(), &target).map(|_| ()),
            };
            done.map_err(|error| Error::io("create", &target, &error))?;
        }
    }
    Ok(())
}

/// The resources that the catalog tells of, by their place in the warehouse.
fn places(flags: &Flags, loaded: &setup::Loaded) -> Result<HashMap<Key, Vec<Id>>> {
    let manifest = &loaded.parsed.manifest;
    let narrowed = !flags.select.is_empty()
        || !flags.models.is_empty()
        || !flags.exclude.is_empty()
        || flags.selector.is_some();
    let types: Vec<ResourceType> = COMPILE_TYPES.iter().copied().chain([ResourceType::Source]).collect();
    let chosen = match narrowed {
        true => Some(select::select(flags, loaded, &Dag::new(manifest)?, &types, &types)?),
        false => None,
    };
    let mut places: HashMap<Key, Vec<Id>> = HashMap::new();
    let nodes = manifest
        .nodes
        .values()
        .filter(|node| (node.resource_type.is_refable() && !node.is_ephemeral()) || stores_failures(node));
    let nodes = nodes.map(|node| (&node.unique_id, [&node.database, &node.schema, &node.alias]));
    let sources = manifest.sources.values();
    let sources =
        sources.map(|source| (&source.unique_id, [&source.database, &source.schema, &source.identifier]));
    for (id, [database, schema, name]) in nodes.chain(sources) {
        if chosen.as_ref().is_none_or(|chosen| chosen.contains(id)) {
            let key = (database.to_lowercase(), schema.to_lowercase(), name.to_lowercase());
            places.entry(key).or_default().push(id.clone());
        }
    }
    Ok(places)
}

fn schemas_of(places: &HashMap<Key, Vec<Id>>) -> IndexMap<String, BTreeSet<String>> {
    let mut schemas: IndexMap<String, BTreeSet<String>> = IndexMap::new();
    for (database, schema, _) in places.keys() {
        schemas.entry(database.clone()).or_default().insert(schema.clone());
    }
    schemas.sort_unstable_keys();
    schemas
}

/// Adds the tables of some schemas of a database, as the macro `get_catalog` gives them: a row a column.
fn read_catalog(
    context: &Arc<Context>,
    database: &str,
    schemas: BTreeSet<String>,
    tables: &mut IndexMap<Key, CatalogTable>,
) -> Result<()> {
    let information_schema = Relation::new(Some(database), Some("INFORMATION_SCHEMA"), None);
    let schemas = Json::from(schemas.into_iter().collect::<Vec<_>>());
    let found =
        context.call_macro("get_catalog", &[information_schema.into(), crate::jinja::from_json(&schemas)])?;
    let Some(found) = TableObject::from_value(&found) else { return Ok(()) };
    let table = found.table();
    for row in &table.rows {
        let text = |name: &str| cell(table, row, name).map(ToString::to_string);
        let [database, schema, name] =
            ["table_database", "table_schema", "table_name"].map(|name| text(name).unwrap_or_default());
        let key = (database.to_lowercase(), schema.to_lowercase(), name.to_lowercase());
        let entry = tables.entry(key).or_insert_with(|| CatalogTable {
            database,
            schema,
            name,
            kind: text("table_type").unwrap_or_default(),
            comment: text("table_comment"),
            owner: text("table_owner"),
            columns: Map::new(),
        });
        if let Some(name) = text("column_name") {
            let index = text("column_index").and_then(|index| index.parse::<i64>().ok()).unwrap_or_default();
            entry.add_column(&name, &text("column_type").unwrap_or_default(), index, text("column_comment"));
        }
    }
    Ok(())
}

/// The value in a column, unless it is null.
fn cell<'t>(table: &Table, row: &'t [Cell], name: &str) -> Option<&'t Cell> {
    let index = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))?;
    row.get(index).filter(|cell| **cell != Cell::Null)
}
