//! Nodes that have a file of SQL: models, seeds, snapshots, analyses, singular tests, functions.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::names::NamedNode;
use super::properties::Properties;
use super::{ParsedProject, Parser, python, versions};
use crate::error::{Error, Location, Result};
use crate::events::Warning;
use crate::jinja::context::{Capture, Context, Names, Role, Shared, node_relation};
use crate::jinja::{Origin, blocks, from_json, python_repr, static_config_calls};
use crate::manifest::{
    Checksum, Column, Details, Disabled, ModelFields, Node, Reference, ResourceType, version_suffix,
};
use crate::project::config::{resolve, resolve_unrendered};
use crate::project::files::{self, SourceFile, sha256_hex};
use crate::project::project_file::Project;
use crate::project::yaml::Yaml;

/// A node before it is parsed: what its file says about it.
pub struct Unparsed<'a> {
    pub resource_type: ResourceType,
    pub name: String,
    pub project: &'a Project,
    /// Relative to the resource folder, as dbt writes it.
    pub path: String,
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub unique_id: String,
    pub raw_code: Arc<str>,
    pub checksum: Checksum,
    pub first_line: usize,
    pub version: Option<VersionOf>,
}

/// Which version of a model a file holds.
#[derive(Debug, Clone)]
pub struct VersionOf {
    pub version: Json,
    pub latest: Json,
}

/// A parsed node, switched on or off.
pub enum Parsed {
    Enabled(Box<Node>),
    Disabled(Box<Node>),
}

impl Parsed {
    /// As an entry of the manifest's disabled resources, if it is one.
    pub fn into_disabled(self) -> Result<Disabled, Box<Node>> {
        match self {
            Parsed::Enabled(node) => Err(node),
            Parsed::Disabled(node) => Ok(Disabled::Node(node)),
        }
    }
}

/// dbt's checksum of a file: SHA-256 over its text without white space at the ends.
pub fn checksum(text: &str) -> Checksum {
    Checksum { name: "sha256", checksum: sha256_hex(text.trim().as_bytes()) }
}

/// The folders of a path and the file's name without extension.
fn path_parts(path: &str) -> (Vec<String>, String) {
    let path = Path::new(path);
    let folders =
        path.parent().map(|parent| parent.iter().map(|part| part.to_string_lossy().into_owned()).collect());
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    (folders.unwrap_or_default(), stem.unwrap_or_default())
}

/// The fully qualified name: project, folders, name.
pub fn fqn(project: &str, path: &str, name: &str) -> Vec<String> {
    let mut fqn = vec![project.to_owned()];
    fqn.extend(path_parts(path).0);
    fqn.push(name.to_owned());
    fqn
}

/// The node that a file of SQL (or a seed) stands for.
pub fn of_file<'a>(
    resource_type: ResourceType,
    project: &'a Project,
    file: &SourceFile,
    version: Option<(String, VersionOf)>,
) -> Unparsed<'a> {
    let stem = file.stem().to_owned();
    let path = match resource_type {
        ResourceType::Analysis => format!("analysis/{}", file.relative_path),
        _ => file.relative_path.clone(),
    };
    let fqn_path = if resource_type == ResourceType::Analysis { &path } else { &file.relative_path };
    let project_name = &project.name;
    let (name, fqn, unique_id, version) = match version {
        Some((name, version)) => {
            let suffix = version_suffix(&version.version);
            let mut fqn = fqn(project_name, fqn_path, &name);
            fqn.push(suffix.clone());
            let id = format!("model.{project_name}.{name}.{suffix}");
            (name, fqn, id, Some(version))
        }
        None => {
            let fqn = fqn(project_name, fqn_path, &stem);
            let id = format!("{resource_type}.{project_name}.{stem}");
            (stem, fqn, id, None)
        }
    };
    Unparsed {
        resource_type,
        name,
        project,
        path,
        original_file_path: file.original_file_path(),
        fqn,
        unique_id,
        raw_code: file.contents.as_str().into(),
        checksum: checksum_of(file),
        first_line: file.first_line,
        version,
    }
}

fn checksum_of(file: &SourceFile) -> Checksum {
    match &file.checksum {
        files::Checksum::Sha256(hash) => Checksum { name: "sha256", checksum: hash.clone() },
        files::Checksum::Path(path) => Checksum { name: "path", checksum: path.clone() },
    }
}

