//! What a breakage must do, against what it did.

use aiconform_checks::{Expected, Fault};
use aiconform_verdict::Judgement;
use serde::Serialize;

/// One thing that a breakage must do, and what it did.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Check, breakage and variant.
    pub name: String,
    /// Id of the claim; empty of a verdict or of a whole subject.
    pub claim: String,
    /// Id of the subject; empty of a verdict.
    pub subject: String,
    /// What must be seen.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// Whether the two are the same.
    pub found: bool,
    /// What was seen, or why nothing can be said.
    pub why: String,
}

/// What the fault says against what was observed; everything else against the twin.
pub fn compare(name: &str, fault: &Fault, observed: &Judgement, twin: Option<&Judgement>) -> Vec<Row> {
    let row = |claim: &str, subject: &str, expected: &str, seen: &str, why: &str| Row {
        name: name.into(),
        claim: claim.into(),
        subject: subject.into(),
        expected: expected.into(),
        observed: seen.into(),
        found: expected == seen,
        why: why.into(),
    };
    let mut rows = vec![row("", "", &fault.verdict, observed.word(), &observed.why)];
    if !fault.says.is_empty() {
        let expected = format!("says {}", fault.says);
        let said = observed.why.contains(&fault.says);
        rows.push(row(
            "",
            "",
            &expected,
            if said { &expected } else { "says something else" },
            &observed.why,
        ));
    }
    let subject =
        |judgement: &Judgement, id: &str| judgement.subjects.iter().find(|subject| subject.id == id).cloned();
    for Expected { subject: id, claim, outcome } in &fault.expect {
        let seen = subject(observed, id);
        let (word, why) = match (&seen, claim) {
            (None, _) => ("not tried", ""),
            (Some(subject), None) => (subject.state.word(), subject.why.as_str()),
            (Some(subject), Some(claim)) => {
                subject.outcome(claim).map_or(("not tried", ""), |outcome| (outcome.word(), outcome.text()))
            }
        };
        rows.push(row(claim.as_deref().unwrap_or_default(), id, outcome, word, why));
    }
    for seen in &observed.subjects {
        let named = |claim: Option<&str>| {
            fault
                .expect
                .iter()
                .any(|expected| expected.subject == seen.id && expected.claim.as_deref() == claim)
        };
        let Some(healthy) = twin.and_then(|twin| subject(twin, &seen.id)) else { continue };
        // A subject whose whole state is expected may have any claims.
        if named(None) {
            continue;
        }
        for claim in seen.claims.iter().filter(|claim| !named(Some(claim.id))) {
            let expected = healthy.outcome(claim.id).map_or("not tried", |outcome| outcome.word());
            // Only a difference is worth a row.
            if expected != claim.outcome.word() {
                rows.push(row(claim.id, &seen.id, expected, claim.outcome.word(), claim.outcome.text()));
            }
        }
    }
    rows
}
