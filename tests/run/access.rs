//! `secure_accelerator_access` from outside: with the printed role, whatever the seed, by each way of giving, and killed
//! in the middle.

use super::killed::signalled_with;
use super::timed;
use super::{Lab, left, program, read, text, works};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const CHOSEN: [&str; 2] = ["--only", "secure_accelerator_access"];
const WAYS: [&str; 3] = ["dra", "dra-by-resource", "device-plugin"];

/// The outcome of every claim on every subject.
fn outcomes(folder: &Path) -> BTreeMap<String, String> {
    let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    let subjects = verdict["requirements"][0]["subjects"].as_array().unwrap().clone();
    let claims = subjects.iter().flat_map(|subject| {
        let claims = subject["claims"].as_array().unwrap().iter();
        claims.map(|claim| (format!("{} {}", subject["id"], claim["id"]), claim["outcome"].to_string()))
    });
    claims.collect()
}

#[test]
fn nobody_reaches_a_device_of_another_whatever_the_seed_and_nothing_of_the_run_is_left() {
    timed!();
    let lab = Lab::with("simulator");
    // A class by itself, and by the resource that stands for it.
    let resource =
        json!({"spec": {"extendedResourceName": "accelerator.aiconform.dev/by-class"}}).to_string();
    let class = "accelerator.aiconform.dev";
    lab.kubectl(&["patch", "deviceclass", class, "--type", "merge", "-p", &resource]);
    let before = left(&lab);
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = lab.with_role(directory.path(), &CHOSEN);

    // `--thorough` takes ten seeds.
    let seeds = if std::env::var("AICONFORM_THOROUGH").is_ok() { 10 } else { 1 };
    let mut first = BTreeMap::new();
    for seed in 1..=seeds {
        let folder = directory.path().join(seed.to_string());
        let mut command = program();
        command.args(["run", "--seed", &seed.to_string()]).args(CHOSEN);
        let output =
            command.arg("--kubeconfig").arg(&kubeconfig).arg("--output-dir").arg(&folder).output().unwrap();
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
        assert!(said.contains("secure_accelerator_access (MUST): PASSED (SIMULATED)"), "{said}");
        assert_eq!(works(&["judge", folder.to_str().unwrap()]), said);
        let found = outcomes(&folder);
        assert!(found.values().all(|outcome| outcome == "\"met\""), "{found:#?}");
        for way in WAYS {
            assert!(found.keys().any(|claim| claim.starts_with(&format!("\"{way}/"))), "{way}: {found:#?}");
        }
        if seed == 1 {
            first.clone_from(&found);
        }
        assert_eq!(found, first, "seed {seed}");
        assert_eq!(left(&lab), before);
    }

    // Its journal holds all of its namespaces, and by then pods have devices.
    let folder = directory.path().join("killed");
    let (id, _) = signalled_with(&lab, &folder, "", 4, "-KILL", &CHOSEN).unwrap();
    works(&["cleanup", "--kubeconfig", &lab.kubeconfig, "--run", &id]);
    assert_eq!(left(&lab), before);
    assert_eq!(lab.kubectl(&["get", "resourceclaims", "-A", "-o", "name"]).trim(), "");
    let as_before = json!([{"op": "remove", "path": "/spec/extendedResourceName"}]).to_string();
    lab.kubectl(&["patch", "deviceclass", class, "--type", "json", "-p", &as_before]);
}
