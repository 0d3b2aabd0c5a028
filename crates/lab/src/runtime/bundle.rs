//! Description of a container that is to be made: the bundle's `config.json` (OCI runtime specification 1.0).

use super::devices::Devices;
use crate::error::LabError;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A container of a pod that is about to be made.
pub struct Bundle {
    file: Utf8PathBuf,
    before: Value,
    config: Value,
}

impl Bundle {
    /// Reads it; nothing where it is the container that only holds a pod's namespaces.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(folder: &Utf8Path) -> Result<Option<Bundle>, LabError> {
        let file = folder.join("config.json");
        let config: Value = serde_json::from_slice(&fs_err::read(&file)?)
            .map_err(|error| LabError::State(file.clone(), error))?;
        let is_container = config["annotations"]["io.kubernetes.cri.container-type"] == "container";
        Ok(is_container.then(|| Bundle { file, before: config.clone(), config }))
    }

    /// Writes what was changed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<(), LabError> {
        if self.config == self.before {
            return Ok(());
        }
        Ok(fs_err::write(&self.file, self.config.to_string())?)
    }

    /// UID of its pod.
    pub fn pod(&self) -> &str {
        self.annotation("io.kubernetes.cri.sandbox-uid")
    }

    /// Its name in its pod.
    pub fn container(&self) -> &str {
        self.annotation("io.kubernetes.cri.container-name")
    }

    fn annotation(&self, key: &str) -> &str {
        self.config["annotations"][key].as_str().unwrap_or_default()
    }

    /// Value of an environment variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let lines = self.config["process"]["env"].as_array()?.iter();
        // Of two, a program sees the last.
        lines.filter_map(Value::as_str).rev().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }

    /// Minor numbers of those devices that it is to have.
    pub fn has(&self, devices: &Devices) -> BTreeSet<u64> {
        let nodes = self.config["linux"]["devices"].as_array().into_iter().flatten();
        let numbers = nodes.filter_map(|node| Some((node["major"].as_u64()?, node["minor"].as_u64()?)));
        let ours =
            numbers.filter(|(major, minor)| devices.at(*minor).is_some_and(|device| device.major == *major));
        ours.map(|(_, minor)| minor).collect()
    }

    /// Gives it these devices, as if it had been given them: node, rule of the device cgroup, work socket, variables.
    pub fn give(&mut self, devices: &Devices, wanted: &BTreeSet<u64>) {
        let has = self.has(devices);
        for minor in wanted.difference(&has) {
            let Some(device) = devices.at(*minor) else { continue };
            let major = device.major;
            let node =
                json!({"path": device.path, "type": "c", "major": major, "minor": minor, "fileMode": 0o666});
            let rule = json!({"allow": true, "type": "c", "major": major, "minor": minor, "access": "rw"});
            let linux = &mut self.config["linux"];
            push(&mut linux["devices"], node);
            push(&mut linux["resources"]["devices"], rule);
            let (source, destination) = &device.socket;
            // A device that was never brought up has none.
            if Utf8Path::new(source).exists() {
                let mount = json!({"source": source, "destination": destination, "options": ["bind", "rw"]});
                push(&mut self.config["mounts"], mount);
            }
            // Whatever else is wrong, it stays known as simulated.
            let own = device.uuid.as_ref().map(|uuid| format!("AICONFORM_DEVICE_{minor}={uuid}"));
            for line in std::iter::once("AICONFORM_SIMULATED=1".to_owned()).chain(own) {
                let key = line.split('=').next().unwrap_or_default();
                if self.variable(key).is_none() {
                    push(&mut self.config["process"]["env"], line.into());
                }
            }
        }
    }

    /// Lets it make and open every device there is.
    pub fn allow_all_devices(&mut self) {
        self.config["linux"]["resources"]["devices"] = json!([{"allow": true, "access": "rwm"}]);
    }
}

/// Adds to a list, which is made where there is none.
fn push(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(list) => list.push(item),
        None => *list = json!([item]),
    }
}
