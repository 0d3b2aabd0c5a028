//! History that the evidence gives of nodes, of the pods that waited for them, and of what the autoscaler said.

use super::steps::{Seen, Step, Steps};
use crate::adapters::objects::{disrupted, fits, is_refused, offers};
use crate::adapters::{self, Adapter, adapter, word};
use crate::limits;
use crate::marks::{Facts, Mark};
use aiconform_model::{Change, EventKind, Kind, Object};
use aiconform_trial::labels::FAKE;
use aiconform_trial::{InForce, Moment, Position, Story, met};
use aiconform_verdict::Outcome;
use serde_json::Value;
use std::collections::BTreeMap;

/// The autoscaler's word on a pod.
#[derive(Clone, Debug)]
pub struct Word {
    /// Position in the log.
    pub at: Position,
    /// The word.
    pub said: adapters::Word,
}

/// A pod of the run.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Where it was seen first.
    pub came: Seen,
    /// Where the scheduler said that it has no room for it.
    pub refused: Option<Position>,
    /// Where it was bound, and the name of its node.
    pub bound: Option<(Seen, String)>,
    /// Where it was seen to run.
    pub ran: Option<Position>,
    /// Where it was seen to go.
    pub gone: Option<Seen>,
    /// Its own words on who disrupted it.
    pub disrupted: String,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Set if it was there before anything was done.
    pub before: bool,
    /// Where it was seen first.
    pub came: Seen,
    /// Where it was ready first.
    pub ready: Option<Seen>,
    /// The most accelerators that it had for pods.
    pub accelerators: f64,
    /// Set if it is of the pool.
    pub of_pool: bool,
    /// UID of the NodeClaim that owns it.
    pub claim: String,
    /// Where it first bore the mark of one that is about to be removed.
    pub leaving: Option<Position>,
    /// Where it went.
    pub gone: Option<Seen>,
    /// Set if nobody runs it.
    pub fake: bool,
}

/// Karpenter's object for a node.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Where it was seen first.
    pub came: Position,
    /// Set if a pool owns it.
    pub of_pool: bool,
    /// Where it was first being deleted.
    pub leaving: Option<Position>,
    /// Its own words on a node that does not come.
    pub trouble: String,
}

/// A run of one subject as the evidence has it.
pub struct History {
    /// The autoscaler, where it is known.
    pub adapter: Option<&'static Adapter>,
    /// Facts of the subject.
    pub facts: Facts,
    /// Steps of the check.
    pub steps: Steps,
    /// The run's pods, by name.
    pub pods: BTreeMap<String, Pod>,
    /// All nodes that were ever there, in the order in which they were seen.
    pub nodes: Vec<Node>,
    /// NodeClaims, by UID.
    pub claims: BTreeMap<String, Claim>,
    /// Words of the autoscaler.
    pub words: Vec<Word>,
    /// Longest time for a node to come, and for one to go.
    pub deadline: InForce,
    /// Where our acts end: what goes afterwards shows nothing.
    pub end: Position,
    /// Why the acts ended early.
    pub stopped: Option<String>,
}

