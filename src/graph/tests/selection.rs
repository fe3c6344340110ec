//! What the recording of dbt does not show: messages, hints, and how errors are told.

use serde_json::{Value as Json, json};

use super::manifests::{manifest, read};
use crate::error::Result;
use crate::graph::*;
use crate::manifest::{Manifest, ResourceType};

fn selected(manifest: &Manifest, typed: &str) -> Result<Selection> {
    let typed = [typed.to_owned()];
    let dag = Dag::new(manifest)?;
    select(manifest, &dag, &SelectionRequest { select: &typed, ..SelectionRequest::default() })
}

fn shop() -> Manifest {
    let mut json = json!({ "nodes": {}, "sources": {}, "disabled": {} });
    for (name, tags, folder) in
        [("orders", json!(["daily"]), "models/marts"), ("customers", json!(["weekly"]), "models/marts")]
    {
        json["nodes"][format!("model.p.{name}")] = json!({
            "unique_id": format!("model.p.{name}"), "resource_type": "model", "name": name, "package_name": "p",
            "original_file_path": format!("{folder}/{name}.sql"), "fqn": ["p", "marts", name],
            "raw_code": "select 1", "config": { "tags": tags },
        });
    }
    json["sources"]["source.p.raw.payments"] = json!({
        "unique_id": "source.p.raw.payments", "resource_type": "source", "name": "payments", "source_name": "raw",
        "package_name": "p", "original_file_path": "models/s.yml", "fqn": ["p", "raw", "payments"],
    });
    json["disabled"]["model.p.old"] = json!([{
        "unique_id": "model.p.old", "resource_type": "model", "name": "old", "config": { "enabled": false },
    }]);
    read(&json)
}

#[test]
fn what_matches_nothing_is_named_with_a_hint() {
    let manifest = shop();
    let cases = [
        ("ordres", Some("did you mean 'orders'?")),
        ("tag:dayly", Some("did you mean 'daily'?")),
        ("+source:raw.paymnets", Some("did you mean 'raw.payments'?")),
        ("models/mart", Some("did you mean 'models/marts'?")),
        ("file:order.sql", Some("did you mean 'orders.sql'?")),
        ("old", Some("the model 'old' is disabled (`enabled: false` in its configuration)")),
        ("something_else_entirely", None),
        ("tag:daily,tag:weekly", Some("each of its parts matches nodes, but no node matches all")),
        ("tag:daily,cutsomers", Some("did you mean 'customers'?")),
    ];
    for (typed, help) in cases {
        let selection = selected(&manifest, typed).unwrap();
        let warning = SelectionWarning {
            event: "NoNodesForSelectionCriteria",
            message: format!("The selection criterion '{typed}' does not match any enabled nodes"),
            help: help.map(str::to_owned),
        };
        assert!(selection.ids.is_empty());
        assert_eq!(selection.warnings, [warning]);
    }
    assert!(selected(&manifest, "orders").unwrap().warnings.is_empty());
}

#[test]
fn errors_say_what_to_write() {
    let manifest = manifest("a -> b");
    let cases = [
        ("nope:x", "'nope' is not a valid method name"),
        ("@a+", "Invalid node spec @a+ - \"@\" prefix and \"+\" suffix are incompatible"),
        ("source:a.b.c.d", "Invalid source selector value \"a.b.c.d\"."),
        ("metric:a.b.c", "Invalid metric selector value \"a.b.c\"."),
        ("resource_type:x", "Invalid resource_type selector \"x\""),
        ("state:modified", "Got a state selector method, but no comparison manifest"),
        ("result:error", "No comparison run_results"),
        ("selector:x", "Could not find selector named x"),
    ];
    for (typed, message) in cases {
        assert_eq!(selected(&manifest, typed).unwrap_err().message(), message);
    }
}

fn yaml(definition: Json) -> Json {
    json!({ "selectors": [
        { "name": "first", "definition": "a" },
        { "name": "second", "definition": definition },
    ] })
}

