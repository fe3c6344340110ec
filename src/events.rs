//! What happens while rbt works, told as plain data to whoever listens.
//!
//! The rooms that do the work emit an [`Event`] through a handle, [`Events`], and know nothing of terminals, log
//! files or JSON: that is the business of the sinks, which live with the command line.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::error::{Error, Location, Result};
use crate::flags::{Flags, Notice, Severity, WarnErrorOptions};
use crate::stored::{Input, Output, Stored};

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names are the documentation
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Who a node is: what every line about it needs, made once per node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeInfo {
    /// `model.shop.orders`
    pub unique_id: String,
    /// `orders`
    pub name: String,
    /// dbt's word: `model`, `test`, `unit_test`, `seed`, `snapshot`, `source`, `operation`, …
    pub resource_type: String,
    /// `table`, `view`, …; empty where that has no meaning.
    pub materialized: String,
    /// `incremental_strategy` of a model that configures one.
    pub incremental_strategy: String,
    /// `sql` or `python`.
    pub language: String,
    /// How people see it in a line: `main.orders`, the test's name, `model::unit_test`, `source.table`.
    pub label: String,
    /// The file, relative to the project: `models/orders.sql`.
    pub original_file_path: String,
    /// The file, relative to its resource folder: `orders.sql`.
    pub path: String,
    #[allow(missing_docs)]
    pub database: String,
    #[allow(missing_docs)]
    pub schema: String,
    #[allow(missing_docs)]
    pub alias: String,
    /// Quoted and complete; empty where there is no relation.
    pub relation_name: String,
    /// The hash of the file's content.
    pub checksum: String,
    /// `meta` of the configuration.
    pub meta: Map<String, Value>,
    /// The group it belongs to: its name, its package, its owner.
    pub group: Option<Value>,
    /// What a generic test tests.
    pub attached_node: Option<String>,
}

/// Which one of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Counts from 1.
    pub index: usize,
    #[allow(missing_docs)]
    pub total: usize,
}

/// How far a long step of a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done: `top tracks`.
    pub step: &'static str,
    #[allow(missing_docs)]
    pub done: usize,
    #[allow(missing_docs)]
    pub total: usize,
    /// The last thing that went wrong and is being tried again.
    pub trouble: Option<String>,
}

/// How a node ended, in dbt's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the documentation
pub enum Status {
    Success,
    Error,
    Fail,
    Warn,
    Skipped,
    PartialSuccess,
    Pass,
    RuntimeError,
    NoOp,
}

impl Status {
    /// The word in artifacts.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Success => "success",
            Status::Error => "error",
            Status::Fail => "fail",
            Status::Warn => "warn",
            Status::Skipped => "skipped",
            Status::PartialSuccess => "partial success",
            Status::Pass => "pass",
            Status::RuntimeError => "runtime error",
            Status::NoOp => "no-op",
        }
    }

    /// Whether a node that ended so fails the command.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Error | Status::Fail | Status::PartialSuccess | Status::RuntimeError)
    }
}

/// How a node ended, with what there is to say about it.
#[derive(Debug, Clone)]
pub struct NodeResult {
    #[allow(missing_docs)]
    pub node: Arc<NodeInfo>,
    /// `None` for nodes that have no line of their own (ephemeral models).
    pub position: Option<Position>,
    #[allow(missing_docs)]
    pub status: Status,
    /// What the warehouse answered (`INSERT 3`, `OK`), or what went wrong, or why it was skipped.
    pub message: Option<String>,
    /// How many rows of a test fail.
    pub failures: Option<i64>,
    /// Some of them, as a table.
    pub failing_rows: Option<String>,
    /// What the warehouse says besides, as artifacts show it.
    pub adapter_response: Map<String, Value>,
    /// In seconds.
    pub execution_time: f64,
    #[allow(missing_docs)]
    pub started_at: Option<DateTime<Utc>>,
    #[allow(missing_docs)]
    pub finished_at: Option<DateTime<Utc>>,
    /// The compiled file, relative to the project.
    pub compiled_path: Option<String>,
    /// The relation that keeps the failing rows, where they are stored.
    pub failures_relation: Option<String>,
    /// Where in the user's files the error is, if that is known.
    pub location: Option<Location>,
    /// Whether it was skipped because an ephemeral parent failed, which has no line of its own.
    pub skipped_by_ephemeral: bool,
}

