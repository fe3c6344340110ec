//! dbt's context: what the names in a template mean (<https://docs.getdbt.com/reference/dbt-jinja-functions>).
//!
//! A [`Context`] is made for one rendering: of a model while it is parsed, of a hook, of a test while it runs.
//! [`Shared`] is what all renderings of an invocation have in common. A [`Role`] decides what the context may
//! do: record `ref` and `config` calls, answer from the manifest, or run statements.

mod adapter;
mod args;
mod builtins;
mod column;
mod config;
mod deferral;
mod exceptions;
mod metrics;
mod namespace;
mod nodes;
mod query_comment;
mod record;
mod relation;
mod runtime_config;
mod statements;
mod table;
pub mod value;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use chrono::{DateTime, Utc};
use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};
use crate::events::{Events, Warning};
use crate::flags::Flags;
use crate::jinja::language::methods::is_mapping_method;
use crate::jinja::values::is_lenient;
use crate::jinja::{self, Engine, MacroTemplate, Origin, Scope};
use crate::manifest::{Id, Lookup, Manifest, Node, RefArgs};
use crate::project::config::Config;
use crate::project::vars::Vars;
use crate::sql::{EventTimeFilter, Policy, Relation};
use crate::text::nearest;
use crate::warehouse::Session;
use value as values;

pub use args::Args;
pub use builtins::{md5_hex, metadata_env_vars, reveal_secrets};
pub use column::ColumnObject;
pub use deferral::Deferral;
use namespace::GLOBAL_PROJECT;
pub use namespace::{DispatchOrder, INTERNAL_PACKAGES, Macros};
pub use nodes::{NodeObject, missing_dependency, node_relation, source_relation};
pub use query_comment::QueryComments;
pub use record::record;
pub use relation::RelationObject;
pub use runtime_config::ProjectInfo;
pub use statements::StatementResult;
pub use table::{TableObject, aligned, text_table};

/// What all renderings of one invocation share.
pub struct Shared {
    pub engine: Arc<Engine>,
    pub macros: Macros,
    pub project_name: Arc<str>,
    /// The root project first, then the packages.
    pub projects: Vec<ProjectInfo>,
    pub dispatch: DispatchOrder,
    pub vars: Vars,
    pub flags: Arc<Flags>,
    pub events: Events,
    pub target: Target,
    /// The project's quoting of relations.
    pub quoting: Policy,
    pub query_comments: QueryComments,
    pub invocation_id: String,
    pub run_started_at: DateTime<Utc>,
    /// Warnings that are told once.
    pub told: Mutex<HashSet<String>>,
    pub observed: Arc<Observed>,
    /// `flags`, made when the first template looks at it.
    pub flags_value: OnceLock<Value>,
}

impl Shared {
    /// Whether a warning is to be told: each is, the first time.
    pub fn is_first_telling(&self, warning: &str) -> bool {
        lock(&self.told).insert(warning.to_owned())
    }
}

/// What templates asked of the surroundings: what was parsed holds as long as they would be told the same.
#[derive(Debug, Default)]
pub struct Observed {
    /// Names of environment variables.
    variables: Mutex<BTreeSet<String>>,
    /// Whether they looked at the flags of the invocation.
    invocation: AtomicBool,
}

impl Observed {
    /// Notes that a template asks for an environment variable.
    fn note_variable(&self, name: &str) {
        let mut variables = lock(&self.variables);
        if !variables.contains(name) {
            variables.insert(name.to_owned());
        }
    }

    /// Notes that a template looks at the invocation.
    fn note_invocation(&self) {
        self.invocation.store(true, Ordering::Relaxed);
    }

    /// The environment variables that were asked for.
    pub fn variables(&self) -> Vec<String> {
        lock(&self.variables).iter().cloned().collect()
    }

    /// Whether templates looked at the invocation.
    pub fn invocation(&self) -> bool {
        self.invocation.load(Ordering::Relaxed)
    }
}

/// The target of the profile as templates see it.
#[derive(Debug, Clone, Default)]
pub struct Target {
    pub profile_name: String,
    pub name: String,
    pub database: String,
    pub schema: String,
    pub threads: usize,
    /// The connection's fields that are no secret.
    pub fields: Map<String, Json>,
    /// Where external materializations write.
    pub external_root: String,
    pub disable_transactions: bool,
    pub is_motherduck: bool,
    /// Attached databases that are DuckLakes.
    pub ducklakes: Vec<String>,
}

