//! What is said on stderr while work goes on: one line a step, each with the time since the start.

use aiconform_checks::Progress;
use aiconform_model::Scope;
use std::time::Instant;

/// Says on stderr what goes on.
#[derive(Clone)]
pub struct Talk {
    start: Instant,
    name: String,
}

impl Talk {
    /// Time counts from now.
    pub fn new() -> Talk {
        Talk { start: Instant::now(), name: String::new() }
    }

    /// The same clock, with a name before each line: for several runs side by side.
    pub fn named(&self, name: &str) -> Talk {
        Talk { start: self.start, name: format!("{name}: ") }
    }

    /// Says one line.
    pub fn line(&self, who: &str, words: &str) {
        let seconds = self.start.elapsed().as_secs();
        let who = if who.is_empty() { String::new() } else { format!("{who}: ") };
        anstream::eprintln!("[{:>3}:{:02}] {}{who}{words}", seconds / 60, seconds % 60, self.name);
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
            Step::Building { component, number, of, packages } => {
                self.line(
                    "lab",
                    &format!("building {component} ({number} of {of}): {packages} packages so far"),
                );
            }
            Step::Built { component, seconds } => {
                self.line("lab", &format!("built {component} in {seconds} s"))
            }
            Step::Up { what, milliseconds } => {
                self.line("lab", &format!("{what} up after {:.1} s", *milliseconds as f64 / 1000.0));
            }
            Step::Ready | Step::Failed { .. } => {}
        }
    }
}
