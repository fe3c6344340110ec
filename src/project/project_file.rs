//! `dbt_project.yml`: what one package says about itself.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Warning;
use super::config::ConfigTrees;
use super::render::{Render, render_tree};
use super::semver::{DBT_VERSION, Version, VersionSpec};
use super::yaml::{self, Duplicate, Mapping, Yaml, YamlValue};
use crate::error::{Error, ErrorKind, Location, Result};
use crate::text::nearest;

/// The name of the file.
pub const PROJECT_FILE: &str = "dbt_project.yml";

/// A project file that is read but not yet rendered: rendering needs the profile, and the profile's name is
/// in here.
#[derive(Debug)]
pub struct RawProject {
    /// The folder of the project.
    pub root: PathBuf,
    file: PathBuf,
    text: String,
    tree: Yaml,
    duplicates: Vec<Duplicate>,
}

/// One package as its project file declares it.
#[derive(Debug)]
pub struct Project {
    pub name: String,
    /// The folder of the project.
    pub root: PathBuf,
    pub version: Option<String>,
    pub model_paths: Vec<String>,
    pub seed_paths: Vec<String>,
    pub snapshot_paths: Vec<String>,
    pub analysis_paths: Vec<String>,
    pub macro_paths: Vec<String>,
    pub test_paths: Vec<String>,
    pub function_paths: Vec<String>,
    pub docs_paths: Vec<String>,
    pub asset_paths: Vec<String>,
    /// Where artifacts go, if the file says so; the command line comes first.
    pub target_path: Option<String>,
    pub log_path: Option<String>,
    pub clean_targets: Option<Vec<String>>,
    pub packages_install_path: String,
    pub query_comment: QueryComment,
    pub on_run_start: Vec<String>,
    pub on_run_end: Vec<String>,
    pub dispatch: Vec<Dispatch>,
    pub quoting: Quoting,
    pub restrict_access: bool,
    pub require_dbt_version: Vec<VersionSpec>,
    pub dbt_cloud: Map<String, Value>,
    pub vars: Mapping,
    /// What the file configures for resources, rendered.
    pub configs: ConfigTrees,
    /// The same as it is written, for `unrendered_config`.
    pub unrendered_configs: ConfigTrees,
}

/// The comment put on each statement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryComment {
    /// `None` stands for dbt's own comment, an empty text for no comment.
    pub comment: Option<String>,
    pub append: bool,
    pub job_label: bool,
}

/// Where the implementations of a package's macros are looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    pub macro_namespace: String,
    pub search_order: Vec<String>,
}

/// Which parts of a relation's name are quoted, as far as the project says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quoting {
    pub database: Option<bool>,
    pub schema: Option<bool>,
    pub identifier: Option<bool>,
}

/// All keys of the file.
const KNOWN_KEYS: [&str; 44] = [
    "name",
    "config-version",
    "version",
    "profile",
    "project-root",
    "model-paths",
    "source-paths",
    "seed-paths",
    "data-paths",
    "snapshot-paths",
    "analysis-paths",
    "macro-paths",
    "test-paths",
    "function-paths",
    "docs-paths",
    "asset-paths",
    "target-path",
    "log-path",
    "clean-targets",
    "packages-install-path",
    "query-comment",
    "on-run-start",
    "on-run-end",
    "require-dbt-version",
    "dispatch",
    "quoting",
    "restrict-access",
    "dbt-cloud",
    "flags",
    "vars",
    "packages",
    "models",
    "seeds",
    "snapshots",
    "analyses",
    "sources",
    "tests",
    "data_tests",
    "unit_tests",
    "metrics",
    "semantic-models",
    "saved-queries",
    "exposures",
    "functions",
];

