//! What the evidence says of nodes, of the pods that waited for them, and of what the autoscaler said.

use super::adapters::{Adapter, adapter};
use aiconform_model::{Change, Event, EventKind, Kind, Object, quantity};
use aiconform_verdict::Subject;
use serde_json::Value;
use std::collections::BTreeMap;

/// Karpenter's NodeClaim.
pub fn claims() -> Kind {
    Kind::cluster_wide("karpenter.sh", "v1", "NodeClaim", "nodeclaims")
}

/// How many of a resource a node has for pods.
pub fn offers(node: &Object, resource: &str) -> f64 {
    let amount = node.at("/status/allocatable").and_then(|amounts| amounts.get(resource)?.as_str());
    amount.and_then(quantity).unwrap_or_default()
}

/// Whether a node has all of these labels; of no labels none is.
pub fn fits(node: &Object, selector: &BTreeMap<String, String>) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| node.label(key) == value)
}

/// Whether the scheduler has said that it has no room for a pod.
pub fn is_refused(pod: &Object) -> bool {
    pod.condition("PodScheduled").is_some_and(|condition| {
        let of = |key: &str| condition.get(key).and_then(Value::as_str);
        of("status") == Some("False") && of("reason") == Some("Unschedulable")
    })
}

/// What an autoscaler said of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Position in the log.
    pub at: u64,
    /// The pod.
    pub pod: String,
    /// Whether a node is brought for it; else, that none can be.
    pub brings: bool,
    /// In its own words.
    pub message: String,
}

/// What an event says, if it is this autoscaler's about a pod.
pub fn word(adapter: &Adapter, event: &Object) -> Option<Word> {
    let from = [event.text("/source/component"), event.text("/reportingComponent")];
    let known = from.iter().any(|name| adapter.names.contains(name));
    let reason = event.text("/reason");
    let says = known
        && event.text("/involvedObject/kind") == "Pod"
        && [adapter.brings, adapter.refuses].contains(&reason);
    says.then(|| Word {
        at: 0,
        pod: event.text("/involvedObject/name").to_owned(),
        brings: reason == adapter.brings,
        message: event.text("/message").to_owned(),
    })
}

/// A phase mark.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Position in the log.
    pub at: u64,
    /// Milliseconds since the epoch.
    pub time: i64,
    /// The pod that it is about.
    pub pod: String,
    /// What it says.
    pub data: Value,
}

/// A pod of the run.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    /// When it was seen first, in milliseconds since the epoch.
    pub time: i64,
    /// When the scheduler said that it has no room for it.
    pub refused: Option<u64>,
    /// When it was bound, when that was, and to which node.
    pub bound: Option<(u64, i64, String)>,
    /// When it was seen to run.
    pub ran: Option<u64>,
    /// When it was seen to go.
    pub gone: Option<(u64, i64)>,
    /// What it says of who disrupted it.
    pub disrupted: String,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Whether it was there before anything was done.
    pub before: bool,
    /// When it was seen first, and when that was.
    pub came: (u64, i64),
    /// When it was ready first.
    pub ready: Option<(u64, i64)>,
    /// The most accelerators that it had for pods.
    pub accelerators: f64,
    /// Whether it is of the pool.
    pub of_pool: bool,
    /// UID of the NodeClaim that owns it.
    pub claim: String,
    /// Since when it bore the mark of one that is about to be removed.
    pub leaving: Option<u64>,
    /// When it went.
    pub gone: Option<(u64, i64)>,
    /// Whether nobody runs it.
    pub fake: bool,
}

/// Karpenter's object for a node.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// When it was seen first.
    pub came: u64,
    /// Whether a pool owns it.
    pub of_pool: bool,
    /// Since when it was being deleted.
    pub leaving: Option<u64>,
    /// What it says of a node that does not come.
    pub trouble: String,
}

