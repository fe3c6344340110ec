//! A project with its packages, as one thing: what everything else starts from.

use std::collections::HashMap;
use std::path::Path;

use super::Warning;
use super::catalogs;
use super::packages::{self, PackageList};
use super::profile::Profile;
use super::project_file::{Project, RawProject};
use super::render::{Render, render_tree};
use super::vars::Vars;
use super::yaml::{self, Mapping, Yaml};
use crate::error::{Error, Location, Result};

/// A root project, the packages that it uses, and what it runs with.
#[derive(Debug)]
pub struct Workspace {
    /// The root project first, then the packages by folder.
    pub projects: Vec<Project>,
    pub profile: Profile,
    pub vars: Vars,
    pub packages: PackageList,
    /// The content of `selectors.yml`, rendered; it is interpreted where nodes are selected.
    pub selectors: Option<Yaml>,
    pub warnings: Vec<Warning>,
}

/// The caller's Jinja for the files of a workspace. Each has the context that dbt gives there.
#[derive(Clone, Copy)]
pub struct Renderers<'a> {
    /// For the root's project file and selectors: `target`, `env_var`, and `var` of the command line.
    pub root: Render<'a>,
    /// For the project files of packages: the same without variables of the command line.
    pub package: Render<'a>,
    /// For lists of packages: `env_var` with secrets, and `var` of the command line.
    pub secrets: Render<'a>,
}

/// The names under which rbt's own macros stand.
const INTERNAL_PACKAGES: [&str; 2] = ["dbt", "dbt_duckdb"];

impl Workspace {
    /// Loads everything around a project file whose profile is loaded. `cli_vars` are the variables of the
    /// command line, `check_version` is off with `--no-version-check`.
    ///
    /// # Errors
    /// Mistakes in the files, packages that are not installed, and packages of the same name.
    pub fn load(
        raw: &RawProject,
        profile: Profile,
        cli_vars: Mapping,
        check_version: bool,
        renderers: Renderers,
    ) -> Result<Workspace> {
        let mut warnings = raw.duplicate_warnings();
        let (root, root_warnings) = raw.render(renderers.root, check_version)?;
        warnings.extend(root_warnings);
        let selectors = read_selectors(&root.root, renderers.root)?;
        catalogs::check(&root.root, renderers.secrets)?;
        let packages = packages::read_list(&root.root, renderers.secrets)?;

        let mut errors = Vec::new();
        let mut projects = vec![root];
        for folder in packages::installed(&projects[0], &packages)? {
            let package =
                RawProject::read(&folder).and_then(|raw| raw.render(renderers.package, check_version));
            match package {
                Ok((package, package_warnings)) => {
                    warnings.extend(package_warnings);
                    projects.push(package);
                }
                Err(error) => errors.push(error.trace(format!("in the package in {}", folder.display()))),
            }
        }
        errors.extend(name_clashes(&projects));
        if let Some(error) = Error::many(errors) {
            return Err(error);
        }
        let by_name: HashMap<_, _> =
            projects.iter().map(|project| (project.name.clone(), project.vars.clone())).collect();
        let vars = Vars::new(cli_vars, &projects[0].name, by_name);
        Ok(Workspace { projects, profile, vars, packages, selectors, warnings })
    }

    /// The root project.
    pub fn root(&self) -> &Project {
        &self.projects[0]
    }

    /// A project by its name, the root among them.
    pub fn project(&self, name: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.name == name)
    }
}

fn name_clashes(projects: &[Project]) -> Vec<Error> {
    let mut errors = Vec::new();
    for (index, project) in projects.iter().enumerate() {
        let first = projects[..index].iter().find(|other| other.name == project.name);
        if let Some(first) = first {
            let (a, b) = (first.root.display(), project.root.display());
            errors.push(
                Error::compilation(format!("two projects have the name \"{}\": {a} and {b}", project.name))
                    .help("rename one of them, or remove the package that is not needed"),
            );
        }
        if INTERNAL_PACKAGES.contains(&project.name.as_str()) {
            let location = Location::file(project.root.join(super::project_file::PROJECT_FILE));
            errors.push(
                Error::compilation(format!("a project cannot have the name \"{}\"", project.name))
                    .at(location),
            );
        }
    }
    errors
}

