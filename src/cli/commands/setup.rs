//! From the command line to a parsed project: what every command begins with.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use chrono::Utc;
use indexmap::IndexMap;
use serde_json::json;

use crate::artifacts::{write_graph_summary, write_manifest, write_run_results, write_semantic_manifest};
use crate::cache::{self, Saving};
use crate::error::{Location, Result};
use crate::events::{Event, Events, Level, Note, Warning, stat_line};
use crate::extract;
use crate::flags::{Command, DBT_VERSION, Flags};
use crate::graph::{Dag, manifest_selectors};
use crate::interrupt;
use crate::jinja::context::{
    Context, DispatchOrder, Macros, Names, Observed, QueryComments, Role, Shared, Target, md5_hex,
    reveal_secrets,
};
use crate::jinja::{self, Engine, Origin, python_repr};
use crate::manifest::{Compiled, Id, Manifest, ResourceType};
use crate::parse::{Invocation, ParsedProject};
use crate::project;
use crate::project::packages::{self, PackageList};
use crate::project::profile::{self, Profile, ProfileOptions};
use crate::project::project_file::{Project, QueryComment, RawProject};
use crate::project::render::Render;
use crate::project::vars::Vars;
use crate::project::workspace::{Renderers, Workspace};
use crate::project::yaml::{Mapping, Yaml, YamlValue};
use crate::run::NodeRun;
use crate::sql::Policy;
use crate::warehouse::{Credentials, Lazy, Session, Warehouse};

/// A project that is ready for work.
pub struct Loaded {
    pub workspace: Workspace,
    pub credentials: Credentials,
    /// It stays until the process ends: taking apart what many nodes consist of would take as long as making them.
    pub parsed: ManuallyDrop<ParsedProject>,
    /// The folder of artifacts.
    pub target: PathBuf,
    /// The same, as artifacts name it.
    pub shown_target: String,
    /// The name of what was parsed, if other invocations may take it over.
    project: Option<String>,
    /// Ends with the command.
    _saving: Saving,
}

/// A project whose files are read, and its profile.
pub struct Opened {
    pub workspace: Workspace,
    pub credentials: Credentials,
    shared: Arc<Shared>,
}

/// Loads and parses the project of an invocation.
pub fn load(flags: &Flags, events: &Events) -> Result<Loaded> {
    let opened = open(flags, events)?;
    let shown_target = opened.shown_target(flags);
    let Opened { workspace, credentials, shared } = opened;
    events.emit(Event::AdapterRegistered {
        name: "duckdb".to_owned(),
        version: crate::cli::RBT_VERSION.to_owned(),
    });
    warn_all(events, &workspace.warnings)?;
    let target = flags.project_dir.join(&shown_target);
    let invocation = Invocation {
        flags: shared.flags.clone(),
        events: events.clone(),
        target: shared.target.clone(),
        invocation_id: shared.invocation_id.clone(),
        started_at: shared.run_started_at,
        observed: shared.observed.clone(),
    };
    tell_variables(&shared, events);
    let cached = cache::parse(&workspace, invocation, &target)?;
    let parsed = ManuallyDrop::new(cached.parsed);
    interrupt::check()?;
    // What a template of a comment has wrong concerns every command.
    parsed.shared.query_comment("master", None)?;
    extract::refuse_secrets(&parsed.manifest)?;
    events.emit(Event::Found { stats: found(&parsed.manifest) });
    let loaded = Loaded {
        workspace,
        credentials,
        parsed,
        target,
        shown_target,
        project: cached.id,
        _saving: cached.saving,
    };
    if flags.which != Command::DocsGenerate || flags.compile {
        loaded.write_manifest(&loaded.parsed.manifest, &HashMap::new(), !compiles(flags))?;
    }
    Ok(loaded)
}

