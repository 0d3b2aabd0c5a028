//! Runs that are written by hand.

use super::super::RULES;
use crate::marks::{Mark, Release, Step};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::{marks, testing};
use aiconform_verdict::Judgement;
use serde_json::json;

/// A run that is written by hand.
#[derive(Clone, Default)]
pub struct Tape {
    pub events: Vec<Event>,
    pub clock: i64,
}

pub struct Pod {
    pub subject: &'static str,
    pub trial: String,
    pub role: &'static str,
    pub gang: String,
    pub name: String,
}

impl Tape {
    pub fn write(&mut self, subject: &str, kind: EventKind) {
        self.clock += 10;
        self.events.push(Event {
            sequence: self.events.len() as u64,
            time: jiff::Timestamp::from_millisecond(1_800_000_000_000 + self.clock).unwrap(),
            scope: Scope::new("gang_scheduling", subject),
            kind,
        });
    }

    pub fn mark(&mut self, subject: &str, trial: &str, step: Step) {
        self.write(subject, marks::event(&Mark { trial: trial.into(), resource: None, step }));
    }

    pub fn pod(&mut self, pod: &Pod, change: Change, node: &str, phase: &str) {
        let mut object = json!({
            "metadata": {"name": pod.name, "namespace": "n", "uid": format!("{}/{}", pod.subject, pod.name),
                "labels": {"aiconform.dev/trial": pod.trial, "aiconform.dev/role": pod.role, "aiconform.dev/gang": pod.gang}},
            "spec": {"schedulingGroup": {"podGroupName": pod.gang}}, "status": {"phase": phase}});
        if !node.is_empty() {
            object["spec"]["nodeName"] = json!(node);
        }
        let kind = EventKind::Watch { kind: Kind::pod(), change, object: Object(object) };
        self.write(pod.subject, kind);
    }

    /// Pods come, and so many of them are bound.
    pub fn pods(
        &mut self,
        subject: &'static str,
        trial: &str,
        role: &'static str,
        gang: &str,
        count: usize,
        bound: usize,
    ) {
        let pods: Vec<Pod> = (0..count)
            .map(|number| Pod {
                subject,
                trial: trial.into(),
                role,
                gang: gang.into(),
                name: format!("{gang}-{role}-{number}"),
            })
            .collect();
        for pod in &pods {
            self.pod(pod, Change::Added, "", "Pending");
        }
        for pod in pods.iter().take(bound) {
            self.pod(pod, Change::Modified, "node-0", "Pending");
        }
    }

    pub fn bind(
        &mut self,
        subject: &'static str,
        trial: &str,
        gang: &str,
        numbers: std::ops::Range<usize>,
        phase: &str,
    ) {
        for number in numbers {
            let pod = Pod {
                subject,
                trial: trial.into(),
                role: "gang",
                gang: gang.into(),
                name: format!("{gang}-gang-{number}"),
            };
            self.pod(&pod, Change::Modified, "node-0", phase);
        }
    }

    pub fn gone(&mut self, subject: &'static str, trial: &str, role: &'static str, gang: &str, count: usize) {
        for number in 0..count {
            let pod = Pod {
                subject,
                trial: trial.into(),
                role,
                gang: gang.into(),
                name: format!("{gang}-{role}-{number}"),
            };
            self.pod(&pod, Change::Deleted, "node-0", "Pending");
        }
    }

