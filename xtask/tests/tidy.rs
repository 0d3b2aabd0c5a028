//! The invariants of the design, over the non-test code of `crates/`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use aiconform_model::Kind;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Runs of six and more lines that stand in two places, at most: a third is a question.
const REPEATED: usize = 45;

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
    for name in
        ["trial", "check", "checks", "engine", "lab", "cli", "report", "verdict", "model", "evidence", "wait"]
    {
        let dependencies = manifest(name);
        assert!(
            !dependencies.lines().any(|line| line.starts_with("kube.") || line.starts_with("k8s-openapi.")),
            "{name}"
        );
    }
}

#[test]
fn what_is_pure_uses_neither_tokio_nor_the_cluster() {
    for name in ["trial", "verdict", "report", "model", "submission"] {
        let dependencies = manifest(name);
        assert!(!dependencies.contains("tokio") && !dependencies.contains("aiconform-cluster"), "{name}");
    }
    let judges: Vec<_> = sources().into_iter().filter(|(_, path, _)| path.contains("/judge/")).collect();
    assert!(judges.len() >= aiconform_checks::CHECKS.len());
    let acting =
        ["tokio", "aiconform_cluster", "aiconform_check::", "aiconform_wait", "crate::acts", "crate::find"];
    for (_, path, code) in judges {
        let found = acting.iter().find(|word| {
            code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(**word))
        });
        assert!(found.is_none(), "{path} judges, and names {found:?}, which acts");
    }
}

#[test]
fn no_requirement_imports_another() {
    for check in aiconform_checks::CHECKS {
        let manifest = manifest(&format!("checks/{}", check.id));
        for other in aiconform_checks::CHECKS.iter().filter(|other| other.id != check.id) {
            let name = format!("aiconform-{}", other.id.replace('_', "-"));
            assert!(!manifest.contains(&name), "{} imports {name}", check.id);
        }
    }
}

#[test]
fn no_check_outgrows_its_room_and_what_stands_twice_does_not_grow() {
    let count = xtask::count::count(&root().join("crates")).unwrap();
    for (name, lines) in count.lines.iter().filter(|(name, _)| name.starts_with("checks/")) {
        assert!(*lines <= 9_000, "{name} has {lines} lines");
    }
    assert!(
        count.repeated.len() <= REPEATED,
        "{} runs of lines stand twice:\n{}",
        count.repeated.len(),
        count.repeated.join("\n")
    );
}

#[test]
fn every_check_goes_through_the_frame() {
    let all = sources();
    let holds = |id: &str, words: &[&str]| {
        let shares = format!("crates/checks/{id}/");
        let shared = manifest(&format!("checks/{id}")).contains("aiconform-accelerators");
        all.iter().any(|(_, path, code)| {
            let own =
                path.starts_with(&shares) || shared && path.starts_with("crates/accelerators/src/shares/");
            own && words.iter().any(|word| code.contains(word))
        })
    };
    for check in aiconform_checks::CHECKS {
        assert!(holds(check.id, &[".doubt(Guard"]), "{} has a guard of its own", check.id);
        assert!(
            holds(
                check.id,
                &[
                    "subject::all(",
                    "subject::one(",
                    "subject::together(",
                    "aiconform_check::subject::{Candidate, Started, all, start}"
                ]
            ),
            "{} has a driver of its own",
            check.id
        );
    }
    // A claim judges what was read once.
    for (_, path, code) in all.iter().filter(|(name, ..)| name == "checks" || name == "accelerators") {
        assert!(!code.contains("&[&Event]"), "{path} reads events again");
        assert!(!code.contains("thread_local!"), "{path} remembers between claims");
    }
}

/// What product or idea of one check each stands for.
const WORDS_OF_ONE: &[&str] =
    &["kueue", "keda", "ray.io", "kuberay", "traefik", "karpenter", "volcano", "kai", "gang"];

/// Where a general room names one all the same: path, part of the line, reason.
const NAMED_ALL_THE_SAME: &[(&str, &str, &str)] = &[
    ("crates/trial/src/labels.rs", "pub const GANG", "a label that stored runs and tapes hold"),
    ("crates/trial/src/foreign.rs", "aiconform.dev~1gang", "that label in a list of fields"),
    ("crates/check/src/cx.rs", "GANG_SIZE", "the default of one check's option"),
    ("crates/check/src/profile.rs", "gang_scheduling", "the profile's part of a requirement has its name"),
    ("crates/check/src/profile.rs", "GangScheduling", "the type of that part"),
    ("crates/check/src/profile.rs", "Karpenter", "a name that users write into their profiles"),
    (
        "crates/check/src/pod.rs",
        "karpenter.sh/do-not-disrupt",
        "asks whoever removes nodes to leave test pods",
    ),
    ("crates/engine/src/tapes.rs", "gang_scheduling/tapes/", "tapes that its tests store as runs"),
    ("crates/evidence/src/derive/collect.rs", "\"ray.io\"", "a host of public documents, which is no secret"),
];

fn holds_word(line: &str, word: &str) -> bool {
    let line = line.to_lowercase();
    if word == "kai" {
        return line.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|part| part == word);
    }
    line.contains(word)
}