/// A run of one subject as the evidence has it.
pub struct History {
    /// The autoscaler, where it is known.
    pub adapter: Option<&'static Adapter>,
    /// The extended resource that is asked for.
    pub resource: String,
    /// The phase marks.
    pub phases: Vec<Phase>,
    /// The run's pods, by name.
    pub pods: BTreeMap<String, Pod>,
    /// All nodes that were ever there, in the order in which they were seen.
    pub nodes: Vec<Node>,
    /// NodeClaims, by UID.
    pub claims: BTreeMap<String, Claim>,
    /// What the autoscaler said.
    pub words: Vec<Word>,
    /// Why the acts ended early.
    pub stopped: Option<String>,
    selector: BTreeMap<String, String>,
}

impl History {
    /// Reads the events of a subject.
    pub fn of(events: &[&Event], subject: &Subject) -> History {
        let text = |key: &str| subject.facts.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let selector = subject.facts.get("node_selector").cloned().unwrap_or_default();
        let mut history = History {
            adapter: adapter(&subject.id),
            resource: text("resource"),
            phases: Vec::new(),
            pods: BTreeMap::new(),
            nodes: Vec::new(),
            claims: BTreeMap::new(),
            words: Vec::new(),
            stopped: None,
            selector: serde_json::from_value(selector).unwrap_or_default(),
        };
        for event in events {
            let ours = event.scope.subject == subject.id;
            match &event.kind {
                EventKind::Phase { phase, data } if ours => history.phases.push(Phase {
                    name: phase.clone(),
                    at: event.sequence,
                    time: event.time.as_millisecond(),
                    pod: data.get("pod").and_then(Value::as_str).unwrap_or_default().to_owned(),
                    data: data.clone(),
                }),
                EventKind::Stopped { why } => {
                    history.stopped.get_or_insert_with(|| why.clone());
                }
                EventKind::Watch { kind, object, change } => {
                    let at = (event.sequence, event.time.as_millisecond());
                    history.watched(kind, object, *change, at, ours);
                }
                _ => {}
            }
        }
        history
    }

    fn watched(&mut self, kind: &Kind, object: &Object, change: Change, at: (u64, i64), ours: bool) {
        match kind.plural.as_str() {
            "pods" if ours => self.pod(object, change, at),
            "nodes" => self.node(object, change, at),
            "nodeclaims" => self.claim(object, change, at.0),
            "events" if ours => {
                let word = self.adapter.and_then(|adapter| word(adapter, object));
                self.words.extend(word.map(|word| Word { at: at.0, ..word }));
            }
            _ => {}
        }
    }

    fn pod(&mut self, object: &Object, change: Change, at: (u64, i64)) {
        let pod = self.pods.entry(object.name().to_owned()).or_insert(Pod { time: at.1, ..Pod::default() });
        let node = object.text("/spec/nodeName");
        if !node.is_empty() && pod.bound.is_none() {
            pod.bound = Some((at.0, at.1, node.to_owned()));
        }
        if object.text("/status/phase") == "Running" {
            pod.ran.get_or_insert(at.0);
        }
        if is_refused(object) && pod.bound.is_none() {
            pod.refused.get_or_insert(at.0);
        }
        if change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some() {
            pod.gone.get_or_insert(at);
        }
        if let Some(why) = disrupted(object) {
            pod.disrupted = why;
        }
    }

    fn node(&mut self, object: &Object, change: Change, at: (u64, i64)) {
        let before = !self.phases.iter().any(|phase| phase.name == "begin");
        let place = self.nodes.iter().position(|node| node.uid == object.uid()).unwrap_or_else(|| {
            self.nodes.push(Node {
                name: object.name().to_owned(),
                uid: object.uid().to_owned(),
                before,
                came: at,
                ready: None,
                accelerators: 0.0,
                of_pool: false,
                claim: String::new(),
                leaving: None,
                gone: None,
                fake: false,
            });
            self.nodes.len() - 1
        });
        let node = &mut self.nodes[place];
        if change == Change::Deleted {
            node.gone.get_or_insert(at);
            return;
        }
        node.accelerators = node.accelerators.max(offers(object, &self.resource));
        // Labels may be taken away from a node that is on its way out.
        node.of_pool |= fits(object, &self.selector);
        node.fake |= !object.label(crate::pod::FAKE).is_empty();
        if object.condition_is("Ready", "True") {
            node.ready.get_or_insert(at);
        }
        if let Some(claim) = owner(object, "NodeClaim") {
            node.claim = claim;
        }
        let taints = object.at("/spec/taints").and_then(Value::as_array);
        let marked = self.adapter.is_some_and(|adapter| {
            let mut keys = taints.into_iter().flatten().filter_map(|taint| taint.get("key")?.as_str());
            keys.any(|key| key == adapter.leaving)
        });
        if marked {
            node.leaving.get_or_insert(at.0);
        }
    }

