//! View from inside the container: device nodes and what opening them gives, environment, mounts.

use aiconform_model::probe::{FILE, Look, LookFor, Number, Opening, ReadFile, Seen, TriedNumber, TriedPath};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// Nodes that every container has (OCI runtime specification, default devices), and terminals.
const EVERYONES: &[&str] = &[
    "null", "zero", "full", "random", "urandom", "tty", "console", "ptmx", "fd", "stdin", "stdout", "stderr",
];
/// Folders in `/dev` that hold no devices, or only terminals.
const NO_DEVICES: &[&str] = &["pts", "shm", "mqueue"];
/// Words in names of variables that tell which devices a container is to see, or who makes them.
const WORDS: &[&str] = &[
    "VISIBLE",
    "DEVICE",
    "GPU",
    "NVIDIA",
    "CUDA",
    "AMD",
    "ROCR",
    "HABANA",
    "NEURON",
    "TPU",
    "ASCEND",
    "AICONFORM",
];

/// Looks, and tries what is asked for; nodes that it makes lie in `scratch` and are taken away.
pub fn look(wanted: &LookFor, scratch: &Path) -> Look {
    Look {
        devices: devices(Path::new("/dev")),
        paths: wanted
            .paths
            .iter()
            .map(|path| TriedPath { path: path.clone(), opening: open(Path::new(path)) })
            .collect(),
        numbers: wanted.numbers.iter().map(|number| make(*number, scratch)).collect(),
        files: wanted.files.iter().map(|path| read(path)).collect(),
        sockets: sockets(),
        environment: environment(std::env::vars_os()),
        mounts: mounts(),
        user: rustix::process::getuid().as_raw(),
        started: started(),
    }
}

fn devices(root: &Path) -> Vec<Seen> {
    let walk = walkdir::WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
    let kept = walk.filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() > 1 || !(EVERYONES.contains(&name.as_ref()) || NO_DEVICES.contains(&name.as_ref()))
    });
    kept.flatten()
        .filter_map(|entry| {
            let number = number(entry.path())?;
            let path = entry.path().display().to_string();
            Some(Seen { path, number, opening: open(entry.path()) })
        })
        .collect()
}

fn number(path: &Path) -> Option<Number> {
    let stat = rustix::fs::lstat(path).ok()?;
    let block = match FileType::from_raw_mode(stat.st_mode) {
        FileType::BlockDevice => true,
        FileType::CharacterDevice => false,
        _ => return None,
    };
    Some(Number { block, major: rustix::fs::major(stat.st_rdev), minor: rustix::fs::minor(stat.st_rdev) })
}

/// Opens without waiting for a carrier, and without making the device this process's terminal.
fn open(path: &Path) -> Opening {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    outcome(rustix::fs::open(path, flags, Mode::empty()).map(drop))
}

fn read(path: &str) -> ReadFile {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(FILE as u64).read_to_end(&mut bytes));
    let why = read.err().map(|error| error.to_string()).unwrap_or_default();
    ReadFile { path: path.into(), text: String::from_utf8_lossy(&bytes).into_owned(), why }
}

fn outcome(result: Result<(), Errno>) -> Opening {
    match result {
        Ok(()) => Opening { errno: 0, name: String::new() },
        Err(error) => Opening { errno: error.raw_os_error(), name: name(error) },
    }
}

/// The name of an error that opening or making a node gives.
fn name(error: Errno) -> String {
    let known = [
        (Errno::PERM, "EPERM"),
        (Errno::NOENT, "ENOENT"),
        (Errno::IO, "EIO"),
        (Errno::NXIO, "ENXIO"),
        (Errno::ACCESS, "EACCES"),
        (Errno::BUSY, "EBUSY"),
        (Errno::EXIST, "EEXIST"),
        (Errno::NODEV, "ENODEV"),
        (Errno::NOTDIR, "ENOTDIR"),
        (Errno::INVAL, "EINVAL"),
        (Errno::ROFS, "EROFS"),
    ];
    known
        .iter()
        .find(|(number, _)| *number == error)
        .map_or_else(|| format!("errno {}", error.raw_os_error()), |(_, name)| (*name).to_owned())
}

/// Makes a node for a device, opens it, and takes it away.
fn make(wanted: Number, scratch: &Path) -> TriedNumber {
    let kind = if wanted.block { FileType::BlockDevice } else { FileType::CharacterDevice };
    let path = scratch.join(format!("node-{}-{}", wanted.major, wanted.minor));
    let device = rustix::fs::makedev(wanted.major, wanted.minor);
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
    let made = rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, device);
    let opening = made.is_ok().then(|| open(&path));
    if made.is_ok() {
        // One that stays is in a folder of this container alone.
        let _ = std::fs::remove_file(&path);
    }
    TriedNumber { number: wanted, made: outcome(made), opening }
}

/// Sockets of simulated devices.
pub fn sockets() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(aiconform_model::probe::SOCKETS) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .filter(|path| path.ends_with(".sock"))
        .collect();
    found.sort();
    found
}

fn environment(
    variables: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
) -> BTreeMap<String, String> {
    variables
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| WORDS.iter().any(|word| name.to_uppercase().contains(word)))
        .collect()
}

/// Mount points, without those that every container has.
fn mounts() -> Vec<String> {
    let text = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let everyones = ["/proc", "/sys", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/termination-log"];
    let mut found: Vec<String> = text
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|place| {
            !["/", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"].contains(place)
                && !place.starts_with("/var/run/secrets")
                && !everyones.iter().any(|everyone| place.starts_with(everyone))
        })
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// When this process started, in ticks since the machine did (proc_pid_stat(5)): another value is another life.
fn started() -> String {
    let line = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = line.rsplit_once(") ").map_or("", |(_, fields)| fields);
    fields.split(' ').nth(19).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_model::probe::Access;

    #[test]
    fn what_is_no_device_is_not_listed_and_a_missing_path_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "x").unwrap();
        assert!(devices(folder.path()).is_empty());
        assert_eq!(open(&folder.path().join("none")).access(), Access::Absent);
        assert_eq!(open(&folder.path().join("file")).access(), Access::Reached);
        assert_eq!(number(Path::new("/dev/null")), Some(Number { block: false, major: 1, minor: 3 }));
    }

    #[test]
    fn of_a_file_the_beginning_is_read_or_the_reason_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("version");
        std::fs::write(&path, "1.2\n".repeat(2000)).unwrap();
        let file = read(path.to_str().unwrap());
        assert_eq!((file.text.len(), &file.text[..4], file.why.as_str()), (FILE, "1.2\n", ""));
        assert!(!read(folder.path().join("none").to_str().unwrap()).why.is_empty());
    }

    #[test]
    fn of_the_environment_only_what_is_about_devices_is_told() {
        let pair = |name: &str| (name.into(), "x".into());
        let told = environment(
            [pair("DATABASE_PASSWORD"), pair("NVIDIA_VISIBLE_DEVICES"), pair("HOME")].into_iter(),
        );
        assert_eq!(told.into_keys().collect::<Vec<_>>(), ["NVIDIA_VISIBLE_DEVICES"]);
    }

    #[test]
    fn every_error_has_a_name() {
        assert_eq!(name(Errno::NXIO), "ENXIO");
        assert_eq!(name(Errno::XDEV), "errno 18");
    }
}
