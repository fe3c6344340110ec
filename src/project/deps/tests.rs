use std::cell::RefCell;
use std::process::Command;

use serde_json::json;

use super::*;
use crate::error::{ErrorKind, Location};
use crate::project::packages;
use crate::project::project_file::RawProject;
use crate::project::yaml::Yaml;

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
}

fn render(template: &str, _: &Location) -> Result<Yaml> {
    Ok(Yaml::from(template.replace("{{ secret }}", "s3cret").as_str()))
}

fn run(root: &Path, options: DepsOptions, download: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<DepsReport> {
    let raw = RawProject::read(root)?;
    let (project, _) = raw.render(&render, true)?;
    let list = packages::read_list(root, &render)?;
    install(&project, &list, options, DepsTools { render: &render, download, hub_url: "hub/" })
}

fn offline(url: &str) -> Result<Vec<u8>> {
    Err(Error::new(ErrorKind::Dependency, format!("there is no {url}")))
}

/// A `.tar.gz` with one folder that holds a project file.
fn archive(folder: &str, project: &str) -> Vec<u8> {
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(project.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    builder
        .append_data(&mut header, format!("{folder}/dbt_project.yml"), project.as_bytes())
        .expect("an entry");
    builder.into_inner().expect("an archive").finish().expect("compressed")
}

/// A repository with a tag and a package in a subfolder; gives its URL and commit.
fn repository(root: &Path) -> (String, String) {
    write(root, &[("dbt_project.yml", "name: from_git"), ("sub/dbt_project.yml", "name: from_sub")]);
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=x", "-c", "user.email=x@x"];
        let output =
            Command::new("git").arg("-C").arg(root).args(identity).args(arguments).output().expect("git");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    git(&["init", "--quiet", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "first"]);
    git(&["tag", "v1"]);
    (format!("file://{}", root.display()), git(&["rev-parse", "HEAD"]))
}

#[test]
fn installs_local_and_git_packages_and_theirs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, sha) = repository(&folder.path().join("repo"));
    let packages = format!(
        "packages:\n  - local: ../near\n  - {{git: '{url}', revision: v1}}\n  - {{git: '{url}', subdirectory: sub}}\n"
    );
    write(
        folder.path(),
        &[
            ("shop/dbt_project.yml", "name: shop"),
            ("shop/packages.yml", &packages),
            ("shop/dbt_packages/old/x", ""),
            ("near/dbt_project.yml", "name: near"),
            ("near/packages.yml", "packages: [{local: ../other}, {local: ../near}]"),
            ("other/dbt_project.yml", "name: other"),
        ],
    );
    let root = folder.path().join("shop");
    let report = run(&root, DepsOptions::default(), &offline).expect("installed");
    for name in ["near", "other", "from_git", "from_sub"] {
        assert!(root.join("dbt_packages").join(name).join("dbt_project.yml").is_file(), "{name}");
    }
    assert!(!root.join("dbt_packages/old").exists());
    assert_eq!(report.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), ["DepsUnpinned"]);
    let versions: Vec<&str> = report.installed.iter().map(|package| package.version.as_str()).collect();
    let revision = format!("revision {sha}");
    assert_eq!(versions, ["<local @ ../near>", &revision, &revision, "<local @ ../other>"]);

    let lock = std::fs::read_to_string(root.join("package-lock.yml")).expect("a lock");
    let expected = format!(
        "packages:\n  - local: ../near\n    name: near\n  - git: {url}\n    name: from_git\n    revision: {sha}\n  - git: {url}\n    name: from_sub\n    revision: {sha}\n    subdirectory: sub\n  - local: ../other\n    name: other\nsha1_hash: "
    );
    assert!(lock.starts_with(&expected), "{lock}");

    // The lock fits as long as the list does.
    let again = run(&root, DepsOptions::default(), &offline).expect("installed");
    assert_eq!((again.lock, again.installed.len()), (None, 4));
    write(&root, &[("packages.yml", "packages: [{local: ../near}]")]);
    let changed =
        run(&root, DepsOptions { lock_only: true, ..DepsOptions::default() }, &offline).expect("locked");
    assert!(changed.lock.is_some() && changed.installed.is_empty());
    assert!(root.join("dbt_packages/from_git").exists());
}

