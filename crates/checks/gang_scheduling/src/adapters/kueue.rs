//! Kueue: a gang is a Workload, admitted whole when a quota holds it; its pods are then placed one by one.
//!
//! Ways to bring one in, each a subject of its own: a group of plain pods, which Kueue's webhook gates; a Job that is
//! created suspended, which needs no webhook; and such a Job under topology-aware scheduling, where Kueue chooses the
//! nodes itself.

use super::{Adapter, Can, Capacity, Gang, Wanted, cluster_queue_name, local_queue_name};
use crate::acts::means::Means;
use crate::acts::template::Template;
use crate::marks::ID;
use crate::reading::kueue::GROUP;
use aiconform_check::cx::{Cx, Detection, Stop};
use aiconform_cluster::Api;
use aiconform_model::{Kind, Scope};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

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

fn topology() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "Topology", "topologies")
}

fn local_queue() -> Kind {
    kind("LocalQueue", "localqueues")
}

fn workload() -> Kind {
    kind("Workload", "workloads")
}

async fn detect(api: &Api, way: Way) -> Result<Detection, Stop> {
    let scope = Scope::new(ID, way.id());
    let needed = if way == Way::Topology { topology() } else { workload() };
    if api.serves(&scope, &needed).await? {
        return Ok(Detection::Present(json!({"api": needed.api_version()})));
    }
    Ok(Detection::Absent(format!(
        "the API server does not serve {} of {GROUP}/{VERSION}: Kueue 0.16 or newer is not installed",
        needed.plural
    )))
}

fn cluster_objects(capacity: &Capacity, cx: &Cx, way: Way) -> Vec<(Kind, Value)> {
    if cx.profile.gang_scheduling.cluster_queue.is_some() {
        return Vec::new();
    }
    let name = cluster_queue_name(cx.session.id(), way.id(), capacity.trial);
    let mut objects = Vec::new();
    let mut flavored = json!({});
    if way == Way::Topology {
        let levels = json!([{"nodeLabel": "kubernetes.io/hostname"}]);
        let hosts = json!({"apiVersion": topology().api_version(), "kind": "Topology",
            "metadata": {"name": name}, "spec": {"levels": levels}});
        objects.push((topology(), hosts));
        // A flavor with a topology must name its nodes; every kubelet sets this label. Where slots lie on fake nodes,
        // the pods' own tolerations stand for them.
        flavored = json!({"topologyName": name, "nodeLabels": {"kubernetes.io/os": "linux"}});
    }
    let flavor_object = json!({"apiVersion": flavor().api_version(), "kind": "ResourceFlavor",
        "metadata": {"name": name}, "spec": flavored});
    let queue = json!({"apiVersion": cluster_queue().api_version(), "kind": "ClusterQueue",
        "metadata": {"name": name},
        "spec": spec(capacity, &name, cx)});
    objects.extend([(flavor(), flavor_object), (cluster_queue(), queue)]);
    objects
}

fn spec(capacity: &Capacity, flavor: &str, cx: &Cx) -> Value {
    // The namespaces of the run, or the one that the platform wants to be used.
    let namespaces = match cx.profile.namespace {
        Some(_) => json!({"kubernetes.io/metadata.name": capacity.namespace}),
        None => json!({aiconform_cluster::RUN_LABEL: cx.session.id()}),
    };
    let quotas = capacity.means.quotas(capacity.resource, capacity.canary, capacity.quota);
    let covered: Vec<&str> = quotas.iter().map(|(name, _)| name.as_str()).collect();
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
    let cluster_queue = cx
        .profile
        .gang_scheduling
        .cluster_queue
        .clone()
        .unwrap_or_else(|| cluster_queue_name(cx.session.id(), subject, capacity.trial));
    let local = json!({"apiVersion": workload().api_version(), "kind": "LocalQueue",
        "metadata": {"name": local_queue_name(capacity.prefix, capacity.trial)}, "spec": {"clusterQueue": cluster_queue}});
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

/// Way in which a gang is brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As a group of plain pods.
    Pods,
    /// As a Job that is created suspended.
    Job,
    /// As such a Job, with topology-aware scheduling.
    Topology,
}

impl Way {
    fn id(self) -> &'static str {
        match self {
            Way::Pods => "kueue/pods",
            Way::Job => "kueue/job",
            Way::Topology => "kueue/topology",
        }
    }
}

/// Kueue, with gangs brought in this way.
pub struct Kueue(pub Way);

impl Kueue {
    fn job(&self, name: &str, count: u64, template: &Template, pod: Value) -> Value {
        let mut labels = pod["metadata"]["labels"].clone();
        labels[QUEUE] = json!(local_queue_name(&template.prefix, &template.trial));
        let mut pod = json!({"metadata": {"labels": pod["metadata"]["labels"],
            "annotations": pod["metadata"]["annotations"]}, "spec": pod["spec"]});
        pod["metadata"]["labels"][aiconform_cluster::RUN_LABEL] = json!(template.run);
        if self.0 == Way::Topology {
            pod["metadata"]["annotations"]["kueue.x-k8s.io/podset-unconstrained-topology"] = json!("true");
        }
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
        self.0.id()
    }

    fn can(&self, _facts: &Value) -> Vec<Can> {
        match self.0 {
            Way::Pods => vec![Can::Quota, Can::HoldBack, Can::Preempt],
            Way::Job | Way::Topology => vec![Can::Quota, Can::Preempt],
        }
    }

    fn counts(&self, means: Means) -> bool {
        // Its quotas are of resources, and devices are none; its topology is of places, and a quota has none.
        match means {
            Means::Slots | Means::Cpu { .. } => true,
            Means::Devices => false,
            Means::Quota => self.0 != Way::Topology,
        }
    }

    fn kinds(&self, _facts: &Value) -> Vec<Kind> {
        if self.0 == Way::Pods { vec![workload()] } else { vec![workload(), Kind::job()] }
    }

    fn creates(&self) -> Vec<Kind> {
        vec![local_queue()]
    }

    fn detect<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<Detection, Stop>> {
        detect(api, self.0).boxed()
    }

    fn cluster_objects(&self, capacity: &Capacity, cx: &Cx) -> Result<Vec<(Kind, Value)>, Stop> {
        Ok(cluster_objects(capacity, cx, self.0))
    }

    fn objects(&self, capacity: &Capacity, cx: &Cx) -> Result<Vec<(Kind, Value)>, Stop> {
        Ok(objects(capacity, cx, self.id()))
    }

    fn set_quota(&self, capacity: &Capacity, cx: &Cx) -> Result<Option<(Kind, String, Value)>, Stop> {
        Ok(set_quota(capacity, cx, self.id()))
    }

    fn gang(&self, wanted: &Wanted, template: &Template) -> Result<Gang, Stop> {
        let (name, size) = (wanted.name.as_str(), wanted.size);
        if self.0 != Way::Pods {
            let job = self.job(name, size, template, template.member(name, 0));
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
        if self.0 != Way::Pods {
            return Ok((Kind::job(), self.job(name, 1, template, template.single(name))));
        }
        Ok((Kind::pod(), Kueue::pod(template.single(name), template)))
    }
}
