//! `ai_inference` from outside: with the printed role, whatever the seed, on a Gateway that is there already, and where
//! something around it is wrong.

use super::components::{NOT_BUILT, builds, skipped};
use super::timed;
use super::{Lab, left, program, read, run, text};
use serde_json::{Value, json};
use std::path::Path;

const CHOSEN: [&str; 2] = ["--only", "ai_inference"];

/// A run with this profile, what it must say, and that it says so again from its evidence.
fn tries(kubeconfig: &str, folder: &Path, flags: &[&str], profile: &str, code: i32, words: &[&str]) {
    std::fs::create_dir_all(folder).unwrap();
    let (file, path) = (folder.join("profile.toml"), folder.join("run"));
    std::fs::write(&file, profile).unwrap();
    let mut command = program();
    command.args(["run", "--kubeconfig", kubeconfig]).args(CHOSEN).args(flags);
    let output = command.arg("--profile").arg(file).arg("--output-dir").arg(&path).output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{said}{}", text(&output.stderr));
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(text(&run(&["judge", path.to_str().unwrap()]).stdout), said);
}

/// The outcome of every claim.
fn outcomes(folder: &Path) -> Vec<(String, String)> {
    let verdict: Value = serde_json::from_str(&read(&folder.join("run/verdict.json"))).unwrap();
    let claims = verdict["requirements"][0]["subjects"][0]["claims"].as_array().unwrap().clone();
    claims.iter().map(|claim| (claim["id"].to_string(), claim["outcome"].to_string())).collect()
}

#[test]
fn traffic_is_split_whatever_the_seed_and_what_is_wrong_around_it_is_named() {
    timed!();
    if !builds(&["traefik"]) {
        return skipped(NOT_BUILT);
    }
    let lab = Lab::to_be_spoilt("traefik");
    let before = left(&lab);
    let directory = tempfile::tempdir().unwrap();
    let folder = |name: &str| directory.path().join(name);
    let kubeconfig = lab.with_role(directory.path(), &CHOSEN);
    // `--thorough` takes ten seeds.
    let seeds = if std::env::var("AICONFORM_THOROUGH").is_ok() { 10 } else { 1 };
    for seed in 1..=seeds {
        let (path, seed) = (folder(&format!("seed-{seed}")), seed.to_string());
        tries(&kubeconfig, &path, &["--seed", &seed], "", 0, &["ai_inference (MUST): PASSED"]);
        let found = outcomes(&path);
        assert!(found.len() == 10 && found.iter().all(|(_, outcome)| outcome == "\"met\""), "{found:?}");
        assert_eq!(left(&lab), before);
    }

    // A Gateway of the platform, which takes routes of all namespaces.
    let gateway = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": "shared", "namespace": "default"}, "spec": {"gatewayClassName": "traefik",
            "listeners": [{"name": "web", "port": 80, "protocol": "HTTP", "hostname": "*.example.com",
                "allowedRoutes": {"namespaces": {"from": "All"}}}]}});
    let file = directory.path().join("gateway.json");
    std::fs::write(&file, gateway.to_string()).unwrap();
    lab.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    let shared = "[ai_inference]\ngateway = \"default/shared\"\n";
    tries(&kubeconfig, &folder("shared"), &[], shared, 0, &["ai_inference (MUST): PASSED"]);
    lab.kubectl(&["delete", "-f", file.to_str().unwrap()]);

    // Nobody is there; the lab's own address of the API server's node.
    let nobody = "[ai_inference]\naddress = \"10.199.0.1\"\n";
    let words = ["ai_inference (MUST): INCONCLUSIVE", "does not answer the pod", "ai_inference] address"];
    tries(&kubeconfig, &folder("nobody"), &[], nobody, 4, &words);
    let named = "[ai_inference]\ngateway_class = \"other\"\n";
    let words = ["ai_inference (MUST): INCONCLUSIVE", "there is no GatewayClass \"other\"", "traefik"];
    tries(&kubeconfig, &folder("named"), &[], named, 4, &words);
    lab.kubectl(&["delete", "gatewayclass", "traefik"]);
    let words = ["ai_inference (MUST): INCONCLUSIVE", "there is no GatewayClass"];
    tries(&kubeconfig, &folder("no-class"), &[], "", 4, &words);
    let kinds = lab.kubectl(&["get", "crd", "-o", "name"]);
    let kinds: Vec<&str> = kinds.lines().filter(|kind| kind.contains("gateway.networking")).collect();
    lab.kubectl(&[&["delete"], &kinds[..]].concat());
    let words = ["ai_inference (MUST): INCONCLUSIVE", "the Gateway API is not installed"];
    tries(&kubeconfig, &folder("no-kinds"), &[], "", 4, &words);
    assert_eq!(left(&lab), before);
}

#[test]
fn a_gateway_that_nobody_here_wrote_passes_beside_another() {
    timed!();
    if std::env::var("AICONFORM_THOROUGH").is_err() {
        return skipped("only with --thorough");
    }
    let lab = Lab::with("traefik,envoy-gateway");
    let before = left(&lab);
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = lab.with_role(directory.path(), &CHOSEN);
    for seed in ["1", "2"] {
        let path = directory.path().join(seed);
        let words = ["traefik: passed", "envoy-gateway: passed", "ai_inference (MUST): PASSED"];
        tries(&kubeconfig, &path, &["--seed", seed], "", 0, &words);
        let verdict: Value = serde_json::from_str(&read(&path.join("run/verdict.json"))).unwrap();
        for subject in verdict["requirements"][0]["subjects"].as_array().unwrap() {
            let claims = subject["claims"].as_array().unwrap();
            assert!(
                claims.len() == 10 && claims.iter().all(|claim| claim["outcome"] == "met"),
                "{subject:#}"
            );
        }
        assert_eq!(left(&lab), before);
    }
}