/// A statement that is run before or after everything else.
#[derive(Debug, Clone)]
pub struct Hook {
    #[allow(missing_docs)]
    pub node: Arc<NodeInfo>,
    #[allow(missing_docs)]
    pub position: Position,
    /// How people see it: `shop.on-run-start.0`.
    pub statement: String,
}

/// A warning, which [`Events::warn`] may turn into an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// dbt's event name, such as `NoNodesForSelectionCriteria`; `--warn-error-options` knows it by this.
    pub code: &'static str,
    /// What is odd, and what to do.
    pub message: String,
    #[allow(missing_docs)]
    pub location: Option<Location>,
    /// Further fields of dbt's event, for readers of JSON logs.
    pub data: Map<String, Value>,
}

impl Warning {
    /// A warning without a place.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Warning { code, message: message.into(), location: None, data: Map::new() }
    }

    /// Says where.
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Adds a field for readers of JSON logs.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.insert(name.into(), value.into());
        self
    }
}

/// A warning whose name this program does not know cannot be read.
impl Stored for Warning {
    fn put(&self, out: &mut Output) {
        out.text(self.code);
        self.message.put(out);
        self.location.put(out);
        self.data.put(out);
    }

    fn get(input: &mut Input) -> Option<Self> {
        let code = input.text()?;
        let (code, _) = WARNINGS.iter().find(|(known, _)| *known == code)?;
        Some(Warning {
            code,
            message: Stored::get(input)?,
            location: Stored::get(input)?,
            data: Stored::get(input)?,
        })
    }
}

impl From<Notice> for Warning {
    fn from(notice: Notice) -> Self {
        Warning::new(notice.code, notice.message)
    }
}

/// Something said in free words, under the name and code that dbt's listeners know.
#[derive(Debug, Clone)]
pub struct Note {
    /// dbt's event name, such as `ArtifactWritten` or `DepsInstallInfo`.
    pub name: &'static str,
    /// dbt's event code, such as `P001`.
    pub code: &'static str,
    #[allow(missing_docs)]
    pub level: Level,
    #[allow(missing_docs)]
    pub message: String,
    /// The fields of dbt's event.
    pub data: Map<String, Value>,
}