/// The snapshots in a file of `{% snapshot %}` blocks.
pub fn of_snapshot_file<'a>(project: &'a Project, file: &SourceFile) -> Result<Vec<Unparsed<'a>>> {
    let path = file.original_file_path();
    let mut snapshots = Vec::new();
    for block in blocks::split(&file.contents, Path::new(&path))? {
        if block.kind != blocks::BlockKind::Snapshot {
            continue;
        }
        let (mut folders, stem) = path_parts(&file.relative_path);
        folders.insert(0, project.name.clone());
        folders.extend([stem, block.name.clone()]);
        snapshots.push(Unparsed {
            resource_type: ResourceType::Snapshot,
            project,
            path: file.relative_path.clone(),
            original_file_path: path.clone(),
            fqn: folders,
            unique_id: format!("snapshot.{}.{}", &project.name, block.name),
            checksum: checksum_of(file),
            first_line: block.contents_origin.line + file.first_line - 1,
            raw_code: block.contents.as_str().into(),
            name: block.name,
            version: None,
        });
    }
    Ok(snapshots)
}

/// A snapshot that is declared in YAML alone, on `relation:`.
pub fn of_yaml_snapshot<'a>(
    project: &'a Project,
    file: &SourceFile,
    entry: &Properties,
) -> Option<Unparsed<'a>> {
    let relation = entry.text("relation")?;
    let relative_path = entry.relative_path();
    let name = &entry.name;
    Some(Unparsed {
        resource_type: ResourceType::Snapshot,
        project,
        path: format!("{relative_path}/{name}.sql"),
        original_file_path: entry.file.to_string(),
        fqn: fqn(&project.name, relative_path, name),
        unique_id: format!("snapshot.{}.{name}", &project.name),
        checksum: checksum_of(file),
        first_line: entry.yaml.line as usize,
        raw_code: format!("select * from {{{{ {relation} }}}}").into(),
        name: name.clone(),
        version: None,
    })
}

