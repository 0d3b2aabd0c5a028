//! The lab from outside, as a user has it: started, used, killed, and gone. Needs root, Go and the packages
//! that `./test` installs; without them it fails with the lab's own sentence.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod accelerators;
mod admission;
mod conformance;
mod handlers;
#[path = "../shared/ledger.rs"]
mod ledger;
mod nodes;
mod operators;
mod policies;
mod registry;
mod sandbox;
mod weather;

use ledger::timed;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

const SLOT: &str = "slots.aiconform.dev/test";

fn aiconform(lab: &str, arguments: &[&str]) -> Output {
    let program = assert_cmd::cargo::cargo_bin!("aiconform");
    Command::new(program).args(["lab", "--name", lab]).args(arguments).output().unwrap()
}

fn works(lab: &str, arguments: &[&str]) -> String {
    let output = aiconform(lab, arguments);
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {talk}");
    String::from_utf8(output.stdout).unwrap()
}

fn kubectl(lab: &str, arguments: &[&str]) -> String {
    works(lab, &[&["exec", "--", "kubectl"], arguments].concat())
}

/// What of the host must be equal before and after.
fn host() -> Vec<String> {
    // A lab that was killed together with its supervisor, by whoever used this machine before, is swept by the next lab:
    // it would look like a change that the test made.
    let home = tempfile::tempdir().unwrap();
    let mut cleanup = Command::new(assert_cmd::cargo::cargo_bin!("aiconform"));
    cleanup.arg("cleanup").env_remove("KUBECONFIG").env("HOME", home.path()).output().unwrap();
    let mut seen: Vec<String> = [("ip", vec!["-o", "link"]), ("nft", vec!["list", "ruleset"])]
        .into_iter()
        .map(|(program, arguments)| {
            let output = Command::new(program).args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    for file in ["/proc/self/mounts", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/panic"] {
        seen.push(std::fs::read_to_string(file).unwrap());
    }
    seen.push(components().join(" "));
    seen
}

/// Components of labs that run on this host, in whatever namespace.
fn components() -> Vec<String> {
    let names = ["etcd", "kube-", "kubelet", "containerd", "runc", "pause", "aiconform"];
    let mut found: Vec<String> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        // What has ended and waits for its parent to notice has no command line any more.
        .filter(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| !line.is_empty()))
        // A process may end while it is looked at.
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| names.iter().any(|known| name.starts_with(known)))
        .collect();
    found.sort();
    found
}

fn cgroups(lab: &str) -> usize {
    let hierarchies = std::fs::read_dir("/sys/fs/cgroup").unwrap().flatten();
    hierarchies.filter(|entry| entry.path().join(format!("aiconform-{lab}")).exists()).count()
        + usize::from(Path::new(&format!("/sys/fs/cgroup/aiconform-{lab}")).exists())
}

fn is_gone(lab: &str) {
    assert!(!Path::new(&format!("/var/lib/aiconform/{lab}")).exists());
    assert_eq!(cgroups(lab), 0);
}

