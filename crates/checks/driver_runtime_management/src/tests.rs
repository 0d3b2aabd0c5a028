//! The judge on hand-made and recorded histories: every way to look passed or failed without being so.

use super::RULES;
use super::marks::{Advert, Facts, Found, GivenBy, ID, Mark, Published};
use aiconform_accelerators::answers::Device;
use aiconform_model::{Change, Event, EventKind, Kind};
use aiconform_trial::marks;
use aiconform_trial::testing::{self, Tape};
use aiconform_verdict::{Judgement, State, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The check's own folder.
const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// A simulated node that holds, by a driver and by a plugin.
const MET: &str = "met";
/// Breakage `version-label-lies`.
const UNMET: &str = "unmet";
/// No accelerator.
const ABSENT: &str = "absent";

/// A run and what is wrong with it.
#[derive(Clone)]
struct Run {
    dialect: &'static str,
    given_by: GivenBy,
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
            given_by: GivenBy::Driver,
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
            given_by: GivenBy::Plugin,
            node: json!({"nvidia.com/cuda.driver-version.full": label, "nvidia.com/cuda.runtime-version.full": "12.8"}),
            devices: Vec::new(),
            device: Value::Null,
            files: json!([{"path": "/proc/driver/nvidia/version",
                "text": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  Wed Feb 26\n"}]),
            ..Run::default()
        }
    }

    fn events(&self) -> Vec<Event> {
        let mut tape = Tape::new(ID, "gpu");
        let (product, tried) = (String::new(), true);
        let facts = Facts {
            dialect: self.dialect.into(),
            product,
            tried,
            given_by: self.given_by,
            own_control: true,
        };
        tape.started(json!(facts));
        let texts =
            |texts: &Value| -> BTreeMap<String, String> { serde_json::from_value(texts.clone()).unwrap() };
        let device = |(place, attributes): (usize, &Value)| Published {
            name: format!("gpu-{place}"),
            attributes: texts(attributes),
        };
        let devices = self.devices.iter().enumerate().map(device).collect();
        let advert = Advert { node: texts(&self.node), devices };
        tape.mark(&Mark::Advertised { nodes: [("node-0".to_owned(), advert)].into() });
        tape.mark(&Mark::Ask {});
        if self.evicted {
            let pod = json!({"metadata": {"name": "versions", "deletionTimestamp": "now"}});
            tape.watch(Kind::pod(), Change::Modified, pod);
        }
        if self.stopped {
            return tape.stopped("the pod did not run").events.clone();
        }
        let errno = if self.reached { 6 } else { 1 };
        let seen = json!([{"path": "/dev/accel0", "number": {"major": 240, "minor": 0}, "opening": {"errno": errno, "name": "E"}}]);
        tape.mark(&Mark::Found(Found {
            pod: "versions".into(),
            node: "node-0".into(),
            device: Device(self.device.clone()),
            devices: serde_json::from_value(seen).unwrap(),
            files: serde_json::from_value(self.files.clone()).unwrap(),
        }));
        tape.mark(&Mark::Over {}).ended().events.clone()
    }

    fn word(&self, claim: &str) -> &'static str {
        self.judged().subjects[0].outcome(claim).map_or("not tried", |outcome| outcome.word())
    }

    /// What every claim says where nothing can be believed.
    fn doubt(&self) -> String {
        let judged = self.judged();
        let claims = &judged.subjects[0].claims;
        assert!(claims.iter().all(|claim| claim.outcome == claims[0].outcome));
        claims[0].outcome.text().to_owned()
    }

    fn judged(&self) -> Judgement {
        judged(self.events())
    }
}

fn judged(events: Vec<Event>) -> Judgement {
    testing::judged(&RULES, events)
}

fn recorded(tape: &str) -> Vec<Event> {
    testing::recorded(HERE, tape)
}

#[test]
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, HERE);
}

#[test]
fn every_mark_and_all_facts_of_the_tapes_are_written_as_they_were() {
    for event in [MET, UNMET, ABSENT].into_iter().flat_map(recorded) {
        match &event.kind {
            EventKind::Phase { phase, data } => {
                assert_eq!(marks::event(&marks::read::<Mark>(phase, data).unwrap()), event.kind);
            }
            EventKind::SubjectStarted { facts, .. } => {
                assert_eq!(json!(serde_json::from_value::<Facts>(facts.clone()).unwrap()), *facts);
            }
            _ => {}
        }
    }
}

