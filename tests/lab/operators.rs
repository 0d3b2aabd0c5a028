//! Operators that labs can have: each makes of one object of its own what it is to be. Long, so only with `--thorough`.

use super::nodes::apply;
use super::timed;
use super::{is_gone, is_short, kubectl, works};
use serde_json::json;

#[test]
fn an_object_of_each_operator_becomes_ready() {
    timed!();
    if is_short() {
        return;
    }
    let lab = "testoperators";
    works(lab, &["up", "--with", "jobset,lws,trainer"]);
    let container = json!({"name": "pause", "image": "aiconform.dev/lab/pause:1"});
    // Ends by itself and well: the program of the image says its version.
    let ends = json!({"name": "node", "image": "aiconform.dev/lab/pause:1", "args": ["-v"]});
    apply(
        lab,
        &json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet",
            "metadata": {"name": "set", "namespace": "default"},
            "spec": {"replicatedJobs": [{"name": "workers", "replicas": 2, "template": {"spec": {
                "template": {"spec": {"restartPolicy": "Never", "containers": [ends]}}}}}]}}),
    );
    apply(
        lab,
        &json!({"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet",
            "metadata": {"name": "group", "namespace": "default"},
            "spec": {"replicas": 2, "leaderWorkerTemplate": {"size": 2, "workerTemplate": {
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}}}),
    );
    apply(
        lab,
        &json!({"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "ClusterTrainingRuntime",
            "metadata": {"name": "plain"},
            "spec": {"mlPolicy": {"numNodes": 1}, "template": {"spec": {"replicatedJobs": [{"name": "node",
                "template": {"metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
                    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [ends]}}}}}]}}}}),
    );
    apply(
        lab,
        &json!({"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob",
            "metadata": {"name": "job", "namespace": "default"},
            "spec": {"runtimeRef": {"name": "plain", "apiGroup": "trainer.kubeflow.org", "kind": "ClusterTrainingRuntime"}}}),
    );
    kubectl(lab, &["wait", "--for=condition=Completed", "jobset/set", "--timeout=120s"]);
    kubectl(lab, &["wait", "--for=condition=Available", "leaderworkerset/group", "--timeout=120s"]);
    let pods = kubectl(
        lab,
        &[
            "get",
            "pods",
            "-l",
            "leaderworkerset.sigs.k8s.io/name=group",
            "-o",
            "jsonpath={.items[*].status.phase}",
        ],
    );
    assert_eq!(pods, "Running Running Running Running");
    kubectl(lab, &["wait", "--for=condition=Complete", "trainjob/job", "--timeout=120s"]);
    works(lab, &["down"]);
    is_gone(lab);
}
