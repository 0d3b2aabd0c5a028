//! Runs that are killed or interrupted, and what is left of them.

use super::timed;
use super::{Lab, left, program, read, run, text, works};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Starts a run and sends it a signal as soon as its journal holds `entries`; gives its id and exit code, or `None` when
/// it ended before. Without adapters all are tried.
pub fn signalled(
    lab: &Lab,
    folder: &Path,
    adapters: &str,
    entries: usize,
    signal: &str,
) -> Option<(String, Option<i32>)> {
    signalled_with(lab, folder, adapters, entries, signal, &[])
}

pub fn signalled_with(
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
        .args(["lab", "--name", &lab.name, "exec", "--", "kubectl", "get", "-A", "-w"])
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
    timed!();
    let lab = Lab::up();
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

/// Renews a run's Lease.
fn renew(lab: &Lab, id: &str) {
    let name = format!("aiconform-{id}");
    let now = Command::new("date").args(["--utc", "+%FT%T.%6NZ"]).output().unwrap();
    let renewed = format!("{{\"spec\":{{\"renewTime\":\"{}\"}}}}", text(&now.stdout).trim());
    lab.kubectl(&["-n", &name, "patch", "lease", &name, "--type", "merge", "-p", &renewed]);
}

#[test]
fn whatever_a_killed_run_left_is_removed() {
    timed!();
    let lab = Lab::up();
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
        // Its Lease has not expired, however long this took, so that it may still run: it is only removed by name.
        renew(&lab, &id);
        let kept = works(&["cleanup", "--kubeconfig", &lab.kubeconfig]);
        assert!(kept.contains("still runs"), "{kept}");
        works(&["cleanup", "--kubeconfig", &lab.kubeconfig, "--run", &id]);
        assert_eq!(left(&lab), Vec::<String>::new(), "killed at {entries}");
    }
}

#[test]
fn an_interrupted_run_removes_everything_and_says_so() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("run");
    let (_, code) = signalled(&lab, &folder, "kube-native", 5, "-INT").unwrap();
    assert_eq!(code, Some(130));
    assert_eq!(left(&lab), Vec::<String>::new());
    // What was seen until then is a run, and proves nothing.
    let output = run(&["judge", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stdout));
    blames_nobody(&folder, &[]);

    // A second signal stops at once; what is left is for `cleanup`.
    let folder = directory.path().join("stopped");
    let (id, code) = signalled(&lab, &folder, "kube-native", 5, "-INT -INT").unwrap();
    assert_eq!(code, Some(130));
    assert!(!left(&lab).is_empty(), "it stopped before it had removed everything");
    works(&["cleanup", "--kubeconfig", &lab.kubeconfig, "--run", &id]);
    assert_eq!(left(&lab), Vec::<String>::new());
}

/// Runs these checks, interrupts them, and sees that nobody is blamed for what did not come any more.
pub fn interrupted_blames_nobody(lab: &Lab, folder: &Path, entries: usize, more: &[&str], known: &[&str]) {
    let before = left(lab);
    let (_, code) = signalled_with(lab, folder, "", entries, "-INT", more).unwrap();
    assert_eq!(code, Some(130));
    assert_eq!(left(lab), before);
    blames_nobody(folder, known);
}

/// Sees that a run which was stopped holds nothing against the platform, in whichever view.
/// `known` are claims that a whole run of the same lab finds unmet too.
fn blames_nobody(folder: &Path, known: &[&str]) {
    let judged: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
    for requirement in judged["requirements"].as_array().unwrap() {
        assert!(requirement["verdict"] != "failed", "{requirement:#}");
        for subject in requirement["subjects"].as_array().unwrap() {
            for claim in subject["claims"].as_array().into_iter().flatten() {
                let is_known = known.iter().any(|known| claim["id"] == *known);
                assert!(is_known || claim["outcome"] != "unmet", "{subject:#}");
            }
        }
    }
    let report = works(&["report", folder.to_str().unwrap()]);
    assert!(report.contains("the same"), "{report}");
    for file in ["verdict.json", "summary.md", "e2e.log"] {
        let said = read(&folder.join(file));
        assert!(!said.contains("someone else"), "{file} blames: {said}");
    }
}

#[test]
fn an_interrupted_run_blames_nobody_whatever_it_was_at() {
    timed!();
    let lab = Lab::with("simulator");
    let directory = tempfile::tempdir().unwrap();
    // All six at once, each somewhere else when the signal comes; the last entries of a journal are the namespaces of the
    // subjects that come last.
    let checks = ["--release", "1.35", "--only", super::accelerators::CHOSEN[3]];
    for entries in [6, 14] {
        interrupted_blames_nobody(&lab, &directory.path().join(entries.to_string()), entries, &checks, &[]);
    }
}

#[test]
fn a_check_that_is_stopped_by_its_limit_blames_nobody_and_names_the_key() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    let profile = directory.path().join("profile.toml");
    std::fs::write(&profile, "[limits]\ndra_support.whole = 4\ngang_scheduling.whole = 20\n").unwrap();
    let folder = directory.path().join("run");
    let mut command = program();
    command.args(["run", "--kubeconfig", &lab.kubeconfig, "--only", "dra_support,gang_scheduling"]);
    command.args(["--release", "1.35"]).arg("--profile").arg(&profile).arg("--output-dir").arg(&folder);
    let output = command.output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}{}", text(&output.stderr));
    for key in ["dra_support.whole = 8", "gang_scheduling.whole = 40"] {
        assert!(said.contains(&format!("say so in the profile: [limits] {key}")), "{said}");
    }
    blames_nobody(&folder, &[]);
    assert_eq!(left(&lab), Vec::<String>::new());
}
