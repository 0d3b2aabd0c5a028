//! What each breakage of the lab must do to a check's claims, as its `faults.toml` says.

use crate::cx::Check;
use serde::Deserialize;

/// One breakage and what it must do; every other outcome must be as on the healthy twin.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Name of the lab's breakage.
    pub breakage: String,
    /// What else is said of it, when one breakage is tried in several ways.
    #[serde(default)]
    pub variant: String,
    /// Is only tried on request: it takes many minutes, or breaks what goes further than a MUST.
    #[serde(default)]
    pub slow: bool,
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

/// What a breakage does to a claim on a subject, or to a subject.
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

#[cfg(test)]
mod tests {
    use crate::CHECKS;

    #[test]
    fn every_fault_names_claims_and_adapters_that_exist_and_every_claim_has_a_fault() {
        for check in CHECKS {
            let faults = check.read_faults().unwrap();
            let claims: Vec<&str> = check.rules.claims.iter().map(|claim| claim.id).collect();
            for fault in &faults {
                assert!(
                    fault.adapters.iter().all(|adapter| check.adapters.contains(&adapter.as_str())),
                    "{fault:?}"
                );
                assert!(fault.trials.iter().all(|trial| check.trials.contains(&trial.as_str())), "{fault:?}");
                for expected in &fault.expect {
                    let known = expected.claim.as_ref().is_none_or(|claim| claims.contains(&claim.as_str()));
                    assert!(known, "{}: there is no claim {:?}", fault.breakage, expected.claim);
                }
            }
            for claim in claims {
                // A claim that no fault can break is not a claim.
                let broken = faults
                    .iter()
                    .flat_map(|fault| &fault.expect)
                    .any(|expected| expected.claim.as_deref() == Some(claim) && expected.outcome != "met");
                assert!(broken, "no fault breaks {claim}");
            }
        }
    }
}