/// What a context may do.
pub enum Role {
    /// YAML values: variables and the environment, no macros.
    Yaml,
    /// Profiles and lists of packages: like YAML, with secrets.
    Secrets,
    /// A node is parsed: calls of `ref`, `source`, `config` … are recorded.
    Parsing(Mutex<Capture>),
    /// Names are generated: macros run, nothing is recorded, nothing is executed.
    Naming,
    /// Statements run.
    Running(Box<Running>),
}

/// What was called while a node was parsed.
#[derive(Debug, Default)]
pub struct Capture {
    pub refs: Vec<RefArgs>,
    pub sources: Vec<Vec<String>>,
    pub metrics: Vec<Vec<String>>,
    pub functions: Vec<Vec<String>>,
    /// The keys of all `config()` calls in order; later ones win, lists and dicts merge later.
    pub config_calls: Map<String, Json>,
    /// Macros called from the node's own text.
    pub macros: Vec<Id>,
    macro_depth: usize,
}

impl Capture {
    /// Whether anything was referred to.
    pub fn refers(&self) -> bool {
        !(self.refs.is_empty()
            && self.sources.is_empty()
            && self.metrics.is_empty()
            && self.functions.is_empty())
    }
}

/// What a unit test sets in place of what the project has.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// By the macro's name, with or without its package.
    pub macros: HashMap<String, Value>,
    pub vars: Map<String, Json>,
    pub env_vars: Map<String, Json>,
}

/// One stretch of time that a microbatch model is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// `20240131`.
    pub id: String,
    /// `2024-01-31`.
    pub label: String,
    /// Inclusive.
    pub start: DateTime<Utc>,
    /// Exclusive.
    pub end: DateTime<Utc>,
}

/// What a running node can reach.
pub struct Running {
    pub manifest: Arc<Manifest>,
    pub lookup: Arc<Lookup>,
    pub session: Arc<Session>,
    /// The folder that takes the statements that were run (`target/run`).
    pub run_dir: PathBuf,
    /// Ids of the resources that this invocation selected.
    pub selected: Arc<Vec<Id>>,
    /// Whether `ref()` may name anything (operations, hooks of the run) or only what was found by parsing.
    pub any_ref: bool,
    /// Rows of which time this run of the node sees (a batch of a microbatch model, `--sample`).
    pub event_time: Option<(Option<String>, Option<String>)>,
    /// The batch that is built, of a microbatch model.
    pub batch: Option<Batch>,
    /// Ephemeral models that were referred to, in order.
    pub ephemerals: Mutex<Vec<Id>>,
    /// Where an earlier run has the nodes.
    pub deferral: Arc<Deferral>,
    /// Relations that stand for inputs: a unit test's fixtures.
    pub replaced: HashMap<Id, Relation>,
    /// What a unit test sets in place of macros, variables and environment variables.
    pub overrides: Overrides,
    /// `graph`, which is one dictionary for the whole run: packages keep what they remember in it.
    pub graph: Arc<OnceLock<Value>>,
}

/// One rendering's names. Made with [`Context::build`].
pub struct Context {
    me: Weak<Context>,
    pub shared: Arc<Shared>,
    pub role: Role,
    /// The package whose macros are searched first.
    pub package: Arc<str>,
    /// The node that is rendered, if there is one.
    pub node: Option<Arc<Node>>,
    values: HashMap<String, Value>,
    results: Mutex<HashMap<String, Option<Value>>>,
    /// Names that templates set with `context.update({...})`.
    updates: Mutex<HashMap<String, Value>>,
}

impl Running {
    /// Writes the statement that a node is about to run below `target/run`.
    fn write_run_file(&self, node: &Node, sql: &str) -> Result<()> {
        let suffix = self.batch.as_ref().map(|batch| batch.label.as_str());
        let path = self.run_dir.join(&*node.package_name).join(node.write_path(suffix));
        crate::compile::write_file(&path, sql)
    }
}

/// The parts of a context that differ from rendering to rendering.
#[derive(Default)]
pub struct Names {
    pub node: Option<Arc<Node>>,
    /// Names with a value of their own: `this`, `sql`, a test's arguments.
    pub values: HashMap<String, Value>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    /// A context for one rendering of something that belongs to `package`.
    pub fn build(shared: &Arc<Shared>, package: &str, role: Role, names: Names) -> Arc<Context> {
        Arc::new_cyclic(|me| Context {
            me: me.clone(),
            shared: shared.clone(),
            role,
            package: package.into(),
            node: names.node,
            values: names.values,
            results: Mutex::default(),
            updates: Mutex::default(),
        })
    }

