//! The settings of one invocation: what the command line, the environment, and `flags:` of the project ask for.
//!
//! [`Flags`] is plain data under dbt's names. It serialises to the names and values that `run_results.json` shows
//! as `args`, and the layers (defaults, project, environment, command line) are maps of the same names laid
//! over one another.

mod warn_error;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

pub use warn_error::{Severity, WarnErrorOptions, severity};

/// The version of dbt whose behaviour, artifacts and Jinja context rbt speaks.
pub const DBT_VERSION: &str = "1.11.16";

/// What rbt is asked to do, by the name dbt gives it in `flags.WHICH` and in artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the names are the documentation
pub enum Command {
    #[default]
    Build,
    Clean,
    Clone,
    Compile,
    Completions,
    Debug,
    Deps,
    #[serde(rename = "generate")]
    DocsGenerate,
    #[serde(rename = "serve")]
    DocsServe,
    Extract,
    #[serde(rename = "freshness")]
    SourceFreshness,
    Init,
    List,
    Man,
    Parse,
    Retry,
    Run,
    RunOperation,
    Seed,
    Show,
    Snapshot,
    Test,
}

/// Which tests come along with the nodes that are selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndirectSelection {
    /// Every test that touches a selected node.
    #[default]
    Eager,
    /// Tests whose parents are all selected.
    Cautious,
    /// Tests whose parents are selected, or are ancestors of selected nodes.
    Buildable,
    /// No tests but those named.
    Empty,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on the console, debug in the log file.
    #[default]
    Default,
    /// `12:00:00  message`.
    Text,
    /// `12:00:00.000000 [info ] [MainThread]: message`.
    Debug,
    /// One JSON object a line.
    Json,
}

/// The least severe events that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the names are the documentation
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
    /// Log nothing.
    None,
}

/// The stretch of time that `--sample` limits inputs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleWindow {
    /// Inclusive.
    pub start: DateTime<Utc>,
    /// Exclusive.
    pub end: DateTime<Utc>,
}

/// Every setting of an invocation. Fields have dbt's names; absent values are dbt's defaults.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // the names are dbt's, documented by the help texts of `cli::options`
pub struct Flags {
    pub which: Command,
    pub invocation_command: String,

    pub select: Vec<String>,
    /// `--models` of `list`, which limits to models; other commands treat it as `--select`.
    pub models: Vec<String>,
    pub exclude: Vec<String>,
    pub selector: Option<String>,
    pub resource_types: Vec<String>,
    pub exclude_resource_types: Vec<String>,
    pub indirect_selection: IndirectSelection,

    pub vars: Map<String, Value>,
    pub target: Option<String>,
    pub profile: Option<String>,
    pub threads: Option<usize>,
    pub project_dir: PathBuf,
    pub profiles_dir: PathBuf,
    /// The same as it was written, for messages.
    pub written_profiles_dir: PathBuf,
    pub target_path: Option<PathBuf>,

    /// The day that `extract` and `build` extract.
    pub date: Option<NaiveDate>,
    /// Whether they ask an invented world instead of the real servers.
    pub sandbox: bool,
    pub no_extract: bool,
    /// Whether tests are counted one by one that one scan of a table could count.
    pub separate_tests: bool,
    pub full_refresh: bool,
    pub empty: bool,
    pub sample: Option<SampleWindow>,
    pub event_time_start: Option<NaiveDateTime>,
    pub event_time_end: Option<NaiveDateTime>,
    pub fail_fast: bool,
    pub store_failures: bool,
    pub single_threaded: bool,
    pub version_check: bool,
    pub introspect: bool,
    pub inject_ephemeral_ctes: bool,
    pub export_saved_queries: bool,
    pub include_saved_query: bool,

    pub defer: bool,
    pub state: Option<PathBuf>,
    pub defer_state: Option<PathBuf>,
    pub favor_state: bool,

    pub cache_selected_only: bool,
    pub populate_cache: bool,
    pub log_cache_events: bool,
    pub partial_parse: bool,
    pub partial_parse_file_diff: bool,
    pub partial_parse_file_path: Option<PathBuf>,
    pub static_parser: bool,
    pub use_experimental_parser: bool,
    pub use_fast_test_edges: bool,
    pub sqlparse: Value,

