//! The breakages: one row is all there is to say of one.

use super::mechanism::Mechanism::{
    self, Absent, ApiServerRestarts, Flags, KueueQuotas, MetricsAdapter, NamesTaken, NodeLost, NotRun,
    Patched, Policy, Present, Prometheus, Runs, Runtime, Stopped, Weather, WithoutRight,
};
use super::mechanism::{Flags as FlagsOf, Patch, Row};
use super::{kuberay, policies};
use crate::actor::Actor;
use crate::broken_autoscaler;
use crate::broken_gateway;
use crate::broken_scheduler;
use crate::buyer::Errand;
use crate::metrics_adapter;
use crate::part::Part;
use crate::prometheus;
use crate::relay::Weather as Sky;
use crate::runtime::fault::{Fault, Handler};

const KUEUE: Part = Part::of("kueue");
const KUBE_ROUTER: Part = Part::of("kube-router");
const KUBERAY: Part = Part::of("kuberay");
const KWOK: Part = Part::of("kwok");
const TRAEFIK: Part = Part::of("traefik");
const SIMULATOR: Part = Part::of("simulator");
const PROMETHEUS: Part = Part::of("prometheus");
const ADAPTER: Part = Part::of("prometheus-adapter");
const PROMETHEUS_OPERATOR: Part = Part::of("prometheus-operator");
const KARPENTER: Part = Part::of("karpenter");
const KEDA: Part = Part::of("keda");

const API_SERVER: &str = "kube-apiserver";
const CONTROLLERS: &str = "kube-controller-manager";
const SCHEDULER: &str = "kube-scheduler";
const PLANES: &[&str] = &[API_SERVER, CONTROLLERS, SCHEDULER];

const fn more(more: &'static [(&'static str, &'static [&'static str])]) -> FlagsOf {
    FlagsOf { without_gangs: &[], more }
}

const fn without_gangs(without_gangs: &'static [&'static str]) -> FlagsOf {
    FlagsOf { without_gangs, more: &[] }
}

/// Dynamic resource allocation can be off up to Kubernetes 1.34, whose behaviour later versions can be told to have; with it
/// go those that stand on it and are on (pkg/features). Native gangs are younger than that version.
const WITHOUT_DRA: FlagsOf = FlagsOf {
    without_gangs: PLANES,
    more: &[
        (API_SERVER, &[EMULATED, DRA_OFF, "--runtime-config=resource.k8s.io/v1=false"]),
        (CONTROLLERS, &[EMULATED, DRA_OFF]),
        (SCHEDULER, &[EMULATED, DRA_OFF]),
    ],
};
const EMULATED: &str = "--emulated-version=1.34";
const DRA_OFF: &str = "--feature-gates=DynamicResourceAllocation=false,DRAAdminAccess=false,DRAPrioritizedList=false,DRASchedulerFilterTimeout=false";

const WITHOUT_DEVICE_TAINTS: &[(&str, &[&str])] =
    &[(API_SERVER, &[TAINTS_OFF]), (CONTROLLERS, &[TAINTS_OFF]), (SCHEDULER, &[TAINTS_OFF])];
const TAINTS_OFF: &str = "--feature-gates=DRADeviceTaints=false,DRADeviceTaintRules=false";

/// No scheduler runs.
const NO_SCHEDULER: Mechanism = NotRun(SCHEDULER);
/// Nobody scales what a HorizontalPodAutoscaler names.
const NO_AUTOSCALER: Mechanism =
    Flags(more(&[(CONTROLLERS, &["--controllers=*,-horizontal-pod-autoscaler-controller"])]));
/// Nobody implements the Gateway API: one that still ends would accept what is to be accepted by nobody, or by another.
const NO_GATEWAY: Mechanism = Stopped(TRAEFIK);
/// A class that nobody knows; what its implementation has said of the one before went with that.
const CLASS: &str = r#"{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GatewayClass","metadata":{"name":"traefik"},
    "spec":{"controllerName":"traefik.io/gateway-controller"}}"#;
