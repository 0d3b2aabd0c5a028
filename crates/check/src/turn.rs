//! Turns with what only one check can have at a time: checks go side by side, and what one holds the others would lack.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{MutexGuard, Notify};

/// Turns, and how long each check has waited for its own: meanwhile its clock stands still.
#[derive(Default)]
pub struct Turns {
    turn: tokio::sync::Mutex<()>,
    waits: Mutex<BTreeMap<String, Waits>>,
    changed: Notify,
}

/// Waits of one check.
#[derive(Clone, Copy, Default)]
struct Waits {
    /// Time of all waits that are over, together.
    over: Duration,
    /// Waits that have begun, and when the first of them did.
    open: u32,
    since: Option<Instant>,
}

impl Waits {
    fn add(&mut self, now: Instant, more: bool) {
        if more {
            self.open += 1;
            self.since.get_or_insert(now);
            return;
        }
        self.open = self.open.saturating_sub(1);
        if self.open == 0
            && let Some(since) = self.since.take()
        {
            self.over += now.duration_since(since);
        }
    }
}

/// A wait that is counted for as long as it is there, also where it is given up.
struct Waiting<'a> {
    turns: &'a Turns,
    check: &'a str,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.turns.count(self.check, false);
    }
}

impl Turns {
    /// Waits for the turn of a check, which lasts until the guard is dropped.
    pub async fn take(&self, check: &str) -> MutexGuard<'_, ()> {
        self.count(check, true);
        let _waiting = Waiting { turns: self, check };
        self.turn.lock().await
    }

    fn count(&self, check: &str, more: bool) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.entry(check.to_owned()).or_default().add(Instant::now(), more);
        drop(waits);
        self.changed.notify_waiters();
    }

    /// Ends when a check has worked for longer than this limit, its waits for a turn not counted.
    pub async fn over(&self, check: &str, limit: Duration) {
        let begun = Instant::now();
        loop {
            let changed = self.changed.notified();
            let waits = {
                let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
                waits.get(check).copied().unwrap_or_default()
            };
            if waits.since.is_some() {
                changed.await;
                continue;
            }
            let worked = begun.elapsed().saturating_sub(waits.over);
            let Some(left) = limit.checked_sub(worked).filter(|left| !left.is_zero()) else { return };
            // A wait that begins meanwhile stops the clock.
            let _ = tokio::time::timeout(left, changed).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn the_clock_of_a_check_stands_still_while_it_waits() {
        let turns = Turns::default();
        let held = turns.take("a").await;
        let mut waits = Box::pin(turns.take("b"));
        assert!(waits.as_mut().now_or_never().is_none(), "a has it");
        let limit = Duration::from_millis(30);
        // The other's clock goes on, and is over; that of the one that waits is not, however late it is.
        turns.over("a", limit).await;
        assert!(turns.over("b", limit).now_or_never().is_none());
        turns.over("a", limit).await;
        drop(held);
        let _own = waits.await;
        turns.over("b", limit).await;
    }
}
