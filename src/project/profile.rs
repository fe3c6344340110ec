//! `profiles.yml`: which warehouse to build in, and how to reach it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::render::{Render, render_tree, render_value};
use super::yaml::{self, Mapping, Yaml};
use crate::error::{Error, Location, Result};

/// The name of the file.
pub const PROFILES_FILE: &str = "profiles.yml";

/// A chosen target of a profile.
#[derive(Debug, Clone)]
pub struct Profile {
    pub name: String,
    pub target_name: String,
    pub threads: usize,
    /// The output's keys with `type`, rendered, without `threads`.
    pub credentials: Map<String, Value>,
    /// What the profile says beside its outputs about extractors of sources: mappings of secrets, by type, rendered.
    pub extractors: Map<String, Value>,
    /// The file it comes from.
    pub file: PathBuf,
}

/// What the command line and the environment say about the profile.
#[derive(Debug, Clone, Default)]
pub struct ProfileOptions {
    /// `--profiles-dir` or `DBT_PROFILES_DIR`.
    pub profiles_dir: Option<PathBuf>,
    /// `--profile`
    pub profile: Option<String>,
    /// `--target`
    pub target: Option<String>,
    /// `--threads`
    pub threads: Option<usize>,
}

/// Where profiles are looked for, in order: the folder that is named, or else the current folder, `~/.dbt`
/// and at last the project's folder (which dbt does not look into).
fn candidates(options: &ProfileOptions, project_dir: &Path) -> Vec<PathBuf> {
    if let Some(dir) = &options.profiles_dir {
        return vec![dir.join(PROFILES_FILE)];
    }
    let current = std::env::current_dir().ok();
    let home = std::env::home_dir().map(|home| home.join(".dbt"));
    let project = Some(project_dir.to_owned());
    let mut files: Vec<PathBuf> = Vec::new();
    for file in [current, home, project].into_iter().flatten().map(|dir| dir.join(PROFILES_FILE)) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

/// The smallest profile, to be shown where none is found.
fn example(name: &str) -> String {
    format!(
        "{name}:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: dev.duckdb\n      threads: 4"
    )
}

/// Finds, reads and renders the profile that a project asks for.
///
/// `wanted` is the unrendered name in the project file, with its place in `project_file`. `render` is the
/// rendering for secrets: its context has `env_var` (with secrets) and `var`.
///
/// # Errors
/// If no profile is named, or it or its target cannot be found, read or rendered.
pub fn load(
    options: &ProfileOptions,
    wanted: Option<&Yaml>,
    project_file: &Path,
    render: Render,
) -> Result<Profile> {
    let project_dir = project_file.parent().unwrap_or(Path::new(""));
    let searched = candidates(options, project_dir);
    let name = profile_name(options, wanted, project_file, render)?;
    let Some(file) = searched.iter().find(|file| file.is_file()) else {
        let indent = |text: &str| format!("  {}", text.replace('\n', "\n  "));
        let looked: Vec<String> = searched.iter().map(|file| file.display().to_string()).collect();
        return Err(Error::runtime(format!(
            "Could not find profile named '{name}': there is no {PROFILES_FILE}"
        ))
        .help(format!(
            "create one, or name its folder with --profiles-dir; I looked for\n{}\nThis is enough:\n{}",
            indent(&looked.join("\n")),
            indent(&example(&name))
        )));
    };
    let text = std::fs::read_to_string(file).map_err(|error| Error::io("read", file, &error))?;
    read(options, &name, &text, file, render).map_err(|error| error.excerpt_from(&text))
}

fn profile_name(
    options: &ProfileOptions,
    wanted: Option<&Yaml>,
    project_file: &Path,
    render: Render,
) -> Result<String> {
    if let Some(name) = &options.profile {
        return Ok(name.clone());
    }
    let Some(wanted) = wanted else {
        return Err(Error::runtime("no profile was specified for this dbt project")
            .at(Location::file(project_file))
            .help("add a line such as  profile: my_profile  or name one with --profile"));
    };
    let name = render_value(wanted, project_file, render)?;
    Ok(name.need_str("`profile`", project_file)?.to_owned())
}

fn read(options: &ProfileOptions, name: &str, text: &str, file: &Path, render: Render) -> Result<Profile> {
    let tree = yaml::parse(text, file)?;
    if tree.is_null() {
        return Err(Error::runtime("the file of profiles is empty").at(Location::file(file)));
    }
    let profiles = tree.need_map("the profiles", file)?;
    let Some(profile) = profiles.get(name) else {
        let names: Vec<String> =
            profiles.iter().map(|(key, _)| key.key_text()).filter(|key| key != "config").collect();
        return Err(Error::runtime(format!("Could not find profile named '{name}'"))
            .at(Location::file(file))
            .help(format!("the profiles of this file are: {}", names.join(", "))));
    };
    let profile = profile.need_map(&format!("the profile '{name}'"), file)?;
    let target = match (&options.target, profile.get("target")) {
        (Some(target), _) => target.clone(),
        (None, Some(target)) => render_value(target, file, render)?.key_text(),
        (None, None) => "default".to_owned(),
    };
    let output = render_output(output(profile, name, &target, file)?, file, render)?;
    let Some(kind) = output.get("type").filter(|kind| !kind.is_null()) else {
        return Err(output
            .error(file, format!("the target '{target}' of profile '{name}' has no `type`"))
            .help("add  type: duckdb"));
    };
    kind.need_str("`type`", file)?;
    let threads = match options.threads {
        Some(threads) => threads,
        None => output.get("threads").map_or(Ok(1), |threads| read_threads(threads, file))?,
    };
    let mut credentials = match output.to_json() {
        Value::Object(credentials) => credentials,
        _ => Map::new(),
    };
    credentials.shift_remove("threads");
    Ok(Profile {
        name: name.to_owned(),
        target_name: target,
        threads,
        credentials,
        extractors: extractors(profile, file, render),
        file: file.to_owned(),
    })
}

/// The secrets of extractors. One that cannot be rendered, as its environment variable is not set, is not there: only who
/// extracts needs it.
fn extractors(profile: &Mapping, file: &Path, render: Render) -> Map<String, Value> {
    let mut all = Map::new();
    for (kind, secrets) in
        profile.get("extractors").and_then(Yaml::as_map).into_iter().flat_map(Mapping::iter)
    {
        let secrets = secrets.as_map().into_iter().flat_map(Mapping::iter);
        let rendered = secrets.filter_map(|(key, secret)| {
            let secret = render_value(secret, file, render).ok()?;
            Some((key.key_text(), Value::String(secret.key_text())))
        });
        all.insert(kind.key_text(), Value::Object(rendered.collect()));
    }
    all
}

fn output<'a>(profile: &'a Mapping, name: &str, target: &str, file: &Path) -> Result<&'a Yaml> {
    let Some(outputs) = profile.get("outputs") else {
        return Err(
            Error::runtime(format!("outputs not specified in profile '{name}'")).at(Location::file(file))
        );
    };
    let outputs_map = outputs.need_map("`outputs`", file)?;
    let Some(output) = outputs_map.get(target) else {
        let names: Vec<String> =
            outputs_map.iter().map(|(key, _)| format!(" - {}", key.key_text())).collect();
        let message = format!("The profile '{name}' does not have a target named '{target}'.");
        return Err(Error::runtime(message)
            .at(outputs.location(file))
            .help(format!("the valid target names for this profile are:\n{}", names.join("\n"))));
    };
    output.need_map(&format!("the target '{target}' of profile '{name}'"), file)?;
    Ok(output)
}

