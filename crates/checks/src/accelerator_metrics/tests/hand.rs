//! Runs made by hand.

use super::super::RULES;
use aiconform_evidence::Evidence;
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_verdict::{Judgement, OWN_CONTROL, judge};
use serde_json::{Value, json};
use std::fmt::Write;

pub const OWN: &str = "GPU-aaaa-1";
pub const OTHER: &str = "GPU-bbbb-2";
const MEBIBYTE: f64 = 1_048_576.0;
const TAKEN: f64 = 256.0 * MEBIBYTE;
const ENDPOINT: &str = "/api/v1/namespaces/m/pods/e:9400/proxy/metrics";

/// What the endpoint answers.
#[derive(Clone, Copy, PartialEq)]
pub enum Answer {
    Metrics,
    BadLine,
    Html,
    Garbage,
    WrongType,
    Hang,
    Cut,
    Refused,
}

/// A run and what is wrong with it.
#[derive(Clone)]
pub struct Run {
    pub dialect: &'static str,
    pub tried: bool,
    pub names: [&'static str; 2],
    pub missing: Option<&'static str>,
    pub nodes: Vec<(&'static str, u64)>,
    pub busy: f64,
    pub idle: f64,
    pub noise: f64,
    pub quiet_sway: f64,
    /// In this load phase the utilisation does not move.
    pub deaf_cycle: Option<usize>,
    pub other: f64,
    pub other_follows: bool,
    pub done: f64,
    pub share: bool,
    pub taken: f64,
    /// In MiB.
    pub rise: f64,
    pub other_rise: f64,
    pub temperature: f64,
    pub pod: Option<&'static str>,
    pub stale: bool,
    pub other_named: bool,
    /// Samples carry a time, which goes on or does not.
    pub timestamp: Option<bool>,
    pub answer: Answer,
    pub evicted: bool,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            dialect: "dcgm",
            tried: true,
            names: [OWN, OTHER],
            missing: None,
            nodes: vec![("node-0", 2)],
            busy: 0.97,
            idle: 0.0,
            noise: 0.0,
            quiet_sway: 0.0,
            deaf_cycle: None,
            other: 0.0,
            other_follows: false,
            done: 1.0,
            share: false,
            taken: TAKEN,
            rise: 256.0,
            other_rise: 0.0,
            temperature: 40.0,
            pod: Some("probe"),
            stale: false,
            other_named: false,
            timestamp: None,
            answer: Answer::Metrics,
            evicted: false,
        }
    }
}

/// Makes events, two seconds apart.
struct Maker(Vec<Event>);

impl Maker {
    fn add(&mut self, kind: EventKind) {
        let sequence = self.0.len() as u64;
        let seconds = 1_800_000_000 + 2 * i64::try_from(sequence).unwrap();
        let time = jiff::Timestamp::from_second(seconds).unwrap();
        self.0.push(Event { sequence, time, scope: Scope::new("accelerator_metrics", "dcgm"), kind });
    }

    fn phase(&mut self, phase: &str, data: Value) {
        self.add(EventKind::Phase { phase: phase.into(), data });
    }

    fn scrapes(&mut self, count: usize, run: &Run, state: &State) {
        for _ in 0..count {
            let number = self.0.len();
            self.add(run.scrape(state, number));
        }
    }
}

/// What the devices do.
#[derive(Clone, Copy, Default)]
struct State {
    load: bool,
    quiet: bool,
    memory: bool,
    gone: bool,
    cycle: usize,
}

impl Run {
    pub fn judged(&self) -> Judgement {
        judge_events(self.events())
    }

