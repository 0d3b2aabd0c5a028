//! Claims, outcomes, and how they become the verdict of a requirement.
//!
//! Everything here is a pure function of the evidence: a stored run is judged again to the same result.

mod claim;
mod judge;
mod picture;

pub use claim::{Aggregate, Claim, Grade, Measure, Outcome, Rules, Standing, Step, StepState, Subject};
pub use judge::{ClaimJudgement, Judgement, State, SubjectJudgement, Verdict, decide, judge, summary};
pub use picture::{Lane, Mark, Picture, Span, Tone};
