//! The order of parsing: macros, documentation, properties, nodes, tests, and at last who depends on whom.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use rayon::prelude::*;

use super::described;
use super::generic_tests::{TargetKind, TestTarget};
use super::macros::{self, MacroFile};
use super::patch::DocBlocks;
use super::properties::{self, Properties, PropertyIndex};
use super::sql_nodes::{self, Parsed, Unparsed};
use super::versions::VersionFiles;
use super::yaml_resources::{FixtureFile, FixtureFiles, duplicate, duplicate_of};
use super::{ParsedProject, Parser, sources, unit_tests, versions};
use crate::error::{Error, Location, Result};
use crate::events::{Events, Warning};
use crate::flags::Flags;
use crate::jinja::Engine;
use crate::jinja::blocks::{self, BlockKind};
use crate::jinja::context::{
    DispatchOrder, Macros, Observed, ProjectInfo, QueryComments, Shared, Target, lock,
};
use crate::manifest::{Disabled, Doc, Id, Lookup, Macro, MacroArgument, Manifest, Node, ResourceType};
use crate::project::files::{FileKind, SourceFile};
use crate::project::project_file::Project;
use crate::project::workspace::Workspace;
use crate::project::yaml::Yaml;
use crate::sql::Policy;

/// What one invocation brings along.
pub struct Invocation {
    pub flags: Arc<Flags>,
    pub events: Events,
    pub target: Target,
    pub invocation_id: String,
    pub started_at: DateTime<Utc>,
    pub observed: Arc<Observed>,
}

/// The files of a project and its packages, in the order of [`Workspace::projects`].
pub type ProjectFiles = Vec<Vec<SourceFile>>;

/// Parses a project and its packages.
///
/// # Errors
/// All errors of a stage together; later stages need the earlier ones.
pub fn parse(workspace: &Workspace, files: ProjectFiles, invocation: Invocation) -> Result<ParsedProject> {
    let now = invocation.started_at.timestamp_micros() as f64 / 1e6;
    let all: Vec<(&Project, Vec<SourceFile>)> = workspace.projects.iter().zip(files).collect();
    let root = &workspace.root().name;
    let dispatch = dispatch_order(workspace);
    let (macros, macro_entries) = macros::load(&dispatch, &macro_files(root, &all), now)?;
    let docs = documentation(&all)?;
    let shared = Arc::new(share(workspace, invocation, macros, dispatch));
    let blocks = docs
        .values()
        .map(|doc| ((doc.package_name.to_string(), doc.name.clone()), doc.block_contents.clone()));
    let parser = Parser::new(shared.clone(), workspace, blocks.collect::<DocBlocks>(), now);
    let properties = properties::read(&parser, &of_kind(&all, FileKind::Schema))?;
    let mut manifest = Manifest { docs, ..Manifest::default() };
    add_macros(&parser, &mut manifest, macro_entries, &properties)?;
    add_nodes(&parser, &mut manifest, parse_nodes(&parser, &all, &properties)?)?;
    check_snapshots(&manifest)?;
    add_sources(&parser, &mut manifest, &properties)?;
    add_tests(&parser, &mut manifest, &properties)?;
    add_yaml_resources(&parser, &mut manifest, &all, &properties)?;
    warn_unused(&parser, &properties);
    unit_tests::settle(&parser, &mut manifest)?;
    let lookup = Lookup::new(&manifest);
    parser.resolve_dependencies(&mut manifest, &lookup)?;
    parser.check_manifest(&manifest)?;
    parser.check_semantic_layer(&manifest)?;
    parser.check_microbatch(&manifest)?;
    unit_tests::check(&manifest)?;
    finish(&mut manifest);
    parser.fail_on_warnings()?;
    Ok(ParsedProject { manifest: Arc::new(manifest), lookup: Arc::new(lookup), shared })
}

type ProjectFile<'a> = (&'a Project, &'a SourceFile);

