//! The version of the product is the product's.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "platform_version",
    level: Level::Warning,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "platformVersion is the version of the product, not that of Kubernetes",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some((version, place)) = case.product().and_then(|product| product.text_of("platformVersion")) else {
        return;
    };
    let bare = version.trim();
    let bare = bare.strip_prefix('v').unwrap_or(bare);
    if case.release.as_deref() == Some(bare) {
        found.at(
            place,
            "",
            format!(
                "platformVersion {} is the version of Kubernetes; it must be that of the product",
                quoted(version)
            ),
        );
    }
}
