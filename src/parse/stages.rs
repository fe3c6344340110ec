//! The order of parsing: macros, documentation, properties, nodes, tests, and at last who depends on whom.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, Utc};

use super::described;
use super::macros::{self, MacroFile};
use super::patch::DocBlocks;
use super::properties::{self, PropertyIndex};
use super::sql_nodes::{self, Parsed, Unparsed};
use super::versions::VersionFiles;
use super::yaml_resources::{FixtureFile, FixtureFiles, duplicate_of};
use super::{ParsedProject, Parser, assemble, docs, finish, macro_properties, model_tests, unit_tests};
use crate::error::{Error, Location, Result};
use crate::events::Events;
use crate::flags::Flags;
use crate::jinja::Engine;
use crate::jinja::context::{
    DispatchOrder, Macros, Observed, ProjectInfo, QueryComments, Shared, Target, lock,
};
use crate::manifest::{Lookup, Manifest, ResourceType};
use crate::project::files::{FileKind, SourceFile};
use crate::project::project_file::Project;
use crate::project::workspace::Workspace;
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
/// All errors of a stage together, each with its line; later stages need the earlier ones.
pub fn parse(workspace: &Workspace, files: ProjectFiles, invocation: Invocation) -> Result<ParsedProject> {
    let all: Vec<(&Project, Vec<SourceFile>)> = workspace.projects.iter().zip(files).collect();
    parse_all(workspace, &all, invocation).map_err(|error| {
        // Messages name files by their paths within projects, which may not tell them apart.
        let mut by_path: HashMap<String, Vec<&SourceFile>> = HashMap::new();
        for file in all.iter().flat_map(|(_, files)| files) {
            by_path.entry(file.original_file_path()).or_default().push(file);
        }
        error.excerpts(&|location| {
            let [file] = by_path.get(location.path.to_str()?)?.as_slice() else { return None };
            file.contents.lines().nth(location.line.checked_sub(file.first_line)?).map(str::to_owned)
        })
    })
}

fn parse_all(
    workspace: &Workspace,
    all: &[(&Project, Vec<SourceFile>)],
    invocation: Invocation,
) -> Result<ParsedProject> {
    let now = invocation.started_at.timestamp_micros() as f64 / 1e6;
    let root = &workspace.root().name;
    let dispatch = dispatch_order(workspace);
    let validates = invocation.flags.behavior.validate_macro_args;
    let schemas = of_kind(all, FileKind::Schema);
    let loaded = macros::load(&dispatch, &macro_files(root, all), validates, now);
    let documented = docs::documentation(&of_kind(all, FileKind::Documentation));
    let ((macros, macro_entries), docs) = match (loaded, documented) {
        (Ok(loaded), Ok(docs)) => (loaded, docs),
        (loaded, documented) => {
            // Property files cannot be rendered without macros, but what is no YAML is known already.
            let errors = [loaded.err(), documented.err()].into_iter().flatten();
            let all = errors.chain(properties::syntax_errors(&schemas)).collect();
            return Err(Error::many(all).unwrap_or_else(|| Error::parsing("the project cannot be read")));
        }
    };
    let shared = Arc::new(share(workspace, invocation, macros, dispatch));
    let blocks = docs
        .values()
        .map(|doc| ((doc.package_name.to_string(), doc.name.clone()), doc.block_contents.clone()));
    let parser = Parser::new(shared.clone(), workspace, blocks.collect::<DocBlocks>(), now);
    let properties = properties::read(&parser, &schemas)?;
    let mut manifest = Manifest { docs, ..Manifest::default() };
    macro_properties::add(&parser, &mut manifest, macro_entries, &properties)?;
    assemble::add_nodes(&parser, &mut manifest, parse_nodes(&parser, all, &properties)?)?;
    assemble::check_disabled(&manifest, &properties)?;
    check_snapshots(&manifest)?;
    assemble::add_sources(&parser, &mut manifest, &properties)?;
    model_tests::add(&parser, &mut manifest, &properties)?;
    assemble::add_yaml_resources(&parser, &mut manifest, &fixtures(all)?, &properties)?;
    parser.warn_of_unused_entries(&properties);
    unit_tests::settle(&parser, &mut manifest)?;
    let lookup = Lookup::new(&manifest);
    parser.resolve_dependencies(&mut manifest, &lookup)?;
    parser.check_manifest(&manifest)?;
    parser.check_semantic_layer(&manifest)?;
    parser.check_microbatch(&manifest)?;
    unit_tests::check(&manifest)?;
    finish::finish(&mut manifest);
    parser.fail_on_warnings()?;
    Ok(ParsedProject { manifest: Arc::new(manifest), lookup: Arc::new(lookup), shared })
}

/// A file with its project.
pub type ProjectFile<'a> = (&'a Project, &'a SourceFile);

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

/// The rows of unit tests that are files of their own, by package and name.
fn fixtures(all: &[(&Project, Vec<SourceFile>)]) -> Result<FixtureFiles> {
    let mut fixtures = FixtureFiles::default();
    let mut errors = Vec::new();
    for (project, file) in of_kind(all, FileKind::Fixture) {
        let path = file.original_file_path();
        let fixture = FixtureFile {
            is_sql: file.extension() == ".sql",
            text: file.contents.clone(),
            path: path.clone(),
        };
        if let Some(first) = fixtures.insert((project.name.clone(), file.stem().to_owned()), fixture) {
            errors.push(duplicate_of("fixture", file.stem(), &first.path, &path));
        }
    }
    Error::many(errors).map_or(Ok(fixtures), Err)
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
pub fn collect<T>(results: Vec<Result<T>>) -> Result<Vec<T>> {
    let (mut done, mut errors) = (Vec::with_capacity(results.len()), Vec::new());
    for result in results {
        match result {
            Ok(item) => done.push(item),
            Err(error) => errors.push(error),
        }
    }
    Error::many(errors).map_or(Ok(done), Err)
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
