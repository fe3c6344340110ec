//! Keys of property files that nothing reads: mostly typing errors
//! (<https://docs.getdbt.com/reference/deprecations#customkeyinobjectdeprecation>).
//!
//! Objects have fixed keys, so that any other is told. Configurations are open, to adapters and packages: only what
//! is nearly a known key is told.

use std::path::Path;

use super::Parser;
use crate::events::Warning;
use crate::manifest::ResourceType;
use crate::project::config::known_keys;
use crate::project::yaml::Yaml;
use crate::text::nearest;

/// An object of a property file: its keys, and which of them hold objects.
struct Object {
    keys: &'static [&'static str],
    inner: &'static [(&'static str, Inner)],
}

/// What a key holds that has keys in turn.
enum Inner {
    One(&'static Object),
    Each(&'static Object),
    /// The configuration of this type of resource.
    Config(ResourceType),
    Tests,
}

const fn leaf(keys: &'static [&'static str]) -> Object {
    Object { keys, inner: &[] }
}

const QUOTING: Object = leaf(&["database", "schema", "identifier", "column", "snowflake_ignore_case"]);
const DOCS: Object = leaf(&["show", "node_color"]);
const TIME: Object = leaf(&["count", "period"]);
const FRESHNESS: Object = Object {
    keys: &["warn_after", "error_after", "filter"],
    inner: &[("warn_after", Inner::One(&TIME)), ("error_after", Inner::One(&TIME))],
};
const CONSTRAINT: Object = leaf(&[
    "type",
    "name",
    "expression",
    "columns",
    "to",
    "to_columns",
    "warn_unenforced",
    "warn_unsupported",
]);
const COLUMN: Object = Object {
    keys: &[
        "name",
        "description",
        "data_type",
        "quote",
        "constraints",
        "data_tests",
        "tests",
        "config",
        "meta",
        "tags",
        "docs",
        "granularity",
        "dimension",
        "entity",
        "policy_tags",
        "column_mask",
        "databricks_tags",
        // In the columns of a version.
        "include",
        "exclude",
    ],
    inner: &[
        ("constraints", Inner::Each(&CONSTRAINT)),
        ("data_tests", Inner::Tests),
        ("tests", Inner::Tests),
        ("docs", Inner::One(&DOCS)),
    ],
};
const VERSION: Object = Object {
    keys: &[
        "v",
        "name",
        "defined_in",
        "description",
        "access",
        "config",
        "docs",
        "meta",
        "constraints",
        "columns",
        "data_tests",
        "tests",
        "deprecation_date",
    ],
    inner: &[
        ("config", Inner::Config(ResourceType::Model)),
        ("constraints", Inner::Each(&CONSTRAINT)),
        ("columns", Inner::Each(&COLUMN)),
        ("data_tests", Inner::Tests),
        ("tests", Inner::Tests),
        ("docs", Inner::One(&DOCS)),
    ],
};
const CUSTOM_GRANULARITY: Object = leaf(&["name", "column_name"]);
const TIME_SPINE: Object = Object {
    keys: &["standard_granularity_column", "custom_granularities"],
    inner: &[("custom_granularities", Inner::Each(&CUSTOM_GRANULARITY))],
};
const MODEL: Object = Object {
    keys: &[
        "name",
        "description",
        "columns",
        "config",
        "data_tests",
        "tests",
        "constraints",
        "versions",
        "latest_version",
        "deprecation_date",
        "time_spine",
        "meta",
        "docs",
        "group",
        "access",
        "contract",
        "agg_time_dimension",
        "derived_semantics",
        "identifier",
        "metrics",
        "primary_entity",
        "semantic_model",
        "static_analysis_off_reason",
    ],
    inner: &[
        ("config", Inner::Config(ResourceType::Model)),
        ("columns", Inner::Each(&COLUMN)),
        ("data_tests", Inner::Tests),
        ("tests", Inner::Tests),
        ("constraints", Inner::Each(&CONSTRAINT)),
        ("versions", Inner::Each(&VERSION)),
        ("time_spine", Inner::One(&TIME_SPINE)),
        ("docs", Inner::One(&DOCS)),
    ],
};
/// What seeds, snapshots, analyses and functions have in common.
macro_rules! node {
    ($kind:ident, $($key:literal),*) => {
        Object {
            keys: &[
                "name", "description", "columns", "config", "data_tests", "tests", "meta", "docs", "group", "access",
                "contract", "static_analysis_off_reason", $($key),*
            ],
            inner: &[
                ("config", Inner::Config(ResourceType::$kind)),
                ("columns", Inner::Each(&COLUMN)),
                ("data_tests", Inner::Tests),
                ("tests", Inner::Tests),
                ("docs", Inner::One(&DOCS)),
                ("arguments", Inner::Each(&ARGUMENT)),
                ("returns", Inner::One(&RETURNS)),
            ],
        }
    };
}
const ARGUMENT: Object = leaf(&["name", "data_type", "type", "description", "default_value"]);
const RETURNS: Object = leaf(&["data_type", "description"]);
const SEED: Object = node!(Seed, "quote_columns");
const SNAPSHOT: Object = node!(Snapshot, "relation");
const ANALYSIS: Object = node!(Analysis,);
const FUNCTION: Object = node!(Function, "arguments", "returns", "language", "identifier");
const DATA_TEST: Object = Object {
    keys: &["name", "description", "config", "meta", "docs", "static_analysis_off_reason"],
    inner: &[("config", Inner::Config(ResourceType::Test)), ("docs", Inner::One(&DOCS))],
};
const TABLE: Object = Object {
    keys: &[
        "name",
        "description",
        "identifier",
        "loader",
        "columns",
        "config",
        "data_tests",
        "tests",
        "external",
        "freshness",
        "loaded_at_field",
        "loaded_at_query",
        "meta",
        "tags",
        "docs",
        "quoting",
    ],
    inner: &[
        ("columns", Inner::Each(&COLUMN)),
        ("config", Inner::Config(ResourceType::Source)),
        ("data_tests", Inner::Tests),
        ("tests", Inner::Tests),
        ("freshness", Inner::One(&FRESHNESS)),
        ("quoting", Inner::One(&QUOTING)),
    ],
};
const SOURCE: Object = Object {
    keys: &[
        "name",
        "description",
        "database",
        "schema",
        "catalog",
        "loader",
        "tables",
        "config",
        "freshness",
        "loaded_at_field",
        "loaded_at_query",
        "meta",
        "tags",
        "overrides",
        "quoting",
    ],
    inner: &[
        ("config", Inner::Config(ResourceType::Source)),
        ("tables", Inner::Each(&TABLE)),
        ("freshness", Inner::One(&FRESHNESS)),
        ("quoting", Inner::One(&QUOTING)),
    ],
};
const MACRO: Object = Object {
    keys: &["name", "description", "arguments", "config", "meta", "docs"],
    inner: &[
        ("arguments", Inner::Each(&ARGUMENT)),
        ("config", Inner::Config(ResourceType::Macro)),
        ("docs", Inner::One(&DOCS)),
    ],
};
const EXPOSURE: Object = Object {
    keys: &[
        "name",
        "label",
        "description",
        "type",
        "maturity",
        "url",
        "owner",
        "depends_on",
        "config",
        "meta",
        "tags",
        "enabled",
    ],
    inner: &[("config", Inner::Config(ResourceType::Exposure))],
};
const GROUP: Object = Object {
    keys: &["name", "description", "owner", "config", "meta"],
    inner: &[("config", Inner::Config(ResourceType::Group))],
};
const GIVEN: Object = leaf(&["input", "rows", "format", "fixture"]);
const EXPECT: Object = leaf(&["rows", "format", "fixture"]);
const OVERRIDES: Object = leaf(&["macros", "vars", "env_vars"]);
const UNIT_TEST: Object = Object {
    keys: &[
        "name",
        "description",
        "model",
        "given",
        "expect",
        "overrides",
        "versions",
        "config",
        "static_analysis_off_reason",
    ],
    inner: &[
        ("given", Inner::Each(&GIVEN)),
        ("expect", Inner::One(&EXPECT)),
        ("overrides", Inner::One(&OVERRIDES)),
        ("config", Inner::Config(ResourceType::UnitTest)),
    ],
};

/// The keys of an entry. Those of the semantic layer are checked where it is read.
fn object_of(kind: ResourceType) -> Option<&'static Object> {
    Some(match kind {
        ResourceType::Model => &MODEL,
        ResourceType::Seed => &SEED,
        ResourceType::Snapshot => &SNAPSHOT,
        ResourceType::Analysis => &ANALYSIS,
        ResourceType::Function => &FUNCTION,
        ResourceType::Test => &DATA_TEST,
        ResourceType::Source => &SOURCE,
        ResourceType::Macro => &MACRO,
        ResourceType::Exposure => &EXPOSURE,
        ResourceType::Group => &GROUP,
        ResourceType::UnitTest => &UNIT_TEST,
        _ => return None,
    })
}

