//! The parts of labs: one row is all there is to say of one, but for how it is built, which stands in its recipe.

use crate::kwok;
use crate::metrics_adapter;
use crate::prometheus;
use crate::registry;
use crate::serving::Serving;
use std::time::Duration;

/// Row of the table: a part, and how it is brought into a lab.
pub struct Row {
    /// Name on the command line; its recipe and its manifests in the cache have it too.
    pub name: &'static str,
    /// Version, where no image of its own carries it.
    pub version: &'static str,
    /// Part without which it cannot be.
    pub stands_on: Option<&'static str>,
    /// Part that brings newer versions of the same kinds, and leaves it none to bring.
    pub yields_to: Option<&'static str>,
    /// Set if it belongs to the quick set: what `run --lab` builds when nobody says how far to go.
    pub quick: bool,
    /// Set if it serves an API that another part serves where it is not: the two cannot be tried in one lab.
    pub apart: bool,
    /// Set if its webhooks are asked about what other parts are made of: it has to serve before these are begun.
    pub is_asked: bool,
    /// Set if it scales pods that have a device each, so that more devices are wanted.
    pub scales: bool,
    /// Images of its pods: the binary that is all of it, the path where its manifests want it, and the image's name.
    pub images: &'static [(&'static str, &'static str, &'static str)],
    /// Beginning of the image that its manifests name instead of the first of these.
    pub replaces: Option<&'static str>,
    /// Lines of its manifests, and those in their place, at the same depth.
    pub instead: &'static [(&'static str, &'static [&'static str])],
    /// Rearranges its manifests, before its lines are changed.
    pub rearranged: Option<fn(&str) -> String>,
    /// Namespace that its manifests take for granted.
    pub namespace: Option<&'static str>,
    /// Where its manifests come from.
    pub manifests: Manifests,
    /// The certificate of its webhooks, where its manifests leave that to another product.
    pub serving: Option<Serving>,
    /// Question to kubectl with its input, and what its answer holds once the part serves.
    pub serves: (&'static [&'static str], &'static str, &'static str),
    /// Program of it that runs on every node, where it is no pod.
    pub daemon: Option<Daemon>,
    /// Its Deployment or DaemonSet, as kubectl is told of it, whose log is the part's.
    pub workload: &'static [&'static str],
    /// Label of that one's pods.
    pub pods: &'static str,
    /// Question to kubectl that names what is left of what the part did; nothing once it is as new.
    pub leftovers: &'static [&'static str],
    /// Time that it may take to serve.
    pub limit: Duration,
}

/// Program that runs on every node of a lab, beside the kubelet.
pub struct Daemon {
    /// Its name, which is that of its binary.
    pub program: &'static str,
    /// Port where it serves on each node.
    pub port: u16,
}