/// Two gangs of four pods on six free slots, created in turn.
fn two_gangs(grouped: bool) -> Value {
    let mut items = vec![json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": {"name": "low"}, "value": -1000, "preemptionPolicy": "Never"})];
    for gang in ["a", "b"] {
        items.push(json!({"apiVersion": "scheduling.k8s.io/v1beta1", "kind": "PodGroup",
            "metadata": {"name": gang, "namespace": "default"},
            "spec": {"schedulingPolicy": {"gang": {"minCount": 4}}, "priorityClassName": "low"}}));
    }
    for number in 0..4 {
        for gang in ["a", "b"] {
            let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("{gang}-{number}"), "namespace": "default", "labels": {"gang": gang}},
                "spec": {"priorityClassName": "low", "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "pause", "image": "aiconform.dev/lab/pause:1",
                        "resources": {"requests": {"cpu": "5m", "memory": "8Mi", SLOT: "1"},
                            "limits": {SLOT: "1"}}}]}});
            if grouped {
                pod["spec"]["schedulingGroup"] = json!({"podGroupName": gang});
            }
            items.push(pod);
        }
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn bound(lab: &str, gang: &str) -> usize {
    let selector = format!("gang={gang}");
    let list = kubectl(lab, &["get", "pods", "-l", &selector, "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let pods = list["items"].as_array().unwrap();
    pods.iter().filter(|pod| pod["spec"]["nodeName"].is_string()).count()
}

/// Creates the two gangs, waits until six slots or one whole gang are taken, and counts bound pods.
fn contend(lab: &str, grouped: bool) -> (usize, usize) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), two_gangs(grouped).to_string()).unwrap();
    kubectl(lab, &["apply", "-f", file.path().to_str().unwrap()]);
    if grouped {
        // The loser's own condition: the scheduler looked at it and said no.
        let refused = "--for=condition=PodGroupInitiallyScheduled=False";
        let (a, b) = (
            ["wait", refused, "podgroup/a", "--timeout=30s"],
            ["wait", refused, "podgroup/b", "--timeout=30s"],
        );
        let start = |wait: &[&str; 4]| {
            let program = assert_cmd::cargo::cargo_bin!("aiconform");
            let mut command = Command::new(program);
            command.args(["lab", "--name", lab, "exec", "--", "kubectl"]).args(wait).spawn().unwrap()
        };
        let mut waits = [start(&a), start(&b)];
        let ends: Vec<bool> = waits.iter_mut().map(|wait| wait.wait().unwrap().success()).collect();
        assert_eq!(ends.iter().filter(|refused| **refused).count(), 1, "exactly one gang is refused");
    } else {
        let refused = "--for=jsonpath={.status.conditions[?(@.type==\"PodScheduled\")].reason}=Unschedulable";
        // Six of eight are bound, so each of the last two created is refused.
        kubectl(lab, &["wait", refused, "pod/a-3", "pod/b-3", "--timeout=30s"]);
    }
    let counted = (bound(lab, "a"), bound(lab, "b"));
    kubectl(lab, &["delete", "-f", file.path().to_str().unwrap(), "--wait=true", "--timeout=60s"]);
    counted
}

/// Tells whether the long tests are left out, and says so of the one that asks.
fn is_short() -> bool {
    let short = std::env::var("AICONFORM_THOROUGH").is_err();
    if short {
        skipped("only with --thorough");
    }
    short
}

/// Says that a test was not made. Straight to stderr: what a test prints is kept back when it does not fail.
fn skipped(why: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("skipped: {why}\n").as_bytes());
}

#[test]
fn a_lab_schedules_gangs_whole_and_plain_pods_in_part_and_leaves_no_trace() {
    timed!();
    let lab = "testgangs";
    // Ports that the lab's components use are taken on the host, if nobody has them anyway.
    let _busy: Vec<_> = [6443, 2379, 2380, 10250, 10256]
        .map(|port| std::net::TcpListener::bind(("127.0.0.1", port)))
        .into_iter()
        .collect();
    let before = host();
    let kubeconfig = works(lab, &["up"]);
    assert!(Path::new(kubeconfig.trim()).exists());
    let again = aiconform(lab, &["up"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is up already"));

    let slots = json!({"status": {"capacity": {SLOT: "6"}, "allocatable": {SLOT: "6"}}}).to_string();
    kubectl(lab, &["patch", "node", "node-0", "--subresource=status", "--type=merge", "-p", &slots]);
    let plain = contend(lab, false);
    assert_eq!(plain.0 + plain.1, 6, "the plain scheduler fills every slot: {plain:?}");
    let gangs = contend(lab, true);
    assert!(gangs == (4, 0) || gangs == (0, 4), "gang scheduling starts one gang whole: {gangs:?}");

    works(lab, &["down"]);
    is_gone(lab);
    assert_eq!(before, host());
}

#[test]
fn pods_that_tolerate_it_run_on_fake_nodes_and_others_stay_away() {
    timed!();
    let lab = "testfake";
    works(lab, &["up", "--with", "", "--fake-nodes", "20"]);
    let fake = kubectl(lab, &["get", "nodes", "-l", "kwok.x-k8s.io/node", "-o", "name"]);
    assert_eq!(fake.lines().count(), 20);
    // A fake node has room for one of them.
    let pod = |name: &str, tolerations: Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
            "spec": {"tolerations": tolerations, "nodeSelector": {"kwok.x-k8s.io/node": "fake"},
                "terminationGracePeriodSeconds": 0, "containers": [{
                "name": "pause", "image": "none", "resources": {"requests": {"cpu": "30"}}}]}})
    };
    let tolerates = json!([{"key": "kwok.x-k8s.io/node", "operator": "Exists"}]);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        pod("tolerant", tolerates.clone()), pod("tolerant-too", tolerates), pod("other", json!([]))]});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), list.to_string()).unwrap();
    kubectl(lab, &["apply", "-f", file.path().to_str().unwrap()]);
    let ready = ["wait", "--for=condition=Ready", "pod/tolerant", "pod/tolerant-too", "--timeout=30s"];
    kubectl(lab, &ready);
    let node = |pod: &str| kubectl(lab, &["get", "pod", pod, "-o", "jsonpath={.spec.nodeName}"]);
    assert!(node("tolerant").starts_with("fake-"));
    assert_ne!(node("tolerant"), node("tolerant-too"));
    let refused = "--for=jsonpath={.status.conditions[?(@.type==\"PodScheduled\")].reason}=Unschedulable";
    kubectl(lab, &["wait", refused, "pod/other", "--timeout=30s"]);
    assert_eq!(node("other"), "");
    works(lab, &["down"]);
    is_gone(lab);
}

