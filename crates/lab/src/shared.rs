//! Things that labs of one host share: folders at fixed places, and settings of the kernel that no namespace
//! holds. The first lab writes down what was before it changes it, the last one puts it back.

use crate::error::LabError;
use crate::state::ROOT;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

/// Settings of the kernel that a kubelet changes and that no namespace holds.
const KERNEL: &[&str] = &[
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// Folders at fixed places, in the order in which they are made.
const FOLDERS: &[&str] = &["/var/lib/kubelet", "/var/lib/kubelet/device-plugins", "/var/lib/cni"];

/// State of the host before the first lab.
#[derive(Serialize, Deserialize)]
struct Before {
    kernel: BTreeMap<String, String>,
    made: Vec<String>,
}

fn file() -> Utf8PathBuf {
    Utf8Path::new(ROOT).join("before.json")
}

/// Holds the folder of all labs for as long as the value lives.
///
/// # Errors
/// When the folder cannot be made or locked.
pub fn lock() -> Result<fs_err::File, LabError> {
    loop {
        fs_err::create_dir_all(ROOT)?;
        let Ok(folder) = fs_err::File::open(ROOT) else { continue };
        rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive)
            .map_err(std::io::Error::from)?;
        // Whoever held it may have removed it as the last one.
        let held = folder.metadata()?.ino();
        if fs_err::metadata(ROOT).is_ok_and(|now| now.ino() == held) {
            return Ok(folder);
        }
    }
}

/// Writes down how the host is, unless another lab has done so, and makes the folders that are missing.
///
/// # Errors
/// When something cannot be read or made.
pub fn enter() -> Result<(), LabError> {
    let _lock = lock()?;
    if !file().exists() {
        let value = |name: &&str| {
            Some(((*name).to_owned(), fs_err::read_to_string(format!("/proc/sys/{name}")).ok()?))
        };
        let missing = FOLDERS.iter().filter(|folder| !Utf8Path::new(folder).exists());
        let before = Before {
            kernel: KERNEL.iter().filter_map(value).collect(),
            made: missing.map(|folder| (*folder).to_owned()).collect(),
        };
        let text = serde_json::to_vec(&before).map_err(|error| LabError::State(file(), error))?;
        // Written down before anything is done, so that it can be undone whatever happens.
        let new = file().with_extension("new");
        fs_err::write(&new, text)?;
        fs_err::rename(new, file())?;
    }
    for folder in FOLDERS {
        fs_err::create_dir_all(folder)?;
    }
    Ok(())
}

/// Removes a lab's state folder, and with the last one puts back how the host was.
///
/// # Errors
/// When something stays.
pub fn leave(state: &Utf8Path) -> Result<(), LabError> {
    let _lock = lock()?;
    if state.exists() {
        fs_err::remove_dir_all(state)?;
    }
    for entry in Utf8Path::new(ROOT).read_dir_utf8()? {
        if entry?.file_type()?.is_dir() {
            return Ok(());
        }
    }
    if file().exists() {
        let before: Before =
            serde_json::from_slice(&fs_err::read(file())?).map_err(|error| LabError::State(file(), error))?;
        for (name, value) in &before.kernel {
            let setting = format!("/proc/sys/{name}");
            if fs_err::read_to_string(&setting).is_ok_and(|now| now != *value) {
                fs_err::write(setting, value)?;
            }
        }
        for folder in before.made.iter().rev() {
            // Not ours any more when something else lies in it.
            let _ = fs_err::remove_dir(folder);
        }
        fs_err::remove_file(file())?;
    }
    // A note of why a lab ended may still lie there.
    let _ = fs_err::remove_dir(ROOT);
    Ok(())
}
