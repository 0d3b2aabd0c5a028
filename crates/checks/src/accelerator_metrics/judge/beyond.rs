//! What goes further than the requirement: attribution, freshness, units.

use super::super::adapters::{Quantity, Reading};
use super::super::history::{History, Phase, Scraped};
use super::{bounds, each, met, rises, unknown, unmet};
use aiconform_model::Event;
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;

/// No accelerator is colder or hotter, in degrees Celsius.
const TEMPERATURES: (f64, f64) = (-40.0, 150.0);
/// No accelerator draws more, in watts.
const POWERS: (f64, f64) = (0.0, 20_000.0);
/// What is measured may pass its bounds by so much.
const SLACK: f64 = 1.02;
/// The device's word on its memory and the metrics' may differ by this part, which firmware keeps for itself.
const KEPT: f64 = 0.25;
/// A device that works all the time is busy for more than this; what shows less is in another unit.
const BUSY: f64 = 0.012;

fn readings(scrape: &Scraped) -> impl Iterator<Item = &Reading> {
    scrape.read.iter().flat_map(|told| &told.readings)
}

/// The series of the device name the pod that has it, and no more when it is gone.
pub fn attribution_follows_the_pod(events: &[&Event], subject: &Subject) -> Outcome {
    each(events, subject, attribution_follows_the_pod_of)
}

fn attribution_follows_the_pod_of(history: &History) -> Outcome {
    let (Some(own), Some(pod)) = (history.own(), history.of_given("pod").and_then(Value::as_str)) else {
        return unknown(history.lack("no series is of a device that a pod was given"));
    };
    let Some(quiet) = history.phase("quiet") else {
        return unknown(history.lack("nothing was asked while the pod ran"));
    };
    let namespace = history.of_given("namespace").and_then(Value::as_str).unwrap_or_default();
    let is_ours = |reading: &Reading| {
        let named = reading.pod.as_ref();
        named.is_some_and(|(space, name)| name == pod && (space.is_empty() || space == namespace))
    };
    let gone = history.phase("pod_deleted").map_or(u64::MAX, |phase| phase.begin);
    let during: Vec<&Scraped> = history
        .scrapes
        .iter()
        .filter(|scrape| scrape.sequence > quiet.begin && scrape.sequence < gone)
        .collect();
    let sequences = |scrapes: &[&Scraped]| scrapes.iter().map(|scrape| scrape.sequence).collect::<Vec<_>>();
    let Some(last) = during.iter().rev().find(|scrape| scrape.read.is_ok()) else {
        return unknown(history.lack("no metrics were read while the pod ran"));
    };
    if let Some(other) = readings(last).find(|reading| reading.device != own && is_ours(reading)) {
        return unmet(
            format!("{} is said to be of {pod}, which has {own}", other.device),
            vec![last.sequence],
        );
    }
    if !readings(last).any(|reading| reading.device == own && is_ours(reading)) {
        let named =
            readings(last).find(|reading| reading.device == own).and_then(|reading| reading.pod.clone());
        let named = named.map_or("nobody".into(), |(space, name)| format!("{space}/{name}"));
        return unmet(
            format!("the pod {namespace}/{pod} has {own}, whose series name {named}"),
            sequences(&during),
        );
    }
    let Some(settled) = history.phase("gone_settled") else {
        return unknown(history.lack("nothing was asked after the pod was gone"));
    };
    let Some(after) = history.within(settled).filter(|scrape| scrape.read.is_ok()).last() else {
        return unknown(history.lack("no metrics were read after the pod was gone"));
    };
    if let Some(stale) = readings(after).find(|reading| is_ours(reading)) {
        let waited = settled_after(settled, after);
        let witness =
            format!("{} still names {pod} {waited} ms after that was waited for in vain", stale.device);
        return unmet(witness, vec![after.sequence]);
    }
    met(format!("{own} names {namespace}/{pod} while that has it, and not when it is gone"))
}

/// Milliseconds from the mark before a phase to a scrape.
fn settled_after(phase: &Phase, scrape: &Scraped) -> i64 {
    (scrape.between.1 - phase.at).max(0)
}

/// What is told is of now.
pub fn samples_are_fresh(events: &[&Event], subject: &Subject) -> Outcome {
    each(events, subject, samples_are_fresh_of)
}