/// Tells the log what parsing depends on beside the files.
fn tell_variables(shared: &Shared, events: &Events) {
    let args = shared.flags.args();
    let vars = args.get("vars").cloned().unwrap_or_else(|| json!({}));
    let vars = python_repr(&jinja::from_json(&vars));
    let (profile, target) = (&shared.target.profile_name, &shared.target.name);
    let checksum = md5_hex(vars.as_bytes());
    let message = format!(
        "checksum: {checksum}, vars: {vars}, profile: {profile}, target: {target}, version: {DBT_VERSION}"
    );
    let fields = [
        ("checksum", checksum.as_str()),
        ("vars", &vars),
        ("profile", profile),
        ("target", target),
        ("version", DBT_VERSION),
    ];
    let data = fields.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    let (name, code) = ("StateCheckVarsHash", "I025");
    events.emit(Event::Note(Note { name, code, level: Level::Debug, message, data }));
}

/// Tells what should be changed in the files of a project.
///
/// # Errors
/// If a warning is to be an error.
pub fn warn_all(events: &Events, warnings: &[project::Warning]) -> Result<()> {
    for warning in warnings {
        let mut told = Warning::new(warning.code, warning.message.clone());
        told.location.clone_from(&warning.location);
        events.warn(told)?;
    }
    Ok(())
}

/// Whether the command compiles nodes of the project, and then writes the manifest again.
fn compiles(flags: &Flags) -> bool {
    match flags.which {
        Command::Build
        | Command::Clone
        | Command::Run
        | Command::Seed
        | Command::Snapshot
        | Command::Test
        | Command::DocsGenerate => true,
        Command::Compile => flags.inline.is_none(),
        _ => false,
    }
}

impl Loaded {
    /// Writes `run_results.json`; `elapsed` is in seconds.
    pub fn write_run_results(&self, runs: &[NodeRun], elapsed: f64) -> Result<()> {
        let shared = &self.parsed.shared;
        if !shared.flags.write_json {
            return Ok(());
        }
        let path = self.target.join("run_results.json");
        write_run_results(&path, runs, elapsed, shared)?;
        self.tell_written("RunExecutionResult", &path);
        Ok(())
    }

    /// Opens the warehouse; says so where it has to wait for another process.
    pub fn open_warehouse(&self) -> Result<Box<dyn Warehouse>> {
        open_telling(&self.credentials, &self.parsed.shared.events)
    }

    /// A warehouse that is opened when something is asked of it.
    pub fn lazy_warehouse(&self) -> Box<dyn Warehouse> {
        let (credentials, events) = (self.credentials.clone(), self.parsed.shared.events.clone());
        Box::new(Lazy::new(move || open_telling(&credentials, &events)))
    }

    /// A session of its own on an opened warehouse, for one that is called so in the comments of its statements.
    pub fn session(&self, warehouse: &dyn Warehouse, name: &str) -> Result<Session> {
        let shared = &self.parsed.shared;
        let session = Session::new(warehouse.connect()?, Arc::default(), shared.target.disable_transactions);
        session.comment(shared.query_comment(name, None)?);
        Ok(session)
    }

    /// Writes `manifest.json`, with what was compiled; `last`: whether the command writes it no more.
    pub fn write_manifest(
        &self,
        manifest: &Manifest,
        compiled: &HashMap<Id, Compiled>,
        last: bool,
    ) -> Result<()> {
        let shared = &self.parsed.shared;
        if !shared.flags.write_json {
            return Ok(());
        }
        let path = self.target.join("manifest.json");
        // What a command changes in the manifest is not what was parsed.
        let is_parsed = std::ptr::eq(manifest, &*self.parsed.manifest);
        let project = self.project.as_deref().filter(|_| is_parsed);
        let selectors = self.workspace.selectors.as_ref().map(|file| manifest_selectors(&file.to_json()));
        let selectors = selectors.transpose()?.unwrap_or_default();
        write_manifest(&path, manifest, shared, &selectors, compiled, project, last)?;
        self.tell_written("WritableManifest", &path);
        let path = self.target.join("semantic_manifest.json");
        write_semantic_manifest(&path, manifest)?;
        self.tell_written("SemanticManifest", &path);
        Ok(())
    }

    /// Tells that an artifact is written; `kind` is dbt's word for it.
    pub fn tell_written(&self, kind: &'static str, path: &Path) {
        let path = path.display().to_string();
        self.parsed.shared.events.emit(Event::ArtifactWritten { kind, path });
    }

