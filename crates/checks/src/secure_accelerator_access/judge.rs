//! From evidence to outcomes: pure functions.

mod beyond;
mod counts;
mod granted;

pub use beyond::{admin_access_is_refused, allocated_device_is_given, foreign_claim_is_unusable};
pub use counts::{no_device_twice, requested_is_visible, restart_keeps_isolation};
pub use granted::{Granted, Nodes, granted};

use super::adapters::is_one_device;
use super::history::{History, Sight};
use super::run::MAKES_NODES;
use aiconform_model::Event;
use aiconform_model::probe::{Access, Number, SIMULATED};
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;
use std::collections::BTreeSet;

/// Phases in which everyone looks and tries, before anything is let go.
pub const TRIES: &[&str] = &["look", "try"];
/// A device that every container may open: `/dev/null`.
const NULL: Number = Number { block: false, major: 1, minor: 3 };

pub(super) fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

pub(super) fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

pub(super) fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// Whether a pod may be made there that makes device nodes.
pub fn makes_nodes(subject: &Subject) -> bool {
    subject.facts.get(MAKES_NODES).and_then(Value::as_bool) == Some(true)
}

/// Whether it stands on simulated devices: they say so, or no driver stands behind what was given.
pub fn simulated(events: &[&Event], subject: &Subject) -> bool {
    let history = History::of(events, subject);
    let holds = |sight: &&Sight| history.pod(&sight.pod).is_some_and(|pod| pod.role.starts_with("holder"));
    history.sights.iter().filter(holds).any(|sight| {
        let told = sight.look.environment.contains_key(SIMULATED);
        told || sight
            .look
            .devices
            .iter()
            .any(|seen| is_one_device(&seen.path) && seen.opening.has_no_driver())
    })
}

/// Control: a pod that is given a device sees nodes that one without does not, and opens at least one.
pub fn granted_opens(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    match granted(&history) {
        Ok(granted) => met(granted.words()),
        Err(outcome) => outcome,
    }
}

/// What a container came to of what it must not have.
pub(super) enum Reach {
    /// Nothing; with what came of its tries.
    Nothing(String),
    /// A device, or a way to one.
    Something(String),
    /// It cannot be told.
    Open(String),
}

/// Looks for what a container may not have in what it saw and tried; `own` it may have.
pub(super) fn reach(sight: &Sight, forbidden: &Nodes, own: &BTreeSet<Number>) -> Reach {
    let look = &sight.look;
    let (mut denied, mut open) = (Vec::new(), Vec::new());
    let mut take = |access: Access, path: &str, number: String, word: &str| match access {
        Access::Reached => Some(Reach::Something(format!("{path}{number}: {word}"))),
        // Permissions of a file keep out this user, and let in another.
        Access::Hidden => {
            open.push(format!("{path}{number} is there, and its permissions alone ({word}) stand before it"));
            None
        }
        Access::Unclear => {
            open.push(format!("{path}{number}: {word}"));
            None
        }
        Access::Denied | Access::Absent => {
            denied.push(format!("{path} {word}"));
            None
        }
    };
    for seen in look.devices.iter().filter(|seen| !own.contains(&seen.number)) {
        if (forbidden.contains_key(&seen.number) || is_one_device(&seen.path))
            && let Some(found) =
                take(seen.opening.access(), &seen.path, format!(" ({})", seen.number), seen.opening.word())
        {
            return found;
        }
    }
    for tried in look.paths.iter().filter(|tried| !look.devices.iter().any(|seen| seen.path == tried.path)) {
        // Its own sockets are no one else's.
        if !own.is_empty() && look.sockets.contains(&tried.path) {
            continue;
        }
        if let Some(found) = take(tried.opening.access(), &tried.path, String::new(), tried.opening.word()) {
            return found;
        }
    }
    if let Some(socket) = look.sockets.first().filter(|_| own.is_empty()) {
        return Reach::Something(format!("the device's socket {socket} is there"));
    }
    if let Some(why) = open.into_iter().next() {
        return Reach::Open(why);
    }
    let untried = |path: &&String| {
        !look.paths.iter().any(|tried| tried.path == **path)
            && !look.devices.iter().any(|seen| seen.path == **path)
    };
    match forbidden.iter().filter(|(number, _)| !own.contains(number)).map(|(_, path)| path).find(untried) {
        Some(path) => Reach::Open(format!("{path} was not tried")),
        None => Reach::Nothing(if denied.is_empty() {
            "it sees no such device".into()
        } else {
            denied.join(", ")
        }),
    }
}

