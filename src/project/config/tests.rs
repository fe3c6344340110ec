use std::path::Path;

use serde_json::json;

use super::*;
use crate::project::yaml;

fn trees(text: &str) -> ConfigTrees {
    let root = yaml::parse(text, Path::new("dbt_project.yml")).expect("valid YAML");
    ConfigTrees::new(root.as_map().expect("a mapping"))
}

fn fqn(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

fn object(value: &Value) -> Option<Map<String, Value>> {
    value.as_object().cloned()
}

fn model(tree: &str, calls: Value) -> Result<Config> {
    resolve(ResourceType::Model, &trees(tree), None, &fqn("shop.a.b"), None, object(&calls).as_ref())
}

/// A project with a package, as dbt 1.11 resolved it: every layer, every kind of merge, every resource type.
#[test]
fn resolves_all_layers_as_dbt_does() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/layers.json")).expect("valid JSON");
    let root = trees(fixture["root"].as_str().expect("text"));
    let package = trees(fixture["package"].as_str().expect("text"));
    for case in fixture["cases"].as_array().expect("a list") {
        let resource: ResourceType =
            serde_json::from_value(case["resource"].clone()).expect("a resource type");
        let path: Vec<String> = serde_json::from_value(case["fqn"].clone()).expect("a path");
        let (own, above) = if case["package"] == "shop" { (&root, None) } else { (&package, Some(&root)) };
        let properties = object(&case["properties"]);
        // In a file, `config(pre_hook=...)` arrives under the hyphenated name.
        let calls = object(&case["call"])
            .map(|calls| calls.into_iter().map(|(key, value)| (canonical(&key).to_owned(), value)).collect());
        let config =
            resolve(resource, own, above, &path, properties.as_ref(), calls.as_ref()).expect("a config");
        let actual = serde_json::to_value(&config).expect("JSON");
        assert_eq!(actual, case["expected"], "{}", path.join("."));
        let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&actual), keys(&case["expected"]), "order of keys in {}", path.join("."));

        // Sources and unit tests get more in their unrendered configuration when they are parsed.
        if !matches!(resource, ResourceType::Source | ResourceType::UnitTest) {
            let raw = resolve_unrendered(resource, own, above, &path, properties.as_ref(), calls.as_ref());
            let mut expected = case["unrendered"].clone();
            if resource == ResourceType::Exposure {
                expected = json!({"enabled": true, "meta": {"m": 1}, "tags": ["t"]});
            }
            assert_eq!(Value::Object(raw), expected, "unrendered {}", path.join("."));
        }
    }
}

#[test]
fn a_key_without_plus_configures_unless_it_is_a_mapping() {
    let tree = "models: {shop: {materialized: table, meta: {a: 1}, +meta: {b: 2}, '+ tags': x}}";
    let config = model(tree, Value::Null).expect("a config");
    assert_eq!(config.get_str("materialized"), Some("table"));
    assert_eq!(config.get("meta"), Some(&json!({"b": 2})));
    assert_eq!(config.get("tags"), Some(&json!(["x"])));
}

#[test]
fn a_null_does_not_undo_the_project_but_names_do_without() {
    let tree = "models: {shop: {+schema: core, +unique_key: id}}";
    let config = model(tree, json!({"schema": null, "unique_key": null})).expect("a config");
    assert_eq!(config.get_str("schema"), Some("core"));
    assert_eq!(config.custom_name("schema"), None);
    assert_eq!(config.get_str("unique_key"), Some("id"));
    assert_eq!(model(tree, Value::Null).expect("a config").custom_name("schema"), Some("core"));
}

#[test]
fn hooks_have_two_spellings_and_three_forms() {
    let tree = "models: {shop: {+pre_hook: [a, {sql: b, transaction: false}]}}";
    let calls = json!({"pre-hook": "{\"sql\": \"c\", \"transaction\": false}"});
    let config = model(tree, calls).expect("a config");
    let expected = json!([
        {"sql": "a", "transaction": true, "index": null},
        {"sql": "b", "transaction": false, "index": null},
        {"sql": "c", "transaction": false, "index": null},
    ]);
    assert_eq!(config.get("pre_hook"), Some(&expected));
    assert_eq!(config.get("pre-hook"), Some(&expected));
}

