//! Acts and marks phases; decides nothing.

use super::adapters::{Dialect, dialects};
use crate::accelerators::inventory::{attribute, classes, expressions, slices};
use crate::accelerators::{Container, NONE, Probe, ProbePod, Way, inventory};
use crate::accelerators::{blamed, clear};
use crate::cx::{Cx, Detection, Preview, Stop};
use crate::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::probe::LookFor;
use aiconform_model::{EventKind, Kind, Object, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::future::join_all;
use serde_json::{Map, Value, json};

/// Id of the requirement.
pub const ID: &str = "driver_runtime_management";
/// Id of the subject that is told to be absent when there is no accelerator.
const ACCELERATORS: &str = "accelerators";

/// One way in which accelerators are given: a subject.
struct Target {
    scope: Scope,
    way: Way,
    dialect: Option<&'static Dialect>,
    /// What each node that has such devices says of them.
    nodes: Map<String, Value>,
}

impl Target {
    fn facts(&self) -> Value {
        let api = if matches!(self.way, Way::Class(_)) { "dra" } else { "device plugin" };
        let id = self.dialect.map_or("", |dialect| dialect.id.as_str());
        let product = self.dialect.map_or("not known", |dialect| dialect.product.as_str());
        let tried = self.dialect.is_none_or(|dialect| dialect.tried);
        json!({"dialect": id, "product": product, "tried": tried, "given_by": api, OWN_CONTROL: true})
    }
}

async fn find(api: &Api, scope: &Scope, profile: &Profile) -> Result<Vec<Target>, Stop> {
    let inventory = inventory(api, scope, profile).await?;
    let nodes = api.list(scope, &Kind::node(), "", "").await?;
    let (mut published, mut offered) = (Vec::new(), Vec::new());
    if inventory.ways.iter().any(|way| matches!(way, Way::Class(_))) {
        published = api.list(scope, &slices(), "", "").await?;
        offered = api.list(scope, &classes(), "", "").await?;
    }
    let target = |way: Way| {
        let drivers = drivers(&way, &published, &offered);
        let here: Vec<&Object> = nodes.iter().filter(|node| has(node, &way, &drivers, &published)).collect();
        let declared = |dialect: &&Dialect| {
            !dialect.annotation.is_empty()
                && here.iter().any(|node| !node.annotation(&dialect.annotation).is_empty())
        };
        let dialect = dialects()
            .iter()
            .find(declared)
            .or_else(|| dialects().iter().find(|dialect| dialect.is_of(&way, &drivers)));
        let said = here
            .iter()
            .map(|node| (node.name().to_owned(), said(node, dialect, &drivers, &published)))
            .collect();
        let id = match &way {
            Way::Class(name) | Way::Resource(name) => name.clone(),
        };
        Target { scope: Scope::new(ID, &id), way, dialect, nodes: said }
    };
    Ok(inventory.ways.into_iter().map(target).collect())
}

/// The drivers whose devices a class selects.
fn drivers(way: &Way, slices: &[Object], classes: &[Object]) -> Vec<String> {
    let Way::Class(name) = way else { return Vec::new() };
    let Some(class) = classes.iter().find(|class| class.name() == name) else { return Vec::new() };
    let expressions = expressions(class).concat();
    let mut drivers: Vec<String> = slices
        .iter()
        .map(|slice| slice.text("/spec/driver").to_owned())
        .filter(|driver| expressions.contains(driver.as_str()))
        .collect();
    drivers.sort();
    drivers.dedup();
    drivers
}

fn has(node: &Object, way: &Way, drivers: &[String], slices: &[Object]) -> bool {
    match way {
        Way::Resource(name) => {
            let allocatable = node.at("/status/allocatable").and_then(Value::as_object);
            allocatable.and_then(|all| all.get(name)).is_some_and(|amount| amount != "0")
        }
        Way::Class(_) => of_node(node, drivers, slices).next().is_some(),
    }
}

fn of_node<'a>(
    node: &'a Object,
    drivers: &'a [String],
    slices: &'a [Object],
) -> impl Iterator<Item = &'a Value> {
    slices
        .iter()
        .filter(|slice| slice.text("/spec/nodeName") == node.name())
        .filter(|slice| drivers.iter().any(|driver| driver == slice.text("/spec/driver")))
        .flat_map(|slice| slice.at("/spec/devices").and_then(Value::as_array).into_iter().flatten())
}

