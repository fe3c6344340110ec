//! The options themselves, in the order of the help's groups.

use super::{Group, Kind, Opt};

// ---- Choose nodes

pub const SELECT: Opt = Opt::new(
    "select",
    "select",
    Kind::Words,
    Group::Selection,
    "Nodes to include: names, paths, tag:nightly, +orders (with its parents), orders+ (with its children)",
)
.short('s')
.aliases(&["models", "model"], &['m']);
pub const LIST_SELECT: Opt =
    Opt::new("select", "select", Kind::Words, Group::Selection, "Nodes to include, in selection syntax")
        .short('s');
pub const MODELS: Opt = Opt::new(
    "models",
    "models",
    Kind::Words,
    Group::Hidden,
    "Models to include (deprecated: use --select with --resource-type model)",
)
.short('m')
.aliases(&["model"], &[]);
pub const EXCLUDE: Opt = Opt::new(
    "exclude",
    "exclude",
    Kind::Words,
    Group::Selection,
    "Nodes to leave out, in the syntax of --select",
);
pub const SELECTOR: Opt =
    Opt::new("selector", "selector", Kind::Text, Group::Selection, "A named selector of selectors.yml");
pub const RESOURCE_TYPES: Opt = Opt::new(
    "resource_types",
    "resource-types",
    Kind::Choices(&[
        "metric",
        "semantic_model",
        "saved_query",
        "source",
        "analysis",
        "function",
        "model",
        "test",
        "unit_test",
        "exposure",
        "snapshot",
        "seed",
        "default",
        "all",
    ]),
    Group::Selection,
    "Only nodes of these types",
)
.env("DBT_RESOURCE_TYPES")
.aliases(&["resource-type"], &[]);
pub const EXCLUDE_RESOURCE_TYPES: Opt = Opt::new(
    "exclude_resource_types",
    "exclude-resource-types",
    Kind::Choices(&[
        "metric",
        "semantic_model",
        "saved_query",
        "source",
        "analysis",
        "model",
        "test",
        "unit_test",
        "exposure",
        "snapshot",
        "seed",
        "function",
        "default",
    ]),
    Group::Selection,
    "No nodes of these types",
)
.env("DBT_EXCLUDE_RESOURCE_TYPES")
.aliases(&["exclude-resource-type"], &[]);
pub const INDIRECT_SELECTION: Opt = Opt::new(
    "indirect_selection",
    "indirect-selection",
    Kind::Choice(&["eager", "cautious", "buildable", "empty"]),
    Group::Selection,
    "Which tests come along: all that touch a selected node (eager), only those whose parents are all selected \
     (cautious), also those whose other parents are ancestors (buildable), or none (empty)",
)
.env("DBT_INDIRECT_SELECTION");

// ---- Project and target

pub const PROJECT_DIR: Opt = Opt::new(
    "project_dir",
    "project-dir",
    Kind::ExistingPath,
    Group::Project,
    "The folder of dbt_project.yml [default: the current folder or the nearest parent that has one]",
)
.env("DBT_PROJECT_DIR");
pub const PROFILES_DIR: Opt = Opt::new(
    "profiles_dir",
    "profiles-dir",
    Kind::ExistingPath,
    Group::Project,
    "The folder of profiles.yml [default: the current folder, then ~/.dbt]",
)
.env("DBT_PROFILES_DIR");
/// For commands that work without profiles, or make them.
pub const PROFILES_DIR_MAYBE: Opt = Opt { kind: Kind::Path, ..PROFILES_DIR };
pub const PROFILE: Opt = Opt::new(
    "profile",
    "profile",
    Kind::Text,
    Group::Project,
    "The profile of profiles.yml, instead of the project's",
)
.env("DBT_PROFILE");
pub const TARGET: Opt = Opt::new(
    "target",
    "target",
    Kind::Text,
    Group::Project,
    "The target of the profile, instead of its default",
)
.short('t')
.env("DBT_TARGET");
pub const VARS: Opt = Opt::new(
    "vars",
    "vars",
    Kind::Yaml,
    Group::Project,
    "Variables as a YAML mapping, over those of the project: '{load_date: 2024-05-01}'",
);
pub const THREADS: Opt = Opt::new(
    "threads",
    "threads",
    Kind::Count,
    Group::Execution,
    "How many nodes run at once, instead of the profile's number",
);
pub const TARGET_PATH: Opt = Opt::new(
    "target_path",
    "target-path",
    Kind::Path,
    Group::Project,
    "Where compiled SQL and artifacts go [default: target]",
)
.env("DBT_TARGET_PATH");
pub const VERSION_CHECK: Opt = Opt::new(
    "version_check",
    "version-check",
    Kind::Toggle("no-version-check"),
    Group::Rare,
    "Heed require-dbt-version of the project",
)
.env("DBT_VERSION_CHECK");

