//! `ref`, `source`, `function` and `graph`.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use minijinja::value::{Enumerator, Object, Value};
use minijinja::{Error, State};
use serde::Serialize;
use serde_json::Value as Json;

use super::args::Args;
use super::value as values;
use super::{Batch, Context, Role, Running, Shared, lock};
use crate::error::Error as RbtError;
use crate::events::{Event, Level, Note};
use crate::jinja::values::is_undefined;
use crate::jinja::{datetime_value, python_str, raise};
use crate::manifest::{Found, Id, Manifest, Node, RefArgs, ResourceType, Source};
use crate::sql::{Policy, Relation, RelationKind};
use crate::text::nearest;

/// `ref('name')`, `ref('package', 'name')`, `ref('name', v=1)`.
pub fn reference(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let reference = parse_ref(args)?;
    if let Some(mut capture) = context.capture() {
        capture.refs.push(reference);
        return Ok(placeholder(context));
    }
    let Some(running) = context.running() else { return Ok(placeholder(context)) };
    let id = match resolve_ref(context, running, &reference) {
        Ok(id) => id,
        Err(error) => return Err(raise(error)),
    };
    if reference.version.is_none() {
        tell_newer_version(context, running, &id);
    }
    running.ref_relation(context, &id).map(Value::from).map_err(raise)
}

/// Tells where a reference without a version will mean another one as soon as that counts as the latest.
fn tell_newer_version(context: &Context, running: &Running, id: &Id) {
    let Some(node) = running.manifest.nodes.get(id) else { return };
    let (Some(own), Some(referrer)) = (node.version(), &context.node) else { return };
    let number = |version: &Json| version.as_f64().or_else(|| version.as_str()?.parse().ok());
    let same_model = running
        .manifest
        .nodes
        .values()
        .filter(|other| other.name == node.name && other.package_name == node.package_name);
    let newest = same_model
        .filter_map(|other| other.version())
        .filter(|other| match (number(other), number(own)) {
            (Some(other), Some(own)) => other > own,
            _ => python_str(&values::from_json(other)) > python_str(&values::from_json(own)),
        })
        .max_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal));
    let Some(newest) = newest else { return };
    let text = |version: &Json| python_str(&values::from_json(version));
    let (name, own, newest) = (&node.name, text(own), text(newest));
    let message = format!(
        "While compiling '{}': ref('{name}') names no version and means {name}.v{own}. Version {newest} is there, but not \
         yet the latest; when it is, the reference will mean {name}.v{newest}. Write v='{own}' to stay, v='{newest}' to \
         try the new one.",
        referrer.name
    );
    let fields = [
        ("ref_node_name", name.clone()),
        ("ref_node_package", node.package_name.to_string()),
        ("ref_node_version", own),
        ("ref_max_version", newest),
    ];
    context.shared.events.emit(Event::Note(Note {
        name: "UnpinnedRefNewVersionAvailable",
        code: "I064",
        level: Level::Info,
        message,
        data: fields.into_iter().map(|(key, value)| (key.to_owned(), Json::from(value))).collect(),
    }));
}

fn parse_ref(args: &Args) -> Result<RefArgs, Error> {
    let (package, name) = match args.positional().len() {
        1 => (None, args.string(0, "name")?),
        2 => (Some(args.string(0, "package")?), args.string(1, "name")?),
        count => {
            let message = format!("ref() takes at most two arguments ({count} given)");
            return Err(raise(
                RbtError::compilation(message).help("write ref('model') or ref('package', 'model')"),
            ));
        }
    };
    let version =
        args.named("version").or_else(|| args.named("v")).filter(|v| !v.is_none() && !is_undefined(v));
    let version = version.map(|version| values::to_json(&version)).transpose().map_err(raise)?;
    Ok(RefArgs { name, package, version })
}

/// While parsing, `ref` gives the node's own relation, as nothing is known of others yet.
fn placeholder(context: &Context) -> Value {
    match &context.node {
        Some(node) => node_relation(&context.shared, node).into(),
        None => Relation::new(None, None, Some("")).into(),
    }
}

/// The relation of a node, quoted as the project and the node say.
pub fn node_relation(shared: &Shared, node: &Node) -> Relation {
    let mut relation = Relation::new(Some(&node.database), Some(&node.schema), Some(&node.alias));
    let quoting = node.config.get("quoting");
    let part = |key: &str| quoting.and_then(|quoting| quoting.get(key)).and_then(Json::as_bool);
    relation.quote = shared.quoting.with(part("database"), part("schema"), part("identifier"));
    relation
}

