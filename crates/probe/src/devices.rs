//! Talking to simulated devices over their sockets: work, memory, and what they say of themselves. What a real device
//! needs for that is its maker's library; those it has not.

use crate::look::sockets;
use aiconform_model::probe::Answers;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longer than any work that is asked for: a device that does not answer must not hold a connection for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// Connections that hold memory, by the socket's path.
static HELD: Mutex<BTreeMap<String, BufReader<UnixStream>>> = Mutex::new(BTreeMap::new());

/// Keeps every device of the container busy for so long, side by side.
pub fn work(milliseconds: u64) -> Answers {
    everyone(&json!({"work": {"milliseconds": milliseconds}}))
}

/// Keeps one device busy for so long; what it answers.
///
/// # Errors
/// When it cannot be asked.
pub fn work_on(path: &str, milliseconds: u64) -> Result<Value, String> {
    connect(path).and_then(|mut stream| ask(&mut stream, &json!({"work": {"milliseconds": milliseconds}})))
}

/// Asks every device about itself.
pub fn inspect() -> Answers {
    everyone(&json!({"inspect": {}}))
}

/// Takes so much memory of every device and holds it; 0 lets go of all.
pub fn hold(bytes: u64) -> Answers {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.clear();
    if bytes == 0 {
        return Answers::default();
    }
    gathered(sockets().into_iter().map(|path| {
        let answer = connect(&path).and_then(|mut stream| {
            let answer = ask(&mut stream, &json!({"allocate": {"bytes": bytes}}))?;
            held.insert(path.clone(), stream);
            Ok(answer)
        });
        (path, answer)
    }))
}

fn everyone(question: &Value) -> Answers {
    let asked: Vec<_> = sockets()
        .into_iter()
        .map(|path| {
            let (place, question) = (path.clone(), question.clone());
            let answer = std::thread::spawn(move || {
                connect(&place).and_then(|mut stream| ask(&mut stream, &question))
            });
            (path, answer)
        })
        .collect();
    gathered(asked.into_iter().map(|(path, answer)| {
        (path, answer.join().unwrap_or_else(|_| Err("the question ended in a fault of the probe".into())))
    }))
}

fn gathered(answers: impl Iterator<Item = (String, Result<Value, String>)>) -> Answers {
    let mut all = Answers::default();
    for (path, answer) in answers {
        match answer {
            Ok(value) => drop(all.devices.insert(path, value)),
            Err(why) => all.errors.push(format!("{path}: {why}")),
        }
    }
    all
}

fn connect(path: &str) -> Result<BufReader<UnixStream>, String> {
    let stream = UnixStream::connect(path).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    Ok(BufReader::new(stream))
}

fn ask(stream: &mut BufReader<UnixStream>, question: &Value) -> Result<Value, String> {
    let mut line = question.to_string();
    line.push('\n');
    stream.get_mut().write_all(line.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_line(&mut answer).map_err(|error| error.to_string())?;
    serde_json::from_str(&answer).map_err(|error| format!("its answer {answer:?} is no JSON: {error}"))
}
