//! Claims that go further than the requirement: attribution, freshness, units.

use super::history::{History, Scraped, Stretch};
use super::memory::rises;
use super::{bounds, each};
use crate::adapters::{Quantity, Reading};
use aiconform_trial::{Position, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// No accelerator is colder or hotter, in degrees Celsius.
const TEMPERATURES: (f64, f64) = (-40.0, 150.0);
/// No accelerator draws more, in watts.
const POWERS: (f64, f64) = (0.0, 20_000.0);
/// Factor by which a measured value may pass its bounds.
const SLACK: f64 = 1.02;
/// The device's word on its memory and the metrics' may differ by this part, which firmware keeps for itself.
const KEPT: f64 = 0.25;
/// A device that works all the time is busy for more than this; what shows less is in another unit.
const BUSY: f64 = 0.012;

fn readings(scrape: &Scraped) -> impl Iterator<Item = &Reading> {
    scrape.read.iter().flat_map(|read| &read.readings)
}

/// The series of the device name the pod that has it, and no more when it is gone.
pub fn attribution_follows_the_pod(history: &History) -> Outcome {
    each(history, attribution)
}

fn attribution(stretch: &Stretch) -> Outcome {
    let (Some(own), Some((_, given))) = (stretch.device(), &stretch.given) else {
        return unknown(stretch.lack("no series is of a device that a pod was given"));
    };
    let Some(quiet) = stretch.quiet else {
        return unknown(stretch.lack("nothing was asked while the pod ran"));
    };
    let (pod, namespace) = (&given.pod, &given.namespace);
    let is_ours = |reading: &Reading| {
        reading.pods.iter().any(|(space, name)| name == pod && (space.is_empty() || space == namespace))
    };
    let gone = stretch.pod_deleted.unwrap_or(Position::END);
    let during: Vec<&Scraped> =
        stretch.scrapes.iter().filter(|scrape| scrape.at > quiet.at && scrape.at < gone).collect();
    let Some(last) = during.iter().rev().find(|scrape| scrape.read.is_ok()) else {
        return unknown(stretch.lack("no metrics were read while the pod ran"));
    };
    if let Some(other) = readings(last).find(|reading| reading.device != own && is_ours(reading)) {
        return unmet(format!("{} is said to be of {pod}, which has {own}", other.device), [last.at]);
    }
    if !readings(last).any(|reading| reading.device == own && is_ours(reading)) {
        let named = readings(last).find(|reading| reading.device == own && !reading.pods.is_empty());
        let words = |reading: &Reading| {
            let each = reading.pods.iter().map(|(space, name)| format!("{space}/{name}"));
            each.collect::<Vec<_>>().join(", ")
        };
        let named = named.map_or("nobody".into(), words);
        return unmet(
            format!("the pod {namespace}/{pod} has {own}, whose series name {named}"),
            during.iter().map(|scrape| scrape.at),
        );
    }
    let Some(settled) = stretch.gone_settled else {
        return unknown(stretch.lack("nothing was asked after the pod was gone"));
    };
    let Some(after) = stretch.within(settled.phase).filter(|scrape| scrape.read.is_ok()).last() else {
        return unknown(stretch.lack("no metrics were read after the pod was gone"));
    };
    if let Some(stale) = readings(after).find(|reading| is_ours(reading)) {
        let waited = after.ended.since(settled.phase.when).as_millis();
        let witness =
            format!("{} still names {pod} {waited} ms after that was waited for in vain", stale.device);
        return unmet(witness, [after.at]);
    }
    if let Some(late) = stretch.late(&format!("the end of {pod} was shown"), settled.late) {
        return late;
    }
    met(format!("{own} names {namespace}/{pod} while that has it, and not when it is gone"))
}

/// Samples are of now.
pub fn samples_are_fresh(history: &History) -> Outcome {
    each(history, freshness)
}

fn freshness(stretch: &Stretch) -> Outcome {
    let Some(quiet) = stretch.quiet else { return unknown(stretch.lack("nothing was asked twice")) };
    if stretch.rests.is_empty() {
        return unknown(stretch.lack("no load came and went"));
    }
    let scrapes: Vec<&Scraped> =
        stretch.scrapes.iter().filter(|scrape| scrape.at > quiet.at && scrape.read.is_ok()).collect();
    let (Some(first), Some(last)) = (scrapes.first(), scrapes.last()) else {
        return unknown(stretch.lack("no metrics were read"));
    };
    let seconds = last.ended.since(first.begun).as_secs();
    let newest =
        |scrape: &Scraped| readings(scrape).filter_map(|reading| reading.timestamp).fold(f64::NAN, f64::max);
    let ends = [first.at, last.at];
    let (begin, end) = (newest(first), newest(last));
    if end.is_finite() {
        // While a load comes and goes, samples are taken.
        if begin >= end {
            let witness =
                format!("in {seconds} s the newest sample stays that of {begin}, seconds since 1970");
            return unmet(witness, ends);
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
        return unmet(witness, ends);
    }
    met(format!("values change {distinct} times in {} scrapes over {seconds} s", scrapes.len()))
}

/// Values are in the units that their names promise.
pub fn units_are_sane(history: &History) -> Outcome {
    each(history, units)
}

fn units(stretch: &Stretch) -> Outcome {
    let all: Vec<(&Scraped, &Reading)> = stretch
        .scrapes
        .iter()
        .flat_map(|scrape| readings(scrape).map(move |reading| (scrape, reading)))
        .collect();
    let Some((first, _)) = all.first() else { return unknown(stretch.lack("no metrics were read")) };
    let own = stretch.device();
    #[allow(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
    let bytes = |bytes: u64| bytes as f64;
    let memory = stretch.given.as_ref().and_then(|(_, given)| given.memory_bytes).map(bytes);
    for (scrape, reading) in &all {
        if let Some(why) = out_of_range(reading, memory.filter(|_| own.as_ref() == Some(&reading.device))) {
            let witness = format!(
                "{} of {} is {} {}: {why}",
                reading.metric,
                reading.device,
                reading.written,
                reading.unit.word()
            );
            return unmet(witness, [scrape.at]);
        }
    }
    let Some(own) = own else {
        return unknown(stretch.lack("no series is of the device that the pod was given"));
    };
    let loads: Vec<f64> = stretch
        .steady
        .iter()
        .filter(|steady| steady.loaded)
        .flat_map(|steady| stretch.values(steady.phase, Quantity::Utilisation))
        .filter(|(device, _)| *device == own)
        .flat_map(|(_, values)| values)
        .collect();
    if loads.is_empty() || stretch.rests.is_empty() {
        return unknown(stretch.lack("no utilisation was read under load"));
    }
    let (_, highest) = bounds(&loads);
    if highest > 0.0 && highest <= BUSY {
        let witness = format!(
            "{own} works all the time and is said to be busy for {:.2} percent of it",
            highest * 100.0
        );
        return unmet(witness, [first.at]);
    }
    let taken = stretch.allocated.as_ref().map_or(0.0, |(taken, _)| bytes(*taken));
    if let (Some(before), Some(after)) =
        (stretch.memory_before, stretch.memory_settled.map(|settled| settled.phase))
        && taken > 0.0
        && let Some((_, rise, _)) = rises(stretch, before, after).iter().find(|(device, ..)| *device == own)
        && *rise > 0.0
        && (*rise < taken / 2.0 || *rise > taken * 1.5 + 1e9)
    {
        let witness = format!(
            "{taken} bytes were taken on {own}, and its memory in use rises by {rise} bytes by its unit"
        );
        return unmet(witness, [after.at]);
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