/// Names that would hide what templates need.
const RESERVED_NAMES: [&str; 40] = [
    "_sql_results",
    "adapter",
    "api",
    "column",
    "config",
    "context",
    "database",
    "env",
    "env_var",
    "exceptions",
    "execute",
    "flags",
    "fromjson",
    "fromyaml",
    "graph",
    "invocation_id",
    "load_agate_table",
    "load_result",
    "log",
    "model",
    "modules",
    "post_hooks",
    "pre_hooks",
    "ref",
    "render",
    "return",
    "run_started_at",
    "schema",
    "source",
    "sql",
    "sql_now",
    "store_result",
    "store_raw_result",
    "target",
    "this",
    "tojson",
    "toyaml",
    "try_or_compiler_error",
    "var",
    "write",
];

impl RawProject {
    /// Reads the project file of a folder.
    ///
    /// # Errors
    /// If there is none, or it is not a YAML mapping.
    pub fn read(root: &Path) -> Result<RawProject> {
        let file = root.join(PROJECT_FILE);
        let text = match std::fs::read(&file) {
            Ok(bytes) => String::from_utf8(bytes)
                .map_err(|_| Error::parsing("the file is not valid UTF-8").at(Location::file(&file)))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::runtime(format!("no {PROJECT_FILE} found at {}", file.display()))
                    .help("run rbt in the folder of a dbt project, or name that folder with --project-dir"));
            }
            Err(error) => return Err(Error::io("read", &file, &error)),
        };
        RawProject::parse(root, text)
    }

    /// The same for a text.
    fn parse(root: &Path, text: String) -> Result<RawProject> {
        let file = root.join(PROJECT_FILE);
        let (mut tree, duplicates) = yaml::parse_checked(&text, &file)?;
        tree.need_map(&format!("the content of {PROJECT_FILE}"), &file)?;
        // The old name of a section; to have both is an error told later.
        if let YamlValue::Map(map) = &mut tree.value
            && !map.contains("data_tests")
            && let Some(tests) = map.remove("tests")
        {
            map.set("data_tests", tests);
        }
        Ok(RawProject { root: root.to_owned(), file, text, tree, duplicates })
    }

    /// The name of the profile as it is written, with its place; it is to be rendered like the profile.
    pub fn profile(&self) -> Option<&Yaml> {
        self.tree.get("profile").filter(|profile| !profile.is_null())
    }

    /// The project file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The name of the project, if it is written plainly.
    pub fn name(&self) -> Option<&str> {
        self.tree.get("name")?.as_str()
    }

    /// The value of a key as it is written.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.tree.get(key)
    }

    /// The `flags`, which dbt takes as they are written.
    ///
    /// # Errors
    /// If they are no mapping.
    pub fn flags(&self) -> Result<Option<&Mapping>> {
        match self.tree.get("flags") {
            Some(flags) => {
                flags.need_map("`flags`", &self.file).map(Some).map_err(|e| e.excerpt_from(&self.text))
            }
            None => Ok(None),
        }
    }

    /// The keys that stand twice.
    pub fn duplicate_warnings(&self) -> Vec<Warning> {
        self.duplicates
            .iter()
            .map(|duplicate| Warning {
                code: "DuplicateYAMLKeysDeprecation",
                message: format!("the key '{}' stands twice; the later value counts", duplicate.key),
                location: Some(Location::new(&self.file, duplicate.line as usize, duplicate.column as usize)),
            })
            .collect()
    }

    /// Renders the file and takes it apart.
    ///
    /// # Errors
    /// All mistakes in the file together; with `check_version` also if it excludes this version of dbt.
    pub fn render(&self, render: Render, check_version: bool) -> Result<(Project, Vec<Warning>)> {
        let rendered = render_tree(&self.tree, &self.file, &is_rendered_later, render)
            .map_err(|error| error.excerpt_from(&self.text))?;
        // `RawProject::parse` found a mapping, and rendering keeps mappings.
        let (Some(raw), Some(map)) = (self.tree.as_map(), rendered.as_map()) else {
            return Err(
                Error::parsing(format!("{PROJECT_FILE} is not a mapping")).at(Location::file(&self.file))
            );
        };
        let mut fields = Fields { map, file: &self.file, errors: Vec::new(), warnings: Vec::new() };
        let project = fields.project(&self.root, raw, check_version);
        // dbt's label for what is wrong with a project file.
        let labelled = |error: Error| error.excerpt_from(&self.text).of_kind(ErrorKind::Runtime);
        let errors = fields.errors.into_iter().map(labelled).collect();
        match (Error::many(errors), project) {
            (None, Some(project)) => Ok((project, fields.warnings)),
            (Some(error), _) => Err(error),
            (None, None) => Err(Error::parsing("the project has no name").at(Location::file(&self.file))),
        }
    }
}