fn samples_are_fresh_of(history: &History) -> Outcome {
    let Some(quiet) = history.phase("quiet") else { return unknown(history.lack("nothing was asked twice")) };
    if history.phase("rest").is_none() {
        return unknown(history.lack("no load came and went"));
    }
    let scrapes: Vec<&Scraped> = history
        .scrapes
        .iter()
        .filter(|scrape| scrape.sequence > quiet.begin && scrape.read.is_ok())
        .collect();
    let (Some(first), Some(last)) = (scrapes.first(), scrapes.last()) else {
        return unknown(history.lack("no metrics were read"));
    };
    let seconds = (last.between.1 - first.between.0).max(0) / 1000;
    let newest =
        |scrape: &Scraped| readings(scrape).filter_map(|reading| reading.timestamp).fold(f64::NAN, f64::max);
    let sequences = vec![first.sequence, last.sequence];
    let (begin, end) = (newest(first), newest(last));
    if end.is_finite() {
        // While a load comes and goes, samples are taken.
        if begin >= end {
            let witness =
                format!("in {seconds} s the newest sample stays that of {begin}, seconds since 1970");
            return unmet(witness, sequences);
        }
        return met(format!("in {seconds} s the newest sample goes on by {:.1} s", end - begin));
    }
    let values = |scrape: &Scraped| {
        readings(scrape)
            .map(|reading| (reading.metric.clone(), reading.device.clone(), reading.value.to_bits()))
            .collect::<Vec<_>>()
    };
    let distinct = scrapes.windows(2).filter(|pair| values(pair[0]) != values(pair[1])).count();
    if distinct == 0 {
        let witness = format!(
            "a load came and went, and in {} scrapes over {seconds} s no value changes",
            scrapes.len()
        );
        return unmet(witness, sequences);
    }
    met(format!("values change {distinct} times in {} scrapes over {seconds} s", scrapes.len()))
}

/// Values are in the units that their names promise.
pub fn units_are_sane(events: &[&Event], subject: &Subject) -> Outcome {
    each(events, subject, units_are_sane_of)
}

fn units_are_sane_of(history: &History) -> Outcome {
    let all: Vec<(&Scraped, &Reading)> = history
        .scrapes
        .iter()
        .flat_map(|scrape| readings(scrape).map(move |reading| (scrape, reading)))
        .collect();
    let Some((first, _)) = all.first() else { return unknown(history.lack("no metrics were read")) };
    let own = history.own();
    let memory = history.of_given("memory_bytes").and_then(Value::as_f64);
    for (scrape, reading) in &all {
        if let Some(why) = out_of_range(reading, memory.filter(|_| own.as_ref() == Some(&reading.device))) {
            let witness = format!(
                "{} of {} is {} {}: {why}",
                reading.metric,
                reading.device,
                reading.written,
                reading.unit.word()
            );
            return unmet(witness, vec![scrape.sequence]);
        }
    }
    let Some(own) = own else {
        return unknown(history.lack("no series is of the device that the pod was given"));
    };
    let loads: Vec<f64> = history
        .all("load_settled")
        .flat_map(|phase| history.values(phase, Quantity::Utilisation))
        .filter(|(device, _)| *device == own)
        .flat_map(|(_, values)| values)
        .collect();
    if loads.is_empty() || history.phase("rest").is_none() {
        return unknown(history.lack("no utilisation was read under load"));
    }
    let (_, highest) = bounds(&loads);
    if highest > 0.0 && highest <= BUSY {
        let witness = format!(
            "{own} works all the time and is said to be busy for {:.2} percent of it",
            highest * 100.0
        );
        return unmet(witness, vec![first.sequence]);
    }
    let taken =
        history.phase("allocated").and_then(|phase| phase.data.get("bytes")?.as_f64()).unwrap_or_default();
    if let (Some(before), Some(after)) = (history.phase("memory_before"), history.phase("memory_settled"))
        && taken > 0.0
        && let Some((_, rise, _)) = rises(history, before, after).iter().find(|(device, ..)| *device == own)
        && *rise > 0.0
        && (*rise < taken / 2.0 || *rise > taken * 1.5 + 1e9)
    {
        let witness = format!(
            "{taken} bytes were taken on {own}, and its memory in use rises by {rise} bytes by its unit"
        );
        return unmet(witness, vec![after.begin]);
    }
    met(format!("{} values of utilisation, memory, temperature and power lie where they can be", all.len()))
}

/// Why a value cannot be what it says it is; `memory` is what the device itself says it has.
fn out_of_range(reading: &Reading, memory: Option<f64>) -> Option<String> {
    let between = |(low, high): (f64, f64), what: &str| {
        let out = !(low..=high).contains(&reading.value);
        out.then(|| format!("{what} lies between {low} and {high}"))
    };
    match reading.quantity {
        Quantity::Utilisation => between((0.0, SLACK), "the busy part of a time"),
        Quantity::Temperature => between(TEMPERATURES, "the temperature of an accelerator"),
        Quantity::Power => between(POWERS, "what an accelerator draws"),
        Quantity::MemoryUsed | Quantity::MemoryFree => match memory {
            Some(memory) => between((0.0, memory * SLACK), "memory of this device, by its own word,"),
            None => between((0.0, f64::MAX), "memory"),
        },
        Quantity::MemoryTotal => {
            let memory = memory?;
            between(
                (memory * (1.0 - KEPT), memory * (1.0 + KEPT)),
                "the memory of this device, by its own word,",
            )
        }
        Quantity::Interconnect => None,
    }
}
