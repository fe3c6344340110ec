//! Which nodes a command is about.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;

use super::setup::Loaded;
use crate::error::{Error, Result};
use crate::events::Warning;
use crate::flags::{Flags, IndirectSelection as Indirect};
use crate::graph::{
    self, Dag, IndirectSelection, PreviousState, SelectionRequest, Selectors, resource_types,
};
use crate::manifest::{Id, ResourceType};

/// Selects by the flags among these kinds of resources.
pub fn select(
    flags: &Flags,
    loaded: &Loaded,
    dag: &Dag,
    all: &[ResourceType],
    default: &[ResourceType],
) -> Result<BTreeSet<Id>> {
    let types = resource_types(&flags.resource_types, &flags.exclude_resource_types, all, default)?;
    let selectors =
        loaded.workspace.selectors.as_ref().map(|file| Selectors::parse(&file.to_json())).transpose()?;
    let previous = flags.state.as_deref().map(|folder| previous(folder, loaded)).transpose()?;
    let chosen = if flags.select.is_empty() { &flags.models } else { &flags.select };
    let request = SelectionRequest {
        select: chosen,
        exclude: &flags.exclude,
        selector: flags.selector.as_deref(),
        selectors: selectors.as_ref(),
        indirect: match flags.indirect_selection {
            Indirect::Eager => IndirectSelection::Eager,
            Indirect::Cautious => IndirectSelection::Cautious,
            Indirect::Buildable => IndirectSelection::Buildable,
            Indirect::Empty => IndirectSelection::Empty,
        },
        types: Some(&types),
        include_empty: false,
        previous: previous.as_ref(),
        project_root: Some(&flags.project_dir),
        project_name: Some(&loaded.workspace.root().name),
    };
    let selection = graph::select(&loaded.parsed.manifest, dag, &request)?;
    for warning in selection.warnings {
        let message = match warning.help {
            Some(help) => format!("{}; {help}", warning.message),
            None => warning.message,
        };
        loaded.parsed.shared.events.warn(Warning::new(warning.event, message))?;
    }
    Ok(selection.ids)
}

/// The artifacts in the folder of an earlier run.
fn previous(folder: &Path, loaded: &Loaded) -> Result<PreviousState> {
    if !folder.is_dir() {
        return Err(Error::runtime(format!("the folder of --state does not exist: {}", folder.display())));
    }
    Ok(PreviousState {
        manifest: artifact(&folder.join("manifest.json"))?,
        run_results: artifact(&folder.join("run_results.json"))?,
        sources: artifact(&folder.join("sources.json"))?,
        sources_current: artifact(&loaded.target.join("sources.json"))?,
        compare_unrendered: false,
    })
}

fn artifact(path: &Path) -> Result<Option<Json>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, &error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| Error::runtime(format!("{} is not JSON: {error}", path.display())))
}
