//! What each command does, one function each.

mod clean;
mod compile;
mod debug;
mod deps;
mod docs;
mod execute;
mod extraction;
mod freshness;
mod init;
mod list;
mod operation;
mod retry;
mod select;
mod setup;
mod state;
mod tree;

use crate::cli::Outcome;
use crate::error::Result;
use crate::events::Events;
use crate::flags::{Command, Flags};

/// Carries out the command that the flags name.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    match flags.which {
        Command::Build
        | Command::Extract
        | Command::Run
        | Command::Test
        | Command::Seed
        | Command::Snapshot
        | Command::Clone => execute::run(flags, events),
        Command::Retry => retry::run(flags, events),
        Command::Compile => compile::compile(flags, events),
        Command::Show => compile::show(flags, events),
        Command::Parse => list::parse(flags, events),
        Command::List => list::list(flags, events),
        Command::RunOperation => operation::run(flags, events),
        Command::Deps => deps::run(flags, events),
        Command::DocsServe => docs::serve(flags, events),
        Command::DocsGenerate => docs::generate(flags, events),
        Command::SourceFreshness => freshness::run(flags, events),
        Command::Clean => clean::run(flags, events),
        Command::Init => init::run(flags, events),
        Command::Debug => debug::run(flags, events),
        // They are printed where the command line is read.
        Command::Completions | Command::Man => Ok(Outcome::Succeeded),
    }
}
