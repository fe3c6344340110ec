//! Generic tests: what stands under `data_tests:` in a property file becomes a node
//! (<https://docs.getdbt.com/docs/build/data-tests>).

use std::path::Path;
use std::sync::{Arc, Mutex};

use minijinja::Value;
use serde_json::{Map, Value as Json, json};

use super::Parser;
use super::sql_nodes::{Parsed, fqn, take_capture};
use crate::error::{Location, Result};
use crate::events::Warning;
use crate::jinja::context::value;
use crate::jinja::context::{Capture, Context, Names, Role, lock, md5_hex};
use crate::jinja::{self, Origin, python_repr, python_str};
use crate::manifest::{Details, Id, Node, RefArgs, ResourceType, TestFields, TestMetadata};
use crate::project::config::{add_config_call, resolve, resolve_unrendered};
use crate::project::yaml::{Mapping, Yaml};

/// The name under which a test's macro gets its arguments.
pub const KWARGS_NAME: &str = "_dbt_generic_test_kwargs";

/// Keys of a test that configure it, wherever they stand.
const CONFIG_KEYS: [&str; 14] = [
    "severity",
    "tags",
    "enabled",
    "where",
    "limit",
    "warn_if",
    "error_if",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "meta",
    "database",
    "schema",
    "alias",
];

/// Names of this many characters or more are cut and hashed where they become file and relation names.
const LONGEST_NAME: usize = 64;

/// What a test is attached to.
pub struct TestTarget<'a> {
    /// The model's name or the source's table.
    pub name: &'a str,
    /// `{{ get_where_subquery(…) }}` goes around this: `ref('x')`, `source('a', 'b')`.
    pub reference: String,
    pub kind: TargetKind<'a>,
    pub package: &'a str,
    /// The property file, relative to its project.
    pub file: &'a str,
    pub path: &'a Path,
    /// dbt's key of the file's section and the entry's name in it: `models.orders`.
    pub file_key_name: String,
    pub attached_node: Option<Id>,
}

