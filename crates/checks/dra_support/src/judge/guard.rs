//! When nothing that was seen can be believed: the platform, or someone else, changed what the trials stand on.

use super::history::History;
use crate::marks::{FOREIGN, KINDS};
use crate::reading::{admitted, class, given, is_gone, reserved, slice};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::foreign::node;
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::labels::{GANG, ROLE, RUN, TRIAL};
use aiconform_trial::{Admitted, Guard, Position, Story};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Why nothing can be believed, if so.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    let mut ground = Ground::default();
    let mut own = |event: &Event| match &event.kind {
        EventKind::Hindrance { who, what, why } if story.is_own(event) && what == FOREIGN => {
            Some(format!("{who} is not ours: {why}"))
        }
        EventKind::Watch { kind, object, change } if *kind == Kind::node() => node(object, *change),
        EventKind::Watch { kind, object, change } if story.is_own(event) => {
            let let_go = history.is_let_go(object.label(GANG), Position::of(event));
            ground.watched(kind, object, *change, let_go)
        }
        _ => None,
    };
    let mut rewritten = |of: &Admitted<'_>| admitted(of.path, of.sent, of.got);
    story.doubt(Guard { watches: &|_| true, admitted: &mut rewritten, own: &mut own })
}

/// Ground that the trials stand on.
#[derive(Default)]
struct Ground {
    /// Slices and classes as they came, by UID.
    published: BTreeMap<String, Value>,
    /// Pods that are there, by UID.
    pods: BTreeSet<String>,
    /// The pods that claims with a device are reserved for, by the claims' UIDs.
    holders: BTreeMap<String, BTreeSet<String>>,
}

impl Ground {
    /// Why an object that is not as we left it speaks against what was seen; `let_go` says that we are deleting it.
    fn watched(&mut self, kind: &Kind, object: &Object, change: Change, let_go: bool) -> Option<String> {
        if *kind == slice() || *kind == class() {
            return self.published(kind, object, change);
        }
        if *kind == Kind::pod() {
            return self.pod(object, change, let_go);
        }
        if *kind == resource_claim() {
            return self.claim(object, change, let_go);
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

    fn pod(&mut self, object: &Object, change: Change, let_go: bool) -> Option<String> {
        if object.label(TRIAL).is_empty() || object.label(ROLE).is_empty() {
            return (!object.label(RUN).is_empty())
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
        if let_go {
            return None;
        }
        if is_gone(object, change) {
            return Some(format!("pod {} was deleted by someone", object.called()));
        }
        if object.text("/status/phase") == "Failed" {
            let why = [object.text("/status/reason"), object.text("/status/message")].join(": ");
            return Some(format!("pod {} failed: {why}", object.called()));
        }
        None
    }

    fn claim(&mut self, object: &Object, change: Change, let_go: bool) -> Option<String> {
        if object.label(TRIAL) == KINDS || let_go {
            return None;
        }
        if is_gone(object, change) {
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
