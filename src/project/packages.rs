//! Packages: what a project asks for (`packages.yml`, `dependencies.yml`) and what is installed.

use std::path::{Path, PathBuf};

use super::project_file::{PROJECT_FILE, Project};
use super::render::{Render, render_tree};
use super::yaml::{self, Mapping, Yaml};
use crate::error::{Error, Location, Result};

/// The packages that a project asks for.
#[derive(Debug, Clone)]
pub struct PackageList {
    /// The file that lists them, for messages: `packages.yml` or `dependencies.yml`.
    pub file: PathBuf,
    pub packages: Vec<PackageSpec>,
}

/// One entry of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageSpec {
    pub source: PackageSource,
    /// The name that the entry gives the package, if any.
    pub name: Option<String>,
    /// The entry, rendered.
    pub rendered: Yaml,
    /// The entry as it is written, before rendering: this is what may be shown and stored.
    pub unrendered: Yaml,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum PackageSource {
    /// A folder, by its path from the project.
    Local { path: String },
    /// A git repository.
    Git { url: String, revision: Option<String>, subdirectory: Option<String>, warn_unpinned: Option<bool> },
    /// A package of the package hub with the versions that are wanted.
    Hub { package: String, versions: Vec<String>, install_prerelease: bool },
    /// An archive at a URL.
    Tarball { url: String },
}

impl PackageSpec {
    /// What the entry is known by: the path, the URL or the name on the hub.
    pub fn origin(&self) -> &str {
        match &self.source {
            PackageSource::Local { path } => path,
            PackageSource::Git { url, .. } | PackageSource::Tarball { url } => url,
            PackageSource::Hub { package, .. } => package,
        }
    }

    /// The folder in which the package most probably is installed; the true one is the name in its project
    /// file.
    fn likely_folder(&self) -> String {
        let last = self.origin().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        self.name.clone().unwrap_or_else(|| last.trim_end_matches(".git").replace('-', "_"))
    }
}

/// Reads the list of packages of a project. Only `packages.yml` is rendered, with the rendering for secrets.
///
/// # Errors
/// If a file cannot be read or an entry is wrong, or if both files list packages.
pub fn read_list(root: &Path, render: Render) -> Result<PackageList> {
    let packages = read_file(&root.join("packages.yml"))?;
    let dependencies = read_file(&root.join("dependencies.yml"))?;
    let has = |file: &ListFile, key: &str| file.map.contains(key);
    if has(&packages, "packages") && has(&dependencies, "packages") {
        return Err(Error::runtime(
            "The 'packages' key cannot be specified in both packages.yml and dependencies.yml",
        )
        .help("move all packages into one of the files"));
    }
    if let Some((key, _)) = packages.map.get_entry("projects") {
        return Err(key
            .error(&packages.path, "The 'projects' key cannot be specified in packages.yml")
            .excerpt_from(&packages.text)
            .help("put it into dependencies.yml"));
    }
    let (file, is_rendered) =
        if has(&dependencies, "packages") { (dependencies, false) } else { (packages, true) };
    let specs = file.specs(is_rendered.then_some(render)).map_err(|error| error.excerpt_from(&file.text));
    Ok(PackageList { packages: specs?, file: file.path })
}

struct ListFile {
    path: PathBuf,
    text: String,
    map: Mapping,
}

fn read_file(path: &Path) -> Result<ListFile> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::io("read", path, &error)),
    };
    let tree = yaml::parse(&text, path)?;
    let map = if tree.is_null() {
        Mapping::default()
    } else {
        tree.need_map("the list of packages", path)?.clone()
    };
    Ok(ListFile { path: path.to_owned(), text, map })
}

impl ListFile {
    fn specs(&self, render: Option<Render>) -> Result<Vec<PackageSpec>> {
        let Some(unrendered) = self.map.get("packages").filter(|packages| !packages.is_null()) else {
            return Ok(Vec::new());
        };
        let entries = unrendered.need_seq("`packages`", &self.path)?;
        entries
            .iter()
            .map(|entry| {
                let rendered = match render {
                    Some(render) => render_tree(entry, &self.path, &|_| false, render)?,
                    None => entry.clone(),
                };
                spec(&rendered, entry, &self.path)
            })
            .collect()
    }
}

