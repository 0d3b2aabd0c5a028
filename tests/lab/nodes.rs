//! Labs of several nodes: each is a node of its own, they reach one another, one is lost and comes back, and nothing of them is
//! left. Long, so only with `--thorough`.

use super::timed;
use super::{host, is_gone, is_short, kubectl, works};
use serde_json::{Value, json};
use std::process::Command;

/// A program of the lab's in a pod on every node, behind a Service.
pub fn on_every_node(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "probe", "namespace": namespace},
            "spec": {"selector": {"matchLabels": {"app": "probe"}},
                "template": {"metadata": {"labels": {"app": "probe"}},
                    "spec": {"tolerations": [{"operator": "Exists"}], "terminationGracePeriodSeconds": 0,
                        "containers": [{"name": "probe", "image": concat!("aiconform.dev/probe:", env!("CARGO_PKG_VERSION"))}]}}}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "probe", "namespace": namespace},
            "spec": {"clusterIP": "10.96.0.99", "selector": {"app": "probe"},
                "ports": [{"port": 80, "targetPort": 18080}]}}]})
}

pub fn apply(lab: &str, objects: &Value) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), objects.to_string()).unwrap();
    kubectl(lab, &["apply", "-f", file.path().to_str().unwrap()]);
}

/// Answers of a script on a node, run in the network of every pod that is on it.
pub fn in_pods(lab: &str, node: &str, script: &str) -> Vec<String> {
    let all = format!(
        "for pod in $(ip netns list | cut -d' ' -f1); do ip netns exec $pod bash -c '{script}' 2>&1 || echo failed; done"
    );
    let said = works(lab, &["exec", "--node", node, "--", "bash", "-c", &all]);
    said.lines().map(str::to_owned).collect()
}

/// A script that asks DNS for the Service `probe` of the namespace `default`, and tells the bytes of the answer; the last are its
/// address.
pub fn asks_dns() -> String {
    let query = r"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05probe\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01";
    format!(
        "exec 3<>/dev/udp/10.96.0.10/53; printf \"{query}\" >&3; timeout 5 dd bs=512 count=1 <&3 2>/dev/null | od -An -tu1 | tr -s \" \\n\" \" \"; echo"
    )
}

/// Runs everywhere, and every pod reaches every other and the Service, as does every node.
fn reach_one_another(lab: &str, nodes: &[&str]) {
    kubectl(lab, &["wait", "--for=condition=Ready", "pod", "-l", "app=probe", "--timeout=90s"]);
    let addresses =
        kubectl(lab, &["get", "pod", "-l", "app=probe", "-o", "jsonpath={.items[*].status.podIP}"]);
    let addresses: Vec<&str> = addresses.split_whitespace().collect();
    assert_eq!(addresses.len(), nodes.len());
    let to = |address: &str, port: u16| format!("timeout 5 bash -c \"exec 3<>/dev/tcp/{address}/{port}\"");
    let tries: Vec<String> = addresses.iter().map(|address| to(address, 18080)).collect();
    let script = format!("{} && {} && echo reached", tries.join(" && "), to("10.96.0.99", 80));
    for node in nodes {
        let said = in_pods(lab, node, &script);
        assert!(!said.is_empty() && said.iter().all(|line| line == "reached"), "{node}: {said:?}");
        let said = works(lab, &["exec", "--node", node, "--", "bash", "-c", &script]);
        assert_eq!(said.trim(), "reached", "{node}");
    }
}

