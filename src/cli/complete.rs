//! Shell completions: commands, options, and the names that the project at hand has.
//!
//! The shell asks by calling the program with [`VARIABLE`] set; `rbt completions` prints what makes it do so. Names
//! come from the last `manifest.json`, without parsing; without one, from the files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::builder::ArgExt;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use serde_json::Value as Json;

use super::help;
use crate::project::yaml;

/// Set by the shell's hook: the name of the shell.
const VARIABLE: &str = "RBT_COMPLETE";

/// The shells that there are completions for.
pub fn shells() -> Vec<&'static str> {
    Shells::builtins().names().collect()
}

/// Answers the shell if it asks what may come next. Says whether it did.
pub fn answer(program: &'static str) -> bool {
    let completer = CompleteEnv::with_factory(|| help::command(program)).var(VARIABLE).bin(program);
    // An error here would be printed into the line that is being typed.
    completer.try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref()).unwrap_or(true)
}

/// What a shell has to read so that it asks. Fails where the shell is unknown.
pub fn script(program: &str, shell: &str) -> Result<String, String> {
    let Some(writer) = Shells::builtins().completer(shell).map(|_| shell) else {
        return Err(format!("'{shell}' is not one of {}.", shells().join(", ")));
    };
    let mut text = Vec::new();
    let written = Shells::builtins().completer(writer).map(|writer| {
        writer.write_registration(VARIABLE, &program.replace('-', "_"), program, program, &mut text)
    });
    match written {
        Some(Ok(())) => Ok(String::from_utf8_lossy(&text).into_owned()),
        _ => Err(format!("no script can be written for {shell}.")),
    }
}

/// The values that an option can have, if they are known.
pub fn values_of(option: &str) -> Option<ArgValueCompleter> {
    let completer: fn(&OsStr) -> Vec<CompletionCandidate> = match option {
        "select" | "exclude" | "models" => nodes,
        "selector" => |word| matching(word, selectors()),
        "target" => |word| matching(word, targets()),
        "profile" => |word| matching(word, profiles()),
        "macro" => |word| matching(word, macros()),
        _ => return None,
    };
    Some(ArgValueCompleter::new(completer))
}

/// One of these words.
pub fn one_of(words: &'static [&'static str]) -> impl ArgExt {
    ArgValueCandidates::new(move || words.iter().map(CompletionCandidate::new).collect())
}

fn matching(word: &OsStr, names: Vec<String>) -> Vec<CompletionCandidate> {
    let word = word.to_string_lossy();
    names.into_iter().filter(|name| name.starts_with(&*word)).map(CompletionCandidate::new).collect()
}

/// The folder of the project in which the user stands.
fn project() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("DBT_PROJECT_DIR") {
        return Some(folder.into());
    }
    let here = std::env::current_dir().ok()?;
    here.ancestors().find(|folder| folder.join("dbt_project.yml").exists()).map(Path::to_path_buf)
}

fn read_yaml(path: &Path) -> Option<Json> {
    let text = std::fs::read_to_string(path).ok()?;
    yaml::parse(&text, path).ok().map(|tree| tree.to_json())
}