impl Parser<'_> {
    /// Parses one node: configuration, rendering, names, hooks.
    pub fn parse_node(&self, unparsed: &Unparsed, properties: Option<&Properties>) -> Result<Parsed> {
        let location = Location::new(&unparsed.original_file_path, unparsed.first_line, 0);
        let config_layer = self.config_layer(unparsed, properties);
        let config_layer = config_layer.as_deref();
        let project = unparsed.project;
        let layers = |calls: Option<&Map<String, Json>>| {
            let root = self.root_trees(project);
            let with = |layer: Option<&Map<String, Json>>, calls: Option<&Map<String, Json>>| {
                resolve(unparsed.resource_type, &project.configs, root, &unparsed.fqn, layer, calls)
            };
            with(config_layer, calls).map_err(|error| {
                // Where all is well without the properties, they are to blame.
                let entry = properties.filter(|_| with(None, calls).is_ok());
                let place = entry.zip(config_layer).and_then(|(entry, layer)| {
                    let version = unparsed.version.as_ref();
                    let item = version.and_then(|version| versions::entry_of(entry, &version.version));
                    entry.wrong_config(layer, item, |alone| with(Some(alone), None).is_err())
                });
                error.at(place.unwrap_or_else(|| location.clone()))
            })
        };
        let mut node = self.new_node(unparsed);
        node.config = layers(None)?;
        let rendered = unparsed.resource_type != ResourceType::Seed;
        let (mut node, capture) = if rendered { self.capture(node)? } else { (node, Capture::default()) };
        node.config = layers(Some(&capture.config_calls))?;
        // Properties are unrendered only where the project asks for it.
        let unrendered = match self.shared.flags.behavior.state_modified_compare_more_unrendered_values {
            true => properties.map(|entry| &entry.unrendered_config),
            false => config_layer,
        };
        node.unrendered_config = resolve_unrendered(
            unparsed.resource_type,
            &project.unrendered_configs,
            self.unrendered_root_trees(project),
            &unparsed.fqn,
            unrendered,
            Some(&self.written_calls(&node, &capture)),
        );
        take_capture(&mut node, capture);
        if let Some(entry) = properties {
            entry.mark_used();
            self.apply_properties(&mut node, entry, unparsed.version.as_ref())?;
        }
        self.finish_model(&mut node, properties)?;
        self.name_relation(&mut node).map_err(|error| error.at(location))?;
        if !node.is_enabled() {
            return Ok(Parsed::Disabled(Box::new(node)));
        }
        self.parse_hooks(&mut node)?;
        Ok(Parsed::Enabled(Box::new(node)))
    }

    /// What the node's own calls of `config()` set: as rendered, or, where the project asks for more unrendered
    /// values, as written.
    fn written_calls(&self, node: &Node, capture: &Capture) -> Map<String, Json> {
        let mut calls = capture.config_calls.clone();
        if self.shared.flags.behavior.state_modified_compare_more_unrendered_values {
            let origin = Origin::file(&node.original_file_path);
            let written = static_config_calls(&node.raw_code, &origin).unwrap_or_default();
            calls.extend(written.into_iter().map(|(name, text)| (name, Json::from(text))));
        }
        calls
    }

    fn new_node(&self, unparsed: &Unparsed) -> Node {
        let model = (unparsed.resource_type == ResourceType::Model).then(|| {
            Arc::new(ModelFields {
                access: "protected".to_owned(),
                version: unparsed.version.as_ref().map(|version| version.version.clone()),
                latest_version: unparsed.version.as_ref().map(|version| version.latest.clone()),
                ..ModelFields::default()
            })
        });
        let target = &self.shared.target;
        let name = &unparsed.name;
        let (package, file) = (&unparsed.project.name, unparsed.original_file_path.clone());
        let language = if file.ends_with(".py") { "python" } else { "sql" };
        let is_seed = unparsed.resource_type == ResourceType::Seed;
        let details = Details {
            path: unparsed.path.clone(),
            database: target.database.clone(),
            schema: target.schema.clone(),
            checksum: unparsed.checksum.clone(),
            created_at: self.now,
            raw_code: unparsed.raw_code.clone(),
            language,
            root_path: is_seed.then(|| unparsed.project.root.to_string_lossy().into_owned()),
            first_line: unparsed.first_line,
            ..Details::new(name)
        };
        Node {
            fqn: unparsed.fqn.clone(),
            model,
            ..Node::new(unparsed.resource_type, unparsed.unique_id.clone(), name, package, file, details)
        }
    }

    /// Renders a node's text to learn what it calls.
    pub fn capture(&self, node: Node) -> Result<(Node, Capture)> {
        if is_python_model(&node) {
            return Ok(self.capture_python(node));
        }
        if !node.raw_code.contains('{') {
            return Ok((node, Capture::default()));
        }
        let node = Arc::new(node);
        let context = self.parsing_context(&node, Vec::new());
        let origin = Origin::at(&node.original_file_path, node.first_line, 1);
        let result = context.render(&node.raw_code, &origin);
        let capture = context.take_capture();
        drop(context);
        result.map_err(|error| {
            error.trace(format!("in {} {} ({})", node.resource_type, node.name, node.original_file_path))
        })?;
        Ok((Arc::unwrap_or_clone(node), capture))
    }

    /// What a model in Python calls, as far as its arguments are literals of Jinja, too: rbt runs no Python, and
    /// only wants its place in the graph.
    fn capture_python(&self, node: Node) -> (Node, Capture) {
        let node = Arc::new(node);
        let context = self.parsing_context(&node, Vec::new());
        let calls = python::template_of_calls(&node.raw_code);
        let _ = context.render(&calls, &Origin::file(&node.original_file_path));
        let capture = context.take_capture();
        drop(context);
        (Arc::unwrap_or_clone(node), capture)
    }

    /// A context that records what is called while a node is parsed.
    pub fn parsing_context(&self, node: &Arc<Node>, values: Vec<(String, Value)>) -> Arc<Context> {
        let mut names = Names { node: Some(node.clone()), ..Names::default() };
        names.values.extend(values);
        let role = Role::Parsing(Mutex::default());
        let relation = node_relation(&self.shared, node);
        names.values.insert("this".to_owned(), relation.into());
        Context::build(&self.shared, &node.package_name, role, names)
    }

    /// Renders the hooks of a node, whose references count as the node's.
    fn parse_hooks(&self, node: &mut Node) -> Result<()> {
        let hooks: Vec<String> = ["pre-hook", "post-hook"]
            .iter()
            .filter_map(|key| node.config.get(key)?.as_array())
            .flatten()
            .filter_map(|hook| hook.get("sql").and_then(Json::as_str))
            .filter(|sql| sql.contains('{'))
            .map(str::to_owned)
            .collect();
        if hooks.is_empty() {
            return Ok(());
        }
        let shared_node = Arc::new(node.clone());
        for sql in hooks {
            let context = self.parsing_context(&shared_node, Vec::new());
            context
                .render(&sql, &Origin::file(&node.original_file_path))
                .map_err(|error| error.trace(format!("in a hook of {}", node.unique_id)))?;
            let capture = context.take_capture();
            if node.resource_type == ResourceType::Seed && capture.refers() {
                let message = "Seeds cannot depend on other nodes: a hook of this seed refers to one";
                return Err(Error::parsing(format!("{message}:\n{sql}"))
                    .at(Location::file(&node.original_file_path))
                    .help("name the relation itself, or do it in a hook of a model that refers to both"));
            }
            take_capture(node, capture);
        }
        Ok(())
    }
}

