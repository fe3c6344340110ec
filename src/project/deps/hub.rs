//! The package hub: which versions of a package there are, and where they lie.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::DepsTools;
use crate::error::{Error, ErrorKind, Result};
use crate::project::semver::{DBT_VERSION, Version, VersionSpec};

/// The hub, asked once for each package.
pub(super) struct Hub<'a> {
    tools: DepsTools<'a>,
    check_version: bool,
    packages: HashMap<String, Map<String, Value>>,
}

fn error(message: String) -> Error {
    Error::new(ErrorKind::Dependency, message)
}

impl<'a> Hub<'a> {
    pub(super) fn new(tools: DepsTools<'a>, check_version: bool) -> Self {
        Hub { tools, check_version, packages: HashMap::new() }
    }

    /// What the hub says about a package's versions, by version.
    fn versions(&mut self, package: &str) -> Result<&Map<String, Value>> {
        if !self.packages.contains_key(package) {
            let url = format!("{}api/v1/{package}.json", self.tools.hub_url);
            let answer = (self.tools.download)(&url).map_err(|error| {
                error.help(format!("is '{package}' a package of {}?", self.tools.hub_url))
            })?;
            let versions = serde_json::from_slice::<Value>(&answer)
                .ok()
                .and_then(|answer| answer.get("versions")?.as_object().cloned())
                .ok_or_else(|| error(format!("the package hub gives no versions of {package} at {url}")))?;
            self.packages.insert(package.to_owned(), versions);
        }
        self.packages
            .get(package)
            .ok_or_else(|| error(format!("{package} was not found in the package index")))
    }

    /// The metadata of one version.
    pub(super) fn version(&mut self, package: &str, version: &str) -> Result<&Value> {
        let found = self.versions(package)?.get(version);
        found.ok_or_else(|| error(format!("there is no version {version} of {package} on the package hub")))
    }

    /// Where the archive of a version lies.
    pub(super) fn tarball_url(&mut self, package: &str, version: &str) -> Result<String> {
        let url = self.version(package, version)?.pointer("/downloads/tarball").and_then(Value::as_str);
        url.map(str::to_owned)
            .ok_or_else(|| error(format!("the package hub gives no download for {package} {version}")))
    }

    /// The versions that can be installed, oldest first.
    fn installable(&mut self, package: &str, with_prereleases: bool) -> Result<Vec<(Version, String)>> {
        let check_version = self.check_version;
        let is_compatible = |metadata: &Value| {
            let required: Vec<&str> = match metadata.get("require_dbt_version") {
                Some(Value::Array(specs)) => specs.iter().filter_map(Value::as_str).collect(),
                Some(Value::String(spec)) => vec![spec],
                _ => Vec::new(),
            };
            let dbt = Version::parse(DBT_VERSION);
            let allows = |spec: &&str| {
                VersionSpec::parse(spec).zip(dbt.as_ref()).is_some_and(|(spec, dbt)| spec.allows(dbt))
            };
            !check_version || required.iter().all(allows)
        };
        let mut versions: Vec<(Version, String)> = self
            .versions(package)?
            .iter()
            .filter(|(_, metadata)| is_compatible(metadata))
            .filter_map(|(text, _)| Some((Version::parse(text)?, text.clone())))
            .filter(|(version, _)| with_prereleases || !version.is_prerelease())
            .collect();
        versions.sort();
        Ok(versions)
    }

    /// The newest version that all bounds allow.
    pub(super) fn choose(
        &mut self,
        package: &str,
        bounds: &[String],
        install_prerelease: bool,
    ) -> Result<String> {
        let specs: Vec<VersionSpec> = bounds
            .iter()
            .flat_map(|bound| bound.split(','))
            .map(|bound| {
                VersionSpec::parse(bound).ok_or_else(|| {
                    error(format!("\"{bound}\" is not a valid semantic version (package {package})"))
                        .help("write three numbers, such as '1.3.0' or ['>=1.3.0', '<2.0.0']")
                })
            })
            .collect::<Result<_>>()?;
        let with_prereleases = install_prerelease || specs.iter().any(VersionSpec::is_prerelease);
        let versions = self.installable(package, with_prereleases)?;
        let chosen = versions.iter().rev().find(|(version, _)| specs.iter().all(|spec| spec.allows(version)));
        match chosen {
            Some((_, text)) => Ok(text.clone()),
            None => {
                let available: Vec<&str> =
                    versions.iter().rev().take(10).map(|(_, text)| text.as_str()).collect();
                Err(error(format!(
                    "could not find a matching version for package {package}: {}",
                    bounds.join(", ")
                ))
                .help(format!("the newest installable versions are: {}", available.join(", "))))
            }
        }
    }

    /// A version newer than the given one that could be installed.
    pub(super) fn newer_version(&mut self, package: &str, version: &str) -> Result<Option<String>> {
        let is_prerelease = Version::parse(version).is_some_and(|version| version.is_prerelease());
        let newest = self.installable(package, is_prerelease)?.pop();
        Ok(newest.map(|(_, text)| text).filter(|text| text != version))
    }
}
