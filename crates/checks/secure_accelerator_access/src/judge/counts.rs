//! Claims on the number of devices that a pod has, when, and whether anyone else has one of them.

use super::granted::{Granted, Holder, Nodes, overlap};
use super::ground;
use super::history::{Claim, History, Sight, looks_or_tries};
use super::reach::{Reach, reach};
use crate::marks::{HOLDER, MAIN, Mark, PAIR, SIBLINGS};
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// Two devices that are asked for are two, and one is one.
pub fn requested_is_visible(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    if let Err(why) = granted.two() {
        return unknown(history.lack(&why));
    }
    let one = granted.holders[0].own.len();
    if let Some(other) = granted.holders.iter().find(|holder| holder.own.len() != one) {
        return unmet(
            format!(
                "of pods that asked for one device each, {} has {one} nodes of its own and {} has {}",
                granted.holders[0].pod,
                other.pod,
                other.own.len()
            ),
            vec![granted.holders[0].at, other.at],
        );
    }
    let pair = history.of_role(PAIR).next();
    let Some(sight) = pair.and_then(|pair| history.saw(&pair.name, MAIN, pairs).last()) else {
        return unknown(history.lack("no pod was given two devices"));
    };
    let two = granted.own_of(sight);
    let words = |nodes: &Nodes| nodes.values().cloned().collect::<Vec<_>>().join(", ");
    if one == 0 || two.len() != 2 * one {
        return unmet(
            format!(
                "a pod that asked for one device has {one} nodes of its own ({}), one that asked for two has {} ({})",
                words(&granted.holders[0].own),
                two.len(),
                words(&two)
            ),
            vec![granted.holders[0].at, sight.at],
        );
    }
    met(format!("one device is {one} nodes of its own, two are {}: {}", two.len(), words(&two)))
}

/// A container that is started again has what it had, and its neighbours still nothing.
pub fn restart_keeps_isolation(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let Some(pod) = history.restarted() else {
        return unknown(history.lack("no container was started again"));
    };
    let pair = |container: &'static str| {
        let before = history.saw(pod, container, looks_or_tries).last();
        Some((before?, history.saw(pod, container, again).last()?))
    };
    let (Some(own), Some(beside)) = (pair(MAIN), pair(SIBLINGS[1])) else {
        return unknown(
            history.lack(&format!("containers of {pod} said nothing after they were started again")),
        );
    };
    for (before, after) in [own, beside] {
        if before.look.started == after.look.started {
            return unknown(format!("container {} of {pod} is still the one that it was", after.container));
        }
    }
    let (had, has) = (granted.own_of(own.0), granted.own_of(own.1));
    let words = |nodes: &Nodes| nodes.values().cloned().collect::<Vec<_>>().join(", ");
    if had.keys().ne(has.keys()) {
        return unmet(
            format!(
                "{pod} had {}, and has {} after its container was started again",
                words(&had),
                words(&has)
            ),
            vec![own.0.at, own.1.at],
        );
    }
    let first = history.saw(pod, SIBLINGS[0], again).last();
    for sight in first.into_iter().chain([beside.1]) {
        match reach(sight, &Nodes::new(), &BTreeSet::new()) {
            Reach::Nothing(_) => {}
            Reach::Something(what) => {
                return unmet(
                    format!(
                        "container {} of {pod}, which asked for nothing, after the restart: {what}",
                        sight.container
                    ),
                    vec![sight.at],
                );
            }
            Reach::Open(why) => return unknown(format!("container {} of {pod}: {why}", sight.container)),
        }
    }
    met(format!("{pod} has {} before and after, its neighbours have nothing", words(&has)))
}

/// Of more claims than devices, as many get one as there are devices, each another one, and the rest waits.
pub fn no_device_twice(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    if let Some((one, other, device)) = allocated_twice(&history.claims) {
        let words = format!("{device} was allocated to {} while {} had it", other.pod, one.pod);
        return unmet(words, vec![one.given, other.given]);
    }
    if let Some((witness, events)) = granted.overlap() {
        return unmet(witness, events);
    }
    let release = history.marked(|mark| matches!(mark, Mark::Remove { .. }).then_some(()));
    let Some((release, ())) = release else {
        return unknown(history.lack("no device was let go"));
    };
    let waited: Vec<_> = history
        .of_role(HOLDER)
        .filter(|pod| pod.ready.is_none_or(|at| at > release) && pod.gone.is_none_or(|at| at > release))
        .collect();
    let refused = waited.iter().find_map(|pod| {
        let (_, why) = pod.refused.as_ref().or(pod.failed.as_ref()).filter(|(at, _)| *at < release)?;
        Some((pod.name.as_str(), why.as_str()))
    });
    let Some((name, why)) = refused else {
        return unknown(history.lack("every claim was given a device, so that none had to wait"));
    };
    let after: Vec<&Sight> =
        history.sights.iter().filter(|sight| matches!(sight.during, Mark::LookReleased { .. })).collect();
    let next = waited.iter().find(|pod| after.iter().any(|sight| sight.pod == pod.name));
    let Some(next) = next else {
        return unknown(history.lack("no claim that waited was given the device that was let go"));
    };
    let own: Vec<Holder> = later(history, &granted, &after);
    if let Some((witness, events)) = overlap(&own) {
        return unmet(format!("after a device was let go, {witness}"), events);
    }
    let allocated = match history.claims.len() {
        0 => String::new(),
        count => format!("; {count} allocations, none of a device that another claim had"),
    };
    met(format!(
        "{} pods were given a device each, none twice; {name} waited ({why}) and {} was given the one that was let go{allocated}",
        granted.holders.len(),
        next.name
    ))
}

/// Devices that holders have of their own after one was let go. For the holder whose containers were started again it
/// counts what it had before: what that gave it is judged by itself.
fn later(history: &History, granted: &Granted, sights: &[&Sight]) -> Vec<Holder> {
    let again = history.restarted();
    let mut by_pod: BTreeMap<&str, &Sight> = BTreeMap::new();
    for sight in sights.iter().filter(|sight| sight.container == MAIN) {
        by_pod.insert(&sight.pod, sight);
    }
    let holder = |(pod, sight): (&str, &Sight)| match granted.holders.iter().find(|holder| holder.pod == pod)
    {
        Some(before) if Some(pod) == again => before.clone(),
        _ => {
            let own = granted.own_of(sight);
            Holder { pod: pod.into(), given: own.clone(), own, at: sight.at }
        }
    };
    by_pod.into_iter().map(holder).collect()
}

/// Two claims that had a device at the same time.
fn allocated_twice(claims: &[Claim]) -> Option<(&Claim, &Claim, &str)> {
    claims.iter().enumerate().find_map(|(place, one)| {
        claims[place + 1..].iter().find_map(|other| {
            let together = one.gone.is_none_or(|gone| gone > other.given)
                && other.gone.is_none_or(|gone| gone > one.given);
            let device = one.devices.intersection(&other.devices).next().filter(|_| together)?;
            Some((one, other, device.as_str()))
        })
    })
}

/// Tells whether the containers that were started again are asked.
fn again(mark: &Mark) -> bool {
    matches!(mark, Mark::LookAgain { .. })
}

/// Tells whether the pod that asked for two devices is asked.
fn pairs(mark: &Mark) -> bool {
    matches!(mark, Mark::LookPair { .. })
}
