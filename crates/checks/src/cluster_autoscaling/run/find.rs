//! Which autoscalers there are, and what speaks for there being none.

use super::ID;
use crate::accelerators::inventory::{Way, inventory, is_resource};
use crate::cluster_autoscaling::adapters::{ALL, Adapter, id};
use crate::cx::Stop;
use crate::profile::Profile;
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::{Kind, Object, Scope};
use aiconform_verdict::OWN_CONTROL;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Nodes when nobody says how many.
const NODES: u64 = 2;
/// Seconds for a node to come or to go when nobody says how many.
const DEADLINE: u64 = 1200;
/// Groups of APIs that autoscalers of nodes serve.
const GROUPS: [&str; 5] = [
    "karpenter.sh",
    "autoscaling.x-k8s.io",
    "autoscaling.openshift.io",
    "autoscaling.cast.ai",
    "eks.amazonaws.com",
];
/// What the names or images of their Deployments hold.
const PROGRAMS: [&str; 2] = ["cluster-autoscaler", "karpenter"];
/// Where cluster-autoscaler says how it is.
const STATUS: (&str, &str) = ("kube-system", "cluster-autoscaler-status");

/// Karpenter's NodePool.
fn pools() -> Kind {
    Kind::cluster_wide("karpenter.sh", "v1", "NodePool", "nodepools")
}

/// An autoscaler that can be tried, and on what.
pub struct Target {
    pub scope: Scope,
    pub adapter: &'static Adapter,
    pub declared: bool,
    pub resource: String,
    pub selector: BTreeMap<String, String>,
    pub tolerations: Vec<Value>,
    pub max_nodes: u64,
    pub deadline: u64,
}

impl Target {
    /// What identifies it.
    pub fn facts(&self) -> Value {
        json!({"product": self.adapter.product, "tried": self.adapter.tried, "resource": self.resource,
            "node_selector": self.selector, "max_nodes": self.max_nodes, "deadline_seconds": self.deadline,
            OWN_CONTROL: true})
    }

    /// Where it acts, in words.
    pub fn place(&self) -> String {
        let labels: Vec<String> = self.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let of =
            if labels.is_empty() { "any pool".into() } else { format!("nodes with {}", labels.join(", ")) };
        format!("{of}, by pods that ask for {}", self.resource)
    }
}

/// An autoscaler that cannot be tried.
pub struct Absent {
    pub id: &'static str,
    pub why: String,
    pub declared: bool,
    /// Whether it is there all the same.
    pub there: bool,
}

/// What was found.
#[derive(Default)]
pub struct Found {
    pub targets: Vec<Target>,
    pub absent: Vec<Absent>,
    /// What speaks for there being none, as it stands in the evidence.
    pub none: Value,
}

/// What the cluster shows of autoscalers.
#[derive(Default)]
struct Signs {
    looked_for: Vec<String>,
    found: Vec<String>,
    unread: Vec<String>,
    /// Ids of those that are known.
    known: Vec<&'static str>,
}

impl Signs {
    fn take(&mut self, what: &str, found: Result<Vec<String>, impl std::fmt::Display>) -> bool {
        self.looked_for.push(what.into());
        match found {
            Ok(found) => {
                let any = !found.is_empty();
                self.found.extend(found.into_iter().map(|found| format!("{what}: {found}")));
                return any;
            }
            Err(error) => self.unread.push(format!("{what}: {error}")),
        }
        false
    }
}

/// The list of this name in an answer; an answer without one says nothing of what there is.
fn list_in(answer: Result<Value, ClusterError>, name: &str) -> Result<Vec<Value>, String> {
    let answer = answer.map_err(|error| error.to_string())?;
    let list = answer.get(name).and_then(Value::as_array).cloned();
    list.ok_or_else(|| format!("the answer has no {name}"))
}

async fn signs(api: &Api, scope: &Scope) -> Signs {
    let mut signs = Signs::default();
    let groups = list_in(api.send(scope, "GET", "/apis", None).await, "groups").map(|groups| {
        let served = groups.iter().filter_map(|group| group.get("name")?.as_str());
        served.filter(|name| GROUPS.contains(name)).map(str::to_owned).collect::<Vec<_>>()
    });
    let karpenter = groups.as_ref().is_ok_and(|groups| groups.iter().any(|group| group == "karpenter.sh"));
    signs.take(&format!("an API of {}", GROUPS.join(", ")), groups);
    let status = match api.get(scope, &Kind::config_map(), STATUS.0, STATUS.1).await {
        Ok(found) => Ok(vec![found.called()]),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let mut other = signs.take("the ConfigMap of cluster-autoscaler's status", status);
    let programs = api.list(scope, &Kind::deployment(), "", "").await.map(|found| {
        let of = found.iter().filter(|deployment| program(deployment).is_some());
        of.map(|deployment| deployment.called()).collect::<Vec<_>>()
    });
    other |= programs.as_ref().is_ok_and(|found| found.iter().any(|name| name.contains(PROGRAMS[0])));
    signs.take(&format!("a Deployment of {}", PROGRAMS.join(" or ")), programs);
    for reason in ["TriggeredScaleUp", "NotTriggerScaleUp"] {
        let path = format!("/api/v1/events?limit=1&fieldSelector=reason%3D{reason}");
        let said = list_in(api.send(scope, "GET", &path, None).await, "items").map(|items| {
            items.into_iter().map(|event| Object(event).text("/message").to_owned()).collect::<Vec<_>>()
        });
        other |= signs.take(&format!("an event {reason}"), said);
    }
    let nodes = api.list(scope, &Kind::node(), "", "").await.map(|nodes| {
        let marked = |node: &&Object| node.labels().keys().any(|label| label.starts_with("karpenter.sh/"));
        nodes.iter().filter(marked).map(|node| node.name().to_owned()).collect::<Vec<_>>()
    });
    signs.take("a node with a label of Karpenter", nodes);
    signs.known.extend(karpenter.then_some(ALL[0].id));
    signs.known.extend(other.then_some(ALL[1].id));
    signs
}

/// Whether a Deployment is an autoscaler of nodes, by its name or its images.
fn program(deployment: &Object) -> Option<&'static str> {
    let containers = deployment.at("/spec/template/spec/containers").and_then(Value::as_array);
    let images = containers.into_iter().flatten().filter_map(|container| container.get("image")?.as_str());
    let names: Vec<&str> = images.chain([deployment.name()]).collect();
    PROGRAMS.into_iter().find(|program| names.iter().any(|name| name.contains(program)))
}