/// What `show` and `compile` present of a node.
#[derive(Debug, Clone)]
pub struct Preview {
    /// `None` for SQL given on the command line.
    pub name: Option<String>,
    #[allow(missing_docs)]
    pub unique_id: String,
    /// The rows as a text table or as a JSON list; the SQL.
    pub content: String,
    /// Whether to wrap it in JSON.
    pub json: bool,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The command begins; its name and the settings in effect.
    CommandStarted { program: String, settings: Map<String, Value> },
    /// The adapter of the profile is known.
    AdapterRegistered { name: String, version: String },
    /// The project is parsed; see [`stat_line`].
    Found { stats: String },
    /// Nodes are about to run.
    Concurrency { threads: usize, target: String, nodes: usize },
    /// A node begins.
    NodeStarted { node: Arc<NodeInfo>, position: Option<Position> },
    /// A node's Jinja is being rendered.
    NodeCompiling(Arc<NodeInfo>),
    /// A node's statements are being run.
    NodeExecuting(Arc<NodeInfo>),
    /// How far a source's extraction is.
    NodeProgress { node: Arc<NodeInfo>, progress: Progress },
    /// A node ended, or was skipped.
    NodeFinished(Arc<NodeResult>),
    /// One batch of a microbatch model begins; `label` names the model and the batch.
    BatchStarted { node: Arc<NodeInfo>, position: Position, label: String },
    /// That batch ended.
    BatchFinished { position: Position, label: String, result: Arc<NodeResult> },
    /// A hook begins.
    HookStarted(Hook),
    /// A hook ended; `Success`, `Skipped`, or a failure.
    HookFinished { hook: Hook, status: Status, execution_time: f64 },
    /// A connection goes over from one node to the next.
    ConnectionReused { before: String, connection: String },
    /// A statement goes to the warehouse.
    Statement { connection: String, sql: String },
    /// The warehouse answered.
    StatementDone { connection: String, status: String, elapsed: f64 },
    /// Jinja's `log()`: for all with `info=True`, otherwise for the debug log.
    Log { message: String, info: bool, node: Option<Arc<NodeInfo>> },
    /// Jinja's `print()`.
    Print { message: String },
    /// A line of `list`.
    Listed { line: String },
    /// The rows of a node, from `show`.
    Shown(Preview),
    /// The SQL of a node, from `compile`.
    Compiled(Preview),
    /// A warning; emit these through [`Events::warn`].
    Warning(Warning),
    /// All nodes and end hooks are done; see [`stat_line`].
    FinishedRunning { stats: String, elapsed: f64 },
    /// What came of all nodes, for the summary at the end.
    Summary { results: Vec<Arc<NodeResult>>, interrupted: bool },
    /// A file of the `target` folder is written; `kind` is dbt's word (`WritableManifest`).
    ArtifactWritten { kind: &'static str, path: String },
    /// The command could not do its work.
    CommandFailed { message: String },
    /// The command ended.
    CommandCompleted { command: String, success: bool, elapsed: f64, completed_at: DateTime<Utc> },
    /// An empty line, for the eye.
    Blank,
    /// Anything else.
    Note(Note),
}

impl Event {
    /// A plain message.
    pub fn note(level: Level, message: impl Into<String>) -> Event {
        let message = message.into();
        let mut data = Map::new();
        data.insert("msg".into(), json!(message));
        Event::Note(Note { name: "Note", code: "Z050", level, message, data })
    }
}

/// Counts in words, none where there are none: `2 seeds, 1 table model, 5 data tests`.
///
/// `kinds` are dbt's words with their number, each word once: `seed`, `table model`, `data_test`.
pub fn stat_line(kinds: impl IntoIterator<Item = (String, usize)>) -> String {
    let kinds = kinds.into_iter().filter(|(_, count)| *count > 0);
    let words = kinds.map(|(kind, count)| plural(count, &kind).replace('_', " "));
    words.collect::<Vec<_>>().join(", ")
}

/// `1 error`, `2 errors`, `2 analyses`.
pub fn plural(count: usize, word: &str) -> String {
    if count == 1 {
        return format!("1 {word}");
    }
    let (stem, ending) = match word {
        "analysis" => ("analyse", "s"),
        "saved_query" => ("saved_querie", "s"),
        "success" => ("success", "es"),
        _ => (word, "s"),
    };
    format!("{count} {stem}{ending}")
}

/// Where events go.
pub trait Sink: Send + Sync {
    /// Takes one event. Called from any thread, and must not fail: a broken pipe is no reason to stop a run.
    fn receive(&self, event: &Event);
}

/// The handle through which events are emitted; cheap to clone, shared by all threads.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    sinks: Vec<Box<dyn Sink>>,
    warn_error: bool,
    warn_error_options: WarnErrorOptions,
    /// Whether the options decide about all warnings, also about [`NEVER_ERRORS`].
    all_handled: bool,
    show_all_deprecations: bool,
    deprecations: Mutex<IndexMap<&'static str, usize>>,
    /// What is said while somebody takes notes.
    notes: Mutex<Option<Notes>>,
}

/// What was said while parsing, to be said again when the outcome comes from the cache.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    pub warnings: Vec<Warning>,
    /// Whether templates wrote lines of their own.
    pub has_lines: bool,
}

impl Events {
    /// A handle that hands every event to all of these sinks; the flags decide what becomes of warnings.
    pub fn new(sinks: Vec<Box<dyn Sink>>, flags: &Flags) -> Self {
        Events(Arc::new(Inner {
            sinks,
            warn_error: flags.warn_error == Some(true),
            warn_error_options: flags.warn_error_options.clone(),
            all_handled: flags.behavior.require_all_warnings_handled_by_warn_error,
            show_all_deprecations: flags.show_all_deprecations,
            deprecations: Mutex::default(),
            notes: Mutex::default(),
        }))
    }

