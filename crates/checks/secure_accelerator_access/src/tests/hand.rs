//! Runs made by hand: who sees which devices when, and what came of opening them.

use crate::RULES;
use crate::marks::{
    ASKING, ASKS, BORROWER, HOLDER, ID, MAIN, MAKER, MAKES, Mark, NULL, PAIR, PLAIN, SIBLINGS,
};
use aiconform_accelerators::{Container, ProbePod};
use aiconform_check::profile::Profile;
use aiconform_model::probe::{Look, Number, Opening, Seen, TriedNumber, TriedPath};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::labels::{GANG, ROLE};
use aiconform_trial::{marks, testing};
use aiconform_verdict::{Judgement, OWN_CONTROL};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const SUBJECT: &str = "dra/gpu.x.com";
pub const NODE: &str = "node-0";
/// What opening a device gives, or making a node: the numbers and names of errno(3).
pub const OPENED: (i32, &str) = (0, "");
pub const EPERM: (i32, &str) = (1, "EPERM");
pub const ENOENT: (i32, &str) = (2, "ENOENT");
pub const ENXIO: (i32, &str) = (6, "ENXIO");
pub const EACCES: (i32, &str) = (13, "EACCES");
pub const EMFILE: (i32, &str) = (24, "errno 24");

type Errno = (i32, &'static str);

/// A container at a time.
pub struct At<'a> {
    pub pod: &'a str,
    pub container: &'a str,
    pub during: &'a Mark,
}

/// What a container sees: paths, with numbers and what opening them gives.
pub type Sees = BTreeMap<String, (Number, Errno)>;

/// Changes what a container sees.
pub type Seeing = Box<dyn Fn(&At<'_>, &mut Sees)>;
/// Changes what it says.
pub type Saying = Box<dyn Fn(&At<'_>, &mut Look)>;
/// The device that a claim is given, of the pod's name and its place.
pub type Allocating = Box<dyn Fn(&str, u32) -> u32>;
/// Changes what happened.
pub type Changing = Box<dyn Fn(&mut Vec<EventKind>)>;

/// A run and what is wrong with it.
pub struct Run {
    pub subject: &'static str,
    /// Free devices, of which each holder is given one.
    pub free: u32,
    /// Changes what a container sees.
    pub sees: Seeing,
    /// Changes what it says beside.
    pub says: Saying,
    /// What making a node gives, and opening it, for devices.
    pub made: (Errno, Option<Errno>),
    /// The same for `/dev/null`.
    pub made_null: (Errno, Option<Errno>),
    /// Device that the claim of a pod is given, by its place; what it says differs then from what it has.
    pub allocated: Allocating,
    /// Words of the scheduler to the one that waits.
    pub refused: Option<&'static str>,
    /// Where pods without a request are.
    pub strangers_on: &'static str,
    /// Status and answer of the claim for administrators.
    pub admin: (u16, Value),
    /// Status of the same claim without it.
    pub plain: u16,
    /// Node of the pod that borrows a claim.
    pub borrower_on: &'static str,
    /// Taken from the events, or put between them.
    pub change: Changing,
}

impl Default for Run {
    fn default() -> Run {
        let words = "adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label";
        Run {
            subject: SUBJECT,
            free: 2,
            sees: Box::new(|_, _| {}),
            says: Box::new(|_, _| {}),
            made: (OPENED, Some(EPERM)),
            made_null: (OPENED, Some(OPENED)),
            allocated: Box::new(|_, minor| minor),
            refused: Some("0/1 nodes are available: 1 cannot allocate all claims."),
            strangers_on: NODE,
            admin: (422, json!({"message": words})),
            plain: 201,
            borrower_on: "",
            change: Box::new(|_| {}),
        }
    }
}

pub fn device(minor: u32) -> Number {
    Number { block: false, major: 240, minor }
}

/// Puts a device into what a container sees.
pub fn add(sees: &mut Sees, minor: u32, errno: Errno) {
    sees.insert(format!("/dev/accel{minor}"), (device(minor), errno));
}

fn opening((errno, name): Errno) -> Opening {
    Opening { errno, name: name.into() }
}

struct Maker<'a> {
    run: &'a Run,
    kinds: Vec<EventKind>,
    /// Device of each holder that has one.
    has: BTreeMap<String, Vec<u32>>,
    during: Mark,
    restarted: bool,
}

impl Run {
    pub fn judged(&self) -> Judgement {
        judged(self.subject, self.kinds())
    }

    /// The outcome of a claim, in a word.
    pub fn outcome(&self, claim: &str) -> &'static str {
        self.judged().subjects[0].outcome(claim).map_or("not tried", |outcome| outcome.word())
    }

    pub fn kinds(&self) -> Vec<EventKind> {
        let mut maker = Maker {
            run: self,
            kinds: Vec::new(),
            has: BTreeMap::new(),
            during: Mark::End {},
            restarted: false,
        };
        maker.everything();
        (self.change)(&mut maker.kinds);
        maker.kinds
    }
}

