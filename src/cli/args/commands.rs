//! The commands themselves: what each is called, what it does, and what it takes.

use crate::cli::options::{self as o, Opt};
use crate::flags::Command;

/// A command: its words, what it does, how it is used, and its options besides the global ones.
pub struct Spec {
    /// `["docs", "generate"]`
    pub words: &'static [&'static str],
    pub command: Command,
    pub about: &'static str,
    /// Pairs of a purpose and the words behind `rbt`.
    pub examples: &'static [(&'static str, &'static str)],
    /// A word that is no option: its name, and whether it must be there.
    pub positional: Option<(&'static str, bool)>,
    /// In the order of the help, in groups.
    pub options: &'static [&'static [Opt]],
}

/// Which nodes.
const SELECTION: &[Opt] = &[o::SELECT, o::EXCLUDE, o::SELECTOR];
/// Which kinds of nodes.
const TYPES: &[Opt] = &[o::RESOURCE_TYPES, o::EXCLUDE_RESOURCE_TYPES];
/// Where the project and its settings are.
const PLACES: &[Opt] = &[o::PROJECT_DIR, o::PROFILES_DIR, o::VARS, o::TARGET_PATH];
/// Which time of microbatch models.
const EVENT_TIME: &[Opt] = &[o::EVENT_TIME_START, o::EVENT_TIME_END];

