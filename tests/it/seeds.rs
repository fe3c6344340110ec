//! Seeds: CSV files of the project, as tables.

use crate::support::Project;

#[test]
fn types_are_guessed() {
    let project = Project::new();
    project.seed("s", "id,price,day,at,ok,name\n1,1.5,2026-01-02,2026-01-02 03:04:05,true,a\n2,,,,,\n");
    project
        .run("seed")
        .success()
        .says("INSERT 2")
        .columns("s", "id INTEGER, price DOUBLE, day DATE, at TIMESTAMP, ok BOOLEAN, name VARCHAR")
        .rows("s", ["1,1.5,2026-01-02,2026-01-02 03:04:05,true,a", "2,NULL,NULL,NULL,NULL,NULL"]);
}

#[test]
fn types_can_be_given() {
    let project = Project::new();
    project.seed("s", "code,amount\n007,1\n").file(
        "seeds/seeds.yml",
        "seeds: [{name: s, config: {column_types: {code: varchar, amount: 'decimal(10, 2)'}}}]",
    );
    project.run("seed").success().columns("s", "code VARCHAR, amount DECIMAL(10,2)").rows("s", ["007,1.00"]);
}

#[test]
fn quotes_commas_and_line_ends_belong_to_the_text() {
    let project = Project::new();
    project.seed("s", "id,v\n1,\"a, \"\"b\"\"\nc\"\n2,日本 🎵\n");
    project.run("seed").success().rows("s", ["1,a, \"b\"\nc", "2,日本 🎵"]);
}

#[test]
fn delimiters_can_be_given() {
    let project = Project::new();
    project.seed("s", "id;v\n1;a,b\n").config("seeds: {shop: {s: {+delimiter: ';'}}}");
    project.run("seed").success().rows("s", ["1,a,b"]);
}

#[test]
fn quoted_columns_keep_their_case() {
    let project = Project::new();
    project.seed("s", "Id,The Name\n1,a\n").config("seeds: {shop: {+quote_columns: true}}");
    project.run("seed").success().columns("s", "Id INTEGER, The Name VARCHAR");
}

#[test]
fn a_changed_file_replaces_the_rows() {
    let project = Project::new();
    project.seed("s", "id\n1\n2\n").run("seed").success();
    project.seed("s", "id\n3\n").run("seed").success().rows("s", ["3"]);
}

#[test]
fn other_columns_need_a_full_refresh() {
    let project = Project::new();
    project.seed("s", "id\n1\n").model("a", "select * from {{ ref('s') }}").run("build").success();
    project.seed("s", "id,v\n1,x\n").run("seed --full-refresh").success().rows("s", ["1,x"]);
}

#[test]
fn models_read_seeds() {
    let project = Project::new();
    project.seed("s", "id\n1\n2\n").model("a", "select sum(id) as total from {{ ref('s') }}");
    project.run("build").success().rows("a", ["3"]).statuses(["a success", "s success"]);
}

#[test]
fn seeds_can_be_disabled_and_moved() {
    let project = Project::new();
    project.seed("s", "id\n1\n").seed("t", "id\n1\n").config(
        "
        seeds:
          shop:
            s: {+schema: raw}
            t: {+enabled: false}
        ",
    );
    project.run("seed").success().relations(["main_raw.s table"]);
}

#[test]
fn a_file_without_rows_makes_a_table_without_rows() {
    let project = Project::new();
    project.seed("s", "id,v\n").run("seed").success().rows("s", []);
}

#[test]
fn show_prints_the_rows() {
    let project = Project::new();
    project.seed("s", "id,v\n1,x\n").run("seed --show").success().says("|  1 | x |");
}

#[test]
fn a_row_with_too_many_fields_is_told_with_its_line() {
    let project = Project::new();
    project.seed("s", "id,v\n1,x\n2,y,z\n").run("seed").failure().says("seeds/s.csv").relations([]);
}

#[test]
fn rows_of_a_unique_index_can_be_loaded_again() {
    let project = Project::new();
    project
        .seed("s", "id,v\n1,x\n2,y\n")
        .config("seeds: {shop: {+indexes: [{columns: [id], unique: true}]}}");
    project.run("seed").success();
    project
        .run("seed")
        .success()
        .rows("s", ["1,x", "2,y"])
        .query("select is_unique from duckdb_indexes()", ["true"]);
}
