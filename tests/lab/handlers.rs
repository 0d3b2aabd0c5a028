//! Two handlers of one runtime: what is wrong with one is not with the other. Long, so only with `--thorough`.

use super::nodes::apply;
use super::timed;
use super::{is_gone, is_short, kubectl, works};
use serde_json::{Value, json};

const LAB: &str = "testhandlers";

/// Tells of a pod of the default handler, and of one of the RuntimeClass, whether it has devices that it only asked for by its
/// environment. The bundle of a container outlives its pod a little, so each time has names of its own.
fn leaks(time: &str) -> (bool, bool) {
    let (plain, classed) = (format!("plain-{time}"), format!("classed-{time}"));
    let pod = |name: &str, class: Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
            "spec": {"runtimeClassName": class, "terminationGracePeriodSeconds": 0, "containers": [{"name": name,
                "image": "aiconform.dev/lab/pause:1", "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}]}})
    };
    let pods = [pod(&plain, Value::Null), pod(&classed, json!("accelerated"))];
    apply(LAB, &json!({"apiVersion": "v1", "kind": "List", "items": pods}));
    kubectl(LAB, &["wait", "--for=condition=Ready", "pod", &plain, &classed, "--timeout=60s"]);
    let has = |name: &str| {
        // The bundle of a container that is named so, and whether a device node is made in it.
        let script = format!(
            "cd /run/containerd/io.containerd.runtime.v2.task/k8s.io && bundle=$(grep -l 'container-name\":\"{name}\"' */config.json) || exit 1; grep -c '\"path\":\"/dev/accel' $bundle || true"
        );
        works(LAB, &["exec", "--", "sh", "-c", &script]).trim() == "1"
    };
    let found = (has(&plain), has(&classed));
    kubectl(LAB, &["delete", "pod", &plain, &classed, "--wait=true", "--timeout=60s"]);
    found
}

#[test]
fn a_handler_leaks_beside_one_that_does_not_and_the_reverse() {
    timed!();
    if is_short() {
        return;
    }
    works(LAB, &["up", "--with", "simulator"]);
    for (breakage, wanted) in [
        ("runtime-class-gives-by-environment", (false, true)),
        ("runtime-default-gives-by-environment", (true, false)),
    ] {
        works(LAB, &["break", breakage]);
        assert_eq!(leaks(breakage.split('-').nth(1).unwrap()), wanted, "{breakage}");
        works(LAB, &["heal"]);
    }
    // The class goes with what was broken.
    let classes = kubectl(LAB, &["get", "runtimeclasses", "-o", "name"]);
    assert_eq!(classes, "");
    works(LAB, &["down"]);
    is_gone(LAB);
}
