//! What a user sees when something around the check is wrong: an image that nobody has, an endpoint whose certificate
//! nobody knows, a node that is no longer there.

use super::timed;
use super::{Lab, left, program, read, run, text, works};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const CHOSEN: [&str; 2] = ["--only", "accelerator_metrics"];

/// Begins a run with this profile, into a folder of this name.
fn begin(lab: &Lab, folder: &Path, name: &str, profile: &str) -> Child {
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, profile).unwrap();
    let mut command = program();
    command.args(["run", "--kubeconfig", &lab.kubeconfig]).args(CHOSEN).arg("--profile").arg(file);
    command.arg("--output-dir").arg(folder.join(name));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What it says at its end, and that it says so again from its evidence.
fn said(child: Child, code: i32, words: &[&str], folder: &Path) {
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{said}{}", text(&output.stderr));
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(text(&run(&["judge", folder.to_str().unwrap()]).stdout), said);
}

#[test]
fn what_is_wrong_around_a_check_is_named_and_nothing_is_held_against_the_platform() {
    timed!();
    // A node that goes away is the end of a lab; that it does is for `--thorough`.
    let thorough = std::env::var("AICONFORM_THOROUGH").is_ok();
    let lab = if thorough { Lab::to_be_spoilt("simulator") } else { Lab::with("simulator") };
    let before = left(&lab);
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path();
    let role = "--clusterrole=cluster-admin";
    lab.kubectl(&["create", "clusterrolebinding", "reader", role, "--serviceaccount=default:default"]);
    std::fs::write(folder.join("token"), lab.kubectl(&["create", "token", "default"])).unwrap();

    // Nothing answers there. It is not waited for until the limit of two minutes.
    let start = Instant::now();
    let image = begin(&lab, folder, "image", "probe_image = \"127.0.0.1:9/aiconform/probe:none\"\n");

    // The API server's own certificate, by an authority that only the lab knows.
    let config: serde_json::Value = serde_json::from_str(&read(Path::new(&lab.kubeconfig))).unwrap();
    let cluster = &config["clusters"][0]["cluster"];
    let server = cluster["server"].as_str().unwrap();
    let path = "/api/v1/namespaces/aiconform-simulator/services/metrics:metrics/proxy/metrics";
    let token = folder.join("token");
    let profile = format!(
        "[accelerator_metrics]\nendpoint = \"{server}{path}\"\ntoken_file = \"{}\"\n",
        token.display()
    );
    let unknown = begin(&lab, folder, "unknown", &profile);
    let words = ["accelerator_metrics (MUST): INCONCLUSIVE", "UnknownIssuer", "ca_file"];
    said(unknown, 4, &words, &folder.join("unknown"));

    let words = [
        "accelerator_metrics (MUST): INCONCLUSIVE",
        "the image 127.0.0.1:9/aiconform/probe:none of the pod loaded-dra cannot be pulled, tried 2 times",
        "connection refused",
    ];
    said(image, 4, &words, &folder.join("image"));
    assert!(start.elapsed() < Duration::from_secs(100), "{:?}", start.elapsed());

    let authority = cluster["certificate-authority"].as_str().unwrap();
    let known = begin(&lab, folder, "known", &format!("{profile}ca_file = \"{authority}\"\n"));
    said(known, 0, &["accelerator_metrics (MUST): PASSED (SIMULATED)"], &folder.join("known"));
    lab.kubectl(&["delete", "clusterrolebinding", "reader"]);
    assert_eq!(left(&lab), before);

    // Only `--thorough`: the control plane takes most of a minute to notice.
    if !thorough {
        return;
    }
    let mut gone = begin(&lab, folder, "gone", "");
    let talk = BufReader::new(gone.stderr.take().unwrap());
    let mut lines = talk.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("load 1 of")), "no load");
    // A kubelet that is stopped says no more than a node without power.
    works(&["lab", "--name", &lab.name, "exec", "--", "sh", "-c", "kill -STOP $(pidof kubelet)"]);
    let words = ["accelerator_metrics (MUST): INCONCLUSIVE", "node node-0"];
    said(gone, 4, &words, &folder.join("gone"));
    assert_eq!(left(&lab), before);
}
