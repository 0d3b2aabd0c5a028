//! Timelines of pods held and bound: all-or-nothing, and a deadlock, at a glance.

use super::contention::{is_contend, release};
use super::history::{History, Life, Phase, Trial};
use super::{WHOLE, is_gang};
use crate::marks::{CONTENDED, Facts, Release, SIZE, Step};
use aiconform_trial::Moment;
use aiconform_verdict::{ClaimJudgement, Drawing, Gallery, Lane, Mark, Picture, Span, Tone, Words};
use std::collections::BTreeSet;

const TWO_GANGS: Gallery = Gallery {
    heading: "Two gangs of four pods want the same six slots",
    says: "Under all-or-nothing scheduling one gang starts whole and the other waits whole. Where each holds a part, both wait for ever: a deadlock. One round of each is shown; all are below.",
    legend: &[("bar-a", "A holds a slot"), ("bar-b", "B holds a slot"), ("thin", "pod waits")],
    words: Some(Words { good: "all or nothing", bad: "in part", worst: "deadlock", open: "not decided" }),
};

/// The pictures of a subject: the gang that misses a slot, and every round of two gangs.
pub fn pictures(history: &History, _claims: &[ClaimJudgement]) -> Vec<Picture> {
    history.trials.iter().filter_map(|trial| picture(trial, &history.facts)).collect()
}

/// Content of a picture: its first step, its place among those of its series, its title and series, where the series hangs,
/// and the steps that are marked in it.
struct Drawn<'a> {
    first: &'a Phase,
    place: u64,
    gallery: Option<&'static Gallery>,
    title: String,
    series: String,
    marked: Vec<(Option<&'a Phase>, &'static str)>,
}

fn drawn<'a>(trial: &'a Trial, facts: &Facts) -> Option<Drawn<'a>> {
    let Some(first) = trial.phase(is_contend) else {
        let first = trial.phase(is_gang).filter(|_| trial.name == "near-miss")?;
        let slot = trial.phase(|step| matches!(step, Step::Release(Release::Slots { .. })));
        return Some(Drawn {
            first,
            place: 0,
            gallery: None,
            title: format!("A gang of {SIZE} on {} slots; then a fourth slot", SIZE - 1),
            series: "A gang that misses one slot".into(),
            marked: vec![(trial.end(&Step::GangWindowClosed {}), "window closed"), (slot, "fourth slot")],
        });
    };
    let Step::Contend { slots, quota, round, .. } = &first.mark.step else { return None };
    let gangs = if trial.name.starts_with("three-") { "Three" } else { "Two" };
    let by_quota = facts.planned("ample-").next().is_some();
    let quota = match (gangs, quota == slots, by_quota) {
        ("Three", ..) | (_, true, false) => "",
        (_, false, _) => ", quota above capacity",
        (_, true, true) => ", quota equal to capacity",
    };
    let come = trial.phase(|step| matches!(step, Step::SlotsCome { .. }));
    Some(Drawn {
        first,
        place: round + 1,
        gallery: (gangs == "Two").then_some(&TWO_GANGS),
        title: format!("Round {}", round + 1),
        series: format!("{gangs} gangs of {SIZE} on {CONTENDED} slots{quota}"),
        marked: vec![
            (come, "slots come"),
            (trial.end(&Step::Settled {}), "settled"),
            (release(trial).map(|(phase, ..)| phase), "winner deleted"),
        ],
    })
}

fn picture(trial: &Trial, facts: &Facts) -> Option<Picture> {
    let Drawn { first, place, gallery, title, series, marked } = drawn(trial, facts)?;
    let last = trial
        .end(&Step::ReleaseEnded {})
        .or_else(|| trial.end(&Step::Settled {}))
        .or_else(|| trial.phases.last())?;
    let (start, end) = (first.when.0, last.when.0.max(first.when.0 + 1));
    let since = |when: Moment| u64::try_from(when.0.clamp(start, end) - start).unwrap_or_default();
    let lanes: Vec<Lane> = trial
        .pods
        .iter()
        .filter(|pod| pod.role == "gang" && pod.seen.at > first.at && pod.seen.at < last.at)
        .map(|pod| lane(pod, &since, Moment(end)))
        .collect();
    let marks = marked
        .into_iter()
        .filter_map(|(phase, name)| Some(Mark { at: since(phase?.when), name: name.into() }))
        .collect();
    let settled = trial.end(&Step::Settled {}).or_else(|| trial.end(&Step::GangWindowClosed {}))?;
    let gangs: BTreeSet<&str> = lanes.iter().map(|lane| lane.group.as_str()).collect();
    let held: Vec<(&str, usize)> = gangs.iter().map(|gang| (*gang, trial.held(gang, settled.at))).collect();
    let counts: Vec<String> = held
        .iter()
        .map(|(gang, held)| match gang.rsplit_once('-') {
            Some((_, letter @ ("a" | "b" | "c"))) => {
                format!("{} {held} of {SIZE}", letter.to_uppercase())
            }
            _ => format!("{held} of {SIZE} pods"),
        })
        .collect();
    let parts = held.iter().filter(|(_, held)| *held > 0 && *held < WHOLE).count();
    let wholes = held.iter().filter(|(_, held)| *held == WHOLE).count();
    let tone = match (parts, wholes) {
        (0, 0) if trial.name == "near-miss" => Tone::Good,
        (0, 0) => Tone::Open,
        (0, _) => Tone::Good,
        (2.., 0) => Tone::Worst,
        _ => Tone::Bad,
    };
    let caption =
        if counts.is_empty() { "no pod came to be".into() } else { format!("Bound: {}", counts.join(", ")) };
    Some(Picture {
        title,
        caption,
        tone,
        series,
        place,
        gallery,
        drawing: Drawing::Lanes { lanes, marks, length: since(Moment(end)) },
    })
}

fn lane(pod: &Life, since: &dyn Fn(Moment) -> u64, end: Moment) -> Lane {
    let gone = pod.gone.map_or(end, |gone| gone.when);
    let bound = pod.bound.map_or(gone, |bound| bound.when);
    let mut spans = vec![Span { from: since(pod.seen.when), to: since(bound), state: "held" }];
    if pod.bound.is_some() {
        spans.push(Span { from: since(bound), to: since(gone), state: "bound" });
    }
    spans.retain(|span| span.to > span.from);
    Lane { name: pod.name.clone(), group: pod.gang.clone(), spans }
}
