//! Effects that each breakage of the lab must have on a check's claims, as its `faults.toml` says.

use crate::cx::Check;
use serde::Deserialize;

/// One breakage and what it must do; every other outcome must be as on the healthy twin.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Name of the lab's breakage.
    pub breakage: String,
    /// Words that tell it from the others, when one breakage is tried in several ways.
    #[serde(default)]
    pub variant: String,
    /// Is only tried on request: it takes many minutes, or breaks what goes further than a MUST.
    #[serde(default)]
    pub slow: bool,
    /// Is the one of its requirement that is tried whenever only a part of all is.
    #[serde(default)]
    pub gravest: bool,
    /// Adapters to try; those decide.
    #[serde(default)]
    pub adapters: Vec<String>,
    /// Trials beyond what a MUST needs that are to be made.
    #[serde(default)]
    pub trials: Vec<String>,
    /// A profile to run with (TOML).
    #[serde(default)]
    pub profile: String,
    /// Verdict of the requirement.
    pub verdict: String,
    /// Words that its reason must hold, such as the name of the policy that refused.
    #[serde(default)]
    pub says: String,
    /// Claims and subjects that differ from the twin's.
    #[serde(default)]
    pub expect: Vec<Expected>,
}

/// The effect of a breakage on a claim on a subject, or on a subject.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Id of the subject.
    pub subject: String,
    /// Id of the claim; without one, what the whole subject comes to is expected, and its claims may be anything.
    #[serde(default)]
    pub claim: Option<String>,
    /// Outcome in one word, or the subject's state in words.
    pub outcome: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    #[serde(default)]
    fault: Vec<Fault>,
}

impl Check {
    /// The check's faults.
    ///
    /// # Errors
    /// When its `faults.toml` is not what it should be; a test reads all of them.
    pub fn read_faults(&self) -> Result<Vec<Fault>, String> {
        let read: Faults = toml::from_str(self.faults).map_err(|error| format!("{}: {error}", self.id))?;
        Ok(read.fault)
    }
}
