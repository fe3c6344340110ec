//! Property files: the YAML beside the SQL (<https://docs.getdbt.com/reference/configs-and-properties>).
//!
//! Entries are rendered here, but for what dbt renders later (descriptions, tests, hooks), and sorted by kind.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde_json::{Map, Value as Json};

use super::Parser;
use crate::error::{Error, Location, Result};
use crate::events::Warning;
use crate::manifest::ResourceType;
use crate::project::files::SourceFile;
use crate::project::project_file::Project;
use crate::project::yaml::{self, Mapping, Yaml, YamlValue};
use crate::text::nearest;

/// The kinds of entries a property file can hold: dbt's key and what it describes.
const SECTIONS: [(&str, ResourceType); 14] = [
    ("models", ResourceType::Model),
    ("seeds", ResourceType::Seed),
    ("snapshots", ResourceType::Snapshot),
    ("analyses", ResourceType::Analysis),
    ("functions", ResourceType::Function),
    ("data_tests", ResourceType::Test),
    ("sources", ResourceType::Source),
    ("macros", ResourceType::Macro),
    ("exposures", ResourceType::Exposure),
    ("groups", ResourceType::Group),
    ("unit_tests", ResourceType::UnitTest),
    ("metrics", ResourceType::Metric),
    ("semantic_models", ResourceType::SemanticModel),
    ("saved_queries", ResourceType::SavedQuery),
];

/// Top-level keys that are no list of entries.
const OTHER_KEYS: [&str; 3] = ["version", "anchors", "tests"];

/// One entry of a property file.
#[derive(Debug)]
pub struct Properties {
    pub kind: ResourceType,
    pub name: String,
    pub package: Arc<str>,
    /// The file, relative to its project: `models/schema.yml`.
    pub file: Arc<str>,
    /// The file where it is on disk, for messages.
    pub path: Arc<PathBuf>,
    /// The entry, rendered.
    pub yaml: Yaml,
    /// The entry's configuration: `config:` and the keys that may also stand at the top.
    pub config: Map<String, Json>,
    /// `config:` before rendering.
    pub unrendered_config: Map<String, Json>,
    /// Database and schema before rendering, of sources.
    pub unrendered_place: (Option<String>, Option<String>),
    used: AtomicBool,
}

impl Properties {
    /// dbt's name for the file: `package://models/schema.yml`.
    pub fn patch_path(&self) -> String {
        format!("{}://{}", self.package, self.file)
    }

    /// Notes that something in the project answers to this entry.
    pub fn mark_used(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    /// Whether nothing has answered to this entry.
    pub fn is_unused(&self) -> bool {
        !self.used.load(Ordering::Relaxed)
    }

    /// A text of the entry.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.yaml.get(key).and_then(Yaml::as_str)
    }

    /// The file below its resource folder: `schema.yml`.
    pub fn relative_path(&self) -> &str {
        self.file.split_once('/').map_or(&*self.file, |(_, rest)| rest)
    }

    /// Where the entry is.
    pub fn location(&self) -> Location {
        self.yaml.location(&self.path)
    }

    /// Where the value of the first configuration of a layer stands that is wrong by itself: in the entry of a version,
    /// or in that of the model.
    pub fn wrong_config(
        &self,
        layer: &Map<String, Json>,
        version: Option<&Yaml>,
        is_wrong: impl Fn(&Map<String, Json>) -> bool,
    ) -> Option<Location> {
        let levels = version.into_iter().chain([&self.yaml]);
        wrong_config(layer, levels, is_wrong).map(|value| value.location(&self.path))
    }

    /// An error at the entry.
    pub fn error(&self, message: impl Into<String>) -> Error {
        self.yaml.error(&self.path, message)
    }
}

/// The value of the first configuration of a layer that is wrong by itself, in the first mapping that has it, under
/// `config:` or beside it.
pub fn wrong_config<'a>(
    layer: &Map<String, Json>,
    levels: impl IntoIterator<Item = &'a Yaml>,
    is_wrong: impl Fn(&Map<String, Json>) -> bool,
) -> Option<&'a Yaml> {
    let alone = |(key, value): (&String, &Json)| Map::from_iter([(key.clone(), value.clone())]);
    let (key, _) = layer.iter().find(|pair| is_wrong(&alone(*pair)))?;
    let written =
        |yaml: &'a Yaml| yaml.get("config").and_then(|config| config.get(key)).or_else(|| yaml.get(key));
    levels.into_iter().find_map(written)
}

