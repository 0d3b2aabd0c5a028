//! `dra_support` from outside: with the printed role, whatever the seed, and killed in the middle.

use super::killed::signalled_with;
use super::timed;
use super::{Lab, left, program, read, text, works};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

/// The last release that asks for it.
const CHOSEN: [&str; 4] = ["--release", "1.35", "--only", "dra_support"];

fn run(kubeconfig: &str, folder: &Path, seed: &str) -> Output {
    let mut command = program();
    command.args(["run", "--kubeconfig", kubeconfig, "--seed", seed]).args(CHOSEN);
    command.arg("--output-dir").arg(folder).output().unwrap()
}

/// The outcome of every claim.
fn outcomes(folder: &Path) -> BTreeMap<String, String> {
    let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    let claims = verdict["requirements"][0]["subjects"][0]["claims"].as_array().unwrap().clone();
    claims.iter().map(|claim| (claim["id"].to_string(), claim["outcome"].to_string())).collect()
}

#[test]
fn devices_of_the_run_are_given_whatever_the_seed_and_nothing_of_them_is_left() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = lab.with_role(directory.path(), &["--only", "dra_support"]);

    // `--thorough` takes ten seeds.
    let seeds = if std::env::var("AICONFORM_THOROUGH").is_ok() { 10 } else { 2 };
    let mut first = BTreeMap::new();
    for seed in 1..=seeds {
        let folder = directory.path().join(seed.to_string());
        let output = run(&kubeconfig, &folder, &seed.to_string());
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
        assert!(said.contains("dra_support (MUST): PASSED\n"), "{said}");
        assert_eq!(works(&["judge", folder.to_str().unwrap()]), said);
        let found = outcomes(&folder);
        assert!(found.len() > 5 && found.values().all(|outcome| outcome == "\"met\""), "{found:#?}");
        if seed == 1 {
            first.clone_from(&found);
        }
        assert_eq!(found, first, "seed {seed}");
        assert_eq!(left(&lab), Vec::<String>::new());
    }

    // Its journal holds a PriorityClass, a namespace, and by then some of the slices.
    let folder = directory.path().join("killed");
    let (id, _) = signalled_with(&lab, &folder, "", 8, "-KILL", &CHOSEN).unwrap();
    assert!(left(&lab).iter().any(|name| name.contains("resourceslice")), "{:?}", left(&lab));
    works(&["cleanup", "--kubeconfig", &lab.kubeconfig, "--run", &id]);
    assert_eq!(left(&lab), Vec::<String>::new());

    // Without permission on slices nothing is found, and nothing is held against the platform.
    let may_not = "[{\"op\": \"remove\", \"path\": \"/rules\"}]";
    lab.kubectl(&["patch", "clusterrole", "aiconform", "--type", "json", "-p", may_not]);
    let output = run(&kubeconfig, &directory.path().join("less"), "1");
    let said = text(&output.stdout);
    assert!(matches!(output.status.code(), Some(3 | 4)), "{said}{}", text(&output.stderr));
    assert!(said.contains("INCONCLUSIVE") && said.contains("resourceslices"), "{said}");
}
