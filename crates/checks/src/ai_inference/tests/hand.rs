//! A run by hand, and what is wrong with it.

use super::super::RULES;
use super::super::adapters::{BACKENDS, CANARY, STABLE};
use super::super::history::{CASES, NOWHERE, SPLIT};
use aiconform_evidence::Evidence;
use aiconform_model::probe::{Answer, Answered, Sent};
use aiconform_model::{Event, EventKind, Scope};
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
        let mut events = Log::default();
        let started =
            EventKind::SubjectStarted { facts: self.subject().facts, control: false, declared: false };
        events.add("c", started);
        let backends: BTreeMap<&str, Value> = BACKENDS
            .iter()
            .map(|role| (*role, json!({"name": format!("{role}-run"), "pod": role})))
            .collect();
        events.phase("", "direct", json!({"backends": backends, "sender": {"address": SENDER}}));
        let mut direct: BTreeMap<&str, Sent> =
            BACKENDS.iter().map(|role| (*role, sent(&[(role, 10)]))).collect();
        if self.direct.sent < 10 {
            direct.insert(STABLE, Sent { sent: 10, ..self.direct.clone() });
        }
        events.phase("", "directly", json!({"sent": direct}));
        let condition = |kind: &str, status: &str, reason: &str, observed: i64| json!({"type": kind, "status": status, "reason": reason, "observedGeneration": observed});
        let gateway = self.gateway.iter().map(|(kind, status)| condition(kind, status, "", 1));
        let gateway: Vec<Value> = gateway.collect();
        events.phase(
            "c",
            "programmed",
            json!({"generation": 1, "conditions": gateway, "address": self.address}),
        );
        let hosts = ["split-0.test", "header-0.test", "missing-0.test"];
        events.phase("c", "routes", json!({"hosts": hosts}));
        let accepted = if self.refused.is_some() { "False" } else { "True" };
        let reason = self.refused.unwrap_or("Accepted");
        let route = |resolved: &str, generation: i64, observed: i64| {
            let mut conditions = vec![condition("Accepted", accepted, reason, observed)];
            if !resolved.is_empty() {
                conditions.push(condition("ResolvedRefs", resolved, "R", observed));
            }
            json!({"generation": generation, "conditions": conditions})
        };
        let mut told = json!({"split": route("True", 1, 1), "header": route("True", 1, 1), "missing": route(self.resolved, 1, 1)});
        if let Some(silent) = self.silent {
            told[silent]["conditions"] = Value::Null;
        }
        events.phase("c", "told", told);
        let mut counted: BTreeMap<&str, BTreeMap<String, Value>> =
            BACKENDS.iter().map(|role| (*role, BTreeMap::new())).collect();
        let mut number = 0;
        let mut answered = |events: &mut Log, case: &str, keeps_alive: bool, sent: &Sent| {
            number += 1;
            let batch = format!("run-{number}");
            for role in BACKENDS {
                let own = sent.answers.iter().filter(|it| it.answer.backend == format!("{role}-run"));
                let count: u32 = own.map(|it| it.count).sum();
                if count > 0 {
                    let seen = count.saturating_sub(self.unseen);
                    let seen = json!({"requests": seen, "different": seen});
                    counted.entry(role).or_default().insert(batch.clone(), seen);
                }
            }
            let data = json!({"case": case, "batch": batch, "keeps_alive": keeps_alive, "sent": sent});
            events.phase("c", "answered", data);
        };
        answered(&mut events, NOWHERE, false, &self.nowhere);
        for (keeps_alive, sent) in [false, true].into_iter().zip(&self.split) {
            answered(&mut events, SPLIT, keeps_alive, sent);
        }
        for case in CASES {
            for keeps_alive in [false, true] {
                let other = self.case.as_ref().filter(|(name, _)| *name == case.name);
                let healthy = sent(&[(case.expects, 10)]);
                answered(&mut events, case.name, keeps_alive, other.map_or(&healthy, |(_, sent)| sent));
            }
        }
        answered(&mut events, "missing", false, &self.missing);
        if let Some((took_effect, sent)) = &self.changed {
            events.phase("c", "change", json!({}));
            events.phase(
                "c",
                "changed",
                json!({"changed": took_effect, "requests": 180, "last": sent, "milliseconds": 900}),
            );
            if *took_effect {
                answered(&mut events, "changed", false, sent);
            }
        }
        if self.idle_saw > 0 {
            let seen = json!({"requests": self.idle_saw, "different": self.idle_saw});
            counted.entry("idle").or_default().insert("run-2".into(), seen);
        }
        if self.counts {
            events.phase("c", "counted", json!({"backends": counted}));
        }
        events.phase("c", "told_again", json!({"split": route("True", 2, self.observed)}));
        events.phase("c", "end", json!({}));
        events.phase("", "over", json!({}));
        events.0
    }

    /// The outcome of a claim in a word.
    pub fn word(&self, claim: fn(&[&Event], &Subject) -> Outcome) -> &'static str {
        claim(&self.events().iter().collect::<Vec<_>>(), &self.subject()).word()
    }

    /// The verdict.
    pub fn judged(&self) -> Judgement {
        judged(self.events())
    }
}

/// The verdict of events.
pub fn judged(events: Vec<Event>) -> Judgement {
    aiconform_verdict::judge(&RULES, &Evidence { events })
}

/// Events as they are added.
#[derive(Default)]
pub struct Log(pub Vec<Event>);

impl Log {
    /// One of a subject, or of all.
    pub fn add(&mut self, subject: &str, kind: EventKind) {
        let time = jiff::Timestamp::from_second(1_800_000_000).unwrap();
        let sequence = self.0.len() as u64;
        self.0.push(Event { sequence, time, scope: Scope::new("ai_inference", subject), kind });
    }

    /// A phase.
    pub fn phase(&mut self, subject: &str, phase: &str, data: Value) {
        self.add(subject, EventKind::Phase { phase: phase.into(), data });
    }
}
