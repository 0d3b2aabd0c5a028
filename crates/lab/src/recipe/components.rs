//! The components of labs.

use super::manifests::Manifests;
use super::module::{Change, Instead};
use super::{Recipe, Wanted};
use crate::part::Part;
use crate::version::Kubernetes;

macro_rules! file {
    ($component:literal, $name:literal) => {
        ($name, include_str!(concat!("../../../../lab/components/", $component, "/", $name)))
    };
}

/// What a lab runs of Kubernetes.
const KUBERNETES: &[&str] = &[
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    "k8s.io/kubernetes/cmd/kube-scheduler",
    "k8s.io/kubernetes/cmd/kubelet",
    "k8s.io/kubernetes/cmd/kube-proxy",
    "k8s.io/kubernetes/cmd/kubectl",
];

/// The components of labs, in the order in which they are built.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        name: "pause",
        wanted: Wanted::Always,
        packages: &["aiconform.dev/lab/pause"],
        linker_flags: "",
        tags: "",
        files: &[file!("pause", "go.mod"), file!("pause", "main.go")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "etcd",
        wanted: Wanted::Always,
        packages: &["go.etcd.io/etcd/server/v3"],
        linker_flags: "",
        tags: "",
        files: &[file!("etcd", "go.mod"), file!("etcd", "go.sum")],
        rename: &[("server", "etcd")],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "containerd",
        wanted: Wanted::Always,
        packages: &[
            "github.com/containerd/containerd/v2/cmd/containerd",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            "github.com/containerd/containerd/v2/cmd/ctr",
        ],
        linker_flags: "",
        // The three snapshotters need C libraries, and the lab uses overlayfs.
        tags: "no_btrfs no_zfs no_devmapper",
        files: &[file!("containerd", "go.mod"), file!("containerd", "go.sum")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "kubernetes-1.36",
        wanted: Wanted::Kubernetes(Kubernetes::Minor36),
        packages: KUBERNETES,
        linker_flags: "-X k8s.io/component-base/version.gitVersion=v1.36.3 \
            -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36",
        tags: "",
        files: &[file!("kubernetes-1.36", "go.mod"), file!("kubernetes-1.36", "go.sum")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "kubernetes",
        wanted: Wanted::Kubernetes(Kubernetes::Minor37),
        packages: KUBERNETES,
        // Without a version the API server reports a raw template, on which clients fail.
        linker_flags: "-X k8s.io/component-base/version.gitVersion=v1.37.2 \
            -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37",
        tags: "",
        files: &[file!("kubernetes", "go.mod"), file!("kubernetes", "go.sum")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "kueue",
        wanted: Wanted::With(Part::Kueue),
        packages: &["sigs.k8s.io/kueue/cmd/kueue"],
        linker_flags: "-X sigs.k8s.io/kueue/pkg/version.GitVersion=v0.18.2",
        tags: "",
        files: &[file!("kueue", "go.mod"), file!("kueue", "go.sum")],
        rename: &[],
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/kueue", folders: &["config/default"] }),
        instead: None,
    },
    Recipe {
        name: "kuberay",
        wanted: Wanted::With(Part::Kuberay),
        packages: &["github.com/ray-project/kuberay/ray-operator"],
        linker_flags: "",
        tags: "",
        files: &[file!("kuberay", "go.mod"), file!("kuberay", "go.sum")],
        instead: None,
        rename: &[],
        // Its webhooks are off in `config/default`.
        manifests: Some(Manifests::Kustomize {
            module: "github.com/ray-project/kuberay/ray-operator",
            folders: &["config/default-with-webhooks"],
        }),
    },
    Recipe {
        name: "kwok",
        wanted: Wanted::With(Part::Kwok),
        packages: &["sigs.k8s.io/kwok/cmd/kwok"],
        linker_flags: "",
        tags: "",
        files: &[file!("kwok", "go.mod"), file!("kwok", "go.sum")],
        rename: &[],
        manifests: Some(Manifests::Kustomize {
            module: "sigs.k8s.io/kwok",
            folders: &["kustomize/kwok", "kustomize/stage/fast"],
        }),
        instead: None,
    },
    Recipe {
        name: "helm",
        wanted: Wanted::With(Part::Kai),
        packages: &["helm.sh/helm/v3/cmd/helm"],
        linker_flags: "",
        tags: "",
        files: &[file!("helm", "go.mod"), file!("helm", "go.sum")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "kai",
        wanted: Wanted::With(Part::Kai),
        packages: &[
            "github.com/NVIDIA/KAI-scheduler/cmd/admission",
            "github.com/NVIDIA/KAI-scheduler/cmd/binder",
            "github.com/NVIDIA/KAI-scheduler/cmd/operator",
            "github.com/NVIDIA/KAI-scheduler/cmd/podgroupcontroller",
            "github.com/NVIDIA/KAI-scheduler/cmd/podgrouper",
            "github.com/NVIDIA/KAI-scheduler/cmd/queuecontroller",
            "github.com/NVIDIA/KAI-scheduler/cmd/scheduler",
        ],
        linker_flags: "",
        tags: "",
        files: &[file!("kai", "go.mod"), file!("kai", "go.sum")],
        rename: &[],
        manifests: Some(Manifests::Chart {
            module: "github.com/NVIDIA/KAI-scheduler",
            folder: "deployments/kai-scheduler",
            namespace: "kai-scheduler",
            values: &[
                "global.registry=aiconform.dev/lab/kai",
                "global.tag=0.12.0",
                // Jobs that need a shell in their image.
                "postCleanup.enabled=false",
                "topologyMigration.enabled=false",
            ],
            // What its operator is told to run.
            hooks: &["templates/kai-config.yaml"],
        }),
        instead: None,
    },
    Recipe {
        name: "traefik",
        wanted: Wanted::With(Part::Traefik),
        packages: &["github.com/traefik/traefik/v3/cmd/traefik"],
        linker_flags: "-X github.com/traefik/traefik/v3/pkg/version.Version=3.6.12",
        tags: "",
        files: &[file!("traefik", "go.mod"), file!("traefik", "go.sum")],
        rename: &[],
        // The kinds of the API only; what else it takes stands with the part.
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/gateway-api", folders: &["config/crd"] }),
        // Makers of DNS, asked when certificates are made: a third of all packages.
        instead: Some(Instead {
            module: "github.com/go-acme/lego/v4@v4.33.0",
            changes: &[Change::Write {
                file: "providers/dns/zz_gen_dns_providers.go",
                content: include_str!("../../../../lab/components/traefik/dns.go"),
            }],
        }),
    },
    Recipe {
        name: "prometheus",
        wanted: Wanted::With(Part::Prometheus),
        packages: &["github.com/prometheus/prometheus/cmd/prometheus"],
        linker_flags: "-X github.com/prometheus/common/version.Version=3.13.5",
        // The clients of two dozen clouds, by which it could find targets too.
        tags: "remove_all_sd enable_kubernetes_sd",
        files: &[file!("prometheus", "go.mod"), file!("prometheus", "go.sum")],
        instead: None,
        rename: &[],
        manifests: None,
    },
    Recipe {
        name: "karpenter",
        wanted: Wanted::With(Part::Karpenter),
        packages: &["sigs.k8s.io/karpenter/kwok"],
        linker_flags: "",
        tags: "",
        files: &[file!("karpenter", "go.mod"), file!("karpenter", "go.sum")],
        // Its provider is called as KWOK is.
        instead: None,
        rename: &[("kwok", "karpenter")],
        // Its chart leaves out the half of its kinds.
        manifests: Some(Manifests::Files {
            module: "sigs.k8s.io/karpenter",
            folders: &["kwok/charts/crds", "kwok/apis/crds"],
        }),
    },
    Recipe {
        name: "keda",
        wanted: Wanted::With(Part::Keda),
        packages: &["github.com/kedacore/keda/v2/cmd/adapter", "github.com/kedacore/keda/v2/cmd/operator"],
        linker_flags: "-X github.com/kedacore/keda/v2/version.Version=2.21.0",
        tags: "",
        files: &[file!("keda", "go.mod"), file!("keda", "go.sum")],
        rename: &[("adapter", "keda-adapter"), ("operator", "keda-operator")],
        manifests: Some(Manifests::Kustomize {
            module: "github.com/kedacore/keda/v2",
            folders: &["config/crd", "config/service_account", "config/rbac"],
        }),
        // Of some seventy scalers, each with the clients of what it asks, the lab has one.
        instead: Some(Instead {
            module: "github.com/kedacore/keda/v2@v2.21.0",
            changes: &[
                Change::Keep { folder: "pkg/scalers", files: &["scaler.go", "metrics_api_scaler.go"] },
                Change::Write {
                    file: "pkg/scalers/lab.go",
                    content: include_str!("../../../../lab/components/keda/scalers.go"),
                },
                Change::Between {
                    file: "pkg/scaling/scalers_builder.go",
                    from: "\tcase \"activemq\":\n",
                    to: "\tdefault:\n\t\treturn nil, fmt.Errorf(\"no scaler found",
                    content: "\tcase \"metrics-api\":\n\t\treturn scalers.NewMetricsAPIScaler(config, client)\n",
                },
            ],
        }),
    },
    Recipe {
        name: "prometheus-operator",
        wanted: Wanted::With(Part::PrometheusOperator),
        packages: &[
            "github.com/prometheus-operator/prometheus-operator/cmd/operator",
            "github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader",
        ],
        linker_flags: "-X github.com/prometheus/common/version.Version=0.85.0",
        tags: "",
        files: &[file!("prometheus-operator", "go.mod"), file!("prometheus-operator", "go.sum")],
        instead: None,
        rename: &[("operator", "prometheus-operator")],
        manifests: Some(Manifests::Files {
            module: "github.com/prometheus-operator/prometheus-operator",
            folders: &["example/prometheus-operator-crd"],
        }),
    },
    Recipe {
        name: "prometheus-adapter",
        wanted: Wanted::With(Part::PrometheusAdapter),
        packages: &["sigs.k8s.io/prometheus-adapter/cmd/adapter"],
        linker_flags: "",
        tags: "",
        files: &[file!("prometheus-adapter", "go.mod"), file!("prometheus-adapter", "go.sum")],
        instead: None,
        rename: &[],
        manifests: None,
    },
];
