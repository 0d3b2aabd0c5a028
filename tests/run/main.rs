//! The main job from outside, on a real lab: a healthy run, and runs that are killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod accelerators;
mod access;
mod adapters;
mod autoscaler;
mod bad_input;
mod devices;
mod gateways;
mod must;

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

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

/// A lab that ends with the test.
struct Lab {
    name: &'static str,
    kubeconfig: String,
}

impl Lab {
    fn up(name: &'static str) -> Lab {
        Lab::up_with(name, &[])
    }

    fn up_with(name: &'static str, flags: &[&str]) -> Lab {
        let kubeconfig = works(&[&["lab", "--name", name, "up"], flags].concat()).trim().to_owned();
        Lab { name, kubeconfig }
    }

    /// A kubeconfig of a ServiceAccount that may do what the role says that is printed for these flags, and no more.
    fn with_role(&self, directory: &Path, flags: &[&str]) -> String {
        let role = directory.join("role.yaml");
        std::fs::write(&role, works(&[&["rbac"], flags].concat())).unwrap();
        self.kubectl(&["apply", "-f", role.to_str().unwrap()]);
        let token = self.kubectl(&["create", "token", "aiconform"]);
        let mut config: Value = serde_json::from_str(&read(Path::new(&self.kubeconfig))).unwrap();
        config["users"][0]["user"] = serde_json::json!({"token": token.trim()});
        let kubeconfig = directory.join("kubeconfig");
        std::fs::write(&kubeconfig, config.to_string()).unwrap();
        kubeconfig.to_str().unwrap().to_owned()
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        works(&[&["lab", "--name", self.name, "exec", "--", "kubectl"], arguments].concat())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = run(&["lab", "--name", self.name, "down"]);
    }
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

/// Says that a test was not made. Straight to stderr: what a test prints is kept back when it does not fail.
fn skipped(why: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("skipped: {why}\n").as_bytes());
}

#[test]
fn a_healthy_lab_passes_and_every_view_agrees() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("run");
    let path = folder.to_str().unwrap();
    // Checks of accelerators have tests of their own.
    let chosen =
        ["run", "--lab", "--only", "gang_scheduling", "--rounds", "4", "--seed", "3", "--output-dir", path];
    let output = run(&chosen);
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

/// Starts a run and sends it a signal as soon as its journal holds `entries`; gives its id and exit code, or `None` when
/// it ended before. Without adapters all are tried.
fn signalled(
    lab: &Lab,
    folder: &Path,
    adapters: &str,
    entries: usize,
    signal: &str,
) -> Option<(String, Option<i32>)> {
    signalled_with(lab, folder, adapters, entries, signal, &[])
}

fn signalled_with(
    lab: &Lab,
    folder: &Path,
    adapters: &str,
    entries: usize,
    signal: &str,
    more: &[&str],
) -> Option<(String, Option<i32>)> {
    let journal =
        ["configmaps", "-l", "aiconform.dev/run", "-o", "jsonpath={.metadata.name} {.data}{\"\\n\"}"];
    // Entries are numbered from 000000.
    let entry = format!("\"{:06}\":", entries - 1);
    let holds = |line: &str| {
        let name = line.split(' ').next()?;
        line.contains(&entry).then(|| name.trim_start_matches("aiconform-").to_owned())
    };
    signalled_at(lab, folder, adapters, signal, more, &journal, holds)
}

/// A line that a run has said or that was seen in the cluster, or the end of the run.
enum Heard {
    Said(String),
    Seen(String),
    Ended,
}

