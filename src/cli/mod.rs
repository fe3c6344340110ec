//! The command line: words in, flags out; events in, lines out.

mod annotations;
mod args;
pub mod commands;
mod complete;
mod help;
mod lines;
mod logfile;
mod logs;
mod manual;
mod options;
mod panics;
mod serve;
mod settings;
mod sinks;
mod terminal;
mod usage;
mod values;
mod version;

use std::process::ExitCode;
use std::time::Instant;

use chrono::Utc;

use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Events};
use crate::flags::{Command, Flags};
use crate::interrupt;

pub use version::RBT_VERSION;

/// How a command ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All well: exit code 0.
    Succeeded,
    /// A node failed, or a check did not pass: exit code 1.
    Failed,
}

/// Runs the command line of this process, and says how it ended: 0 for success, 1 where a node failed, 2 where
/// the command could not do its work or was interrupted.
pub fn main() -> ExitCode {
    panics::apologize();
    let argv: Vec<String> = match std::env::args_os().map(|word| word.into_string()).collect() {
        Ok(argv) => argv,
        Err(word) => {
            eprintln!("Error: the command line holds bytes that are not UTF-8: {}", word.to_string_lossy());
            return ExitCode::from(2);
        }
    };
    if complete::answer(args::program_name(&argv)) {
        return ExitCode::SUCCESS;
    }
    let flags = match args::parse(&argv, &settings::surroundings()) {
        Ok(flags) => flags,
        Err(stop) => return stop.print(args::program_name(&argv)),
    };
    interrupt::listen();
    run(flags)
}

fn run(mut flags: Flags) -> ExitCode {
    let started = Instant::now();
    flags.invocation_id = uuid::Uuid::new_v4().to_string();
    let settled = settings::add_project(&mut flags);
    let events = Events::new(sinks::of(&flags), &flags);
    let done = settled.and_then(|()| carry_out(&flags, &events));

    let done = match (done, events.summarize_deprecations()) {
        (Ok(_), Err(error)) => Err(error),
        (done, _) => done,
    };
    if let Err(error) = &done {
        events.emit(Event::CommandFailed { message: told(error) });
    }
    events.emit(Event::CommandCompleted {
        command: command_path(&flags),
        success: matches!(done, Ok(Outcome::Succeeded)),
        elapsed: started.elapsed().as_secs_f64(),
        completed_at: Utc::now(),
    });
    match done {
        _ if interrupt::asked() => ExitCode::from(interrupt::EXIT_CODE),
        Ok(Outcome::Succeeded) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Err(_) => ExitCode::from(2),
    }
}

fn carry_out(flags: &Flags, events: &Events) -> Result<Outcome> {
    events.emit(Event::CommandStarted { program: flags.program.clone(), settings: flags.args() });
    for notice in &flags.notices {
        events.warn(notice.clone().into())?;
    }
    commands::run(flags, events)
}

/// The error in words. Those about usage have no label, as in dbt.
fn told(error: &Error) -> String {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Usage => {
            text.split_once('\n').map_or(text.clone(), |(_, rest)| rest.trim_start().to_owned())
        }
        _ => text,
    }
    .trim_end()
    .to_owned()
}

/// `rbt docs generate`
fn command_path(flags: &Flags) -> String {
    let words = match flags.which {
        Command::DocsGenerate => "docs generate".to_owned(),
        Command::DocsServe => "docs serve".to_owned(),
        Command::SourceFreshness => "source freshness".to_owned(),
        command => serde_json::to_value(command)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default(),
    };
    format!("{} {words}", flags.program)
}