    /// This context as the scope of a rendering.
    pub fn scope(&self) -> Arc<dyn Scope> {
        self.arc()
    }

    fn arc(&self) -> Arc<Context> {
        // A context only exists inside the Arc that `build` makes, and `&self` proves that it is alive.
        self.me.upgrade().expect("a context lives in its Arc")
    }

    /// Renders a text.
    pub fn render(&self, text: &str, origin: &Origin) -> Result<String> {
        self.shared.engine.render(text, origin, &self.scope())
    }

    /// Renders a YAML value, keeping its type.
    pub fn render_native(&self, text: &str, origin: &Origin) -> Result<Value> {
        self.shared.engine.render_native(text, origin, &self.scope())
    }

    /// Calls a macro by name, as a template of this context would find it.
    pub fn call_macro(&self, name: &str, args: &[Value]) -> Result<Value> {
        let Some(template) = self.shared.macros.find_macro(&self.package, name) else {
            return Err(Error::compilation(format!("'{name}' is undefined"))
                .help("no macro of this name is in the project or its packages"));
        };
        self.call(&template.clone(), args)
    }

    /// Calls a macro.
    pub fn call(&self, template: &Arc<MacroTemplate>, args: &[Value]) -> Result<Value> {
        self.shared.engine.call_macro(template, &self.scope(), args, &[])
    }

    /// Whether statements may run.
    pub fn executes(&self) -> bool {
        matches!(self.role, Role::Running(_))
    }

    fn running(&self) -> Option<&Running> {
        match &self.role {
            Role::Running(running) => Some(running),
            _ => None,
        }
    }

    /// The value that a unit test gives to a macro: a function of any arguments.
    fn overridden(&self, name: &str) -> Option<Value> {
        let value = self.running()?.overrides.macros.get(name)?.clone();
        Some(Value::from_object(builtins::Constant(value)))
    }

