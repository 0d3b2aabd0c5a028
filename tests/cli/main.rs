//! The command line without a cluster: what is wrong is said clearly, with the right exit code, and nothing is left.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod axe;
mod basis;
mod certification;
mod links;
mod role;
mod site;

use std::path::Path;
use std::process::Command;

struct Said {
    code: i32,
    data: String,
    talk: String,
}

fn aiconform(arguments: &[&str], folder: &Path) -> Said {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("aiconform"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("KUBECONFIG")
        .env("HOME", folder)
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap(),
        data: String::from_utf8(output.stdout).unwrap(),
        talk: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs in an empty folder and says what was left in it.
fn fails(arguments: &[&str], code: i32, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let said = aiconform(arguments, folder.path());
    assert_eq!(said.code, code, "{arguments:?}: {}", said.talk);
    for word in words {
        assert!(said.talk.contains(word), "{arguments:?}: no {word:?} in: {}", said.talk);
    }
    assert_eq!(said.data, "", "{arguments:?}: an error is no data");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{arguments:?} left {left:?}");
}

const KUBECONFIG: &str = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "here",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "secret-token"}}],
    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}]}"#;

#[test]
fn what_the_user_got_wrong_is_said_with_exit_code_2() {
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("good", KUBECONFIG);
    let broken = file("broken", "{ not yaml");
    let profile = file("profile.toml", "image = \"a\"\nimages = \"b\"\n");
    let unknown_adapter = file("adapter.toml", "[gang_scheduling]\nadapter = \"slurm\"\n");
    let adapter_file = file("mine.toml", "id = \"mine\"\nproduct = \"Mine\"\ncan = [\"fly\"]\n");

    fails(&["run"], 2, &["no kubeconfig", "--kubeconfig"]);
    fails(&["run", "--kubeconfig", "nowhere"], 2, &["no kubeconfig at nowhere"]);
    fails(&["run", "--kubeconfig", &broken], 2, &["kubeconfig"]);
    fails(&["run", "--kubeconfig", &good, "--context", "there"], 2, &["no context named \"there\"", "here"]);
    fails(&["run", "--only", "gang_sched"], 2, &["no requirement \"gang_sched\"", "aiconform list"]);
    fails(&["run", "--only", "workload_sandboxing"], 2, &["no check for workload_sandboxing yet"]);
    fails(&["run", "--lab", "--kubernetes", "1.30"], 2, &["1.36, 1.37"]);
    fails(&["run", "--kubernetes", "1.36"], 2, &["--lab"]);
    fails(&["lab", "up", "--with", "volcano"], 2, &["cannot have \"volcano\"", "kueue"]);
    fails(&["run", "--adapter", "slurm"], 2, &["no adapter \"slurm\"", "kueue/job", "volcano"]);
    for verb in ["run", "plan", "rbac"] {
        let place = format!("{adapter_file}, line 3, column 8");
        fails(&[verb, "--adapter-file", &adapter_file], 2, &[&place, "unknown variant `fly`", "hold-back"]);
        fails(&[verb, "--adapter-file", "nowhere.toml"], 2, &["nowhere.toml"]);
    }
    fails(&["run", "--trial", "luck"], 2, &["no trial \"luck\"", "preemption"]);
    fails(&["run", "--size", "1"], 2, &["--size"]);
    fails(&["run", "--profile", "nowhere.toml"], 2, &["nowhere.toml"]);
    fails(&["run", "--profile", &profile], 2, &["line 2, column 1", "images", "image_pull_secrets"]);
    fails(&["run", "--profile", &unknown_adapter], 2, &["no adapter \"slurm\""]);
    fails(&["run", "--lab", "--context", "here"], 2, &["--lab"]);
    fails(&["run", "--release", "1.32"], 2, &["1.32"]);
    fails(
        &["run", "--lab", "--release", "1.33"],
        2,
        &["no lab has Kubernetes 1.33", "1.34, 1.35, 1.36, 1.37"],
    );
    fails(&["explain", "nothing"], 2, &["no requirement \"nothing\""]);
    fails(&["judge", "nowhere"], 2, &["nowhere", "run folder"]);
    fails(&["lab", "--name", "Not A Name", "up"], 2, &["no name for a lab"]);
    fails(&["lab", "up", "--break", "everything"], 2, &["no breakage \"everything\"", "scheduler-stopped"]);
    fails(&["lab", "faults", "everything"], 2, &["everything", "queues-on-hold"]);
}

#[test]
fn a_cluster_that_does_not_answer_is_said_with_exit_code_3_and_leaves_no_folder() {
    let files = tempfile::tempdir().unwrap();
    let kubeconfig = files.path().join("config");
    std::fs::write(&kubeconfig, KUBECONFIG).unwrap();
    let kubeconfig = kubeconfig.to_str().unwrap();
    let run = files.path().join("run");
    fails(
        &["run", "--kubeconfig", kubeconfig, "--output-dir", run.to_str().unwrap()],
        3,
        &["https://127.0.0.1:1", "gave no answer", "is the cluster up"],
    );
    assert!(!run.exists());
    fails(&["plan", "--kubeconfig", kubeconfig], 3, &["gave no answer"]);
    fails(&["cleanup", "--kubeconfig", kubeconfig], 3, &["gave no answer"]);
}

