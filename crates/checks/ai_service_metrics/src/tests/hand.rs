//! Runs made by hand.

use crate::judge::RULES;
use crate::marks::{
    Batch, ByPod, COUNTER, DECLARED, Facts, GAUGE, HISTOGRAM, ID, Made, Mark, PODS, QUERY, RUN, UNDECLARED,
    WHO,
};
use aiconform_model::probe::LATENCIES;
use aiconform_model::{Change, Event, EventKind, Kind, Scope};
use aiconform_trial::story::LIMITS;
use aiconform_trial::testing::{self, Tape};
use aiconform_verdict::{Judgement, OWN_CONTROL};
use jiff::ToSpan;
use serde_json::{Value, json};
use std::fmt::Write;

/// Of the histogram.
#[derive(Clone, Copy, PartialEq)]
pub enum Buckets {
    All,
    Fewer,
    None,
    Native,
    /// A native one, of whose latencies the buckets hold one too few.
    NativeFewer,
    /// A native one without buckets.
    NativeNone,
}

impl Buckets {
    fn are_native(self) -> bool {
        matches!(self, Buckets::Native | Buckets::NativeFewer | Buckets::NativeNone)
    }
}

/// In the series.
#[derive(Clone, Copy, PartialEq)]
pub enum Named {
    Own,
    Another,
    Nobody,
}

/// Of a pod.
#[derive(Clone, Copy, PartialEq)]
pub enum Disturbance {
    Deleted,
    /// The last that is seen of it is that it is gone.
    Gone,
    /// The watch on pods was interrupted.
    Unwatched,
    Unready,
    Rewritten,
}

/// A run and what is wrong with it.
#[derive(Clone, Copy)]
pub struct Run {
    pub declared: bool,
    pub selected: bool,
    pub tried: bool,
    pub finds: bool,
    pub misses_other: bool,
    pub stands_still: bool,
    pub lost: u64,
    pub jobs: usize,
    pub replicas: bool,
    pub peaks: bool,
    pub buckets: Buckets,
    pub named: Named,
    pub swapped: bool,
    pub takes_all: bool,
    pub keeps_gone: bool,
    pub strangers: u64,
    /// Nothing is sent.
    pub idle: bool,
    /// Every answer: status, why there is none, text.
    pub answer: Option<(u16, &'static str, &'static str)>,
    /// An answer that tells nothing comes before every other.
    pub hiccup: bool,
    /// An answer that tells nothing comes after every other, but for that by which the workload is found.
    pub falls_silent: bool,
    pub disturbance: Option<Disturbance>,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            declared: false,
            selected: false,
            tried: true,
            finds: true,
            misses_other: false,
            stands_still: false,
            lost: 0,
            jobs: 1,
            replicas: false,
            peaks: false,
            buckets: Buckets::All,
            named: Named::Own,
            swapped: false,
            takes_all: false,
            keeps_gone: false,
            strangers: 0,
            idle: false,
            answer: None,
            hiccup: false,
            falls_silent: false,
            disturbance: None,
        }
    }
}

/// Makes events, a second apart.
struct Maker(Tape);

impl Maker {
    fn next(&mut self) -> &mut Tape {
        self.0.pass(999)
    }

    fn mark(&mut self, mark: &Mark) {
        self.next().mark(mark);
    }

    fn watch(&mut self, change: Change, object: Value) {
        self.next().watch(Kind::pod(), change, object);
    }

    fn scrape(&mut self, endpoint: String, (status, why, text): (u16, &str, &str)) {
        self.next().push(EventKind::Scrape {
            endpoint,
            status,
            content_type: String::new(),
            text: text.into(),
            cut: None,
            why: why.into(),
            milliseconds: 5,
        });
    }
}

/// What a pod has counted.
#[derive(Clone, Copy, Default)]
struct State {
    done: u64,
    running: u64,
}

const SENT: [(&str, u64, u64); 3] = [(DECLARED[0], 3, 4), (DECLARED[1], 7, 5), (UNDECLARED, 2, 2)];

