//! Simulated accelerators on a real kubelet and a real runtime: whoever is given one reaches it, and nobody else does.

use super::timed;
use crate::{aiconform, is_gone, kubectl, works};
use serde_json::{Value, json};

const PROBE: &str = concat!("aiconform.dev/probe:", env!("CARGO_PKG_VERSION"));

/// SHA-256 of the token `abc`.
const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A container as any pod has one, with or without a device.
fn container(name: &str, port: &str, resources: &Value) -> Value {
    json!({"name": name, "image": PROBE, "args": ["serve", port], "resources": resources,
        "env": [{"name": "PROBE_TOKEN_SHA256", "value": DIGEST}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": port.parse::<u16>().unwrap()}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": false, "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}})
}

fn pod(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec})
}

fn ask(lab: &str, pod: &str, question: &str, body: &Value) -> Value {
    let path = format!("/api/v1/namespaces/default/pods/{pod}/proxy/{question}");
    let command = format!("echo '{body}' | kubectl create --raw {path} -f -");
    serde_json::from_str(&works(lab, &["exec", "--", "sh", "-c", &command])).unwrap()
}

fn numbers(look: &Value) -> Vec<(u64, u64)> {
    let devices = look["devices"].as_array().unwrap().iter();
    devices
        .map(|device| {
            (device["number"]["major"].as_u64().unwrap(), device["number"]["minor"].as_u64().unwrap())
        })
        .collect()
}

/// Value of a metric of the device with this number, as the simulator's exporter has it now.
fn metric(lab: &str, name: &str, index: u64) -> f64 {
    let path = "/api/v1/namespaces/aiconform-simulator/services/metrics:metrics/proxy/metrics";
    let text = kubectl(lab, &["get", "--raw", path]);
    let begin = format!("{name}{{gpu=\"{index}\",");
    let line = text.lines().find(|line| line.starts_with(&begin)).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_simulated_device_is_reached_by_its_holder_and_by_nobody_else() {
    timed!();
    const LAB: &str = "testsimulator";
    works(LAB, &["up", "--with", "simulator"]);
    let template = json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate",
        "metadata": {"name": "one", "namespace": "default"}, "spec": {"spec": {"devices": {"requests": [
            {"name": "gpu", "exactly": {"deviceClassName": "accelerator.aiconform.dev"}}]}}}});
    let claimed = pod(
        "claimed",
        &json!({
        "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "one"}],
        "containers": [container("holder", "18080", &json!({"claims": [{"name": "gpu"}]})),
            container("sibling", "18081", &json!({}))]}),
    );
    let limits = json!({"limits": {"accelerator.aiconform.dev/gpu": "1"}});
    let plugin = pod("plugin", &json!({"containers": [container("holder", "18080", &limits)]}));
    // Any ordinary pod: root with the default capabilities, so that it can make device nodes itself.
    let mut ordinary = container("ordinary", "18080", &json!({}));
    ordinary["securityContext"] = json!({"runAsUser": 0});
    ordinary["env"] = json!([{"name": "PROBE_SCRATCH", "value": "/"},
        {"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]);
    let ordinary = pod("ordinary", &json!({"containers": [ordinary]}));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [template, claimed, plugin, ordinary]});
    works(LAB, &["exec", "--", "sh", "-c", &format!("echo '{list}' | kubectl apply -f -")]);
    kubectl(
        LAB,
        &["wait", "--for=condition=Ready", "pod/claimed", "pod/plugin", "pod/ordinary", "--timeout=60s"],
    );

    let none = json!({});
    let holder = ask(LAB, "claimed:18080", "look", &none);
    let other = ask(LAB, "plugin:18080", "look", &none);
    let (own, others) = (numbers(&holder), numbers(&other));
    assert_eq!((own.len(), others.len()), (1, 1), "{holder} {other}");
    assert_ne!(own, others);
    for look in [&holder, &other] {
        // Reached, and no driver stands behind it: a simulated device is always known as one.
        assert_eq!(look["devices"][0]["opening"]["name"], "ENXIO", "{look}");
        assert_eq!(look["environment"]["AICONFORM_SIMULATED"], "1", "{look}");
    }
    let path = &holder["devices"][0]["path"];
    let sibling = ask(LAB, "claimed:18081", "look", &json!({"paths": [path]}));
    assert!(numbers(&sibling).is_empty(), "{sibling}");
    assert_eq!(sibling["paths"][0]["opening"]["name"], "ENOENT", "{sibling}");

    let wanted: Vec<Value> =
        own.iter().chain(&others).map(|(major, minor)| json!({"major": major, "minor": minor})).collect();
    let ordinary = ask(LAB, "ordinary:18080", "look", &json!({"numbers": wanted}));
    assert!(numbers(&ordinary).is_empty(), "{ordinary}");
    for tried in ordinary["numbers"].as_array().unwrap() {
        // Absence and refusal are two things: here there is a node, and the device cgroup refuses it.
        assert_eq!(tried["made"]["errno"], 0, "{tried}");
        assert_eq!(tried["opening"]["name"], "EPERM", "{tried}");
    }

    // Nobody without the token takes any of it.
    let command = "echo '{\"bytes\":1}' | kubectl create --raw /api/v1/namespaces/default/pods/claimed:18080/proxy/hold -f -";
    let refused = aiconform(LAB, &["exec", "--", "sh", "-c", command]);
    assert!(!refused.status.success(), "{refused:?}");
    let held = ask(LAB, "claimed:18080", "hold", &json!({"bytes": 1 << 30, "token": "abc"}));
    assert!(held["errors"].is_null(), "{held}");
    assert!((metric(LAB, "DCGM_FI_DEV_FB_USED", own[0].1) - 1024.0).abs() < 1.0);
    assert!(metric(LAB, "DCGM_FI_DEV_FB_USED", others[0].1) < 1.0);

    let refused = aiconform("none", &["up", "--with", "gpu"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("simulator"), "{refused:?}");
    works(LAB, &["down"]);
    is_gone(LAB);
}
