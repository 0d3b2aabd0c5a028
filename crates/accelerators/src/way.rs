//! Ways in which accelerators are given to pods, as data: judges may read it.

use serde_json::{Value, json};

/// Taint by which nodes with accelerators often keep other pods away, whoever made the accelerators.
const TAINT: &str = "nvidia.com/gpu";

/// Way in which a pod asks for an accelerator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A claim on a device of this class.
    Class(String),
    /// An extended resource.
    Resource(String),
}

impl Way {
    /// Name of the class or the resource.
    pub fn name(&self) -> &str {
        match self {
            Way::Class(name) | Way::Resource(name) => name,
        }
    }

    /// Tolerations of the taints that nodes with accelerators have which are asked for in these ways: the common one, and
    /// one of each resource's own name.
    pub fn tolerations<'a>(ways: impl IntoIterator<Item = &'a Way>) -> Vec<Value> {
        let resources = ways.into_iter().filter_map(|way| match way {
            Way::Resource(name) => Some(name.as_str()),
            Way::Class(_) => None,
        });
        let toleration = |key: &str| json!({"key": key, "operator": "Exists"});
        resources.chain([TAINT]).map(toleration).collect()
    }
}

/// Giver of devices to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A DRA driver, asked by a claim.
    Dra,
    /// A DRA driver, asked by the extended resource that stands for a DeviceClass (KEP-5004).
    DraByResource,
    /// A device plugin, asked by an extended resource.
    DevicePlugin,
}

impl Mode {
    /// Its name, with which the ids of subjects and adapters begin.
    pub fn id(self) -> &'static str {
        match self {
            Mode::Dra => "dra",
            Mode::DraByResource => "dra-by-resource",
            Mode::DevicePlugin => "device-plugin",
        }
    }
}
