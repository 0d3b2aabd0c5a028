//! What CONTRIBUTING says of adding a requirement is true: a made-up one is added to a copy, and touches one line.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use walkdir::WalkDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Files of a checkout by their path from its root, but for what is built and what was run.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let built = |name: &str| ["target", "runs", ".git"].contains(&name);
    WalkDir::new(root)
        .into_iter()
        .filter_entry(|entry| !entry.file_name().to_str().is_some_and(built))
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(root).unwrap().to_owned();
            (path, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn adding_a_requirement_touches_one_line_outside_its_folder() {
    let copy = tempfile::tempdir().unwrap();
    let before = files(&root());
    for (path, content) in &before {
        let path = copy.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    xtask::scaffold::add(copy.path(), "made_up_requirement", "TestMadeUpRequirement").unwrap();
    let after = files(copy.path());
    let own = Path::new("crates/checks/made_up_requirement");
    let touched: Vec<&PathBuf> = after
        .iter()
        .filter(|(path, content)| !path.starts_with(own) && before.get(*path) != Some(content))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(touched, [Path::new("crates/checks/Cargo.toml")]);
    let lines = |content: &[u8]| String::from_utf8_lossy(content).lines().count();
    let list = Path::new("crates/checks/Cargo.toml");
    assert_eq!(lines(&after[list]), lines(&before[list]) + 1);
    for part in
        ["Cargo.toml", "src/lib.rs", "src/marks.rs", "src/acts/mod.rs", "src/judge/mod.rs", "faults.toml"]
    {
        let text = String::from_utf8_lossy(&after[&own.join(part)]).into_owned();
        assert!(!text.contains("NAME") && !text.contains("\"ID\""), "{part}: {text}");
    }
    // That it compiles, and that its tests pass, takes minutes in a new folder.
    if std::env::var_os("AICONFORM_THOROUGH").is_none() {
        return;
    }
    let target = root().join("target/contributing");
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).arg("--offline").current_dir(copy.path()).env("CARGO_TARGET_DIR", &target);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    cargo(&["test", "-p", "aiconform-made-up-requirement", "--lib"]);
    cargo(&["check", "-p", "aiconform-checks"]);
}