/// Models and their kin are named with `ref`, sources with `source`.
pub enum TargetKind<'a> {
    Ref { version: Option<&'a Json> },
    Source { source: &'a str },
}

/// A test as it was written.
struct Definition {
    name: String,
    namespace: Option<String>,
    kwargs: Map<String, Json>,
    config: Map<String, Json>,
    description: String,
    custom_name: Option<String>,
}

impl Parser<'_> {
    /// Parses all tests in a list. `column` is the column they are attached to, as the macro gets it.
    pub fn parse_tests(
        &self,
        target: &TestTarget,
        tests: Option<&Yaml>,
        column: Option<&str>,
        tags: &[Json],
    ) -> Result<Vec<Parsed>> {
        let Some(list) = tests.filter(|tests| !tests.is_null()) else { return Ok(Vec::new()) };
        let list = list.need_seq("data_tests", target.path)?;
        list.iter().map(|test| self.parse_test(target, test, column, tags)).collect()
    }

    fn parse_test(
        &self,
        target: &TestTarget,
        test: &Yaml,
        column: Option<&str>,
        tags: &[Json],
    ) -> Result<Parsed> {
        let definition = self.define(target, test, column)?;
        let location = test.location(target.path);
        self.build_test(target, definition, column, tags, &location).map_err(|error| error.at(location))
    }

    /// Takes a test apart: its name, the macro's arguments, the configuration.
    fn define(&self, target: &TestTarget, test: &Yaml, column: Option<&str>) -> Result<Definition> {
        let (name, given) = self.name_and_arguments(target, test)?;
        let nests_arguments = self.shared.flags.behavior.require_generic_test_arguments_property;
        let mut kwargs = Map::new();
        let mut nested = Map::new();
        let mut arguments = Map::new();
        for (key, value) in given.iter() {
            let key = key.key_text();
            match (key.as_str(), value.to_json()) {
                ("config", Json::Object(config)) => nested = config,
                ("arguments", Json::Object(inner)) if nests_arguments => arguments = inner,
                ("test_name", _) => {}
                (_, json) => drop(kwargs.insert(key, json)),
            }
        }
        if let Some(column) = column {
            kwargs.insert("column_name".to_owned(), Json::from(column));
        }
        if nests_arguments {
            self.warn_of_test_keys(target, test, &name, &kwargs, arguments.is_empty());
        } else if given.contains("arguments") {
            self.warn_of_arguments(target, test, &name);
        }
        kwargs.extend(arguments);
        if kwargs.contains_key("model") {
            return Err(test
                .error(target.path, "Test arguments include \"model\", which is a reserved argument")
                .help("rename the macro's argument"));
        }
        let model = format!("{{{{ get_where_subquery({}) }}}}", target.reference);
        kwargs.insert("model".to_owned(), Json::from(model));
        let config = self.test_config(target, test, &mut kwargs, nested)?;
        let (namespace, name) = match name.split_once('.') {
            Some((package, name)) => (Some(package.to_owned()), name.to_owned()),
            None => (None, name),
        };
        let mut text =
            |key: &str| kwargs.shift_remove(key).and_then(|value| value.as_str().map(str::to_owned));
        let description = text("description").unwrap_or_default();
        let custom_name = text("name");
        Ok(Definition { name, namespace, kwargs, config, description, custom_name })
    }

    /// Arguments belong under `arguments:`, configurations under `config:`.
    fn warn_of_test_keys(
        &self,
        target: &TestTarget,
        test: &Yaml,
        name: &str,
        kwargs: &Map<String, Json>,
        without_arguments: bool,
    ) {
        let place = test.location(target.path);
        for key in kwargs.keys().filter(|key| CONFIG_KEYS.contains(&key.as_str())) {
            let message = format!(
                "Test '{name}' of '{}' is configured beside its arguments: move `{key}` under `config:`",
                target.name
            );
            let warning = Warning::new("PropertyMovedToConfigDeprecation", message)
                .with("key", key.as_str())
                .with("file", target.file)
                .with("key_path", format!("data_tests.{name}.{key}"));
            self.warn(warning.at(place.clone()));
        }
        let is_argument = |key: &str| {
            !CONFIG_KEYS.contains(&key) && !["column_name", "description", "name", "config"].contains(&key)
        };
        if let Some(key) = kwargs.keys().find(|key| is_argument(key)).filter(|_| without_arguments) {
            let message = format!(
                "Found top-level arguments to test '{name}' of '{}': nest `{key}` and the like under `arguments:`",
                target.name
            );
            let warning = Warning::new("MissingArgumentsPropertyInGenericTestDeprecation", message)
                .with("test_name", format!("`{name}` defined on '{}' ({})", target.name, target.file));
            self.warn(warning.at(place));
        }
    }

    /// Where `arguments:` is no key of tests, it is taken for an argument of the macro.
    fn warn_of_arguments(&self, target: &TestTarget, test: &Yaml, name: &str) {
        let message = format!(
            "Test '{name}' of '{}' has `arguments:`, which counts with the flag `require_generic_test_arguments_property` only",
            target.name
        );
        let warning = Warning::new("ArgumentsPropertyInGenericTestDeprecation", message)
            .with("test_name", format!("`{name}`"));
        self.warn(warning.at(test.location(target.path)));
    }

    /// The three ways to write a test: `unique`, `{accepted_values: {…}}`, `{test_name: unique, …}`.
    fn name_and_arguments(&self, target: &TestTarget, test: &Yaml) -> Result<(String, Mapping)> {
        if let Some(name) = test.as_str() {
            return Ok((name.to_owned(), Mapping::default()));
        }
        let Some(map) = test.as_map() else {
            return Err(test
                .error(target.path, format!("test must be dict or str, found {}", test.kind()))
                .help("write the test's name, or `name: {arguments: {…}}`"));
        };
        if let Some(name) = map.get("test_name") {
            return Ok((name.need_str("test_name", target.path)?.to_owned(), map.clone()));
        }
        let mut entries = map.iter();
        match (entries.next(), entries.next()) {
            (Some((name, arguments)), None) => {
                let name = name.need_str("the name of a test", target.path)?.to_owned();
                if arguments.is_null() {
                    return Ok((name, Mapping::default()));
                }
                let arguments =
                    arguments.need_map(&format!("the arguments of test '{name}'"), target.path)?;
                Ok((name, arguments.clone()))
            }
            _ => Err(test
                .error(target.path, "test definition dictionary must have exactly one key, the test's name")
                .help("indent the arguments below the test's name")),
        }
    }

    /// The configuration: keys beside the arguments (an old habit) and those under `config:`.
    fn test_config(
        &self,
        target: &TestTarget,
        test: &Yaml,
        kwargs: &mut Map<String, Json>,
        mut nested: Map<String, Json>,
    ) -> Result<Map<String, Json>> {
        let mut config = Map::new();
        for key in CONFIG_KEYS {
            let beside = kwargs.shift_remove(key).filter(truthy);
            if beside.is_some() && nested.contains_key(key) {
                return Err(test
                    .error(
                        target.path,
                        format!("Test cannot have the same key '{key}' at the top-level and in config"),
                    )
                    .help("keep the one under `config:`"));
            }
            if let Some(value) = beside.or_else(|| nested.shift_remove(key)) {
                config.insert(key.to_owned(), value);
            }
        }
        config.extend(nested);
        let mut rendered = Map::new();
        for (key, value) in config {
            let value = match value.as_str().filter(|text| text.contains('{')) {
                Some(text) => self.render_yaml(target.package, text, &test.location(target.path))?.to_json(),
                None => value,
            };
            if !value.is_null() {
                rendered.insert(key, value);
            }
        }
        Ok(rendered)
    }

    fn build_test(
        &self,
        target: &TestTarget,
        mut definition: Definition,
        column: Option<&str>,
        tags: &[Json],
        location: &Location,
    ) -> Result<Parsed> {
        let (short_name, full_name) = match &definition.custom_name {
            Some(name) => (name.clone(), name.clone()),
            None => test_names(&definition, target),
        };
        if short_name != full_name && !definition.config.contains_key("alias") {
            definition.config.insert("alias".to_owned(), Json::from(short_name.as_str()));
        }
        let metadata = TestMetadata {
            name: definition.name.clone(),
            kwargs: definition.kwargs.clone(),
            namespace: definition.namespace.clone(),
        };
        let project = self.project_of(target.package);
        let relative = target.file.split_once('/').map_or(target.file, |(_, rest)| rest);
        let fqn = fqn(target.package, relative, &full_name);
        let root = self.root_trees(project);
        let config =
            resolve(ResourceType::Test, &project.configs, root, &fqn, None, Some(&definition.config))?;
        let unrendered = |fqn: &[String], calls: &Map<String, Json>| {
            let root = self.unrendered_root_trees(project);
            resolve_unrendered(ResourceType::Test, &project.unrendered_configs, root, fqn, None, Some(calls))
        };
        let hash = md5_hex(format!("{full_name}{}", hashable(&metadata)).as_bytes());
        let package = target.package;
        let place = Location { column: 0, ..location.clone() };
        let (description, doc_blocks) = self.describe(package, &definition.description, &place)?;
        let unique_id = format!("test.{package}.{full_name}.{}", &hash[hash.len() - 10..]);
        let own_tags = match definition.config.get("tags") {
            Some(Json::Array(tags)) => tags.as_slice(),
            Some(tag) => std::slice::from_ref(tag),
            None => &[],
        };
        let details = Details {
            path: format!("{short_name}.sql"),
            unrendered_config: unrendered(&fqn, &definition.config),
            database: self.shared.target.database.clone(),
            schema: self.shared.target.schema.clone(),
            description,
            doc_blocks,
            created_at: self.now,
            raw_code: raw_code(&definition).into(),
            test: Some(Box::new(TestFields {
                column_name: column.map(str::to_owned),
                file_key_name: target.file_key_name.clone(),
                attached_node: target.attached_node.clone(),
                test_metadata: metadata,
                attached_tags: super::columns::sorted_tags(tags.iter().chain(own_tags)),
                attached_group: None,
            })),
            first_line: location.line,
            ..Details::new(&full_name)
        };
        let mut node = Node {
            fqn,
            config,
            ..Node::new(ResourceType::Test, unique_id, &full_name, package, target.file.to_owned(), details)
        };
        let called = self.find_dependencies(target, &definition, &mut node, location)?;
        let mut calls = definition.config.clone();
        add_config_call(&mut calls, called)?;
        if calls != definition.config {
            // The test's macro configures what the test itself leaves open, and adds to lists.
            node.config = resolve(ResourceType::Test, &project.configs, root, &node.fqn, None, Some(&calls))?;
            node.unrendered_config = unrendered(&node.fqn, &calls);
        }
        self.name_relation(&mut node)?;
        if node.config.get_bool("enabled") == Some(false) {
            return Ok(Parsed::Disabled(Box::new(node)));
        }
        Ok(Parsed::Enabled(Box::new(node)))
    }

    /// What the test refers to; gives the configuration that its macro and its definition make together. The two
    /// commonest tests refer to their model alone and configure nothing, which spares rendering them.
    fn find_dependencies(
        &self,
        target: &TestTarget,
        definition: &Definition,
        node: &mut Node,
        place: &Location,
    ) -> Result<Map<String, Json>> {
        let macro_name = format!("test_{}", definition.name);
        let package = definition.namespace.as_deref().unwrap_or(target.package);
        let found = match &definition.namespace {
            Some(namespace) => self.shared.macros.find_in_package(namespace, &macro_name),
            None => self.shared.macros.find_macro(package, &macro_name),
        };
        let Some(template) = found else {
            // Whoever runs the test gets an error.
            self.warn_of_unknown_test(definition, place);
            take_capture(node, self.render_arguments(&Arc::new(node.clone()))?.1);
            return Ok(Map::new());
        };
        node.depends_on.add_macro(&template.unique_id);
        if ["macro.dbt.test_not_null", "macro.dbt.test_unique"].contains(&template.unique_id.as_str()) {
            match &target.kind {
                TargetKind::Source { source } => {
                    node.sources.push(vec![(*source).to_owned(), target.name.to_owned()])
                }
                TargetKind::Ref { version } => node.refs.push(RefArgs {
                    name: target.name.to_owned(),
                    package: None,
                    version: version.cloned(),
                }),
            }
            return Ok(Map::new());
        }
        let shared_node = Arc::new(node.clone());
        let mut capture = self.render_test(&shared_node)?;
        let called = std::mem::take(&mut capture.config_calls);
        take_capture(node, capture);
        Ok(called)
    }

    /// Renders a test while parsing, to learn what it refers to.
    fn render_test(&self, node: &Arc<Node>) -> Result<Capture> {
        let (kwargs, capture) = self.render_arguments(node)?;
        let context = self.parsing_context(node, vec![(KWARGS_NAME.to_owned(), kwargs)]);
        if let Role::Parsing(recorded) = &context.role {
            *lock(recorded) = capture;
        }
        let origin = Origin::file(&node.original_file_path);
        context.render(&node.raw_code, &origin)?;
        Ok(context.take_capture())
    }

    /// Renders the arguments of a test while parsing; gives what they refer to, too.
    fn render_arguments(&self, node: &Arc<Node>) -> Result<(Value, Capture)> {
        let names = Names { node: Some(node.clone()), ..Names::default() };
        let context =
            Context::build(&self.shared, &node.package_name, Role::Parsing(Mutex::default()), names);
        let kwargs = render_kwargs(&context, node)?;
        Ok((kwargs, context.take_capture()))
    }

    fn warn_of_unknown_test(&self, definition: &Definition, place: &Location) {
        let known =
            self.shared.macros.names(&self.shared.project_name).filter_map(|name| name.strip_prefix("test_"));
        let hint = match crate::text::nearest(&definition.name, known) {
            Some(similar) => format!("did you mean '{similar}'?"),
            None => "define it with {% test … %} in tests/generic or macros, or install its package with `rbt deps`"
                .to_owned(),
        };
        let message = format!("There is no generic test '{}': {hint}", definition.name);
        self.warn(Warning::new("UnknownGenericTest", message).at(place.clone()));
    }
}

