//! A program of the container's image: started, read a line at a time, and ended with all that it started.

use aiconform_model::probe::Line;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest time until a program has said what it was asked: a driver that wakes a device takes seconds.
pub const PATIENCE: Duration = Duration::from_secs(25);
/// Time that a program has to end by itself.
const END: Duration = Duration::from_secs(2);
/// Time between two looks whether a program goes on, and time for its last words.
const LOOK: Duration = Duration::from_millis(100);
const LAST: Duration = Duration::from_millis(500);
/// Longest line of a program that is read, in letters.
const LONGEST: usize = 4096;

/// Lines that a program has said, and whether it goes on.
#[derive(Debug, Default)]
pub struct Said {
    /// Devices that it has.
    pub devices: Vec<Value>,
    /// For how long it had worked by its first word of that, in milliseconds.
    pub begun: u64,
    /// For how long it has by its last.
    pub busy: u64,
    /// Bytes that it holds of each device.
    pub held: Vec<u64>,
    /// Why it cannot.
    pub error: Option<String>,
    /// When it said something of its work first.
    pub first: Option<Instant>,
    /// When it did last.
    pub worked: Option<Instant>,
    /// Longest time between two such words.
    pub silence: Duration,
    /// Words that it wrote last for people.
    last: String,
    /// Set if nothing more comes.
    pub ended: bool,
}

impl Said {
    /// These words, and what the program wrote last for people.
    pub fn with_last(&self, words: &str) -> String {
        let last: String = self.last.chars().take(300).collect();
        if last.is_empty() { words.into() } else { format!("{words}; the last that it wrote: {last}") }
    }

    fn hear(&mut self, line: &str) {
        match serde_json::from_str(line) {
            Ok(Line::Device(device)) => self.devices.push(device.into()),
            Ok(Line::BusyMilliseconds(busy)) => {
                let now = Instant::now();
                // The same number again is no work.
                if self.worked.is_none() || busy > self.busy {
                    self.silence = self.silence.max(self.worked.map_or(Duration::ZERO, |last| now - last));
                    if self.first.is_none() {
                        (self.first, self.begun) = (Some(now), busy);
                    }
                    self.worked = Some(now);
                }
                self.busy = busy;
            }
            Ok(Line::HeldBytes(bytes)) => self.held.push(bytes),
            Ok(Line::Error(why)) => self.error = Some(why),
            Err(_) => {
                let line: String = line.chars().take(200).collect();
                self.error.get_or_insert(format!("it says {line:?}, which is none of the lines of a load"));
            }
        }
    }
}

/// A program that was started.
pub struct Program {
    child: Child,
    said: Arc<(Mutex<Said>, Condvar)>,
}

impl Program {
    /// Starts the program at a task, in a process group of its own.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(command: &[String], task: &[&str]) -> Result<Program, String> {
        let (program, arguments) = command.split_first().ok_or("no program is named")?;
        let started = Command::new(program)
            .args(arguments)
            .args(task)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        let mut child = started.map_err(|error| format!("{program} does not start: {error}"))?;
        let out = child.stdout.take().ok_or("the program has no output")?;
        let talk = child.stderr.take().ok_or("the program has no output for people")?;
        let said = Arc::new((Mutex::new(Said::default()), Condvar::new()));
        let heard = said.clone();
        let talk = std::thread::spawn(move || {
            let mut talk = BufReader::new(talk);
            let mut line = Vec::new();
            while read(&mut talk, &mut line) {
                let text = String::from_utf8_lossy(&line);
                eprintln!("{}", text.trim_end());
                if !text.trim().is_empty() {
                    lock(&heard).last = text.trim().to_owned();
                }
            }
        });
        let heard = said.clone();
        std::thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut line = Vec::new();
            while read(&mut out, &mut line) {
                let text = String::from_utf8_lossy(&line);
                if !text.trim().is_empty() {
                    lock(&heard).hear(text.trim());
                    heard.1.notify_all();
                }
            }
            // What it wrote for people is whole when it says that it cannot.
            let _ = talk.join();
            lock(&heard).ended = true;
            heard.1.notify_all();
        });
        Ok(Program { child, said })
    }

    /// Id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells whether its process has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Lines that it has said so far.
    pub fn said(&self) -> MutexGuard<'_, Said> {
        lock(&self.said)
    }

    /// Waits until the program has said something, or cannot any more.
    ///
    /// # Errors
    /// What it says instead, or that it does not say so.
    pub fn until(&mut self, is_there: impl Fn(&Said) -> bool) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            // A program that has ended may have left another with its output.
            let has_ended = self.has_ended();
            let wait = if has_ended { LAST } else { LOOK };
            let guard = self.said();
            let goes_on = |said: &mut Said| !(said.ended || said.error.is_some() || is_there(said));
            let waited = self.said.1.wait_timeout_while(guard, wait, goes_on);
            let (mut said, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            said.ended |= has_ended;
            if !timeout.timed_out() || has_ended || begun.elapsed() > PATIENCE {
                break;
            }
        }
        let said = self.said();
        match &said.error {
            Some(why) => Err(why.clone()),
            None if is_there(&said) => Ok(()),
            None if said.ended => Err(said.with_last("the program ended before it said so")),
            None => Err(format!("the program did not say so within {} s", PATIENCE.as_secs())),
        }
    }

    /// Ends the program and all that it started.
    pub fn end(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let tell = |signal| group.is_some_and(|group| kill_process_group(group, signal).is_ok());
        tell(Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < END && !self.has_ended() {
            std::thread::sleep(Duration::from_millis(10));
        }
        // What it started may outlive it.
        tell(Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock(said: &Arc<(Mutex<Said>, Condvar)>) -> MutexGuard<'_, Said> {
    said.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a line, of which no more than the longest is kept; false at the end.
fn read(out: &mut impl BufRead, line: &mut Vec<u8>) -> bool {
    line.clear();
    loop {
        let (used, ends) = match out.fill_buf() {
            Ok([]) | Err(_) => return !line.is_empty(),
            Ok(piece) => {
                let end = piece.iter().position(|byte| *byte == b'\n');
                let part = &piece[..end.unwrap_or(piece.len())];
                line.extend(part.iter().take(LONGEST.saturating_sub(line.len())));
                (end.map_or(piece.len(), |end| end + 1), end.is_some())
            }
        };
        out.consume(used);
        if ends {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_end_is_cut() {
        let mut line = Vec::new();
        let text = [vec![b'x'; 3 * LONGEST], b"\nnext".to_vec()].concat();
        let mut text = text.as_slice();
        assert!(read(&mut text, &mut line));
        assert_eq!(line.len(), LONGEST);
        assert!(read(&mut text, &mut line));
        assert_eq!(line, b"next");
        assert!(!read(&mut text, &mut line));
    }
}
