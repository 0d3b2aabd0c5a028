//! Talk on stderr while work goes on. A terminal shows what each subject does now, in one line that changes;
//! elsewhere every step is a line of its own, with the time since the start.

use aiconform_checks::Progress;
use aiconform_model::Scope;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Says on stderr what goes on.
pub struct Talk {
    start: Instant,
    name: String,
    /// The part of a terminal that changes, shared by all of one command; `None` elsewhere.
    live: Option<MultiProgress>,
    /// Lines that are shown there, by the name of who works.
    doing: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Talk {
    /// Time counts from now.
    pub fn new() -> Talk {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let live = (std::io::stderr().is_terminal() && !dumb).then(MultiProgress::new);
        Talk { start: Instant::now(), name: String::new(), live, doing: Mutex::default() }
    }

    /// Puts a name before each line, on the same clock: for several runs side by side.
    pub fn named(&self, name: &str) -> Talk {
        Talk {
            start: self.start,
            name: format!("{name}: "),
            live: self.live.clone(),
            doing: Mutex::default(),
        }
    }

    /// Says what somebody does; without a name, what is worth keeping on a terminal too.
    pub fn line(&self, who: &str, words: &str) {
        let named = if who.is_empty() { self.name.clone() } else { format!("{}{who}: ", self.name) };
        match &self.live {
            Some(live) if !who.is_empty() => self.show(live, named, words),
            Some(live) => {
                // A terminal that went away is told nothing more.
                let _ = live.println(format!("{} {named}{words}", self.clock()));
            }
            None => anstream::eprintln!("{} {named}{words}", self.clock()),
        }
    }

    /// Takes what changes from the terminal, before results are printed.
    pub fn clear(&self) {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, line) in std::mem::take(&mut *doing) {
            line.finish_and_clear();
        }
    }

    fn show(&self, live: &MultiProgress, who: String, words: &str) {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        let line = doing.entry(who).or_insert_with_key(|who| {
            let line = live.add(ProgressBar::new_spinner().with_prefix(who.clone()));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}{wide_msg}") {
                line.set_style(style.tick_chars("-\\|/ "));
            }
            line.enable_steady_tick(Duration::from_millis(150));
            line
        });
        line.set_message(words.to_owned());
    }

    fn clock(&self) -> String {
        let seconds = self.start.elapsed().as_secs();
        format!("[{:>3}:{:02}]", seconds / 60, seconds % 60)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Progress for Talk {
    fn tell(&self, scope: &Scope, words: &str) {
        let who = if scope.subject.is_empty() { &scope.check } else { &scope.subject };
        self.line(who, words);
    }
}

impl aiconform_lab::Progress for Talk {
    fn step(&self, step: &aiconform_lab::Step) {
        use aiconform_lab::Step;
        match step {
            Step::Waiting { what } => self.line("lab", &format!("waiting for {what}")),
            Step::Building { component, number, of, packages } => {
                self.line(
                    "lab",
                    &format!("building {component} ({number} of {of}): {packages} packages so far"),
                );
            }
            Step::Built { component, seconds } => {
                self.line("", &format!("lab: built {component} in {seconds} s"));
            }
            Step::Up { what, milliseconds } => {
                self.line("lab", &format!("{what} up after {:.1} s", *milliseconds as f64 / 1000.0));
            }
            Step::Ready | Step::Failed { .. } => self.clear(),
        }
    }
}