/// Karpenter's pool of accelerators.
const POOL: &[&str] = &["nodepool", "accelerators"];
/// A queue of the platform's own with quota above capacity.
const TEAM_QUEUE: &str = r#"{"apiVersion":"v1","kind":"List","items":[
    {"apiVersion":"kueue.x-k8s.io/v1beta2","kind":"ResourceFlavor","metadata":{"name":"team-a"}},
    {"apiVersion":"kueue.x-k8s.io/v1beta2","kind":"ClusterQueue","metadata":{"name":"team-a"},
        "spec":{"namespaceSelector":{},"resourceGroups":[{
            "coveredResources":["cpu","memory"],
            "flavors":[{"name":"team-a","resources":[
                {"name":"cpu","nominalQuota":"1000"},
                {"name":"memory","nominalQuota":"1000Gi"}]}]}]}}]}"#;

/// The breakages.
/// A RuntimeClass for the second handler that every lab has.
const ACCELERATED: &str = r#"{"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "accelerated"},
    "handler": "accelerated"}"#;

/// A level with the least room there is, and the user of the host's kubeconfig on it.
const BUSY: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration", "metadata": {"name": "aiconform-busy"},
        "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 1, "lendablePercent": 0, "borrowingLimitPercent": 0,
            "limitResponse": {"type": "Reject"}}}},
    {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": "aiconform-busy"},
        "spec": {"priorityLevelConfiguration": {"name": "aiconform-busy"}, "matchingPrecedence": 2, "rules": [
            {"subjects": [{"kind": "User", "user": {"name": "lab-user"}}],
                "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": true, "namespaces": ["*"]}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}]}}]}"#;

