//! Longest times that a verdict may hang on.

use aiconform_trial::Limit;

/// For the scheduler; without its word it is not known whether a pod waits.
pub const SCHEDULE: Limit = Limit {
    key: "cluster_autoscaling.schedule",
    seconds: 60.0,
    most: 10.0,
    what: "the scheduler to place a pod or to say that it has no room for it",
};
/// For the autoscaler's word on a pod that fits no node; without it nothing is known of such pods.
pub const REFUSAL: Limit = Limit {
    key: "cluster_autoscaling.refusal",
    seconds: 120.0,
    most: 10.0,
    what: "an autoscaler to say that it can bring no node for a pod",
};
/// For a node; one that does not come, or does not go, is a failure afterwards. While it is waited for, nodes cost money.
pub const DEADLINE: Limit = Limit {
    key: "cluster_autoscaling.deadline",
    seconds: 1200.0,
    most: 3.0,
    what: "a node to come and its pod to run, and for a node to go",
};

/// All of them.
pub const LIMITS: &[Limit] = &[SCHEDULE, REFUSAL, DEADLINE];
