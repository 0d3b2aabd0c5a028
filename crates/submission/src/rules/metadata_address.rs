//! Addresses are addresses.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, PRODUCT};
use crate::finding::{Level, Origin, quoted};
use crate::links::Link;
use crate::rules::placeholder::is_placeholder;

pub const RULE: Rule = Rule {
    id: "metadata_address",
    level: Level::Warning,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "addresses of the web and of mail have their form",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(product) = case.product() else { return };
    for key in ["websiteUrl", "documentationUrl", "productLogoUrl", "repoUrl"] {
        let Some((value, place)) = product.text_of(key) else {
            if key == "repoUrl" && product.metadata.is_some() && product.field_of(key).is_none() {
                let says = "repoUrl is missing; a product that is open source must have it";
                found.weighs(Level::Note, PRODUCT, crate::yaml::Place::default(), "", says);
            }
            continue;
        };
        if value.is_empty() || is_placeholder(value) {
            continue;
        }
        if value != value.trim() {
            found.at(
                place,
                "",
                format!(
                    "{key} {} has blanks around it, so that the validator does not follow it",
                    quoted(value)
                ),
            );
        } else if Link::of(value).is_none() {
            found.at(place, "", format!("{key} {} is no web address", quoted(value)));
        } else if value.starts_with("http://") {
            found.weighs(
                Level::Note,
                PRODUCT,
                place,
                "",
                format!("{key} {} is not encrypted", quoted(value)),
            );
        }
    }
    let Some((address, place)) = product.text_of("contactEmailAddress") else { return };
    let is_mail = address.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && host.contains('.')
            && !address.contains(char::is_whitespace)
            && !host.contains('@')
    });
    if !address.is_empty() && !is_placeholder(address) && !is_mail {
        found.at(place, "", format!("contactEmailAddress {} is no mail address", quoted(address)));
    }
}