    pub debug: bool,
    pub quiet: bool,
    pub print: bool,
    pub log_level: LogLevel,
    pub log_level_file: LogLevel,
    pub log_format: LogFormat,
    pub log_format_file: LogFormat,
    pub log_path: Option<PathBuf>,
    pub log_file_max_bytes: u64,
    pub printer_width: usize,
    pub use_colors: bool,
    pub use_colors_file: bool,
    pub show_resource_report: bool,
    pub show_all_deprecations: bool,
    pub macro_debugging: bool,
    pub record_timing_info: Option<PathBuf>,
    pub send_anonymous_usage_stats: bool,
    pub upload_to_artifacts_ingest_api: bool,

    pub warn_error: Option<bool>,
    pub warn_error_options: WarnErrorOptions,
    pub write_json: bool,
    pub strict_mode: bool,

    /// The macro of `run-operation`.
    #[serde(rename = "macro")]
    pub macro_name: Option<String>,
    /// The arguments of that macro.
    pub args: Map<String, Value>,
    pub inline: Option<String>,
    pub inline_direct: Option<String>,
    pub limit: i64,
    /// The output format of `list`, `show` and `compile`; the output file of `source freshness`.
    pub output: Option<String>,
    pub output_keys: Vec<String>,
    /// `--show` of `seed`.
    pub show: bool,
    /// `--compile` of `docs generate`.
    pub compile: bool,
    #[serde(rename = "static")]
    pub static_: bool,
    pub empty_catalog: bool,
    pub browser: bool,
    pub host: String,
    pub port: u16,
    pub connection: bool,
    pub config_dir: bool,
    pub clean_project_files_only: bool,
    pub lock: bool,
    pub upgrade: bool,
    pub source: String,
    pub add_package: Option<AddPackage>,
    pub project_name: Option<String>,
    pub skip_profile_setup: bool,

    #[serde(flatten)]
    pub behavior: Behavior,

    /// The random name of this invocation, in logs, artifacts and Jinja.
    #[serde(skip)]
    pub invocation_id: String,
    /// The name rbt was called by: `rbt`, or `dbt` through a link.
    #[serde(skip)]
    pub program: String,
    /// Names that the user set, anywhere but in defaults.
    #[serde(skip)]
    pub given: BTreeSet<String>,
    /// Those of them that stand on the command line itself.
    #[serde(skip)]
    pub typed: BTreeSet<String>,
    /// Environment variables of options, under their old names and the new ones that begin with `DBT_ENGINE_`: the
    /// same value under both.
    #[serde(skip)]
    pub engine_env: BTreeMap<String, String>,
    /// What is left of an earlier command: only this is to be done.
    #[serde(skip)]
    pub unfinished: Option<Unfinished>,
    /// Names of the settings that this command knows.
    #[serde(skip)]
    pub parameters: Vec<&'static str>,
    /// What to tell the user about how the flags were given, once there is a place to tell it.
    #[serde(skip)]
    pub notices: Vec<Notice>,
}

/// A beginning and an end.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

/// What an earlier command left undone, for `retry`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// The nodes that failed or were skipped, by id.
    pub nodes: BTreeSet<String>,
    /// The batches that failed, of microbatch models of which others succeeded: their beginnings and ends.
    pub batches: BTreeMap<String, Vec<Span>>,
    /// When that command began: the last batch of a microbatch model is the one of that moment.
    pub began_at: Option<DateTime<Utc>>,
}

/// A package to add to `packages.yml`, from `--add-package name@version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddPackage {
    /// A name on the hub, an address of a git repository, or a path.
    pub name: String,
    /// A version or a range of them; only local packages have none.
    pub version: Option<String>,
}

/// A warning about the flags themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// dbt's name for it.
    pub code: &'static str,
    /// What is deprecated, and what to use.
    pub message: String,
}

/// dbt's behaviour-change flags, which only the project file sets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // the names are dbt's
pub struct Behavior {
    pub require_batched_execution_for_custom_microbatch_strategy: bool,
    pub require_explicit_package_overrides_for_builtin_materializations: bool,
    pub require_resource_names_without_spaces: bool,
    pub source_freshness_run_project_hooks: bool,
    pub skip_nodes_if_on_run_start_fails: bool,
    pub state_modified_compare_more_unrendered_values: bool,
    pub state_modified_compare_vars: bool,
    pub require_yaml_configuration_for_mf_time_spines: bool,
    pub require_nested_cumulative_type_params: bool,
    pub validate_macro_args: bool,
    pub require_all_warnings_handled_by_warn_error: bool,
    pub require_generic_test_arguments_property: bool,
    pub require_unique_project_resource_names: bool,
    pub require_ref_searches_node_package_before_root: bool,
}

