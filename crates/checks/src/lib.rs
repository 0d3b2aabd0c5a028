//! The list of checks.

pub use aiconform_ai_service_metrics::answer as monitoring;
pub use aiconform_check::consent::Consent;
pub use aiconform_check::cx::{
    Check, Cx, Declared, Detection, FileKind, GANG_SIZE, Level, Options, Preview, Progress, Reach, Stop,
};
pub use aiconform_check::faults::{Expected, Fault};
pub use aiconform_check::place::FileError;
pub use aiconform_check::profile::{Profile, SlotsOf, WHOLE};
pub use aiconform_check::turn::Turns;
pub use aiconform_gang_scheduling::AdapterFile;
pub use aiconform_robust_controller::Operator;

include!(concat!(env!("OUT_DIR"), "/checks.rs"));

/// The check of a requirement, when there is one.
pub fn check(id: &str) -> Option<&'static Check> {
    CHECKS.iter().copied().find(|check| check.id == id)
}

#[cfg(test)]
mod tests {
    use crate::CHECKS;

    #[test]
    fn every_fault_names_claims_and_adapters_that_exist_and_every_claim_has_a_fault() {
        for check in CHECKS {
            let faults = check.read_faults().unwrap();
            let claims: Vec<&str> = check.rules.sentences().iter().map(|claim| claim.id).collect();
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
