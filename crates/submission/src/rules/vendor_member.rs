//! The vendor is a member of the foundation, by exactly this name.

use super::{Found, Look, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "vendor_member",
    level: Level::Error,
    origin: Origin::Validator,
    since: None,
    asks: "vendorName is the name of a member as the landscape writes it (checked with --members)",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let (Some(members), Some(product)) = (&case.given.members, case.product()) else { return };
    let Some((vendor, place)) = product.text_of("vendorName") else { return };
    let name = vendor.trim();
    if name.is_empty() || members.contains(name) {
        return;
    }
    let alike = members.iter().find(|member| member.eq_ignore_ascii_case(name)).or_else(|| {
        let word = name.split([' ', ',', '.']).next().filter(|word| word.len() > 2)?;
        let same = |member: &&String| {
            member.split([' ', ',', '.']).next().is_some_and(|first| first.eq_ignore_ascii_case(word))
        };
        members.iter().find(same)
    });
    let hint = alike.map(|member| format!("; did you mean {}?", quoted(member))).unwrap_or_default();
    let says = format!(
        "vendorName {} is no member of the foundation; it must be the name in the landscape, letter by letter{hint}",
        quoted(name)
    );
    found.at(place, "", says);
}
