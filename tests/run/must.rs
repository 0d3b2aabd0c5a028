//! Everything that a MUST needs, on one lab with every real component.

use super::components::{NOT_BUILT, builds, skipped};
use super::killed::interrupted_blames_nobody;
use super::timed;
use super::{Lab, PATIENT, program, read, text, works};
use serde_json::Value;

/// Components beyond the quick set.
const COMPONENTS: [&str; 5] = ["traefik", "prometheus", "prometheus-adapter", "karpenter", "kuberay"];

/// A quota above the hardware holds no gang of Kueue's: a whole run finds that too.
const KNOWN: [&str; 1] = ["ample_contention_is_whole"];

#[test]
fn every_must_has_a_verdict_in_one_run() {
    timed!();
    if !builds(&COMPONENTS) {
        return skipped(NOT_BUILT);
    }
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("run");
    let output = program()
        .args(["run", "--lab", "--level", "must", "--rounds", "2", "--profile", PATIENT, "--output-dir"])
        .arg(&folder)
        .output()
        .unwrap();
    let (said, talk) = (text(&output.stdout), text(&output.stderr));
    let unmet: String =
        said.lines().filter(|line| !line.starts_with("    met ")).collect::<Vec<_>>().join("\n");
    assert_eq!(output.status.code(), Some(0), "{unmet}\n{talk}");
    assert!(said.contains("8 of 8 MUSTs of 1.37 tested"), "{said}");
    let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    for one in verdict["requirements"].as_array().unwrap() {
        assert_eq!(one["verdict"], "passed", "{one:#}");
    }
    assert_eq!(works(&["judge", folder.to_str().unwrap()]), said);
    super::pods::are_pinned_and_end_by_themselves(&folder);
    let report = read(&folder.join("report.html"));
    for title in
        ["Where the requests went", "A metric rises and falls", "Nodes against pods", "A load comes and goes"]
    {
        assert!(report.contains(title), "the report has no picture {title:?}");
    }
}

#[test]
fn an_interrupted_run_of_every_must_blames_nobody_whatever_it_was_at() {
    timed!();
    if std::env::var("AICONFORM_THOROUGH").is_err() {
        return skipped("only with --thorough");
    }
    let lab = Lab::with("kueue,simulator,traefik,prometheus,prometheus-adapter,karpenter,kuberay");
    let directory = tempfile::tempdir().unwrap();
    let profile = directory.path().join("profile.toml");
    std::fs::write(&profile, "[consent]\nnodes = true\n").unwrap();
    let all = ["--level", "must", "--profile", profile.to_str().unwrap()];
    for entries in [20, 40, 60] {
        interrupted_blames_nobody(&lab, &directory.path().join(entries.to_string()), entries, &all, &KNOWN);
    }
}
