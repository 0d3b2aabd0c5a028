//! Parts: what a lab can have beside Kubernetes. Each runs as pods from its own manifests; how, is a row of the table.

mod table;

pub(crate) use self::table::{Daemon, Manifests, Row};

use self::table::TABLE;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Part of a lab: a row of the table, in whose order they are begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part(usize);

impl Part {
    /// Every part.
    pub fn all() -> impl Iterator<Item = Part> {
        (0..TABLE.len()).map(Part)
    }

    /// Part of a name, which somebody has typed.
    pub fn named(name: &str) -> Option<Part> {
        Part::all().find(|part| part.name() == name)
    }

    /// Part of a name that stands in the program; in a constant the compiler sees that there is one.
    ///
    /// # Panics
    /// When there is none.
    pub const fn of(name: &str) -> Part {
        let mut place = 0;
        while place < TABLE.len() {
            if is_equal(TABLE[place].name.as_bytes(), name.as_bytes()) {
                return Part(place);
            }
            place += 1;
        }
        panic!("no part of a lab has this name")
    }

    /// All there is to say of it.
    pub(crate) fn row(self) -> &'static Row {
        &TABLE[self.0]
    }

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Version, which its image's name carries where it has one.
    pub fn version(self) -> &'static str {
        if !self.row().version.is_empty() {
            return self.row().version;
        }
        let image = self.row().images.first().map_or(aiconform_images::SIMULATOR.name, |(.., image)| image);
        image.rsplit(':').next().unwrap_or_default()
    }

    /// Tells whether it belongs to the quick set: what `run --lab` builds when nobody says how far to go.
    pub fn is_quick(self) -> bool {
        self.row().quick
    }

    /// Tells whether it serves an API that another part serves where it is not: the two cannot be tried in
    /// one lab.
    pub fn is_apart(self) -> bool {
        self.row().apart
    }

    /// Part without which it cannot be.
    pub fn stands_on(self) -> Option<Part> {
        self.row().stands_on.map(Part::of)
    }
}

const fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let mut place = 0;
    while place < one.len() && place < other.len() && one[place] == other[place] {
        place += 1;
    }
    place == one.len() && place == other.len()
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Part, D::Error> {
        let name = String::deserialize(deserializer)?;
        Part::named(&name).ok_or_else(|| serde::de::Error::custom(format!("a lab cannot have {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_part_has_a_name_of_its_own_that_leads_back_to_it_and_that_lab_json_uses() {
        for part in Part::all() {
            assert_eq!(Part::named(part.name()), Some(part));
            assert_eq!(Part::of(part.name()), part);
            let stored = serde_json::to_value(part).unwrap();
            assert_eq!(stored, part.name());
            assert_eq!(serde_json::from_value::<Part>(stored).unwrap(), part);
        }
        let names: BTreeSet<&str> = Part::all().map(Part::name).collect();
        assert_eq!(names.len(), Part::all().count());
        assert_eq!(Part::named("none"), None);
    }

    #[test]
    fn what_a_part_stands_on_is_started_before_it() {
        let pairs: Vec<(Part, Part)> =
            Part::all().filter_map(|part| Some((part, part.stands_on()?))).collect();
        assert!(pairs.iter().all(|(part, below)| below < part));
        assert_eq!(pairs.len(), 6);
    }

    #[test]
    fn manifests_of_the_labs_own_name_images_that_parts_bring() {
        let brought: Vec<&str> =
            Part::all().flat_map(|part| part.row().images).map(|(.., image)| *image).collect();
        for part in Part::all() {
            let (Manifests::Module(own) | Manifests::Own(own)) = part.row().manifests else { continue };
            for (place, _) in own.match_indices("aiconform.dev/lab/") {
                let named = own[place..].split_whitespace().next().unwrap();
                assert!(brought.contains(&named), "{}: {named}", part.name());
            }
        }
    }
}
