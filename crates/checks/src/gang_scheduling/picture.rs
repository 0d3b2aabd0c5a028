//! Timelines of pods held and bound: all-or-nothing, and a deadlock, at a glance.

use super::history::{History, Life, histories, planned};
use super::trials::SIZE;
use aiconform_model::Event;
use aiconform_verdict::{Lane, Mark, Picture, Span, Subject, Tone};
use serde_json::Value;
use std::collections::BTreeSet;

const WHOLE: usize = SIZE as usize;

/// The pictures of a subject: the gang that misses a slot, and every round of two gangs.
pub fn pictures(events: &[&Event], subject: &Subject) -> Vec<Picture> {
    histories(events).iter().filter_map(|history| picture(history, subject)).collect()
}

fn picture(history: &History, subject: &Subject) -> Option<Picture> {
    let (first, title, series, marks): (_, String, &str, &[(&str, &str)]) =
        if let Some(begin) = history.phase("contend") {
            let round = begin.data.get("round").and_then(Value::as_u64).unwrap_or_default() + 1;
            let ample = begin.data.get("quota") != begin.data.get("slots");
            let quota = planned(subject, "ample-").next().is_some();
            let series = match (history.trial.starts_with("three-"), ample, quota) {
                (true, ..) => "Three gangs of 4 on 6 slots",
                (_, true, _) => "Two gangs of 4 on 6 slots, quota above capacity",
                (_, false, true) => "Two gangs of 4 on 6 slots, quota equal to capacity",
                (_, false, false) => "Two gangs of 4 on 6 slots",
            };
            (
                begin,
                format!("Round {round}"),
                series,
                &[("slots_come", "slots come"), ("settled", "settled"), ("release", "winner deleted")],
            )
        } else {
            let begin = history.phase("gang").filter(|_| history.trial == "near-miss")?;
            let title = "A gang of 4 on 3 slots; then a fourth slot".to_owned();
            (
                begin,
                title,
                "A gang that misses one slot",
                &[("gang_window_closed", "window closed"), ("release", "fourth slot")],
            )
        };
    let last = history
        .phase("release_ended")
        .or_else(|| history.phase("settled"))
        .or_else(|| history.phases.last())?;
    let (start, end) = (first.at, last.at.max(first.at + 1));
    let since = |at: i64| u64::try_from(at.clamp(start, end) - start).unwrap_or_default();
    let lanes: Vec<Lane> = history
        .pods
        .iter()
        .filter(|pod| pod.role == "gang" && pod.seen.0 > first.begin && pod.seen.0 < last.begin)
        .map(|pod| lane(pod, &since, end))
        .collect();
    let marks = marks
        .iter()
        .filter_map(|(phase, name)| Some(Mark { at: since(history.phase(phase)?.at), name: (*name).into() }))
        .collect();
    let settled = history.phase("settled").or_else(|| history.phase("gang_window_closed"))?;
    let gangs: BTreeSet<&str> = lanes.iter().map(|lane| lane.group.as_str()).collect();
    let held: Vec<(&str, usize)> =
        gangs.iter().map(|gang| (*gang, history.held(gang, settled.begin))).collect();
    let counts: Vec<String> = held
        .iter()
        .map(|(gang, held)| match gang.rsplit_once('-') {
            Some((_, "a")) => format!("A {held} of 4"),
            Some((_, "b")) => format!("B {held} of 4"),
            Some((_, "c")) => format!("C {held} of 4"),
            _ => format!("{held} of 4 pods"),
        })
        .collect();
    let parts = held.iter().filter(|(_, held)| *held > 0 && *held < WHOLE).count();
    let wholes = held.iter().filter(|(_, held)| *held == WHOLE).count();
    let tone = match (parts, wholes) {
        (0, 0) if history.trial == "near-miss" => Tone::Whole,
        (0, 0) => Tone::Open,
        (0, _) => Tone::Whole,
        (2.., 0) => Tone::Deadlock,
        _ => Tone::Part,
    };
    let caption =
        if counts.is_empty() { "no pod came to be".into() } else { format!("Bound: {}", counts.join(", ")) };
    let (curves, shades) = (Vec::new(), Vec::new());
    Some(Picture {
        title,
        caption,
        tone,
        series: series.into(),
        lanes,
        marks,
        curves,
        shades,
        count: None,
        grid: None,
        bars: Vec::new(),
        length: since(end),
    })
}

fn lane(pod: &Life, since: &dyn Fn(i64) -> u64, end: i64) -> Lane {
    let gone = pod.gone.map_or(end, |(_, at)| at);
    let bound = pod.bound.map_or(gone, |(_, at)| at);
    let mut spans = vec![Span { from: since(pod.seen.1), to: since(bound), state: "held" }];
    if pod.bound.is_some() {
        spans.push(Span { from: since(bound), to: since(gone), state: "bound" });
    }
    spans.retain(|span| span.to > span.from);
    Lane { name: pod.name.clone(), group: pod.gang.clone(), spans }
}
