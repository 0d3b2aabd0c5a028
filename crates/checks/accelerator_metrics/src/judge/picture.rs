//! Utilisation against the load, for the report.

use super::history::{History, Stretch};
use super::swing::follows;
use crate::adapters::Quantity;
use aiconform_trial::Moment;
use aiconform_verdict::{ClaimJudgement, Curve, Drawing, Gallery, Outcome, Picture, Scale, Span, Tone};

const GALLERY: Gallery = Gallery {
    heading: "A load comes and goes on one accelerator",
    says: "Metrics that can be trusted show it on that accelerator, and on no other.",
    legend: &[("shaded", "load"), ("line-a", "the accelerator that was put to work"), ("thin", "others")],
    words: None,
};

/// One picture for each device whose load came and went.
pub fn pictures(history: &History, claims: &[ClaimJudgement]) -> Vec<Picture> {
    let Some(claim) = claims.iter().find(|claim| claim.id == "utilisation_follows_the_load") else {
        return Vec::new();
    };
    let pictures = history.stretches.iter().map(|stretch| match &claim.outcome {
        // Of several devices each has its own outcome, unless nothing is known of any.
        Outcome::Met { .. } | Outcome::Unmet { .. } if history.stretches.len() > 1 => {
            drawn(stretch, &follows(stretch))
        }
        outcome => drawn(stretch, outcome),
    });
    pictures.flatten().collect()
}

fn drawn(stretch: &Stretch, outcome: &Outcome) -> Option<Picture> {
    let quiet = stretch.quiet?;
    let last = stretch.steady.iter().rfind(|steady| !steady.loaded && steady.phase.at > quiet.at)?.phase;
    let (start, end) = (quiet.when, last.until);
    let since =
        |when: Moment| u64::try_from(when.clamp(start, end).since(start).as_millis()).unwrap_or(u64::MAX);
    let own = stretch.device();
    let mut curves: Vec<Curve> = Vec::new();
    for scrape in stretch.scrapes.iter().filter(|scrape| scrape.at > quiet.at && scrape.at < last.end) {
        let Ok(metrics) = &scrape.read else { continue };
        for reading in metrics.readings.iter().filter(|reading| reading.quantity == Quantity::Utilisation) {
            let point = (since(scrape.ended), reading.value);
            match curves.iter_mut().find(|curve| curve.name == reading.device) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    name: reading.device.clone(),
                    points: vec![point],
                    main: own.as_ref() == Some(&reading.device),
                }),
            }
        }
    }
    // The loaded device on top of the others.
    curves.sort_by_key(|curve| curve.main);
    let shades = stretch
        .loads
        .iter()
        .map(|load| {
            let rest = stretch.rests.iter().map(|(rest, _)| rest).find(|rest| rest.at > load.at);
            Span { from: since(load.when), to: since(rest.map_or(end, |rest| rest.when)), state: "load" }
        })
        .collect();
    let tone = match outcome {
        Outcome::Met { .. } => Tone::Good,
        Outcome::Unmet { .. } => Tone::Bad,
        Outcome::Unknown { .. } => Tone::Open,
    };
    Some(Picture {
        title: match stretch.given.as_ref().and_then(|(_, given)| given.mode.as_ref()) {
            Some(mode) => format!("Utilisation against the load ({mode})"),
            None => "Utilisation against the load".into(),
        },
        caption: outcome.text().into(),
        tone,
        series: "Utilisation against the load".into(),
        place: 0,
        gallery: Some(&GALLERY),
        drawing: Drawing::Curves {
            curves,
            scale: Scale::Share,
            shades,
            marks: Vec::new(),
            length: since(end),
        },
    })
}