pub(super) const TABLE: &[Row] = &[
    Row {
        name: "weather-resets",
        says: "Every connection from outside to the API server is reset after 5 s.",
        part: None,
        mechanisms: &[Weather(Sky::Resets)],
        probe: None,
    },
    Row {
        name: "weather-stalls",
        says: "Of every 30 s of a connection from outside to the API server, nothing comes through in the last 10.",
        part: None,
        mechanisms: &[Weather(Sky::Stalls)],
        probe: None,
    },
    Row {
        name: "weather-delays",
        says: "What goes between outside and the API server takes 0.3 s longer, each way.",
        part: None,
        mechanisms: &[Weather(Sky::Delays)],
        probe: None,
    },
    Row {
        name: "weather-cut-off",
        says: "Nothing comes from outside to the API server: connections are reset at once.",
        part: None,
        mechanisms: &[Weather(Sky::CutOff)],
        probe: None,
    },
    Row {
        name: "api-server-restarts",
        says: "The API server is killed every 30 s, and started again.",
        part: None,
        mechanisms: &[ApiServerRestarts],
        probe: None,
    },
    Row {
        name: "api-server-is-busy",
        says: "The API server's priority and fairness has room for three requests at a time of whoever comes from outside, and answers 429 to the others.",
        part: None,
        mechanisms: &[Present(BUSY)],
        probe: None,
    },
    Row {
        name: "network-denied",
        says: "In every namespace that is made, a NetworkPolicy lets pods reach nobody and be reached by nobody.",
        part: Some(KUBE_ROUTER),
        mechanisms: &[Runs(Actor::DeniesNetwork(false))],
        probe: None,
    },
    Row {
        name: "network-denied-but-dns",
        says: "In every namespace that is made, a NetworkPolicy lets pods reach nobody but DNS and be reached by nobody.",
        part: Some(KUBE_ROUTER),
        mechanisms: &[Runs(Actor::DeniesNetwork(true))],
        probe: None,
    },
    Row {
        name: "node-lost",
        says: "The last node has lost its power: its kubelet and its containers have ended, and nobody said good-bye.",
        part: None,
        mechanisms: &[NodeLost],
        probe: None,
    },
    Row {
        name: "gang-gate-off-scheduler",
        says: "Native gang scheduling is off in the scheduler, while the API server takes gangs.",
        part: None,
        mechanisms: &[Flags(without_gangs(&[SCHEDULER]))],
        probe: None,
    },
    Row {
        name: "gang-gate-off-api-server",
        says: "Native gang scheduling is off everywhere: its API is not served.",
        part: None,
        mechanisms: &[Flags(without_gangs(PLANES))],
        probe: None,
    },
    Row {
        name: "kueue-webhooks-removed",
        says: "Kueue runs, but its webhooks are not called.",
        part: Some(KUEUE),
        mechanisms: &[
            Absent(&["mutatingwebhookconfiguration", "kueue-mutating-webhook-configuration"]),
            Absent(&["validatingwebhookconfiguration", "kueue-validating-webhook-configuration"]),
        ],
        probe: Some(policies::PROBE_QUEUED),
    },
    Row {
        name: "queues-on-hold",
        says: "Another actor holds every ClusterQueue as soon as it appears.",
        part: Some(KUEUE),
        mechanisms: &[Runs(Actor::HoldsQueues)],
        probe: None,
    },
    Row {
        name: "scheduler-stopped",
        says: "No scheduler runs.",
        part: None,
        mechanisms: &[NO_SCHEDULER],
        probe: None,
    },
    Row {
        name: "kueue-excludes-slots",
        says: "Kueue leaves private slots out of its quotas, and the platform has a queue of its own with quota above capacity.",
        part: Some(KUEUE),
        mechanisms: &[KueueQuotas, Present(TEAM_QUEUE)],
        probe: None,
    },
    Row {
        name: "scheduler-binds-part",
        says: "The scheduler binds part of a gang.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::BindsPart))],
        probe: None,
    },
    Row {
        name: "scheduler-keeps-reservation",
        says: "The scheduler keeps what a deleted gang had reserved.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::KeepsReservation))],
        probe: None,
    },
    Row {
        name: "scheduler-gangs-plain-pods",
        says: "The scheduler holds plain pods back as if they were a gang.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::GangsPlainPods))],
        probe: None,
    },
    Row {
        name: "scheduler-never-binds-gang",
        says: "The scheduler never binds a gang.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::NeverBindsGang))],
        probe: None,
    },
    Row {
        name: "scheduler-never-retries",
        says: "The scheduler never looks again at a gang that it has refused.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::NeverRetries))],
        probe: None,
    },
    Row {
        name: "scheduler-starts-nearly-whole",
        says: "The scheduler binds a gang of which nine in ten fit.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::StartsNearlyWhole))],
        probe: None,
    },
    Row {
        name: "scheduler-hoards",
        says: "The scheduler keeps slots from others that a refused gang waits for.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::Hoards))],
        probe: None,
    },
    Row {
        name: "scheduler-gives-up-waiting",
        says: "The scheduler binds what fits of a gang that has waited for a minute.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::GivesUpWaiting))],
        probe: None,
    },
    Row {
        name: "scheduler-ignores-least",
        says: "The scheduler wants all members of a gang to fit, however few may start.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::IgnoresLeast))],
        probe: None,
    },
    Row {
        name: "scheduler-preempts-in-vain",
        says: "The scheduler evicts gangs of lower priority for one that does not fit even then.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::PreemptsInVain))],
        probe: None,
    },
    Row {
        name: "scheduler-evicts-in-part",
        says: "The scheduler evicts no more of a gang than it needs.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::EvictsInPart))],
        probe: None,
    },
    Row {
        name: "scheduler-forgets-members",
        says: "The scheduler binds no more members once a gang is bound.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::ForgetsMembers))],
        probe: None,
    },
    Row {
        name: "scheduler-counts-across-namespaces",
        says: "The scheduler counts pods of a gang of the same name in other namespaces.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::CountsAcrossNamespaces))],
        probe: None,
    },
    Row {
        name: "scheduler-keeps-first-size",
        says: "The scheduler goes by the least number that a gang had at first.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::KeepsFirstSize))],
        probe: None,
    },
    Row {
        name: "scheduler-allocates-nothing",
        says: "The scheduler gives claims on devices nothing.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::AllocatesNothing))],
        probe: None,
    },
    Row {
        name: "scheduler-ignores-claims",
        says: "The scheduler binds pods without what their claims ask for.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::IgnoresClaims))],
        probe: None,
    },
    Row {
        name: "scheduler-ignores-selectors",
        says: "The scheduler gives a claim any device of its class.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::IgnoresSelectors))],
        probe: None,
    },
    Row {
        name: "scheduler-gives-device-twice",
        says: "The scheduler gives each device to two claims.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::GivesDeviceTwice))],
        probe: None,
    },
    Row {
        name: "scheduler-keeps-devices",
        says: "The scheduler never gives a device again.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::KeepsDevices))],
        probe: None,
    },
    Row {
        name: "scheduler-refuses-sharers",
        says: "The scheduler lets one pod at a time use a claim.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::RefusesSharers))],
        probe: None,
    },
    Row {
        name: "scheduler-ignores-order",
        says: "The scheduler takes the last of a request's ways that is free.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::IgnoresOrder))],
        probe: None,
    },
    Row {
        name: "scheduler-ignores-taints",
        says: "The scheduler gives devices with taints to anyone.",
        part: None,
        mechanisms: &[NO_SCHEDULER, Runs(Actor::Scheduler(broken_scheduler::Fault::IgnoresTaints))],
        probe: None,
    },
    Row {
        name: "dra-gate-off",
        says: "Dynamic resource allocation is off everywhere, as it can be in Kubernetes 1.34: its API is not served.",
        part: None,
        mechanisms: &[Flags(WITHOUT_DRA)],
        probe: None,
    },
    Row {
        name: "device-taints-gate-off",
        says: "Taints of devices are off everywhere: the API server drops them.",
        part: None,
        mechanisms: &[Flags(more(WITHOUT_DEVICE_TAINTS))],
        probe: None,
    },
    Row {
        name: "policy-denies-node-patches",
        says: "A policy denies patches of node status to everyone but nodes.",
        part: None,
        mechanisms: &[Policy(&policies::DENY_NODE_PATCHES)],
        probe: Some(policies::PROBE_NODE),
    },
    Row {
        name: "policy-demands-labels",
        says: "A policy demands the label `team` on every pod.",
        part: None,
        mechanisms: &[Policy(&policies::DEMAND_LABELS)],
        probe: Some(policies::PROBE_LABELS),
    },
    Row {
        name: "webhook-rewrites-pods",
        says: "A webhook of the platform sends pods to another scheduler.",
        part: None,
        mechanisms: &[Policy(&policies::OTHER_SCHEDULER)],
        probe: Some(policies::PROBE_SCHEDULER),
    },
    Row {
        name: "policy-misplaces-pods",
        says: "A policy sends pods to nodes that there are not.",
        part: None,
        mechanisms: &[Policy(&policies::MISPLACE_PODS)],
        probe: Some(policies::PROBE_PLACE),
    },
    Row {
        name: "policy-drops-requests",
        says: "A policy takes from pods what they request.",
        part: None,
        mechanisms: &[Policy(&policies::DROP_REQUESTS)],
        probe: Some(policies::PROBE_REQUESTS),
    },
    Row {
        name: "policy-lowers-least",
        says: "A policy lets every gang start with one pod.",
        part: None,
        mechanisms: &[Policy(&policies::LOWER_LEAST)],
        probe: Some(policies::PROBE_GANG),
    },
    Row {
        name: "policy-labels-for-admin-access",
        says: "A policy gives every namespace the label with which its claims may ask for access as an administrator.",
        part: None,
        mechanisms: &[Policy(&policies::LABEL_FOR_ADMIN_ACCESS)],
        probe: Some(policies::PROBE_NAMESPACE),
    },
    Row {
        name: "kuberay-stopped",
        says: "KubeRay is installed and does not run: its Deployment has no pods.",
        part: Some(KUBERAY),
        mechanisms: &[Stopped(KUBERAY)],
        probe: None,
    },
    Row {
        name: "kuberay-webhook-removed",
        says: "KubeRay runs, and its webhook is not called.",
        part: Some(KUBERAY),
        mechanisms: &[Absent(kuberay::WEBHOOKS)],
        probe: Some(kuberay::NONSENSE_ALLOWED),
    },
    Row {
        name: "kuberay-webhook-fails-open",
        says: "KubeRay's webhook leads to nobody, and what cannot be asked is let through.",
        part: Some(KUBERAY),
        mechanisms: &[
            Patched(&Patch {
                object: &["-n", "ray-system", "service", "kuberay-webhook-service"],
                kind: "merge",
                patch: r#"{"spec":{"selector":{"lab.aiconform.dev/nobody":"true"}}}"#,
                back: r#"{"spec":{"selector":{"lab.aiconform.dev/nobody":null}}}"#,
            }),
            Patched(&Patch {
                object: kuberay::WEBHOOKS,
                kind: "json",
                patch: r#"[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]"#,
                back: "",
            }),
        ],
        probe: Some(kuberay::NONSENSE_ALLOWED),
    },
    Row {
        name: "policy-instead-of-webhook",
        says: "KubeRay's webhook is not called, and a policy denies what it would have denied.",
        part: Some(KUBERAY),
        mechanisms: &[Absent(kuberay::WEBHOOKS), Policy(&kuberay::UNIQUE_GROUPS)],
        probe: Some(kuberay::NONSENSE_DENIED),
    },
    Row {
        name: "policy-before-webhook",
        says: "A policy denies what KubeRay's webhook denies, before that is called.",
        part: Some(KUBERAY),
        mechanisms: &[Policy(&kuberay::UNIQUE_GROUPS)],
        probe: Some(kuberay::NONSENSE_DENIED),
    },
    Row {
        name: "kuberay-without-rights",
        says: "KubeRay may not make, read or change anything.",
        part: Some(KUBERAY),
        mechanisms: &[Absent(&["clusterrolebinding", "kuberay-operator"])],
        probe: Some(kuberay::PROBE_RIGHTS),
    },
    Row {
        name: "kuberay-status-stale",
        says: "KubeRay may not write the status of its resources.",
        part: Some(KUBERAY),
        mechanisms: &[WithoutRight { role: "kuberay-operator", to: "rayclusters/status" }],
        probe: Some(kuberay::PROBE_STATUS),
    },
    Row {
        name: "kuberay-reconciles-once",
        says: "KubeRay loses its rights as soon as a RayCluster is as it should be.",
        part: Some(KUBERAY),
        mechanisms: &[Runs(Actor::TakesRights)],
        probe: None,
    },
    Row {
        name: "finalizer-never-cleared",
        says: "A policy puts a finalizer on RayClusters that nobody takes away.",
        part: Some(KUBERAY),
        mechanisms: &[Policy(&kuberay::ADD_FINALIZER)],
        probe: Some(kuberay::PROBE_FINALIZER),
    },
    Row {
        name: "garbage-collector-off",
        says: "The controller manager collects no garbage: what a deleted object owned stays.",
        part: None,
        mechanisms: &[Flags(more(&[(CONTROLLERS, &["--controllers=*,-garbage-collector-controller"])]))],
        probe: None,
    },
    Row {
        name: "policy-denies-replica-sets",
        says: "A policy denies ReplicaSets.",
        part: Some(KUBERAY),
        mechanisms: &[Policy(&kuberay::DENY_REPLICA_SETS)],
        probe: Some(kuberay::PROBE_REPLICA_SET),
    },
    Row {
        name: "definition-not-established",
        says: "Another definition has taken the names of KubeRay's RayCluster.",
        part: Some(KUBERAY),
        mechanisms: &[NamesTaken],
        probe: Some(kuberay::PROBE_NAMES),
    },
    Row {
        name: "runtime-leaks-to-sibling",
        says: "The container runtime gives each container of a pod every device that the pod's other containers were given, init containers that start before them too.",
        part: Some(SIMULATOR),
        mechanisms: &[Runtime(Handler::Default, Fault::LeaksToSibling)],
        probe: None,
    },
    Row {
        name: "runtime-gives-by-environment",
        says: "The container runtime gives a container the devices that its variable NVIDIA_VISIBLE_DEVICES names, or all of them.",
        part: Some(SIMULATOR),
        mechanisms: &[Runtime(Handler::Default, Fault::GivesByEnvironment)],
        probe: None,
    },
    Row {
        name: "runtime-without-device-cgroup",
        says: "The container runtime lets every container open every device that there is a node of, and make the nodes.",
        part: Some(SIMULATOR),
        mechanisms: &[Runtime(Handler::Default, Fault::WithoutDeviceCgroup)],
        probe: None,
    },
    Row {
        name: "runtime-gives-to-all",
        says: "The container runtime gives every container every device.",
        part: Some(SIMULATOR),
        mechanisms: &[Runtime(Handler::Default, Fault::GivesToAll)],
        probe: None,
    },
    Row {
        name: "runtime-class-gives-by-environment",
        says: "A container of the RuntimeClass `accelerated` is given the devices that its variable NVIDIA_VISIBLE_DEVICES names, or all of them; one without a class is not.",
        part: Some(SIMULATOR),
        mechanisms: &[Present(ACCELERATED), Runtime(Handler::Accelerated, Fault::GivesByEnvironment)],
        probe: None,
    },
    Row {
        name: "runtime-default-gives-by-environment",
        says: "A container without a RuntimeClass is given the devices that its variable NVIDIA_VISIBLE_DEVICES names, or all of them; one of the RuntimeClass `accelerated` is not.",
        part: Some(SIMULATOR),
        mechanisms: &[Present(ACCELERATED), Runtime(Handler::Default, Fault::GivesByEnvironment)],
        probe: None,
    },
    Row {
        name: "runtime-loses-on-restart",
        says: "The container runtime gives a container that is started again its neighbour's device beside its own, the one with the next number; one without a device gets none.",
        part: Some(SIMULATOR),
        mechanisms: &[Runtime(Handler::Default, Fault::LosesOnRestart)],
        probe: None,
    },
    Row {
        name: "node-autoscaler-stopped",
        says: "Karpenter does not run; what it has installed is there.",
        part: Some(KARPENTER),
        mechanisms: &[Stopped(KARPENTER)],
        probe: None,
    },
    Row {
        name: "nodes-added-by-hand",
        says: "Karpenter does not run, and somebody adds nodes of the pool for pods that wait, and removes them again.",
        part: Some(KARPENTER),
        mechanisms: &[Stopped(KARPENTER), Runs(Actor::Buyer(Errand::AddsByHand))],
        probe: None,
    },
    Row {
        name: "node-autoscaler-brings-wrong-nodes",
        says: "Karpenter may buy no node with accelerators, and one without comes for every pod that waits for some.",
        part: Some(KARPENTER),
        mechanisms: &[
            Patched(&Patch {
                object: POOL,
                kind: "merge",
                patch: r#"{"spec":{"limits":{"accelerator.aiconform.dev/gpu":"0"}}}"#,
                back: "",
            }),
            Runs(Actor::Buyer(Errand::BringsWrongNodes)),
        ],
        probe: None,
    },
    Row {
        name: "node-autoscaler-never-removes",
        says: "Karpenter never removes a node.",
        part: Some(KARPENTER),
        mechanisms: &[Patched(&Patch {
            object: POOL,
            kind: "merge",
            patch: r#"{"spec":{"disruption":{"consolidateAfter":"Never"}}}"#,
            back: "",
        })],
        probe: None,
    },
    Row {
        name: "node-autoscaler-grows-for-impossible",
        says: "A node with accelerators comes for a pod that wants more of them than a node has.",
        part: Some(KARPENTER),
        mechanisms: &[Runs(Actor::Buyer(Errand::GrowsForImpossible))],
        probe: None,
    },
    Row {
        name: "node-autoscaler-removes-busy-nodes",
        says: "Karpenter removes a node when it is some seconds old, whatever is on it.",
        part: Some(KARPENTER),
        mechanisms: &[Patched(&Patch {
            object: POOL,
            kind: "merge",
            // Without the second, it waits for pods that do not want to be disturbed.
            patch: r#"{"spec":{"template":{"spec":{"expireAfter":"25s","terminationGracePeriod":"1s"}}}}"#,
            back: r#"{"spec":{"template":{"spec":{"terminationGracePeriod":null}}}}"#,
        })],
        probe: None,
    },
    Row {
        name: "node-autoscaler-brings-too-many",
        says: "For every node that Karpenter brings, another one comes.",
        part: Some(KARPENTER),
        mechanisms: &[Runs(Actor::Buyer(Errand::BringsTooMany))],
        probe: None,
    },
    Row {
        name: "new-nodes-never-ready",
        says: "What runs on nodes that come does not report.",
        part: Some(KARPENTER),
        mechanisms: &[Stopped(KWOK)],
        probe: None,
    },
    Row {
        name: "autoscaler-stopped",
        says: "Nobody scales what a HorizontalPodAutoscaler names.",
        part: None,
        mechanisms: &[NO_AUTOSCALER],
        probe: None,
    },
    Row {
        name: "autoscaler-overshoots",
        says: "The autoscaler makes one pod more than the metric asks for.",
        part: None,
        mechanisms: &[NO_AUTOSCALER, Runs(Actor::Autoscaler(broken_autoscaler::Fault::Overshoots))],
        probe: None,
    },
    Row {
        name: "autoscaler-rounds-down",
        says: "The autoscaler rounds down how many pods the metric asks for.",
        part: None,
        mechanisms: &[NO_AUTOSCALER, Runs(Actor::Autoscaler(broken_autoscaler::Fault::RoundsDown))],
        probe: None,
    },
    Row {
        name: "autoscaler-never-scales-down",
        says: "The autoscaler never takes pods away.",
        part: None,
        mechanisms: &[NO_AUTOSCALER, Runs(Actor::Autoscaler(broken_autoscaler::Fault::NeverScalesDown))],
        probe: None,
    },
    Row {
        name: "autoscaler-scales-down-blind",
        says: "The autoscaler takes pods away when it is told nothing of the metric.",
        part: None,
        mechanisms: &[NO_AUTOSCALER, Runs(Actor::Autoscaler(broken_autoscaler::Fault::ScalesDownBlind))],
        probe: None,
    },
    Row {
        name: "autoscaler-ignores-limits",
        says: "The autoscaler goes beyond the least and the most that it was given.",
        part: None,
        mechanisms: &[NO_AUTOSCALER, Runs(Actor::Autoscaler(broken_autoscaler::Fault::IgnoresLimits))],
        probe: None,
    },
    Row {
        name: "autoscaler-counts-across-namespaces",
        says: "The autoscaler counts what pods of other namespaces tell under the metric's name.",
        part: None,
        mechanisms: &[
            NO_AUTOSCALER,
            Runs(Actor::Autoscaler(broken_autoscaler::Fault::CountsAcrossNamespaces)),
        ],
        probe: None,
    },
    Row {
        name: "adapter-multiplies-values",
        says: "The adapter of metrics tells twice of what pods tell.",
        part: Some(ADAPTER),
        mechanisms: &[MetricsAdapter(metrics_adapter::Fault::MultipliesValues)],
        probe: None,
    },
    Row {
        name: "adapter-ignores-namespaces",
        says: "The adapter of metrics adds what pods of other namespaces tell under the metric's name.",
        part: Some(ADAPTER),
        mechanisms: &[MetricsAdapter(metrics_adapter::Fault::IgnoresNamespaces)],
        probe: None,
    },
    Row {
        name: "adapter-without-source",
        says: "The adapter of metrics does not reach where its metrics come from.",
        part: Some(ADAPTER),
        mechanisms: &[MetricsAdapter(metrics_adapter::Fault::WithoutSource)],
        probe: None,
    },
    Row {
        name: "keda-stopped",
        says: "KEDA's operator does not run; what it has installed is there.",
        part: Some(KEDA),
        mechanisms: &[Stopped(KEDA)],
        probe: None,
    },
    Row {
        name: "prometheus-operator-stopped",
        says: "prometheus-operator does not run; its kinds, and the Prometheus that it has started, are there.",
        part: Some(PROMETHEUS_OPERATOR),
        mechanisms: &[Stopped(PROMETHEUS_OPERATOR)],
        probe: None,
    },
    Row {
        name: "monitoring-finds-nothing",
        says: "Prometheus may not list what it looks for its targets in.",
        part: Some(PROMETHEUS),
        mechanisms: &[Prometheus(prometheus::Fault::FindsNothing)],
        probe: None,
    },
    Row {
        name: "monitoring-counts-twice",
        says: "Two jobs of Prometheus scrape the same pods.",
        part: Some(PROMETHEUS),
        mechanisms: &[Prometheus(prometheus::Fault::CountsTwice)],
        probe: None,
    },
    Row {
        name: "monitoring-stands-still",
        says: "Prometheus tells of inference servers what it saw first, for as long as they are there.",
        part: Some(PROMETHEUS),
        mechanisms: &[Prometheus(prometheus::Fault::StandsStill)],
        probe: None,
    },
    Row {
        name: "monitoring-keeps-peaks",
        says: "Prometheus tells the highest number of running requests that it has seen.",
        part: Some(PROMETHEUS),
        mechanisms: &[Prometheus(prometheus::Fault::KeepsPeaks)],
        probe: None,
    },
    Row {
        name: "monitoring-drops-buckets",
        says: "Prometheus drops the buckets of histograms.",
        part: Some(PROMETHEUS),
        mechanisms: &[Prometheus(prometheus::Fault::DropsBuckets)],
        probe: None,
    },
    Row {
        name: "monitoring-names-wrong-pod",
        says: "Prometheus names another pod in all that it scrapes.",
        part: Some(PROMETHEUS),
        mechanisms: &[Prometheus(prometheus::Fault::NamesWrongPod)],
        probe: None,
    },
    Row {
        name: "monitoring-takes-all",
        says: "Prometheus scrapes every pod, whether it is annotated or not.",
        part: Some(PROMETHEUS),
        mechanisms: &[Prometheus(prometheus::Fault::TakesAll)],
        probe: None,
    },
    Row {
        name: "monitoring-keeps-gone",
        says: "Prometheus tells for an hour of inference servers that are gone.",
        part: Some(PROMETHEUS),
        mechanisms: &[Prometheus(prometheus::Fault::KeepsGone)],
        probe: None,
    },
    Row {
        name: "strangers-send-requests",
        says: "Someone sends requests to every inference server that is annotated for Prometheus.",
        part: Some(PROMETHEUS),
        mechanisms: &[Runs(Actor::SendsRequests)],
        probe: None,
    },
    Row {
        name: "gateway-controller-missing",
        says: "The kinds of the Gateway API and a class are there, and nobody implements them.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Absent(&["gatewayclass", "traefik"]), Present(CLASS)],
        probe: None,
    },
    Row {
        name: "gateway-refuses-gateways",
        says: "The gateway accepts no Gateway.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::RefusesGateways))],
        probe: None,
    },
    Row {
        name: "gateway-ignores-weights",
        says: "The gateway gives all backends of a rule whose weight is not zero the same share.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::IgnoresWeights))],
        probe: None,
    },
    Row {
        name: "gateway-serves-zero-weight",
        says: "The gateway gives a backend whose weight is zero a little.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::ServesZeroWeight))],
        probe: None,
    },
    Row {
        name: "gateway-chooses-by-connection",
        says: "The gateway chooses a backend for each connection instead of for each request.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::ChoosesByConnection))],
        probe: None,
    },
    Row {
        name: "gateway-ignores-headers",
        says: "The gateway takes every header that a rule asks for as there.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::IgnoresHeaders))],
        probe: None,
    },
    Row {
        name: "gateway-ignores-header-values",
        says: "The gateway looks whether a header is there, and not at its value.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::IgnoresHeaderValues))],
        probe: None,
    },
    Row {
        name: "gateway-ignores-header-case",
        says: "The gateway takes a header's value in small and in capital letters as the same.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::IgnoresHeaderCase))],
        probe: None,
    },
    Row {
        name: "gateway-keeps-first-weights",
        says: "The gateway says that it has taken a change of a route, and goes by the first one.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::KeepsFirstWeights))],
        probe: None,
    },
    Row {
        name: "gateway-tells-stale-status",
        says: "The gateway's word on a route stays that on its first generation.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::TellsStaleStatus))],
        probe: None,
    },
    Row {
        name: "gateway-accepts-missing-backends",
        says: "The gateway says of a backend that there is not that it is resolved.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::AcceptsMissingBackends))],
        probe: None,
    },
    Row {
        name: "gateway-caches",
        says: "The gateway answers from memory what a backend has answered once.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::Caches))],
        probe: None,
    },
    Row {
        name: "gateway-asks-to-log-in",
        says: "Something before the gateway sends every request to a login page.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::AsksToLogIn))],
        probe: None,
    },
    Row {
        name: "gateway-never-answers",
        says: "The gateway takes connections and never answers.",
        part: Some(TRAEFIK),
        mechanisms: &[NO_GATEWAY, Runs(Actor::Gateway(broken_gateway::Fault::NeverAnswers))],
        probe: None,
    },
];
