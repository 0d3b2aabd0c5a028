//! Judge: pure functions of one ordered watch.

mod beyond;
mod contention;
mod controls;
mod grade;
pub mod guard;
pub mod history;
pub mod measures;
mod must;
pub mod picture;

pub use beyond::*;
pub use contention::*;
pub use controls::*;
pub use grade::grade;
pub use must::*;

use crate::marks::{SIZE, STUCK, Step};
use aiconform_trial::{Position, together};
use aiconform_verdict::Outcome;
use history::{History, Life, Phase, Trial};

const WHOLE: usize = SIZE as usize;
/// Canaries that must have been bound while a gang waited.
const PASSED_OVER: usize = 2;

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The gang that a step is about.
fn gang(phase: &Phase) -> &str {
    phase.mark.step.gang().unwrap_or_default()
}

/// The near misses of a subject, each judged.
fn near_misses(history: &History, judge: impl Fn(&History, &str) -> Outcome) -> Outcome {
    together(&history.facts.planned("near-miss").map(|trial| judge(history, trial)).collect::<Vec<_>>())
}

/// Tells whether so many pods that came later were bound meanwhile that what did not start is stuck, not slow.
fn is_stuck(trial: &Trial, begin: Position, end: Position) -> bool {
    trial.bound_between("canary", begin, end).0 >= STUCK
}

/// Tells whether pods of a gang were never made, though nothing holds the gang back any more: a policy or a quota for pods
/// keeps out what another object should make, which says nothing of gangs. A gang of which no pod exists may be held whole.
fn lacks_pods(trial: &Trial, gang: &str, (begin, end): (Position, Position), size: usize) -> bool {
    match trial.members(gang, begin).filter(|pod| pod.seen.at < end).count() {
        0 => !trial.is_refused(gang, end),
        there => there < size,
    }
}

fn names<'a>(pods: impl Iterator<Item = &'a Life>) -> String {
    pods.map(|pod| pod.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Positions where these pods were bound.
fn bound_at<'a>(pods: &'a [&Life]) -> impl Iterator<Item = Position> + 'a {
    pods.iter().filter_map(|pod| pod.bound).map(|bound| bound.at)
}

/// The step with which a gang is made.
fn is_gang(step: &Step) -> bool {
    matches!(step, Step::Gang { .. })
}
