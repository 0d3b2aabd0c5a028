//! Profiles: how a platform wants to be tested. A TOML file, every key optional, unknown keys refused with their place.

use crate::consent::Consent;
use crate::place::FileError;
use aiconform_trial::{InForce, Limit};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A profile: how a platform wants to be tested.
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
    /// Longest times, where the platform is slower than the defaults.
    pub limits: Limits,
    /// Consents to what a run does not do by itself.
    pub consent: Consents,
    /// For gang scheduling.
    pub gang_scheduling: GangScheduling,
    /// For the autoscaler of nodes.
    pub cluster_autoscaling: ClusterAutoscaling,
    /// For everything about accelerators.
    pub accelerators: Accelerators,
    /// Programs that put devices to work, by the id of their maker.
    pub load: BTreeMap<String, LoadProgram>,
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

/// Name of the longest time of a whole check, among its limits.
pub const WHOLE: &str = "whole";
/// Largest multiple of its default that a profile may make it.
const WHOLE_MOST: f64 = 10.0;

/// The part of the profile for limits: all are stretched, or single ones are set, in seconds, by requirement and name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Factor by which the time for everything may be longer.
    pub stretch: Option<f64>,
    /// Seconds of single limits: by requirement, then by name.
    #[serde(flatten)]
    pub single: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Limits {
    /// Seconds of a limit that is named.
    fn named(&self, limit: &Limit) -> Option<f64> {
        let (check, name) = limit.key.split_once('.')?;
        self.single.get(check)?.get(name).copied()
    }

    /// A limit as it is in force: never further stretched than it may be.
    fn in_force(&self, limit: &Limit) -> InForce {
        let stretched = || self.stretch.map(|stretch| limit.seconds * stretch);
        let wanted = self.named(limit).or_else(stretched);
        limit.in_force(wanted.map(|seconds| seconds.min(limit.seconds * limit.most)))
    }

    /// The longest time of a whole check, by its id and its default: as it is named, else stretched as its limits are. Another
    /// limit that is named changes nothing of it.
    pub fn whole(&self, check: &str, limit: Duration) -> Duration {
        let named = self.single.get(check).and_then(|limits| limits.get(WHOLE)).copied();
        let stretch = || self.stretch.filter(|stretch| stretch.is_finite()).unwrap_or(1.0).max(1.0);
        let seconds = named.unwrap_or_else(|| limit.as_secs_f64() * stretch());
        Duration::from_secs_f64(seconds.min(limit.as_secs_f64() * WHOLE_MOST))
    }

    /// The first flaw in it, on what limits there are, and on the longest times of whole checks, by their ids.
    pub fn flaw(&self, known: &[Limit], wholes: &[(&str, Duration)]) -> Option<String> {
        if let Some(stretch) = self.stretch.filter(|stretch| !(*stretch > 0.0 && stretch.is_finite())) {
            return Some(format!(
                "[limits] stretch is {stretch}; it is how many times as long everything may take, such as 3"
            ));
        }
        self.single.iter().flat_map(|(check, limits)| limits.iter().map(move |limit| (check, limit))).find_map(
            |(check, (name, seconds))| {
                let key = format!("{check}.{name}");
                let limit = known.iter().find(|limit| limit.key == key).map(|limit| (limit.seconds, limit.most));
                let whole = || {
                    let (_, whole) = wholes.iter().find(|(id, _)| id == check && name == WHOLE)?;
                    Some((whole.as_secs_f64(), WHOLE_MOST))
                };
                let Some((default, times)) = limit.or_else(whole) else {
                    let keys: Vec<&str> = known.iter().map(|limit| limit.key).collect();
                    return Some(format!(
                        "[limits] there is no {key}; there are: stretch, {}, and {WHOLE} of each requirement",
                        keys.join(", ")
                    ));
                };
                let most = default * times;
                (!(*seconds > 0.0 && *seconds <= most)).then(|| {
                    format!("[limits] {key} is {seconds} s; it is more than 0 and at most {most} s, {times} times its default")
                })
            },
        )
    }
}

/// The part of the profile for consent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consents {
    /// [`Consent::Nodes`].
    pub nodes: Option<bool>,
}