/// All entries of all packages, by kind, package and name.
#[derive(Debug, Default)]
pub struct PropertyIndex {
    pub all: Vec<Arc<Properties>>,
    by_name: HashMap<(ResourceType, String), Vec<Arc<Properties>>>,
}

impl PropertyIndex {
    /// The entry for a resource: the one in its own package.
    pub fn get(&self, kind: ResourceType, package: &str, name: &str) -> Option<&Arc<Properties>> {
        let entries = self.by_name.get(&(kind, name.to_owned()))?;
        entries.iter().find(|entry| &*entry.package == package)
    }

    /// All entries of a kind.
    pub fn of_kind(&self, kind: ResourceType) -> impl Iterator<Item = &Arc<Properties>> {
        self.all.iter().filter(move |entry| entry.kind == kind)
    }

    fn add(&mut self, entry: Properties) {
        let entry = Arc::new(entry);
        self.by_name.entry((entry.kind, entry.name.clone())).or_default().push(entry.clone());
        self.all.push(entry);
    }
}

/// Reads all property files of all packages.
pub fn read(parser: &Parser, files: &[(&Project, &SourceFile)]) -> Result<PropertyIndex> {
    let read: Vec<Result<Vec<Properties>>> =
        files.par_iter().map(|(project, file)| read_file(parser, project, file)).collect();
    let mut index = PropertyIndex::default();
    let mut errors = Vec::new();
    for entries in read {
        match entries {
            Ok(entries) => entries.into_iter().for_each(|entry| index.add(entry)),
            Err(error) => errors.push(error),
        }
    }
    match Error::many(errors) {
        Some(error) => Err(error),
        None => reject_duplicates(&index).map(|()| index),
    }
}

/// Two entries of one package for one resource contradict each other.
fn reject_duplicates(index: &PropertyIndex) -> Result<()> {
    let mut errors = Vec::new();
    for entry in &index.all {
        let refable = matches!(
            entry.kind,
            ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Analysis
        );
        let first = index.get(entry.kind, &entry.package, &entry.name);
        if let Some(first) = first.filter(|first| refable && !Arc::ptr_eq(first, entry)) {
            let kind = entry.kind;
            let name = &entry.name;
            errors.push(
                entry
                    .error(format!(
                        "dbt found two schema.yml entries for the same resource named {name}: \
                         which of them counts is not defined."
                    ))
                    .help(format!(
                        "remove the {kind} entry for {name} in one of these files:\n - {}\n - {}",
                        first.file, entry.file
                    )),
            );
        }
    }
    Error::many(errors).map_or(Ok(()), Err)
}

/// What is no YAML in property files.
pub fn syntax_errors(files: &[(&Project, &SourceFile)]) -> Vec<Error> {
    let parse = |file: &SourceFile| yaml::parse(&text_of(file), Path::new(&file.original_file_path()));
    files.iter().filter_map(|(_, file)| parse(file).err()).collect()
}

/// The text of a file as it is: empty lines at its beginning are no part of the contents, but count for places.
fn text_of(file: &SourceFile) -> Cow<'_, str> {
    match file.first_line {
        0 | 1 => Cow::Borrowed(&file.contents),
        line => Cow::Owned("\n".repeat(line - 1) + &file.contents),
    }
}

fn read_file(parser: &Parser, project: &Project, file: &SourceFile) -> Result<Vec<Properties>> {
    let shown = file.original_file_path();
    let path = Arc::new(PathBuf::from(&shown));
    let (tree, duplicates) = yaml::parse_checked(&text_of(file), &path)?;
    for duplicate in duplicates {
        let warning = Warning::new(
            "DuplicateYAMLKeysDeprecation",
            format!("Duplicate key '{}' in {}", duplicate.key, shown),
        );
        parser.warn(warning.at(Location::new(&*path, duplicate.line as usize, duplicate.column as usize)));
    }
    if tree.is_null() {
        return Ok(Vec::new());
    }
    let Some(sections) = tree.as_map() else {
        return Err(tree
            .error(&path, format!("Contents of file '{}' are not valid. Dictionary expected.", shown))
            .help("a property file has keys such as models:, sources:, seeds:"));
    };
    if !parser.is_package(project) {
        warn_unknown_sections(parser, sections, &path, &shown);
    }
    let mut entries = Vec::new();
    for (section, kind) in SECTIONS {
        let Some(list) = sections.get(section).filter(|list| !list.is_null()) else { continue };
        let Some(list) = list.as_seq() else {
            return Err(list
                .error(&path, format!("'{section}' is not a list: it is {}", list.kind()))
                .help("write each entry as an item: `- name: …`"));
        };
        for (index, entry) in list.iter().enumerate() {
            if !parser.is_package(project) {
                parser.warn_unknown_keys(kind, entry, &path, format!("{section}[{index}]"));
            }
            entries.push(read_entry(parser, project, file, &path, (section, kind), entry)?);
        }
    }
    Ok(entries)
}

