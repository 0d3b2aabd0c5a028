//! Policies and questions of the breakages of an operator, KubeRay's, and of what it stands on.

use super::mechanism::{Change, Policy, Probe, Seen};

/// Webhooks of the operator, as kubectl finds them.
pub(super) const WEBHOOKS: &[&str] =
    &["validatingwebhookconfiguration", "kuberay-validating-webhook-configuration"];

/// Asks whether what comes as input would be created.
const WOULD_CREATE: &[&str] = &["create", "--dry-run=server", "-o", "json", "-f", "-"];

/// A resource that the webhook denies: two groups of one name.
const NONSENSE: &str = r#"{"apiVersion":"ray.io/v1","kind":"RayCluster","metadata":{"name":"probe","namespace":"default"},"spec":{
    "headGroupSpec":{"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}},
    "workerGroupSpecs":[
        {"groupName":"one","replicas":0,"minReplicas":0,"maxReplicas":1,"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}},
        {"groupName":"one","replicas":0,"minReplicas":0,"maxReplicas":1,"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}}]}}"#;
/// A resource that it takes.
const SENSE: &str = r#"{"apiVersion":"ray.io/v1","kind":"RayCluster","metadata":{"name":"probe","namespace":"default"},"spec":{
    "headGroupSpec":{"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}}}}"#;
pub(super) const NONSENSE_ALLOWED: Probe = Probe { asks: WOULD_CREATE, input: NONSENSE, seen: Seen::Does };
pub(super) const NONSENSE_DENIED: Probe =
    Probe { asks: WOULD_CREATE, input: NONSENSE, seen: Seen::Refuses("unique-groups") };

/// A policy that denies what the webhook denies.
pub(super) const UNIQUE_GROUPS: Policy = Policy {
    name: "unique-groups",
    group: "ray.io",
    resource: "rayclusters",
    operations: &["CREATE", "UPDATE"],
    does: Change::Denies(
        "object.spec.?workerGroupSpecs.orValue([]).all(one, object.spec.?workerGroupSpecs.orValue([]).filter(other, other.groupName == one.groupName).size() == 1)",
        "names of groups must differ",
    ),
};

pub(super) const ADD_FINALIZER: Policy = Policy {
    name: "add-finalizer",
    group: "ray.io",
    resource: "rayclusters",
    operations: &["CREATE"],
    does: Change::Puts("/metadata/finalizers", "[\"lab.aiconform.dev/never\"]"),
};
pub(super) const PROBE_FINALIZER: Probe =
    Probe { asks: WOULD_CREATE, input: SENSE, seen: Seen::Says("lab.aiconform.dev/never") };

pub(super) const DENY_REPLICA_SETS: Policy = Policy {
    name: "deny-replica-sets",
    group: "apps",
    resource: "replicasets",
    operations: &["CREATE"],
    does: Change::Denies("false", "no ReplicaSets here"),
};
pub(super) const PROBE_REPLICA_SET: Probe = Probe {
    asks: WOULD_CREATE,
    input: r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"probe","namespace":"default"},
        "spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
        "spec":{"containers":[{"name":"probe","image":"probe"}]}}}}"#,
    seen: Seen::Refuses("no ReplicaSets here"),
};

pub(super) const PROBE_NAMES: Probe = Probe {
    asks: &[
        "get",
        "crd",
        "rayclusters.ray.io",
        "-o",
        "jsonpath=names accepted: {.status.conditions[?(@.type==\"NamesAccepted\")].status}",
    ],
    input: "",
    seen: Seen::Says("names accepted: False"),
};

/// Flag by which kubectl asks what the operator may do.
const AS: &str = "--as=system:serviceaccount:ray-system:kuberay-operator";
pub(super) const PROBE_RIGHTS: Probe = Probe {
    asks: &["auth", "can-i", "create", "pods", "-n", "default", AS],
    input: "",
    // The answer "no" is an error of its own.
    seen: Seen::Refuses(""),
};
pub(super) const PROBE_STATUS: Probe = Probe {
    asks: &["auth", "can-i", "update", "rayclusters.ray.io", "--subresource=status", "-n", "default", AS],
    input: "",
    seen: Seen::Refuses(""),
};
