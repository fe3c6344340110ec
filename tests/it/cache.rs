//! What is parsed once is not parsed again, and nobody can tell: after any edit, the project is what it would be
//! without a cache.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use crate::support::Project;

/// A project with a file of every kind that parsing reads, a package, and a model that looks at everything around it.
fn project() -> Project {
    let project = Project::new();
    project
        .config("vars: {color: red}")
        .config("models: {shop: {+tags: [all]}}")
        .file("packages.yml", "packages: [{local: lib}]")
        .file("dbt_packages/lib/dbt_project.yml", "name: lib")
        .file("dbt_packages/lib/macros/lib.sql", "{% macro of_lib() %}1{% endmacro %}")
        .file("dbt_packages/lib/models/lib_model.sql", "select 1 as x")
        .macros("{% macro tag() %}first{% endmacro %}")
        .model("a", "{{ config(tags=[tag()], meta={'of': lib.of_lib()}) }} select 1 as id")
        .model("b", "select * from {{ ref('a') }}")
        .model(
            "around",
            "{{ config(meta={'var': var('color'), 'env': env_var('SHOP_ENV', 'none'), 'target': target.name}) }}
             select 1 as id",
        )
        .file("models/ignored.sql", "select 2 as id")
        .yaml(
            "
            models:
              - name: a
                description: \"{{ doc('words') }}\"
                columns: [{name: id, data_tests: [unique]}]
              - name: gone
                description: A model that is not there, which is worth a warning.
            unit_tests:
              - name: fixture_test
                model: b
                given: [{input: ref('a'), format: csv, fixture: rows}]
                expect: {format: csv, fixture: rows}
            sources: [{name: raw, tables: [{name: t}]}]
            exposures: [{name: board, type: dashboard, owner: {email: a@b.c}, depends_on: [ref('b')]}]
            ",
        )
        .file("models/docs.md", "{% docs words %}some words{% enddocs %}")
        .file("tests/fixtures/rows.csv", "id\n1")
        .file("selectors.yml", "selectors: [{name: one, definition: a}]")
        .seed("seed", "id\n1")
        .snapshot(
            "snap",
            "{% snapshot snap %}{{ config(unique_key='id', strategy='check', check_cols='all', target_schema='main') }}\
             select 1 as id{% endsnapshot %}",
        )
        .test("singular", "select * from {{ ref('a') }} where id > 1")
        .file("tests/generic/even.sql", "{% test even(model) %}select 1 where false{% endtest %}")
        .file("analyses/question.sql", "select * from {{ ref('b') }}");
    project
}

/// The manifest without what differs from one parse to the next, and when a model was parsed.
fn manifest(project: &Project, target: &str) -> (Json, f64) {
    let text = project.read(&format!("{target}/manifest.json"));
    let mut manifest: Json = serde_json::from_str(&text).expect("a manifest");
    manifest["metadata"] = Json::Null;
    let parsed_at = manifest["nodes"]["model.shop.a"]["created_at"].as_f64().unwrap_or_default();
    forget_times(&mut manifest);
    (manifest, parsed_at)
}

fn forget_times(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.shift_remove("created_at");
            map.values_mut().for_each(forget_times);
        }
        Json::Array(items) => items.iter_mut().for_each(forget_times),
        _ => {}
    }
}

/// Parses with the cache, and checks that the outcome is that of parsing without. Gives the manifest, and when it was
/// parsed.
fn parse(project: &Project, line: &str, env: &[(&str, &str)]) -> (Json, f64) {
    let cached = project.run_with(&format!("parse {line}"), env).success();
    let found = manifest(project, "target");
    let cold = project.run_with(&format!("parse {line} --no-partial-parse --target-path cold"), env);
    assert_eq!(cached.told(), cold.told(), "what is told of parse {line}");
    assert_eq!(found.0, manifest(project, "cold").0, "the manifest of parse {line}");
    found
}

#[test]
fn an_unchanged_project_is_not_parsed_again() {
    let project = project();
    let (_, first) = parse(&project, "", &[]);
    let commands = [
        "parse",
        "ls",
        "compile --select a",
        "ls --select b --output json",
        "run-operation tag --args {}",
        "seed --show",
        "docs generate --empty-catalog --no-compile",
    ];
    for command in commands {
        project.run(command).success().says("Did not find matching node for patch with name 'gone'");
        assert_eq!(manifest(&project, "target").1, first, "{command}");
    }
    // A file that was only touched is the same file.
    File::options()
        .append(true)
        .open(project.path().join("models/a.sql"))
        .and_then(|file| file.set_modified(SystemTime::now() - Duration::from_secs(60)))
        .expect("the file can be touched");
    assert_eq!(parse(&project, "", &[]).1, first);
    let (_, cold) = {
        project.run("parse --no-partial-parse").success();
        manifest(&project, "target")
    };
    assert!(cold > first, "--no-partial-parse parses");
}