fn warn_unknown_sections(parser: &Parser, sections: &Mapping, path: &Path, shown: &str) {
    let known = || SECTIONS.iter().map(|(section, _)| *section).chain(OTHER_KEYS);
    for (key, _) in sections.iter() {
        let name = key.key_text();
        if known().any(|known| known == name) {
            continue;
        }
        let hint =
            nearest(&name, known()).map(|similar| format!("; did you mean '{similar}'?")).unwrap_or_default();
        let message = format!("Unexpected top-level key '{name}' in file '{shown}'{hint}");
        parser.warn(Warning::new("CustomTopLevelKeyDeprecation", message).at(key.location(path)));
    }
}

fn read_entry(
    parser: &Parser,
    project: &Project,
    file: &SourceFile,
    path: &Arc<PathBuf>,
    (section, kind): (&str, ResourceType),
    entry: &Yaml,
) -> Result<Properties> {
    let map = entry.need_map(&format!("an entry of {section}"), path)?;
    let Some(name) = map.get("name").or_else(|| map.get("model")) else {
        return Err(entry
            .error(path, "Entry did not contain a name")
            .help(format!("add `name:` to this entry of {section}")));
    };
    name.need_name(&format!("the name of this entry of {section}"), path)?;
    if matches!(
        kind,
        ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Source
    ) {
        reject_two_names_of_tests(entry, path)?;
    }
    let unrendered_text = |key: &str| map.get(key).and_then(Yaml::as_str).map(str::to_owned);
    let mut unrendered_config = match map.get("config").map(Yaml::to_json) {
        Some(Json::Object(config)) => config,
        _ => Map::new(),
    };
    for key in movable_keys(kind) {
        if let Some(value) = map.get(key) {
            unrendered_config.insert((*key).to_owned(), value.to_json());
        }
    }
    let renderer = Renderer { parser, package: &project.name, path, section };
    let yaml = renderer.render(entry, &mut Vec::new())?;
    let name = yaml.get("name").or_else(|| yaml.get("model")).map(Yaml::key_text).unwrap_or_default();
    let config = entry_config(&yaml, path, kind)?;
    Ok(Properties {
        kind,
        name,
        package: project.name.as_str().into(),
        file: file.original_file_path().into(),
        path: path.clone(),
        unrendered_place: (unrendered_text("database"), unrendered_text("schema")),
        yaml,
        config,
        unrendered_config,
        used: AtomicBool::new(false),
    })
}

/// `tests` is the old name of `data_tests`: what has both is told, be it the entry or a part of it.
fn reject_two_names_of_tests(part: &Yaml, path: &Path) -> Result<()> {
    let Some(map) = part.as_map() else { return Ok(()) };
    let is_empty = |list: &Yaml| list.is_null() || list.as_seq().is_some_and(<[Yaml]>::is_empty);
    if let Some((key, tests)) = map.get_entry("tests")
        && !is_empty(tests)
        && map.contains("data_tests")
    {
        let message = "Invalid test config: cannot have both 'tests' and 'data_tests' defined";
        return Err(key.error(path, message).help("they are two names of one key: keep `data_tests`"));
    }
    let parts =
        ["columns", "tables", "versions"].into_iter().filter_map(|key| map.get(key)?.as_seq()).flatten();
    parts.into_iter().try_for_each(|part| reject_two_names_of_tests(part, path))
}

