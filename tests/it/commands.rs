//! The other commands, and where they look and write.

use crate::support::Project;
use serde_json::json;

fn small() -> Project {
    let project = Project::new();
    project.seed("s", "x\n1\n2\n").model("a", "select x + 1 as y from {{ ref('s') }}");
    project
}

#[test]
fn compile_writes_the_sql_and_touches_nothing() {
    let project = small();
    project
        .run("compile")
        .success()
        .wrote("target/compiled/shop/models/a.sql", "select x + 1 as y from \"shop\".\"main\".\"s\"")
        .relations([]);
    project.run("compile --select a").success().says("select x + 1 as y");
    project
        .run("compile --inline 'select * from {{ ref(\"a\") }}'")
        .success()
        .says("\"shop\".\"main\".\"a\"");
}

#[test]
fn compile_opens_the_database_for_questions_only() {
    let project = small();
    project.model("asks", "select {{ run_query('select 7 as n').columns[0].values()[0] }} as n");
    project.run("compile").success().wrote("target/compiled/shop/models/asks.sql", "select 7 as n");
    let _held = project.database();
    project.run("compile --select a").success().says("select x + 1 as y");
    project
        .run("compile --inline 'select * from {{ ref(\"a\") }}'")
        .success()
        .says("\"shop\".\"main\".\"a\"");
    project.run("compile --select asks").refused().says("shop.duckdb is in use by another process");
}

#[test]
fn parse_writes_the_manifest() {
    let run = small().run("parse").success().artifact("manifest.json");
    assert_eq!(run["nodes"].as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn ls_prints_in_several_forms() {
    let project = small();
    project.run("ls --quiet").success().lists(["shop.a", "shop.s"]);
    project.run("ls --quiet --output path").success().lists(["models/a.sql", "seeds/s.csv"]);
    let line = r#"{"name": "a", "resource_type": "model"}"#;
    let run = project.run("ls --quiet --output json --output-keys name resource_type --select a").success();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&run.lines()[0]).ok(),
        serde_json::from_str(line).ok()
    );
}

#[test]
fn show_prints_rows() {
    let project = small();
    project.run("seed").success();
    project.run("show --select a").success().says("| y |").says("| 2 |").says("| 3 |");
    project.run("show --select a --limit 1").success().says_nothing_of("| 3 |");
    project.run("show --inline 'select 42 as answer'").success().says("42").relations(["main.s table"]);
}

#[test]
fn show_runs_the_header_and_can_be_told_how_to_limit() {
    let project = Project::new();
    project.model(
        "a",
        "{% call set_sql_header(config) %}create or replace temp macro twice(n) as n * 2;{% endcall %} select twice(21) as x",
    );
    project.run("show --select a").success().says("| 42 |");
    let inline = "show --inline '{{ config(sql_header=\"create temp macro twice(n) as n * 2;\") }} select twice(4) as x'";
    let run = project.run(inline).success().says("| 8 |");
    let code = run.results()[0]["compiled_code"].as_str().unwrap_or_default().to_owned();
    assert!(code.starts_with("create temp macro") && code.trim_end().ends_with("limit 5"), "{code}");
    project.macros(
        "{% macro default__get_limit_sql(sql, limit) %}select {{ limit }} as rows_wanted{% endmacro %}",
    );
    project.run("show --select a --limit 7").success().says("rows_wanted").says("7 |");
}

#[test]
fn clean_removes_what_was_generated() {
    let project = small();
    project.config("clean-targets: [target, logs]").run("build").success();
    project.run("clean").success();
    assert!(!project.exists("target") && project.exists("models/a.sql"));
}

#[test]
fn debug_tells_what_is_found() {
    let project = small();
    project.run("debug").success().says("All checks passed!");
    project.remove("profiles.yml").run("debug").failure().says("profiles.yml");
}

#[test]
fn run_operation_calls_a_macro() {
    let project = small();
    project.macros(
        "
        {% macro note(what, times=1) %}
          {% do run_query('create or replace table noted as select \\'' ~ what ~ '\\' as what, ' ~ times ~ ' as times') %}
          {{ log('noted ' ~ what, info=true) }}
        {% endmacro %}
        ",
    );
    project.run("run-operation note --args '{what: hello, times: 2}'").success().says("noted hello");
    project.run("run-operation nota").refused().says("note");
}

#[test]
fn full_refresh_and_targets_and_threads_are_heard() {
    let project = small();
    project
        .run("build --target prod --threads 1 --full-refresh")
        .success()
        .says("target='prod'")
        .rows("prod.a", ["2", "3"]);
}

