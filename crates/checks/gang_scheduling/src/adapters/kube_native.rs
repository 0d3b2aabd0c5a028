//! Native gang scheduling of Kubernetes (KEP-4671). How it is written differs by release; the differences are data.
//!
//! With its gate off, the API server drops the pod's field without a word, so what is written must be read back.

use super::{Adapter, Can, Gang, Wanted};
use crate::acts::template::Template;
use crate::marks::ID;
use crate::reading::kube_native::GROUP;
use aiconform_check::cx::{Detection, Stop};
use aiconform_cluster::Api;
use aiconform_model::{Kind, Scope};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::time::Duration;

/// Form in which one release writes a gang.
struct Dialect {
    release: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
}

/// Newest first; what is served first is used.
const DIALECTS: &[Dialect] = &[
    Dialect { release: "1.37", version: "v1beta1", kind: "PodGroup", plural: "podgroups" },
    Dialect { release: "1.36", version: "v1alpha2", kind: "PodGroup", plural: "podgroups" },
    Dialect { release: "1.35", version: "v1alpha1", kind: "Workload", plural: "workloads" },
];

impl Dialect {
    fn group(&self) -> Kind {
        Kind::namespaced(GROUP, self.version, self.kind, self.plural)
    }

    /// The dialect that detection found.
    fn of(facts: &Value) -> &'static Dialect {
        let release = facts.get("dialect").and_then(Value::as_str).unwrap_or_default();
        DIALECTS.iter().find(|dialect| dialect.release == release).unwrap_or(&DIALECTS[0])
    }

    /// The object that makes a gang of the pods which name it.
    fn group_object(&self, wanted: &Wanted, template: &Template) -> Value {
        let name = &wanted.name;
        let gang = json!({"gang": {"minCount": wanted.least}});
        let mut spec = match self.kind {
            "Workload" => json!({"podGroups": [{"name": "gang", "policy": gang}]}),
            // 1.37: the PodGroup must name its pods' PriorityClass, or the scheduler refuses it.
            _ => json!({"schedulingPolicy": gang, "priorityClassName": template.priority_class}),
        };
        if self.release == "1.37" {
            // A job of which a part is evicted is of no use: by default each pod is a victim of its own.
            spec["disruptionMode"] = json!({"all": {}});
        }
        json!({"apiVersion": self.group().api_version(), "kind": self.kind,
            "metadata": {"name": name, "labels": template.labels("group", name)}, "spec": spec})
    }

    /// The pod's field that names its gang.
    fn pod_field(&self, name: &str) -> (&'static str, Value) {
        match self.kind {
            "Workload" => ("workloadRef", json!({"name": name, "podGroup": "gang"})),
            _ => ("schedulingGroup", json!({"podGroupName": name})),
        }
    }
}

pub struct KubeNative;

impl Adapter for KubeNative {
    fn id(&self) -> &str {
        "kube-native"
    }

    fn kinds(&self, facts: &Value) -> Vec<Kind> {
        vec![Dialect::of(facts).group()]
    }

    fn detect<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<Detection, Stop>> {
        async move {
            let scope = Scope::new(ID, self.id());
            for dialect in DIALECTS {
                if api.serves(&scope, &dialect.group()).await? {
                    let facts = json!({"api": dialect.group().api_version(), "kind": dialect.kind,
                        "dialect": dialect.release});
                    return Ok(Detection::Present(facts));
                }
            }
            let known: Vec<String> = DIALECTS
                .iter()
                .map(|dialect| format!("{} {} on {}", dialect.version, dialect.kind, dialect.release))
                .collect();
            Ok(Detection::Absent(format!(
                "the API server serves no gangs ({GROUP}: {}): its feature gate GenericWorkload or its runtime-config is off",
                known.join(", ")
            )))
        }
        .boxed()
    }

    fn can(&self, facts: &Value) -> Vec<Can> {
        let mut can = vec![Can::HoldBack, Can::Elastic];
        // minCount can be changed since 1.37, and gangs preempt as gangs since 1.36.
        match Dialect::of(facts).release {
            "1.37" => can.extend([Can::Resize, Can::Preempt]),
            "1.36" => can.push(Can::Preempt),
            _ => {}
        }
        can
    }

    fn timeout(&self) -> Option<Duration> {
        // permitTimeoutDuration of the gang scheduling plugin, a constant in 1.35 to 1.37.
        Some(Duration::from_secs(300))
    }

    fn resize(&self, wanted: &Wanted, template: &Template) -> Result<Option<(Kind, Value)>, Stop> {
        let dialect = Dialect::of(&template.facts);
        let patch = json!({"spec": {"schedulingPolicy": {"gang": {"minCount": wanted.least}}}});
        Ok((dialect.kind == "PodGroup").then(|| (dialect.group(), patch)))
    }

    fn gang(&self, wanted: &Wanted, template: &Template) -> Result<Gang, Stop> {
        let dialect = Dialect::of(&template.facts);
        let name = &wanted.name;
        let (field, value) = dialect.pod_field(name);
        let members = (0..wanted.size)
            .map(|number| {
                let mut pod = template.member(name, number);
                pod["spec"][field] = value.clone();
                (Kind::pod(), pod)
            })
            .collect();
        let group = vec![(dialect.group(), dialect.group_object(wanted, template))];
        Ok(Gang { group, members, derived: Vec::new() })
    }

    fn single(&self, name: &str, template: &Template) -> Result<(Kind, Value), Stop> {
        Ok((Kind::pod(), template.single(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_release_writes_a_gang_in_its_own_way() {
        let template = Template::example();
        let written: Vec<(String, Value, Value)> = DIALECTS
            .iter()
            .map(|dialect| {
                let object = dialect.group_object(&Wanted::whole("g", 4), &template);
                let (field, value) = dialect.pod_field("g");
                (
                    object["apiVersion"].as_str().unwrap().to_owned(),
                    object["spec"].clone(),
                    json!({field: value}),
                )
            })
            .collect();
        let gang = json!({"gang": {"minCount": 4}});
        let with_priority = json!({"schedulingPolicy": gang, "priorityClassName": "low"});
        let named = json!({"schedulingGroup": {"podGroupName": "g"}});
        let mut as_one = with_priority.clone();
        as_one["disruptionMode"] = json!({"all": {}});
        assert_eq!(written[0], ("scheduling.k8s.io/v1beta1".into(), as_one, named.clone()));
        assert_eq!(written[1], ("scheduling.k8s.io/v1alpha2".into(), with_priority, named));
        let workload = json!({"podGroups": [{"name": "gang", "policy": gang}]});
        let referred = json!({"workloadRef": {"name": "g", "podGroup": "gang"}});
        assert_eq!(written[2], ("scheduling.k8s.io/v1alpha1".into(), workload, referred));
    }
}