/// Gives a node what was recorded while it was rendered. References are kept as often as they were made, as dbt does.
pub fn take_capture(node: &mut Node, capture: Capture) {
    let details = &mut *node.details;
    details.refs.extend(capture.refs);
    let lists = [
        (&mut details.sources, capture.sources),
        (&mut details.metrics, capture.metrics),
        (&mut details.functions, capture.functions),
    ];
    for (list, new) in lists {
        for names in new {
            if !list.contains(&names) {
                list.push(names);
            }
        }
    }
    for id in capture.macros {
        node.depends_on.add_macro(&id);
    }
}

/// What a text such as `ref('model')` or `source('a', 'b')` names; texts in YAML do: of foreign keys, of unit tests.
pub fn static_reference(shared: &Arc<Shared>, text: &str) -> Option<Reference> {
    let context =
        Context::build(shared, &shared.project_name, Role::Parsing(Mutex::default()), Names::default());
    context.render(&format!("{{{{ {text} }}}}"), &Origin::file("")).ok()?;
    let capture = context.take_capture();
    let reference = capture.refs.into_iter().next().map(Reference::Ref);
    reference.or_else(|| capture.sources.into_iter().next().map(Reference::Source))
}

impl Parser<'_> {
    /// The layer of the properties: those of the version, if it is one. A Python model is a table if they do not tell.
    fn config_layer<'p>(
        &self,
        unparsed: &Unparsed,
        properties: Option<&'p Properties>,
    ) -> Option<Cow<'p, Map<String, Json>>> {
        let of_version = self.version_config(unparsed, properties).map(Cow::Owned);
        let mut layer = of_version.or_else(|| properties.map(|entry| Cow::Borrowed(&entry.config)));
        if unparsed.resource_type == ResourceType::Model && unparsed.original_file_path.ends_with(".py") {
            let config = layer.get_or_insert_default().to_mut();
            config.entry("materialized").or_insert_with(|| "table".into());
        }
        layer
    }

    /// The configuration layer of a version: the model's, overlaid by the version's own.
    fn version_config(
        &self,
        unparsed: &Unparsed,
        properties: Option<&Properties>,
    ) -> Option<Map<String, Json>> {
        let version = unparsed.version.as_ref()?;
        let entry = properties?;
        let own = versions::entry_of(entry, &version.version)?;
        let mut config = entry.config.clone();
        if let Some(Json::Object(own)) = own.get("config").map(Yaml::to_json) {
            for (key, value) in own {
                merge_deep(config.entry(key).or_insert(Json::Null), value);
            }
        }
        Some(config)
    }

    /// Fails where a model promises a shape and does not say which.
    fn finish_model(&self, node: &mut Node, properties: Option<&Properties>) -> Result<()> {
        let Node { config, details, .. } = node;
        if let Some(contract) = config.get("contract").and_then(Json::as_object) {
            details.contract.enforced = contract.get("enforced").and_then(Json::as_bool).unwrap_or(false);
            details.contract.alias_types =
                contract.get("alias_types").and_then(Json::as_bool).unwrap_or(true);
        }
        let access = node.config.get_str("access").map(str::to_owned);
        if let (Some(model), Some(access)) = (&mut node.model, access) {
            if !["private", "protected", "public"].contains(&access.as_str()) {
                let error = Error::parsing(format!(
                    "Node {} has an invalid value ({access}) for the access field",
                    node.unique_id
                ));
                let error = error.help("use private, protected or public");
                return Err(match properties {
                    Some(entry) => error.at(entry.yaml.location(&entry.path)),
                    None => error.at(Location::file(&node.original_file_path)),
                });
            }
            Arc::make_mut(model).access = access;
        }
        // dbt looks at the contract with the model's YAML; that there is none is told when the model is built.
        if node.model.is_some() && node.contract.enforced && properties.is_some() {
            self.check_contract(node)?;
        }
        Ok(())
    }

    fn check_contract(&self, node: &mut Node) -> Result<()> {
        let problem = if node.columns.is_empty() {
            Some(
                "Constraints must be defined in a `yml` schema configuration file like `schema.yml`."
                    .to_owned(),
            )
        } else if node.language != "sql" {
            Some(format!("Language Error: Expected 'sql' but found '{}'", node.language))
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(Error::parsing(format!(
                "Contract enforcement failed for: ({})\n{problem}",
                node.original_file_path
            ))
            .help("list the model's columns with name and data_type in its YAML")
            .at(Location::file(&node.original_file_path)));
        }
        self.warn_of_ignored_constraints(node);
        node.contract.checksum = Some(sha256_hex(contract_state(node).as_bytes()));
        Ok(())
    }

    /// Views have no constraints, and other materializations may know none.
    fn warn_of_ignored_constraints(&self, node: &Node) {
        let kind = node.materialized();
        let of_model = node.model.iter().flat_map(|model| &model.constraints);
        let mut all = node.columns.values().flat_map(|column| &column.constraints).chain(of_model);
        let warns = |constraint: &Json| constraint.get("warn_unsupported") != Some(&Json::Bool(false));
        if !["table", "incremental"].contains(&kind) && all.any(warns) {
            let message = format!(
                "Constraint types are not supported for {kind} materializations and will be ignored. \
                 Set 'warn_unsupported: false' on the constraint to silence this."
            );
            let warning =
                Warning::new("UnsupportedConstraintMaterialization", message).with("materialized", kind);
            self.warn(warning.at(Location::file(&node.original_file_path)));
        }
    }
}

