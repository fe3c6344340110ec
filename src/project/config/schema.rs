//! Which configurations a resource type knows: their order, defaults, shapes, and how layers combine.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::project::resource::ResourceType;

/// How the value of a nearer layer combines with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// The nearer value replaces the other.
    Clobber,
    /// Lists are joined; a single value counts as a list of one.
    Append,
    /// The nearer mapping's keys are set in the other.
    Update,
    /// As `Update`, with lists as values; a key written `+key` adds to the list instead of replacing it.
    DictKeyAppend,
}

/// What the value of a configuration must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    Bool,
    OptionalBool,
    Text,
    OptionalText,
    OptionalInt,
    OptionalTextOrList,
    TextList,
    Mapping,
    Hooks,
    /// A mapping with fixed keys, each with its default.
    Record(&'static [(&'static str, RecordDefault)]),
    OptionalRecord(&'static [(&'static str, RecordDefault)]),
    /// One of a few words.
    OneOf(&'static [&'static str]),
    OptionalOneOf(&'static [&'static str]),
    /// `on` or `off`, which YAML reads as booleans.
    OnOff,
    Severity,
    /// A model's freshness: kept only with `build_after`.
    ModelFreshness,
}

/// The default of a key inside a [`Shape::Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordDefault {
    Null,
    Bool(bool),
    /// A count and a period of time, both open.
    Time,
}

impl RecordDefault {
    pub(super) fn value(self) -> Value {
        match self {
            RecordDefault::Null => Value::Null,
            RecordDefault::Bool(value) => Value::Bool(value),
            RecordDefault::Time => json!({"count": null, "period": null}),
        }
    }
}

/// One configuration key of a resource type.
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) default: Value,
    pub(super) merge: Merge,
    pub(super) shape: Shape,
}

/// All configuration keys of a resource type, in the order of dbt's artifacts.
pub(super) struct Schema {
    pub(super) fields: Vec<Field>,
    index: HashMap<&'static str, usize>,
}

impl Schema {
    /// The index of a key among the fields.
    pub(super) fn position(&self, key: &str) -> Option<usize> {
        self.index.get(key).copied()
    }

    /// A resource type that has this schema.
    pub(super) fn resource(&self) -> ResourceType {
        let is_this = |kind: &ResourceType| std::ptr::eq(Schema::of(*kind), self);
        ResourceType::ALL.into_iter().find(is_this).unwrap_or(ResourceType::Operation)
    }

    /// The schema of a resource type; kinds without one of their own are configured as plain nodes.
    pub(super) fn of(resource: ResourceType) -> &'static Schema {
        match resource {
            ResourceType::Model => &MODEL,
            ResourceType::Seed => &SEED,
            ResourceType::Snapshot => &SNAPSHOT,
            ResourceType::Test => &TEST,
            ResourceType::Source => &SOURCE,
            ResourceType::UnitTest => &UNIT_TEST,
            ResourceType::Exposure => &EXPOSURE,
            ResourceType::Function => &FUNCTION,
            ResourceType::Metric | ResourceType::SemanticModel => &METRIC,
            ResourceType::SavedQuery => &SAVED_QUERY,
            ResourceType::Group => &GROUP,
            ResourceType::Macro => &MACRO,
            ResourceType::Analysis
            | ResourceType::Operation
            | ResourceType::SqlOperation
            | ResourceType::Doc => &NODE,
        }
    }
}

static NODE: LazyLock<Schema> = LazyLock::new(|| schema(node("view")));
static MODEL: LazyLock<Schema> = LazyLock::new(|| schema([node("view"), model()].concat()));
static SEED: LazyLock<Schema> = LazyLock::new(|| schema([node("seed"), seed()].concat()));
static SNAPSHOT: LazyLock<Schema> = LazyLock::new(|| schema([node("snapshot"), snapshot()].concat()));
static FUNCTION: LazyLock<Schema> = LazyLock::new(|| schema([node("function"), function()].concat()));
static TEST: LazyLock<Schema> = LazyLock::new(|| schema([common(json!("dbt_test__audit")), test()].concat()));
static SOURCE: LazyLock<Schema> = LazyLock::new(|| schema(source()));
static UNIT_TEST: LazyLock<Schema> = LazyLock::new(|| schema(unit_test()));
static EXPOSURE: LazyLock<Schema> = LazyLock::new(|| schema(exposure()));
static METRIC: LazyLock<Schema> = LazyLock::new(|| schema(metric()));
static SAVED_QUERY: LazyLock<Schema> = LazyLock::new(|| schema([metric(), saved_query()].concat()));
static GROUP: LazyLock<Schema> = LazyLock::new(|| schema(vec![meta()]));
static MACRO: LazyLock<Schema> = LazyLock::new(|| {
    schema(vec![("meta", json!({}), Merge::Clobber, Shape::Mapping), ("docs", docs(), Merge::Clobber, DOCS)])
});