// ---- How to run

pub const FULL_REFRESH: Opt = Opt::new(
    "full_refresh",
    "full-refresh",
    Kind::Switch,
    Group::Execution,
    "Build incremental models from scratch, and load seeds into new tables",
)
.short('f')
.env("DBT_FULL_REFRESH");
pub const DATE: Opt = Opt::new(
    "date",
    "date",
    Kind::Date,
    Group::Execution,
    "The day to extract, in the names of raw files and as `flags.DATE` [default: today]",
)
.env("DBT_DATE");
pub const SANDBOX: Opt = Opt::new(
    "sandbox",
    "sandbox",
    Kind::Switch,
    Group::Execution,
    "Extract from an invented world on this machine, without an account",
);
pub const NO_EXTRACT: Opt = Opt::new(
    "no_extract",
    "no-extract",
    Kind::Switch,
    Group::Execution,
    "Extract no sources: build from the raw files that are there",
);
pub const SEPARATE_TESTS: Opt = Opt::new(
    "separate_tests",
    "separate-tests",
    Kind::Switch,
    Group::Rare,
    "Let every test scan its table itself, also where one scan could answer several",
)
.env("DBT_SEPARATE_TESTS");
pub const EXTRACT_ANEW: Opt = Opt {
    help: "Ask for everything again, also for what is kept of an extraction that failed",
    ..FULL_REFRESH
};
pub const FAIL_FAST: Opt = Opt::new(
    "fail_fast",
    "fail-fast",
    Kind::Toggle("no-fail-fast"),
    Group::Execution,
    "Stop at the first failure",
)
.short('x')
.env("DBT_FAIL_FAST");
pub const EMPTY: Opt = Opt::new(
    "empty",
    "empty",
    Kind::Toggle("no-empty"),
    Group::Execution,
    "Read no rows from refs and sources: checks the SQL and makes empty tables",
)
.env("DBT_EMPTY");
pub const SAMPLE: Opt = Opt::new(
    "sample",
    "sample",
    Kind::Sample,
    Group::Execution,
    "Read only a stretch of time from inputs that have an event_time: '3 days', or '{start: 2024-05-01, end: \
     2024-05-03}'",
)
.env("DBT_SAMPLE");
pub const EVENT_TIME_START: Opt = Opt::new(
    "event_time_start",
    "event-time-start",
    Kind::DateTime,
    Group::Execution,
    "Where the batches of microbatch models begin (inclusive)",
)
.env("DBT_EVENT_TIME_START");
pub const EVENT_TIME_END: Opt = Opt::new(
    "event_time_end",
    "event-time-end",
    Kind::DateTime,
    Group::Execution,
    "Where the batches of microbatch models end (exclusive)",
)
.env("DBT_EVENT_TIME_END");
pub const STORE_FAILURES: Opt = Opt::new(
    "store_failures",
    "store-failures",
    Kind::Switch,
    Group::Execution,
    "Keep the failing rows of tests in tables",
)
.env("DBT_STORE_FAILURES");
pub const EXPORT_SAVED_QUERIES: Opt = Opt::new(
    "export_saved_queries",
    "export-saved-queries",
    Kind::Toggle("no-export-saved-queries"),
    Group::Hidden,
    "Export saved queries",
)
.env("DBT_EXPORT_SAVED_QUERIES");
pub const INCLUDE_SAVED_QUERY: Opt = Opt::new(
    "include_saved_query",
    "include-saved-query",
    Kind::Toggle("no-include-saved-query"),
    Group::Hidden,
    "Select saved queries too",
)
.env("DBT_INCLUDE_SAVED_QUERY");
pub const INTROSPECT: Opt = Opt::new(
    "introspect",
    "introspect",
    Kind::Toggle("no-introspect"),
    Group::Execution,
    "Let the project's Jinja query the warehouse while compiling",
)
.env("DBT_INTROSPECT");
pub const INJECT_EPHEMERAL_CTES: Opt = Opt::new(
    "inject_ephemeral_ctes",
    "inject-ephemeral-ctes",
    Kind::Toggle("no-inject-ephemeral-ctes"),
    Group::Hidden,
    "Put ephemeral models into the compiled SQL",
);
pub const POPULATE_CACHE: Opt = Opt::new(
    "populate_cache",
    "populate-cache",
    Kind::Toggle("no-populate-cache"),
    Group::Rare,
    "Read the list of relations when the command starts",
)
.env("DBT_POPULATE_CACHE");
pub const CACHE_SELECTED_ONLY: Opt = Opt::new(
    "cache_selected_only",
    "cache-selected-only",
    Kind::Toggle("no-cache-selected-only"),
    Group::Rare,
    "Read the list of relations only for schemas of selected nodes",
)
.env("DBT_CACHE_SELECTED_ONLY");
pub const PARTIAL_PARSE: Opt = Opt::new(
    "partial_parse",
    "partial-parse",
    Kind::Toggle("no-partial-parse"),
    Group::Rare,
    "Reuse what an earlier command parsed",
)
.env("DBT_PARTIAL_PARSE");
pub const PARTIAL_PARSE_FILE_DIFF: Opt = Opt::new(
    "partial_parse_file_diff",
    "partial-parse-file-diff",
    Kind::Toggle("no-partial-parse-file-diff"),
    Group::Hidden,
    "Compare files while reusing what was parsed",
)
.env("DBT_PARTIAL_PARSE_FILE_DIFF");
pub const PARTIAL_PARSE_FILE_PATH: Opt = Opt::new(
    "partial_parse_file_path",
    "partial-parse-file-path",
    Kind::ExistingPath,
    Group::Hidden,
    "The file that keeps what was parsed",
)
.env("DBT_PARTIAL_PARSE_FILE_PATH");
pub const STATIC_PARSER: Opt = Opt::new(
    "static_parser",
    "static-parser",
    Kind::Toggle("no-static-parser"),
    Group::Hidden,
    "Accepted for compatibility",
)
.env("DBT_STATIC_PARSER");
pub const USE_EXPERIMENTAL_PARSER: Opt = Opt::new(
    "use_experimental_parser",
    "use-experimental-parser",
    Kind::Toggle("no-use-experimental-parser"),
    Group::Hidden,
    "Accepted for compatibility",
)
.env("DBT_USE_EXPERIMENTAL_PARSER");
pub const USE_FAST_TEST_EDGES: Opt = Opt::new(
    "use_fast_test_edges",
    "use-fast-test-edges",
    Kind::Toggle("no-use-fast-test-edges"),
    Group::Hidden,
    "Accepted for compatibility",
)
.env("DBT_USE_FAST_TEST_EDGES");
pub const SINGLE_THREADED: Opt = Opt::new(
    "single_threaded",
    "single-threaded",
    Kind::Toggle("no-single-threaded"),
    Group::Hidden,
    "Run everything on one thread",
)
.env("DBT_SINGLE_THREADED");
pub const SQLPARSE: Opt =
    Opt::new("sqlparse", "sqlparse", Kind::Yaml, Group::Hidden, "Accepted for compatibility")
        .env("DBT_ENGINE_SQLPARSE");