/// A parsed project from what an earlier invocation made of the same files.
pub fn restore(
    workspace: &Workspace,
    manifest: Manifest,
    macros: Macros,
    told: HashSet<String>,
    invocation: Invocation,
) -> ParsedProject {
    let lookup = Lookup::new(&manifest);
    let shared = share(workspace, invocation, macros, dispatch_order(workspace));
    *lock(&shared.told) = told;
    ParsedProject { manifest: Arc::new(manifest), lookup: Arc::new(lookup), shared: Arc::new(shared) }
}

fn of_kind<'a>(all: &'a [(&'a Project, Vec<SourceFile>)], kind: FileKind) -> Vec<ProjectFile<'a>> {
    let files = all.iter().flat_map(|(project, files)| files.iter().map(move |file| (*project, file)));
    files.filter(|(_, file)| file.kind == kind).collect()
}

fn macro_files(root: &str, all: &[(&Project, Vec<SourceFile>)]) -> Vec<MacroFile> {
    let mut found = macros::embedded_files();
    for kind in [FileKind::Macro, FileKind::GenericTest] {
        found.extend(of_kind(all, kind).into_iter().map(|(project, file)| {
            let path = file.original_file_path();
            MacroFile {
                package: project.name.as_str().into(),
                shown: if project.name == root { path.clone() } else { format!("{}://{path}", project.name) },
                path,
                text: file.contents.as_str().into(),
                first_line: file.first_line,
                is_test_file: kind == FileKind::GenericTest,
            }
        }));
    }
    found
}

/// Every snapshot says what its strategy needs.
fn check_snapshots(manifest: &Manifest) -> Result<()> {
    let snapshots = manifest.nodes.values().filter(|node| node.resource_type == ResourceType::Snapshot);
    let wrong = snapshots.filter_map(|node| {
        let error = node.config.check_snapshot().err()?;
        Some(error.at(Location::new(&node.original_file_path, node.first_line, 0)))
    });
    Error::many(wrong.collect()).map_or(Ok(()), Err)
}

/// All `{% docs %}` blocks.
fn documentation(all: &[(&Project, Vec<SourceFile>)]) -> Result<IndexMap<Id, Doc>> {
    let overview = overview();
    let mut docs = IndexMap::from([(overview.unique_id.clone(), overview)]);
    let mut errors = Vec::new();
    for (project, file) in of_kind(all, FileKind::Documentation) {
        let path = file.original_file_path();
        let blocks = match blocks::split(&file.contents, path.as_ref()) {
            Ok(blocks) => blocks,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for block in blocks.into_iter().filter(|block| block.kind == BlockKind::Docs) {
            let id: Id = format!("doc.{}.{}", project.name, block.name).into();
            let doc = Doc {
                name: block.name.clone(),
                resource_type: "doc",
                package_name: project.name.as_str().into(),
                path: file.relative_path.clone(),
                original_file_path: path.clone(),
                unique_id: id.clone(),
                block_contents: block.contents.trim().to_owned(),
            };
            if let Some(first) = docs.insert(id, doc) {
                errors.push(duplicate(ResourceType::Doc, &block.name, &first.original_file_path, &path));
            }
        }
    }
    Error::many(errors).map_or(Ok(docs), Err)
}

/// What documentation shows first where a project has no overview of its own.
fn overview() -> Doc {
    Doc {
        name: "__overview__".to_owned(),
        resource_type: "doc",
        package_name: "dbt".into(),
        path: "overview.md".to_owned(),
        original_file_path: "docs/overview.md".to_owned(),
        unique_id: "doc.dbt.__overview__".into(),
        block_contents: include_str!("overview.md").trim().to_owned(),
    }
}

fn dispatch_order(workspace: &Workspace) -> DispatchOrder {
    let rules = workspace.root().dispatch.iter();
    DispatchOrder {
        root: workspace.root().name.as_str().into(),
        packages: workspace.projects.iter().skip(1).map(|project| project.name.clone()).collect(),
        rules: rules.map(|rule| (rule.macro_namespace.clone(), rule.search_order.clone())).collect(),
    }
}

fn share(workspace: &Workspace, invocation: Invocation, macros: Macros, dispatch: DispatchOrder) -> Shared {
    let root = workspace.root();
    let quoting = &root.quoting;
    Shared {
        engine: Arc::new(Engine::new()),
        macros,
        project_name: root.name.as_str().into(),
        projects: workspace.projects.iter().map(project_info).collect(),
        dispatch,
        vars: workspace.vars.clone(),
        flags: invocation.flags,
        events: invocation.events,
        target: invocation.target,
        quoting: Policy::ALL.with(quoting.database, quoting.schema, quoting.identifier),
        query_comments: QueryComments::new(&root.query_comment),
        invocation_id: invocation.invocation_id,
        run_started_at: invocation.started_at,
        told: Mutex::default(),
        observed: invocation.observed,
        flags_value: OnceLock::new(),
    }
}

fn project_info(project: &Project) -> ProjectInfo {
    ProjectInfo {
        name: project.name.clone(),
        version: project.version.clone(),
        root: project.root.to_string_lossy().into_owned(),
        vars: project.vars.clone(),
    }
}

/// Keeps the results; the errors come out together.
fn collect<T>(results: Vec<Result<T>>) -> Result<Vec<T>> {
    let (mut done, mut errors) = (Vec::with_capacity(results.len()), Vec::new());
    for result in results {
        match result {
            Ok(item) => done.push(item),
            Err(error) => errors.push(error),
        }
    }
    Error::many(errors).map_or(Ok(done), Err)
}

fn add_macros(
    parser: &Parser,
    manifest: &mut Manifest,
    entries: Vec<Macro>,
    properties: &PropertyIndex,
) -> Result<()> {
    manifest.macros = entries.into_iter().map(|entry| (entry.unique_id.clone(), entry)).collect();
    for entry in properties.of_kind(ResourceType::Macro) {
        let id = format!("macro.{}.{}", entry.package, entry.name);
        let Some(described) = manifest.macros.get_mut(id.as_str()) else {
            let message = format!("Found patch for macro \"{}\" which was not found", entry.name);
            parser.warn(Warning::new("MacroNotFoundForPatch", message).at(entry.location()));
            continue;
        };
        entry.mark_used();
        let (description, _) = parser.describe(
            &entry.package,
            entry.text("description").unwrap_or_default(),
            &entry.location(),
        )?;
        described.description = description;
        described.patch_path = Some(entry.patch_path());
        described.arguments = macro_arguments(entry);
        for source in [entry.yaml.get("meta").map(Yaml::to_json), entry.config.get("meta").cloned()] {
            if let Some(serde_json::Value::Object(meta)) = source {
                described.meta.extend(meta);
            }
        }
        if let Some(docs) =
            entry.config.get("docs").cloned().or_else(|| entry.yaml.get("docs").map(Yaml::to_json))
        {
            described.docs = docs;
        }
    }
    Ok(())
}

fn macro_arguments(entry: &Properties) -> Vec<MacroArgument> {
    let list = entry.yaml.get("arguments").and_then(Yaml::as_seq).unwrap_or_default();
    let text = |item: &Yaml, key: &str| item.get(key).filter(|value| !value.is_null()).map(Yaml::key_text);
    list.iter()
        .map(|item| MacroArgument {
            name: text(item, "name").unwrap_or_default(),
            data_type: text(item, "type"),
            description: text(item, "description").unwrap_or_default(),
        })
        .collect()
}

/// The kinds of files that hold one node each, and what they hold.
const NODE_FILES: [(FileKind, ResourceType); 5] = [
    (FileKind::Model, ResourceType::Model),
    (FileKind::Analysis, ResourceType::Analysis),
    (FileKind::SingularTest, ResourceType::Test),
    (FileKind::Seed, ResourceType::Seed),
    (FileKind::Function, ResourceType::Function),
];

fn parse_nodes(
    parser: &Parser,
    all: &[(&Project, Vec<SourceFile>)],
    properties: &PropertyIndex,
) -> Result<Vec<Parsed>> {
    let models: HashSet<(&str, &str)> = of_kind(all, FileKind::Model)
        .into_iter()
        .map(|(project, file)| (project.name.as_str(), file.stem()))
        .collect();
    let version_files = VersionFiles::new(properties, |package, stem| models.contains(&(package, stem)));
    let mut unparsed: Vec<Unparsed> = Vec::new();
    for (file_kind, resource_type) in NODE_FILES {
        if file_kind == FileKind::Analysis {
            unparsed.extend(snapshots(all, properties)?);
        }
        unparsed.extend(of_kind(all, file_kind).into_iter().map(|(project, file)| {
            let version = (resource_type == ResourceType::Model)
                .then(|| version_files.of(&project.name, file.stem()))
                .flatten();
            sql_nodes::of_file(resource_type, project, file, version)
        }));
    }
    let mut parsed = described::parse(parser, &unparsed, properties);
    for (project, _) in all {
        match parser.parse_run_hooks(project) {
            Ok(hooks) => parsed.extend(hooks.into_iter().map(Ok)),
            Err(error) => parsed.push(Err(error)),
        }
    }
    collect(parsed)
}

/// Snapshots: blocks in files, and entries in YAML that name a relation.
fn snapshots<'a>(
    all: &'a [(&'a Project, Vec<SourceFile>)],
    properties: &PropertyIndex,
) -> Result<Vec<Unparsed<'a>>> {
    let files = of_kind(all, FileKind::Snapshot).into_iter();
    let in_files =
        collect(files.map(|(project, file)| sql_nodes::of_snapshot_file(project, file)).collect())?;
    let mut found: Vec<Unparsed> = in_files.into_iter().flatten().collect();
    for entry in properties.of_kind(ResourceType::Snapshot) {
        let Some((project, files)) = all.iter().find(|(project, _)| *project.name == *entry.package) else {
            continue;
        };
        let file = files.iter().find(|file| file.original_file_path() == *entry.file);
        found.extend(file.and_then(|file| sql_nodes::of_yaml_snapshot(project, file, entry)));
    }
    Ok(found)
}