/// Judges containers that may have nothing: in every phase of the tries, and at least in the last of them.
fn have_nothing<'a>(
    history: &History,
    granted: &Granted,
    containers: impl Iterator<Item = (&'a str, &'a str)>,
) -> Outcome {
    let mut words = Vec::new();
    for (pod, container) in containers {
        let place = history.pod(pod).and_then(|pod| pod.bound.as_ref()).map(|(_, node)| node.as_str());
        if place != Some(granted.node.as_str()) {
            return unknown(
                history.lack(&format!("{pod} was not on {}, where the devices are", granted.node)),
            );
        }
        let mut last = None;
        for sight in history.saw(pod, container, TRIES) {
            // Only what was tried when it was known what to try is a try.
            let forbidden = if sight.phase == "try" { &granted.nodes } else { &Nodes::new() };
            match reach(sight, forbidden, &BTreeSet::new()) {
                Reach::Something(what) => {
                    return unmet(
                        format!(
                            "container {container} of {pod}, which asked for nothing, on {}: {what}",
                            granted.node
                        ),
                        vec![sight.at],
                    );
                }
                Reach::Open(why) => return unknown(format!("container {container} of {pod}: {why}")),
                Reach::Nothing(tried) => last = Some(tried).filter(|_| sight.phase == "try"),
            }
        }
        match last {
            Some(tried) => words.push(format!("{container} of {pod}: {tried}")),
            None => return unknown(history.lack(&format!("{container} of {pod} tried nothing"))),
        }
    }
    match words.is_empty() {
        true => unknown(history.lack("no such container was there")),
        false => met(words.join("; ")),
    }
}

/// What holders have, or why nothing else can be told.
pub(super) fn ground(history: &History) -> Result<Granted, Outcome> {
    granted(history).map_err(|outcome| match outcome {
        Outcome::Unknown { why } => unknown(why),
        other => unknown(format!("nothing is known without a device that its owner opens: {}", other.text())),
    })
}

