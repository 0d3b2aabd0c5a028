//! Whole runs that are written by hand.

use super::super::objects::kinds;
pub use super::tape::*;
use aiconform_model::EventKind;
use aiconform_verdict::Judgement;
use serde_json::json;

const TRIALS: &[&str] = &["select", "crowd", "free", "share", "taints", "prefer", "plain", "kinds"];

/// A run that is written by hand; the fields are what can go wrong in it.
#[derive(Clone)]
pub struct Run {
    pub select: [Seen; 3],
    /// Plain pods that are bound while the claims with selectors wait.
    pub select_late: usize,
    pub unmatched: Seen,
    /// Plain pods that are bound while the claim that nothing matches waits.
    pub meanwhile: usize,
    pub remaining: Seen,
    pub crowd: [Seen; 5],
    /// How many claims there are of these.
    pub claims: usize,
    pub crowd_meanwhile: usize,
    /// What becomes of the first claim that waited.
    pub released: Seen,
    pub release_late: usize,
    pub turns: [Seen; 4],
    pub free_late: usize,
    /// Sharers that are bound.
    pub sharers: usize,
    pub share_late: usize,
    /// Whether the shared claim is given another device later.
    pub moved: bool,
    pub other: Seen,
    pub prefer: [(&'static str, &'static str); 2],
    pub untainted: Seen,
    pub tainted: Seen,
    pub tolerated: Seen,
    pub tolerated_late: usize,
    /// Of one plain pod beside all that, how many are bound.
    pub plain: usize,
}

impl Default for Run {
    fn default() -> Run {
        use Seen::{Got, Waits};
        Run {
            select: [Got("b-16"), Got("d-80"), Got("c-32")],
            select_late: 0,
            unmatched: Waits,
            meanwhile: 2,
            remaining: Got("a-16"),
            crowd: [Got("one"), Got("two"), Got("three"), Waits, Waits],
            claims: 5,
            crowd_meanwhile: 2,
            released: Got("one"),
            release_late: 0,
            turns: [Got("one"); 4],
            free_late: 0,
            sharers: 4,
            share_late: 0,
            moved: false,
            other: Waits,
            prefer: [("more", "large"), ("less", "small")],
            untainted: Got("new"),
            tainted: Waits,
            tolerated: Got("worn"),
            tolerated_late: 0,
            plain: 1,
        }
    }
}

impl Run {
    pub fn judged(&self) -> Judgement {
        self.tape().judged()
    }

    pub fn tape(&self) -> Tape {
        let mut tape = Tape::default();
        tape.started(TRIALS);
        for kind in kinds() {
            tape.kind(&kind, [201, 200, 200, 200, 200, 404], "yes");
        }
        tape.phase("kinds", "trial_ended", json!({}));
        self.selection(&mut tape);
        self.crowded(&mut tape);
        self.freed(&mut tape);
        self.shared(&mut tape);
        self.preferred(&mut tape);
        self.with_taints(&mut tape);
        tape.phase("plain", "plain", json!({}));
        tape.pod("plain", "canary", "plain-canary", New);
        if self.plain > 0 {
            tape.pod("plain", "canary", "plain-canary", Bound);
        }
        tape.phase("plain", "trial_ended", json!({}));
        tape.write(EventKind::SubjectEnded {});
        tape
    }

    fn selection(&self, tape: &mut Tape) {
        let trial = "select";
        let wanted = json!({"by-attribute": "b-16", "by-capacity": "d-80", "by-both": "c-32"});
        tape.phase(trial, "select", json!({"claims": wanted}));
        for (name, seen) in ["by-attribute", "by-capacity", "by-both"].iter().zip(self.select) {
            tape.seen(trial, name, seen);
        }
        tape.canaries(trial, "selected", self.select_late);
        tape.phase(trial, "selected", json!({}));
        tape.waits(trial, "unmatched", "unmatched_closed", self.unmatched, self.meanwhile);
        tape.phase(trial, "remaining", json!({"claim": "remaining"}));
        tape.seen(trial, "remaining", self.remaining);
        tape.phase(trial, "remaining_ended", json!({}));
        tape.phase(trial, "trial_ended", json!({}));
    }

