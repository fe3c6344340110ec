//! From what is asked for to what is taken: one version of each package, and of those that packages ask for.

use std::path::Path;

use serde_json::Value;

use super::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::project::Warning;
use crate::project::packages::{self, PackageList, PackageSource, PackageSpec};
use crate::project::project_file::RawProject;
use crate::project::yaml::Yaml;

/// A package as it is installed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pinned {
    /// The name in its project file, which is also the name of its folder.
    pub(super) name: String,
    pub(super) source: PinnedSource,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum PinnedSource {
    Local {
        path: String,
    },
    /// `stored_url` is the URL before rendering: the lock must not contain secrets.
    Git {
        url: String,
        stored_url: String,
        revision: String,
        subdirectory: Option<String>,
    },
    Hub {
        package: String,
        version: String,
    },
    Tarball {
        url: String,
        stored_url: String,
    },
}

impl Pinned {
    /// Its origin, its version in words, and its subdirectory.
    pub(super) fn describe(&self) -> (String, String, Option<String>) {
        match &self.source {
            PinnedSource::Local { path } => (path.clone(), format!("<local @ {path}>"), None),
            PinnedSource::Git { stored_url, revision, subdirectory, .. } => {
                (stored_url.clone(), format!("revision {revision}"), subdirectory.clone())
            }
            PinnedSource::Hub { package, version } => (package.clone(), format!("version {version}"), None),
            PinnedSource::Tarball { stored_url, .. } => {
                (self.name.clone(), format!("tarball (url: {stored_url})"), None)
            }
        }
    }
}

fn error(message: String) -> Error {
    Error::new(ErrorKind::Dependency, message)
}

/// The text of an entry's key before rendering.
fn unrendered_text(spec: &PackageSpec, key: &str) -> String {
    spec.unrendered.get(key).map_or_else(|| spec.origin().to_owned(), Yaml::key_text)
}

/// What makes two entries the same package.
fn identity(source: &PackageSource) -> String {
    match source {
        PackageSource::Local { path } => format!("local {path}"),
        PackageSource::Git { url, subdirectory, .. } => {
            format!(
                "git {} {}",
                url.strip_suffix(".git").unwrap_or(url),
                subdirectory.as_deref().unwrap_or_default()
            )
        }
        PackageSource::Hub { package, .. } => format!("hub {package}"),
        PackageSource::Tarball { url } => format!("tarball {url}"),
    }
}

/// Adds what another entry demands of the same package. Whether anything is new.
fn add_demands(known: &mut PackageSource, other: &PackageSource) -> Result<bool> {
    match (known, other) {
        (PackageSource::Hub { versions, .. }, PackageSource::Hub { versions: more, .. }) => {
            let new: Vec<String> =
                more.iter().filter(|version| !versions.contains(version)).cloned().collect();
            versions.extend_from_slice(&new);
            Ok(!new.is_empty())
        }
        (PackageSource::Git { url, revision, .. }, PackageSource::Git { revision: Some(more), .. }) => {
            match revision {
                Some(revision) if revision != more => Err(error(format!(
                    "the git package {url} is asked for in two revisions: {revision} and {more}"
                ))
                .help("ask for the same revision everywhere, or let your own packages.yml leave it out")),
                Some(_) => Ok(false),
                None => {
                    *revision = Some(more.clone());
                    Ok(true)
                }
            }
        }
        _ => Ok(false),
    }
}

