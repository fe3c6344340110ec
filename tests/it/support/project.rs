use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Database, Run, Running};

/// A dbt project of its own in a temporary folder, that goes when it does. It is called `shop`, and its profile has
/// two targets, `dev` and `prod`, on one DuckDB file, with the schemas `main` and `prod`.
///
/// ```
/// let project = Project::new();
/// project.model("a", "select 1 as x").run("build").success().rows("a", ["1"]);
/// ```
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    pub fn new() -> Self {
        let project = Project::empty();
        project
            .file(
                "dbt_project.yml",
                "name: shop\nprofile: shop\nversion: '1.0'\nflags: {send_anonymous_usage_stats: false}\n",
            )
            .file(
                "profiles.yml",
                "
                shop:
                  target: dev
                  outputs:
                    dev: {type: duckdb, path: shop.duckdb, schema: main, threads: 2, settings: {threads: 1}}
                    prod: {type: duckdb, path: shop.duckdb, schema: prod, threads: 2, settings: {threads: 1}}
                ",
            );
        project
    }

    /// A folder with nothing in it.
    pub fn empty() -> Self {
        Project { folder: tempfile::Builder::new().prefix("rbt-it-").tempdir().expect("a temporary folder") }
    }

    /// The project's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file. Text that begins with a new line loses what all its lines are indented by.
    pub fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path().join(path);
        let folder = path.parent().expect("the file is in a folder");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, dedent(text)))
            .expect("the file can be written");
        self
    }

    /// Adds to `dbt_project.yml`.
    pub fn config(&self, yaml: &str) -> &Self {
        let text = self.read("dbt_project.yml") + "\n" + &dedent(yaml);
        self.file("dbt_project.yml", &text)
    }

    pub fn model(&self, name: &str, sql: &str) -> &Self {
        self.file(&format!("models/{name}.sql"), sql)
    }

    /// Writes `models/schema.yml`.
    pub fn yaml(&self, yaml: &str) -> &Self {
        self.file("models/schema.yml", yaml)
    }

    pub fn seed(&self, name: &str, csv: &str) -> &Self {
        self.file(&format!("seeds/{name}.csv"), csv)
    }

    pub fn snapshot(&self, name: &str, sql: &str) -> &Self {
        self.file(&format!("snapshots/{name}.sql"), sql)
    }

    /// Writes a file of macros.
    pub fn macros(&self, sql: &str) -> &Self {
        self.file("macros/macros.sql", sql)
    }

    /// A singular test.
    pub fn test(&self, name: &str, sql: &str) -> &Self {
        self.file(&format!("tests/{name}.sql"), sql)
    }

    pub fn remove(&self, path: &str) -> &Self {
        let path = self.path().join(path);
        let done = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        done.expect("the file can be removed");
        self
    }

    pub fn exists(&self, path: &str) -> bool {
        self.path().join(path).exists()
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> String {
        let path = self.path().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// The files in a folder and all below it, in order.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let files = walkdir::WalkDir::new(self.path().join(folder)).sort_by_file_name().into_iter().flatten();
        let files = files.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
        files
            .map(|path: PathBuf| path.strip_prefix(self.path()).unwrap_or(&path).display().to_string())
            .collect()
    }

    /// Starts rbt in the project's folder with the words of a line (`'…'` holds words together), and waits for it.
    pub fn run(&self, line: &str) -> Run<'_> {
        self.run_with(line, &[])
    }

    /// The same, with environment variables.
    pub fn run_with(&self, line: &str, env: &[(&str, &str)]) -> Run<'_> {
        self.run_in(".", line, env)
    }

    /// The same, in a folder of the project.
    pub fn run_in(&self, folder: &str, line: &str, env: &[(&str, &str)]) -> Run<'_> {
        let output = self.command(folder, line, env).output().expect("the program starts");
        Run::new(self, line, output)
    }

    /// Starts rbt as [`Project::run`] does, and does not wait for it.
    pub fn start(&self, line: &str) -> Running<'_> {
        self.start_with(line, &[])
    }

    /// The same, with environment variables.
    pub fn start_with(&self, line: &str, env: &[(&str, &str)]) -> Running<'_> {
        Running::new(self, line, self.command(".", line, env))
    }

    /// The same, under a limit or without a right: `setup` is shell that leads to the program, such as `ulimit -f 100;`.
    pub fn run_under(&self, setup: &str, line: &str) -> Run<'_> {
        let direct = self.command(".", line, &[]);
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{setup} exec \"$0\" \"$@\""))
            .arg(direct.get_program())
            .args(direct.get_args());
        command.current_dir(self.path()).env("HOME", self.path()).stdin(Stdio::null());
        let output = command.output().expect("the shell starts");
        Run::new(self, line, output)
    }

    fn command(&self, folder: &str, line: &str, env: &[(&str, &str)]) -> Command {
        // The same tests can drive dbt, to compare: what they expect is what dbt does, but for texts.
        let program =
            std::env::var_os("RBT_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_rbt").into());
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DBT_") {
                command.env_remove(name);
            }
        }
        command
            .args(words(line))
            .current_dir(self.path().join(folder))
            .env("HOME", self.path())
            .envs(env.iter().copied())
            .stdin(Stdio::null());
        command
    }

    /// The database that the profile of [`Project::new`] names.
    pub fn database(&self) -> Database {
        Database::open(&self.path().join("shop.duckdb"))
    }

    /// Changes the database before or between runs of rbt.
    pub fn sql(&self, sql: &str) -> &Self {
        self.database().query(sql);
        self
    }
}

/// The words of a command line.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Takes away what all lines begin with, if the text starts on a line of its own; other text is taken as it is.
fn dedent(text: &str) -> String {
    let Some(text) = text.strip_prefix('\n') else { return text.to_owned() };
    let full = text.lines().filter(|line| !line.trim().is_empty());
    let margin = full.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let lines: Vec<&str> = text.lines().map(|line| line.get(margin..).unwrap_or_default()).collect();
    lines.join("\n").trim_end().to_owned() + "\n"
}