// ---- Compare with an earlier state

pub const STATE: Opt = Opt::new(
    "state",
    "state",
    Kind::Path,
    Group::Comparison,
    "A folder with the artifacts of an earlier run, for state: selection and --defer",
)
.env("DBT_STATE");
pub const DEFER: Opt = Opt::new(
    "defer",
    "defer",
    Kind::Toggle("no-defer"),
    Group::Comparison,
    "Let refs to nodes that are not selected point at the relations of --state",
)
.env("DBT_DEFER");
pub const DEFER_STATE: Opt = Opt::new(
    "defer_state",
    "defer-state",
    Kind::Path,
    Group::Comparison,
    "A folder for --defer alone, other than --state",
)
.env("DBT_DEFER_STATE");
pub const FAVOR_STATE: Opt = Opt::new(
    "favor_state",
    "favor-state",
    Kind::Toggle("no-favor-state"),
    Group::Comparison,
    "Defer even where the relation exists in the target",
)
.env("DBT_FAVOR_STATE");

// ---- Output

pub const LIST_OUTPUT: Opt = Opt::new(
    "output",
    "output",
    Kind::Choice(&["json", "name", "path", "selector", "tree"]),
    Group::Output,
    "What to print of each node [default: selector]",
);
pub const OUTPUT_KEYS: Opt = Opt::new(
    "output_keys",
    "output-keys",
    Kind::Words,
    Group::Output,
    "The keys of --output json, also nested ones: name config.materialized",
);
pub const SHOW_OUTPUT: Opt = Opt::new(
    "output",
    "output",
    Kind::Choice(&["json", "text"]),
    Group::Output,
    "The form of what is printed [default: text]",
);
pub const FRESHNESS_OUTPUT: Opt = Opt::new(
    "output",
    "output",
    Kind::Path,
    Group::Output,
    "The file of the JSON report [default: target/sources.json]",
)
.short('o');
pub const INLINE: Opt = Opt::new(
    "inline",
    "inline",
    Kind::Text,
    Group::Selection,
    "SQL with Jinja, instead of a node of the project",
);
pub const INLINE_DIRECT: Opt = Opt::new(
    "inline_direct",
    "inline-direct",
    Kind::Text,
    Group::Hidden,
    "SQL as it is, without loading the project",
);
pub const LIMIT: Opt = Opt::new(
    "limit",
    "limit",
    Kind::Integer,
    Group::Output,
    "How many rows to show; -1 for all [default: 5]",
);
pub const SHOW: Opt =
    Opt::new("show", "show", Kind::Switch, Group::Output, "Print some rows of what was loaded");
