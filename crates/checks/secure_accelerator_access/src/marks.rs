//! Marks, the facts of a subject, roles and containers of its pods: what acts and judge may both know.

use aiconform_model::probe::Number;
use aiconform_trial::Marks;
use aiconform_verdict::Subject;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Id of the requirement.
pub const ID: &str = "secure_accelerator_access";
/// With this the ids of subjects begin whose devices are claimed as such.
pub const CLAIMED: &str = "dra";
/// A device that every container may open (OCI runtime specification, default devices): `/dev/null`.
pub const NULL: Number = Number { block: false, major: 1, minor: 3 };

/// Role of pods that ask for one device each; a number follows.
pub const HOLDER: &str = "holder";
/// Role of the pod that asks for two devices.
pub const PAIR: &str = "pair";
/// Role of the pod that asks for none.
pub const PLAIN: &str = "plain";
/// Role of the pod that asks for devices by the environment of its containers.
pub const ASKS: &str = "asks";
/// Role of the pod that makes device nodes by itself.
pub const MAKES: &str = "makes-nodes";
/// Role of the pod that names a claim of another namespace.
pub const BORROWER: &str = "borrower";

/// Container that asks for devices, or the only one of its pod.
pub const MAIN: &str = "probe";
/// Containers before and beside the one that asks for devices.
pub const SIBLINGS: [&str; 2] = ["first", "beside"];
/// Containers of the pod that asks by its environment: for all devices, for the first by its number, and for none.
pub const ASKING: [&str; 3] = ["all", "number", "void"];
/// Container that makes device nodes.
pub const MAKER: &str = "maker";

/// Facts of a subject, as far as the judge reads them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The node on which everything happens; empty where none could be had.
    pub node: String,
    /// True if a pod may be made there that makes device nodes.
    pub makes_nodes: bool,
    /// UUIDs of the devices that the driver names, by `driver/pool/device`.
    pub names: BTreeMap<String, String>,
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

/// Steps that are done next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// Pods that ask for a device each are made, one more than there are free devices, and beside them pods that ask for
    /// none.
    Crowd {
        /// The node.
        node: String,
        /// Its free devices.
        free: u64,
        /// Pods that ask for one.
        asked: u64,
    },
    /// A pod in one namespace names a claim of another.
    Borrow {
        /// The claim.
        claim: String,
        /// Its namespace.
        of: String,
        /// Namespace of the pod.
        #[serde(rename = "in")]
        into: String,
    },
    /// Every container is asked what it sees.
    Look {},
    /// Every container tries what holders of devices were seen to have.
    Try {
        /// Paths to open.
        paths: Vec<String>,
        /// Devices for which to make a node.
        numbers: Vec<Number>,
    },
    /// A claim is tried by dry-run.
    ClaimPlain {
        /// Where.
        namespace: String,
    },
    /// A claim like that of [`Mark::ClaimPlain`], with access for administrators, is tried by dry-run.
    ClaimAdmin {
        /// Where.
        namespace: String,
    },
    /// Containers of a pod are ended, to be started again.
    Restart {
        /// The pod.
        pod: String,
    },
    /// Its containers are asked again.
    LookAgain {
        /// The pod.
        pod: String,
    },
    /// Pods are deleted by us.
    Remove {
        /// Their names.
        names: Vec<String>,
        /// Why.
        why: String,
    },
    /// All that have a device are asked again, after one was let go and given to another.
    LookReleased {
        /// The pod that waited.
        pod: String,
    },
    /// A pod asks for several devices.
    Pair {
        /// Number of them.
        count: u32,
    },
    /// The pod that asks for several devices is asked what it sees.
    LookPair {
        /// The pod.
        pod: String,
    },
    /// The trial is over, and our undoing begins.
    End {},
}

impl Marks for Mark {}

/// Name of the mark with which our undoing begins.
pub const OVER: &[&str] = &["end"];
