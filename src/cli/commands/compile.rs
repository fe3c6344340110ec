//! `compile` and `show`: the SQL of nodes, and what it gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::execute::{Work, compiler};
use super::select;
use super::setup::{self, Loaded};
use crate::cli::Outcome;
use crate::compile::{Compiler, Occasion};
use crate::error::{Error, Result};
use crate::events::{Event, Events, Preview, Status};
use crate::flags::{Command, Flags};
use crate::graph::COMPILE_TYPES;
use crate::jinja;
use crate::jinja::context::text_table;
use crate::manifest::{Compiled, Node, Resource, version_suffix};
use crate::parse::inline_node;
use crate::run::{Action, Extractions, NodeRun, Report, Timing, timed};
use crate::warehouse::{Cell, Fetch, Session, Table};

/// `rbt compile`: renders the selected nodes, or the SQL of `--inline`.
pub fn compile(flags: &Flags, events: &Events) -> Result<Outcome> {
    let loaded = setup::load(flags, events)?;
    if let Some(sql) = &flags.inline {
        let inline = Inline::compile(&loaded, sql)?;
        inline.write_results(&loaded)?;
        events.emit(Event::Compiled(preview(
            None,
            &inline.node.unique_id,
            inline.compiled.compiled_code,
            flags,
        )));
        return Ok(Outcome::Succeeded);
    }
    let report = compile_selected(flags, &loaded)?;
    for run in report.runs.iter().filter(|run| is_asked_for(flags, &loaded, &run.unique_id)) {
        let (Some(compiled), Some(resource)) =
            (&run.compiled, loaded.parsed.manifest.resource(&run.unique_id))
        else {
            continue;
        };
        let code = compiled.compiled_code.clone();
        events.emit(Event::Compiled(preview(Some(resource.name()), &run.unique_id, code, flags)));
    }
    Ok(Outcome::Succeeded)
}

/// Compiles the nodes that the flags select. A node that does not compile is an error.
pub(super) fn compile_selected(flags: &Flags, loaded: &Loaded) -> Result<Report> {
    let dag = loaded.link()?;
    let selected = select::select(flags, loaded, &dag, COMPILE_TYPES, COMPILE_TYPES)?;
    let report = Work { action: Action::Compile, selected, dag: &dag, extractions: Extractions::default() }
        .run(loaded)?;
    match report.error() {
        Some(error) => Err(error),
        None => Ok(report),
    }
}

/// Whether a node is shown: as in dbt, one whose name the first word of `--select` holds. The others were selected
/// along with it.
fn is_asked_for(flags: &Flags, loaded: &Loaded, id: &str) -> bool {
    let chosen = if flags.select.is_empty() { &flags.models } else { &flags.select };
    let name = loaded.parsed.manifest.resource(id).map(Resource::name);
    chosen.first().zip(name).is_some_and(|(first, name)| first.contains(name))
}

fn preview(name: Option<&str>, id: &str, content: String, flags: &Flags) -> Preview {
    Preview {
        name: name.map(str::to_owned),
        unique_id: id.to_owned(),
        content,
        json: flags.output.as_deref() == Some("json"),
    }
}

/// SQL of the command line, compiled.
struct Inline {
    node: Arc<Node>,
    compiled: Compiled,
    timing: Vec<Timing>,
    compiler: Arc<Compiler>,
    session: Arc<Session>,
}

impl Inline {
    /// Compiles SQL. Nothing was parsed before that, so it may refer to any node.
    fn compile(loaded: &Loaded, sql: &str) -> Result<Self> {
        let node = Arc::new(inline_node(&loaded.parsed, sql)?);
        let compiler = compiler(loaded, &BTreeSet::from([node.unique_id.clone()]))?;
        let session = Arc::new(session(loaded)?);
        let occasion = Occasion { any_ref: true, ..Occasion::default() };
        let mut timing = Vec::new();
        let compiled = timed("compile", &mut timing, || compiler.compile(&node, &session, &occasion))?;
        Ok(Inline { node, compiled, timing, compiler, session })
    }

