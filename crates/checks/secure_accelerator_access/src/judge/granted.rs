//! Device nodes that pods were given: what all others are held against.

use super::history::{History, Pod, Sight, looks_or_tries};
use super::known::is_one_device;
use crate::marks::{HOLDER, MAIN, PLAIN};
use aiconform_model::probe::{Access, Number};
use aiconform_trial::{Position, unknown, unmet};
use aiconform_verdict::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// Device nodes, with the path under which they were seen.
pub type Nodes = BTreeMap<Number, String>;

/// A pod that was given a device.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Its name.
    pub pod: String,
    /// Device nodes that it opened and a pod without a request does not.
    pub given: Nodes,
    /// Device nodes of these that are not common to all holders.
    pub own: Nodes,
    /// Where that was seen.
    pub at: Position,
}

impl Holder {
    /// Its own nodes in words.
    pub fn own_words(&self) -> String {
        named(&self.own)
    }
}

/// Device nodes that pods were given.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The node on which they are.
    pub node: String,
    /// The pods.
    pub holders: Vec<Holder>,
    /// Nodes that all of them have and that are not known to be one device's: control nodes of the driver.
    pub common: Nodes,
    /// All that was given to anyone.
    pub nodes: Nodes,
    /// Devices that a pod without a request opens, in any container.
    baseline: BTreeSet<Number>,
    /// Way in which one of them was opened.
    opened: String,
}

fn named(nodes: &Nodes) -> String {
    let words: Vec<String> = nodes.iter().map(|(number, path)| format!("{path} ({number})")).collect();
    words.join(", ")
}

impl Granted {
    /// In words.
    pub fn words(&self) -> String {
        let holders: Vec<String> = self
            .holders
            .iter()
            .map(|holder| format!("{} opens {}", holder.pod, named(&holder.given)))
            .collect();
        format!("on {}, {}{} ({})", self.node, holders.join("; "), self.common_words(), self.opened)
    }

    /// The common nodes, in words, where there are any.
    pub fn common_words(&self) -> String {
        match self.common.is_empty() {
            true => String::new(),
            false => format!("; all holders have {}, which counts as nobody's", named(&self.common)),
        }
    }

    /// Nodes that a container has of devices and one without a request has not, without what all holders have.
    pub fn own_of(&self, sight: &Sight) -> Nodes {
        let given = given(sight, &self.baseline);
        given.into_iter().filter(|(number, _)| !self.common.contains_key(number)).collect()
    }

    /// Tells whether there are two holders.
    ///
    /// # Errors
    /// In words.
    pub fn two(&self) -> Result<(), String> {
        if self.holders.len() >= 2 {
            return Ok(());
        }
        Err(format!("only one device of {} was free, and two pods with one each are needed", self.node))
    }

    /// Two holders that have a node in common which is not common to all, or nothing of their own.
    pub fn overlap(&self) -> Option<(String, Vec<Position>)> {
        overlap(&self.holders)
    }
}

/// Two of these that have a node of their own in common, or nothing of their own.
pub fn overlap(holders: &[Holder]) -> Option<(String, Vec<Position>)> {
    for (place, one) in holders.iter().enumerate() {
        if one.own.is_empty() && holders.len() >= 2 {
            return Some((
                format!("{} has no device node that not all others have too", one.pod),
                vec![one.at],
            ));
        }
        for other in &holders[place + 1..] {
            if let Some((number, path)) = one.own.iter().find(|(number, _)| other.own.contains_key(number)) {
                let words = format!("{} and {} both open {path} ({number})", one.pod, other.pod);
                return Some((words, vec![one.at, other.at]));
            }
        }
    }
    None
}

/// Device nodes that a container opened and no pod without a request does, or that are known as an accelerator by their
/// name.
fn given(sight: &Sight, baseline: &BTreeSet<Number>) -> Nodes {
    let reached = sight.look.devices.iter().filter(|seen| seen.opening.access() == Access::Reached);
    reached
        .filter(|seen| is_one_device(&seen.path) || !baseline.contains(&seen.number))
        .map(|seen| (seen.number, seen.path.clone()))
        .collect()
}

/// Device nodes that pods were given.
///
/// # Errors
/// The outcome of a control that is not met: nothing that was seen then says anything of isolation.
pub fn granted(history: &History) -> Result<Granted, Outcome> {
    let plain = history.of_role(PLAIN).next();
    let sights: Vec<&Sight> =
        plain.iter().flat_map(|pod| history.saw(&pod.name, MAIN, looks_or_tries)).collect();
    if sights.is_empty() {
        return Err(unknown(history.lack("no pod without a request said what it sees")));
    }
    let baseline: BTreeSet<Number> = sights
        .iter()
        .flat_map(|sight| &sight.look.devices)
        .filter(|seen| seen.opening.access() == Access::Reached)
        .map(|seen| seen.number)
        .collect();
    let mut holders: Vec<Holder> = Vec::new();
    let (mut refused, mut events) = (Vec::new(), Vec::new());
    let mut node = None;
    let mut pods: Vec<&Pod> = history.of_role(HOLDER).collect();
    pods.sort_by(|one, other| one.name.cmp(&other.name));
    for pod in pods {
        let Some(sight) = history.saw(&pod.name, MAIN, looks_or_tries).last() else { continue };
        let (_, place) = pod.bound.as_ref().ok_or_else(|| unknown("a pod that answers has no node"))?;
        if node.get_or_insert_with(|| place.clone()) != place {
            return Err(unknown(format!("pods with devices are on {place} and on another node")));
        }
        events.push(sight.at);
        let mut nodes = Nodes::new();
        for sight in history.saw(&pod.name, MAIN, looks_or_tries) {
            nodes.extend(given(sight, &baseline));
        }
        let closed = sight.look.devices.iter().filter(|seen| seen.opening.access() != Access::Reached);
        refused.extend(closed.map(|seen| format!("{} {}", seen.path, seen.opening.word())));
        holders.push(Holder { pod: pod.name.clone(), own: nodes.clone(), given: nodes, at: sight.at });
    }
    let Some(node) = node else {
        return Err(unknown(history.lack("no pod was given a device")));
    };
    if let Some(empty) = holders.iter().find(|holder| holder.given.is_empty()) {
        let refused = if refused.is_empty() { "it sees none at all".into() } else { refused.join(", ") };
        let words = format!(
            "{} was given a device and opens none that a pod without a request does not: {refused}",
            empty.pod
        );
        return Err(unmet(words, events));
    }
    let in_all = |number: &Number| holders.iter().all(|holder| holder.given.contains_key(number));
    let common: Nodes = holders[0]
        .given
        .iter()
        .filter(|(number, path)| holders.len() >= 2 && in_all(number) && !is_one_device(path))
        .map(|(number, path)| (*number, path.clone()))
        .collect();
    for holder in &mut holders {
        holder.own.retain(|number, _| !common.contains_key(number));
    }
    let nodes: Nodes = holders.iter().flat_map(|holder| holder.given.clone()).collect();
    let seen = history.saw(&holders[0].pod, MAIN, looks_or_tries).flat_map(|sight| &sight.look.devices);
    let opened = seen.filter(|seen| nodes.contains_key(&seen.number)).map(|seen| match seen.opening.errno {
        0 => format!("{} opened", seen.path),
        _ => format!("{} answered with {}, so that it was reached", seen.path, seen.opening.word()),
    });
    let opened = opened.last().unwrap_or_default();
    Ok(Granted { node, holders, common, nodes, baseline, opened })
}
