//! Comparison of what a breakage must do with what it did.

use super::ledger::Spent;
use aiconform_checks::{Expected, Fault};
use aiconform_verdict::Judgement;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One thing that a breakage must do, and what it did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// Check, breakage and variant.
    pub name: String,
    /// Id of the claim; empty of a verdict or of a whole subject.
    pub claim: String,
    /// Id of the subject; empty of a verdict.
    pub subject: String,
    /// Word that must be seen.
    pub expected: String,
    /// Word that was seen.
    pub observed: String,
    /// Set if the two are the same.
    pub found: bool,
    /// Sentence on what was seen, or on why nothing can be said.
    pub why: String,
    /// Seconds that the try took which this row is of; other rows may be of the same.
    pub seconds: f64,
    /// Shares of these seconds, by what they were spent on.
    pub spent: Spent,
}

impl Row {
    /// Row of something that could not be tried, or that was not done.
    pub fn missed(name: &str, expected: &str, why: &str) -> Row {
        let (name, expected, why) = (name.into(), expected.into(), why.into());
        Row { name, expected, observed: "could not be tried".into(), why, ..Row::default() }
    }

    /// The row, with the time that its try took.
    pub fn timed(self, spent: Spent) -> Row {
        Row { seconds: spent.seconds(), spent, ..self }
    }
}

/// Compares how a healthy lab is judged at last with how it was at first: verdicts, and claims by the word of
/// their outcome; a row for each difference, or one that there is none.
pub fn alike(name: &str, first: &[Judgement], last: &[Judgement]) -> Vec<Row> {
    let (first, last) = (words(first), words(last));
    let all: BTreeSet<&Place> = first.keys().chain(last.keys()).collect();
    let word = |words: &BTreeMap<Place, (String, String)>, place: &Place| {
        words.get(place).cloned().unwrap_or_else(|| ("not tried".into(), String::new()))
    };
    let differences = all.into_iter().filter_map(|place| {
        let ((expected, _), (observed, why)) = (word(&first, place), word(&last, place));
        let (requirement, subject, claim) = place.clone();
        (expected != observed).then(|| Row {
            name: format!("{name}: {requirement}"),
            claim,
            subject,
            expected,
            observed,
            why,
            ..Row::default()
        })
    });
    let differences: Vec<Row> = differences.collect();
    if !differences.is_empty() {
        return differences;
    }
    let as_at_first = "as at first".to_owned();
    vec![Row {
        name: name.into(),
        expected: as_at_first.clone(),
        observed: as_at_first,
        found: true,
        why: format!("{} verdicts and outcomes are what they were before anything was broken", first.len()),
        ..Row::default()
    }]
}

/// Requirement, subject and claim.
type Place = (String, String, String);

/// Word of everything that was judged, and why.
fn words(judged: &[Judgement]) -> BTreeMap<Place, (String, String)> {
    let mut words = BTreeMap::new();
    for judgement in judged {
        let mut add = |subject: &str, claim: &str, word: &str, why: &str| {
            let place = (judgement.requirement.to_owned(), subject.to_owned(), claim.to_owned());
            words.insert(place, (word.to_owned(), why.to_owned()));
        };
        add("", "", judgement.word(), &judgement.why);
        for subject in &judgement.subjects {
            add(&subject.id, "", subject.state.word(), &subject.why);
            for claim in &subject.claims {
                add(&subject.id, claim.id, claim.outcome.word(), claim.outcome.text());
            }
        }
    }
    words
}

/// Compares what the fault says with what was observed; everything else with the twin.
pub fn compare(name: &str, fault: &Fault, observed: &Judgement, twin: Option<&Judgement>) -> Vec<Row> {
    let row = |claim: &str, subject: &str, expected: &str, seen: &str, why: &str| Row {
        name: name.into(),
        claim: claim.into(),
        subject: subject.into(),
        expected: expected.into(),
        observed: seen.into(),
        found: expected == seen,
        why: why.into(),
        ..Row::default()
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
