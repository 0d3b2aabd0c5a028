//! A load on the simulated devices of the container, kept up here: what comes between two questions over the network, such
//! as a busy API server, does not interrupt it.

use crate::devices;
use crate::look::sockets;
use aiconform_model::probe::Loaded;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A device is asked for so many milliseconds of work at a time: a load goes on for twice that when it is ended.
const PIECE: u64 = 200;
/// So many ask each device, so that the next piece is always with it.
const ASKERS: usize = 2;

/// The load that goes on.
static LOAD: Mutex<Option<Load>> = Mutex::new(None);

struct Load {
    ends: Arc<AtomicBool>,
    askers: Vec<JoinHandle<Loaded>>,
}

/// Keeps every device busy until [`rest`] is called, at most so long.
///
/// # Errors
/// When a load goes on already, or there is no device that takes work.
pub fn begin(most: Duration) -> Result<(), String> {
    let mut load = LOAD.lock().unwrap_or_else(PoisonError::into_inner);
    if load.is_some() {
        return Err("a load goes on already; end it with /rest".into());
    }
    let sockets = sockets();
    if sockets.is_empty() {
        return Err("no device of this container takes work".into());
    }
    *load = Some(on(&sockets, most));
    Ok(())
}

/// Ends the load; what was asked of the devices and what they say they did. Of no load nothing was asked.
pub fn rest() -> Loaded {
    let load = LOAD.lock().unwrap_or_else(PoisonError::into_inner).take();
    load.map(end).unwrap_or_default()
}

fn on(sockets: &[String], most: Duration) -> Load {
    let (ends, begun) = (Arc::new(AtomicBool::new(false)), Instant::now());
    let asker = |path: &String| {
        let (path, ends) = (path.clone(), ends.clone());
        std::thread::spawn(move || keep(&path, || ends.load(Ordering::Relaxed) || begun.elapsed() > most))
    };
    let askers = sockets.iter().flat_map(|path| (0..ASKERS).map(move |_| path)).map(asker).collect();
    Load { ends, askers }
}

/// Keeps a device busy; what came of it.
fn keep(path: &str, is_over: impl Fn() -> bool) -> Loaded {
    let mut loaded = Loaded::default();
    while !is_over() && loaded.why.is_empty() {
        loaded.asked += PIECE;
        match devices::work_on(path, PIECE) {
            Ok(answer) => {
                loaded.done +=
                    answer.pointer("/done/milliseconds").and_then(Value::as_u64).unwrap_or_default();
                loaded.why = answer.get("refused").and_then(Value::as_str).unwrap_or_default().to_owned();
            }
            Err(why) => loaded.why = format!("{path}: {why}"),
        }
    }
    loaded
}

fn end(load: Load) -> Loaded {
    load.ends.store(true, Ordering::Relaxed);
    let fault = |_| Loaded { why: "the load ended in a fault of the probe".into(), ..Loaded::default() };
    load.askers.into_iter().map(|asker| asker.join().unwrap_or_else(fault)).fold(Loaded::default(), add)
}

fn add(one: Loaded, other: Loaded) -> Loaded {
    let why = if one.why.is_empty() { other.why } else { one.why };
    Loaded { asked: one.asked + other.asked, done: one.done + other.done, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A device that works at once and says this; gives how often it was asked.
    fn device(path: &std::path::Path, answer: &'static str) -> Arc<AtomicUsize> {
        let listener = UnixListener::bind(path).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let counted = counted.clone();
                std::thread::spawn(move || {
                    let mut stream: UnixStream = stream.unwrap();
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    while let Some(Ok(_)) = lines.next() {
                        counted.fetch_add(1, Ordering::SeqCst);
                        if stream.write_all(answer.as_bytes()).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        asked
    }

    fn path(folder: &tempfile::TempDir) -> (std::path::PathBuf, String) {
        let path = folder.path().join("0.sock");
        let text = path.to_string_lossy().into_owned();
        (path, text)
    }

    #[test]
    fn a_device_is_asked_until_the_load_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (path, text) = path(&folder);
        let asked = device(&path, "{\"done\":{\"milliseconds\":150}}\n");
        let load = on(&[text], Duration::from_secs(60));
        // Asked for the third time, it has answered twice.
        while asked.load(Ordering::SeqCst) < 3 {
            std::thread::yield_now();
        }
        let loaded = end(load);
        assert!(loaded.asked >= 2 * PIECE && loaded.why.is_empty(), "{loaded:?}");
        assert_eq!(loaded.done * 200, loaded.asked * 150);
    }

    #[test]
    fn a_device_that_says_no_or_does_not_answer_ends_it_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (path, text) = path(&folder);
        device(&path, "{\"refused\":\"another holder works\"}\n");
        let none = format!("{text}-none");
        let refused = keep(&text, || false);
        assert_eq!(refused, Loaded { asked: PIECE, done: 0, why: "another holder works".into() });
        assert!(keep(&none, || false).why.contains("-none: "));
    }

    #[test]
    fn a_load_that_nobody_ends_is_over_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let (path, text) = path(&folder);
        device(&path, "{\"done\":{\"milliseconds\":1}}\n");
        let load = on(&[text], Duration::from_millis(20));
        while !load.askers.iter().all(JoinHandle::is_finished) {
            std::thread::yield_now();
        }
        assert_eq!(end(load).why, "");
    }

    #[test]
    fn without_a_load_nothing_was_asked() {
        assert_eq!(rest(), Loaded::default());
    }
}
