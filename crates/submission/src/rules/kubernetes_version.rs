//! The version of Kubernetes is that of the folder.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, PRODUCT, minor};
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "kubernetes_version",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "kubernetesVersion is that of the folder",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let (Some(folder), Some(product)) = (&case.release_folder, case.product()) else { return };
    let Some((version, place)) = product.text_of("kubernetesVersion") else { return };
    match minor(version) {
        Some(minor) if folder[1..] == minor => {
            if version.trim() != *folder {
                let says = format!(
                    "kubernetesVersion {} says more than the release {folder}, which is what is certified",
                    quoted(version)
                );
                found.weighs(Level::Note, PRODUCT, place, "", says);
            }
        }
        _ => found.at(
            place,
            "",
            format!("kubernetesVersion {} is not that of the folder, {folder}", quoted(version)),
        ),
    }
}