#[test]
fn nodes_are_as_is_said_of_them_reach_one_another_and_one_is_lost_and_comes_back() {
    timed!();
    if is_short() {
        return;
    }
    let before = host();
    let lab = "testnodes";
    let first = "node-1 label=pool=a taint=only=gangs:NoSchedule cpu=500m memory=2Gi pods=20 devices=3:Large break=runtime-gives-to-all";
    works(
        lab,
        &[
            "up",
            "--nodes",
            "3",
            "--with",
            "simulator,coredns",
            "--node",
            first,
            "--node",
            "node-2 devices=none",
        ],
    );
    let all = ["node-0", "node-1", "node-2"];
    let of = |node: &str, path: &str| kubectl(lab, &["get", "node", node, "-o", &format!("jsonpath={path}")]);
    assert_eq!(of("node-1", "{.metadata.labels.pool} {.spec.taints[*].key}"), "a only");
    let room = "{.status.allocatable.cpu} {.status.allocatable.memory} {.status.allocatable.pods}";
    assert_eq!(of("node-1", room), "500m 2Gi 20");
    let devices = r"{.status.allocatable.accelerator\.aiconform\.dev/gpu}";
    assert_eq!(all.map(|node| of(node, devices)), ["2", "3", ""]);
    let slices = kubectl(lab, &["get", "resourceslices", "-o", "jsonpath={.items[*].spec.nodeName}"]);
    assert!(slices.contains("node-0") && slices.contains("node-1") && !slices.contains("node-2"), "{slices}");

    let models =
        r#"{range .items[*]}{.spec.nodeName} {.spec.devices[*].attributes.productName.string}{"\n"}{end}"#;
    let models = kubectl(lab, &["get", "resourceslices", "-o", &format!("jsonpath={models}")]);
    let is_large = |line: &str| line.contains("Large");
    // Each node has a slice of counters beside that of its devices.
    let with_model: Vec<&str> = models.lines().filter(|line| line.trim_end().contains(' ')).collect();
    assert_eq!(with_model.len(), 2, "{models}");
    assert!(with_model.iter().all(|line| is_large(line) == line.starts_with("node-1 ")), "{models}");

    apply(lab, &on_every_node("default"));
    kubectl(lab, &["rollout", "status", "daemonset/probe", "--timeout=60s"]);
    reach_one_another(lab, &all);
    // Over the network of a pod of another node than the one on which DNS runs, or not.
    for node in all {
        for said in in_pods(lab, node, &asks_dns()) {
            assert!(said.trim_end().ends_with("10 96 0 99"), "{node}: {said}");
        }
    }
    // What one node has wrong the others have not.
    let devices_of = |node: &str| {
        let script = "cd /run/containerd/io.containerd.runtime.v2.task/k8s.io; grep -l '\"/aiconform-probe\"' */config.json | xargs grep -l '\"/dev/accel' | wc -l";
        works(lab, &["exec", "--node", node, "--", "sh", "-c", script]).trim().to_owned()
    };
    assert_eq!(all.map(devices_of), ["0", "1", "0"]);

    works(lab, &["break", "node-lost"]);
    assert_eq!(of("node-2", "{.status.conditions[?(@.type==\"Ready\")].status}"), "Unknown");
    let refused = super::aiconform(lab, &["exec", "--node", "node-2", "--", "true"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("has been lost"));
    assert!(works(lab, &["status"]).contains("node-lost"));
    works(lab, &["heal"]);
    assert_eq!(of("node-2", "{.status.conditions[?(@.type==\"Ready\")].status}"), "True");
    reach_one_another(lab, &all);
    works(lab, &["down"]);
    is_gone(lab);
    assert_eq!(before, host());
}

#[test]
fn of_two_labs_of_several_nodes_one_is_killed_and_nothing_of_either_is_left() {
    timed!();
    if is_short() {
        return;
    }
    let before = host();
    let (first, second) = ("testmany", "testmanytoo");
    for lab in [first, second] {
        works(lab, &["up", "--nodes", "2", "--with", ""]);
    }
    let status = std::fs::read_to_string(format!("/var/lib/aiconform/{first}/lab.json")).unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    let (supervisor, holder) = (status["supervisor"].to_string(), status["holder"].to_string());
    assert!(Command::new("kill").args(["-KILL", &supervisor]).status().unwrap().success());
    let follow = ["30", "tail", "-f", "/dev/null", "--pid", &holder];
    assert!(Command::new("timeout").args(follow).status().unwrap().success());
    apply(second, &on_every_node("default"));
    kubectl(second, &["rollout", "status", "daemonset/probe", "--timeout=60s"]);
    reach_one_another(second, &["node-0", "node-1"]);
    works(second, &["down"]);
    is_gone(second);
    // Sweeps what the killed one left.
    assert_eq!(before, host());
    is_gone(first);
}

#[test]
fn what_is_said_of_nodes_that_are_not_there_or_is_not_understood_is_refused_before_anything_is_started() {
    for (arguments, words) in [
        (vec!["up", "--node", "node-1 pods=5"], "the lab has no node-1"),
        (vec!["up", "--nodes", "2", "--node", "node-1 fast"], "says nothing of node-1"),
        (vec!["up", "--nodes", "0"], "0 is not in 1..=9"),
        (vec!["up", "--break", "node-lost"], "needs a lab of several nodes"),
        (vec!["up", "--nodes", "2", "--node", "node-1 break=queues-on-hold"], "one node alone cannot have"),
    ] {
        let refused = super::aiconform("testrefused", &arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains(words), "{arguments:?}: {said}");
    }
    is_gone("testrefused");
}
