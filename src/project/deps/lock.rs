//! `package-lock.yml`: what was resolved, and for which list.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::resolve::{Pinned, PinnedSource};
use crate::error::{Error, Result};
use crate::project::packages::{self, PackageList, PackageSource, PackageSpec};
use crate::project::render::{Render, render_tree};
use crate::project::yaml::{self, Yaml, YamlValue};

const LOCK_FILE: &str = "package-lock.yml";
const HASH_KEY: &str = "sha1_hash";

/// The hash of a list, the same that dbt makes of it, so that both take each other's locks.
pub(super) fn hash(list: &PackageList) -> String {
    let mut entries: Vec<String> =
        list.packages.iter().map(|spec| python_json(&Value::Object(entry(spec)))).collect();
    entries.sort();
    Sha1::digest(entries.join("\n").as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// An entry with all options of its kind.
fn entry(spec: &PackageSpec) -> Map<String, Value> {
    let given = |key: &str| spec.rendered.get(key).map_or(Value::Null, Yaml::to_json);
    let mut entry = Map::new();
    let mut keep = |keys: &[&str]| entry.extend(keys.iter().map(|key| ((*key).to_owned(), given(key))));
    match &spec.source {
        PackageSource::Local { .. } => keep(&["local"]),
        PackageSource::Git { .. } => keep(&["git", "revision", "subdirectory", "warn-unpinned"]),
        PackageSource::Tarball { .. } => keep(&["tarball"]),
        PackageSource::Hub { install_prerelease, .. } => {
            keep(&["package", "version"]);
            entry.insert("install_prerelease".to_owned(), json!(install_prerelease));
        }
    }
    if let Some(name) = &spec.name {
        entry.insert("name".to_owned(), json!(name));
    }
    entry.insert("unrendered".to_owned(), spec.unrendered.to_json());
    entry
}

/// JSON as Python's `json.dumps(value, sort_keys=True)` writes it.
fn python_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let text = |(key, value): (&String, &Value)| {
                format!("{}: {}", python_json(&json!(key)), python_json(value))
            };
            format!("{{{}}}", entries.into_iter().map(text).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(python_json).collect::<Vec<_>>().join(", ")),
        Value::String(text) => {
            let mut escaped = String::new();
            for c in json!(text).to_string().chars() {
                let mut units = [0; 2];
                match c.is_ascii() {
                    true => escaped.push(c),
                    false => {
                        escaped.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")))
                    }
                }
            }
            escaped
        }
        scalar => scalar.to_string(),
    }
}

/// The packages of the lock, if there is one for this list.
pub(super) fn read(root: &Path, hash: &str, render: Render) -> Result<Option<Vec<Pinned>>> {
    let path = root.join(LOCK_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path, &error)),
    };
    let lock = yaml::parse(&text, &path)?;
    if lock.get(HASH_KEY).and_then(Yaml::as_str) != Some(hash) {
        return Ok(None);
    }
    let entries =
        lock.get("packages").map_or(Ok(&[][..]), |entries| entries.need_seq("`packages`", &path))?;
    let read = |entry: &Yaml| {
        let rendered = render_tree(entry, &path, &|_| false, render)?;
        let spec = packages::spec(&rendered, entry, &path)?;
        pinned(spec).ok_or_else(|| {
            entry
                .error(&path, "this package has no name or version")
                .help("run \"rbt deps --upgrade\" to write the lock anew")
        })
    };
    entries.iter().map(read).collect::<Result<_>>().map(Some)
}

fn pinned(spec: PackageSpec) -> Option<Pinned> {
    let stored_url = |key: &str| spec.unrendered.get(key).map_or_else(String::new, Yaml::key_text);
    let source = match &spec.source {
        PackageSource::Local { path } => PinnedSource::Local { path: path.clone() },
        PackageSource::Git { url, revision, subdirectory, .. } => PinnedSource::Git {
            url: url.clone(),
            stored_url: stored_url("git"),
            revision: revision.clone()?,
            subdirectory: subdirectory.clone(),
        },
        PackageSource::Hub { package, versions, .. } => {
            PinnedSource::Hub { package: package.clone(), version: versions.first()?.clone() }
        }
        PackageSource::Tarball { url } => {
            PinnedSource::Tarball { url: url.clone(), stored_url: stored_url("tarball") }
        }
    };
    Some(Pinned { name: spec.name.clone()?, source })
}