    /// Links the resources of the project, and writes `graph_summary.json`.
    pub fn link(&self) -> Result<Dag> {
        let dag = Dag::new(&self.parsed.manifest)?;
        self.write_graph_summary(&dag, None)?;
        Ok(dag)
    }

    /// The order in which `build` runs the nodes of the graph, which is added to `graph_summary.json`.
    pub fn build_order(&self, dag: &Dag) -> Result<Dag> {
        let ordered = dag.build_order(&self.parsed.manifest);
        self.write_graph_summary(dag, Some(&ordered))?;
        Ok(ordered)
    }

    fn write_graph_summary(&self, dag: &Dag, ordered: Option<&Dag>) -> Result<()> {
        let path = self.target.join("graph_summary.json");
        let project = self.project.as_deref();
        write_graph_summary(&path, dag, ordered, &self.parsed.shared.invocation_id, project)
    }
}

fn open_telling(credentials: &Credentials, events: &Events) -> Result<Box<dyn Warehouse>> {
    credentials.open_telling(&|error| {
        events.emit(Event::note(Level::Warn, format!("Waiting: {}", error.message())));
    })
}

impl Opened {
    /// Where artifacts go: as the command line says, or the project file, or `target`.
    pub fn shown_target(&self, flags: &Flags) -> String {
        match &flags.target_path {
            Some(path) => path.to_string_lossy().into_owned(),
            None => self.workspace.root().target_path.clone().unwrap_or_else(|| "target".to_owned()),
        }
    }
}

/// Reads the project's files and its profile.
pub fn open(flags: &Flags, events: &Events) -> Result<Opened> {
    let raw = RawProject::read(&flags.project_dir)?;
    let cli_vars = cli_vars(flags);
    let base = Base { flags, events, cli_vars: &cli_vars, observed: Arc::default() };
    let profile = load_profile(&base, &raw)?;
    let credentials = Credentials::from_target(&profile.credentials)
        .map_err(|error| error.at(Location::file(&profile.file)))?;
    let mut target = target_of(&profile, &credentials);
    if flags.single_threaded {
        target.threads = 1;
    }
    let mut flags = flags.clone();
    flags.profiles_dir = folder_of(&profile.file);
    let flags = Arc::new(flags);
    let with_vars = base.shared(flags.clone(), target.clone(), cli_vars.clone());
    let without_vars = base.shared(flags.clone(), target, Mapping::default());
    let root = |text: &str, place: &Location| render(&with_vars, Role::Yaml, text, place);
    let package = |text: &str, place: &Location| render(&without_vars, Role::Yaml, text, place);
    let secrets = |text: &str, place: &Location| render(&with_vars, Role::Secrets, text, place);
    let renderers = Renderers { root: &root, package: &package, secrets: &secrets };
    let workspace = Workspace::load(&raw, profile, cli_vars.clone(), flags.version_check, renderers)?;
    Ok(Opened { workspace, credentials, shared: with_vars })
}

/// Does something with a project file, its list of packages and the rendering of such lists, for which no profile
/// is needed.
pub fn without_profile<T>(
    flags: &Flags,
    events: &Events,
    work: impl FnOnce(&Project, &PackageList, Render) -> Result<T>,
) -> Result<T> {
    let raw = RawProject::read(&flags.project_dir)?;
    let cli_vars = cli_vars(flags);
    let base = Base { flags, events, cli_vars: &cli_vars, observed: Arc::default() };
    let shared = base.shared(Arc::new(flags.clone()), Target::default(), cli_vars.clone());
    let plain = |text: &str, place: &Location| render(&shared, Role::Yaml, text, place);
    let secrets = |text: &str, place: &Location| render(&shared, Role::Secrets, text, place);
    let (project, warnings) = raw.render(&plain, flags.version_check)?;
    warn_all(events, &raw.duplicate_warnings())?;
    warn_all(events, &warnings)?;
    let list = packages::read_list(&flags.project_dir, &secrets)?;
    work(&project, &list, &secrets)
}