fn resolve_ref(context: &Context, running: &Running, reference: &RefArgs) -> Result<Id, RbtError> {
    let RefArgs { name, package, version } = reference;
    let root = &context.shared.project_name;
    let own = &context.package;
    match running.lookup.resolve_ref(name, package.as_deref(), version.as_ref(), root, own) {
        Found::Enabled(id) => {
            let known = context.node.as_ref().is_none_or(|node| node.depends_on.nodes.contains(&id));
            if known || running.any_ref {
                return Ok(id);
            }
            Err(unexpected_ref(context, reference))
        }
        Found::Ambiguous(ids) => Err(RbtError::compilation(format!(
            "ref('{name}') could mean any of: {}",
            ids.iter().map(|id| &**id).collect::<Vec<_>>().join(", ")
        ))
        .help("name the package: ref('package', 'model')")),
        found => {
            let own_name = context.node.as_ref().map_or("an operation", |node| &node.unique_id);
            let disabled = matches!(found, Found::Disabled(_));
            Err(missing_dependency(own_name, "node", name, disabled, running.lookup.ref_names()))
        }
    }
}

/// The error for a `ref` or `source` to something that does not exist.
///
/// `kind` is what it would be: `node` or `source`; `known` are the names that exist.
pub fn missing_dependency<'a>(
    who: &str,
    kind: &str,
    name: &str,
    disabled: bool,
    known: impl Iterator<Item = &'a str>,
) -> RbtError {
    let why = if disabled { "is disabled" } else { "was not found" };
    let error = RbtError::compilation(format!("'{who}' depends on a {kind} named '{name}' which {why}"));
    match nearest(name, known).filter(|_| !disabled) {
        Some(similar) => error.help(format!("did you mean '{similar}'?")),
        None => error,
    }
}

fn unexpected_ref(context: &Context, reference: &RefArgs) -> RbtError {
    let call = match &reference.package {
        Some(package) => format!("ref('{package}', '{}')", reference.name),
        None => format!("ref('{}')", reference.name),
    };
    let node = context.node.as_ref().map_or("", |node| &node.name);
    RbtError::compilation(format!(
        "dbt was unable to infer all dependencies for the model \"{node}\": \
         {call} was not met while parsing, perhaps because it stands behind a condition."
    ))
    .help(format!("name it in a comment at the top of the file:\n\n-- depends_on: {{{{ {call} }}}}"))
}

/// A unit test reads nothing but the rows that it gives.
fn refuse_ungiven(context: &Context, id: &Id) -> Result<(), RbtError> {
    let Some(node) = context.node.as_ref().filter(|node| node.resource_type == ResourceType::UnitTest) else {
        return Ok(());
    };
    let (kind, name) = match id.strip_prefix("source.") {
        Some(rest) => ("source", rest.split_once('.').map_or(rest, |(_, name)| name)),
        None => ("node", id.splitn(3, '.').last().unwrap_or(id)),
    };
    let message = format!(
        "unit test '{}' depends on a {kind} named '{name}' which was not found among its inputs",
        node.name
    );
    Err(RbtError::compilation(message).help("add it to `given`, with its rows or with `rows: []`"))
}

impl Running {
    fn ref_relation(&self, context: &Context, id: &Id) -> Result<Relation, RbtError> {
        if let Some(relation) = self.replaced.get(id) {
            self.remember_ephemeral(relation, id);
            return Ok(relation.clone());
        }
        refuse_ungiven(context, id)?;
        let Some(node) = self.manifest.node(id) else {
            return Err(RbtError::new(crate::error::ErrorKind::Internal, format!("the manifest lost {id}")));
        };
        let own = node_relation(&context.shared, node);
        let mut relation = if node.is_ephemeral() {
            if context.node.is_none() {
                let name = &node.name;
                return Err(RbtError::compilation(format!(
                    "Operations cannot ref() ephemeral nodes, but {name} is ephemeral"
                )));
            }
            Relation::ephemeral(&node.alias)
        } else {
            self.deferral.stand_in(self, id, &own)?.unwrap_or(own)
        };
        self.remember_ephemeral(&relation, id);
        relation.limit = context.shared.flags.empty.then_some(0);
        if let Some(field) = node.config.get_str("event_time") {
            relation.event_time_filter = context.event_time_filter(field);
        }
        Ok(relation)
    }

    fn remember_ephemeral(&self, relation: &Relation, id: &Id) {
        if relation.kind == Some(RelationKind::Cte) {
            let mut ephemerals = lock(&self.ephemerals);
            if !ephemerals.contains(id) {
                ephemerals.push(id.clone());
            }
        }
    }
}