fn truthy(value: &Json) -> bool {
    !matches!(value, Json::Null | Json::Bool(false))
        && *value != json!("")
        && *value != json!([])
        && *value != json!({})
}

/// The short name (of the file and relation) and the full name (of the id) that dbt makes of a test's arguments.
fn test_names(definition: &Definition, target: &TestTarget) -> (String, String) {
    let mut kind = match &target.kind {
        TargetKind::Source { .. } => format!("source_{}", definition.name),
        TargetKind::Ref { .. } => definition.name.clone(),
    };
    if let Some(namespace) = &definition.namespace {
        kind = format!("{namespace}_{kind}");
    }
    let target_name = match &target.kind {
        TargetKind::Source { source } => format!("{source}_{}", target.name),
        TargetKind::Ref { version: Some(version) } => {
            format!("{}_v{}", target.name, python_str(&jinja::from_json(version)))
        }
        TargetKind::Ref { version: None } => target.name.to_owned(),
    };
    let mut names: Vec<&String> = definition.kwargs.keys().filter(|name| *name != "model").collect();
    names.sort();
    let mut parts = Vec::new();
    for name in names {
        match &definition.kwargs[name] {
            Json::Object(map) => parts.extend(map.values().map(text_of)),
            Json::Array(items) => parts.extend(items.iter().map(text_of)),
            other => parts.push(text_of(other)),
        }
    }
    let parts: Vec<String> = parts.iter().map(|part| clean(part)).collect();
    let identifier = format!("{kind}_{target_name}");
    let full = format!("{identifier}_{}", parts.join("__"));
    if full.chars().count() < LONGEST_NAME {
        return (full.clone(), full);
    }
    let head: String = identifier.chars().take(30).collect();
    (format!("{head}_{}", md5_hex(full.as_bytes())), full)
}

