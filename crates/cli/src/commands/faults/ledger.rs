//! The ledger of a command that breaks labs: how long each try took, and what for.

use crate::talk::Talk;
use serde::Serialize;
use std::time::Instant;

/// Number of the slowest tries that are named at the end.
const NAMED: usize = 10;

/// Seconds that one try took.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Spent {
    /// To start its lab, where it is the first on it.
    pub lab_up: f64,
    /// To break it.
    pub breaking: f64,
    /// To run the checks and judge.
    pub run: f64,
    /// To heal it.
    pub healing: f64,
}

impl Spent {
    /// All of them.
    pub fn seconds(&self) -> f64 {
        tenths(self.lab_up + self.breaking + self.run + self.healing)
    }

    /// In words, without what took no time.
    fn in_words(&self) -> String {
        let all =
            [("lab up", self.lab_up), ("break", self.breaking), ("run", self.run), ("heal", self.healing)];
        let spent = all.iter().filter(|(_, seconds)| *seconds > 0.0);
        spent.map(|(what, seconds)| format!("{what} {seconds:.1}")).collect::<Vec<_>>().join(", ")
    }
}

/// Awaits something, and adds to the seconds how long that took.
pub async fn timed<T>(seconds: &mut f64, work: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let done = work.await;
    *seconds = tenths(*seconds + start.elapsed().as_secs_f64());
    done
}

fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// Tries and labs so far.
#[derive(Default)]
pub struct Ledger {
    tries: Vec<(String, Spent)>,
    /// Labs that were started.
    pub labs: usize,
}

impl Ledger {
    /// Writes a try down.
    pub fn add(&mut self, name: &str, spent: Spent) {
        self.tries.push((name.into(), spent));
    }

    /// Says how many labs were started and which tries took the longest.
    pub fn tell(mut self, talk: &Talk) {
        talk.line(
            "",
            &format!("{} labs were started for {} runs; the slowest:", self.labs, self.tries.len()),
        );
        self.tries.sort_by(|(_, one), (_, other)| other.seconds().total_cmp(&one.seconds()));
        for (name, spent) in self.tries.iter().take(NAMED) {
            talk.line("", &format!("{:>7.1} s  {name} ({})", spent.seconds(), spent.in_words()));
        }
    }
}
