//! An actor that brings nodes beside Karpenter, or in its stead: as NodeClaims, which Karpenter then makes nodes of, or by
//! hand.

use crate::fake_nodes::FAKE;
use aiconform_cluster::{Api, ClusterError, Mirror};
use aiconform_model::{Kind, Object, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Resource that is bought.
const RESOURCE: &str = "accelerator.aiconform.dev/gpu";
/// Number of them that a node has.
const EACH: u64 = 2;
/// Label of a node that was added by hand.
pub const BY_HAND: &str = "aiconform.dev/by-hand";

/// Errand on which the buyer is: for which nodes come that should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Errand {
    /// A node is added by hand for each pod that waits, and removed when the pod is gone.
    AddsByHand,
    /// A node without accelerators comes for a pod that waits for some.
    BringsWrongNodes,
    /// A node comes for a pod that wants more than a node has.
    GrowsForImpossible,
    /// Another node comes for each that Karpenter brings.
    BringsTooMany,
}

/// The actor.
pub struct Buyer {
    api: Api,
    mirror: Arc<Mirror>,
    errand: Errand,
    /// UIDs of what a node was brought for.
    served: BTreeSet<String>,
    /// Nodes added by hand that were busy.
    used: BTreeSet<String>,
    number: u32,
}

impl Buyer {
    /// Nothing done yet.
    pub fn new(api: Api, mirror: Arc<Mirror>, errand: Errand) -> Buyer {
        let (served, used) = (BTreeSet::new(), BTreeSet::new());
        Buyer { api, mirror, errand, served, used, number: 0 }
    }

    /// Runs until its watches end.
    pub async fn run(mut self) -> Result<(), ClusterError> {
        for kind in [Kind::pod(), Kind::node(), claims()] {
            self.mirror.watch(&self.api, &kind, "", ("labelSelector", "")).await?;
        }
        let mut changes = self.mirror.changes();
        loop {
            changes.borrow_and_update();
            match self.errand {
                Errand::AddsByHand => self.by_hand().await?,
                Errand::BringsWrongNodes => {
                    let there = self.mirror.all(&claims(), "", |claim| Some(claim.uid().to_owned()));
                    if there.is_empty()
                        && let Some(pod) = self.waiting(|count| count <= EACH).first()
                    {
                        let claim = self.buy("plain", "plain-2").await?;
                        self.nominate(pod, &claim).await?;
                    }
                }
                Errand::GrowsForImpossible => {
                    for pod in self.waiting(|count| count > EACH) {
                        if self.served.insert(pod.uid().to_owned()) {
                            self.buy("accelerators", "accelerated-2").await?;
                        }
                    }
                }
                Errand::BringsTooMany => {
                    let owned = |claim: &Object| {
                        claim.at("/metadata/ownerReferences").is_some().then(|| claim.uid().to_owned())
                    };
                    for claim in self.mirror.all(&claims(), "", owned) {
                        if self.served.insert(claim) {
                            self.buy("accelerators", "accelerated-2").await?;
                        }
                    }
                }
            }
            if changes.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// The pods for which there is no room, by how many they want.
    fn waiting(&self, fits: impl Fn(u64) -> bool) -> Vec<Object> {
        self.mirror.everywhere(&Kind::pod(), |pod| {
            let waits = pod.text("/spec/nodeName").is_empty() && pod.condition_is("PodScheduled", "False");
            (waits && fits(wants(pod)) && wants(pod) > 0).then(|| pod.clone())
        })
    }

    /// Asks Karpenter for a node of a pool, as it asks itself; the name of what was asked for.
    async fn buy(&mut self, pool: &str, kind: &str) -> Result<String, ClusterError> {
        let name = self.name(pool);
        let wanted = json!({"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [kind]});
        let claim = json!({"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim",
            "metadata": {"name": name, "labels": {"karpenter.sh/nodepool": pool}},
            "spec": {"expireAfter": "Never", "requirements": [wanted],
                "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "lab"},
                "taints": [{"key": FAKE, "value": "fake", "effect": "NoSchedule"}]}});
        self.api.create(&Scope::default(), &claims(), &Object(claim)).await.map(|_| name)
    }

    /// Says of a pod, as Karpenter does, that it is to go where this claim's node comes.
    async fn nominate(&self, pod: &Object, claim: &str) -> Result<(), ClusterError> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let event = json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": format!("{}.{claim}", pod.name()), "namespace": pod.namespace()},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": pod.name(),
                "namespace": pod.namespace(), "uid": pod.uid()},
            "type": "Normal", "reason": "Nominated", "message": format!("Pod should schedule on: nodeclaim/{claim}"),
            "source": {"component": "karpenter"}, "firstTimestamp": now, "lastTimestamp": now, "count": 1});
        self.api.create(&Scope::default(), &Kind::event(), &Object(event)).await.map(drop)
    }

    fn name(&mut self, of: &str) -> String {
        self.number += 1;
        format!("{of}-bought-{}", self.number)
    }

    /// Does what a person does: adds a node for each pod that waits, and removes it when the pod is gone.
    async fn by_hand(&mut self) -> Result<(), ClusterError> {
        let busy: BTreeSet<String> = self
            .mirror
            .everywhere(&Kind::pod(), |pod| (wants(pod) > 0).then(|| pod.text("/spec/nodeName").to_owned()))
            .into_iter()
            .collect();
        let own = |node: &Object| (!node.label(BY_HAND).is_empty()).then(|| node.name().to_owned());
        for node in self.mirror.all(&Kind::node(), "", own) {
            if busy.contains(&node) {
                self.used.insert(node);
            } else if self.used.remove(&node) {
                self.api.delete(&Scope::default(), &Kind::node(), "", &node).await?;
            }
        }
        for pod in self.waiting(|count| count <= EACH) {
            if self.served.insert(pod.uid().to_owned()) {
                let name = self.name("by-hand");
                let amounts =
                    json!({"cpu": "16", "memory": "64Gi", "pods": "110", RESOURCE: EACH.to_string()});
                let node = json!({"apiVersion": "v1", "kind": "Node",
                    "metadata": {"name": name, "annotations": {FAKE: "fake"},
                        "labels": {FAKE: "fake", BY_HAND: "true", "karpenter.sh/nodepool": "accelerators",
                            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
                    "spec": {"taints": [{"key": FAKE, "value": "fake", "effect": "NoSchedule"}]},
                    "status": {"capacity": amounts, "allocatable": amounts}});
                self.api.create(&Scope::default(), &Kind::node(), &Object(node)).await?;
            }
        }
        Ok(())
    }
}

/// Karpenter's NodeClaim.
fn claims() -> Kind {
    Kind::cluster_wide("karpenter.sh", "v1", "NodeClaim", "nodeclaims")
}

/// Number of accelerators that a pod wants.
fn wants(pod: &Object) -> u64 {
    let amounts = pod.at("/spec/containers/0/resources/requests");
    let amount = amounts.and_then(|amounts| amounts.get(RESOURCE)).and_then(Value::as_str);
    // A thousand and more come with a letter.
    amount.and_then(|amount| amount.trim_end_matches(char::is_alphabetic).parse().ok()).unwrap_or_default()
}
