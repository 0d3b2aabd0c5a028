//! How a platform wants to be tested: a TOML file, every key optional, unknown keys refused with their place.

use crate::place::FileError;
use crate::robust_controller::Operator;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How a platform wants to be tested.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// A namespace that is there already, to be used instead of namespaces of the run's own.
    pub namespace: Option<String>,
    /// Registry from which the community's images are to be taken instead of their own, such as a mirror.
    pub image_registry: Option<String>,
    /// Labels for everything that is created.
    pub labels: BTreeMap<String, String>,
    /// Annotations for everything that is created.
    pub annotations: BTreeMap<String, String>,
    /// Tolerations of test pods, as in a pod.
    pub tolerations: Vec<Value>,
    /// Labels that nodes for test pods must have.
    pub node_selector: BTreeMap<String, String>,
    /// Names of pull secrets, which must be in place in new namespaces by the platform's own means.
    pub image_pull_secrets: Vec<String>,
    /// Image of test pods; must hold the pause program, which ends at once when it is given `-v`.
    pub image: Option<String>,
    /// A PriorityClass to use instead of one of the run's own.
    pub priority_class: Option<String>,
    /// Image of the probe, which runs in test pods that are given accelerators; `aiconform image export` writes it.
    pub probe_image: Option<String>,
    /// For gang scheduling.
    pub gang_scheduling: GangScheduling,
    /// For the autoscaler of nodes.
    pub cluster_autoscaling: ClusterAutoscaling,
    /// For everything about accelerators.
    pub accelerators: Accelerators,
    /// For the metrics of accelerators.
    pub accelerator_metrics: AcceleratorMetrics,
    /// For the Gateway API.
    pub ai_inference: AiInference,
    /// For operators.
    pub robust_controller: RobustController,
    /// For the metrics of AI services.
    pub ai_service_metrics: AiServiceMetrics,
    /// For the scaling of pods.
    pub pod_autoscaling: PodAutoscaling,
}

/// The part of the profile for the scaling of pods.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PodAutoscaling {
    /// Name of the metric by which pods are scaled: one that the platform's adapter serves of pods.
    pub metric: Option<String>,
    /// Name of one that it serves as an external metric.
    pub external_metric: Option<String>,
    /// Labels of the series of the external metric that are meant.
    pub external_selector: BTreeMap<String, String>,
    /// Name under which pods say it, where the adapter serves it under another.
    pub series: Option<String>,
}

/// The part of the profile for the autoscaler of nodes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterAutoscaling {
    /// Whether a run may make the autoscaler bring nodes, which cost money; by default it may not.
    pub consent: Option<bool>,
    /// `false` states that the platform provides no autoscaler of nodes; by default nothing is stated.
    pub provided: Option<bool>,
    /// The autoscaler with which the platform certifies; it decides alone, and is tried even where nothing of it is to be
    /// seen in the cluster, as where it is managed.
    pub autoscaler: Option<Autoscaler>,
    /// Extended resource that a node must bring; by default one that is known as an accelerator.
    pub resource: Option<String>,
    /// Labels of the nodes of the accelerators' pool; by default those of a pool that is limited in that resource.
    pub node_selector: BTreeMap<String, String>,
    /// How many nodes may be brought; by default two.
    pub max_nodes: Option<u64>,
    /// Longest time in seconds for a node to come, and for one to go; by default 1200.
    pub deadline_seconds: Option<u64>,
}

/// Autoscalers of nodes that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Autoscaler {
    /// Karpenter.
    Karpenter,
    /// The project's cluster-autoscaler, which is what managed node pools run, too.
    ClusterAutoscaler,
}

impl ClusterAutoscaling {
    /// Of a lab, whose nodes cost nothing and come at once.
    pub fn in_lab(&mut self) {
        self.consent.get_or_insert(true);
        self.deadline_seconds.get_or_insert(120);
    }
}

/// The part of the profile for the Gateway API.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AiInference {
    /// The GatewayClass with which the platform certifies; by default all that are accepted.
    pub gateway_class: Option<String>,
    /// A Gateway of the platform (`NAMESPACE/NAME`) to attach routes to, instead of one of the run's own.
    pub gateway: Option<String>,
    /// IP address or host name at which pods reach the gateway, instead of the one in its status.
    pub address: Option<String>,
    /// Port of the listener.
    pub port: Option<u16>,
}

