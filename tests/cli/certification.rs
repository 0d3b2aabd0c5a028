//! From a run to a submission and its review, without a cluster: the runs are made of tapes.

use super::aiconform;
use aiconform_evidence::Folder;
use aiconform_model::{Event, Sink, catalogue};
use camino::Utf8Path;
use std::fmt::Write;
use std::path::Path;

const MET: &str = include_str!("../../crates/checks/src/gang_scheduling/tapes/met.ndjson");
const UNMET: &str = include_str!("../../crates/checks/src/gang_scheduling/tapes/unmet.ndjson");

/// A run folder with the evidence of a tape, and its views.
fn run(folder: &Path, name: &str, tape: &str) {
    let path = folder.join(name);
    let written = Folder::create(Utf8Path::from_path(&path).unwrap()).unwrap();
    for line in tape.lines() {
        let event: Event = serde_json::from_str(line).unwrap();
        written.write(&event.scope, event.kind);
    }
    let run = serde_json::json!({
        "tool": {"name": "aiconform", "version": "0.1.0"}, "release": "1.37", "checks": ["gang_scheduling"],
        "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:03:00Z", "level": "must", "seed": 1,
        "cluster": {"version": "v1.37.2", "context": "stratus"},
    });
    written.finish(&run).unwrap();
    let report = aiconform(&["report", name], folder);
    assert_eq!(report.code, 0, "{}", report.talk);
}

/// A clone of the programme with a template of made-up sentences.
fn program(folder: &Path) {
    let mut template = String::from("# Checklist\nmetadata:\n  kubernetesVersion: v1.37\n");
    for key in ["platformName", "platformVersion", "vendorName", "websiteUrl", "repoUrl"] {
        let _ = writeln!(template, "  {key}: \"[{key}]\"");
    }
    template.push_str("spec:\n");
    let mut category = "";
    for requirement in catalogue::requirements() {
        let Some(level) = requirement.level("1.37") else { continue };
        if category != requirement.category {
            category = &requirement.category;
            let _ = writeln!(template, "  {category}:");
        }
        let _ = writeln!(
            template,
            "    - id: {0}\n      description: \"Sentence of {0}.\"\n      level: {1}\n      status: \"\" # one of four\n      evidence: []\n      notes: \"\"",
            requirement.id,
            level.word()
        );
    }
    std::fs::create_dir_all(folder.join("docs")).unwrap();
    std::fs::write(folder.join("docs/AIConformance-1.37.yaml"), template).unwrap();
}

const PRODUCT: &str = "[metadata]
platform_name = \"Stratus\"
platform_version = \"4.2\"
vendor_name = \"Cirrus Systems\"
website_url = \"https://cirrus.test/\"
documentation_url = \"https://docs.cirrus.test/\"
product_logo_url = \"https://cirrus.test/stratus.svg\"
description = \"A platform above the clouds.\"
contact_email_address = \"stratus@cirrus.test\"
k8s_conformance_url = \"https://github.com/cncf/k8s-conformance/tree/master/v1.37/stratus\"
";

fn submit<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let base = ["submit", "run", "--program", ".", "--product", "product.toml", "--output-dir", target];
    [&base, more].concat()
}

fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path());
    std::fs::write(folder.path().join("product.toml"), PRODUCT).unwrap();
    run(folder.path(), "run", MET);
    folder
}

