//! Longest times. None of them makes a verdict by itself: what does not start is called stuck only when canaries that came
//! later were bound meanwhile, and what starts late has started. They say how long that is waited for.

use aiconform_trial::Limit;
use std::time::Duration;

/// Longest time of the whole check: where slots are CPU, trials go one after another.
pub const WHOLE: Duration = Duration::from_secs(1800);

/// For pods that can be bound.
pub const BIND: Limit = Limit {
    key: "gang_scheduling.bind",
    seconds: 60.0,
    most: 10.0,
    what: "pods to be bound that can be, and for a scheduler to say no to a gang",
};
/// For what waited: schedulers back off up to some tens of seconds.
pub const RELEASE: Limit = Limit {
    key: "gang_scheduling.release",
    seconds: 120.0,
    most: 10.0,
    what: "a gang to start once it can, and for one that fits to run and complete",
};
/// For objects that are deleted.
pub const GO: Limit =
    Limit { key: "gang_scheduling.go", seconds: 90.0, most: 10.0, what: "deleted gangs and pods to be gone" };
/// For hundreds of pods: a lab has two processors as often as not.
pub const SCALE: Limit = Limit {
    key: "gang_scheduling.scale",
    seconds: 300.0,
    most: 10.0,
    what: "all pods of the gang of the trial scale to be bound",
};

/// All of them.
pub const LIMITS: &[Limit] = &[BIND, RELEASE, GO, SCALE];