/// `source('source', 'table')`.
pub fn source(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    if args.positional().len() != 2 {
        let message = format!("source() takes exactly two arguments ({} given)", args.positional().len());
        return Err(raise(RbtError::compilation(message).help("write source('source_name', 'table_name')")));
    }
    let (source_name, table_name) = (args.string(0, "source")?, args.string(1, "table")?);
    if let Some(mut capture) = context.capture() {
        capture.sources.push(vec![source_name, table_name]);
        return Ok(placeholder(context));
    }
    let Some(running) = context.running() else { return Ok(placeholder(context)) };
    let root = &context.shared.project_name;
    let found = running.lookup.resolve_source(&source_name, &table_name, root, &context.package);
    if let Found::Enabled(id) = &found {
        if let Some(relation) = running.replaced.get(id) {
            running.remember_ephemeral(relation, id);
            return Ok(relation.clone().into());
        }
        refuse_ungiven(context, id).map_err(raise)?;
        if let Some(source) = running.manifest.sources.get(id) {
            let mut relation = source_relation(source).map_err(raise)?;
            relation.limit = context.shared.flags.empty.then_some(0);
            if let Some(field) = source.config.get_str("event_time") {
                relation.event_time_filter = context.event_time_filter(field);
            }
            return Ok(relation.into());
        }
    }
    let who = context.node.as_ref().map_or("an operation", |node| &node.unique_id);
    let name = format!("{source_name}.{table_name}");
    let disabled = matches!(found, Found::Disabled(_));
    Err(raise(missing_dependency(who, "source", &name, disabled, running.lookup.source_names())))
}

/// The relation of a source: its table, or the files and expressions of `external_location`
/// (<https://github.com/duckdb/dbt-duckdb#reading-from-external-files>).
pub fn source_relation(source: &Source) -> Result<Relation, RbtError> {
    let mut relation = Relation::new(Some(&source.database), Some(&source.schema), Some(&source.identifier));
    let quoting = source.quoting;
    relation.quote = Policy::ALL.with(quoting.database, quoting.schema, quoting.identifier);
    if let Some(template) = external_setting(source, "external_location") {
        relation.external = Some(external_location(source, &template)?);
    }
    Ok(relation)
}

/// A setting of dbt-duckdb in `meta` or `config` of the source or its table.
fn external_setting(source: &Source, key: &str) -> Option<String> {
    let found = source
        .config
        .get(key)
        .or_else(|| source.config.get("meta").and_then(|meta| meta.get(key)))
        .or_else(|| source.fields.meta.get(key))
        .or_else(|| source.fields.source_meta.get(key))?;
    found.as_str().map(str::to_owned)
}

/// Fills the placeholders of an `external_location` in one of dbt-duckdb's three notations.
fn external_location(source: &Source, template: &str) -> Result<String, RbtError> {
    let formatter = external_setting(source, "formatter");
    let (open, close) = match formatter.as_deref() {
        None | Some("newstyle") => ("{", "}"),
        Some("oldstyle") => ("%(", ")s"),
        Some("template") => ("${", "}"),
        Some(other) => {
            return Err(RbtError::compilation(format!(
                "Formatter {other} not recognized. Must be one of 'newstyle', 'oldstyle', or 'template'."
            )));
        }
    };
    let mut location = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(start) = rest.find(open) {
        location.push_str(&rest[..start]);
        let inside = &rest[start + open.len()..];
        if open == "{" && inside.starts_with('{') {
            location.push('{');
            rest = &inside[1..];
            continue;
        }
        let Some(end) = inside.find(close) else {
            rest = &rest[start..];
            break;
        };
        location.push_str(&placeholder_value(source, inside[..end].trim())?);
        rest = &inside[end + close.len()..];
    }
    location.push_str(rest);
    let location = if open == "{" { location.replace("}}", "}") } else { location };
    let quoted = location.contains('(') || location.starts_with('\'');
    Ok(if quoted { location } else { format!("'{location}'") })
}

fn placeholder_value(source: &Source, name: &str) -> Result<String, RbtError> {
    let known = match name {
        "name" => Some(source.name.clone()),
        "identifier" => Some(source.identifier.clone()),
        "schema" => Some(source.schema.clone()),
        "database" => Some(source.database.clone()),
        "source_name" => Some(source.source_name.clone()),
        other => {
            let meta = |map: &serde_json::Map<String, Json>| map.get(other).cloned();
            let value = meta(&source.fields.meta)
                .or_else(|| meta(&source.fields.source_meta))
                .or_else(|| source.config.get(other).cloned());
            value.map(|value| match value {
                Json::String(text) => text,
                other => other.to_string(),
            })
        }
    };
    known.ok_or_else(|| {
        RbtError::compilation(format!(
            "the external_location of source '{}' has a placeholder '{name}' that stands for nothing",
            source.search_name()
        ))
        .help("use name, identifier, schema, database, source_name, or a key of the source's meta")
    })
}