/// Hooks, variables and the query comment are rendered where they are used.
fn is_rendered_later(path: &[String]) -> bool {
    let Some(first) = path.first() else { return false };
    match first.as_str() {
        "on-run-start" | "on-run-end" | "query-comment" | "vars" => true,
        "models" | "seeds" | "snapshots" | "tests" | "data_tests" => path.iter().any(|key| {
            let key = key.trim_start_matches(['+', ' ']);
            matches!(key, "pre-hook" | "post-hook" | "pre_hook" | "post_hook")
        }),
        _ => false,
    }
}

/// Takes the keys of the file, and collects what is wrong with them.
struct Fields<'a> {
    map: &'a Mapping,
    file: &'a Path,
    errors: Vec<Error>,
    warnings: Vec<Warning>,
}

impl Fields<'_> {
    /// The value of a key; an empty one counts as missing.
    fn get(&self, key: &str) -> Option<&Yaml> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn fail(&mut self, node: &Yaml, message: impl Into<String>) {
        self.errors.push(node.error(self.file, message));
    }

    /// Keeps a result, or its error.
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// Keeps the value of a key. What cannot be its value is told in dbt's words, too, which tools look for.
    fn keep_value<T>(&mut self, key: &str, result: Result<T>) -> Option<T> {
        let result = result.map_err(|error| {
            let Some(node) = self.get(key) else { return error };
            let shown = match &node.value {
                YamlValue::Str(text) => format!("'{text}'"),
                _ => node.key_text(),
            };
            let words = format!("at path ['{key}']: {shown} is not valid under any of the given schemas");
            let place = error.location().cloned().unwrap_or_else(|| node.location(self.file));
            Error::parsing(format!("{}\n{words}", error.message())).at(place)
        });
        self.keep(result)
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        let result = node.need_str(&format!("`{key}`"), self.file).map(str::to_owned);
        self.keep_value(key, result)
    }

    fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let result = texts(self.get(key)?, key, self.file);
        self.keep_value(key, result)
    }

    fn paths(&mut self, key: &str, default: &str) -> Vec<String> {
        self.texts(key).unwrap_or_else(|| vec![default.to_owned()])
    }

    fn mapping(&mut self, key: &str) -> Mapping {
        let Some(node) = self.get(key) else { return Mapping::default() };
        let result = node.need_map(&format!("`{key}`"), self.file).cloned();
        self.keep_value(key, result).unwrap_or_default()
    }

    /// A semantic version, or the number that `1.0` is in YAML.
    fn version(&mut self) -> Option<String> {
        let node = self.get("version")?;
        let text = node.key_text();
        let is_valid = match &node.value {
            YamlValue::Int(_) | YamlValue::Float(_) => true,
            // Two numbers are enough: `1.0`.
            YamlValue::Str(text) => {
                [text, &format!("{text}.0")].iter().any(|text| Version::parse(text).is_some())
            }
            _ => false,
        };
        let result = match is_valid {
            true => Ok(text),
            false => Err(node.error(self.file, "`version` is no version such as '1.0.0'")),
        };
        self.keep_value("version", result)
    }

    fn project(&mut self, root: &Path, raw: &Mapping, check_version: bool) -> Option<Project> {
        // First of all: keys may be unknown because they belong to another version.
        let shown_name = self.get("name").map(Yaml::key_text).unwrap_or_default();
        let require_dbt_version = self.required_versions(&shown_name, check_version);
        self.check_keys();
        let name = self.name();
        for section in ["models", "seeds", "snapshots", "sources", "data_tests", "unit_tests", "metrics"] {
            self.mapping(section);
        }
        for section in ["semantic-models", "saved-queries", "exposures", "functions", "analyses", "flags"] {
            self.mapping(section);
        }
        let model_paths =
            self.renamed_paths("source-paths", "model-paths", "models", "ConfigSourcePathDeprecation");
        let seed_paths = self.renamed_paths("data-paths", "seed-paths", "seeds", "ConfigDataPathDeprecation");
        let snapshot_paths = self.paths("snapshot-paths", "snapshots");
        let analysis_paths = self.paths("analysis-paths", "analyses");
        let macro_paths = self.paths("macro-paths", "macros");
        let test_paths = self.paths("test-paths", "tests");
        let function_paths = self.paths("function-paths", "functions");
        let docs_paths = self.texts("docs-paths").unwrap_or_else(|| {
            all_source_paths([
                &model_paths,
                &seed_paths,
                &snapshot_paths,
                &analysis_paths,
                &macro_paths,
                &test_paths,
                &function_paths,
            ])
        });
        Some(Project {
            root: root.to_owned(),
            version: self.version(),
            model_paths,
            seed_paths,
            snapshot_paths,
            analysis_paths,
            macro_paths,
            test_paths,
            function_paths,
            docs_paths,
            asset_paths: self.texts("asset-paths").unwrap_or_default(),
            target_path: self.moved_path("target-path", "target", "ConfigTargetPathDeprecation"),
            log_path: self.moved_path("log-path", "logs", "ConfigLogPathDeprecation"),
            clean_targets: self.texts("clean-targets"),
            packages_install_path: self
                .text("packages-install-path")
                .unwrap_or_else(|| "dbt_packages".into()),
            query_comment: self.query_comment(),
            on_run_start: self.texts_or_one("on-run-start"),
            on_run_end: self.texts_or_one("on-run-end"),
            dispatch: self.dispatch(),
            quoting: self.quoting(),
            restrict_access: self.flag("restrict-access"),
            require_dbt_version,
            dbt_cloud: self.json_mapping("dbt-cloud"),
            vars: self.mapping("vars"),
            configs: ConfigTrees::new(self.map),
            unrendered_configs: ConfigTrees::new(raw),
            name: name?,
        })
    }

    fn check_keys(&mut self) {
        for (key, _) in self.map.iter() {
            let text = key.key_text();
            if KNOWN_KEYS.contains(&text.as_str()) {
                continue;
            }
            let message = format!(
                "Additional properties are not allowed ('{text}' was unexpected): {PROJECT_FILE} has no such key"
            );
            let error = key.error(self.file, message);
            self.errors.push(match nearest(&text, KNOWN_KEYS) {
                Some(known) => error.help(format!("did you mean '{known}'?")),
                None => error.help("put values of your own under `vars`, or under `+meta` of a resource"),
            });
        }
        let has_content = |key: &str| self.get(key).and_then(Yaml::as_map).is_some_and(|map| !map.is_empty());
        if let Some((key, _)) =
            self.map.get_entry("tests").filter(|_| has_content("tests") && has_content("data_tests"))
        {
            let message = "Invalid project config: cannot have both 'tests' and 'data_tests' defined";
            let error = key.error(self.file, message);
            self.errors.push(error.help("they are two names of one section: keep `data_tests`"));
        }
    }

    fn name(&mut self) -> Option<String> {
        let Some(node) = self.get("name") else {
            let error = Error::parsing(format!("{PROJECT_FILE} has no `name`")).at(Location::file(self.file));
            self.errors.push(error.help("add a line such as  name: my_project"));
            return None;
        };
        let name = node.need_str("`name`", self.file).map(str::to_owned);
        let node = node.clone();
        let name = self.keep(name)?;
        let is_identifier = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !is_identifier {
            self.fail(
                &node,
                format!("'{name}' cannot be the name of a project: use letters, digits and '_'"),
            );
        }
        if RESERVED_NAMES.contains(&name.as_str()) {
            self.fail(&node, format!("Invalid project name: {name} is a reserved word"));
        }
        Some(name)
    }

    fn required_versions(&mut self, name: &str, check: bool) -> Vec<VersionSpec> {
        let Some(node) = self.get("require-dbt-version").cloned() else { return Vec::new() };
        let required = match node.as_str() {
            Some(text) => Ok(vec![text.to_owned()]),
            None => texts(&node, "require-dbt-version", self.file),
        };
        let mut specs = Vec::new();
        for text in self.keep(required).iter().flatten().flat_map(|required| required.split(',')) {
            match VersionSpec::parse(text) {
                Some(spec) => specs.push(spec),
                None => {
                    self.fail(&node, format!("\"{text}\" is not a valid semantic version, such as '>=1.3.0'"))
                }
            }
        }
        let installed = Version::parse(DBT_VERSION);
        if check && installed.is_some_and(|installed| !specs.iter().all(|spec| spec.allows(&installed))) {
            let wanted: Vec<String> = specs.iter().map(VersionSpec::to_string).collect();
            let message = format!(
                "This version of dbt is not supported with the '{name}' package: it requires dbt {}, and rbt stands for dbt {DBT_VERSION}",
                wanted.join(", ")
            );
            let error = node.error(self.file, message);
            self.errors
                .push(error.help("take another version of the package, or run with --no-version-check"));
        }
        specs
    }

    /// Paths under their name of today, or under the old one.
    fn renamed_paths(&mut self, old: &str, new: &str, default: &str, code: &'static str) -> Vec<String> {
        let Some((key, _)) = self.map.get_entry(old) else { return self.paths(new, default) };
        let key = key.clone();
        if self.map.contains(new) {
            self.fail(&key, format!("{old} and {new} cannot both be defined: keep only {new}"));
        }
        let message =
            format!("The `{old}` config has been renamed to `{new}`. Please rename it in {PROJECT_FILE}.");
        self.warn(code, &key, message);
        self.paths(old, default)
    }

    /// A path that dbt wants to have on the command line instead.
    fn moved_path(&mut self, key: &str, default: &str, code: &'static str) -> Option<String> {
        let path = self.text(key)?;
        if path != default {
            let node = self.map.get_entry(key).map(|(key, _)| key.clone())?;
            let variable = key.replace('-', "_").to_uppercase();
            self.warn(code, &node, format!("`{key}` is deprecated here: use --{key} or DBT_{variable}"));
        }
        Some(path)
    }

    fn warn(&mut self, code: &'static str, node: &Yaml, message: String) {
        self.warnings.push(Warning { code, message, location: Some(node.location(self.file)) });
    }

    fn query_comment(&mut self) -> QueryComment {
        let Some(node) = self.map.get("query-comment").cloned() else { return QueryComment::default() };
        let mut comment = QueryComment { comment: Some(String::new()), ..QueryComment::default() };
        if let Some(text) = node.as_str() {
            comment.comment = Some(text.to_owned());
        } else if !node.is_null() {
            let map = node.need_map("`query-comment`", self.file).cloned();
            let map = self.keep(map).unwrap_or_default();
            comment.comment = map.get("comment").and_then(Yaml::as_str).map(str::to_owned);
            for (key, value) in map.iter() {
                let is_set = value.as_bool().unwrap_or(false);
                match key.as_str() {
                    Some("comment") => {}
                    Some("append") => comment.append = is_set,
                    Some("job-label") => comment.job_label = is_set,
                    _ => self.fail(key, "`query-comment` has the keys `comment`, `append` and `job-label`"),
                }
            }
        }
        comment
    }

    /// A list of texts, or one text.
    fn texts_or_one(&mut self, key: &str) -> Vec<String> {
        match self.get(key).and_then(Yaml::as_str) {
            Some(text) => vec![text.to_owned()],
            None => self.texts(key).unwrap_or_default(),
        }
    }

    fn dispatch(&mut self) -> Vec<Dispatch> {
        let Some(node) = self.get("dispatch").cloned() else { return Vec::new() };
        let entries = node.need_seq("`dispatch`", self.file).map(<[Yaml]>::to_vec);
        let mut dispatch = Vec::new();
        for entry in self.keep(entries).unwrap_or_default() {
            let namespace = entry.get("macro_namespace").and_then(Yaml::as_str);
            let order = entry.get("search_order").map(|order| texts(order, "search_order", self.file));
            match (namespace, order) {
                (Some(namespace), Some(order)) => {
                    let search_order = self.keep(order).unwrap_or_default();
                    dispatch.push(Dispatch { macro_namespace: namespace.to_owned(), search_order });
                }
                _ => self.fail(
                    &entry,
                    "an entry of `dispatch` needs `macro_namespace` and the list `search_order`",
                ),
            }
        }
        dispatch
    }

    fn quoting(&mut self) -> Quoting {
        let mut quoting = Quoting::default();
        for (key, value) in self.mapping("quoting").iter() {
            let is_quoted = match value.is_null() {
                true => None,
                false => {
                    let result = value.need_bool("a part of `quoting`", self.file);
                    self.keep(result)
                }
            };
            match key.as_str() {
                Some("database" | "project") => quoting.database = is_quoted,
                Some("schema") => quoting.schema = is_quoted,
                Some("identifier") => quoting.identifier = is_quoted,
                Some("snowflake_ignore_case") => {}
                _ => self.fail(key, "`quoting` has the keys `database`, `schema` and `identifier`"),
            }
        }
        quoting
    }

    fn flag(&mut self, key: &str) -> bool {
        let Some(node) = self.get(key) else { return false };
        let result = node.need_bool(&format!("`{key}`"), self.file);
        self.keep(result).unwrap_or(false)
    }

    fn json_mapping(&mut self, key: &str) -> Map<String, Value> {
        self.mapping(key).iter().map(|(key, value)| (key.key_text(), value.to_json())).collect()
    }
}

