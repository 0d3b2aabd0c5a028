//! gVisor as a runtime of a lab: pods of its RuntimeClass have a kernel of their own, others have the node's. Long, so only with
//! `--thorough`.

use super::nodes::apply;
use super::timed;
use super::{is_gone, is_short, kubectl, works};
use serde_json::{Value, json};

/// A pod that says the release of its kernel by the node's own program, and ends.
fn asks_kernel(name: &str, class: Option<&str>) -> Value {
    let folders = ["usr", "lib", "lib64"];
    let volume = |name: &&str| json!({"name": *name, "hostPath": {"path": format!("/{name}")}});
    let mount = |name: &&str| json!({"name": *name, "mountPath": format!("/{name}"), "readOnly": true});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {"runtimeClassName": class, "restartPolicy": "Never", "volumes": folders.iter().map(volume).collect::<Vec<_>>(),
            "containers": [{"name": "asks", "image": concat!("aiconform.dev/probe:", env!("CARGO_PKG_VERSION")),
                "command": ["/usr/bin/uname", "-r"], "volumeMounts": folders.iter().map(mount).collect::<Vec<_>>()}]}})
}

#[test]
fn pods_of_its_class_have_a_kernel_of_their_own_and_others_the_nodes() {
    timed!();
    if is_short() {
        return;
    }
    let lab = "testsandbox";
    works(lab, &["up", "--with", "gvisor"]);
    apply(
        lab,
        &json!({"apiVersion": "v1", "kind": "List", "items": [
        asks_kernel("sandboxed", Some("gvisor")), asks_kernel("plain", None)]}),
    );
    let said = |pod: &str| {
        let phase = "--for=jsonpath={.status.phase}=Succeeded";
        kubectl(lab, &["wait", phase, &format!("pod/{pod}"), "--timeout=90s"]);
        kubectl(lab, &["logs", pod]).trim().to_owned()
    };
    let node = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(said("plain"), node.trim());
    let own = said("sandboxed");
    assert!(own.contains("gvisor"), "{own}");
    works(lab, &["down"]);
    is_gone(lab);
}