/// Where the manifests of a part come from.
pub enum Manifests {
    /// Its module, and these of the lab's own beside them.
    Module(&'static str),
    /// These of the lab's own.
    Own(&'static str),
    /// Made for our simulator.
    Simulator,
    /// Made for Prometheus.
    Prometheus,
    /// Made for prometheus-adapter.
    MetricsAdapter,
}

/// Readiness that is asked for each second, and is lost no sooner than with the manifests' own ten.
const AT_ONCE: (&str, &[&str]) =
    ("periodSeconds: 10", &["periodSeconds: 1", "timeoutSeconds: 5", "failureThreshold: 30"]);

/// Row of a part with nothing special: the others say what they have otherwise.
const PLAIN: Row = Row {
    name: "",
    version: "",
    stands_on: None,
    yields_to: None,
    quick: false,
    apart: false,
    is_asked: false,
    scales: false,
    images: &[],
    replaces: None,
    instead: &[],
    rearranged: None,
    namespace: None,
    manifests: Manifests::Module(""),
    serving: None,
    serves: (&[], "", ""),
    daemon: None,
    workload: &[],
    pods: "",
    leftovers: &[],
    limit: Duration::from_secs(120),
};

/// The parts, in the order in which they are begun.
pub const TABLE: &[Row] = &[
    // Kueue 0.18.2.
    Row {
        name: "kueue",
        quick: true,
        is_asked: true,
        images: &[("kueue", "manager", "aiconform.dev/lab/kueue:0.18.2")],
        replaces: Some("us-central1-docker.pkg.dev/"),
        // Where it does not make certificates itself, it wants one for its metrics and one for its aggregated API too.
        instead: &[
            ("integrations:", &["internalCertManagement:", "  enable: false", "integrations:"]),
            (
                "- mountPath: /tmp/k8s-webhook-server/serving-certs",
                &[
                    "- {mountPath: /etc/kueue/metrics/certs, name: cert, readOnly: true}",
                    "- {mountPath: /visibility/tls.crt, name: cert, subPath: tls.crt, readOnly: true}",
                    "- {mountPath: /visibility/tls.key, name: cert, subPath: tls.key, readOnly: true}",
                    "- mountPath: /tmp/k8s-webhook-server/serving-certs",
                ],
            ),
            // Its webhooks are not called before it is seen to be ready.
            ("initialDelaySeconds: 5", &["initialDelaySeconds: 0"]),
            AT_ONCE,
        ],
        // Its own way to certificates takes ten seconds, because a Secret that was empty comes late into a running pod.
        serving: Some(Serving {
            service: "kueue-webhook-service",
            namespace: "kueue-system",
            secret: "kueue-webhook-server-cert",
            address: None,
        }),
        // Answered by Kueue's own webhooks, so they serve when it is.
        serves: (
            &["create", "--dry-run=server", "-f", "-"],
            r#"{"apiVersion":"kueue.x-k8s.io/v1beta2","kind":"ClusterQueue","metadata":{"name":"probe"},"spec":{}}"#,
            "created",
        ),
        workload: &["-n", "kueue-system", "deployment/kueue-controller-manager"],
        pods: "control-plane=controller-manager",
        // It waits for its own election; on a busy machine it has taken two minutes.
        limit: Duration::from_secs(240),
        ..PLAIN
    },
    // CoreDNS 1.13.1, which serves the names of the cluster and asks nobody else.
    Row {
        name: "coredns",
        images: &[("coredns", "coredns", "aiconform.dev/lab/coredns:1.13.1")],
        manifests: Manifests::Own(include_str!("../../../../lab/components/coredns/manifests.yaml")),
        // It is ready once it knows the Services that there are.
        serves: (
            &["-n", "kube-system", "get", "deployment", "coredns", "-o", "jsonpath={.status.readyReplicas}"],
            "",
            "1",
        ),
        workload: &["-n", "kube-system", "deployment/coredns"],
        pods: "k8s-app=kube-dns",
        ..PLAIN
    },
    // kube-router 2.1.0, which enforces NetworkPolicies and does nothing else.
    Row {
        name: "kube-router",
        version: "2.1.0",
        manifests: Manifests::Own(""),
        daemon: Some(Daemon { program: "kube-router", port: 20244 }),
        limit: Duration::from_secs(60),
        ..PLAIN
    },
    // KubeRay 1.6.0, with its webhooks.
    Row {
        name: "kuberay",
        images: &[("ray-operator", "manager", "aiconform.dev/lab/kuberay:1.6.0")],
        replaces: Some("quay.io/kuberay/"),
        serving: Some(Serving {
            service: "kuberay-webhook-service",
            namespace: "ray-system",
            secret: "webhook-server-cert",
            address: None,
        }),
        // Answered by its own webhook, so it serves when it is.
        serves: (
            &["create", "--dry-run=server", "-f", "-"],
            r#"{"apiVersion":"ray.io/v1","kind":"RayCluster","metadata":{"name":"probe","namespace":"default"},
                "spec":{"headGroupSpec":{"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}}}}"#,
            "created",
        ),
        workload: &["-n", "ray-system", "deployment/kuberay-operator"],
        pods: "app.kubernetes.io/name=kuberay",
        // Its own limit is a tenth of a processor.
        limit: Duration::from_secs(240),
        ..PLAIN
    },
    // JobSet 0.11.0.
    Row {
        name: "jobset",
        images: &[("jobset", "manager", "aiconform.dev/lab/jobset:0.11.0")],
        replaces: Some("us-central1-docker.pkg.dev/"),
        instead: &[
            ("cpu: 500m", &["cpu: 100m"]),
            ("initialDelaySeconds: 5", &["initialDelaySeconds: 0"]),
            AT_ONCE,
        ],
        // Answered by its own webhook, so it serves when it is.
        serves: (
            &["create", "--dry-run=server", "-f", "-"],
            r#"{"apiVersion":"jobset.x-k8s.io/v1alpha2","kind":"JobSet","metadata":{"name":"probe","namespace":"default"},"spec":
                {"replicatedJobs":[{"name":"probe","template":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"probe","image":"probe"}]}}}}}]}}"#,
            "created",
        ),
        workload: &["-n", "jobset-system", "deployment/jobset-controller-manager"],
        pods: "control-plane=controller-manager",
        limit: Duration::from_secs(240),
        ..PLAIN
    },
    // LeaderWorkerSet 0.8.0, once instead of twice and with less room, as labs have it.
    Row {
        name: "lws",
        images: &[("lws", "manager", "aiconform.dev/lab/lws:0.8.0")],
        replaces: Some("us-central1-docker.pkg.dev/"),
        instead: &[
            ("replicas: 2", &["replicas: 1"]),
            ("cpu: 1", &["cpu: 100m"]),
            ("memory: 1Gi", &["memory: 128Mi"]),
            ("initialDelaySeconds: 5", &["initialDelaySeconds: 0"]),
            AT_ONCE,
        ],
        // Answered by its own webhook, so it serves when it is.
        serves: (
            &["create", "--dry-run=server", "-f", "-"],
            r#"{"apiVersion":"leaderworkerset.x-k8s.io/v1","kind":"LeaderWorkerSet","metadata":{"name":"probe","namespace":"default"},"spec":
                {"leaderWorkerTemplate":{"size":2,"workerTemplate":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}}}}"#,
            "created",
        ),
        workload: &["-n", "lws-system", "deployment/lws-controller-manager"],
        pods: "control-plane=controller-manager",
        limit: Duration::from_secs(240),
        ..PLAIN
    },
    // Kubeflow Trainer 2.0.0, which makes JobSets.
    Row {
        name: "trainer",
        stands_on: Some("jobset"),
        images: &[("trainer-controller-manager", "manager", "aiconform.dev/lab/trainer:2.0.0")],
        replaces: Some("ghcr.io/kubeflow/trainer/"),
        // Answered by its own webhook, so it serves when it is.
        serves: (
            &["create", "--dry-run=server", "-f", "-"],
            r#"{"apiVersion":"trainer.kubeflow.org/v1alpha1","kind":"ClusterTrainingRuntime","metadata":{"name":"probe"},"spec":
                {"template":{"spec":{"replicatedJobs":[{"name":"node","template":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"probe","image":"probe"}]}}}}}]}}}}"#,
            "created",
        ),
        workload: &["-n", "kubeflow-system", "deployment/kubeflow-trainer-controller-manager"],
        pods: "app.kubernetes.io/name=trainer",
        limit: Duration::from_secs(240),
        ..PLAIN
    },
    // Kyverno 1.19.1, its admission controller alone; a policy is a breakage.
    Row {
        name: "kyverno",
        images: &[("kyverno", "kyverno", "aiconform.dev/lab/kyverno:1.19.1")],
        namespace: Some("kyverno"),
        manifests: Manifests::Module(include_str!("../../../../lab/components/kyverno/manifests.yaml")),
        // It makes its webhooks itself, once it serves.
        serves: (
            &[
                "-n",
                "kyverno",
                "get",
                "deployment/kyverno-admission-controller",
                "validatingwebhookconfiguration/kyverno-policy-validating-webhook-cfg",
                "-o",
                "jsonpath={.items[0].status.readyReplicas} {.items[1].metadata.name}",
            ],
            "",
            "1 kyverno-policy",
        ),
        workload: &["-n", "kyverno", "deployment/kyverno-admission-controller"],
        pods: "app=kyverno",
        limit: Duration::from_secs(240),
        ..PLAIN
    },
    // gVisor of 2026-09-05, a runtime with a kernel of its own: the RuntimeClass `gvisor`.
    Row {
        name: "gvisor",
        version: "20260905",
        manifests: Manifests::Own(
            r#"{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"gvisor"},"handler":"runsc"}"#,
        ),
        // Whether it makes containers only a pod can tell.
        serves: (&["get", "runtimeclass", "gvisor", "-o", "name"], "", "gvisor"),
        ..PLAIN
    },
    // Distribution's registry 3.1.2, with the probe's image in it.
    Row {
        name: "registry",
        images: &[("registry", "registry", "aiconform.dev/lab/registry:3.1.2")],
        namespace: Some("registry"),
        manifests: Manifests::Own(include_str!("../../../../lab/components/registry/manifests.yaml")),
        serving: Some(Serving {
            service: "registry",
            namespace: "registry",
            secret: "registry-certificate",
            address: Some(registry::ADDRESS),
        }),
        serves: (
            &["-n", "registry", "get", "deployment", "registry", "-o", "jsonpath={.status.readyReplicas}"],
            "",
            "1",
        ),
        workload: &["-n", "registry", "deployment/registry"],
        pods: "app=registry",
        ..PLAIN
    },
    // KWOK 0.8.0, which plays the kubelets of fake nodes.
    Row {
        name: "kwok",
        images: &[("kwok", "kwok", "aiconform.dev/lab/kwok:0.8.0")],
        replaces: Some("registry.k8s.io/kwok/"),
        instead: &[
            // Read from its configuration, and not from the cluster.
            ("- Stage", &[]),
            ("initialDelaySeconds: 2", &["initialDelaySeconds: 0"]),
            ("failureThreshold: 3", &["failureThreshold: 30"]),
            ("periodSeconds: 10", &["periodSeconds: 1"]),
            ("failureThreshold: 5", &["failureThreshold: 100"]),
            ("periodSeconds: 20", &["periodSeconds: 1"]),
        ],
        rearranged: Some(kwok::with_stages),
        serves: (
            &[
                "-n",
                "kube-system",
                "get",
                "deployment",
                "kwok-controller",
                "-o",
                "jsonpath={.status.readyReplicas}",
            ],
            "",
            "1",
        ),
        workload: &["-n", "kube-system", "deployment/kwok-controller"],
        pods: "app=kwok-controller",
        ..PLAIN
    },
    // KAI scheduler 0.12.0.
    Row {
        name: "kai",
        is_asked: true,
        images: &[
            ("admission", "app", "aiconform.dev/lab/kai/admission:0.12.0"),
            ("binder", "app", "aiconform.dev/lab/kai/binder:0.12.0"),
            ("operator", "app", "aiconform.dev/lab/kai/operator:0.12.0"),
            ("podgroupcontroller", "app", "aiconform.dev/lab/kai/podgroupcontroller:0.12.0"),
            ("podgrouper", "app", "aiconform.dev/lab/kai/podgrouper:0.12.0"),
            ("queuecontroller", "app", "aiconform.dev/lab/kai/queuecontroller:0.12.0"),
            ("scheduler", "app", "aiconform.dev/lab/kai/scheduler:0.12.0"),
        ],
        // Its chart takes the images' names as values.
        namespace: Some("kai-scheduler"),
        // Told by its operator: everything that it deploys is available, the scheduler too.
        serves: (
            &[
                "get",
                "configs.kai.scheduler/kai-config",
                "schedulingshards.kai.scheduler/default",
                "-o",
                "jsonpath={.items[*].status.conditions[?(@.type==\"Available\")].status}",
            ],
            "",
            "True True",
        ),
        workload: &["-n", "kai-scheduler", "deployment/kai-operator"],
        pods: "app=kai-operator",
        limit: Duration::from_secs(240),
        ..PLAIN
    },
    // Traefik 3.6.12 as an implementation of the Gateway API, with the API's kinds.
    Row {
        name: "traefik",
        // The API's own policy denies that its kinds become older.
        yields_to: Some("envoy-gateway"),
        images: &[("traefik", "traefik", "aiconform.dev/lab/traefik:3.6.12")],
        manifests: Manifests::Module(include_str!("../../../../lab/components/traefik/manifests.yaml")),
        serves: (
            &[
                "-n",
                "traefik",
                "get",
                "gatewayclass/traefik",
                "deployment/traefik",
                "-o",
                "jsonpath={.items[*].status.conditions[?(@.type==\"Accepted\")].status} {.items[*].status.readyReplicas}",
            ],
            "",
            "True 1",
        ),
        workload: &["-n", "traefik", "deployment/traefik"],
        pods: "app=traefik",
        ..PLAIN
    },
    // Envoy Gateway 1.9.1, which runs Envoy 1.39.1 for each Gateway of its class.
    Row {
        name: "envoy-gateway",
        // Envoy finds it by its name.
        stands_on: Some("coredns"),
        images: &[
            ("envoy-gateway", "usr/local/bin/envoy-gateway", "aiconform.dev/lab/envoy-gateway:1.9.1"),
            ("envoy", "usr/local/bin/envoy", "aiconform.dev/lab/envoy:1.39.1"),
        ],
        namespace: Some("envoy-gateway-system"),
        manifests: Manifests::Module(include_str!("../../../../lab/components/envoy-gateway/manifests.yaml")),
        serves: (
            &[
                "-n",
                "envoy-gateway-system",
                "get",
                "gatewayclass/envoy-gateway",
                "deployment/envoy-gateway",
                "-o",
                "jsonpath={.items[*].status.conditions[?(@.type==\"Accepted\")].status} {.items[*].status.readyReplicas}",
            ],
            "",
            "True 1",
        ),
        workload: &["-n", "envoy-gateway-system", "deployment/envoy-gateway"],
        pods: "app=envoy-gateway",
        ..PLAIN
    },
    // The conformance tests of the Gateway API 1.4.1, which run as a program of the lab's, and the images that they name.
    Row {
        name: "gateway-conformance",
        version: "1.4.1",
        stands_on: Some("coredns"),
        images: &[
            (
                "echo-basic",
                "echo-basic",
                "gcr.io/k8s-staging-gateway-api/echo-basic:v20240412-v1.0.0-394-g40c666fd",
            ),
            ("coredns", "coredns", "registry.k8s.io/coredns/coredns:v1.12.2"),
        ],
        manifests: Manifests::Own(""),
        // It has nothing that serves.
        serves: (&["get", "--raw", "/readyz"], "", "ok"),
        ..PLAIN
    },
    // Our own simulator of accelerators: two of them by dynamic resource allocation, each of which can be two
    // partitions or two virtual devices instead, and two by a device plugin; beside them shares, partitions and
    // virtual devices of three more.
    Row {
        name: "simulator",
        quick: true,
        // It is part of this program, and its manifests are made.
        manifests: Manifests::Simulator,
        // What is asked is made too.
        workload: &["-n", "aiconform-simulator", "daemonset/aiconform-simulator"],
        pods: "app.kubernetes.io/name=aiconform-simulator",
        ..PLAIN
    },
    // Prometheus 3.13.5, which scrapes every second what is annotated for it.
    Row {
        name: "prometheus",
        // Where prometheus-operator runs it, `/prometheus` is a folder.
        images: &[("prometheus", "bin/prometheus", prometheus::IMAGE)],
        // Its manifests are made.
        manifests: Manifests::Prometheus,
        serves: (
            &[
                "-n",
                prometheus::NAMESPACE,
                "get",
                "deployment",
                "prometheus",
                "-o",
                "jsonpath={.status.readyReplicas}",
            ],
            "",
            "1",
        ),
        workload: &["-n", prometheus::NAMESPACE, "deployment/prometheus"],
        pods: "app.kubernetes.io/name=prometheus",
        ..PLAIN
    },
    // Karpenter 1.12.0, which buys nodes whose kubelets KWOK plays: a pool of nodes with accelerators, and one of
    // nodes without.
    Row {
        name: "karpenter",
        stands_on: Some("kwok"),
        images: &[("karpenter", "karpenter", "aiconform.dev/lab/karpenter:1.12.0")],
        // Its own manifests are the lab's.
        manifests: Manifests::Module(include_str!("../../../../lab/components/karpenter/karpenter.yaml")),
        // It has read what can be bought, and finds both pools in order.
        serves: (
            &[
                "-n",
                "karpenter",
                "get",
                "deployment/karpenter",
                "nodepool/accelerators",
                "nodepool/plain",
                "-o",
                "jsonpath={.items[*].status.readyReplicas} {.items[*].status.conditions[?(@.type==\"Ready\")].status}",
            ],
            "",
            "1 True True",
        ),
        workload: &["-n", "karpenter", "deployment/karpenter"],
        pods: "app.kubernetes.io/name=karpenter",
        leftovers: &["get", "nodeclaims,nodes", "-l", "karpenter.sh/nodepool", "-o", "name"],
        ..PLAIN
    },
    // prometheus-adapter 0.12.0, which serves what Prometheus has of pods as custom metrics.
    Row {
        name: "prometheus-adapter",
        stands_on: Some("prometheus"),
        scales: true,
        images: &[("adapter", "adapter", metrics_adapter::IMAGE)],
        // Its manifests are made.
        manifests: Manifests::MetricsAdapter,
        // Answered by it, through the API server.
        serves: (&["get", "--raw", "/apis/custom.metrics.k8s.io/v1beta2"], "", "APIResourceList"),
        workload: &["-n", "monitoring", "deployment/prometheus-adapter"],
        pods: "app.kubernetes.io/name=prometheus-adapter",
        ..PLAIN
    },
    // prometheus-operator 0.85.0, and a Prometheus 3.13.5 that it runs, which takes the monitors that carry its label.
    Row {
        name: "prometheus-operator",
        stands_on: Some("prometheus"),
        images: &[
            ("prometheus-operator", "operator", "aiconform.dev/lab/prometheus-operator:0.85.0"),
            (
                "prometheus-config-reloader",
                // Its pods name it.
                "bin/prometheus-config-reloader",
                "aiconform.dev/lab/prometheus-config-reloader:0.85.0",
            ),
        ],
        namespace: Some("prometheus-operator"),
        manifests: Manifests::Module(include_str!(
            "../../../../lab/components/prometheus-operator/manifests.yaml"
        )),
        // Told by it: the Prometheus that it runs is there.
        serves: (
            &[
                "-n",
                "prometheus-operator",
                "get",
                "prometheuses.monitoring.coreos.com/lab",
                "-o",
                "jsonpath={.status.conditions[?(@.type==\"Available\")].status}",
            ],
            "",
            "True",
        ),
        workload: &["-n", "prometheus-operator", "deployment/prometheus-operator"],
        pods: "app.kubernetes.io/name=prometheus-operator",
        ..PLAIN
    },
    // KEDA 2.21.0, which makes a HorizontalPodAutoscaler of each ScaledObject and serves its metrics as external ones.
    Row {
        name: "keda",
        apart: true,
        scales: true,
        images: &[
            ("keda-operator", "operator", "aiconform.dev/lab/keda:2.21.0"),
            ("keda-adapter", "adapter", "aiconform.dev/lab/keda-metrics-apiserver:2.21.0"),
        ],
        namespace: Some("keda"),
        manifests: Manifests::Module(include_str!("../../../../lab/components/keda/manifests.yaml")),
        // Its own way to certificates takes a minute, because a Secret that was not there comes late into a running pod.
        serving: Some(Serving {
            service: "keda-operator",
            namespace: "keda",
            secret: "kedaorg-certs",
            address: None,
        }),
        serves: (
            &[
                "-n",
                "keda",
                "get",
                "deployment/keda-operator",
                "deployment/keda-metrics-apiserver",
                "apiservice/v1beta1.external.metrics.k8s.io",
                "-o",
                "jsonpath={.items[*].status.readyReplicas} {.items[2].status.conditions[?(@.type==\"Available\")].status}",
            ],
            "",
            "1 1 True",
        ),
        workload: &["-n", "keda", "deployment/keda-operator"],
        pods: "app=keda-operator",
        ..PLAIN
    },
];
