//! What a lab can have beside Kubernetes. Each part runs as pods from its own manifests; how, is data.

use crate::breakage::Breakage;
use crate::error::LabError;
use crate::first::{Tools, apply};
use crate::image;
use crate::metrics_adapter;
use crate::prometheus;
use crate::serving::Serving;
use crate::state::Status;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Kueue 0.18.2.
    Kueue,
    /// KubeRay 1.6.0, with its webhooks.
    Kuberay,
    /// KWOK 0.8.0, which plays the kubelets of fake nodes.
    Kwok,
    /// KAI scheduler 0.12.0.
    Kai,
    /// Traefik 3.6.12 as an implementation of the Gateway API, with the API's kinds.
    Traefik,
    /// Our own simulator of accelerators: two of them by dynamic resource allocation, each of which can be two
    /// partitions or two virtual devices instead, and two by a device plugin; beside them shares, partitions and virtual
    /// devices of three more.
    Simulator,
    /// Prometheus 3.13.5, which scrapes every second what is annotated for it.
    Prometheus,
    /// Karpenter 1.12.0, which buys nodes whose kubelets KWOK plays: a pool of nodes with accelerators, and one of nodes
    /// without.
    Karpenter,
    /// prometheus-adapter 0.12.0, which serves what Prometheus has of pods as custom metrics.
    PrometheusAdapter,
    /// KEDA 2.21.0, which makes a HorizontalPodAutoscaler of each ScaledObject and serves its metrics as external ones.
    Keda,
}

/// How a part is brought into a lab.
struct Product {
    /// Images of its pods: the binary that is all of it, the path where its manifests want it, and the image's name.
    images: &'static [(&'static str, &'static str, &'static str)],
    /// What the image begins with that its manifests name instead of the first of these.
    replaces: Option<&'static str>,
    /// Namespace that its manifests take for granted.
    namespace: Option<&'static str>,
    /// Manifests of the lab's own beside those of its module.
    own: &'static str,
    /// The certificate of its webhooks, where its manifests leave that to another product.
    serving: Option<Serving>,
    /// What kubectl is asked with which input, and what its answer holds once the part serves.
    serves: (&'static [&'static str], &'static str, &'static str),
    /// Where its log is: arguments of `kubectl logs`.
    log: &'static [&'static str],
    /// How long it may take to serve.
    limit: Duration,
}