#[test]
fn a_healthy_node_meets_every_claim() {
    for given_by in [GivenBy::Driver, GivenBy::Plugin] {
        let judged = Run { given_by, ..Run::default() }.judged();
        assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, true), "{}", judged.why);
        let claims = &judged.subjects[0].claims;
        assert_eq!(claims.len(), if given_by == GivenBy::Driver { 6 } else { 5 });
        assert!(claims.iter().all(|claim| claim.outcome.is_met()));
    }
}

#[test]
fn a_version_that_is_not_that_of_the_device_is_a_lie() {
    let lie = Run {
        device: json!({"uuid": "GPU-a", "driver_version": "1.2.4", "runtime_version": "4.5.0"}),
        ..Run::default()
    };
    assert_eq!(lie.word("driver_version_is_true"), "unmet");
    assert_eq!(lie.word("runtime_version_is_true"), "met");
    assert_eq!(lie.word("driver_version_is_advertised"), "met");
    assert_eq!(lie.judged().verdict, Verdict::Failed);
}

#[test]
fn the_device_that_the_pod_has_is_compared_and_no_other() {
    let mut run = Run::default();
    run.devices[1]["driverVersion"] = json!("1.2.4");
    assert_eq!(run.word("driver_version_is_true"), "met");
    run.device["uuid"] = json!("GPU-b");
    assert_eq!(run.word("driver_version_is_true"), "unmet");
    // Which one it has is not known: then all have to say so.
    run.device["uuid"] = json!("GPU-c");
    assert_eq!(run.word("driver_version_is_true"), "unmet");
}

#[test]
fn what_a_driver_publishes_is_used_before_labels_and_what_it_does_not_is_not_held_against_it() {
    let mut run = Run { node: json!({"simulator.aiconform.dev/driver-version": "9.9"}), ..Run::default() };
    assert_eq!(run.word("driver_version_is_true"), "met");
    assert_eq!(run.word("runtime_version_is_advertised"), "met");
    run = Run { devices: vec![json!({"uuid": "GPU-a"})], ..Run::default() };
    assert_eq!(run.word("driver_version_is_true"), "met");
    assert_eq!(run.word("versions_are_in_slices"), "unmet");
    assert_eq!(run.judged().verdict, Verdict::Passed);
}

#[test]
fn nothing_advertised_fails_and_there_is_nothing_to_compare() {
    let run = Run { node: json!({}), devices: Vec::new(), ..Run::default() };
    assert_eq!(run.word("driver_version_is_advertised"), "unmet");
    assert_eq!(run.word("runtime_version_is_advertised"), "unmet");
    assert_eq!(run.word("driver_version_is_true"), "unknown");
    assert_eq!(run.judged().verdict, Verdict::Failed);
}

#[test]
fn a_kernel_modules_file_is_the_drivers_word_and_what_no_file_says_is_unknown() {
    let run = Run::nvidia("570.124.06");
    assert_eq!(run.word("driver_version_is_true"), "met");
    assert_eq!(run.word("runtime_version_is_true"), "unknown");
    let judged = run.judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Inconclusive, false), "{}", judged.why);
    assert_eq!(Run::nvidia("570.133.20").word("driver_version_is_true"), "unmet");
    let unreadable =
        Run { files: json!([{"path": "/proc/driver/nvidia/version", "why": "no such file"}]), ..run };
    assert_eq!(unreadable.word("driver_version_is_true"), "unknown");
    // A maker without any way to say a runtime's version does not fail for it.
    let amd =
        Run { dialect: "amd", node: json!({"amd.com/gpu.driver-version": "6.12.12"}), ..Run::nvidia("") };
    assert_eq!(amd.word("runtime_version_is_advertised"), "unknown");
}

#[test]
fn without_a_device_nothing_is_known() {
    let run = Run { reached: false, device: Value::Null, ..Run::default() };
    assert_eq!(run.word("device_was_given"), "unmet");
    assert_eq!(run.judged().verdict, Verdict::Inconclusive);
    let stopped = Run { stopped: true, ..Run::default() };
    let judged = stopped.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("did not run"), "{}", judged.why);
}

#[test]
fn unknown_makers_and_evictions_make_it_doubtful() {
    assert_eq!(Run::default().judged().verdict, Verdict::Passed);
    assert!(Run { evicted: true, ..Run::default() }.doubt().contains("someone else"));
    let strange = Run { dialect: "", ..Run::default() };
    assert!(strange.doubt().contains("not known how the maker of gpu"));
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
fn our_undoing_after_a_stop_names_nobody() {
    testing::undoing_names_nobody(&RULES, &recorded(MET));
}
