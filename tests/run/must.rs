//! Everything that a MUST needs, on one lab with every real component.

use super::{program, read, skipped, text, works};
use serde_json::Value;

/// Components beyond the quick set.
const COMPONENTS: [&str; 5] = ["traefik", "prometheus", "prometheus-adapter", "karpenter", "kuberay"];

/// Why a test is skipped that needs some of them.
pub const NOT_BUILT: &str = "what it needs beyond the quick set is not built here; --thorough builds it";

/// Whether this machine has built these components, in whichever version: a change of one is built again, and a new
/// machine does not spend a quarter of an hour on them unless it is asked to.
pub fn builds(components: &[&str]) -> bool {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let cache = variable("AICONFORM_CACHE_DIR")
        .or_else(|| variable("XDG_CACHE_HOME").map(|path| format!("{path}/aiconform")))
        .or_else(|| variable("HOME").map(|path| format!("{path}/.cache/aiconform")));
    let folder = cache.and_then(|path| std::fs::read_dir(format!("{path}/components")).ok());
    let names: Vec<String> =
        folder.into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let there = |component: &str| {
        // Behind the name stands the key, which has no dash.
        names.iter().any(|name| name.rsplit_once('-').is_some_and(|(name, _)| name == component))
    };
    variable("AICONFORM_THOROUGH").is_some() || components.iter().copied().all(there)
}

#[test]
fn every_must_has_a_verdict_in_one_run() {
    if !builds(&COMPONENTS) {
        return skipped(NOT_BUILT);
    }
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("run");
    let output = program()
        .args(["run", "--lab", "--level", "must", "--rounds", "4", "--output-dir"])
        .arg(&folder)
        .output()
        .unwrap();
    let (said, talk) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}{talk}");
    assert!(said.contains("8 of 8 MUSTs of 1.37 tested"), "{said}");
    let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    for one in verdict["requirements"].as_array().unwrap() {
        assert_eq!(one["verdict"], "passed", "{one:#}");
    }
    assert_eq!(works(&["judge", folder.to_str().unwrap()]), said);
    let report = read(&folder.join("report.html"));
    for title in
        ["Where the requests went", "A metric rises and falls", "Nodes against pods", "A load comes and goes"]
    {
        assert!(report.contains(title), "the report has no picture {title:?}");
    }
}
