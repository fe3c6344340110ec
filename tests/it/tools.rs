//! Tools of others read what rbt leaves behind, and call it as they call dbt. Each is installed from PyPI, unpatched,
//! into a Python environment of its own below the folder that `RBT_TEST_TOOLS` names; without it these tests pass
//! without a look.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Project;

/// A tool in its Python environment.
struct Tool {
    /// The environment's `bin`.
    bin: PathBuf,
}

impl Tool {
    /// Installs packages, unless an earlier run has.
    fn installed(name: &str, packages: &[&str]) -> Option<Tool> {
        let folder = PathBuf::from(std::env::var_os("RBT_TEST_TOOLS")?).join(name);
        let bin = folder.join("bin");
        let (done, wanted) = (folder.join("installed"), packages.join("\n"));
        if std::fs::read_to_string(&done).ok().as_ref() != Some(&wanted) {
            succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
            succeed(Command::new(bin.join("pip")).args(["install", "--quiet"]).args(packages));
            std::fs::write(done, wanted).expect("the environment can be written to");
        }
        Some(Tool { bin })
    }

    /// Starts a program of the environment in the project, where `dbt` is rbt. Gives what it prints.
    fn run(&self, project: &Project, program: &str, args: &[&str]) -> String {
        let links = project.path().join("bin");
        if !links.exists() {
            std::fs::create_dir(&links).expect("a folder for the link");
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rbt"), links.join("dbt")).expect("a link");
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(self.bin.join(program));
        command
            .args(args)
            .current_dir(project.path())
            .env("HOME", project.path())
            .env("PATH", format!("{}:{}:{path}", links.display(), self.bin.display()));
        succeed(&mut command)
    }

    /// Runs a script of `tests/tools`.
    fn script(&self, project: &Project, name: &str, args: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools").join(name);
        let script = script.display().to_string();
        self.run(project, "python", &[&[script.as_str()], args].concat())
    }
}

/// What the program prints, if all goes well.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{text}");
    text
}

/// Orders and totals, with descriptions, tests, a group, a fresh source and a metric.
fn shop() -> Project {
    let project = Project::new();
    project
        .seed("raw_orders", "id,customer,amount\n1,ann,10\n2,bob,20\n3,ann,5\n")
        .model("orders", "select id, customer, amount from {{ ref('raw_orders') }}")
        .model(
            "totals",
            "{{ config(materialized='table') }}
             select customer as id, sum(amount) as total from {{ ref('orders') }} group by customer",
        )
        .yaml(
            "
            groups:
              - {name: sales, owner: {name: Ann, email: [ann@shop.test]}}
            models:
              - name: orders
                description: One row per order.
                config: {group: sales}
                columns:
                  - {name: id, description: The order., data_tests: [unique]}
                  - {name: customer}
                  - {name: amount}
              - name: totals
                description: What each customer has ordered.
                columns:
                  - {name: id, description: The customer., data_tests: [not_null]}
                  - {name: total}
            ",
        );
    project
}

/// The same with all artifacts of a nightly run.
fn documented_shop() -> Project {
    let project = shop();
    project
        .file(
            "models/sources.yml",
            "
            sources:
              - name: raw
                schema: main
                config: {loaded_at_field: loaded_at, freshness: {warn_after: {count: 1, period: day}}}
                tables: [{name: visits}]
            ",
        )
        .sql("create table visits as select current_timestamp::timestamp as loaded_at");
    project.run("source freshness").success();
    project.run("build").success();
    project.run("docs generate").success();
    project
}

#[test]
fn dbt_artifacts_parser_reads_all_artifacts() {
    let Some(tool) = Tool::installed("artifacts-parser", &["dbt-artifacts-parser==0.15.0"]) else { return };
    let project = documented_shop();
    tool.script(&project, "load_artifacts.py", &["target"]);
}

#[test]
fn dbt_coverage_counts_what_is_documented_and_tested() {
    let Some(tool) = Tool::installed("coverage", &["dbt-coverage==0.5.0"]) else { return };
    let project = documented_shop();
    let documented = tool.run(&project, "dbt-coverage", &["compute", "doc", "--project-dir", "."]);
    assert!(documented.contains("2/9"), "{documented}");
    let tested = tool.run(&project, "dbt-coverage", &["compute", "test", "--project-dir", "."]);
    assert!(tested.contains("2/9"), "{tested}");
}

#[test]
fn dbt_score_judges_the_models() {
    let Some(tool) = Tool::installed("score", &["dbt-score==0.19.0"]) else { return };
    let project = documented_shop();
    let judged =
        tool.run(&project, "dbt-score", &["lint", "--manifest", "target/manifest.json", "--show", "all"]);
    for line in ["Model: orders", "Model: totals", "Project score"] {
        assert!(judged.contains(line), "{judged}");
    }
}

#[test]
fn colibri_draws_the_lineage_of_columns() {
    let Some(tool) = Tool::installed("colibri", &["dbt-colibri==0.3.7"]) else { return };
    let project = documented_shop();
    tool.run(&project, "colibri", &["generate", "--output-dir", "dist"]);
    let drawn = project.read("dist/colibri-manifest.json");
    let drawn: serde_json::Value = serde_json::from_str(&drawn).expect("JSON");
    let lineage = drawn["lineage"].to_string();
    assert!(lineage.contains("model.shop.orders") && lineage.contains("model.shop.totals"), "{lineage}");
}

#[test]
#[ignore = "installs Airflow: run with RBT_TEST_TOOLS=folder and --ignored"]
fn cosmos_runs_the_project_in_airflow() {
    let packages = ["apache-airflow==2.11.2", "astronomer-cosmos==1.15.1"];
    let Some(tool) = Tool::installed("cosmos", &packages) else { return };
    let project = shop();
    // Cosmos runs each node in a copy of the project.
    let database = project.path().join("shop.duckdb");
    let profile = project.read("profiles.yml").replace("shop.duckdb", &database.display().to_string());
    project.file("profiles.yml", &profile);
    project.run("parse").success();
    tool.script(&project, "run_cosmos.py", &[".", "bin/dbt"]);
}

#[test]
#[ignore = "installs Dagster: run with RBT_TEST_TOOLS=folder and --ignored"]
fn dagster_dbt_builds_the_project() {
    let packages = ["dagster==1.13.27", "dagster-dbt==0.29.27", "python-dateutil"];
    let Some(tool) = Tool::installed("dagster", &packages) else { return };
    tool.script(&shop(), "run_dagster.py", &["."]);
}