#[test]
fn the_project_may_be_elsewhere() {
    let project = small();
    project.file("elsewhere/readme.txt", "nothing here").file("profiles/readme.txt", "nothing here");
    std::fs::rename(project.path().join("profiles.yml"), project.path().join("profiles/profiles.yml"))
        .expect("renamed");
    let profiles = project.read("profiles/profiles.yml").replace("path: shop.duckdb", "path: ../shop.duckdb");
    project.file("profiles/profiles.yml", &profiles);
    project
        .run_in("elsewhere", "build --project-dir .. --profiles-dir ../profiles", &[])
        .success()
        .rows("a", ["2", "3"]);
    assert!(project.exists("target/run_results.json"));
    let env = [("DBT_PROJECT_DIR", ".."), ("DBT_PROFILES_DIR", "../profiles")];
    project.run_in("elsewhere", "build", &env).success();
}

#[test]
fn docs_generate_writes_the_catalog() {
    let project = small();
    project.run("build").success();
    project.run("docs generate").success().has(
        "catalog.json",
        "/nodes/model.shop.a/columns/y/name",
        json!("y"),
    );
}

#[test]
fn freshness_of_sources_is_judged() {
    let project = Project::new();
    project
        .sql("create table fresh as select now()::timestamp as seen_at; create table stale as select timestamp '2020-01-01' as seen_at")
        .yaml(
            "
            sources:
              - name: raw
                schema: main
                config: {loaded_at_field: seen_at, freshness: {warn_after: {count: 2, period: day}, error_after: {count: 3, period: day}}}
                tables: [{name: fresh}, {name: stale}]
            ",
        );
    project.run("source freshness --select source:raw.fresh").success();
    project.run("source freshness").failure().says("stale");
}

#[test]
fn help_and_version_are_printed() {
    let project = Project::empty();
    project.run("--version").success().says("rbt");
    project.run("--help").success().says("build");
    project.run("build --help").success().says("--select");
}

#[test]
fn ls_draws_a_tree() {
    let project = small();
    project
        .file(
            "models/marts/deep/b.sql",
            "{{ config(materialized='table') }} select 1 as x from {{ ref('a') }}",
        )
        .yaml(
            "
            sources: [{name: raw, tables: [{name: t}]}]
            models: [{name: a, columns: [{name: y, data_tests: [not_null]}]}]
            ",
        );
    insta::assert_snapshot!(project.run("ls --quiet --output tree").success().lines().join("\n"));
    // A test whose model is not selected stands by itself.
    project.run("ls --quiet --output tree --resource-type test").success().lists([
        "shop",
        "└── models",
        "    └── not_null_a_y (test)",
    ]);
}

#[test]
fn the_shell_is_told_what_may_come_next() {
    let project = small();
    project.run("parse").success();
    let complete = |words: &str| {
        let count = (words.split(' ').count() - 1).to_string();
        let env = [("RBT_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", count.as_str()), ("_CLAP_IFS", "\n")];
        let run = project.run_with(&format!("-- {words}"), &env);
        run.success().lines()
    };
    assert_eq!(complete("rbt snap"), ["snapshot"]);
    assert_eq!(complete("rbt run --select a,+s"), ["a,+s", "a,+state:modified", "a,+state:new"]);
    assert_eq!(complete("rbt run --target p"), ["prod"]);
    assert_eq!(complete("rbt ls --output j"), ["json"]);
    assert_eq!(complete("rbt run --full"), ["--full-refresh"]);
    // Before anything is parsed, the files are known.
    project.remove("target");
    assert_eq!(complete("rbt run --select a"), ["a"]);
}

#[test]
fn completions_and_manual_pages_are_printed() {
    let project = Project::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        project.run(&format!("completions {shell}")).success().says("RBT_COMPLETE");
    }
    project
        .run("completions nosh")
        .refused()
        .says("'nosh' is not one of bash, elvish, fish, powershell, zsh.");
    project.run("man").success().says(".TH rbt 1");
    project.run("man docs-generate").success().says("rbt docs generate [OPTIONS]");
    project.run("man nothing").refused().says("No such command 'nothing'.");
}

#[test]
fn clean_keeps_what_people_wrote_and_what_is_elsewhere() {
    let project = small();
    project
        .config("clean-targets: [models]")
        .run("clean")
        .refused()
        .says("will not clean the following source paths");
    let text = project.read("dbt_project.yml");
    let outside = tempfile::tempdir().expect("a temporary folder");
    let elsewhere = outside.path().join("made");
    std::fs::create_dir(&elsewhere).expect("it is made");
    project.file("dbt_project.yml", &text.replace("[models]", &format!("['{}']", elsewhere.display())));
    project.run("clean").refused().says("following directories outside the project");
    assert!(elsewhere.exists());
    project.run("clean --no-clean-project-files-only").success();
    assert!(!elsewhere.exists());
    project.file("dbt_project.yml", &text.replace("[models]", "['..']"));
    project.run("clean --no-clean-project-files-only").refused();
    // No profile is needed.
    project.remove("profiles.yml").file("dbt_project.yml", &text.replace("[models]", "[target]"));
    project.run("clean").success().says("Finished cleaning all paths.");
}

