//! Parsing that remembers: an invocation that finds everything as another one left it takes over what that one parsed.
//!
//! ```text
//! files ──▶ key ──same──▶ stored project ──▶ ParsedProject
//!            └──other──▶ parse ──▶ ParsedProject, stored in the background
//! ```
//!
//! What is stored holds as long as its key does: see [`key`]. A parse that failed, or in which templates wrote lines
//! of their own, is not stored; warnings are, and are told again, so that nobody can tell where a project came from.

mod file;
mod key;

use std::path::Path;
use std::thread::{self, JoinHandle};

use crate::error::Result;
use crate::events::{Event, Level, Note};
use crate::parse::{self, Invocation, ParsedProject, ProjectFiles};
use crate::project::files::{self, FoundFile};
use crate::project::workspace::Workspace;
use file::{Header, Pieces, StoredProject};
use key::{Digest, Surroundings};

/// The file below the folder of artifacts.
const FILE_NAME: &str = "partial_parse.rbt";

/// A parsed project.
pub struct Cached {
    pub parsed: ParsedProject,
    /// What it goes by in all invocations that take it over; `None` if none will.
    pub id: Option<String>,
    pub saving: Saving,
}

impl Cached {
    /// A project that nobody else will see.
    fn once(parsed: ParsedProject) -> Cached {
        Cached { parsed, id: None, saving: Saving::default() }
    }
}

/// A project that is being stored. It is stored when this is dropped.
#[derive(Default)]
pub struct Saving(Option<JoinHandle<()>>);

impl Drop for Saving {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A project that could not be stored is parsed again.
            let _ = thread.join();
        }
    }
}

/// Parses a project, or takes over what an earlier invocation parsed and left in the folder of artifacts.
///
/// # Errors
/// Those of parsing.
pub fn parse(workspace: &Workspace, invocation: Invocation, target: &Path) -> Result<Cached> {
    if !invocation.flags.partial_parse {
        return parse::parse(workspace, read(find(workspace)?)?, invocation).map(Cached::once);
    }
    let path = target.join(FILE_NAME);
    let surroundings = Surroundings::new(workspace, &invocation);
    let events = invocation.events.clone();
    let mut obstacle = None;
    let stored = match StoredProject::open(&path) {
        None => {
            obstacle = Some("saved manifest not found");
            None
        }
        Some(stored) if stored.header.surroundings == surroundings.digest(&stored.header.observed) => {
            Some(stored)
        }
        Some(stored) if stored.header.target != surroundings.target => {
            obstacle = Some("profile has changed");
            None
        }
        Some(_) => {
            obstacle = Some("a project file, a setting or the program has changed");
            None
        }
    };
    // While the files are looked at, what was made of them is read: nearly always they are as they were.
    let (found, project) = rayon::join(
        || find(workspace).map(|found| (key::of_metadata(&found), found)),
        || stored.as_ref().and_then(StoredProject::read),
    );
    let (stat, found) = found?;
    let looks = invocation.flags.partial_parse_file_diff;
    let stored = match stored {
        Some(stored) if !looks || stat.is_some() && stored.stat == stat => Ok(stored),
        other => Err(other),
    };
    let (stored, files) = match stored {
        Ok(stored) => (Some(stored), None),
        Err(stored) => {
            let files = read(found)?;
            let digest = key::of_contents(workspace, &files);
            if stored.as_ref().is_some_and(|stored| stored.header.macros != key::of_macros(&files)) {
                obstacle = Some("macros have changed");
            }
            let same = stored.filter(|stored| stored.header.contents == digest);
            if let (Some(stored), Some(stat)) = (&same, stat) {
                stored.note_stat(&path, stat);
            }
            (same, Some((files, digest)))
        }
    };
    if let (Some(StoredProject { header, .. }), Some(project)) = (stored, project) {
        for warning in header.warnings {
            invocation.events.warn(warning)?;
        }
        invocation.events.emit(Event::note(Level::Debug, "Nothing changed, skipping partial parsing."));
        let told = header.told.into_iter().collect();
        let parsed = parse::restore(workspace, project.manifest, project.macros, told, invocation);
        return Ok(Cached { parsed, id: Some(header.id), saving: Saving::default() });
    }
    if let Some(obstacle) = obstacle {
        let message = format!("Unable to do partial parsing because {obstacle}. Starting full parse.");
        let data = serde_json::Map::from_iter([("reason".to_owned(), obstacle.into())]);
        let (name, code) = ("UnableToPartialParse", "I024");
        events.emit(Event::Note(Note { name, code, level: Level::Info, message, data }));
    }
    let (files, contents) = match files {
        Some(known) => known,
        None => {
            let files = read(find(workspace)?)?;
            let digest = key::of_contents(workspace, &files);
            (files, digest)
        }
    };
    parse_and_store(workspace, files, invocation, &surroundings, (contents, stat), &path)
}

fn find(workspace: &Workspace) -> Result<Vec<Vec<FoundFile>>> {
    workspace.projects.iter().map(files::find_all).collect()
}

fn read(found: Vec<Vec<FoundFile>>) -> Result<ProjectFiles> {
    found.into_iter().map(files::read_all).collect()
}

fn parse_and_store(
    workspace: &Workspace,
    files: ProjectFiles,
    invocation: Invocation,
    surroundings: &Surroundings,
    (contents, stat): (Digest, Option<Digest>),
    path: &Path,
) -> Result<Cached> {
    let events = invocation.events.clone();
    let macros = key::of_macros(&files);
    events.take_notes();
    let parsed = parse::parse(workspace, files, invocation);
    let notes = events.notes_taken();
    let parsed = parsed?;
    if notes.has_lines {
        return Ok(Cached::once(parsed));
    }
    let observed = key::Observations::of(&parsed.shared.observed);
    let id = uuid::Uuid::new_v4().to_string();
    let header = Header {
        id: id.clone(),
        surroundings: surroundings.digest(&observed),
        observed,
        target: surroundings.target,
        contents,
        macros,
        warnings: notes.warnings,
        told: crate::jinja::context::lock(&parsed.shared.told).iter().cloned().collect(),
        pieces: Pieces::default(),
    };
    let (manifest, shared, path) = (parsed.manifest.clone(), parsed.shared.clone(), path.to_owned());
    let write = move || drop(file::write(&path, header, stat, &manifest, &shared.macros));
    // Where no thread can be had, nothing is stored.
    let thread = thread::Builder::new().name("cache".to_owned()).spawn(write).ok();
    Ok(Cached { parsed, id: Some(id), saving: Saving(thread) })
}
