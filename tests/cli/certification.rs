//! From a run to a submission and its review, without a cluster: the runs are made of tapes.

use super::aiconform;
use aiconform_evidence::Folder;
use aiconform_model::{Event, Sink, catalogue};
use camino::Utf8Path;
use std::fmt::Write;
use std::path::Path;

const MET: &str = include_str!("../../crates/checks/gang_scheduling/tapes/met.ndjson");
const UNMET: &str = include_str!("../../crates/checks/gang_scheduling/tapes/unmet.ndjson");

/// A run folder with the evidence of a tape, and its views.
pub(super) fn run(folder: &Path, name: &str, tape: &str) {
    let path = folder.join(name);
    let written = Folder::create(Utf8Path::from_path(&path).unwrap()).unwrap();
    for line in tape.lines() {
        let event: Event = serde_json::from_str(line).unwrap();
        written.write(&event.scope, event.kind);
    }
    let run = serde_json::json!({
        "tool": {"name": "aiconform", "version": "0.1.0"}, "release": "1.37", "checks": ["gang_scheduling"],
        "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:03:00Z", "level": "must", "seed": 1,
        "cluster": {"version": "v1.37.2", "context": "my-context"},
    });
    written.finish(&run).unwrap();
    let report = aiconform(&["report", name], folder);
    assert_eq!(report.code, 0, "{}", report.talk);
}

#[test]
fn the_report_can_be_read_by_everybody() {
    let folder = tempfile::tempdir().unwrap();
    for (name, tape) in [("met", MET), ("unmet", UNMET)] {
        run(folder.path(), name, tape);
        super::axe::is_accessible(&folder.path().join(name).join("report.html"));
    }
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

pub(super) fn submit<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let base = ["submit", "run", "--program", ".", "--product", "product.toml", "--output-dir", target];
    [&base, more].concat()
}

pub(super) fn prepared() -> tempfile::TempDir {
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
    assert!(ours.data.contains("error[evidence_given]: ai_inference (MUST) is Implemented"), "{}", ours.data);
    assert!(ours.data.contains("the same in 6 other places: "), "{}", ours.data);
    let all = aiconform(&["review", "v1.37/stratus", "--all"], folder.path());
    assert!(all.data.contains("pod_autoscaling (line ") && !all.data.contains("--all"), "{}", all.data);
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
    assert_eq!(aiconform(&["report", "v1.37/stratus/run"], folder.path()).code, 0);
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

/// Every file of a folder, its name and its text.
pub(super) fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            all.extend(texts(&entry.path()));
        } else {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            all.push((entry.path().display().to_string(), text));
        }
    }
    all
}

#[test]
fn names_are_pseudonyms_that_the_key_keeps_equal() {
    let folder = prepared();
    let path = |name: &str| folder.path().join(name);
    let names = ["node-0", "my-context"];
    let seen = texts(&path("run"));
    assert!(names.iter().all(|name| seen.iter().any(|(_, text)| text.contains(name))));
    let preview = aiconform(&["submit", "run", "--preview"], folder.path());
    assert!(
        preview.code == 0 && preview.data.contains("nothing was written"),
        "{} {}",
        preview.data,
        preview.talk
    );
    assert!(names.iter().all(|name| preview.data.contains(name)), "{}", preview.data);
    assert!(!path("v1.37").exists());
    let made = aiconform(&submit("v1.37/one", &["--demo", "--new-key", "key"]), folder.path());
    assert_eq!(made.code, 0, "{}", made.talk);
    for (file, text) in texts(&path("v1.37/one")) {
        assert!(names.iter().all(|name| !text.contains(name)), "{file}: {text}");
    }
    let key = std::fs::read_to_string(path("key")).unwrap();
    let again = aiconform(&submit("v1.37/two", &["--demo", "--key", "key"]), folder.path());
    assert_eq!(again.code, 0, "{}", again.talk);
    for (file, text) in texts(&path("v1.37")) {
        assert!(!text.contains(key.trim()), "{file} has the key");
    }
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    for file in ["e2e.log", "junit.xml", "run/events.ndjson", "run/manifest.json"] {
        assert_eq!(read(&format!("v1.37/one/{file}")), read(&format!("v1.37/two/{file}")), "{file}");
    }
    let forgotten = aiconform(&submit("v1.37/three", &["--demo"]), folder.path());
    assert_eq!(forgotten.code, 0, "{}", forgotten.talk);
    assert_ne!(read("v1.37/one/run/events.ndjson"), read("v1.37/three/run/events.ndjson"));
    let judged = aiconform(&["judge", "v1.37/one/run"], folder.path());
    assert_eq!(judged.data.lines().next(), aiconform(&["judge", "run"], folder.path()).data.lines().next());
    let review = aiconform(&["review", "v1.37/one", "--notes"], folder.path());
    assert!(review.data.contains("it is consistent, never authentic"), "{}", review.data);
    let seen = aiconform(&submit("v1.37/seen", &["--demo", "--names-as-seen"]), folder.path());
    assert!(seen.code == 0 && !path("v1.37/seen/run").exists(), "{}", seen.talk);
    assert!(std::fs::read_to_string(path("v1.37/seen/e2e.log")).unwrap().contains("my-context"));
}

