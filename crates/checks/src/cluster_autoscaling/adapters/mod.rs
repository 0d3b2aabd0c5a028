//! How each autoscaler says what it does.

use crate::profile::Autoscaler;

/// An autoscaler of nodes.
#[derive(Debug)]
pub struct Adapter {
    /// Id of the subject.
    pub id: &'static str,
    /// What it is called.
    pub product: &'static str,
    /// Whether we have seen it at work.
    pub tried: bool,
    /// Whether each of its nodes stands for an object of its own, a NodeClaim.
    pub claims: bool,
    /// Under which names its events come.
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
const KARPENTER: Adapter = Adapter {
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
const CLUSTER_AUTOSCALER: Adapter = Adapter {
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

/// All of them.
pub const ALL: &[Adapter] = &[KARPENTER, CLUSTER_AUTOSCALER];
/// Their ids.
pub const IDS: &[&str] = &[KARPENTER.id, CLUSTER_AUTOSCALER.id];
/// Ids of those that a lab has.
pub const QUICK: &[&str] = &[KARPENTER.id];

/// The autoscaler of an id.
pub fn adapter(id: &str) -> Option<&'static Adapter> {
    ALL.iter().find(|adapter| adapter.id == id)
}

/// The id of the one that a profile names.
pub fn id(of: Autoscaler) -> &'static str {
    match of {
        Autoscaler::Karpenter => KARPENTER.id,
        Autoscaler::ClusterAutoscaler => CLUSTER_AUTOSCALER.id,
    }
}
