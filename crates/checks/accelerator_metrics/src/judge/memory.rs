//! Memory that is taken, and the memory in use that rises by it.

use super::each;
use super::history::{History, Phase, Stretch};
use crate::adapters::Quantity;
use aiconform_trial::{Position, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// Memory in use rises by what the pod takes, on its device and nowhere else.
pub fn memory_follows_the_allocation(history: &History) -> Outcome {
    each(history, follows)
}

fn follows(stretch: &Stretch) -> Outcome {
    let marks = (stretch.memory_before, &stretch.allocated, stretch.memory_settled);
    let (Some(before), Some((bytes, why)), Some(settled)) = marks else {
        return unknown(stretch.lack("no memory was taken"));
    };
    if *bytes == 0 {
        let why = if why.is_empty() { "the device does not say that it gave it" } else { why };
        return unknown(format!("no memory was taken: {why}"));
    }
    let Some(own) = stretch.device() else {
        return unknown("no series is of the device that the pod was given");
    };
    #[allow(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
    let taken = *bytes as f64;
    let rises = rises(stretch, before, settled.phase);
    let Some((_, rise, unit)) = rises.iter().find(|(device, ..)| *device == own) else {
        return unknown(stretch.lack(&format!("no memory is told of {own} before and after")));
    };
    let events: Vec<Position> = stretch.within(settled.phase).map(|scrape| scrape.at).collect();
    // What is told in whole units may be short of one.
    let enough = taken - unit.max(taken / 100.0);
    if *rise < enough {
        return unmet(
            format!("{bytes} bytes were taken on {own}, and its memory in use rises by {rise}"),
            events,
        );
    }
    let too = rises.iter().filter(|(device, rise, _)| *device != own && *rise >= taken / 2.0);
    for (device, rise, _) in too {
        let says = format!("{bytes} bytes were taken on {own}, and {device} rises by {rise} too");
        match falls_with(stretch, settled.phase, (&own, device), taken) {
            Some(true) => return unmet(says, events),
            // What others take meanwhile stays when ours is given back.
            Some(false) => {}
            None => return unknown(format!("{says}; whether that goes with ours was not seen")),
        }
    }
    if let Some(late) = stretch.late(&format!("memory that was taken on {own} was shown"), settled.late) {
        return late;
    }
    met(format!(
        "{bytes} bytes were taken on {own}: its memory in use rises by {rise}, that of {} others does not",
        rises.len() - 1
    ))
}

/// Tells whether memory of another device goes when that of the own is given back; nothing where that was not seen. Runs of earlier
/// versions did not look, and blamed it.
fn falls_with(stretch: &Stretch, held: Phase, (own, other): (&str, &str), taken: f64) -> Option<bool> {
    let Some(freed) = stretch.free_settled else {
        return stretch.stopped.is_none().then_some(true);
    };
    let after = rises(stretch, held, freed.phase);
    let falls = |wanted: &str| {
        let (_, rise, _) = after.iter().find(|(device, ..)| device == wanted)?;
        Some(*rise <= -taken / 2.0)
    };
    if falls(own)? { falls(other) } else { None }
}

/// By how much each device's memory in use rises from one phase to another, and one unit of it, in bytes.
pub(super) fn rises(stretch: &Stretch, before: Phase, after: Phase) -> Vec<(String, f64, f64)> {
    let unit = stretch
        .dialect
        .and_then(|dialect| dialect.memory_used.first())
        .map_or(1.0, |series| series.unit.factor());
    let first = stretch.values(before, Quantity::MemoryUsed);
    let last = stretch.values(after, Quantity::MemoryUsed);
    let rise = |(device, values): &(String, Vec<f64>)| {
        let (_, before) = first.iter().find(|(other, _)| other == device)?;
        Some((device.clone(), values.last()? - before.last()?, unit))
    };
    last.iter().filter_map(rise).collect()
}
