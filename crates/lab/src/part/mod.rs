//! What a lab can have beside Kubernetes. Each part runs as pods from its own manifests; how, is data.

mod product;
mod simulated;

use self::product::{
    KAI, KARPENTER, KEDA, KUBERAY, KUEUE, KWOK, PROMETHEUS, PROMETHEUS_ADAPTER, PROMETHEUS_OPERATOR, Product,
    SIMULATOR, TRAEFIK,
};
use self::simulated::{SIMULATOR_POD, offers, simulated};
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
    /// prometheus-operator 0.85.0, and a Prometheus 3.13.5 that it runs, which takes the monitors that carry its label.
    PrometheusOperator,
    /// KEDA 2.21.0, which makes a HorizontalPodAutoscaler of each ScaledObject and serves its metrics as external ones.
    Keda,
}

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
        Part::PrometheusOperator,
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
            Part::PrometheusOperator => "prometheus-operator",
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
            // One serves what Prometheus has, the other runs it.
            Part::PrometheusAdapter | Part::PrometheusOperator => Some(Part::Prometheus),
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
            Part::PrometheusOperator => &PROMETHEUS_OPERATOR,
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
    fn manifests_of_the_labs_own_name_images_that_parts_bring() {
        let brought: Vec<&str> =
            Part::ALL.iter().flat_map(|part| part.product().images).map(|(.., image)| *image).collect();
        for part in Part::ALL {
            let own = part.product().own;
            for (place, _) in own.match_indices("aiconform.dev/lab/") {
                let named = own[place..].split_whitespace().next().unwrap();
                assert!(brought.contains(&named), "{}: {named}", part.name());
            }
        }
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