const KUEUE: Product = Product {
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

const KUBERAY: Product = Product {
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

const KWOK: Product = Product {
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

const KAI: Product = Product {
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

const TRAEFIK: Product = Product {
    images: &[("traefik", "traefik", "aiconform.dev/lab/traefik:3.6.12")],
    replaces: None,
    namespace: None,
    own: include_str!("../../../lab/components/traefik/manifests.yaml"),
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

const SIMULATOR: Product = Product {
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

const PROMETHEUS: Product = Product {
    images: &[("prometheus", "prometheus", prometheus::IMAGE)],
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

const KARPENTER: Product = Product {
    images: &[("karpenter", "karpenter", "aiconform.dev/lab/karpenter:1.12.0")],
    // Its own manifests are the lab's.
    replaces: None,
    namespace: None,
    own: include_str!("../../../lab/components/karpenter/karpenter.yaml"),
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

const PROMETHEUS_ADAPTER: Product = Product {
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

const KEDA: Product = Product {
    images: &[
        ("keda-operator", "operator", "aiconform.dev/lab/keda:2.21.0"),
        ("keda-adapter", "adapter", "aiconform.dev/lab/keda-metrics-apiserver:2.21.0"),
    ],
    replaces: None,
    namespace: Some("keda"),
    own: include_str!("../../../lab/components/keda/manifests.yaml"),
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

impl Part {
    /// Whether it belongs to the quick set: what `run --lab` builds when nobody says how far to go.
    pub fn is_quick(self) -> bool {
        matches!(self, Part::Kueue | Part::Simulator)
    }

    /// All of them.
    pub const ALL: &[Part] = &[
        Part::Kueue,
        Part::Kuberay,
        Part::Kwok,
        Part::Kai,
        Part::Simulator,
        Part::Prometheus,
        Part::PrometheusAdapter,
        Part::Keda,
        Part::Karpenter,
        Part::Traefik,
    ];

    /// Its name on the command line; its recipe and its manifests in the cache have it too.
    pub fn name(self) -> &'static str {
        match self {
            Part::Kueue => "kueue",
            Part::Kuberay => "kuberay",
            Part::Kwok => "kwok",
            Part::Kai => "kai",
            Part::Traefik => "traefik",
            Part::Simulator => "simulator",
            Part::Prometheus => "prometheus",
            Part::Karpenter => "karpenter",
            Part::PrometheusAdapter => "prometheus-adapter",
            Part::Keda => "keda",
        }
    }

    /// Whether it serves an API that another part serves where it is not: the two cannot be tried in one lab.
    pub fn is_apart(self) -> bool {
        self == Part::Keda
    }

    /// The part without which it cannot be.
    pub fn stands_on(self) -> Option<Part> {
        match self {
            Part::Karpenter => Some(Part::Kwok),
            // It serves what Prometheus has.
            Part::PrometheusAdapter => Some(Part::Prometheus),
            _ => None,
        }
    }

    /// The part of a name.
    pub fn named(name: &str) -> Option<Part> {
        Part::ALL.iter().copied().find(|part| part.name() == name)
    }

    /// Its version, which its image's name carries.
    pub fn version(self) -> &'static str {
        let image =
            self.product().images.first().map_or(aiconform_images::SIMULATOR.name, |(.., image)| image);
        image.rsplit(':').next().unwrap_or_default()
    }

    fn product(self) -> &'static Product {
        match self {
            Part::Kueue => &KUEUE,
            Part::Kuberay => &KUBERAY,
            Part::Kwok => &KWOK,
            Part::Kai => &KAI,
            Part::Traefik => &TRAEFIK,
            Part::Simulator => &SIMULATOR,
            Part::Prometheus => &PROMETHEUS,
            Part::Karpenter => &KARPENTER,
            Part::PrometheusAdapter => &PROMETHEUS_ADAPTER,
            Part::Keda => &KEDA,
        }
    }

    /// The certificate that its webhooks need from the lab.
    pub(crate) fn serving(self) -> Option<&'static Serving> {
        self.product().serving.as_ref()
    }

    /// Imports its images; needs containerd only.
    ///
    /// # Errors
    /// When containerd refuses one.
    pub async fn import(self, lab: &Status, tools: &Tools) -> Result<(), LabError> {
        for (binary, path, image) in self.product().images {
            image::import(lab, tools, (binary, path), image).await?;
        }
        if self == Part::Simulator {
            image::import_own(lab, tools, &aiconform_images::SIMULATOR).await?;
        }
        Ok(())
    }

    /// Applies the manifests of its own module; only the image's name and pull policy are changed, and what a breakage
    /// asks for.
    ///
    /// # Errors
    /// When the API server refuses one.
    pub async fn begin(self, lab: &Status, tools: &Tools) -> Result<(), LabError> {
        if self == Part::Simulator {
            let settings = simulated(lab)?;
            return apply(tools, &aiconform_simulator::manifest(&settings, aiconform_images::SIMULATOR.name))
                .await;
        }
        if self == Part::Prometheus {
            return prometheus::begin(lab, tools).await;
        }
        if self == Part::PrometheusAdapter {
            return apply(tools, &metrics_adapter::manifests(lab)).await;
        }
        let manifests = fs_err::read_to_string(lab.binary(&format!("{}.yaml", self.name())))?;
        let manifests = manifests + self.product().own;
        let mut changed = self.changed(&manifests, lab.is_broken(Breakage::KueueExcludesSlots));
        if let Some(serving) = &self.product().serving {
            changed = serving.certified(&changed, &lab.state.join("pki"))?;
        }
        let (kinds, objects) = kinds_first(&changed);
        if let Some(namespace) = self.product().namespace {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            apply(tools, &namespace.to_string()).await?;
        }
        if !kinds.is_empty() {
            apply(tools, &kinds).await?;
            // Objects of a kind are refused until the API server serves it.
            let served = ["wait", "--for=condition=Established", "--timeout=60s", "-f", "-"];
            tools.kubectl_with(&served, &kinds).await?;
        }
        apply(tools, &objects).await
    }

    fn changed(self, manifests: &str, excludes_slots: bool) -> String {
        let product = self.product();
        let mut out = String::new();
        for line in manifests.lines() {
            let indent = &line[..line.len() - line.trim_start().len()];
            let image = line.trim_start().strip_prefix("image: ");
            let replaced = image.zip(product.replaces).is_some_and(|(image, old)| image.starts_with(old));
            if replaced {
                out.push_str(&format!("{indent}image: {}\n", product.images[0].2));
            } else if line.trim_start() == "imagePullPolicy: Always" {
                out.push_str(&format!("{indent}imagePullPolicy: IfNotPresent\n"));
            } else if excludes_slots && line.trim_start() == "integrations:" {
                out.push_str(&format!(
                    "{indent}resources:\n{indent}  excludeResourcePrefixes: [slots.aiconform.dev]\n{line}\n"
                ));
            } else {
                out.push_str(line);
                out.push('\n');
            }
        }
        out
    }

    /// Waits until it serves.
    ///
    /// # Errors
    /// With its own log when it does not in time.
    pub async fn ready(self, lab: &Status, tools: &Tools) -> Result<(), LabError> {
        let product = self.product();
        let (asked, input, wanted) = product.serves;
        let offers = if self == Part::Simulator { offers(lab)? } else { String::new() };
        let simulator = ["-n", "aiconform-simulator", "get", SIMULATOR_POD, "node/node-0", "-o", &offers];
        let (asked, wanted) =
            if self == Part::Simulator { (&simulator[..], "1 offered") } else { (asked, wanted) };
        let deadline = tokio::time::Instant::now() + product.limit;
        loop {
            let last = match tools.kubectl_with(asked, input).await {
                Ok(answer) if String::from_utf8_lossy(&answer).contains(wanted) => return Ok(()),
                Ok(answer) => String::from_utf8_lossy(&answer).trim().to_owned(),
                Err(error) => error.to_string(),
            };
            if tokio::time::Instant::now() > deadline {
                let arguments = [&["logs", "--tail=12"], product.log].concat();
                let log = tools.kubectl(&arguments).await;
                let log = log.unwrap_or_else(|error| error.to_string().into_bytes());
                let what = format!("did not serve within {} s (last seen: {last})", product.limit.as_secs());
                let log = String::from_utf8_lossy(&log).into_owned();
                return Err(LabError::Component { component: self.name().into(), what, log });
            }
            aiconform_wait::pause(Duration::from_millis(200)).await;
        }
    }
}

/// Domain of the names of what it gives out by device plugins.
const DOMAIN: &str = "accelerator.aiconform.dev";
/// What it gives out by them: whole devices, shares in time, partitions, and virtual devices.
const PLUGINS: [&str; 4] =
    ["gpu=whole:2", "gpu.shared=shared:1x3", "gpu-partition=partition:2", "vgpu=virtual:2"];

/// Whole devices where pods are scaled.
const MORE: &str = "gpu=whole:4";

/// What the simulator gives out in a lab, and where the lab has what it needs.
fn simulated(lab: &Status) -> Result<aiconform_simulator::Settings, LabError> {
    // What scales pods that have a device each needs some to scale to.
    let scales = [Part::PrometheusAdapter, Part::Keda].iter().any(|part| lab.parts.contains(part));
    let whole = if scales { MORE } else { PLUGINS[0] };
    let plugins = std::iter::once(whole).chain(PLUGINS[1..].iter().copied());
    let plugins = plugins.map(|plugin| format!("{DOMAIN}/{plugin}").parse().map_err(LabError::Start));
    let mut settings = aiconform_simulator::Settings {
        kubelet_root: lab.state.join("kubelet"),
        cdi: lab.state.join("cdi"),
        partitions: 2,
        virtual_devices: 2,
        plugins: plugins.collect::<Result<_, _>>()?,
        breakages: lab.breakages.iter().filter_map(|breakage| breakage.of_simulator()).collect(),
        ..aiconform_simulator::Settings::default()
    };
    if let Some(pose) = lab.pose {
        pose.dress(&mut settings, DOMAIN);
    }
    Ok(settings)
}

/// The simulator's pods.
const SIMULATOR_POD: &str = "daemonset/aiconform-simulator";

/// A template that says `1 offered` once the simulator's pod is ready and the kubelet has told the API server what its
/// plugins offer.
fn offers(lab: &Status) -> Result<String, LabError> {
    let plugins = simulated(lab)?.plugins;
    let all: Vec<String> =
        plugins.iter().map(|plugin| format!("(index . \"{}\")", plugin.resource)).collect();
    let all = all.join(" ");
    Ok(format!(
        "go-template={{{{range .items}}}}{{{{with .status.numberReady}}}}{{{{.}}}} {{{{end}}}}{{{{with .status.allocatable}}}}{{{{if and {all}}}}}offered{{{{end}}}}{{{{end}}}}{{{{end}}}}"
    ))
}

/// CustomResourceDefinitions, and everything else.
fn kinds_first(manifests: &str) -> (String, String) {
    let (kinds, objects): (Vec<&str>, Vec<&str>) = manifests
        .split_inclusive("\n---\n")
        .partition(|object| object.lines().any(|line| line == "kind: CustomResourceDefinition"));
    (kinds.concat(), objects.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_name_that_leads_back_to_it_and_that_lab_json_uses() {
        for part in Part::ALL {
            assert_eq!(Part::named(part.name()), Some(*part));
            assert_eq!(serde_json::to_value(part).unwrap(), part.name());
        }
        assert_eq!(Part::named("none"), None);
    }

    #[test]
    fn kinds_are_told_from_objects() {
        let manifests = "kind: A\n---\nkind: CustomResourceDefinition\n---\nkind: B\n";
        let kinds = "kind: CustomResourceDefinition\n---\n".to_owned();
        assert_eq!(kinds_first(manifests), (kinds, "kind: A\n---\nkind: B\n".to_owned()));
    }

    #[test]
    fn of_manifests_only_the_image_and_its_pull_policy_are_changed() {
        let manifests = "  image: us-central1-docker.pkg.dev/a/kueue:main\n  imagePullPolicy: Always\nintegrations:\n  image: other\n";
        let image = "  image: aiconform.dev/lab/kueue:0.18.2\n  imagePullPolicy: IfNotPresent\n";
        assert_eq!(Part::Kueue.changed(manifests, false), format!("{image}integrations:\n  image: other\n"));
        let excluded = "resources:\n  excludeResourcePrefixes: [slots.aiconform.dev]\nintegrations:\n";
        assert_eq!(Part::Kueue.changed(manifests, true), format!("{image}{excluded}  image: other\n"));
    }
}
