//! `Relation` and `api.Relation` as templates see them.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::args::Args;
use super::value as values;
use crate::error::Error as RbtError;
use crate::jinja::raise;
use crate::jinja::values::is_undefined;
use crate::sql::{Policy, Relation, RelationKind};

/// A relation in a template.
#[derive(Debug, Clone)]
pub struct RelationObject(pub Relation);

impl RelationObject {
    /// The relation behind a value, if it is one.
    pub fn from_value(value: &Value) -> Option<&Relation> {
        value.downcast_object_ref::<RelationObject>().map(|object| &object.0)
    }
}

impl From<Relation> for Value {
    fn from(relation: Relation) -> Value {
        Value::from_object(RelationObject(relation))
    }
}

fn optional(text: &Option<String>) -> Value {
    text.as_ref().map_or(Value::from(()), |text| Value::from(text.as_str()))
}

fn policy_value(policy: Policy) -> Value {
    values::dict([
        ("database", Value::from(policy.database)),
        ("schema", Value::from(policy.schema)),
        ("identifier", Value::from(policy.identifier)),
    ])
}

fn kind_value(kind: Option<RelationKind>) -> Value {
    kind.map_or(Value::from(()), |kind| Value::from(kind.name()))
}

/// What a relation lists of itself: to dbt's macros and packages it is a mapping.
const KEYS: &[&str] = &[
    "path",
    "type",
    "quote_character",
    "include_policy",
    "quote_policy",
    "dbt_created",
    "limit",
    "external",
];