    fn capture(&self) -> Option<MutexGuard<'_, Capture>> {
        match &self.role {
            Role::Parsing(capture) => Some(lock(capture)),
            _ => None,
        }
    }

    /// What was recorded while parsing; empties the record.
    pub fn take_capture(&self) -> Capture {
        self.capture().map(|mut capture| std::mem::take(&mut *capture)).unwrap_or_default()
    }

    /// The configuration in force.
    pub fn config(&self) -> Option<&Config> {
        self.node.as_ref().map(|node| &node.config)
    }

    /// What `statement` stored under a name and nobody has loaded yet.
    pub fn result(&self, name: &str) -> Option<StatementResult> {
        lock(&self.results).get(name).cloned().flatten().and_then(|value| StatementResult::from_value(&value))
    }

    /// The ephemeral models that were referred to.
    pub fn ephemerals(&self) -> Vec<Id> {
        self.running().map(|running| lock(&running.ephemerals).clone()).unwrap_or_default()
    }

    /// The node as a dictionary, as in the manifest.
    fn model_value(&self) -> Value {
        let batch = self.running().and_then(|running| running.batch.clone());
        self.node.as_ref().map_or(Value::UNDEFINED, |node| NodeObject::model(node.clone(), batch))
    }

    fn event_time_filter(&self, field: &str) -> Option<EventTimeFilter> {
        let (start, end) = self.running()?.event_time.clone()?;
        Some(EventTimeFilter { field: field.to_owned(), start, end })
    }

    fn variable(&self, name: &str) -> Option<Value> {
        let shared = &self.shared;
        let text = |text: &str| Some(Value::from(text));
        match name {
            "this" if self.node.is_some() || self.values.contains_key(name) => {
                self.values.get(name).cloned().or(Some(Value::from(())))
            }
            "execute" => Some(Value::from(self.executes())),
            "model" | "node" if self.node.is_some() => Some(self.model_value()),
            "project_name" => text(&shared.project_name),
            "dbt_version" => text(crate::flags::DBT_VERSION),
            "invocation_id" => text(&shared.invocation_id),
            "run_started_at" => Some(jinja::datetime_value(shared.run_started_at)),
            "thread_id" => Some(Value::from(std::thread::current().name().unwrap_or("MainThread"))),
            "target" => Some(shared.target.to_value()),
            "env" => Some(shared.target.to_value()),
            "flags" => {
                shared.observed.note_invocation();
                Some(shared.flags_value.get_or_init(|| builtins::flags_value(shared)).clone())
            }
            "invocation_args_dict" => {
                shared.observed.note_invocation();
                Some(values::from_json(&Json::Object(shared.flags.args())))
            }
            "dbt_metadata_envs" => {
                shared.observed.note_invocation();
                Some(builtins::metadata_envs())
            }
            "modules" => Some(self.modules()),
            "config" => Some(Value::from_object(config::ConfigObject(self.arc()))),
            "adapter" => Some(Value::from_object(adapter::AdapterObject(self.arc()))),
            "api" => Some(values::dict([
                ("Relation", Value::from_object(relation::RelationClass { quoting: shared.quoting })),
                ("Column", Value::from_object(column::ColumnClass)),
            ])),
            "column" => Some(Value::from_object(column::ColumnClass)),
            "exceptions" => Some(Value::from_object(exceptions::Exceptions(self.arc()))),
            "validation" => Some(values::dict([("any", Value::from_object(builtins::Anything))])),
            "context" => Some(Value::from_object(ContextObject(self.arc()))),
            "builtins" => Some(self.builtins()),
            "database" => match &self.node {
                Some(node) => text(&node.database),
                None => text(&shared.target.database),
            },
            "schema" => match &self.node {
                Some(node) => text(&node.schema),
                None => text(&shared.target.schema),
            },
            "pre_hooks" | "post_hooks" => Some(self.hooks(name)),
            "sql" | "compiled_code" => {
                let compiled = self.node.as_ref()?.compiled.as_ref()?;
                text(&compiled.compiled_code)
            }
            "graph" => Some(nodes::graph_value(self)),
            "defer_relation" => {
                let id = &self.node.as_ref()?.unique_id;
                let relation = self.running().and_then(|running| running.deferral.relations.get(id).cloned());
                Some(relation.map_or(Value::from(()), Value::from))
            }
            "selected_resources" => {
                let selected = self.running().map(|running| running.selected.clone()).unwrap_or_default();
                Some(values::list(selected.iter().map(|id| Value::from(&**id))))
            }
            _ => None,
        }
    }

    fn modules(&self) -> Value {
        let events = self.shared.events.clone();
        let deprecated: jinja::Deprecated = Arc::new(move || {
            let message =
                "Usage of itertools modules is deprecated. Please use the built-in functions instead.";
            events.warn(Warning::new("ModulesItertoolsUsageDeprecation", message)).map_err(jinja::raise)
        });
        jinja::modules(&deprecated)
    }

    fn hooks(&self, name: &str) -> Value {
        let key = if name == "pre_hooks" { "pre-hook" } else { "post-hook" };
        let hooks = self.config().and_then(|config| config.get(key)).cloned();
        values::from_json(&hooks.unwrap_or(Json::Array(Vec::new())))
    }

    /// dbt's own functions and variables, which stay what they are where macros bear their names.
    fn builtins(&self) -> Value {
        let variables =
            ["adapter", "api", "config", "exceptions", "execute", "flags", "graph", "model", "modules"];
        let rest = ["dbt_version", "invocation_id", "project_name", "run_started_at", "target", "this"];
        let variables =
            variables.into_iter().chain(rest).filter_map(|name| Some((name, self.variable(name)?)));
        let functions =
            builtins::names().filter_map(|name| Some((name, builtins::function(&self.arc(), name)?)));
        values::dict(functions.chain(variables))
    }

    /// The names of macros, variables and functions, to suggest one for a name that is unknown.
    fn known_names(&self) -> Vec<String> {
        let macros = self.shared.macros.names(&self.package).map(str::to_owned);
        let packages = self.shared.macros.package_names().map(str::to_owned);
        macros.chain(packages).chain(builtins::names().map(str::to_owned)).collect()
    }
}

