//! The main job from outside, on real labs: a healthy run, another namespace, other seeds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod accelerators;
mod access;
mod adapters;
mod autoscaler;
mod bad_input;
#[path = "../shared/components.rs"]
mod components;
mod devices;
mod gateways;
mod killed;
mod lab;
#[path = "../shared/ledger.rs"]
mod ledger;
mod load;
mod must;
mod pods;
mod rights;

use components::skipped;
use killed::signalled_with;
use lab::Lab;
use ledger::timed;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Output};

/// Profile of runs of which late is not what is looked at.
const PATIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/run/patient.toml");

fn program() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("aiconform"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn works(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Results by test name, from go-test events.
fn results(events: &str) -> BTreeMap<String, String> {
    events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| matches!(event["Action"].as_str(), Some("pass" | "fail" | "skip")))
        .map(|event| {
            (event["Test"].as_str().unwrap_or("").to_owned(), event["Action"].as_str().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn a_healthy_lab_passes_and_every_view_agrees() {
    timed!();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("run");
    let path = folder.to_str().unwrap();
    // Checks of accelerators have tests of their own.
    let chosen =
        ["run", "--lab", "--only", "gang_scheduling", "--rounds", "4", "--seed", "3", "--output-dir", path];
    let output = run(&[&chosen[..], &["--profile", PATIENT]].concat());
    let (said, talk) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}{talk}");
    assert!(
        said.contains("gang_scheduling (MUST): PASSED") && said.contains("1 of 8 MUSTs of 1.37 tested"),
        "{said}"
    );

    let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    let subjects = verdict["requirements"][0]["subjects"].as_array().unwrap();
    let state =
        |id: &str| subjects.iter().find(|subject| subject["id"] == id).unwrap()["state"].as_str().unwrap();
    assert_eq!(
        ["plain", "kube-native", "kueue/pods", "kueue/job"].map(state),
        ["control_met", "passed", "passed", "passed"]
    );
    let outcome = |id: &str, claim: &str| {
        let subject = subjects.iter().find(|subject| subject["id"] == id).unwrap();
        let claims = subject["claims"].as_array().unwrap();
        claims.iter().find(|found| found["id"] == claim).unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome("kube-native", "contention_is_whole"), "met");
    assert_eq!(outcome("kueue/job", "contention_is_whole"), "met");
    // A quota above the hardware does not hold gangs: seen, shown, and no part of the MUST.
    assert_eq!(outcome("kueue/job", "ample_contention_is_whole"), "unmet");

    // Judged and rendered again without a cluster: the same words, the same bytes.
    assert_eq!(works(&["judge", path]), said);
    let again = works(&["report", path]);
    assert!(again.lines().count() >= 6 && again.lines().all(|line| line.ends_with(": the same")), "{again}");

    // What judging does not keep in memory changes nothing: judged from all of it, the same.
    let check = aiconform_checks::check("gang_scheduling").unwrap();
    let whole = aiconform_evidence::Stored::open(folder.as_path().try_into().unwrap()).unwrap();
    let judged = aiconform_verdict::judge(check.rules, &whole.evidence);
    assert_eq!(serde_json::to_value(&judged.subjects).unwrap(), verdict["requirements"][0]["subjects"]);

    // Others read what we write.
    let log = read(&folder.join("e2e.log"));
    let read_by_go = Command::new("go")
        .args(["tool", "test2json", "-p", "aiconform.dev/aiconform", "cat"])
        .arg(folder.join("e2e.log"))
        .output()
        .unwrap();
    assert!(read_by_go.status.success(), "{}", text(&read_by_go.stderr));
    let (theirs, ours) = (results(&text(&read_by_go.stdout)), results(&read(&folder.join("results.json"))));
    assert!(theirs.len() > 8 && log.contains("--- PASS: TestGangScheduling"), "{log}");
    assert_eq!(theirs, ours);
    let junit =
        junit_parser::from_reader(BufReader::new(std::fs::File::open(folder.join("junit.xml")).unwrap()))
            .unwrap();
    let cases: usize = junit.suites.iter().map(|suite| suite.cases.len()).sum();
    assert_eq!((cases, junit.failures), (ours.len() - 1, 0));

    pods::are_pinned_and_end_by_themselves(&folder);
    page_is_self_contained(&folder);
    changed_evidence_is_found(&folder);
}

/// The report opens in a browser without an error and asks the network for nothing.
fn page_is_self_contained(folder: &Path) {
    let page = read(&folder.join("report.html"));
    for word in ["<script", "src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
    let profile = tempfile::tempdir().unwrap();
    let picture = folder.join("report.png");
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--window-size=1200,1400",
        ])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", folder.join("report.html").display()))
        .output()
        .expect("the tests need chromium: ./setup --tests");
    let talk = text(&output.stderr);
    assert!(output.status.success() && !talk.contains("CONSOLE"), "{talk}");
    assert!(std::fs::metadata(&picture).unwrap().len() > 40_000, "the page is not blank");
    std::fs::remove_file(picture).unwrap();
}

fn changed_evidence_is_found(folder: &Path) {
    let events = folder.join("events.ndjson");
    let whole = read(&events);
    let refused = |content: String, words: &str| {
        std::fs::write(&events, content).unwrap();
        let output = run(&["judge", folder.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    };
    refused(whole.replacen("control_arm", "control_leg", 1), "was changed");
    refused(whole.lines().skip(1).map(|line| format!("{line}\n")).collect(), "line 1");
    refused(whole[..whole.len() - 10].to_owned(), "cut off");
    std::fs::write(&events, whole).unwrap();
}

/// Whether anything of a run is in the cluster.
fn left(lab: &Lab) -> Vec<String> {
    let mut left = Vec::new();
    let kinds = [
        "namespaces",
        "priorityclasses",
        "clusterqueues",
        "resourceflavors",
        "deviceclasses",
        "resourceslices",
    ];
    // Kueue's kinds are only where Kueue is.
    let served = lab.kubectl(&["api-resources", "-o", "name"]);
    let serves = |kind: &&str| served.lines().any(|name| name.split('.').next() == Some(*kind));
    for kind in kinds.into_iter().filter(serves) {
        let found = lab.kubectl(&["get", kind, "-o", "name"]);
        let ours = |name: &&str| {
            ["aiconform-", "slots.aiconform.dev", "dra.aiconform.dev"].iter().any(|part| name.contains(part))
        };
        left.extend(found.lines().filter(ours).map(str::to_owned));
    }
    let nodes = lab.kubectl(&["get", "nodes", "-o", "json"]);
    left.extend(nodes.contains("slots.aiconform.dev").then(|| "slots on the node".to_owned()));
    left
}

/// What is in the namespace `team-a`, without what every namespace has.
fn in_team_a(lab: &Lab) -> Vec<String> {
    let kinds = "pods,jobs,configmaps,leases,podgroups,localqueues.kueue.x-k8s.io,workloads.kueue.x-k8s.io";
    let found = lab.kubectl(&["-n", "team-a", "get", kinds, "-o", "name"]);
    found.lines().filter(|name| !name.contains("kube-root-ca")).map(str::to_owned).collect()
}

#[test]
fn a_namespace_of_the_platform_is_used_and_left_as_it_was() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    lab.kubectl(&["create", "namespace", "team-a"]);
    lab.kubectl(&["-n", "team-a", "create", "configmap", "theirs"]);
    let theirs = r#"{"spec":{"schedulingGates":[{"name":"example.com/theirs"}]}}"#;
    lab.kubectl(&["-n", "team-a", "run", "theirs", "--image=theirs", "--overrides", theirs]);
    let before = in_team_a(&lab);
    assert_eq!(before.len(), 2, "{before:?}");
    let profile = directory.path().join("profile.toml");
    std::fs::write(&profile, "namespace = \"team-a\"\n").unwrap();
    let profile = profile.to_str().unwrap();

    let killed = directory.path().join("killed");
    let (id, _) =
        signalled_with(&lab, &killed, "kube-native,kueue/job", 14, "-KILL", &["--profile", profile]).unwrap();
    assert!(in_team_a(&lab).len() > before.len());
    works(&["cleanup", "--kubeconfig", &lab.kubeconfig, "--run", &id]);
    assert_eq!(in_team_a(&lab), before);
    assert_eq!(left(&lab), Vec::<String>::new());

    // With a ServiceAccount of that namespace, and the role that a run with this profile needs.
    let kubeconfig = lab.with_role_in("team-a", directory.path(), &["--profile", profile]);
    let folder = directory.path().join("run");
    let output = run(&[
        "run",
        "--kubeconfig",
        &kubeconfig,
        "--rounds",
        "2",
        "--only",
        "gang_scheduling",
        "--adapter",
        "kube-native,kueue/pods,kueue/job",
        "--profile",
        profile,
        "--output-dir",
        folder.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let judged: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    for id in ["kube-native", "kueue/pods", "kueue/job"] {
        let subjects = judged["requirements"][0]["subjects"].as_array().unwrap();
        let subject = subjects.iter().find(|subject| subject["id"] == id).unwrap();
        assert_eq!(subject["state"], "passed", "{subject:#}");
    }
    assert_eq!(in_team_a(&lab), before);
    assert_eq!(left(&lab), Vec::<String>::new());
    // What is not ours is not written down.
    assert!(!read(&folder.join("events.ndjson")).contains("example.com/theirs"));
    lab.kubectl(&["delete", "namespace", "team-a"]);
}

#[test]
fn the_gangs_of_an_older_kubernetes_are_tested_in_its_own_words() {
    timed!();
    // What it takes to build a second Kubernetes is for `--thorough`.
    if std::env::var("AICONFORM_THOROUGH").is_err() {
        return skipped("only with --thorough");
    }
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("run");
    let arguments = ["run", "--lab", "--kubernetes", "1.36", "--adapter", "kube-native", "--rounds", "4"];
    let said = works(&[&arguments[..], &["--output-dir", folder.to_str().unwrap()]].concat());
    assert!(said.contains("gang_scheduling (MUST): PASSED"), "{said}");
    let events = read(&folder.join("events.ndjson"));
    assert!(events.contains("scheduling.k8s.io/v1alpha2") && events.contains("\"v1.36.3\""));
}

#[test]
fn another_seed_gives_the_same_verdicts_and_a_breakage_in_between_is_found() {
    timed!();
    // `--thorough` takes ten seeds with the default number of rounds.
    let thorough = std::env::var("AICONFORM_THOROUGH").is_ok();
    let (seeds, rounds) = if thorough { (10, "10") } else { (2, "1") };
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    let judged = |seed: u32| -> BTreeMap<String, String> {
        let folder = directory.path().join(seed.to_string());
        let output = program()
            .args(["run", "--kubeconfig", &lab.kubeconfig, "--rounds", rounds, "--seed", &seed.to_string()])
            .args(["--only", "gang_scheduling", "--adapter", "kube-native,kueue/pods,kueue/job"])
            .args(["--profile", PATIENT, "--output-dir"])
            .arg(&folder)
            .output()
            .unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1 | 4)), "{}", text(&output.stderr));
        let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
        let requirement = &verdict["requirements"][0];
        let mut found = BTreeMap::from([("verdict".to_owned(), requirement["verdict"].to_string())]);
        for subject in requirement["subjects"].as_array().unwrap() {
            let id = subject["id"].as_str().unwrap();
            found.insert(id.to_owned(), subject["state"].to_string());
            found.insert(format!("{id} grade"), subject["grade"]["level"].to_string());
            for claim in subject["claims"].as_array().unwrap() {
                found.insert(format!("{id} {}", claim["id"]), claim["outcome"].to_string());
            }
        }
        found
    };
    let first = judged(1);
    assert_eq!(first["verdict"], "\"passed\"", "{first:#?}");
    for seed in 2..=seeds {
        assert_eq!(judged(seed), first, "seed {seed}");
    }
    works(&["lab", "--name", &lab.name, "break", "kueue-webhooks-removed"]);
    let broken = judged(seeds + 1);
    works(&["lab", "--name", &lab.name, "heal"]);
    assert_eq!(broken["kueue/pods"], "\"not_in_force\"", "{broken:#?}");
    assert_eq!((&broken["kueue/job"], &broken["verdict"]), (&first["kueue/job"], &first["verdict"]));
}