/// `function('name')`: the relation of a user-defined function.
pub fn function(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let names = package_and_name(args, "function")?;
    if let Some(mut capture) = context.capture() {
        capture.functions.push(names);
        return Ok(placeholder(context));
    }
    let Some(running) = context.running() else { return Ok(placeholder(context)) };
    let name = names.last().map(String::as_str).unwrap_or_default();
    let package = (names.len() == 2).then(|| names[0].as_str());
    let root = &context.shared.project_name;
    let found = running.lookup.resolve_function(name, package, root, &context.package);
    let node = match &found {
        Found::Enabled(id) => running.manifest.functions.get(id),
        _ => None,
    };
    let Some(node) = node else {
        let who = context.node.as_ref().map_or("an operation", |node| &node.unique_id);
        let message = format!("'{who}' depends on a function named '{name}' which was not found");
        return Err(raise(RbtError::compilation(message)));
    };
    let mut relation = Relation::new(Some(&node.database), Some(&node.schema), Some(&node.alias));
    relation.kind = Some(RelationKind::Function);
    Ok(relation.into())
}

pub(super) fn package_and_name(args: &Args, function: &str) -> Result<Vec<String>, Error> {
    match args.positional().len() {
        1 => Ok(vec![args.string(0, "name")?]),
        2 => Ok(vec![args.string(0, "package")?, args.string(1, "name")?]),
        count => {
            let message = format!("{function}() takes at most two arguments ({count} given)");
            Err(raise(RbtError::compilation(message)))
        }
    }
}

/// A node as a dictionary, as in the manifest. It becomes one when more than its commonest fields is asked for.
#[derive(Debug)]
pub struct NodeObject {
    node: Arc<Node>,
    batch: Option<Batch>,
    /// Whether fields that are not set are left out, as in dbt's `model`, or are None, as elsewhere.
    omits_unset: bool,
    full: OnceLock<Value>,
}

impl NodeObject {
    /// The value of a node.
    pub fn value(node: Arc<Node>) -> Value {
        Value::from_object(NodeObject { node, batch: None, omits_unset: false, full: OnceLock::new() })
    }

    /// The same as `model`: without the fields that are not set, and with the batch of it that is built.
    pub fn model(node: Arc<Node>, batch: Option<Batch>) -> Value {
        Value::from_object(NodeObject { node, batch, omits_unset: true, full: OnceLock::new() })
    }

    fn batch(&self) -> Option<Value> {
        let batch = self.batch.as_ref()?;
        Some(values::dict([
            ("id", Value::from(batch.id.as_str())),
            ("event_time_start", datetime_value(batch.start)),
            ("event_time_end", datetime_value(batch.end)),
        ]))
    }

    fn full(&self) -> &Value {
        self.full.get_or_init(|| {
            let json = serde_json::to_value(&*self.node).map(|mut json| {
                if self.omits_unset {
                    omit_unset(&mut json, self.node.resource_type);
                }
                values::from_json(&json)
            });
            json.unwrap_or_default()
        })
    }
}

impl Object for NodeObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let node = &self.node;
        match key.as_str()? {
            "name" => Some(Value::from(node.name.as_str())),
            "alias" => Some(Value::from(node.alias.as_str())),
            "schema" => Some(Value::from(node.schema.as_str())),
            "database" => Some(Value::from(node.database.as_str())),
            "unique_id" => Some(Value::from(&*node.unique_id)),
            "package_name" => Some(Value::from(&*node.package_name)),
            "resource_type" => Some(Value::from(node.resource_type.as_str())),
            "language" => Some(Value::from(node.language)),
            "batch" => self.batch().or_else(|| (!self.omits_unset).then(|| Value::from(()))),
            _ => self.full().get_item(key).ok().filter(|value| !is_undefined(value)),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.full().try_iter().into_iter().flatten().collect())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if let ("get", Some("batch"), Some(batch)) =
            (method, args.first().and_then(Value::as_str), self.batch())
        {
            return Ok(batch);
        }
        if method == "to_dict" {
            return Ok(self.full().clone());
        }
        self.full().call_method(state, method, args)
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.full())
    }
}