#[test]
fn general_rooms_name_no_product_and_no_idea_of_one_check() {
    const ROOMS: &[&str] = &["cluster", "verdict", "report", "engine", "evidence", "wait", "trial", "check"];
    let page = "crates/report/templates/report.html".to_owned();
    let template = fs::read_to_string(root().join(&page)).unwrap();
    let files = sources().into_iter().chain([("report".to_owned(), page, template)]);
    let mut found = Vec::new();
    for (_, path, code) in files.filter(|(name, ..)| ROOMS.contains(&name.as_str())) {
        for (number, line) in code.lines().enumerate() {
            let line = line.split("// ").next().unwrap().trim();
            if !line.starts_with("//") && WORDS_OF_ONE.iter().any(|word| holds_word(line, word)) {
                found.push((path.clone(), number + 1, line.to_owned()));
            }
        }
    }
    let is_excepted = |(path, _, line): &(String, usize, String)| {
        NAMED_ALL_THE_SAME.iter().any(|(place, part, _)| path == place && line.contains(part))
    };
    let strange: Vec<_> = found.iter().filter(|found| !is_excepted(found)).collect();
    assert!(strange.is_empty(), "these belong to a check, an adapter or the lab: {strange:#?}");
    for (place, part, _) in NAMED_ALL_THE_SAME {
        assert!(
            found.iter().any(|(path, _, line)| path == place && line.contains(part)),
            "{place} does not hold {part:?} any more: strike it from the list"
        );
    }
}

#[test]
fn unsafe_code_has_its_named_places() {
    let found: Vec<String> = sources()
        .into_iter()
        .filter(|(_, _, code)| code.contains("unsafe {") || code.contains("allow(unsafe_code"))
        .map(|(_, path, _)| path)
        .collect();
    // The C library, the library of a maker's driver, and one that poses as it.
    let named = ["cli/src/memory.rs", "load-nvidia/src/driver.rs", "simulated-cuda/src/lib.rs"];
    let named = named.map(|path| format!("crates/{path}"));
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(named));
}

#[test]
fn what_is_not_kept_for_judging_is_read_nowhere() {
    for check in aiconform_checks::CHECKS {
        let kinds = [Kind::pod(), Kind::node()];
        for pointer in kinds.iter().flat_map(|kind| check.rules.unread(kind, &Value::Null)) {
            let place = |(_, path, code): (String, String, String)| code.contains(pointer).then_some(path);
            let found: Vec<String> = sources()
                .into_iter()
                .filter(|(name, ..)| {
                    ["checks", "accelerators", "trial", "verdict", "report"].contains(&name.as_str())
                })
                .filter_map(place)
                .collect();
            // Where it stands in the list.
            assert_eq!(found.len(), 1, "{pointer} is not kept, so that nothing may read it: {found:?}");
        }
    }
}

#[test]
fn only_lab_starts_processes() {
    // The probe starts the load in its own container, and the load itself to be measured.
    only(&["lab", "load-nvidia", "probe"], &["process::Command", "Command::new("]);
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
    only(&["cli", "load-nvidia", "probe", "simulator"], &["println!", "eprintln!", "print!(", "eprint!("]);
}

#[test]
fn only_wait_sleeps() {
    only(&["wait", "load-nvidia", "probe"], &["sleep("]);
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
        let folder = root().join("crates/checks").join(check.id);
        for part in ["src/lib.rs", "explain.md", "faults.toml", "src/tests.rs"] {
            assert!(folder.join(part).exists(), "{}: {part} is missing", check.id);
        }
        // What two requirements share as one trial has its halves beside them.
        let shared = root().join("crates/accelerators/src/shares");
        for part in ["marks", "acts", "judge"] {
            let is_there =
                |place: &Path| place.join(part).exists() || place.join(format!("{part}.rs")).exists();
            let own = is_there(&folder.join("src"));
            let manifest = manifest(&format!("checks/{}", check.id));
            let of_shares = manifest.contains("aiconform-accelerators") && is_there(&shared);
            assert!(own || of_shares, "{}: {part} is missing", check.id);
        }
        for tape in ["met", "unmet", "absent"] {
            assert!(folder.join(format!("tapes/{tape}.ndjson")).exists(), "{}: no tape for {tape}", check.id);
        }
        assert!(
            aiconform_model::catalogue::requirement(check.id).is_some(),
            "{} is no requirement",
            check.id
        );
        assert_eq!(check.rules.check(), check.id);
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

/// First words that leave open what a thing is. Help texts of the command line are sentences of their own.
const OPAQUE: [&str; 8] = ["What", "Whether", "The same", "Who", "Whoever", "Those", "Which", "How"];

#[test]
fn doc_comments_begin_with_the_thing() {
    let is_doc = |line: &str| line.trim_start().starts_with("///") || line.starts_with("//!");
    let text = |line: &str| line.trim_start().trim_start_matches(['/', '!']).trim().to_owned();
    let mut found = Vec::new();
    for (name, path, code) in sources() {
        // Commands and settings are described by their doc comments.
        if name == "cli" || code.contains("clap::") {
            continue;
        }
        let mut before = "";
        for line in code.lines() {
            let begins = is_doc(line) && !is_doc(before);
            let is_opaque =
                |word: &&str| text(line).strip_prefix(word).is_some_and(|rest| rest.starts_with(' '));
            if begins && OPAQUE.iter().any(is_opaque) {
                found.push(format!("{path}: {}", line.trim()));
            }
            before = line;
        }
    }
    assert!(found.is_empty(), "name the thing first:\n{}", found.join("\n"));
}