#[test]
fn debug_tells_what_is_found_and_what_is_wrong() {
    let project = small();
    project
        .run("debug")
        .success()
        .says("Using profiles.yml file at ")
        .says("profiles.yml file [OK found and valid]")
        .says("Connection test: [OK connection ok]");
    project.run("debug --connection").success().says_nothing_of("Configuration:");
    project.run("debug --config-dir").success().says("To view your profiles.yml file, run:");
    project
        .run("debug --connection --profiles-dir nowhere")
        .failure()
        .says("Using profiles dir at nowhere")
        .says("dbt looked for a profiles.yml file in nowhere")
        .says("1 check failed");
    project.file("profiles.yml", "other: {outputs: {}}");
    project
        .run("debug")
        .failure()
        .says("profiles.yml file [ERROR]")
        .says("Could not find profile named 'shop'")
        .says("dbt_project.yml file [OK found and valid] (shop)");
}

#[test]
fn operations_leave_their_result() {
    let project = small();
    project.macros(
        "{% macro op(x) %}{{ log('got ' ~ x, info=true) }}{% if x == 3 %}{{ exceptions.raise_compiler_error('no three') }}{% endif %}{% endmacro %}",
    );
    project
        .run("run-operation op --args '{x: 3}'")
        .failure()
        .says("Encountered an error while running operation: Compilation Error")
        .says("no three")
        .statuses(["op error"]);
    project.run("retry").failure().says("got 3").statuses(["op error"]);
    project.run("run-operation op --args '{x: 1}'").success().says("got 1").statuses(["op success"]);
    project.run("retry").success().says_nothing_of("got 1");
}

#[test]
fn what_does_not_compile_is_an_error_with_its_reason() {
    let project = small();
    project.model("bad", "select {{ run_query('select * from nope') }} as x");
    project.run("compile").refused().says("Table with name nope does not exist");
    project.run("show --select bad").refused().says("Table with name nope does not exist");
    project.run("show").refused().says("Either --select or --inline must be passed to show");
}

#[test]
fn the_variables_of_options_have_two_names() {
    let project = Project::new();
    project.model(
        "a",
        "select '{{ env_var('DBT_ENGINE_PRINTER_WIDTH', 'none') }} {{ env_var('DBT_PRINTER_WIDTH', 'none') }}' as x",
    );
    project.run("run").success().rows("a", ["none none"]);
    project.run_with("run", &[("DBT_PRINTER_WIDTH", "90")]).success().rows("a", ["90 90"]);
    let both = [("DBT_PRINTER_WIDTH", "90"), ("DBT_ENGINE_PRINTER_WIDTH", "100")];
    project.run_with("run", &both).success().rows("a", ["100 100"]);
}

#[test]
fn no_introspect_lets_nothing_be_asked() {
    let project = small();
    project.model(
        "asks",
        "select {% if execute %}{{ run_query('select 1 as x').rows | length }}{% endif %} as n",
    );
    project.run("compile --select asks").success().says("select 1 as n");
    project
        .run("compile --select asks --no-introspect")
        .refused()
        .says("connection never acquired for thread");
    project.run("compile --select a --no-introspect").success();
}

#[test]
fn packages_are_added_to_the_list() {
    let project = Project::new();
    let (one, two) = ("packages/one/dbt_project.yml", "packages/two/dbt_project.yml");
    project.file(one, "name: one\nprofile: x\n").file(two, "name: two\nprofile: x\n");
    project
        .run("deps --add-package packages/one --source local")
        .success()
        .says("Added new package packages/one")
        .wrote("packages.yml", "packages:\n  - local: \"packages/one\"");
    project.file("packages.yml", "# Ours.\npackages:\n- local: packages/one # near\n");
    project
        .run("deps --add-package packages/two --source local")
        .success()
        .says("Installing packages/two")
        .wrote("packages.yml", "# Ours.\npackages:\n- local: packages/one # near\n- local: \"packages/two\"");
    // One that is there is not listed twice.
    project.run("deps --add-package packages/two --source local").success();
    assert_eq!(project.read("packages.yml").matches("packages/two").count(), 1);
    project
        .run("deps --add-package a/b")
        .refused()
        .says("Version is required in --add-package when source is hub.");
}
