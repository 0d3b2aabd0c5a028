//! From the story of a trial to outcomes: pure functions.

mod guard;
mod history;

pub use guard::doubt;
pub use history::History;

use super::marks::{Holder, TIME_SLICING, Work};
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Position, Rules, met, unknown, unmet};
use aiconform_verdict::{Outcome, Subject};
use std::collections::BTreeSet;

/// The rules of a requirement about shares.
pub const fn rules(
    check: &'static str,
    claims: &'static [Claim<History>],
    advice: &'static str,
) -> Rules<History> {
    Rules { unread, unread_later, simulated, ..Rules::of(check, claims, History::read, doubt, advice) }
}

/// Tells whether it stands on simulated devices.
pub fn simulated(history: &History) -> bool {
    let holders = history.holders.iter().flat_map(|(_, holders)| holders);
    holders.into_iter().any(|holder| holder.device.is_simulated())
}

/// Control: a pod that has a share can use it while no other does.
pub fn share_works_alone(history: &History) -> Outcome {
    // Where nothing can be asked for, that decides, and there is nothing that could work.
    if history.offer().is_some_and(|offer| offer.offered == Some(0)) {
        return met("nothing can be asked for, so that there is nothing that could work");
    }
    let Some((at, holders)) = &history.holders else {
        return unknown(history.lack("no pod was given a share"));
    };
    if let Some(holder) = holders.iter().find(|holder| !holder.device.answered()) {
        return unknown(format!(
            "the device of {} cannot be asked what it is and put to work: the probe knows simulated devices, and for others it needs a load, [load.MAKER] in the profile (event {at})",
            holder.pod
        ));
    }
    match &history.alone {
        None => unknown(history.lack(&idle(history, "no device was put to work"))),
        Some((_, work)) if work.is_done() => met(work.words()),
        Some((at, work)) => unmet(work.words(), [*at]),
    }
}

/// Tells whether programs put the devices to work, and not the probe itself.
fn is_by_load(history: &History) -> bool {
    let holders = history.holders.iter().flat_map(|(_, holders)| holders);
    holders.into_iter().any(|holder| holder.device.is_of_load())
}

/// Words on devices that were left idle.
fn idle(history: &History, words: &str) -> String {
    match history.offer().and_then(|offer| offer.taken) {
        Some(taken) if taken > 0 => {
            format!("{words}: pods of others have {taken} of the shares, and it would be at their cost")
        }
        _ => words.into(),
    }
}

/// Shares can be asked for, and as many as there are by the node's own word.
pub fn share_is_schedulable(history: &History) -> Outcome {
    let Some((at, offer)) = &history.offered else {
        return unknown(history.lack("nobody looked at what is offered"));
    };
    let (node, name) = (&offer.node, &offer.name);
    let Some(offered) = offer.offered else {
        return met(format!("{name} on {node}, in numbers that depend on their sizes"));
    };
    let declared = offer.declared.unwrap_or_default();
    if offered < declared {
        return unmet(
            format!("by its labels {node} has {declared} shares as {name}, and {offered} can be asked for"),
            [*at],
        );
    }
    if offered < 2 {
        return unknown(format!("{node} offers {offered} of {name}: two pods cannot have one each"));
    }
    match offer.physical {
        Some(physical) if offered <= physical => unmet(
            format!("{node} offers {offered} of {name} on {physical} devices: none of them is shared"),
            [*at],
        ),
        Some(physical) => met(format!("{node} offers {offered} of {name} on {physical} devices")),
        None => met(format!("{node} offers {offered} of {name}")),
    }
}

