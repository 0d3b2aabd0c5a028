//! Acts and marks phases; decides nothing.
//!
//! The pool is filled until the scheduler has no room for one more pod, whatever was free in it; pods keep apart from one
//! another, so that a node with eight devices takes one of them. The pod that is impossible is made first: when the
//! autoscaler has said so, the next pod is its control. Two nodes come, so that one is busy while the other goes.

mod pod;

use self::pod::{IMPOSSIBLE, pod};
use crate::adapters::objects::{disrupted, fits, is_refused, offers};
use crate::adapters::{ALL, IDS, word};
use crate::find::{Absent, Target, find};
use crate::limits;
use crate::marks::{ID, Mark, node_claim};
use aiconform_check::cx::{Cx, Detection, Stop};
use aiconform_check::land::pods_on;
use aiconform_check::subject::{Candidate, Started, one, start};
use aiconform_cluster::Scratch;
use aiconform_model::{Bin, Kind, Object, Scope};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Most pods for which there may be room in nodes that are there already.
const ROOM: usize = 16;
/// Longest time for pods that were deleted to go, which have no time of grace.
const GONE: Duration = Duration::from_secs(60);

/// Runs the check.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    let named = cx.options.named_of(IDS);
    let found = find(cx.session.api(), &scope, &cx.profile, &named).await?;
    cx.mark(&scope, &found.none);
    start(
        cx,
        ID,
        found
            .absent
            .into_iter()
            .map(|Absent { id, why, declared, .. }| candidate(id, declared, Err(why), ())),
    );
    // One after another: nodes that come for one would be taken for those of the other.
    for target in found.targets {
        let target = candidate(target.adapter.id, target.declared, Ok(target.facts()), target);
        for started in start(cx, ID, [target]) {
            one(cx, started, |Started { scope, with, .. }| async move { on(cx, &scope, &with).await }).await;
        }
    }
    Ok(())
}

fn candidate<T>(id: &str, declared: bool, found: Result<Value, String>, with: T) -> Candidate<T> {
    let found = found.map_or_else(Detection::Absent, Detection::Present);
    Candidate { id: id.into(), control: false, declared, facts: Value::Null, found: Ok(found), with }
}

async fn on(cx: &Cx, scope: &Scope, target: &Target) -> Result<(), Stop> {
    let (api, mirror) = (cx.session.api(), cx.session.mirror());
    cx.session.watch_own(&Kind::pod()).await?;
    mirror.watch(api, &Kind::node(), "", ("labelSelector", "")).await?;
    if target.adapter.claims {
        mirror.watch(api, &node_claim(), "", ("labelSelector", "")).await?;
    }
    let number = ALL.iter().position(|adapter| adapter.id == target.adapter.id).unwrap_or_default();
    let suffix = format!("nodes-{number}");
    let scratch = cx.session.scratch(scope, &suffix, &[Kind::pod()]).await?;
    mirror.watch(api, &Kind::event(), scratch.namespace(), ("labelSelector", "")).await?;
    let class = priority_class(cx, scope, &suffix).await?;
    let before: BTreeSet<String> =
        mirror.all(&Kind::node(), "", |node| Some(node.uid().to_owned())).into_iter().collect();
    let acts = Acts { cx, scope, target, scratch, class, before };
    let done = acts.act().await;
    done.and(acts.end().await)
}

/// A PriorityClass of pods for which autoscalers act: cluster-autoscaler leaves those below -10 pending
/// (`--expendable-pods-priority-cutoff`). They evict nobody.
async fn priority_class(cx: &Cx, scope: &Scope, suffix: &str) -> Result<String, Stop> {
    if let Some(name) = &cx.profile.priority_class {
        return Ok(name.clone());
    }
    let name = format!("aiconform-{}-{suffix}", cx.session.id());
    let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": {"name": name}, "value": 0, "preemptionPolicy": "Never",
        "description": "Test pods of aiconform that wait for nodes; removed with the run."});
    cx.session.create_cluster_wide(scope, &Kind::priority_class(), class).await?;
    Ok(name)
}

/// The acts on one autoscaler.
struct Acts<'a> {
    cx: &'a Cx,
    scope: &'a Scope,
    target: &'a Target,
    scratch: Arc<Scratch>,
    class: String,
    /// UIDs of the nodes that were there.
    before: BTreeSet<String>,
}

