//! Breakages: a real platform with one real thing wrong, under a name. What a check must say of it stands with the
//! check.

mod kuberay;
mod kyverno;
mod mechanism;
mod policies;
mod table;

pub(crate) use self::mechanism::{Change, Mechanism, Patch, Policy, Probe, Row};

use self::table::TABLE;
use crate::part::Part;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::LazyLock;

/// Breakage of a lab: a row of the table, or one of the simulator's own.
#[derive(Clone, Copy)]
pub struct Breakage(&'static Row);

/// Rows of the simulator's breakages, which it knows itself.
static OF_SIMULATOR: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let simulated = aiconform_simulator::Breakage::all().iter();
    // Once for the whole program.
    let row = |breakage: &aiconform_simulator::Breakage| Row {
        name: breakage.name().leak(),
        says: breakage.says().leak(),
        part: Some(Part::of("simulator")),
        mechanisms: Vec::leak(vec![Mechanism::Simulator(*breakage)]),
        probe: None,
    };
    simulated.map(row).collect()
});

impl Breakage {
    /// Every breakage.
    pub fn all() -> impl Iterator<Item = Breakage> {
        TABLE.iter().chain(kyverno::ROWS).chain(OF_SIMULATOR.iter()).map(Breakage)
    }

    /// Breakage of a name.
    pub fn named(name: &str) -> Option<Breakage> {
        Breakage::all().find(|breakage| breakage.name() == name)
    }

    /// Name on the command line and in `faults.toml`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Sentence that says what is wrong.
    pub fn says(self) -> &'static str {
        self.0.says
    }

    /// Part of the lab that it is about.
    pub fn part(self) -> Option<Part> {
        self.0.part
    }

    /// Tells whether a lab has it from birth or never: its API server is another one.
    pub fn is_of_birth(self) -> bool {
        let of_api_server = |mechanism: &Mechanism| match mechanism {
            Mechanism::Flags(flags) => flags.are_of("kube-apiserver"),
            _ => false,
        };
        self.0.mechanisms.iter().any(of_api_server)
    }

    /// Mechanisms that break a lab so, in this order.
    pub(crate) fn mechanisms(self) -> &'static [Mechanism] {
        self.0.mechanisms
    }

    /// Probe that shows whether it is in force.
    pub(crate) fn probe(self) -> Option<&'static Probe> {
        self.0.probe.as_ref()
    }
}

impl PartialEq for Breakage {
    fn eq(&self, other: &Breakage) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Breakage {}

impl std::fmt::Debug for Breakage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Breakage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Breakage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Breakage, D::Error> {
        let name = String::deserialize(deserializer)?;
        Breakage::named(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("there is no breakage {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use std::collections::BTreeSet;

    #[test]
    fn every_breakage_has_a_name_of_its_own_that_leads_back_to_it() {
        for breakage in Breakage::all() {
            assert_eq!(Breakage::named(breakage.name()), Some(breakage));
            let stored = serde_json::to_string(&breakage).unwrap();
            assert_eq!(serde_json::from_str::<Breakage>(&stored).unwrap(), breakage);
        }
        let names: BTreeSet<&str> = Breakage::all().map(Breakage::name).collect();
        assert_eq!(names.len(), Breakage::all().count());
        assert_eq!(Breakage::named("none"), None);
    }

    #[test]
    fn every_breakage_is_done_somehow_and_says_in_a_sentence_what_is_wrong() {
        for breakage in Breakage::all() {
            assert!(!breakage.mechanisms().is_empty(), "{breakage:?}");
            assert!(breakage.says().ends_with('.'), "{breakage:?}: {}", breakage.says());
        }
    }

    #[test]
    fn only_what_changes_the_api_server_is_of_birth() {
        let of_birth: Vec<&str> =
            Breakage::all().filter(|breakage| breakage.is_of_birth()).map(Breakage::name).collect();
        assert_eq!(of_birth, ["gang-gate-off-api-server", "dra-gate-off", "device-taints-gate-off"]);
    }

    #[test]
    fn no_two_breakages_do_the_same() {
        let done: Vec<String> =
            Breakage::all().map(|breakage| format!("{:?}", breakage.mechanisms())).collect();
        assert_eq!(done.iter().collect::<BTreeSet<_>>().len(), done.len());
    }

    #[test]
    fn every_actor_is_understood_by_the_process_that_plays_it() {
        let mechanisms = Breakage::all().flat_map(|breakage| breakage.mechanisms());
        let actors: Vec<Actor> = mechanisms
            .filter_map(|mechanism| match mechanism {
                Mechanism::Runs(actor) => Some(*actor),
                _ => None,
            })
            .collect();
        for actor in &actors {
            let told = serde_json::to_string(actor).unwrap();
            assert_eq!(serde_json::from_str::<Actor>(&told).unwrap(), *actor);
        }
        assert!(actors.len() > 40, "{}", actors.len());
    }
}
