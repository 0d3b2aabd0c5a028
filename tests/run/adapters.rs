//! Adapters that stand in files, beside the built-in ones that they say the same as.

use super::timed;
use super::{Lab, PATIENT, left, program, read, text, works};
use serde_json::Value;
use std::collections::BTreeMap;

/// Built-in adapters, each with its file and the id that stands in it.
const PAIRS: &[(&str, &str, &str)] = &[
    ("kube-native", "kube-native.toml", "kube-native/file"),
    ("kueue/pods", "kueue-pods.toml", "kueue/pods-file"),
    ("kueue/job", "kueue-job.toml", "kueue/job-file"),
];
/// Trials beyond the MUST; `--thorough` makes all that the files can do.
const TRIALS: &str = "hoarding,elastic,resize";
const ALL_TRIALS: &str = "hoarding,member-loss,elastic,resize,namespaces,preemption,placement";

/// What a subject came to: its state, its grade, and the outcome of every claim.
fn came_to(subjects: &[Value], id: &str) -> BTreeMap<String, String> {
    let subject = subjects.iter().find(|subject| subject["id"] == id).unwrap();
    let mut found = BTreeMap::from([
        ("state".to_owned(), subject["state"].to_string()),
        ("grade".to_owned(), subject["grade"]["level"].to_string()),
    ]);
    for claim in subject["claims"].as_array().unwrap() {
        found.insert(claim["id"].to_string(), claim["outcome"].to_string());
    }
    found
}

#[test]
fn a_file_gives_the_same_verdicts_as_the_built_in_adapter() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("run");
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/../checks/gang_scheduling/src/adapters/declared");
    let mut named = Vec::new();
    let mut command = program();
    command.args(["run", "--kubeconfig", &lab.kubeconfig, "--rounds", "2", "--seed", "1"]);
    command.args(["--profile", PATIENT]);
    let thorough = std::env::var("AICONFORM_THOROUGH").is_ok();
    for (built_in, file, id) in PAIRS {
        command.args(["--adapter-file", &format!("{files}/{file}")]);
        named.extend([*built_in, *id]);
    }
    // What is not there is said, and does not decide.
    named.push("volcano");
    let output = command
        .args([
            "--trial",
            if thorough { ALL_TRIALS } else { TRIALS },
            "--adapter",
            &named.join(","),
            "--output-dir",
        ])
        .arg(&folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    let subjects = verdict["requirements"][0]["subjects"].as_array().unwrap();
    for (built_in, _, id) in PAIRS {
        let (ours, theirs) = (came_to(subjects, built_in), came_to(subjects, id));
        assert!(ours["state"] == "\"passed\"" && ours.len() > 10, "{}", text(&output.stdout));
        assert_eq!(ours, theirs, "{id}\n{}", text(&output.stdout));
    }
    let volcano = subjects.iter().find(|subject| subject["id"] == "volcano").unwrap();
    assert_eq!(volcano["state"], "absent");
    // Judged again without the files.
    assert_eq!(works(&["judge", folder.to_str().unwrap()]), text(&output.stdout));
    assert_eq!(left(&lab), Vec::<String>::new());
}