/// The keys of an entry that are configurations, though they may stand beside `config:`.
fn movable_keys(kind: ResourceType) -> &'static [&'static str] {
    match kind {
        ResourceType::Model
        | ResourceType::Seed
        | ResourceType::Snapshot
        | ResourceType::Analysis
        | ResourceType::Function => &["meta", "docs", "group", "contract", "access"],
        ResourceType::Test => &["meta", "docs"],
        _ => &[],
    }
}

/// `config:`, with the keys that dbt also takes at the top of an entry moved into it.
fn entry_config(yaml: &Yaml, path: &Path, kind: ResourceType) -> Result<Map<String, Json>> {
    let mut config = match yaml.get("config") {
        None => Map::new(),
        Some(config) if config.is_null() => Map::new(),
        Some(config) => match config.need_map("config", path).map(|_| config.to_json())? {
            Json::Object(map) => map,
            _ => Map::new(),
        },
    };
    for key in movable_keys(kind) {
        let Some(value) = yaml.get(key) else { continue };
        if config.contains_key(*key) {
            return Err(value
                .error(path, format!("found {key} dictionary in 'config' dictionary and as top-level key"))
                .help(format!("remove the top-level `{key}` and keep the one under `config`")));
        }
        config.insert((*key).to_owned(), value.to_json());
    }
    Ok(config)
}

/// Whether a text may be another one when it is rendered: Jinja also drops the line break at its end.
pub fn rendering_changes(text: &str) -> bool {
    text.contains('{') || text.ends_with('\n')
}

/// Renders the strings of an entry, but for those that dbt renders later.
struct Renderer<'a> {
    parser: &'a Parser<'a>,
    package: &'a str,
    path: &'a Path,
    section: &'a str,
}

impl Renderer<'_> {
    fn render(&self, yaml: &Yaml, keys: &mut Vec<String>) -> Result<Yaml> {
        let rendered = match &yaml.value {
            YamlValue::Str(text) if rendering_changes(text) && self.renders(keys) => {
                return self
                    .parser
                    .render_yaml(self.package, text, &yaml.location(self.path))
                    .map(|new| new.placed_at(yaml));
            }
            YamlValue::Seq(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    keys.push(index.to_string());
                    rendered.push(self.render(item, keys)?);
                    keys.pop();
                }
                YamlValue::Seq(rendered)
            }
            YamlValue::Map(map) => {
                let mut rendered = Vec::with_capacity(map.len());
                for (key, value) in map.iter() {
                    let name = key.key_text();
                    keys.push(name.clone());
                    // Keys keep their places, to be pointed at.
                    rendered.push((Yaml::from(name.as_str()).placed_at(key), self.render(value, keys)?));
                    keys.pop();
                }
                YamlValue::Map(Mapping::from(rendered))
            }
            other => other.clone(),
        };
        Ok(Yaml::new(rendered).placed_at(yaml))
    }

    /// Whether the value at this place is rendered now.
    fn renders(&self, keys: &[String]) -> bool {
        let key = |index: usize| keys.get(index).map_or("", String::as_str);
        match self.section {
            "sources" => {
                let later = matches!(key(0), "description" | "loaded_at_query")
                    || (key(0) == "config" && key(1) == "loaded_at_query");
                !(later || (key(0) == "tables" && rendered_later(keys.get(2..).unwrap_or_default())))
            }
            "macros" if key(0) == "arguments" => !rendered_later(&keys[1..]),
            "metrics" => {
                let last = |back: usize| keys.len().checked_sub(back).map_or("", key);
                last(1) != "filter" && last(2) != "filter" && !rendered_later(keys)
            }
            "saved_queries" => !(rendered_later(keys) || key(0) == "query_params" && key(1) == "where"),
            _ => !rendered_later(keys),
        }
    }
}

/// Descriptions, tests and hooks have a context of their own and are rendered when they are used.
fn rendered_later(keys: &[String]) -> bool {
    let key = |index: usize| keys.get(index).map_or("", String::as_str);
    let late = |name: &str| matches!(name, "tests" | "data_tests" | "description" | "loaded_at_query");
    late(key(0))
        || (keys.len() == 2 && late(key(1)))
        || (key(0) == "config"
            && matches!(key(1), "pre_hook" | "post_hook" | "pre-hook" | "post-hook" | "loaded_at_query"))
        || (keys.len() == 5 && key(4) == "description")
        || (matches!(key(0), "columns" | "dimensions" | "measures" | "entities")
            && matches!(key(2), "tests" | "data_tests" | "description"))
}
