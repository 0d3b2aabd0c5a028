//! When nothing that was seen can be believed: the platform, or someone else, changed what the trials stand on.

use super::objects::{GROUP, claim, class, given, reserved, slice};
use super::stage::FOREIGN;
use crate::foreign::{changed, gap, node};
use crate::pod::{GANG, ROLE, TRIAL};
use aiconform_cluster::RUN_LABEL;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::Subject;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The trial that deletes its own slices and classes.
const KINDS: &str = super::trials::KINDS;

/// Why nothing can be believed, if so.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let mut acting = false;
    let mut ground = Ground::default();
    for event in events {
        let ours = event.scope.subject == subject.id;
        match &event.kind {
            EventKind::SubjectStarted { .. } if ours => acting = true,
            EventKind::SubjectEnded {} if ours => acting = false,
            // What comes after an early end is our own undoing; nothing is decided then.
            EventKind::Stopped { .. } if event.scope.subject.is_empty() => acting = false,
            kind @ EventKind::WatchGap { .. } if acting => {
                if let Some(why) = gap(kind) {
                    return Some(why);
                }
            }
            EventKind::Hindrance { who, what, why } if ours && what == FOREIGN => {
                return Some(format!("{who} is not ours: {why}"));
            }
            EventKind::Phase { phase, data } if ours && phase == "remove" => ground.let_go(data),
            EventKind::Exchange {
                method,
                path,
                status: 200..300,
                request: Some(sent),
                response: Some(got),
                ..
            } if ours && method == "POST" => {
                if let Some(why) = admitted(path, sent, got) {
                    return Some(why);
                }
            }
            EventKind::Watch { kind, object, change } if acting && *kind == Kind::node() => {
                if let Some(why) = node(object, *change) {
                    return Some(why);
                }
            }
            EventKind::Watch { kind, object, change } if acting && ours => {
                if let Some(why) = ground.watched(kind, object, *change) {
                    return Some(why);
                }
            }
            _ => {}
        }
    }
    None
}

/// What of an object differs from what was sent.
pub fn admitted(path: &str, sent: &Value, got: &Value) -> Option<String> {
    let path = path.split('?').next().unwrap_or_default();
    let (sent, got) = (Object(sent.clone()), Object(got.clone()));
    if path.ends_with("/pods") {
        return changed(&sent, &got, |_| false);
    }
    if !path.starts_with(&format!("/apis/{GROUP}/")) {
        return None;
    }
    ["/spec", "/metadata/labels"].iter().find_map(|pointer| {
        let (was, is) = (sent.at(pointer), got.at(pointer));
        let text = |value: Option<&Value>| value.map_or("absent".into(), Value::to_string);
        (!kept(was, is)).then(|| {
            format!(
                "{} {} was changed on its way in: {pointer} was {}, is {}; a webhook or policy of the platform rewrites it",
                sent.kind(),
                sent.name(),
                text(was),
                text(is)
            )
        })
    })
}

/// Fields that make an object another one when someone adds them; an API server adds others, with their defaults.
const MEANINGFUL: &[&str] = &[
    "adminAccess",
    "allNodes",
    "config",
    "constraints",
    "exactly",
    "firstAvailable",
    "nodeName",
    "nodeSelector",
    "perDeviceNodeSelection",
    "selectors",
    "taints",
    "tolerations",
];

/// Whether everything that was sent is there as it was sent, and nothing beside it that makes it mean something else.
fn kept(sent: Option<&Value>, got: Option<&Value>) -> bool {
    match (sent, got) {
        (None, _) => true,
        (Some(Value::Object(sent)), Some(Value::Object(got))) => {
            sent.iter().all(|(key, value)| kept(Some(value), got.get(key)))
                && MEANINGFUL.iter().all(|key| sent.contains_key(*key) || !got.contains_key(*key))
        }
        (Some(Value::Array(sent)), Some(Value::Array(got))) => {
            sent.len() == got.len() && sent.iter().zip(got).all(|(sent, got)| kept(Some(sent), Some(got)))
        }
        (sent, got) => sent == got,
    }
}

/// What the trials stand on.
#[derive(Default)]
struct Ground {
    /// Names of what we have deleted.
    let_go: BTreeSet<String>,
    /// Slices and classes as they came, by UID.
    published: BTreeMap<String, Value>,
    /// Pods that are there, by UID.
    pods: BTreeSet<String>,
    /// The pods that claims with a device are reserved for, by the claims' UIDs.
    holders: BTreeMap<String, BTreeSet<String>>,
}

impl Ground {
    fn let_go(&mut self, data: &Value) {
        let names = data.get("names").and_then(Value::as_array).into_iter().flatten();
        self.let_go.extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
    }

    fn watched(&mut self, kind: &Kind, object: &Object, change: Change) -> Option<String> {
        if *kind == slice() || *kind == class() {
            return self.published(kind, object, change);
        }
        if *kind == Kind::pod() {
            return self.pod(object, change);
        }
        if *kind == claim() {
            return self.claim(object, change);
        }
        None
    }

    fn published(&mut self, kind: &Kind, object: &Object, change: Change) -> Option<String> {
        // Those that show that the kind can be kept are changed and deleted by us.
        if object.label(TRIAL) == KINDS {
            return None;
        }
        if change == Change::Deleted {
            return Some(format!("{} {} was deleted by someone", kind.kind, object.name()));
        }
        let spec = object.at("/spec").cloned().unwrap_or_default();
        let first = self.published.entry(object.uid().into()).or_insert_with(|| spec.clone());
        (*first != spec).then(|| format!("{} {} was changed by someone", kind.kind, object.name()))
    }

    fn pod(&mut self, object: &Object, change: Change) -> Option<String> {
        if object.label(TRIAL).is_empty() || object.label(ROLE).is_empty() {
            return (!object.label(RUN_LABEL).is_empty())
                .then(|| format!("pod {} lost its labels", object.called()));
        }
        if change == Change::Deleted {
            self.pods.remove(object.uid());
        } else {
            self.pods.insert(object.uid().into());
        }
        if object.condition_is("DisruptionTarget", "True") {
            return Some(format!("pod {} was evicted by someone", object.called()));
        }
        if self.let_go.contains(object.label(GANG)) {
            return None;
        }
        if super::history::is_gone(object, change) {
            return Some(format!("pod {} was deleted by someone", object.called()));
        }
        if object.text("/status/phase") == "Failed" {
            let why = [object.text("/status/reason"), object.text("/status/message")].join(": ");
            return Some(format!("pod {} failed: {why}", object.called()));
        }
        None
    }

    fn claim(&mut self, object: &Object, change: Change) -> Option<String> {
        if object.label(TRIAL) == KINDS || self.let_go.contains(object.label(GANG)) {
            return None;
        }
        if super::history::is_gone(object, change) {
            return Some(format!("ResourceClaim {} was deleted by someone", object.called()));
        }
        let now = if given(object).is_empty() { BTreeSet::new() } else { reserved(object) };
        let before = self.holders.insert(object.uid().into(), now.clone()).unwrap_or_default();
        let left_out = before.difference(&now).any(|pod| self.pods.contains(pod));
        left_out.then(|| {
            format!(
                "what ResourceClaim {} was given was taken away while its pod was there: by whom, the evidence does not say",
                object.called()
            )
        })
    }
}
