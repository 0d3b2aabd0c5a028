//! Claims, outcomes, and how they become the verdict of a requirement.
//!
//! Everything here is a pure function of the evidence: a stored run is judged again to the same result.

mod claim;
mod judge;
mod judgement;
mod lean;
mod picture;

pub use claim::{
    Aggregate, Claim, Grade, Measure, NOT_PROVIDED, Outcome, Rules, Standing, Step, StepState, Subject,
};
pub use judge::{OWN_CONTROL, decide, judge, summary};
pub use judgement::{ClaimJudgement, Judgement, State, SubjectJudgement, Verdict};
pub use lean::Lean;
pub use picture::{Bar, Cell, CellKind, Curve, Grid, Lane, Mark, Picture, Row, Span, Tone};
