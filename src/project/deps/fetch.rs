//! Getting packages onto the disk: with git, from archives, by links.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use super::DepsTools;
use crate::error::{Error, Result};

/// A folder for what is fetched, removed at the end.
pub(super) struct Downloads {
    folder: PathBuf,
    count: usize,
    /// The archives by their URL: one is opened to learn which package it holds, and again to install it.
    archives: HashMap<String, Vec<u8>>,
}

/// A revision of a repository on the disk.
pub(super) struct Checkout {
    /// The folder of the package.
    pub(super) folder: PathBuf,
    /// The commit.
    pub(super) sha: String,
}

impl Downloads {
    pub(super) fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("rbt-downloads-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).map_err(|error| Error::io("create", &folder, &error))?;
        Ok(Downloads { folder, count: 0, archives: HashMap::new() })
    }

    /// A new folder of its own for one fetch.
    fn next_folder(&mut self) -> Result<PathBuf> {
        self.count += 1;
        let folder = self.folder.join(self.count.to_string());
        std::fs::create_dir(&folder).map_err(|error| Error::io("create", &folder, &error))?;
        Ok(folder)
    }

    /// Fetches one revision (a tag, a branch, a commit, or what the repository shows by default).
    pub(super) fn git(
        &mut self,
        url: &str,
        revision: Option<&str>,
        subdirectory: Option<&str>,
    ) -> Result<Checkout> {
        let revision = revision.unwrap_or("HEAD");
        let folder = self.next_folder()?;
        let failed = |error: Error| {
            error.help(format!("is {url} a repository, and '{revision}' a tag, branch or commit of it?"))
        };
        git(&folder, &["init", "--quiet"])?;
        git(&folder, &["fetch", "--quiet", "--depth", "1", "--", url, revision]).map_err(failed)?;
        git(&folder, &["checkout", "--quiet", "--detach", "FETCH_HEAD"])?;
        let sha = git(&folder, &["rev-parse", "HEAD"])?.trim().to_owned();
        let folder = match subdirectory {
            Some(subdirectory) => inside(&folder, subdirectory)?,
            None => folder,
        };
        Ok(Checkout { folder, sha })
    }

    /// Downloads and unpacks an archive that has one folder at its top, and gives that folder.
    pub(super) fn tarball(&mut self, tools: DepsTools, url: &str) -> Result<PathBuf> {
        let folder = self.next_folder()?;
        let bytes = match self.archives.entry(url.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert((tools.download)(url)?),
        };
        let unpacked = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..])).unpack(&folder);
        unpacked.map_err(|error| {
            Error::new(
                crate::error::ErrorKind::Dependency,
                format!("{url} is not a .tar.gz archive: {error}"),
            )
        })?;
        let entries = std::fs::read_dir(&folder).map_err(|error| Error::io("read", &folder, &error))?;
        let folders: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        match <[PathBuf; 1]>::try_from(folders) {
            Ok([folder]) => Ok(folder),
            Err(_) => Err(Error::new(
                crate::error::ErrorKind::Dependency,
                format!("the archive {url} does not have one folder with the package in it"),
            )),
        }
    }
}

impl Drop for Downloads {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let dependency = |message: String| Error::new(crate::error::ErrorKind::Dependency, message);
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .map_err(|error| {
            dependency(format!("cannot run git: {error}")).help("install git and make sure it is on the PATH")
        })?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            Err(dependency(format!("git {} failed: {}", arguments[0], stderr.trim())))
        }
    }
}

/// A folder inside another; a path that leads out of it is refused.
fn inside(folder: &Path, path: &str) -> Result<PathBuf> {
    let is_inside =
        Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let full = folder.join(path);
    match is_inside && full.is_dir() {
        true => Ok(full),
        false => Err(Error::new(
            crate::error::ErrorKind::Dependency,
            format!("the repository has no subdirectory '{path}'"),
        )),
    }
}

/// Links to a local package, or copies it where links are not available.
pub(super) fn link(source: &Path, destination: &Path) -> Result<()> {
    let source = source.canonicalize().map_err(|error| Error::io("find", source, &error))?;
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(&source, destination);
    #[cfg(windows)]
    let linked = std::os::windows::fs::symlink_dir(&source, destination);
    match linked {
        Ok(()) => Ok(()),
        Err(_) => copy_folder(&source, destination),
    }
}

/// Moves a folder, by copying it if it lies on another disk.
pub(super) fn move_folder(source: &Path, destination: &Path) -> Result<()> {
    match std::fs::rename(source, destination) {
        Ok(()) => Ok(()),
        Err(_) => copy_folder(source, destination),
    }
}

fn copy_folder(source: &Path, destination: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(source) {
        let entry = entry.map_err(|error| {
            Error::io(
                "read",
                source,
                &error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links")),
            )
        })?;
        let target = destination.join(entry.path().strip_prefix(source).unwrap_or(entry.path()));
        let copied = match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(&target),
            false => std::fs::copy(entry.path(), &target).map(|_| ()),
        };
        copied.map_err(|error| Error::io("write", &target, &error))?;
    }
    Ok(())
}
