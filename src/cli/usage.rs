//! Command lines that cannot be run: what is said about them, and where.

use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::args::{self, ALIASES, COMMANDS, Spec};
use crate::cli::options::GLOBAL;
use crate::cli::version;
use crate::text::nearest;

/// Why nothing is run.
#[derive(Debug)]
pub enum Stop {
    /// Help is asked for, or there is no command: clap's text.
    Help(Box<clap::Error>),
    /// `--version`.
    Version,
    /// A command that only prints: its text.
    Text(String),
    /// The words make no sense: what to say about them.
    Usage(String),
}

impl Stop {
    /// A wrong command line: how the command is called, where to read more, and what is wrong.
    pub fn usage(
        program: &str,
        words: &[&str],
        positional: Option<(&str, bool)>,
        message: impl AsRef<str>,
    ) -> Stop {
        let path = [&[program], words].concat().join(" ");
        let shape = match (words, positional) {
            ([], _) => " <COMMAND>".to_owned(),
            (_, Some((name, true))) => format!(" {}", name.to_uppercase()),
            (_, Some((name, false))) => format!(" [{}]", name.to_uppercase()),
            _ => String::new(),
        };
        let message = message.as_ref();
        Stop::Usage(format!(
            "Usage: {path} [OPTIONS]{shape}\nTry '{path} --help' for help.\n\nError: {message}"
        ))
    }

    /// A command line that ends where a command is still to come.
    pub fn missing_command(program: &str, path: &[&str]) -> Stop {
        Stop::usage(program, path, None, "Missing command.")
    }

    /// Says it, and gives the exit code: 0 for what was asked for, 2 for what is wrong.
    pub fn print(self, program: &str) -> ExitCode {
        match self {
            Stop::Help(error) => {
                // A reader that is gone (`rbt --help | head -1`) is no error.
                let _ = error.print();
                ExitCode::from(if error.kind() == ErrorKind::DisplayHelp { 0 } else { 2 })
            }
            Stop::Version => {
                println!("{}", version::text(program));
                ExitCode::SUCCESS
            }
            Stop::Text(text) => {
                // As with help, a reader may be gone.
                let _ = std::io::stdout().write_all(text.as_bytes());
                ExitCode::SUCCESS
            }
            Stop::Usage(text) => {
                eprintln!("{text}");
                ExitCode::from(2)
            }
        }
    }
}

/// What clap has against these words, in dbt's words.
pub fn from_clap(program: &str, words: &[String], error: clap::Error) -> Stop {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return Stop::Help(Box::new(error));
    }
    let (path, spec) = command_of(words);
    let context = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let name = context(ContextKind::InvalidArg).unwrap_or_default();
    let name = name.split(' ').next().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            let known = COMMANDS.iter().map(|spec| spec.words).chain(ALIASES.iter().map(|(alias, _)| *alias));
            let next = |words: &'static [&'static str]| -> Option<&'static str> {
                words
                    .iter()
                    .zip(&path)
                    .all(|(word, given)| word == given)
                    .then(|| words.get(path.len()).copied())?
            };
            let known = known.filter_map(next);
            guess(format!("No such command '{name}'."), "", &name, known)
        }
        ErrorKind::UnknownArgument if !name.starts_with('-') => match spec {
            Some(spec) if args::options(spec).any(|opt| opt.name == "select") => format!(
                "Got unexpected extra argument ({name}). To choose nodes: {program} {} --select {name}",
                spec.words.join(" ")
            ),
            _ => format!("Got unexpected extra argument ({name})"),
        },
        ErrorKind::UnknownArgument => {
            let options: Vec<_> = match spec {
                Some(spec) => args::options(spec).collect(),
                None => GLOBAL.iter().collect(),
            };
            let known = options.iter().flat_map(|opt| [opt.long].into_iter().chain(opt.negation()));
            guess(format!("No such option '{name}'."), "--", name.trim_start_matches('-'), known)
        }
        ErrorKind::InvalidValue | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => {
            format!("Option '{name}' requires an argument.")
        }
        ErrorKind::MissingRequiredArgument => {
            format!("Missing argument '{}'.", name.trim_matches(['<', '>']))
        }
        ErrorKind::InvalidUtf8 => "The command line holds bytes that are not UTF-8.".to_owned(),
        _ => error.to_string().trim_start_matches("error: ").trim_end().to_owned(),
    };
    match spec {
        Some(spec) => Stop::usage(program, spec.words, spec.positional, message),
        None => Stop::usage(program, &path, None, message),
    }
}

/// The command that these words call, as far as they name one, and the words that name it.
fn command_of(words: &[String]) -> (Vec<&str>, Option<&'static Spec>) {
    let known = || COMMANDS.iter().map(|spec| spec.words).chain(ALIASES.iter().map(|(alias, _)| *alias));
    let mut path = Vec::new();
    for word in words {
        path.push(word.as_str());
        if !known().any(|words| words.starts_with(&path)) {
            path.pop();
        } else if let Some(spec) = args::find(&path) {
            return (path, Some(spec));
        }
    }
    (path, None)
}

/// Adds the known name that was probably meant, if there is one: the beginning was typed, or nearly all of it.
fn guess(
    message: String,
    dashes: &str,
    name: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> String {
    let longer = known.clone().find(|known| name.chars().count() > 1 && known.starts_with(name));
    match longer.or_else(|| nearest(name, known)) {
        Some(meant) => format!("{message} Did you mean '{dashes}{meant}'?"),
        None => message,
    }
}
