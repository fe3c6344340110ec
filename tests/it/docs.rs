//! The pages of the documentation, as a server gives them and as a browser shows them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::support::Project;

/// `a` ◀ `b`, with a text that must not become part of the page.
fn documented() -> Project {
    let project = Project::new();
    project
        .model("a", "select 1 as id, '</script><b id=\"evil\">' as note")
        .model("b", "select id from {{ ref('a') }}")
        .yaml(
            "
            models:
              - name: a
                description: The *first* of all & <i>more</i>.
                columns: [{name: id, description: The key., data_tests: [not_null]}]
            ",
        );
    project.run("build").success();
    project.run("docs generate --static").success().says("Catalog written to");
    project
}

/// What a browser has made of a page; nothing where there is no browser and none is demanded.
fn seen_in_browser(url: &str) -> Option<String> {
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    let profile = tempfile::tempdir().expect("a temporary folder");
    let open = |browser: &&str| {
        let mut command = Command::new(browser);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=10000",
            "--dump-dom",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url).output().ok()
    };
    let output = browsers.iter().find_map(open);
    assert!(output.is_some() || std::env::var_os("RBT_TEST_NEEDS_BROWSER").is_none(), "there is no browser");
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[track_caller]
fn holds(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "the page has no “{part}”:\n{page}");
    }
}

#[test]
fn a_single_file_shows_a_node_with_its_columns_sql_and_lineage() {
    let project = documented();
    let file = project.path().join("target/static_index.html");
    let Some(page) = seen_in_browser(&format!("file://{}#!/model/model.shop.a", file.display())) else {
        return;
    };
    holds(
        &page,
        &[
            "<title>a · shop</title>",
            "The <em>first</em> of all &amp; &lt;i&gt;more&lt;/i&gt;.",
            "<code>id</code></td><td>INTEGER</td>",
            "The key.",
            "not_null</span>",
            "<code>note</code></td><td>VARCHAR</td>",
            "<code>select 1 as id",
            "data-id=\"model.shop.b\"",
            "<svg",
        ],
    );
    assert!(!page.contains("<b id=\"evil\">"), "{page}");
}

#[test]
fn served_pages_find_what_is_searched() {
    let project = documented();
    let port = free_port();
    let server = project.start(&format!("docs serve --no-browser --port {port}")).until_it_listens(port);
    let answer = |path: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server is there");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        text
    };
    assert!(answer("/catalog.json").contains("application/json"));
    assert!(answer("/manifest.json?cache=1").starts_with("HTTP/1.1 200"));
    for outside in ["/../dbt_project.yml", "/%2e%2e/dbt_project.yml", "//etc/passwd", "/nothing.json"] {
        assert!(answer(outside).starts_with("HTTP/1.1 404"), "{outside}");
    }
    if let Some(page) = seen_in_browser(&format!("http://127.0.0.1:{port}/#!/search/first")) {
        holds(&page, &["<h1>1 found</h1>", "href=\"#!/model/model.shop.a\"", "id=\"tree\""]);
    }
    server.signal("INT").wait().refused().says(&format!("Serving docs at http://127.0.0.1:{port}"));
}

#[test]
fn serving_needs_artifacts_and_a_free_port() {
    let project = Project::new();
    project.run("docs serve").refused().says("there is no manifest.json").says("rbt docs generate");
    project.model("a", "select 1 as x").run("docs generate --empty-catalog").success();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("it has an address").port();
    project.run(&format!("docs serve --port {port}")).refused().says("choose another port");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("it has an address").port()
}
