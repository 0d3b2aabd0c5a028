//! Whole runs that are written by hand.

pub use super::tape::*;
use crate::marks::Step;
use crate::reading::kinds;
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
        tape.mark("kinds", Step::TrialEnded {});
        self.selection(&mut tape);
        self.crowded(&mut tape);
        self.freed(&mut tape);
        self.shared(&mut tape);
        self.preferred(&mut tape);
        self.with_taints(&mut tape);
        tape.mark("plain", Step::Plain {});
        tape.pod("plain", "canary", "plain-canary", New);
        if self.plain > 0 {
            tape.pod("plain", "canary", "plain-canary", Bound);
        }
        tape.mark("plain", Step::TrialEnded {});
        tape.write(EventKind::SubjectEnded {});
        tape
    }

    fn selection(&self, tape: &mut Tape) {
        let trial = "select";
        let wanted = [("by-attribute", "b-16"), ("by-capacity", "d-80"), ("by-both", "c-32")];
        let claims = wanted.map(|(claim, device)| (claim.to_owned(), device.to_owned())).into();
        tape.mark(trial, Step::Select { claims });
        for (name, seen) in ["by-attribute", "by-capacity", "by-both"].iter().zip(self.select) {
            tape.seen(trial, name, seen);
        }
        tape.canaries(trial, "selected", self.select_late);
        tape.mark(trial, Step::Selected {});
        let unmatched = (Step::Unmatched { claim: "unmatched".into() }, Step::UnmatchedClosed {});
        tape.waits(trial, unmatched, "unmatched", self.unmatched, self.meanwhile);
        tape.mark(trial, Step::Remaining { claim: "remaining".into() });
        tape.seen(trial, "remaining", self.remaining);
        tape.mark(trial, Step::RemainingEnded {});
        tape.mark(trial, Step::TrialEnded {});
    }

    fn crowded(&self, tape: &mut Tape) {
        let trial = "crowd";
        let names: Vec<String> = (0..self.claims).map(|number| format!("claim-{number}")).collect();
        tape.mark(trial, Step::Crowd { claims: names.clone(), devices: 3 });
        for (name, seen) in names.iter().zip(self.crowd) {
            tape.seen(trial, name, seen);
        }
        tape.canaries(trial, "crowd", self.crowd_meanwhile);
        tape.mark(trial, Step::CrowdClosed {});
        tape.mark(trial, Step::Release { claims: names[1..].to_vec(), gone: "claim-0".into(), devices: 3 });
        tape.remove(trial, "claim-0", true);
        if let Some(name) = names.get(3)
            && !matches!(self.crowd[3], Seen::Got(_))
        {
            tape.seen(trial, name, self.released);
        }
        tape.canaries(trial, "release", self.release_late);
        tape.mark(trial, Step::ReleaseEnded {});
        tape.mark(trial, Step::TrialEnded {});
    }

    fn freed(&self, tape: &mut Tape) {
        let trial = "free";
        for (number, seen) in self.turns.into_iter().enumerate() {
            let name = format!("turn-{number}");
            let after = if number == 0 { String::new() } else { format!("way {number}") };
            tape.mark(trial, Step::Turn { claim: name.clone(), after });
            tape.seen(trial, &name, seen);
            if !matches!(seen, Seen::Got(_)) {
                tape.canaries(trial, &name, self.free_late);
            }
            tape.mark(trial, Step::TurnEnded {});
            tape.remove(trial, &name, true);
        }
        tape.mark(trial, Step::TrialEnded {});
    }

    fn shared(&self, tape: &mut Tape) {
        let trial = "share";
        let pods: Vec<String> = (0..4).map(|number| format!("sharer-{number}")).collect();
        tape.mark(trial, Step::Share { claim: "shared".into(), pods: pods.clone() });
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
        tape.mark(trial, Step::Shared {});
        let other = (Step::Other { claim: "other".into() }, Step::OtherClosed {});
        tape.waits(trial, other, "other", self.other, 2);
        tape.mark(trial, Step::TrialEnded {});
    }

    fn preferred(&self, tape: &mut Tape) {
        let trial = "prefer";
        for (number, (device, way)) in [("more", "large"), ("less", "small")].into_iter().enumerate() {
            let name = format!("prefer-{number}");
            tape.mark(trial, Step::Prefer { claim: name.clone(), device: device.into(), way: way.into() });
            let (device, way) = self.prefer[number];
            // One after the other; that none is given twice is another claim.
            tape.pod(trial, "claimant", &name, New);
            let results = json!([{"request": format!("device/{way}"), "driver": "d", "pool": format!("{trial}-{number}"),
                "device": device}]);
            tape.claim_of(trial, &name, &results, &[&name]);
            tape.pod(trial, "claimant", &name, Bound);
            tape.mark(trial, Step::Preferred {});
        }
        tape.mark(trial, Step::TrialEnded {});
    }

    fn with_taints(&self, tape: &mut Tape) {
        let trial = "taints";
        tape.mark(trial, Step::Untainted { claim: "any".into(), device: "new".into() });
        tape.seen(trial, "any", self.untainted);
        tape.mark(trial, Step::UntaintedEnded {});
        let tainted = Step::Tainted { claim: "tainted".into(), device: "worn".into() };
        tape.waits(trial, (tainted, Step::TaintedClosed {}), "tainted", self.tainted, 2);
        if matches!(self.tainted, Seen::Got(_)) {
            tape.remove(trial, "tainted", true);
        }
        tape.mark(trial, Step::Tolerated { claim: "tolerant".into(), device: "worn".into() });
        if !matches!(self.untainted, Seen::Got("worn")) {
            tape.seen(trial, "tolerant", self.tolerated);
        }
        tape.canaries(trial, "tolerated", self.tolerated_late);
        tape.mark(trial, Step::ToleratedEnded {});
        tape.mark(trial, Step::TrialEnded {});
    }
}