    fn crowded(&self, tape: &mut Tape) {
        let trial = "crowd";
        let names: Vec<String> = (0..self.claims).map(|number| format!("claim-{number}")).collect();
        tape.phase(trial, "crowd", json!({"claims": names, "devices": 3}));
        for (name, seen) in names.iter().zip(self.crowd) {
            tape.seen(trial, name, seen);
        }
        tape.canaries(trial, "crowd", self.crowd_meanwhile);
        tape.phase(trial, "crowd_closed", json!({}));
        tape.phase(trial, "release", json!({"claims": names[1..], "gone": "claim-0", "devices": 3}));
        tape.remove(trial, "claim-0", true);
        if let Some(name) = names.get(3)
            && !matches!(self.crowd[3], Seen::Got(_))
        {
            tape.seen(trial, name, self.released);
        }
        tape.canaries(trial, "release", self.release_late);
        tape.phase(trial, "release_ended", json!({}));
        tape.phase(trial, "trial_ended", json!({}));
    }

    fn freed(&self, tape: &mut Tape) {
        let trial = "free";
        for (number, seen) in self.turns.into_iter().enumerate() {
            let name = format!("turn-{number}");
            let after = if number == 0 { String::new() } else { format!("way {number}") };
            tape.phase(trial, "turn", json!({"claim": name, "after": after}));
            tape.seen(trial, &name, seen);
            if !matches!(seen, Seen::Got(_)) {
                tape.canaries(trial, &name, self.free_late);
            }
            tape.phase(trial, "turn_ended", json!({}));
            tape.remove(trial, &name, true);
        }
        tape.phase(trial, "trial_ended", json!({}));
    }

    fn shared(&self, tape: &mut Tape) {
        let trial = "share";
        let pods: Vec<String> = (0..4).map(|number| format!("sharer-{number}")).collect();
        tape.phase(trial, "share", json!({"claim": "shared", "pods": pods}));
        let bound: Vec<&str> = pods.iter().take(self.sharers).map(String::as_str).collect();
        if self.moved {
            tape.claim(trial, "shared", &["another"], &bound);
        }
        tape.claim(trial, "shared", &["one"], &bound);
        for (number, pod) in pods.iter().enumerate() {
            tape.pod(trial, "claimant", pod, New);
            tape.pod(trial, "claimant", pod, if number < self.sharers { Bound } else { Refused });
        }
        tape.canaries(trial, "share", self.share_late);
        tape.phase(trial, "shared", json!({}));
        tape.waits(trial, "other", "other_closed", self.other, 2);
        tape.phase(trial, "trial_ended", json!({}));
    }

    fn preferred(&self, tape: &mut Tape) {
        let trial = "prefer";
        for (number, (device, way)) in [("more", "large"), ("less", "small")].into_iter().enumerate() {
            let name = format!("prefer-{number}");
            tape.phase(trial, "prefer", json!({"claim": name, "device": device, "way": way}));
            let (device, way) = self.prefer[number];
            // One after the other; that none is given twice is another claim.
            tape.pod(trial, "claimant", &name, New);
            let results = json!([{"request": format!("device/{way}"), "driver": "d", "pool": format!("{trial}-{number}"),
                "device": device}]);
            tape.claim_of(trial, &name, &results, &[&name]);
            tape.pod(trial, "claimant", &name, Bound);
            tape.phase(trial, "preferred", json!({}));
        }
        tape.phase(trial, "trial_ended", json!({}));
    }

    fn with_taints(&self, tape: &mut Tape) {
        let trial = "taints";
        tape.phase(trial, "untainted", json!({"claim": "any", "device": "new"}));
        tape.seen(trial, "any", self.untainted);
        tape.phase(trial, "untainted_ended", json!({}));
        tape.waits(trial, "tainted", "tainted_closed", self.tainted, 2);
        if matches!(self.tainted, Seen::Got(_)) {
            tape.remove(trial, "tainted", true);
        }
        tape.phase(trial, "tolerated", json!({"claim": "tolerant", "device": "worn"}));
        if !matches!(self.untainted, Seen::Got("worn")) {
            tape.seen(trial, "tolerant", self.tolerated);
        }
        tape.canaries(trial, "tolerated", self.tolerated_late);
        tape.phase(trial, "tolerated_ended", json!({}));
        tape.phase(trial, "trial_ended", json!({}));
    }
}
