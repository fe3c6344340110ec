//! Locks of mutable values. They are held for single steps that cannot panic half-way, so a poisoned
//! lock still guards sound data.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