    /// A handle to which nobody listens.
    pub fn silent() -> Self {
        Events::new(Vec::new(), &Flags::default())
    }

    /// Tells all sinks.
    pub fn emit(&self, event: Event) {
        if matches!(event, Event::Log { .. } | Event::Print { .. })
            && let Some(notes) = self.notes().as_mut()
        {
            notes.has_lines = true;
        }
        for sink in &self.0.sinks {
            sink.receive(&event);
        }
    }

    /// Warns, or stays silent, or fails, as `--warn-error` and `--warn-error-options` say.
    ///
    /// Of each kind of deprecation only the first is told, unless `--show-all-deprecations`; the others count
    /// for the summary.
    pub fn warn(&self, warning: Warning) -> Result<()> {
        if let Some(notes) = self.notes().as_mut() {
            notes.warnings.push(warning.clone());
        }
        if NEVER_ERRORS.contains(&warning.code) && !self.0.all_handled {
            self.emit(Event::Warning(warning));
            return Ok(());
        }
        match self.severity(warning.code) {
            Severity::Silence => return Ok(()),
            Severity::Error => return Err(as_error(warning)),
            Severity::Warn => {}
        }
        if is_deprecation(warning.code)
            && self.count_deprecation(warning.code) > 1
            && !self.0.show_all_deprecations
        {
            return Ok(());
        }
        self.emit(Event::Warning(warning));
        Ok(())
    }

    /// Begins to take notes of what is said.
    pub fn take_notes(&self) {
        *self.notes() = Some(Notes::default());
    }

    /// Gives the notes, and takes no more.
    pub fn notes_taken(&self) -> Notes {
        self.notes().take().unwrap_or_default()
    }

    fn notes(&self) -> MutexGuard<'_, Option<Notes>> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a warning with this name.
    pub fn severity(&self, code: &str) -> Severity {
        let options = &self.0.warn_error_options;
        if HINTS.contains(&code) {
            return options.severity_of_hint(code);
        }
        if self.0.warn_error { Severity::Error } else { options.severity(code) }
    }

    /// Tells how often each deprecation occurred, if any did. To be called at the end of a command.
    pub fn summarize_deprecations(&self) -> Result<()> {
        let counts = self.0.deprecations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if counts.is_empty() {
            return Ok(());
        }
        let mut message = String::from("Deprecated functionality\nSummary of encountered deprecations:");
        for (code, count) in &counts {
            message.push_str(&format!("\n- {code}: {}", plural(*count, "occurrence")));
        }
        if !self.0.show_all_deprecations {
            message.push_str(
                "\nTo see every instance instead of the first of each, run the command again with \
                 `--show-all-deprecations`.",
            );
        }
        let summaries: Vec<Value> = counts
            .iter()
            .map(|(name, occurrences)| {
                json!({"event_name": name, "event_code": warning_code(name), "occurrences": occurrences})
            })
            .collect();
        let warning = Warning::new("DeprecationsSummary", message)
            .with("summaries", summaries)
            .with("show_all_hint", !self.0.show_all_deprecations);
        match self.severity(warning.code) {
            Severity::Silence => Ok(()),
            Severity::Error if counts.keys().any(|code| !HINTS.contains(code)) => Err(as_error(warning)),
            Severity::Error | Severity::Warn => {
                self.emit(Event::Warning(warning));
                Ok(())
            }
        }
    }

    fn count_deprecation(&self, code: &'static str) -> usize {
        let mut counts = self.0.deprecations.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(code).or_default();
        *count += 1;
        *count
    }
}

fn as_error(warning: Warning) -> Error {
    let error = Error::compilation(warning.message).help(format!(
        "{} is a warning that --warn-error or --warn-error-options make an error",
        warning.code
    ));
    match warning.location {
        Some(location) => error.at(location),
        None => error,
    }
}