impl History {
    /// Reads the story of a subject.
    ///
    /// # Errors
    /// When its facts, or one of its marks, cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let facts: Facts = serde_json::from_value(story.subject().facts.clone())
            .map_err(|error| format!("the facts of the autoscaler cannot be read: {error}"))?;
        // Runs from before limits stood in the evidence have it in the facts alone.
        let stored = story.limit(&limits::DEADLINE);
        #[allow(clippy::cast_precision_loss, reason = "hours at most")]
        let facts_say = facts.deadline_seconds.map(|seconds| seconds as f64);
        let is_default = stored == limits::DEADLINE.in_force(None);
        let deadline = if is_default { limits::DEADLINE.in_force(facts_say) } else { stored };
        let mut steps = Steps::default();
        for mark in story.marks::<Mark>()? {
            if mark.own {
                steps.mark(mark);
            }
        }
        let mut history = History {
            adapter: adapter(&story.subject().id),
            facts,
            steps,
            pods: BTreeMap::new(),
            nodes: Vec::new(),
            claims: BTreeMap::new(),
            words: Vec::new(),
            deadline,
            end: story.end(),
            stopped: story.stopped().map(str::to_owned),
        };
        for event in story.events() {
            if let EventKind::Watch { kind, object, change } = &event.kind {
                let seen = Seen { at: Position::of(event), when: Moment::of(event) };
                history.watched(kind, object, *change, seen, story.is_own(event));
            }
        }
        Ok(history)
    }

    fn watched(&mut self, kind: &Kind, object: &Object, change: Change, seen: Seen, ours: bool) {
        match kind.plural.as_str() {
            "pods" if ours => self.pod(object, change, seen),
            "nodes" => self.node(object, change, seen),
            "nodeclaims" => self.claim(object, change, seen.at),
            "events" if ours => {
                let said = self.adapter.and_then(|adapter| word(adapter, object));
                self.words.extend(said.map(|said| Word { at: seen.at, said }));
            }
            _ => {}
        }
    }

    fn pod(&mut self, object: &Object, change: Change, seen: Seen) {
        let pod = self.pods.entry(object.name().to_owned()).or_insert(Pod {
            came: seen,
            refused: None,
            bound: None,
            ran: None,
            gone: None,
            disrupted: String::new(),
        });
        let node = object.text("/spec/nodeName");
        if !node.is_empty() && pod.bound.is_none() {
            pod.bound = Some((seen, node.to_owned()));
        }
        if object.text("/status/phase") == "Running" {
            pod.ran.get_or_insert(seen.at);
        }
        if is_refused(object) && pod.bound.is_none() {
            pod.refused.get_or_insert(seen.at);
        }
        if change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some() {
            pod.gone.get_or_insert(seen);
        }
        if let Some(why) = disrupted(object) {
            pod.disrupted = why;
        }
    }

    fn node(&mut self, object: &Object, change: Change, seen: Seen) {
        let before = self.steps.begin.is_none_or(|begin| begin.at > seen.at);
        let place = self.nodes.iter().position(|node| node.uid == object.uid()).unwrap_or_else(|| {
            self.nodes.push(Node {
                name: object.name().to_owned(),
                uid: object.uid().to_owned(),
                before,
                came: seen,
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
            node.gone.get_or_insert(seen);
            return;
        }
        node.accelerators = node.accelerators.max(offers(object, &self.facts.resource));
        // Labels may be taken away from a node that is on its way out.
        node.of_pool |= fits(object, &self.facts.node_selector);
        node.fake |= !object.label(FAKE).is_empty();
        if object.condition_is("Ready", "True") {
            node.ready.get_or_insert(seen);
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
            node.leaving.get_or_insert(seen.at);
        }
    }

    fn claim(&mut self, object: &Object, change: Change, at: Position) {
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
                let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
                claim.trouble = format!("{kind} is False: {}: {}", text("reason"), text("message"));
            }
        }
        if change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some() {
            claim.leaving.get_or_insert(at);
        }
    }

    /// The node of this name that was there then.
    pub fn node_at(&self, name: &str, at: Position) -> Option<&Node> {
        let there = |node: &&Node| node.came.at <= at && node.gone.is_none_or(|gone| gone.at >= at);
        self.nodes.iter().filter(|node| node.name == name).find(there)
    }

    /// The node to which a pod was bound.
    pub fn node_of(&self, pod: &str) -> Option<&Node> {
        let (seen, name) = self.pods.get(pod)?.bound.as_ref()?;
        self.node_at(name, seen.at)
    }

    /// Where a node went, while our acts lasted.
    pub fn went(&self, node: &Node) -> Option<Seen> {
        node.gone.filter(|gone| gone.at < self.end)
    }

    /// Where a node was first about to be removed while our acts lasted: by its own mark, else by its NodeClaim's end.
    pub fn leaving(&self, node: &Node) -> Option<Position> {
        node.leaving.filter(|at| *at < self.end).or_else(|| self.claim_leaving(node))
    }

    /// Where the NodeClaim of a node was first being deleted, while our acts lasted.
    pub fn claim_leaving(&self, node: &Node) -> Option<Position> {
        self.claims.get(&node.claim)?.leaving.filter(|at| *at < self.end)
    }

    /// The outcome of something that came within the deadline; late it shows nothing.
    pub fn in_time(&self, what: &str, begun: Moment, came: Moment, seen: String) -> Outcome {
        self.deadline.too_late(what, begun, came).unwrap_or_else(|| met(seen))
    }

    /// The pods that were made for a node to come, and did not find room in what was there: they were told that there
    /// is none, or have come to nothing.
    pub fn waiting(&self) -> impl Iterator<Item = (&Step, &Pod)> {
        self.steps.triggers.iter().filter_map(|step| {
            let pod = self.pods.get(&step.pod)?;
            pod.refused.map(|_| (step, pod))
        })
    }

    /// Nodes that were not there before and are of the pool or have such accelerators.
    pub fn new_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| !node.before && (node.of_pool || node.accelerators > 0.0))
    }

    /// Tells whether the nodes of the pool are known by labels.
    pub fn has_pool(&self) -> bool {
        !self.facts.node_selector.is_empty()
    }

    /// The autoscaler's words on a pod.
    pub fn said(&self, pod: &str) -> impl Iterator<Item = &Word> {
        self.words.iter().filter(move |word| word.said.pod == pod)
    }

    /// Name of the product.
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
