//! Native gang scheduling of Kubernetes (KEP-4671): a PodGroup, and pods that name it.
//!
//! The API differs by release: 1.37 serves `scheduling.k8s.io/v1beta1`, 1.36 `v1alpha2`, both with PodGroup and
//! `spec.schedulingGroup`; 1.35 serves `v1alpha1` with Workload and `spec.workloadRef`. With the gate off, the API
//! server drops the pod's field without a word, so what is written must be read back.

use super::{Adapter, Gang};
use crate::cx::{Detection, Stop};
use crate::gang_scheduling::template::Template;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

const GROUP: &str = "scheduling.k8s.io";

fn pod_group() -> Kind {
    Kind::namespaced(GROUP, "v1beta1", "PodGroup", "podgroups")
}

pub struct KubeNative;

impl Adapter for KubeNative {
    fn id(&self) -> &'static str {
        "kube-native"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![pod_group()]
    }

    fn detect<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<Detection, Stop>> {
        async move {
            let scope = Scope::new("gang_scheduling", self.id());
            if api.serves(&scope, &pod_group()).await? {
                return Ok(Detection::Present(json!({"api": pod_group().api_version(), "kind": "PodGroup"})));
            }
            for older in ["v1alpha2", "v1alpha1"] {
                for plural in ["podgroups", "workloads"] {
                    let kind = Kind::namespaced(GROUP, older, "", plural);
                    if api.serves(&scope, &kind).await? {
                        return Ok(Detection::Absent(format!(
                            "the API server serves {GROUP}/{older}, of an older release; this version of the check tests v1beta1"
                        )));
                    }
                }
            }
            Ok(Detection::Absent(format!(
                "the API server does not serve PodGroup ({GROUP}/v1beta1): its feature gate GenericWorkload or its runtime-config is off"
            )))
        }
        .boxed()
    }

    fn gang(&self, name: &str, size: u64, template: &Template) -> Gang {
        // 1.37: the PodGroup must name its pods' PriorityClass, or the scheduler refuses it.
        let group = json!({"apiVersion": pod_group().api_version(), "kind": "PodGroup",
            "metadata": {"name": name, "labels": template.labels("group", name)},
            "spec": {"schedulingPolicy": {"gang": {"minCount": size}},
                "priorityClassName": template.priority_class}});
        let members = (0..size)
            .map(|number| {
                let mut pod = template.member(name, number);
                pod["spec"]["schedulingGroup"] = json!({"podGroupName": name});
                (Kind::pod(), pod)
            })
            .collect();
        Gang { group: vec![(pod_group(), group)], members, derived: Vec::new() }
    }

    fn single(&self, name: &str, template: &Template) -> (Kind, Value) {
        (Kind::pod(), template.single(name))
    }
}

/// A PodGroup's condition that says it cannot be placed; gives the gang's name and the scheduler's words.
/// `SchedulerError` is the scheduler's own failure and no decision.
pub fn refusal(kind: &Kind, object: &Object) -> Option<(String, String)> {
    if kind.group != GROUP || kind.plural != "podgroups" {
        return None;
    }
    let condition =
        object.condition("PodGroupInitiallyScheduled").or_else(|| object.condition("PodGroupScheduled"))?;
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    (text("status") == "False" && text("reason") == "Unschedulable")
        .then(|| (object.name().to_owned(), text("message").to_owned()))
}
