//! Which nodes a command is about.

use std::collections::BTreeSet;

use super::setup::Loaded;
use super::state;
use crate::error::{Error, Result};
use crate::events::Warning;
use crate::flags::{Flags, IndirectSelection as Indirect, Unfinished};
use crate::graph::{self, Dag, IndirectSelection, SelectionRequest, Selectors, resource_types};
use crate::manifest::{Id, ResourceType};

/// Selects by the flags among these kinds of resources; a retry, what its command left undone.
pub fn select(
    flags: &Flags,
    loaded: &Loaded,
    dag: &Dag,
    all: &[ResourceType],
    default: &[ResourceType],
) -> Result<BTreeSet<Id>> {
    if let Some(unfinished) = &flags.unfinished {
        return still_there(unfinished, loaded);
    }
    let types = resource_types(&flags.resource_types, &flags.exclude_resource_types, all, default)?;
    let selectors =
        loaded.workspace.selectors.as_ref().map(|file| Selectors::parse(&file.to_json())).transpose()?;
    let previous = state::previous(flags, loaded)?;
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

/// The nodes that an earlier command left undone, which must still exist.
fn still_there(unfinished: &Unfinished, loaded: &Loaded) -> Result<BTreeSet<Id>> {
    let found = |id: &String| {
        let resource = loaded.parsed.manifest.resource(id);
        resource.map(|resource| resource.id().clone()).ok_or_else(|| {
            Error::runtime(format!("Couldn't find model '{id}' -- does it exist or is it disabled?"))
                .help("the last command knew it: run a whole command again instead of `retry`")
        })
    };
    unfinished.nodes.iter().map(found).collect()
}
