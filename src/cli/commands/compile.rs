//! `compile` and `show`: the SQL of nodes, and what it gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::execute::{Work, compiler};
use super::select;
use super::setup::{self, Loaded};
use crate::cli::Outcome;
use crate::compile::{Compiler, Occasion};
use crate::error::Result;
use crate::events::{Event, Events, Preview};
use crate::flags::Flags;
use crate::graph::{COMPILE_TYPES, Dag};
use crate::jinja::context::text_table;
use crate::manifest::{Id, Node, Resource};
use crate::parse::inline_node;
use crate::run::{Action, Report};
use crate::warehouse::{Cell, Fetch, RelationCache, Session, Table};

/// `rbt compile`: renders the selected nodes, or the SQL of `--inline`.
pub fn compile(flags: &Flags, events: &Events) -> Result<Outcome> {
    let loaded = setup::load(flags, events)?;
    if let Some(sql) = &flags.inline {
        let (node, compiler, session) = inline(&loaded, sql)?;
        let compiled = compiler.compile(&node, &session, &inline_occasion())?;
        events.emit(Event::Compiled(preview(None, &node.unique_id, compiled.compiled_code, flags)));
        return Ok(Outcome::Succeeded);
    }
    let report = compile_selected(flags, &loaded)?;
    if flags.is_given("select") || flags.is_given("models") {
        for run in &report.runs {
            let Some(compiled) = &run.compiled else { continue };
            let name = loaded.parsed.manifest.resource(&run.unique_id).map(Resource::name);
            events.emit(Event::Compiled(preview(
                name,
                &run.unique_id,
                compiled.compiled_code.clone(),
                flags,
            )));
        }
    }
    Ok(if report.succeeded() { Outcome::Succeeded } else { Outcome::Failed })
}

/// Compiles the nodes that the flags select.
pub(super) fn compile_selected(flags: &Flags, loaded: &Loaded) -> Result<Report> {
    let dag = Dag::new(&loaded.parsed.manifest)?;
    let selected = select::select(flags, loaded, &dag, COMPILE_TYPES, COMPILE_TYPES)?;
    Work { action: Action::Compile, selected, dag: &dag }.run(loaded)
}

fn preview(name: Option<&str>, id: &str, content: String, flags: &Flags) -> Preview {
    Preview {
        name: name.map(str::to_owned),
        unique_id: id.to_owned(),
        content,
        json: flags.output.as_deref() == Some("json"),
    }
}

/// Nothing was parsed before that SQL is compiled, so it may refer to any node.
fn inline_occasion() -> Occasion {
    Occasion { any_ref: true, ..Occasion::default() }
}

/// SQL of the command line as a node, and what is needed to compile it.
fn inline(loaded: &Loaded, sql: &str) -> Result<(Arc<Node>, Arc<Compiler>, Arc<Session>)> {
    let node = inline_node(&loaded.parsed, sql);
    let id: Id = node.unique_id.clone();
    let compiler = compiler(loaded, &BTreeSet::from([id]))?;
    let warehouse = loaded.credentials.open()?;
    let session = Session::new(warehouse.connect()?, Arc::new(RelationCache::default()), false);
    Ok((Arc::new(node), compiler, Arc::new(session)))
}

/// `rbt show`: the first rows that the selected nodes give.
pub fn show(flags: &Flags, events: &Events) -> Result<Outcome> {
    let loaded = setup::load(flags, events)?;
    let sql = flags.inline.as_ref().or(flags.inline_direct.as_ref());
    if let Some(sql) = sql {
        let (node, compiler, session) = inline(&loaded, sql)?;
        let compiled = compiler.compile(&node, &session, &inline_occasion())?;
        let table = first_rows(flags, &compiled.compiled_code, &session)?;
        events.emit(Event::Shown(preview(None, &node.unique_id, rendered(&table, flags), flags)));
        return Ok(Outcome::Succeeded);
    }
    let report = compile_selected(flags, &loaded)?;
    let warehouse = loaded.credentials.open()?;
    let session = Session::new(warehouse.connect()?, Arc::new(RelationCache::default()), false);
    for run in &report.runs {
        let Some(Resource::Node(node)) = loaded.parsed.manifest.resource(&run.unique_id) else { continue };
        let sql = match &run.compiled {
            Some(compiled) => compiled.compiled_code.clone(),
            None => format!("select * from {}", node.relation_name.as_deref().unwrap_or_default()),
        };
        let table = first_rows(flags, &sql, &session)?;
        events.emit(Event::Shown(preview(Some(&node.name), &node.unique_id, rendered(&table, flags), flags)));
    }
    Ok(if report.succeeded() { Outcome::Succeeded } else { Outcome::Failed })
}

fn first_rows(flags: &Flags, sql: &str, session: &Session) -> Result<Table> {
    let fetch = match usize::try_from(flags.limit) {
        Ok(limit) => Fetch::Limit(limit),
        Err(_) => Fetch::All,
    };
    session.execute(sql, false, fetch).map(|(_, table)| table)
}

fn rendered(table: &Table, flags: &Flags) -> String {
    if flags.output.as_deref() != Some("json") {
        return text_table(table);
    }
    let rows = table.rows.iter().map(|row| {
        let cells =
            table.columns.iter().zip(row).map(|(column, cell)| (column.name.clone(), cell_json(cell)));
        Json::Object(cells.collect::<Map<_, _>>())
    });
    let rows: Vec<Json> = rows.collect();
    serde_json::to_string_pretty(&rows).unwrap_or_default()
}

fn cell_json(cell: &Cell) -> Json {
    match cell {
        Cell::Null => Json::Null,
        Cell::Bool(flag) => Json::from(*flag),
        Cell::Int(number) => {
            i64::try_from(*number).map_or_else(|_| Json::from(number.to_string()), Json::from)
        }
        Cell::Float(number) => Json::from(*number),
        Cell::Decimal(text) => text.parse::<f64>().map_or_else(|_| Json::from(text.as_str()), Json::from),
        other => Json::from(other.to_string()),
    }
}
