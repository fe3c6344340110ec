//! Resources that are declared in YAML alone: exposures, groups, unit tests, the semantic layer.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Map, Value as Json, json};

use super::Parser;
use super::columns::sorted_tags;
use super::properties::Properties;
use super::sql_nodes::fqn;
use crate::error::{Error, Location, Result};
use crate::events::plural;
use crate::jinja::context::{Capture, Context, Names, Role};
use crate::jinja::{self, Origin, python_repr, python_str};
use crate::manifest::{DependsOn, Exposure, Fixture, Group, ResourceType, UnitTest, UnitTestInput};
use crate::project::config::{Config, resolve, resolve_unrendered};
use crate::project::files::sha256_hex;
use crate::project::yaml::Yaml;
use crate::text::nearest;

fn owner(entry: &Properties) -> Result<Json> {
    let Some(owner) = entry.yaml.get("owner") else {
        return Err(entry
            .error(format!("{} '{}' has no owner", entry.kind, entry.name))
            .help("add `owner: {name: …, email: …}`"));
    };
    let fields = owner.need_map("owner", &entry.path)?;
    let mut all = json!({ "email": null, "name": null });
    if let Some(map) = all.as_object_mut() {
        map.extend(fields.iter().map(|(key, value)| (key.key_text(), value.to_json())));
    }
    Ok(all)
}