    fn write_results(&self, loaded: &Loaded) -> Result<()> {
        let compiled = Some(self.compiled.clone());
        let run =
            NodeRun::outside(self.node.unique_id.clone(), Status::Success, self.timing.clone(), compiled);
        let elapsed = run.execution_time;
        loaded.write_run_results(&[run], elapsed)
    }
}

fn session(loaded: &Loaded) -> Result<Session> {
    let session = loaded.session(&*loaded.lazy_warehouse(), "master")?;
    let flags = &loaded.parsed.shared.flags;
    let may_ask = flags.introspect || flags.which == Command::Show;
    Ok(if may_ask { session } else { session.closed() })
}

/// `rbt show`: the first rows that the selected nodes give.
pub fn show(flags: &Flags, events: &Events) -> Result<Outcome> {
    let shown = |name: Option<&str>, id: &str, table: &Table| {
        events.emit(Event::Shown(preview(name, id, rendered(table, flags), flags)));
    };
    if let Some(sql) = &flags.inline_direct {
        let opened = setup::open(flags, events)?;
        let session = Session::new(opened.credentials.open()?.connect()?, Arc::default(), false);
        shown(None, "direct-query", &rows(sql, &session, wanted(flags))?);
        return Ok(Outcome::Succeeded);
    }
    if flags.inline.is_none() && flags.select.is_empty() && flags.models.is_empty() {
        return Err(Error::runtime("Either --select or --inline must be passed to show")
            .help("show --select model, or show --inline \"select 1\""));
    }
    let loaded = setup::load(flags, events)?;
    if let Some(sql) = &flags.inline {
        let mut inline = Inline::compile(&loaded, sql)?;
        let sql = &mut inline.compiled.compiled_code;
        *sql = limited(flags, &inline.compiler, &inline.node, sql, &inline.session)?;
        let table = rows(sql, &inline.session, Fetch::All)?;
        inline.write_results(&loaded)?;
        shown(None, &inline.node.unique_id, &table);
        return Ok(Outcome::Succeeded);
    }
    let report = compile_selected(flags, &loaded)?;
    let session = Arc::new(session(&loaded)?);
    let compiler = compiler(&loaded, &BTreeSet::new())?;
    for run in report.runs.iter().filter(|run| is_asked_for(flags, &loaded, &run.unique_id)) {
        let Some(Resource::Node(node)) = loaded.parsed.manifest.resource(&run.unique_id) else { continue };
        let resource = Some(Resource::Node(node));
        session.comment(loaded.parsed.shared.query_comment(&node.unique_id, resource)?);
        let table = match &run.compiled {
            Some(compiled) => {
                let node = Arc::new(node.clone());
                let sql = limited(flags, &compiler, &node, &compiled.compiled_code, &session)?;
                rows(&sql, &session, Fetch::All)?
            }
            None => {
                let relation = node.relation_name.as_deref().unwrap_or_default();
                rows(&format!("select * from {relation}"), &session, wanted(flags))?
            }
        };
        let name = match node.version() {
            Some(version) => format!("{}.{}", node.name, version_suffix(version)),
            None => node.name.clone(),
        };
        shown(Some(&name), &node.unique_id, &table);
    }
    Ok(Outcome::Succeeded)
}

/// How many rows `--limit` lets be shown.
fn wanted(flags: &Flags) -> Fetch {
    usize::try_from(flags.limit).map_or(Fetch::All, Fetch::Limit)
}

/// The SQL of a node with its `sql_header` and the limit, which the project's macros may write in their own way.
fn limited(
    flags: &Flags,
    compiler: &Compiler,
    node: &Arc<Node>,
    sql: &str,
    session: &Arc<Session>,
) -> Result<String> {
    let header = node.config.get("sql_header").map_or(Value::from(()), jinja::from_json);
    let limit = if flags.limit < 0 { Value::from(()) } else { Value::from(flags.limit) };
    let context = compiler.context(node, session, &Occasion::default());
    let limited = context.call_macro("get_show_sql", &[Value::from(sql), header, limit])?;
    Ok(limited.to_string())
}

fn rows(sql: &str, session: &Session, fetch: Fetch) -> Result<Table> {
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