fn text_of(json: &Json) -> String {
    python_str(&jinja::from_json(json))
}

/// Runs of anything but ASCII letters, digits and underscores become one underscore.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut replaced = false;
    for c in text.chars() {
        let kept = c.is_ascii_alphanumeric() || c == '_';
        if kept {
            cleaned.push(c);
        } else if !replaced {
            cleaned.push('_');
        }
        replaced = !kept;
    }
    cleaned
}

/// The test's metadata as the text that dbt hashes into the id: Python's `repr` with all leaves as strings.
fn hashable(metadata: &TestMetadata) -> String {
    fn leaves_as_text(json: &Json) -> Json {
        match json {
            Json::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by(|a, b| a.0.cmp(b.0));
                Json::Object(
                    entries.into_iter().map(|(key, value)| (key.clone(), leaves_as_text(value))).collect(),
                )
            }
            Json::Array(items) => Json::Array(items.iter().map(leaves_as_text).collect()),
            leaf => Json::String(text_of(leaf)),
        }
    }
    let all = json!({ "kwargs": metadata.kwargs, "name": metadata.name, "namespace": metadata.namespace });
    python_repr(&jinja::from_json(&leaves_as_text(&all)))
}

/// The text that runs the test: a call of its macro, and its configuration.
fn raw_code(definition: &Definition) -> String {
    let name = match &definition.namespace {
        Some(namespace) => format!("{namespace}.test_{}", definition.name),
        None => format!("test_{}", definition.name),
    };
    let configs: Vec<String> = definition
        .config
        .iter()
        .map(|(key, value)| match value {
            Json::String(text) => format!("{key}=\"{}\"", text.replace('"', "\\\"")),
            other => format!("{key}={}", python_repr(&jinja::from_json(other))),
        })
        .collect();
    let call = format!("{{{{ {name}(**{KWARGS_NAME}) }}}}");
    if configs.is_empty() { call } else { format!("{call}{{{{ config({}) }}}}", configs.join(",")) }
}