/// Takes the fields that are null out of a node and its parts. What the user wrote keeps its nulls.
fn omit_unset(node: &mut Json, resource: ResourceType) {
    let Json::Object(fields) = node else { return };
    fields.retain(|_, value| !value.is_null());
    let unset = |part: &mut Json| {
        if let Json::Object(fields) = part {
            fields.retain(|_, value| !value.is_null());
        }
    };
    if let Some(Json::Object(config)) = fields.get_mut("config") {
        let known: Vec<&str> = crate::project::config::known_keys(resource).collect();
        config.retain(|key, value| !value.is_null() || !known.contains(&key.as_str()));
        config.get_mut("docs").map(unset);
    }
    for part in ["docs", "contract", "test_metadata"] {
        fields.get_mut(part).map(unset);
    }
    let columns = fields.get_mut("columns").and_then(Json::as_object_mut);
    columns.into_iter().flat_map(|columns| columns.values_mut()).for_each(unset);
    fields.get_mut("refs").and_then(Json::as_array_mut).into_iter().flatten().for_each(unset);
}

/// `graph`: the manifest's nodes by kind. Entries become dictionaries only when they are looked at.
pub fn graph_value(context: &Context) -> Value {
    let Role::Running(running) = &context.role else {
        let empty = || values::dict(Vec::<(&str, Value)>::new());
        return values::dict(GRAPH.map(|(kind, _)| (kind, empty())));
    };
    running.graph.get_or_init(|| whole_graph(&running.manifest)).clone()
}

/// The kinds of resources in `graph`, in dbt's order.
const GRAPH: [(&str, Part); 8] = [
    ("exposures", Part::Exposures),
    ("functions", Part::Functions),
    ("groups", Part::Groups),
    ("metrics", Part::Metrics),
    ("nodes", Part::Nodes),
    ("sources", Part::Sources),
    ("semantic_models", Part::SemanticModels),
    ("saved_queries", Part::SavedQueries),
];

fn whole_graph(manifest: &Arc<Manifest>) -> Value {
    values::dict(GRAPH.map(|(kind, part)| (kind, Value::from_object(GraphPart::new(manifest.clone(), part)))))
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Nodes,
    Sources,
    Exposures,
    Groups,
    Metrics,
    SemanticModels,
    SavedQueries,
    Functions,
}

/// One kind of the graph: a dictionary from ids to nodes.
#[derive(Debug)]
struct GraphPart {
    manifest: Arc<Manifest>,
    part: Part,
    entries: OnceLock<Vec<OnceLock<Value>>>,
}

impl GraphPart {
    fn new(manifest: Arc<Manifest>, part: Part) -> Self {
        GraphPart { manifest, part, entries: OnceLock::new() }
    }

    fn ids(&self) -> Vec<&Id> {
        let manifest = &self.manifest;
        match self.part {
            Part::Nodes => manifest.nodes.keys().collect(),
            Part::Sources => manifest.sources.keys().collect(),
            Part::Exposures => manifest.exposures.keys().collect(),
            Part::Groups => manifest.groups.keys().collect(),
            Part::Metrics => manifest.metrics.keys().collect(),
            Part::SemanticModels => manifest.semantic_models.keys().collect(),
            Part::SavedQueries => manifest.saved_queries.keys().collect(),
            Part::Functions => manifest.functions.keys().collect(),
        }
    }

    fn index_and_value(&self, id: &str) -> Option<(usize, Value)> {
        fn entry<T: Serialize>(map: &indexmap::IndexMap<Id, T>, id: &str) -> Option<(usize, Value)> {
            let (index, _, item) = map.get_full(id)?;
            let json = serde_json::to_value(item).ok()?;
            Some((index, values::from_json(&json)))
        }
        let manifest = &self.manifest;
        match self.part {
            Part::Nodes => entry(&manifest.nodes, id),
            Part::Sources => entry(&manifest.sources, id),
            Part::Exposures => entry(&manifest.exposures, id),
            Part::Groups => entry(&manifest.groups, id),
            Part::Metrics => entry(&manifest.metrics, id),
            Part::SemanticModels => entry(&manifest.semantic_models, id),
            Part::SavedQueries => entry(&manifest.saved_queries, id),
            Part::Functions => entry(&manifest.functions, id),
        }
    }
}

impl Object for GraphPart {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let id = key.as_str()?;
        let ids = self.ids();
        let position = ids.iter().position(|known| &***known == id)?;
        let entries = self.entries.get_or_init(|| (0..ids.len()).map(|_| OnceLock::new()).collect());
        let slot = entries.get(position)?;
        if let Some(value) = slot.get() {
            return Some(value.clone());
        }
        let (_, value) = self.index_and_value(id)?;
        Some(slot.get_or_init(|| value).clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.ids().into_iter().map(|id| Value::from(&**id)).collect())
    }
}
