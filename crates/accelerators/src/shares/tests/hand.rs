//! Trials made by hand.

use crate::answers::{Device, Done};
use crate::limits::FREED;
use crate::shares::judge::{self, History};
use crate::shares::marks::{Holder, Mark, Offer, Work};
use aiconform_model::{Change, Event, EventKind, Kind};
use aiconform_trial::Story;
use aiconform_trial::story::LIMITS;
use aiconform_trial::testing::Tape;
use aiconform_verdict::{Outcome, Subject};
use serde_json::{Value, json};

pub type Judge = fn(&History) -> Outcome;

/// Fate of the one more.
#[derive(Clone, Copy, PartialEq)]
pub enum More {
    Refused,
    Bound,
    Silent,
}

/// A trial and what is wrong with it.
#[derive(Clone)]
pub struct Run {
    pub strategy: &'static str,
    pub offered: Option<u64>,
    pub declared: Option<u64>,
    pub physical: Option<u64>,
    /// The physical device of each holder.
    pub devices: Vec<&'static str>,
    /// Memory of a part, of 16.
    pub memory: u64,
    pub same_part: bool,
    pub nodes: fn(usize) -> Vec<&'static str>,
    /// The devices say nothing of themselves.
    pub mute: bool,
    /// A load puts them to work.
    pub by_load: bool,
    /// It is seen that all are at work.
    pub together: bool,
    /// Milliseconds that each says it worked, of 100, when all do.
    pub part: u64,
    /// The second says that it was interrupted.
    pub stumbled: bool,
    pub refused_alone: bool,
    pub refused_at_once: Option<usize>,
    pub asks: u64,
    pub one_more: More,
    /// Why the freed share is not given again.
    pub freed: &'static str,
    /// Milliseconds until it is.
    pub freed_after: i64,
    /// Seconds that this may take, as the evidence has it.
    pub limit: Option<f64>,
    pub evicted: bool,
    pub scheduler: &'static str,
    pub gap: bool,
    /// Name of the last step.
    pub last: &'static str,
}

impl Run {
    /// One device in three shares.
    pub fn shares() -> Run {
        Run {
            strategy: "time-slicing",
            offered: Some(3),
            declared: Some(3),
            physical: Some(1),
            devices: vec!["GPU-a"; 3],
            memory: 16,
            same_part: true,
            nodes: |_| vec!["c 240:1"],
            mute: false,
            by_load: false,
            together: false,
            part: 100,
            stumbled: false,
            refused_alone: false,
            refused_at_once: None,
            asks: 1,
            one_more: More::Refused,
            freed: "",
            freed_after: 1_000,
            limit: None,
            evicted: false,
            scheduler: "default-scheduler",
            gap: false,
            last: "",
        }
    }

    /// One device in two parts.
    pub fn parts() -> Run {
        Run {
            strategy: "partitions",
            offered: Some(2),
            declared: Some(2),
            physical: None,
            devices: vec!["GPU-a"; 2],
            memory: 8,
            same_part: false,
            nodes: |place| vec![["c 240:1", "c 240:2"][place]],
            ..Run::shares()
        }
    }

    /// This run up to a step.
    pub fn until(self, last: &'static str) -> Run {
        Run { last, ..self }
    }

    pub fn subject(&self) -> Subject {
        Subject { id: self.strategy.into(), facts: json!({}), control: false, declared: false }
    }

    pub fn outcome(&self, judge: Judge) -> Outcome {
        judged(&self.events(), &self.subject(), |_, history| judge(history))
    }

    pub fn doubt(&self) -> Option<String> {
        judged(&self.events(), &self.subject(), judge::doubt)
    }

    pub fn simulated(&self) -> bool {
        judged(&self.events(), &self.subject(), |_, history| judge::simulated(history))
    }

    fn device(&self, place: usize) -> Value {
        if self.mute {
            return Value::Null;
        }
        let physical = self.devices[place];
        let part = if self.same_part { 0 } else { place };
        if self.strategy == "time-slicing" {
            return json!({"uuid": physical, "parent": null, "memory_bytes": 16, "physical_memory_bytes": 16});
        }
        json!({"uuid": format!("MIG-{part}"), "parent": physical, "memory_bytes": self.memory,
            "physical_memory_bytes": 16})
    }

    fn says(&self, place: usize) -> Device {
        let mut device = self.device(place);
        if self.by_load {
            device["told"] = json!([]);
        }
        Device(device)
    }

