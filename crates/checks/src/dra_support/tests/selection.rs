//! What a claim's selectors choose, and what it is given at all.

use super::tape::*;
use crate::dra_support::objects::claim;
use aiconform_verdict::Verdict;
use serde_json::json;

const ONE: &str = "select-by-attribute";

fn stuck(tape: Tape, canaries: usize) -> Tape {
    let place = tape.mark("select", "selected", "");
    tape.canaries(place, "select", canaries)
}

#[test]
fn a_claim_that_gets_nothing_fails_only_while_other_pods_are_bound() {
    let slow = Tape::of(MET).unserved(ONE);
    assert_eq!(slow.word("claim_is_allocated"), "unknown");
    assert_eq!(slow.verdict(), Verdict::Inconclusive);
    assert_eq!(stuck(slow.clone(), 2).word("claim_is_allocated"), "unknown");
    let (word, why) = stuck(slow.clone(), 3).found("claim_is_allocated");
    assert!(word == "unmet" && why.contains(ONE) && why.contains("3 pods"), "{why}");
    // Which device it would have been given is not known.
    assert_eq!(stuck(slow, 3).word("selectors_are_followed"), "unknown");
    // Given a device, and not bound.
    assert_eq!(stuck(Tape::of(MET).unbound(ONE), 3).word("claim_is_allocated"), "unmet");
    assert_eq!(Tape::of(MET).unbound(ONE).word("claim_is_allocated"), "unknown");
}

#[test]
fn a_pod_that_is_bound_without_its_device_fails() {
    let (word, why) = Tape::of(MET).ungiven(ONE).found("claim_is_allocated");
    assert!(word == "unmet" && why.contains("given nothing"), "{why}");
    let unreserved = Tape::of(MET).changed(&claim(), ONE, |_, claim| {
        if let Some(status) = claim.get_mut("status") {
            status["reservedFor"] = json!([{"resource": "pods", "name": "other", "uid": "other"}]);
        }
    });
    let (word, why) = unreserved.found("claim_is_allocated");
    assert!(word == "unmet" && why.contains("not reserved"), "{why}");
    let two = Tape::of(MET).changed(&claim(), ONE, |_, claim| {
        if let Some(results) = claim.pointer_mut("/status/allocation/devices/results") {
            let mut other = results[0].clone();
            other["device"] = json!("a-32");
            results.as_array_mut().unwrap().push(other);
        }
    });
    assert_eq!(two.word("claim_is_allocated"), "unmet");
}

#[test]
fn another_device_than_the_one_that_matches_fails() {
    let (word, why) = Tape::of(MET).given("select-by-capacity", "a-16").found("selectors_are_followed");
    assert!(word == "unmet" && why.contains("d-80") && why.contains("a-16"), "{why}");
}

#[test]
fn a_claim_that_nothing_matches_must_get_nothing() {
    let place = |tape: &Tape| tape.mark("select", "unmatched_closed", "");
    let met = Tape::of(MET);
    let given = met.clone().with_claim(place(&met), "select-unmatched", "select", "a-16");
    let (word, why) = given.found("unmatched_claim_waits");
    assert!(word == "unmet" && why.contains("a-16"), "{why}");
    // What comes behind the window is not looked at.
    let later = met.clone().with_claim(place(&met) + 1, "select-unmatched", "select", "a-16");
    assert_eq!(later.word("unmatched_claim_waits"), "met");
    let mut pod = met.last(&aiconform_model::Kind::pod(), "select-unmatched");
    pod["spec"]["nodeName"] = json!("node-0");
    let bound = seen(aiconform_model::Kind::pod(), aiconform_model::Change::Modified, pod);
    let (word, why) = met.clone().with(place(&met), vec![bound]).found("unmatched_claim_waits");
    assert!(word == "unmet" && why.contains("was bound"), "{why}");
}

#[test]
fn a_claim_that_nobody_looked_at_has_not_waited() {
    let claim = "unmatched_claim_waits";
    // No word of the scheduler.
    assert_eq!(Tape::of(MET).unsaid("select-unmatched").word(claim), "unknown");
    // It stopped: nothing else was bound meanwhile.
    assert_eq!(Tape::of(MET).without_canaries("select").word(claim), "unknown");
    // No device was free all the time, or so it seems.
    let (word, why) = Tape::of(MET).unserved("select-remaining").found(claim);
    assert!(word == "unknown" && why.contains("free meanwhile"), "{why}");
    let stuck = Tape::of(MET).unserved("select-remaining");
    let place = stuck.mark("select", "remaining_ended", "");
    assert_eq!(stuck.canaries(place, "select", 3).word(claim), "unknown");
}

#[test]
fn a_scheduler_that_binds_no_plain_pod_is_no_scheduler() {
    let dead = Tape::of(MET).unbound("select-canary-0");
    assert_eq!(dead.word("plain_pods_are_bound"), "unknown");
    assert_eq!(dead.verdict(), Verdict::Inconclusive);
    let untried = ["plain", "select", "crowd", "share", "taints"].iter();
    let untried = untried.fold(Tape::of(MET), |tape, trial| tape.without_canaries(trial));
    assert_eq!(untried.word("plain_pods_are_bound"), "unknown");
}

#[test]
fn ways_are_taken_in_their_order() {
    let claim = "first_available_is_first";
    assert_eq!(Tape::of(MET).given("prefer-first", "less").word(claim), "unmet");
    let other_way = Tape::of(MET).changed(&super::super::objects::claim(), "prefer-first", |_, claim| {
        if let Some(request) = claim.pointer_mut("/status/allocation/devices/results/0/request") {
            *request = json!("device/small");
        }
    });
    assert_eq!(other_way.word(claim), "unmet");
    assert_eq!(Tape::of(MET).unserved("prefer-first").word(claim), "unknown");
    assert_eq!(Tape::of(MET).unserved("prefer-second").word(claim), "unknown");
    let stuck = Tape::of(MET).unserved("prefer-second");
    let place = stuck.mark("prefer", "trial_ended", "") - 1;
    // Before the second window's end.
    let end = (0..=place).rev().find(|place| match &stuck.0[*place].kind {
        aiconform_model::EventKind::Phase { phase, data } => {
            phase == "preferred" && data["trial"] == "prefer"
        }
        _ => false,
    });
    assert_eq!(stuck.canaries(end.unwrap(), "prefer", 3).word(claim), "unmet");
    // It goes further than the requirement.
    assert_eq!(other_way.verdict(), Verdict::Passed);
}

#[test]
fn a_device_with_a_taint_is_for_who_tolerates_it() {
    let claim = "tainted_device_is_kept_back";
    assert_eq!(Tape::of(MET).given("taints-any", "worn").word(claim), "unmet");
    let met = Tape::of(MET);
    let place = met.mark("taints", "tainted_closed", "");
    assert_eq!(met.clone().with_claim(place, "taints-intolerant", "taints", "worn").word(claim), "unmet");
    assert_eq!(Tape::of(MET).unsaid("taints-intolerant").word(claim), "unknown");
    assert_eq!(Tape::of(MET).without_canaries("taints").word(claim), "unknown");
    // The devices may not have been known at all.
    assert_eq!(Tape::of(MET).unserved("taints-any").word(claim), "unknown");
    assert_eq!(Tape::of(MET).unserved("taints-tolerant").word(claim), "unknown");
    let stuck = Tape::of(MET).unserved("taints-tolerant");
    let place = stuck.mark("taints", "tolerated_ended", "");
    assert_eq!(stuck.canaries(place, "taints", 3).word(claim), "unmet");
}