#[test]
fn a_demonstration_is_accepted_by_the_validator_and_refused_by_us() {
    let folder = prepared();
    let refused = aiconform(&submit("v1.37/stratus", &[]), folder.path());
    assert_eq!(refused.code, 1, "{}", refused.talk);
    assert!(
        refused.talk.contains("- pod_autoscaling: it is a MUST and the run did not test it"),
        "{}",
        refused.talk
    );
    assert!(!refused.talk.contains("- gang_scheduling"), "{}", refused.talk);
    assert!(!folder.path().join("v1.37").exists());
    let made = aiconform(&submit("v1.37/stratus", &["--demo"]), folder.path());
    assert_eq!(made.code, 0, "{}", made.talk);
    let product = std::fs::read_to_string(folder.path().join("v1.37/stratus/PRODUCT.yaml")).unwrap();
    assert!(
        product.contains("junit.xml#TestGangScheduling") && product.contains("# one of four"),
        "{product}"
    );
    let theirs = aiconform(&["review", "v1.37/stratus", "--validator-only"], folder.path());
    assert_eq!(theirs.code, 0, "{}", theirs.data);
    let ours = aiconform(&["review", "v1.37/stratus"], folder.path());
    assert_eq!(ours.code, 1);
    assert!(
        ours.data.contains("error[evidence_given]: pod_autoscaling (MUST) is Implemented"),
        "{}",
        ours.data
    );
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn a_submission_that_cannot_be_made_leaves_nothing() {
    let folder = prepared();
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let said = aiconform(arguments, folder.path());
        assert!(said.code == code && said.talk.contains(words), "{arguments:?}: {} {}", said.code, said.talk);
        assert!(!folder.path().join("v1.37").exists() && !folder.path().join("v1.36").exists());
    };
    fails(&submit("v1.36/stratus", &["--demo"]), 2, "the run is of release 1.37");
    fails(&submit("/proc/v1.37/stratus", &["--demo"]), 3, "nothing can be written in /proc");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("members.txt", "Nimbus (member)\n");
    fails(&submit("v1.37/stratus", &["--demo", "--members", "members.txt"]), 1, "vendor_member");
    write("product.toml", &PRODUCT.replace("Cirrus Systems", "[Vendor Name]"));
    fails(&submit("v1.37/stratus", &["--demo"]), 2, "put your own value there");
    write("product.toml", &PRODUCT.replace("vendor_name", "vendor"));
    fails(&submit("v1.37/stratus", &["--demo"]), 2, "product.toml, line 4, column 1");
    let attested = "[attest.ai_inference]\ntext = \"x\"\nevidence = [\"junit.xml\"]\n";
    write("product.toml", &format!("{PRODUCT}{attested}"));
    fails(&submit("v1.37/stratus", &["--demo"]), 2, "which is no link");
    write("product.toml", PRODUCT);
    std::fs::remove_file(folder.path().join("docs/AIConformance-1.37.yaml")).unwrap();
    fails(&submit("v1.37/stratus", &["--demo"]), 2, "no template for release 1.37");
}

/// Changes a file of a folder by its text.
fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{}: {from}", file.display());
    std::fs::write(file, text.replacen(from, to, 1)).unwrap();
}

/// How somebody may tamper with a submission and the run folder in it, and what must be named.
type Tampering = (fn(&Path), &'static str);

const TAMPERINGS: &[Tampering] = &[
    (|run| edit(&run.join("run/events.ndjson"), "\"sequence\":3,", "\"sequence\":4,"), "events.ndjson"),
    (|run| edit(&run.join("run/events.ndjson"), "\"time\":\"20", "\"time\":\"21"), "events.ndjson, line 2"),
    (|run| without_line(&run.join("run/events.ndjson"), 5), "events.ndjson, line 6"),
    (|run| twice_line(&run.join("run/events.ndjson"), 5), "events.ndjson, line 7"),
    (|run| swap_lines(&run.join("run/events.ndjson"), 7), "events.ndjson, line 8"),
    (|run| cut(&run.join("run/events.ndjson"), 1), "cut off"),
    (|run| cut(&run.join("run/events.ndjson"), 900), "cut off"),
    (|run| last_line_gone(&run.join("run/events.ndjson")), "the manifest says"),
    (|run| edit(&run.join("run/events.ndjson"), "{", "{{"), "events.ndjson, line 1"),
    (|run| edit(&run.join("run/run.json"), "v1.37.2", "v1.37.3"), "run.json was changed"),
    (|run| edit(&run.join("run/run.json"), "\"1.37\"", "\"1.36\""), "run.json was changed"),
    (|run| std::fs::remove_file(run.join("run/run.json")).unwrap(), "run.json"),
    (|run| edit(&run.join("run/manifest.json"), "\"count\":", "\"count\":1"), "the manifest says"),
    (|run| edit(&run.join("run/manifest.json"), "\"blobs\":[", "\"blobs\":[\"00\""), "blobs/00"),
    (|run| std::fs::write(run.join("run/manifest.json"), "{}").unwrap(), "manifest.json"),
    (|run| edit(&run.join("run/summary.md"), "passed", "passed well"), "run/summary.md"),
    (|run| edit(&run.join("run/report.html"), "passed", "failed"), "run/report.html"),
    (|run| edit(&run.join("run/verdict.json"), "\"passed\"", "\"failed\""), "run/verdict.json"),
    (|run| edit(&run.join("e2e.log"), "--- PASS: TestGang", "--- SKIP: TestGang"), "e2e.log"),
    (|run| edit(&run.join("junit.xml"), "<testcase ", "<testcase  "), "junit.xml"),
    (|run| without_line(&run.join("results.json"), 8), "results.json"),
    (|run| edit(&run.join("summary.md"), "v1.37.2", "v1.37.9"), "summary.md"),
    (
        |run| edit(&run.join("PRODUCT.yaml"), "junit.xml#TestGangScheduling", "junit.xml#TestGang"),
        "is not in",
    ),
];

fn lines(file: &Path, change: impl FnOnce(&mut Vec<&str>)) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    change(&mut lines);
    std::fs::write(file, lines.concat()).unwrap();
}