#[test]
fn a_run_folder_that_cannot_be_used_is_said_before_anything_is_done() {
    let files = tempfile::tempdir().unwrap();
    let kubeconfig = files.path().join("config");
    std::fs::write(&kubeconfig, KUBECONFIG).unwrap();
    let kubeconfig = kubeconfig.to_str().unwrap();
    let full = files.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("mine"), "mine").unwrap();
    fails(&["run", "--kubeconfig", kubeconfig, "--output-dir", full.to_str().unwrap()], 2, &["not empty"]);
    fails(
        &["run", "--kubeconfig", kubeconfig, "--output-dir", "/proc/nothing/run"],
        2,
        &["cannot be written"],
    );
    assert_eq!(std::fs::read_to_string(full.join("mine")).unwrap(), "mine");
}

#[test]
fn images_are_exported_once_and_under_the_name_that_the_user_gives() {
    let folder = tempfile::tempdir().unwrap();
    let list = aiconform(&["image", "list"], folder.path());
    assert!(
        list.data.contains("probe\taiconform.dev/probe:") && list.data.contains("simulator\t"),
        "{}",
        list.data
    );
    let export = ["image", "export", "--name", "registry.example.com/probe:1", "--output-file", "probe.tar"];
    assert_eq!(aiconform(&export, folder.path()).code, 0);
    let archive = std::fs::read(folder.path().join("probe.tar")).unwrap();
    let holds = |words: &str| archive.windows(words.len()).any(|bytes| bytes == words.as_bytes());
    assert!(holds("registry.example.com/probe:1") && holds("oci-layout") && !holds("aiconform.dev/probe:"));
    // What is there already is not written over.
    let again = aiconform(&export, folder.path());
    assert!(again.code == 2 && again.talk.contains("probe.tar"), "{}", again.talk);
    fails(&["image", "export", "pause"], 2, &["no image \"pause\"", "probe, simulator, load-nvidia"]);
}

#[test]
fn the_catalogue_and_the_role_are_data() {
    let folder = tempfile::tempdir().unwrap();
    let list = aiconform(&["list", "--release", "1.37", "-o", "json"], folder.path());
    let list: serde_json::Value = serde_json::from_str(&list.data).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 15);
    let table = aiconform(&["list"], folder.path());
    assert!(table.data.contains("gang_scheduling") && table.data.contains("REQUIREMENT"), "{}", table.data);
    let explained = aiconform(&["explain", "gang_scheduling"], folder.path());
    assert!(
        explained.data.contains("oversized_gang_waits") && explained.data.contains("KAR-0053"),
        "{}",
        explained.data
    );
    let role = aiconform(&["rbac"], folder.path());
    assert_eq!((role.code, role.talk.as_str()), (0, ""));
    // Every metric is a resource of its own in the APIs of metrics; nowhere else may everything be read.
    let metrics = |group: &str, verb: &str| {
        format!("apiGroups:\n  - {group}.metrics.k8s.io\n  resources:\n  - \"*\"\n  verbs:\n  - {verb}\n")
    };
    let rest = role.data.replacen(&metrics("custom", "get"), "", 1);
    let rest = rest.replacen(&metrics("external", "list"), "", 1);
    assert!(rest.contains("ClusterRoleBinding") && !rest.contains("\"*\""), "{}", role.data);
}

#[test]
fn a_submission_is_reviewed_without_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let product = folder.path().join("v1.37/stratus");
    std::fs::create_dir_all(&product).unwrap();
    std::fs::write(product.join("PRODUCT.yaml"), "metadata:\n  platformVersion: 4.2\nspec: {}\n").unwrap();
    let review = aiconform(&["review", "v1.37/stratus"], folder.path());
    assert_eq!(review.code, 1, "{}", review.talk);
    for words in
        ["error[metadata_text]", "PRODUCT.yaml:2:20", "platformVersion: 4.2", "v1.37/stratus: NOT VALID"]
    {
        assert!(review.data.contains(words), "no {words:?} in: {}", review.data);
    }
    let json = aiconform(&["review", ".", "-o", "json"], folder.path());
    let json: serde_json::Value = serde_json::from_str(&json.data).unwrap();
    assert_eq!(json["submissions"][0]["accepted"], false);
    let github = aiconform(&["review", "v1.37/stratus/PRODUCT.yaml", "-o", "github"], folder.path());
    assert!(github.data.contains("::error file=v1.37/stratus/PRODUCT.yaml,line=2,col=20"), "{}", github.data);
    let markdown = aiconform(&["review", "v1.37", "-o", "markdown"], folder.path());
    assert!(markdown.data.contains("### v1.37/stratus: not valid"), "{}", markdown.data);
    fails(&["review", "."], 2, &["no PRODUCT.yaml", "v1.37/NAME"]);
    fails(&["review", "nowhere"], 2, &["nowhere: there is no such file"]);
    fails(&["review"], 2, &["PATH"]);
    let members = aiconform(&["review", ".", "--members", "nobody.txt"], folder.path());
    assert!(members.code == 2 && members.talk.contains("nobody.txt"), "{}", members.talk);
}