/// A sample: name, labels, value.
type Sample = (String, Vec<(&'static str, String)>, f64);

/// Series of a pod.
fn samples(state: State) -> Vec<Sample> {
    #[allow(clippy::cast_precision_loss, reason = "small")]
    let number = |count: u64| count as f64;
    let latencies =
        || (0..state.done).map(|place| LATENCIES[usize::try_from(place).unwrap() % LATENCIES.len()]);
    let mut found = vec![
        (COUNTER.to_owned(), vec![("finished_reason", "stop".to_owned())], number(state.done)),
        (GAUGE.to_owned(), Vec::new(), number(state.running)),
        (format!("{HISTOGRAM}_count"), Vec::new(), number(state.done)),
        (format!("{HISTOGRAM}_sum"), Vec::new(), latencies().sum()),
    ];
    for (bound, text) in [(0.1, "0.1"), (1.0, "1.0"), (f64::INFINITY, "+Inf")] {
        let below = latencies().filter(|latency| *latency <= bound).count() as u64;
        found.push((format!("{HISTOGRAM}_bucket"), vec![("le", text.to_owned())], number(below)));
    }
    found
}

impl Run {
    /// The series that the monitoring system tells of one pod.
    fn series(&self, who: &str, state: State) -> Vec<Value> {
        let mut all = Vec::new();
        for job in 0..self.jobs {
            for (name, labels, value) in samples(state) {
                let is_bucket = name.ends_with("_bucket");
                let skipped = match self.buckets {
                    Buckets::All => false,
                    Buckets::Fewer => is_bucket && labels[0].1 == "1.0",
                    Buckets::None => is_bucket,
                    _ => name.starts_with(HISTOGRAM),
                };
                if !skipped {
                    all.push(json!({"metric": self.labels(who, job, &name, &labels), "value": [1.0, value.to_string()]}));
                }
            }
            if self.buckets.are_native() {
                let sum = samples(state).into_iter().find(|(name, ..)| name.ends_with("_sum")).unwrap().2;
                let mut native = json!({"count": state.done.to_string(), "sum": sum.to_string()});
                let fewer = u64::from(self.buckets == Buckets::NativeFewer);
                if self.buckets != Buckets::NativeNone && state.done > 0 {
                    let rest = (state.done - 1).saturating_sub(fewer);
                    native["buckets"] = json!([[3, "0", "0.1", "1"], [0, "0.1", "1", rest.to_string()]]);
                }
                all.push(
                    json!({"metric": self.labels(who, job, HISTOGRAM, &[]), "histogram": [1.0, native]}),
                );
            }
        }
        all
    }

    fn labels(&self, who: &str, job: usize, name: &str, own: &[(&'static str, String)]) -> Value {
        let mut labels = json!({"__name__": name, RUN: "r", WHO: who});
        for (name, value) in own {
            // Stored as another writes the same number.
            labels[*name] = json!(if value == "1.0" { "1" } else { value });
        }
        labels[if self.replicas { "prometheus_replica" } else { "job" }] = json!(format!("job-{job}"));
        let swapped = |who: &str| if who == DECLARED[0] { DECLARED[1] } else { DECLARED[0] };
        match self.named {
            Named::Nobody => {}
            Named::Another => {
                labels["pod"] = json!("another");
                labels["namespace"] = json!("n");
            }
            Named::Own => {
                labels["pod"] = json!(if self.swapped { swapped(who) } else { who });
                labels["namespace"] = json!("n");
            }
        }
        labels
    }

    fn look(&self, maker: &mut Maker, states: &[(&'static str, State)]) {
        let endpoint = format!("/api/v1/namespaces/m/services/p:9090/proxy{QUERY}x");
        if self.hiccup {
            maker.scrape(endpoint.clone(), (500, "", "oops"));
        }
        if let Some(answer) = self.answer {
            return maker.scrape(endpoint, answer);
        }
        let mut result = Vec::new();
        for (who, state) in states {
            let skipped = !self.finds
                || (*who == UNDECLARED && !self.takes_all)
                || (*who == DECLARED[1] && self.misses_other);
            if !skipped {
                let first = State::default();
                let mut told = if self.stands_still { first } else { *state };
                told.done = told.done.saturating_sub(self.lost * u64::from(told.done > 0));
                if self.lost > 0 {
                    // What is lost of the counter alone.
                    let mut series = self.series(who, *state);
                    for one in series.iter_mut().filter(|one| one["metric"]["__name__"] == COUNTER) {
                        one["value"][1] = json!(told.done.to_string());
                    }
                    result.extend(series);
                    continue;
                }
                if self.peaks && told.done > 10 {
                    told.running = 5;
                }
                if self.peaks && *who == DECLARED[0] && told.done > 3 {
                    told.running = 4;
                }
                result.extend(self.series(who, told));
            }
        }
        let answer = json!({"status": "success", "data": {"resultType": "vector", "result": result}});
        maker.scrape(endpoint.clone(), (200, "", &answer.to_string()));
        if self.falls_silent {
            maker.scrape(endpoint, (503, "", "overloaded"));
        }
    }

    fn ask_itself(&self, maker: &mut Maker, states: &[(&'static str, State)]) {
        for (who, state) in states {
            let mut text = String::new();
            for (name, labels, value) in samples(*state) {
                let labels: String =
                    labels.iter().map(|(name, value)| format!(",{name}=\"{value}\"")).collect();
                writeln!(text, "{name}{{{RUN}=\"r\",{WHO}=\"{who}\"{labels}}} {value}").unwrap();
            }
            let endpoint = format!("/api/v1/namespaces/n/pods/{who}:18080/proxy/metrics");
            maker.scrape(endpoint, (200, "", &text));
        }
    }

    pub fn events(&self) -> Vec<Event> {
        let mut maker = Maker(Tape::new(ID, "annotations"));
        let mut facts = json!(Facts { selected: self.selected, ..Facts::default() });
        facts["tried"] = json!(self.tried);
        facts[OWN_CONTROL] = json!(true);
        maker.next().push(EventKind::SubjectStarted { facts, control: false, declared: self.declared });
        let annotations = json!({"annotations": {"prometheus.io/scrape": "true"}});
        let admitted =
            if self.disturbance == Some(Disturbance::Rewritten) { json!({}) } else { annotations.clone() };
        let of_one = |part: Value| ByPod::from([(DECLARED[0].to_owned(), part)]);
        maker.mark(&Mark::Made(Made {
            namespace: "n".into(),
            pods: PODS.into_iter().map(|who| (who.to_owned(), who.to_owned())).collect(),
            sent: of_one(annotations),
            admitted: of_one(admitted),
        }));
        let mut states: Vec<(&'static str, State)> =
            SENT.iter().map(|(who, ..)| (*who, State::default())).collect();
        maker.mark(&Mark::Look {});
        self.look(&mut maker, &states);
        let found = self.finds && !self.misses_other && self.answer.is_none();
        maker.mark(&Mark::Found { settled: found.then_some(900), backend: None });
        self.ask_itself(&mut maker, &states);
        if found {
            self.batches(&mut maker, &mut states);
        }
        maker.mark(&Mark::Over {});
        maker.next().ended();
        maker.0.events
    }

    fn batches(&self, maker: &mut Maker, states: &mut [(&'static str, State)]) {
        for batch in Batch::ALL {
            let sent = |(who, first, held): &(&'static str, u64, u64)| {
                let count = match batch {
                    _ if self.idle => 0,
                    Batch::First => *first,
                    Batch::Held => *held,
                    Batch::Released => 0,
                };
                (*who, count)
            };
            let sent: Vec<(&str, u64)> = SENT.iter().map(sent).collect();
            let data = match batch {
                Batch::Released => ByPod::new(),
                _ => sent.iter().map(|(who, count)| ((*who).to_owned(), *count)).collect(),
            };
            maker.mark(&Mark::of_batch(batch, data));
            for ((_, state), (_, count)) in states.iter_mut().zip(&sent) {
                match batch {
                    Batch::First => state.done += count + self.strangers,
                    Batch::Held => state.running += count,
                    Batch::Released => state.done += std::mem::take(&mut state.running),
                }
            }
            if batch == Batch::Held {
                match self.disturbance {
                    Some(Disturbance::Deleted) => {
                        maker.watch(
                            Change::Modified,
                            json!({"metadata": {"name": "one", "deletionTimestamp": "now"}}),
                        );
                    }
                    Some(Disturbance::Gone) => {
                        maker.watch(Change::Deleted, json!({"metadata": {"name": "other"}}));
                    }
                    Some(Disturbance::Unwatched) => {
                        maker.next().push(EventKind::WatchGap { kind: Kind::pod(), why: "410".into() });
                    }
                    Some(Disturbance::Unready) => maker.watch(
                        Change::Modified,
                        json!({"metadata": {"name": "one"},
                        "status": {"conditions": [{"type": "Ready", "status": "False"}]}}),
                    ),
                    _ => {}
                }
            }
            maker.mark(&Mark::sent(batch));
            self.look(maker, states);
            maker.mark(&Mark::settled(batch, Some(1000)));
            self.ask_itself(maker, states);
        }
        maker.mark(&Mark::Deleted { pod: "one".into() });
        maker.watch(Change::Modified, json!({"metadata": {"name": "one", "deletionTimestamp": "now"}}));
        maker.mark(&Mark::Gone {});
        let left = if self.keeps_gone { states } else { &mut states[1..] };
        self.look(maker, left);
        maker.mark(&Mark::GoneSettled { settled: Some(1000) });
    }

    pub fn judged(&self) -> Judgement {
        judge_events(self.events())
    }
}

/// Lets time go by after the mark of a phase, in seconds.
pub fn delay(events: &mut [Event], phase: &str, seconds: i64) {
    let place = events.iter().position(|event| is_phase(event, phase)).unwrap();
    for event in &mut events[place + 1..] {
        event.time = event.time.checked_add(seconds.seconds()).unwrap();
    }
}

/// Has the evidence say that a limit was another one, in seconds.
pub fn stretch(events: &mut Vec<Event>, key: &str, seconds: f64) {
    let kind = EventKind::Fact { name: LIMITS.into(), value: json!({key: seconds}) };
    events.insert(0, Event { scope: Scope::default(), kind, ..events[0].clone() });
    for (place, event) in events.iter_mut().enumerate() {
        event.sequence = place as u64;
    }
}

/// Judges events.
pub fn judge_events(events: Vec<Event>) -> Judgement {
    testing::judged(&RULES, events)
}

/// Outcome of a claim of the only subject, in a word.
pub fn outcome(judged: &Judgement, claim: &str) -> &'static str {
    let subject = judged.subjects.first();
    subject.and_then(|subject| subject.outcome(claim)).map_or("none", |outcome| outcome.word())
}

/// Whether an event is the mark of a phase of this name.
pub fn is_phase(event: &Event, name: &str) -> bool {
    matches!(&event.kind, EventKind::Phase { phase, .. } if phase == name)
}
