//! `deps`: fetches the packages that a project asks for, and theirs, and puts them where they are read from.
//!
//! What was resolved is written to `package-lock.yml`, as dbt does it, and taken from there as long as the
//! list of packages stays the same.

mod add;
mod fetch;
mod hub;
mod lock;
mod resolve;

use std::path::{Path, PathBuf};

use super::Warning;
use super::packages::PackageList;
use super::project_file::Project;
use super::render::Render;
use crate::error::{Error, Result};
use fetch::Downloads;
use hub::Hub;
use resolve::{Pinned, PinnedSource};

pub use add::add_package;

/// What installing packages needs from outside.
#[derive(Clone, Copy)]
pub struct DepsTools<'a> {
    /// The rendering for lists of packages: `env_var` with secrets, and `var` of the command line.
    pub render: Render<'a>,
    /// Gets the content of a URL.
    pub download: &'a dyn Fn(&str) -> Result<Vec<u8>>,
    /// The package hub, with a slash at the end.
    pub hub_url: &'a str,
}

/// How the command was called.
#[derive(Debug, Clone, Copy, Default)]
pub struct DepsOptions {
    /// `--upgrade`: resolve anew even if the lock fits.
    pub upgrade: bool,
    /// `--lock`: only resolve and write the lock.
    pub lock_only: bool,
    /// Off with `--no-version-check`: take versions of packages that exclude this version of dbt.
    pub check_version: bool,
}

/// What was done.
#[derive(Debug, Default)]
pub struct DepsReport {
    /// The lock, if it was written.
    pub lock: Option<PathBuf>,
    pub installed: Vec<InstalledPackage>,
    pub warnings: Vec<Warning>,
}

/// A package that was installed.
#[derive(Debug, Clone, PartialEq)]
pub struct InstalledPackage {
    /// What it is known by: the path, the URL or the name on the hub.
    pub origin: String,
    /// The version in words: `version 1.3.0`, `revision 3f2a…`, `<local @ ../lib>`.
    pub version: String,
    pub subdirectory: Option<String>,
    /// A newer version on the hub.
    pub update: Option<String>,
}

/// Installs the packages of a list into a project, without any if the list is empty.
///
/// # Errors
/// If a package cannot be found, fetched or understood, if versions exclude each other, or if two packages
/// have the same name.
pub fn install(
    project: &Project,
    list: &PackageList,
    options: DepsOptions,
    tools: DepsTools,
) -> Result<DepsReport> {
    let mut report = DepsReport::default();
    let install_path = project.root.join(&project.packages_install_path);
    if list.packages.is_empty() {
        return Ok(report);
    }
    let mut session = Session {
        root: &project.root,
        root_name: &project.name,
        tools,
        hub: Hub::new(tools, options.check_version),
        downloads: Downloads::new()?,
        warnings: Vec::new(),
    };
    let hash = lock::hash(list);
    let locked = match options.upgrade {
        true => None,
        false => lock::read(&project.root, &hash, tools.render)?,
    };
    let packages = match locked {
        Some(packages) => packages,
        None => {
            let packages = session.resolve(list)?;
            report.lock = Some(lock::write(&project.root, &packages, &hash)?);
            packages
        }
    };
    if !options.lock_only {
        empty(&install_path)?;
        for package in &packages {
            report.installed.push(session.install(package, &install_path)?);
        }
    }
    report.warnings = session.warnings;
    Ok(report)
}

/// One run of the command.
struct Session<'a> {
    root: &'a Path,
    root_name: &'a str,
    tools: DepsTools<'a>,
    hub: Hub<'a>,
    downloads: Downloads,
    warnings: Vec<Warning>,
}

impl Session<'_> {
    fn install(&mut self, package: &Pinned, install_path: &Path) -> Result<InstalledPackage> {
        let destination = install_path.join(&package.name);
        let mut update = None;
        match &package.source {
            PinnedSource::Local { path } => fetch::link(&self.root.join(path), &destination)?,
            PinnedSource::Git { url, revision, subdirectory, .. } => {
                let checkout = self.downloads.git(url, Some(revision), subdirectory.as_deref())?;
                fetch::move_folder(&checkout.folder, &destination)?;
            }
            PinnedSource::Hub { package, version } => {
                let folder = self.downloads.tarball(self.tools, &self.hub.tarball_url(package, version)?)?;
                fetch::move_folder(&folder, &destination)?;
                update = self.hub.newer_version(package, version)?;
            }
            PinnedSource::Tarball { url, .. } => {
                let folder = self.downloads.tarball(self.tools, url)?;
                fetch::move_folder(&folder, &destination)?;
            }
        }
        let (origin, version, subdirectory) = package.describe();
        Ok(InstalledPackage { origin, version, subdirectory, update })
    }
}

/// Makes a folder that is there and empty.
fn empty(folder: &Path) -> Result<()> {
    if folder.is_symlink() {
        return Err(Error::runtime(format!("{} is a link and not emptied", folder.display()))
            .help("remove the link, or set packages-install-path to a folder"));
    }
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("empty", folder, &error)),
        _ => std::fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error)),
    }
}

#[cfg(test)]
mod tests;
