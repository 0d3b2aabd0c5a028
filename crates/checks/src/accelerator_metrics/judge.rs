//! From evidence to outcomes: pure functions.

mod beyond;
mod swing;

pub use beyond::{attribution_follows_the_pod, samples_are_fresh, units_are_sane};
pub use swing::{of_device, utilisation_follows_the_load};

use super::adapters::{Quantity, Reading};
use super::history::{History, Lack, Phase, Scraped, whole};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;
use std::collections::BTreeSet;

/// A device that is quiet may still sway by so much of its full scale.
const SWAY: f64 = 0.2;
/// A load was done when so much of the time that was asked for was worked.
const DONE: f64 = 0.9;

pub(super) fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

pub(super) fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

pub(super) fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// What came of every device that was put to work: unmet if it is of one, unknown if it is of one, else met.
pub(super) fn each(events: &[&Event], subject: &Subject, judge: fn(&History) -> Outcome) -> Outcome {
    let history = History::of(events, subject);
    let stretches = history.stretches();
    let outcomes: Vec<(&str, Outcome)> =
        stretches.iter().map(|stretch| (stretch.mode(), judge(stretch))).collect();
    let planned =
        history.phase("planned").and_then(|phase| phase.data.get("modes")?.as_array()).map_or(0, Vec::len);
    let many = planned.max(outcomes.len()) > 1;
    let words = |mode: &str, text: &str| if many { format!("{mode}: {text}") } else { text.into() };
    let (mut seen, mut doubts) = (Vec::new(), Vec::new());
    for (mode, outcome) in &outcomes {
        match outcome {
            Outcome::Unmet { witness, events } => return unmet(words(mode, witness), events.clone()),
            Outcome::Unknown { why } => doubts.push(words(mode, why)),
            Outcome::Met { seen: what } => seen.push(words(mode, what)),
        }
    }
    if doubts.is_empty() && outcomes.len() < planned {
        doubts.push(history.lack("not every way in which accelerators are given was tried"));
    }
    if doubts.is_empty() { met(seen.join("; ")) } else { unknown(doubts.join("; ")) }
}

/// Why nothing of this subject can be believed.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let history = History::of(events, subject);
    if history.dialect.is_none() {
        let unread = history.scrapes.iter().map(|scrape| match &scrape.read {
            Err(Lack::Answer(why)) => Some(why),
            _ => None,
        });
        // Nothing comes before something: not one of them was read.
        if let Some(Some(why)) = unread.min() {
            // Which of the two is wrong, only whoever runs the endpoint knows.
            let hint = if why.contains("UnknownIssuer") {
                "; if its certificate is right, name the authority that signed it in the profile: [accelerator_metrics] ca_file = \"…\""
            } else {
                ""
            };
            return Some(format!("it could not be read: {why}{hint}"));
        }
        let seen = history.scrapes.iter().find_map(|scrape| match &scrape.read {
            Ok(told) if told.samples > 0 => Some(format!("{} samples, such as {}", told.samples, told.some)),
            Ok(_) => None,
            Err(lack) => Some(lack.words().into()),
        });
        let seen = seen.unwrap_or_else(|| "nothing was read".into());
        return Some(format!("it speaks none of the dialects that are known; what it says: {seen}"));
    }
    history.stretches().iter().find_map(|stretch| doubt_of(events, stretch))
}

/// Why nothing can be believed of one device's pod.
fn doubt_of(events: &[&Event], history: &History) -> Option<String> {
    let ours = ["pod_deleted", "over"].into_iter().filter_map(|name| history.phase(name));
    let deleted = ours.map(|phase| phase.begin).min().unwrap_or(u64::MAX);
    let pod = history.of_given("pod").and_then(Value::as_str).unwrap_or_default();
    let given = history.phase("given").map_or(u64::MAX, |phase| phase.begin);
    let meanwhile = |event: &&&Event| event.sequence < deleted && !pod.is_empty();
    events.iter().filter(meanwhile).find_map(|event| {
        let EventKind::Watch { object, .. } = &event.kind else { return None };
        if object.name() != pod {
            return None;
        }
        let at = event.sequence;
        if object.at("/metadata/deletionTimestamp").is_some() {
            return Some(format!("the test pod {pod} was deleted by someone else (event {at})"));
        }
        // Said by the kubelet, or by the control plane of all pods of a node that it does not hear from.
        (at > given && object.condition_is("Ready", "False")).then(|| {
            let node = object.text("/spec/nodeName");
            format!(
                "the test pod {pod} was not ready for a while (event {at}), as when its node {node} goes away"
            )
        })
    })
}

/// Whether it stands on simulated devices: they, or their metrics, say so.
pub fn simulated(events: &[&Event], subject: &Subject) -> bool {
    let history = History::of(events, subject);
    history.of_given("simulated").and_then(Value::as_bool) == Some(true)
        || history.scrapes.iter().any(|scrape| scrape.read.as_ref().is_ok_and(|told| told.simulated))
}