impl Default for Behavior {
    fn default() -> Self {
        Behavior {
            require_batched_execution_for_custom_microbatch_strategy: false,
            require_explicit_package_overrides_for_builtin_materializations: true,
            require_resource_names_without_spaces: true,
            source_freshness_run_project_hooks: true,
            skip_nodes_if_on_run_start_fails: false,
            state_modified_compare_more_unrendered_values: false,
            state_modified_compare_vars: false,
            require_yaml_configuration_for_mf_time_spines: false,
            require_nested_cumulative_type_params: false,
            validate_macro_args: false,
            require_all_warnings_handled_by_warn_error: false,
            require_generic_test_arguments_property: true,
            require_unique_project_resource_names: false,
            require_ref_searches_node_package_before_root: false,
        }
    }
}

impl Default for Flags {
    fn default() -> Self {
        Flags {
            which: Command::default(),
            invocation_command: String::new(),
            select: Vec::new(),
            models: Vec::new(),
            exclude: Vec::new(),
            selector: None,
            resource_types: Vec::new(),
            exclude_resource_types: Vec::new(),
            indirect_selection: IndirectSelection::default(),
            vars: Map::new(),
            target: None,
            profile: None,
            threads: None,
            project_dir: PathBuf::from("."),
            profiles_dir: PathBuf::from("."),
            written_profiles_dir: PathBuf::from("."),
            target_path: None,
            date: None,
            sandbox: false,
            no_extract: false,
            separate_tests: false,
            full_refresh: false,
            empty: false,
            sample: None,
            event_time_start: None,
            event_time_end: None,
            fail_fast: false,
            store_failures: false,
            single_threaded: false,
            version_check: true,
            introspect: true,
            inject_ephemeral_ctes: true,
            export_saved_queries: false,
            include_saved_query: false,
            defer: false,
            state: None,
            defer_state: None,
            favor_state: false,
            cache_selected_only: false,
            populate_cache: true,
            log_cache_events: false,
            partial_parse: true,
            partial_parse_file_diff: true,
            partial_parse_file_path: None,
            static_parser: true,
            use_experimental_parser: false,
            use_fast_test_edges: false,
            sqlparse: json!({"MAX_GROUPING_DEPTH": null, "MAX_GROUPING_TOKENS": null}),
            debug: false,
            quiet: false,
            print: true,
            log_level: LogLevel::Info,
            log_level_file: LogLevel::Debug,
            log_format: LogFormat::Default,
            log_format_file: LogFormat::Debug,
            log_path: None,
            log_file_max_bytes: 10 * 1024 * 1024,
            printer_width: 80,
            use_colors: true,
            use_colors_file: true,
            show_resource_report: false,
            show_all_deprecations: false,
            macro_debugging: false,
            record_timing_info: None,
            send_anonymous_usage_stats: true,
            upload_to_artifacts_ingest_api: false,
            warn_error: None,
            warn_error_options: WarnErrorOptions::default(),
            write_json: true,
            strict_mode: false,
            macro_name: None,
            args: Map::new(),
            inline: None,
            inline_direct: None,
            limit: 5,
            output: None,
            output_keys: Vec::new(),
            show: false,
            compile: true,
            static_: false,
            empty_catalog: false,
            browser: true,
            host: "127.0.0.1".into(),
            port: 8080,
            connection: false,
            config_dir: false,
            clean_project_files_only: true,
            lock: false,
            upgrade: false,
            source: "hub".into(),
            add_package: None,
            project_name: None,
            skip_profile_setup: false,
            behavior: Behavior::default(),
            invocation_id: String::new(),
            program: "rbt".into(),
            given: BTreeSet::new(),
            typed: BTreeSet::new(),
            unfinished: None,
            engine_env: BTreeMap::new(),
            parameters: Vec::new(),
            notices: Vec::new(),
        }
    }
}

