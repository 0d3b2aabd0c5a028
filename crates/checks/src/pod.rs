//! The pod of every test, and the labels by which the evidence tells pods apart.

use crate::profile::Profile;
use serde_json::{Value, json};

/// Label: the trial a pod belongs to.
pub const TRIAL: &str = "aiconform.dev/trial";
/// Label: what a pod is there for, such as `gang`, `canary` or `fence`.
pub const ROLE: &str = "aiconform.dev/role";
/// Label: name of what a pod is a part of, such as its gang, or of the pod itself.
pub const GANG: &str = "aiconform.dev/gang";

/// KWOK's own key for nodes whose kubelets it plays: what is bound there is said to run and does not.
pub const FAKE: &str = "kwok.x-k8s.io/node";
/// CPU of a test pod.
pub const CPU: &str = "5m";
/// Memory of a test pod.
pub const MEMORY: &str = "8Mi";

/// A pod that asks for as little as it can, and is admitted at the restricted Pod Security level.
pub struct TestPod<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its labels.
    pub labels: Value,
    /// Nodes on which it may be; none: any fake node.
    pub nodes: &'a [String],
    /// Image with the pause program.
    pub image: &'a str,
    /// PriorityClass.
    pub priority_class: &'a str,
    /// What its container requests, as in a pod.
    pub resources: Value,
    /// Whether the pod really runs, and ends at once with 0. Otherwise it is bound and then held before its containers
    /// start, by a volume of a Secret that never comes: what is judged is the binding, and the node has no work with it.
    /// (KAI looks whether a pod's ConfigMaps are there before it schedules it, and not at its Secrets.)
    pub runs: bool,
    /// How the platform wants its pods.
    pub profile: &'a Profile,
}

impl TestPod<'_> {
    /// The pod as it is sent.
    pub fn object(&self) -> Value {
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
            "resources": self.resources,
        });
        let mut tolerations = self.profile.tolerations.clone();
        tolerations.dedup();
        if self.nodes.len() != 1 {
            tolerations.push(json!({"key": FAKE, "operator": "Exists"}));
        }
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": self.name, "labels": self.labels, "annotations": {
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