    pub fn events(&self) -> Vec<Event> {
        let mut tape = Tape::new("gpu_sharing", self.strategy);
        if let Some(seconds) = self.limit {
            let own = std::mem::take(&mut tape.scope);
            tape.push(EventKind::Fact { name: LIMITS.into(), value: json!({FREED.key: seconds}) });
            tape.scope = own;
        }
        tape.started(json!({}));
        let steps: [(&str, Step); 9] = [
            ("offered", &|tape| self.offer(tape)),
            ("hold", &|tape| self.hold(tape)),
            ("held", &|tape| {
                let holder = |place| Holder {
                    pod: format!("holder-{place}"),
                    node: "node-0".into(),
                    device: self.says(place),
                    nodes: (self.nodes)(place).into_iter().map(str::to_owned).collect(),
                };
                tape.mark(&Mark::Held { holders: (0..self.devices.len()).map(holder).collect() });
            }),
            ("worked_alone", &|tape| {
                tape.mark(&Mark::WorkedAlone(work(0, self.refused_alone)));
            }),
            ("worked_at_once", &|tape| {
                if self.together {
                    tape.mark(&Mark::AllAtWork {});
                }
                let works = (0..self.devices.len()).map(|place| {
                    let mut work = work(place, self.refused_at_once == Some(place));
                    work.work.done = work.work.done.min(self.part);
                    if self.stumbled && place == 1 {
                        work.work.why = "said nothing of further work".into();
                    }
                    work
                });
                tape.mark(&Mark::WorkedAtOnce { works: works.collect() });
            }),
            ("one_more", &|tape| self.more(tape)),
            ("release", &|tape| {
                tape.mark(&Mark::Release { pod: "holder-0".into(), one_more: "one-more".into() });
                pod(tape, "holder-0", json!({"metadata": {"deletionTimestamp": "now"}}));
                tape.watch(Kind::pod(), Change::Deleted, json!({"metadata": {"name": "holder-0"}}));
                tape.pass(self.freed_after);
                let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
                let status = if self.freed.is_empty() { ready } else { json!({}) };
                pod(tape, "one-more", json!({"spec": {"nodeName": "node-0"}, "status": status}));
            }),
            ("released", &|tape| {
                let (pod, why) = ("one-more".into(), self.freed.into());
                tape.mark(&Mark::Released { pod, device: self.says(0), why });
            }),
            ("over", &|tape| {
                tape.mark(&Mark::Over {});
                pod(tape, "holder-1", json!({"metadata": {"deletionTimestamp": "now"}}));
            }),
        ];
        for (name, step) in steps {
            step(&mut tape);
            if name == self.last {
                break;
            }
        }
        tape.events
    }

    fn offer(&self, tape: &mut Tape) {
        tape.mark(&Mark::Offered(Offer {
            name: "a.b/share".into(),
            node: "node-0".into(),
            offered: self.offered,
            declared: self.declared,
            physical: self.physical,
            ..Offer::default()
        }));
    }

    fn hold(&self, tape: &mut Tape) {
        tape.mark(&Mark::Hold { pods: vec!["holder-0".into(), "holder-1".into()] });
        let sent = |scheduler: &str| json!({"kind": "Pod", "metadata": {"name": "holder-0"}, "spec": {"schedulerName": scheduler}});
        let path = "/api/v1/namespaces/n/pods?fieldManager=aiconform";
        tape.exchange("POST", path, 201, sent("default-scheduler"), sent(self.scheduler));
        if self.evicted {
            pod(tape, "holder-1", json!({"metadata": {"deletionTimestamp": "now"}}));
        }
        if self.gap {
            tape.push(EventKind::WatchGap { kind: Kind::pod(), why: "410".into() });
        }
    }

    fn more(&self, tape: &mut Tape) {
        let places = self.declared.or(self.offered).unwrap_or_default();
        tape.mark(&Mark::OneMore { pod: "one-more".into(), asks: self.asks, places });
        pod(tape, "one-more", json!({}));
        let refused = json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "Insufficient a.b/share"}]}});
        match self.one_more {
            More::Refused => pod(tape, "one-more", refused),
            More::Bound => pod(tape, "one-more", json!({"spec": {"nodeName": "node-0"}})),
            More::Silent => {}
        }
    }
}

fn work(place: usize, refused: bool) -> Work {
    let (done, why) = if refused { (0, "busy") } else { (100, "") };
    Work { pod: format!("holder-{place}"), work: Done { asked: 100, done, why: why.into() } }
}

/// Judges events.
pub fn judged<T>(events: &[Event], subject: &Subject, judge: impl Fn(&Story<'_>, &History) -> T) -> T {
    let events: Vec<&Event> = events.iter().collect();
    let story = Story::of(&events, subject, &["over"]);
    judge(&story, &History::read(&story).unwrap())
}

/// Part of a tape that a step adds.
type Step<'a> = &'a dyn Fn(&mut Tape);

fn pod(tape: &mut Tape, name: &str, mut object: Value) {
    object["metadata"]["name"] = json!(name);
    tape.watch(Kind::pod(), Change::Modified, object);
}