/// Writes the lock, with the keys of each entry by name.
pub(super) fn write(root: &Path, packages: &[Pinned], hash: &str) -> Result<PathBuf> {
    let mut text = String::from("packages:\n");
    for package in packages {
        for (index, (key, value)) in entry_of(package).into_iter().enumerate() {
            let margin = if index == 0 { "  - " } else { "    " };
            text.push_str(&format!("{margin}{key}: {}\n", scalar(value)));
        }
    }
    text.push_str(&format!("{HASH_KEY}: {}\n", scalar(hash)));
    let path = root.join(LOCK_FILE);
    std::fs::write(&path, text).map_err(|error| Error::io("write", &path, &error))?;
    Ok(path)
}

fn entry_of(package: &Pinned) -> Vec<(&'static str, &str)> {
    let name = package.name.as_str();
    match &package.source {
        PinnedSource::Local { path } => vec![("local", path.as_str()), ("name", name)],
        PinnedSource::Git { stored_url, revision, subdirectory, .. } => {
            let mut entry =
                vec![("git", stored_url.as_str()), ("name", name), ("revision", revision.as_str())];
            entry.extend(subdirectory.as_deref().map(|subdirectory| ("subdirectory", subdirectory)));
            entry
        }
        PinnedSource::Hub { package, version } => {
            vec![("name", name), ("package", package.as_str()), ("version", version.as_str())]
        }
        PinnedSource::Tarball { stored_url, .. } => vec![("name", name), ("tarball", stored_url.as_str())],
    }
}

/// A text as YAML: plain if it is read back as the same text.
fn scalar(text: &str) -> String {
    let is_safe = |c: char| c.is_alphanumeric() || "._-/:@+=~<>,".contains(c);
    let is_plain = text.chars().all(is_safe)
        && yaml::parse(&format!("a: {text}"), Path::new(LOCK_FILE)).is_ok_and(|tree| {
            tree.get("a").is_some_and(|value| value.value == YamlValue::Str(text.to_owned()))
        });
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes that dbt 1.11 makes of these lists.
    #[test]
    fn hashes_are_those_of_dbt() {
        let cases = [
            ("[{package: a/b, version: 1.0.0}]", "fbe59819b389dd3c16eebc554e4ec5b3ce2924bc"),
            ("[{package: a/b, version: 1.0}]", "bbcacd8a45bfe08b1b0e318c1c09cccb5c12fe57"),
            ("[{package: a/b, version: ['>=1.0.0', '<2.0.0']}]", "3fb81c1ba79cf8f4ae304803deaa6a9f1b48f61d"),
            ("[{git: x, revision: 1.0},{git: y}]", "4d1d54c5671fc3258d15c2acebd3710c6be3ac62"),
            (
                "[{git: é, revision: abc, subdirectory: s, warn-unpinned: true, name: q}]",
                "163579940ff12f82c19b1ac71216ed8761e07ae9",
            ),
            ("[{tarball: x, name: y}]", "f8c28aa6c070b2b0dce8667ca339c493f36b7373"),
            (
                "[{local: x},{package: a/b, version: 1.0.0, install_prerelease: true}]",
                "4c22ec079e59b77a340956a13d95b64ab94527b5",
            ),
            ("[{local: x, name: zz}]", "ce2fd95780c12701cbbbd72085f7fbf18aea15fe"),
            ("[]", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ];
        for (text, expected) in cases {
            let entries = yaml::parse(text, Path::new("x")).expect("valid YAML");
            let specs = entries
                .as_seq()
                .expect("a list")
                .iter()
                .map(|entry| packages::spec(entry, entry, Path::new("x")).expect("a package"));
            let list = PackageList { file: PathBuf::new(), packages: specs.collect() };
            assert_eq!(hash(&list), expected, "{text}");
        }
    }

    #[test]
    fn texts_are_quoted_where_yaml_would_read_something_else() {
        for (text, expected) in
            [("1.3.0", "1.3.0"), ("1.0", "'1.0'"), ("it's", "'it''s'"), ("{{ x }}", "'{{ x }}'")]
        {
            assert_eq!(scalar(text), expected);
        }
    }
}
