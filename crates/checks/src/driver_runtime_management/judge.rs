//! From evidence to outcomes: pure functions.

use super::adapters::{Dialect, Said, dialect, same};
use crate::foreign::admitted_pod;
use aiconform_model::probe::{Access, ReadFile, Seen};
use aiconform_model::{Event, EventKind, Kind};
use aiconform_verdict::{Outcome, Subject};
use serde_json::{Map, Value};

fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// Which version is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Driver,
    Runtime,
}

impl Of {
    fn said(self, dialect: &Dialect) -> &Said {
        match self {
            Of::Driver => &dialect.driver,
            Of::Runtime => &dialect.runtime,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Of::Driver => "driver",
            Of::Runtime => "runtime",
        }
    }
}

/// A run of one subject as the evidence has it.
#[derive(Default)]
struct History {
    dialect: Option<&'static Dialect>,
    /// What each node says, and the position of that mark.
    nodes: Map<String, Value>,
    advertised: u64,
    /// What the pod found, and the position of that mark.
    found: Option<(u64, Value)>,
    stopped: Option<String>,
    doubt: Option<String>,
}

impl History {
    fn of(events: &[&Event], subject: &Subject) -> History {
        let id = subject.facts.get("dialect").and_then(Value::as_str).unwrap_or_default();
        let mut history = History { dialect: dialect(id), ..History::default() };
        let mut over = false;
        for event in events {
            match &event.kind {
                EventKind::Phase { phase, data } => match phase.as_str() {
                    "advertised" => {
                        history.nodes = data["nodes"].as_object().cloned().unwrap_or_default();
                        history.advertised = event.sequence;
                    }
                    "found" => history.found = Some((event.sequence, data.clone())),
                    "over" => over = true,
                    _ => {}
                },
                EventKind::Stopped { why } => {
                    history.stopped.get_or_insert_with(|| why.clone());
                }
                EventKind::Exchange {
                    method,
                    path,
                    status: 200..300,
                    request: Some(sent),
                    response: Some(got),
                    ..
                } => {
                    history.doubt = history.doubt.take().or_else(|| admitted_pod(method, path, sent, got));
                }
                EventKind::Watch { kind, object, .. }
                    if *kind == Kind::pod()
                        && !over
                        && object.at("/metadata/deletionTimestamp").is_some() =>
                {
                    let why = format!("the test pod {} was deleted by someone else", object.name());
                    history.doubt.get_or_insert(why);
                }
                _ => {}
            }
        }
        history
    }

    fn lack(&self, otherwise: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| otherwise.into())
    }

    /// The versions that a node advertises, each with where: those of its devices where they are published with any, else
    /// the node's own.
    fn advertised(&self, of: Of, node: &Value) -> Vec<(String, String)> {
        let Some(dialect) = self.dialect else { return Vec::new() };
        let by_device = self.by_device(of, node);
        if !by_device.is_empty() {
            return by_device;
        }
        let said = |key: &str| node["node"][key].as_str().map(str::to_owned);
        of.said(dialect).on_node(said).into_iter().collect()
    }

    fn by_device(&self, of: Of, node: &Value) -> Vec<(String, String)> {
        let Some(dialect) = self.dialect else { return Vec::new() };
        let mut found = Vec::new();
        for device in node["devices"].as_array().into_iter().flatten() {
            let name = device["name"].as_str().unwrap_or_default();
            let attribute = of.said(dialect).attributes.iter().find_map(|attribute| {
                Some((format!("{name}: {attribute}"), device["attributes"][attribute].as_str()?.to_owned()))
            });
            found.extend(attribute);
        }
        found
    }

    /// The version that the device itself says, or its driver in the container, and where.
    fn own(&self, of: Of) -> Option<(String, String)> {
        let (dialect, (_, found)) = (self.dialect?, self.found.as_ref()?);
        let said = of.said(dialect);
        if let Some(version) = found["device"][&said.inspect].as_str() {
            return Some(("the device".into(), version.to_owned()));
        }
        let files: Vec<ReadFile> = serde_json::from_value(found["files"].clone()).unwrap_or_default();
        let text = |path: &str| {
            files.iter().find(|file| file.path == path && file.why.is_empty()).map(|file| file.text.clone())
        };
        said.in_files(text)
    }
}

/// Why nothing of this subject can be believed.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let history = History::of(events, subject);
    if history.dialect.is_none() {
        return Some(format!(
            "it is not known how the maker of {} says versions: look whether labels of its nodes, or attributes in its ResourceSlices, say what is installed",
            subject.id
        ));
    }
    history.doubt
}

/// Whether it stands on simulated devices: only they answer the probe.
pub fn simulated(events: &[&Event], subject: &Subject) -> bool {
    History::of(events, subject).found.is_some_and(|(_, found)| found["device"].is_object())
}

