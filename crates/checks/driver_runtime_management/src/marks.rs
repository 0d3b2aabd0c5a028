//! Marks and the facts of a subject, which both acts and judge may know.

use aiconform_accelerators::answers::Device;
use aiconform_model::probe::{ReadFile, Seen};
use aiconform_trial::Marks;
use aiconform_verdict::Subject;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Id of the requirement.
pub const ID: &str = "driver_runtime_management";

/// Giver of the devices of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GivenBy {
    /// A DRA driver.
    #[serde(rename = "dra")]
    Driver,
    /// A device plugin.
    #[serde(rename = "device plugin")]
    Plugin,
}

/// Facts of a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Id of the dialect of its maker; empty where that is not known.
    pub dialect: String,
    /// Whose devices, for people.
    pub product: String,
    /// True if it was run against such devices by us; else nothing is called failed by it.
    pub tried: bool,
    /// Giver of them.
    pub given_by: GivenBy,
    /// True if the subject has a control of its own.
    pub own_control: bool,
}

impl Facts {
    /// The facts of a subject.
    ///
    /// # Errors
    /// When they are of another form than this version writes.
    pub fn of(subject: &Subject) -> Result<Facts, String> {
        Facts::deserialize(&subject.facts)
            .map_err(|error| format!("the facts of {} cannot be read: {error}", subject.id))
    }
}

/// Words of a node, as far as the dialect of its devices reads it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Advert {
    /// Labels and annotations of the node.
    pub node: BTreeMap<String, String>,
    /// Its devices, as a DRA driver publishes them.
    pub devices: Vec<Published>,
}

/// A device in a ResourceSlice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Its name in the slice.
    pub name: String,
    /// Its attributes that are texts or versions.
    pub attributes: BTreeMap<String, String>,
}

/// Findings of a pod that has a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The pod.
    pub pod: String,
    /// Its node.
    pub node: String,
    /// Answer of its device about itself.
    pub device: Device,
    /// Device nodes in its container.
    pub devices: Vec<Seen>,
    /// Files in its container.
    pub files: Vec<ReadFile>,
}

/// Steps that are done next, and findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// Words of nodes with such devices about them.
    Advertised {
        /// By name of the node.
        nodes: BTreeMap<String, Advert>,
    },
    /// A pod is given a device and asked.
    Ask {},
    /// Findings of the pod.
    Found(Found),
    /// The trial is over, and our undoing begins.
    Over {},
}

impl Marks for Mark {}
