//! Kueue: a gang is a Workload, admitted whole when a quota holds it; its pods are then placed one by one.
//!
//! Two ways to bring one in, each a subject of its own: a group of plain pods, which Kueue's webhook gates, and a
//! Job that is created suspended, which needs no webhook.

use super::{Adapter, Can, Capacity, Gang, Wanted, cluster_queue_name, local_queue_name};
use crate::cx::{Cx, Detection, Stop};
use crate::gang_scheduling::template::Template;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

const GROUP: &str = "kueue.x-k8s.io";
const VERSION: &str = "v1beta2";
const QUEUE: &str = "kueue.x-k8s.io/queue-name";

fn kind(kind: &str, plural: &str) -> Kind {
    Kind::namespaced(GROUP, VERSION, kind, plural)
}

fn cluster_queue() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "ClusterQueue", "clusterqueues")
}

fn flavor() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "ResourceFlavor", "resourceflavors")
}

fn local_queue() -> Kind {
    kind("LocalQueue", "localqueues")
}

fn workload() -> Kind {
    kind("Workload", "workloads")
}

async fn detect(api: &Api, id: &str) -> Result<Detection, Stop> {
    let scope = Scope::new("gang_scheduling", id);
    if api.serves(&scope, &workload()).await? {
        return Ok(Detection::Present(json!({"api": workload().api_version()})));
    }
    Ok(Detection::Absent(format!(
        "the API server does not serve {GROUP}/{VERSION}: Kueue 0.16 or newer is not installed"
    )))
}

fn cluster_objects(capacity: &Capacity, cx: &Cx, subject: &str) -> Vec<(Kind, Value)> {
    if cx.profile.gang_scheduling.cluster_queue.is_some() {
        return Vec::new();
    }
    let name = cluster_queue_name(cx.session.id(), subject, capacity.trial);
    let flavor_object = json!({"apiVersion": flavor().api_version(), "kind": "ResourceFlavor",
        "metadata": {"name": name}, "spec": {}});
    let queue = json!({"apiVersion": cluster_queue().api_version(), "kind": "ClusterQueue",
        "metadata": {"name": name},
        "spec": spec(capacity, &name, cx)});
    vec![(flavor(), flavor_object), (cluster_queue(), queue)]
}

fn spec(capacity: &Capacity, flavor: &str, cx: &Cx) -> Value {
    // The namespaces of the run, or the one that the platform wants to be used.
    let namespaces = match cx.profile.namespace {
        Some(_) => json!({"kubernetes.io/metadata.name": capacity.namespace}),
        None => json!({aiconform_cluster::RUN_LABEL: cx.session.id()}),
    };
    let quotas = [
        ("cpu", json!("100")),
        ("memory", json!("100Gi")),
        (capacity.resource, json!(capacity.quota.to_string())),
        (capacity.canary, json!("100")),
    ];
    let covered: Vec<&str> = quotas.iter().map(|(name, _)| *name).collect();
    let resources: Vec<Value> =
        quotas.iter().map(|(name, quota)| json!({"name": name, "nominalQuota": quota})).collect();
    json!({
        "queueingStrategy": "BestEffortFIFO",
        "stopPolicy": if capacity.held { "Hold" } else { "None" },
        "preemption": {"withinClusterQueue": if capacity.preempts { "LowerPriority" } else { "Never" }},
        "namespaceSelector": {"matchLabels": namespaces},
        "resourceGroups": [{"coveredResources": covered, "flavors": [{"name": flavor, "resources": resources}]}]
    })
}

fn objects(capacity: &Capacity, cx: &Cx, subject: &str) -> Vec<(Kind, Value)> {
    let of = cx
        .profile
        .gang_scheduling
        .cluster_queue
        .clone()
        .unwrap_or_else(|| cluster_queue_name(cx.session.id(), subject, capacity.trial));
    let local = json!({"apiVersion": workload().api_version(), "kind": "LocalQueue",
        "metadata": {"name": local_queue_name(capacity.prefix, capacity.trial)}, "spec": {"clusterQueue": of}});
    vec![(local_queue(), local)]
}

fn set_quota(capacity: &Capacity, cx: &Cx, subject: &str) -> Option<(Kind, String, Value)> {
    if cx.profile.gang_scheduling.cluster_queue.is_some() {
        return None;
    }
    let name = cluster_queue_name(cx.session.id(), subject, capacity.trial);
    let patch = json!({"spec": spec(capacity, &name, cx)});
    Some((cluster_queue(), name, patch))
}

/// How a gang is brought in.
pub struct Kueue {
    /// As a Job that is created suspended; else as a group of plain pods.
    pub jobs: bool,
}

