//! Replicas against the metric, for the report.

use super::history::History;
use super::plan::Name;
use aiconform_model::Event;
use aiconform_verdict::{Curve, Mark, Outcome, Picture, Span, Standing, Subject, Tone};

/// One picture of a subject that was scaled.
pub fn pictures(events: &[&Event], subject: &Subject) -> Vec<Picture> {
    let history = History::of(events, subject);
    drawn(&history, events, subject).into_iter().collect()
}

fn drawn(history: &History, events: &[&Event], subject: &Subject) -> Option<Picture> {
    let first = history.steps.first()?;
    let start = first.begin.1;
    let over = history.over.unwrap_or(u64::MAX);
    let end = events
        .iter()
        .filter(|event| event.sequence <= over)
        .map(|event| event.time.as_millisecond())
        .max()?;
    let since = |at: i64| u64::try_from(at.clamp(start, end) - start).unwrap_or_default();
    #[allow(clippy::cast_precision_loss, reason = "pods are few")]
    let top = 2.0 * history.most as f64;
    let mut asked: Vec<(u64, f64)> = Vec::new();
    for step in &history.steps {
        // Where nobody says anything, the line goes on as it was.
        if let Some(value) = step.value {
            stepped(&mut asked, since(step.begin.1), value / history.target / top);
        }
    }
    let mut replicas: Vec<(u64, f64)> = Vec::new();
    for (at, when, count) in &history.replicas {
        if *at < over {
            #[allow(clippy::cast_precision_loss, reason = "pods are few")]
            stepped(&mut replicas, since(*when), *count as f64 / top);
        }
    }
    for curve in [&mut asked, &mut replicas] {
        let last = curve.last()?.1;
        curve.push((since(end), last));
    }
    let shade = |name: Name, state: &'static str| {
        let place = history.steps.iter().position(|step| step.name == name.word())?;
        let to = history.steps.get(place + 1).map_or(end, |next| next.begin.1);
        Some(Span { from: since(history.steps[place].begin.1), to: since(to), state })
    };
    let (tone, caption) = outcome(events, subject);
    Some(Picture {
        title: "Replicas against the metric".into(),
        caption,
        tone,
        series: "Replicas against the metric".into(),
        lanes: Vec::new(),
        marks: history
            .steps
            .iter()
            .map(|step| Mark { at: since(step.begin.1), name: step.name.clone() })
            .collect(),
        curves: vec![
            Curve { name: "the metric's sum, in targets".into(), points: asked, main: false },
            Curve { name: "replicas".into(), points: replicas, main: true },
        ],
        shades: [
            shade(Name::Decoy, "another namespace says much"),
            shade(Name::Missing, "nobody says anything"),
        ]
        .into_iter()
        .flatten()
        .collect(),
        count: Some(2 * history.most),
        grid: None,
        bars: Vec::new(),
        length: since(end),
    })
}

/// A value that holds until the next.
fn stepped(curve: &mut Vec<(u64, f64)>, at: u64, value: f64) {
    if let Some((_, last)) = curve.last() {
        let last = *last;
        curve.push((at, last));
    }
    curve.push((at, value));
}

/// What the steps came to: the first that did not come to what it must, or how it should look.
fn outcome(events: &[&Event], subject: &Subject) -> (Tone, String) {
    let outcomes: Vec<Outcome> = super::CLAIMS
        .iter()
        .filter(|claim| claim.standing != Standing::Control && (claim.applies)(subject))
        .map(|claim| (claim.judge)(events, subject))
        .collect();
    if let Some(unmet) = outcomes.iter().find(|outcome| outcome.is_unmet()) {
        return (Tone::Part, unmet.text().into());
    }
    if let Some(unknown) = outcomes.iter().find(|outcome| !outcome.is_met()) {
        return (Tone::Open, unknown.text().into());
    }
    let caption =
        "The replicas follow the metric's sum over its target, within their limits, and nothing else";
    (Tone::Whole, caption.into())
}
