//! Labels by which the evidence tells pods apart.

/// Label: the trial a pod belongs to.
pub const TRIAL: &str = "aiconform.dev/trial";
/// Label: what a pod is there for, such as `gang`, `canary` or `fence`.
pub const ROLE: &str = "aiconform.dev/role";
/// Label: name of what a pod is a part of, such as its gang, or of the pod itself.
pub const GANG: &str = "aiconform.dev/gang";

/// Label: the run that an object was made by.
pub const RUN: &str = "aiconform.dev/run";

/// KWOK's own key for nodes whose kubelets it plays: what is bound there is said to run and does not.
pub const FAKE: &str = "kwok.x-k8s.io/node";