/// The folder of a file, absolute.
fn folder_of(file: &Path) -> PathBuf {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn cli_vars(flags: &Flags) -> Mapping {
    match Yaml::from_json(&serde_json::Value::Object(flags.vars.clone())).value {
        YamlValue::Map(map) => map,
        _ => Mapping::default(),
    }
}

/// What is known before the profile is.
struct Base<'a> {
    flags: &'a Flags,
    events: &'a Events,
    cli_vars: &'a Mapping,
    observed: Arc<Observed>,
}

impl Base<'_> {
    fn shared(&self, flags: Arc<Flags>, target: Target, cli_vars: Mapping) -> Arc<Shared> {
        Arc::new(Shared {
            engine: Arc::new(Engine::new()),
            macros: Macros::default(),
            project_name: "".into(),
            projects: Vec::new(),
            dispatch: DispatchOrder::default(),
            vars: Vars::new(cli_vars, "", HashMap::new()),
            flags,
            events: self.events.clone(),
            target,
            quoting: Policy::ALL,
            query_comments: QueryComments::new(&QueryComment::default()),
            invocation_id: self.flags.invocation_id.clone(),
            run_started_at: Utc::now(),
            told: Mutex::default(),
            observed: self.observed.clone(),
            flags_value: OnceLock::new(),
        })
    }
}

fn load_profile(base: &Base, raw: &RawProject) -> Result<Profile> {
    let given = |name: &str| base.flags.is_given(name);
    let options = ProfileOptions {
        profiles_dir: given("profiles_dir").then(|| base.flags.profiles_dir.clone()),
        profile: base.flags.profile.clone(),
        target: base.flags.target.clone(),
        threads: base.flags.threads,
    };
    // Templates in profiles.yml may ask where that file is.
    let secrets = |text: &str, place: &Location| {
        let mut flags = base.flags.clone();
        flags.profiles_dir = folder_of(&place.path);
        let shared = base.shared(Arc::new(flags), Target::default(), base.cli_vars.clone());
        render(&shared, Role::Secrets, text, place)
    };
    profile::load(&options, raw.profile(), raw.file(), &secrets)
}

fn render(shared: &Arc<Shared>, role: Role, text: &str, place: &Location) -> Result<Yaml> {
    let context = Context::build(shared, "", role, Names::default());
    let origin = Origin::at(place.path.as_path(), place.line.max(1), place.column.max(1));
    let secret = matches!(context.role, Role::Secrets);
    let value = jinja::to_json(&context.render_native(text, &origin)?)?;
    Ok(match value.as_str().filter(|_| secret) {
        Some(text) => Yaml::from(reveal_secrets(text).as_str()),
        None => Yaml::from_json(&value),
    })
}

fn target_of(profile: &Profile, credentials: &Credentials) -> Target {
    Target {
        profile_name: profile.name.clone(),
        name: profile.target_name.clone(),
        database: credentials.database.clone(),
        schema: credentials.schema.clone(),
        threads: profile.threads,
        fields: credentials.connection_info.clone(),
        external_root: credentials.external_root.clone(),
        disable_transactions: credentials.disable_transactions,
        is_motherduck: credentials.is_motherduck,
        ducklakes: credentials.ducklake_databases.iter().cloned().collect(),
    }
}

/// `3 models, 1 seed, 5 data tests, 400 macros`: nodes in the order in which the manifest has them, as dbt counts.
fn found(manifest: &Manifest) -> String {
    let mut counts: IndexMap<&str, usize> = IndexMap::new();
    for node in manifest.nodes.values().filter(|node| node.is_enabled()) {
        let word = match node.resource_type {
            ResourceType::Test => "data_test",
            kind => kind.as_str(),
        };
        *counts.entry(word).or_default() += 1;
    }
    let others = [
        ("source", manifest.sources.len()),
        ("exposure", manifest.exposures.len()),
        ("metric", manifest.metrics.len()),
        ("macro", manifest.macros.len()),
        ("group", manifest.groups.len()),
        ("semantic_model", manifest.semantic_models.len()),
        ("saved_query", manifest.saved_queries.len()),
        ("unit_test", manifest.unit_tests.len()),
        ("function", manifest.functions.len()),
    ];
    stat_line(counts.into_iter().chain(others).map(|(word, count)| (word.to_owned(), count)))
}
