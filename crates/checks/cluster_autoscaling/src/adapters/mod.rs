//! Words in which each autoscaler tells what it does.

pub mod objects;

use aiconform_model::Object;

/// An autoscaler of nodes.
#[derive(Debug)]
pub struct Adapter {
    /// Id of the subject.
    pub id: &'static str,
    /// Name of the product.
    pub product: &'static str,
    /// Set if we have seen it at work.
    pub tried: bool,
    /// Set if each of its nodes stands for an object of its own, a NodeClaim.
    pub claims: bool,
    /// Names under which its events come.
    pub names: &'static [&'static str],
    /// Reason of its event about a pod for which it brings a node.
    pub brings: &'static str,
    /// Reason of its event about a pod for which it can bring none.
    pub refuses: &'static str,
    /// Taint with which its nodes come, and which goes when it knows them (`NoExecute`); empty when there is none. Whoever
    /// evicts for taints may see it longer than the scheduler does, and delete a pod that has just been placed.
    pub arriving: &'static str,
    /// Taint of a node that it is about to remove; where it has NodeClaims, their deletion says it.
    pub leaving: &'static str,
}

/// Karpenter 1.x: `pkg/controllers/provisioning/scheduling/events.go`, `pkg/apis/v1/taints.go`; under the second name in EKS
/// Auto Mode.
pub const KARPENTER: Adapter = Adapter {
    id: "karpenter",
    product: "Karpenter",
    tried: true,
    claims: true,
    names: &["karpenter", "eks-auto-mode/compute"],
    brings: "Nominated",
    refuses: "FailedScheduling",
    arriving: "karpenter.sh/unregistered",
    leaving: "karpenter.sh/disrupted",
};

/// cluster-autoscaler: its FAQ, "What events are emitted by CA?"; managed node pools speak in the same way.
pub const CLUSTER_AUTOSCALER: Adapter = Adapter {
    id: "cluster-autoscaler",
    product: "cluster-autoscaler",
    tried: false,
    claims: false,
    names: &["cluster-autoscaler"],
    brings: "TriggeredScaleUp",
    refuses: "NotTriggerScaleUp",
    arriving: "",
    leaving: "ToBeDeletedByClusterAutoscaler",
};

/// All autoscalers that are known.
pub const ALL: &[Adapter] = &[KARPENTER, CLUSTER_AUTOSCALER];
/// Ids of all autoscalers.
pub const IDS: &[&str] = &[KARPENTER.id, CLUSTER_AUTOSCALER.id];
/// Ids of those that a lab has.
pub const QUICK: &[&str] = &[KARPENTER.id];

/// The autoscaler of an id.
pub fn adapter(id: &str) -> Option<&'static Adapter> {
    ALL.iter().find(|adapter| adapter.id == id)
}

/// An autoscaler's word on a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Name of the pod.
    pub pod: String,
    /// Set if a node is brought for it; else, that none can be.
    pub brings: bool,
    /// The message, in its own words.
    pub message: String,
}

/// The word of an event, if it is this autoscaler's about a pod.
pub fn word(adapter: &Adapter, event: &Object) -> Option<Word> {
    let from = [event.text("/source/component"), event.text("/reportingComponent")];
    let known = from.iter().any(|name| adapter.names.contains(name));
    let reason = event.text("/reason");
    let says = known
        && event.text("/involvedObject/kind") == "Pod"
        && [adapter.brings, adapter.refuses].contains(&reason);
    says.then(|| Word {
        pod: event.text("/involvedObject/name").to_owned(),
        brings: reason == adapter.brings,
        message: event.text("/message").to_owned(),
    })
}