impl Consents {
    /// Tells whether it is given.
    pub fn has(&self, consent: Consent) -> bool {
        match consent {
            Consent::Nodes => self.nodes == Some(true),
        }
    }

    /// Gives it, as `--consent` does.
    pub fn give(&mut self, consent: Consent) {
        match consent {
            Consent::Nodes => self.nodes = Some(true),
        }
    }
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
    /// `false` states that the platform provides no autoscaler of nodes; by default nothing is stated.
    pub provided: Option<bool>,
    /// The autoscaler with which the platform certifies; it decides alone, and is tried even where nothing of it is to be
    /// seen in the cluster, as where it is managed.
    pub autoscaler: Option<Autoscaler>,
    /// Extended resource that a node must bring; by default one that is known as an accelerator.
    pub resource: Option<String>,
    /// Labels of the nodes of the accelerators' pool; by default those of a pool that is limited in that resource.
    pub node_selector: BTreeMap<String, String>,
    /// Most nodes that may be brought; by default two.
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

/// The part of the profile for a program that puts a maker's devices to work (`docs/guide/load.md`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadProgram {
    /// Image that holds it; by default that of the load that comes with aiconform.
    pub image: Option<String>,
    /// Its command; by default that of the load that comes with aiconform.
    pub command: Vec<String>,
    /// RuntimeClass of its pods, where the node's default runtime does not bring the driver's libraries into containers.
    pub runtime_class: Option<String>,
}

/// The part of the profile for the metrics of accelerators.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcceleratorMetrics {
    /// Address of an endpoint, to be asked from where aiconform runs; by default endpoints are looked for in the cluster.
    pub endpoint: Option<String>,
    /// The exporter's pods, where they are none of those that are known by their labels.
    pub exporter: Option<Exporter>,
    /// File that holds a bearer token for it.
    pub token_file: Option<String>,
    /// File that holds the certificate (PEM) that its certificate is signed by.
    pub ca_file: Option<String>,
}

impl AcceleratorMetrics {
    /// The first flaw in it.
    pub fn flaw(&self) -> Option<String> {
        let exporter = self.exporter.as_ref()?;
        let why = if self.endpoint.is_some() {
            "stands beside an endpoint: name one of them"
        } else if exporter.selector.trim().is_empty() {
            "has no selector, and so means every pod"
        } else if !exporter.path.starts_with('/') {
            "has a path that does not begin with /"
        } else {
            return None;
        };
        Some(format!("[accelerator_metrics.exporter] {why}"))
    }
}

/// Pods of an exporter, one on each node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exporter {
    /// Their namespace; empty: any.
    #[serde(default)]
    pub namespace: String,
    /// Selector of their labels, as `kubectl get pods --selector` takes it.
    pub selector: String,
    /// Port on which they answer.
    pub port: u16,
    /// Path there.
    #[serde(default = "metrics_path")]
    pub path: String,
}

fn metrics_path() -> String {
    "/metrics".into()
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
    /// Longest time for each of its steps, in seconds, where `[limits]` names none.
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
}

/// The part of the profile for gang scheduling.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GangScheduling {
    /// The gang scheduler with which the platform certifies; it decides alone.
    pub adapter: Option<String>,
    /// A ClusterQueue of the platform to use instead of the run's own.
    pub cluster_queue: Option<String>,
    /// Source of slots; by default the first of the ways below that the cluster does not refuse.
    pub capacity: Option<SlotsOf>,
}