/// Puts nodes into the manifest; names must be unique among what `ref` can name, and within a kind.
fn add_nodes(parser: &Parser, manifest: &mut Manifest, parsed: Vec<Parsed>) -> Result<()> {
    let mut errors = Vec::new();
    let mut refable: HashMap<(String, String, Option<String>), Id> = HashMap::new();
    let must_be_unique = parser.shared.flags.behavior.require_unique_project_resource_names;
    for node in parsed {
        let node = match node.into_disabled() {
            Ok(disabled) => {
                let Disabled::Node(node) = &disabled else { continue };
                manifest.disabled.entry(node.unique_id.clone()).or_default().push(disabled);
                continue;
            }
            Err(node) => *node,
        };
        if node.resource_type.is_refable() {
            let version = node.version().map(ToString::to_string);
            let key = (node.package_name.to_string(), node.name.clone(), version);
            if let Some(first) = refable.insert(key, node.unique_id.clone()) {
                let other = manifest.nodes.get(&first);
                let is_other_kind = other.is_some_and(|other| other.resource_type != node.resource_type);
                let first = other.map_or_else(|| first.to_string(), place_of);
                if must_be_unique || !is_other_kind {
                    errors.push(duplicate(node.resource_type, &node.name, &first, &place_of(&node)));
                    continue;
                }
                let message = format!(
                    "Found resources with the same name '{}' in project '{}': {first} and {}. Rename one of them: a \
                     reference to the name could mean either.",
                    node.name,
                    node.package_name,
                    place_of(&node)
                );
                parser.warn(Warning::new("DuplicateNameDistinctNodeTypesDeprecation", message));
            }
        }
        let map = match node.resource_type {
            ResourceType::Function => &mut manifest.functions,
            _ => &mut manifest.nodes,
        };
        if let Some(first) = map.get(&node.unique_id) {
            errors.push(duplicate(node.resource_type, &node.name, &place_of(first), &place_of(&node)));
            continue;
        }
        map.insert(node.unique_id.clone(), node);
    }
    errors.extend(same_relations(manifest));
    Error::many(errors).map_or(Ok(()), Err)
}

