//! The command line: which commands there are, what each takes, and how words become [`Flags`].
//!
//! Global options may stand before and after the command's name, as dbt allows; the environment fills in what the
//! command line leaves open.

mod commands;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::{Map, Value, json};

use crate::cli::options::{GLOBAL, Kind, OLD_ENV, Opt};
use crate::cli::usage::Stop;
use crate::cli::{complete, help, manual, usage, values};
use crate::error::{self, Error};
use crate::flags::{Command, Flags, Notice};

pub use commands::{ALIASES, COMMANDS, Spec};

/// Commands that only print: (their positional, where its value goes).
const PRINTING: [(Command, &str); 2] = [(Command::Completions, "shell"), (Command::Man, "page")];

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
    spec.options.iter().copied().flatten().chain(GLOBAL)
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
    flags.written_profiles_dir.clone_from(&flags.profiles_dir);
    for path in [&mut flags.project_dir, &mut flags.profiles_dir] {
        *path = current_dir.join(home(path).unwrap_or_else(|| path.clone()));
    }
}

#[cfg(test)]
mod tests;