/// A gang of KAI scheduler: a PodGroup, and four pods that ask for a slot each.
fn kai_gang() -> Value {
    let mut items = vec![json!({"apiVersion": "scheduling.run.ai/v2alpha2", "kind": "PodGroup",
        "metadata": {"name": "a", "namespace": "default"}, "spec": {"minMember": 4, "queue": "default-queue"}})];
    for number in 0..4 {
        items.push(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("a-{number}"), "namespace": "default", "labels": {"gang": "a"},
                "annotations": {"pod-group-name": "a"}},
            "spec": {"schedulerName": "kai-scheduler", "terminationGracePeriodSeconds": 0, "containers": [{
                "name": "pause", "image": "aiconform.dev/lab/pause:1",
                "resources": {"requests": {"cpu": "5m", "memory": "8Mi", SLOT: "1"}, "limits": {SLOT: "1"}}}]}}));
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

#[test]
fn kai_scheduler_holds_a_gang_until_its_last_slot_comes() {
    timed!();
    // What it takes to build KAI scheduler is for `--thorough`.
    if is_short() {
        return;
    }
    let lab = "testkai";
    works(lab, &["up", "--with", "kai"]);
    let slots = |count: u32| {
        let amounts = json!({SLOT: count.to_string()});
        let patch = json!({"status": {"capacity": amounts, "allocatable": amounts}}).to_string();
        kubectl(lab, &["patch", "node", "node-0", "--subresource=status", "--type=merge", "-p", &patch]);
    };
    slots(3);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), kai_gang().to_string()).unwrap();
    kubectl(lab, &["apply", "-f", file.path().to_str().unwrap()]);
    let refused = "--for=jsonpath={.status.schedulingConditions[0].reason}=Unschedulable";
    kubectl(lab, &["wait", refused, "podgroups.scheduling.run.ai/a", "--timeout=60s"]);
    assert_eq!(bound(lab, "a"), 0);
    slots(4);
    let runs = "--for=jsonpath={.status.phase}=Running";
    kubectl(lab, &["wait", runs, "pod", "-l", "gang=a", "--timeout=60s"]);
    assert_eq!(bound(lab, "a"), 4);
    works(lab, &["down"]);
    is_gone(lab);
}

#[test]
fn a_lab_whose_supervisor_was_killed_is_swept_by_the_next_start() {
    timed!();
    let lab = "testkilled";
    works(lab, &["up"]);
    let status = std::fs::read_to_string(format!("/var/lib/aiconform/{lab}/lab.json")).unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    let pid = status["supervisor"].to_string();
    let holder = status["holder"].to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    // `tail --pid` ends when the process does.
    let follow = ["-f", "/dev/null", "--pid", holder.as_str()];
    assert!(Command::new("timeout").arg("30").arg("tail").args(follow).status().unwrap().success());
    assert!(String::from_utf8_lossy(&aiconform(lab, &["status"]).stdout).contains("dead"));
    works(lab, &["up"]);
    assert!(kubectl(lab, &["get", "nodes"]).contains("Ready"));
    works(lab, &["down"]);
    is_gone(lab);
    let none = aiconform(lab, &["down"]);
    assert_eq!(none.status.code(), Some(3));
}