/// Renders an output. A password that is no valid template is taken as it is written.
fn render_output(output: &Yaml, file: &Path, render: Render) -> Result<Yaml> {
    let is_password = |path: &[String]| path.iter().any(|key| key == "password");
    let rendered = render_tree(output, file, &is_password, render)?;
    let Some(password) = output.get("password") else { return Ok(rendered) };
    let Yaml { value: yaml::YamlValue::Map(mut map), line, column } = rendered else { return Ok(rendered) };
    let password = render_value(password, file, render).unwrap_or_else(|_| password.clone());
    map.set("password", password);
    Ok(Yaml { value: yaml::YamlValue::Map(map), line, column })
}

fn read_threads(node: &Yaml, file: &Path) -> Result<usize> {
    let number = node.as_i64().or_else(|| node.as_str()?.trim().parse().ok());
    number.and_then(|number| usize::try_from(number).ok()).filter(|threads| *threads > 0).ok_or_else(|| {
        node.error(file, format!("`threads` must be a whole number above 0, found {}", node.key_text()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
shop:
  target: '{{ env_var(\"T\") }}'
  outputs:
    dev: {type: duckdb, path: '{{ env_var(\"P\") }}', threads: 4, password: '{{ oops'}
    ci: {type: duckdb, threads: '2'}
    bare: {path: x}
    wrong: 3
empty: {}
";

    fn render(template: &str, _: &Location) -> Result<Yaml> {
        match template {
            "{{ env_var(\"T\") }}" => Ok(Yaml::from("dev")),
            "{{ env_var(\"P\") }}" => Ok(Yaml::from("shop.duckdb")),
            other => Err(Error::compilation(format!("cannot render {other}"))),
        }
    }

    fn profile(name: &str, target: Option<&str>) -> Result<Profile> {
        let options = ProfileOptions { target: target.map(str::to_owned), ..ProfileOptions::default() };
        read(&options, name, TEXT, Path::new("profiles.yml"), &render)
    }

    #[test]
    fn reads_the_chosen_target() {
        let dev = profile("shop", None).expect("a profile");
        assert_eq!((dev.target_name.as_str(), dev.threads), ("dev", 4));
        let expected = serde_json::json!({"type": "duckdb", "path": "shop.duckdb", "password": "{{ oops"});
        assert_eq!(Value::Object(dev.credentials), expected);
        assert_eq!(profile("shop", Some("ci")).expect("a profile").threads, 2);
    }

    #[test]
    fn errors_teach() {
        let cases = [
            ("nope", None, "Could not find profile named 'nope'", "shop, empty"),
            ("shop", Some("prod"), "does not have a target named 'prod'", " - dev"),
            ("shop", Some("bare"), "has no `type`", "type: duckdb"),
            ("shop", Some("wrong"), "expected a mapping", "found a number"),
            ("empty", None, "outputs not specified in profile 'empty'", "profiles.yml"),
        ];
        for (name, target, message, help) in cases {
            let error = profile(name, target).expect_err(message).to_string();
            assert!(error.contains(message) && error.contains(help), "{error}");
        }
        let error = load(&ProfileOptions::default(), None, Path::new("p/dbt_project.yml"), &render);
        assert!(error.expect_err("no name").message().contains("no profile was specified"));
    }
}
