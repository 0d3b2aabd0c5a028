//! From the story of a subject to outcomes: pure functions.

mod guard;
mod history;

pub use guard::doubt;
pub use history::History;

use crate::adapters::same;
use crate::marks::{Facts, GivenBy};
use aiconform_model::probe::Access;
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::{Outcome, Subject};
use history::Version;

/// Tells whether it stands on simulated devices.
pub fn simulated(history: &History) -> bool {
    history.found.as_ref().is_some_and(|(_, found)| found.device.is_simulated())
}

/// Control: the pod that asked for a device has one.
pub fn device_was_given(history: &History) -> Outcome {
    let Some((at, found)) = &history.found else {
        return unknown(history.lack("no pod was given a device"));
    };
    let reached: Vec<&str> = found
        .devices
        .iter()
        .filter(|seen| seen.opening.access() == Access::Reached)
        .map(|seen| seen.path.as_str())
        .collect();
    let pod = &found.pod;
    if reached.is_empty() {
        return unmet(format!("{pod} asked for a device, and its container reaches none"), [*at]);
    }
    met(format!("{pod} reaches {}", reached.join(", ")))
}

fn is_advertised(history: &History, version: Version) -> Outcome {
    if history.nodes.is_empty() {
        return unknown(history.lack("no node has such devices any more"));
    }
    let word = version.word();
    let mut seen = Vec::new();
    for (node, said) in &history.nodes {
        let versions = history.advertises(version, said);
        let Some((place, number)) = versions.first() else {
            let (labels, attributes) = match history.dialect.map(|dialect| version.said(dialect)) {
                Some(said) => (said.keys.join(", "), said.attributes.join(", ")),
                None => Default::default(),
            };
            if labels.is_empty() && attributes.is_empty() {
                return unknown(format!("its maker has no way that is known to say the {word} version"));
            }
            return unmet(
                format!(
                    "{node} says no {word} version: neither an attribute ({attributes}) nor the node itself ({labels})"
                ),
                [history.advertised],
            );
        };
        seen.push(format!("{node}: {word} {number} ({place})"));
    }
    met(seen.join("; "))
}

/// Every node with such devices says the driver's version.
pub fn driver_version_is_advertised(history: &History) -> Outcome {
    is_advertised(history, Version::Driver)
}

/// Every node with such devices says the runtime's version.
pub fn runtime_version_is_advertised(history: &History) -> Outcome {
    is_advertised(history, Version::Runtime)
}

fn is_true(history: &History, version: Version) -> Outcome {
    let word = version.word();
    let Some((at, found)) = &history.found else {
        return unknown(history.lack("no pod was given a device"));
    };
    if version == Version::Runtime && found.device.0["library_of_image"] == true {
        let library = found.device.text("library").unwrap_or_default();
        return unknown(format!(
            "the library that says the {word} version ({library}) came with the image of the load, and not with the device"
        ));
    }
    let Some((place, own)) = history.own(version) else {
        return unknown(format!("the {word} version that is really there cannot be read from a container"));
    };
    let node = &found.node;
    let Some(said) = history.nodes.get(node) else {
        return unknown(format!("the pod ran on {node}, which was not asked what it advertises"));
    };
    let mut advertised = history.advertises(version, said);
    // Where devices are told apart, the one that the pod has counts.
    let own_uuid = found.device.text("uuid");
    let mine = said
        .devices
        .iter()
        .find(|device| own_uuid.is_some() && device.attributes.get("uuid").map(String::as_str) == own_uuid);
    if let Some(device) = mine {
        let of_mine = format!("{}: ", device.name);
        if advertised.iter().any(|(place, _)| place.starts_with(&of_mine)) {
            advertised.retain(|(place, _)| place.starts_with(&of_mine));
        }
    }
    if advertised.is_empty() {
        return unknown(format!("{node} advertises no {word} version to compare with"));
    }
    match advertised.iter().find(|(_, number)| !same(number, &own)) {
        Some((from, number)) => unmet(
            format!("{node} advertises the {word} version {number} ({from}), and it is {own} ({place})"),
            [history.advertised, *at],
        ),
        None => met(format!("{node} advertises the {word} version {own}, and so says {place}")),
    }
}

/// The driver's version that is advertised is that of the driver.
pub fn driver_version_is_true(history: &History) -> Outcome {
    is_true(history, Version::Driver)
}

/// The runtime's version that is advertised is that of the runtime.
pub fn runtime_version_is_true(history: &History) -> Outcome {
    is_true(history, Version::Runtime)
}

/// Tells whether the devices are given by dynamic resource allocation.
pub fn is_dra(subject: &Subject) -> bool {
    Facts::of(subject).is_ok_and(|facts| facts.given_by == GivenBy::Driver)
}

/// Every device says both versions in its ResourceSlice.
pub fn versions_are_in_slices(history: &History) -> Outcome {
    if history.nodes.is_empty() {
        return unknown(history.lack("no node has such devices any more"));
    }
    let mut count = 0;
    for (node, said) in &history.nodes {
        let devices = said.devices.len();
        for version in [Version::Driver, Version::Runtime] {
            let saying = history.by_device(version, said).len();
            if saying < devices {
                let witness =
                    format!("{saying} of {devices} devices of {node} say the {} version", version.word());
                return unmet(witness, [history.advertised]);
            }
        }
        count += devices;
    }
    met(format!("{count} devices say the versions of driver and runtime"))
}
