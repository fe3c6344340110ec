//! The command line: which commands there are, what each takes, and how words become [`Flags`].
//!
//! Global options may stand before and after the command's name, as dbt allows; the environment fills in what the
//! command line leaves open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::{Map, Value, json};

use crate::cli::options::{self as o, GLOBAL, Kind, OLD_ENV, Opt};
use crate::cli::usage::Stop;
use crate::cli::{complete, help, manual, usage, values};
use crate::error::{self, Error};
use crate::flags::{Command, Flags, Notice};

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
    pub options: &'static [Opt],
}

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
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::RESOURCE_TYPES,
            o::EXCLUDE_RESOURCE_TYPES,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::DATE,
            o::SANDBOX,
            o::NO_EXTRACT,
            o::FULL_REFRESH,
            o::THREADS,
            o::EMPTY,
            o::SAMPLE,
            o::EVENT_TIME_START,
            o::EVENT_TIME_END,
            o::STORE_FAILURES,
            o::SHOW,
            o::EXPORT_SAVED_QUERIES,
            o::INCLUDE_SAVED_QUERY,
            o::SQLPARSE,
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
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::FULL_REFRESH,
            o::THREADS,
            o::EMPTY,
            o::SAMPLE,
            o::EVENT_TIME_START,
            o::EVENT_TIME_END,
            o::SQLPARSE,
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
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::RESOURCE_TYPES,
            o::EXCLUDE_RESOURCE_TYPES,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::STORE_FAILURES,
            o::THREADS,
            o::SQLPARSE,
        ],
    },
    Spec {
        words: &["seed"],
        command: Command::Seed,
        about: "Load CSV files into tables",
        examples: &[("All seeds, into new tables", "seed --full-refresh")],
        positional: None,
        options: &[
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::FULL_REFRESH,
            o::THREADS,
            o::SHOW,
            o::SQLPARSE,
        ],
    },
    Spec {
        words: &["snapshot"],
        command: Command::Snapshot,
        about: "Record what changed in snapshots",
        examples: &[("One snapshot", "snapshot --select customers_history")],
        positional: None,
        options: &[
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::THREADS,
            o::EMPTY,
            o::SQLPARSE,
        ],
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
        options: &[
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::DATE,
            o::SANDBOX,
            o::EXTRACT_ANEW,
            o::THREADS,
        ],
    },
    Spec {
        words: &["source", "freshness"],
        command: Command::SourceFreshness,
        about: "Check how old the data of the sources is",
        examples: &[("The tables of one source", "source freshness --select source:shop")],
        positional: None,
        options: &[
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::THREADS,
            o::FRESHNESS_OUTPUT,
            o::SQLPARSE,
        ],
    },
    Spec {
        words: &["run-operation"],
        command: Command::RunOperation,
        about: "Run a macro",
        examples: &[("With arguments", "run-operation grant_select --args '{role: reporter}'")],
        positional: Some(("macro", true)),
        options: &[o::ARGS, o::PROJECT_DIR, o::PROFILES_DIR, o::VARS, o::TARGET_PATH, o::THREADS],
    },
    Spec {
        words: &["retry"],
        command: Command::Retry,
        about: "Run what failed or was skipped in the last command again",
        examples: &[("With the same options as before", "retry")],
        positional: None,
        options: &[o::PROJECT_DIR, o::PROFILES_DIR, o::VARS, o::TARGET_PATH, o::FULL_REFRESH, o::THREADS],
    },
    Spec {
        words: &["clone"],
        command: Command::Clone,
        about: "Make copies of nodes from the relations of an earlier state",
        examples: &[("All of production", "clone --state prod")],
        positional: None,
        options: &[
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::RESOURCE_TYPES,
            o::EXCLUDE_RESOURCE_TYPES,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::FULL_REFRESH,
            o::THREADS,
        ],
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
            o::LIST_SELECT,
            o::MODELS,
            o::EXCLUDE,
            o::SELECTOR,
            o::RESOURCE_TYPES,
            o::EXCLUDE_RESOURCE_TYPES,
            o::LIST_OUTPUT,
            o::OUTPUT_KEYS,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
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
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::INLINE,
            o::INLINE_DIRECT,
            o::LIMIT,
            o::SHOW_OUTPUT,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::FULL_REFRESH,
            o::INTROSPECT,
            o::THREADS,
            o::SQLPARSE,
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
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::INLINE,
            o::SHOW_OUTPUT,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::FULL_REFRESH,
            o::EMPTY,
            o::INTROSPECT,
            o::INJECT_EPHEMERAL_CTES,
            o::THREADS,
            o::SQLPARSE,
        ],
    },
    Spec {
        words: &["parse"],
        command: Command::Parse,
        about: "Read the project, check it, and write manifest.json",
        examples: &[],
        positional: None,
        options: &[o::PROJECT_DIR, o::PROFILES_DIR, o::VARS, o::TARGET_PATH, o::THREADS],
    },
    Spec {
        words: &["docs", "generate"],
        command: Command::DocsGenerate,
        about: "Write the documentation of the project: manifest.json and catalog.json",
        examples: &[("As a single page", "docs generate --static")],
        positional: None,
        options: &[
            o::SELECT,
            o::EXCLUDE,
            o::SELECTOR,
            o::PROJECT_DIR,
            o::PROFILES_DIR,
            o::VARS,
            o::TARGET_PATH,
            o::COMPILE_DOCS,
            o::EMPTY_CATALOG,
            o::STATIC,
            o::THREADS,
            o::SQLPARSE,
        ],
    },
    Spec {
        words: &["docs", "serve"],
        command: Command::DocsServe,
        about: "Serve the documentation as web pages",
        examples: &[("On another port", "docs serve --port 8081 --no-browser")],
        positional: None,
        options: &[o::BROWSER, o::HOST, o::PORT, o::PROJECT_DIR, o::PROFILES_DIR, o::VARS, o::TARGET_PATH],
    },
    Spec {
        words: &["deps"],
        command: Command::Deps,
        about: "Install the packages of packages.yml",
        examples: &[("Add one", "deps --add-package dbt-labs/dbt_utils@1.3.0")],
        positional: None,
        options: &[
            o::ADD_PACKAGE,
            o::SOURCE,
            o::LOCK,
            o::UPGRADE,
            o::PROJECT_DIR,
            o::PROFILES_DIR_MAYBE,
            o::VARS,
        ],
    },
    Spec {
        words: &["init"],
        command: Command::Init,
        about: "Begin a new project",
        examples: &[("Without questions", "init my_project --skip-profile-setup")],
        positional: Some(("project_name", false)),
        options: &[o::SKIP_PROFILE_SETUP, o::PROJECT_DIR, o::PROFILES_DIR_MAYBE, o::VARS],
    },
    Spec {
        words: &["debug"],
        command: Command::Debug,
        about: "Say what is found where, and try the connection",
        examples: &[("Only the connection", "debug --connection")],
        positional: None,
        options: &[o::CONNECTION, o::CONFIG_DIR, o::PROJECT_DIR, o::PROFILES_DIR_MAYBE, o::VARS],
    },
    Spec {
        words: &["clean"],
        command: Command::Clean,
        about: "Delete the folders of clean-targets",
        examples: &[],
        positional: None,
        options: &[o::CLEAN_PROJECT_FILES_ONLY, o::PROJECT_DIR, o::PROFILES_DIR, o::VARS, o::TARGET_PATH],
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

/// Commands that only print: (their positional, where its value goes).
const PRINTING: [(Command, &str); 2] = [(Command::Completions, "shell"), (Command::Man, "page")];

/// Other names of commands: (name, the words it stands for).
pub const ALIASES: &[(&[&str], &[&str])] = &[
    (&["ls"], &["list"]),
    (&["freshness"], &["source", "freshness"]),
    (&["source", "snapshot-freshness"], &["source", "freshness"]),
];

/// Where rbt was called: everything outside of the words that decides about flags.
pub struct Surroundings {
    pub env: BTreeMap<String, String>,
    pub current_dir: PathBuf,
    pub home: Option<PathBuf>,
}

/// Reads the command line, `argv[0]` included.
///
/// Fails with [`Stop`] when there is nothing to run: help is asked for, or the words make no sense.
pub fn parse(argv: &[String], surroundings: &Surroundings) -> Result<Flags, Stop> {
    let program = program_name(argv);
    let words = argv.get(1..).unwrap_or_default();
    let matches = help::command(program)
        .try_get_matches_from(argv)
        .map_err(|error| usage::from_clap(program, words, error))?;
    let mut levels = vec![&matches];
    let mut path = Vec::new();
    while let Some((name, sub)) = levels[levels.len() - 1].subcommand() {
        levels.push(sub);
        path.push(name);
    }
    if levels.iter().any(|level| level.get_flag("version")) {
        return Err(Stop::Version);
    }
    let spec = find(&path).ok_or_else(|| Stop::missing_command(program, &path))?;
    let fail = |message: String| Stop::usage(program, spec.words, spec.positional, message);
    if let Some((_, positional)) = PRINTING.iter().find(|(command, _)| *command == spec.command) {
        let word = levels[levels.len() - 1].get_one::<String>(positional).map(String::as_str);
        let text = match spec.command {
            Command::Man => manual::page(program, word),
            _ => complete::script(program, word.unwrap_or_default()),
        };
        return Err(text.map_or_else(fail, Stop::Text));
    }
    collect(program, words, spec, &levels, surroundings).map_err(fail)
}

/// `dbt` when rbt is called by that name, so that tools which call `dbt` find what they expect.
pub fn program_name(argv: &[String]) -> &'static str {
    let stem = argv.first().and_then(|path| Path::new(path).file_stem());
    if stem.is_some_and(|stem| stem == "dbt") { "dbt" } else { "rbt" }
}

