//! Acts and marks phases; decides nothing.

use crate::adapters::Dialect;
use crate::find::{Target, find};
use crate::marks::{Found, ID, Mark};
use aiconform_accelerators::answers::Device;
use aiconform_accelerators::{Container, NONE, Probe, ProbePod, blamed, clear};
use aiconform_check::cx::{Cx, Detected, Detection, Preview, Stop};
use aiconform_check::profile::Profile;
use aiconform_check::subject::{Candidate, Started, all, start};
use aiconform_cluster::Api;
use aiconform_model::probe::LookFor;
use aiconform_model::{Kind, Scope};
use serde_json::{Value, json};

/// Id of the subject that is absent when there is no accelerator.
const ACCELERATORS: &str = "accelerators";

/// Finds the subjects that the cluster has.
pub async fn detect(api: &Api) -> Detected {
    match find(api, &Scope::new(ID, ""), &Profile::default()).await {
        Ok(found) if found.is_empty() => vec![(ACCELERATORS.into(), Detection::Absent(NONE.into()))],
        Ok(found) => found.iter().map(|target| (target.id().to_owned(), present(target))).collect(),
        Err(stop) => vec![(ACCELERATORS.into(), Detection::Absent(stop.to_string()))],
    }
}

fn present(target: &Target) -> Detection {
    Detection::Present(json!(target.facts()))
}

/// Tells what would be tried.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    match find(api, &Scope::new(ID, ""), profile).await {
        Ok(found) => {
            for target in found {
                let product =
                    target.dialect.map_or("devices of a maker that is not known", |dialect| &dialect.product);
                preview.ground.push(format!("{}: {product} on {} nodes", target.id(), target.nodes.len()));
            }
        }
        Err(stop) => preview.hindrances.push(stop.to_string()),
    }
    preview
}

/// Runs the check.
///
/// # Errors
/// When the cluster does not let itself be asked.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    cx.session.watch_own(&Kind::pod()).await?;
    let targets = find(cx.session.api(), &Scope::new(ID, ""), &cx.profile).await?;
    if targets.is_empty() {
        start(cx, ID, [candidate::<()>(ACCELERATORS.into(), Detection::Absent(NONE.into()), ())]);
        return Ok(());
    }
    let candidates = targets
        .into_iter()
        .enumerate()
        .map(|(number, target)| candidate(target.id().to_owned(), present(&target), (number, target)));
    let started = start(cx, ID, candidates);
    for Started { scope, with: (_, target), .. } in &started {
        cx.mark(scope, &Mark::Advertised { nodes: target.nodes.clone() });
    }
    let _turn = cx.accelerators.take(ID).await;
    all(cx, started, |Started { scope, with: (number, target), .. }| async move {
        match target.dialect {
            Some(dialect) => act(cx, &scope, &target, dialect, number).await,
            None => Ok(()),
        }
    })
    .await;
    Ok(())
}

fn candidate<T>(id: String, found: Detection, with: T) -> Candidate<T> {
    let facts = Value::Null;
    Candidate { id, control: false, declared: false, facts, found: Ok(found), with }
}

/// Has a pod that is given a device say what it finds.
async fn act(cx: &Cx, scope: &Scope, target: &Target, dialect: &Dialect, number: usize) -> Result<(), Stop> {
    // A pod that names no node could be put on any, and one that must wait could have a node made.
    if target.nodes.is_empty() {
        return Err(Stop::Hindered("no node has such devices any more".into()));
    }
    let nodes: Vec<String> = target.nodes.keys().cloned().collect();
    let scratch = cx.session.scratch(scope, &format!("versions-{number}"), &[Kind::pod()]).await?;
    cx.progress.tell(scope, "a pod is given a device and asked for its versions");
    let pod = ProbePod {
        role: "versions",
        trial: "versions",
        nodes: &nodes,
        containers: vec![Container::working(&target.way, 1)],
        restarts: false,
    };
    cx.mark(scope, &Mark::Ask {});
    let asked = async {
        let probe = Probe::start(cx, scratch.clone(), &pod).await?;
        // Where no load says anything, the kernel's files are left.
        let device = match probe.inspect().await {
            Err(Stop::Hindered(why)) => {
                cx.progress.tell(scope, &why);
                None
            }
            inspected => inspected?,
        };
        let device = Device(device.unwrap_or_default());
        let files: Vec<String> = dialect.files().map(str::to_owned).collect();
        let look = probe.look(&LookFor { files, ..LookFor::default() }).await?;
        let (pod, node) = (probe.name.clone(), probe.node.clone());
        let found = Found { pod, node, device, devices: look.devices, files: look.files };
        cx.mark(scope, &Mark::Found(found));
        Ok(())
    };
    let done: Result<(), Stop> = blamed(&scratch, asked.await).await;
    // Whatever came of it, the next check finds the device free.
    cx.mark(scope, &Mark::Over {});
    done.and(clear(&scratch).await)
}
