//! Waiting for a named condition over something watched.

use aiconform_model::{Bin, EventKind, Scope, Sink};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A wait rests so long between two looks for each look that it has taken, ...
const REST: Duration = Duration::from_millis(1);
/// ... but no longer than this: it learns of a change at most so late.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// A named wait: what is waited for, whose time it is, how long at most, and where the result is written down.
pub struct Wait<'a> {
    /// Name of the condition, in words.
    pub condition: String,
    /// Whose time it is.
    pub bin: Bin,
    /// Longest time to wait.
    pub limit: Duration,
    /// Where the result is written down.
    pub sink: &'a dyn Sink,
    /// To what the wait belongs.
    pub scope: &'a Scope,
}

/// The condition came true.
#[derive(Debug)]
pub struct Met<T> {
    /// Value that the condition gave.
    pub value: T,
    /// Time that it took.
    pub waited: Duration,
}

/// The limit was reached first, or there was nothing left to wait for.
#[derive(Debug, thiserror::Error)]
#[error("waited {} s for {condition}; last seen: {last}", .waited.as_secs())]
pub struct TooLate {
    /// Name of the condition.
    pub condition: String,
    /// Time that was waited.
    pub waited: Duration,
    /// The last thing seen.
    pub last: String,
}

impl Wait<'_> {
    /// Looks at each change signalled by `changes` until `look` gives `Ok`; its `Err` is the last thing seen.
    ///
    /// The first look is before the first wait, so a condition that is already true costs nothing. The more looks it has
    /// taken, the longer it rests before the next, and looks at all that changed meanwhile at once: what waits for hundreds
    /// of objects must not look at all of them at every change of each.
    ///
    /// # Errors
    /// [`TooLate`] at the limit, or when the sender of `changes` is gone.
    pub async fn until<T, F>(self, changes: &mut watch::Receiver<u64>, look: F) -> Result<Met<T>, TooLate>
    where
        F: FnMut() -> Result<T, String>,
    {
        self.until_unless(changes, look, || None).await
    }

    /// Like [`Wait::until`], and gives up as soon as `hopeless` says why the condition will not come true.
    ///
    /// # Errors
    /// [`TooLate`] at the limit, when the sender of `changes` is gone, or with what `hopeless` said.
    pub async fn until_unless<T, F, H>(
        self,
        changes: &mut watch::Receiver<u64>,
        mut look: F,
        mut hopeless: H,
    ) -> Result<Met<T>, TooLate>
    where
        F: FnMut() -> Result<T, String>,
        H: FnMut() -> Option<String>,
    {
        let start = Instant::now();
        let deadline = start + self.limit;
        let mut rest = Duration::ZERO;
        let mut last;
        loop {
            // Whatever comes from here on is another change.
            changes.borrow_and_update();
            match look() {
                Ok(value) => {
                    let waited = start.elapsed();
                    self.tell(waited, true, String::new());
                    return Ok(Met { value, waited });
                }
                Err(seen) => last = seen,
            }
            let ended = match hopeless() {
                Some(why) => {
                    last = why;
                    true
                }
                None => match tokio::time::timeout_at(deadline, changes.changed()).await {
                    Ok(Ok(())) => false,
                    Ok(Err(_)) => {
                        last = format!("{last} (and the watch ended)");
                        true
                    }
                    Err(_) => true,
                },
            };
            if ended {
                let waited = start.elapsed();
                self.tell(waited, false, last.clone());
                return Err(TooLate { condition: self.condition, waited, last });
            }
            // What changed is looked at before the limit ends the wait.
            tokio::time::sleep_until((Instant::now() + rest).min(deadline)).await;
            rest = (rest + REST).min(LONGEST_REST);
        }
    }

    /// Asks again and again, with a pause between, until `ask` gives `Ok`: for what cannot be watched. Its `Err` is the
    /// last thing seen. The pause grows to a twentieth of the time that was waited: who is slow is not asked hundreds of
    /// times, each of which is evidence.
    ///
    /// # Errors
    /// [`TooLate`] at the limit.
    pub async fn asking<T, F, A>(self, between: Duration, mut ask: F) -> Result<Met<T>, TooLate>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, String>>,
    {
        let start = Instant::now();
        loop {
            let last = match ask().await {
                Ok(value) => {
                    let waited = start.elapsed();
                    self.tell(waited, true, String::new());
                    return Ok(Met { value, waited });
                }
                Err(seen) => seen,
            };
            let waited = start.elapsed();
            if waited >= self.limit {
                self.tell(waited, false, last.clone());
                return Err(TooLate { condition: self.condition, waited, last });
            }
            pause(between.max(waited / 20)).await;
        }
    }

    fn tell(&self, waited: Duration, met: bool, last: String) {
        self.sink.write(
            self.scope,
            EventKind::Wait {
                condition: self.condition.clone(),
                bin: self.bin,
                limit: milliseconds(self.limit),
                waited: milliseconds(waited),
                met,
                last,
            },
        );
    }
}

/// Lets time pass on purpose, so that something forbidden has the time to happen; written down as dwell.
pub async fn dwell(why: &str, time: Duration, sink: &dyn Sink, scope: &Scope) {
    tokio::time::sleep(time).await;
    sink.write(
        scope,
        EventKind::Wait {
            condition: why.into(),
            bin: Bin::Dwell,
            limit: milliseconds(time),
            waited: milliseconds(time),
            met: true,
            last: String::new(),
        },
    );
}