/// The command of these words, under its own name or another.
pub fn find(path: &[&str]) -> Option<&'static Spec> {
    let path = ALIASES.iter().find(|(alias, _)| *alias == path).map_or(path, |(_, words)| words);
    COMMANDS.iter().find(|spec| spec.words == path)
}

/// The options of a command and the global ones.
pub fn options(spec: &Spec) -> impl Iterator<Item = &'static Opt> {
    spec.options.iter().chain(GLOBAL)
}

fn collect(
    program: &str,
    words: &[String],
    spec: &'static Spec,
    levels: &[&ArgMatches],
    surroundings: &Surroundings,
) -> Result<Flags, String> {
    let mut flags = Flags { which: spec.command, program: program.into(), ..Flags::default() };
    flags.invocation_command = [&[program.to_owned()], words].concat().join(" ");
    flags.parameters = parameters(spec);

    flags.engine_env = engine_env(&surroundings.env);
    let mut given = Map::new();
    for opt in options(spec) {
        let found = match on_command_line(opt, levels)? {
            Some(words) => {
                flags.typed.insert(opt.name.into());
                Some((words, format!("'--{}'", opt.long)))
            }
            None => in_environment(opt, &surroundings.env, &mut flags.notices),
        };
        if let Some((words, origin)) = found {
            let value = values::convert(opt, &words, &mut flags.notices)
                .map_err(|reason| format!("Invalid value for {origin}: {reason}"))?;
            given.insert(opt.name.into(), value);
        }
    }
    if let Some((name, _)) = spec.positional
        && let Some(word) = levels[levels.len() - 1].get_one::<String>(name)
    {
        given.insert(name.into(), json!(word));
    }
    note_oddities(words, &surroundings.env, &mut flags.notices);
    add_places(&mut flags, surroundings);
    flags.overlay(given, "the command line").map_err(|error| error.message().to_owned())?;
    if is_truthy(surroundings.env.get("DO_NOT_TRACK")) {
        flags.send_anonymous_usage_stats = false;
    }
    make_absolute(&mut flags, &surroundings.current_dir);
    Ok(flags)
}

