//! The certification of Kubernetes itself, on which this one stands, is named.

use super::{Found, Look, Matter, Rule, metadata_present, placeholder};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "base_certification",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: Some("1.35"),
    asks: "k8sConformanceUrl names a folder of the Kubernetes conformance programme",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    metadata_present::missing("k8sConformanceUrl", case, found);
    let Some((value, place)) = case.product().and_then(|product| product.text_of("k8sConformanceUrl")) else {
        return;
    };
    if !value.is_empty() && !placeholder::is_placeholder(value) && parts(value).is_none() {
        let says = format!(
            "k8sConformanceUrl {} has another form than https://github.com/cncf/k8s-conformance/tree/master/vX.Y/PRODUCT",
            quoted(value)
        );
        found.at(place, "", says);
    }
}

/// Release folder and product of a link to the conformance programme.
pub fn parts(link: &str) -> Option<(&str, &str)> {
    let rest = link.strip_prefix("https://github.com/cncf/k8s-conformance/tree/")?;
    let (branch, rest) = rest.split_once('/')?;
    let (release, product) = rest.split_once('/')?;
    let product = product.strip_suffix('/').unwrap_or(product);
    let one = !product.is_empty() && !product.contains('/');
    (["master", "main"].contains(&branch) && crate::case::is_release(release) && one)
        .then_some((release, product))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_programmes() {
        let good = "https://github.com/cncf/k8s-conformance/tree/master/v1.37/cirrus";
        assert_eq!(parts(good), Some(("v1.37", "cirrus")));
        assert!(parts(&format!("{good}/")).is_some());
        for wrong in
            ["", &format!("{good}/more"), &good.replace("v1.37", "1.37"), &good.replace("tree", "blob")]
        {
            assert!(parts(wrong).is_none(), "{wrong}");
        }
    }
}
