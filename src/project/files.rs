//! Which files a package consists of, and their contents.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::dbtignore::IgnorePatterns;
use super::project_file::Project;
use crate::error::{Error, Location, Result};

/// What a file is read as, in the order in which dbt reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    Macro,
    Model,
    Snapshot,
    Analysis,
    SingularTest,
    GenericTest,
    Seed,
    Documentation,
    /// YAML properties.
    Schema,
    Fixture,
    Function,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFile {
    pub kind: FileKind,
    /// The folder of the project file under which it was found (`models`).
    pub searched_path: String,
    /// Its path in that folder, with `/` (`staging/stg_orders.sql`).
    pub relative_path: String,
    pub absolute_path: PathBuf,
    /// The text without white space at both ends, as dbt keeps it; empty for seeds.
    pub contents: String,
    /// The line of the file on which `contents` starts, counted from 1.
    pub first_line: usize,
    pub checksum: Checksum,
}

/// The checksum of a file as artifacts have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// Over the stripped contents, in hexadecimal.
    Sha256(String),
    /// For seeds too large to be worth it: the path.
    Path(String),
}

/// Seeds beyond this many bytes are told apart by path only.
const MAXIMUM_SEED_SIZE: u64 = 1024 * 1024;

impl SourceFile {
    /// The path from the project's folder, with `/`.
    pub fn original_file_path(&self) -> String {
        join(&self.searched_path, &self.relative_path)
    }

    /// The name without folders and extension.
    pub fn stem(&self) -> &str {
        let name = self.relative_path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// The extension with its dot, as it is written.
    pub fn extension(&self) -> &str {
        self.relative_path.rfind('.').map_or("", |dot| &self.relative_path[dot..])
    }
}

fn join(folder: &str, path: &str) -> String {
    match folder.trim_end_matches('/') {
        "" | "." => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}

/// Which folders and extensions belong to a kind.
fn searches(project: &Project) -> Vec<(FileKind, Vec<String>, &'static [&'static str])> {
    let below =
        |paths: &[String], folder: &str| paths.iter().map(|path| join(path, folder)).collect::<Vec<_>>();
    vec![
        (FileKind::Macro, project.macro_paths.clone(), &[".sql"]),
        (FileKind::Model, project.model_paths.clone(), &[".sql", ".py"]),
        (FileKind::Snapshot, project.snapshot_paths.clone(), &[".sql"]),
        (FileKind::Analysis, project.analysis_paths.clone(), &[".sql"]),
        (FileKind::SingularTest, project.test_paths.clone(), &[".sql"]),
        (FileKind::GenericTest, below(&project.test_paths, "generic"), &[".sql"]),
        (FileKind::Seed, project.seed_paths.clone(), &[".csv"]),
        (FileKind::Documentation, project.docs_paths.clone(), &[".md"]),
        (FileKind::Schema, project.all_source_paths(), &[".yml", ".yaml"]),
        (FileKind::Fixture, below(&project.test_paths, "fixtures"), &[".csv", ".sql"]),
        (FileKind::Function, project.function_paths.clone(), &[".sql", ".py"]),
    ]
}

/// A file that was found and not yet read.
#[derive(Debug)]
pub struct FoundFile {
    pub kind: FileKind,
    root: Arc<Path>,
    searched_path: Arc<str>,
    relative_path: Arc<str>,
}

impl FoundFile {
    /// Where the file is.
    pub fn absolute_path(&self) -> PathBuf {
        let (folder, name) = (&*self.searched_path, &*self.relative_path);
        let mut path = PathBuf::with_capacity(self.root.as_os_str().len() + folder.len() + name.len() + 2);
        path.push(&self.root);
        path.push(folder);
        path.push(name);
        path
    }
}

/// Reads the files that were found.
///
/// # Errors
/// All files together that cannot be read or are not UTF-8.
pub fn read_all(found: Vec<FoundFile>) -> Result<Vec<SourceFile>> {
    let (mut files, mut errors) = (Vec::with_capacity(found.len()), Vec::new());
    for result in found.into_par_iter().map(read).collect::<Vec<_>>() {
        match result {
            Ok(file) => files.push(file),
            Err(error) => errors.push(error),
        }
    }
    Error::many(errors).map_or(Ok(files), Err)
}

/// Finds all files of a package: by kind, folder and extension, then a folder's files before those
/// in its subfolders, each by name. Linked folders are not entered, linked files are read.
///
/// # Errors
/// Folders that cannot be read, and names that are not UTF-8.
pub fn find_all(project: &Project) -> Result<Vec<FoundFile>> {
    let ignored = ignore_patterns(&project.root)?;
    let root: Arc<Path> = project.root.as_path().into();
    let mut listings: Vec<(Arc<str>, Vec<Arc<str>>)> = Vec::new();
    let mut found = Vec::new();
    for (kind, folders, extensions) in searches(project) {
        // Where several folders are searched, one may be in another.
        let mut seen = (folders.len() > 1).then(HashSet::new);
        for extension in extensions {
            for folder in &folders {
                if !listings.iter().any(|(listed, _)| **listed == **folder) {
                    listings.push((folder.as_str().into(), list(&project.root, folder, &ignored)?));
                }
                let Some((folder, paths)) = listings.iter().find(|(listed, _)| **listed == **folder) else {
                    continue;
                };
                for path in paths.iter().filter(|path| is_wanted(kind, path, extension)) {
                    if seen.as_mut().is_none_or(|seen| seen.insert(join(folder, path))) {
                        found.push(FoundFile {
                            kind,
                            root: root.clone(),
                            searched_path: folder.clone(),
                            relative_path: path.clone(),
                        });
                    }
                }
            }
        }
    }
    Ok(found)
}

fn is_wanted(kind: FileKind, path: &str, extension: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let start = name.len().checked_sub(extension.len());
    let has_extension =
        start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(extension));
    let is_elsewhere = kind == FileKind::SingularTest
        && path.split_once('/').is_some_and(|(folder, _)| matches!(folder, "generic" | "fixtures"));
    // Files that start so are editors' leftovers; an extension alone is no name.
    let is_leftover = name.starts_with(['.', '#', '~']) || name.len() == extension.len();
    has_extension && !is_elsewhere && !is_leftover
}

