//! The pods that wait for nodes.

use super::find::Target;
use crate::gang_scheduling::ground::community_image;
use crate::pod::{CPU, MEMORY, ROLE};
use crate::profile::Profile;
use serde_json::{Value, json};

/// More accelerators than any machine has.
pub const IMPOSSIBLE: u64 = 4096;

/// A pod that asks for accelerators and shares its node with no other that is there for a node to come.
pub fn pod(profile: &Profile, target: &Target, class: &str, name: &str, role: &str, count: u64) -> Value {
    let amounts = json!({"cpu": CPU, "memory": MEMORY, &target.resource: count.to_string()});
    let image = profile.image.clone().unwrap_or_else(|| community_image(profile));
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": name, "labels": {ROLE: role},
        // A busy node is to be left alone: that it is, is tried.
        "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            "karpenter.sh/do-not-disrupt": "true"}},
    "spec": {
        "priorityClassName": class,
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
            "labelSelector": {"matchLabels": {ROLE: role}}, "topologyKey": "kubernetes.io/hostname"}]}},
        "containers": [{
            "name": "pause", "image": image, "imagePullPolicy": "IfNotPresent",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "resources": {"requests": amounts, "limits": amounts}}],
    }});
    if !target.selector.is_empty() {
        pod["spec"]["nodeSelector"] = json!(target.selector);
    }
    let mut tolerations = json!(target.tolerations);
    if let Some(tolerations) = tolerations.as_array_mut().filter(|_| !target.adapter.arriving.is_empty()) {
        let key = target.adapter.arriving;
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute"}));
    }
    if tolerations.as_array().is_some_and(|all| !all.is_empty()) {
        pod["spec"]["tolerations"] = tolerations;
    }
    if !profile.image_pull_secrets.is_empty() {
        pod["spec"]["imagePullSecrets"] =
            profile.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
    }
    pod
}
