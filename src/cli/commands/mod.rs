//! What each command does, one function each.

use crate::cli::Outcome;
use crate::error::{Error, Result};
use crate::events::Events;
use crate::flags::Flags;

/// Carries out the command that the flags name.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let _ = events;
    Err(Error::runtime(format!("the command {:?} is not there yet", flags.which)))
}
