//! Answers of the probe, as they stand in the evidence: data that judges read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Answer of a device about itself: in its own words where it is simulated, and in those of a load where there is one for it;
/// nothing where nobody can ask it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Device(pub Value);

impl Device {
    /// Tells whether it answered.
    pub fn answered(&self) -> bool {
        self.0.is_object()
    }

    /// Tells whether it is simulated. Before there were loads, only such devices answered.
    pub fn is_simulated(&self) -> bool {
        self.answered() && self.0.get("simulated").and_then(Value::as_bool).unwrap_or(true)
    }

    /// Tells whether a load said it, and not the device itself.
    pub fn is_of_load(&self) -> bool {
        self.0.get("told").is_some()
    }

    /// Names by which the runtime and the kernel know what the container has, where the device says another: it is that of a
    /// stranger.
    pub fn belied(&self) -> Option<Vec<&str>> {
        let own = self.text("uuid")?;
        // A part and the whole that it is of are not of one kind.
        let kind = |name: &str| name.split('-').next().map(str::to_ascii_lowercase);
        let told = self.0.get("told").and_then(Value::as_array).into_iter().flatten();
        let told: Vec<&str> = told.filter_map(Value::as_str).filter(|name| kind(name) == kind(own)).collect();
        let known = told.is_empty() || told.iter().any(|name| name.eq_ignore_ascii_case(own));
        (!known).then_some(told)
    }

    /// A text that it says.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// A number that it says.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }
}

/// Result of a load that a device was put under for some time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// Milliseconds that were asked for.
    pub asked: u64,
    /// Milliseconds that the device says it worked.
    pub done: u64,
    /// Words for the fault; empty where there was none.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_that_runtime_and_kernel_do_not_know_is_that_of_a_stranger() {
        let belied = |uuid: &str, told: &[&str]| {
            Device(json!({"uuid": uuid, "told": told})).belied().map(|told| told.join(" "))
        };
        assert_eq!(belied("GPU-a", &["GPU-b"]), Some("GPU-b".into()));
        assert_eq!((belied("GPU-a", &["GPU-b", "gpu-A"]), belied("GPU-a", &[])), (None, None));
        // The kernel tells of the whole.
        assert_eq!((belied("MIG-a", &["GPU-b"]), Device(json!({"uuid": "GPU-a"})).belied()), (None, None));
    }

    #[test]
    fn devices_of_runs_before_there_were_loads_are_simulated() {
        let of = |device: Value| Device(device).is_simulated();
        assert!(of(json!({"uuid": "GPU-a"})) && of(json!({"simulated": true})));
        assert!(!of(json!({"simulated": false})) && !of(Value::Null));
    }
}
