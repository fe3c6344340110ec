//! At most so many requests in any stretch of time, however the network delays them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until};

/// A rolling-window limiter with `count` slots.
///
/// A request takes a slot before it is sent, and the slot is free again a whole window *after the server has surely got
/// it*. So the request that takes the slot next arrives more than a window later than this one did, and no window of
/// the server's clock sees more than `count` requests, even if some travel slowly and others fast.
pub struct Limiter {
    count: usize,
    window: Duration,
    slots: RefCell<Slots>,
    /// Nothing is sent before this moment: the server has asked for a pause.
    resume: Cell<Instant>,
    /// Who wants a slot waits in line.
    line: Mutex<()>,
    given_back: Notify,
}

#[derive(Default)]
struct Slots {
    /// All that are not free.
    taken: usize,
    /// When those that were given back are free again, soonest first.
    free_at: VecDeque<Instant>,
}

/// The right to send one request; to be dropped when its answer begins, or its failure is seen.
pub struct Slot<'a>(&'a Limiter);

impl Limiter {
    /// At most `count` requests in any `window`.
    pub fn new(count: usize, window: Duration) -> Self {
        Limiter {
            count: count.max(1),
            window,
            slots: RefCell::default(),
            resume: Cell::new(Instant::now()),
            line: Mutex::new(()),
            given_back: Notify::new(),
        }
    }

    /// Waits until one more request may be sent.
    pub async fn acquire(&self) -> Slot<'_> {
        let _turn = self.line.lock().await;
        loop {
            let now = Instant::now();
            if self.resume.get() > now {
                sleep_until(self.resume.get()).await;
                continue;
            }
            let next = {
                let mut slots = self.slots.borrow_mut();
                slots.free(now);
                if slots.taken < self.count {
                    slots.taken += 1;
                    return Slot(self);
                }
                slots.free_at.front().copied()
            };
            match next {
                Some(moment) => sleep_until(moment).await,
                None => self.given_back.notified().await,
            }
        }
    }

    /// Sends nothing for a while, as the server wishes. A longer pause that is already agreed on stays.
    pub fn pause(&self, time: Duration) {
        self.resume.set(self.resume.get().max(Instant::now() + time));
    }
}

impl Slots {
    fn free(&mut self, now: Instant) {
        while self.free_at.front().is_some_and(|moment| *moment <= now) {
            self.free_at.pop_front();
            self.taken -= 1;
        }
    }
}

impl Slot<'_> {
    /// Gives the slot back to the next in line: nothing was sent.
    pub fn unused(self) {
        self.0.slots.borrow_mut().taken -= 1;
        self.0.given_back.notify_one();
        std::mem::forget(self);
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.slots.borrow_mut().free_at.push_back(Instant::now() + self.0.window);
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(work)
    }

    #[test]
    fn no_window_holds_more_than_the_limit() {
        run(async {
            let window = Duration::from_millis(40);
            let limiter = Limiter::new(3, window);
            let mut sent = Vec::new();
            for _ in 0..10 {
                let slot = limiter.acquire().await;
                sent.push(Instant::now());
                drop(slot);
            }
            assert!(sent.windows(4).all(|group| group[3] - group[0] >= window));
        });
    }

    #[test]
    fn a_pause_holds_everything_up() {
        run(async {
            let limiter = Limiter::new(3, Duration::ZERO);
            let asked = Instant::now();
            limiter.pause(Duration::from_millis(30));
            limiter.pause(Duration::from_millis(1));
            drop(limiter.acquire().await);
            assert!(asked.elapsed() >= Duration::from_millis(30));
        });
    }
}