/// Control: what was asked of the device was done by it.
pub fn load_was_done(events: &[&Event], subject: &Subject) -> Outcome {
    each(events, subject, load_was_done_of)
}

fn load_was_done_of(history: &History) -> Outcome {
    let mut total = (0.0, 0.0);
    let mut cycles = 0;
    for rest in history.all("rest") {
        let number = |key: &str| rest.data.get(key).and_then(Value::as_f64).unwrap_or_default();
        if number("asked") <= 0.0 || number("done") < number("asked") * DONE {
            let why =
                rest.data.get("why").and_then(Value::as_str).unwrap_or("it did not say that it did more");
            return unmet(
                format!("the device worked {} ms of {} ms: {why}", number("done"), number("asked")),
                vec![rest.begin],
            );
        }
        cycles += 1;
        total = (total.0 + number("done"), total.1 + number("asked"));
    }
    if cycles == 0 {
        return unknown(history.lack("no load came to its end"));
    }
    met(format!("the device says that it worked {} ms of {} ms in {cycles} load phases", total.0, total.1))
}

/// Control: nobody else uses the device.
pub fn device_was_quiet(events: &[&Event], subject: &Subject) -> Outcome {
    each(events, subject, device_was_quiet_of)
}

fn device_was_quiet_of(history: &History) -> Outcome {
    let Some(given) = history.phase("given") else {
        return unknown(history.lack("no pod was given a device"));
    };
    if let Some(share) = given.data.get("share").and_then(Value::as_str) {
        return unmet(
            format!("the pod was given a share of a device ({share}), whose others may be in use"),
            vec![given.begin],
        );
    }
    let (Some(own), Some(quiet)) = (history.own(), history.phase("quiet")) else {
        return met("the device was given to this pod alone");
    };
    let values = history.values(quiet, Quantity::Utilisation);
    let Some((_, values)) = values.iter().find(|(device, _)| *device == own) else {
        return met("the device was given to this pod alone");
    };
    let (low, high) = bounds(values);
    // In a wrong unit, the sway is not to be told from that unit; then it says nothing of use.
    if high <= 1.0 && high - low > SWAY {
        let witness = format!("before any load its utilisation sways between {low:.2} and {high:.2}");
        return unmet(witness, history.within(quiet).map(|scrape| scrape.sequence).collect());
    }
    met(format!(
        "given to this pod alone; before any load its utilisation stays between {low:.2} and {high:.2}"
    ))
}

/// The lowest and the highest.
pub(super) fn bounds(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

pub(super) fn mean(values: &[f64]) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "scrapes are few")]
    let count = values.len().max(1) as f64;
    values.iter().sum::<f64>() / count
}

/// The endpoint answers in a format that machines read.
pub fn format_is_machine_readable(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some(first) = history.scrapes.first() else {
        return unknown(history.lack("no endpoint was asked"));
    };
    let broken = history.scrapes.iter().find_map(|scrape| match &scrape.read {
        Err(Lack::Metrics(why)) => Some((scrape, why.clone())),
        Err(Lack::Answer(_)) => None,
        Ok(_) => wrong_type(scrape).map(|why| (scrape, why)),
    });
    if let Some((scrape, why)) = broken {
        return unmet(format!("{}: {why}", scrape.endpoint), vec![scrape.sequence]);
    }
    let Some(told) = history.scrapes.iter().rev().find_map(|scrape| scrape.read.as_ref().ok()) else {
        return unknown(history.lack("the endpoint gave no whole answer"));
    };
    if told.readings.is_empty() {
        return unmet(
            format!("{} samples, and none of a device; such as {}", told.samples, told.some),
            vec![first.sequence],
        );
    }
    let told_of = match &told.warnings {
        (0, _) => String::new(),
        (count, warning) => format!("; {count} lines cannot be read as they are, the first: {warning}"),
    };
    met(format!("{} samples as {}{told_of}", told.samples, first.content_type))
}

/// Types that Prometheus takes without being told to (its 3.0 refuses others): the two formats.
fn wrong_type(scrape: &Scraped) -> Option<String> {
    let kind = scrape.content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    let fits = ["text/plain", "application/openmetrics-text"].contains(&kind.as_str());
    (!fits).then(|| match kind.as_str() {
        "" => "the metrics come without a content type, which Prometheus refuses".into(),
        kind => format!("the metrics come as {kind}, which Prometheus refuses"),
    })
}

