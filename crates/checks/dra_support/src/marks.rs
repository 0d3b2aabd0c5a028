//! The contract between what the trials do and what the judge reads: marks, the facts of a subject, names of trials, and
//! shared numbers.

use aiconform_trial::Marks;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Id of the requirement.
pub const ID: &str = "dra_support";

/// Name of the trial of plain pods beside claims.
pub const PLAIN: &str = "plain";
/// Name of the trial of the API's kinds, which deletes its own slices and classes.
pub const KINDS: &str = "kinds";
/// Name of the trial of selectors.
pub const SELECT: &str = "select";
/// Name of the trial of more claims than devices.
pub const CROWD: &str = "crowd";
/// Name of the trial of devices that are let go of.
pub const FREE: &str = "free";
/// Name of the trial of one claim of several pods.
pub const SHARE: &str = "share";
/// Name of the trial of a request's ways in the order of what is preferred.
pub const PREFER: &str = "prefer";
/// Name of the trial of devices with taints.
pub const TAINTS: &str = "taints";

/// Role of pods that name a claim.
pub const CLAIMANT: &str = "claimant";
/// Role of pods that claim nothing.
pub const CANARY: &str = "canary";

/// Canaries that must be bound one after another before a claim that gets nothing is called stuck, not slow.
pub const STUCK: usize = 3;
/// Pods that share a claim; an API server takes up to 256.
pub const SHARERS: usize = 4;
/// Label that the change of an object puts on it.
pub const CHANGED_LABEL: &str = "aiconform.dev/changed";
/// Value of that label.
pub const CHANGED: &str = "yes";
/// Name of what a hindrance is about when others do something about devices of the run.
pub const FOREIGN: &str = "devices of the run";

/// A step of a trial, marked before its first request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Mark {
    /// Name of the trial.
    pub trial: String,
    /// The step.
    pub step: Step,
}

impl Marks for Mark {}

impl From<Mark> for Value {
    fn from(mark: Mark) -> Value {
        let mut written = json!(mark.step);
        written["data"]["trial"] = json!(mark.trial);
        written
    }
}

impl TryFrom<Value> for Mark {
    type Error = serde_json::Error;

    fn try_from(mut written: Value) -> Result<Mark, serde_json::Error> {
        let data = written.get_mut("data").and_then(Value::as_object_mut);
        let data = data.ok_or_else(|| serde_json::Error::custom("its data are no object"))?;
        let trial = data.remove("trial").ok_or_else(|| serde_json::Error::missing_field("trial"))?;
        Ok(Mark { trial: serde_json::from_value(trial)?, step: serde_json::from_value(written)? })
    }
}

/// A step of a trial that is done next, or that has come to its end: then every write of ours has come back on the watch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Plain pods are made that stand beside nothing.
    Plain {},
    /// An object of a kind is created, read, changed and deleted.
    Kind {
        /// The kind, such as `DeviceClass`.
        kind: String,
        /// Its plural, such as `deviceclasses`.
        plural: String,
        /// Name of the object.
        name: String,
    },
    /// The end of the requests to it.
    KindEnded {
        /// The plural of the kind.
        plural: String,
    },
    /// Claims are made that match one device each.
    Select {
        /// Names of devices by names of claims.
        claims: BTreeMap<String, String>,
    },
    /// The end of the time in which they may be given it.
    Selected {},
    /// A claim is made that no device matches.
    Unmatched {
        /// Its name.
        claim: String,
    },
    /// The end of the time for which it is watched.
    UnmatchedClosed {},
    /// A claim is made on a device that was free meanwhile.
    Remaining {
        /// Its name.
        claim: String,
    },
    /// The end of the time in which it may be given one.
    RemainingEnded {},
    /// More claims are made than there are devices.
    Crowd {
        /// Names of the claims.
        claims: Vec<String>,
        /// Devices that there are.
        devices: usize,
    },
    /// The end of the time for which they are watched.
    CrowdClosed {},
    /// One of them is deleted, so that its device is free.
    Release {
        /// Names of the others.
        claims: Vec<String>,
        /// The name of the one.
        gone: String,
        /// Devices that there are.
        devices: usize,
    },
    /// The end of the time in which one that waits may be given it.
    ReleaseEnded {},
    /// A claim is made on a device that the one before has let go of.
    Turn {
        /// Its name.
        claim: String,
        /// Way in which the one before let go of it, in words; empty of the first.
        after: String,
    },
    /// The end of the time in which it may be given it.
    TurnEnded {},
    /// A claim is made, and pods that share it.
    Share {
        /// Name of the claim.
        claim: String,
        /// Names of the pods.
        pods: Vec<String>,
    },
    /// The end of the time in which all of them may be bound.
    Shared {},
    /// Another claim is made while they share the only device.
    Other {
        /// Its name.
        claim: String,
    },
    /// The end of the time for which it is watched.
    OtherClosed {},
    /// A claim with several ways is made.
    Prefer {
        /// Its name.
        claim: String,
        /// The device of the first of its ways that is free.
        device: String,
        /// The name of that way.
        way: String,
    },
    /// The end of the time in which it may be given one.
    Preferred {},
    /// A claim is made that tolerates nothing, and that a device without a taint is free for.
    Untainted {
        /// Its name.
        claim: String,
        /// The device that is free for it.
        device: String,
    },
    /// The end of the time in which it may be given it.
    UntaintedEnded {},
    /// A claim is made on a device with a taint that it does not tolerate.
    Tainted {
        /// Its name.
        claim: String,
        /// The device.
        device: String,
    },
    /// The end of the time for which it is watched.
    TaintedClosed {},
    /// A claim is made on a device with a taint that it tolerates.
    Tolerated {
        /// Its name.
        claim: String,
        /// The device.
        device: String,
    },
    /// The end of the time in which it may be given it.
    ToleratedEnded {},
    /// Pods and claims are deleted by us: whatever else goes was deleted by someone else.
    Remove {
        /// Their names.
        names: Vec<String>,
    },
    /// The end of the trial.
    TrialEnded {},
}

/// Facts of a subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Versions of `resource.k8s.io` that are served.
    pub served: Vec<String>,
    /// Minor version of the API server, 0 when it does not say.
    pub minor: u64,
    /// Why trials are left out, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, String>,
    /// True in runs of earlier versions, which called devices of the run's own simulated. The requirement asks for the API, and what
    /// allocates and binds is the platform's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// True if it is its own control ([`aiconform_verdict::OWN_CONTROL`]): the plain pods beside each claim are, for there is
    /// no other product to try them on.
    pub own_control: bool,
    /// Names of its trials, as they were planned.
    pub trials: Vec<String>,
}

impl Facts {
    /// The facts of a subject as the evidence has them.
    ///
    /// # Errors
    /// When they were written by another version.
    pub fn read(facts: &Value) -> Result<Facts, serde_json::Error> {
        Facts::deserialize(facts)
    }

    /// Tells whether a trial was planned: what the API server does not have is not claimed.
    pub fn plans(&self, trial: &str) -> bool {
        self.trials.iter().any(|name| name == trial)
    }
}