/// Starts a run and sends it signals as soon as a line about what is watched in the cluster gives its id.
fn signalled_at(
    lab: &Lab,
    folder: &Path,
    adapters: &str,
    signal: &str,
    more: &[&str],
    watched: &[&str],
    sign: impl Fn(&str) -> Option<String>,
) -> Option<(String, Option<i32>)> {
    let mut run = program()
        .args(["run", "--kubeconfig", &lab.kubeconfig, "--rounds", "1"])
        .args(if adapters.is_empty() { vec![] } else { vec!["--adapter", adapters] })
        .arg("--output-dir")
        .arg(folder)
        .args(more)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (sender, heard) = std::sync::mpsc::channel();
    let mut watch = program()
        .args(["lab", "--name", lab.name, "exec", "--", "kubectl", "get", "-A", "-w"])
        .args(watched)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // What the run says and what is seen in the cluster, in one queue: the end of the run ends it.
    let talk = BufReader::new(run.stderr.take().unwrap());
    let seen = BufReader::new(watch.stdout.take().unwrap());
    let says = sender.clone();
    std::thread::spawn(move || {
        talk.lines().map_while(Result::ok).try_for_each(|line| says.send(Heard::Said(line)))?;
        says.send(Heard::Ended)
    });
    std::thread::spawn(move || {
        seen.lines().map_while(Result::ok).try_for_each(|line| sender.send(Heard::Seen(line)))
    });
    let mut before_the_end = heard.iter().take_while(|heard| !matches!(heard, Heard::Ended));
    let id = before_the_end.find_map(|heard| match heard {
        Heard::Seen(line) => sign(&line),
        _ => None,
    });
    if id.is_some() {
        for (number, signal) in signal.split(' ').enumerate() {
            // Two signals must not become one: the second is sent once the first was heard.
            if number > 0 {
                let said = |heard| matches!(heard, Heard::Said(line) if line.starts_with("interrupted;"));
                assert!(before_the_end.any(said), "it ended too early");
            }
            let kill = Command::new("kill").args([signal, &run.id().to_string()]).status().unwrap();
            assert!(kill.success());
        }
    }
    let code = run.wait().unwrap().code();
    let _ = Command::new("kill").arg(watch.id().to_string()).status();
    watch.wait().unwrap();
    id.map(|id| (id, code))
}

#[test]
fn a_run_that_is_killed_while_one_gang_evicts_another_is_removed() {
    let lab = Lab::up("testevicts");
    let directory = tempfile::tempdir().unwrap();
    let pods = ["pods", "-o", "jsonpath={.metadata.labels.aiconform\\.dev/run} {.metadata.name}{\"\\n\"}"];
    let evicts = |line: &str| {
        let (id, name) = line.split_once(' ')?;
        name.starts_with("preemption-feasible").then(|| id.to_owned())
    };
    let more = ["--trial", "preemption"];
    let folder = directory.path().join("run");
    let (id, _) = signalled_at(&lab, &folder, "kube-native", "-KILL", &more, &pods, evicts).unwrap();
    assert!(!left(&lab).is_empty());
    works(&["cleanup", "--kubeconfig", &lab.kubeconfig, "--run", &id]);
    assert_eq!(left(&lab), Vec::<String>::new());
}

#[test]
fn whatever_a_killed_run_left_is_removed() {
    let lab = Lab::up("testkills");
    let directory = tempfile::tempdir().unwrap();
    // `--thorough` kills at every entry of a run with Kueue, else after the first, in the middle, and at the last.
    let thorough = std::env::var("AICONFORM_THOROUGH").is_ok();
    let kills: Vec<(usize, &str)> = if thorough {
        (1..=5)
            .map(|entry| (entry, "kube-native"))
            .chain((1..=37).map(|entry| (entry, "kueue/pods,kueue/job")))
            .collect()
    } else {
        vec![(1, "kube-native"), (5, "kube-native"), (12, "kueue/pods")]
    };
    for (entries, adapters) in kills {
        let folder = directory.path().join(format!("{entries}-{}", adapters.len()));
        let (id, _) = signalled(&lab, &folder, adapters, entries, "-KILL")
            .unwrap_or_else(|| panic!("the journal never held {entries} entries with {adapters}"));
        assert!(!left(&lab).is_empty(), "killed at {entries}: something must be left");
        // Its Lease has not expired, so that it may still run: it is only removed by name.
        let kept = works(&["cleanup", "--kubeconfig", &lab.kubeconfig]);
        assert!(kept.contains("still runs"), "{kept}");
        works(&["cleanup", "--kubeconfig", &lab.kubeconfig, "--run", &id]);
        assert_eq!(left(&lab), Vec::<String>::new(), "killed at {entries}");
    }
}

/// What is in the namespace `team-a`, without what every namespace has.
fn in_team_a(lab: &Lab) -> Vec<String> {
    let kinds = "pods,jobs,configmaps,leases,podgroups,localqueues.kueue.x-k8s.io,workloads.kueue.x-k8s.io";
    let found = lab.kubectl(&["-n", "team-a", "get", kinds, "-o", "name"]);
    found.lines().filter(|name| !name.contains("kube-root-ca")).map(str::to_owned).collect()
}

