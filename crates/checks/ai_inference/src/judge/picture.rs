//! Split of the traffic, for the report.

use super::SPLITS;
use super::history::History;
use super::shares::CHANCE;
use crate::marks::{AFTER, BACKENDS, CHANGED, SPLIT, WEIGHTS};
use aiconform_trial::statistics::interval_at;
use aiconform_verdict::{Bar, ClaimJudgement, Drawing, Gallery, Outcome, Picture, Tone};

const GALLERY: Gallery = Gallery {
    heading: "Where the requests went",
    says: "A share that is counted says only so much: the line is what it can come of, and the mark is what was asked for.",
    legend: &[
        ("own", "share of the requests"),
        ("reach", "what it can come of"),
        ("goal", "what the weight says"),
    ],
    words: None,
};

/// One picture of a class whose gateway was sent anything.
pub fn pictures(history: &History, claims: &[ClaimJudgement]) -> Vec<Picture> {
    let mut bars = Vec::new();
    let before = history
        .all(SPLIT)
        .map(|done| (if done.keeps_alive { "used again" } else { "new connections" }, done, WEIGHTS));
    let after = history.all(AFTER).map(|done| ("after the change", done, CHANGED));
    for (group, done, weights) in before.chain(after) {
        let tally = history.tally(&done.sent);
        let of = tally.ours();
        if of == 0 {
            continue;
        }
        for (role, weight) in BACKENDS.iter().zip(weights) {
            let count = tally.of(role);
            let (low, high) = interval_at(count as usize, of as usize, CHANCE);
            #[allow(clippy::cast_precision_loss, reason = "weights are small")]
            bars.push(Bar {
                group: group.into(),
                name: (*role).into(),
                share: f64::from(count) / f64::from(of) * 100.0,
                interval: (low, high),
                expected: weight as f64,
            });
        }
    }
    let claim = claims.iter().find(|claim| claim.id == SPLITS);
    let Some(outcome) = claim.map(|claim| &claim.outcome).filter(|_| !bars.is_empty()) else {
        return Vec::new();
    };
    let tone = match outcome {
        Outcome::Met { .. } => Tone::Good,
        Outcome::Unmet { .. } => Tone::Bad,
        Outcome::Unknown { .. } => Tone::Open,
    };
    vec![Picture {
        title: "Shares of the traffic".into(),
        caption: outcome.text().into(),
        tone,
        series: "Shares of the traffic".into(),
        place: 0,
        gallery: Some(&GALLERY),
        drawing: Drawing::Bars(bars),
    }]
}