fn ignore_patterns(root: &Path) -> Result<IgnorePatterns> {
    let file = root.join(".dbtignore");
    match std::fs::read(&file) {
        Ok(bytes) => Ok(IgnorePatterns::parse(&String::from_utf8_lossy(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(IgnorePatterns::default()),
        Err(error) => Err(Error::io("read", &file, &error)),
    }
}

/// All files below a folder by their paths in it; none if there is no such folder.
fn list(root: &Path, folder: &str, ignored: &IgnorePatterns) -> Result<Vec<Arc<str>>> {
    let top = root.join(folder);
    if !top.is_dir() {
        return Ok(Vec::new());
    }
    let walk = WalkDir::new(&top).sort_by(|a, b| {
        let is_folder = |entry: &walkdir::DirEntry| entry.file_type().is_dir();
        is_folder(a).cmp(&is_folder(b)).then_with(|| a.file_name().cmp(b.file_name()))
    });
    let mut paths = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| {
            let at = error.path().unwrap_or(&top).to_owned();
            Error::io(
                "read",
                &at,
                &error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links")),
            )
        })?;
        let kind = entry.file_type();
        if kind.is_dir() || kind.is_symlink() && entry.path().is_dir() {
            continue;
        }
        let path = entry.path().strip_prefix(&top).unwrap_or(entry.path());
        let Some(path) = path.to_str() else {
            let message = format!("the name of {} is not valid UTF-8", entry.path().display());
            return Err(Error::runtime(message).help("rename the file, or list it in .dbtignore"));
        };
        let path = path.replace(std::path::MAIN_SEPARATOR, "/");
        if !ignored.hides(&join(folder, &path)) {
            paths.push(path.into());
        }
    }
    Ok(paths)
}

fn read(found: FoundFile) -> Result<SourceFile> {
    let path = &found.absolute_path();
    let original = join(&found.searched_path, &found.relative_path);
    let failed = |error: std::io::Error| Error::io("read", path, &error);
    let is_seed = found.kind == FileKind::Seed;
    let is_large_seed = is_seed && std::fs::metadata(path).map_err(failed)?.len() > MAXIMUM_SEED_SIZE;
    let (contents, first_line, checksum) = match is_large_seed {
        true => (String::new(), 1, Checksum::Path(original)),
        false => {
            let bytes = std::fs::read(path).map_err(failed)?;
            let text = decode(bytes, &original)?;
            let (contents, first_line) = strip(&text);
            let checksum = Checksum::Sha256(sha256_hex(contents.as_bytes()));
            (if is_seed { String::new() } else { contents.to_owned() }, first_line, checksum)
        }
    };
    Ok(SourceFile {
        kind: found.kind,
        searched_path: found.searched_path.to_string(),
        relative_path: found.relative_path.to_string(),
        absolute_path: path.clone(),
        contents,
        first_line,
        checksum,
    })
}

/// The text of a file, or where it stops being UTF-8.
fn decode(bytes: Vec<u8>, original: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..valid];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        Error::parsing(format!(
            "the file is not valid UTF-8: byte {valid} is 0x{:02x}",
            error.as_bytes()[valid]
        ))
        .at(Location::new(original, line, column))
        .help("save the file as UTF-8, or list it in .dbtignore if it is not part of the project")
    })
}