    pub fn refused(&mut self, subject: &str, gang: &str) {
        let object = json!({"metadata": {"name": gang, "namespace": "n"}, "status": {"conditions": [
            {"type": "PodGroupInitiallyScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}]}});
        let kind = Kind::namespaced("scheduling.k8s.io", "v1beta1", "PodGroup", "podgroups");
        self.write(subject, EventKind::Watch { kind, change: Change::Modified, object: Object(object) });
    }

    pub fn started(&mut self, subject: &str, control: bool) {
        self.planned(subject, control, &["near-miss", "fitting", "quorum", "cleanup", "round-0"]);
    }

    pub fn planned(&mut self, subject: &str, control: bool, trials: &[&str]) {
        let facts = json!({"trials": trials});
        self.write(subject, EventKind::SubjectStarted { facts, control, declared: false });
    }

    pub fn judged(&self) -> Judgement {
        testing::judged(&RULES, self.events.clone())
    }
}

/// What the near miss looks like; the fields are what can go wrong in it.
#[derive(Clone)]
pub struct NearMiss {
    pub control_bound: usize,
    pub gang_bound: usize,
    pub refused: bool,
    pub canaries: usize,
    pub released: usize,
    pub late_canaries: usize,
}

pub const GOOD: NearMiss =
    NearMiss { control_bound: 3, gang_bound: 0, refused: true, canaries: 2, released: 4, late_canaries: 0 };

pub fn near_miss(tape: &mut Tape, subject: &'static str, seen: &NearMiss) {
    let trial = "near-miss";
    tape.mark(subject, trial, Step::ControlArm { count: 3, of: None });
    for number in 0..3 {
        let name = format!("near-miss-control-{number}");
        tape.pods(subject, trial, "single", &name, 1, usize::from(number < seen.control_bound));
    }
    tape.mark(subject, trial, Step::ControlArmEnded {});
    let gang = || "near-miss-gang".to_owned();
    tape.mark(subject, trial, Step::Gang { gang: gang(), size: 4, slots: 3, quota: None, room: None });
    tape.pods(subject, trial, "gang", "near-miss-gang", 4, seen.gang_bound);
    if seen.refused {
        tape.refused(subject, "near-miss-gang");
    }
    for number in 0..2 {
        let name = format!("near-miss-canary-{number}");
        tape.pods(subject, trial, "canary", &name, 1, usize::from(number < seen.canaries));
    }
    tape.mark(subject, trial, Step::GangWindowClosed {});
    tape.mark(subject, trial, Step::Release(Release::Slots { gang: gang(), slots: Some(4) }));
    tape.bind(subject, trial, "near-miss-gang", seen.gang_bound..seen.released, "Pending");
    for number in 0..seen.late_canaries {
        tape.pods(subject, trial, "canary", &format!("near-miss-late-{number}"), 1, 1);
    }
    tape.mark(subject, trial, Step::ReleaseEnded {});
}

pub fn fitting(tape: &mut Tape, subject: &'static str, completed: usize) {
    let gang = "fitting-gang".to_owned();
    tape.mark(subject, "fitting", Step::Gang { gang, size: 4, slots: 4, quota: None, room: None });
    tape.pods(subject, "fitting", "gang", "fitting-gang", 4, 4);
    tape.bind(subject, "fitting", "fitting-gang", 0..completed, "Succeeded");
    tape.mark(subject, "fitting", Step::GangEnded {});
}

pub fn quorum(tape: &mut Tape, subject: &'static str, early: usize) {
    let gang = || "quorum-gang".to_owned();
    tape.mark(subject, "quorum", Step::Short { gang: gang(), size: 4, created: 3, slots: 8 });
    tape.pods(subject, "quorum", "gang", "quorum-gang", 3, early);
    for number in 0..2 {
        tape.pods(subject, "quorum", "canary", &format!("quorum-canary-{number}"), 1, 1);
    }
    tape.mark(subject, "quorum", Step::ShortClosed {});
    tape.mark(subject, "quorum", Step::Whole { gang: gang() });
    let last = Pod {
        subject,
        trial: "quorum".into(),
        role: "gang",
        gang: "quorum-gang".into(),
        name: "quorum-gang-gang-3".into(),
    };
    tape.pod(&last, Change::Added, "", "Pending");
    tape.bind(subject, "quorum", "quorum-gang", early..4, "Pending");
    tape.mark(subject, "quorum", Step::WholeEnded {});
}

pub fn cleanup(tape: &mut Tape, subject: &'static str, leaked: usize, canaries: usize) {
    for attempt in 0..3 {
        let gang = "cleanup-gang".to_owned();
        tape.mark(subject, "cleanup", Step::Again { gang, size: 4, slots: 4, attempt });
        for number in 0..4 {
            let mut pod = Pod {
                subject,
                trial: "cleanup".into(),
                role: "gang",
                gang: "cleanup-gang".into(),
                name: format!("cleanup-{attempt}-{number}"),
            };
            tape.pod(&pod, Change::Added, "", "Pending");
            tape.pod(&pod, Change::Modified, "node-0", "Pending");
            pod.role = "gang";
        }
        tape.mark(subject, "cleanup", Step::AgainEnded { attempt });
    }
    tape.mark(subject, "cleanup", Step::LeakCheck { count: 4 });
    for number in 0..4 {
        tape.pods(
            subject,
            "cleanup",
            "single",
            &format!("cleanup-leak-{number}"),
            1,
            usize::from(number < 4 - leaked),
        );
    }
    for number in 0..canaries {
        tape.pods(subject, "cleanup", "canary", &format!("cleanup-canary-{number}"), 1, 1);
    }
    tape.mark(subject, "cleanup", Step::LeakCheckEnded {});
}

/// Gangs contend in a round.
pub fn contend(round: usize, gangs: &[&str]) -> Step {
    Step::Contend {
        gangs: gangs.iter().map(|gang| (*gang).to_owned()).collect(),
        size: 4,
        slots: 6,
        quota: 6,
        round: round as u64,
        order: String::new(),
        late: false,
    }
}

/// One round: pods of each gang that are bound when it has settled, and whether the loser follows.
pub fn round(tape: &mut Tape, subject: &'static str, number: usize, held: (usize, usize), follows: bool) {
    let trial = format!("round-{number}");
    let (a, b) = (format!("{trial}-a"), format!("{trial}-b"));
    tape.mark(subject, &trial, contend(number, &[&a, &b]));
    tape.pods(subject, &trial, "gang", &a, 4, held.0);
    tape.pods(subject, &trial, "gang", &b, 4, held.1);
    tape.mark(subject, &trial, Step::Settled {});
    if held == (4, 0) {
        let release = Release::Winner { winner: a.clone(), losers: vec![b.clone()] };
        tape.mark(subject, &trial, Step::Release(release));
        tape.gone(subject, &trial, "gang", &a, 4);
        if follows {
            tape.bind(subject, &trial, &b, 0..4, "Pending");
        }
        tape.mark(subject, &trial, Step::ReleaseEnded {});
    }
}

pub fn control(tape: &mut Tape) {
    tape.started("plain", true);
    near_miss(tape, "plain", &NearMiss { gang_bound: 3, refused: false, ..GOOD });
    round(tape, "plain", 0, (3, 3), false);
    tape.write("plain", EventKind::SubjectEnded {});
}

pub fn subject(tape: &mut Tape, seen: &NearMiss) {
    tape.started("kube-native", false);
    fitting(tape, "kube-native", 4);
    near_miss(tape, "kube-native", seen);
    quorum(tape, "kube-native", 0);
    cleanup(tape, "kube-native", 0, 0);
    round(tape, "kube-native", 0, (4, 0), true);
    tape.write("kube-native", EventKind::SubjectEnded {});
}

pub fn run_of(seen: &NearMiss) -> Judgement {
    let mut tape = Tape::default();
    control(&mut tape);
    subject(&mut tape, seen);
    tape.judged()
}

pub fn outcome<'a>(judged: &'a Judgement, claim: &str) -> &'a str {
    let subject = judged.subjects.iter().find(|subject| subject.id == "kube-native").unwrap();
    subject.outcome(claim).unwrap().word()
}
