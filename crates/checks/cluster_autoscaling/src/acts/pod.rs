//! The pods that wait for nodes.

use crate::find::Target;
use aiconform_check::land::community_image;
use aiconform_check::pod::{CPU, MEMORY, Template, container};
use aiconform_check::profile::Profile;
use aiconform_trial::labels::ROLE;
use serde_json::{Value, json};

/// More accelerators than any machine has.
pub const IMPOSSIBLE: u64 = 4096;

/// Seconds beside the waits for nodes.
const SPARE: u64 = 600;

/// A pod that asks for accelerators and shares its node with no other that is there for a node to come. It is held to no node
/// that is there, unlike every other pod of ours; its node ends it when all that is tried must be over, so that one that
/// nobody deletes any more, because the run was killed, keeps no node for ever.
pub fn pod(profile: &Profile, target: &Target, class: &str, name: &str, role: &str, count: u64) -> Value {
    let amounts = json!({"cpu": CPU, "memory": MEMORY, &target.resource: count.to_string()});
    let image = profile.image.clone().unwrap_or_else(|| community_image(profile));
    let mut pause = container("pause", &image);
    pause["resources"] = json!({"requests": amounts, "limits": amounts});
    let mut tolerations = target.tolerations.clone();
    if !target.adapter.arriving.is_empty() {
        let key = target.adapter.arriving;
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute"}));
    }
    let template = Template {
        name,
        labels: json!({ROLE: role}),
        nodes: Vec::new(),
        tolerations,
        restart_policy: "Never",
        // While it runs, each other node may come and go.
        deadline: Some(2 * target.max_nodes * target.deadline.watched().as_secs() + SPARE),
        containers: vec![pause],
        profile,
    };
    let mut pod = template.object();
    // A busy node is to be left alone: that it is, is tried.
    pod["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] = json!("false");
    pod["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"] = json!("true");
    let spec = &mut pod["spec"];
    spec["priorityClassName"] = json!(class);
    spec["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
        "labelSelector": {"matchLabels": {ROLE: role}}, "topologyKey": "kubernetes.io/hostname"}]}});
    // The profile's labels are of nodes that are there; what is to come has the pool's.
    spec["nodeSelector"] = json!(target.selector);
    pod
}