/// Settings of the earlier command that `retry` does not take over.
const NOT_RETRIED: &[&str] = &[
    "log_path",
    "profiles_dir",
    "project_dir",
    "defer_state",
    "target_path",
    "warn_error",
    "invocation_command",
    "show",
];

/// Commands that can be retried.
const RETRYABLE: &[Command] = &[
    Command::Build,
    Command::Clone,
    Command::Compile,
    Command::DocsGenerate,
    Command::Run,
    Command::RunOperation,
    Command::Seed,
    Command::Snapshot,
    Command::Test,
];

/// The flags with which `retry` repeats an earlier command: those of that command (`args` of its
/// `run_results.json`), under those that are given to `retry` itself.
///
/// Fails where that command cannot be retried.
pub fn retried(flags: &Flags, earlier: &Map<String, Value>) -> error::Result<Flags> {
    let which = earlier.get("which").cloned().unwrap_or_default();
    let command: Option<Command> = serde_json::from_value(which.clone()).ok();
    let spec = command
        .filter(|command| RETRYABLE.contains(command))
        .and_then(|command| COMMANDS.iter().find(|spec| spec.command == command))
        .ok_or_else(|| {
            Error::runtime(format!("the last command was {which}, which cannot be retried"))
                .help("retry follows build, run, test, seed, snapshot, compile, clone and run-operation")
        })?;
    // `retry --state` says where the results of the earlier command are, not what that command compares with.
    let kept = |name: &str| flags.typed.contains(name) && name != "state";
    let mut values = earlier.clone();
    values.retain(|name, value| !value.is_null() && !kept(name) && !NOT_RETRIED.contains(&name.as_str()));
    let mut again = Flags { state: None, ..flags.clone() };
    again.overlay(values, "run_results.json")?;
    again.which = spec.command;
    again.parameters = parameters(spec);
    Ok(again)
}

