//! A run by hand, and what is wrong with it.

use crate::judge::{History, RULES};
use crate::marks::{
    AFTER, BACKENDS, Backend, CANARY, CASES, CHANGED, Condition, MISSING, Mark, NOWHERE, RouteStatus, SPLIT,
    STABLE, Sender, WEIGHTS,
};
use aiconform_model::probe::{Answer, Answered, Counted, Sent};
use aiconform_model::{Event, EventKind, Scope};
use aiconform_trial::Story;
use aiconform_trial::story::LIMITS;
use aiconform_trial::testing::{self, Tape};
use aiconform_verdict::{Judgement, OWN_CONTROL, Outcome, Subject};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The sender's address.
pub const SENDER: &str = "10.0.0.2";
const GATEWAY: &str = "10.0.0.9";

/// A run, and what is wrong with it.
#[derive(Clone)]
pub struct Run {
    /// Whether the class is accepted, in the condition's word.
    pub accepted: &'static str,
    /// Why routes are refused.
    pub refused: Option<&'static str>,
    /// What the first backend answers directly.
    pub direct: Sent,
    /// Over new connections, and over those that are used again.
    pub split: [Sent; 2],
    /// A host of no route.
    pub nowhere: Sent,
    /// One form of request that is answered otherwise.
    pub case: Option<(&'static str, Sent)>,
    /// Whether the change took effect, and what came of the batch after it, or of the last look.
    pub changed: Option<(bool, Sent)>,
    /// The generation of which the word on the changed route is.
    pub observed: i64,
    /// The word on whether the missing backend is resolved.
    pub resolved: &'static str,
    /// Answers of its route.
    pub missing: Sent,
    /// Conditions of the Gateway, by their type and status.
    pub gateway: &'static [(&'static str, &'static str)],
    /// Its address.
    pub address: &'static str,
    /// A route of which nothing was said.
    pub silent: Option<&'static str>,
    /// Whether backends were asked what came.
    pub counts: bool,
    /// How many fewer they saw of each batch.
    pub unseen: u32,
    /// What the backend with weight zero saw of them.
    pub idle_saw: u32,
    /// Milliseconds after which the routes were served; none: they never were.
    pub served: Option<i64>,
    /// Milliseconds after which the route without a backend was refused; none: it never was.
    pub refused_after: Option<i64>,
    /// Milliseconds after which the changed weights took effect, or were given up.
    pub changed_after: u64,
    /// Milliseconds after which the status of the changed route was fresh, or was given up.
    pub fresh_after: i64,
    /// Limits as the run had them, in seconds by key.
    pub limits: Value,
}

fn condition(kind: &str, status: &str, reason: &str, observed: i64) -> Condition {
    Condition {
        kind: kind.into(),
        status: status.into(),
        reason: reason.into(),
        observed_generation: Some(observed),
        ..Condition::default()
    }
}

/// So many answers of each role.
pub fn sent(of: &[(&str, u32)]) -> Sent {
    let answers = of.iter().map(|(role, count)| {
        let backend = format!("{role}-run");
        let answer = Answer { status: 200, backend, is_own: true, peer: GATEWAY.into(), ..Answer::default() };
        Answered { answer, count: *count }
    });
    let answers: Vec<Answered> = answers.collect();
    Sent { sent: answers.iter().map(|it| it.count).sum(), answers, milliseconds: 1000, ..Sent::default() }
}

/// Answers of somebody else.
pub fn foreign(status: u16, location: &str, count: u32) -> Vec<Answered> {
    vec![Answered { answer: Answer { status, location: location.into(), ..Answer::default() }, count }]
}

impl Default for Run {
    fn default() -> Run {
        let split = sent(&[(STABLE, 480), (CANARY, 120)]);
        let with = |status| Sent { sent: 10, answers: foreign(status, "", 10), ..Sent::default() };
        Run {
            accepted: "True",
            refused: None,
            direct: sent(&[(STABLE, 10)]),
            split: [split.clone(), split],
            nowhere: with(404),
            case: None,
            changed: Some((true, sent(&[(STABLE, 120), (CANARY, 480)]))),
            observed: 2,
            resolved: "False",
            missing: with(500),
            gateway: &[("Accepted", "True"), ("Programmed", "True")],
            address: GATEWAY,
            silent: None,
            counts: true,
            unseen: 0,
            idle_saw: 0,
            served: Some(900),
            refused_after: Some(900),
            changed_after: 900,
            fresh_after: 0,
            limits: json!({}),
        }
    }
}

impl Run {
    /// The subject.
    pub fn subject(&self) -> Subject {
        let facts = json!({"class": "c", "controller": "x.test/c", "features": 3,
            "accepted": {"status": self.accepted, "reason": "R", "message": "m"}, OWN_CONTROL: true});
        Subject { id: "c".into(), facts, control: false, declared: false }
    }