/// What a contract promises, in the text that dbt hashes, so that checksums compare with those of its manifests: the
/// columns in order with their constraints, and the constraints of the model where they are enforced.
fn contract_state(node: &Node) -> String {
    let mut columns: Vec<&Column> = node.columns.values().collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    let mut state = String::new();
    for column in columns {
        let data_type = column.data_type.as_deref().unwrap_or("None");
        state += &format!("|{}{data_type}{}", column.name, constraints_repr(&column.constraints, "Column"));
    }
    if let (Some(model), "table" | "incremental") = (&node.model, node.materialized()) {
        state += &format!("{}{}", node.materialized(), constraints_repr(&model.constraints, "Model"));
    }
    state
}

/// A list of constraints as Python shows dbt's objects.
fn constraints_repr(constraints: &[Json], level: &str) -> String {
    let one = |constraint: &Json| {
        let fields = constraint.as_object().into_iter().flatten().map(|(name, value)| match name.as_str() {
            "type" => {
                let kind = value.as_str().unwrap_or_default();
                format!("type=<ConstraintType.{kind}: '{kind}'>")
            }
            name => format!("{name}={}", python_repr(&from_json(value))),
        });
        format!("{level}LevelConstraint({})", fields.collect::<Vec<_>>().join(", "))
    };
    format!("[{}]", constraints.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn merge_deep(old: &mut Json, new: Json) {
    match (old, new) {
        (Json::Object(old), Json::Object(new)) => {
            for (key, value) in new {
                merge_deep(old.entry(key).or_insert(Json::Null), value);
            }
        }
        (old, new) => *old = new,
    }
}

impl NamedNode for Node {
    fn config_name(&self, component: &str) -> Option<&str> {
        self.config.custom_name(component)
    }
}

/// Whether a node's text is Python that dbt takes as it is. Functions in Python are templates.
pub fn is_python_model(node: &Node) -> bool {
    node.language == "python" && node.resource_type == ResourceType::Model
}

/// SQL of the command line as a node of the root project, with what it configures.
///
/// # Errors
/// If it does not render.
pub fn inline_node(parsed: &ParsedProject, sql: &str) -> Result<Node> {
    let shared = &parsed.shared;
    let name = "inline_query";
    let id = format!("sql_operation.{}.{name}", shared.project_name);
    let file = "from remote system.sql".to_owned();
    let details = Details {
        path: "sql/inline_query".to_owned(),
        database: shared.target.database.clone(),
        schema: shared.target.schema.clone(),
        checksum: checksum(sql),
        raw_code: sql.into(),
        ..Details::new(name)
    };
    let mut node = Node {
        fqn: vec![shared.project_name.to_string(), "sql".to_owned(), name.to_owned()],
        ..Node::new(ResourceType::SqlOperation, id, name, &shared.project_name, file, details)
    };
    let names = Names { node: Some(Arc::new(node.clone())), ..Names::default() };
    let context = Context::build(shared, &shared.project_name, Role::Parsing(Mutex::default()), names);
    let rendered = context.render(sql, &Origin::at(&node.original_file_path, 1, 1));
    rendered.map_err(|error| error.trace("Error parsing inline query"))?;
    for (key, value) in context.take_capture().config_calls {
        node.config.set(&key, value);
    }
    Ok(node)
}