impl Kueue {
    fn job(name: &str, count: u64, template: &Template, pod: Value) -> Value {
        let mut labels = pod["metadata"]["labels"].clone();
        labels[QUEUE] = json!(local_queue_name(&template.prefix, &template.trial));
        let mut pod = json!({"metadata": {"labels": pod["metadata"]["labels"],
            "annotations": pod["metadata"]["annotations"]}, "spec": pod["spec"]});
        pod["metadata"]["labels"][aiconform_cluster::RUN_LABEL] = json!(template.run);
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels},
            "spec": {"suspend": true, "parallelism": count, "completions": count, "backoffLimit": 0,
                "template": pod}})
    }

    fn pod(mut pod: Value, template: &Template) -> Value {
        pod["metadata"]["labels"][QUEUE] = json!(local_queue_name(&template.prefix, &template.trial));
        pod
    }
}

impl Adapter for Kueue {
    fn id(&self) -> &str {
        if self.jobs { "kueue/job" } else { "kueue/pods" }
    }

    fn can(&self, _facts: &Value) -> Vec<Can> {
        if self.jobs { vec![Can::Quota, Can::Preempt] } else { vec![Can::Quota, Can::HoldBack, Can::Preempt] }
    }

    fn kinds(&self, _facts: &Value) -> Vec<Kind> {
        if self.jobs { vec![workload(), Kind::job()] } else { vec![workload()] }
    }

    fn creates(&self) -> Vec<Kind> {
        vec![local_queue()]
    }

    fn detect<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<Detection, Stop>> {
        detect(api, self.id()).boxed()
    }

    fn cluster_objects(&self, capacity: &Capacity, cx: &Cx) -> Result<Vec<(Kind, Value)>, Stop> {
        Ok(cluster_objects(capacity, cx, self.id()))
    }

    fn objects(&self, capacity: &Capacity, cx: &Cx) -> Result<Vec<(Kind, Value)>, Stop> {
        Ok(objects(capacity, cx, self.id()))
    }

    fn set_quota(&self, capacity: &Capacity, cx: &Cx) -> Result<Option<(Kind, String, Value)>, Stop> {
        Ok(set_quota(capacity, cx, self.id()))
    }

    fn gang(&self, wanted: &Wanted, template: &Template) -> Result<Gang, Stop> {
        let (name, size) = (wanted.name.as_str(), wanted.size);
        if self.jobs {
            let job = Kueue::job(name, size, template, template.member(name, 0));
            return Ok(Gang { group: Vec::new(), members: vec![(Kind::job(), job)], derived: Vec::new() });
        }
        let members = (0..size)
            .map(|number| {
                let mut pod = Kueue::pod(template.member(name, number), template);
                pod["metadata"]["labels"]["kueue.x-k8s.io/pod-group-name"] = json!(name);
                pod["metadata"]["annotations"]["kueue.x-k8s.io/pod-group-total-count"] =
                    json!(size.to_string());
                (Kind::pod(), pod)
            })
            .collect();
        // The Workload of a group has the group's name; pods wait for it to let go of them.
        Ok(Gang { group: Vec::new(), members, derived: vec![(workload(), name.into())] })
    }

    fn single(&self, name: &str, template: &Template) -> Result<(Kind, Value), Stop> {
        if self.jobs {
            return Ok((Kind::job(), Kueue::job(name, 1, template, template.single(name))));
        }
        Ok((Kind::pod(), Kueue::pod(template.single(name), template)))
    }
}

/// A Workload's condition that says that its quota cannot hold it; gives the gang's name and Kueue's words.
pub fn refusal(kind: &Kind, object: &Object) -> Option<(String, String)> {
    if kind.group != GROUP || kind.plural != "workloads" {
        return None;
    }
    let condition = object.condition("QuotaReserved")?;
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    // `Inadmissible` names a queue that is missing or on hold: that is no decision about the gang.
    (text("status") == "False" && text("reason") == "Pending")
        .then(|| (owner(object), text("message").to_owned()))
}

/// The gang of a Workload: its own name for a group of pods, else its Job's.
pub fn owner(workload: &Object) -> String {
    workload
        .at("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .and_then(|owners| {
            owners.iter().find(|owner| owner.get("kind").and_then(Value::as_str) == Some("Job"))
        })
        .and_then(|owner| owner.get("name"))
        .and_then(Value::as_str)
        .unwrap_or_else(|| workload.name())
        .to_owned()
}

/// Whether Kueue's webhook has gated a pod.
pub fn gates(pod: &Object) -> bool {
    let gates = pod.at("/spec/schedulingGates").and_then(Value::as_array);
    gates
        .into_iter()
        .flatten()
        .any(|gate| gate.get("name").and_then(Value::as_str) == Some("kueue.x-k8s.io/admission"))
}

/// The gang of a Workload.
pub fn queued(kind: &Kind, object: &Object) -> Option<String> {
    (kind.group == GROUP && kind.plural == "workloads").then(|| owner(object))
}

/// The Job of a Workload, when it has one.
pub fn takes_job(kind: &Kind, object: &Object) -> Option<String> {
    let name = queued(kind, object)?;
    (name != object.name()).then_some(name)
}