#[test]
fn a_wrong_key_is_told_and_leaves_nothing() {
    let folder = prepared();
    let fails = |more: &[&str], words: &str| {
        let said = aiconform(&submit("v1.37/stratus", &[&["--demo"], more].concat()), folder.path());
        assert!(said.code == 2 && said.talk.contains(words), "{more:?}: {} {}", said.code, said.talk);
        assert!(!folder.path().join("v1.37").exists());
    };
    std::fs::write(folder.path().join("key"), "no key\n").unwrap();
    fails(&["--key", "key"], "key is no key of pseudonyms");
    fails(&["--key", "none"], "none");
    fails(&["--new-key", "key"], "never written over another");
    fails(&["--new-key", "a", "--key", "key"], "cannot be used with");
    fails(&["--names-as-seen", "--key", "key"], "cannot be used with");
    fails(&["--names-as-seen", "--hide", "word"], "cannot be used with");
    fails(&["--hide", "a-b"], "three letters or digits at least");
    // A key is kept with the submission that it made, and with no other.
    let refused = aiconform(&submit("v1.37/stratus", &["--new-key", "new"]), folder.path());
    assert!(refused.code == 1 && !folder.path().join("new").exists(), "{}", refused.talk);
}

/// A pair of keys as other programs write them: of a seed that everybody knows (RFC 8032), and of another.
fn signing_keys(folder: &Path) {
    let pem = |tag: &str, content: &str| format!("-----BEGIN {tag}-----\n{content}\n-----END {tag}-----\n");
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    write("key.pem", pem("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"));
    write("public.pem", pem("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="));
    write("other.pem", pem("PUBLIC KEY", "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="));
}

#[test]
fn a_signed_submission_is_verified_and_every_change_is_named() {
    let folder = prepared();
    signing_keys(folder.path());
    let made = aiconform(&submit("v1.37/stratus", &["--demo", "--sign", "key.pem"]), folder.path());
    assert_eq!(made.code, 0, "{}", made.talk);
    let found = |name: &str, more: &[&str]| -> Vec<String> {
        let review = aiconform(&[&["review", name, "-o", "json"], more].concat(), folder.path());
        let review: serde_json::Value = serde_json::from_str(&review.data).unwrap();
        let findings = review["submissions"][0]["findings"].as_array().unwrap().clone();
        let ours = findings.iter().filter(|finding| finding["rule"] == "signature");
        ours.map(|finding| format!("{} {}: {}", finding["level"], finding["file"], finding["says"])).collect()
    };
    let says = |found: &[String], words: &str| {
        assert!(found.iter().any(|found| found.contains(words)), "{words}: {found:#?}");
    };
    let with = ["--verify-key", "public.pem"];
    let unverified = found("v1.37/stratus", &[]);
    assert!(
        unverified.len() == 1 && unverified[0].contains("note") && unverified[0].contains("was not verified")
    );
    let valid = found("v1.37/stratus", &with);
    assert!(valid.len() == 1 && valid[0].contains("note") && valid[0].contains("has signed"), "{valid:?}");
    says(&found("v1.37/stratus", &["--verify-key", "other.pem"]), "another key has signed this");
    let tamperings: &[Tampering] = &[
        (
            |run| edit(&run.join("PRODUCT.yaml"), "Implemented", "Not Implemented"),
            "PRODUCT.yaml\": \"this file was changed",
        ),
        (
            |run| edit(&run.join("run/run.json"), "v1.37.2", "v1.37.3"),
            "run/run.json\": \"this file was changed",
        ),
        (|run| std::fs::write(run.join("more.md"), "x").unwrap(), "more.md\": \"this file is not among"),
        (
            |run| std::fs::remove_file(run.join("README.md")).unwrap(),
            "README.md\": \"this file was signed, and is not there",
        ),
        (
            |run| edit(&run.join("attestation.dsse.json"), "\"sig\": \"", "\"sig\": \"AAAA"),
            "the signature is not valid",
        ),
        (|run| edit(&run.join("attestation.dsse.json"), "{", "["), "this is no signature"),
        (
            |run| std::fs::remove_file(run.join("attestation.dsse.json")).unwrap(),
            "has not signed this submission",
        ),
    ];
    for (number, (tamper, named)) in tamperings.iter().enumerate() {
        let name = format!("{number}/v1.37/stratus");
        copy(&folder.path().join("v1.37/stratus"), &folder.path().join(&name));
        tamper(&folder.path().join(&name));
        let found = found(&name, &with);
        assert!(
            found.iter().any(|found| found.contains("error") && found.contains(named)),
            "{number}: {named:?} is not named in {found:#?}"
        );
    }
    for (arguments, words) in [
        (submit("v1.37/two", &["--demo", "--sign", "public.pem"]), "it is a public one"),
        (submit("v1.37/two", &["--demo", "--sign", "product.toml"]), "is no private key"),
        (submit("v1.37/two", &["--demo", "--sign", "none"]), "none"),
        (vec!["review", "v1.37/stratus", "--verify-key", "key.pem"], "it is a private one"),
    ] {
        let said = aiconform(&arguments, folder.path());
        assert!(said.code == 2 && said.talk.contains(words), "{arguments:?}: {} {}", said.code, said.talk);
        assert!(!said.talk.contains("MC4CAQ"), "the key is told");
    }
    assert!(!folder.path().join("v1.37/two").exists());
}