/// Settings that `flags:` of `dbt_project.yml` may give a default for.
const PROJECT_FLAGS: &[&str] = &[
    "cache_selected_only",
    "debug",
    "fail_fast",
    "indirect_selection",
    "log_format",
    "log_format_file",
    "log_level",
    "log_level_file",
    "partial_parse",
    "populate_cache",
    "printer_width",
    "send_anonymous_usage_stats",
    "static_parser",
    "use_colors",
    "use_colors_file",
    "use_experimental_parser",
    "version_check",
    "warn_error",
    "warn_error_options",
    "write_json",
];

/// Settings that follow another one unless they are given themselves: (leader, follower).
const FOLLOWERS: &[(&str, &str)] =
    &[("use_colors", "use_colors_file"), ("log_level", "log_level_file"), ("log_format", "log_format_file")];

/// Settings that every command shows in `args`, whether or not it knows them.
const ALWAYS_IN_ARGS: &[&str] =
    &["indirect_selection", "strict_mode", "introspect", "invocation_command", "which"];

/// Settings that `args` leaves out while they are false.
const OMITTED_WHEN_FALSE: &[&str] = &[
    "no_extract",
    "separate_tests",
    "sandbox",
    "debug",
    "full_refresh",
    "fail_fast",
    "warn_error",
    "single_threaded",
    "log_cache_events",
    "store_failures",
    "use_experimental_parser",
];

impl Flags {
    /// Lays values over these flags, and remembers their names as given by the user.
    ///
    /// Fails on a value of the wrong type; `origin` says where the values come from.
    pub fn overlay(&mut self, values: Map<String, Value>, origin: &str) -> Result<()> {
        for (name, value) in values {
            let mut all = self.to_map();
            all.insert(name.clone(), value.clone());
            let mut flags: Flags = serde_json::from_value(Value::Object(all)).map_err(|error| {
                let reason = error.to_string();
                Error::runtime(format!("the flag {name} in {origin} cannot be {value}: {reason}"))
            })?;
            flags.invocation_id = std::mem::take(&mut self.invocation_id);
            flags.program = std::mem::take(&mut self.program);
            flags.given = std::mem::take(&mut self.given);
            flags.typed = std::mem::take(&mut self.typed);
            flags.unfinished = self.unfinished.take();
            flags.engine_env = std::mem::take(&mut self.engine_env);
            flags.parameters = std::mem::take(&mut self.parameters);
            flags.notices = std::mem::take(&mut self.notices);
            flags.given.insert(name);
            *self = flags;
        }
        Ok(())
    }

    /// Adds what `flags:` of `dbt_project.yml` says, where neither the command line nor the environment does, and
    /// settles what depends on several settings. To be called once, with an empty map if there is no project.
    ///
    /// Fails when a value has the wrong type, or when settings exclude one another.
    pub fn with_project_flags(&mut self, flags: &Map<String, Value>) -> Result<()> {
        let behavior = serde_json::to_value(Behavior::default()).unwrap_or_default();
        let mut values = Map::new();
        for (name, value) in flags {
            let known = PROJECT_FLAGS.contains(&name.as_str()) && !self.given.contains(name);
            if value.is_null() || !(known || behavior.get(name).is_some()) {
                continue;
            }
            if name == "warn_error_options" {
                let options = WarnErrorOptions::from_value(value, &mut self.notices)?;
                let value = serde_json::to_value(options).unwrap_or_default();
                values.insert(name.clone(), value);
            } else {
                values.insert(name.clone(), value.clone());
            }
        }
        self.overlay(values, "dbt_project.yml")?;
        self.follow_leaders();
        self.check_exclusive("warn_error", "warn_error_options")?;
        self.check_exclusive("select", "inline")?;
        self.check_exclusive("selector", "inline")?;
        self.check_event_times()
    }

    fn follow_leaders(&mut self) {
        for (leader, follower) in FOLLOWERS {
            if !self.is_given(leader) || self.is_given(follower) {
                continue;
            }
            match *follower {
                "use_colors_file" => self.use_colors_file = self.use_colors,
                "log_level_file" => self.log_level_file = self.log_level,
                _ => self.log_format_file = self.log_format,
            }
        }
    }

    fn check_exclusive(&self, first: &str, second: &str) -> Result<()> {
        if self.is_given(first) && self.is_given(second) {
            return Err(Error::usage(format!("{second}: not allowed with argument {first}")));
        }
        Ok(())
    }

