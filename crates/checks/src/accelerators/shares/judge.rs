//! From evidence to outcomes: pure functions.

use super::history::{History, Holder};
use aiconform_model::Event;
use aiconform_verdict::{Outcome, Subject};
use std::collections::BTreeSet;

fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// Why nothing of this subject can be believed.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    History::of(events, subject).doubt
}

/// Whether it stands on simulated devices: the devices say it.
pub fn simulated(events: &[&Event], subject: &Subject) -> bool {
    History::of(events, subject).simulated
}

/// Control: a pod that has a share can use it while no other does.
pub fn share_works_alone(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    // Where nothing can be asked for, that decides, and there is nothing that could work.
    if history.offers("offered") == Some(0) {
        return met("nothing can be asked for, so that there is nothing that could work");
    }
    let Some((at, holders)) = &history.holders else {
        return unknown(history.lack("no pod was given a share"));
    };
    if let Some(holder) = holders.iter().find(|holder| !holder.device.is_object()) {
        return unknown(format!(
            "the device of {} cannot be asked what it is and put to work: the probe knows simulated devices (event {at})",
            holder.pod
        ));
    }
    match &history.alone {
        None => unknown(history.lack("no device was put to work")),
        Some(work) if work.is_done() => met(work.words()),
        Some(work) => unmet(work.words(), vec![work.at]),
    }
}

/// What is shared can be asked for, and as many as there are by the node's own word.
pub fn share_is_schedulable(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some((at, offer)) = &history.offered else {
        return unknown(history.lack("nobody looked at what is offered"));
    };
    let (offered, declared, physical) =
        (history.offers("offered"), history.offers("declared"), history.offers("physical"));
    let node = offer["node"].as_str().unwrap_or_default();
    let name = history.name();
    let (Some(offered), declared) = (offered, declared.unwrap_or_default()) else {
        return met(format!("{name} on {node}, in numbers that depend on their sizes"));
    };
    if offered < declared {
        return unmet(
            format!("by its labels {node} has {declared} shares as {name}, and {offered} can be asked for"),
            vec![*at],
        );
    }
    if offered < 2 {
        return unknown(format!("{node} offers {offered} of {name}: two pods cannot have one each"));
    }
    match physical {
        Some(physical) if offered <= physical => unmet(
            format!("{node} offers {offered} of {name} on {physical} devices: none of them is shared"),
            vec![*at],
        ),
        Some(physical) => met(format!("{node} offers {offered} of {name} on {physical} devices")),
        None => met(format!("{node} offers {offered} of {name}")),
    }
}

/// Pods that have a share each run at the same time, and some of them on one physical device.
pub fn pods_share_one_device(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (at, holders) = match held(&history) {
        Ok(held) => held,
        Err(why) => return why,
    };
    let devices: Option<Vec<&str>> = holders.iter().map(Holder::physical).collect();
    let Some(devices) = devices else {
        return unknown("a device does not say which physical device it is on");
    };
    let pods = holders.len();
    let distinct: BTreeSet<&str> = devices.iter().copied().collect();
    if distinct.len() < pods {
        return met(format!("{pods} pods run with a share each, on {} physical devices", distinct.len()));
    }
    let physical = history.offers("physical").and_then(|count| usize::try_from(count).ok());
    let all_given = history.offers("offered").is_some_and(|offered| offered <= pods as u64);
    // More pods than physical devices, or every share given: two of them had to meet.
    if physical.is_some_and(|physical| physical < pods) || all_given {
        return unmet(format!("{pods} pods with a share each are on {pods} physical devices"), vec![at]);
    }
    unknown(format!(
        "{pods} pods with a share each are on {pods} of more physical devices, which shows nothing"
    ))
}

fn held(history: &History) -> Result<(u64, &[Holder]), Outcome> {
    match &history.holders {
        Some((at, holders)) if holders.len() >= 2 => Ok((*at, holders)),
        _ => Err(unknown(history.lack("no two pods were given a share each"))),
    }
}

