//! What a parsed project depends on.
//!
//! - The program, and everything around the project's files ([`Surroundings`]): the project files and lists of packages
//!   as they are written, the target, the settings of the invocation that parsing could look at, and of those
//!   that only templates can look at (`env_var`, `flags`) the ones that they did look at.
//! - The files, by their contents. That contents are the same is known without reading them if nothing that the system
//!   keeps about the files has changed: every write changes the time of a file's last change (`ctime`), which
//!   nobody can set.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::jinja::context::{Observed, metadata_env_vars};
use crate::parse::{Invocation, ProjectFiles};
use crate::project::files::{Checksum, FileKind, FoundFile};
use crate::project::workspace::Workspace;
use crate::stored::stored;

/// A SHA-256.
pub type Digest = [u8; 32];

/// Files beside the models that say what a project is.
const PROJECT_FILES: [&str; 6] = [
    "dbt_project.yml",
    "packages.yml",
    "dependencies.yml",
    "package-lock.yml",
    "selectors.yml",
    ".dbtignore",
];

/// Settings that no room below commands looks at: what to work on and what to show. Templates see some of them in
/// `flags` and `invocation_args_dict`; see [`Observations`].
const SETTINGS_OF_COMMANDS: [&str; 49] = [
    "partial_parse_file_diff",
    "which",
    "invocation_command",
    "select",
    "models",
    "exclude",
    "selector",
    "resource_types",
    "exclude_resource_types",
    "indirect_selection",
    "threads",
    "full_refresh",
    "empty",
    "sample",
    "event_time_start",
    "event_time_end",
    "fail_fast",
    "separate_tests",
    "defer",
    "state",
    "defer_state",
    "favor_state",
    "quiet",
    "print",
    "log_level",
    "log_level_file",
    "log_format",
    "log_format_file",
    "log_path",
    "printer_width",
    "use_colors",
    "use_colors_file",
    "write_json",
    "macro",
    "args",
    "inline",
    "inline_direct",
    "limit",
    "output",
    "output_keys",
    "show",
    "compile",
    "static",
    "empty_catalog",
    "browser",
    "host",
    "port",
    "export_saved_queries",
    "include_saved_query",
];

/// A file that changed less than this before it was looked at may change again without a new time.
const COARSEST_CLOCK: Duration = Duration::from_millis(100);

/// What templates looked at while they were parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observations {
    /// Environment variables.
    variables: Vec<String>,
    /// `flags` and its kin.
    invocation: bool,
}

stored!(Observations { variables, invocation });

impl Observations {
    /// What was noted.
    pub fn of(observed: &Observed) -> Self {
        Observations { variables: observed.variables(), invocation: observed.invocation() }
    }
}

/// Everything around the files of a project.
pub struct Surroundings {
    /// What counts in any case.
    always: Sha256,
    /// What counts if templates looked at it.
    invocation: Vec<u8>,
    /// The target of the profile alone.
    pub target: Digest,
    /// Environment variables that go by two names.
    engine_env: BTreeMap<String, String>,
}

impl Surroundings {
    /// The surroundings of an invocation.
    pub fn new(workspace: &Workspace, invocation: &Invocation) -> Self {
        let mut always = Sha256::new();
        let mut add = |bytes: &[u8]| {
            always.update((bytes.len() as u64).to_le_bytes());
            always.update(bytes);
        };
        add(env!("CARGO_PKG_VERSION").as_bytes());
        add(&program());
        for project in &workspace.projects {
            add(project.name.as_bytes());
            add(project.root.as_os_str().as_encoded_bytes());
            for name in PROJECT_FILES {
                add(&fs::read(project.root.join(name)).unwrap_or_default());
            }
        }
        let target = format!("{:?}", invocation.target);
        add(target.as_bytes());
        let flags = &invocation.flags;
        let mut settings = serde_json::to_value(&**flags).unwrap_or_default();
        let all = settings.to_string();
        if let Some(settings) = settings.as_object_mut() {
            settings.retain(|name, _| !SETTINGS_OF_COMMANDS.contains(&name.as_str()));
        }
        add(settings.to_string().as_bytes());
        let given = format!("{:?}{:?}", flags.given, flags.parameters);
        let metadata: Vec<(String, String)> = metadata_env_vars().collect();
        let invocation = format!("{all}{given}{metadata:?}").into_bytes();
        let target = Sha256::digest(target).into();
        Surroundings { always, invocation, target, engine_env: flags.engine_env.clone() }
    }