pub const WRITE_JSON: Opt = Opt::new(
    "write_json",
    "write-json",
    Kind::Toggle("no-write-json"),
    Group::Rare,
    "Write manifest.json, run_results.json and the other artifacts",
)
.env("DBT_WRITE_JSON");
pub const COMPILE_DOCS: Opt = Opt::new(
    "compile",
    "compile",
    Kind::Toggle("no-compile"),
    Group::Execution,
    "Compile the project before documenting it",
);
pub const EMPTY_CATALOG: Opt = Opt::new(
    "empty_catalog",
    "empty-catalog",
    Kind::Switch,
    Group::Execution,
    "Do not ask the warehouse: write a catalog without columns",
);
pub const STATIC: Opt = Opt::new(
    "static",
    "static",
    Kind::Switch,
    Group::Output,
    "Also write static_index.html, one page with all in it",
);
pub const BROWSER: Opt = Opt::new(
    "browser",
    "browser",
    Kind::Toggle("no-browser"),
    Group::Output,
    "Open the pages in the web browser",
);
pub const HOST: Opt =
    Opt::new("host", "host", Kind::Text, Group::Output, "The address to listen on [default: 127.0.0.1]")
        .env("DBT_HOST");
pub const PORT: Opt =
    Opt::new("port", "port", Kind::Count, Group::Output, "The port to listen on [default: 8080]");

// ---- Single commands

pub const ARGS: Opt = Opt::new(
    "args",
    "args",
    Kind::Yaml,
    Group::Execution,
    "The macro's arguments as a YAML mapping: '{role: reporter}'",
);
pub const CONNECTION: Opt =
    Opt::new("connection", "connection", Kind::Switch, Group::Execution, "Only try the connection");