#[test]
fn installs_packages_of_the_hub_and_archives() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        &[
            ("dbt_project.yml", "name: shop"),
            (
                "packages.yml",
                "packages:
  - {package: x/utils, version: ['>=1.0.0', '<2.0.0']}
  - {package: x/dates, version: 1.0.0}
  - {tarball: 'https://{{ secret }}/a.tgz', name: from_tar}
",
            ),
        ],
    );
    let version = |name: &str, tarball: &str, packages: serde_json::Value, dbt: &str| json!({"name": name, "packages": packages, "downloads": {"tarball": tarball}, "require_dbt_version": [dbt]});
    let none = json!([]);
    let utils = json!({"name": "utils", "versions": {
        "0.9.0": version("utils", "u0", none.clone(), ">=1.0.0"),
        "1.1.0": version("utils", "u11", none.clone(), ">=1.0.0"),
        "1.9.0": version("utils", "u19", none.clone(), ">=1.0.0"),
        "1.10.0-rc1": version("utils", "urc", none.clone(), ">=1.0.0"),
        "1.10.0": version("utils", "u110", none.clone(), ">=2.0.0"),
        "2.0.0": version("utils", "u2", none, ">=1.0.0"),
    }});
    let wants = json!([{"package": "x/utils", "version": "<1.9.0"}]);
    let dates = json!({"name": "dates", "versions": {"1.0.0": version("dates", "d1", wants, ">=1.0.0")}});
    let asked = RefCell::new(Vec::new());
    let download = |url: &str| {
        asked.borrow_mut().push(url.to_owned());
        match url {
            "hub/api/v1/x/utils.json" => Ok(utils.to_string().into_bytes()),
            "hub/api/v1/x/dates.json" => Ok(dates.to_string().into_bytes()),
            "u11" => Ok(archive("utils-1.1.0", "name: utils")),
            "d1" => Ok(archive("dates-1.0.0", "name: dates")),
            "https://s3cret/a.tgz" => Ok(archive("any", "name: from_tar")),
            url => offline(url),
        }
    };
    let options = DepsOptions { check_version: true, ..DepsOptions::default() };
    let report = run(folder.path(), options, &download).expect("installed");
    for name in ["utils", "dates", "from_tar"] {
        assert!(folder.path().join("dbt_packages").join(name).join("dbt_project.yml").is_file(), "{name}");
    }
    assert_eq!(report.installed[0].version, "version 1.1.0");
    assert_eq!(report.installed[0].update.as_deref(), Some("2.0.0"));
    let hub_requests = asked.borrow().iter().filter(|url| url.starts_with("hub/")).count();
    assert_eq!(hub_requests, 2);
    let lock = std::fs::read_to_string(folder.path().join("package-lock.yml")).expect("a lock");
    assert!(lock.contains("  - name: utils\n    package: x/utils\n    version: 1.1.0\n"), "{lock}");
    assert!(!lock.contains("s3cret"), "{lock}");
}

#[test]
fn what_cannot_be_installed_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, _) = repository(&folder.path().join("repo"));
    write(folder.path(), &[("dbt_project.yml", "name: shop"), ("near/dbt_project.yml", "name: shop")]);
    write(folder.path(), &[("a/dbt_project.yml", "name: twin"), ("b/dbt_project.yml", "name: twin")]);
    let cases = [
        ("[{local: nowhere}]".to_owned(), "no dbt_project.yml found"),
        ("[{local: near}]".to_owned(), "has the name of the root project"),
        ("[{local: a}, {local: b}]".to_owned(), "two packages have the name \"twin\": a and b"),
        (format!("[{{git: '{url}', revision: nope}}]"), "'nope' a tag, branch or commit"),
        (format!("[{{git: '{url}', subdirectory: ../..}}]"), "has no subdirectory '../..'"),
        (format!("[{{git: '{url}', revision: a}}, {{git: '{url}.git', revision: b}}]"), "nope"),
        ("[{package: x/y, version: 1.0.0}]".to_owned(), "is 'x/y' a package of hub/?"),
        ("[{package: x/y, version: latest}]".to_owned(), "\"latest\" is not a valid semantic version"),
        ("[{tarball: t, name: t}]".to_owned(), "there is no t"),
    ];
    for (list, expected) in cases {
        write(folder.path(), &[("packages.yml", &format!("packages: {list}"))]);
        let error = run(folder.path(), DepsOptions::default(), &offline).expect_err(expected).to_string();
        assert!(
            error.contains(expected) || expected == "nope" && error.contains("'a' a tag"),
            "{list}: {error}"
        );
    }
    write(folder.path(), &[("packages.yml", "packages: [{package: x/y, version: '>=9.0.0'}]")]);
    let answer = json!({"versions": {"1.0.0": {}}}).to_string().into_bytes();
    let error = run(folder.path(), DepsOptions::default(), &|_| Ok(answer.clone()))
        .expect_err("no version")
        .to_string();
    assert!(error.contains("matching version") && error.contains("1.0.0"), "{error}");
    write(folder.path(), &[("packages.yml", "packages: [{tarball: t, name: t}]")]);
    let error =
        run(folder.path(), DepsOptions::default(), &|_| Ok(b"no archive".to_vec())).expect_err("no archive");
    assert!(error.message().contains("is not a .tar.gz archive"), "{error}");
}