impl Scope for Context {
    fn lookup(&self, name: &str) -> Option<Value> {
        if let Some(value) = lock(&self.updates).get(name) {
            return Some(value.clone());
        }
        if let Some(value) = self.values.get(name).filter(|_| name != "this") {
            return Some(value.clone());
        }
        if !matches!(self.role, Role::Yaml | Role::Secrets) {
            if let Some(value) = self.overridden(name) {
                return Some(value);
            }
            match self.shared.macros.find(&self.package, name) {
                Some(namespace::Named::Macro(template)) => {
                    return Some(self.shared.engine.macro_value(template, &self.scope()));
                }
                Some(namespace::Named::Package(_)) => {
                    return Some(Value::from_object(PackageObject {
                        context: self.arc(),
                        package: name.to_owned(),
                    }));
                }
                None => {}
            }
        }
        builtins::function(&self.arc(), name).or_else(|| self.variable(name))
    }

    fn macro_entered(&self, unique_id: &str) {
        if let Some(mut capture) = self.capture() {
            if capture.macro_depth == 0 && !capture.macros.iter().any(|known| &**known == unique_id) {
                capture.macros.push(unique_id.into());
            }
            capture.macro_depth += 1;
        }
    }

    fn macro_left(&self, _unique_id: &str) {
        if let Some(mut capture) = self.capture() {
            capture.macro_depth = capture.macro_depth.saturating_sub(1);
        }
    }

    fn names(&self) -> Vec<String> {
        self.known_names()
    }

    fn lenient_undefined(&self) -> bool {
        matches!(self.role, Role::Parsing(_))
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<context of package {}>", self.package)
    }
}

impl Target {
    /// The dictionary that templates see as `target`.
    fn to_value(&self) -> Value {
        let mut fields = self.fields.clone();
        for (key, value) in [
            ("profile_name", &self.profile_name),
            ("name", &self.name),
            ("target_name", &self.name),
            ("database", &self.database),
            ("schema", &self.schema),
        ] {
            fields.insert(key.to_owned(), Json::from(value.as_str()));
        }
        fields.insert("type".to_owned(), Json::from("duckdb"));
        fields.insert("threads".to_owned(), Json::from(self.threads));
        values::from_json(&Json::Object(fields))
    }
}

/// `context`: all names as a dictionary.
#[derive(Debug)]
struct ContextObject(Arc<Context>);

impl Object for ContextObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.lookup(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.known_names().into_iter().map(Value::from).collect())
    }

    /// `context.update({...})`: names for the rest of this rendering, in macros too.
    fn call_method(
        self: &Arc<Self>,
        _state: &mut minijinja::State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, minijinja::Error> {
        if method != "update" {
            return Err(minijinja::Error::from(minijinja::ErrorKind::UnknownMethod));
        }
        let args = Args::new(method, args)?;
        let names = args.required(0, "names")?;
        for name in names.try_iter()? {
            lock(&self.0.updates).insert(name.to_string(), names.get_item(&name)?);
        }
        Ok(Value::from(()))
    }
}

/// A package, whose attributes are its macros.
#[derive(Debug)]
struct PackageObject {
    context: Arc<Context>,
    package: String,
}

impl Object for PackageObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let shared = &self.context.shared;
        let name = key.as_str()?;
        let full_name = format!("{}.{name}", self.package);
        let overridden = self.context.overridden(&full_name);
        let built_in = || (self.package == GLOBAL_PROJECT).then(|| self.context.overridden(name)).flatten();
        if let Some(value) = overridden.or_else(built_in) {
            return Some(value);
        }
        let template = shared.macros.find_in_package(&self.package, name)?;
        Some(shared.engine.macro_value(template, &self.context.scope()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.context.shared.macros.names_in_package(&self.package);
        Enumerator::Values(names.into_iter().map(Value::from).collect())
    }

    /// Calls a macro. The methods of dictionaries are the language's.
    fn call_method(
        self: &Arc<Self>,
        state: &mut minijinja::State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, minijinja::Error> {
        match self.get_value(&Value::from(method)) {
            Some(found) => found.call(state, args),
            None if is_lenient() || is_mapping_method(method) => {
                Err(minijinja::Error::from(minijinja::ErrorKind::UnknownMethod))
            }
            None => Err(jinja::raise(self.no_macro(method))),
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

impl PackageObject {
    fn no_macro(&self, name: &str) -> Error {
        let package = &self.package;
        let error = Error::compilation(format!("the package '{package}' has no macro named '{name}'"));
        match nearest(name, self.context.shared.macros.names_in_package(package)) {
            Some(similar) => error.help(format!("did you mean '{package}.{similar}'?")),
            None => error.help("check the spelling, and whether the version that is installed has it"),
        }
    }
}
