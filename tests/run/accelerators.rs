//! The checks of accelerators from outside: all of them on a lab with simulated ones, and on one that has none.

use super::timed;
use super::{Lab, left, program, read, text, works};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

/// All of them; 1.35 asks for each.
pub const CHOSEN: [&str; 4] = [
    "--release",
    "1.35",
    "--only",
    "dra_support,secure_accelerator_access,accelerator_metrics,driver_runtime_management,gpu_sharing,virtualized_accelerator",
];

fn run(kubeconfig: &str, folder: &Path, seed: &str) -> Output {
    let mut command = program();
    command.args(["run", "--kubeconfig", kubeconfig, "--seed", seed]).args(CHOSEN);
    command.arg("--output-dir").arg(folder).output().unwrap()
}

/// Verdict and reason of every requirement.
pub fn verdicts(folder: &Path) -> BTreeMap<String, (String, String)> {
    let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let requirements = verdict["requirements"].as_array().unwrap().iter();
    requirements.map(|one| (word(&one["requirement"]), (word(&one["verdict"]), word(&one["why"])))).collect()
}

/// The outcome of every claim on every subject.
pub fn outcomes(folder: &Path) -> Vec<String> {
    let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    let mut found = Vec::new();
    for one in verdict["requirements"].as_array().unwrap() {
        for subject in one["subjects"].as_array().unwrap() {
            for claim in subject["claims"].as_array().into_iter().flatten() {
                found.push(format!(
                    "{} {} {}: {}",
                    one["requirement"], subject["id"], claim["id"], claim["outcome"]
                ));
            }
        }
    }
    found
}

#[test]
fn simulated_accelerators_pass_whatever_the_seed_with_the_printed_role_and_nothing_is_left() {
    timed!();
    let lab = Lab::with("simulator");
    let before = left(&lab);
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = lab.with_role(directory.path(), &CHOSEN[2..]);
    // `--thorough` takes ten seeds.
    let seeds = if std::env::var("AICONFORM_THOROUGH").is_ok() { 10 } else { 2 };
    let mut first = Vec::new();
    for seed in 1..=seeds {
        let folder = directory.path().join(seed.to_string());
        let output = run(&kubeconfig, &folder, &seed.to_string());
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
        // Devices of the run's own are all that the API needs.
        assert_eq!(said.matches("PASSED (SIMULATED)").count(), 5, "{said}");
        assert!(said.contains("dra_support (MUST): PASSED\n"), "{said}");
        assert_eq!(works(&["judge", folder.to_str().unwrap()]), said);
        let found = outcomes(&folder);
        assert!(found.len() > 60 && found.iter().all(|claim| claim.ends_with("\"met\"")), "{found:#?}");
        if seed == 1 {
            first.clone_from(&found);
            let report = read(&folder.join("report.html"));
            for title in ["A load comes and goes on one accelerator", "Who opens what"] {
                assert!(report.contains(title), "the report has no {title:?}");
            }
        }
        assert_eq!(found, first, "seed {seed}");
        assert_eq!(left(&lab), before);
    }
}

#[test]
fn without_accelerators_nothing_is_passed_and_nothing_failed() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("none");
    let output = run(&lab.kubeconfig, &folder, "1");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}{}", text(&output.stderr));
    let found = verdicts(&folder);
    assert_eq!(found.len(), 6, "{found:?}");
    for (id, (verdict, why)) in found {
        // Devices of the run's own need no accelerator.
        if id == "dra_support" {
            assert_eq!(verdict, "passed", "{why}");
            continue;
        }
        assert_eq!(verdict, "inconclusive", "{id}: {why}");
        assert!(
            why.contains("accelerator") || why.contains("share") || why.contains("virtual"),
            "{id}: {why}"
        );
    }
    assert_eq!(left(&lab), Vec::<String>::new());
}
