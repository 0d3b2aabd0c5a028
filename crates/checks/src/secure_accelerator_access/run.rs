//! Acts and marks phases; decides nothing.

mod beside;
mod stage;

use self::stage::Stage;
use super::adapters::{USUAL, is_named, subject};
use crate::accelerators::{NONE, Offer, Way, offers};
use crate::cx::{Cx, Detection, Files, Stop};
use crate::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{EventKind, Kind, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::future::join_all;
use serde_json::{Value, json};

/// The check, and the requirement.
pub const ID: &str = "secure_accelerator_access";
/// Under this name the facts of a subject say which way it is.
pub const MODE: &str = "mode";
/// Under this name the facts of a subject say (`true`) that a pod may be made there that makes device nodes.
pub const MAKES_NODES: &str = "makes_nodes";
/// Under this name the facts of a subject hold the UUIDs of devices that the driver tells, by `driver/pool/device`.
pub const NAMES: &str = "names";

/// Which subjects the cluster has.
pub async fn detect(api: &Api, _: Files) -> Vec<(String, Detection)> {
    let scope = Scope::new(ID, "");
    match offers(api, &scope, &Profile::default()).await {
        Ok(found) if found.is_empty() => absent(&[], &|id| (id, Detection::Absent(NONE.into()))),
        Ok(found) => found
            .iter()
            .map(|offer| {
                let detection = match hindered(offer) {
                    Some(why) => Detection::Absent(why),
                    None => Detection::Present(facts(offer)),
                };
                (subject(offer), detection)
            })
            .collect(),
        Err(stop) => absent(&[], &|id| (id, Detection::Absent(stop.to_string()))),
    }
}

/// What is said of the ways of which the user named some, or else of the usual ones.
fn absent<T>(named: &[String], say: &dyn Fn(String) -> T) -> Vec<T> {
    if named.is_empty() {
        return USUAL.iter().map(|id| say((*id).to_owned())).collect();
    }
    named.iter().map(|id| say(id.clone())).collect()
}

/// Why this way cannot be tried.
fn hindered(offer: &Offer) -> Option<String> {
    let shared = offer.shared.as_ref()?;
    Some(format!("{shared}: two pods may have the same device by design, which is for gpu_sharing"))
}

/// What identifies a subject.
fn facts(offer: &Offer) -> Value {
    let (Way::Class(asked) | Way::Resource(asked)) = &offer.way;
    let nodes: Value = offer
        .nodes
        .iter()
        .map(|(node, count)| (node.clone(), json!({"devices": count.all, "free": count.free})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut facts = json!({OWN_CONTROL: true, MODE: offer.mode.id(), "asked_by": asked, "nodes": nodes});
    if !offer.driver.is_empty() {
        facts["driver"] = json!(offer.driver);
    }
    facts
}

/// Runs the check.
pub async fn run(cx: &Cx, _: Files) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    let named: Vec<String> = cx.options.named_of(super::adapters::IDS);
    cx.session.watch_own(&Kind::pod()).await?;
    // What other checks have is not free.
    let _turn = cx.accelerators.lock().await;
    let mut found = offers(cx.session.api(), &scope, &cx.profile).await?;
    let none = |id: &str, why: &str| {
        cx.write(
            &Scope::new(ID, id),
            EventKind::SubjectAbsent { why: why.into(), declared: is_named(id, &named) },
        );
    };
    if found.is_empty() {
        absent(&named, &|id| none(&id, NONE));
        return Ok(());
    }
    for name in &named {
        if !found.iter().any(|offer| is_named(&subject(offer), std::slice::from_ref(name))) {
            none(name, "no node gives out accelerators in this way");
        }
    }
    found.retain(|offer| named.is_empty() || is_named(&subject(offer), &named));
    found.retain(|offer| match hindered(offer) {
        Some(why) => {
            none(&subject(offer), &why);
            false
        }
        None => true,
    });
    // Before any of them acts, so that the evidence has one order.
    let mut begun = Vec::new();
    for (number, offer) in found.iter().enumerate() {
        begun.push(begin(cx, number, offer, &named).await);
    }
    // Ways of one driver give the same devices, one after the other; those of others are other devices.
    let mut groups: Vec<(String, Vec<Begun<'_>>)> = Vec::new();
    for (offer, begun) in found.iter().zip(begun) {
        let own = if offer.driver.is_empty() { subject(offer) } else { offer.driver.clone() };
        match groups.iter_mut().find(|(group, _)| *group == own) {
            Some((_, group)) => group.push(begun),
            None => groups.push((own, vec![begun])),
        }
    }
    join_all(groups.into_iter().map(|(_, group)| async move {
        for (scope, stage) in group {
            act(cx, &scope, stage).await;
        }
    }))
    .await;
    Ok(())
}

/// A subject that was told of, and where it is tried.
type Begun<'a> = (Scope, Result<Stage<'a>, Stop>);

async fn begin<'a>(cx: &'a Cx, number: usize, offer: &'a Offer, named: &[String]) -> Begun<'a> {
    let scope = Scope::new(ID, &subject(offer));
    let declared = is_named(&scope.subject, named);
    let stage = Stage::new(cx, number, offer, scope.clone()).await;
    let mut facts = facts(offer);
    if let Ok(stage) = &stage {
        facts[MAKES_NODES] = json!(stage.without_maker.is_none());
        if let Some(why) = &stage.without_maker {
            facts["without_makes_nodes"] = json!(why);
        }
        facts["node"] = json!(stage.node);
        facts[NAMES] = json!(offer.names);
    }
    cx.write(&scope, EventKind::SubjectStarted { facts, control: false, declared });
    (scope, stage)
}

/// One subject to its end.
async fn act(cx: &Cx, scope: &Scope, stage: Result<Stage<'_>, Stop>) {
    let result = match stage {
        Ok(stage) => stage.act().await,
        Err(stop) => Err(stop),
    };
    if let Err(stop) = result {
        cx.progress.tell(scope, &format!("stopped: {stop}"));
        cx.stopped(scope, &stop);
    }
    cx.write(scope, EventKind::SubjectEnded {});
}
