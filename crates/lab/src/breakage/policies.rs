//! Admission policies of breakages, and what is asked to see whether they act: the API server takes new ones up some time
//! after it has stored them.

use super::mechanism::{Change, Policy, Probe, Seen};

const CREATE: &[&str] = &["CREATE"];

pub(super) const DENY_NODE_PATCHES: Policy = Policy {
    name: "deny-node-patches",
    group: "",
    resource: "nodes/status",
    operations: &["UPDATE"],
    does: Change::Denies(
        "request.userInfo.username.startsWith('system:node:')",
        "only nodes may change their status",
    ),
};
/// A patch of the node's status, asked about and not made.
pub(super) const PROBE_NODE: Probe = Probe {
    asks: &[
        "patch",
        "node",
        "node-0",
        "--subresource=status",
        "--type=merge",
        "--patch={\"status\":{\"capacity\":{\"aiconform.dev/probe\":\"1\"}}}",
        "--dry-run=server",
    ],
    input: "",
    seen: Seen::Refuses("only nodes may change"),
};

pub(super) const DEMAND_LABELS: Policy = Policy {
    name: "demand-labels",
    group: "",
    resource: "pods",
    operations: CREATE,
    does: Change::Denies(
        "has(object.metadata.labels) && 'team' in object.metadata.labels",
        "every pod needs the label team",
    ),
};
/// A pod, asked about and not created.
const POD: &[&str] = &["run", "probe", "--image=probe", "--dry-run=server", "-o", "json"];
pub(super) const PROBE_LABELS: Probe =
    Probe { asks: POD, input: "", seen: Seen::Refuses("needs the label team") };

pub(super) const OTHER_SCHEDULER: Policy = Policy {
    name: "other-scheduler",
    group: "",
    resource: "pods",
    operations: CREATE,
    does: Change::Applies("Object{spec: Object.spec{schedulerName: \"other\"}}"),
};
pub(super) const PROBE_SCHEDULER: Probe = Probe { asks: POD, input: "", seen: Seen::Says("\"other\"") };

pub(super) const MISPLACE_PODS: Policy = Policy {
    name: "misplace-pods",
    group: "",
    resource: "pods",
    operations: CREATE,
    does: Change::Puts("/spec/nodeSelector", "{\"team\": \"nobody\"}"),
};
pub(super) const PROBE_PLACE: Probe = Probe { asks: POD, input: "", seen: Seen::Says("\"nobody\"") };

pub(super) const DROP_REQUESTS: Policy = Policy {
    name: "drop-requests",
    group: "",
    resource: "pods",
    operations: CREATE,
    does: Change::Puts("/spec/containers/0/resources", "{}"),
};
/// A pod that requests CPU, asked about and not created.
pub(super) const PROBE_REQUESTS: Probe = Probe {
    asks: &[
        "run",
        "probe",
        "--image=probe",
        "--overrides={\"spec\":{\"containers\":[{\"name\":\"probe\",\"image\":\"probe\",\"resources\":{\"requests\":{\"cpu\":\"1m\"}}}]}}",
        "--dry-run=server",
        "-o",
        "json",
    ],
    input: "",
    seen: Seen::Lacks("\"cpu\""),
};

pub(super) const LOWER_LEAST: Policy = Policy {
    name: "lower-least",
    group: "scheduling.k8s.io",
    resource: "podgroups",
    operations: CREATE,
    does: Change::Applies(
        "Object{spec: Object.spec{schedulingPolicy: Object.spec.schedulingPolicy{gang: Object.spec.schedulingPolicy.gang{minCount: 1}}}}",
    ),
};
/// A gang of two, asked about and not created.
pub(super) const PROBE_GANG: Probe = Probe {
    asks: &["create", "-f", "-", "--dry-run=server", "-o", "json"],
    input: r#"{"apiVersion":"{gangs}","kind":"PodGroup","metadata":{"name":"probe","namespace":"default"},
        "spec":{"schedulingPolicy":{"gang":{"minCount":2}}}}"#,
    seen: Seen::Says("\"minCount\": 1"),
};

pub(super) const LABEL_FOR_ADMIN_ACCESS: Policy = Policy {
    name: "label-for-admin-access",
    group: "",
    resource: "namespaces",
    operations: CREATE,
    // Not a patch of one path: a namespace may come without labels.
    does: Change::Applies(
        "Object{metadata: Object.metadata{labels: {\"resource.kubernetes.io/admin-access\": \"true\"}}}",
    ),
};
pub(super) const PROBE_NAMESPACE: Probe = Probe {
    asks: &["create", "namespace", "probe", "--dry-run=server", "-o", "json"],
    input: "",
    seen: Seen::Says("\"resource.kubernetes.io/admin-access\": \"true\""),
};

/// A pod for a queue, which Kueue's webhook says that it manages.
pub(super) const PROBE_QUEUED: Probe = Probe {
    asks: &[
        "run",
        "probe",
        "--image=probe",
        "--labels=kueue.x-k8s.io/queue-name=probe",
        "--dry-run=server",
        "-o",
        "json",
    ],
    input: "",
    seen: Seen::Lacks("kueue.x-k8s.io/managed"),
};