#[test]
fn wrong_selectors_are_told_with_their_name() {
    let cases = [
        (json!(["a"]), "a definition cannot be a list"),
        (json!({ "union": ["a"], "intersection": ["b"] }), "Only a single 'union' or 'intersection' key"),
        (json!({ "union": "a" }), "Invalid value for key \"union\". Expected a list."),
        (json!({ "union": [1] }), "text or a dictionary is expected, not a number"),
        (json!({ "nope": "a" }), "'nope' is not a valid method name"),
        (json!({ "method": "tag" , "x": 1}), "Expected either 1 key or else \"method\" and \"value\" keys"),
        (
            json!({ "method": "selector", "value": "third" }),
            "Existing selector definition for third not found.",
        ),
        (json!({ "union": [{ "exclude": ["a"] }, { "exclude": ["b"] }] }), "multiple exclude arguments"),
        (json!({ "method": "tag", "value": "x", "indirect_selection": "lazy" }), "must be eager, cautious"),
        (
            json!({ "method": "tag", "value": "x", "parents": true, "parents_depth": "far" }),
            "'parents_depth'",
        ),
        (
            json!({ "method": "fqn", "value": "x", "childrens_parents": true, "children": true }),
            "incompatible",
        ),
    ];
    for (definition, message) in cases {
        let error = Selectors::parse(&yaml(definition)).unwrap_err().to_string();
        assert!(error.contains(message) && error.contains("in the selector 'second'"), "{message}: {error}");
    }
    let two_defaults = json!({ "selectors": [
        { "name": "a", "definition": "a", "default": true }, { "name": "b", "definition": "b", "default": true },
    ] });
    assert!(Selectors::parse(&two_defaults).unwrap_err().message().ends_with("`default: true`:a and b"));
    for broken in [json!({}), json!([]), json!({ "selectors": {} }), json!({ "selectors": ["a"] })] {
        assert!(Selectors::parse(&broken).is_err(), "{broken}");
    }
    assert_eq!(Selectors::parse(&Json::Null).unwrap().names().count(), 0);
}

#[test]
fn the_default_selector_is_used_if_nothing_is_asked_for() {
    let manifest = manifest("a -> b\nb -> c");
    let dag = Dag::new(&manifest).unwrap();
    let selectors = Selectors::parse(&json!({ "selectors": [
        { "name": "all", "definition": "*" },
        { "name": "some", "definition": "b+", "default": true },
    ] }))
    .unwrap();
    let shown = |select_: &[&str], exclude: &[&str], selector| {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
        let (chosen, excluded) = (owned(select_), owned(exclude));
        let selectors = Some(&selectors);
        let request = SelectionRequest {
            select: &chosen,
            exclude: &excluded,
            selector,
            selectors,
            ..Default::default()
        };
        let selection = select(&manifest, &dag, &request).unwrap();
        let ids: Vec<&str> = selection.ids.iter().map(|id| &id["model.p.".len()..]).collect();
        (ids.join(" "), selection.default_selector)
    };
    let some = Some("some".to_owned());
    assert_eq!(shown(&[], &[], None), ("b c".to_owned(), some));
    assert_eq!(shown(&[], &[], Some("all")), ("a b c".to_owned(), None));
    assert_eq!(shown(&[], &["b"], None), ("a c".to_owned(), None));
    assert_eq!(shown(&["a"], &[], None), ("a".to_owned(), None));
    assert_eq!(shown(&["selector:some,c", "a"], &[], None), ("a c".to_owned(), None));
    assert_eq!(shown(&["1+selector:some"], &[], None), ("a b c".to_owned(), None));
    assert_eq!(shown(&[""], &[], None), (String::new(), None));
}

#[test]
fn types_are_chosen_by_name() {
    let names = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
    let chosen = |included: &[&str], excluded: &[&str]| {
        resource_types(&names(included), &names(excluded), LIST_ALL_TYPES, TEST_TYPES)
    };
    assert_eq!(chosen(&[], &[]).unwrap(), TEST_TYPES);
    assert_eq!(
        chosen(&["default", "model"], &["test"]).unwrap(),
        [ResourceType::Model, ResourceType::UnitTest]
    );
    assert_eq!(chosen(&["all"], &[]).unwrap().len(), LIST_ALL_TYPES.len());
    assert!(chosen(&["table"], &[]).is_err());
}
