use std::process::Output;

use regex::Regex;
use serde_json::Value as Json;

use super::Project;

/// What a run of rbt did. Every check gives the run back, so that checks follow each other.
pub struct Run<'a> {
    project: &'a Project,
    line: String,
    output: Output,
}

impl<'a> Run<'a> {
    pub(super) fn new(project: &'a Project, line: &str, output: Output) -> Self {
        let run = Run { project, line: line.to_owned(), output };
        assert!(!run.text().contains("panicked"), "rbt {line} panicked:\n{}", run.text());
        run
    }

    /// All went well.
    #[track_caller]
    pub fn success(self) -> Self {
        self.code(0)
    }

    /// A node failed.
    #[track_caller]
    pub fn failure(self) -> Self {
        self.code(1)
    }

    /// The command could not do its work.
    #[track_caller]
    pub fn refused(self) -> Self {
        self.code(2)
    }

    #[track_caller]
    fn code(self, expected: i32) -> Self {
        let code = self.output.status.code();
        assert_eq!(code, Some(expected), "the exit code of rbt {}:\n{}", self.line, self.text());
        self
    }

    /// Everything that was printed.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
            + &String::from_utf8_lossy(&self.output.stderr)
    }

    /// The lines that were printed, without the time of day.
    pub fn lines(&self) -> Vec<String> {
        let clock = Regex::new(r"^\d\d:\d\d:\d\d  ").expect("a correct expression");
        self.text().lines().map(|line| clock.replace(line, "").into_owned()).collect()
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.text().contains(words), "rbt {} does not say “{words}”:\n{}", self.line, self.text());
        self
    }

    #[track_caller]
    pub fn says_nothing_of(self, words: &str) -> Self {
        assert!(!self.text().contains(words), "rbt {} says “{words}”:\n{}", self.line, self.text());
        self
    }

    /// What was printed is exactly these lines, in any order.
    #[track_caller]
    pub fn lists<const N: usize>(self, expected: [&str; N]) -> Self {
        let mut lines = self.lines();
        lines.sort();
        let mut expected = expected.map(str::to_owned);
        expected.sort();
        assert_eq!(lines, expected, "rbt {}", self.line);
        self
    }

    /// The rows of a table or view, in the order of all columns, each as its cells with commas between.
    #[track_caller]
    pub fn rows<const N: usize>(self, relation: &str, expected: [&str; N]) -> Self {
        self.query(&format!("select * from {relation} order by all"), expected)
    }

    /// The rows of a query.
    #[track_caller]
    pub fn query<const N: usize>(self, sql: &str, expected: [&str; N]) -> Self {
        let lines = self.project.database().lines(sql);
        assert_eq!(lines, expected, "{sql}\nafter rbt {}:\n{}", self.line, self.text());
        self
    }

    /// The columns of a table or view and their types.
    #[track_caller]
    pub fn columns(self, relation: &str, expected: &str) -> Self {
        assert_eq!(self.project.database().columns(relation), expected, "the columns of {relation}");
        self
    }

    /// All tables and views of the database, as `schema.name kind`.
    #[track_caller]
    pub fn relations<const N: usize>(self, expected: [&str; N]) -> Self {
        assert_eq!(
            self.project.database().relations(),
            expected,
            "after rbt {}:\n{}",
            self.line,
            self.text()
        );
        self
    }

    /// What run_results.json says of each node, as `name status`, in order. Tests are named without their hash, unit
    /// tests with their model.
    #[track_caller]
    pub fn statuses<const N: usize>(self, expected: [&str; N]) -> Self {
        let mut statuses: Vec<String> = self.results().iter().map(status).collect();
        statuses.sort();
        assert_eq!(statuses, expected, "after rbt {}:\n{}", self.line, self.text());
        self
    }

    /// The results in run_results.json.
    pub fn results(&self) -> Vec<Json> {
        self.artifact("run_results.json")["results"].as_array().cloned().expect("a list of results")
    }

    /// An artifact in `target/`.
    pub fn artifact(&self, name: &str) -> Json {
        serde_json::from_str(&self.project.read(&format!("target/{name}"))).expect("the artifact is JSON")
    }

    /// A value in an artifact, at a JSON pointer.
    #[track_caller]
    pub fn has(self, artifact: &str, pointer: &str, expected: Json) -> Self {
        assert_eq!(self.artifact(artifact).pointer(pointer), Some(&expected), "{pointer} of {artifact}");
        self
    }

    /// A file of the project has exactly this text, but for white space at both ends.
    #[track_caller]
    pub fn wrote(self, path: &str, expected: &str) -> Self {
        assert_eq!(self.project.read(path).trim(), expected.trim(), "{path}");
        self
    }

    /// What was printed, as it is the same on every machine and day.
    pub fn told(&self) -> String {
        let folder = self.project.path().display().to_string();
        let real =
            self.project.path().canonicalize().map(|path| path.display().to_string()).unwrap_or_default();
        let text = self.lines().join("\n").replace(&real, "[project]").replace(&folder, "[project]");
        let changing = [
            (r"\d+ hours \d+ minutes and \d+\.\d+ seconds \(\d+\.\d+s\)", "[time]"),
            (r"\b(\d+m )?\d+\.\d+s\b", "[time]"),
            (r"(rbt|duckdb)=\d+\.\d+\.\d+\S*", "$1=[version]"),
            (r"\d+ macros", "[some] macros"),
            // Whether something was parsed before is what the tests of the cache look at.
            (r"(?m)^Unable to do partial parsing because .*\n?", ""),
        ];
        changing.iter().fold(text, |text, (pattern, shown)| {
            let pattern = Regex::new(pattern).expect("a correct expression");
            pattern.replace_all(&text, *shown).into_owned()
        })
    }
}

/// `name status` of a result.
fn status(result: &Json) -> String {
    let id = result["unique_id"].as_str().unwrap_or_default();
    let parts: Vec<&str> = id.split('.').collect();
    let name = match parts.as_slice() {
        ["test", _, name, ..] => (*name).to_owned(),
        [_, _, name @ ..] => name.join("."),
        _ => id.to_owned(),
    };
    format!("{name} {}", result["status"].as_str().unwrap_or_default())
}
