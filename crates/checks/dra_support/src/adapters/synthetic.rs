//! Devices that the run itself publishes for one node, under a driver's name of its own, so that nobody else is
//! concerned. No driver stands behind them: what claims one is allocated and bound, and never starts.

use crate::reading::{class, slice};
use aiconform_model::Kind;
use serde_json::{Value, json};

/// The subject.
pub const ID: &str = "synthetic";
/// Names the run's drivers, below the run's id.
const DOMAIN: &str = "dra.aiconform.dev";
/// The taint of those devices that have one.
const TAINT: &str = "worn";

/// A device.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// Its name.
    pub name: &'static str,
    /// Its model, a text.
    pub model: &'static str,
    /// Its memory, a quantity.
    pub memory: &'static str,
    /// Set if it has a taint, `NoSchedule`.
    pub tainted: bool,
}

impl Device {
    /// A device without a taint.
    pub const fn new(name: &'static str, model: &'static str, memory: &'static str) -> Device {
        Device { name, model, memory, tainted: false }
    }
}

/// The names of a run's devices.
#[derive(Clone, Debug)]
pub struct Names {
    /// The run's id.
    pub run: String,
}

impl Names {
    /// Name of the driver, which is also the domain of its devices' attributes.
    pub fn driver(&self) -> String {
        format!("{}.{DOMAIN}", self.run)
    }

    /// Name of the class of a trial's devices.
    pub fn class(&self, trial: &str) -> String {
        format!("{trial}.{}", self.driver())
    }

    /// Name of the slice of a trial's devices.
    pub fn slice(&self, trial: &str) -> String {
        format!("aiconform-{}-dra-{trial}", self.run)
    }

    /// Selects devices of this model (CEL).
    pub fn model_is(&self, model: &str) -> String {
        format!("device.attributes['{}'].model == '{model}'", self.driver())
    }

    /// Selects devices with at least so much memory (CEL).
    pub fn memory_is_at_least(&self, memory: &str) -> String {
        format!("device.capacity['{}'].memory.compareTo(quantity('{memory}')) >= 0", self.driver())
    }

    /// The slice of a trial's devices on a node, and their class.
    pub fn published(&self, trial: &str, node: &str, devices: &[Device]) -> Vec<(Kind, Value)> {
        let driver = self.driver();
        let devices: Vec<Value> = devices
            .iter()
            .map(|device| {
                let mut published = json!({"name": device.name,
                    "attributes": {"trial": {"string": trial}, "model": {"string": device.model}},
                    "capacity": {"memory": {"value": device.memory}}});
                if device.tainted {
                    let domain = &driver;
                    published["taints"] =
                        json!([{"key": format!("{domain}/{TAINT}"), "effect": "NoSchedule"}]);
                }
                published
            })
            .collect();
        // By a selector: a kubelet takes away what is published under its name by drivers that it does not know.
        let slice_object = json!({"apiVersion": slice().api_version(), "kind": slice().kind,
            "metadata": {"name": self.slice(trial)},
            "spec": {"driver": driver, "pool": {"name": trial, "generation": 1, "resourceSliceCount": 1},
                "nodeSelector": {"nodeSelectorTerms": [
                    {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]},
                "devices": devices}});
        let expression =
            format!("device.driver == '{driver}' && device.attributes['{driver}'].trial == '{trial}'");
        let class_object = json!({"apiVersion": class().api_version(), "kind": class().kind,
            "metadata": {"name": self.class(trial)}, "spec": {"selectors": [{"cel": {"expression": expression}}]}});
        vec![(slice(), slice_object), (class(), class_object)]
    }

    /// Tolerates the taint.
    pub fn tolerations(&self) -> Value {
        json!([{"key": format!("{}/{TAINT}", self.driver()), "operator": "Exists", "effect": "NoSchedule"}])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_selects_the_devices_of_its_trial_and_only_tainted_ones_have_taints() {
        let names = Names { run: "0a1b2c3d".into() };
        let worn = Device { tainted: true, ..Device::new("b", "m", "1Gi") };
        let objects = names.published("taints", "node-0", &[Device::new("a", "m", "1Gi"), worn]);
        let devices = objects[0].1["spec"]["devices"].as_array().unwrap();
        let tainted: Vec<bool> = devices.iter().map(|device| device["taints"].is_array()).collect();
        assert_eq!(tainted, [false, true]);
        let taint = &devices[1]["taints"][0];
        assert_eq!(taint["key"], names.tolerations()[0]["key"]);
        let expression = objects[1].1["spec"]["selectors"][0]["cel"]["expression"].as_str().unwrap();
        assert!(expression.contains(&names.driver()) && expression.ends_with(".trial == 'taints'"));
        // A limit of the API: a driver's name has 63 characters.
        assert!(names.driver().len() <= 63);
    }
}