pub const CONFIG_DIR: Opt = Opt::new(
    "config_dir",
    "config-dir",
    Kind::Switch,
    Group::Output,
    "Only print how to open the folder of profiles.yml",
);
pub const CLEAN_PROJECT_FILES_ONLY: Opt = Opt::new(
    "clean_project_files_only",
    "clean-project-files-only",
    Kind::Toggle("no-clean-project-files-only"),
    Group::Execution,
    "Refuse to delete what lies outside of the project",
)
.env("DBT_CLEAN_PROJECT_FILES_ONLY");
pub const ADD_PACKAGE: Opt = Opt::new(
    "add_package",
    "add-package",
    Kind::Package,
    Group::Execution,
    "Add a package to packages.yml: dbt-labs/dbt_utils@1.3.0",
);
pub const SOURCE: Opt = Opt::new(
    "source",
    "source",
    Kind::Choice(&["hub", "git", "local"]),
    Group::Execution,
    "Where the package of --add-package comes from [default: hub]",
);
pub const LOCK: Opt =
    Opt::new("lock", "lock", Kind::Switch, Group::Execution, "Write package-lock.yml, install nothing");
pub const UPGRADE: Opt = Opt::new(
    "upgrade",
    "upgrade",
    Kind::Switch,
    Group::Execution,
    "Take the newest versions that packages.yml allows",
);
pub const SKIP_PROFILE_SETUP: Opt =
    Opt::new("skip_profile_setup", "skip-profile-setup", Kind::Switch, Group::Execution, "Ask no questions")
        .short('s');

// ---- Logs and messages

pub const QUIET: Opt = Opt::new(
    "quiet",
    "quiet",
    Kind::Toggle("no-quiet"),
    Group::Logging,
    "Print nothing but errors and what was asked for",
)
.short('q')
.env("DBT_QUIET");
pub const DEBUG: Opt =
    Opt::new("debug", "debug", Kind::Toggle("no-debug"), Group::Logging, "Print every step and statement")
        .short('d')
        .env("DBT_DEBUG");
pub const PRINT: Opt =
    Opt::new("print", "print", Kind::Toggle("no-print"), Group::Logging, "Show what Jinja's print() says")
        .env("DBT_PRINT");
const LEVELS: Kind = Kind::Choice(&["debug", "info", "warn", "error", "none"]);
const FORMATS: Kind = Kind::Choice(&["text", "debug", "json", "default"]);
pub const LOG_LEVEL: Opt = Opt::new(
    "log_level",
    "log-level",
    LEVELS,
    Group::Logging,
    "The least severe messages to print, and to keep in the log file",
)
.env("DBT_LOG_LEVEL");
pub const LOG_LEVEL_FILE: Opt =
    Opt::new("log_level_file", "log-level-file", LEVELS, Group::Logging, "The same for the log file alone")
        .env("DBT_LOG_LEVEL_FILE");