impl Parser<'_> {
    /// The configuration of an entry, of which `layer` is its own part.
    pub fn yaml_config(
        &self,
        entry: &Properties,
        fqn: &[String],
        layer: &Map<String, Json>,
    ) -> Result<Config> {
        self.yaml_config_of(entry.kind, entry, fqn, layer)
    }

    /// The same for a resource of another kind that an entry brings along.
    pub fn yaml_config_of(
        &self,
        kind: ResourceType,
        entry: &Properties,
        fqn: &[String],
        layer: &Map<String, Json>,
    ) -> Result<Config> {
        let project = self.project_of(&entry.package);
        let with = |layer: &Map<String, Json>| {
            resolve(kind, &project.configs, self.root_trees(project), fqn, Some(layer), None)
        };
        with(layer).map_err(|error| {
            let wrong = entry.wrong_config(layer, None, |alone| with(alone).is_err());
            error.at(wrong.unwrap_or_else(|| entry.location()))
        })
    }

    /// What the `ref()`, `source()` and `metric()` calls in some texts refer to.
    pub fn references(&self, package: &str, calls: &[&str], place: &Location) -> Result<Capture> {
        let context =
            Context::build(&self.shared, package, Role::Parsing(Mutex::default()), Names::default());
        for call in calls {
            let origin = Origin::at(place.path.as_path(), place.line.max(1), 1);
            context.render(&format!("{{{{ {call} }}}}"), &origin).map_err(|error| error.at(place.clone()))?;
        }
        Ok(context.take_capture())
    }

    /// Parses an entry under `exposures:`.
    pub fn parse_exposure(&self, entry: &Properties) -> Result<Exposure> {
        let place = entry.yaml.location(&entry.path);
        let fqn = fqn(&entry.package, entry.relative_path(), &entry.name);
        let mut config = self.yaml_config(entry, &fqn, &entry.config)?;
        let project = self.project_of(&entry.package);
        let root = self.unrendered_root_trees(project);
        let unrendered_config = resolve_unrendered(
            entry.kind,
            &project.unrendered_configs,
            root,
            &fqn,
            Some(&entry.config),
            None,
        );
        let own_tags = entry.yaml.get("tags").map(Yaml::to_json);
        let tags = Json::Array(sorted_tags(own_tags.iter().chain(config.get("tags"))));
        let mut meta = Map::new();
        for source in [entry.yaml.get("meta").map(Yaml::to_json), config.get("meta").cloned()] {
            if let Some(Json::Object(map)) = source {
                meta.extend(map);
            }
        }
        config.set("tags", tags.clone());
        config.set("meta", Json::Object(meta.clone()));
        let calls: Vec<&str> = match entry.yaml.get("depends_on").filter(|list| !list.is_null()) {
            Some(list) => list.need_seq("depends_on", &entry.path)?.iter().filter_map(Yaml::as_str).collect(),
            None => Vec::new(),
        };
        let capture = self.references(&entry.package, &calls, &place)?;
        let text = |key: &str| entry.text(key).map(str::to_owned);
        let (description, _) =
            self.describe(&entry.package, entry.text("description").unwrap_or_default(), &place)?;
        Ok(Exposure {
            name: entry.name.clone(),
            resource_type: ResourceType::Exposure,
            package_name: entry.package.clone(),
            path: entry.relative_path().to_owned(),
            original_file_path: entry.file.to_string(),
            unique_id: format!("exposure.{}.{}", entry.package, entry.name).into(),
            fqn,
            exposure_type: exposure_type(entry)?,
            owner: owner(entry)?,
            description,
            label: text("label"),
            maturity: text("maturity"),
            meta: Json::Object(meta),
            tags,
            config,
            unrendered_config,
            url: text("url"),
            depends_on: DependsOn::default(),
            refs: capture.refs,
            sources: capture.sources,
            metrics: capture.metrics,
            created_at: self.now,
            line: entry.yaml.line as usize,
        })
    }

    /// Parses an entry under `groups:`.
    pub fn parse_group(&self, entry: &Properties) -> Result<Group> {
        let fqn = fqn(&entry.package, entry.relative_path(), &entry.name);
        Ok(Group {
            name: entry.name.clone(),
            resource_type: ResourceType::Group,
            package_name: entry.package.clone(),
            path: entry.relative_path().to_owned(),
            original_file_path: entry.file.to_string(),
            unique_id: format!("group.{}.{}", entry.package, entry.name).into(),
            owner: owner(entry)?,
            description: entry.text("description").map(str::to_owned),
            config: self.yaml_config(entry, &fqn, &entry.config)?,
        })
    }

    /// Parses an entry under `unit_tests:`. `fixtures` are the files of rows, by package and name.
    pub fn parse_unit_test(&self, entry: &Properties, fixtures: &FixtureFiles) -> Result<UnitTest> {
        let Some(model) = entry.text("model").map(str::to_owned) else {
            return Err(entry
                .error(format!("unit test '{}' names no model", entry.name))
                .help("add `model:`"));
        };
        let mut path = fqn(&entry.package, entry.relative_path(), &model);
        path.push(entry.name.clone());
        let config = self.yaml_config(entry, &path, &entry.config)?;
        let mut given = Vec::new();
        for item in entry
            .yaml
            .get("given")
            .filter(|g| !g.is_null())
            .map_or(Ok(&[][..]), |g| g.need_seq("given", &entry.path))?
        {
            let Some(input) = item.get("input").and_then(Yaml::as_str) else {
                return Err(item
                    .error(&entry.path, "an item of `given` names no input")
                    .help("add `input: ref('…')`"));
            };
            given.push(UnitTestInput { input: input.to_owned(), rows: fixture(entry, item, fixtures)? });
        }
        let Some(expected) = entry.yaml.get("expect") else {
            return Err(entry
                .error(format!("unit test '{}' expects nothing", entry.name))
                .help("add `expect: {rows: […]}`"));
        };
        let expect = fixture(entry, expected, fixtures)?;
        if expect.rows.is_null() {
            return Err(expected
                .error(&entry.path, format!("unit test '{}' expects no rows", entry.name))
                .help("add `rows: […]`, which may be empty"));
        }
        let overrides = entry.yaml.get("overrides").filter(|value| !value.is_null()).map(overrides);
        let mut test = UnitTest {
            unique_id: format!("unit_test.{}.{model}.{}", entry.package, entry.name).into(),
            name: entry.name.clone(),
            package_name: entry.package.clone(),
            model,
            path: entry.relative_path().to_owned(),
            original_file_path: entry.file.to_string(),
            fqn: path,
            given,
            expect,
            // dbt leaves the description of a unit test as it is written.
            description: entry.text("description").unwrap_or_default().to_owned(),
            overrides,
            depends_on: DependsOn::default(),
            config,
            checksum: None,
            schema: None,
            created_at: self.now,
            versions: entry
                .yaml
                .get("versions")
                .filter(|versions| !versions.is_null())
                .map(unit_test_versions),
            version: None,
            line: entry.yaml.line as usize,
        };
        test.checksum = Some(unit_test_checksum(&test));
        Ok(test)
    }
}