#[test]
fn wrong_shapes_are_told() {
    let cases = [
        (json!({"enabled": "yes"}), "`enabled`: 'yes' is not of type 'boolean'"),
        (json!({"materialized": ["a"]}), "`materialized`: expected a string, found a list"),
        (json!({"tags": [1]}), "`tags`: expected a string or a list of strings, found a list"),
        (json!({"meta": "x"}), "`meta`: expected a mapping, found \"x\""),
        (
            json!({"access": "secret"}),
            "`access`: expected one of 'private', 'protected', 'public', found \"secret\"",
        ),
        (
            json!({"contract": {"enforced": "no"}}),
            "`contract.enforced`: expected true or false, found \"no\"",
        ),
        (json!({"pre-hook": [{"no": "sql"}]}), "`pre-hook`: expected SQL"),
        (json!({"docs": {"node_color": "reddish"}}), "docs.node_color: reddish"),
        (
            json!({"contract": {"enforced": true}, "materialized": "incremental"}),
            "`on_schema_change`: 'ignore'",
        ),
    ];
    for (calls, expected) in cases {
        let error = model("models: {}", calls).expect_err(expected);
        assert!(error.message().contains(expected), "{error}");
    }
    let seed = object(&json!({"materialized": "table"}));
    let error = resolve(ResourceType::Seed, &trees("models: {}"), None, &fqn("a.b"), seed.as_ref(), None);
    assert!(error.expect_err("no seed").message().contains("a seed cannot be materialized as 'table'"));
}

#[test]
fn config_calls_of_a_file_add_up() {
    let mut calls = Map::new();
    for call in [
        json!({"tags": "a", "meta": {"x": 1}, "grants": {"select": "anna"}, "materialized": "table"}),
        json!({"tags": ["b"], "meta": {"y": 2}, "grants": {"select": "bob", "+insert": "eve"}}),
        json!({"grants": {"+insert": "zoe"}, "materialized": "view"}),
    ] {
        add_config_call(&mut calls, object(&call).expect("an object")).expect("a call that fits");
    }
    let expected = json!({
        "tags": ["a", "b"], "meta": {"x": 1, "y": 2}, "materialized": "view",
        "grants": {"select": ["bob"], "+insert": ["eve", "zoe"]},
    });
    assert_eq!(Value::Object(calls), expected);
}

#[test]
fn paths_tell_where_the_project_configures() {
    let trees = trees("models: {shop: {+a: 1, sub: {deep: {+b: 2}}}}\nseeds: {+c: 1}");
    let paths: Vec<String> =
        trees.paths().into_iter().map(|(s, path)| format!("{s}/{}", path.join("."))).collect();
    assert_eq!(paths, ["models/shop", "models/shop.sub.deep", "seeds/"]);
}

#[test]
fn reads_back_what_it_writes() {
    let config =
        model("models: {+tags: x, +hello: {a: 1}}", json!({"materialized": "table"})).expect("a config");
    let Value::Object(written) = config.to_json() else { panic!("an object") };
    assert_eq!(Config::from_json(ResourceType::Model, &written).expect("a config"), config);
}

#[test]
fn snapshots_need_what_their_strategy_needs() {
    let cases = [
        (json!({}), Some("'strategy' and 'unique_key'")),
        (json!({"strategy": "check", "unique_key": ""}), Some("'strategy' and 'unique_key'")),
        (json!({"strategy": "check", "unique_key": "id"}), Some("must specify a check_cols")),
        (
            json!({"strategy": "check", "unique_key": "id", "check_cols": []}),
            Some("must specify a check_cols"),
        ),
        (json!({"strategy": "check", "unique_key": "id", "check_cols": "a"}), Some("'check_cols': a")),
        (json!({"strategy": "check", "unique_key": ["id"], "check_cols": ["a"]}), None),
        (json!({"strategy": "timestamp", "unique_key": "id"}), Some("updated_at")),
        (
            json!({"strategy": "timestamp", "unique_key": "id", "updated_at": "a", "check_cols": "all"}),
            Some("not have"),
        ),
        (json!({"strategy": "timestamp", "unique_key": "id", "updated_at": "a"}), None),
        (json!({"strategy": "own", "unique_key": "id", "materialized": "table"}), Some("materialized value")),
        (json!({"strategy": "own", "unique_key": "id"}), None),
    ];
    for (calls, expected) in cases {
        let tree = trees("models: {}");
        let config = resolve(ResourceType::Snapshot, &tree, None, &fqn("a.b"), None, object(&calls).as_ref());
        let result = config.expect("a config").check_snapshot();
        match expected {
            None => assert!(result.is_ok(), "{calls}: {result:?}"),
            Some(expected) => {
                assert!(result.is_err_and(|error| error.message().contains(expected)), "{calls}")
            }
        }
    }
}
