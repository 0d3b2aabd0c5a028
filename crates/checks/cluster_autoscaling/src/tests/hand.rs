//! Runs made by hand: steps under names, which a test takes away, changes or adds to.

use crate::judge::RULES;
use crate::marks::{ID, Mark, node_claim};
use aiconform_model::{Change, EventKind, Kind, Object, Scope};
use aiconform_trial::marks;
use aiconform_trial::story::LIMITS;
use aiconform_trial::testing::{self, Tape};
use aiconform_verdict::{Judgement, OWN_CONTROL};
use serde_json::{Value, json};

const POOL: &str = "karpenter.sh/nodepool";
const RESOURCE: &str = "nvidia.com/gpu";
/// What happened, in order.
#[derive(Clone)]
pub struct Script {
    pub subject: &'static str,
    pub max_nodes: u64,
    /// Names of steps before which it takes so many seconds more.
    pub pauses: Vec<(&'static str, i64)>,
    /// The deadline in seconds, as the run has it.
    pub deadline: Option<f64>,
    pub steps: Vec<(String, EventKind)>,
}

fn watched(kind: Kind, change: Change, object: Value) -> EventKind {
    EventKind::Watch { kind, change, object: Object(object) }
}

/// A node of the pool with two accelerators; its NodeClaim has the same letter.
pub fn node(name: &str, letter: &str, ready: &str, change: Change) -> EventKind {
    let object = json!({"metadata": {"name": name, "uid": format!("node-{letter}"),
            "labels": {POOL: "accelerators", "kwok.x-k8s.io/node": "fake"},
            "ownerReferences": [{"kind": "NodeClaim", "uid": format!("claim-{letter}")}]},
        "spec": {}, "status": {"allocatable": {RESOURCE: "2"}, "conditions": [{"type": "Ready", "status": ready}]}});
    watched(Kind::node(), change, object)
}

pub fn claim(letter: &str, change: Change) -> EventKind {
    let object = json!({"metadata": {"name": format!("claim-{letter}"), "uid": format!("claim-{letter}"),
        "ownerReferences": [{"kind": "NodePool", "uid": "pool"}]}});
    watched(node_claim(), change, object)
}

pub fn leaving_claim(letter: &str) -> EventKind {
    let mut leaving = claim(letter, Change::Modified);
    edit(&mut leaving, |claim| claim["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    leaving
}

/// A pod; with a reason for which it is not scheduled.
pub fn pod(name: &str, spec: Value, reason: Option<&str>, change: Change) -> EventKind {
    let conditions: Vec<Value> = reason
        .iter()
        .map(|reason| json!({"type": "PodScheduled", "status": "False", "reason": reason, "message": "0/1 nodes"}))
        .collect();
    let object = json!({"metadata": {"name": name, "namespace": "n", "uid": name}, "spec": spec,
        "status": {"phase": "Pending", "conditions": conditions}});
    watched(Kind::pod(), change, object)
}

/// What the autoscaler says of a pod.
pub fn said(pod: &str, reason: &str, message: &str) -> EventKind {
    let event = json!({"metadata": {"name": format!("{pod}.{reason}"), "namespace": "n"},
        "involvedObject": {"kind": "Pod", "name": pod}, "reason": reason, "message": message,
        "source": {"component": "karpenter"}});
    watched(Kind::event(), Change::Added, event)
}

/// Changes the object of a step.
pub fn edit(step: &mut EventKind, change: impl Fn(&mut Value)) {
    if let EventKind::Watch { object, .. } = step {
        change(&mut object.0);
    }
}

impl Script {
    fn new() -> Script {
        Script { subject: "karpenter", max_nodes: 2, pauses: Vec::new(), deadline: None, steps: Vec::new() }
    }

    /// An empty pool; two nodes come for two pods, and go.
    pub fn healthy() -> Script {
        let mut script = Script::new();
        script.begin();
        script.brings("a", "A", "wants-1-0");
        script.add("impossible-deleted", marks::event(&Mark::ImpossibleDeleted { pod: "impossible".into() }));
        script.add("impossible-gone", pod("impossible", json!({}), Some("Unschedulable"), Change::Deleted));
        script.brings("b", "B", "wants-2-0");
        script.removes("b", "B", "wants-2-0");
        script.removes("a", "A", "wants-1-0");
        script.end()
    }

    /// No node comes for the first pod.
    pub fn late() -> Script {
        let mut script = Script::new();
        script.begin();
        script.add("trigger-a", marks::event(&Mark::Trigger { pod: "wants-1-0".into() }));
        script.add("pod-a", pod("wants-1-0", json!({}), None, Change::Added));
        script.add("refused-a", pod("wants-1-0", json!({}), Some("Unschedulable"), Change::Modified));
        let late = Mark::Late { pod: "wants-1-0".into(), seconds: 30, last: "nothing".into() };
        script.add("late", marks::event(&late));
        script.end()
    }

    /// The same as [`Script::healthy`] in the words of cluster-autoscaler.
    pub fn of_cluster_autoscaler() -> Script {
        let mut script = Script { subject: "cluster-autoscaler", ..Script::healthy() }.without("claim-");
        for (name, step) in &mut script.steps {
            let reason = match name.as_str() {
                "refused-by-it" => "NotTriggerScaleUp",
                name if name.starts_with("nominated") => "TriggeredScaleUp",
                _ => "",
            };
            edit(step, |object| {
                if !reason.is_empty() {
                    object["reason"] = json!(reason);
                    object["source"]["component"] = json!("cluster-autoscaler");
                }
                object["metadata"]["ownerReferences"] = json!([]);
            });
        }
        let taint = json!([{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]);
        for (letter, upper) in [("a", "A"), ("b", "B")] {
            let mut leaving = node(&format!("node-{letter}"), upper, "True", Change::Modified);
            edit(&mut leaving, |node| {
                node["spec"]["taints"] = taint.clone();
                node["metadata"]["ownerReferences"] = json!([]);
            });
            script = script.put(&format!("node-{letter}-gone"), &format!("taint-{letter}"), leaving);
        }
        script
    }

    fn add(&mut self, name: &str, kind: EventKind) {
        self.steps.push((name.into(), kind));
    }

    fn begin(&mut self) {
        let mut old = node("old", "old", "True", Change::Listed);
        edit(&mut old, |node| {
            node["metadata"]["labels"] = json!({});
            node["metadata"]["ownerReferences"] = json!([]);
            node["status"]["allocatable"] = json!({"cpu": "4"});
        });
        self.add("old", old);
        self.add("begin", marks::event(&Mark::Begin {}));
        self.add("impossible", marks::event(&Mark::Impossible { pod: "impossible".into() }));
        self.add("impossible-pod", pod("impossible", json!({}), Some("Unschedulable"), Change::Added));
        self.add("refused-by-it", said("impossible", "FailedScheduling", "no instance type has enough"));
    }

    fn brings(&mut self, letter: &str, upper: &str, name: &str) {
        let on = format!("node-{letter}");
        self.add(&format!("trigger-{letter}"), marks::event(&Mark::Trigger { pod: name.into() }));
        self.add(&format!("pod-{letter}"), pod(name, json!({}), None, Change::Added));
        self.add(&format!("refused-{letter}"), pod(name, json!({}), Some("Unschedulable"), Change::Modified));
        self.add(&format!("claim-{letter}"), claim(upper, Change::Added));
        let word = format!("Pod should schedule on: nodeclaim/claim-{upper}");
        self.add(&format!("nominated-{letter}"), said(name, "Nominated", &word));
        self.add(&format!("node-{letter}"), node(&on, upper, "False", Change::Added));
        self.add(&format!("node-{letter}-ready"), node(&on, upper, "True", Change::Modified));
        self.add(&format!("bound-{letter}"), pod(name, json!({"nodeName": on}), None, Change::Modified));
        let mut runs = pod(name, json!({"nodeName": on}), None, Change::Modified);
        edit(&mut runs, |pod| pod["status"]["phase"] = json!("Running"));
        self.add(&format!("runs-{letter}"), runs);
        self.add(&format!("arrived-{letter}"), marks::event(&Mark::Arrived { pod: name.into() }));
    }

    fn removes(&mut self, letter: &str, upper: &str, name: &str) {
        let on = format!("node-{letter}");
        self.add(&format!("deleted-{letter}"), marks::event(&Mark::Deleted { pod: name.into() }));
        self.add(&format!("pod-{letter}-gone"), pod(name, json!({"nodeName": on}), None, Change::Deleted));
        self.add(&format!("claim-{letter}-leaves"), leaving_claim(upper));
        self.add(&format!("node-{letter}-gone"), node(&on, upper, "True", Change::Deleted));
        self.add(&format!("gone-{letter}"), marks::event(&Mark::Gone { pod: name.into() }));
    }

    fn end(mut self) -> Script {
        self.add("over", marks::event(&Mark::Over {}));
        self.add("end", marks::event(&Mark::End { left: Vec::new() }));
        self.add("ended", EventKind::SubjectEnded {});
        self
    }

    /// The same without the steps whose names begin so.
    pub fn without(mut self, name: &str) -> Script {
        self.steps.retain(|(step, _)| !step.starts_with(name));
        self
    }

    /// The same with a step before this one.
    pub fn put(mut self, before: &str, name: &str, kind: EventKind) -> Script {
        let place = self.steps.iter().position(|(step, _)| step == before).unwrap();
        self.steps.insert(place, (name.into(), kind));
        self
    }

    /// The same with other objects in the steps whose names begin so.
    pub fn edited(mut self, name: &str, change: impl Fn(&mut Value)) -> Script {
        for (_, kind) in self.steps.iter_mut().filter(|(step, _)| step.starts_with(name)) {
            edit(kind, &change);
        }
        self
    }

    /// The same, so many seconds slower before this step.
    pub fn slower(mut self, before: &'static str, seconds: i64) -> Script {
        self.pauses.push((before, seconds));
        self
    }

    /// The same, where the node of the second pod stays.
    pub fn stays(self) -> Script {
        self.stays_with(json!([]))
    }

    /// The same, with these pods of others on it.
    pub fn stays_with(self, others: Value) -> Script {
        let others = serde_json::from_value(others).unwrap();
        let stays = Mark::Stays { pod: "wants-2-0".into(), seconds: 30, last: "as it came".into(), others };
        let stays = marks::event(&stays);
        self.put("gone-b", "stays", stays).without("gone-b").without("node-b-gone").without("claim-b-leaves")
    }

    pub fn judged(&self) -> Judgement {
        let facts = json!({"product": "p", "tried": self.subject == "karpenter", "resource": RESOURCE,
            "node_selector": {POOL: "accelerators"}, "max_nodes": self.max_nodes, OWN_CONTROL: true});
        let mut tape = Tape::new("", "");
        let limits = self.deadline.map(|deadline| json!({"cluster_autoscaling.deadline": deadline}));
        tape.push(EventKind::Fact { name: LIMITS.into(), value: limits.unwrap_or_default() });
        tape.scope = Scope::new(ID, self.subject);
        tape.started(facts);
        for (name, step) in &self.steps {
            let pauses = self.pauses.iter().filter(|(before, _)| before == name);
            tape.pass(1000 + 1000 * pauses.map(|(_, seconds)| seconds).sum::<i64>()).push(step.clone());
        }
        testing::judged(&RULES, tape.events)
    }
}

/// The outcome of a claim in a word.
pub fn outcome(judged: &Judgement, claim: &str) -> &'static str {
    judged.subjects[0].outcome(claim).unwrap().word()
}
