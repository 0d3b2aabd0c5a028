//! The judge on hand-made and recorded histories: every way to look passed or failed without being so.

use super::{RULES, judge};
use aiconform_evidence::Evidence;
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_verdict::{Judgement, OWN_CONTROL, Outcome, State, Subject, Verdict};
use serde_json::{Value, json};

/// A simulated node that holds, by a driver and by a plugin.
const MET: &str = include_str!("tapes/met.ndjson");
/// Breakage `version-label-lies`.
const UNMET: &str = include_str!("tapes/unmet.ndjson");
/// No accelerator.
const ABSENT: &str = include_str!("tapes/absent.ndjson");

/// A run and what is wrong with it.
#[derive(Clone)]
struct Run {
    dialect: &'static str,
    given_by: &'static str,
    /// Labels and annotations of the node.
    node: Value,
    /// Attributes of its devices.
    devices: Vec<Value>,
    /// What the pod's device says.
    device: Value,
    files: Value,
    reached: bool,
    evicted: bool,
    stopped: bool,
}

impl Default for Run {
    fn default() -> Run {
        let of = |uuid: &str| json!({"driverVersion": "1.2.3", "runtimeVersion": "4.5.0", "uuid": uuid});
        Run {
            dialect: "simulator",
            given_by: "dra",
            node: json!({"simulator.aiconform.dev/driver-version": "1.2.3",
                "simulator.aiconform.dev/runtime-version": "4.5.0"}),
            devices: vec![of("GPU-a"), of("GPU-b")],
            device: json!({"uuid": "GPU-a", "driver_version": "1.2.3", "runtime_version": "4.5.0"}),
            files: json!([]),
            reached: true,
            evicted: false,
            stopped: false,
        }
    }
}

impl Run {
    /// NVIDIA's devices by a plugin: the driver is in a file, the runtime nowhere.
    fn nvidia(label: &str) -> Run {
        Run {
            dialect: "nvidia",
            given_by: "device plugin",
            node: json!({"nvidia.com/cuda.driver-version.full": label, "nvidia.com/cuda.runtime-version.full": "12.8"}),
            devices: Vec::new(),
            device: Value::Null,
            files: json!([{"path": "/proc/driver/nvidia/version",
                "text": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  Wed Feb 26\n"}]),
            ..Run::default()
        }
    }

    fn subject(&self) -> Subject {
        let facts =
            json!({"dialect": self.dialect, "given_by": self.given_by, "tried": true, OWN_CONTROL: true});
        Subject { id: "gpu".into(), facts, control: false, declared: false }
    }

    fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut add = |kind: EventKind| {
            let time = jiff::Timestamp::from_second(1_800_000_000).unwrap();
            let sequence = events.len() as u64;
            events.push(Event {
                sequence,
                time,
                scope: Scope::new("driver_runtime_management", "gpu"),
                kind,
            });
        };
        let phase = |phase: &str, data: Value| EventKind::Phase { phase: phase.into(), data };
        add(EventKind::SubjectStarted { facts: self.subject().facts, control: false, declared: false });
        let named = |(place, attributes): (usize, &Value)| json!({"name": format!("gpu-{place}"), "attributes": attributes});
        let devices: Vec<Value> = self.devices.iter().enumerate().map(named).collect();
        add(phase("advertised", json!({"nodes": {"node-0": {"node": self.node, "devices": devices}}})));
        add(phase("ask", json!({})));
        if self.evicted {
            let object = Object::new(json!({"metadata": {"name": "versions", "deletionTimestamp": "now"}}));
            add(EventKind::Watch { kind: Kind::pod(), change: Change::Modified, object });
        }
        if self.stopped {
            add(EventKind::Stopped { why: "the pod did not run".into() });
            return events;
        }
        let errno = if self.reached { 6 } else { 1 };
        let seen = json!([{"path": "/dev/accel0", "number": {"major": 240, "minor": 0}, "opening": {"errno": errno, "name": "E"}}]);
        add(phase(
            "found",
            json!({"pod": "versions", "node": "node-0", "device": self.device, "devices": seen, "files": self.files}),
        ));
        add(phase("over", json!({})));
        events
    }

    fn word(&self, claim: fn(&[&Event], &Subject) -> Outcome) -> &'static str {
        claim(&self.events().iter().collect::<Vec<_>>(), &self.subject()).word()
    }

    fn doubt(&self) -> Option<String> {
        judge::doubt(&self.events().iter().collect::<Vec<_>>(), &self.subject())
    }

    fn judged(&self) -> Judgement {
        judged(self.events())
    }
}

fn judged(events: Vec<Event>) -> Judgement {
    aiconform_verdict::judge(&RULES, &Evidence { events })
}

fn recorded(tape: &str) -> Vec<Event> {
    let events = tape.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    events.enumerate().map(|(place, event)| Event { sequence: place as u64, ..event }).collect()
}

#[test]
fn a_healthy_node_meets_every_claim() {
    for given_by in ["dra", "device plugin"] {
        let judged = Run { given_by, ..Run::default() }.judged();
        assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, true), "{}", judged.why);
        let claims = &judged.subjects[0].claims;
        assert_eq!(claims.len(), if given_by == "dra" { 6 } else { 5 });
        assert!(claims.iter().all(|claim| claim.outcome.is_met()));
    }
}

