//! Whose turn it is: so many at once, few at a host, and a little time between two.

use crate::names::NoAddress;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Whose turn it is.
pub struct Turns {
    all: Semaphore,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    at_a_host: usize,
    gap: Duration,
}

/// A host that is asked.
pub struct Host {
    places: Semaphore,
    /// Its addresses, once they were looked up: for all links to it, so that none of them finds others than those before.
    pub addresses: OnceCell<Result<Vec<IpAddr>, NoAddress>>,
    state: Mutex<State>,
}

struct State {
    /// Before this it is not asked again.
    next: Instant,
    /// Why it is asked nothing any more.
    left_alone: Option<String>,
}

/// A turn; it ends when it is dropped.
pub struct Turn<'a> {
    _host: SemaphorePermit<'a>,
    _all: SemaphorePermit<'a>,
}

impl Turns {
    /// So many turns at once, so many of them at one host, and so much time between the beginnings of two there.
    pub fn new(at_once: usize, at_a_host: usize, gap: Duration) -> Turns {
        Turns { all: Semaphore::new(at_once), hosts: Mutex::default(), at_a_host, gap }
    }

    /// A host by its name.
    pub fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let state = Mutex::new(State { next: Instant::now(), left_alone: None });
            Arc::new(Host { places: Semaphore::new(self.at_a_host), addresses: OnceCell::new(), state })
        };
        hosts.entry(name.to_owned()).or_insert_with(new).clone()
    }

    /// Waits until there are not too many at work, whoever they ask.
    ///
    /// # Errors
    /// Never, as long as this is there.
    pub async fn any(&self) -> Result<SemaphorePermit<'_>, String> {
        self.all.acquire().await.map_err(|error| error.to_string())
    }

    /// Waits for a turn at a host.
    ///
    /// # Errors
    /// Why the host is asked nothing any more.
    pub async fn turn<'a>(&'a self, host: &'a Host) -> Result<Turn<'a>, String> {
        // The place at the host comes first: who waits for a slow host must not keep others from theirs.
        let place = host.places.acquire().await.map_err(|error| error.to_string())?;
        loop {
            let until = {
                let mut state = host.state();
                if let Some(why) = &state.left_alone {
                    return Err(why.clone());
                }
                let now = Instant::now();
                if state.next <= now {
                    state.next = now + self.gap;
                    break;
                }
                state.next
            };
            aiconform_wait::pause(until.saturating_duration_since(Instant::now())).await;
        }
        Ok(Turn { _host: place, _all: self.any().await? })
    }
}

impl Host {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody asks it for so long.
    pub fn rest(&self, time: Duration) {
        let mut state = self.state();
        state.next = state.next.max(Instant::now() + time);
    }

    /// It is asked nothing any more.
    pub fn leave_alone(&self, why: String) {
        self.state().left_alone.get_or_insert(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn there_is_time_between_two_turns_at_a_host_and_after_a_rest() {
        let turns = Turns::new(8, 2, Duration::from_millis(250));
        let (one, other) = (turns.host("a.test"), turns.host("b.test"));
        let start = Instant::now();
        drop(turns.turn(&one).await.unwrap());
        drop(turns.turn(&other).await.unwrap());
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(turns.turn(&one).await.unwrap());
        assert!(start.elapsed() >= Duration::from_millis(250));
        one.rest(Duration::from_secs(30));
        let rested = Instant::now();
        drop(turns.turn(&other).await.unwrap());
        assert_eq!(rested.elapsed(), Duration::ZERO);
        drop(turns.turn(&one).await.unwrap());
        assert!(rested.elapsed() >= Duration::from_secs(30));
        one.leave_alone("enough".into());
        one.leave_alone("later".into());
        assert_eq!(turns.turn(&one).await.map(drop), Err("enough".to_owned()));
    }
}