fn place_of(node: &Node) -> String {
    format!("{} ({})", node.unique_id, node.original_file_path)
}

/// Two nodes must not build the same relation.
fn same_relations(manifest: &Manifest) -> Vec<Error> {
    let mut seen: HashMap<String, &Node> = HashMap::new();
    let mut errors = Vec::new();
    let built = manifest.nodes.values().filter(|node| node.resource_type.is_refable());
    for node in built {
        let Some(relation) = &node.relation_name else { continue };
        if let Some(first) = seen.insert(relation.to_lowercase(), node) {
            errors.push(
                Error::compilation(format!(
                    "dbt found two resources with the database representation \"{}\": \
                     the second would replace what the first has built.",
                    relation.trim_matches('"')
                ))
                .help(format!(
                    "change the configuration of one of these, for example its alias or schema:\n- {}\n- {}",
                    place_of(first),
                    place_of(node)
                )),
            );
        }
    }
    errors
}

fn add_sources(parser: &Parser, manifest: &mut Manifest, properties: &PropertyIndex) -> Result<()> {
    let entries: Vec<&Arc<Properties>> = properties.of_kind(ResourceType::Source).collect();
    let patches = sources::patches(entries.iter().copied());
    let parsed = collect(entries.par_iter().map(|entry| parser.parse_source(entry, &patches)).collect())?;
    let mut errors = Vec::new();
    let mut tests = Vec::new();
    for group in parsed {
        tests.extend(group.tests);
        for source in group.sources {
            if source.config.get_bool("enabled") == Some(false) {
                let id = source.unique_id.clone();
                manifest.disabled.entry(id).or_default().push(Disabled::Source(Box::new(source)));
                continue;
            }
            if let Some(first) = manifest.sources.get(&source.unique_id) {
                let name = source.search_name();
                let (first, second) = (&first.original_file_path, &source.original_file_path);
                errors.push(duplicate(ResourceType::Source, &name, first, second));
                continue;
            }
            manifest.sources.insert(source.unique_id.clone(), source);
        }
    }
    parser.warn_unused_patches(&patches);
    match Error::many(errors) {
        Some(error) => Err(error),
        None => add_test_nodes(manifest, tests),
    }
}

