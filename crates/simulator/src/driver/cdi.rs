//! CDI specifications (version 0.6.0) of what the container runtime injects, and the folder they lie in.

use crate::driver::fleet::{Device, Fleet, Pool};
use crate::settings::Settings;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use std::io;

/// Kind of the devices of plugins.
pub const DEVICE: &str = "simulator.aiconform.dev/device";
/// Kind of the devices of claims.
pub const CLAIM: &str = "simulator.aiconform.dev/claim";
/// All files of ours begin so.
const PREFIX: &str = "aiconform-simulator-";

/// Folder of the devices' work sockets: below the kubelet's, so that host and simulator see it at the same path.
pub fn socket_folder(settings: &Settings) -> Utf8PathBuf {
    settings.kubelet_root.join("plugins/aiconform-simulator")
}

/// A device's work socket on the host.
pub fn socket(settings: &Settings, device: &Device, share: Option<u32>) -> Utf8PathBuf {
    let share = share.map(|share| format!("-{share}")).unwrap_or_default();
    socket_folder(settings).join(format!("{}{share}.sock", device.index))
}

/// Name of a device of a plugin, for CDI: `gpu-0`, or `gpu-0-share-2`.
pub fn name(device: &Device, share: Option<u32>) -> String {
    let share = share.map(|share| format!("-share-{share}")).unwrap_or_default();
    format!("{}{share}", device.name)
}

/// The stand-in for the driver's library, where this program's image has it.
const LIBRARY: &str = "/libcuda.so.1";
/// Names under which a container finds it, as NVIDIA's toolkit puts them there.
const LIBRARIES: [&str; 2] = ["libcuda.so.1", "libnvidia-ml.so.1"];
/// Folder of the sockets in a container whose devices are worked on by that library.
const BEHIND: &str = "/run/simulated-cuda";

/// Puts the library where the container runtime finds it.
///
/// # Errors
/// When the image has none, or the folder cannot be written to.
pub fn place_library(settings: &Settings) -> io::Result<()> {
    let folder = socket_folder(settings);
    fs_err::create_dir_all(&folder)?;
    let draft = folder.join("libcuda.draft");
    fs_err::copy(LIBRARY, &draft)?;
    fs_err::rename(draft, folder.join(LIBRARIES[0]))
}

/// Edits that a holder of these devices finds in its container.
pub fn edits(settings: &Settings, major: u32, devices: &[&Device], share: Option<u32>) -> Value {
    let mut environment = vec!["AICONFORM_SIMULATED=1".to_owned()];
    let (mut nodes, mut mounts) = (Vec::new(), Vec::new());
    for device in devices {
        let index = device.index;
        environment.push(format!("AICONFORM_DEVICE_{index}={}", device.uuid));
        nodes.push(json!({
            "path": settings.device_path.replace("{index}", &index.to_string()),
            "type": "c", "major": major, "minor": index, "fileMode": 0o666, "permissions": "rw",
        }));
        // A breakage may inject another device than the shared one.
        let share = share.filter(|share| *share <= device.shares && device.shares > 1);
        let share = share.or_else(|| device.share_numbers().first().copied().flatten());
        let folder = if settings.cuda { BEHIND } else { "/run/accelerator" };
        mounts.push(json!({
            "hostPath": socket(settings, device, share),
            "containerPath": format!("{folder}/{index}.sock"),
            "options": ["bind", "rw"],
        }));
    }
    for name in LIBRARIES.iter().filter(|_| settings.cuda && !devices.is_empty()) {
        mounts.push(json!({
            "hostPath": socket_folder(settings).join(LIBRARIES[0]),
            "containerPath": format!("/usr/lib/{}-linux-gnu/{name}", std::env::consts::ARCH),
            "options": ["bind", "ro"],
        }));
    }
    let mut edits = json!({"env": environment});
    if !nodes.is_empty() {
        edits["deviceNodes"] = nodes.into();
        edits["mounts"] = mounts.into();
    }
    edits
}

/// The specification of all devices of plugins, each share of a shared one by itself.
pub fn plugins(settings: &Settings, fleet: &Fleet, major: u32) -> Value {
    let device = |pool: &Pool, device: &Device, share: Option<u32>| {
        let injected = fleet.injected(settings, pool, device);
        json!({"name": name(device, share), "containerEdits": edits(settings, major, &injected, share)})
    };
    let mut devices = Vec::new();
    for pool in &fleet.plugins {
        for given in pool.devices.iter().filter_map(|index| fleet.at(*index)) {
            devices.extend(given.share_numbers().into_iter().map(|share| device(pool, given, share)));
        }
    }
    json!({"cdiVersion": "0.6.0", "kind": DEVICE, "devices": devices})
}

/// File of the plugins' devices.
pub fn plugins_file(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join(format!("{PREFIX}devices.json"))
}

/// File of a claim.
pub fn claim_file(folder: &Utf8Path, uid: &str) -> Utf8PathBuf {
    folder.join(format!("{PREFIX}claim-{uid}.json"))
}

