//! How each part is brought into a lab, as data.

use crate::metrics_adapter;
use crate::prometheus;
use crate::serving::Serving;
use std::time::Duration;

/// How a part is brought into a lab.
pub(super) struct Product {
    /// Images of its pods: the binary that is all of it, the path where its manifests want it, and the image's name.
    pub images: &'static [(&'static str, &'static str, &'static str)],
    /// What the image begins with that its manifests name instead of the first of these.
    pub replaces: Option<&'static str>,
    /// Namespace that its manifests take for granted.
    pub namespace: Option<&'static str>,
    /// Manifests of the lab's own beside those of its module.
    pub own: &'static str,
    /// The certificate of its webhooks, where its manifests leave that to another product.
    pub serving: Option<Serving>,
    /// What kubectl is asked with which input, and what its answer holds once the part serves.
    pub serves: (&'static [&'static str], &'static str, &'static str),
    /// Where its log is: arguments of `kubectl logs`.
    pub log: &'static [&'static str],
    /// How long it may take to serve.
    pub limit: Duration,
}

pub(super) const KUEUE: Product = Product {
    images: &[("kueue", "manager", "aiconform.dev/lab/kueue:0.18.2")],
    replaces: Some("us-central1-docker.pkg.dev/"),
    namespace: None,
    own: "",
    serving: None,
    // Answered by Kueue's own webhooks, so they serve when it is.
    serves: (
        &["create", "--dry-run=server", "-f", "-"],
        r#"{"apiVersion":"kueue.x-k8s.io/v1beta2","kind":"ClusterQueue","metadata":{"name":"probe"},"spec":{}}"#,
        "created",
    ),
    log: &["-n", "kueue-system", "deployment/kueue-controller-manager"],
    // It waits for certificates that it makes itself and for its own election; on a busy machine that has taken two minutes.
    limit: Duration::from_secs(240),
};

pub(super) const KUBERAY: Product = Product {
    images: &[("ray-operator", "manager", "aiconform.dev/lab/kuberay:1.6.0")],
    replaces: Some("quay.io/kuberay/"),
    namespace: None,
    own: "",
    serving: Some(Serving {
        service: "kuberay-webhook-service",
        namespace: "ray-system",
        secret: "webhook-server-cert",
    }),
    // Answered by its own webhook, so it serves when it is.
    serves: (
        &["create", "--dry-run=server", "-f", "-"],
        r#"{"apiVersion":"ray.io/v1","kind":"RayCluster","metadata":{"name":"probe","namespace":"default"},
            "spec":{"headGroupSpec":{"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}}}}"#,
        "created",
    ),
    log: &["-n", "ray-system", "deployment/kuberay-operator"],
    // Its own limit is a tenth of a processor.
    limit: Duration::from_secs(240),
};

pub(super) const KWOK: Product = Product {
    images: &[("kwok", "kwok", "aiconform.dev/lab/kwok:0.8.0")],
    replaces: Some("registry.k8s.io/kwok/"),
    namespace: None,
    own: "",
    serving: None,
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
    log: &["-n", "kube-system", "deployment/kwok-controller"],
    limit: Duration::from_secs(120),
};

pub(super) const KAI: Product = Product {
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
    replaces: None,
    namespace: Some("kai-scheduler"),
    own: "",
    serving: None,
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
    log: &["-n", "kai-scheduler", "deployment/kai-operator"],
    limit: Duration::from_secs(240),
};

pub(super) const TRAEFIK: Product = Product {
    images: &[("traefik", "traefik", "aiconform.dev/lab/traefik:3.6.12")],
    replaces: None,
    namespace: None,
    own: include_str!("../../../../lab/components/traefik/manifests.yaml"),
    serving: None,
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
    log: &["-n", "traefik", "deployment/traefik"],
    limit: Duration::from_secs(120),
};

pub(super) const SIMULATOR: Product = Product {
    // It is part of this program, and its manifests are made.
    images: &[],
    replaces: None,
    namespace: None,
    own: "",
    serving: None,
    // What is asked is made too.
    serves: (&[], "", ""),
    log: &["-n", "aiconform-simulator", "daemonset/aiconform-simulator"],
    limit: Duration::from_secs(120),
};

pub(super) const PROMETHEUS: Product = Product {
    // Where prometheus-operator runs it, `/prometheus` is a folder.
    images: &[("prometheus", "bin/prometheus", prometheus::IMAGE)],
    // Its manifests are made.
    replaces: None,
    namespace: None,
    own: "",
    serving: None,
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
    log: &["-n", prometheus::NAMESPACE, "deployment/prometheus"],
    limit: Duration::from_secs(120),
};

pub(super) const KARPENTER: Product = Product {
    images: &[("karpenter", "karpenter", "aiconform.dev/lab/karpenter:1.12.0")],
    // Its own manifests are the lab's.
    replaces: None,
    namespace: None,
    own: include_str!("../../../../lab/components/karpenter/karpenter.yaml"),
    serving: None,
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
    log: &["-n", "karpenter", "deployment/karpenter"],
    limit: Duration::from_secs(120),
};

pub(super) const PROMETHEUS_ADAPTER: Product = Product {
    images: &[("adapter", "adapter", metrics_adapter::IMAGE)],
    // Its manifests are made.
    replaces: None,
    namespace: None,
    own: "",
    serving: None,
    // Answered by it, through the API server.
    serves: (&["get", "--raw", "/apis/custom.metrics.k8s.io/v1beta2"], "", "APIResourceList"),
    log: &["-n", "monitoring", "deployment/prometheus-adapter"],
    limit: Duration::from_secs(120),
};

pub(super) const PROMETHEUS_OPERATOR: Product = Product {
    images: &[
        ("prometheus-operator", "operator", "aiconform.dev/lab/prometheus-operator:0.85.0"),
        (
            "prometheus-config-reloader",
            // Its pods name it.
            "bin/prometheus-config-reloader",
            "aiconform.dev/lab/prometheus-config-reloader:0.85.0",
        ),
    ],
    replaces: None,
    namespace: Some("prometheus-operator"),
    own: include_str!("../../../../lab/components/prometheus-operator/manifests.yaml"),
    serving: None,
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
    log: &["-n", "prometheus-operator", "deployment/prometheus-operator"],
    limit: Duration::from_secs(120),
};

pub(super) const KEDA: Product = Product {
    images: &[
        ("keda-operator", "operator", "aiconform.dev/lab/keda:2.21.0"),
        ("keda-adapter", "adapter", "aiconform.dev/lab/keda-metrics-apiserver:2.21.0"),
    ],
    replaces: None,
    namespace: Some("keda"),
    own: include_str!("../../../../lab/components/keda/manifests.yaml"),
    // Its own way to certificates takes a minute, because a Secret that was not there comes late into a running pod.
    serving: Some(Serving { service: "keda-operator", namespace: "keda", secret: "kedaorg-certs" }),
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
    log: &["-n", "keda", "deployment/keda-operator"],
    limit: Duration::from_secs(120),
};