/// Pods that have a share each run at the same time, and some of them on one physical device.
pub fn pods_share_one_device(history: &History) -> Outcome {
    let (at, holders) = match held(history) {
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
    let physical =
        history.offer().and_then(|offer| offer.physical).and_then(|count| usize::try_from(count).ok());
    let all_given =
        history.offer().and_then(|offer| offer.offered).is_some_and(|offered| offered <= pods as u64);
    // More pods than physical devices, or every share given: two of them had to meet.
    if physical.is_some_and(|physical| physical < pods) || all_given {
        return unmet(format!("{pods} pods with a share each are on {pods} physical devices"), [at]);
    }
    unknown(format!(
        "{pods} pods with a share each are on {pods} of more physical devices, which shows nothing"
    ))
}

fn held(history: &History) -> Result<(Position, &[Holder]), Outcome> {
    match &history.holders {
        Some((at, holders)) if holders.len() >= 2 => Ok((*at, holders)),
        _ => Err(unknown(history.lack("no two pods were given a share each"))),
    }
}

/// All of them work when all are asked at once.
pub fn shares_work_at_once(history: &History) -> Outcome {
    let Some((at, works)) = history.at_once.as_ref().filter(|(_, works)| works.len() >= 2) else {
        return unknown(history.lack(&idle(history, "no two devices were put to work at once")));
    };
    let is_by_load = is_by_load(history);
    let stood_still = |work: &&Work| if is_by_load { work.stood_still() } else { !work.is_done() };
    if let Some(work) = works.iter().find(stood_still) {
        return unmet(format!("{} while {} others worked", work.words(), works.len() - 1), [*at]);
    }
    let unclear = works.iter().find(|work| !work.went_on(is_by_load));
    match unclear {
        Some(work) => unknown(format!("{} while {} others worked", work.words(), works.len() - 1)),
        // A load begins when its driver lets it: those that begin late may have found the others at rest.
        None if is_by_load && !history.all_at_work => unknown(format!(
            "{} loads did their work when all were asked, and it was not seen that they did so at the same moment",
            works.len()
        )),
        None => {
            let done = works.iter().map(|work| work.work.done);
            let (least, most) = (done.clone().min().unwrap_or_default(), done.max().unwrap_or_default());
            let more = if least < most { " or more" } else { "" };
            met(format!("{} devices worked {least} ms{more} each, at once", works.len()))
        }
    }
}

/// The parts of a device that the pods have are different, each smaller than it.
pub fn parts_are_apart(history: &History) -> Outcome {
    let (at, holders) = match held(history) {
        Ok(held) => held,
        Err(why) => return why,
    };
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut sum = std::collections::BTreeMap::<&str, (u64, u64)>::new();
    for holder in holders {
        let (Some(uuid), Some(memory), Some(whole), Some(physical)) = (
            holder.device.text("uuid"),
            holder.device.number("memory_bytes"),
            holder.device.number("physical_memory_bytes"),
            holder.physical(),
        ) else {
            return unknown(format!(
                "the device of {} does not say which part it is and how big",
                holder.pod
            ));
        };
        if !names.insert(uuid) {
            return unmet(format!("{} has the part {uuid}, which another pod has too", holder.pod), [at]);
        }
        if memory >= whole {
            return unmet(
                format!(
                    "the part of {} has {memory} bytes of memory, and the whole device {whole}",
                    holder.pod
                ),
                [at],
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
                [at],
            );
        }
    }
    if let Some((device, (sum, whole))) = sum.iter().find(|(_, (sum, whole))| sum > whole) {
        return unmet(format!("the parts of {device} have {sum} bytes of memory, and it has {whole}"), [at]);
    }
    met(format!("{} pods have parts of their own, each with a device node of its own", holders.len()))
}

/// One pod more than there are shares waits.
pub fn one_more_waits(history: &History) -> Outcome {
    let Some(more) = &history.more else {
        return unknown(history.lack("nothing more was asked for than there is"));
    };
    let asked = format!("{} asks for one more than the {} that were free", more.pod, more.places);
    if let Some((event, node)) = &more.bound {
        return unmet(format!("{asked}, and is bound to {node}"), [*event]);
    }
    match (&more.refused, &history.release) {
        (Some((event, said)), Some(_)) => met(format!("{asked}, and waits (event {event}): {said}")),
        _ => unknown(history.lack(&format!("{asked}, and the scheduler said nothing of it"))),
    }
}

/// The share that one pod gives back goes to the one that waits.
pub fn freed_share_is_given_again(history: &History) -> Outcome {
    if history.more.as_ref().is_some_and(|more| more.asks > 1) {
        return unknown("more are offered than were given, so that nobody had to wait for one");
    }
    let (Some(released), Some(more)) = (&history.released, &history.more) else {
        return unknown(history.lack("nothing was given back while someone waited"));
    };
    let (pod, why) = (&more.pod, &released.why);
    if !why.is_empty() {
        return unmet(format!("a share was given back, and {pod} does not get it: {why}"), [released.at]);
    }
    let what = format!("a share that was given back came to {pod}");
    if let Some(begun) = history.release.as_ref().map(|release| release.begun)
        && let Some(late) = history.freed.too_late(&what, begun, released.when)
    {
        return late;
    }
    match &released.uuid {
        Some(uuid) => met(format!("{pod} waited, and has {uuid} since it was given back")),
        None => unmet(format!("{pod} runs since a share was given back, and has no device"), [released.at]),
    }
}

/// Tells whether a strategy makes parts that are apart from each other, which shares in time are not.
pub fn makes_parts(subject: &Subject) -> bool {
    subject.id != TIME_SLICING
}