/// A row of the tables below: key, default, how layers combine, shape.
type Row = (&'static str, Value, Merge, Shape);

fn schema(rows: Vec<Row>) -> Schema {
    let index = rows.iter().enumerate().map(|(index, row)| (row.0, index)).collect();
    let fields =
        rows.into_iter().map(|(key, default, merge, shape)| Field { key, default, merge, shape }).collect();
    Schema { fields, index }
}

const ENABLED: Row = ("enabled", Value::Bool(true), Merge::Clobber, Shape::Bool);
const GROUP_NAME: Row = ("group", Value::Null, Merge::Clobber, Shape::OptionalText);
const STATIC_ANALYSIS: Row = ("static_analysis", Value::Null, Merge::Clobber, Shape::OnOff);

const DOCS: Shape =
    Shape::Record(&[("show", RecordDefault::Bool(true)), ("node_color", RecordDefault::Null)]);
const CONTRACT: Shape =
    Shape::Record(&[("enforced", RecordDefault::Bool(false)), ("alias_types", RecordDefault::Bool(true))]);
const SNAPSHOT_COLUMNS: Shape = Shape::Record(&[
    ("dbt_valid_to", RecordDefault::Null),
    ("dbt_valid_from", RecordDefault::Null),
    ("dbt_scd_id", RecordDefault::Null),
    ("dbt_updated_at", RecordDefault::Null),
    ("dbt_is_deleted", RecordDefault::Null),
]);
const SOURCE_FRESHNESS: Shape = Shape::OptionalRecord(&[
    ("warn_after", RecordDefault::Time),
    ("error_after", RecordDefault::Time),
    ("filter", RecordDefault::Null),
]);
const CACHE: Shape = Shape::Record(&[("enabled", RecordDefault::Bool(false))]);

fn docs() -> Value {
    json!({"show": true, "node_color": null})
}

/// An optional text without a default.
fn text(key: &'static str) -> Row {
    (key, Value::Null, Merge::Clobber, Shape::OptionalText)
}

/// An optional value of any shape without a default.
fn any(key: &'static str) -> Row {
    (key, Value::Null, Merge::Clobber, Shape::Any)
}

fn tags(merge: Merge) -> Row {
    ("tags", json!([]), merge, Shape::TextList)
}

fn meta() -> Row {
    ("meta", json!({}), Merge::Update, Shape::Mapping)
}

/// What nodes and tests share.
fn common(schema: Value) -> Vec<Row> {
    vec![
        ENABLED,
        text("alias"),
        ("schema", schema, Merge::Clobber, Shape::OptionalText),
        text("database"),
        tags(Merge::Append),
        meta(),
        GROUP_NAME,
        STATIC_ANALYSIS,
    ]
}

/// What everything that is built has.
fn node(materialized: &str) -> Vec<Row> {
    let own = vec![
        ("materialized", json!(materialized), Merge::Clobber, Shape::Text),
        text("incremental_strategy"),
        any("batch_size"),
        ("lookback", json!(1), Merge::Clobber, Shape::Any),
        any("begin"),
        ("persist_docs", json!({}), Merge::Clobber, Shape::Mapping),
        ("post-hook", json!([]), Merge::Append, Shape::Hooks),
        ("pre-hook", json!([]), Merge::Append, Shape::Hooks),
        ("quoting", json!({}), Merge::Update, Shape::Mapping),
        ("column_types", json!({}), Merge::Update, Shape::Mapping),
        ("full_refresh", Value::Null, Merge::Clobber, Shape::OptionalBool),
        ("unique_key", Value::Null, Merge::Clobber, Shape::OptionalTextOrList),
        ("on_schema_change", json!("ignore"), Merge::Clobber, Shape::OptionalText),
        (
            "on_configuration_change",
            json!("apply"),
            Merge::Clobber,
            Shape::OneOf(&["apply", "continue", "fail"]),
        ),
        ("grants", json!({}), Merge::DictKeyAppend, Shape::Mapping),
        ("packages", json!([]), Merge::Append, Shape::TextList),
        ("docs", docs(), Merge::Update, DOCS),
        ("contract", json!({"enforced": false, "alias_types": true}), Merge::Update, CONTRACT),
        any("event_time"),
        any("concurrent_batches"),
    ];
    [common(Value::Null), own].concat()
}

fn model() -> Vec<Row> {
    vec![
        ("access", json!("protected"), Merge::Clobber, Shape::OneOf(&["private", "protected", "public"])),
        ("freshness", Value::Null, Merge::Clobber, Shape::ModelFreshness),
    ]
}

fn seed() -> Vec<Row> {
    vec![
        ("delimiter", json!(","), Merge::Clobber, Shape::Text),
        ("quote_columns", Value::Null, Merge::Clobber, Shape::OptionalBool),
    ]
}

fn snapshot() -> Vec<Row> {
    let columns = json!({
        "dbt_valid_to": null, "dbt_valid_from": null, "dbt_scd_id": null, "dbt_updated_at": null, "dbt_is_deleted": null
    });
    vec![
        text("strategy"),
        text("target_schema"),
        text("target_database"),
        text("updated_at"),
        ("check_cols", Value::Null, Merge::Clobber, Shape::OptionalTextOrList),
        ("snapshot_meta_column_names", columns, Merge::Clobber, SNAPSHOT_COLUMNS),
        text("dbt_valid_to_current"),
    ]
}

fn function() -> Vec<Row> {
    vec![
        ("type", json!("scalar"), Merge::Clobber, Shape::OneOf(&["scalar", "aggregate", "table"])),
        (
            "volatility",
            Value::Null,
            Merge::Clobber,
            Shape::OptionalOneOf(&["deterministic", "stable", "non-deterministic"]),
        ),
        text("runtime_version"),
        text("entry_point"),
    ]
}

fn test() -> Vec<Row> {
    vec![
        ("materialized", json!("test"), Merge::Clobber, Shape::Text),
        ("severity", json!("ERROR"), Merge::Clobber, Shape::Severity),
        ("store_failures", Value::Null, Merge::Clobber, Shape::OptionalBool),
        text("store_failures_as"),
        text("where"),
        ("limit", Value::Null, Merge::Clobber, Shape::OptionalInt),
        ("fail_calc", json!("count(*)"), Merge::Clobber, Shape::Text),
        ("warn_if", json!("!= 0"), Merge::Clobber, Shape::Text),
        ("error_if", json!("!= 0"), Merge::Clobber, Shape::Text),
    ]
}

fn source() -> Vec<Row> {
    let time = RecordDefault::Time.value();
    let freshness = json!({"warn_after": time, "error_after": time, "filter": null});
    vec![
        ENABLED,
        any("event_time"),
        ("freshness", freshness, Merge::Clobber, SOURCE_FRESHNESS),
        text("loaded_at_field"),
        text("loaded_at_query"),
        meta(),
        tags(Merge::Clobber),
        STATIC_ANALYSIS,
    ]
}

fn unit_test() -> Vec<Row> {
    vec![tags(Merge::Append), meta(), ENABLED, STATIC_ANALYSIS]
}

fn exposure() -> Vec<Row> {
    vec![ENABLED, tags(Merge::Clobber), ("meta", json!({}), Merge::Clobber, Shape::Mapping)]
}

fn metric() -> Vec<Row> {
    vec![ENABLED, GROUP_NAME, meta()]
}

fn saved_query() -> Vec<Row> {
    vec![
        ("export_as", Value::Null, Merge::Clobber, Shape::OptionalOneOf(&["table", "view"])),
        text("schema"),
        ("cache", json!({"enabled": false}), Merge::Clobber, CACHE),
    ]
}