fn add_test_nodes(manifest: &mut Manifest, tests: Vec<Parsed>) -> Result<()> {
    let mut errors = Vec::new();
    for test in tests {
        match test.into_disabled() {
            Ok(disabled) => {
                let Disabled::Node(node) = &disabled else { continue };
                manifest.disabled.entry(node.unique_id.clone()).or_default().push(disabled);
            }
            Err(node) => {
                if let Some(first) = manifest.nodes.get(&node.unique_id) {
                    let (first, second) = (&first.original_file_path, &node.original_file_path);
                    errors.push(duplicate(ResourceType::Test, &node.name, first, second));
                    continue;
                }
                manifest.nodes.insert(node.unique_id.clone(), *node);
            }
        }
    }
    Error::many(errors).map_or(Ok(()), Err)
}

/// Tests of models, seeds and snapshots.
fn add_tests(parser: &Parser, manifest: &mut Manifest, properties: &PropertyIndex) -> Result<()> {
    let tested = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot];
    let entries: Vec<&Arc<Properties>> =
        properties.all.iter().filter(|entry| tested.contains(&entry.kind)).collect();
    let known: &Manifest = manifest;
    let parsed = collect(entries.par_iter().map(|entry| tests_of(parser, known, entry)).collect())?;
    add_test_nodes(manifest, parsed.into_iter().flatten().collect())
}

