//! The registry of a lab: what is pulled from it and what is refused, and by whom. Long, so only with `--thorough`.

use super::nodes::apply;
use super::policies::until;
use super::timed;
use super::{is_gone, is_short, kubectl, works};
use serde_json::{Value, json};

/// A pod on the node without the probe's image.
fn pod(name: &str, image: &str, node: &str, secret: Option<&str>) -> Value {
    let image = format!("{image}:{}", env!("CARGO_PKG_VERSION"));
    let secrets: Vec<Value> = secret.iter().map(|name| json!({"name": name})).collect();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {"terminationGracePeriodSeconds": 0, "nodeName": node, "imagePullSecrets": secrets,
            "containers": [{"name": "probe", "image": image, "imagePullPolicy": "IfNotPresent"}]}})
}

/// Secret with a password for the registry.
fn secret(name: &str, password: &str) -> Value {
    let known = json!({"auths": {"registry.example.com": {"username": "lab", "password": password}}});
    json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": name, "namespace": "default"}, "stringData": {".dockerconfigjson": known.to_string()}})
}

/// Waits until a pod's container runs, or until its events say why it does not.
fn ends_with(lab: &str, name: &str, wanted: &str) {
    until(|| {
        let phase = kubectl(lab, &["get", "pod", name, "-o", "jsonpath={.status.phase}"]);
        if phase == "Running" {
            assert_eq!(wanted, "Running", "{name} runs");
            return true;
        }
        wanted != "Running" && kubectl(lab, &["events", "--for", &format!("pod/{name}")]).contains(wanted)
    });
    kubectl(lab, &["delete", "pod", name]);
}

#[test]
fn images_are_pulled_with_the_password_by_machines_of_their_kind_and_refused_to_others() {
    timed!();
    if is_short() {
        return;
    }
    let lab = "testregistry";
    works(lab, &["up", "--nodes", "2", "--node", "node-1 probe=none", "--with", "registry"]);
    apply(lab, &secret("right", "lab"));
    apply(lab, &secret("wrong", "other"));
    let (own, guarded, open) =
        ("aiconform.dev/probe", "registry.example.com/aiconform/probe", "plain.example.com/aiconform/probe");
    let foreign = "registry.example.com/aiconform/foreign";
    let rows = [
        // A node has the image, the other has not, and there is nowhere to pull it from.
        ("there", own, "node-0", None, "Running"),
        ("away", own, "node-1", None, "Failed to pull image"),
        // Refused in words that only who trusts the certificate gets to see.
        ("nameless", guarded, "node-1", None, "no basic auth credentials"),
        ("wrong", guarded, "node-1", Some("wrong"), "401 Unauthorized"),
        ("foreign", foreign, "node-1", Some("right"), "no match for platform"),
        ("right", guarded, "node-1", Some("right"), "Running"),
        ("plain", open, "node-1", None, "Running"),
    ];
    for (name, image, node, secret, wanted) in rows {
        apply(lab, &pod(name, image, node, secret));
        ends_with(lab, name, wanted);
    }
    works(lab, &["down"]);
    is_gone(lab);
}
