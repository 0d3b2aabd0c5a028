//! The vendor is a member of the foundation, by exactly this name.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "vendor_member",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "vendorName is the name of a member as the landscape writes it (checked with --members)",
    look: Look::Each(check),
};

/// Words that many names have, and that tell nobody from another.
const COMMON: &[&str] = &[
    "the",
    "a",
    "of",
    "and",
    "for",
    "project",
    "group",
    "foundation",
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "co",
    "company",
    "ltd",
    "limited",
    "llc",
    "gmbh",
    "ag",
    "sa",
    "sas",
    "srl",
    "bv",
    "ab",
    "oy",
    "plc",
    "pte",
    "pty",
    "kg",
    "se",
    "technology",
    "technologies",
    "software",
    "systems",
    "cloud",
    "computing",
    "network",
    "networks",
    "services",
    "solutions",
    "labs",
    "international",
    "open",
    "data",
];

/// Words of a name that tell it from others, as they are compared.
fn telling(name: &str) -> BTreeSet<String> {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| !word.is_empty() && !COMMON.contains(&word.as_str())).collect()
}

/// The member that is meant: the only one whose telling words are these, or have these in them, or stand in these.
fn guess<'a>(name: &str, members: &'a BTreeSet<String>) -> Option<&'a String> {
    let own = telling(name);
    if own.is_empty() {
        return members.iter().find(|member| member.eq_ignore_ascii_case(name));
    }
    let only = |is: &dyn Fn(&BTreeSet<String>) -> bool| {
        let mut found = members.iter().filter(|member| is(&telling(member)));
        found.next().filter(|_| found.next().is_none())
    };
    only(&|words| *words == own)
        .or_else(|| only(&|words| !words.is_empty() && (words.is_subset(&own) || words.is_superset(&own))))
}

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let (Some(members), Some(product)) = (&case.given.members, case.product()) else { return };
    let Some((vendor, place)) = product.text_of("vendorName") else { return };
    let name = vendor.trim();
    if name.is_empty() || members.contains(name) {
        return;
    }
    let hint =
        guess(name, members).map(|member| format!("; did you mean {}?", quoted(member))).unwrap_or_default();
    let says = format!(
        "vendorName {} is no member of the foundation; it must be the name in the landscape, letter by letter{hint}",
        quoted(name)
    );
    found.at(place, "", says);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_made_where_it_would_convince_a_person() {
        let all = [
            "The New York Times",
            "Mirantis",
            "Cirrus Systems",
            "Nimbus Cloud",
            "Nimbus Labs",
            "Ænix",
            "Data Sky, Inc.",
        ];
        let members: BTreeSet<String> = all.map(str::to_owned).into();
        let guessed = |name: &str| guess(name, &members).map(String::as_str);
        assert_eq!(guessed("The k0s Project"), None);
        assert_eq!(guessed("The Project"), None);
        assert_eq!(guessed("cirrus"), Some("Cirrus Systems"));
        assert_eq!(guessed("CIRRUS SYSTEMS GmbH"), Some("Cirrus Systems"));
        // Which of two is not for us to say.
        assert_eq!(guessed("Nimbus"), None);
        assert_eq!(guessed("ænix"), Some("Ænix"));
        assert_eq!(guessed("Data Sky"), Some("Data Sky, Inc."));
        assert_eq!(guessed("Sky Times"), Some("Data Sky, Inc."));
    }
}