/// Contents of all files of claims in the folder; one that cannot be read is left out, as the runtime leaves it out.
pub fn claims(folder: &Utf8Path) -> io::Result<Vec<Value>> {
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let name = entry.file_name();
        if name.starts_with(&format!("{PREFIX}claim-"))
            && name.ends_with(".json")
            && let Ok(text) = fs_err::read_to_string(entry.path())
            && let Ok(specification) = serde_json::from_str(&text)
        {
            found.push(specification);
        }
    }
    Ok(found)
}

/// Writes a specification so that nobody ever reads half of it.
pub fn write(file: &Utf8Path, specification: &Value) -> io::Result<()> {
    // The runtime reads files that end in .json only.
    let draft = file.with_extension("draft");
    fs_err::write(&draft, format!("{specification:#}\n"))?;
    fs_err::rename(draft, file)
}

/// Removes a specification; one that is not there is no error.
pub fn remove(file: &Utf8Path) -> io::Result<()> {
    match fs_err::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The major number of the device nodes: the one set, else the first from 240 to 254, the range for local and
/// experimental use (Linux `Documentation/admin-guide/devices.txt`), that no driver of this kernel has.
pub fn major(settings: &Settings) -> io::Result<u32> {
    if let Some(major) = settings.major {
        return Ok(major);
    }
    let text = fs_err::read_to_string("/proc/devices")?;
    free_major(&text)
        .ok_or_else(|| io::Error::other("all majors from 240 to 254 have drivers: name one with --major"))
}

fn free_major(devices: &str) -> Option<u32> {
    let characters = devices.split("Block devices:").next().unwrap_or(devices);
    let taken: Vec<u32> =
        characters.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    (240..=254).find(|major| !taken.contains(major))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_finds_the_node_the_socket_and_the_name_of_its_device() {
        let settings = Settings { kubelet_root: "/k".into(), ..Settings::default() };
        let fleet = Fleet::new(&settings);
        let found = edits(&settings, 241, &[&fleet.devices[1]], None);
        let expected = json!({
            "env": ["AICONFORM_SIMULATED=1", format!("AICONFORM_DEVICE_1={}", fleet.devices[1].uuid)],
            "deviceNodes": [{"path": "/dev/accel1", "type": "c", "major": 241, "minor": 1, "fileMode": 438,
                "permissions": "rw"}],
            "mounts": [{"hostPath": "/k/plugins/aiconform-simulator/1.sock",
                "containerPath": "/run/accelerator/1.sock", "options": ["bind", "rw"]}],
        });
        assert_eq!(found, expected);
        assert_eq!(edits(&settings, 241, &[], None), json!({"env": ["AICONFORM_SIMULATED=1"]}));

        let settings = Settings { cuda: true, ..settings };
        let both = edits(&settings, 241, &[&fleet.devices[0], &fleet.devices[1]], None);
        let paths: Vec<&str> = both["mounts"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|mount| mount["containerPath"].as_str())
            .collect();
        let library = |name: &str| format!("/usr/lib/{}-linux-gnu/{name}", std::env::consts::ARCH);
        assert_eq!(
            paths,
            [
                "/run/simulated-cuda/0.sock",
                "/run/simulated-cuda/1.sock",
                &library("libcuda.so.1"),
                &library("libnvidia-ml.so.1")
            ]
        );
        assert_eq!(edits(&settings, 241, &[], None), json!({"env": ["AICONFORM_SIMULATED=1"]}));
    }

    #[test]
    fn shares_have_one_node_and_a_socket_each() {
        let settings = Settings {
            devices: 0,
            plugins: vec!["a.b/s=shared:1x2".parse().unwrap()],
            ..Settings::default()
        };
        let specification = plugins(&settings, &Fleet::new(&settings), 240);
        let at = |pointer: &str| specification.pointer(pointer).unwrap().as_str().unwrap();
        assert_eq!((at("/devices/0/name"), at("/devices/1/name")), ("gpu-0-share-1", "gpu-0-share-2"));
        for number in 0..2 {
            assert_eq!(at(&format!("/devices/{number}/containerEdits/deviceNodes/0/path")), "/dev/accel0");
        }
        assert!(at("/devices/1/containerEdits/mounts/0/hostPath").ends_with("/0-2.sock"));
    }

    #[test]
    fn the_first_major_without_a_driver_is_taken() {
        let devices = "Character devices:\n  1 mem\n240 x\n241 y\n\nBlock devices:\n242 z\n";
        assert_eq!(free_major(devices), Some(242));
        let all: String = (240..255).map(|major| format!("{major} x\n")).collect();
        assert_eq!(free_major(&all), None);
    }

    #[test]
    fn files_are_written_whole_and_removed_twice() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let file = claim_file(folder, "u");
        write(&file, &json!({"a": 1})).unwrap();
        fs_err::write(claim_file(folder, "torn"), "{").unwrap();
        assert_eq!(claims(folder).unwrap(), [json!({"a": 1})]);
        remove(&file).unwrap();
        remove(&file).unwrap();
        assert!(claims(folder).unwrap().is_empty());
    }
}