#[test]
fn a_killed_run_on_a_lab_of_its_own_leaves_nothing() {
    timed!();
    let before = host();
    let directory = tempfile::tempdir().unwrap();
    let mut run = Command::new(assert_cmd::cargo::cargo_bin!("aiconform"))
        .args(["run", "--lab", "--adapter", "kube-native", "--output-dir"])
        .arg(directory.path().join("run"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let name = format!("run{}", run.id());
    let talk = std::io::BufReader::new(run.stderr.take().unwrap());
    let tested = std::io::BufRead::lines(talk).any(|line| line.unwrap().contains("kube-native: 1 of"));
    assert!(tested, "the run ended before it had tried anything");
    let status = std::fs::read_to_string(format!("/var/lib/aiconform/{name}/lab.json")).unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    // The supervisor sees that its command is gone, and undoes everything.
    let supervisor = status["supervisor"].to_string();
    let follow = ["60", "tail", "-f", "/dev/null", "--pid", &supervisor];
    assert!(Command::new("timeout").args(follow).status().unwrap().success());
    is_gone(&name);
    assert_eq!(before, host());
}

#[test]
fn a_lab_whose_component_dies_says_which_and_why() {
    timed!();
    let lab = "testdies";
    works(lab, &["up"]);
    assert_eq!(aiconform(lab, &["exec", "--", "sh", "-c", "exit 7"]).status.code(), Some(7));
    let status = std::fs::read_to_string(format!("/var/lib/aiconform/{lab}/lab.json")).unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    // The lab may end, and this command with it, before it could say how it went.
    aiconform(lab, &["exec", "--", "pkill", "-KILL", "-x", "kube-scheduler"]);
    let supervisor = status["supervisor"].to_string();
    let follow = ["60", "tail", "-f", "/dev/null", "--pid", &supervisor];
    assert!(Command::new("timeout").args(follow).status().unwrap().success());
    let said = aiconform(lab, &["status"]);
    let talk = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(3), "{talk}");
    assert!(talk.contains("ended by itself") && talk.contains("kube-scheduler ended"), "{talk}");
    is_gone(lab);
    assert_eq!(aiconform(lab, &["down"]).status.code(), Some(3));
    assert!(!Path::new(&format!("/var/lib/aiconform/{lab}.ended")).exists());
}

#[test]
fn the_first_of_two_labs_ends_without_harm_to_the_second_and_the_last_one_cleans_up() {
    timed!();
    let before = host();
    let (first, second) = ("testfirst", "testsecond");
    works(first, &["up"]);
    works(second, &["up"]);
    works(first, &["down"]);
    is_gone(first);
    assert!(kubectl(second, &["get", "nodes"]).contains("Ready"));
    let kept = works(second, &["exec", "--", "ls", "/var/lib/kubelet/device-plugins"]);
    assert!(kept.contains("kubelet.sock"), "the kubelet's socket is still where drivers look for it: {kept}");
    works(second, &["down"]);
    is_gone(second);
    assert_eq!(before, host());
}

#[test]
fn cleanup_takes_a_folder_that_no_supervisor_ever_filled() {
    timed!();
    let folder = Path::new("/var/lib/aiconform/testempty");
    std::fs::create_dir_all(folder).unwrap();
    let status = json!({"name": "testempty", "state": folder, "binaries": [], "port": 0, "supervisor": 0,
        "outlive": false, "holder": 0, "kubernetes": "1.37", "parts": [], "fake_nodes": 0, "breakages": []});
    let file = folder.join("lab.json");
    std::fs::write(&file, status.to_string()).unwrap();
    let cleanup = || {
        let program = assert_cmd::cargo::cargo_bin!("aiconform");
        let home = tempfile::tempdir().unwrap();
        Command::new(program)
            .arg("cleanup")
            .env_remove("KUBECONFIG")
            .env("HOME", home.path())
            .output()
            .unwrap()
    };
    cleanup();
    assert!(folder.exists(), "it may be about to be filled");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(120);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
    let output = cleanup();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("lab testempty: removed"));
    assert!(!folder.exists());
}

