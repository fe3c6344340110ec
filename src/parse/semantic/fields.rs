//! The fields of the semantic layer, as people write them (deserialized) and as the manifest has them (serialized).

use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

/// A number of some aggregate.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    #[serde(skip_serializing, rename = "name")]
    _name: Json,
    label: String,
    #[serde(rename = "type", deserialize_with = "word")]
    kind: MetricKind,
    type_params: TypeParams,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    filter: Option<Filter>,
    #[serde(default)]
    time_granularity: Option<String>,
    #[serde(default)]
    pub meta: Map<String, Json>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, skip_serializing, rename = "config")]
    _config: Json,
    #[serde(skip_deserializing)]
    sources: [(); 0],
    #[serde(skip_deserializing)]
    metrics: [(); 0],
}

impl Metric {
    /// Gives a cumulative metric its parameters where they belong, wherever they were written.
    pub fn complete(&mut self) {
        if self.kind != MetricKind::Cumulative {
            self.type_params.cumulative_type_params = None;
            return;
        }
        let legacy = (self.type_params.window.clone(), self.type_params.grain_to_date);
        let params = self.type_params.cumulative_type_params.get_or_insert_default();
        if params.window.is_none() {
            params.window = legacy.0;
        }
        if params.grain_to_date.is_none() {
            let word = legacy.1.and_then(|grain| serde_json::to_value(grain).ok());
            params.grain_to_date = word.and_then(|word| word.as_str().map(str::to_owned));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum MetricKind {
    Simple,
    Ratio,
    Cumulative,
    Derived,
    Conversion,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Granularity {
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Aggregation {
    Sum,
    Min,
    Max,
    CountDistinct,
    SumBoolean,
    Average,
    Percentile,
    Median,
    Count,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum PeriodAggregation {
    #[default]
    First,
    Last,
    Average,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Calculation {
    Conversions,
    #[default]
    ConversionRate,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum EntityKind {
    Foreign,
    Natural,
    Primary,
    Unique,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum DimensionKind {
    Categorical,
    Time,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TypeParams {
    #[serde(default)]
    measure: Option<ByName<MeasureInput>>,
    /// The measures of this metric and of those it is made of; known when all metrics are.
    #[serde(skip_deserializing)]
    input_measures: Vec<Json>,
    #[serde(default)]
    numerator: Option<ByName<MetricInput>>,
    #[serde(default)]
    denominator: Option<ByName<MetricInput>>,
    #[serde(default, deserialize_with = "expression")]
    expr: Option<String>,
    #[serde(default)]
    window: Option<Window>,
    #[serde(default, deserialize_with = "optional_word")]
    grain_to_date: Option<Granularity>,
    #[serde(default, deserialize_with = "or_default")]
    metrics: Vec<ByName<MetricInput>>,
    #[serde(default)]
    conversion_type_params: Option<ConversionParams>,
    #[serde(default)]
    cumulative_type_params: Option<CumulativeParams>,
    #[serde(skip_deserializing)]
    metric_aggregation_params: Option<()>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct MeasureInput {
    name: String,
    #[serde(default)]
    filter: Option<Filter>,
    #[serde(default)]
    alias: Option<String>,
    #[serde(default)]
    join_to_timespine: bool,
    #[serde(default)]
    fill_nulls_with: Option<i64>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct MetricInput {
    name: String,
    #[serde(default)]
    filter: Option<Filter>,
    #[serde(default)]
    alias: Option<String>,
    #[serde(default)]
    offset_window: Option<Window>,
    #[serde(default)]
    offset_to_grain: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ConversionParams {
    base_measure: ByName<MeasureInput>,
    conversion_measure: ByName<MeasureInput>,
    entity: String,
    #[serde(default, deserialize_with = "word")]
    calculation: Calculation,
    #[serde(default)]
    window: Option<Window>,
    #[serde(default)]
    constant_properties: Option<Vec<ConstantProperty>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ConstantProperty {
    base_property: String,
    conversion_property: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CumulativeParams {
    #[serde(default)]
    window: Option<Window>,
    #[serde(default)]
    grain_to_date: Option<String>,
    #[serde(default, deserialize_with = "word")]
    period_agg: PeriodAggregation,
    #[serde(skip_deserializing)]
    metric: Option<()>,
}

/// Conditions, all of which must hold: written as one text or as several.
#[derive(Debug, Serialize)]
struct Filter {
    where_filters: Vec<Condition>,
}

#[derive(Debug, Serialize)]
struct Condition {
    where_sql_template: String,
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let conditions: Vec<String> = match Json::deserialize(deserializer)? {
            Json::String(text) => vec![text],
            written => Vec::deserialize(written).map_err(D::Error::custom)?,
        };
        let condition = |where_sql_template| Condition { where_sql_template };
        Ok(Filter { where_filters: conditions.into_iter().map(condition).collect() })
    }
}

/// A span of time, written as `28 days`.
#[derive(Debug, Clone, Serialize)]
struct Window {
    count: u64,
    granularity: String,
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let lower = text.to_lowercase();
        let parts = lower.split_once(' ').filter(|(_, rest)| !rest.contains(' '));
        let Some((count, granularity)) = parts else {
            return Err(D::Error::custom(format!(
                "Invalid window ({text}) in cumulative/conversion metric. Should be of the form `<count> <granularity>`, such as `28 days`"
            )));
        };
        let Ok(count) = count.parse() else {
            return Err(D::Error::custom(format!(
                "Invalid count ({count}) in cumulative/conversion metric window string: ({text})"
            )));
        };
        // Custom granularities may end in an s of their own.
        let is_standard = |stem: &&str| {
            Granularity::deserialize(IntoDeserializer::<D::Error>::into_deserializer(*stem)).is_ok()
        };
        let standard = granularity.strip_suffix('s').filter(is_standard);
        Ok(Window { count, granularity: standard.unwrap_or(granularity).to_owned() })
    }
}

/// A model, seen as entities, dimensions and measures.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SemanticModel {
    #[serde(skip_serializing, rename = "name")]
    _name: Json,
    /// `ref('…')`
    pub model: String,
    /// Known when the model is.
    #[serde(skip_deserializing)]
    node_relation: Option<()>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    defaults: Option<Defaults>,
    #[serde(default, deserialize_with = "or_default")]
    pub entities: Vec<Entity>,
    #[serde(default, deserialize_with = "or_default")]
    pub measures: Vec<WrittenMeasure>,
    #[serde(default, deserialize_with = "or_default")]
    pub dimensions: Vec<Dimension>,
    #[serde(default)]
    primary_entity: Option<String>,
    #[serde(default, skip_serializing, rename = "config")]
    _config: Json,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    #[serde(default)]
    agg_time_dimension: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    name: String,
    #[serde(rename = "type", deserialize_with = "word")]
    kind: EntityKind,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default, deserialize_with = "expression")]
    expr: Option<String>,
    #[serde(default)]
    pub config: ElementConfig,
}

/// A measure. The manifest never repeats that it becomes a metric.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenMeasure {
    pub name: String,
    #[serde(deserialize_with = "word")]
    agg: Aggregation,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub label: Option<String>,
    #[serde(default, serialize_with = "never")]
    pub create_metric: bool,
    #[serde(default, deserialize_with = "expression")]
    pub expr: Option<String>,
    #[serde(default)]
    agg_params: Option<AggregationParams>,
    #[serde(default)]
    non_additive_dimension: Option<NonAdditiveDimension>,
    #[serde(default)]
    agg_time_dimension: Option<String>,
    #[serde(default)]
    pub config: ElementConfig,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct AggregationParams {
    #[serde(default)]
    percentile: Option<f64>,
    #[serde(default)]
    use_discrete_percentile: bool,
    #[serde(default)]
    use_approximate_percentile: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NonAdditiveDimension {
    name: String,
    #[serde(deserialize_with = "word")]
    window_choice: Aggregation,
    #[serde(default)]
    window_groupings: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    name: String,
    #[serde(rename = "type", deserialize_with = "word")]
    kind: DimensionKind,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    is_partition: bool,
    #[serde(default)]
    type_params: Option<DimensionParams>,
    #[serde(default, deserialize_with = "expression")]
    expr: Option<String>,
    #[serde(skip_deserializing)]
    metadata: Option<()>,
    #[serde(default)]
    pub config: ElementConfig,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DimensionParams {
    #[serde(deserialize_with = "word")]
    time_granularity: Granularity,
    #[serde(default)]
    validity_params: Option<ValidityParams>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ValidityParams {
    #[serde(default)]
    is_start: bool,
    #[serde(default)]
    is_end: bool,
}

/// The configuration of an entity, a measure or a dimension, of which only `meta` is kept.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct ElementConfig {
    #[serde(default)]
    meta: Map<String, Json>,
}

impl ElementConfig {
    /// Adds what the semantic model says, which its elements may override.
    pub fn inherit(&mut self, meta: &Json) {
        let mut all = meta.as_object().cloned().unwrap_or_default();
        all.append(&mut self.meta);
        self.meta = all;
    }
}

/// A query of metrics that is asked often, and where its rows are to be kept.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SavedQuery {
    #[serde(skip_serializing, rename = "name")]
    _name: Json,
    query_params: QueryParams,
    #[serde(default)]
    exports: Vec<Export>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub tags: Vec<Json>,
    #[serde(default, skip_serializing, rename = "config")]
    _config: Json,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct QueryParams {
    #[serde(default)]
    metrics: Vec<String>,
    #[serde(default)]
    group_by: Vec<String>,
    #[serde(default, rename = "where")]
    filter: Option<Filter>,
    #[serde(default)]
    order_by: Vec<String>,
    #[serde(default)]
    limit: Option<i64>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Export {
    name: String,
    #[serde(default)]
    config: Map<String, Json>,
    #[serde(skip_deserializing)]
    unrendered_config: Map<String, Json>,
}

impl SavedQuery {
    /// Says of each export where its rows go: as it says itself, or the query, or to the target's schema.
    pub fn place_exports(&mut self, config: &Json, database: &str, schema: &str) {
        for export in &mut self.exports {
            let written = std::mem::take(&mut export.config);
            let given = |key: &str| {
                let value = written.get(key).unwrap_or(&config[key]);
                Some(value.clone()).filter(|value| !value.is_null())
            };
            let schema_name = given("schema_name").or_else(|| given("schema"));
            let placed = json!({
                "export_as": given("export_as"),
                "schema_name": schema_name.unwrap_or_else(|| Json::from(schema)),
                "alias": given("alias").unwrap_or_else(|| Json::from(export.name.as_str())),
                "database": given("database").unwrap_or_else(|| Json::from(database)),
            });
            export.config = placed.as_object().cloned().unwrap_or_default();
            export.unrendered_config = written;
        }
    }
}

/// A word, in whatever case it is written.
fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?.to_lowercase();
    T::deserialize(IntoDeserializer::<D::Error>::into_deserializer(text))
}

fn optional_word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) => {
            T::deserialize(IntoDeserializer::<D::Error>::into_deserializer(text.to_lowercase())).map(Some)
        }
    }
}

/// SQL, which YAML takes for a number or a boolean if it looks like one; text again, as Python writes it.
fn expression<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::Null => None,
        Json::String(text) => Some(text),
        Json::Bool(true) => Some("True".to_owned()),
        Json::Bool(false) => Some("False".to_owned()),
        Json::Number(number) => Some(number.to_string()),
        other => return Err(D::Error::custom(format!("an expression is text, not {other}"))),
    })
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Json>, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::Null => Vec::new(),
        Json::Array(many) => many,
        one => vec![one],
    })
}

/// Something that is written by its name alone, or with more about it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct ByName<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for ByName<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = match Json::deserialize(deserializer)? {
            Json::String(name) => json!({ "name": name }),
            written => written,
        };
        T::deserialize(written).map(ByName).map_err(D::Error::custom)
    }
}

fn never<S: serde::Serializer>(_: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(false)
}