/// The part of the profile for accelerators.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accelerators {
    /// Extended resources that are accelerators; by default those that are known as such.
    pub resources: Vec<String>,
    /// Device classes that are accelerators; by default those that are known as such.
    pub device_classes: Vec<String>,
}

/// The part of the profile for the metrics of accelerators.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcceleratorMetrics {
    /// Address of an endpoint, to be asked from where aiconform runs; by default endpoints are looked for in the cluster.
    pub endpoint: Option<String>,
    /// File that holds a bearer token for it.
    pub token_file: Option<String>,
    /// File that holds the certificate (PEM) that its certificate is signed by.
    pub ca_file: Option<String>,
}

/// The part of the profile for the metrics of AI services.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AiServiceMetrics {
    /// Address of a monitoring system that speaks the API of Prometheus, to be asked from where aiconform runs; by default it
    /// is looked for in the cluster.
    pub url: Option<String>,
    /// File that holds a bearer token for it.
    pub token_file: Option<String>,
    /// File that holds the certificate (PEM) that its certificate is signed by.
    pub ca_file: Option<String>,
    /// How long it may take to show something, in seconds.
    pub patience_seconds: Option<u64>,
}

/// The part of the profile for operators.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RobustController {
    /// The operator with which the platform certifies; it decides alone.
    pub operator: Option<String>,
    /// Files of operators to be tried beside the built-in ones.
    pub operator_files: Vec<String>,
    /// What stands in these files; [`Profile::take_operator`] takes it in.
    #[serde(skip)]
    pub operators: Vec<Operator>,
}

/// The part of the profile for gang scheduling.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GangScheduling {
    /// The gang scheduler with which the platform certifies; it decides alone.
    pub adapter: Option<String>,
    /// A ClusterQueue of the platform to use instead of the run's own.
    pub cluster_queue: Option<String>,
    /// What slots are made of; by default the first of the ways below that the cluster does not refuse.
    pub capacity: Option<SlotsOf>,
}

/// What slots are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotsOf {
    /// A private extended resource in a node's status.
    NodeStatus,
    /// A node's CPU.
    Cpu,
    /// Devices that the run publishes itself (dynamic resource allocation).
    Devices,
    /// Quota of the run's own queues, and nothing else.
    Quota,
}

impl Profile {
    /// Reads a profile; `file` is for the error.
    ///
    /// # Errors
    /// With line and column of what is not TOML, not known, or of another type.
    pub fn parse(text: &str, file: &str) -> Result<Profile, FileError> {
        toml::from_str(text).map_err(|error| FileError::of_toml(file, text, &error))
    }

    /// Takes in an operator of a file that the profile names.
    ///
    /// # Errors
    /// With line and column of what is wrong in it, or that another has the same id.
    pub fn take_operator(&mut self, text: &str, file: &str) -> Result<(), FileError> {
        let operator = Operator::read(text, file)?;
        let operators = &mut self.robust_controller.operators;
        if operators.iter().any(|other| other.id() == operator.id()) {
            let why = format!("another file has an operator {:?} already", operator.id());
            return Err(FileError::at(file, text, 0, why));
        }
        operators.push(operator);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error = Profile::parse(
            "image = \"a\"\n\n[labels]\nx = \"y\"\n\n[gang_scheduling]\nqueue = 1\n",
            "p.toml",
        )
        .unwrap_err();
        assert_eq!((error.line, error.column), (7, 1));
        assert!(error.why.contains("queue") && error.why.contains("cluster_queue"), "{error}");
    }

    #[test]
    fn an_empty_profile_is_the_default() {
        assert_eq!(Profile::parse("", "p.toml").unwrap(), Profile::default());
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_a_profile_or_a_place_inside_it(text in ".{0,80}") {
            if let Err(error) = Profile::parse(&text, "p.toml") {
                proptest::prop_assert!(error.line <= text.matches('\n').count() + 1);
            }
        }
    }
}
