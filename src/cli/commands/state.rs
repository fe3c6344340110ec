//! The artifacts of earlier runs: what `state:` compares with, what `--defer` and `clone` point at, and what `retry`
//! goes on with.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::setup::Loaded;
use crate::error::{Error, Result};
use crate::events::Warning;
use crate::flags::{Command, Flags};
use crate::graph::PreviousState;
use crate::jinja::context::Deferral;
use crate::manifest::{Id, Manifest};
use crate::sql::{Policy, Relation};

/// The versions of the manifest that can be compared with this one: the older ones lack what the comparison needs.
const MANIFESTS: RangeInclusive<u32> = 4..=12;

/// The artifacts in the folder of `--state`, if there is one.
pub fn previous(flags: &Flags, loaded: &Loaded) -> Result<Option<PreviousState>> {
    let Some(folder) = flags.state.as_deref().map(|folder| flags.project_dir.join(folder)) else {
        return Ok(None);
    };
    warn_of_own_target(&folder, loaded)?;
    Ok(Some(PreviousState {
        manifest: artifact(&folder.join("manifest.json"), "manifest/v", MANIFESTS)?,
        run_results: artifact(&folder.join("run_results.json"), "run-results/v", 4..=6)?,
        sources: artifact(&folder.join("sources.json"), "sources/v", 3..=3)?,
        sources_current: artifact(&loaded.target.join("sources.json"), "sources/v", 3..=3)?,
        compare_unrendered: flags.behavior.state_modified_compare_more_unrendered_values,
    }))
}

/// The state that lies where this invocation writes is overwritten by it.
fn warn_of_own_target(folder: &Path, loaded: &Loaded) -> Result<()> {
    let same =
        folder.canonicalize().is_ok_and(|folder| loaded.target.canonicalize().is_ok_and(|own| own == folder));
    if !same {
        return Ok(());
    }
    let message = format!(
        "Warning: The state and target directories are the same: '{}'. This run writes over what it compares with: \
             copy the artifacts of the earlier run to a folder of their own, and name that with --state.",
        loaded.shown_target
    );
    loaded.parsed.shared.events.warn(Warning::new("WarnStateTargetEqual", message))
}

/// The results in a folder, as `run_results.json` has them.
pub fn run_results(folder: &Path) -> Result<Option<Json>> {
    artifact(&folder.join("run_results.json"), "run-results/v", 4..=6)
}

/// Where the nodes are in the run to which this one defers, or from which it clones.
///
/// Fails where neither `--defer-state` nor `--state` name a folder with a manifest.
pub fn deferral(loaded: &Loaded) -> Result<Deferral> {
    let flags = &loaded.parsed.shared.flags;
    let clones = flags.which == Command::Clone;
    let needed = (flags.defer || clones) && flags.which != Command::RunOperation;
    if !needed {
        return Ok(Deferral::default());
    }
    let Some(folder) = flags.defer_state.as_ref().or(flags.state.as_ref()) else {
        return Err(Error::runtime(
            "--state or --defer-state are required for deferral, but neither was provided",
        )
        .help("name the folder with the manifest.json of an earlier run: --state path/to/artifacts"));
    };
    let path: PathBuf = flags.project_dir.join(folder).join("manifest.json");
    let Some(state) = artifact(&path, "manifest/v", MANIFESTS)? else {
        return Err(Error::runtime(format!(
            "Could not find manifest in --state path: \"{}\"",
            folder.display()
        ))
        .help(format!("{} does not exist: is it the target folder of an earlier run?", path.display())));
    };
    Ok(Deferral {
        relations: relations(&state, &loaded.parsed.manifest, loaded.parsed.shared.quoting),
        in_refs: flags.defer,
        favored: flags.favor_state,
    })
}

/// The relations of the state's nodes that this project has, too.
fn relations(state: &Json, manifest: &Manifest, quoting: Policy) -> HashMap<Id, Relation> {
    let functions = state["functions"].as_object().into_iter().flatten();
    let entries = state["nodes"].as_object().into_iter().flatten().chain(functions);
    let deferrable = entries.filter(|(id, entry)| {
        let is_ephemeral = entry["config"]["materialized"] == "ephemeral";
        let kinds = ["model.", "seed.", "snapshot.", "function."];
        kinds.iter().any(|kind| id.starts_with(kind)) && !is_ephemeral
    });
    let relation = |(id, entry): (&String, &Json)| {
        let id = manifest.node(id)?.unique_id.clone();
        let [database, schema, alias] = ["database", "schema", "alias"].map(|key| entry[key].as_str());
        let mut relation = Relation::new(database, schema, alias);
        let part = |key: &str| entry["config"]["quoting"][key].as_bool();
        relation.quote = quoting.with(part("database"), part("schema"), part("identifier"));
        Some((id, relation))
    };
    deferrable.filter_map(relation).collect()
}

/// An artifact, if the file exists. `newest` is the version of its schema that rbt writes; older ones are read, too.
fn artifact(path: &Path, schema: &str, readable: RangeInclusive<u32>) -> Result<Option<Json>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, &error)),
    };
    let content: Json = serde_json::from_slice(&text)
        .map_err(|error| Error::runtime(format!("{} is not JSON: {error}", path.display())))?;
    let found = content["metadata"]["dbt_schema_version"].as_str().unwrap_or("an artifact without a version");
    let version = found.split_once(schema).and_then(|(_, rest)| rest.trim_end_matches(".json").parse().ok());
    if version.is_none_or(|version| !readable.contains(&version)) {
        let newest = readable.end();
        return Err(Error::runtime(format!(
            "Expected a schema version of \"https://schemas.getdbt.com/dbt/{schema}{newest}.json\" in {}, but \
             found \"{found}\". Are you running with a different version of dbt?",
            path.display()
        )));
    }
    Ok(Some(content))
}