/// Source of slots.
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
    /// The profile for a lab, whose nodes cost nothing and come at once, and whose accelerators tell at once what is done to them.
    pub fn in_lab(&mut self) {
        self.consent.nodes.get_or_insert(true);
        self.cluster_autoscaling.deadline_seconds.get_or_insert(120);
        let show = 15.0 * self.limits.stretch.unwrap_or(1.0);
        let metrics = self.limits.single.entry("accelerator_metrics".into()).or_default();
        metrics.entry("show".into()).or_insert(show);
    }

    /// A limit as it is in force: as `[limits]` names it, else as a key of its own does, else stretched.
    pub fn limit(&self, limit: &Limit) -> InForce {
        let own = match limit.key {
            "cluster_autoscaling.deadline" => self.cluster_autoscaling.deadline_seconds,
            "ai_service_metrics.find" | "ai_service_metrics.find_selected" | "ai_service_metrics.show" => {
                self.ai_service_metrics.patience_seconds
            }
            _ => None,
        };
        #[allow(clippy::cast_precision_loss, reason = "days at most, or cut to the most")]
        let own = own.map(|seconds| (seconds as f64).min(limit.seconds * limit.most));
        match own.filter(|_| self.limits.named(limit).is_none()) {
            Some(seconds) => limit.in_force(Some(seconds)),
            None => self.limits.in_force(limit),
        }
    }

    /// Reads a profile; `file` is for the error.
    ///
    /// # Errors
    /// With line and column of what is not TOML, not known, or of another type.
    pub fn parse(text: &str, file: &str) -> Result<Profile, FileError> {
        toml::from_str(text).map_err(|error| FileError::of_toml(file, text, &error))
    }

    /// Files that it names for checks: id of the requirement, and paths.
    pub fn files(&self) -> Vec<(&'static str, &[String])> {
        vec![("robust_controller", &self.robust_controller.operator_files)]
    }

    /// Adapters that it names, which decide: each must be known.
    pub fn adapters(&self) -> impl Iterator<Item = &String> {
        [&self.gang_scheduling.adapter, &self.robust_controller.operator].into_iter().flatten()
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
    fn a_deadline_is_a_limit_that_a_named_one_goes_before() {
        let limit = Limit { key: "cluster_autoscaling.deadline", seconds: 1200.0, most: 3.0, what: "a node" };
        let seconds = |text: &str| Profile::parse(text, "p.toml").unwrap().limit(&limit).time.as_secs();
        assert_eq!(seconds(""), 1200);
        assert_eq!(seconds("[limits]\nstretch = 2"), 2400);
        assert_eq!(seconds("[cluster_autoscaling]\ndeadline_seconds = 30\n[limits]\nstretch = 2"), 30);
        assert_eq!(
            seconds(
                "[cluster_autoscaling]\ndeadline_seconds = 30\n[limits.cluster_autoscaling]\ndeadline = 60"
            ),
            60
        );
        assert_eq!(seconds("[cluster_autoscaling]\ndeadline_seconds = 99999"), 3600);
    }

    #[test]
    fn a_whole_check_is_stretched_or_named() {
        let whole = |text: &str| {
            let profile = Profile::parse(text, "p.toml").unwrap();
            profile.limits.whole("dra_support", Duration::from_secs(400)).as_secs()
        };
        assert_eq!(
            (whole(""), whole("[limits]\nstretch = 3"), whole("[limits]\nstretch = 0.5")),
            (400, 1200, 400)
        );
        assert_eq!(whole("[limits]\nstretch = 30"), 4000);
        assert_eq!(whole("[limits]\nstretch = 3\ndra_support.whole = 10"), 10);
        assert_eq!(whole("[limits.gang_scheduling]\nwhole = 10"), 400);
    }

    #[test]
    fn a_flaw_of_a_whole_check_is_told() {
        let flaw = |text: &str| {
            let profile = Profile::parse(text, "p.toml").unwrap();
            profile.limits.flaw(&[], &[("dra_support", Duration::from_secs(400))]).unwrap_or_default()
        };
        assert_eq!(flaw("[limits]\ndra_support.whole = 4000"), "");
        assert!(flaw("[limits]\ndra_support.whole = 4001").contains("at most 4000 s, 10 times"));
        assert!(flaw("[limits]\ngang_scheduling.whole = 1").contains("whole of each requirement"));
    }

    #[test]
    fn patience_is_the_limit_of_every_step() {
        let profile = Profile::parse("[ai_service_metrics]\npatience_seconds = 600", "p.toml").unwrap();
        for key in ["ai_service_metrics.find", "ai_service_metrics.find_selected", "ai_service_metrics.show"]
        {
            let limit = Limit { key, seconds: 150.0, most: 10.0, what: "a step" };
            assert_eq!(profile.limit(&limit).time.as_secs(), 600);
        }
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
