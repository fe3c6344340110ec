//! Command lines that cannot be run: what is said about them, and where.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::args::{self, ALIASES, COMMANDS, Spec};
use crate::cli::options::GLOBAL;
use crate::cli::version;

/// Why nothing is run.
#[derive(Debug)]
pub enum Stop {
    /// Help is asked for, or there is no command: clap's text.
    Help(Box<clap::Error>),
    /// `--version`.
    Version,
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
    let spec = command_of(words);
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
            match context(ContextKind::SuggestedSubcommand) {
                Some(like) => format!("No such command '{name}'. Did you mean '{like}'?"),
                None => format!("No such command '{name}'."),
            }
        }
        ErrorKind::UnknownArgument if !name.starts_with('-') => match spec {
            Some(spec) if takes_select(spec) => format!(
                "Got unexpected extra argument ({name}). To choose nodes: {program} {} --select {name}",
                spec.words.join(" ")
            ),
            _ => format!("Got unexpected extra argument ({name})"),
        },
        ErrorKind::UnknownArgument => match suggestion(name, spec, context(ContextKind::SuggestedArg)) {
            Some(like) => format!("No such option '{name}'. Did you mean '{like}'?"),
            None => format!("No such option '{name}'."),
        },
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
        None => Stop::usage(program, &[], None, message),
    }
}

fn takes_select(spec: &Spec) -> bool {
    spec.options.iter().any(|opt| opt.name == "select")
}

/// An option like the one that does not exist: one that it is the beginning of, or clap's guess.
fn suggestion(name: &str, spec: Option<&'static Spec>, guess: Option<String>) -> Option<String> {
    let stem = name.trim_start_matches('-');
    let options = spec.map_or(&[][..], |spec| spec.options);
    let mut names = options.iter().chain(GLOBAL).flat_map(|opt| {
        let negation = opt.negation();
        std::iter::once(opt.long).chain(negation)
    });
    let longer = names.find(|long| stem.len() > 1 && long.starts_with(stem));
    longer.map(|long| format!("--{long}")).or(guess)
}

/// The command that these words call, as far as they name one.
fn command_of(words: &[String]) -> Option<&'static Spec> {
    let names: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_command = |path: &[&str]| {
        COMMANDS.iter().any(|spec| spec.words == path) || ALIASES.iter().any(|(alias, _)| *alias == path)
    };
    for (index, name) in names.iter().enumerate() {
        if is_command(&[name]) {
            return args::find(&[name]);
        }
        let second = names[index + 1..].iter().find(|second| is_command(&[name, second]));
        if let Some(second) = second {
            return args::find(&[name, second]);
        }
    }
    None
}
