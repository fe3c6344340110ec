use super::*;
use crate::project::yaml::YamlValue;

fn load(text: &str) -> Result<(Project, Vec<Warning>)> {
    let raw = RawProject::parse(Path::new("shop"), text.to_owned())?;
    let render = |template: &str, _: &Location| match template {
        "{{ yes }}" => Ok(Yaml::new(YamlValue::Bool(true))),
        other => Err(Error::compilation(format!("rendered {other}"))),
    };
    raw.render(&render, true)
}

fn project(text: &str) -> Project {
    load(text).expect("a project").0
}

#[test]
fn has_defaults_for_everything_but_the_name() {
    let project = project("name: shop");
    assert_eq!(project.name, "shop");
    assert_eq!(project.model_paths, ["models"]);
    assert_eq!(project.packages_install_path, "dbt_packages");
    let all = ["models", "seeds", "snapshots", "analyses", "macros", "tests", "functions"];
    assert_eq!(project.docs_paths, all);
    assert_eq!(project.all_source_paths(), all);
    assert_eq!((project.target_path, project.clean_targets), (None, None));
    assert_eq!(project.query_comment, QueryComment::default());
}

#[test]
fn takes_the_whole_file() {
    let project = project(
        "
name: shop
version: 1.0
config-version: 2
model-paths: [m1/, m2]
macro-paths: [m2]
docs-paths: [docs]
clean-targets: [target]
target-path: target
query-comment: {comment: '{{ x }}', append: true}
on-run-start: '{{ not_rendered }}'
on-run-end: [a, b]
require-dbt-version: ['>=1.0.0', '<2.0.0']
dispatch: [{macro_namespace: dbt_utils, search_order: [shop, dbt_utils]}]
quoting: {identifier: true, schema: null}
restrict-access: '{{ yes }}'
vars: {a: '{{ later }}'}
models: {shop: {+enabled: '{{ yes }}', +pre-hook: '{{ later }}'}}
flags: {fail_fast: true}
",
    );
    assert_eq!(project.version.as_deref(), Some("1.0"));
    assert_eq!(project.all_source_paths()[..2], ["m1", "m2"]);
    assert_eq!(project.docs_paths, ["docs"]);
    assert_eq!(project.query_comment.comment.as_deref(), Some("{{ x }}"));
    assert!(project.query_comment.append && project.restrict_access);
    assert_eq!(
        (project.on_run_start, project.on_run_end),
        (vec!["{{ not_rendered }}".into()], vec!["a".into(), "b".into()])
    );
    assert_eq!(project.require_dbt_version.len(), 2);
    assert_eq!(project.dispatch[0].search_order, ["shop", "dbt_utils"]);
    assert_eq!(project.quoting, Quoting { identifier: Some(true), ..Quoting::default() });
    assert_eq!(project.vars.get("a").and_then(Yaml::as_str), Some("{{ later }}"));
}

#[test]
fn old_names_are_warned_about() {
    let text = "name: shop\nsource-paths: [a]\ndata-paths: [b]\nlog-path: l\ntarget-path: t\ntests: {+enabled: true}";
    let (project, warnings) = load(text).expect("a project");
    assert_eq!((project.model_paths, project.seed_paths), (vec!["a".into()], vec!["b".into()]));
    let codes: Vec<&str> = warnings.iter().map(|warning| warning.code).collect();
    let expected = [
        "ConfigSourcePathDeprecation",
        "ConfigDataPathDeprecation",
        "ConfigTargetPathDeprecation",
        "ConfigLogPathDeprecation",
    ];
    assert_eq!(codes, expected);
    assert!(load("name: shop\ntarget-path: target\nlog-path: logs").expect("a project").1.is_empty());
    let raw = RawProject::parse(Path::new("."), "name: a\nname: b".into()).expect("YAML");
    assert_eq!(raw.duplicate_warnings()[0].location, Some(Location::new("./dbt_project.yml", 2, 1)));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "name: my shop\nmodel_paths: [x]\nseed-paths: x\nquoting: {column: true}\nrequire-dbt-version: '>=2.0.0'\ndispatch: [{a: 1}]\nmodels: 3\nfoo: 1";
    let error = load(text).expect_err("mistakes").to_string();
    for expected in [
        "'my shop' cannot be the name of a project",
        "Additional properties are not allowed ('model_paths' was unexpected): dbt_project.yml has no such key\n  --> shop/dbt_project.yml:2:1",
        "did you mean 'model-paths'?",
        "expected a list for `seed-paths`, found a string",
        "`quoting` has the keys",
        "it requires dbt >=2.0.0",
        "an entry of `dispatch` needs",
        "expected a mapping for `models`, found a number",
        "Additional properties are not allowed ('foo' was unexpected)",
    ] {
        assert!(error.contains(expected), "{expected} is not in {error}");
    }
}

#[test]
fn what_is_no_project_file_is_told() {
    let cases = [
        ("- a", "expected a mapping for the content of dbt_project.yml, found a list"),
        ("", "found nothing"),
        ("version: 1", "dbt_project.yml has no `name`"),
        ("name: ref", "reserved word"),
        ("name: a\nrequire-dbt-version: abc", "\"abc\" is not a valid semantic version"),
        ("name: a\nsource-paths: [a]\nmodel-paths: [b]", "cannot both be defined"),
        ("name: a\ntests: {a: 1}\ndata_tests: {b: 1}", "two names of one section"),
        ("name: '{{ nope }}'", "rendered {{ nope }}"),
    ];
    for (text, expected) in cases {
        let error = load(text).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