/// The tests in the entry of a model, seed or snapshot; of each version, if it has any.
fn tests_of(parser: &Parser, manifest: &Manifest, entry: &Properties) -> Result<Vec<Parsed>> {
    let versions = versions::versions(entry);
    if versions.is_empty() {
        return tests_of_version(parser, manifest, entry, None);
    }
    let mut tests = Vec::new();
    for version in versions {
        tests.extend(tests_of_version(parser, manifest, entry, Some(version))?);
    }
    Ok(tests)
}

fn tests_of_version(
    parser: &Parser,
    manifest: &Manifest,
    entry: &Properties,
    version: Option<&Yaml>,
) -> Result<Vec<Parsed>> {
    let number = version.and_then(|version| version.get("v")).map(Yaml::to_json);
    let id = match &number {
        Some(number) => {
            format!("model.{}.{}.{}", entry.package, entry.name, crate::manifest::version_suffix(number))
        }
        None => format!("{}.{}.{}", entry.kind, entry.package, entry.name),
    };
    let reference = match &number {
        Some(number) => {
            let text = number.as_str().map_or_else(|| number.to_string(), str::to_owned);
            format!("ref('{}', version='{text}')", entry.name)
        }
        None => format!("ref('{}')", entry.name),
    };
    let section = match entry.kind {
        ResourceType::Model => "models",
        ResourceType::Seed => "seeds",
        _ => "snapshots",
    };
    let target = TestTarget {
        name: &entry.name,
        reference,
        kind: TargetKind::Ref { version: number.as_ref() },
        package: &entry.package,
        file: &entry.file,
        path: &entry.path,
        file_key_name: format!("{section}.{}", entry.name),
        attached_node: attached_node(manifest, entry, id),
    };
    let tests = |yaml: &Yaml| yaml.get("data_tests").or_else(|| yaml.get("tests")).cloned();
    let mut parsed = Vec::new();
    for (column, tags) in version_columns(entry, version) {
        let Some(name) = column.get("name").map(Yaml::key_text) else { continue };
        let quoted = column.get("quote").and_then(Yaml::as_bool).unwrap_or(false);
        let name = if quoted { crate::sql::quote_identifier(&name) } else { name };
        parsed.extend(parser.parse_tests(&target, tests(column).as_ref(), Some(&name), &tags)?);
    }
    let own = version.and_then(tests).or_else(|| tests(&entry.yaml));
    parsed.extend(parser.parse_tests(&target, own.as_ref(), None, &[])?);
    Ok(parsed)
}

/// The node that a test is attached to: the one that `ref` finds in the package, else one that is switched off.
fn attached_node(manifest: &Manifest, entry: &Properties, id: String) -> Option<Id> {
    let of_kind = |kind: ResourceType| format!("{kind}.{}.{}", entry.package, entry.name);
    let other = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot].map(of_kind);
    let found = std::iter::once(&id).chain(&other).find(|id| manifest.nodes.contains_key(id.as_str()));
    let found = found.cloned().or_else(|| manifest.disabled.contains_key(id.as_str()).then_some(id));
    found.map(|id| id.as_str().into())
}

/// The columns whose tests apply to a version, with the tags that their tests get.
fn version_columns<'a>(
    entry: &'a Properties,
    version: Option<&'a Yaml>,
) -> Vec<(&'a Yaml, Vec<serde_json::Value>)> {
    let list = |yaml: &'a Yaml| yaml.get("columns").and_then(Yaml::as_seq).unwrap_or_default();
    let base = list(&entry.yaml).iter();
    let own = version.map(list).unwrap_or_default();
    let rule = own.iter().find(|item| item.get("include").is_some());
    let overridden =
        |name: &str| own.iter().any(|item| item.get("name").and_then(Yaml::as_str) == Some(name));
    let chosen = base.filter(|column| {
        let name = column.get("name").map(Yaml::key_text).unwrap_or_default();
        !overridden(&name) && rule.is_none_or(|rule| versions::selects(rule, &name))
    });
    let all = chosen.chain(own.iter().filter(|item| item.get("include").is_none()));
    all.map(|column| {
        let tags = [column.get("tags"), column.get("config").and_then(|config| config.get("tags"))];
        (column, tags.into_iter().flatten().map(Yaml::to_json).collect())
    })
    .collect()
}

