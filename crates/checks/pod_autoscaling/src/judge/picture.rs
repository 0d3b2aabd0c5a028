//! Replicas against the metric, for the report.

use super::history::History;
use crate::plan::Name;
use aiconform_trial::{Moment, outcome};
use aiconform_verdict::{
    ClaimJudgement, Curve, Drawing, Gallery, Mark, Outcome, Picture, Scale, Span, Standing, Tone,
};

const GALLERY: Gallery = Gallery {
    heading: "A metric rises and falls, and pods with it",
    says: "There are as many as its sum over the target of each asks for, within the limits, whatever another namespace says and when nobody says anything.",
    legend: &[
        ("line-a", "pods that were wanted"),
        ("thin", "the metric's sum, in targets"),
        ("shaded", "another namespace says much; nobody says anything"),
    ],
    words: None,
};

/// One picture of a subject that was scaled.
pub fn pictures(history: &History, claims: &[ClaimJudgement]) -> Vec<Picture> {
    drawn(history, claims).into_iter().collect()
}

fn drawn(history: &History, claims: &[ClaimJudgement]) -> Option<Picture> {
    let (start, end) = (history.steps.first()?.when, history.last);
    let since =
        |when: Moment| u64::try_from(when.clamp(start, end).since(start).as_millis()).unwrap_or(u64::MAX);
    #[allow(clippy::cast_precision_loss, reason = "pods are few")]
    let top = 2.0 * history.facts.most as f64;
    let mut asked: Vec<(u64, f64)> = Vec::new();
    for step in &history.steps {
        // Where nobody says anything, the line goes on as it was.
        if let Some(value) = step.step.value {
            stepped(&mut asked, since(step.when), value / history.facts.target / top);
        }
    }
    let mut replicas: Vec<(u64, f64)> = Vec::new();
    for seen in history.replicas.iter().filter(|seen| seen.at < history.over) {
        #[allow(clippy::cast_precision_loss, reason = "pods are few")]
        stepped(&mut replicas, since(seen.when), seen.count as f64 / top);
    }
    for curve in [&mut asked, &mut replicas] {
        let last = curve.last()?.1;
        curve.push((since(end), last));
    }
    let shade = |name: Name, state: &'static str| {
        let place = history.steps.iter().position(|step| step.step.name == name)?;
        let to = history.steps.get(place + 1).map_or(end, |next| next.when);
        Some(Span { from: since(history.steps[place].when), to: since(to), state })
    };
    let (tone, caption) = caption(claims);
    Some(Picture {
        title: "Replicas against the metric".into(),
        caption,
        tone,
        series: "Replicas against the metric".into(),
        place: 0,
        gallery: Some(&GALLERY),
        drawing: Drawing::Curves {
            curves: vec![
                Curve { name: "the metric's sum, in targets".into(), points: asked, main: false },
                Curve { name: "replicas".into(), points: replicas, main: true },
            ],
            scale: Scale::Count(2 * history.facts.most),
            shades: [
                shade(Name::Decoy, "another namespace says much"),
                shade(Name::Missing, "nobody says anything"),
            ]
            .into_iter()
            .flatten()
            .collect(),
            marks: history
                .steps
                .iter()
                .map(|step| Mark { at: since(step.when), name: step.step.name.word().into() })
                .collect(),
            length: since(end),
        },
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

/// Tone and caption: the first claim that is not met, or how it should look.
fn caption(claims: &[ClaimJudgement]) -> (Tone, String) {
    let outcomes: Vec<Outcome> = claims
        .iter()
        .filter(|claim| claim.standing != Standing::Control)
        .map(|claim| claim.outcome.clone())
        .collect();
    match outcome::worst(&outcomes) {
        Some(worst) => (if worst.is_unmet() { Tone::Bad } else { Tone::Open }, worst.text().into()),
        None => {
            let caption =
                "The replicas follow the metric's sum over its target, within their limits, and nothing else";
            (Tone::Good, caption.into())
        }
    }
}