/// Whether it is counted for the summary of deprecations.
fn is_deprecation(name: &str) -> bool {
    let uncounted = [
        "DeprecationsSummary",
        "BehaviorChangeEvent",
        "GetMetaKeyWarning",
        "SpacesInResourceNameDeprecation",
    ];
    !uncounted.contains(&name) && warning_code(name).is_some_and(|code| code.starts_with('D'))
}

/// dbt's code of the warning with this name; `None` if there is no such warning. Codes that begin with `D` are
/// deprecations.
pub fn warning_code(name: &str) -> Option<&'static str> {
    WARNINGS.iter().find(|(known, _)| *known == name).map(|(_, code)| *code)
}

/// Warnings that stay warnings, unless the project sets `require_all_warnings_handled_by_warn_error`.
const NEVER_ERRORS: &[&str] = &[
    "SpacesInResourceNameDeprecation",
    "FreshnessConfigProblem",
    "GetMetaKeyWarning",
    "MicrobatchModelNoEventTimeInputs",
    "SemanticValidationFailure",
    "SpacesInResourceNameDeprecation",
    "WarnStateTargetEqual",
];

/// Warnings that dbt gives for other warehouses only, so that `--warn-error` must not end what dbt goes on with: they
/// are errors where they are named.
const HINTS: &[&str] =
    &["CustomKeyInConfigDeprecation", "CustomKeyInObjectDeprecation", "CustomTopLevelKeyDeprecation"];

/// The warnings that dbt knows, and rbt with it.
const WARNINGS: &[(&str, &str)] = &[
    // rbt's own.
    ("SourceExtraction", "R001"),
    ("UnknownGenericTest", "R002"),
    ("BehaviorChangeEvent", "D000"),
    ("PackageRedirectDeprecation", "D001"),
    ("PackageInstallPathDeprecation", "D002"),
    ("ConfigSourcePathDeprecation", "D003"),
    ("ConfigDataPathDeprecation", "D004"),
    ("AdapterDeprecationWarning", "D005"),
    ("MetricAttributesRenamed", "D006"),
    ("ExposureNameDeprecation", "D007"),
    ("InternalDeprecation", "D008"),
    ("EnvironmentVariableRenamed", "D009"),
    ("ConfigLogPathDeprecation", "D010"),
    ("ConfigTargetPathDeprecation", "D011"),
    ("TestsConfigDeprecation", "D012"),
    ("CollectFreshnessReturnSignature", "D012"),
    ("ProjectFlagsMovedDeprecation", "D013"),
    ("SpacesInResourceNameDeprecation", "D014"),
    ("ResourceNamesWithSpacesDeprecation", "D015"),
    ("PackageMaterializationOverrideDeprecation", "D016"),
    ("SourceFreshnessProjectHooksNotRun", "D017"),
    ("MFTimespineWithoutYamlConfigurationDeprecation", "D018"),
    ("MFCumulativeTypeParamsDeprecation", "D019"),
    ("MicrobatchMacroOutsideOfBatchesDeprecation", "D020"),
    ("GenericJSONSchemaValidationDeprecation", "D022"),
    ("UnexpectedJinjaBlockDeprecation", "D023"),
    ("DuplicateYAMLKeysDeprecation", "D024"),
    ("CustomTopLevelKeyDeprecation", "D025"),
    ("CustomKeyInConfigDeprecation", "D026"),
    ("CustomKeyInObjectDeprecation", "D027"),
    ("DeprecationsSummary", "D028"),
    ("CustomOutputPathInSourceFreshnessDeprecation", "D029"),
    ("PropertyMovedToConfigDeprecation", "D030"),
    ("WEOIncludeExcludeDeprecation", "D031"),
    ("ModelParamUsageDeprecation", "D032"),
    ("ModulesItertoolsUsageDeprecation", "D034"),
    ("SourceOverrideDeprecation", "D035"),
    ("EnvironmentVariableNamespaceDeprecation", "D036"),
    ("MissingPlusPrefixDeprecation", "D037"),
    ("ArgumentsPropertyInGenericTestDeprecation", "D038"),
    ("MissingArgumentsPropertyInGenericTestDeprecation", "D039"),
    ("DuplicateNameDistinctNodeTypesDeprecation", "D040"),
    ("GetMetaKeyWarning", "D041"),
    ("AdapterEventWarning", "E003"),
    ("CatalogGenerationError", "E040"),
    ("ConstraintNotEnforced", "E048"),
    ("ConstraintNotSupported", "E049"),
    ("InvalidValueForField", "I008"),
    ("ValidationWarning", "I009"),
    ("InvalidDisabledTargetInTestNode", "I050"),
    ("UnusedResourceConfigPath", "I051"),
    ("SeedIncreased", "I052"),
    ("SeedExceedsLimitSamePath", "I053"),
    ("SeedExceedsLimitAndPathChanged", "I054"),
    ("SeedExceedsLimitChecksumChanged", "I055"),
    ("UnusedTables", "I056"),
    ("WrongResourceSchemaFile", "I057"),
    ("NoNodeForYamlKey", "I058"),
    ("MacroNotFoundForPatch", "I059"),
    ("NodeNotFoundOrDisabled", "I060"),
    ("JinjaLogWarning", "I061"),
    ("DeprecatedModel", "I065"),
    ("UpcomingReferenceDeprecation", "I066"),
    ("DeprecatedReference", "I067"),
    ("UnsupportedConstraintMaterialization", "I068"),
    ("SemanticValidationFailure", "I070"),
    ("UnversionedBreakingChange", "I071"),
    ("WarnStateTargetEqual", "I072"),
    ("FreshnessConfigProblem", "I073"),
    ("MicrobatchModelNoEventTimeInputs", "I074"),
    ("InvalidConcurrentBatchesConfig", "I075"),
    ("InvalidMacroAnnotation", "I076"),
    ("PackageNodeDependsOnRootProjectNode", "I077"),
    ("DepsUnpinned", "M029"),
    ("NoNodesForSelectionCriteria", "M030"),
    ("DepsScrubbedPackageName", "M035"),
    ("LogTestResult", "Q007"),
    ("NothingToDo", "Q035"),
    ("NoNodesSelected", "Q038"),
    ("SnapshotTimestampWarning", "Q043"),
    ("RunResultWarning", "Z021"),
    ("RunResultWarningMessage", "Z046"),
];

