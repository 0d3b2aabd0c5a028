//! The run as a whole, in one sentence or two: how many MUSTs came to what, and whether a submission can be made of it.

use crate::Report;
use aiconform_model::catalogue::{self, Level};
use aiconform_verdict::{Judgement, Verdict};

/// Ends of a MUST in words, in the order in which they are told.
const WORDS: [(Came, &str); 6] = [
    (Came::Passed, "passed"),
    (Came::Simulated, "passed on simulated devices"),
    (Came::NotApplicable, "not applicable, with proof"),
    (Came::Failed, "failed"),
    (Came::Inconclusive, "inconclusive"),
    (Came::NotTested, "not tested"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Passed,
    Simulated,
    NotApplicable,
    Failed,
    Inconclusive,
    NotTested,
}

fn came(judgement: Option<&Judgement>) -> Came {
    match judgement.map(|judgement| (judgement.verdict, judgement.simulated)) {
        Some((Verdict::Passed, false)) => Came::Passed,
        Some((Verdict::Passed, true)) => Came::Simulated,
        Some((Verdict::NotApplicable, _)) => Came::NotApplicable,
        Some((Verdict::Failed, _)) => Came::Failed,
        Some((Verdict::Inconclusive, _)) => Came::Inconclusive,
        Some((Verdict::NotRun, _)) | None => Came::NotTested,
    }
}

/// The sentence with which the page begins.
pub fn whole(report: &Report) -> String {
    let asked =
        catalogue::requirements().iter().filter(|found| found.level(&report.release) == Some(Level::Must));
    let musts: Vec<(&str, Came)> = asked
        .map(|must| {
            let judged = report.requirements.iter().find(|judged| judged.judgement.requirement == must.id);
            (must.id.as_str(), came(judged.map(|judged| &judged.judgement)))
        })
        .collect();
    if musts.is_empty() {
        return format!("Nothing is known of the MUSTs of {}.", report.release);
    }
    let of = |wanted: Came| -> Vec<&str> {
        musts.iter().filter(|(_, came)| *came == wanted).map(|(id, _)| *id).collect()
    };
    let counts = WORDS.iter().filter_map(|(came, word)| {
        let ids = of(*came);
        match (ids.len(), came) {
            (0, _) => None,
            (count, Came::Passed) => Some(format!("{count} passed")),
            (count, _) => Some(format!("{count} {word} ({})", ids.join(", "))),
        }
    });
    let counts = counts.collect::<Vec<_>>().join("; ");
    let ready = of(Came::Passed).len() + of(Came::NotApplicable).len();
    let submission = if ready == musts.len() {
        "Every MUST is as a submission needs it: aiconform submit.".to_owned()
    } else if of(Came::Simulated).len() + ready == musts.len() {
        "Of simulated devices no submission can be made, but a demonstration: aiconform submit --demo."
            .to_owned()
    } else {
        "No submission can be made of it before every MUST has passed, or is shown not to apply.".to_owned()
    };
    format!("Of the {} MUSTs of {}: {counts}. {submission}", musts.len(), report.release)
}