/// Reads one entry, here or in a lock file.
pub(super) fn spec(rendered: &Yaml, unrendered: &Yaml, file: &Path) -> Result<PackageSpec> {
    let map = rendered.need_map("an entry of `packages`", file)?;
    const KINDS: [(&str, &[&str]); 4] = [
        ("local", &[]),
        ("git", &["revision", "warn-unpinned", "subdirectory"]),
        ("package", &["version", "install_prerelease", "install-prerelease"]),
        ("tarball", &[]),
    ];
    if let Some(private) = map.get("private") {
        return Err(private
            .error(file, "private packages need an integration that rbt does not have")
            .help("use a `git` package instead"));
    }
    let Some((kind, options)) = KINDS.into_iter().find(|(kind, _)| map.contains(kind)) else {
        return Err(unrendered
            .error(file, "a package needs one of `package`, `git`, `local` or `tarball`")
            .help("for example  - package: dbt-labs/dbt_utils  with  version: 1.3.0"));
    };
    for (key, _) in map.iter() {
        let text = key.key_text();
        if text != kind && text != "name" && text != "unrendered" && !options.contains(&text.as_str()) {
            return Err(key.error(file, format!("a package of the kind `{kind}` has no option `{text}`")));
        }
    }
    let text = |key: &str| -> Result<Option<String>> {
        let value = map.get(key).filter(|value| !value.is_null());
        value.map(|value| scalar_text(value, key, file)).transpose()
    };
    let origin = text(kind)?.filter(|origin| !origin.is_empty());
    let origin = origin.ok_or_else(|| unrendered.error(file, format!("the value of `{kind}` is missing")))?;
    let name = text("name")?;
    let source = match kind {
        "local" => PackageSource::Local { path: origin },
        "git" => PackageSource::Git {
            url: origin,
            revision: text("revision")?,
            subdirectory: text("subdirectory")?,
            warn_unpinned: map.get("warn-unpinned").and_then(Yaml::as_bool),
        },
        "tarball" if name.is_none() => {
            return Err(unrendered.error(file, "a `tarball` package needs a `name`"));
        }
        "tarball" => PackageSource::Tarball { url: origin },
        _ => hub(origin, map, unrendered, file)?,
    };
    Ok(PackageSpec { source, name, rendered: rendered.clone(), unrendered: unrendered.clone() })
}

fn hub(package: String, map: &Mapping, unrendered: &Yaml, file: &Path) -> Result<PackageSource> {
    if !package.contains('/') {
        let message = format!("{package} was not found in the package index: its name needs a namespace");
        return Err(unrendered.error(file, message).help("for example dbt-labs/dbt_utils"));
    }
    let versions = match map.get("version").filter(|version| !version.is_null()) {
        None => Vec::new(),
        Some(version) => match version.as_seq() {
            Some(items) => {
                items.iter().map(|item| scalar_text(item, "version", file)).collect::<Result<_>>()?
            }
            None => vec![scalar_text(version, "version", file)?],
        },
    };
    if versions.is_empty() {
        return Err(unrendered
            .error(file, format!("{package} is missing the version"))
            .help("add  version: ..."));
    }
    let prerelease = map.get("install_prerelease").or_else(|| map.get("install-prerelease"));
    let install_prerelease = prerelease.and_then(Yaml::as_bool).unwrap_or(false);
    Ok(PackageSource::Hub { package, versions, install_prerelease })
}

/// The text of a string or number, as versions and revisions are sometimes written without quotes.
fn scalar_text(node: &Yaml, key: &str, file: &Path) -> Result<String> {
    match node.as_map().is_some() || node.as_seq().is_some() {
        true => Err(node.error(file, format!("expected a string for `{key}`, found {}", node.kind()))),
        false => Ok(node.key_text()),
    }
}

/// The folders of the installed packages, by name.
///
/// # Errors
/// If the project asks for more packages than are installed. Local packages that are not installed are taken
/// from where they are.
pub fn installed(project: &Project, list: &PackageList) -> Result<Vec<PathBuf>> {
    let install_path = project.root.join(&project.packages_install_path);
    let mut folders = folders_in(&install_path)?;
    if folders.len() >= list.packages.len() {
        return Ok(folders);
    }
    let is_installed = |spec: &PackageSpec| install_path.join(spec.likely_folder()).is_dir();
    let missing: Vec<&PackageSpec> = list.packages.iter().filter(|spec| !is_installed(spec)).collect();
    let local: Vec<PathBuf> = missing
        .iter()
        .filter_map(|spec| match &spec.source {
            PackageSource::Local { path } => Some(project.root.join(path)),
            _ => None,
        })
        .filter(|path| path.join(PROJECT_FILE).is_file())
        .collect();
    if local.len() == missing.len() {
        folders.extend(local);
        return Ok(folders);
    }
    let names: Vec<&str> = missing.iter().map(|spec| spec.origin()).collect();
    let file = list.file.file_name().unwrap_or_default().to_string_lossy();
    Err(Error::compilation(format!(
        "{} package(s) specified in {file}, but only {} package(s) installed in {}; missing: {}",
        list.packages.len(),
        folders.len(),
        project.packages_install_path,
        names.join(", ")
    ))
    .at(Location::file(&list.file))
    .help("run \"rbt deps\" to install package dependencies"))
}

