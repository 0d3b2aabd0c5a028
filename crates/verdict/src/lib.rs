//! Claims, outcomes, and how they become the verdict of a requirement.
//!
//! Everything here is a pure function of the evidence: a stored run is judged again to the same result.

mod against;
mod claim;
mod judge;
mod judgement;
mod lean;
mod picture;
#[cfg(test)]
mod testing;

pub use claim::{
    Aggregate, Basis, Grade, Judged, Measure, NOT_PROVIDED, Outcome, SHOWS, Sentence, Standing, Step,
    StepState, Subject,
};
pub use judge::{OWN_CONTROL, decide, judge, state, summary};
pub use judgement::{ClaimJudgement, Judgement, State, SubjectJudgement, Verdict};
pub use lean::Lean;
pub use picture::{
    Bar, Cell, CellKind, Curve, Drawing, Gallery, Grid, Lane, Mark, Picture, Row, Scale, Span, Tone, Words,
};
