//! Trials made by hand.

use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_verdict::{Outcome, Subject};
use serde_json::{Value, json};

pub type Judge = fn(&[&Event], &Subject) -> Outcome;

/// What becomes of the one more.
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
    pub refused_alone: bool,
    pub refused_at_once: Option<usize>,
    pub asks: u64,
    pub one_more: More,
    /// Why the freed share is not given again.
    pub freed: &'static str,
    pub evicted: bool,
    pub scheduler: &'static str,
    pub gap: bool,
    /// The last phase.
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
            refused_alone: false,
            refused_at_once: None,
            asks: 1,
            one_more: More::Refused,
            freed: "",
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

    /// The same up to a phase.
    pub fn until(self, last: &'static str) -> Run {
        Run { last, ..self }
    }

    pub fn subject(&self) -> Subject {
        Subject { id: self.strategy.into(), facts: json!({}), control: false, declared: false }
    }

    pub fn outcome(&self, judge: Judge) -> Outcome {
        judge(&self.events().iter().collect::<Vec<_>>(), &self.subject())
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

    pub fn events(&self) -> Vec<Event> {
        let mut maker = Maker { events: Vec::new(), scope: Scope::new("gpu_sharing", self.strategy) };
        maker.add(EventKind::SubjectStarted { facts: json!({}), control: false, declared: false });
        let steps: [(&str, Step); 9] = [
            ("offered", &|maker| self.offer(maker)),
            ("hold", &|maker| self.hold(maker)),
            ("held", &|maker| {
                let holder = |place| {
                    json!({"pod": format!("holder-{place}"), "node": "node-0", "device": self.device(place),
                        "nodes": (self.nodes)(place)})
                };
                let holders: Vec<Value> = (0..self.devices.len()).map(holder).collect();
                maker.phase("held", json!({"holders": holders}));
            }),
            ("worked_alone", &|maker| {
                let work = work(0, self.refused_alone);
                maker.phase("worked_alone", work);
            }),
            ("worked_at_once", &|maker| {
                let works: Vec<Value> = (0..self.devices.len())
                    .map(|place| work(place, self.refused_at_once == Some(place)))
                    .collect();
                maker.phase("worked_at_once", json!({"works": works}));
            }),
            ("one_more", &|maker| self.more(maker)),
            ("release", &|maker| {
                maker.phase("release", json!({"pod": "holder-0", "one_more": "one-more"}));
                maker.pod("holder-0", json!({"metadata": {"deletionTimestamp": "now"}}));
                maker.pod("one-more", json!({"spec": {"nodeName": "node-0"}}));
            }),
            ("released", &|maker| {
                let data = json!({"pod": "one-more", "device": self.device(0), "why": self.freed});
                maker.phase("released", data);
            }),
            ("over", &|maker| {
                maker.phase("over", json!({}));
                maker.pod("holder-1", json!({"metadata": {"deletionTimestamp": "now"}}));
            }),
        ];
        for (name, step) in steps {
            step(&mut maker);
            if name == self.last {
                break;
            }
        }
        maker.events
    }

    fn offer(&self, maker: &mut Maker) {
        let offer = json!({"name": "a.b/share", "node": "node-0", "offered": self.offered,
            "declared": self.declared, "physical": self.physical});
        maker.phase("offered", offer);
    }

    fn hold(&self, maker: &mut Maker) {
        maker.phase("hold", json!({"pods": ["holder-0", "holder-1"]}));
        let pod = |scheduler: &str| json!({"kind": "Pod", "metadata": {"name": "holder-0"}, "spec": {"schedulerName": scheduler}});
        maker.add(EventKind::Exchange {
            method: "POST".into(),
            path: "/api/v1/namespaces/n/pods?fieldManager=aiconform".into(),
            status: 201,
            request: Some(pod("default-scheduler")),
            response: Some(pod(self.scheduler)),
            milliseconds: 1,
        });
        if self.evicted {
            maker.pod("holder-1", json!({"metadata": {"deletionTimestamp": "now"}}));
        }
        if self.gap {
            maker.add(EventKind::WatchGap { kind: Kind::pod(), why: "410".into() });
        }
    }

    fn more(&self, maker: &mut Maker) {
        let places = self.declared.or(self.offered);
        maker.phase("one_more", json!({"pod": "one-more", "asks": self.asks, "places": places}));
        maker.pod("one-more", json!({}));
        let refused = json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "Insufficient a.b/share"}]}});
        match self.one_more {
            More::Refused => maker.pod("one-more", refused),
            More::Bound => maker.pod("one-more", json!({"spec": {"nodeName": "node-0"}})),
            More::Silent => {}
        }
    }
}

fn work(place: usize, refused: bool) -> Value {
    let (done, why) = if refused { (0, "busy") } else { (100, "") };
    json!({"pod": format!("holder-{place}"), "work": {"asked": 100, "done": done, "why": why}})
}

/// What a step adds.
type Step<'a> = &'a dyn Fn(&mut Maker);

struct Maker {
    events: Vec<Event>,
    scope: Scope,
}

impl Maker {
    fn add(&mut self, kind: EventKind) {
        let sequence = self.events.len() as u64;
        let time = jiff::Timestamp::from_second(1_800_000_000).unwrap();
        self.events.push(Event { sequence, time, scope: self.scope.clone(), kind });
    }

    fn phase(&mut self, phase: &str, data: Value) {
        self.add(EventKind::Phase { phase: phase.into(), data });
    }

    fn pod(&mut self, name: &str, mut object: Value) {
        object["metadata"]["name"] = json!(name);
        let object = Object::new(object);
        self.add(EventKind::Watch { kind: Kind::pod(), change: Change::Modified, object });
    }
}