    fn check_event_times(&self) -> Result<()> {
        let message = match (self.event_time_start, self.event_time_end) {
            (Some(_), None) => {
                "The flag `--event-time-start` was specified, but `--event-time-end` was not. \
                 When specifying `--event-time-start`, `--event-time-end` must also be present."
            }
            (None, Some(_)) => {
                "The flag `--event-time-end` was specified, but `--event-time-start` was not. \
                 When specifying `--event-time-end`, `--event-time-start` must also be present."
            }
            (Some(start), Some(end)) if start >= end => {
                "Value for `--event-time-start` must be less than `--event-time-end`"
            }
            _ => return Ok(()),
        };
        Err(Error::usage(message))
    }

    /// Whether the user set a flag, on the command line, in the environment, or in the project file.
    pub fn is_given(&self, name: &str) -> bool {
        self.given.contains(name)
    }

    /// Where logs go: `--log-path`, or `logs` in the project's folder.
    pub fn log_dir(&self) -> PathBuf {
        self.log_path.clone().unwrap_or_else(|| self.project_dir.join("logs"))
    }

    /// The settings as `run_results.json` shows them in `args`.
    pub fn args(&self) -> Map<String, Value> {
        let mut all = self.to_map();
        all.insert("log_path".into(), json!(self.log_dir()));
        let behavior = serde_json::to_value(&self.behavior).unwrap_or_default();
        all.retain(|name, value| {
            let shown = self.parameters.contains(&name.as_str())
                || ALWAYS_IN_ARGS.contains(&name.as_str())
                || behavior.get(name).is_some();
            let omitted = value.is_null()
                || (*value == Value::Bool(false) && OMITTED_WHEN_FALSE.contains(&name.as_str()));
            shown && !omitted
        });
        if let Some(Value::Object(vars)) = all.get_mut("vars") {
            mask_secrets(vars);
        }
        all
    }

    /// The settings as Jinja's `flags` shows them, under upper-case names.
    pub fn jinja(&self) -> Map<String, Value> {
        const SHOWN: &[&str] = &[
            "use_experimental_parser",
            "static_parser",
            "warn_error",
            "warn_error_options",
            "write_json",
            "partial_parse",
            "use_colors",
            "profiles_dir",
            "debug",
            "log_format",
            "version_check",
            "fail_fast",
            "send_anonymous_usage_stats",
            "printer_width",
            "indirect_selection",
            "log_cache_events",
            "quiet",
            "cache_selected_only",
            "introspect",
            "target_path",
            "invocation_command",
            "empty",
            "full_refresh",
            "store_failures",
            "which",
        ];
        let all = self.to_map();
        let mut shown: Map<String, Value> = SHOWN
            .iter()
            .map(|name| (name.to_uppercase(), all.get(*name).cloned().unwrap_or_default()))
            .collect();
        shown.insert("LOG_PATH".into(), json!(self.log_dir()));
        shown.insert("NO_PRINT".into(), Value::Null);
        if let Some(day) = self.date {
            shown.insert("DATE".into(), json!(day));
        }
        shown
    }

    fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            // Only a path that is not UTF-8 cannot be serialised, and the command line refuses those.
            _ => Map::new(),
        }
    }
}

/// Names that begin with this hold secrets, be they environment variables or variables of the command line.
pub const SECRET_PREFIX: &str = "DBT_ENV_SECRET";

/// Variables without the secrets among them.
fn mask_secrets(vars: &mut Map<String, Value>) {
    for (name, value) in vars {
        if name.starts_with(SECRET_PREFIX) {
            *value = json!("*****");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_flags_fill_what_is_not_given() {
        let mut flags = Flags::default();
        let given = json!({"printer_width": 60, "log_format": "json"});
        flags.overlay(given.as_object().unwrap().clone(), "test").unwrap();
        let project = json!({"printer_width": 100, "fail_fast": true, "validate_macro_args": true, "x": 1});
        flags.with_project_flags(project.as_object().unwrap()).unwrap();
        assert_eq!(flags.printer_width, 60);
        assert!(flags.fail_fast && flags.behavior.validate_macro_args);
        assert_eq!(flags.log_format_file, LogFormat::Json);
    }

    #[test]
    fn a_project_flag_of_the_wrong_type_is_an_error() {
        let project = json!({"printer_width": "wide"});
        let error = Flags::default().with_project_flags(project.as_object().unwrap()).unwrap_err();
        assert!(error.message().contains("printer_width"), "{error}");
    }
}