/// Judges what happened to one subject.
pub fn judged(subject: &str, kinds: Vec<EventKind>) -> Judgement {
    let event = |(place, kind): (usize, EventKind)| {
        let time = jiff::Timestamp::from_second(1_800_000_000 + i64::try_from(place).unwrap()).unwrap();
        Event { sequence: place as u64, time, scope: Scope::new(ID, subject), kind }
    };
    testing::judged(&RULES, kinds.into_iter().enumerate().map(event).collect())
}

impl Maker<'_> {
    fn mark(&mut self, mark: Mark) {
        self.kinds.push(marks::event(&mark));
        self.during = mark;
    }

    fn post(&mut self, path: &str, status: u16, request: Value, response: Value) {
        let (method, path) = ("POST".into(), path.into());
        let (request, response) = (Some(request), Some(response));
        self.kinds.push(EventKind::Exchange { method, path, status, request, response, milliseconds: 1 });
    }

    fn watch(&mut self, kind: Kind, change: Change, object: Value) {
        self.kinds.push(EventKind::Watch { kind, change, object: Object(object) });
    }

    fn containers(name: &str) -> Vec<Container<'static>> {
        match name {
            ASKS => ASKING.map(|name| Container { name, ..Container::without() }).into(),
            MAKES => vec![Container { name: MAKER, makes_nodes: true, ..Container::without() }],
            PLAIN | BORROWER => vec![Container::without()],
            _ => {
                [SIBLINGS[0], MAIN, SIBLINGS[1]].map(|name| Container { name, ..Container::without() }).into()
            }
        }
    }

    fn pod(name: &str) -> Value {
        let nodes = [NODE.to_owned()];
        let containers = Maker::containers(name);
        let pod = ProbePod { role: name, trial: "access", nodes: &nodes, containers, restarts: true };
        pod.of_profile(&Profile::default(), name)
    }

    fn create(&mut self, name: &str) {
        let pod = Maker::pod(name);
        let mut admitted = pod.clone();
        admitted["spec"]["schedulerName"] = json!("default-scheduler");
        self.post("/api/v1/namespaces/n/pods", 201, pod, admitted);
    }

    /// What the watch tells of a pod.
    fn is(&mut self, name: &str, node: &str, status: Value) {
        let mut pod = Maker::pod(name);
        pod["spec"]["nodeName"] = json!(node);
        pod["status"] = status;
        self.watch(Kind::pod(), Change::Modified, pod);
    }

    fn runs(&mut self, name: &str, node: &str) {
        self.is(name, node, json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}));
    }

    fn given(&mut self, name: &str, minors: &[u32]) {
        let result = |minor: u32| json!({"request": "devices", "driver": "gpu.x.com", "pool": NODE, "device": format!("gpu-{minor}")});
        let results: Vec<Value> =
            minors.iter().map(|minor| result((self.run.allocated)(name, *minor))).collect();
        self.claim(name, Change::Modified, json!(results));
        self.has.insert(name.into(), minors.to_vec());
        self.runs(name, NODE);
    }

    fn claim(&mut self, name: &str, change: Change, results: Value) {
        let claim = json!({"metadata": {"name": format!("{name}-probe-x"), "namespace": "n", "uid": name,
            "labels": {GANG: name, ROLE: name}}, "status": {"allocation": {"devices": {"results": results}}}});
        self.watch(resource_claim(), change, claim);
    }

    fn gone(&mut self, name: &str) {
        self.watch(Kind::pod(), Change::Deleted, Maker::pod(name));
        if self.has.remove(name).is_some() {
            self.claim(name, Change::Deleted, json!([]));
        }
    }

    /// Every container of a pod looks, and tries all devices or none.
    fn looks(&mut self, name: &str, tries: bool) {
        let pod = ProbePod {
            role: name,
            trial: "",
            nodes: &[],
            containers: Maker::containers(name),
            restarts: true,
        };
        for container in Maker::containers(name) {
            let at = At { pod: name, container: container.name, during: &self.during.clone() };
            let mut sees = Sees::new();
            let has = self.has.get(name).filter(|_| container.name == MAIN).cloned().unwrap_or_default();
            has.iter().for_each(|minor| add(&mut sees, *minor, ENXIO));
            (self.run.sees)(&at, &mut sees);
            let all: Vec<u32> = if tries { (0..self.run.free).collect() } else { Vec::new() };
            let path = |minor: &u32| {
                let path = format!("/dev/accel{minor}");
                let opening = opening(sees.get(&path).map_or(ENOENT, |(_, errno)| *errno));
                TriedPath { path, opening }
            };
            let number = |number: Number, (made, opened): (Errno, Option<Errno>)| TriedNumber {
                number,
                made: opening(made),
                opening: opened.map(opening),
            };
            let mut numbers: Vec<TriedNumber> = Vec::new();
            if container.makes_nodes && tries {
                numbers.push(number(NULL, self.run.made_null));
                numbers.extend(all.iter().map(|minor| number(device(*minor), self.run.made)));
            }
            let seen = |(path, (number, errno)): (&String, &(Number, Errno))| Seen {
                path: path.clone(),
                number: *number,
                opening: opening(*errno),
            };
            let uuid = |minor: &u32| (format!("AICONFORM_DEVICE_{minor}"), format!("GPU-{minor}"));
            let again = self.restarted && container.name != SIBLINGS[0];
            let mut look = Look {
                devices: sees.iter().map(seen).collect(),
                paths: all.iter().map(path).collect(),
                numbers,
                sockets: Vec::new(),
                files: Default::default(),
                environment: has.iter().map(uuid).collect(),
                mounts: Vec::new(),
                user: 65532,
                started: if again { "2" } else { "1" }.into(),
            };
            (self.run.says)(&at, &mut look);
            let port = pod.port(container.name);
            let place = format!("/api/v1/namespaces/n/pods/{name}:{port}/proxy/look");
            self.post(&place, 200, json!({}), serde_json::to_value(look).unwrap());
        }
    }

    fn everything(&mut self) {
        let run = self.run;
        let names: serde_json::Map<String, Value> = (0..run.free)
            .map(|minor| (format!("gpu.x.com/{NODE}/gpu-{minor}"), json!(format!("GPU-{minor}"))))
            .collect();
        let facts =
            json!({OWN_CONTROL: true, "mode": "dra", "makes_nodes": true, "node": NODE, "names": names});
        self.kinds.push(EventKind::SubjectStarted { facts, control: false, declared: false });
        self.mark(Mark::Crowd { node: NODE.into(), free: run.free.into(), asked: u64::from(run.free) + 1 });
        let strangers = [PLAIN, ASKS, MAKES];
        let all: Vec<String> = (0..=run.free).map(|number| format!("{HOLDER}-{number}")).collect();
        let (waits, holders) = all.split_last().unwrap();
        strangers.iter().copied().chain(all.iter().map(String::as_str)).for_each(|name| self.create(name));
        strangers.iter().for_each(|name| self.runs(name, run.strangers_on));
        if let Some(message) = run.refused {
            let status =
                json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]});
            self.is(waits, "", status);
        }
        for (minor, name) in (0..).zip(holders) {
            self.given(name, &[minor]);
        }
        let everything = Mark::Try { paths: Vec::new(), numbers: Vec::new() };
        for (mark, tries) in [(Mark::Look {}, false), (everything, true)] {
            self.mark(mark);
            holders.iter().map(String::as_str).chain(strangers).for_each(|name| self.looks(name, tries));
        }
        let place = "/apis/resource.k8s.io/v1/namespaces/n/resourceclaims?dryRun=All";
        self.mark(Mark::ClaimPlain { namespace: "n".into() });
        self.post(place, run.plain, json!({}), json!({"message": "no"}));
        self.mark(Mark::ClaimAdmin { namespace: "n".into() });
        self.post(place, run.admin.0, json!({}), run.admin.1.clone());
        let claim = "holder-0-probe-x".into();
        self.mark(Mark::Borrow { claim, of: "n".into(), into: "other".into() });
        self.create(BORROWER);
        if !run.borrower_on.is_empty() {
            self.is(BORROWER, run.borrower_on, json!({}));
        }
        self.rest(holders, waits);
        self.mark(Mark::End {});
        self.kinds.push(EventKind::SubjectEnded {});
    }

    fn rest(&mut self, holders: &[String], waits: &str) {
        self.mark(Mark::Restart { pod: holders[0].clone() });
        self.restarted = true;
        self.mark(Mark::LookAgain { pod: holders[0].clone() });
        self.looks(&holders[0], false);
        self.restarted = false;
        let last = holders.last().unwrap();
        let freed = self.has[last][0];
        self.mark(Mark::Remove { names: vec![last.clone()], why: "release".into() });
        self.gone(last);
        self.given(waits, &[freed]);
        self.mark(Mark::LookReleased { pod: waits.into() });
        let left: Vec<&str> =
            holders.iter().map(String::as_str).filter(|name| name != last).chain([waits]).collect();
        left.iter().for_each(|name| self.looks(name, false));
        if holders.len() < 2 {
            return;
        }
        let names = left.iter().map(|name| (*name).to_owned()).collect();
        self.mark(Mark::Remove { names, why: "for two at once".into() });
        left.iter().for_each(|name| self.gone(name));
        self.mark(Mark::Pair { count: 2 });
        self.create(PAIR);
        self.given(PAIR, &[0, 1]);
        self.mark(Mark::LookPair { pod: PAIR.into() });
        self.looks(PAIR, false);
    }
}
