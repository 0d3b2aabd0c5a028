//! The certification on which this one stands is of this version and this product.

use super::{Found, Look, Matter, Rule, base_certification};
use crate::case::{Case, PRODUCT};
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "base_certification_version",
    level: Level::Error,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "k8sConformanceUrl is of the same version; another product is a note",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let (Some(folder), Some(product)) = (&case.release_folder, case.product()) else { return };
    let Some((link, place)) = product.text_of("k8sConformanceUrl") else { return };
    let Some((release, name)) = base_certification::parts(link) else { return };
    if release != folder {
        let says = format!(
            "k8sConformanceUrl is of {}, this submission of {folder}; both must be of one version",
            quoted(release)
        );
        found.at(place, "", says);
    }
    let plain = |name: &str| {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let (theirs, own) = (plain(name), plain(&case.name));
    if !theirs.contains(&own) && !own.contains(&theirs) {
        let says = format!(
            "k8sConformanceUrl is of the product {}; if this one is layered on it, say in notes who owns each requirement",
            quoted(name)
        );
        found.weighs(Level::Note, PRODUCT, place, "", says);
    }
}
