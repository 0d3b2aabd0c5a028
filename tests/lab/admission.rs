//! Policies that Kyverno enforces: each refuses a pod, or changes it, as long as it is there. Long, so only with `--thorough`.

use super::nodes::apply;
use super::policies::until;
use super::timed;
use super::{aiconform, is_gone, is_short, kubectl, works};
use serde_json::{Value, json};

/// Policies of which a lab's breakages are made, by their names there.
fn policies(lab: &str) -> Vec<String> {
    let all = works(lab, &["breakages"]);
    let names = all.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| name.starts_with("kyverno-")).map(str::to_owned).collect()
}

/// A pod that each policy refuses or changes; the error of the API server where it is refused.
fn create(lab: &str, name: &str) -> Result<Value, String> {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {"terminationGracePeriodSeconds": 0,
            "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
            "containers": [{"name": "probe", "image": "probe:latest"}]}});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pod.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    let output = aiconform(lab, &["exec", "--", "kubectl", "create", "-o", "json", "-f", path]);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    kubectl(lab, &["delete", "pod", name]);
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn each_policy_of_kyverno_bites_as_long_as_it_is_there() {
    timed!();
    if is_short() {
        return;
    }
    let lab = "testadmission";
    works(lab, &["up", "--with", "kyverno"]);
    let all = policies(lab);
    assert_eq!(all.len(), 11, "{all:?}");
    for policy in &all {
        let before = create(lab, "before").unwrap();
        assert!(before["spec"]["containers"][0]["resources"].get("requests").is_none(), "{before:#}");
        works(lab, &["break", policy]);
        let broken = create(lab, "broken");
        match policy.as_str() {
            "kyverno-changes-requests" => {
                let requests = &broken.unwrap()["spec"]["containers"][0]["resources"]["requests"];
                assert_eq!(requests, &json!({"cpu": "50m", "memory": "64Mi"}));
            }
            // Whoever has the lab's kubeconfig is an administrator. Who makes pods for him is not.
            "kyverno-labels-but-admins" => {
                broken.unwrap();
                let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job", "namespace": "default"},
                    "spec": {"template": {"spec": {"restartPolicy": "Never",
                        "containers": [{"name": "probe", "image": "probe:1"}]}}}});
                apply(lab, &job);
                until(|| kubectl(lab, &["events", "--for", "job/job"]).contains("needs the label team"));
                kubectl(lab, &["delete", "job", "job"]);
            }
            _ => {
                let refused = broken.unwrap_err();
                assert!(refused.contains("kyverno"), "{policy}: {refused}");
                let name = policy.strip_prefix("kyverno-").unwrap();
                assert!(refused.contains(name), "{policy}: {refused}");
            }
        }
        works(lab, &["heal"]);
    }
    create(lab, "after").unwrap();
    works(lab, &["down"]);
    is_gone(lab);
}