/// All commands, in the order of the help.
pub const COMMANDS: &[Spec] = &[
    Spec {
        words: &["build"],
        command: Command::Build,
        about: "Build seeds, models and snapshots and run their tests, in the order of the graph",
        examples: &[
            ("Everything", "build"),
            ("A model, all it needs and all that needs it", "build --select +orders+"),
            ("What is tagged nightly, but not the staging folder", "build -s tag:nightly --exclude staging"),
            (
                "Only what changed since the last run in production",
                "build -s state:modified+ --defer --state prod",
            ),
        ],
        positional: None,
        options: &[
            SELECTION,
            TYPES,
            PLACES,
            &[o::DATE, o::SANDBOX, o::NO_EXTRACT, o::FULL_REFRESH, o::THREADS, o::EMPTY, o::SAMPLE],
            EVENT_TIME,
            &[o::STORE_FAILURES, o::SEPARATE_TESTS, o::SHOW],
            &[o::EXPORT_SAVED_QUERIES, o::INCLUDE_SAVED_QUERY, o::SQLPARSE],
        ],
    },
    Spec {
        words: &["run"],
        command: Command::Run,
        about: "Build models",
        examples: &[
            ("Everything in a folder", "run --select models/marts"),
            ("An incremental model from scratch", "run -s orders --full-refresh"),
        ],
        positional: None,
        options: &[
            SELECTION,
            PLACES,
            &[o::FULL_REFRESH, o::THREADS, o::EMPTY, o::SAMPLE],
            EVENT_TIME,
            &[o::SQLPARSE],
        ],
    },
    Spec {
        words: &["test"],
        command: Command::Test,
        about: "Run data tests and unit tests on what is built",
        examples: &[
            ("The tests of one model", "test --select orders"),
            ("Keep the failing rows in tables", "test --store-failures"),
        ],
        positional: None,
        options: &[
            SELECTION,
            TYPES,
            PLACES,
            &[o::STORE_FAILURES, o::SEPARATE_TESTS, o::THREADS, o::SQLPARSE],
        ],
    },
    Spec {
        words: &["seed"],
        command: Command::Seed,
        about: "Load CSV files into tables",
        examples: &[("All seeds, into new tables", "seed --full-refresh")],
        positional: None,
        options: &[SELECTION, PLACES, &[o::FULL_REFRESH, o::THREADS, o::SHOW, o::SQLPARSE]],
    },
    Spec {
        words: &["snapshot"],
        command: Command::Snapshot,
        about: "Record what changed in snapshots",
        examples: &[("One snapshot", "snapshot --select customers_history")],
        positional: None,
        options: &[SELECTION, PLACES, &[o::THREADS, o::EMPTY, o::SQLPARSE]],
    },
    Spec {
        words: &["extract"],
        command: Command::Extract,
        about: "Fetch raw data from the project's source extractors",
        examples: &[
            ("All sources that fetch themselves", "extract"),
            ("One source, from an invented world", "extract --select source:spotify --sandbox"),
        ],
        positional: None,
        options: &[SELECTION, PLACES, &[o::DATE, o::SANDBOX, o::EXTRACT_ANEW, o::THREADS]],
    },
    Spec {
        words: &["source", "freshness"],
        command: Command::SourceFreshness,
        about: "Check how old the data of the sources is",
        examples: &[("The tables of one source", "source freshness --select source:shop")],
        positional: None,
        options: &[SELECTION, PLACES, &[o::THREADS, o::FRESHNESS_OUTPUT, o::SQLPARSE]],
    },
    Spec {
        words: &["run-operation"],
        command: Command::RunOperation,
        about: "Run a macro",
        examples: &[("With arguments", "run-operation grant_select --args '{role: reporter}'")],
        positional: Some(("macro", true)),
        options: &[&[o::ARGS], PLACES, &[o::THREADS]],
    },
    Spec {
        words: &["retry"],
        command: Command::Retry,
        about: "Run what failed or was skipped in the last command again",
        examples: &[("With the same options as before", "retry")],
        positional: None,
        options: &[PLACES, &[o::FULL_REFRESH, o::THREADS]],
    },
    Spec {
        words: &["clone"],
        command: Command::Clone,
        about: "Make copies of nodes from the relations of an earlier state",
        examples: &[("All of production", "clone --state prod")],
        positional: None,
        options: &[SELECTION, TYPES, PLACES, &[o::FULL_REFRESH, o::THREADS]],
    },
    Spec {
        words: &["list"],
        command: Command::List,
        about: "List the nodes that are selected",
        examples: &[
            ("Try a selection before running it", "ls --select state:modified+ --state prod"),
            ("As JSON, with the keys you need", "ls --output json --output-keys name config.materialized"),
        ],
        positional: None,
        options: &[
            &[o::LIST_SELECT, o::MODELS, o::EXCLUDE, o::SELECTOR],
            TYPES,
            &[o::LIST_OUTPUT, o::OUTPUT_KEYS],
            PLACES,
        ],
    },
    Spec {
        words: &["show"],
        command: Command::Show,
        about: "Show the rows of a node or of a query, and build nothing",
        examples: &[
            ("Ten rows of a model", "show --select orders --limit 10"),
            ("A query", "show --inline \"select * from {{ ref('orders') }} where total < 0\""),
        ],
        positional: None,
        options: &[
            SELECTION,
            &[o::INLINE, o::INLINE_DIRECT, o::LIMIT, o::SHOW_OUTPUT],
            PLACES,
            &[o::FULL_REFRESH, o::INTROSPECT, o::THREADS, o::SQLPARSE],
        ],
    },
    Spec {
        words: &["compile"],
        command: Command::Compile,
        about: "Render the SQL of nodes into target/compiled, and build nothing",
        examples: &[
            ("Print the SQL of a model", "compile --select orders"),
            ("Try an expression", "compile --inline \"{{ ref('orders') }}\""),
        ],
        positional: None,
        options: &[
            SELECTION,
            &[o::INLINE, o::SHOW_OUTPUT],
            PLACES,
            &[o::FULL_REFRESH, o::EMPTY, o::INTROSPECT, o::INJECT_EPHEMERAL_CTES, o::THREADS, o::SQLPARSE],
        ],
    },
    Spec {
        words: &["parse"],
        command: Command::Parse,
        about: "Read the project, check it, and write manifest.json",
        examples: &[],
        positional: None,
        options: &[PLACES, &[o::THREADS]],
    },
    Spec {
        words: &["docs", "generate"],
        command: Command::DocsGenerate,
        about: "Write the documentation of the project: manifest.json and catalog.json",
        examples: &[("As a single page", "docs generate --static")],
        positional: None,
        options: &[
            SELECTION,
            PLACES,
            &[o::COMPILE_DOCS, o::EMPTY_CATALOG, o::STATIC, o::THREADS, o::SQLPARSE],
        ],
    },
    Spec {
        words: &["docs", "serve"],
        command: Command::DocsServe,
        about: "Serve the documentation as web pages",
        examples: &[("On another port", "docs serve --port 8081 --no-browser")],
        positional: None,
        options: &[&[o::BROWSER, o::HOST, o::PORT], PLACES],
    },
    Spec {
        words: &["deps"],
        command: Command::Deps,
        about: "Install the packages of packages.yml",
        examples: &[("Add one", "deps --add-package dbt-labs/dbt_utils@1.3.0")],
        positional: None,
        options: &[&[
            o::ADD_PACKAGE,
            o::SOURCE,
            o::LOCK,
            o::UPGRADE,
            o::PROJECT_DIR,
            o::PROFILES_DIR_MAYBE,
            o::VARS,
        ]],
    },
    Spec {
        words: &["init"],
        command: Command::Init,
        about: "Begin a new project",
        examples: &[("Without questions", "init my_project --skip-profile-setup")],
        positional: Some(("project_name", false)),
        options: &[&[o::SKIP_PROFILE_SETUP, o::PROJECT_DIR, o::PROFILES_DIR_MAYBE, o::VARS]],
    },
    Spec {
        words: &["debug"],
        command: Command::Debug,
        about: "Say what is found where, and try the connection",
        examples: &[("Only the connection", "debug --connection")],
        positional: None,
        options: &[&[o::CONNECTION, o::CONFIG_DIR, o::PROJECT_DIR, o::PROFILES_DIR_MAYBE, o::VARS]],
    },
    Spec {
        words: &["clean"],
        command: Command::Clean,
        about: "Delete the folders of clean-targets",
        examples: &[],
        positional: None,
        options: &[&[o::CLEAN_PROJECT_FILES_ONLY], PLACES],
    },
    Spec {
        words: &["completions"],
        command: Command::Completions,
        about: "Print what a shell needs to complete commands, options and names of nodes",
        examples: &[
            ("bash, for this and later sessions", "completions bash >> ~/.bashrc"),
            ("zsh", "completions zsh >> ~/.zshrc"),
            ("fish", "completions fish > ~/.config/fish/completions/rbt.fish"),
        ],
        positional: Some(("shell", true)),
        options: &[],
    },
    Spec {
        words: &["man"],
        command: Command::Man,
        about: "Print the manual page of the program or of a command",
        examples: &[
            ("Read it", "man | man -l -"),
            ("Install the page of a command", "man build > ~/.local/share/man/man1/rbt-build.1"),
        ],
        positional: Some(("page", false)),
        options: &[],
    },
];

/// Other names of commands: (name, the words it stands for).
pub const ALIASES: &[(&[&str], &[&str])] = &[
    (&["ls"], &["list"]),
    (&["freshness"], &["source", "freshness"]),
    (&["source", "snapshot-freshness"], &["source", "freshness"]),
];
