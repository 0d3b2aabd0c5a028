//! Acts and marks phases; decides nothing.

mod beside;
mod preview;
mod stage;

pub use preview::preview;

use self::stage::Stage;
use crate::adapters::{IDS, USUAL, is_named, subject};
use crate::marks::{Facts, ID};
use aiconform_accelerators::offers::Count;
use aiconform_accelerators::{NONE, Offer, offers};
use aiconform_check::cx::{Cx, Detected, Detection, Files, Stop};
use aiconform_check::profile::Profile;
use aiconform_check::subject::{Candidate, Started, one, start};
use aiconform_cluster::Api;
use aiconform_model::{Kind, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::future::join_all;
use serde_json::{Map, Value, json};

/// Finds the subjects that the cluster has.
pub async fn detect(api: &Api, _: Files) -> Detected {
    let absent = |why: &str| {
        let usual = USUAL.iter();
        usual.map(|id| ((*id).to_owned(), Detection::Absent(why.to_owned()))).collect()
    };
    match offers(api, &Scope::new(ID, ""), &Profile::default()).await {
        Ok(found) if found.is_empty() => absent(NONE),
        Ok(found) => found.iter().map(|offer| (subject(offer), detected(offer))).collect(),
        Err(stop) => absent(&stop.to_string()),
    }
}

/// Finding whether this way can be tried. Of shares two pods may have the same device by design.
fn detected(offer: &Offer) -> Detection {
    match &offer.shared {
        Some(shared) => Detection::Absent(format!(
            "{shared}: two pods may have the same device by design, which is for gpu_sharing"
        )),
        None => Detection::Present(facts(offer, None)),
    }
}

/// Facts of a subject, and what was made ready for it.
fn facts(offer: &Offer, stage: Option<&Stage<'_>>) -> Value {
    let node =
        |(node, count): (&String, &Count)| (node.clone(), json!({"devices": count.all, "free": count.free}));
    let nodes: Value = offer.nodes.iter().map(node).collect::<Map<_, _>>().into();
    let mut facts =
        json!({OWN_CONTROL: true, "mode": offer.mode.id(), "asked_by": offer.way.name(), "nodes": nodes});
    if !offer.driver.is_empty() {
        facts["driver"] = json!(offer.driver);
    }
    let Some(stage) = stage else { return facts };
    let without = &stage.without_maker;
    let ready =
        Facts { node: stage.node.clone(), makes_nodes: without.is_none(), names: offer.names.clone() };
    if let (Some(facts), Ok(Value::Object(ready))) = (facts.as_object_mut(), serde_json::to_value(ready)) {
        facts.extend(ready);
    }
    if let Some(why) = without {
        facts["without_makes_nodes"] = json!(why);
    }
    facts
}

/// Runs the check. Ways of one driver give the same devices, one after the other; those of others are other devices, and
/// go side by side.
///
/// # Errors
/// When the cluster does not let itself be asked.
pub async fn run(cx: &Cx, _: Files) -> Result<(), Stop> {
    let named: Vec<String> = cx.options.named_of(IDS);
    cx.session.watch_own(&Kind::pod()).await?;
    // What other checks have is not free.
    let _turn = cx.accelerators.take(ID).await;
    let mut found = offers(cx.session.api(), &Scope::new(ID, ""), &cx.profile).await?;
    let absent = |id: &str, why: &str| candidate(id, &named, Ok(Detection::Absent(why.to_owned())), None);
    if found.is_empty() {
        let usual = || USUAL.iter().map(|id| absent(id, NONE)).collect();
        let none: Vec<_> =
            if named.is_empty() { usual() } else { named.iter().map(|id| absent(id, NONE)).collect() };
        start(cx, ID, none);
        return Ok(());
    }
    let is_there =
        |name: &String| found.iter().any(|offer| is_named(&subject(offer), std::slice::from_ref(name)));
    let missing = named.iter().filter(|name| !is_there(name));
    let missing: Vec<_> =
        missing.map(|name| absent(name, "no node gives out accelerators in this way")).collect();
    found.retain(|offer| named.is_empty() || is_named(&subject(offer), &named));
    // Before any of them acts, so that the evidence has one order.
    let mut begun = missing;
    for (number, offer) in found.iter().enumerate() {
        begun.push(begin(cx, number, offer, &named).await);
    }
    let mut groups: Vec<(String, Vec<Started<Option<Stage<'_>>>>)> = Vec::new();
    for started in start(cx, ID, begun) {
        let driver = started.with.as_ref().map(|stage| stage.offer.driver.clone()).unwrap_or_default();
        let own = if driver.is_empty() { started.subject.id.clone() } else { driver };
        match groups.iter_mut().find(|(group, _)| *group == own) {
            Some((_, group)) => group.push(started),
            None => groups.push((own, vec![started])),
        }
    }
    join_all(groups.into_iter().map(|(_, group)| async move {
        for started in group {
            one(cx, started, async |started: Started<Option<Stage<'_>>>| match started.with {
                Some(stage) => stage.act().await,
                None => Ok(()),
            })
            .await;
        }
    }))
    .await;
    Ok(())
}

fn candidate<'a>(
    id: &str,
    named: &[String],
    found: Result<Detection, Stop>,
    with: Option<Stage<'a>>,
) -> Candidate<Option<Stage<'a>>> {
    let (id, declared) = (id.to_owned(), is_named(id, named));
    Candidate { id, control: false, declared, facts: Value::Null, found, with }
}

/// Makes ready what one way is tried with.
async fn begin<'a>(
    cx: &'a Cx,
    number: usize,
    offer: &'a Offer,
    named: &[String],
) -> Candidate<Option<Stage<'a>>> {
    let id = subject(offer);
    if let absent @ Detection::Absent(_) = detected(offer) {
        return candidate(&id, named, Ok(absent), None);
    }
    match Stage::new(cx, number, offer, Scope::new(ID, &id)).await {
        Ok(stage) => {
            let present = Detection::Present(facts(offer, Some(&stage)));
            candidate(&id, named, Ok(present), Some(stage))
        }
        Err(stop) => Candidate { facts: facts(offer, None), ..candidate(&id, named, Err(stop), None) },
    }
}