/// A generic test's arguments as its macro gets them: texts that call `ref` and its kin are rendered.
pub fn render_kwargs(context: &Context, node: &Node) -> Result<Value> {
    let Some(test) = &node.test else { return Ok(value::dict(Vec::<(&str, Value)>::new())) };
    let rendered = test.test_metadata.kwargs.iter().map(|(key, value)| {
        let value = if key == "column_name" {
            jinja::from_json(value)
        } else {
            render_argument(context, node, value)?
        };
        Ok((key.as_str(), value))
    });
    Ok(value::dict(rendered.collect::<Result<Vec<_>>>()?))
}

fn render_argument(context: &Context, node: &Node, value: &Json) -> Result<Value> {
    match value {
        Json::String(text) => {
            let template = if looks_like_call(text) { format!("{{{{ {text} }}}}") } else { text.clone() };
            context.render_native(&template, &Origin::file(&node.original_file_path))
        }
        Json::Array(items) => {
            let items: Result<Vec<Value>> =
                items.iter().map(|item| render_argument(context, node, item)).collect();
            Ok(value::list(items?))
        }
        Json::Object(map) => {
            let pairs =
                map.iter().map(|(key, value)| Ok((key.as_str(), render_argument(context, node, value)?)));
            Ok(value::dict(pairs.collect::<Result<Vec<_>>>()?))
        }
        other => Ok(jinja::from_json(other)),
    }
}

/// Whether a text is a call that dbt renders without braces: `ref('x')`, `var("y")` …
fn looks_like_call(text: &str) -> bool {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else { return false };
    ["env_var", "ref", "var", "source", "doc"].contains(&name.trim_end())
        && rest.ends_with(')')
        && rest.len() > 1
}
