//! The hot rooms by themselves: `cargo bench --bench rooms`.

use std::path::Path;
use std::sync::Arc;

use divan::{Bencher, black_box};
use minijinja::Value;
use rbt::graph::{self, Dag, SelectionRequest};
use rbt::jinja::{Engine, MacroTemplate, Origin, Scope, blocks};
use rbt::manifest::{Details, Manifest, Node, ResourceType};
use rbt::project::yaml;

fn main() {
    divan::main();
}

const MODEL: &str = "
{{ config(materialized='table', tags=['a', 'b'], meta={'owner': 'x'}) }}
{% set columns = ['a', 'b', 'c'] %}
select
{% for column in columns %}
    sum({{ column }}) as {{ column }}_sum{{ ',' if not loop.last }}
{% endfor %}
from {{ ref('orders') }}
";

/// Every name is a function that gives its name.
#[derive(Debug)]
struct Names;

impl Scope for Names {
    fn lookup(&self, name: &str) -> Option<Value> {
        let name = name.to_owned();
        ["config", "ref"]
            .contains(&name.as_str())
            .then(|| Value::from_function(move |_: minijinja::value::Rest<Value>| name.clone()))
    }
}

/// A model is read, rewritten, compiled and rendered.
#[divan::bench]
fn render_a_model(bencher: Bencher) {
    let (engine, origin) = (Engine::new(), Origin::file("models/a.sql"));
    let scope: Arc<dyn Scope> = Arc::new(Names);
    bencher.bench(|| engine.render(black_box(MODEL), &origin, &scope));
}

/// The same text as a macro, read, rewritten and compiled, without being rendered.
#[divan::bench]
fn compile_a_macro(bencher: Bencher) {
    let text = format!("{{% macro m() %}}{MODEL}{{% endmacro %}}");
    let fresh = || MacroTemplate::new("macro.shop.m", "m", text.as_str(), Origin::file("macros/m.sql"));
    bencher.with_inputs(fresh).bench_refs(|template| template.check().is_ok());
}

/// A file of 100 macros is cut into blocks.
#[divan::bench]
fn split_macros(bencher: Bencher) {
    let text: String = (0..100)
        .map(|number| format!("{{% macro m{number}(a, b=1) %}}{{{{ a + b }}}}{{% endmacro %}}\n"))
        .collect();
    bencher.bench(|| blocks::split(black_box(&text), Path::new("macros/m.sql")));
}

/// The properties of 100 models with two tests each are read.
#[divan::bench]
fn read_properties(bencher: Bencher) {
    let models: String = (0..100)
        .map(|number| {
            format!(
                "  - name: m{number}\n    description: \"One row for each id.\"\n    columns:\n      - name: id\n        \
                 data_tests: [unique, not_null]\n"
            )
        })
        .collect();
    let text = format!("version: 2\nmodels:\n{models}");
    bencher.bench(|| yaml::parse(black_box(&text), Path::new("models/schema.yml")));
}

/// A manifest of models, each of which depends on two before it.
fn manifest(models: usize) -> Manifest {
    let mut manifest = Manifest::default();
    for number in 0..models {
        let (name, id) = (format!("m{number}"), format!("model.shop.m{number}"));
        let (file, details) = (format!("models/{name}.sql"), Details::new(&name));
        let mut node = Node::new(ResourceType::Model, id, &name, "shop", file, details);
        for parent in [number / 2, number / 3].into_iter().filter(|parent| *parent < number) {
            node.depends_on.add_node(&format!("model.shop.m{parent}").into());
        }
        manifest.nodes.insert(node.unique_id.clone(), node);
    }
    manifest
}

/// Nodes as `manifest.json` has them.
#[divan::bench]
fn write_1000_nodes(bencher: Bencher) {
    let manifest = manifest(1000);
    bencher.bench(|| serde_json::to_vec(black_box(&manifest.nodes)));
}

/// The graph of a manifest.
#[divan::bench(args = [1000, 10_000])]
fn graph(bencher: Bencher, models: usize) {
    let manifest = manifest(models);
    bencher.bench(|| Dag::new(black_box(&manifest)).map(|dag| dag.len()));
}

/// All that depends on one of the first nodes, but for those with long names.
#[divan::bench(args = [1000, 10_000])]
fn select(bencher: Bencher, models: usize) {
    let manifest = manifest(models);
    let dag = Dag::new(&manifest).expect("a graph without cycles");
    let words = |text: &str| vec![text.to_owned()];
    let (select, exclude) = (words("m1+"), words("m????*"));
    let request = SelectionRequest { select: &select, exclude: &exclude, ..SelectionRequest::default() };
    bencher.bench(|| graph::select(&manifest, &dag, black_box(&request)).map(|found| found.ids.len()));
}