/// As many devices in utilisation and in memory as nodes have, on every node.
pub fn every_accelerator_has_its_series(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(census), Some(dialect)) = (history.phase("census"), history.dialect) else {
        return unknown(history.lack("no endpoint was asked"));
    };
    let nodes = census.data.get("nodes").and_then(Value::as_object).cloned().unwrap_or_default();
    let (mut expected, mut lacks, mut more) = (0, Vec::new(), Vec::new());
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (node, there) in &nodes {
        let count = there.get("devices").and_then(Value::as_u64).unwrap_or_default();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        expected += count;
        let scrapes: Vec<&Scraped> =
            history.within(census).filter(|scrape| node_of(census, scrape) == Some(node)).collect();
        let Some(scrape) = scrapes.last() else {
            lacks.push(format!("{node} has {count} accelerators and no endpoint"));
            continue;
        };
        let told = match &scrape.read {
            Ok(told) => told,
            Err(lack) => return unknown(format!("{}: {}", scrape.endpoint, lack.words())),
        };
        let of = |quantity: Quantity| -> BTreeSet<&str> {
            let readings = || told.readings.iter().filter(|reading| reading.quantity == quantity);
            // Where devices are told as a whole, those that are told in parts only are not offered as a whole.
            let is_whole = |reading: &&Reading| whole(&reading.device) == reading.device;
            let any = readings().any(|reading| is_whole(&reading));
            readings()
                .filter(|reading| !any || is_whole(reading))
                .map(|reading| whole(&reading.device))
                .collect()
        };
        let (busy, memory) = (of(Quantity::Utilisation), of(Quantity::MemoryUsed));
        for (what, found) in [("utilisation", &busy), ("memory", &memory)] {
            if found.len() < count {
                lacks.push(format!("{node}: {} devices in {what}, and it has {count}", found.len()));
            } else if found.len() > count && !dialect.device.several {
                more.push(format!("{node}: {} devices in {what}, and it offers {count}", found.len()));
            }
        }
        for name in
            there.get("names").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            let is = |reading: &Reading| reading.names.iter().any(|other| other.eq_ignore_ascii_case(name));
            if !told.readings.iter().any(is) {
                lacks.push(format!("{node}: no series of the device {name}"));
            }
        }
        // A name of a kind that is unique by itself, on two nodes, is one name for two devices.
        let twice = busy.iter().find(|device| device.len() >= 8 && !seen.insert((**device).into()));
        lacks.extend(twice.map(|device| format!("{device} is told by two nodes")));
    }
    if expected == 0 {
        return unknown("no node offers an accelerator");
    }
    if !lacks.is_empty() {
        return unmet(lacks.join("; "), history.within(census).map(|scrape| scrape.sequence).collect());
    }
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
    met(format!("utilisation and memory of {expected} devices on {} nodes{more}", nodes.len()))
}

fn node_of<'a>(census: &'a Phase, scrape: &Scraped) -> Option<&'a str> {
    census.data.get("endpoints")?.get(&scrape.endpoint)?.as_str()
}

/// Memory in use rises by what the pod takes, on its device and nowhere else.
pub fn memory_follows_the_allocation(events: &[&Event], subject: &Subject) -> Outcome {
    each(events, subject, memory_follows_the_allocation_of)
}

fn memory_follows_the_allocation_of(history: &History) -> Outcome {
    let marks = (history.phase("memory_before"), history.phase("allocated"), history.phase("memory_settled"));
    let (Some(before), Some(allocated), Some(settled)) = marks else {
        return unknown(history.lack("no memory was taken"));
    };
    let bytes = allocated.data.get("bytes").and_then(Value::as_f64).unwrap_or_default();
    if bytes <= 0.0 {
        let why = allocated
            .data
            .get("why")
            .and_then(Value::as_str)
            .unwrap_or("the device does not say that it gave it");
        return unknown(format!("no memory was taken: {why}"));
    }
    let Some(own) = history.own() else {
        return unknown("no series is of the device that the pod was given");
    };
    let rises = rises(history, before, settled);
    let Some((_, rise, unit)) = rises.iter().find(|(device, ..)| *device == own) else {
        return unknown(history.lack(&format!("no memory is told of {own} before and after")));
    };
    let events: Vec<u64> = history.within(settled).map(|scrape| scrape.sequence).collect();
    // What is told in whole units may be short of one.
    let enough = bytes - unit.max(bytes / 100.0);
    if *rise < enough {
        return unmet(
            format!("{bytes} bytes were taken on {own}, and its memory in use rises by {rise}"),
            events,
        );
    }
    if let Some((device, rise, _)) =
        rises.iter().find(|(device, rise, _)| *device != own && *rise >= bytes / 2.0)
    {
        return unmet(format!("{bytes} bytes were taken on {own}, and {device} rises by {rise} too"), events);
    }
    met(format!(
        "{bytes} bytes were taken on {own}: its memory in use rises by {rise}, that of {} others does not",
        rises.len() - 1
    ))
}

/// By how much each device's memory in use rises from one phase to another, and one unit of it, in bytes.
pub(super) fn rises(history: &History, before: &Phase, after: &Phase) -> Vec<(String, f64, f64)> {
    let unit = history
        .dialect
        .and_then(|dialect| dialect.memory_used.first())
        .map_or(1.0, |series| series.unit.factor());
    let first = history.values(before, Quantity::MemoryUsed);
    let last = history.values(after, Quantity::MemoryUsed);
    let of = |(device, values): &(String, Vec<f64>)| {
        let (_, before) = first.iter().find(|(other, _)| other == device)?;
        Some((device.clone(), values.last()? - before.last()?, unit))
    };
    last.iter().filter_map(of).collect()
}
