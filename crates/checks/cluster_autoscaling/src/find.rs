//! Autoscalers that there are, and what speaks for there being none.

use crate::adapters::{ALL, Adapter, CLUSTER_AUTOSCALER, IDS, KARPENTER};
use crate::limits;
use crate::marks::{Facts, ID, Mark};
use aiconform_accelerators::inventory::{Way, inventory, is_resource};
use aiconform_check::consent::Consent;
use aiconform_check::cx::{Detection, Preview, Stop};
use aiconform_check::profile::{Autoscaler, Profile};
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::{Kind, Object, Scope};
use aiconform_trial::InForce;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Nodes when nobody says how many.
const NODES: u64 = 2;
/// Groups of APIs that autoscalers of nodes serve.
const GROUPS: [&str; 5] = [
    "karpenter.sh",
    "autoscaling.x-k8s.io",
    "autoscaling.openshift.io",
    "autoscaling.cast.ai",
    "eks.amazonaws.com",
];
/// Words that the names or images of their Deployments hold.
const PROGRAMS: [&str; 2] = ["cluster-autoscaler", "karpenter"];
/// Where cluster-autoscaler says how it is.
const STATUS: (&str, &str) = ("kube-system", "cluster-autoscaler-status");

/// Karpenter's NodePool.
fn pools() -> Kind {
    Kind::cluster_wide("karpenter.sh", "v1", "NodePool", "nodepools")
}

/// An autoscaler that can be tried, and on what.
pub struct Target {
    /// The autoscaler.
    pub adapter: &'static Adapter,
    /// Set if the user named it.
    pub declared: bool,
    /// Extended resource that its nodes bring.
    pub resource: String,
    /// Labels of the nodes of its pool; empty where they are not known.
    pub selector: BTreeMap<String, String>,
    /// Tolerations of the pool's taints, as in a pod, beside those of the profile.
    pub tolerations: Vec<Value>,
    /// Number of nodes that may be brought.
    pub max_nodes: u64,
    /// Longest time for a node to come, and for one to go.
    pub deadline: InForce,
}

impl Target {
    /// Facts of the subject.
    pub fn facts(&self) -> Value {
        json!(Facts {
            product: self.adapter.product.into(),
            tried: self.adapter.tried,
            resource: self.resource.clone(),
            node_selector: self.selector.clone(),
            max_nodes: self.max_nodes,
            deadline_seconds: Some(self.deadline.time.as_secs()),
            own_control: true,
        })
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
    /// Id of the subject.
    pub id: &'static str,
    /// Why it cannot.
    pub why: String,
    /// Set if the user named it.
    pub declared: bool,
    /// Set if it is there all the same.
    pub there: bool,
}

/// Autoscalers that were found.
pub struct Found {
    /// Autoscalers that can be tried.
    pub targets: Vec<Target>,
    /// Autoscalers that cannot.
    pub absent: Vec<Absent>,
    /// Mark of what speaks for there being none.
    pub none: Mark,
}

/// Signs of autoscalers that the cluster shows.
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

/// Name of the program of a Deployment which is an autoscaler of nodes, by its name or its images.
fn program(deployment: &Object) -> Option<&'static str> {
    let containers = deployment.at("/spec/template/spec/containers").and_then(Value::as_array);
    let images = containers.into_iter().flatten().filter_map(|container| container.get("image")?.as_str());
    let names: Vec<&str> = images.chain([deployment.name()]).collect();
    PROGRAMS.into_iter().find(|program| names.iter().any(|name| name.contains(program)))
}

/// Autoscalers that the cluster has.
pub async fn detect(api: &Api) -> Vec<(String, Detection)> {
    // What needs consent to be tried is there all the same.
    let mut profile = Profile::default();
    profile.consent.give(Consent::Nodes);
    match find(api, &Scope::new(ID, ""), &profile, &[]).await {
        Ok(found) => {
            let absent = found.absent.into_iter();
            let absent = absent.map(|absent| (absent.id.to_owned(), Detection::Absent(absent.why)));
            let there = found
                .targets
                .iter()
                .map(|target| (target.adapter.id.to_owned(), Detection::Present(target.facts())));
            there.chain(absent).collect()
        }
        Err(stop) => IDS.iter().map(|id| ((*id).to_owned(), Detection::Absent(stop.to_string()))).collect(),
    }
}

/// Tells what would be tried, and at what cost.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    match find(api, &Scope::new(ID, ""), profile, &[]).await {
        Ok(found) => {
            preview.ground.extend(found.targets.iter().map(|target| {
                format!(
                    "{} brings up to {} nodes of {}, each for as long as it takes to come and to go (at most {} s each way)",
                    target.adapter.product,
                    target.max_nodes,
                    target.place(),
                    target.deadline.watched().as_secs()
                )
            }));
            // What is not there hinders nothing.
            let hindered = found.absent.into_iter().filter(|absent| absent.there);
            preview.hindrances.extend(hindered.map(|absent| absent.why));
        }
        Err(stop) => preview.hindrances.push(stop.to_string()),
    }
    preview
}

/// The id of the autoscaler that a profile names.
fn id(named: Autoscaler) -> &'static str {
    match named {
        Autoscaler::Karpenter => KARPENTER.id,
        Autoscaler::ClusterAutoscaler => CLUSTER_AUTOSCALER.id,
    }
}

/// Looks for autoscalers, and for what each can be tried on.
///
/// # Errors
/// When the cluster could not be asked.
pub async fn find(api: &Api, scope: &Scope, profile: &Profile, named: &[String]) -> Result<Found, Stop> {
    let wanted = &profile.cluster_autoscaling;
    let mut signs = signs(api, scope).await;
    if let Some(named) = wanted.autoscaler {
        // Whoever names one does not state that there is none.
        signs.found.push(format!("the profile names {}", id(named)));
    }
    let stated = match wanted.provided {
        Some(false) => "the profile states that the platform provides no autoscaler of nodes",
        _ => "",
    };
    let none = Mark::NotProvided {
        stated: stated.into(),
        looked_for: signs.looked_for,
        found: signs.found,
        unread: signs.unread,
    };
    let mut found = Found { targets: Vec::new(), absent: Vec::new(), none };
    let certified = wanted.autoscaler.map(id);
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
        if !profile.consent.has(Consent::Nodes) {
            let why = format!(
                "{} is there and was not tried, because nodes cost money: say in the profile that a run may make it bring {}: [consent] nodes = true",
                adapter.product,
                wanted.max_nodes.unwrap_or(NODES)
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
    let wanted = &profile.cluster_autoscaling;
    let mut resource = wanted.resource.clone();
    let mut selector = wanted.node_selector.clone();
    let mut tolerations = Vec::new();
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
        adapter,
        declared,
        resource,
        selector,
        tolerations,
        max_nodes: wanted.max_nodes.unwrap_or(NODES),
        deadline: profile.limit(&limits::DEADLINE),
    }))
}

/// Limits of a NodePool in all, by resource.
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