/// A pause between two tries of something that cannot be watched (a port, a process, a file).
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    struct Kept(Mutex<Vec<EventKind>>);
    impl Sink for Kept {
        fn write(&self, _scope: &Scope, kind: EventKind) -> u64 {
            self.0.lock().unwrap().push(kind);
            0
        }
    }

    fn wait<'a>(sink: &'a Kept, scope: &'a Scope, limit: Duration) -> Wait<'a> {
        Wait { condition: "two".into(), bin: Bin::Platform, limit, sink, scope }
    }

    #[tokio::test]
    async fn a_condition_that_holds_already_is_met_at_once() {
        let (kept, scope) = (Kept(Mutex::default()), Scope::default());
        let (_sender, mut receiver) = watch::channel(0);
        let met = wait(&kept, &scope, Duration::ZERO).until(&mut receiver, || Ok(2)).await.unwrap();
        assert_eq!(met.value, 2);
    }

    #[tokio::test]
    async fn what_is_hopeless_is_not_waited_for() {
        let (kept, scope) = (Kept(Mutex::default()), Scope::default());
        let (sender, mut receiver) = watch::channel(0);
        sender.send(1).unwrap();
        let mut looks = 0;
        let hopeless = || {
            looks += 1;
            (looks == 2).then(|| "it will never come".to_owned())
        };
        let never = || Err::<(), _>("not yet".to_owned());
        let waiting =
            wait(&kept, &scope, Duration::from_secs(60)).until_unless(&mut receiver, never, hopeless);
        let change = async { sender.send(2).unwrap() };
        let (error, ()) = tokio::join!(waiting, change);
        let error = error.unwrap_err();
        assert_eq!(error.last, "it will never come");
        assert!(error.waited < Duration::from_secs(10), "{error}");
    }

    #[tokio::test]
    async fn the_limit_remembers_the_last_thing_seen() {
        let (kept, scope) = (Kept(Mutex::default()), Scope::default());
        let (sender, mut receiver) = watch::channel(0);
        let seen = std::sync::atomic::AtomicU64::new(0);
        sender.send(1).unwrap();
        let error = wait(&kept, &scope, Duration::from_millis(5))
            .until::<(), _>(&mut receiver, || {
                seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                Err("one of two".into())
            })
            .await
            .unwrap_err();
        assert_eq!(error.last, "one of two");
        let events = kept.0.lock().unwrap();
        assert!(matches!(&events[0], EventKind::Wait { met: false, last, .. } if last == "one of two"));
    }

    #[tokio::test]
    async fn what_cannot_be_watched_is_asked_again_until_the_limit() {
        let (kept, scope) = (Kept(Mutex::default()), Scope::default());
        let mut asked = 0;
        let third = || {
            asked += 1;
            std::future::ready(if asked == 3 { Ok(asked) } else { Err(format!("asked {asked} times")) })
        };
        let met = wait(&kept, &scope, Duration::from_secs(60)).asking(Duration::ZERO, third).await.unwrap();
        assert_eq!(met.value, 3);
        let never = || std::future::ready(Err::<(), _>("no".into()));
        let error = wait(&kept, &scope, Duration::ZERO).asking(Duration::ZERO, never).await.unwrap_err();
        assert_eq!(error.last, "no");
    }

    /// Changes one by one, this far apart; gives how long the wait for the last of them took and how many looks.
    async fn changing(count: u64, apart: Duration, limit: Duration) -> Result<(Duration, u32), TooLate> {
        let (kept, scope) = (Kept(Mutex::default()), Scope::default());
        let (sender, mut receiver) = watch::channel(0_u64);
        let reader = sender.subscribe();
        let mut looks = 0;
        let waiting = wait(&kept, &scope, limit).until(&mut receiver, || {
            looks += 1;
            let seen = *reader.borrow();
            if seen == count { Ok(()) } else { Err(format!("{seen} of {count}")) }
        });
        let (met, ()) = tokio::join!(waiting, async move {
            for change in 1..=count {
                tokio::time::sleep(apart).await;
                sender.send(change).unwrap();
            }
        });
        Ok((met?.waited, looks))
    }

    #[tokio::test(start_paused = true)]
    async fn thousands_of_changes_are_looked_at_in_bursts_and_the_last_soon() {
        let (waited, looks) =
            changing(5000, Duration::from_millis(1), Duration::from_secs(60)).await.unwrap();
        assert!(looks < 200, "{looks}");
        assert!(
            waited >= Duration::from_secs(5) && waited <= Duration::from_secs(5) + LONGEST_REST,
            "{waited:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_changes_are_looked_at_as_they_come() {
        let (waited, looks) = changing(4, Duration::from_millis(100), Duration::from_secs(60)).await.unwrap();
        assert_eq!(looks, 5);
        assert!(waited <= Duration::from_millis(405), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_ends_no_wait_before_it_has_looked_at_the_last_change() {
        let (each, limit) = (Duration::from_millis(1), Duration::from_millis(1010));
        // The last change comes while the wait rests, and the sender is gone when it looks again.
        for count in 990..1010 {
            let (waited, looks) = changing(count, each, limit).await.unwrap();
            assert!(waited <= limit && looks < 100, "{count}: {waited:?}, {looks} looks");
        }
        assert_eq!(changing(1020, each, limit).await.unwrap_err().waited, limit);
    }

    #[tokio::test]
    async fn a_change_wakes_the_wait() {
        let (kept, scope) = (Kept(Mutex::default()), Scope::default());
        let (sender, mut receiver) = watch::channel(0_u64);
        let reader = sender.subscribe();
        let waiting = wait(&kept, &scope, Duration::from_secs(60))
            .until(&mut receiver, || if *reader.borrow() == 2 { Ok(()) } else { Err("not yet".into()) });
        let (met, ()) = tokio::join!(waiting, async {
            sender.send(2).unwrap();
        });
        met.unwrap();
    }
}
