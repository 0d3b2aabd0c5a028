//! Chooses what runs, plans a run, runs it into a folder, judges what is stored there, and compares. Prints nothing.

mod choice;
mod compare;
mod judge;
mod plan;
mod record;
mod role;
mod run;
#[cfg(test)]
mod tapes;

pub use choice::{WrongChoice, choose, named, profile, refuse_unknown_trials, with_files};
pub use compare::{NotComparable, compare};
pub use judge::{Before, Judged, RunJudge, ViewError, judge, write};
pub use plan::{Plan, Planned, Present, plan};
pub use record::{Interrupt, RecordError, Setup, record};
pub use role::role;
pub use run::{End, Request, run};