    /// What a project depends on whose templates made these observations.
    pub fn digest(&self, observed: &Observations) -> Digest {
        let mut digest = self.always.clone();
        for name in &observed.variables {
            let value = self.engine_env.get(name).cloned().or_else(|| std::env::var(name).ok());
            digest.update(format!("{name}={value:?}\n").as_bytes());
        }
        if observed.invocation {
            digest.update(&self.invocation);
        }
        digest.finalize().into()
    }
}

/// What tells one build of the program from another.
fn program() -> Vec<u8> {
    let metadata = std::env::current_exe().and_then(fs::metadata);
    let signature = metadata.map(|metadata| format!("{} {:?}", metadata.len(), metadata.modified().ok()));
    signature.unwrap_or_default().into_bytes()
}

/// The files by what they hold. What is left out of a file's contents (white space at its end, the rows of seeds too
/// large for dbt's checksum) is nothing that parsing sees.
pub fn of_contents(workspace: &Workspace, files: &ProjectFiles) -> Digest {
    let mut digest = Sha256::new();
    for (project, files) in workspace.projects.iter().zip(files) {
        for file in files {
            let (Checksum::Sha256(checksum) | Checksum::Path(checksum)) = &file.checksum;
            let parts = [&project.name, &file.searched_path, &file.relative_path, checksum];
            digest.update(format!("{parts:?} {:?} {}\n", file.kind, file.first_line).as_bytes());
        }
    }
    digest.finalize().into()
}

/// The files with macros, by what they hold.
pub fn of_macros(files: &ProjectFiles) -> Digest {
    let mut digest = Sha256::new();
    for file in files.iter().flatten() {
        if matches!(file.kind, FileKind::Macro | FileKind::GenericTest) {
            let (Checksum::Sha256(checksum) | Checksum::Path(checksum)) = &file.checksum;
            digest.update(format!("{} {checksum}\n", file.relative_path).as_bytes());
        }
    }
    digest.finalize().into()
}

/// The files by what the system keeps about them; `None` if that does not prove that they are the same.
pub fn of_metadata(found: &[Vec<FoundFile>]) -> Option<Digest> {
    let newest = SystemTime::now().checked_sub(COARSEST_CLOCK)?;
    let mut digest = Sha256::new();
    for files in found {
        let signatures: Option<Vec<Vec<u8>>> = files.par_iter().map(|file| signature(file, newest)).collect();
        for (file, signature) in files.iter().zip(signatures?) {
            digest.update(format!("{:?} ", file.kind).as_bytes());
            digest.update(file.absolute_path().as_os_str().as_encoded_bytes());
            digest.update(&signature);
        }
        digest.update(b"\n");
    }
    Some(digest.finalize().into())
}

fn signature(file: &FoundFile, newest: SystemTime) -> Option<Vec<u8>> {
    let metadata = fs::metadata(file.absolute_path()).ok()?;
    (metadata.modified().ok()? < newest).then(|| of_file(&metadata, newest)).flatten()
}

#[cfg(unix)]
fn of_file(metadata: &Metadata, newest: SystemTime) -> Option<Vec<u8>> {
    use std::os::unix::fs::MetadataExt;
    let numbers = [
        metadata.len(),
        metadata.ino(),
        metadata.dev(),
        metadata.mtime() as u64,
        metadata.mtime_nsec() as u64,
        metadata.ctime() as u64,
        metadata.ctime_nsec() as u64,
    ];
    let newest = newest.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let changed = Duration::new(metadata.ctime().try_into().ok()?, metadata.ctime_nsec().try_into().ok()?);
    (changed < newest).then(|| numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
}

/// Elsewhere, anybody can set all times.
#[cfg(not(unix))]
fn of_file(_: &Metadata, _: SystemTime) -> Option<Vec<u8>> {
    None
}