/// Looks for autoscalers, and for what each can be tried on.
pub async fn find(api: &Api, scope: &Scope, profile: &Profile, named: &[String]) -> Result<Found, Stop> {
    let of = &profile.cluster_autoscaling;
    let mut signs = signs(api, scope).await;
    if let Some(named) = of.autoscaler {
        // Whoever names one does not state that there is none.
        signs.found.push(format!("the profile names {}", id(named)));
    }
    let stated = match of.provided {
        Some(false) => "the profile states that the platform provides no autoscaler of nodes",
        _ => "",
    };
    let mut found = Found {
        none: json!({"stated": stated, "looked_for": signs.looked_for, "found": signs.found,
            "unread": signs.unread}),
        ..Found::default()
    };
    let certified = of.autoscaler.map(id);
    for adapter in ALL {
        let declared = certified == Some(adapter.id) || named.iter().any(|named| named == adapter.id);
        if !named.is_empty() && !declared {
            continue;
        }
        let there = signs.known.contains(&adapter.id);
        if !there && (adapter.claims || !declared) {
            let why = format!("nothing of {} is to be seen in the cluster", adapter.product);
            found.absent.push(Absent { id: adapter.id, why, declared, there: false });
            continue;
        }
        if of.consent != Some(true) {
            let why = format!(
                "{} is there and was not tried, because nodes cost money: say in the profile that a run may make it bring {}: [cluster_autoscaling] consent = true",
                adapter.product,
                of.max_nodes.unwrap_or(NODES)
            );
            found.absent.push(Absent { id: adapter.id, why, declared, there: true });
            continue;
        }
        match target(api, scope, profile, adapter, declared).await? {
            Ok(target) => found.targets.push(target),
            Err(why) => found.absent.push(Absent { id: adapter.id, why, declared, there: true }),
        }
    }
    Ok(found)
}

async fn target(
    api: &Api,
    scope: &Scope,
    profile: &Profile,
    adapter: &'static Adapter,
    declared: bool,
) -> Result<Result<Target, String>, Stop> {
    let of = &profile.cluster_autoscaling;
    let mut resource = of.resource.clone();
    let mut selector = of.node_selector.clone();
    let mut tolerations = profile.tolerations.clone();
    if adapter.claims {
        let pools = api.list(scope, &pools(), "", "").await?;
        let pool = pools.iter().find(|pool| match (&resource, selector.get("karpenter.sh/nodepool")) {
            (_, Some(name)) => pool.name() == name,
            (Some(resource), None) => limits(pool).contains_key(resource),
            (None, None) => limits(pool).keys().any(|name| is_resource(name, profile)),
        });
        if let Some(pool) = pool {
            let known = || limits(pool).keys().find(|name| is_resource(name, profile)).cloned();
            resource = resource.or_else(known);
            if selector.is_empty() {
                selector.insert("karpenter.sh/nodepool".into(), pool.name().into());
            }
            let taints = pool.at("/spec/template/spec/taints").and_then(Value::as_array);
            tolerations.extend(taints.into_iter().flatten().map(tolerated));
        }
    }
    if resource.is_none() {
        let inventory = inventory(api, scope, profile).await?;
        resource = inventory.ways.into_iter().find_map(|way| match way {
            Way::Resource(name) => Some(name),
            Way::Class(_) => None,
        });
    }
    let Some(resource) = resource else {
        return Ok(Err(format!(
            "{} is there, and it cannot be seen which accelerators it can bring: name their resource and the labels of their nodes in the profile: [cluster_autoscaling] resource = \"nvidia.com/gpu\", node_selector = {{ … }}",
            adapter.product
        )));
    };
    Ok(Ok(Target {
        scope: Scope::new(ID, adapter.id),
        adapter,
        declared,
        resource,
        selector,
        tolerations,
        max_nodes: of.max_nodes.unwrap_or(NODES),
        deadline: of.deadline_seconds.unwrap_or(DEADLINE).min(super::LONGEST),
    }))
}

/// What a NodePool may have in all, by resource.
fn limits(pool: &Object) -> Map<String, Value> {
    pool.at("/spec/limits").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The toleration of a taint.
fn tolerated(taint: &Value) -> Value {
    json!({"key": taint["key"], "operator": "Exists", "effect": taint["effect"]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_name_or_its_image_and_others_that_scale_are_not() {
        let of = |name: &str, image: &str| {
            let containers = json!([{"image": image}]);
            program(&Object(json!({"metadata": {"name": name, "namespace": "n"},
                "spec": {"template": {"spec": {"containers": containers}}}})))
        };
        assert_eq!(of("aws-cluster-autoscaler", "x"), Some("cluster-autoscaler"));
        assert_eq!(of("scaler", "public.ecr.aws/karpenter/controller:1.8.0"), Some("karpenter"));
        assert_eq!(of("kube-dns-autoscaler", "cluster-proportional-autoscaler"), None);
        assert_eq!(of("vertical-pod-autoscaler", "vpa"), None);
    }
}