fn without_line(file: &Path, number: usize) {
    lines(file, |lines| {
        lines.remove(number);
    });
}

fn twice_line(file: &Path, number: usize) {
    lines(file, |lines| lines.insert(number, lines[number]));
}

fn swap_lines(file: &Path, number: usize) {
    lines(file, |lines| lines.swap(number, number + 1));
}

fn last_line_gone(file: &Path) {
    lines(file, |lines| {
        lines.pop();
    });
}

fn cut(file: &Path, bytes: usize) {
    let text = std::fs::read(file).unwrap();
    std::fs::write(file, &text[..text.len() - bytes]).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn tampering_with_a_run_folder_or_its_artifacts_is_named() {
    let folder = prepared();
    assert_eq!(aiconform(&submit("v1.37/stratus", &["--demo"]), folder.path()).code, 0);
    let product = folder.path().join("v1.37/stratus");
    copy(&folder.path().join("run"), &product.join("run"));
    let errors = |name: &str| -> Vec<String> {
        let review = aiconform(&["review", name, "-o", "json"], folder.path());
        let review: serde_json::Value = serde_json::from_str(&review.data).unwrap();
        let findings = review["submissions"][0]["findings"].as_array().unwrap().clone();
        let errors = findings.iter().filter(|finding| finding["level"] == "error");
        errors
            .map(|finding| format!("{} {}: {}", finding["rule"], finding["file"], finding["says"]))
            .collect()
    };
    let untouched = errors("v1.37/stratus");
    assert!(untouched.iter().all(|error| error.contains("evidence_given")), "{untouched:#?}");
    for (number, (tamper, named)) in TAMPERINGS.iter().enumerate() {
        let name = format!("{number}/v1.37/stratus");
        let copied = folder.path().join(&name);
        copy(&product, &copied);
        tamper(&copied);
        let new: Vec<String> = errors(&name).into_iter().filter(|error| !untouched.contains(error)).collect();
        assert!(
            new.iter().any(|error| error.contains(named)),
            "{number}: {named:?} is not named in {new:#?}"
        );
    }
}

#[test]
fn what_got_worse_between_runs_and_submissions_is_told() {
    let folder = prepared();
    run(folder.path(), "worse", UNMET);
    let same = aiconform(&["compare", "run", "run"], folder.path());
    assert!(same.code == 0 && same.data.contains("0 changed, 0 regressions"), "{} {}", same.data, same.talk);
    let worse = aiconform(&["compare", "run", "worse"], folder.path());
    assert_eq!(worse.code, 1, "{}", worse.data);
    assert!(worse.data.contains("REGRESSION worse: gang_scheduling: passed -> failed"), "{}", worse.data);
    let better = aiconform(&["compare", "worse", "run"], folder.path());
    assert!(better.data.contains("better: gang_scheduling: failed -> passed"), "{}", better.data);
    assert_eq!(aiconform(&submit("v1.37/stratus", &["--demo"]), folder.path()).code, 0);
    copy(&folder.path().join("v1.37/stratus"), &folder.path().join("later/v1.37/stratus"));
    edit(&folder.path().join("later/v1.37/stratus/PRODUCT.yaml"), "\"Implemented\"", "\"Not Implemented\"");
    let submissions = aiconform(&["compare", "v1.37/stratus", "later/v1.37/stratus"], folder.path());
    assert_eq!(submissions.code, 1, "{}", submissions.data);
    assert!(submissions.data.contains("REGRESSION worse"), "{}", submissions.data);
    // A run folder in a submission is judged here too: this one contradicts what is claimed.
    copy(&folder.path().join("v1.37/stratus"), &folder.path().join("contradicted/v1.37/stratus"));
    copy(&folder.path().join("worse"), &folder.path().join("contradicted/v1.37/stratus/worse"));
    let contradicted = aiconform(&["compare", "v1.37/stratus", "contradicted/v1.37/stratus"], folder.path());
    assert!(
        contradicted.code == 1 && contradicted.data.contains("gang_scheduling in the review: run_folder"),
        "{}",
        contradicted.data
    );
    std::fs::write(folder.path().join("later/v1.37/stratus/PRODUCT.yaml"), "a: [").unwrap();
    let broken =
        aiconform(&["compare", "later/v1.37/stratus", "later/v1.37/stratus/PRODUCT.yaml"], folder.path());
    assert!(broken.code == 2 && broken.talk.contains("cannot be compared"), "{}", broken.talk);
    let mixed = aiconform(&["compare", "run", "v1.37/stratus"], folder.path());
    assert!(mixed.code == 2 && mixed.talk.contains("run is a run folder"), "{}", mixed.talk);
}
