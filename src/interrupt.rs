//! Ctrl-C: asked once, rbt stops what it can and tells what it cut; asked twice, it leaves at once.
//!
//! Whoever runs something long either looks at [`check`] between its steps, or is a [`Stop`] that is watched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// The exit code of a program that was interrupted: as dbt's.
pub const EXIT_CODE: u8 = 2;

/// How often what is watched is told to stop. Once is not enough: a statement that is about to begin does not
/// hear of it yet.
const PACE: Duration = Duration::from_millis(10);

static ASKED: AtomicBool = AtomicBool::new(false);
static WATCHED: Mutex<Vec<Weak<dyn Stop>>> = Mutex::new(Vec::new());
static NEWS: Condvar = Condvar::new();

/// Something that can be stopped from another thread.
pub trait Stop: Send + Sync {
    /// Makes what is running now fail soon; does nothing if nothing is. Called again and again.
    fn stop(&self);
}

/// Whether the user has asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// To be called between steps.
///
/// # Errors
/// If the user has asked to stop.
pub fn check() -> Result<()> {
    if asked() { Err(cut_off()) } else { Ok(()) }
}

/// The error of what was stopped.
pub fn cut_off() -> Error {
    Error::new(ErrorKind::Interrupted, "cut off by Ctrl-C or a signal; what it had not committed is undone")
}

/// From now on this is stopped when the user asks for it, for as long as somebody else holds it.
pub fn watch(what: &Arc<dyn Stop>) {
    let mut watched = watched();
    watched.retain(|known| known.strong_count() > 0);
    watched.push(Arc::downgrade(what));
}

/// Waits, and wakes up early if the user asks to stop.
///
/// # Errors
/// If the user has asked to stop.
pub fn sleep(duration: Duration) -> Result<()> {
    let waited = NEWS.wait_timeout_while(watched(), duration, |_| !asked());
    drop(waited.unwrap_or_else(PoisonError::into_inner));
    check()
}

/// Listens for Ctrl-C and the signals that end programs. To be called once; where the system refuses, they end the
/// program as ever.
pub fn listen() {
    // Without a handler the system's own behaviour remains, which also stops the program.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            leave();
        }
        // This thread has to hear the second Ctrl-C.
        thread::spawn(stop_all);
    });
}

/// Stops what is watched until the program ends.
fn stop_all() {
    loop {
        let live: Vec<Arc<dyn Stop>> = watched().iter().filter_map(Weak::upgrade).collect();
        NEWS.notify_all();
        live.iter().for_each(|what| what.stop());
        drop(live);
        thread::sleep(PACE);
    }
}

fn watched() -> MutexGuard<'static, Vec<Weak<dyn Stop>>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process without the farewells of libraries, which would wait for statements that are running.
fn leave() -> ! {
    // SAFETY: a system call that takes a number and does not return.
    unsafe { libc::_exit(EXIT_CODE.into()) }
}