pub const LOG_FORMAT: Opt = Opt::new(
    "log_format",
    "log-format",
    FORMATS,
    Group::Logging,
    "The form of messages, and of the log file",
)
.env("DBT_LOG_FORMAT");
pub const LOG_FORMAT_FILE: Opt = Opt::new(
    "log_format_file",
    "log-format-file",
    FORMATS,
    Group::Logging,
    "The same for the log file alone",
)
.env("DBT_LOG_FORMAT_FILE");
pub const LOG_PATH: Opt = Opt::new(
    "log_path",
    "log-path",
    Kind::AbsolutePath,
    Group::Logging,
    "The folder of dbt.log [default: logs]",
)
.env("DBT_LOG_PATH");
pub const LOG_FILE_MAX_BYTES: Opt = Opt::new(
    "log_file_max_bytes",
    "log-file-max-bytes",
    Kind::Count,
    Group::Rare,
    "How long dbt.log may get before a new one is begun; 0 for no limit [default: 10485760]",
)
.env("DBT_LOG_FILE_MAX_BYTES");
pub const LOG_CACHE_EVENTS: Opt = Opt::new(
    "log_cache_events",
    "log-cache-events",
    Kind::Toggle("no-log-cache-events"),
    Group::Rare,
    "Log changes of the list of relations",
)
.env("DBT_LOG_CACHE_EVENTS");
pub const PRINTER_WIDTH: Opt = Opt::new(
    "printer_width",
    "printer-width",
    Kind::Count,
    Group::Logging,
    "The width of lines [default: 80]",
)
.env("DBT_PRINTER_WIDTH");
pub const USE_COLORS: Opt = Opt::new(
    "use_colors",
    "use-colors",
    Kind::Toggle("no-use-colors"),
    Group::Logging,
    "Colour the output [default: on a terminal]",
)
.env("DBT_USE_COLORS");
pub const USE_COLORS_FILE: Opt = Opt::new(
    "use_colors_file",
    "use-colors-file",
    Kind::Toggle("no-use-colors-file"),
    Group::Rare,
    "Colour the log file",
)
.env("DBT_USE_COLORS_FILE");
pub const WARN_ERROR: Opt =
    Opt::new("warn_error", "warn-error", Kind::Switch, Group::Logging, "Make every warning an error")
        .env("DBT_WARN_ERROR");
pub const WARN_ERROR_OPTIONS: Opt = Opt::new(
    "warn_error_options",
    "warn-error-options",
    Kind::WarnErrorOptions,
    Group::Logging,
    "Which warnings are errors, which are silent: '{error: all, warn: [NoNodesForSelectionCriteria]}'",
)
.env("DBT_WARN_ERROR_OPTIONS");
pub const SHOW_ALL_DEPRECATIONS: Opt = Opt::new(
    "show_all_deprecations",
    "show-all-deprecations",
    Kind::Toggle("no-show-all-deprecations"),
    Group::Rare,
    "Show every deprecation, not only the first of a kind",
);
pub const SHOW_RESOURCE_REPORT: Opt = Opt::new(
    "show_resource_report",
    "show-resource-report",
    Kind::Toggle("no-show-resource-report"),
    Group::Hidden,
    "Say how much time and memory the command took",
)
.env("DBT_SHOW_RESOURCE_REPORT");
pub const MACRO_DEBUGGING: Opt = Opt::new(
    "macro_debugging",
    "macro-debugging",
    Kind::Toggle("no-macro-debugging"),
    Group::Hidden,
    "Accepted for compatibility",
)
.env("DBT_MACRO_DEBUGGING");
pub const RECORD_TIMING_INFO: Opt = Opt::new(
    "record_timing_info",
    "record-timing-info",
    Kind::Path,
    Group::Hidden,
    "Accepted for compatibility",
)
.short('r');
pub const SEND_ANONYMOUS_USAGE_STATS: Opt = Opt::new(
    "send_anonymous_usage_stats",
    "send-anonymous-usage-stats",
    Kind::Toggle("no-send-anonymous-usage-stats"),
    Group::Hidden,
    "Accepted for compatibility: rbt never sends anything",
)
.env("DBT_SEND_ANONYMOUS_USAGE_STATS");
pub const UPLOAD_ARTIFACTS: Opt = Opt::new(
    "upload_to_artifacts_ingest_api",
    "upload-to-artifacts-ingest-api",
    Kind::Toggle("no-upload-to-artifacts-ingest-api"),
    Group::Hidden,
    "Accepted for compatibility: rbt never sends anything",
)
.env("DBT_UPLOAD_TO_ARTIFACTS_INGEST_API");

/// Old environment variables: (old name, option, whether it says the opposite).
pub const OLD_ENV: &[(&str, &Opt, bool)] = &[
    ("DBT_DEFER_TO_STATE", &DEFER, false),
    ("DBT_FAVOR_STATE_MODE", &FAVOR_STATE, false),
    ("DBT_NO_PRINT", &PRINT, true),
    ("DBT_ARTIFACT_STATE_PATH", &STATE, false),
];
