//! Errors as people read them: what is wrong, where, and what to do.
//!
//! One type serves the whole program. The label an error carries (`Compilation Error`, `Parsing Error`, …)
//! is dbt's, because scripts that drive dbt look for these words.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::stored::stored;

/// The result of every fallible step of rbt.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong; decides the label shown before the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line is wrong.
    Usage,
    /// A project file (YAML, or a file that has no valid shape) cannot be read as what it should be.
    Parsing,
    /// Jinja, `ref`, `source`, macros or configurations are wrong.
    Compilation,
    /// The environment does not allow what was asked: files, profiles, connections, packages.
    Runtime,
    /// The warehouse refused a statement.
    Database,
    /// Packages cannot be resolved or installed.
    Dependency,
    /// The user asked to stop.
    Interrupted,
    /// A broken promise inside rbt itself.
    Internal,
}

impl ErrorKind {
    /// The words shown before the message.
    pub fn label(self) -> &'static str {
        match self {
            ErrorKind::Usage => "Usage Error",
            ErrorKind::Parsing => "Parsing Error",
            ErrorKind::Compilation => "Compilation Error",
            ErrorKind::Runtime => "Runtime Error",
            ErrorKind::Database => "Database Error",
            ErrorKind::Dependency => "Dependency Error",
            ErrorKind::Interrupted => "Interrupted",
            ErrorKind::Internal => "Internal Error",
        }
    }
}

/// A place in one of the user's files. Lines and columns count from 1; 0 means "not known".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub path: PathBuf,
    pub line: usize,
    pub column: usize,
}

stored!(Location { path, line, column });

impl Location {
    /// The start of a file, for errors that concern the file as a whole.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Location { path: path.into(), line: 0, column: 0 }
    }

    /// A line and column of a file.
    pub fn new(path: impl Into<PathBuf>, line: usize, column: usize) -> Self {
        Location { path: path.into(), line, column }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

/// An error with everything that helps its reader: kind, message, place, the source line, and a hint.
///
/// Boxed inside, so that results stay small.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    /// Whose error it is.
    subject: Option<String>,
    message: String,
    location: Option<Location>,
    excerpt: Option<String>,
    help: Option<String>,
    trace: Vec<String>,
    others: Vec<Error>,
}

