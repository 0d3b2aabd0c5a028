//! The logo is a drawing, not a picture.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "logo_format",
    level: Level::Warning,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "productLogoUrl leads to an SVG, AI or EPS file",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some((logo, place)) = case.product().and_then(|product| product.text_of("productLogoUrl")) else {
        return;
    };
    let path = logo.trim().split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let vector = [".svg", ".ai", ".eps"].iter().any(|ending| path.ends_with(ending));
    if !logo.is_empty() && !super::placeholder::is_placeholder(logo) && !vector {
        found.at(place, "", format!("productLogoUrl {} is no SVG, AI or EPS file", quoted(logo)));
    } else if path.starts_with("https://github.com/") && path.contains("/blob/") {
        found.at(
            place,
            "",
            format!(
                "productLogoUrl {} is a page of GitHub about the file; link to the file itself",
                quoted(logo)
            ),
        );
    }
}
