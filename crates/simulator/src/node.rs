//! What every part of the simulator shares, and what it writes on the Node.

use crate::breakage::Breakage;
use crate::cdi;
use crate::error::SimulatorError;
use crate::fleet::Fleet;
use crate::settings::Settings;
use crate::work::Hardware;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Scope};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the simulator says what it does.
pub type Talk = Arc<dyn Fn(&str) + Send + Sync>;

/// The DRA driver, as a part that serves once the kubelet has registered it.
pub const DRIVER: &str = "DRA driver";
/// The ResourceSlices, as a part that serves once they are published.
pub const SLICES: &str = "ResourceSlices";

/// A node with simulated devices.
pub struct Node {
    /// How it was asked for.
    pub settings: Settings,
    /// Its devices.
    pub fleet: Fleet,
    /// What the devices do.
    pub hardware: Hardware,
    /// Major number of the device nodes.
    pub major: u32,
    /// The API server; without it there are device plugins and metrics only.
    pub api: Option<Api>,
    /// Where it says what it does.
    pub talk: Talk,
    /// What does not serve yet.
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
        if !self.settings.is_broken(Breakage::VersionLabelLies) {
            return self.settings.driver_version.clone();
        }
        // One patch release later: close enough to be believed.
        let version = &self.settings.driver_version;
        match version.rsplit_once('.').map(|(head, tail)| (head, tail.parse::<u64>())) {
            Some((head, Ok(tail))) => format!("{head}.{}", tail + 1),
            _ => format!("{version}.1"),
        }
    }

    /// Writes on the Node that it has simulated devices, and which versions these advertise.
    ///
    /// # Errors
    /// When the API server refuses or does not answer.
    pub async fn annotate(&self) -> Result<(), SimulatorError> {
        let Some(api) = &self.api else { return Ok(()) };
        let patch = json!({"metadata": {"annotations": {
            "simulator.aiconform.dev/simulated": "true",
            "simulator.aiconform.dev/driver-version": self.advertised_driver_version(),
            "simulator.aiconform.dev/runtime-version": self.settings.runtime_version,
        }}});
        let name = self.settings.node_name.as_str();
        api.merge(&Scope::default(), &Kind::node(), ("", name), "", &patch).await?;
        Ok(())
    }
}