#[cfg(test)]
mod tests {
    use super::*;

    struct Collect(Arc<Mutex<Vec<String>>>);

    impl Sink for Collect {
        fn receive(&self, event: &Event) {
            if let Event::Warning(warning) = event {
                self.0.lock().unwrap().push(warning.code.to_owned());
            }
        }
    }

    #[test]
    fn deprecations_are_told_once_and_counted() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let events = Events::new(vec![Box::new(Collect(seen.clone()))], &Flags::default());
        for _ in 0..3 {
            events.warn(Warning::new("ConfigLogPathDeprecation", "old")).unwrap();
            events.warn(Warning::new("NothingToDo", "nothing")).unwrap();
        }
        events.summarize_deprecations().unwrap();
        let expected = ["ConfigLogPathDeprecation", "NothingToDo", "NothingToDo", "NothingToDo"];
        let seen = seen.lock().unwrap();
        assert_eq!(seen[..4], expected);
        assert_eq!(seen[4..], ["DeprecationsSummary"]);
    }

    #[test]
    fn warn_error_makes_errors() {
        let flags = Flags { warn_error: Some(true), ..Flags::default() };
        let error =
            Events::new(Vec::new(), &flags).warn(Warning::new("NothingToDo", "Nothing to do")).unwrap_err();
        assert_eq!(error.message(), "Nothing to do");
    }

    #[test]
    fn counts_in_words() {
        let kinds = [("data_test", 5), ("seed", 1), ("analysis", 2), ("saved_query", 2), ("model", 0)];
        let kinds = kinds.map(|(kind, count)| (kind.to_owned(), count));
        assert_eq!(stat_line(kinds), "5 data tests, 1 seed, 2 analyses, 2 saved queries");
    }
}