fn folders_in(install_path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(install_path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", install_path, &error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Error::io("read", install_path, &error))?.path();
        let is_private = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("__"));
        if path.is_dir() && !is_private {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::project_file::RawProject;

    fn unrendered(template: &str, _: &Location) -> Result<Yaml> {
        Ok(Yaml::from(template.replace("{{ x }}", "rendered").as_str()))
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        folder
    }

    #[test]
    fn reads_every_kind_of_package() {
        let folder = folder(&[(
            "packages.yml",
            "packages:
  - package: dbt-labs/dbt_utils
    version: ['>=1.0.0', '<2.0.0']
  - package: a/b
    version: 1.0
    install_prerelease: true
  - git: 'https://{{ x }}/repo.git'
    revision: 1.2
    subdirectory: sub
    warn-unpinned: false
  - local: ../lib
  - {tarball: 'https://x/y.tar.gz', name: y}
",
        )]);
        let list = read_list(folder.path(), &unrendered).expect("a list");
        let origins: Vec<&str> = list.packages.iter().map(PackageSpec::origin).collect();
        assert_eq!(
            origins,
            ["dbt-labs/dbt_utils", "a/b", "https://rendered/repo.git", "../lib", "https://x/y.tar.gz"]
        );
        let folders: Vec<String> = list.packages.iter().map(PackageSpec::likely_folder).collect();
        assert_eq!(folders, ["dbt_utils", "b", "repo", "lib", "y"]);
        let git = PackageSource::Git {
            url: "https://rendered/repo.git".into(),
            revision: Some("1.2".into()),
            subdirectory: Some("sub".into()),
            warn_unpinned: Some(false),
        };
        assert_eq!(list.packages[2].source, git);
        assert_eq!(
            list.packages[2].unrendered.get("git").and_then(Yaml::as_str),
            Some("https://{{ x }}/repo.git")
        );
    }

    #[test]
    fn mistakes_are_told() {
        let cases = [
            ("packages: x", "expected a list for `packages`"),
            ("packages: [{a: b}]", "needs one of `package`, `git`, `local` or `tarball`"),
            ("packages: [{local: ''}]", "the value of `local` is missing"),
            ("packages: [{package: dbt_utils, version: 1}]", "needs a namespace"),
            ("packages: [{package: a/b}]", "a/b is missing the version"),
            ("packages: [{git: a, reversion: b}]", "has no option `reversion`"),
            ("packages: [{tarball: a}]", "needs a `name`"),
            ("projects: []", "cannot be specified in packages.yml"),
        ];
        for (text, expected) in cases {
            let folder = folder(&[("packages.yml", text)]);
            let error = read_list(folder.path(), &unrendered).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
        let both = folder(&[("packages.yml", "packages: []"), ("dependencies.yml", "packages: []")]);
        assert!(read_list(both.path(), &unrendered).is_err());
        let dependencies = folder(&[("dependencies.yml", "packages: [{local: '{{ x }}'}]\nprojects: []")]);
        let list = read_list(dependencies.path(), &unrendered).expect("a list");
        assert_eq!(list.packages[0].origin(), "{{ x }}");
    }

    #[test]
    fn missing_packages_are_named() {
        let folder = folder(&[
            ("dbt_project.yml", "name: shop"),
            (
                "packages.yml",
                "packages: [{package: a/lib, version: 1.0.0}, {package: a/other, version: 1.0.0}]",
            ),
            ("dbt_packages/lib/dbt_project.yml", "name: lib"),
            ("dbt_packages/__pycache__/x", ""),
            ("near/dbt_project.yml", "name: near"),
        ]);
        let raw = RawProject::read(folder.path()).expect("a project");
        let project = raw.render(&unrendered, true).expect("a project").0;
        let mut list = read_list(folder.path(), &unrendered).expect("a list");
        let error = installed(&project, &list).expect_err("one is missing").to_string();
        assert!(error.contains("missing: a/other") && error.contains("rbt deps"), "{error}");
        list.packages[1].source = PackageSource::Local { path: "near".into() };
        let folders = installed(&project, &list).expect("folders");
        let names: Vec<_> = folders.iter().filter_map(|folder| folder.file_name()).collect();
        assert_eq!(names, ["lib", "near"]);
    }
}