fn add_yaml_resources(
    parser: &Parser,
    manifest: &mut Manifest,
    all: &[(&Project, Vec<SourceFile>)],
    properties: &PropertyIndex,
) -> Result<()> {
    let mut errors = Vec::new();
    let mut fixtures = FixtureFiles::default();
    for (project, file) in of_kind(all, FileKind::Fixture) {
        let (path, name) = (file.original_file_path(), file.stem().to_owned());
        let is_sql = file.extension() == ".sql";
        let fixture = FixtureFile { is_sql, path: path.clone(), text: file.contents.clone() };
        if let Some(first) = fixtures.insert((project.name.clone(), name.clone()), fixture) {
            errors.push(duplicate_of("fixture", &name, &first.path, &path));
        }
    }
    for entry in &properties.all {
        if let Err(error) = add_yaml_resource(parser, manifest, entry, &fixtures) {
            errors.push(error);
        }
    }
    Error::many(errors).map_or(Ok(()), Err)
}

fn add_yaml_resource(
    parser: &Parser,
    manifest: &mut Manifest,
    entry: &Properties,
    fixtures: &FixtureFiles,
) -> Result<()> {
    let twice = |first: &str| Err(duplicate(entry.kind, &entry.name, first, &entry.file));
    let enabled = |config: &crate::project::config::Config| config.get_bool("enabled") != Some(false);
    match entry.kind {
        ResourceType::Exposure => {
            let exposure = parser.parse_exposure(entry)?;
            let id = exposure.unique_id.clone();
            if !enabled(&exposure.config) {
                manifest.disabled.entry(id).or_default().push(Disabled::Exposure(Box::new(exposure)));
            } else if let Some(first) = manifest.exposures.insert(id, exposure) {
                return twice(&first.original_file_path);
            }
        }
        ResourceType::Group => {
            let group = parser.parse_group(entry)?;
            if let Some(first) = manifest.groups.insert(group.unique_id.clone(), group) {
                return twice(&first.original_file_path);
            }
        }
        ResourceType::UnitTest => {
            let test = parser.parse_unit_test(entry, fixtures)?;
            let id = test.unique_id.clone();
            if !enabled(&test.config) {
                manifest.disabled.entry(id).or_default().push(Disabled::UnitTest(Box::new(test)));
            } else if let Some(first) = manifest.unit_tests.insert(id, test) {
                return twice(&first.original_file_path);
            }
        }
        ResourceType::Metric | ResourceType::SemanticModel | ResourceType::SavedQuery => {
            for resource in parser.parse_semantic(entry)? {
                let map = match resource.resource_type {
                    ResourceType::Metric => &mut manifest.metrics,
                    ResourceType::SemanticModel => &mut manifest.semantic_models,
                    _ => &mut manifest.saved_queries,
                };
                let id = resource.unique_id.clone();
                if !enabled(&resource.config) {
                    manifest.disabled.entry(id).or_default().push(Disabled::Semantic(Box::new(resource)));
                } else if let Some(first) = map.insert(id, resource) {
                    return Err(duplicate(
                        first.resource_type,
                        &first.name,
                        &first.original_file_path,
                        &entry.file,
                    ));
                }
            }
        }
        _ => return Ok(()),
    }
    entry.mark_used();
    Ok(())
}

/// Warns of entries that describe nothing.
fn warn_unused(parser: &Parser, properties: &PropertyIndex) {
    let described = [
        ResourceType::Model,
        ResourceType::Seed,
        ResourceType::Snapshot,
        ResourceType::Analysis,
        ResourceType::Test,
    ];
    for entry in properties.all.iter().filter(|entry| described.contains(&entry.kind) && entry.is_unused()) {
        let section = match entry.kind {
            ResourceType::Analysis => "analyses".to_owned(),
            ResourceType::Test => "data_tests".to_owned(),
            kind => format!("{kind}s"),
        };
        let message = format!(
            "Did not find matching node for patch with name '{}' in the '{section}' section of file '{}'",
            entry.name, entry.file
        );
        parser.warn(Warning::new("NoNodeForYamlKey", message).at(entry.location()));
    }
}

