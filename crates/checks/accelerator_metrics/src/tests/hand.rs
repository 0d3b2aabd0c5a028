//! Runs made by hand.

use crate::RULES;
use crate::marks::{Facts, Given, Mark, Offered, Rest, Settled};
use aiconform_model::{Change, Event, EventKind, Kind};
use aiconform_trial::marks::event as event_of;
use aiconform_trial::testing::{Tape, judged};
use aiconform_verdict::Judgement;
use serde_json::json;
use std::fmt::Write;

pub const OWN: &str = "GPU-aaaa-1";
pub const OTHER: &str = "GPU-bbbb-2";
const MEBIBYTE: u64 = 1 << 20;
const TAKEN: u64 = 256 * MEBIBYTE;
const ENDPOINT: &str = "/api/v1/namespaces/m/pods/e:9400/proxy/metrics";

/// Milliseconds between two events.
const APART: i64 = 2000;

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
    pub mode: Option<&'static str>,
    /// After how many milliseconds everything was shown.
    pub shown: Option<u64>,
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
    pub deaf_cycle: Option<u64>,
    pub other: f64,
    pub other_follows: bool,
    /// Milliseconds of 4000 that the device worked.
    pub done: u64,
    pub share: bool,
    pub taken: u64,
    /// In MiB.
    pub rise: f64,
    pub other_rise: f64,
    /// Memory of the other device stays when that of the own is given back; nothing where nobody looks.
    pub other_stays: Option<bool>,
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
            mode: None,
            shown: Some(900),
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
            done: 4000,
            share: false,
            taken: TAKEN,
            rise: 256.0,
            other_rise: 0.0,
            other_stays: None,
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

/// What the devices do.
#[derive(Clone, Copy, Default)]
struct State {
    load: bool,
    quiet: bool,
    memory: bool,
    freed: bool,
    gone: bool,
    cycle: u64,
}

impl Run {
    pub fn judged(&self) -> Judgement {
        judge_events(self.events())
    }

    pub fn events(&self) -> Vec<Event> {
        let mut tape = Tape::new("accelerator_metrics", "dcgm");
        let facts =
            Facts { dialect: self.dialect.into(), tried: self.tried, own_control: true, ..Facts::default() };
        tape.pass(APART).started(json!(facts));
        let offered = |(node, devices): &(&str, u64)| {
            ((*node).to_owned(), Offered { devices: *devices, names: Vec::new() })
        };
        let nodes = self.nodes.iter().map(offered).collect();
        let endpoints = [(ENDPOINT.to_owned(), "node-0".to_owned())].into();
        self.mark(&mut tape, Mark::Census { nodes, endpoints });
        let mut state = State::default();
        self.scrapes(&mut tape, 1, &state);
        self.mark(&mut tape, Mark::Given(self.given()));
        state.quiet = true;
        self.mark(&mut tape, Mark::Quiet {});
        self.scrapes(&mut tape, 4, &state);
        state.quiet = false;
        for cycle in 0..2 {
            state = State { load: true, cycle, ..state };
            self.mark(&mut tape, Mark::Load { cycle });
            self.scrapes(&mut tape, 1, &State::default());
            self.mark(&mut tape, Mark::LoadSettled { cycle, settled: settled(self.shown) });
            self.scrapes(&mut tape, 4, &state);
            state.load = false;
            let rest = Rest { cycle, asked: 4000, done: self.done, why: String::new() };
            self.mark(&mut tape, Mark::Rest(rest));
            self.scrapes(&mut tape, 1, &state);
            self.mark(&mut tape, Mark::RestSettled { cycle, settled: settled(self.shown) });
            self.scrapes(&mut tape, 4, &state);
        }
        if self.evicted {
            let pod = json!({"metadata": {"name": "probe", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
            tape.pass(APART).watch(Kind::pod(), Change::Modified, pod);
        }
        self.mark(&mut tape, Mark::MemoryBefore {});
        self.scrapes(&mut tape, 1, &state);
        self.mark(&mut tape, Mark::Allocated { bytes: self.taken, why: String::new() });
        state.memory = true;
        self.mark(&mut tape, Mark::MemorySettled { settled: settled(self.shown) });
        self.scrapes(&mut tape, 1, &state);
        if self.other_stays.is_some() {
            self.mark(&mut tape, Mark::Free {});
            state.freed = true;
            self.mark(&mut tape, Mark::FreeSettled { settled: settled(self.shown) });
            self.scrapes(&mut tape, 1, &state);
        }
        self.mark(&mut tape, Mark::PodDeleted { pod: "probe".into() });
        state = State { gone: true, ..State::default() };
        self.mark(&mut tape, Mark::GoneSettled { settled: settled(self.shown) });
        self.scrapes(&mut tape, 1, &state);
        tape.pass(APART).ended();
        tape.events
    }

    fn given(&self) -> Given {
        Given {
            pod: "probe".into(),
            namespace: "n".into(),
            node: "node-0".into(),
            names: vec![self.names[0].into()],
            simulated: true,
            memory_bytes: Some(16 * 1024 * MEBIBYTE),
            share: self.share.then(|| "0/2".into()),
            ..Given::default()
        }
    }

    fn mark(&self, tape: &mut Tape, mark: Mark) {
        let mark = match mark {
            Mark::Given(given) => Mark::Given(Given { mode: self.mode.map(str::to_owned), ..given }),
            mark => mark,
        };
        tape.pass(APART).mark(&mark);
    }

    fn scrapes(&self, tape: &mut Tape, count: usize, state: &State) {
        for _ in 0..count {
            let number = tape.events.len();
            tape.pass(APART).push(self.scrape(state, number));
        }
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
            let is_held = state.memory && (!state.freed || (!own && self.other_stays == Some(true)));
            let used = 10.0 + if is_held { rise } else { 0.0 };
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

fn settled(milliseconds: Option<u64>) -> Settled {
    [("dcgm".to_owned(), milliseconds)].into()
}

/// Two devices, put to work one after the other; the names of the second run stand in the other order.
pub fn both(first: &Run, second: &Run) -> Vec<Event> {
    let first = Run { mode: Some("dra"), ..first.clone() }.events();
    let second = Run { mode: Some("device-plugin"), ..second.clone() }.events();
    let mut tape = Tape::new("accelerator_metrics", "dcgm");
    let mut add = |kind: EventKind| {
        tape.pass(APART).push(kind);
    };
    for event in &first[..first.len() - 1] {
        if is(event, "given") {
            add(event_of(&Mark::Planned { modes: vec!["dra".into(), "device-plugin".into()] }));
        }
        add(event.kind.clone());
    }
    for event in second.into_iter().skip_while(|event| !is(event, "given")) {
        add(event.kind);
    }
    tape.events
}

/// Whether an event is a mark of this name.
pub fn is(event: &Event, name: &str) -> bool {
    matches!(&event.kind, EventKind::Phase { phase, .. } if phase == name)
}

pub fn judge_events(events: Vec<Event>) -> Judgement {
    judged(&RULES, events)
}

pub fn outcome(judged: &Judgement, claim: &str) -> &'static str {
    outcome_of(judged, "dcgm", claim)
}

pub fn outcome_of(judged: &Judgement, subject: &str, claim: &str) -> &'static str {
    judged.subjects.iter().find(|judged| judged.id == subject).unwrap().outcome(claim).unwrap().word()
}

/// The place of the mark from which memory was told to have settled.
pub fn memory_settled(events: &[Event]) -> usize {
    events.iter().position(|event| is(event, "memory_settled")).unwrap()
}