/// What a node says that a dialect reads: labels and annotations, and attributes of its devices.
fn said(node: &Object, dialect: Option<&Dialect>, drivers: &[String], slices: &[Object]) -> Value {
    let Some(dialect) = dialect else { return json!({}) };
    let mut keys = Map::new();
    for key in dialect.keys() {
        let value = if node.label(key).is_empty() { node.annotation(key) } else { node.label(key) };
        if !value.is_empty() {
            keys.insert(key.into(), value.into());
        }
    }
    let device = |device: &Value| {
        let mut attributes = Map::new();
        for name in dialect.attributes().chain(["uuid"]) {
            if let Some(value) = attribute(device, name) {
                attributes.insert(name.into(), value.into());
            }
        }
        json!({"name": device["name"], "attributes": attributes})
    };
    let devices: Vec<Value> = of_node(node, drivers, slices).map(device).collect();
    json!({"node": keys, "devices": devices})
}

/// Which subjects the cluster has.
pub async fn detect(api: &Api) -> Vec<(String, Detection)> {
    match find(api, &Scope::new(ID, ""), &Profile::default()).await {
        Ok(found) if found.is_empty() => vec![(ACCELERATORS.into(), Detection::Absent(NONE.into()))],
        Ok(found) => found
            .iter()
            .map(|target| (target.scope.subject.clone(), Detection::Present(target.facts())))
            .collect(),
        Err(stop) => vec![(ACCELERATORS.into(), Detection::Absent(stop.to_string()))],
    }
}

/// What would be tried.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    match find(api, &Scope::new(ID, ""), profile).await {
        Ok(found) => {
            for target in found {
                let product =
                    target.dialect.map_or("devices of a maker that is not known", |dialect| &dialect.product);
                preview.ground.push(format!(
                    "{}: {product} on {} nodes",
                    target.scope.subject,
                    target.nodes.len()
                ));
            }
        }
        Err(stop) => preview.hindrances.push(stop.to_string()),
    }
    preview
}

/// Runs the check.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    cx.session.watch_own(&Kind::pod()).await?;
    let targets = find(cx.session.api(), &Scope::new(ID, ""), &cx.profile).await?;
    if targets.is_empty() {
        let absent = EventKind::SubjectAbsent { why: NONE.into(), declared: false };
        cx.write(&Scope::new(ID, ACCELERATORS), absent);
    }
    for target in &targets {
        let started = EventKind::SubjectStarted { facts: target.facts(), control: false, declared: false };
        cx.write(&target.scope, started);
        phase(cx, target, "advertised", json!({"nodes": target.nodes}));
    }
    let turn = cx.accelerators.lock().await;
    join_all(targets.iter().enumerate().map(|(number, target)| async move {
        if let Err(stop) = act(cx, target, number).await {
            cx.progress.tell(&target.scope, &format!("stopped: {stop}"));
            cx.stopped(&target.scope, &stop);
        }
    }))
    .await;
    drop(turn);
    for target in &targets {
        cx.write(&target.scope, EventKind::SubjectEnded {});
    }
    Ok(())
}

fn phase(cx: &Cx, target: &Target, phase: &str, data: Value) {
    cx.write(&target.scope, EventKind::Phase { phase: phase.into(), data });
}

/// A pod that has a device says what it finds.
async fn act(cx: &Cx, target: &Target, number: usize) -> Result<(), Stop> {
    let Some(dialect) = target.dialect else { return Ok(()) };
    let nodes: Vec<String> = target.nodes.keys().cloned().collect();
    let scratch = cx.session.scratch(&target.scope, &format!("versions-{number}"), &[Kind::pod()]).await?;
    cx.progress.tell(&target.scope, "a pod is given a device and asked for its versions");
    let pod = ProbePod {
        role: "versions",
        trial: "versions",
        nodes: &nodes,
        containers: vec![Container::with(&target.way, 1)],
        restarts: false,
    };
    phase(cx, target, "ask", json!({}));
    let asked = async {
        let probe = Probe::start(cx, scratch.clone(), &pod).await?;
        let device = probe.inspect().await?;
        let files: Vec<String> = dialect.files().map(str::to_owned).collect();
        let look = probe.look(&LookFor { files, ..LookFor::default() }).await?;
        let found = json!({"pod": probe.name, "node": probe.node, "device": device,
            "devices": look.devices, "files": look.files});
        phase(cx, target, "found", found);
        Ok(())
    };
    let done: Result<(), Stop> = blamed(&scratch, asked.await).await;
    // Whatever came of it, the next check finds the device free.
    phase(cx, target, "over", json!({}));
    done.and(clear(&scratch).await)
}
