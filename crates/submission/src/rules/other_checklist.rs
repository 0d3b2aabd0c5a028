//! The product file is made from the checklist of its own release.

use super::{Found, Look, Matter, Rule};
use crate::artifact::some;
use crate::case::Case;
use crate::checklist::Checklist;
use crate::finding::{Level, Origin};
use crate::yaml::Place;
use aiconform_model::catalogue::requirements;
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "other_checklist",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Ours,
    since: None,
    asks: "the product file is made from the checklist of its own release",
    look: Look::Each(check),
};

/// Fewer missing requirements may be forgotten ones.
const LEAST: usize = 2;

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let (Some(product), Some(own)) = (case.product(), case.asked()) else { return };
    let answered: BTreeSet<&str> = product.answers().map(|(_, answer)| answer.id.text.as_str()).collect();
    let ids = |checklist: &Checklist| -> BTreeSet<String> {
        checklist.asked.iter().map(|asked| asked.id.clone()).collect()
    };
    let own_ids = ids(own);
    let missing: Vec<String> = own_ids.iter().filter(|id| !answered.contains(id.as_str())).cloned().collect();
    let strange: Vec<String> =
        answered.iter().filter(|id| !own_ids.contains(**id)).map(|id| (*id).to_owned()).collect();
    if missing.len() < LEAST || answered.is_empty() {
        return;
    }
    let differs = |ids: &BTreeSet<String>| {
        ids.iter().filter(|id| !answered.contains(id.as_str())).count()
            + answered.iter().filter(|id| !ids.contains(**id)).count()
    };
    let releases: BTreeSet<&str> = requirements()
        .iter()
        .flat_map(|requirement| &requirement.releases)
        .map(|there| there.release.as_str())
        .filter(|release| *release != own.release)
        .collect();
    let others = releases.into_iter().filter_map(|release| Checklist::of(release, None).ok().flatten());
    let others = others.map(|other| (differs(&ids(&other)), other));
    // Of two that are as near, the newer.
    let Some((distance, other)) = others.rev().min_by_key(|(distance, _)| *distance) else { return };
    if distance * 2 > missing.len() + strange.len() {
        return;
    }
    let has = if strange.is_empty() { String::new() } else { format!("has {} and ", some(&strange)) };
    let says = format!(
        "this is made from the checklist of another release, most like that of {}: it {has}lacks {}; begin with docs/AIConformance-{}.yaml of the programme",
        other.release,
        some(&missing),
        own.release
    );
    found.at(Place::default(), "", says);
}