/// All of them work when all are asked at once.
pub fn shares_work_at_once(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some(works) = history.at_once.as_ref().filter(|works| works.len() >= 2) else {
        return unknown(history.lack("no two devices were put to work at once"));
    };
    match works.iter().find(|work| !work.is_done()) {
        Some(work) => {
            unmet(format!("{} while {} others worked", work.words(), works.len() - 1), vec![work.at])
        }
        None => met(format!("{} devices worked {} ms each, at once", works.len(), works[0].done)),
    }
}

/// What the pods have are different parts of a device, each smaller than it.
pub fn parts_are_apart(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (at, holders) = match held(&history) {
        Ok(held) => held,
        Err(why) => return why,
    };
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut sum = std::collections::BTreeMap::<&str, (u64, u64)>::new();
    for holder in holders {
        let (Some(uuid), Some(memory), Some(whole), Some(physical)) = (
            holder.says("uuid"),
            holder.number("memory_bytes"),
            holder.number("physical_memory_bytes"),
            holder.physical(),
        ) else {
            return unknown(format!(
                "the device of {} does not say which part it is and how big",
                holder.pod
            ));
        };
        if !names.insert(uuid) {
            return unmet(format!("{} has the part {uuid}, which another pod has too", holder.pod), vec![at]);
        }
        if memory >= whole {
            return unmet(
                format!(
                    "the part of {} has {memory} bytes of memory, and the whole device {whole}",
                    holder.pod
                ),
                vec![at],
            );
        }
        let of = sum.entry(physical).or_insert((0, whole));
        of.0 += memory;
        let others = || holders.iter().filter(|other| other.pod != holder.pod);
        if !holder.nodes.iter().any(|node| others().all(|other| !other.nodes.contains(node))) {
            return unmet(
                format!(
                    "{} has no device node that no other pod has ({})",
                    holder.pod,
                    holder.nodes.join(", ")
                ),
                vec![at],
            );
        }
    }
    if let Some((device, (sum, whole))) = sum.iter().find(|(_, (sum, whole))| sum > whole) {
        return unmet(
            format!("the parts of {device} have {sum} bytes of memory, and it has {whole}"),
            vec![at],
        );
    }
    met(format!("{} pods have parts of their own, each with a device node of its own", holders.len()))
}

/// One pod more than there are shares waits.
pub fn one_more_waits(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some(more) = &history.more else {
        return unknown(history.lack("nothing more was asked for than there is"));
    };
    let asked = format!("{} asks for one more than the {} that were free", more.pod, more.places);
    if let Some((event, node)) = &more.bound {
        return unmet(format!("{asked}, and is bound to {node}"), vec![*event]);
    }
    match (&more.refused, history.release) {
        (Some((event, said)), Some(_)) => met(format!("{asked}, and waits (event {event}): {said}")),
        _ => unknown(history.lack(&format!("{asked}, and the scheduler said nothing of it"))),
    }
}

/// What one pod gives back goes to the one that waits.
pub fn freed_share_is_given_again(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    if history.more.as_ref().is_some_and(|more| more.asks > 1) {
        return unknown("more are offered than were given, so that nobody had to wait for one");
    }
    let (Some((at, data)), Some(more)) = (&history.released, &history.more) else {
        return unknown(history.lack("nothing was given back while someone waited"));
    };
    let why = data["why"].as_str().unwrap_or_default();
    if !why.is_empty() {
        return unmet(format!("a share was given back, and {} does not get it: {why}", more.pod), vec![*at]);
    }
    match data["device"]["uuid"].as_str() {
        Some(uuid) => met(format!("{} waited, and has {uuid} since it was given back", more.pod)),
        None => {
            unmet(format!("{} runs since a share was given back, and has no device", more.pod), vec![*at])
        }
    }
}

/// Whether a strategy makes parts that are apart from each other, which shares in time are not.
pub fn makes_parts(subject: &Subject) -> bool {
    subject.id != "time-slicing"
}
