//! Longest times.

use aiconform_trial::Limit;

/// For pods that may have just been installed.
pub const READY: Limit = Limit {
    key: "robust_controller.ready",
    seconds: 60.0,
    most: 10.0,
    what: "the pods of an operator to be ready, before it is tried",
};
/// For pods that were ready before.
pub const STILL_READY: Limit = Limit {
    key: "robust_controller.still_ready",
    seconds: 15.0,
    most: 10.0,
    what: "the pods of an operator to be ready, once it was tried",
};
/// For an operator: one that works needs seconds.
pub const RECONCILE: Limit = Limit {
    key: "robust_controller.reconcile",
    seconds: 90.0,
    most: 10.0,
    what: "an operator to do what it must with a custom resource that is created, changed or deleted, or with a child of it",
};
/// For Kubernetes' own controllers.
pub const PLAIN: Limit = Limit {
    key: "robust_controller.plain",
    seconds: 40.0,
    most: 10.0,
    what: "a ReplicaSet to be made of a Deployment",
};

/// All of them.
pub const LIMITS: &[Limit] = &[READY, STILL_READY, RECONCILE, PLAIN];