    pub fn events(&self) -> Vec<Event> {
        let mut maker = Maker(Vec::new());
        let facts = json!({"dialect": self.dialect, "tried": self.tried, OWN_CONTROL: true});
        maker.add(EventKind::SubjectStarted { facts, control: false, declared: false });
        let nodes: serde_json::Map<String, Value> = self
            .nodes
            .iter()
            .map(|(node, count)| ((*node).into(), json!({"devices": count, "names": []})))
            .collect();
        maker.phase("census", json!({"nodes": nodes, "endpoints": {ENDPOINT: "node-0"}}));
        let mut state = State::default();
        maker.scrapes(1, self, &state);
        maker.phase(
            "given",
            json!({"pod": "probe", "namespace": "n", "node": "node-0", "names": [self.names[0]], "simulated": true,
            "memory_bytes": 16.0 * 1024.0 * MEBIBYTE, "share": self.share.then_some("0/2")}),
        );
        state.quiet = true;
        maker.phase("quiet", json!({}));
        maker.scrapes(4, self, &state);
        state.quiet = false;
        for cycle in 0..2 {
            state = State { load: true, cycle, ..state };
            maker.phase("load", json!({"cycle": cycle}));
            maker.scrapes(1, self, &State::default());
            maker.phase("load_settled", json!({"cycle": cycle, "settled": {"dcgm": 900}}));
            maker.scrapes(4, self, &state);
            state.load = false;
            maker.phase("rest", json!({"cycle": cycle, "asked": 4000, "done": 4000.0 * self.done}));
            maker.scrapes(1, self, &state);
            maker.phase("rest_settled", json!({"cycle": cycle, "settled": {"dcgm": 900}}));
            maker.scrapes(4, self, &state);
        }
        if self.evicted {
            let pod = json!({"metadata": {"name": "probe", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
            maker.add(EventKind::Watch { kind: Kind::pod(), change: Change::Modified, object: Object(pod) });
        }
        maker.phase("memory_before", json!({}));
        maker.scrapes(1, self, &state);
        maker.phase("allocated", json!({"bytes": self.taken}));
        state.memory = true;
        maker.phase("memory_settled", json!({"settled": {"dcgm": 500}}));
        maker.scrapes(1, self, &state);
        maker.phase("pod_deleted", json!({"pod": "probe"}));
        state = State { gone: true, ..State::default() };
        maker.phase("gone_settled", json!({"settled": {"dcgm": 700}}));
        maker.scrapes(1, self, &state);
        maker.add(EventKind::SubjectEnded {});
        maker.0
    }

    fn scrape(&self, state: &State, number: usize) -> EventKind {
        let (status, why) = match self.answer {
            Answer::Hang => (0, "it did not end within 5 s"),
            Answer::Cut => (200, "it is longer than 8388608 bytes, and was cut there"),
            Answer::Refused => (503, ""),
            _ => (200, ""),
        };
        let text = match self.answer {
            Answer::Html => "<!DOCTYPE html><title>Sign in</title>".into(),
            Answer::Garbage => "\u{fffd}\u{1}?\n\u{2}".into(),
            Answer::Hang | Answer::Refused => String::new(),
            Answer::BadLine => {
                format!(
                    "{}DCGM_FI_DEV_FB_USED{{gpu=\"7\"}} ERROR - FAILED TO CONVERT TO STRING\n",
                    self.text(state, number)
                )
            }
            _ => self.text(state, number),
        };
        let kind = if self.answer == Answer::WrongType { "image/png" } else { "text/plain; version=0.0.4" };
        EventKind::Scrape {
            endpoint: ENDPOINT.into(),
            status,
            content_type: kind.into(),
            text,
            cut: None,
            why: why.into(),
            milliseconds: 20,
        }
    }

    fn text(&self, state: &State, number: usize) -> String {
        let sign = if number.is_multiple_of(2) { 1.0 } else { -1.0 };
        let mut text = String::from("# HELP DCGM_FI_DEV_GPU_UTIL busy; of a simulated device.\n");
        let loaded = state.load && self.deaf_cycle != Some(state.cycle);
        for (place, name) in self.names.iter().enumerate() {
            if self.missing == Some(name) {
                continue;
            }
            let own = place == 0;
            let follows = loaded && (own || self.other_follows);
            let still = if own { self.idle } else { self.other };
            let mut busy = if follows { self.busy } else { still } + self.noise * sign;
            if own && state.quiet {
                busy += self.quiet_sway * if sign > 0.0 { 1.0 } else { 0.0 };
            }
            let rise = if own { self.rise } else { self.other_rise };
            let used = 10.0 + if state.memory { rise } else { 0.0 };
            let named = self.pod.filter(|_| (own && (!state.gone || self.stale)) || self.other_named);
            let pod = named.map_or(String::new(), |pod| format!(",namespace=\"n\",pod=\"{pod}\""));
            let labels = format!("{{gpu=\"{place}\",UUID=\"{name}\",Hostname=\"node-0\"{pod}}}");
            let time = match self.timestamp {
                None => String::new(),
                Some(goes_on) => format!(" {}", 1_800_000_000_000 + if goes_on { number * 2000 } else { 0 }),
            };
            let _ = writeln!(text, "DCGM_FI_DEV_GPU_UTIL{labels} {}{time}", busy * 100.0);
            let _ = writeln!(text, "DCGM_FI_DEV_FB_USED{labels} {used}{time}");
            let _ = writeln!(text, "DCGM_FI_DEV_GPU_TEMP{labels} {}{time}", self.temperature);
        }
        text
    }
}

/// Two devices, put to work one after the other; the names of the second run stand in the other order.
pub fn both(first: &Run, second: &Run) -> Vec<Event> {
    let (first, second) = (first.events(), second.events());
    let is =
        |event: &Event, name: &str| matches!(&event.kind, EventKind::Phase { phase, .. } if phase == name);
    let mut events: Vec<Event> = Vec::new();
    for event in &first[..first.len() - 1] {
        if is(event, "given") {
            let data = json!({"modes": ["dra", "device-plugin"]});
            events.push(Event { kind: EventKind::Phase { phase: "planned".into(), data }, ..event.clone() });
        }
        events.push(event.clone());
    }
    events.extend(second.into_iter().skip_while(|event| !is(event, "given")));
    let modes = &mut ["dra", "device-plugin"].into_iter();
    let mut maker = Maker(Vec::new());
    for event in events {
        let kind = match event.kind {
            EventKind::Phase { phase, mut data } if phase == "given" => {
                data["mode"] = json!(modes.next());
                EventKind::Phase { phase, data }
            }
            kind => kind,
        };
        maker.add(kind);
    }
    maker.0
}

pub fn judge_events(events: Vec<Event>) -> Judgement {
    judge(&RULES, &Evidence { events })
}

pub fn outcome(judged: &Judgement, claim: &str) -> &'static str {
    outcome_of(judged, "dcgm", claim)
}

pub fn outcome_of(judged: &Judgement, subject: &str, claim: &str) -> &'static str {
    judged.subjects.iter().find(|judged| judged.id == subject).unwrap().outcome(claim).unwrap().word()
}

/// The place of the mark from which memory was told to have settled.
pub fn memory_settled(events: &[Event]) -> usize {
    let is_it =
        |event: &Event| matches!(&event.kind, EventKind::Phase { phase, .. } if phase == "memory_settled");
    events.iter().position(is_it).unwrap()
}