fn parameters(spec: &'static Spec) -> Vec<&'static str> {
    options(spec).map(|opt| opt.name).chain(spec.positional.map(|(name, _)| name)).collect()
}

/// The words given to an option, `["true"]` or `["false"]` if it takes none.
fn on_command_line(opt: &Opt, levels: &[&ArgMatches]) -> Result<Option<Vec<String>>, String> {
    let mut found = None;
    for level in levels {
        let here = match opt.kind {
            Kind::Switch | Kind::Toggle(_) => {
                let says = |id: &str| level.value_source(id) == Some(ValueSource::CommandLine);
                let known = level.try_contains_id(opt.name).is_ok();
                if known && says(opt.name) {
                    Some(vec!["true".to_owned()])
                } else if known && opt.negation().is_some_and(says) {
                    Some(vec!["false".to_owned()])
                } else {
                    None
                }
            }
            _ => match level.try_get_many::<String>(opt.name) {
                Ok(words) => words.map(|words| words.cloned().collect()),
                Err(_) => None,
            },
        };
        if here.is_some() {
            if found.is_some() {
                return Err(format!(
                    "{} was provided both before and after the subcommand, it can only be set either before or after.",
                    opt.name
                ));
            }
            found = here;
        }
    }
    Ok(found)
}

/// The words of an option's environment variable, and how to name it in an error.
fn in_environment(
    opt: &Opt,
    env: &BTreeMap<String, String>,
    notices: &mut Vec<Notice>,
) -> Option<(Vec<String>, String)> {
    let value = |name: &str| env.get(name).filter(|value| !value.is_empty());
    let words = |text: &String| match opt.kind {
        Kind::Words | Kind::Choices(_) => text.split_whitespace().map(str::to_owned).collect(),
        _ => vec![text.clone()],
    };
    for (old, owner, opposite) in OLD_ENV {
        if owner.name != opt.name {
            continue;
        }
        let Some(text) = value(old) else { continue };
        let new = opt.env.unwrap_or_default().replacen("DBT_", "DBT_ENGINE_", 1);
        notices.push(Notice {
            code: "EnvironmentVariableRenamed",
            message: format!(
                "The environment variable `{old}` has been renamed as `{new}`: please set that one."
            ),
        });
        let mut words: Vec<String> = words(text);
        if *opposite {
            words = vec![(!is_truthy(Some(text))).to_string()];
        }
        return Some((words, format!("the environment variable {old}")));
    }
    let name = opt.env?;
    let engine = name.replacen("DBT_", "DBT_ENGINE_", 1);
    [engine.as_str(), name]
        .into_iter()
        .find_map(|name| Some((words(value(name)?), format!("the environment variable {name}"))))
}

/// The variables of options that are set, under both of their names; the new name wins.
fn engine_env(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut both = BTreeMap::new();
    for old in COMMANDS.iter().flat_map(options).filter_map(|opt| opt.env) {
        let new = old.replacen("DBT_", "DBT_ENGINE_", 1);
        if let Some(value) = env.get(&new).or_else(|| env.get(old)) {
            both.insert(new, value.clone());
            both.insert(old.to_owned(), value.clone());
        }
    }
    both
}

fn is_truthy(value: Option<&String>) -> bool {
    value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "t" | "true" | "y" | "yes"))
}