/// A pod without a request finds nothing on the node of the devices.
pub fn no_request_no_access(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let granted = match ground(&history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let pods: Vec<&str> = history.of_role("plain").map(|pod| pod.name.as_str()).collect();
    have_nothing(&history, &granted, pods.into_iter().map(|pod| (pod, "probe")))
}

/// A pod without a request that asks for devices by its environment finds nothing.
pub fn environment_gives_nothing(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let granted = match ground(&history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let pods: Vec<&str> = history.of_role("asks").map(|pod| pod.name.as_str()).collect();
    let containers =
        pods.into_iter().flat_map(|pod| ["all", "number", "void"].map(|container| (pod, container)));
    have_nothing(&history, &granted, containers)
}

/// Containers beside the one that was given a device find nothing.
pub fn sibling_has_no_access(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let granted = match ground(&history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let holders = granted.holders.iter();
    let containers = holders.flat_map(|holder| SIBLINGS.map(|container| (holder.pod.as_str(), container)));
    match have_nothing(&history, &granted, containers) {
        Outcome::Met { seen } => later_siblings(&history, &granted).unwrap_or_else(|| met(seen)),
        other => other,
    }
}

/// Containers beside the one that is given a device.
const SIBLINGS: [&str; 2] = ["first", "beside"];

/// What is wrong with those of pods that were given a device later, which only look. The one whose containers were
/// started again is judged by itself.
fn later_siblings(history: &History, granted: &Granted) -> Option<Outcome> {
    let again = history.phase("restart").and_then(|phase| phase.data["pod"].as_str());
    let later = history.sights.iter().filter(|sight| {
        ["look_released", "look_pair"].contains(&sight.phase.as_str())
            && SIBLINGS.contains(&sight.container.as_str())
            && Some(sight.pod.as_str()) != again
    });
    later
        .filter_map(|sight| {
            let found = sight.look.devices.iter().filter(|seen| granted.nodes.contains_key(&seen.number));
            let found = found.map(|seen| (seen.number, seen.path.clone())).collect();
            match reach(sight, &found, &BTreeSet::new()) {
                Reach::Something(what) => {
                    let words = format!(
                        "container {} of {}, which asked for nothing: {what}",
                        sight.container, sight.pod
                    );
                    Some(unmet(words, vec![sight.at]))
                }
                Reach::Open(why) => {
                    Some(unknown(format!("container {} of {}: {why}", sight.container, sight.pod)))
                }
                Reach::Nothing(_) => None,
            }
        })
        .next()
}

/// Of two pods with a device each, neither comes to the other's.
pub fn others_device_is_denied(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let granted = match ground(&history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    if let Err(why) = granted.two() {
        return unknown(history.lack(&why));
    }
    if let Some((witness, events)) = granted.overlap() {
        return unmet(witness, events);
    }
    let mut words = Vec::new();
    for holder in &granted.holders {
        let others = granted.holders.iter().filter(|other| other.pod != holder.pod);
        let forbidden: Nodes = others.flat_map(|other| other.own.clone()).collect();
        let allowed: BTreeSet<Number> = holder.given.keys().copied().collect();
        let mut tried = None;
        for sight in history.saw(&holder.pod, "probe", &["try"]) {
            match reach(sight, &forbidden, &allowed) {
                Reach::Something(what) => {
                    return unmet(
                        format!("{} opens a device of another: {what}", holder.pod),
                        vec![sight.at],
                    );
                }
                Reach::Open(why) => return unknown(format!("{}: {why}", holder.pod)),
                Reach::Nothing(words) => tried = Some(words),
            }
        }
        match tried {
            Some(tried) => words.push(format!("{} has {} and tried {tried}", holder.pod, holder.own_words())),
            None => return unknown(history.lack(&format!("{} tried nothing", holder.pod))),
        }
    }
    let common = granted.common_words();
    met(format!("{}{common}", words.join("; ")))
}

/// A node that is made by hand, by a device's number, does not open.
pub fn made_node_is_denied(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let granted = match ground(&history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let pods: Vec<&str> = history.of_role("makes-nodes").map(|pod| pod.name.as_str()).collect();
    let sight = pods.iter().flat_map(|pod| history.saw(pod, "maker", &["try"])).last();
    let Some(sight) = sight else {
        return unknown(history.lack("no pod tried to make a device node"));
    };
    let tried = |number: &Number| sight.look.numbers.iter().find(|tried| tried.number == *number);
    let mut words = Vec::new();
    for (number, path) in &granted.nodes {
        let Some(tried) = tried(number) else { return unknown(format!("no node was made for {path}")) };
        match (tried.made.access(), tried.opening.as_ref().map(|opening| (opening.access(), opening.word())))
        {
            (_, Some((Access::Reached, word))) => {
                return unmet(
                    format!(
                        "a node made for {path} ({number}) in {}, which asked for nothing: {word}",
                        sight.pod
                    ),
                    vec![sight.at],
                );
            }
            (_, Some((Access::Denied, word))) => words.push(format!("{number} {word}")),
            (Access::Denied, None) => words.push(format!("{number} cannot be made ({})", tried.made.word())),
            (_, Some((_, word))) => return unknown(format!("a node made for {path}: {word}")),
            (_, None) => return unknown(format!("no node could be made for {path}: {}", tried.made.word())),
        }
    }
    // Where a node can be made, one that everyone may open must open: else it is the place that denies.
    match tried(&NULL).map(|null| (null.made.access(), null.opening.as_ref().map(|opening| opening.errno))) {
        Some((_, Some(0))) => {
            met(format!("made in {}: {}; one made for /dev/null opens", sight.pod, words.join(", ")))
        }
        Some((Access::Denied, None)) => met(format!("in {}: {}", sight.pod, words.join(", "))),
        _ => unknown("a node made for /dev/null does not open either, so that it is the place that denies"),
    }
}