const EXPOSURE_TYPES: [&str; 5] = ["dashboard", "notebook", "analysis", "ml", "application"];

fn exposure_type(entry: &Properties) -> Result<String> {
    match entry.text("type") {
        Some(kind) if EXPOSURE_TYPES.contains(&kind) => Ok(kind.to_owned()),
        found => {
            let place = entry.yaml.get("type").unwrap_or(&entry.yaml);
            let shown = found.map_or("of nothing".to_owned(), |kind| format!("'{kind}'"));
            let error = place.error(&entry.path, format!("exposure '{}' has the type {shown}", entry.name));
            Err(match found.and_then(|kind| nearest(kind, EXPOSURE_TYPES)) {
                Some(similar) => error.help(format!("did you mean '{similar}'?")),
                None => error.help(format!("use one of: {}", EXPOSURE_TYPES.join(", "))),
            })
        }
    }
}

/// `versions:` with both of its parts.
fn unit_test_versions(yaml: &Yaml) -> Json {
    let part = |key: &str| yaml.get(key).map_or(Json::Null, Yaml::to_json);
    json!({ "include": part("include"), "exclude": part("exclude") })
}

/// `overrides:` with all of its parts.
fn overrides(yaml: &Yaml) -> Json {
    let mut all = json!({ "macros": {}, "vars": {}, "env_vars": {} });
    if let (Some(all), Some(given)) = (all.as_object_mut(), yaml.to_json().as_object()) {
        all.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    all
}

/// Files of rows for unit tests: their text by package and name.
pub type FixtureFiles = HashMap<(String, String), FixtureFile>;

/// A file below `tests/fixtures`.
#[derive(Debug)]
pub struct FixtureFile {
    pub is_sql: bool,
    pub path: String,
    pub text: String,
}

/// The rows of an input or an expectation, whichever way they are written.
fn fixture(entry: &Properties, item: &Yaml, fixtures: &FixtureFiles) -> Result<Fixture> {
    let format = item.get("format").and_then(Yaml::as_str).unwrap_or("dict").to_owned();
    let name = item.get("fixture").and_then(Yaml::as_str).map(str::to_owned);
    let rows = item.get("rows").filter(|rows| !rows.is_null());
    if name.is_some() && rows.is_some() {
        return Err(item
            .error(&entry.path, "a fixture and rows are both given")
            .help("keep one of `fixture` and `rows`"));
    }
    let text = match &name {
        None => rows.and_then(Yaml::as_str).map(str::to_owned),
        Some(name) => {
            let own = fixtures.get(&(entry.package.to_string(), name.clone()));
            let found = own.filter(|file| file.is_sql == (format == "sql"));
            let Some(file) = found else {
                return Err(item
                    .error(
                        &entry.path,
                        format!("Could not find {format} fixture file {name} for unit test {}", entry.name),
                    )
                    .help(format!(
                        "put it into tests/fixtures/{name}.{}",
                        if format == "sql" { "sql" } else { "csv" }
                    )));
            };
            Some(file.text.clone())
        }
    };
    let mut rows = match (format.as_str(), text, rows) {
        ("sql", Some(text), _) => Json::from(text),
        ("csv", Some(text), _) => csv_rows(&text).map_err(|message| item.error(&entry.path, message))?,
        ("csv", None, Some(rows)) => rows.to_json(),
        ("dict", _, Some(rows)) if rows.as_seq().is_some() => rows.to_json(),
        // Those of a seed, which is looked for when all seeds are known.
        ("dict", None, None) => Json::Null,
        (format, ..) if ["dict", "csv", "sql"].contains(&format) => {
            return Err(item
                .error(
                    &entry.path,
                    format!("Unit Test {}: the rows do not have the format '{format}'", entry.name),
                )
                .help("dict: a list of mappings; csv: a text with a header; sql: a select statement"));
        }
        (other, ..) => {
            return Err(item
                .error(&entry.path, format!("unknown fixture format '{other}'"))
                .help("use dict, csv or sql"));
        }
    };
    if let Json::Array(rows) = &mut rows {
        put_whole_row_first(rows);
    }
    Ok(Fixture { rows, format, fixture: name })
}

/// The first row decides over the types of columns: one without nulls changes places with it.
fn put_whole_row_first(rows: &mut [Json]) {
    let is_whole = |row: &Json| row.as_object().is_some_and(|row| row.values().all(|value| !value.is_null()));
    if let Some(whole) = rows.iter().position(is_whole) {
        rows.swap(0, whole);
    }
}

/// Rows of CSV text as dictionaries; empty cells are null.
pub(super) fn csv_rows(text: &str) -> Result<Json, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.trim().as_bytes());
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("the CSV rows cannot be read: {error}"))?;
        let cells = names.iter().zip(record.iter());
        let cell = |value: &str| if value.is_empty() { Json::Null } else { Json::from(value) };
        rows.push(Json::Object(cells.map(|(name, value)| (name.to_owned(), cell(value))).collect()));
    }
    Ok(Json::Array(rows))
}

