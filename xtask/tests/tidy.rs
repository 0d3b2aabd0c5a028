//! The invariants of the design, over the non-test code of `crates/`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use aiconform_model::Kind;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Name of the crate, path from the root, and code up to its tests.
fn sources() -> Vec<(String, String, String)> {
    let root = root();
    WalkDir::new(root.join("crates"))
        .into_iter()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .filter(|entry| {
            entry.file_name() != "tests.rs"
                && entry.file_name() != "build.rs"
                && !entry.path().components().any(|part| part.as_os_str() == "tests")
        })
        .map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap().display().to_string();
            let text = fs::read_to_string(entry.path()).unwrap();
            let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            (path.split('/').nth(1).unwrap().to_owned(), path, code)
        })
        .collect()
}

fn manifest(name: &str) -> String {
    fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml"))).unwrap()
}

/// Fails with every place outside `allowed` whose code holds one of the words.
fn only(allowed: &[&str], words: &[&str]) {
    let found: Vec<String> = sources()
        .into_iter()
        .filter(|(name, ..)| !allowed.contains(&name.as_str()))
        .flat_map(|(_, path, code)| {
            let hits: Vec<String> = code
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//"))
                .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
                .map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim()))
                .collect();
            hits
        })
        .collect();
    assert!(found.is_empty(), "only {allowed:?} may hold {words:?}:\n{}", found.join("\n"));
}

#[test]
fn the_tests_look_at_the_code() {
    assert!(sources().len() > 50, "{} files", sources().len());
}

#[test]
fn only_cluster_names_kube() {
    only(&["cluster"], &["kube::", "use kube", "k8s_openapi"]);
    for name in ["checks", "engine", "lab", "cli", "report", "verdict", "model", "evidence", "wait"] {
        let dependencies = manifest(name);
        assert!(
            !dependencies.lines().any(|line| line.starts_with("kube.") || line.starts_with("k8s-openapi.")),
            "{name}"
        );
    }
}

#[test]
fn what_is_pure_uses_neither_tokio_nor_the_cluster() {
    for name in ["verdict", "report", "model", "submission"] {
        let dependencies = manifest(name);
        assert!(!dependencies.contains("tokio") && !dependencies.contains("aiconform-cluster"), "{name}");
    }
    let judges: Vec<_> = sources()
        .into_iter()
        .filter(|(name, path, _)| {
            name == "checks" && (path.ends_with("/judge.rs") || path.contains("/judge/"))
        })
        .collect();
    assert!(judges.len() >= aiconform_checks::CHECKS.len());
    for (_, path, code) in judges {
        assert!(!code.contains("tokio") && !code.contains("aiconform_cluster"), "{path}");
    }
}

#[test]
fn unsafe_code_has_one_place() {
    let found: Vec<String> = sources()
        .into_iter()
        .filter(|(_, _, code)| code.contains("unsafe {") || code.contains("allow(unsafe_code"))
        .map(|(_, path, _)| path)
        .collect();
    assert_eq!(found, ["crates/cli/src/memory.rs"]);
}

#[test]
fn what_is_not_kept_for_judging_is_read_nowhere() {
    for check in aiconform_checks::CHECKS {
        let kinds = [Kind::pod(), Kind::node()];
        for pointer in kinds.iter().flat_map(|kind| (check.rules.unread)(kind, &Value::Null)) {
            let place = |(_, path, code): (String, String, String)| code.contains(pointer).then_some(path);
            let found: Vec<String> = sources()
                .into_iter()
                .filter(|(name, ..)| ["checks", "verdict", "report"].contains(&name.as_str()))
                .filter_map(place)
                .collect();
            // Where it stands in the list.
            assert_eq!(found.len(), 1, "{pointer} is not kept, so that nothing may read it: {found:?}");
        }
    }
}

#[test]
fn only_lab_starts_processes() {
    only(&["lab"], &["process::Command", "Command::new("]);
}

#[test]
fn only_links_asks_the_internet_and_only_what_is_public() {
    only(&["links"], &["hickory_resolver", "impl Gate for", "impl Names for"]);
    let gates = sources().into_iter().filter(|(_, _, code)| code.contains("impl Gate for"));
    assert_eq!(gates.map(|(_, path, _)| path).collect::<Vec<_>>(), ["crates/links/src/gate.rs"]);
}

#[test]
fn only_programs_print() {
    let library =
        |path: &str| path.starts_with("crates/simulator/") && path != "crates/simulator/src/main.rs";
    for (_, path, code) in sources().iter().filter(|(_, path, _)| library(path)) {
        assert!(!code.contains("println!") && !code.contains("print!("), "{path}");
    }
    only(&["cli", "probe", "simulator"], &["println!", "eprintln!", "print!(", "eprint!("]);
}

#[test]
fn only_wait_sleeps() {
    only(&["wait", "probe"], &["sleep("]);
}

#[test]
fn lab_knows_nothing_of_checks_and_verdict_nothing_of_reports() {
    for (name, foreign) in
        [("lab", "aiconform-checks"), ("verdict", "aiconform-report"), ("checks", "aiconform-engine")]
    {
        assert!(!manifest(name).contains(foreign), "{name} must not use {foreign}");
    }
}

#[test]
fn a_rule_is_named_after_its_file() {
    let folder = root().join("crates/submission/src/rules");
    let mut files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "mod" && name != "tests")
        .collect();
    files.sort();
    let mut rules: Vec<&str> = aiconform_submission::rules::RULES.iter().map(|rule| rule.id).collect();
    rules.sort_unstable();
    assert_eq!(rules, files);
}

#[test]
fn every_check_folder_is_complete_and_named_after_its_requirement() {
    for check in aiconform_checks::CHECKS {
        let folder = root().join("crates/checks/src").join(check.id);
        for part in ["mod.rs", "run.rs", "judge.rs", "adapters", "explain.md", "faults.toml", "tests.rs"] {
            assert!(folder.join(part).exists(), "{}: {part} is missing", check.id);
        }
        for tape in ["met", "unmet", "absent"] {
            assert!(folder.join(format!("tapes/{tape}.ndjson")).exists(), "{}: no tape for {tape}", check.id);
        }
        assert!(
            aiconform_model::catalogue::requirement(check.id).is_some(),
            "{} is no requirement",
            check.id
        );
        assert_eq!(check.rules.check, check.id);
        assert_eq!(aiconform_model::catalogue::test_name(check.id), check.test_name);
    }
}

#[test]
fn generated_files_are_fresh() {
    for (path, content) in xtask::generated().unwrap() {
        let there = fs::read_to_string(root().join(path)).unwrap_or_default();
        assert!(there == content, "{path} is stale: cargo run -p xtask -- codegen");
    }
}

#[test]
fn versions_stand_in_one_place() {
    for entry in WalkDir::new(root().join("crates"))
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_name() == "Cargo.toml")
    {
        let text = fs::read_to_string(entry.path()).unwrap();
        let own = text.lines().find(|line| line.contains("version = ") || line.contains("path = \"crates"));
        assert!(
            own.is_none(),
            "{}: versions belong into the workspace's Cargo.toml: {own:?}",
            entry.path().display()
        );
    }
}
