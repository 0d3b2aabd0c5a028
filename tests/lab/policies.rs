//! NetworkPolicies that are enforced, within a node and across nodes, and not where nothing enforces them. Long, so only with
//! `--thorough`.

use super::nodes::{apply, asks_dns, in_pods, on_every_node};
use super::timed;
use super::{is_gone, is_short, kubectl, works};
use serde_json::{Value, json};

const NODES: [&str; 2] = ["node-0", "node-1"];

/// Pods on every node in a namespace that is made now; gives their addresses by node.
fn tenants(lab: &str, name: &str) -> Vec<String> {
    kubectl(lab, &["create", "namespace", name]);
    let mut pods = on_every_node(name);
    // A second pod on each node, and no Service.
    let mut others = pods["items"][0].clone();
    others["metadata"]["name"] = json!("others");
    pods["items"] = json!([pods["items"][0].clone(), others]);
    apply(lab, &pods);
    for set in ["daemonset/probe", "daemonset/others"] {
        kubectl(lab, &["-n", name, "rollout", "status", set, "--timeout=60s"]);
    }
    let found = kubectl(lab, &["-n", name, "get", "pods", "-o", "json"]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let pods = found["items"].as_array().unwrap().iter();
    pods.map(|pod| pod["status"]["podIP"].as_str().unwrap().to_owned()).collect()
}

/// Of all ways from every pod of these nodes to those addresses, other than a pod's own, how many are open.
fn open_ways(lab: &str, addresses: &[String]) -> (usize, usize) {
    let own = "own=$(ip -4 -o address show eth0 | tr -s \" /\" \" \" | cut -d\" \" -f4)";
    let all = addresses.join(" ");
    let script = format!(
        "{own}; case \" {all} \" in *\" $own \"*) for to in {all}; do [ $to = $own ] || {{ timeout 2 bash -c \"exec 3<>/dev/tcp/$to/18080\" 2>/dev/null && echo open || echo shut; }}; done;; esac"
    );
    let said: Vec<String> = NODES.iter().flat_map(|node| in_pods(lab, node, &script)).collect();
    (said.iter().filter(|line| *line == "open").count(), said.len())
}

/// Tells whether pods with these addresses are answered by DNS.
fn asks(lab: &str, address: &str) -> bool {
    let script = format!("ip -4 -o address show eth0 | grep -q \"{address}/\" && {{ {}; }}", asks_dns());
    let said: Vec<String> = NODES.iter().flat_map(|node| in_pods(lab, node, &script)).collect();
    said.iter().any(|line| line.trim_end().ends_with("10 96 0 99"))
}

#[test]
fn policies_cut_what_they_name_within_a_node_and_across_and_nothing_where_nobody_enforces_them() {
    timed!();
    if is_short() {
        return;
    }
    let lab = "testpolicies";
    works(lab, &["up", "--nodes", "2", "--with", "coredns,kube-router"]);
    apply(lab, &on_every_node("default"));
    let free = tenants(lab, "free");
    // Four pods, each to three others.
    assert_eq!(open_ways(lab, &free), (12, 12));

    works(lab, &["break", "network-denied"]);
    let shut = tenants(lab, "shut");
    kubectl(lab, &["-n", "shut", "get", "networkpolicy", "denied"]);
    until(|| open_ways(lab, &shut) == (0, 12));
    assert!(!asks(lab, &shut[0]));
    // What was there before is left alone.
    assert_eq!(open_ways(lab, &free), (12, 12));
    assert!(asks(lab, &free[0]));
    works(lab, &["heal"]);
    until(|| open_ways(lab, &shut) == (12, 12));

    works(lab, &["break", "network-denied-but-dns"]);
    let asking = tenants(lab, "asking");
    until(|| open_ways(lab, &asking) == (0, 12));
    assert!(asks(lab, &asking[0]));
    works(lab, &["down"]);
    is_gone(lab);

    // The same policy on a lab without what enforces it: the cut was its doing.
    works(lab, &["up", "--nodes", "2", "--with", ""]);
    let pods = tenants(lab, "shut");
    let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "denied", "namespace": "shut"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": []}});
    apply(lab, &policy);
    assert_eq!(open_ways(lab, &pods), (12, 12));
    works(lab, &["down"]);
    is_gone(lab);
}

/// Asks again until it is so: who watches objects takes a moment for every change.
pub fn until(is_so: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < std::time::Duration::from_secs(60), "it was not so within a minute");
    }
}