/// What `go test -v` prints of the programme's tests.
fn upstream(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let (outcome, name) = line.split_once(' ').unwrap();
        let _ = writeln!(text, "=== RUN   {name}\n--- {outcome}: {name} (1.00s)");
    }
    let failed = text.contains("--- FAIL");
    text.push_str(if failed {
        "FAIL\nFAIL\tprogramme/test\t1.000s\n"
    } else {
        "PASS\nok  \tprogramme/test\t1.000s\n"
    });
    text
}

#[test]
fn artifacts_of_the_programme_lie_beside_ours_and_contradict_nothing() {
    let folder = prepared();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let passed = ["PASS TestGangScheduling", "PASS TestSecureAcceleratorAccess", "PASS TestParseLabel"];
    write("theirs.log", &upstream(&passed).replace("(1.00s)\n", "(1.00s)\n    pod was bound on node-0\n"));
    let made = aiconform(&submit("v1.37/stratus", &["--demo", "--upstream", "theirs.log"]), folder.path());
    assert_eq!(made.code, 0, "{}", made.talk);
    let product = std::fs::read_to_string(folder.path().join("v1.37/stratus/PRODUCT.yaml")).unwrap();
    for words in [
        "junit.xml#TestGangScheduling",
        "upstream/e2e.log#TestGangScheduling",
        "upstream/e2e.log#TestSecureAcceleratorAccess",
        "The programme's own test passed too",
        "Shown by the programme's own test, not by a test of this run",
    ] {
        assert!(product.contains(words), "{words}: {product}");
    }
    let copied = std::fs::read_to_string(folder.path().join("v1.37/stratus/upstream/e2e.log")).unwrap();
    assert!(copied.contains("pod was bound on ") && !copied.contains("node-0"), "{copied}");
    let review = aiconform(&["review", "v1.37/stratus"], folder.path());
    assert!(
        !review.data.contains("error[artifact") && !review.data.contains("error[run_folder"),
        "{}",
        review.data
    );
    let fails = |code: i32, files: &[&str], words: &str| {
        let more = [&["--demo", "--upstream"], files].concat();
        let said = aiconform(&submit("v1.37/two", &more), folder.path());
        assert!(said.code == code && said.talk.contains(words), "{files:?}: {} {}", said.code, said.talk);
        assert!(!folder.path().join("v1.37/two").exists());
    };
    write("skipped.log", &upstream(&["SKIP TestGangScheduling"]));
    fails(1, &["skipped.log"], "upstream/e2e.log#TestGangScheduling was skipped");
    write("failed.log", &upstream(&["FAIL TestGangScheduling"]));
    fails(2, &["failed.log"], "tests failed in it");
    write("foreign.log", &upstream(&["PASS TestParseLabel"]));
    fails(2, &["foreign.log"], "no test in it is one of the programme's");
    write("cut.log", &upstream(&passed)[..40]);
    fails(2, &["cut.log"], "cut.log");
    fails(2, &["theirs.log", "skipped.log"], "of the same kind");
    fails(2, &["product.toml"], "this is no test artifact");
    fails(2, &["run/junit.xml"], "an artifact of aiconform");
    fails(2, &["none.xml"], "none.xml");
}
