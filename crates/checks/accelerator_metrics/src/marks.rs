//! Marks of a run and facts of its subjects: the contract between what acts and what judges.

use aiconform_trial::Marks;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Id of the check and of the requirement.
pub const ID: &str = "accelerator_metrics";

/// Facts of a subject: one dialect and its endpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Id of the dialect; empty where the endpoint speaks none that is known.
    pub dialect: String,
    /// Name of the exporter.
    #[serde(default)]
    pub product: String,
    /// True if the dialect was run against an exporter by us.
    pub tried: bool,
    /// True if that was with simulated devices only: what fails on others may be the dialect.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tried_simulated: bool,
    /// True if the subject has controls of its own, which it always has.
    pub own_control: bool,
    /// Paths of the endpoints.
    #[serde(default)]
    pub endpoints: Vec<String>,
}

/// Accelerators that a node offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// Number of them.
    pub devices: u64,
    /// Names of those that have one.
    pub names: Vec<String>,
}

/// The pod that was given a device, and that device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Giver: a DRA driver or a device plugin. Runs of earlier versions, which tried one of them, do not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Name of the pod.
    pub pod: String,
    /// Its namespace.
    pub namespace: String,
    /// Its node.
    pub node: String,
    /// Names of the device, by its own word.
    pub names: Vec<String>,
    /// True if the device is simulated.
    pub simulated: bool,
    /// Memory of the device in bytes, by its own word.
    pub memory_bytes: Option<u64>,
    /// Share of a device that it is, where it is none by itself.
    pub share: Option<String>,
    /// All that the device says of itself, for people.
    #[serde(default)]
    pub device: Value,
}

/// Result of a load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// Number of the load, from 0.
    pub cycle: u64,
    /// For how long the device was to work, in milliseconds.
    pub asked: u64,
    /// For how long it says that it did.
    pub done: u64,
    /// Why it did not do more; empty where it says nothing of it.
    pub why: String,
}

/// Milliseconds until each subject showed what was waited for; nothing where it did not.
pub type Settled = BTreeMap<String, Option<u64>>;

/// Marks of a run. All are of the whole check: one load is seen by all subjects at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// Every endpoint is asked once.
    Census {
        /// By node.
        nodes: BTreeMap<String, Offered>,
        /// The node that each endpoint is of, by path; empty where that is not known.
        endpoints: BTreeMap<String, String>,
    },
    /// Ways in which a device will be given, one after the other.
    Planned {
        /// Ids of the ways.
        modes: Vec<String>,
    },
    /// A pod has a device: what follows is of this one.
    Given(Given),
    /// Nothing is asked of the device.
    Quiet {},
    /// A load begins.
    Load {
        /// Its number, from 0.
        cycle: u64,
    },
    /// The endpoints show the load, or have had their time.
    LoadSettled {
        /// Number of the load.
        cycle: u64,
        /// When they showed it.
        settled: Settled,
    },
    /// A load has ended.
    Rest(Rest),
    /// The endpoints show its end, or have had their time.
    RestSettled {
        /// Number of the load.
        cycle: u64,
        /// When they showed it.
        settled: Settled,
    },
    /// Memory is as it was.
    MemoryBefore {},
    /// Memory is asked for.
    Allocate {
        /// So much.
        bytes: u64,
    },
    /// Memory was taken.
    Allocated {
        /// So much, by the device's word.
        bytes: u64,
        /// Why it is not more; empty where the device says nothing of it.
        why: String,
    },
    /// The endpoints show the memory, or have had their time.
    MemorySettled {
        /// When they showed it.
        settled: Settled,
    },
    /// The memory is given back.
    Free {},
    /// The endpoints show that, or have had their time. Runs of earlier versions did not look.
    FreeSettled {
        /// When they showed it.
        settled: Settled,
    },
    /// The pod is deleted by us.
    PodDeleted {
        /// Its name.
        pod: String,
    },
    /// The endpoints do not name the pod any more, or have had their time.
    GoneSettled {
        /// When they did not.
        settled: Settled,
    },
    /// Every way was tried to its end.
    End {},
    /// Everything is undone from here on, whether it came to its end or not.
    Over {},
}

impl Marks for Mark {}
