//! Outcomes, in few words.

use crate::moment::Position;
use aiconform_verdict::Outcome;

/// The claim holds; what was seen that shows it.
pub fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

/// The claim is false; what was seen that shows it, and where.
pub fn unmet(witness: impl Into<String>, events: impl IntoIterator<Item = Position>) -> Outcome {
    let events = events.into_iter().map(|position| position.0).collect();
    Outcome::Unmet { witness: witness.into(), events }
}

/// Nothing can be said; why.
pub fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

/// The first of several outcomes that is unmet, else the first that is unknown; nothing where all are met, or there is none.
pub fn worst(outcomes: &[Outcome]) -> Option<&Outcome> {
    let unmet = outcomes.iter().find(|outcome| outcome.is_unmet());
    unmet.or_else(|| outcomes.iter().find(|outcome| !outcome.is_met()))
}

/// One outcome from several: the worst, else met with all that was seen. Of none nothing is known.
pub fn together(outcomes: &[Outcome]) -> Outcome {
    match worst(outcomes) {
        Some(worst) => worst.clone(),
        None if outcomes.is_empty() => unknown("nothing of it was to be tried"),
        None => met(outcomes.iter().map(Outcome::text).collect::<Vec<_>>().join("; ")),
    }
}
