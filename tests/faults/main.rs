//! Breakages are found on real labs, the healthy twins are healthy, and healing heals.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

#[path = "../shared/components.rs"]
mod components;
#[path = "../shared/ledger.rs"]
mod ledger;

use components::{builds, skipped};
use ledger::timed;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// Number of this state of the project: turns go by it. A copy without its history has the first turn.
fn commits() -> String {
    let count = Command::new("git").args(["rev-list", "--count", "HEAD"]).output();
    let count = count.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    count.ok().filter(|count| count.parse::<usize>().is_ok()).unwrap_or_else(|| "0".to_owned())
}

/// Each MUST, and components beyond the quick set that its labs need.
const MUSTS: [(&str, &[&str]); 8] = [
    ("ai_inference", &["traefik"]),
    ("gang_scheduling", &[]),
    ("cluster_autoscaling", &["karpenter", "kwok"]),
    ("pod_autoscaling", &["prometheus", "prometheus-adapter"]),
    ("accelerator_metrics", &[]),
    ("ai_service_metrics", &["prometheus"]),
    ("robust_controller", &["kuberay"]),
    ("secure_accelerator_access", &[]),
];
/// The others, which need none.
const SHOULDS: [&str; 4] =
    ["dra_support", "driver_runtime_management", "gpu_sharing", "virtualized_accelerator"];

#[test]
fn breakages_are_found() {
    timed!();
    let musts: Vec<&str> =
        MUSTS.into_iter().filter(|(_, components)| builds(components)).map(|(must, _)| must).collect();
    let mut which = if std::env::var("AICONFORM_THOROUGH").is_ok() {
        vec!["--slow".to_owned()]
    } else {
        // The gravest of each MUST, and of the others those whose turn it is: so many as take some eight minutes.
        vec!["--turn".to_owned(), commits(), "--others".to_owned(), "3".to_owned()]
    };
    if musts.len() < MUSTS.len() {
        let lacks = MUSTS.into_iter().map(|(must, _)| must).filter(|must| !musts.contains(must));
        let lacks: Vec<&str> = lacks.collect();
        skipped(&format!("breakages of {}: {}", lacks.join(", "), components::NOT_BUILT));
        which.extend(["--only".to_owned(), [&musts[..], &SHOULDS].concat().join(",")]);
    }
    // What is said goes on to whoever looks: it names what is left to other turns, and what took long.
    let output = Command::new(assert_cmd::cargo::cargo_bin!("aiconform"))
        .args(["lab", "faults", "-o", "json", "--side-by-side", "2"])
        .args(which)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
    let timed: BTreeSet<(String, String)> =
        rows.iter().map(|row| (name(row), row["seconds"].to_string())).collect();
    for (name, seconds) in timed {
        ledger::write_down(&name, seconds.parse().unwrap());
    }
    let missed: Vec<&Value> = rows.iter().filter(|row| row["found"] != true).collect();
    assert!(missed.is_empty(), "missed: {missed:#?}");
    for must in musts {
        let found = rows.iter().any(|row| row["expected"] == "failed" && name(row).starts_with(must));
        assert!(found, "no breakage made {must} fail");
    }
    let count = |title: &str| rows.iter().filter(|row| name(row).starts_with(title)).count();
    let (first, again) = (count("healthy twin ("), count("healthy twin again"));
    assert!(again > 1 && again <= first, "{again} of {first} labs are as they were at first");
    assert!(output.status.success());
}
