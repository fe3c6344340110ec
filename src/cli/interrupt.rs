//! Ctrl-C: asked once, rbt stops what it can; asked twice, it leaves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static ASKED: AtomicBool = AtomicBool::new(false);
static CALLBACK: Mutex<Option<Box<dyn Fn() + Send>>> = Mutex::new(None);

/// Whether the user has asked to stop. To be looked at between steps.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Sets what is to be done at once when the user asks to stop, such as interrupting running statements. It is
/// called from another thread, at most once.
pub fn on_interrupt(callback: impl Fn() + Send + 'static) {
    *CALLBACK.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(callback));
}

/// Listens for Ctrl-C from now on. To be called once; where the system refuses, Ctrl-C ends the program as ever.
pub fn listen() {
    // Without a handler the system's own behaviour remains, which also stops the program.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        if let Some(callback) = CALLBACK.lock().unwrap_or_else(PoisonError::into_inner).take() {
            callback();
        }
    });
}

/// The exit code of a program that was interrupted, as shells know it.
const INTERRUPTED: i32 = 130;