#[test]
fn parts_are_listed_with_their_sizes_and_what_nothing_needs_any_more_is_removed() {
    timed!();
    let cache = tempfile::tempdir().unwrap();
    let components = cache.path().join("components");
    let old = components.join("etcd-0123456789abcdef/bin");
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("etcd"), vec![0; 2_000_000]).unwrap();
    let parts = |arguments: &[&str]| {
        Command::new(assert_cmd::cargo::cargo_bin!("aiconform"))
            .args(["lab", "parts"])
            .args(arguments)
            .env("AICONFORM_CACHE_DIR", cache.path())
            .output()
            .unwrap()
    };
    let listed = String::from_utf8(parts(&[]).stdout).unwrap();
    let line = |name: &str| listed.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
    assert!(line("etcd-0123456789abcdef").contains("2 MB"), "{listed}");
    assert!(line("kueue").contains("not built") && line("kueue").contains("--with kueue"), "{listed}");
    let refused = parts(&["--prune", "nothing"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is no component \"nothing\""));
    assert!(old.exists());
    let pruned = parts(&["--prune"]);
    assert!(String::from_utf8_lossy(&pruned.stderr).contains("removed etcd-0123456789abcdef (2 MB)"));
    assert!(!old.exists() && components.exists());
}

#[test]
fn waiting_for_another_programs_build_is_said_and_can_be_interrupted() {
    timed!();
    let cache = tempfile::tempdir().unwrap();
    let components = cache.path().join("components");
    std::fs::create_dir(&components).unwrap();
    let lock = std::fs::File::create(components.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut up = Command::new(assert_cmd::cargo::cargo_bin!("aiconform"))
        .args(["lab", "--name", "testwaits", "up"])
        .env("AICONFORM_CACHE_DIR", cache.path())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let talk = std::io::BufReader::new(up.stderr.take().unwrap());
    let mut said = String::new();
    for line in std::io::BufRead::lines(talk) {
        said += &format!("{}\n", line.unwrap());
        if said.contains("waiting for another program") {
            break;
        }
    }
    assert!(said.contains("waiting for another program"), "{said}");
    assert!(Command::new("kill").args(["-INT", &up.id().to_string()]).status().unwrap().success());
    assert_eq!(up.wait().unwrap().code(), Some(130));
}

/// Runs `lab up` in a mount namespace of its own, after this script; gives what it said.
fn up_after(script: &str) -> String {
    let program = assert_cmd::cargo::cargo_bin!("aiconform");
    let script = format!("set -e; {script} exec {} lab --name testpreflight up", program.display());
    let output = Command::new("unshare").args(["--mount", "--", "/bin/sh", "-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!Path::new("/var/lib/aiconform/testpreflight").exists());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_the_machine_lacks_is_said_in_one_sentence_before_anything_is_built() {
    timed!();
    let go = String::from_utf8(
        Command::new("sh").args(["-c", "dirname $(command -v go)"]).output().unwrap().stdout,
    )
    .unwrap();
    let go = go.trim();
    let small = "mount -t tmpfs -o size=1m none /mnt; export AICONFORM_CACHE_DIR=/mnt;";
    let meminfo = "echo 'MemAvailable: 1000000 kB' > /mnt/meminfo; mount --bind /mnt/meminfo /proc/meminfo;";
    for (script, words) in [
        ("export PATH=/usr/bin:/bin; mount -t tmpfs none /usr/local;".to_owned(), "needs Go 1.26 or newer"),
        (format!("export PATH={go}; /bin/mount -t tmpfs none /usr/sbin;"), "needs `runc`"),
        (small.to_owned(), "needs 12 GiB free at /mnt"),
        (format!("mount -t tmpfs none /mnt; {meminfo}"), "needs 3 GiB of free memory"),
    ] {
        let said = up_after(&script);
        assert!(said.contains(words), "{script}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // The program itself may lie where only root reads; a copy is run as nobody.
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    let copy = directory.path().join("aiconform");
    std::fs::copy(assert_cmd::cargo::cargo_bin!("aiconform"), &copy).unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(copy)
        .args(["lab", "up"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs root"));
}