fn manifest() -> Option<Json> {
    let project = project()?;
    let configured =
        || read_yaml(&project.join("dbt_project.yml"))?["target-path"].as_str().map(str::to_owned);
    let target =
        std::env::var("DBT_TARGET_PATH").ok().or_else(configured).unwrap_or_else(|| "target".to_owned());
    let text = std::fs::read(project.join(target).join("manifest.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Names, tags and methods of `--select`, behind the operators that are typed already.
fn nodes(word: &OsStr) -> Vec<CompletionCandidate> {
    let word = word.to_string_lossy();
    let begun = word.rfind([',', ' ']).map_or(0, |index| index + 1);
    let name = word[begun..].trim_start_matches('@').trim_start_matches(|sign: char| sign.is_ascii_digit());
    let name = name.strip_prefix('+').unwrap_or(&word[begun..]).trim_start_matches('@');
    let operators = &word[..word.len() - name.len()];
    let names = match manifest() {
        Some(manifest) => names_of(&manifest, !name.is_empty()),
        None => file_names(),
    };
    let fitting = names.into_iter().filter(|(known, _)| known.starts_with(name));
    fitting
        .map(|(known, help)| {
            CompletionCandidate::new(format!("{operators}{known}")).help(help.map(Into::into))
        })
        .collect()
}

/// What the manifest has, with the first line of its description. Tests, of which there are many, only for a word
/// that is begun.
fn names_of(manifest: &Json, with_tests: bool) -> Vec<(String, Option<String>)> {
    let entries = |kind: &str| manifest[kind].as_object().into_iter().flatten().map(|(_, entry)| entry);
    let text = |entry: &Json, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let about = |entry: &Json| {
        let line = entry["description"].as_str().and_then(|text| text.lines().next());
        line.filter(|line| !line.is_empty()).map(str::to_owned)
    };
    let mut names = Vec::new();
    let mut tags: Vec<String> = Vec::new();
    for node in entries("nodes") {
        let kind = node["resource_type"].as_str().unwrap_or_default();
        if matches!(kind, "model" | "seed" | "snapshot") || (kind == "test" && with_tests) {
            names.push((text(node, "name"), about(node)));
        }
        tags.extend(
            node["tags"].as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned),
        );
    }
    for source in entries("sources") {
        names.push((
            format!("source:{}.{}", text(source, "source_name"), text(source, "name")),
            about(source),
        ));
    }
    for exposure in entries("exposures") {
        names.push((format!("exposure:{}", text(exposure, "name")), about(exposure)));
    }
    tags.sort();
    tags.dedup();
    names.extend(tags.into_iter().map(|tag| (format!("tag:{tag}"), None)));
    names.extend(["state:modified", "state:new", "result:error"].map(|method| (method.to_owned(), None)));
    names.sort();
    names
}

/// The names that files have, before anything was parsed.
fn file_names() -> Vec<(String, Option<String>)> {
    let Some(project) = project() else { return Vec::new() };
    let folders = ["models", "seeds", "snapshots"].map(|folder| project.join(folder));
    let files = folders.iter().flat_map(|folder| walkdir::WalkDir::new(folder).into_iter().flatten());
    let paths = files.map(walkdir::DirEntry::into_path);
    let nodes = paths.filter(|path| path.extension().is_some_and(|kind| kind == "sql" || kind == "csv"));
    let mut names: Vec<_> =
        nodes.filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), None))).collect();
    names.sort();
    names
}

fn selectors() -> Vec<String> {
    let Some(file) = project().and_then(|project| read_yaml(&project.join("selectors.yml"))) else {
        return Vec::new();
    };
    let list = file["selectors"].as_array().into_iter().flatten();
    list.filter_map(|selector| selector["name"].as_str().map(str::to_owned)).collect()
}

fn macros() -> Vec<String> {
    let Some(manifest) = manifest() else { return Vec::new() };
    let own = manifest["metadata"]["project_name"].clone();
    let macros = manifest["macros"].as_object().into_iter().flatten();
    let macros =
        macros.filter(|(_, entry)| !matches!(entry["package_name"].as_str(), Some("dbt" | "dbt_duckdb")));
    let name = |entry: &Json| {
        let name = entry["name"].as_str()?;
        let package = entry["package_name"].as_str()?;
        Some(if entry["package_name"] == own { name.to_owned() } else { format!("{package}.{name}") })
    };
    macros.filter_map(|(_, entry)| name(entry)).collect()
}

fn profiles_file() -> Option<Json> {
    let named = std::env::var_os("DBT_PROFILES_DIR").map(PathBuf::from);
    let places =
        [named, std::env::current_dir().ok(), std::env::home_dir().map(|home| home.join(".dbt")), project()];
    places.into_iter().flatten().find_map(|folder| read_yaml(&folder.join("profiles.yml")))
}

fn profiles() -> Vec<String> {
    let Some(Json::Object(profiles)) = profiles_file() else { return Vec::new() };
    profiles.into_iter().map(|(name, _)| name).filter(|name| name != "config").collect()
}

/// The targets of the project's profile, or of all.
fn targets() -> Vec<String> {
    let Some(Json::Object(profiles)) = profiles_file() else { return Vec::new() };
    let own = project().and_then(|project| read_yaml(&project.join("dbt_project.yml")));
    let own = own.and_then(|project| project["profile"].as_str().map(str::to_owned));
    let wanted = profiles.iter().filter(|(name, _)| own.as_ref().is_none_or(|own| own == *name));
    let outputs = wanted.filter_map(|(_, profile)| profile["outputs"].as_object());
    outputs.flat_map(|outputs| outputs.keys().cloned()).collect()
}
