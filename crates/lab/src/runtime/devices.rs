//! The simulated devices of the node, and whom the kubelet gave them.

use crate::error::LabError;
use camino::Utf8Path;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One of them, as the runtime would inject it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Path of its node in a container.
    pub path: String,
    /// Major number.
    pub major: u64,
    /// Work socket: its path on the node, and in a container.
    pub socket: (String, String),
    /// UUID by which it calls itself, where a specification says so.
    pub uuid: Option<String>,
}

/// All of them, by minor number.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    devices: BTreeMap<u64, Device>,
    /// Minor numbers by the name under which CDI knows them (`vendor/class=name`).
    names: BTreeMap<String, BTreeSet<u64>>,
}

impl Devices {
    /// Devices of the simulator on this node: what its CDI specifications name, and what has a work socket.
    ///
    /// # Errors
    /// When a folder cannot be read; that there is none yet is no error.
    pub fn of_node(folder: &Utf8Path) -> Result<Devices, LabError> {
        let mut found = Devices::default();
        for (name, path) in files(&folder.join("cdi"))? {
            // A claim's specification may go while we read.
            if name.ends_with(".json")
                && let Ok(text) = fs_err::read_to_string(path)
                && let Ok(specification) = serde_json::from_str(&text)
            {
                found.read(&specification);
            }
        }
        // A device that nobody has claimed is in no specification, but has a socket (`3.sock`, or `3-1.sock` for a share)
        // and is otherwise like its neighbours.
        let like = found.devices.first_key_value().map(|(minor, device)| (*minor, device.clone()));
        for (name, path) in files(&folder.join("kubelet/plugins/aiconform-simulator"))? {
            let number = name.strip_suffix(".sock").and_then(|name| name.split('-').next()?.parse().ok());
            if let (Some(minor), Some((other, like))) = (number, &like) {
                found.devices.entry(minor).or_insert_with(|| Device {
                    path: renumbered(&like.path, "", *other, minor),
                    major: like.major,
                    socket: (path, renumbered(&like.socket.1, ".sock", *other, minor)),
                    uuid: None,
                });
            }
        }
        Ok(found)
    }

    fn read(&mut self, specification: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let many = |value: &Value| value.as_array().cloned().unwrap_or_default();
        for device in many(&specification["devices"]) {
            let edits = &device["containerEdits"];
            let name = format!("{}={}", text(&specification["kind"]), text(&device["name"]));
            for node in many(&edits["deviceNodes"]) {
                let (Some(major), Some(minor)) = (node["major"].as_u64(), node["minor"].as_u64()) else {
                    continue;
                };
                let mounts = many(&edits["mounts"]);
                let mount = mounts
                    .iter()
                    .find(|mount| text(&mount["containerPath"]).ends_with(&format!("/{minor}.sock")));
                let socket = mount
                    .map(|mount| (text(&mount["hostPath"]), text(&mount["containerPath"])))
                    .unwrap_or_default();
                let key = format!("AICONFORM_DEVICE_{minor}=");
                let uuid = many(&edits["env"])
                    .iter()
                    .find_map(|line| Some(line.as_str()?.strip_prefix(&key)?.to_owned()));
                self.names.entry(name.clone()).or_default().insert(minor);
                let device = Device { path: text(&node["path"]), major, socket, uuid };
                self.devices.entry(minor).or_insert(device);
            }
        }
    }

    /// The device of this minor number.
    pub fn at(&self, minor: u64) -> Option<&Device> {
        self.devices.get(&minor)
    }

    /// Every minor number.
    pub fn all(&self) -> BTreeSet<u64> {
        self.devices.keys().copied().collect()
    }

    /// The neighbour of a device: the one with the next number, and the first after the last.
    pub fn after(&self, minor: u64) -> Option<u64> {
        let next = self.devices.range(minor + 1..).next().or_else(|| self.devices.iter().next());
        next.map(|(minor, _)| *minor)
    }

    /// Minor numbers of these names in CDI.
    pub fn named(&self, names: &BTreeSet<String>) -> BTreeSet<u64> {
        names.iter().filter_map(|name| self.names.get(name)).flatten().copied().collect()
    }

    /// Minor numbers that a variable asks a vendor's runtime for: `all`, or numbers and UUIDs with commas
    /// between them.
    pub fn asked_for(&self, wanted: &str) -> BTreeSet<u64> {
        if wanted == "all" {
            return self.all();
        }
        let asked = |minor: u64, device: &Device| {
            wanted.split(',').any(|word| {
                word.parse() == Ok(minor) || device.uuid.as_deref().is_some_and(|uuid| uuid == word)
            })
        };
        let devices = self.devices.iter();
        devices.filter(|(minor, device)| asked(**minor, device)).map(|(minor, _)| *minor).collect()
    }
}

/// A path that ends in a device's number, for the device of another number.
fn renumbered(path: &str, end: &str, number: u64, other: u64) -> String {
    match path.strip_suffix(&format!("{number}{end}")) {
        Some(begin) => format!("{begin}{other}{end}"),
        None => path.to_owned(),
    }
}

/// Names and paths of what lies in a folder; nothing where there is no folder.
fn files(folder: &Utf8Path) -> Result<Vec<(String, String)>, LabError> {
    match folder.read_dir_utf8() {
        Ok(entries) => {
            let entries = entries.filter_map(Result::ok);
            Ok(entries.map(|entry| (entry.file_name().to_owned(), entry.path().to_string())).collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Names in CDI of what all containers of a pod are given, as the kubelet wrote it down before it started any of them:
/// devices of claims (`dra_manager_state`, since Kubernetes 1.34 of version 1) and of device plugins
/// (`kubelet_internal_checkpoint`).
///
/// # Errors
/// When a file cannot be read; that there is none yet is no error.
pub fn given_to_pod(folder: &Utf8Path, pod: &str) -> Result<BTreeSet<String>, LabError> {
    let mut names = BTreeSet::new();
    let claims = stored(&folder.join("kubelet/dra_manager_state"))?;
    // JSON as a string in JSON, with a checksum beside it.
    let data: Value =
        claims["Data"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let no_claims = Vec::new();
    for claim in data["ClaimInfoStateList"].as_array().unwrap_or(&no_claims) {
        if claim["PodUIDs"].get(pod).is_some() {
            collect(&claim["DriverState"], &mut names);
        }
    }
    let plugins = stored(&folder.join("device-plugins/kubelet_internal_checkpoint"))?;
    for entry in plugins["Data"]["PodDeviceEntries"].as_array().unwrap_or(&no_claims) {
        let lists = entry["DeviceIDs"].as_object().into_iter().flat_map(|numa| numa.values());
        if entry["PodUID"] == pod {
            let ids = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
            names.extend(ids.map(name_of_id));
        }
    }
    Ok(names)
}

/// The name in CDI of what the kubelet knows under this id: `gpu-8::0` is the first share of a device.
fn name_of_id(id: &str) -> String {
    let share = id.split_once("::").and_then(|(device, share)| Some((device, share.parse::<u64>().ok()?)));
    match share {
        Some((device, share)) => format!("simulator.aiconform.dev/device={device}-share-{}", share + 1),
        None => format!("simulator.aiconform.dev/device={id}"),
    }
}

/// All `CDIDeviceIDs` below a value.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field.as_array() {
                    Some(list) if key == "CDIDeviceIDs" => {
                        names.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => collect(field, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

fn stored(file: &Utf8Path) -> Result<Value, LabError> {
    match fs_err::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| LabError::State(file.to_owned(), error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(error.into()),
    }
}
