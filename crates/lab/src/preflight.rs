//! Demands on the machine, told in one sentence each before anything is built.

use crate::error::LabError;
use crate::recipe;
use camino::Utf8Path;

const GIB: u64 = 1 << 30;

/// Checks root, Go, runc, the CNI plugins, memory and disk for what a lab writes; gives the toolchain's version.
///
/// # Errors
/// One sentence that names what is missing and how to get it.
pub async fn check() -> Result<String, LabError> {
    let lacks = |sentence: &str| Err(LabError::Machine(sentence.into()));
    if !rustix::process::geteuid().is_root() {
        return lacks(
            "the lab needs root, because it makes network namespaces and containers: run it with sudo",
        );
    }
    let Some(toolchain) = recipe::toolchain().await else {
        return lacks(
            "the lab needs Go 1.26 or newer to build Kubernetes, and `go` is not on the PATH: install it",
        );
    };
    for (program, package) in [
        ("runc", "runc"),
        ("conntrack", "conntrack"),
        ("nft", "nftables"),
        ("iptables", "iptables"),
        ("ip", "iproute2"),
    ] {
        if !on_path(program) {
            return Err(LabError::Machine(format!(
                "the lab needs `{program}`, which is not on the PATH: apt-get install {package}"
            )));
        }
    }
    if !Utf8Path::new("/usr/lib/cni/bridge").exists() {
        return lacks(
            "the lab needs the CNI plugins in /usr/lib/cni: apt-get install containernetworking-plugins",
        );
    }
    has_room(crate::state::ROOT.into(), 3 * GIB)?;
    let memory = fs_err::read_to_string("/proc/meminfo")?;
    let available = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok())
        .unwrap_or(0);
    if available * 1024 < 3 * GIB {
        return Err(LabError::Machine(format!(
            "the lab needs 3 GiB of free memory, and there are {} MiB: end something else first",
            available / 1024
        )));
    }
    Ok(toolchain)
}

/// Checks that there is room to build components in this folder.
///
/// # Errors
/// One sentence with how much there is.
pub fn has_room_to_build(folder: &Utf8Path) -> Result<(), LabError> {
    has_room(folder, 12 * GIB)
}

fn has_room(path: &Utf8Path, least: u64) -> Result<(), LabError> {
    let mut folder = path;
    while !folder.exists() {
        folder = folder.parent().unwrap_or(Utf8Path::new("/"));
    }
    let room = rustix::fs::statvfs(folder.as_std_path()).map_err(std::io::Error::from)?;
    let free = room.f_bavail * room.f_frsize;
    if free < least {
        return Err(LabError::Machine(format!(
            "the lab needs {} GiB free at {path}, and there are {}: make room or choose another place with AICONFORM_CACHE_DIR",
            least / GIB,
            free / GIB
        )));
    }
    Ok(())
}

fn on_path(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|folder| Utf8Path::new(folder).join(program).exists())
}