    fn claim(&mut self, object: &Object, change: Change, at: u64) {
        let claim = self.claims.entry(object.uid().to_owned()).or_insert(Claim {
            name: object.name().to_owned(),
            came: at,
            of_pool: false,
            leaving: None,
            trouble: String::new(),
        });
        claim.of_pool |= owner(object, "NodePool").is_some();
        for kind in ["Launched", "Registered", "Initialized"] {
            if let Some(condition) = object.condition(kind)
                && object.condition_is(kind, "False")
            {
                let of = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
                claim.trouble = format!("{kind} is False: {}: {}", of("reason"), of("message"));
            }
        }
        if change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some() {
            claim.leaving.get_or_insert(at);
        }
    }

    /// The phase of this name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// The phases of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Phase> {
        self.phases.iter().filter(move |phase| phase.name == name)
    }

    /// The phase of this name that is about a pod.
    pub fn about(&self, name: &str, pod: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name && phase.pod == pod)
    }

    /// The node of this name that was there then.
    pub fn node_at(&self, name: &str, at: u64) -> Option<&Node> {
        let there = |node: &&Node| node.came.0 <= at && node.gone.is_none_or(|gone| gone.0 >= at);
        self.nodes.iter().filter(|node| node.name == name).find(there)
    }

    /// The node to which a pod was bound.
    pub fn node_of(&self, pod: &str) -> Option<&Node> {
        let (at, _, name) = self.pods.get(pod)?.bound.as_ref()?;
        self.node_at(name, *at)
    }

    /// The pods that were made for a node to come, and did not find room in what was there: they were told that there
    /// is none, or have come to nothing.
    pub fn waiting(&self) -> impl Iterator<Item = (&Phase, &Pod)> {
        self.all("trigger").filter_map(|phase| {
            let pod = self.pods.get(&phase.pod)?;
            pod.refused.map(|_| (phase, pod))
        })
    }

    /// Nodes that were not there before and are of the pool or have such accelerators.
    pub fn new_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| !node.before && (node.of_pool || node.accelerators > 0.0))
    }

    /// Whether the nodes of the pool are known by labels.
    pub fn has_pool(&self) -> bool {
        !self.selector.is_empty()
    }

    /// What the autoscaler said of a pod.
    pub fn said(&self, pod: &str) -> impl Iterator<Item = &Word> {
        self.words.iter().filter(move |word| word.pod == pod)
    }

    /// What it is called.
    pub fn product(&self) -> &'static str {
        self.adapter.map_or("the autoscaler", |adapter| adapter.product)
    }

    /// Why something is missing: why the acts ended, or these words.
    pub fn lack(&self, words: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| words.to_owned())
    }
}

/// UID of the owner of this kind.
fn owner(object: &Object, kind: &str) -> Option<String> {
    let owners = object.at("/metadata/ownerReferences").and_then(Value::as_array)?;
    let owner = owners.iter().find(|owner| owner.get("kind").and_then(Value::as_str) == Some(kind))?;
    Some(owner.get("uid")?.as_str()?.to_owned())
}

/// What a pod says of who disrupts it (its condition `DisruptionTarget`), such as the taint manager, which may not have seen
/// yet that a new node has lost its taint.
pub fn disrupted(pod: &Object) -> Option<String> {
    let condition = pod.condition("DisruptionTarget")?;
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(format!("{}: {}", text("reason"), text("message")))
}
