//! Simulated accelerators under a maker's names, so that a test that knows makers by name can be tried on a lab.

use aiconform_simulator::Settings;
use serde::{Deserialize, Serialize};

/// A maker as whose accelerators the simulated ones pose; they stay known as simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pose {
    /// `gpu.nvidia.com` and `nvidia.com/gpu`, with `/dev/nvidia0` and so on, worked on by `libcuda.so.1`.
    Nvidia,
}

impl Pose {
    /// The pose of a name.
    pub fn named(name: &str) -> Option<Pose> {
        serde_json::from_value(name.into()).ok()
    }

    /// The settings under this maker's names; `ours` is the domain of the names that are replaced.
    pub fn dress(self, settings: &mut Settings, ours: &str) {
        let Pose::Nvidia = self;
        settings.driver = "gpu.nvidia.com".into();
        settings.device_class = "gpu.nvidia.com".into();
        settings.device_path = "/dev/nvidia{index}".into();
        settings.cuda = true;
        for plugin in &mut settings.plugins {
            plugin.resource = plugin.resource.replace(ours, "nvidia.com");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pose_changes_names_and_nothing_else() {
        let plain = Settings { plugins: vec!["a.b/gpu=whole:2".parse().unwrap()], ..Settings::default() };
        let mut posing = plain.clone();
        Pose::named("nvidia").unwrap().dress(&mut posing, "a.b");
        assert_eq!(posing.plugins[0].resource, "nvidia.com/gpu");
        assert_eq!(posing.device_path, "/dev/nvidia{index}");
        assert_eq!((posing.devices, posing.memory), (plain.devices, plain.memory));
        assert_eq!(Pose::named("none"), None);
    }
}
