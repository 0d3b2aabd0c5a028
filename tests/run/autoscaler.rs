//! The check of the autoscaler from outside: with consent and without, and where there is none.

use super::accelerators::{outcomes, verdicts};
use super::components::{NOT_BUILT, builds, skipped};
use super::timed;
use super::{Lab, left, program, text};
use std::path::Path;

const CHOSEN: [&str; 2] = ["--only", "cluster_autoscaling"];

/// Runs with a profile; gives what was said and the exit code.
fn run(kubeconfig: &str, folder: &Path, seed: &str, profile: &str) -> (String, Option<i32>) {
    let file = folder.with_extension("toml");
    std::fs::write(&file, format!("[cluster_autoscaling]\n{profile}\n")).unwrap();
    let mut command = program();
    command.args(["run", "--kubeconfig", kubeconfig, "--seed", seed]).args(CHOSEN);
    let output = command.arg("--profile").arg(file).arg("--output-dir").arg(folder).output().unwrap();
    (format!("{}{}", text(&output.stdout), text(&output.stderr)), output.status.code())
}

#[test]
fn nodes_come_and_go_with_consent_whatever_the_seed_and_nothing_is_left() {
    timed!();
    if !builds(&["karpenter", "kwok"]) {
        return skipped(NOT_BUILT);
    }
    let lab = Lab::to_be_spoilt("karpenter");
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = lab.with_role(directory.path(), &CHOSEN);
    let before = (left(&lab), lab.kubectl(&["get", "nodes", "-o", "name"]));
    let folder = directory.path().join("without");
    let (said, code) = run(&kubeconfig, &folder, "1", "max_nodes = 1");
    assert_eq!(code, Some(4), "{said}");
    let (verdict, why) = &verdicts(&folder)["cluster_autoscaling"];
    assert!(verdict == "inconclusive" && why.contains("[consent] nodes = true"), "{why}");
    let mut first = Vec::new();
    // `--thorough` takes ten seeds.
    let seeds = if std::env::var("AICONFORM_THOROUGH").is_ok() { 10 } else { 1 };
    for seed in 1..=seeds {
        let folder = directory.path().join(seed.to_string());
        let (said, code) =
            run(&kubeconfig, &folder, &seed.to_string(), "deadline_seconds = 120\n[consent]\nnodes = true");
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("PASSED (SIMULATED)"), "{said}");
        let found = outcomes(&folder);
        assert!(found.len() == 9 && found.iter().all(|claim| claim.ends_with("\"met\"")), "{found:#?}");
        if seed == 1 {
            first.clone_from(&found);
        }
        assert_eq!(found, first, "seed {seed}");
        assert_eq!((left(&lab), lab.kubectl(&["get", "nodes", "-o", "name"])), before);
    }
}

#[test]
fn without_an_autoscaler_it_is_not_applicable_only_where_that_is_stated() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    for (name, profile, verdict, exit) in [
        ("stated", "provided = false", "not_applicable", 0),
        ("silent", "[consent]\nnodes = true", "inconclusive", 4),
    ] {
        let folder = directory.path().join(name);
        let (said, code) = run(&lab.kubeconfig, &folder, "1", profile);
        let (found, why) = &verdicts(&folder)["cluster_autoscaling"];
        assert_eq!((found.as_str(), code), (verdict, Some(exit)), "{why}: {said}");
    }
    assert_eq!(left(&lab), Vec::<String>::new());
}
