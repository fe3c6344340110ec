//! `deps`: packages of a hub, which is a server of the test's own, and archives.

use serde_json::json;

use crate::support::{Project, Server};

/// A `.tar.gz` as the hub has it: one folder with a package in it, which has one macro.
fn archive(name: &str, macro_sql: &str) -> Vec<u8> {
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let files = [
        ("dbt_project.yml", format!("name: {name}\nversion: '1.0'\n")),
        ("macros/macros.sql", macro_sql.to_owned()),
    ];
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, format!("{name}-1.0/{path}"), text.as_bytes()).expect("an entry");
    }
    builder.into_inner().expect("an archive").finish().expect("compressed")
}

fn version(server: &Server, archive: &str) -> serde_json::Value {
    json!({"name": "lib", "downloads": {"tarball": format!("{}/{archive}", server.url())}, "packages": [], "require_dbt_version": [">=1.0.0"]})
}

/// A server that is a hub with the package `maker/lib` in two versions.
fn hub() -> Server {
    let server = Server::start();
    let versions =
        json!({"versions": {"1.0.0": version(&server, "lib-1.0"), "1.2.0": version(&server, "lib-1.2")}});
    server
        .serve("/api/v1/maker/lib.json", 200, versions.to_string())
        .serve("/lib-1.0", 200, archive("lib", "{% macro answer() %}1{% endmacro %}"))
        .serve("/lib-1.2", 200, archive("lib", "{% macro answer() %}12{% endmacro %}"));
    server
}

#[test]
fn packages_of_the_hub_and_archives_are_installed_and_used() {
    let server = hub();
    server.serve("/other.tar.gz", 200, archive("other", "{% macro two() %}2{% endmacro %}"));
    let project = Project::new();
    project.model("a", "select {{ lib.answer() }} as x, {{ other.two() }} as y").file(
        "packages.yml",
        &format!(
            "packages:\n  - {{package: maker/lib, version: ['>=1.0.0', '<2.0.0']}}\n  - {{tarball: '{}/other.tar.gz', name: other}}\n",
            server.url()
        ),
    );
    let env = [("DBT_PACKAGE_HUB_URL", &*server.url())];
    project.run_with("deps", &env).success().says("Installing maker/lib").says("version 1.2.0");
    project.run("build").success().rows("a", ["12,2"]);
    assert!(project.read("package-lock.yml").contains("version: 1.2.0"));
}

#[test]
fn a_newer_version_is_mentioned_and_the_lock_is_kept_to() {
    let server = hub();
    let project = Project::new();
    let env = [("DBT_PACKAGE_HUB_URL", &*server.url())];
    project.file("packages.yml", "packages:\n  - {package: maker/lib, version: 1.0.0}\n");
    project.run_with("deps", &env).success().says("version 1.0.0").says("Updated version available: 1.2.0");
    project.file("dbt_packages/lib/left", "over").run_with("deps", &env).success();
    assert!(!project.exists("dbt_packages/lib/left"));
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let server = Server::start();
    server.serve("/a.tgz", 503, "").serve("/a.tgz", 200, archive("other", ""));
    let project = Project::new();
    project.file(
        "packages.yml",
        &format!("packages:\n  - {{tarball: '{}/a.tgz', name: other}}\n", server.url()),
    );
    project.run("deps").success();
    assert_eq!(server.asked(), ["/a.tgz", "/a.tgz"]);
}

#[test]
fn what_cannot_be_downloaded_is_told() {
    let server = Server::start();
    server.serve("/no.tgz", 200, "this is no archive");
    let project = Project::new();
    let env = [("DBT_PACKAGE_HUB_URL", &*server.url())];
    project.file("packages.yml", "packages:\n  - {package: maker/nothing, version: 1.0.0}\n");
    project
        .run_with("deps", &env)
        .refused()
        .says("/api/v1/maker/nothing.json: the server answered 404")
        .says("is 'maker/nothing' a package of");
    assert_eq!(server.asked().len(), 1, "what is not there is asked for once");
    let archive = format!("packages:\n  - {{tarball: '{}/no.tgz', name: no}}\n", server.url());
    project.file("packages.yml", &archive);
    project.run("deps").refused().says("is not a .tar.gz archive");
}

#[test]
fn a_package_replaces_a_built_in_materialization_only_where_that_is_allowed() {
    let project = Project::new();
    let view = "{% materialization view, default %}{% call statement('main') %}create table {{ this }} as {{ sql }}{% endcall %}\
                {% do adapter.commit() %}{{ return({'relations': [this]}) }}{% endmaterialization %}";
    project
        .model("a", "select 1 as x")
        .file("lib/dbt_project.yml", "name: lib\nversion: '1.0'\n")
        .file("lib/macros/view.sql", view)
        .file("packages.yml", "packages: [{local: lib}]\n");
    project.run("deps").success();
    project.run("run").success().relations(["main.a view"]);
    project.sql("drop view main.a").file(
        "dbt_project.yml",
        "name: shop\nprofile: shop\nflags: {require_explicit_package_overrides_for_builtin_materializations: false}\n",
    );
    let run = project.run("run").success().relations(["main.a table"]);
    run.says("The package 'lib' has its own materialization 'view'");
}
