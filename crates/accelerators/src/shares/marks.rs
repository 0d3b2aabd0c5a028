//! Marks and facts that both acts and judge of shares may know.

use crate::answers::{Device, Done};
use aiconform_trial::Marks;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Strategy by which devices are shared in time, and not made into parts that are apart from each other.
pub const TIME_SLICING: &str = "time-slicing";

/// Shares that one node offers in one way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Offer {
    /// Strategy by which it is shared.
    pub strategy: String,
    /// Whose devices.
    pub product: String,
    /// Set if this maker's shares were tried by us.
    pub tried: bool,
    /// By what one is asked for, for people.
    pub asked_by: String,
    /// Name of that.
    pub name: String,
    /// Selector of devices of a class (CEL).
    pub selector: String,
    /// The node.
    pub node: String,
    /// Number that can be asked for; not known where partitions of different sizes exclude each other.
    pub offered: Option<u64>,
    /// Number that there are, by the node's labels.
    pub declared: Option<u64>,
    /// Of how many physical devices, where it is known.
    pub physical: Option<u64>,
    /// Number that pods of others have, where it was looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<u64>,
}

/// A pod that has a share, and what it sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// The pod.
    pub pod: String,
    /// Its node.
    pub node: String,
    /// Answer of its device about itself.
    pub device: Device,
    /// Numbers of the device nodes in its container.
    pub nodes: Vec<String>,
}

impl Holder {
    /// The physical device, by its device's own word: the one that it says it is a part of, or itself, where it says that it is of
    /// none.
    pub fn physical(&self) -> Option<&str> {
        match self.device.0.get("parent")? {
            Value::Null => self.device.text("uuid"),
            parent => parent.as_str(),
        }
    }
}

/// A load under which one pod put its device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The pod.
    pub pod: String,
    /// Result of the load.
    pub work: Done,
}

impl Work {
    /// Tells whether all of it was done.
    pub fn is_done(&self) -> bool {
        self.work.asked > 0 && self.work.done >= self.work.asked
    }

    /// Tells whether it went on while others worked: by a device's own count all that was asked, by a program's count some, because
    /// whoever shares a device in time has a part of it.
    pub fn went_on(&self, is_by_load: bool) -> bool {
        if is_by_load { self.work.done > 0 && self.work.why.is_empty() } else { self.is_done() }
    }

    /// Tells whether it was asked for work and did none.
    pub fn stood_still(&self) -> bool {
        self.work.asked > 0 && self.work.done == 0
    }

    /// In words.
    pub fn words(&self) -> String {
        let Done { asked, done, why } = &self.work;
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        format!("the device of {} worked {done} ms of {asked} ms{why}", self.pod)
    }
}

/// Steps that are done next, and findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// The offer when the trial begins.
    Offered(Offer),
    /// Pods are made that ask for a share each.
    Hold {
        /// Their names.
        pods: Vec<String>,
    },
    /// All of them run.
    Held {
        /// The pods, and what they see.
        holders: Vec<Holder>,
    },
    /// The first put its device to work while no other did.
    WorkedAlone(Work),
    /// All put their devices to work at once.
    WorkAtOnce {},
    /// The last of them has begun, and none has ended. Runs of earlier versions, which asked each for a short piece of work, do
    /// not tell it.
    AllAtWork {},
    /// Results of that.
    WorkedAtOnce {
        /// By pod.
        works: Vec<Work>,
    },
    /// One pod more is made than there are shares.
    OneMore {
        /// Its name.
        pod: String,
        /// Shares that it asks for.
        asks: u64,
        /// Shares that were free before.
        places: u64,
    },
    /// A pod is deleted by us, and gives its share back.
    Release {
        /// Name of that pod.
        pod: String,
        /// The pod that waits for it.
        one_more: String,
    },
    /// The fate of the pod that waited.
    Released {
        /// Its name.
        pod: String,
        /// Answer of its device about itself.
        device: Device,
        /// Why it does not run; empty where it does.
        why: String,
    },
    /// The trial is over, and our undoing begins.
    Over {},
}

impl Marks for Mark {}
