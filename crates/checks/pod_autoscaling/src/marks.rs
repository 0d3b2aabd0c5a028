//! Marks of a run and facts of its subjects: the contract between what acts and what judges.

use crate::plan::{Name, Step};
use aiconform_model::Kind;
use aiconform_model::probe::Look;
use aiconform_trial::Marks;
use serde::{Deserialize, Serialize};

/// Id of the check and of the requirement.
pub const ID: &str = "pod_autoscaling";
/// Role of the scaled pods, and a part of their names.
pub const SCALED: &str = "scaled";
/// Role of the pod of another namespace, and a part of its name.
pub const DECOY: &str = "decoy";

/// Kind of `autoscaling/v2` HorizontalPodAutoscaler.
pub fn autoscalers() -> Kind {
    Kind::namespaced("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
}

/// Facts of a subject: what is scaled by what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// True if the subject has controls of its own, which it always has.
    pub own_control: bool,
    /// Average value of the metric that each pod may have.
    pub target: f64,
    /// The most replicas.
    pub most: u64,
    /// Name of the metric.
    pub metric: String,
    /// Group and version of the API that tells it.
    pub metrics_api: String,
    /// Giver of the accelerators: `dra` or `device-plugin`.
    pub given_by: String,
    /// Name of the class or resource by which they are asked for.
    pub asked_by: String,
    /// Nodes that have them.
    pub nodes: Vec<String>,
    /// True if there are two namespaces.
    pub apart: bool,
}

/// Sight of a pod that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    /// Name of the pod.
    pub pod: String,
    /// Its node.
    pub node: String,
    /// Things that it sees.
    pub look: Look,
}

/// Marks of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// Pods are made.
    Create {},
    /// A pod without an accelerator was asked what it sees.
    Plain(Box<Looked>),
    /// Scaled pods were asked what they see.
    Given {
        /// Pods that had not been asked before.
        pods: Vec<Looked>,
    },
    /// A step begins.
    Step(Step),
    /// The metrics API tells what was set.
    Shown {
        /// In this step.
        step: Name,
    },
    /// The replicas are as many as they must be.
    Decided {
        /// In this step.
        step: Name,
    },
    /// A step ends.
    Closed {
        /// This step.
        step: Name,
        /// True if it came to what it must.
        reached: bool,
        /// Why it did not; else empty.
        why: String,
    },
    /// Everything is undone from here on, whether it came to its end or not.
    Over {},
}

impl Marks for Mark {}