#[test]
fn every_edit_is_seen() {
    let project = project();
    type Edit = (&'static str, fn(&Project));
    let edits: [Edit; 22] = [
        ("a model", |project| {
            project.model("b", "select id + 1 as id from {{ ref('a') }}");
        }),
        ("a model of the same length and time", |project| {
            let path = project.path().join("models/b.sql");
            let time = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a time");
            project.model("b", "select id + 2 as id from {{ ref('a') }}");
            let file = File::options().append(true).open(&path).expect("the file");
            file.set_modified(time).expect("the time can be set");
        }),
        ("properties", |project| {
            project.yaml(&project.read("models/schema.yml").replace("[unique]", "[unique, not_null]"));
        }),
        ("a macro", |project| {
            project.macros("{% macro tag() %}second{% endmacro %}");
        }),
        ("a macro of a package", |project| {
            project.file("dbt_packages/lib/macros/lib.sql", "{% macro of_lib() %}2{% endmacro %}");
        }),
        ("a model of a package", |project| {
            project.file("dbt_packages/lib/models/lib_model.sql", "select 2 as x");
        }),
        ("the project file of a package", |project| {
            project.file("dbt_packages/lib/dbt_project.yml", "name: lib\nmodels: {lib: {+enabled: false}}");
        }),
        ("documentation", |project| {
            project.file("models/docs.md", "{% docs words %}other words{% enddocs %}");
        }),
        ("a seed", |project| {
            project.seed("seed", "id\n2");
        }),
        ("a snapshot", |project| {
            let text = project.read("snapshots/snap.sql").replace("select 1", "select 2");
            project.snapshot("snap", &text);
        }),
        ("a test", |project| {
            project.test("singular", "select * from {{ ref('b') }} where id > 1");
        }),
        ("a generic test", |project| {
            project.file("tests/generic/even.sql", "{% test even(model) %}select 2 where false{% endtest %}");
        }),
        ("an analysis", |project| {
            project.file("analyses/question.sql", "select * from {{ ref('a') }}");
        }),
        ("a fixture", |project| {
            project.file("tests/fixtures/rows.csv", "id\n2");
        }),
        ("a new file", |project| {
            project.model("new", "select 1 as id");
        }),
        ("a file that was renamed", |project| {
            let folder = project.path().join("models");
            fs::rename(folder.join("new.sql"), folder.join("newer.sql")).expect("it can be renamed");
        }),
        ("a file that is gone", |project| {
            project.remove("models/newer.sql");
        }),
        ("a file that moved", |project| {
            fs::create_dir(project.path().join("models/below")).expect("a folder");
            fs::rename(project.path().join("models/b.sql"), project.path().join("models/below/b.sql"))
                .expect("it can be moved");
        }),
        ("the project file", |project| {
            project.config("seeds: {+tags: [rows]}");
        }),
        ("what is ignored", |project| {
            project.file(".dbtignore", "ignored.sql");
        }),
        ("the profile", |project| {
            let text = project.read("profiles.yml").replace("schema: main", "schema: other");
            project.file("profiles.yml", &text);
        }),
        ("the packages", |project| {
            project.remove("dbt_packages").file("packages.yml", "");
        }),
    ];
    let (mut before, _) = parse(&project, "", &[]);
    for (what, edit) in edits {
        if what == "the packages" {
            project.model("a", "{{ config(tags=[tag()]) }} select 1 as id");
            before = parse(&project, "", &[]).0;
        }
        edit(&project);
        let (after, _) = parse(&project, "", &[]);
        assert!(before != after, "{what}: the edit makes no difference");
        before = after;
    }
}

#[test]
fn selectors_are_read_anew() {
    let project = project();
    project.run("ls --selector one --resource-type model --quiet").success().lists(["shop.a"]);
    project.file("selectors.yml", "selectors: [{name: one, definition: b}]");
    project.run("ls --selector one --resource-type model --quiet").success().lists(["shop.b"]);
}

#[test]
fn everything_around_the_files_is_seen() {
    let project = project();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (line, env) in [
        ("", vec![]),
        ("", vec![("SHOP_ENV", "set")]),
        ("", vec![("SHOP_ENV", "other")]),
        ("--vars '{color: blue}'", vec![]),
        ("--vars '{color: green}'", vec![]),
        ("--target prod", vec![]),
    ] {
        let (manifest, _) = parse(&project, line, &env);
        let same = seen.insert(manifest.to_string(), format!("{line} {env:?}"));
        assert_eq!(same, None, "{line} {env:?} makes no difference");
        assert_eq!(parse(&project, line, &env).0, manifest);
    }
}

#[test]
fn settings_that_decide_what_is_built_are_seen() {
    let project = Project::new();
    project
        .model("a", "select 1 as id")
        .yaml("models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]");
    project.run("build").success().relations(["main.a view"]);
    project
        .run("build --store-failures")
        .success()
        .relations(["main.a view", "main_dbt_test__audit.unique_a_id table"]);
}

/// The manifest is copied from the one that is there as far as it is the same, and rendered where it is not.
#[test]
fn a_manifest_that_is_copied_is_whole() {
    let project = project();
    parse(&project, "", &[]);
    let compiled = |run: &crate::support::Run| {
        let nodes = run.artifact("manifest.json")["nodes"].as_object().cloned().expect("nodes");
        let ids = nodes.iter().filter(|(_, node)| node["compiled"] == true).map(|(id, _)| id.clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(
        compiled(&project.run("compile --select a --indirect-selection empty").success()),
        ["model.shop.a"]
    );
    assert_eq!(
        compiled(&project.run("compile --select b --indirect-selection empty").success()),
        ["model.shop.b"]
    );
    assert_eq!(compiled(&project.run("ls").success()), Vec::<String>::new());
    parse(&project, "", &[]);
    // Somebody else's file is not copied from.
    project.file(
        "target/manifest.json",
        &project.read("target/manifest.json").replace("some words", "else words"),
    );
    parse(&project, "", &[]);
    let first = project.run("parse").artifact("manifest.json")["metadata"]["invocation_id"].clone();
    assert_ne!(project.run("parse").artifact("manifest.json")["metadata"]["invocation_id"], first);
}

/// Where nothing but its metadata is new, the manifest stays in its place, unless it goes by another name too.
#[cfg(unix)]
#[test]
fn a_manifest_stays_in_its_place() {
    use std::os::unix::fs::MetadataExt;
    let project = project();
    let path = project.path().join("target/manifest.json");
    let run = |command: &str| {
        let manifest = project.run(command).success().artifact("manifest.json");
        let place = fs::metadata(&path).expect("the manifest is there").ino();
        (place, manifest["metadata"]["invocation_id"].clone(), manifest["nodes"]["model.shop.a"].clone())
    };
    for command in ["parse", "compile --select a"] {
        run(command);
        let (place, invocation, node) = run(command);
        let again = run(command);
        assert_eq!(again.0, place, "{command}");
        assert_ne!(again.1, invocation, "{command}");
        assert_eq!(again.2, node, "{command}");
    }
    let copy = project.path().join("copy.json");
    fs::hard_link(&path, &copy).expect("the manifest can have two names");
    let kept = fs::read(&copy).expect("the copy can be read");
    run("compile --select a");
    assert!(fs::read(&copy).expect("the copy can be read") == kept, "the copy is as it was");
}

#[test]
fn templates_that_look_at_the_flags_are_parsed_for_them() {
    let project = Project::new();
    project
        .model("a", "{{ config(meta={'full': flags.FULL_REFRESH, 'which': flags.WHICH}) }} select 1 as id");
    for (command, full, which) in
        [("run", false, "run"), ("run --full-refresh", true, "run"), ("parse", false, "parse")]
    {
        for _ in 0..2 {
            let expected = serde_json::json!({"full": full, "which": which});
            project.run(command).success().has("manifest.json", "/nodes/model.shop.a/meta", expected);
        }
    }
}

#[test]
fn warnings_that_are_errors_stay_errors() {
    let project = project();
    for _ in 0..2 {
        project.run("parse").success().says("'gone'");
        project.run("parse --warn-error").refused().says("'gone'");
    }
}

#[test]
fn errors_and_lines_of_templates_come_every_time() {
    let project = Project::new();
    project.model("a", "{{ log('parsed a', info=true) }} select 1 as id");
    project.run("parse").success().says("parsed a");
    project.run("parse").success().says("parsed a");
    project.model("a", "select * from {{ ref('b') }}");
    project.run("parse").refused().says("depends on a node named 'b'");
    project.run("parse").refused().says("depends on a node named 'b'");
}

#[test]
fn a_damaged_cache_is_no_cache() {
    let project = project();
    let path = project.path().join("target/partial_parse.rbt");
    let (whole, first) = parse(&project, "", &[]);
    let bytes = fs::read(&path).expect("the cache");
    let changed = |place: usize| {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0x55;
        bytes
    };
    // What is read late is at the beginning.
    for damaged in [Vec::new(), bytes[..bytes.len() / 2].to_vec(), changed(bytes.len() / 2), changed(100)] {
        fs::write(&path, damaged).expect("the cache can be written");
        let (manifest, parsed_at) = parse(&project, "", &[]);
        assert_eq!(manifest, whole);
        assert!(parsed_at > first);
    }
}

#[test]
fn another_program_parses_anew() {
    let project = project();
    let (_, first) = parse(&project, "", &[]);
    let program = project.path().join("another-rbt");
    fs::copy(env!("CARGO_BIN_EXE_rbt"), &program).expect("the program can be copied");
    let file = File::options().append(true).open(&program).expect("the program");
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("the time can be set");
    drop(file);
    let parsed = Command::new(&program).args(["parse", "--quiet"]).current_dir(project.path()).status();
    assert!(parsed.expect("the program starts").success());
    assert!(manifest(&project, "target").1 > first);
}
