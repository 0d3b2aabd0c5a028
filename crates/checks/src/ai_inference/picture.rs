//! How the traffic was split, for the report.

use super::adapters::{BACKENDS, CHANGED, WEIGHTS};
use super::history::{History, SPLIT};
use super::judge::{CHANCE, weights_split_the_traffic};
use crate::statistics::interval_at;
use aiconform_model::Event;
use aiconform_verdict::{Bar, Outcome, Picture, Subject, Tone};

/// One picture of a class whose gateway was sent anything.
pub fn pictures(events: &[&Event], subject: &Subject) -> Vec<Picture> {
    let history = History::of(events);
    let mut bars = Vec::new();
    let before = history
        .all(SPLIT)
        .map(|done| (if done.keeps_alive { "used again" } else { "new connections" }, done, WEIGHTS));
    let after = history.all("changed").map(|done| ("after the change", done, CHANGED));
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
    if bars.is_empty() {
        return Vec::new();
    }
    let outcome = weights_split_the_traffic(events, subject);
    let tone = match outcome {
        Outcome::Met { .. } => Tone::Whole,
        Outcome::Unmet { .. } => Tone::Part,
        Outcome::Unknown { .. } => Tone::Open,
    };
    vec![Picture {
        title: "Shares of the traffic".into(),
        caption: outcome.text().into(),
        tone,
        series: "Shares of the traffic".into(),
        lanes: Vec::new(),
        marks: Vec::new(),
        curves: Vec::new(),
        count: None,
        shades: Vec::new(),
        grid: None,
        bars,
        length: 0,
    }]
}