/// Control: the pod that asked for a device has one.
pub fn device_was_given(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some((at, found)) = &history.found else {
        return unknown(history.lack("no pod was given a device"));
    };
    let devices: Vec<Seen> = serde_json::from_value(found["devices"].clone()).unwrap_or_default();
    let reached: Vec<&str> = devices
        .iter()
        .filter(|seen| seen.opening.access() == Access::Reached)
        .map(|seen| seen.path.as_str())
        .collect();
    let pod = found["pod"].as_str().unwrap_or_default();
    if reached.is_empty() {
        return unmet(format!("{pod} asked for a device, and its container reaches none"), vec![*at]);
    }
    met(format!("{pod} reaches {}", reached.join(", ")))
}

fn is_advertised(events: &[&Event], subject: &Subject, of: Of) -> Outcome {
    let history = History::of(events, subject);
    if history.nodes.is_empty() {
        return unknown(history.lack("no node has such devices any more"));
    }
    let word = of.word();
    let mut seen = Vec::new();
    for (node, said) in &history.nodes {
        let versions = history.advertised(of, said);
        let Some((place, version)) = versions.first() else {
            let (labels, attributes) = match history.dialect.map(|dialect| of.said(dialect)) {
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
                vec![history.advertised],
            );
        };
        seen.push(format!("{node}: {word} {version} ({place})"));
    }
    met(seen.join("; "))
}

/// Every node with such devices says the driver's version.
pub fn driver_version_is_advertised(events: &[&Event], subject: &Subject) -> Outcome {
    is_advertised(events, subject, Of::Driver)
}

/// Every node with such devices says the runtime's version.
pub fn runtime_version_is_advertised(events: &[&Event], subject: &Subject) -> Outcome {
    is_advertised(events, subject, Of::Runtime)
}

fn is_true(events: &[&Event], subject: &Subject, of: Of) -> Outcome {
    let history = History::of(events, subject);
    let word = of.word();
    let Some((at, found)) = &history.found else {
        return unknown(history.lack("no pod was given a device"));
    };
    let Some((place, own)) = history.own(of) else {
        return unknown(format!("the {word} version that is really there cannot be read from a container"));
    };
    let node = found["node"].as_str().unwrap_or_default();
    let Some(said) = history.nodes.get(node) else {
        return unknown(format!("the pod ran on {node}, which was not asked what it advertises"));
    };
    let mut advertised = history.advertised(of, said);
    // Where devices are told apart, the one that the pod has counts.
    let mine = said["devices"].as_array().into_iter().flatten().find(|device| {
        device["attributes"]["uuid"].as_str().is_some()
            && device["attributes"]["uuid"] == found["device"]["uuid"]
    });
    if let Some(name) = mine.and_then(|device| device["name"].as_str()) {
        let of_mine = format!("{name}: ");
        if advertised.iter().any(|(place, _)| place.starts_with(&of_mine)) {
            advertised.retain(|(place, _)| place.starts_with(&of_mine));
        }
    }
    if advertised.is_empty() {
        return unknown(format!("{node} advertises no {word} version to compare with"));
    }
    match advertised.iter().find(|(_, version)| !same(version, &own)) {
        Some((from, version)) => unmet(
            format!("{node} advertises the {word} version {version} ({from}), and it is {own} ({place})"),
            vec![history.advertised, *at],
        ),
        None => met(format!("{node} advertises the {word} version {own}, and so says {place}")),
    }
}

/// The driver's version that is advertised is that of the driver.
pub fn driver_version_is_true(events: &[&Event], subject: &Subject) -> Outcome {
    is_true(events, subject, Of::Driver)
}

/// The runtime's version that is advertised is that of the runtime.
pub fn runtime_version_is_true(events: &[&Event], subject: &Subject) -> Outcome {
    is_true(events, subject, Of::Runtime)
}

/// Whether the devices are given by dynamic resource allocation.
pub fn is_dra(subject: &Subject) -> bool {
    subject.facts.get("given_by").and_then(Value::as_str) == Some("dra")
}

/// Every device says both versions in its ResourceSlice.
pub fn versions_are_in_slices(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    if history.nodes.is_empty() {
        return unknown(history.lack("no node has such devices any more"));
    }
    let mut count = 0;
    for (node, said) in &history.nodes {
        let devices = said["devices"].as_array().map_or(0, Vec::len);
        for of in [Of::Driver, Of::Runtime] {
            let told = history.by_device(of, said).len();
            if told < devices {
                let witness = format!("{told} of {devices} devices of {node} say the {} version", of.word());
                return unmet(witness, vec![history.advertised]);
            }
        }
        count += devices;
    }
    met(format!("{count} devices say the versions of driver and runtime"))
}
