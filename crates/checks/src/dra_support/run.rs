//! Acts and marks phases; decides nothing.

use super::adapters::synthetic::{Device, ID as SYNTHETIC, Names};
use super::objects::{GROUP, claim, claim_object, claim_template, class, first_available, slice};
use super::stage::{ALIVE, Ground, Stage};
use super::trials::{self, Served};
use crate::cx::{Cx, Detected, Detection, Stop};
use crate::gang_scheduling::ground::{Land, image, land};
use crate::profile::Profile;
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::{EventKind, Kind, Object, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// The check, and the requirement.
pub const ID: &str = "dra_support";
/// Under this name the facts of the subject hold the names of its trials.
pub const TRIALS: &str = "trials";
/// Under this name the facts of a subject say (`true`) that its devices are simulated.
const SIMULATED: &str = "simulated";

/// Which subjects the cluster has. That the API is not served is no absence: it is what the requirement is about.
pub async fn detect(api: &Api) -> Detected {
    let scope = Scope::new(ID, "");
    let detection = match served(api, &scope, &Profile::default()).await {
        Ok(served) => Detection::Present(facts(&served)),
        Err(error) => Detection::Absent(error.to_string()),
    };
    vec![(SYNTHETIC.into(), detection)]
}

/// Whether the facts of a subject say that its devices are simulated.
pub fn simulated(facts: &Value) -> bool {
    facts.get(SIMULATED) == Some(&Value::Bool(true))
}

fn facts(served: &Served) -> Value {
    let mut facts = served.facts();
    facts[SIMULATED] = json!(true);
    // The plain pods beside each claim; there is no other product to try them on.
    facts[OWN_CONTROL] = json!(true);
    facts[TRIALS] = trials::plans(served).iter().map(|plan| plan.name).collect();
    facts
}

/// What the API server has of dynamic resource allocation.
///
/// # Errors
/// When it does not answer.
pub async fn served(api: &Api, scope: &Scope, profile: &Profile) -> Result<Served, ClusterError> {
    let version = Object(api.send(scope, "GET", "/version", None).await?);
    let minor = version.text("/minor").trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let group = match api.send(scope, "GET", &format!("/apis/{GROUP}"), None).await {
        Ok(group) => group,
        Err(error) if error.is_not_found() => Value::Null,
        Err(error) => return Err(error),
    };
    let versions = group.get("versions").and_then(Value::as_array).into_iter().flatten();
    let versions = versions.filter_map(|version| Some(version.get("version")?.as_str()?.to_owned()));
    let mut served =
        Served { versions: versions.collect(), minor: minor.parse().unwrap_or(0), ..Served::default() };
    if served.stable() {
        let namespace = profile.namespace.as_deref().unwrap_or("default");
        served.without_ways = without_ways(api, scope, namespace).await?;
        served.without_taints = without_taints(api, scope).await?;
    }
    Ok(served)
}

/// Why a request's ways cannot be tried: an API server whose feature is off drops the field, and misses what is left.
async fn without_ways(api: &Api, scope: &Scope, namespace: &str) -> Result<Option<String>, ClusterError> {
    let request = first_available("probe.dra.aiconform.dev", &[("one", &[]), ("other", &[])]);
    let mut object = claim_object("aiconform-probe", &json!({}), &request);
    object["metadata"]["namespace"] = json!(namespace);
    kept(api, scope, &claim(), object, "/spec/devices/requests/0/firstAvailable", "DRAPrioritizedList").await
}

/// Why taints of devices cannot be tried.
async fn without_taints(api: &Api, scope: &Scope) -> Result<Option<String>, ClusterError> {
    let device = Device { tainted: true, ..Device::new("one", "a", "16Gi") };
    let names = Names { run: "probe".into() };
    let published = names.published("probe", "probe", &[device]);
    let Some((kind, object)) = published.into_iter().find(|(kind, _)| *kind == slice()) else {
        return Ok(None);
    };
    kept(api, scope, &kind, object, "/spec/devices/0/taints", "DRADeviceTaints").await
}

/// Asks whether a field of an object would be kept; if not, says why what needs it is left out.
async fn kept(
    api: &Api,
    scope: &Scope,
    kind: &Kind,
    object: Value,
    field: &str,
    gate: &str,
) -> Result<Option<String>, ClusterError> {
    match api.dry_run(scope, kind, &Object(object)).await {
        Ok(got) if got.at(field).is_some() => Ok(None),
        Ok(_) => Ok(Some(format!("the API server drops {field} of a {}: {gate} is off", kind.kind))),
        Err(ClusterError::Refused(refusal)) if matches!(refusal.status, 400 | 422) => Ok(Some(format!(
            "the API server does not take {field} of a {}, {gate} is off: {}",
            kind.kind, refusal.message
        ))),
        Err(ClusterError::Refused(refusal)) => {
            Ok(Some(format!("whether {gate} is on cannot be told: {refusal}")))
        }
        Err(error) => Err(error),
    }
}

/// Runs the check.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    let served = served(cx.session.api(), &scope, &cx.profile).await?;
    cx.session.watch_own(&Kind::pod()).await?;
    if served.stable() {
        for kind in [slice(), class()] {
            cx.session.watch_own(&kind).await?;
        }
    }
    let ground = ground(cx, &scope).await?;
    let scope = Scope::new(ID, SYNTHETIC);
    for why in [&served.without_ways, &served.without_taints].into_iter().flatten() {
        cx.progress.tell(&scope, &format!("left out: {why}"));
    }
    cx.write(&scope, EventKind::SubjectStarted { facts: facts(&served), control: false, declared: false });
    if let Err(stop) = act(cx, &ground, &scope, &served).await {
        cx.progress.tell(&scope, &format!("stopped: {stop}"));
        cx.stopped(&scope, &stop);
    }
    cx.write(&scope, EventKind::SubjectEnded {});
    Ok(())
}

