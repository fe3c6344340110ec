//! What is said when rbt itself is broken.

use std::panic::{self, PanicHookInfo};

/// Replaces Rust's panic message by an apology that says what to report, and ends the process with exit code 2.
pub fn apologize() {
    panic::set_hook(Box::new(|info| {
        eprintln!("{}", apology(info));
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            eprintln!("{}", std::backtrace::Backtrace::force_capture());
        }
        std::process::exit(2);
    }));
}

/// Says where it happened, but nothing of the data: what a panic says may hold values of the user's.
fn apology(info: &PanicHookInfo) -> String {
    let place = info.location().map_or("an unknown place".to_owned(), |place| place.to_string());
    let version = super::RBT_VERSION;
    format!(
        "rbt is sorry: it came to a point that its authors took for impossible.\n\
         This is a fault of rbt, not of your project. Please report it with\n\
         - the place: {place} (rbt {version})\n\
         - the command you ran\n\
         - if you can, the output with the environment variable RUST_BACKTRACE=1 set"
    )
}