fn read_selectors(root: &Path, render: Render) -> Result<Option<Yaml>> {
    let file = root.join("selectors.yml");
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &file, &error)),
    };
    let tree = yaml::parse(&text, &file)?;
    let rendered =
        render_tree(&tree, &file, &|_| false, render).map_err(|error| error.excerpt_from(&text))?;
    Ok((!rendered.is_null()).then_some(rendered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::profile::{self, ProfileOptions};

    fn load(files: &[(&str, &str)]) -> Result<Workspace> {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let raw = RawProject::read(folder.path())?;
        let plain = |template: &str, _: &Location| Ok(Yaml::from(format!("<{template}>").as_str()));
        let options =
            ProfileOptions { profiles_dir: Some(folder.path().to_owned()), ..ProfileOptions::default() };
        let profile = profile::load(&options, raw.profile(), raw.file(), &plain)?;
        Workspace::load(
            &raw,
            profile,
            Mapping::default(),
            true,
            Renderers { root: &plain, package: &plain, secrets: &plain },
        )
    }

    const PROFILES: (&str, &str) = ("profiles.yml", "p: {outputs: {default: {type: duckdb}}}");
    const ROOT: (&str, &str) = ("dbt_project.yml", "name: shop\nprofile: p\nvars: {lib: {a: 1}}\nname: shop");

    #[test]
    fn loads_a_project_with_its_packages() {
        let workspace = load(&[
            PROFILES,
            ROOT,
            ("packages.yml", "packages: [{local: x}]"),
            ("dbt_packages/zoo/dbt_project.yml", "name: zoo\nsource-paths: [m]"),
            ("dbt_packages/lib/dbt_project.yml", "name: lib\nvars: {b: 2}"),
            ("selectors.yml", "selectors: [{name: '{{ x }}'}]"),
        ])
        .expect("a workspace");
        let names: Vec<&str> = workspace.projects.iter().map(|project| project.name.as_str()).collect();
        assert_eq!(names, ["shop", "lib", "zoo"]);
        assert_eq!(workspace.root().name, "shop");
        assert!(workspace.project("lib").is_some() && workspace.project("nope").is_none());
        assert_eq!(workspace.vars.get("lib", "a").and_then(Yaml::as_i64), Some(1));
        assert_eq!(workspace.vars.get("lib", "b").and_then(Yaml::as_i64), Some(2));
        let codes: Vec<&str> = workspace.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, ["DuplicateYAMLKeysDeprecation", "ConfigSourcePathDeprecation"]);
        let selectors = workspace.selectors.expect("selectors").to_json().to_string();
        assert!(selectors.contains("<{{ x }}>"), "{selectors}");
        assert_eq!(workspace.profile.target_name, "default");
    }

    #[test]
    fn wrong_packages_are_told() {
        let clash = load(&[PROFILES, ROOT, ("dbt_packages/a/dbt_project.yml", "name: shop")]);
        assert!(clash.expect_err("a clash").message().contains("two projects have the name \"shop\""));
        let internal = load(&[PROFILES, ROOT, ("dbt_packages/a/dbt_project.yml", "name: dbt")]);
        assert!(internal.expect_err("a clash").message().contains("cannot have the name \"dbt\""));
        let broken =
            load(&[PROFILES, ROOT, ("dbt_packages/a/x", ""), ("dbt_packages/b/dbt_project.yml", "a: 1")]);
        let error = broken.expect_err("no projects");
        assert!(error.message().contains("no dbt_project.yml found"), "{error}");
        assert!(error.to_string().contains("('a' was unexpected)"), "{error}");
    }
}