    /// The events.
    pub fn events(&self) -> Vec<Event> {
        let mut tape = Tape::new("ai_inference", "c");
        tape.scope = Scope::default();
        tape.push(EventKind::Fact { name: LIMITS.into(), value: self.limits.clone() });
        tape.scope = Scope::new("ai_inference", "c");
        tape.started(self.subject().facts);
        tape.scope = Scope::new("ai_inference", "");
        let backends = BACKENDS.iter().map(|role| {
            let backend =
                Backend { name: format!("{role}-run"), pod: (*role).into(), address: "10.0.0.3".into() };
            ((*role).to_owned(), backend)
        });
        let sender = Sender { pod: "sender".into(), address: SENDER.into() };
        tape.mark(&Mark::Direct { backends: backends.collect(), sender });
        let mut direct: BTreeMap<String, Sent> =
            BACKENDS.iter().map(|role| ((*role).to_owned(), sent(&[(role, 10)]))).collect();
        if self.direct.sent < 10 {
            direct.insert(STABLE.into(), Sent { sent: 10, ..self.direct.clone() });
        }
        tape.mark(&Mark::Directly { sent: direct });
        tape.scope = Scope::new("ai_inference", "c");
        let gateway = self.gateway.iter().map(|(kind, status)| condition(kind, status, "", 1));
        tape.mark(&Mark::Programmed {
            generation: Some(1),
            conditions: Some(gateway.collect()),
            addresses: Value::Null,
            address: Some(self.address.into()),
        });
        let hosts = ["split-0.test", "header-0.test", "missing-0.test"].map(str::to_owned).to_vec();
        tape.mark(&Mark::Routes { hosts, weights: WEIGHTS });
        let route = |name: &str, resolved| Some(self.route(name, resolved, 1, 1));
        tape.mark(&Mark::Told {
            split: route("split", "True"),
            header: route("header", "True"),
            missing: route("missing", self.resolved),
        });
        let mut counted: BTreeMap<String, BTreeMap<String, Counted>> =
            BACKENDS.iter().map(|role| ((*role).to_owned(), BTreeMap::new())).collect();
        let mut number = 0;
        let mut answered = |tape: &mut Tape, case: &str, keeps_alive: bool, sent: &Sent| {
            number += 1;
            let batch = format!("run-{number}");
            for (role, batches) in &mut counted {
                let own = sent.answers.iter().filter(|it| it.answer.backend == format!("{role}-run"));
                let count: u32 = own.map(|it| it.count).sum();
                if count > 0 {
                    let seen = count.saturating_sub(self.unseen);
                    batches.insert(batch.clone(), Counted { requests: seen, different: seen });
                }
            }
            let count = if [SPLIT, AFTER].contains(&case) { 600 } else { 10 };
            tape.mark(&Mark::Batch { case: case.into(), batch: batch.clone(), count });
            tape.mark(&Mark::Answered { case: case.into(), batch, keeps_alive, sent: sent.clone() });
        };
        tape.mark(&Mark::Serve {}).pass(self.served.unwrap_or(120_000));
        tape.mark(&Mark::Served { served: self.served.is_some(), last: Sent::default() });
        answered(&mut tape, NOWHERE, false, &self.nowhere);
        for (keeps_alive, sent) in [false, true].into_iter().zip(&self.split) {
            answered(&mut tape, SPLIT, keeps_alive, sent);
        }
        for case in CASES {
            for keeps_alive in [false, true] {
                let other = self.case.as_ref().filter(|(name, _)| *name == case.name);
                let healthy = sent(&[(case.expects, 10)]);
                answered(&mut tape, case.name, keeps_alive, other.map_or(&healthy, |(_, sent)| sent));
            }
        }
        tape.mark(&Mark::Refuse {}).pass(self.refused_after.unwrap_or(20_000));
        tape.mark(&Mark::Refused { refused: self.refused_after.is_some() });
        answered(&mut tape, MISSING, false, &self.missing);
        if let Some((changed, sent)) = &self.changed {
            tape.mark(&Mark::Change { weights: CHANGED });
            let last = sent.clone();
            let milliseconds = self.changed_after;
            tape.mark(&Mark::Changed { changed: *changed, requests: 180, last, milliseconds });
            if *changed {
                answered(&mut tape, AFTER, false, sent);
            }
        }
        if self.idle_saw > 0 {
            let seen = Counted { requests: self.idle_saw, different: self.idle_saw };
            counted.entry("idle".into()).or_default().insert("run-2".into(), seen);
        }
        if self.counts {
            tape.mark(&Mark::Counted { backends: counted });
        }
        tape.mark(&Mark::Reread {}).pass(self.fresh_after);
        tape.mark(&Mark::ToldAgain { split: Some(self.route("split again", "True", 2, self.observed)) });
        tape.mark(&Mark::End {});
        tape.ended();
        tape.scope = Scope::new("ai_inference", "");
        tape.mark(&Mark::Over {});
        tape.events
    }

    fn route(&self, name: &str, resolved: &str, generation: i64, observed: i64) -> RouteStatus {
        let accepted = if self.refused.is_some() { "False" } else { "True" };
        let mut conditions =
            vec![condition("Accepted", accepted, self.refused.unwrap_or("Accepted"), observed)];
        if !resolved.is_empty() {
            conditions.push(condition("ResolvedRefs", resolved, "R", observed));
        }
        let silent = self.silent == Some(name);
        RouteStatus { generation: Some(generation), conditions: (!silent).then_some(conditions) }
    }

    /// The outcome of a claim.
    pub fn outcome(&self, claim: fn(&History) -> Outcome) -> Outcome {
        let (events, subject) = (self.events(), self.subject());
        let events: Vec<&Event> = events.iter().collect();
        claim(&History::read(&Story::of(&events, &subject, RULES.over)).unwrap())
    }

    /// The outcome of a claim in a word.
    pub fn word(&self, claim: fn(&History) -> Outcome) -> &'static str {
        self.outcome(claim).word()
    }

    /// The verdict.
    pub fn judged(&self) -> Judgement {
        judged(self.events())
    }
}

/// The verdict of events.
pub fn judged(events: Vec<Event>) -> Judgement {
    testing::judged(&RULES, events)
}