#[test]
fn a_version_that_is_not_that_of_the_device_is_a_lie() {
    let lie = Run {
        device: json!({"uuid": "GPU-a", "driver_version": "1.2.4", "runtime_version": "4.5.0"}),
        ..Run::default()
    };
    assert_eq!(lie.word(judge::driver_version_is_true), "unmet");
    assert_eq!(lie.word(judge::runtime_version_is_true), "met");
    assert_eq!(lie.word(judge::driver_version_is_advertised), "met");
    assert_eq!(lie.judged().verdict, Verdict::Failed);
}

#[test]
fn the_device_that_the_pod_has_is_compared_and_no_other() {
    let mut run = Run::default();
    run.devices[1]["driverVersion"] = json!("1.2.4");
    assert_eq!(run.word(judge::driver_version_is_true), "met");
    run.device["uuid"] = json!("GPU-b");
    assert_eq!(run.word(judge::driver_version_is_true), "unmet");
    // Which one it has is not known: then all have to say so.
    run.device["uuid"] = json!("GPU-c");
    assert_eq!(run.word(judge::driver_version_is_true), "unmet");
}

#[test]
fn what_a_driver_publishes_is_used_before_labels_and_what_it_does_not_is_not_held_against_it() {
    let mut run = Run { node: json!({"simulator.aiconform.dev/driver-version": "9.9"}), ..Run::default() };
    assert_eq!(run.word(judge::driver_version_is_true), "met");
    assert_eq!(run.word(judge::runtime_version_is_advertised), "met");
    run = Run { devices: vec![json!({"uuid": "GPU-a"})], ..Run::default() };
    assert_eq!(run.word(judge::driver_version_is_true), "met");
    assert_eq!(run.word(judge::versions_are_in_slices), "unmet");
    assert_eq!(run.judged().verdict, Verdict::Passed);
}

#[test]
fn nothing_advertised_fails_and_there_is_nothing_to_compare() {
    let run = Run { node: json!({}), devices: Vec::new(), ..Run::default() };
    assert_eq!(run.word(judge::driver_version_is_advertised), "unmet");
    assert_eq!(run.word(judge::runtime_version_is_advertised), "unmet");
    assert_eq!(run.word(judge::driver_version_is_true), "unknown");
    assert_eq!(run.judged().verdict, Verdict::Failed);
}

#[test]
fn a_kernel_modules_file_is_the_drivers_word_and_what_no_file_says_is_unknown() {
    let run = Run::nvidia("570.124.06");
    assert_eq!(run.word(judge::driver_version_is_true), "met");
    assert_eq!(run.word(judge::runtime_version_is_true), "unknown");
    let judged = run.judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Inconclusive, false), "{}", judged.why);
    assert_eq!(Run::nvidia("570.133.20").word(judge::driver_version_is_true), "unmet");
    let unreadable =
        Run { files: json!([{"path": "/proc/driver/nvidia/version", "why": "no such file"}]), ..run };
    assert_eq!(unreadable.word(judge::driver_version_is_true), "unknown");
    // A maker without any way to say a runtime's version does not fail for it.
    let amd =
        Run { dialect: "amd", node: json!({"amd.com/gpu.driver-version": "6.12.12"}), ..Run::nvidia("") };
    assert_eq!(amd.word(judge::runtime_version_is_advertised), "unknown");
}

#[test]
fn without_a_device_nothing_is_known() {
    let run = Run { reached: false, device: Value::Null, ..Run::default() };
    assert_eq!(run.word(judge::device_was_given), "unmet");
    assert_eq!(run.judged().verdict, Verdict::Inconclusive);
    let stopped = Run { stopped: true, ..Run::default() };
    let judged = stopped.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("did not run"), "{}", judged.why);
}

#[test]
fn unknown_makers_and_evictions_make_it_doubtful() {
    assert_eq!(Run::default().doubt(), None);
    assert!(Run { evicted: true, ..Run::default() }.doubt().unwrap().contains("someone else"));
    let strange = Run { dialect: "", ..Run::default() };
    assert!(strange.doubt().unwrap().contains("not known how the maker of gpu"));
    assert_eq!(strange.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn tapes_are_judged_as_the_runs_were() {
    let met = judged(recorded(MET));
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, true), "{}", met.why);
    assert_eq!(met.subjects.len(), 2);
    let unmet = judged(recorded(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    for subject in &unmet.subjects {
        assert_eq!(subject.outcome("driver_version_is_true").unwrap().word(), "unmet", "{}", subject.id);
    }
    let absent = judged(recorded(ABSENT));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
}

#[test]
fn a_recorded_run_that_ends_anywhere_fails_nobody() {
    let whole = recorded(MET);
    for end in 0..whole.len() {
        let judged = judged(whole[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
    }
}