impl Error {
    /// An error of a kind with its message: what is wrong, in a sentence.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            subject: None,
            message: message.into(),
            location: None,
            excerpt: None,
            help: None,
            trace: Vec::new(),
            others: Vec::new(),
        }))
    }

    /// Shorthand for [`ErrorKind::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Usage, message)
    }

    /// Shorthand for [`ErrorKind::Parsing`].
    pub fn parsing(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Parsing, message)
    }

    /// Shorthand for [`ErrorKind::Compilation`].
    pub fn compilation(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Compilation, message)
    }

    /// Shorthand for [`ErrorKind::Runtime`].
    pub fn runtime(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Runtime, message)
    }

    /// Shorthand for [`ErrorKind::Database`].
    pub fn database(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Database, message)
    }

    /// A file operation that failed, told with the file's name.
    pub fn io(action: &str, path: &Path, error: &std::io::Error) -> Self {
        Error::runtime(format!("cannot {action} {}: {error}", path.display()))
    }

    /// The same error as another kind, where only the caller knows the label that dbt gives it.
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Says where. An earlier, more precise place is kept.
    pub fn at(mut self, location: Location) -> Self {
        if self.0.location.as_ref().is_none_or(|known| known.line == 0) && self.has_a_place() {
            self.0.location = Some(location);
        }
        self
    }

    /// Shows a line of the user's source under the message; the caret stands at the location's column.
    pub fn excerpt(mut self, line: impl Into<String>) -> Self {
        if self.0.excerpt.is_none() {
            self.0.excerpt = Some(line.into());
        }
        self
    }

    /// Like [`Error::excerpt`], taking the line at the error's location out of the whole text.
    pub fn excerpt_from(self, source: &str) -> Self {
        let line = self.0.location.as_ref().map_or(0, |location| location.line);
        match line.checked_sub(1).and_then(|index| source.lines().nth(index)) {
            Some(text) => self.excerpt(text),
            None => self,
        }
    }

    /// Shows the line of each of these errors that has none yet, as far as `line_at` knows it.
    pub fn excerpts(mut self, line_at: &dyn Fn(&Location) -> Option<String>) -> Self {
        let line = self.0.location.as_ref().filter(|location| location.line > 0).and_then(line_at);
        self.0.others = self.0.others.into_iter().map(|error| error.excerpts(line_at)).collect();
        match line {
            Some(line) => self.excerpt(line),
            None => self,
        }
    }

    /// Says what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        if self.0.help.is_none() {
            self.0.help = Some(help.into());
        }
        self
    }

    /// Adds a step of how the error was reached (`in macro x (macros/x.sql)`), innermost first.
    pub fn trace(mut self, step: impl Into<String>) -> Self {
        if self.has_a_place() {
            self.0.trace.push(step.into());
        }
        self
    }

    /// Says whose error it is, behind the label: `Database Error in model a (models/a.sql)`.
    pub fn of(mut self, subject: &str) -> Self {
        if self.has_a_place() {
            self.0.trace.retain(|step| step.strip_prefix("in ") != Some(subject));
            self.0.subject = Some(subject.to_owned());
        }
        self
    }

    /// Where the program was when the user stopped it is of no interest.
    fn has_a_place(&self) -> bool {
        self.0.kind != ErrorKind::Interrupted
    }

    /// Moves the error to another place: that of the text that was meant, where an error came up in one of rbt's own
    /// files. Steps of the trace that `keep` refuses are dropped.
    pub fn relocate(
        mut self,
        location: Location,
        excerpt: Option<String>,
        keep: impl Fn(&str) -> bool,
    ) -> Self {
        self.0.location = Some(location);
        self.0.excerpt = excerpt;
        self.0.trace.retain(|step| keep(step));
        self
    }

    /// The same error with other words for its message.
    pub fn reword(mut self, reword: impl FnOnce(&str) -> String) -> Self {
        self.0.message = reword(&self.0.message);
        self
    }

    /// Several errors told as one; `None` if there is none. That the user stopped the work is told once.
    pub fn many(mut errors: Vec<Error>) -> Option<Error> {
        if let Some(stopped) = errors.iter().position(|error| error.kind() == ErrorKind::Interrupted) {
            return Some(errors.swap_remove(stopped));
        }
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        for error in errors {
            let mut error = error;
            let nested = std::mem::take(&mut error.0.others);
            first.0.others.push(error);
            first.0.others.extend(nested);
        }
        Some(first)
    }

    /// The kind of this error (of the first one, if it stands for several).
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without label, place and help.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened, if that is known.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// The further errors found in the same step.
    pub fn others(&self) -> &[Error] {
        &self.0.others
    }

    fn fmt_one(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        match &inner.subject {
            Some(subject) => writeln!(f, "{} in {subject}", inner.kind.label())?,
            None => writeln!(f, "{}", inner.kind.label())?,
        }
        for line in inner.message.lines() {
            writeln!(f, "  {line}")?;
        }
        if let Some(location) = &inner.location {
            writeln!(f, "  --> {location}")?;
            if let Some(line) = &inner.excerpt {
                write_excerpt(f, location, line)?;
            }
        }
        for step in &inner.trace {
            writeln!(f, "  > {step}")?;
        }
        if let Some(help) = &inner.help {
            let mut lines = help.lines();
            writeln!(f, "  help: {}", lines.next().unwrap_or_default())?;
            for line in lines {
                writeln!(f, "        {line}")?;
            }
        }
        Ok(())
    }
}

/// Excerpts longer than this many characters are cut around the column.
const EXCERPT_WIDTH: usize = 160;

fn write_excerpt(f: &mut fmt::Formatter<'_>, location: &Location, line: &str) -> fmt::Result {
    let column = location.column.max(1) - 1;
    let skipped = column.saturating_sub(EXCERPT_WIDTH / 2);
    let shown: String = line
        .chars()
        .skip(skipped)
        .take(EXCERPT_WIDTH)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let number = location.line.to_string();
    let margin = " ".repeat(number.len());
    writeln!(f, "  {margin} |")?;
    writeln!(f, "  {number} | {}", shown.trim_end())?;
    if location.column > 0 {
        writeln!(f, "  {margin} | {}^", " ".repeat(column - skipped))?;
    }
    Ok(())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_one(f)?;
        for error in &self.0.others {
            writeln!(f)?;
            error.fmt_one(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
