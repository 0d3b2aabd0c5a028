//! The pod of every test.

use crate::profile::Profile;
use aiconform_trial::labels::FAKE;
use serde_json::{Value, json};

/// CPU of a test pod.
pub const CPU: &str = "5m";
/// Memory of a test pod.
pub const MEMORY: &str = "8Mi";

/// Seconds after which nodes end pods that are made directly, where nothing else is said: longer than any of them is needed.
pub const DEADLINE: u64 = 3600;
/// Annotations by which autoscalers of nodes know that a pod may be evicted, or that its node is to be left alone.
const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";
const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";

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
    /// Resources of its container, as in a pod.
    pub resources: Value,
    /// Set if the pod really runs, and ends at once with 0. Otherwise it is bound and then held before its containers
    /// start, by a volume of a Secret that never comes: what is judged is the binding, and the node has no work with it.
    /// (KAI looks whether a pod's ConfigMaps are there before it schedules it, and not at its Secrets.)
    pub runs: bool,
    /// Seconds after which its node ends it, counted from when it came there: a pod that nobody deletes any more, because the
    /// run was killed, costs nothing for ever. None where Kubernetes refuses that: in templates of Deployments and the like.
    pub deadline: Option<u64>,
    /// Profile: how the platform wants its pods.
    pub profile: &'a Profile,
}

impl TestPod<'_> {
    /// The pod as it is sent.
    pub fn object(&self) -> Value {
        let mut nodes = terms(self.nodes);
        if nodes.is_empty() {
            // One term, however many nodes there are: it is in every pod, and every pod is in every answer.
            nodes.push(json!({"matchExpressions": [{"key": FAKE, "operator": "Exists"}]}));
        }
        let mut container = container("pause", self.image);
        container["resources"] = self.resources.clone();
        let fakes = (self.nodes.len() != 1).then(|| json!({"key": FAKE, "operator": "Exists"}));
        let held = json!([{"name": "held", "secret": {"secretName": "never-there"}}]);
        if self.runs {
            container["args"] = json!(["-v"]);
        } else {
            container["volumeMounts"] = json!([{"name": "held", "mountPath": "/held"}]);
        }
        let template = Template {
            name: self.name,
            labels: self.labels.clone(),
            nodes,
            tolerations: fakes.into_iter().collect(),
            restart_policy: "Never",
            deadline: self.deadline,
            containers: vec![container],
            profile: self.profile,
        };
        let mut pod = template.object();
        pod["spec"]["priorityClassName"] = json!(self.priority_class);
        if !self.runs {
            pod["spec"]["volumes"] = held;
        }
        for (key, value) in [(SAFE_TO_EVICT, "true"), (DO_NOT_DISRUPT, "true")] {
            if pod["metadata"]["annotations"].get(key).is_none() {
                pod["metadata"]["annotations"][key] = json!(value);
            }
        }
        pod
    }
}

/// Parts that all pods of ours have, whatever runs in them: they are admitted at the restricted Pod Security level, and are
/// as the platform wants them.
pub struct Template<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its labels.
    pub labels: Value,
    /// Terms of its node affinity ([`terms`]), which are alternatives; none: any node.
    pub nodes: Vec<Value>,
    /// Tolerations beside those of the profile.
    pub tolerations: Vec<Value>,
    /// Its `restartPolicy`.
    pub restart_policy: &'a str,
    /// Seconds after which its node ends it ([`TestPod::deadline`]).
    pub deadline: Option<u64>,
    /// Its containers, each begun as a [`container`].
    pub containers: Vec<Value>,
    /// Profile: how the platform wants its pods.
    pub profile: &'a Profile,
}

impl Template<'_> {
    /// The pod as it is sent.
    pub fn object(&self) -> Value {
        let profile = self.profile;
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": self.name, "labels": self.labels},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "restartPolicy": self.restart_policy,
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": self.containers,
        }});
        let spec = &mut pod["spec"];
        if !self.nodes.is_empty() {
            spec["affinity"] = json!({"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": self.nodes}}});
        } else if !profile.node_selector.is_empty() {
            spec["nodeSelector"] = json!(profile.node_selector);
        }
        if let Some(seconds) = self.deadline {
            spec["activeDeadlineSeconds"] = json!(seconds);
        }
        let mut tolerations = profile.tolerations.clone();
        tolerations.extend(self.tolerations.iter().cloned());
        tolerations.dedup();
        // An API server drops what is empty; then it would not come back as it was sent.
        if !tolerations.is_empty() {
            spec["tolerations"] = json!(tolerations);
        }
        if !profile.image_pull_secrets.is_empty() {
            spec["imagePullSecrets"] =
                profile.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
        }
        // Templates of Jobs and Deployments carry the platform's labels too; what is created directly gets them again from
        // the session.
        for (key, value) in &profile.labels {
            pod["metadata"]["labels"][key] = json!(value);
        }
        for (key, value) in &profile.annotations {
            pod["metadata"]["annotations"][key] = json!(value);
        }
        pod
    }
}

/// Terms of a node affinity that allow these nodes and no other: a field selector names one node, and terms are
/// alternatives.
pub fn terms(nodes: &[String]) -> Vec<Value> {
    let term = |node: &String| json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]});
    nodes.iter().map(term).collect()
}

/// A container that may do nothing but run.
pub fn container(name: &str, image: &str) -> Value {
    json!({"name": name, "image": image, "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}})
}

#[cfg(test)]
mod tests {
    #[test]
    fn judges_know_objects_of_a_run_by_the_label_that_the_run_gives_them() {
        assert_eq!(aiconform_trial::labels::RUN, aiconform_cluster::RUN_LABEL);
    }
}