impl Acts<'_> {
    fn mark(&self, mark: &Mark) {
        self.cx.mark(self.scope, mark);
    }

    fn tell(&self, words: &str) {
        self.cx.progress.tell(self.scope, words);
    }

    async fn act(&self) -> Result<(), Stop> {
        self.mark(&Mark::Begin {});
        let impossible = self.scratch.named("impossible");
        self.tell("a pod that fits no node");
        self.mark(&Mark::Impossible { pod: impossible.clone() });
        self.create(&impossible, "impossible", IMPOSSIBLE).await?;
        self.refused(&impossible).await;
        let mut brought = Vec::new();
        for number in 1..=self.target.max_nodes {
            // Whoever brings more than was asked for is not asked for more than may be brought.
            if self.new_nodes().len() as u64 > self.target.max_nodes {
                self.mark(&Mark::Enough { nodes: self.new_nodes() });
                break;
            }
            let Some(pod) = self.bring(number).await? else { break };
            brought.push(pod);
            if number == 1 {
                self.mark(&Mark::ImpossibleDeleted { pod: impossible.clone() });
                self.scratch.delete(&Kind::pod(), &impossible).await?;
            }
        }
        for pod in brought.iter().rev() {
            if !self.remove(pod).await? {
                break;
            }
        }
        Ok(())
    }

    async fn create(&self, name: &str, role: &str, count: u64) -> Result<(), Stop> {
        let pod = pod(&self.cx.profile, self.target, &self.class, name, role, count);
        self.scratch.create(&Kind::pod(), pod).await?;
        Ok(())
    }

    /// The autoscaler's last word on a pod.
    fn said(&self, pod: &str) -> Option<String> {
        let of = |event: &Object| word(self.target.adapter, event).filter(|word| word.pod == pod);
        self.scratch.all(&Kind::event(), of).pop().map(|word| word.message)
    }

    /// Nodes that were not there, and are of the pool or have such accelerators.
    fn new_nodes(&self) -> Vec<String> {
        let is =
            |node: &Object| fits(node, &self.target.selector) || offers(node, &self.target.resource) > 0.0;
        let new =
            |node: &Object| (!self.before.contains(node.uid()) && is(node)).then(|| node.name().to_owned());
        self.cx.session.mirror().all(&Kind::node(), "", new)
    }

    /// Waits until the autoscaler says that it can do nothing for this pod; what it says, the judge reads.
    async fn refused(&self, pod: &str) {
        let limit = self.cx.limit(&limits::REFUSAL).time.min(self.target.deadline.time);
        let condition = format!("{} to say what it does for the pod {pod}", self.target.adapter.product);
        let look = || self.said(pod).ok_or_else(|| self.state(pod));
        // That it says nothing is told by the judge.
        let _ = self.scratch.until(condition, Bin::Platform, limit, look).await;
    }

    /// A pod, in words.
    fn state(&self, pod: &str) -> String {
        let said = self.said(pod).unwrap_or_else(|| "nothing".into());
        let seen = self.scratch.get(&Kind::pod(), pod).map(|pod| {
            let condition = pod.condition("PodScheduled");
            let message = condition.and_then(|condition| condition.get("message")?.as_str());
            message.unwrap_or(pod.text("/status/phase")).to_owned()
        });
        let seen = seen.unwrap_or_else(|| "it is not there".into());
        let new = self.new_nodes();
        let new = if new.is_empty() { "none".into() } else { new.join(", ") };
        format!("the scheduler says: {seen}; {} says: {said}; new nodes: {new}", self.target.adapter.product)
    }

    /// Makes pods until one does not find room, and waits until it is on a node that came for it; gives its name, or
    /// nothing when none came.
    async fn bring(&self, number: u64) -> Result<Option<String>, Stop> {
        for place in 0..ROOM {
            let name = self.scratch.named(&format!("wants-{number}-{place}"));
            self.tell(&format!("pod {number} of {} that waits for a node", self.target.max_nodes));
            self.mark(&Mark::Trigger { pod: name.clone() });
            self.create(&name, "wants", 1).await?;
            let soon = self.cx.limit(&limits::SCHEDULE).time;
            let placed = || {
                let pod = self.scratch.get(&Kind::pod(), &name).ok_or("it is not there")?;
                let node = pod.text("/spec/nodeName");
                match (node.is_empty(), is_refused(&pod)) {
                    (false, _) => Ok(Some(node.to_owned())),
                    (true, true) => Ok(None),
                    (true, false) => Err("the scheduler has not said anything of it".to_owned()),
                }
            };
            let condition = format!("the scheduler to place the pod {name} or to have no room for it");
            let placed = self.scratch.until(condition, Bin::Platform, soon, placed).await?.value;
            if let Some(node) = placed {
                let there = self.cx.session.mirror().get(&Kind::node(), "", &node);
                if there.is_none_or(|node| self.before.contains(node.uid())) {
                    continue;
                }
                // On a node that came for another.
            }
            let arrived = || {
                let pod = self.scratch.get(&Kind::pod(), &name).ok_or("the pod is not there any more")?;
                let node = pod.text("/spec/nodeName");
                let node =
                    self.cx.session.mirror().get(&Kind::node(), "", node).ok_or_else(|| self.state(&name))?;
                match (node.condition_is("Ready", "True"), pod.text("/status/phase")) {
                    (true, "Running") => Ok(()),
                    (true, phase) => Err(format!("the pod is {phase} on {}, which is ready", node.name())),
                    (false, _) => Err(format!("{} is not ready", node.name())),
                }
            };
            let mut by = String::new();
            // It was there, and nobody makes it again.
            let hopeless = || match self.scratch.get(&Kind::pod(), &name) {
                None => Some(format!("the pod was deleted, and not by this program {by}")),
                Some(pod) => {
                    by = disrupted(&pod).map_or(by.clone(), |why| format!("({why})"));
                    None
                }
            };
            let condition = format!("a node to come for the pod {name}, and the pod to run there");
            let deadline = self.target.deadline.watched();
            let arrived =
                self.scratch.until_unless(condition, Bin::Platform, deadline, arrived, hopeless).await;
            let late = arrived.err();
            let Some(late) = late else {
                self.mark(&Mark::Arrived { pod: name.clone() });
                return Ok(Some(name));
            };
            if self.scratch.get(&Kind::pod(), &name).is_none() {
                // That no node came for it says nothing then.
                return Err(Stop::Hindered(late.to_string()));
            }
            self.tell(&late.to_string());
            self.mark(&Mark::Late { pod: name, seconds: late.waited.as_secs(), last: late.last });
            return Ok(None);
        }
        Err(Stop::Hindered(format!(
            "{} has room for {ROOM} more pods: name a smaller pool in the profile: [cluster_autoscaling] node_selector = {{ … }}",
            self.target.place()
        )))
    }

    /// Deletes a pod and waits until its node is gone; whether it is.
    async fn remove(&self, name: &str) -> Result<bool, Stop> {
        let node = self.scratch.get(&Kind::pod(), name).map(|pod| pod.text("/spec/nodeName").to_owned());
        let node = node.unwrap_or_default();
        let uid = self.cx.session.mirror().get(&Kind::node(), "", &node).map(|node| node.uid().to_owned());
        self.tell(&format!("the pod on {node} is deleted"));
        self.mark(&Mark::Deleted { pod: name.into() });
        self.scratch.delete(&Kind::pod(), name).await?;
        let gone = || match self.cx.session.mirror().get(&Kind::node(), "", &node) {
            Some(there) if Some(there.uid()) == uid.as_deref() => {
                Err(format!("{node} is there, {}", standing(&there)))
            }
            _ => Ok(()),
        };
        let condition = format!("the node {node} to go");
        let late =
            self.scratch.until(condition, Bin::Platform, self.target.deadline.watched(), gone).await.err();
        let Some(late) = late else {
            self.mark(&Mark::Gone { pod: name.into() });
            return Ok(true);
        };
        self.tell(&late.to_string());
        // A node on which somebody else's pod runs is not free to go.
        let others = match pods_on(self.cx.session.api(), self.scope, &node).await {
            Ok(pods) => Some(pods.iter().filter(|pod| holds(pod)).map(full_name).collect()),
            Err(_) => None,
        };
        let (pod, seconds) = (name.to_owned(), late.waited.as_secs());
        self.mark(&Mark::Stays { pod, seconds, last: late.last, others });
        Ok(false)
    }

    /// Deletes every pod, and gives nodes that came and have nothing to do any more the time to go.
    async fn end(&self) -> Result<(), Stop> {
        self.mark(&Mark::Over {});
        let pods = self.scratch.all(&Kind::pod(), |pod| Some(pod.name().to_owned()));
        for pod in &pods {
            self.scratch.delete(&Kind::pod(), pod).await?;
        }
        let left = || match self.scratch.all(&Kind::pod(), |pod| Some(pod.name().to_owned())) {
            there if there.is_empty() => Ok(()),
            there => Err(there.join(", ")),
        };
        self.scratch.until("the pods to be gone", Bin::Ours, GONE, left).await?;
        let gone = || match self.new_nodes() {
            there if there.is_empty() => Ok(()),
            there => Err(there.join(", ")),
        };
        // One whose pod is deleted has had its time; one that came late, for a pod that is not there any more, has it now.
        let _ = self
            .scratch
            .until("every node that came to be gone", Bin::Ours, self.target.deadline.time, gone)
            .await;
        let left = self.new_nodes();
        if !left.is_empty() {
            self.tell(&format!("nodes that came are still there: {}", left.join(", ")));
        }
        self.mark(&Mark::End { left });
        Ok(())
    }
}

/// Tells whether a pod keeps its node: a DaemonSet's is there because the node is, and one of the node itself goes with it.
fn holds(pod: &Object) -> bool {
    let owners = pod.at("/metadata/ownerReferences").and_then(Value::as_array);
    let of_node = |owner: &Value| matches!(owner["kind"].as_str(), Some("DaemonSet" | "Node"));
    let ended = ["Succeeded", "Failed"].contains(&pod.text("/status/phase"));
    !ended && !owners.into_iter().flatten().any(of_node)
}

fn full_name(pod: &Object) -> String {
    format!("{}/{}", pod.text("/metadata/namespace"), pod.name())
}

/// State of a node, in words.
fn standing(node: &Object) -> &'static str {
    if node.at("/metadata/deletionTimestamp").is_some() {
        "being deleted"
    } else if node.at("/spec/taints").and_then(Value::as_array).is_some_and(|taints| !taints.is_empty()) {
        "with taints"
    } else {
        "as it came"
    }
}