impl Session<'_> {
    /// Takes the list, then what its packages ask for, and so on, until nothing new is asked for.
    pub(super) fn resolve(&mut self, list: &PackageList) -> Result<Vec<Pinned>> {
        let mut demands: Vec<(PackageSpec, Option<Pinned>)> = Vec::new();
        let mut pending = list.packages.clone();
        while !pending.is_empty() {
            let mut next = Vec::new();
            for spec in pending {
                let key = identity(&spec.source);
                let index = match demands.iter().position(|(known, _)| identity(&known.source) == key) {
                    Some(index) if !add_demands(&mut demands[index].0.source, &spec.source)? => continue,
                    Some(index) => index,
                    None => {
                        demands.push((spec, None));
                        demands.len() - 1
                    }
                };
                let (pinned, wanted) = self.pin(&demands[index].0)?;
                demands[index].1 = Some(pinned);
                next.extend(wanted);
            }
            pending = next;
        }
        let pinned: Vec<Pinned> = demands.into_iter().filter_map(|(_, pinned)| pinned).collect();
        self.check_names(&pinned)?;
        Ok(pinned)
    }

    fn check_names(&self, packages: &[Pinned]) -> Result<()> {
        for (index, package) in packages.iter().enumerate() {
            let name = &package.name;
            let origin = package.describe().0;
            if name == self.root_name {
                return Err(error(format!(
                    "the package {origin} has the name of the root project: \"{name}\""
                )));
            }
            if let Some(first) = packages[..index].iter().find(|first| first.name == *name) {
                let message =
                    format!("two packages have the name \"{name}\": {} and {origin}", first.describe().0);
                return Err(error(message).help("remove one of them"));
            }
            let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if !is_plain || name.is_empty() {
                return Err(error(format!(
                    "the package {origin} has the name \"{name}\", which cannot name a folder"
                )));
            }
        }
        Ok(())
    }

    /// The version to take of a package, and the packages that it asks for.
    fn pin(&mut self, spec: &PackageSpec) -> Result<(Pinned, Vec<PackageSpec>)> {
        match &spec.source {
            PackageSource::Local { path } => {
                let (name, wanted) = self.read_package(&self.root.join(path))?;
                Ok((Pinned { name, source: PinnedSource::Local { path: path.clone() } }, wanted))
            }
            PackageSource::Git { url, revision, subdirectory, warn_unpinned } => {
                let checkout = self.downloads.git(url, revision.as_deref(), subdirectory.as_deref())?;
                let stored_url = unrendered_text(spec, "git");
                let is_moving = matches!(revision.as_deref(), None | Some("HEAD" | "main" | "master"));
                if is_moving && *warn_unpinned != Some(false) {
                    let message =
                        format!("the git package {stored_url} is not pinned: name a `revision` that stays");
                    self.warnings.push(Warning { code: "DepsUnpinned", message, location: None });
                }
                let (name, wanted) = self.read_package(&checkout.folder)?;
                let (url, subdirectory) = (url.clone(), subdirectory.clone());
                let source = PinnedSource::Git { url, stored_url, revision: checkout.sha, subdirectory };
                Ok((Pinned { name, source }, wanted))
            }
            PackageSource::Tarball { url } => {
                let folder = self.downloads.tarball(self.tools, url)?;
                let (name, wanted) = self.read_package(&folder)?;
                let source =
                    PinnedSource::Tarball { url: url.clone(), stored_url: unrendered_text(spec, "tarball") };
                Ok((Pinned { name, source }, wanted))
            }
            PackageSource::Hub { package, versions, install_prerelease } => {
                let version = self.hub.choose(package, versions, *install_prerelease)?;
                let metadata = self.hub.version(package, &version)?.clone();
                let name = metadata.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                let wanted = wanted_by_hub(&metadata, package)?;
                Ok((Pinned { name, source: PinnedSource::Hub { package: package.clone(), version } }, wanted))
            }
        }
    }

    /// The name in a package's project file, and the packages that it asks for.
    fn read_package(&self, folder: &Path) -> Result<(String, Vec<PackageSpec>)> {
        let raw = RawProject::read(folder)?;
        let name = raw.name().map(str::to_owned);
        let name = name.ok_or_else(|| error(format!("the package in {} has no name", folder.display())))?;
        Ok((name, packages::read_list(folder, self.tools.render)?.packages))
    }
}

/// The packages that the hub lists for a version.
fn wanted_by_hub(metadata: &Value, package: &str) -> Result<Vec<PackageSpec>> {
    let entries = metadata.get("packages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let read = |entry: &Value| {
        let entry = Yaml::from_json(entry);
        packages::spec(&entry, &entry, Path::new(package))
    };
    entries.iter().map(read).collect()
}
