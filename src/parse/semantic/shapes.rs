//! The entries of the semantic layer, key by key
//! (<https://docs.getdbt.com/docs/build/semantic-models>, <https://docs.getdbt.com/docs/build/metrics-overview>).

use crate::parse::shape::{Absent, GRANULARITIES, Key, Shape, optional, or, required};

const AGGREGATIONS: &[&str] =
    &["sum", "min", "max", "count_distinct", "sum_boolean", "average", "percentile", "median", "count"];

const INPUT_MEASURE: &[Key] = &[
    required("name", Shape::Text),
    optional("filter", Shape::Filter),
    optional("alias", Shape::Text),
    or("join_to_timespine", Shape::Bool, Absent::False),
    optional("fill_nulls_with", Shape::Int),
];

const INPUT_METRIC: &[Key] = &[
    required("name", Shape::Text),
    optional("filter", Shape::Filter),
    optional("alias", Shape::Text),
    optional("offset_window", Shape::Window),
    optional("offset_to_grain", Shape::Text),
];

const CONVERSION: &[Key] = &[
    required("base_measure", Shape::Named(INPUT_MEASURE)),
    required("conversion_measure", Shape::Named(INPUT_MEASURE)),
    required("entity", Shape::Text),
    or("calculation", Shape::OneOf(&["conversions", "conversion_rate"]), Absent::Text("conversion_rate")),
    optional("window", Shape::Window),
    optional(
        "constant_properties",
        Shape::List(&Shape::Record(&[
            required("base_property", Shape::Text),
            required("conversion_property", Shape::Text),
        ])),
    ),
];

const CUMULATIVE: &[Key] = &[
    optional("window", Shape::Window),
    optional("grain_to_date", Shape::Text),
    or("period_agg", Shape::OneOf(&["first", "last", "average"]), Absent::Text("first")),
    optional("metric", Shape::Filled),
];

const TYPE_PARAMS: &[Key] = &[
    optional("measure", Shape::Named(INPUT_MEASURE)),
    or("input_measures", Shape::Filled, Absent::List),
    optional("numerator", Shape::Named(INPUT_METRIC)),
    optional("denominator", Shape::Named(INPUT_METRIC)),
    optional("expr", Shape::Scalar),
    optional("window", Shape::Window),
    optional("grain_to_date", Shape::OneOf(GRANULARITIES)),
    or("metrics", Shape::List(&Shape::Named(INPUT_METRIC)), Absent::List),
    optional("conversion_type_params", Shape::Record(CONVERSION)),
    optional("cumulative_type_params", Shape::Record(CUMULATIVE)),
    optional("metric_aggregation_params", Shape::Filled),
];

pub const METRIC: &[Key] = &[
    required("name", Shape::Text),
    or("description", Shape::Text, Absent::Text("")),
    required("label", Shape::Text),
    required("type", Shape::OneOf(&["simple", "ratio", "cumulative", "derived", "conversion"])),
    required("type_params", Shape::Record(TYPE_PARAMS)),
    optional("filter", Shape::Filter),
    optional("metadata", Shape::Filled),
    optional("time_granularity", Shape::Text),
    or("meta", Shape::Mapping, Absent::Mapping),
    or("tags", Shape::TextOrTexts, Absent::List),
    or("config", Shape::Mapping, Absent::Mapping),
];

const ENTITY: &[Key] = &[
    required("name", Shape::Text),
    required("type", Shape::OneOf(&["foreign", "natural", "primary", "unique"])),
    optional("description", Shape::Text),
    optional("label", Shape::Text),
    optional("role", Shape::Text),
    optional("expr", Shape::Scalar),
    or("config", Shape::Mapping, Absent::Mapping),
];

const MEASURE: &[Key] = &[
    required("name", Shape::Text),
    required("agg", Shape::OneOf(AGGREGATIONS)),
    optional("description", Shape::Text),
    optional("label", Shape::Text),
    or("create_metric", Shape::Bool, Absent::False),
    optional("expr", Shape::Scalar),
    optional(
        "agg_params",
        Shape::Record(&[
            optional("percentile", Shape::Number),
            or("use_discrete_percentile", Shape::Bool, Absent::False),
            or("use_approximate_percentile", Shape::Bool, Absent::False),
        ]),
    ),
    optional(
        "non_additive_dimension",
        Shape::Record(&[
            required("name", Shape::Text),
            required("window_choice", Shape::OneOf(AGGREGATIONS)),
            or("window_groupings", Shape::Texts, Absent::List),
        ]),
    ),
    optional("agg_time_dimension", Shape::Text),
    or("config", Shape::Mapping, Absent::Mapping),
];

const DIMENSION: &[Key] = &[
    required("name", Shape::Text),
    required("type", Shape::OneOf(&["categorical", "time"])),
    optional("description", Shape::Text),
    optional("label", Shape::Text),
    or("is_partition", Shape::Bool, Absent::False),
    optional(
        "type_params",
        Shape::Record(&[
            required("time_granularity", Shape::OneOf(GRANULARITIES)),
            optional(
                "validity_params",
                Shape::Record(&[
                    or("is_start", Shape::Bool, Absent::False),
                    or("is_end", Shape::Bool, Absent::False),
                ]),
            ),
        ]),
    ),
    optional("expr", Shape::Scalar),
    optional("metadata", Shape::Filled),
    or("config", Shape::Mapping, Absent::Mapping),
];

pub const SEMANTIC_MODEL: &[Key] = &[
    required("name", Shape::Text),
    required("model", Shape::Text),
    optional("node_relation", Shape::Filled),
    optional("description", Shape::Text),
    optional("label", Shape::Text),
    optional("defaults", Shape::Record(&[optional("agg_time_dimension", Shape::Text)])),
    or("entities", Shape::List(&Shape::Record(ENTITY)), Absent::List),
    or("measures", Shape::List(&Shape::Record(MEASURE)), Absent::List),
    or("dimensions", Shape::List(&Shape::Record(DIMENSION)), Absent::List),
    optional("metadata", Shape::Filled),
    optional("primary_entity", Shape::Text),
    or("config", Shape::Mapping, Absent::Mapping),
];

pub const SAVED_QUERY: &[Key] = &[
    required("name", Shape::Text),
    required(
        "query_params",
        Shape::Record(&[
            or("metrics", Shape::Texts, Absent::List),
            or("group_by", Shape::Texts, Absent::List),
            optional("where", Shape::Filter),
            or("order_by", Shape::Texts, Absent::List),
            optional("limit", Shape::Int),
        ]),
    ),
    or(
        "exports",
        Shape::List(&Shape::Record(&[
            required("name", Shape::Text),
            or("config", Shape::Mapping, Absent::Mapping),
        ])),
        Absent::List,
    ),
    optional("description", Shape::Text),
    optional("label", Shape::Text),
    optional("metadata", Shape::Filled),
    or("tags", Shape::TextOrTexts, Absent::List),
    or("config", Shape::Mapping, Absent::Mapping),
];
