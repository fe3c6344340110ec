//! Two processes, one database file.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::Project;

fn project() -> Project {
    let project = Project::new();
    project.model("a", "{{ config(materialized='table') }} select 1 as x").run("run").success();
    project.macros(
        "
        {% macro hold() %}
          {% if execute %}{% do run_query(\"copy (select 1) to 'reached.csv'\") %}{% endif %}
          select sum(a.range * b.range) as x from range(100000000) a, range(100000000) b
        {% endmacro %}
        ",
    );
    project
}

#[test]
fn the_second_run_says_who_holds_the_file() {
    let project = project();
    project.model("a", "{{ config(materialized='table') }} {{ hold() }}");
    let first = project.start("run --select a").until("reached.csv");
    let holder = format!("shop.duckdb is in use by another process: process {}, ", first.id());
    for line in ["build", "show --inline 'select 1 as x'", "run --full-refresh"] {
        project.run(line).refused().says(&holder).says("run --select a").says("wait until it has finished");
    }
    first.signal("INT").wait().refused();
    project.model("a", "select 2 as x").run("run").success().rows("a", ["2"]);
}

#[test]
fn with_retries_the_second_run_waits_and_says_so() {
    let project = project();
    let profile =
        project.read("profiles.yml").replace("threads: 2,", "threads: 2, retries: {connect_attempts: 8},");
    project.file("profiles.yml", &profile).model("a", "{{ config(materialized='table') }} {{ hold() }}");
    let first = project.start("run").until("reached.csv");
    project.model("a", "select 2 as x");
    let second = project.start("run --log-path second");
    let second = second.until_said("Waiting: shop.duckdb is in use by another process");
    first.signal("INT").wait().refused();
    second.wait().success().says("Waiting: ").rows("a", ["2"]);
}

#[test]
fn a_waiting_run_can_be_interrupted() {
    let project = project();
    let profile =
        project.read("profiles.yml").replace("threads: 2,", "threads: 2, retries: {connect_attempts: 20},");
    project.file("profiles.yml", &profile).model("a", "{{ config(materialized='table') }} {{ hold() }}");
    let first = project.start("run").until("reached.csv");
    let second = project.start("run --log-path second").until_said("Waiting: ");
    second.signal("INT").wait().refused().says("cut off");
    first.signal("INT").wait().refused();
}

#[test]
fn another_program_is_named_too() {
    let project = project();
    // DuckDB locks its file as any program can.
    let hold = "import fcntl, sys\nfile = open('shop.duckdb', 'r+b')\nfcntl.lockf(file, fcntl.LOCK_EX)\nprint('held', flush=True)\nsys.stdin.read()";
    let python = Command::new("python3")
        .args(["-c", hold])
        .current_dir(project.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    // Where there is no Python, the test above is enough.
    let Ok(mut python) = python else { return };
    let mut said = String::new();
    let output = python.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut said).expect("it says something");
    assert_eq!(said, "held\n");
    project.run("run").refused().says(&format!("process {}, ", python.id())).says("python3 -c import fcntl");
    drop(python.stdin.take());
    python.wait().expect("it ends");
    project.run("run").success().rows("a", ["1"]);
}