/// What Python's `strip` leaves, and the line on which that starts.
fn strip(text: &str) -> (&str, usize) {
    let is_blank = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    let rest = text.trim_start_matches(is_blank);
    let first_line = text[..text.len() - rest.len()].matches('\n').count() + 1;
    (rest.trim_end_matches(is_blank), first_line)
}

/// The SHA-256 of some bytes as hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::project_file::RawProject;

    fn project(root: &Path, yml: &str, files: &[(&str, &[u8])]) -> Project {
        for (path, bytes) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        std::fs::write(root.join("dbt_project.yml"), yml).expect("a file");
        let raw = RawProject::read(root).expect("a project file");
        raw.render(&|_, _| unreachable!("no Jinja"), true).expect("a project").0
    }

    fn listing(files: &[SourceFile]) -> Vec<String> {
        files.iter().map(|file| format!("{:?} {}", file.kind, file.original_file_path())).collect()
    }

    #[test]
    fn finds_what_belongs_to_the_project_in_a_stable_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let files: &[(&str, &[u8])] = &[
            ("models/b.sql", b"select 1"),
            ("models/a/z.SQL", b"select 1"),
            ("models/a/p.py", b"x"),
            ("models/a.sql", b"select 1"),
            ("models/.hidden.sql", b""),
            ("models/#x.sql", b""),
            ("models/.sql", b""),
            ("models/tmp/x.sql", b""),
            ("models/m.yml", b"a: 1"),
            ("models/d.md", b"x"),
            ("tests/t.sql", b""),
            ("tests/generic/g.sql", b""),
            ("tests/fixtures/f.csv", b"a"),
            ("seeds/s.csv", b" a,b\n"),
            ("macros/m.sql", b""),
            ("other/x.sql", b""),
            (".dbtignore", b"tmp/\n"),
        ];
        let project = project(folder.path(), "name: shop", files);
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("models"), folder.path().join("models/loop"))
            .expect("a link");
        let found = find_all(&project).and_then(read_all).expect("files");
        let expected = [
            "Macro macros/m.sql",
            "Model models/a.sql",
            "Model models/b.sql",
            "Model models/a/z.SQL",
            "Model models/a/p.py",
            "SingularTest tests/t.sql",
            "GenericTest tests/generic/g.sql",
            "Seed seeds/s.csv",
            "Documentation models/d.md",
            "Schema models/m.yml",
            "Fixture tests/fixtures/f.csv",
        ];
        assert_eq!(listing(&found), expected);
        let seed = &found[7];
        assert_eq!((seed.contents.as_str(), seed.stem(), seed.extension()), ("", "s", ".csv"));
        assert_eq!(seed.checksum, Checksum::Sha256(sha256_hex(b"a,b")));
        assert_eq!(found[6].relative_path, "g.sql");
    }

    #[test]
    fn contents_are_stripped_and_their_line_is_kept() {
        assert_eq!(strip("\n \n  select 1\n\n"), ("select 1", 3));
        assert_eq!(strip("\u{feff}x"), ("\u{feff}x", 1));
        assert_eq!(strip(" \n"), ("", 2));
    }

    #[test]
    fn files_that_are_no_text_are_told_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let files: &[(&str, &[u8])] = &[("models/a.sql", b"ok\n\xc3\xa4\xff"), ("models/b.sql", b"\xff")];
        let project = project(folder.path(), "name: shop", files);
        let error = find_all(&project).and_then(read_all).expect_err("no text");
        assert!(error.to_string().contains("byte 5 is 0xff\n  --> models/a.sql:2:2"), "{error}");
        assert_eq!(error.others().len(), 1);
    }
}
