//! `deps --add-package`: one more package in the project's list.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, Location, Result};
use crate::project::yaml;

/// Adds a package to `packages.yml`, or to `dependencies.yml` where a project has that, and gives the file. A package
/// that is listed already gets the new version. Comments stay where the text can just be added to.
///
/// # Arguments
/// - `source`: `hub`, `git` or `local`, which says what the name is.
///
/// # Errors
/// If a version is missing, or the file cannot be read, understood or written.
pub fn add_package(root: &Path, source: &str, name: &str, version: Option<&str>) -> Result<PathBuf> {
    let entry = entry(source, name, version)?;
    let file = match root.join("dependencies.yml") {
        file if file.exists() => file,
        _ => root.join("packages.yml"),
    };
    let old = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::io("read", &file, &error)),
    };
    let wanted = with_entry(parsed(&old, &file)?, &entry, &file)?;
    let text = appended(&old, &entry)
        .into_iter()
        .find(|text| parsed(text, &file).is_ok_and(|tree| tree == wanted))
        .unwrap_or_else(|| yaml::to_text(&wanted));
    std::fs::write(&file, text).map_err(|error| Error::io("write", &file, &error))?;
    Ok(file)
}

fn entry(source: &str, name: &str, version: Option<&str>) -> Result<Map<String, Json>> {
    let (key, version_key) = match source {
        "git" => ("git", "revision"),
        "local" => ("local", ""),
        _ => ("package", "version"),
    };
    let mut entry = Map::new();
    entry.insert(key.to_owned(), json!(name));
    match version {
        _ if source == "local" => {}
        Some(version) => drop(entry.insert(version_key.to_owned(), json!(version))),
        None => {
            return Err(Error::usage(format!(
                "Version is required in --add-package when source is {source}."
            ))
            .help("write name@version: --add-package dbt-labs/dbt_utils@1.3.0"));
        }
    }
    Ok(entry)
}

fn parsed(text: &str, file: &Path) -> Result<Json> {
    yaml::parse(text, file).map(|tree| tree.to_json())
}

/// The file's content with the entry, which replaces one of the same name.
fn with_entry(tree: Json, entry: &Map<String, Json>, file: &Path) -> Result<Json> {
    let mut content = match tree {
        Json::Object(content) => content,
        Json::Null => Map::new(),
        _ => return Err(Error::parsing("the list of packages is no mapping").at(Location::file(file))),
    };
    let list = content.entry("packages").or_insert(Json::Null);
    let mut packages = match list.take() {
        Json::Array(packages) => packages,
        Json::Null => Vec::new(),
        _ => return Err(Error::parsing("`packages` is no list").at(Location::file(file))),
    };
    let name = entry.iter().next();
    packages.retain(|package| name.is_none_or(|(key, name)| package.get(key) != Some(name)));
    packages.push(Json::Object(entry.clone()));
    *list = Json::Array(packages);
    Ok(Json::Object(content))
}

/// The text with the entry behind it, in the ways in which lists are usually indented.
fn appended(old: &str, entry: &Map<String, Json>) -> Vec<String> {
    let old = old.trim_end();
    let head = if old.is_empty() { "packages:".to_owned() } else { old.to_owned() };
    let lines = |indent: &str| {
        let fields: Vec<String> = entry.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        format!("{head}\n{indent}- {}\n", fields.join(&format!("\n{indent}  ")))
    };
    ["  ", "", "    "].map(lines).to_vec()
}
