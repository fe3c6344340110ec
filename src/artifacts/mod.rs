//! The files that other tools read: `manifest.json`, `semantic_manifest.json`, `graph_summary.json`, `run_results.json`,
//! `catalog.json` and `sources.json`, in dbt's versions
//! (<https://docs.getdbt.com/reference/artifacts/dbt-artifacts>).
//!
//! A file is written beside its place and renamed, so that nobody reads half of it.

mod catalog;
mod docs_page;
mod graph_summary;
mod manifest;
mod pieces;
mod run_results;
mod semantic_manifest;
mod sources;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::error::{Error, Result};
use crate::flags::DBT_VERSION;
use crate::jinja::context::{Shared, metadata_env_vars};

pub use catalog::{CatalogTable, write_catalog};
pub use docs_page::{docs_page, write_docs_page};
pub use graph_summary::write_graph_summary;
pub use manifest::write_manifest;
pub use run_results::{result_json, write_run_results};
pub use semantic_manifest::write_semantic_manifest;
pub use sources::write_sources;

/// The moment of an artifact, as dbt writes it.
fn timestamp(moment: chrono::DateTime<chrono::Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// `metadata` of an artifact; `schema` is its name and version in dbt's registry of schemas.
fn header(shared: &Arc<Shared>, schema: &str) -> Json {
    let env: Map<String, Json> = metadata_env_vars().map(|(name, value)| (name, Json::from(value))).collect();
    json!({
        "dbt_schema_version": format!("https://schemas.getdbt.com/dbt/{schema}.json"),
        "dbt_version": DBT_VERSION,
        "generated_at": timestamp(Utc::now()),
        "invocation_id": shared.invocation_id,
        "invocation_started_at": timestamp(shared.run_started_at),
        "env": env,
    })
}

fn write_json(path: &Path, content: &impl Serialize) -> Result<()> {
    write_whole(path, |writer| Ok(serde_json::to_writer(writer, content)?))
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    write_whole(path, |writer| writer.write_all(text.as_bytes()))
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it.
fn write_whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<()> {
    let failed = |error: std::io::Error| Error::io("write", path, &error);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // Two runs at once do not write into each other's.
    name.push(format!(".{}.part", std::process::id()));
    let unfinished = path.with_file_name(name);
    let file = File::create(&unfinished).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 16, file);
    write(&mut writer).and_then(|()| writer.flush()).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)
}
