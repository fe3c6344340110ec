//! The files that other tools read: `manifest.json` and `run_results.json`, in dbt's versions 12 and 6
//! (<https://docs.getdbt.com/reference/artifacts/dbt-artifacts>).
//!
//! A file is written beside its place and renamed, so that nobody reads half of it.

mod manifest;
mod run_results;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};

pub use manifest::write_manifest;
pub use run_results::{result_json, write_run_results};

/// The moment of an artifact, as dbt writes it.
fn timestamp(moment: chrono::DateTime<chrono::Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn write_json(path: &Path, content: &impl Serialize) -> Result<()> {
    let failed = |error: std::io::Error| Error::io("write", path, &error);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let unfinished = path.with_extension("json.part");
    let file = File::create(&unfinished).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 16, file);
    serde_json::to_writer(&mut writer, content).map_err(|error| failed(error.into()))?;
    writer.flush().map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)
}