/// What can be said of nodes only when all is known: primary keys, and the schemas of unit tests.
fn finish(manifest: &mut Manifest) {
    let tests: Vec<&Node> = manifest.nodes.values().filter(|node| node.is_generic_test()).collect();
    let mut unique: HashMap<Id, Vec<(String, bool)>> = HashMap::new();
    for test in &tests {
        let Some(fields) = &test.test else { continue };
        let (Some(column), Some(node)) = (&fields.column_name, &fields.attached_node) else { continue };
        match fields.test_metadata.name.as_str() {
            "unique" => unique.entry(node.clone()).or_default().push((column.clone(), true)),
            "not_null" => unique.entry(node.clone()).or_default().push((column.clone(), false)),
            _ => {}
        }
    }
    let models = manifest.nodes.values().filter(|node| node.model.is_some());
    let key_of = |node: &Node| {
        let tested = unique.get(&node.unique_id).map(Vec::as_slice).unwrap_or_default();
        (node.unique_id.clone(), primary_key(node, tested, &tests))
    };
    let keys: Vec<(Id, Vec<String>)> = models.map(key_of).collect();
    for (id, key) in keys {
        if let Some(model) = manifest.nodes.get_mut(&id).and_then(|node| node.model.as_mut()) {
            model.primary_key = key;
        }
    }
    let groups: HashMap<Id, String> = manifest
        .nodes
        .values()
        .filter_map(|node| Some((node.unique_id.clone(), node.config.get_str("group")?.to_owned())))
        .collect();
    for test in manifest.nodes.values_mut().filter_map(|node| node.test.as_mut()) {
        test.attached_group = test.attached_node.as_ref().and_then(|id| groups.get(id)).cloned();
    }
    let schemas: HashMap<Id, String> =
        manifest.nodes.iter().map(|(id, node)| (id.clone(), node.schema.clone())).collect();
    for test in manifest.unit_tests.values_mut() {
        test.schema = test.depends_on.nodes.first().and_then(|id| schemas.get(id)).cloned();
    }
}

/// dbt's guess at the primary key: a constraint, else columns that are tested to be unique and not null, else
/// unique ones, else a combination that dbt_utils tests.
fn primary_key(node: &Node, tested: &[(String, bool)], tests: &[&Node]) -> Vec<String> {
    let Some(model) = &node.model else { return Vec::new() };
    let is_key = |constraint: &&serde_json::Value| constraint["type"] == "primary_key";
    if let Some(constraint) = model.constraints.iter().find(is_key) {
        let columns = constraint["columns"].as_array().into_iter().flatten();
        return columns.filter_map(|column| column.as_str().map(str::to_owned)).collect();
    }
    if let Some(column) = node.columns.values().find(|column| column.constraints.iter().any(|c| is_key(&c))) {
        return vec![column.name.clone()];
    }
    let names =
        |wanted: bool| tested.iter().filter(move |(_, unique)| *unique == wanted).map(|(name, _)| name);
    let unique: Vec<String> = names(true).cloned().collect();
    let both: Vec<String> =
        unique.iter().filter(|name| names(false).any(|other| other == *name)).cloned().collect();
    let mut found = if both.is_empty() { unique } else { both };
    if found.is_empty() {
        found = tests
            .iter()
            .filter_map(|test| test.test.as_ref())
            .filter(|fields| fields.attached_node.as_ref() == Some(&node.unique_id))
            .filter(|fields| fields.test_metadata.name == "unique_combination_of_columns")
            .filter_map(|fields| fields.test_metadata.kwargs.get("combination_of_columns")?.as_array())
            .flat_map(|columns| columns.iter().filter_map(|column| column.as_str().map(str::to_owned)))
            .collect();
    }
    found.sort();
    found.dedup();
    found
}