#[test]
fn a_namespace_of_the_platform_is_used_and_left_as_it_was() {
    let lab = Lab::up("testnamespace");
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

    let folder = directory.path().join("run");
    let output = run(&[
        "run",
        "--kubeconfig",
        &lab.kubeconfig,
        "--rounds",
        "2",
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
}

#[test]
fn an_interrupted_run_removes_everything_and_says_so() {
    let lab = Lab::up("testinterrupt");
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("run");
    let (_, code) = signalled(&lab, &folder, "kube-native", 5, "-INT").unwrap();
    assert_eq!(code, Some(130));
    assert_eq!(left(&lab), Vec::<String>::new());
    // What was seen until then is a run, and proves nothing.
    let output = run(&["judge", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stdout));

    // A second signal stops at once; what is left is for `cleanup`.
    let folder = directory.path().join("stopped");
    let (id, code) = signalled(&lab, &folder, "kube-native", 5, "-INT -INT").unwrap();
    assert_eq!(code, Some(130));
    assert!(!left(&lab).is_empty(), "it stopped before it had removed everything");
    works(&["cleanup", "--kubeconfig", &lab.kubeconfig, "--run", &id]);
    assert_eq!(left(&lab), Vec::<String>::new());
}

#[test]
fn the_gangs_of_an_older_kubernetes_are_tested_in_its_own_words() {
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
fn verdicts_do_not_depend_on_the_seed_and_a_breakage_in_between_is_found() {
    // `--thorough` takes ten seeds with the default number of rounds.
    let thorough = std::env::var("AICONFORM_THOROUGH").is_ok();
    let (seeds, rounds) = if thorough { (10, "10") } else { (2, "2") };
    let lab = Lab::up("testseeds");
    let directory = tempfile::tempdir().unwrap();
    let judged = |seed: u32| -> BTreeMap<String, String> {
        let folder = directory.path().join(seed.to_string());
        let output = program()
            .args(["run", "--kubeconfig", &lab.kubeconfig, "--rounds", rounds, "--seed", &seed.to_string()])
            .args(["--adapter", "kube-native,kueue/pods,kueue/job"])
            .arg("--output-dir")
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
    let webhooks = "kueue-mutating-webhook-configuration";
    lab.kubectl(&["delete", "mutatingwebhookconfigurations", webhooks]);
    let broken = judged(seeds + 1);
    assert_eq!(broken["kueue/pods"], "\"not_in_force\"", "{broken:#?}");
    assert_eq!((&broken["kueue/job"], &broken["verdict"]), (&first["kueue/job"], &first["verdict"]));
}

#[test]
fn credentials_that_do_not_work_are_said() {
    let lab = Lab::up("testcredentials");
    let directory = tempfile::tempdir().unwrap();
    let config = |name: &str, user: Value| {
        let mut config: Value = serde_json::from_str(&read(Path::new(&lab.kubeconfig))).unwrap();
        config["users"][0]["user"] = user;
        let path = directory.path().join(name);
        std::fs::write(&path, config.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // A certificate of the lab's own authority that was good until yesterday.
    let pki = Path::new(&lab.kubeconfig).parent().unwrap().join("pki");
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(rcgen::DnType::CommonName, "aiconform-lab");
    let issuer = rcgen::Issuer::new(authority, rcgen::KeyPair::from_pem(&read(&pki.join("ca.key"))).unwrap());
    let mut leaf = rcgen::CertificateParams::new(Vec::new()).unwrap();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "lab-admin");
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    (leaf.not_before, leaf.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2020, 1, 2));
    let key = rcgen::KeyPair::generate().unwrap();
    let (certificate, private) = (directory.path().join("crt"), directory.path().join("key"));
    std::fs::write(&certificate, leaf.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();

    let expired =
        config("expired", serde_json::json!({"client-certificate": certificate, "client-key": private}));
    let unknown = config("unknown", serde_json::json!({"token": "nobody"}));
    for kubeconfig in [expired, unknown] {
        let folder = directory.path().join("run");
        let output = program()
            .args(["run", "--kubeconfig", &kubeconfig, "--output-dir"])
            .arg(&folder)
            .output()
            .unwrap();
        let talk = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{talk}");
        assert!(talk.contains("renew the kubeconfig"), "{talk}");
        assert!(!folder.exists());
    }
}

/// The API server's own audit log: the run watched, and read nothing again and again.
fn nothing_was_polled(lab: &Lab) {
    let log = Path::new(&lab.kubeconfig).parent().unwrap().join("logs/audit.ndjson");
    let mut reads: BTreeMap<String, usize> = BTreeMap::new();
    let mut watches = 0;
    for line in BufReader::new(std::fs::File::open(log).unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["user"]["username"] != "system:serviceaccount:default:aiconform" {
            continue;
        }
        match event["verb"].as_str() {
            Some("watch") => watches += 1,
            Some("get" | "list") => *reads.entry(event["requestURI"].to_string()).or_default() += 1,
            _ => {}
        }
    }
    assert!(watches > 3, "{watches} watches");
    // The plan and the run each detect the subjects; a node is read when slots are put on it and taken away.
    let polled: Vec<_> = reads.iter().filter(|(_, count)| **count > 8).collect();
    assert!(!reads.is_empty() && polled.is_empty(), "{polled:?}");
}

#[test]
fn the_printed_role_is_enough_and_less_is_inconclusive() {
    let lab = Lab::up("testrole");
    let directory = tempfile::tempdir().unwrap();
    let role = directory.path().join("role.yaml");
    std::fs::write(&role, works(&["rbac", "--namespace", "default"])).unwrap();
    lab.kubectl(&["apply", "-f", role.to_str().unwrap()]);
    let token = lab.kubectl(&["create", "token", "aiconform"]);
    // The administrator's kubeconfig, with the ServiceAccount's token instead of a certificate.
    let mut config: Value = serde_json::from_str(&read(Path::new(&lab.kubeconfig))).unwrap();
    config["users"][0]["user"] = serde_json::json!({"token": token.trim()});
    let kubeconfig = directory.path().join("kubeconfig");
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    let kubeconfig = kubeconfig.to_str().unwrap();

    // Of one requirement: each detects its subjects by itself, and what is read then is counted below.
    let plan = works(&["plan", "--kubeconfig", kubeconfig, "--only", "gang_scheduling"]);
    assert!(plan.contains("kube-native: would be tried") && !plan.contains("you may not"), "{plan}");
    let folder = directory.path().join("enough");
    let arguments = [
        "run",
        "--kubeconfig",
        kubeconfig,
        "--rounds",
        "2",
        "--adapter",
        "kube-native,kueue/job",
        "--output-dir",
    ];
    let output = program().args(arguments).arg(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(left(&lab), Vec::<String>::new());
    nothing_was_polled(&lab);

    // Other ways to make slots need no more, and prove what they can.
    for (capacity, decides, absent) in
        [("devices", "kube-native", "kueue/job"), ("quota", "kueue/job", "kube-native")]
    {
        let profile = directory.path().join(format!("{capacity}.toml"));
        std::fs::write(&profile, format!("[gang_scheduling]\ncapacity = \"{capacity}\"\n")).unwrap();
        let folder = directory.path().join(capacity);
        let output = program().args(arguments).arg(&folder).arg("--profile").arg(&profile).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
        let requirement = &verdict["requirements"][0];
        assert_eq!(requirement["deciding"], decides, "{requirement:#}");
        let subjects = requirement["subjects"].as_array().unwrap();
        let of = |id: &str| subjects.iter().find(|subject| subject["id"] == id).unwrap();
        assert_eq!(of(absent)["state"], "absent");
        // A quota that nothing is above shows admission only.
        let grade = if capacity == "quota" { "G1" } else { "G2" };
        assert_eq!(of(decides)["grade"]["level"], grade, "{requirement:#}");
        assert_eq!(left(&lab), Vec::<String>::new());
    }

    lab.kubectl(&["delete", "clusterrolebinding", "aiconform"]);
    let folder = directory.path().join("less");
    let output = program().args(arguments).arg(&folder).output().unwrap();
    let said = text(&output.stdout);
    assert!(matches!(output.status.code(), Some(3 | 4)), "{said}{}", text(&output.stderr));
    assert!(said.contains("INCONCLUSIVE") && said.contains("may not"), "{said}{}", text(&output.stderr));
}