async fn ground(cx: &Cx, scope: &Scope) -> Result<Ground, Stop> {
    let api = cx.session.api();
    let Land { node, room, .. } = land(api, scope, &cx.profile).await?;
    let selector = format!("metadata.name={}", node.name());
    cx.session.mirror().watch(api, &Kind::node(), "", ("fieldSelector", &selector)).await?;
    let priority_class = match &cx.profile.priority_class {
        Some(name) => name.clone(),
        None => {
            let name = format!("aiconform-{}-dra", cx.session.id());
            // Below what cluster-autoscaler scales up for, and never evicting anyone.
            let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                "metadata": {"name": name}, "value": -1000, "preemptionPolicy": "Never",
                "description": "Test pods of aiconform; removed with the run."});
            cx.session.create_cluster_wide(scope, &Kind::priority_class(), class).await?;
            name
        }
    };
    let image = cx.profile.image.clone().unwrap_or_else(|| image(&node, &cx.profile));
    let fact = json!({"node": node.name(), "image": image, "priority_class": priority_class, "room": room});
    cx.write(scope, EventKind::Fact { name: "ground".into(), value: fact });
    let budget = Semaphore::new(usize::try_from(room).unwrap_or(usize::MAX));
    Ok(Ground { node: node.name().into(), image, priority_class, budget })
}

async fn act(cx: &Cx, ground: &Ground, scope: &Scope, served: &Served) -> Result<(), Stop> {
    let created =
        if served.stable() { vec![Kind::pod(), claim(), claim_template()] } else { vec![Kind::pod()] };
    let scratch = cx.session.scratch(scope, "dra", &created).await?;
    let stage = Stage::new(cx, ground, scratch);
    if served.stable() {
        let (mirror, namespace) = (cx.session.mirror(), stage.scratch.namespace());
        mirror.watch(cx.session.api(), &claim(), namespace, ("labelSelector", "")).await?;
    }
    let probe = stage.scratch.named("preflight");
    let pod = stage.pod(&probe, super::objects::labels("preflight", "canary", &probe));
    stage.scratch.settle(&Kind::pod(), pod, ALIVE).await?;
    stage.make_fences(served.stable()).await?;
    let plans = trials::plans(served);
    // Where no pod is bound nothing can be said of claims: the first trial decides whether there are others.
    if let Some(plan) = plans.first() {
        trials::run(&stage, *plan, served).await?;
        cx.progress.tell(scope, &format!("1 of {}: {}", plans.len(), plan.name));
    }
    let mut trials: FuturesUnordered<_> = plans
        .iter()
        .skip(1)
        .map(|plan| {
            let stage = &stage;
            async move {
                let permit = ground.budget.acquire_many(plan.pods).await;
                let result = trials::run(stage, *plan, served).await;
                drop(permit);
                (plan, result)
            }
        })
        .collect();
    let mut number = 1;
    while let Some((plan, result)) = trials.next().await {
        number += 1;
        cx.progress.tell(scope, &format!("{number} of {}: {}", plans.len(), plan.name));
        // One trial that cannot go on does not take the others with it; the judge sees how far it came.
        if let Err(stop) = result {
            cx.stopped(scope, &stop);
        }
    }
    drop(trials);
    if served.stable() { stage.look_for_foreign_claims().await } else { Ok(()) }
}
