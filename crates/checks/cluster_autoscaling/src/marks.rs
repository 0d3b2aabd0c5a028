//! The contract between what is done and what is judged: marks, and facts of a subject.

use aiconform_model::Kind;
use aiconform_trial::Marks;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Id of the requirement.
pub const ID: &str = "cluster_autoscaling";

/// Karpenter's NodeClaim, which stands for a node that it asks for.
pub fn node_claim() -> Kind {
    Kind::cluster_wide("karpenter.sh", "v1", "NodeClaim", "nodeclaims")
}

/// Facts of a subject, which is an autoscaler with one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Name of the product.
    pub product: String,
    /// True if we have seen it at work.
    pub tried: bool,
    /// The extended resource that is asked for.
    pub resource: String,
    /// Labels of the pool's nodes; empty where they are not known.
    pub node_selector: BTreeMap<String, String>,
    /// Number of nodes that may be brought.
    pub max_nodes: u64,
    /// Longest time in seconds for a node to come, and for one to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<u64>,
    /// Fact `OWN_CONTROL` of the verdict: its controls are its own.
    pub own_control: bool,
}

/// Steps of the check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// The platform seems to provide no autoscaler: what speaks for that, of which the verdict's `NOT_PROVIDED` says more.
    NotProvided {
        /// Sentence on who states so; empty: nobody.
        stated: String,
        /// Things that were looked for.
        looked_for: Vec<String>,
        /// Things of these that were found.
        found: Vec<String>,
        /// Things that could not be looked at, and why.
        unread: Vec<String>,
    },
    /// Everything that is watched is watched, and nothing is done yet.
    Begin {},
    /// A pod is made that fits no node.
    Impossible {
        /// Its name.
        pod: String,
    },
    /// A pod is made for which a node is to come, unless there is room for it.
    Trigger {
        /// Its name.
        pod: String,
    },
    /// More nodes came than may be brought, so that no other is asked for.
    Enough {
        /// Names of the nodes.
        nodes: Vec<String>,
    },
    /// The pod that fits no node is deleted.
    ImpossibleDeleted {
        /// Its name.
        pod: String,
    },
    /// A pod runs on a node that is ready.
    Arrived {
        /// Its name.
        pod: String,
    },
    /// A pod has had its time and does not run.
    Late {
        /// Its name.
        pod: String,
        /// Seconds that it was waited for.
        seconds: u64,
        /// The last that was seen of it.
        last: String,
    },
    /// A pod that runs is deleted.
    Deleted {
        /// Its name.
        pod: String,
    },
    /// The node of a pod that was deleted is gone.
    Gone {
        /// The pod's name.
        pod: String,
    },
    /// The node of a pod that was deleted has had its time and is there.
    Stays {
        /// The pod's name.
        pod: String,
        /// Seconds that it was waited for.
        seconds: u64,
        /// The last that was seen of the node.
        last: String,
        /// Pods of others that need the node (`NAMESPACE/NAME`); none where they could not be read.
        others: Option<Vec<String>>,
    },
    /// All was tried; every pod is deleted.
    Over {},
    /// Nodes have had their time to go.
    End {
        /// Names of those that are there all the same.
        left: Vec<String>,
    },
}

impl Marks for Mark {}