/// dbt's checksum of a unit test: SHA-256 over its parts as Python prints them, so that the states of either tool
/// can be compared with the other's.
pub(super) fn unit_test_checksum(test: &UnitTest) -> String {
    let given: Vec<String> = test.given.iter().map(given_repr).collect();
    let expect = format!("UnitTestOutputFixture({})", fixture_repr(&test.expect));
    let overrides = class_repr("UnitTestOverrides", test.overrides.as_ref());
    let versions = class_repr("UnitTestNodeVersions", test.versions.as_ref());
    let mut text = format!("{}-{versions}-[{}]-{expect}-{overrides}", test.model, given.join(", "));
    for given in test.given.iter().filter(|given| given.rows.fixture.is_some()) {
        text.push_str(&format!("-{}", python_str(&jinja::from_json(&given.rows.rows))));
    }
    sha256_hex(text.as_bytes())
}

fn repr(value: &Json) -> String {
    python_repr(&jinja::from_json(value))
}

fn given_repr(given: &UnitTestInput) -> String {
    let input = repr(&Json::from(given.input.as_str()));
    format!("UnitTestInputFixture(input={input}, {})", fixture_repr(&given.rows))
}

fn class_repr(class: &str, fields: Option<&Json>) -> String {
    let Some(fields) = fields.and_then(Json::as_object) else { return "None".to_owned() };
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", repr(value))).collect();
    format!("{class}({})", fields.join(", "))
}

fn fixture_repr(fixture: &Fixture) -> String {
    let format = match fixture.format.as_str() {
        "csv" => "CSV: 'csv'",
        "sql" => "SQL: 'sql'",
        _ => "Dict: 'dict'",
    };
    let name = fixture.fixture.as_ref().map_or(Json::Null, |name| Json::from(name.as_str()));
    format!("rows={}, format=<UnitTestFormat.{format}>, fixture={}", repr(&fixture.rows), repr(&name))
}

/// The error for resources that share a name.
pub fn duplicate(kind: ResourceType, name: &str, first: &str, second: &str) -> Error {
    let word = if kind == ResourceType::Test { "data_test" } else { kind.as_str() };
    duplicate_of(word, name, first, second)
}

/// The same, for what is no resource.
pub fn duplicate_of(word: &str, name: &str, first: &str, second: &str) -> Error {
    Error::compilation(format!(
        "dbt found {} with the name \"{name}\": a reference to it could mean either.",
        plural(2, word).replacen('2', "two", 1)
    ))
    .help(format!("rename one of:\n- {first}\n- {second}"))
}