/// Variables that begin with `DBT_ENGINE_` and belong to no option.
const OTHER_ENGINE_ENV: &[&str] = &[
    "DBT_ENGINE_INVOCATION_ENV",
    "DBT_ENGINE_RECORDED_FILE_PATH",
    "DBT_ENGINE_TEST_STATE_MODIFIED",
    "DBT_ENGINE_PACKAGE_HUB_URL",
    "DBT_ENGINE_DOWNLOAD_DIR",
    "DBT_ENGINE_PP_FILE_DIFF_TEST",
    "DBT_ENGINE_PP_TEST",
];

fn note_oddities(words: &[String], env: &BTreeMap<String, String>, notices: &mut Vec<Notice>) {
    for name in ["--models", "--model", "-m"] {
        if words.iter().any(|word| word == name) {
            notices.push(Notice {
                code: "ModelParamUsageDeprecation",
                message:
                    "Usage of `--models`, `--model`, and `-m` is deprecated in favor of `--select` or `-s`."
                        .into(),
            });
        }
    }
    for name in env.keys().filter(|name| name.starts_with("DBT_ENGINE_")) {
        let plain = name.replacen("DBT_ENGINE_", "DBT_", 1);
        let mut known = COMMANDS.iter().flat_map(options).filter_map(|opt| opt.env);
        if !OTHER_ENGINE_ENV.contains(&name.as_str()) && !known.any(|env| env == plain || env == name) {
            notices.push(Notice {
                code: "EnvironmentVariableNamespaceDeprecation",
                message: format!(
                    "Found custom environment variable `{name}` in the environment. The prefix `DBT_ENGINE` is \
                     reserved for the engine's own variables: please give yours another name."
                ),
            });
        }
    }
}

/// The folders of the project and of profiles.yml, where nobody says otherwise.
fn add_places(flags: &mut Flags, surroundings: &Surroundings) {
    let here = &surroundings.current_dir;
    let project = here.ancestors().find(|folder| folder.join("dbt_project.yml").exists());
    flags.project_dir = project.unwrap_or(here).to_path_buf();
    flags.profiles_dir = match &surroundings.home {
        Some(home) if !here.join("profiles.yml").exists() => home.join(".dbt"),
        _ => here.clone(),
    };
    match flags.which {
        Command::List => flags.output = Some("selector".into()),
        Command::Show | Command::Compile => flags.output = Some("text".into()),
        _ => {}
    }
}

fn make_absolute(flags: &mut Flags, current_dir: &Path) {
    let home = |path: &Path| match path.strip_prefix("~") {
        Ok(rest) => std::env::home_dir().map(|home| home.join(rest)),
        Err(_) => None,
    };
    for path in [&mut flags.project_dir, &mut flags.profiles_dir] {
        *path = current_dir.join(home(path).unwrap_or_else(|| path.clone()));
    }
}

#[cfg(test)]
mod tests;
