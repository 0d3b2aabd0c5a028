//! The pod of every trial, and the labels by which the evidence tells pods apart.

use super::devices;
use super::means::Means;
use crate::profile::Profile;
use serde_json::{Value, json};

/// Label: the trial a pod belongs to.
pub const TRIAL: &str = "aiconform.dev/trial";
/// Label: `gang`, `single`, `canary` or `fence`.
pub const ROLE: &str = "aiconform.dev/role";
/// Label: name of the gang, or of the single pod.
pub const GANG: &str = "aiconform.dev/gang";

/// KWOK's own key for nodes whose kubelets it plays: what is bound there is said to run and does not.
pub const FAKE: &str = "kwok.x-k8s.io/node";
/// CPU of a test pod.
pub const CPU: &str = "5m";
/// Memory of a test pod.
pub const MEMORY: &str = "8Mi";

/// The pod of one trial.
#[derive(Clone)]
pub struct Template {
    /// Id of the run.
    pub run: String,
    /// Name of the trial.
    pub trial: String,
    /// What names of objects begin with in a namespace that is not the run's own.
    pub prefix: String,
    /// Role of pods that are no members: `single` or `canary`.
    pub role: &'static str,
    /// Resource that a pod takes.
    pub resource: String,
    /// How much of it.
    pub amount: u64,
    /// What a slot is.
    pub means: Means,
    /// Nodes on which the resource is; none: any fake node.
    pub nodes: Vec<String>,
    /// Image with the pause program.
    pub image: String,
    /// PriorityClass.
    pub priority_class: String,
    /// Whether the pod really runs, and ends at once with 0. Otherwise it is bound and then held before its containers
    /// start, by a volume of a Secret that never comes: what is judged is the binding, and the node has no work with it.
    /// (KAI looks whether a pod's ConfigMaps are there before it schedules it, and not at its Secrets.)
    pub runs: bool,
    /// How the platform wants its pods.
    pub profile: Profile,
    /// What detection found of the subject.
    pub facts: Value,
}

impl Template {
    /// An example, as of a trial that there is not.
    pub fn example() -> Template {
        Template {
            run: "run".into(),
            trial: "trial".into(),
            prefix: String::new(),
            role: "single",
            resource: "slots.aiconform.dev/x".into(),
            amount: 1,
            means: Means::Slots,
            nodes: vec!["node-0".into()],
            image: "pause".into(),
            priority_class: "low".into(),
            runs: false,
            profile: Profile::default(),
            facts: Value::Null,
        }
    }

    /// Labels of an object of this trial.
    pub fn labels(&self, role: &str, gang: &str) -> Value {
        json!({TRIAL: self.trial, ROLE: role, GANG: gang})
    }

    /// A member of a gang.
    pub fn member(&self, gang: &str, number: u64) -> Value {
        self.pod(&format!("{gang}-{number}"), "gang", gang)
    }

    /// A pod that belongs to no gang.
    pub fn single(&self, name: &str) -> Value {
        self.pod(name, self.role, name)
    }

    fn pod(&self, name: &str, role: &str, gang: &str) -> Value {
        // A field selector names one node; its terms are alternatives.
        let mut nodes: Vec<Value> = self
            .nodes
            .iter()
            .map(
                |node| json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}),
            )
            .collect();
        if nodes.is_empty() {
            // One term, however many nodes there are: it is in every pod, and every pod is in every answer.
            nodes.push(json!({"matchExpressions": [{"key": FAKE, "operator": "Exists"}]}));
        }
        let mut container = json!({
            "name": "pause", "image": self.image, "imagePullPolicy": "IfNotPresent",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "resources": self.means.resources(&self.resource, self.amount, role == "canary"),
        });
        let mut tolerations = self.profile.tolerations.clone();
        tolerations.dedup();
        if self.nodes.len() != 1 {
            tolerations.push(json!({"key": FAKE, "operator": "Exists"}));
        }
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": self.labels(role, gang), "annotations": {
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "true", "karpenter.sh/do-not-disrupt": "true"}},
        "spec": {
            "priorityClassName": self.priority_class,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "restartPolicy": "Never",
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": nodes}}},
        }});
        if self.runs {
            container["args"] = json!(["-v"]);
        } else {
            container["volumeMounts"] = json!([{"name": "held", "mountPath": "/held"}]);
            pod["spec"]["volumes"] = json!([{"name": "held", "secret": {"secretName": "never-there"}}]);
        }
        pod["spec"]["containers"] = json!([container]);
        // What is to run cannot have a device that nobody prepares, and a fence is never scheduled.
        if self.means == Means::Devices && !self.runs && role != "fence" {
            let template = devices::template_name(&self.prefix, &self.trial, role == "canary", self.amount);
            devices::claim(&mut pod, &template);
        }
        if !tolerations.is_empty() {
            pod["spec"]["tolerations"] = json!(tolerations);
        }
        if !self.profile.image_pull_secrets.is_empty() {
            pod["spec"]["imagePullSecrets"] =
                self.profile.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
        }
        // Job templates carry the platform's labels too; what is created directly gets them again from the session.
        for (key, value) in &self.profile.labels {
            pod["metadata"]["labels"][key] = json!(value);
        }
        for (key, value) in &self.profile.annotations {
            pod["metadata"]["annotations"][key] = json!(value);
        }
        pod
    }
}