fn texts(node: &Yaml, key: &str, file: &Path) -> Result<Vec<String>> {
    let items = node.need_seq(&format!("`{key}`"), file)?;
    items.iter().map(|item| item.need_str(&format!("an item of `{key}`"), file).map(str::to_owned)).collect()
}

/// Every path once, without slashes at the end, in the order given.
fn all_source_paths<'a>(lists: impl IntoIterator<Item = &'a Vec<String>>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for path in lists.into_iter().flatten() {
        let path = path.trim_end_matches('/');
        if !all.iter().any(|known| known == path) {
            all.push(path.to_owned());
        }
    }
    all
}

impl Project {
    /// The folders in which YAML files are looked for.
    pub fn all_source_paths(&self) -> Vec<String> {
        all_source_paths([
            &self.model_paths,
            &self.seed_paths,
            &self.snapshot_paths,
            &self.analysis_paths,
            &self.macro_paths,
            &self.test_paths,
            &self.function_paths,
        ])
    }

    /// The packages in which implementations of a namespace's macros are looked for, if the project says.
    pub fn macro_search_order(&self, namespace: &str) -> Option<&[String]> {
        let entry = self.dispatch.iter().find(|entry| entry.macro_namespace == namespace)?;
        Some(&entry.search_order)
    }
}

#[cfg(test)]
mod tests;
