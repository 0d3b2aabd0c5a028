//! Utilisation against the load, for the report.

use super::adapters::Quantity;
use super::history::{History, Phase};
use aiconform_model::Event;
use aiconform_verdict::{Curve, Outcome, Picture, Span, Subject, Tone};

/// One picture for each device whose load came and went.
pub fn pictures(events: &[&Event], subject: &Subject) -> Vec<Picture> {
    let stretches = History::of(events, subject).stretches();
    stretches.iter().filter_map(|stretch| drawn(stretch, &super::judge::of_device(stretch))).collect()
}

fn drawn(history: &History, outcome: &Outcome) -> Option<Picture> {
    let quiet = history.phase("quiet")?;
    let last = history.all("rest_settled").last()?;
    let end = history.after(last).map_or(last.at, |next| next.at);
    let since = |at: i64| u64::try_from(at.clamp(quiet.at, end) - quiet.at).unwrap_or_default();
    let own = history.own();
    let mut curves: Vec<Curve> = Vec::new();
    let within = |phase: &Phase| phase.begin;
    let bounds = (within(quiet), history.after(last).map_or(u64::MAX, within));
    for scrape in
        history.scrapes.iter().filter(|scrape| scrape.sequence > bounds.0 && scrape.sequence < bounds.1)
    {
        let Ok(told) = &scrape.read else { continue };
        for reading in told.readings.iter().filter(|reading| reading.quantity == Quantity::Utilisation) {
            let point = (since(scrape.between.1), reading.value);
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
    let shades = history
        .all("load")
        .map(|load| {
            let rest = history.all("rest").find(|rest| rest.begin > load.begin);
            Span { from: since(load.at), to: since(rest.map_or(end, |rest| rest.at)), state: "load" }
        })
        .collect();
    let tone = match outcome {
        Outcome::Met { .. } => Tone::Whole,
        Outcome::Unmet { .. } => Tone::Part,
        Outcome::Unknown { .. } => Tone::Open,
    };
    Some(Picture {
        title: match history.of_given("mode").and_then(|mode| mode.as_str()) {
            Some(mode) => format!("Utilisation against the load ({mode})"),
            None => "Utilisation against the load".into(),
        },
        caption: outcome.text().into(),
        tone,
        series: "Utilisation against the load".into(),
        lanes: Vec::new(),
        marks: Vec::new(),
        curves,
        shades,
        count: None,
        grid: None,
        bars: Vec::new(),
        length: since(end),
    })
}