/// Configurations that macros read, beside those that all nodes of a type have; with some of other warehouses that
/// are nearly one of the former.
const READ_BY_MACROS: &[&str] = &[
    "auto_refresh",
    "batch_id",
    "csv_read_options",
    "dist",
    "external_location",
    "format",
    "formatter",
    "glue_database",
    "glue_register",
    "hard_deletes",
    "incremental_predicates",
    "indexes",
    "invalidate_hard_deletes",
    "json_read_options",
    "location",
    "merge_clauses",
    "merge_exclude_columns",
    "merge_insert_condition",
    "merge_on_using_columns",
    "merge_returning_columns",
    "merge_update_columns",
    "merge_update_condition",
    "merge_update_set_expressions",
    "options",
    "parquet_read_options",
    "partition_by",
    "partition_columns",
    "partitioned_by",
    "partitions",
    "plugin",
    "predicates",
    "sort",
    "sort_by",
    "sort_type",
    "sorted_by",
    "sql_header",
];

impl Parser<'_> {
    /// Warns of the keys of an entry that nothing reads. `at` is dbt's path of the entry: `models[0]`.
    pub fn warn_unknown_keys(&self, kind: ResourceType, entry: &Yaml, path: &Path, at: String) {
        if let Some(object) = object_of(kind) {
            UnknownKeys { parser: self, path, kind }.in_object(object, entry, at);
        }
    }
}

