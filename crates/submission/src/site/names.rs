//! Names of pages: of any foreign name one that every file system and every address takes, and no two alike.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Most letters of a foreign name that are kept.
const LONGEST: usize = 60;

/// Names that some systems keep for devices.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];

/// The names that were given in one folder.
#[derive(Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// A name for a foreign one, in lower case, of letters, digits, `-`, `_` and `.`. Where something was lost, or where the
    /// name is taken, a digest of the foreign name tells it apart.
    pub fn give(&mut self, foreign: &str) -> String {
        let short = short(foreign);
        let whole = short == foreign.to_lowercase();
        if whole && is_free(&short) && self.0.insert(short.clone()) {
            return short;
        }
        let digest: String = Sha256::digest(foreign).iter().map(|byte| format!("{byte:02x}")).collect();
        let base = if short.is_empty() { "name" } else { &short };
        let longer = (8..=digest.len()).map(|length| format!("{base}-{}", &digest[..length]));
        for name in longer {
            if self.0.insert(name.clone()) {
                return name;
            }
        }
        // Only the same foreign name, given again and again, comes here.
        let name = format!("{base}-{digest}-{}", self.0.len());
        self.0.insert(name.clone());
        name
    }
}

fn short(foreign: &str) -> String {
    let mut short = String::new();
    for letter in foreign.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' | '_' | '.' => short.push(letter),
            _ if !short.ends_with('-') => short.push('-'),
            _ => {}
        }
        if short.len() == LONGEST {
            break;
        }
    }
    short.trim_matches(['-', '.', '_']).to_owned()
}

fn is_free(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let device = DEVICES.contains(&stem) || port.is_some_and(|number| number.len() == 1);
    !name.is_empty() && !device
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_names_stay_and_others_are_told_apart() {
        let mut names = Names::default();
        assert_eq!(names.give("OKE"), "oke");
        let again = names.give("oke");
        assert!(again.starts_with("oke-") && again.len() == 12, "{again}");
        assert_eq!(names.give("vcluster-private-nodes"), "vcluster-private-nodes");
        assert_eq!(names.give("baidu_cce"), "baidu_cce");
        for odd in ["..", "", "CON", "nul.txt", "com1", "a/b", "<script>", "云", "a b", &"x".repeat(300)] {
            let name = names.give(odd);
            assert!(name.contains('-') && name.len() < 80, "{odd}: {name}");
        }
    }

    proptest! {
        #[test]
        fn no_two_names_are_alike_and_all_are_safe(foreign in proptest::collection::btree_set(".{0,12}", 1..20)) {
            let mut names = Names::default();
            let mut given = BTreeSet::new();
            for name in &foreign {
                let name = names.give(name);
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte)));
                prop_assert!(!name.starts_with('.') && !name.contains("/"));
                prop_assert!(given.insert(name));
            }
        }
    }
}
