//! Consent: what a run does only where it may, because it costs money, opens a door to the world, or takes something from a
//! node.

use serde::Deserialize;

/// Something that needs consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Nodes are added by the platform's autoscaler, and cost money until they go.
    Nodes,
}

impl Consent {
    /// All that there are.
    pub const ALL: &'static [Consent] = &[Consent::Nodes];

    /// Its name in the profile and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Consent::Nodes => "nodes",
        }
    }

    /// The thing that is consented to, as a sentence.
    pub fn says(self) -> &'static str {
        match self {
            Consent::Nodes => {
                "the platform's autoscaler adds nodes with accelerators, which cost money until they go"
            }
        }
    }

    /// The consent of this name.
    pub fn named(name: &str) -> Option<Consent> {
        Consent::ALL.iter().copied().find(|consent| consent.name() == name)
    }
}