/// The search through one entry.
struct UnknownKeys<'a> {
    parser: &'a Parser<'a>,
    path: &'a Path,
    kind: ResourceType,
}

impl UnknownKeys<'_> {
    fn in_object(&self, object: &Object, yaml: &Yaml, at: String) {
        let Some(map) = yaml.as_map() else { return };
        for (key, value) in map.iter() {
            let name = key.key_text();
            if !object.keys.contains(&name.as_str()) {
                self.warn_in_object(object, key, &name, &at);
            }
            let Some((_, inner)) = object.inner.iter().find(|(known, _)| *known == name) else { continue };
            let items = || value.as_seq().unwrap_or_default().iter().enumerate();
            match inner {
                Inner::One(object) => self.in_object(object, value, format!("{at}.{name}")),
                Inner::Each(object) => {
                    items().for_each(|(i, item)| self.in_object(object, item, format!("{at}.{name}[{i}]")));
                }
                Inner::Config(kind) => self.in_config(*kind, value, &at),
                Inner::Tests => {
                    items().for_each(|(i, item)| self.in_test(item, &format!("{at}.{name}[{i}]")));
                }
            }
        }
    }

    /// The other keys of a test are arguments of its macro.
    fn in_test(&self, test: &Yaml, at: &str) {
        let Some(map) = test.as_map() else { return };
        let given = match map.contains("test_name") {
            true => Some(test),
            false => map.iter().next().map(|(_, given)| given),
        };
        if let Some(config) = given.and_then(|given| given.get("config")) {
            self.in_config(ResourceType::Test, config, at);
        }
    }

    fn in_config(&self, kind: ResourceType, config: &Yaml, at: &str) {
        let known = || known_keys(kind).chain(READ_BY_MACROS.iter().copied());
        for (key, _) in config.as_map().into_iter().flat_map(|map| map.iter()) {
            let name = key.key_text();
            if is_known(&name, known()) {
                continue;
            }
            if let Some(similar) = nearest(&name, known()) {
                let message =
                    format!("No configuration is named '{name}' in {at}.config; did you mean '{similar}'?");
                self.warn("CustomKeyInConfigDeprecation", message, key, &name, format!("{at}.config"));
            }
        }
    }

    fn warn_in_object(&self, object: &Object, key: &Yaml, name: &str, at: &str) {
        let has_config = object.keys.contains(&"config");
        let advice = if has_config && is_known(name, known_keys(self.kind)) {
            "it is a configuration: move it under `config:`".to_owned()
        } else {
            match nearest(name, object.keys.iter().copied()) {
                Some(similar) => format!("did you mean '{similar}'?"),
                None if has_config => "what is your own goes under `config:`, in `meta:`".to_owned(),
                None => format!("the known keys are: {}", object.keys.join(", ")),
            }
        };
        let message = format!("Nothing reads the key '{name}' of {at}; {advice}");
        self.warn("CustomKeyInObjectDeprecation", message, key, name, at.to_owned());
    }

    fn warn(&self, code: &'static str, message: String, key: &Yaml, name: &str, at: String) {
        let warning = Warning::new(code, message)
            .with("key", name)
            .with("file", self.path.to_string_lossy())
            .with("key_path", at);
        self.parser.warn(warning.at(key.location(self.path)));
    }
}

/// Whether a configuration is known, under its own name or, as hooks, with underscores for hyphens.
fn is_known(name: &str, mut known: impl Iterator<Item = &'static str>) -> bool {
    known.any(|known| known == name || known.replace('-', "_") == name)
}