impl Object for RelationObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let relation = &self.0;
        let is = |kind: RelationKind| Value::from(relation.kind == Some(kind));
        Some(match key.as_str()? {
            "database" => optional(&relation.database),
            "schema" => optional(&relation.schema),
            "identifier" | "name" | "table" => optional(&relation.identifier),
            "type" => kind_value(relation.kind),
            "is_table" => is(RelationKind::Table),
            "is_view" => is(RelationKind::View),
            "is_cte" => is(RelationKind::Cte),
            "is_materialized_view" => is(RelationKind::MaterializedView),
            "is_function" => is(RelationKind::Function),
            "is_pointer" => is(RelationKind::PointerTable),
            "can_be_renamed" | "can_be_replaced" | "dbt_created" => Value::from(false),
            "quote_character" => Value::from("\""),
            "quote_policy" => policy_value(relation.quote),
            "include_policy" => policy_value(relation.include),
            "external" => optional(&relation.external),
            "limit" => relation.limit.map_or(Value::from(()), Value::from),
            "path" => values::dict([
                ("database", optional(&relation.database)),
                ("schema", optional(&relation.schema)),
                ("identifier", optional(&relation.identifier)),
            ]),
            "Table" => Value::from("table"),
            "View" => Value::from("view"),
            "CTE" => Value::from("cte"),
            "External" => Value::from("external"),
            "MaterializedView" => Value::from("materialized_view"),
            "Function" => Value::from("function"),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(KEYS)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Args::new(method, args)?;
        let parts = || {
            (
                args.optional_bool(0, "database"),
                args.optional_bool(1, "schema"),
                args.optional_bool(2, "identifier"),
            )
        };
        let mut relation = self.0.clone();
        match method {
            "render" => return Ok(Value::from(relation.render())),
            "render_limited" | "__str__" => return Ok(Value::from(relation.to_string())),
            "include" => {
                let (database, schema, identifier) = parts();
                relation.include = relation.include.with(database, schema, identifier);
            }
            "quote" => {
                let (database, schema, identifier) = parts();
                relation.quote = relation.quote.with(database, schema, identifier);
            }
            "quoted" => return Ok(Value::from(format!("\"{}\"", args.string(0, "identifier")?))),
            "replace_path" => replace_path(&mut relation, &args),
            "incorporate" => incorporate(&mut relation, &args),
            "without_identifier" => relation = relation.without_identifier(),
            "information_schema" => {
                relation = information_schema(&relation, args.optional_string(0, "view_name"))
            }
            "information_schema_only" => relation = information_schema(&relation, None),
            "matches" => return matches(&relation, &args),
            "get" => return Ok(self.get_or(&args)),
            "get_function_config" => return function_config(&args.required(0, "model")?),
            "get_function_macro_name" => return function_macro_name(&args.required(0, "config")?),
            _ => return create(method, &args),
        }
        Ok(relation.into())
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<std::cmp::Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(self.0.to_string().cmp(&other.0.to_string()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl RelationObject {
    /// `relation.get(key, default)`, which dbt_utils uses to recognise relations.
    fn get_or(self: &Arc<Self>, args: &Args) -> Value {
        let key = args.get(0, "key").unwrap_or_default();
        if key.as_str() == Some("metadata") {
            return values::dict([("type", Value::from("DuckDBRelation"))]);
        }
        self.get_value(&key).or_else(|| args.get(1, "default")).unwrap_or(Value::from(()))
    }
}

/// What a function's node says of how it is to be created; `None` for other nodes.
fn function_config(model: &Value) -> Result<Value, Error> {
    let field = |of: &Value, key: &str| {
        of.get_attr(key).ok().filter(|value| !is_undefined(value)).unwrap_or(Value::from(()))
    };
    if field(model, "resource_type").as_str() != Some("function") {
        return Ok(Value::from(()));
    }
    let (language, config) = (field(model, "language"), field(model, "config"));
    let [kind, version, entry] = ["type", "runtime_version", "entry_point"].map(|key| field(&config, key));
    let missing = match language.as_str() {
        Some("python") if version.is_none() => Some("A `runtime_version`"),
        Some("python") if entry.is_none() => Some("An `entry_point`"),
        _ => None,
    };
    if let Some(missing) = missing {
        let error = RbtError::runtime(format!("{missing} is required for python functions"));
        return Err(raise(error.help("set it under `config` of the function")));
    }
    let fields =
        [("language", language), ("type", kind), ("runtime_version", version), ("entry_point", entry)];
    Ok(values::dict(fields))
}

/// The macro that writes the SQL of such a function.
fn function_macro_name(config: &Value) -> Result<Value, Error> {
    let (kind, language) = (config.get_attr("type")?, config.get_attr("language")?);
    Ok(Value::from(format!("{kind}_function_{language}")))
}

fn replace_path(relation: &mut Relation, args: &Args) {
    for (part, name) in [
        (&mut relation.database, "database"),
        (&mut relation.schema, "schema"),
        (&mut relation.identifier, "identifier"),
    ] {
        if let Some(value) = args.named(name) {
            *part = (!value.is_none()).then(|| value.to_string());
        }
    }
}

fn incorporate(relation: &mut Relation, args: &Args) {
    if let Some(path) = args.named("path") {
        for (part, name) in [
            (&mut relation.database, "database"),
            (&mut relation.schema, "schema"),
            (&mut relation.identifier, "identifier"),
        ] {
            match path.get_attr(name) {
                Ok(value) if !is_undefined(&value) => {
                    *part = (!value.is_none()).then(|| value.to_string());
                }
                _ => {}
            }
        }
    }
    if let Some(kind) = args.optional_string(usize::MAX, "type") {
        relation.kind = RelationKind::from_name(&kind);
    }
}

fn information_schema(relation: &Relation, view: Option<String>) -> Relation {
    let mut schema = Relation::new(relation.database.as_deref(), Some("INFORMATION_SCHEMA"), view.as_deref());
    schema.quote = Policy { database: relation.quote.database, schema: false, identifier: false };
    schema.include.database = relation.include.database;
    schema
}

fn matches(relation: &Relation, args: &Args) -> Result<Value, Error> {
    let parts = [
        (args.optional_string(0, "database"), &relation.database),
        (args.optional_string(1, "schema"), &relation.schema),
        (args.optional_string(2, "identifier"), &relation.identifier),
    ];
    let equal = |(wanted, part): &(Option<String>, &Option<String>)| match (wanted, part) {
        (None, _) => true,
        (Some(wanted), Some(part)) => wanted.eq_ignore_ascii_case(part),
        (Some(_), None) => false,
    };
    Ok(Value::from(parts.iter().all(equal)))
}

/// The functions of the class itself: `api.Relation.create(...)` and its kin.
fn create(method: &str, args: &Args) -> Result<Value, Error> {
    match method {
        "create" => Ok(create_relation(args, Policy::ALL).into()),
        "add_ephemeral_prefix" => Ok(Value::from(format!("__dbt__cte__{}", args.string(0, "name")?))),
        "scd_args" => {
            let key = args.required(0, "primary_key")?;
            let mut list: Vec<Value> = match key.as_str() {
                Some(_) => vec![key],
                None => key.try_iter()?.collect(),
            };
            list.push(args.required(1, "updated_at")?);
            Ok(values::list(list))
        }
        "get_default_quote_policy" | "get_default_include_policy" => Ok(policy_value(Policy::ALL)),
        _ => Err(Error::new(ErrorKind::UnknownMethod, format!("a Relation has no method '{method}'"))),
    }
}

/// `Relation.create(database, schema, identifier, type, quote_policy)`; `quoting` is the project's.
pub fn create_relation(args: &Args, quoting: Policy) -> Relation {
    let mut relation = Relation::new(
        args.optional_string(0, "database").as_deref(),
        args.optional_string(1, "schema").as_deref(),
        args.optional_string(2, "identifier").as_deref(),
    );
    relation.quote = quoting;
    relation.kind = args.optional_string(3, "type").and_then(|kind| RelationKind::from_name(&kind));
    let policy = |name: &str, base: Policy| {
        let Some(given) = args.named(name) else { return base };
        let part = |key: &str| {
            given.get_attr(key).ok().filter(|v| !is_undefined(v) && !v.is_none()).map(|v| v.is_true())
        };
        base.with(part("database"), part("schema"), part("identifier"))
    };
    relation.quote = policy("quote_policy", relation.quote);
    relation.include = policy("include_policy", relation.include);
    relation.external = args.optional_string(usize::MAX, "external");
    relation
}

/// `api.Relation`: the class, as against its instances.
#[derive(Debug)]
pub struct RelationClass {
    pub quoting: Policy,
}

impl Object for RelationClass {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            name @ ("Table" | "View" | "CTE" | "External" | "MaterializedView") => {
                Arc::new(RelationObject(Relation::new(None, None, None))).get_value(&Value::from(name))
            }
            "Function" => Some(Value::from("function")),
            _ => None,
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Args::new(method, args)?;
        match method {
            "create" => Ok(create_relation(&args, self.quoting).into()),
            _ => create(method, &args),
        }
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let args = Args::new("Relation", args)?;
        Ok(create_relation(&args, self.quoting).into())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<class 'Relation'>")
    }
}
