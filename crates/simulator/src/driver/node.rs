//! State that every part of the simulator shares, and what it writes on the Node.

use crate::breakage::Breakage;
use crate::driver::cdi;
use crate::driver::error::SimulatorError;
use crate::driver::fleet::Fleet;
use crate::driver::work::Hardware;
use crate::settings::{Form, Plugin, Settings};
use aiconform_cluster::Api;
use aiconform_model::{Kind, Scope};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where the simulator says what it does.
pub type Talk = Arc<dyn Fn(&str) + Send + Sync>;

/// The DRA driver, as a part that serves once the kubelet has registered it.
pub const DRIVER: &str = "DRA driver";
/// The ResourceSlices, as a part that serves once they are published.
pub const SLICES: &str = "ResourceSlices";
/// The Node's annotations and labels, as a part that serves once they are written: without them nobody knows what is a
/// share of what.
const LABELS: &str = "labels of the Node";

/// Pause between two looks at the Node.
const LOOK: Duration = Duration::from_secs(5);

/// A node with simulated devices.
pub struct Node {
    /// Settings with which it was asked for.
    pub settings: Settings,
    /// Its devices.
    pub fleet: Fleet,
    /// Work and memory of the devices.
    pub hardware: Hardware,
    /// Major number of the device nodes.
    pub major: u32,
    /// The API server; without it there are device plugins and metrics only.
    pub api: Option<Api>,
    /// Where it says what it does.
    pub talk: Talk,
    /// Parts that do not serve yet.
    missing: Mutex<BTreeSet<String>>,
}

impl Node {
    /// Makes the devices that the settings ask for.
    ///
    /// # Errors
    /// When there is no major number for them, or the folder of CDI specifications cannot be made.
    pub fn new(settings: Settings, api: Option<Api>, talk: Talk) -> Result<Node, SimulatorError> {
        fs_err::create_dir_all(&settings.cdi)?;
        let fleet = Fleet::new(&settings);
        let major = cdi::major(&settings)?;
        let hardware = Hardware::new(&fleet);
        let driver = if fleet.claimable.devices.is_empty() { &[][..] } else { &[DRIVER, SLICES] };
        let mut missing: BTreeSet<String> = driver.iter().map(|part| (*part).to_owned()).collect();
        missing.extend(fleet.plugins.iter().map(|pool| pool.resource.clone()));
        missing.extend(api.is_some().then(|| LABELS.to_owned()));
        Ok(Node { settings, fleet, hardware, major, api, talk, missing: Mutex::new(missing) })
    }

    /// A part serves: one of the constants of this module, or the resource of a plugin.
    pub fn serves(&self, part: &str) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).remove(part);
    }

    /// The parts that have not served yet.
    pub fn missing(&self) -> Vec<String> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The driver version that is advertised, which need not be the devices' own.
    pub fn advertised_driver_version(&self) -> String {
        self.advertised(&self.settings.driver_version, Breakage::VersionLabelLies)
    }

    /// The runtime version that is advertised, which need not be the devices' own.
    pub fn advertised_runtime_version(&self) -> String {
        self.advertised(&self.settings.runtime_version, Breakage::RuntimeVersionLies)
    }

    fn advertised(&self, version: &str, lie: Breakage) -> String {
        if !self.settings.is_broken(lie) {
            return version.to_owned();
        }
        // One patch release later: close enough to be believed.
        match version.rsplit_once('.').map(|(head, tail)| (head, tail.parse::<u64>())) {
            Some((head, Ok(tail))) => format!("{head}.{}", tail + 1),
            _ => format!("{version}.1"),
        }
    }

    /// Keeps on the Node that it has simulated devices, which versions these advertise, and how they are shared, until it is dropped: a Node
    /// that is made again has lost it.
    pub async fn annotate(&self) {
        let Some(api) = &self.api else { return };
        let mut told = String::new();
        loop {
            let said = match self.annotate_once(api).await {
                Ok(()) => {
                    self.serves(LABELS);
                    String::new()
                }
                Err(error) => format!("the Node cannot be annotated: {error}"),
            };
            if !said.is_empty() && said != told {
                (self.talk)(&said);
            }
            told = said;
            aiconform_wait::pause(LOOK).await;
        }
    }

    async fn annotate_once(&self, api: &Api) -> Result<(), SimulatorError> {
        // What is not advertised is taken away: a simulator before this one may have said it.
        let advertised = !self.settings.is_broken(Breakage::VersionNotAdvertised);
        let version = |version: String| advertised.then_some(version);
        let annotations = BTreeMap::from([
            ("simulator.aiconform.dev/simulated", Some("true".to_owned())),
            ("simulator.aiconform.dev/driver-version", version(self.advertised_driver_version())),
            ("simulator.aiconform.dev/runtime-version", version(self.advertised_runtime_version())),
        ]);
        let labels = labels(&self.settings);
        let name = self.settings.node_name.as_str();
        let found = api.get(&Scope::default(), &Kind::node(), "", name).await?;
        if annotations
            .iter()
            .any(|(key, value)| found.annotation(key) != value.as_deref().unwrap_or_default())
            || labels.iter().any(|(key, value)| found.label(key) != value)
        {
            let patch = json!({"metadata": {"annotations": annotations, "labels": labels}});
            api.merge(&Scope::default(), &Kind::node(), ("", name), "", &patch).await?;
        }
        Ok(())
    }
}

/// Labels of the Node about each plugin's resource: how many devices there are, and in how many shares each
/// is given out. The keys are the resource's name and what NVIDIA's feature discovery writes behind it.
fn labels(settings: &Settings) -> BTreeMap<String, String> {
    let of = |plugin: &Plugin| {
        let (replicas, strategy) = match plugin.form {
            Form::Shared { shares } => (shares, "time-slicing"),
            _ => (1, "none"),
        };
        let said = [
            ("count", plugin.count.to_string()),
            ("replicas", replicas.to_string()),
            ("sharing-strategy", strategy.to_owned()),
        ];
        said.map(|(key, value)| (format!("{}.{key}", plugin.resource), value))
    };
    settings.plugins.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_how_many_devices_and_shares_there_are_whatever_is_given_out() {
        let settings = Settings {
            plugins: ["a.b/gpu.shared=shared:1x3", "a.b/mig=partition:2"]
                .map(|text| text.parse().unwrap())
                .into(),
            breakages: vec![Breakage::SharesWithoutEnd],
            ..Settings::default()
        };
        let labels = labels(&settings);
        let of = |key: &str| labels[key].as_str();
        assert_eq!(
            [
                "gpu.shared.count",
                "gpu.shared.replicas",
                "gpu.shared.sharing-strategy",
                "mig.count",
                "mig.replicas"
            ]
            .map(|key| of(&format!("a.b/{key}"))),
            ["1", "3", "time-slicing", "2", "1"]
        );
    }
}
