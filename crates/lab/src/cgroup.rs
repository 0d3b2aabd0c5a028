//! A cgroup of the lab's own in each hierarchy, so that removing it removes every pod's.

use crate::node::Node;
use camino::{Utf8Path, Utf8PathBuf};
use std::time::Duration;

const MOUNT: &str = "/sys/fs/cgroup";

/// The cgroup's path inside each hierarchy.
pub fn name(lab: &str) -> String {
    format!("/aiconform-{lab}")
}

/// The path of a node's cgroup, which is in the lab's.
pub fn of_node(lab: &str, node: &str) -> String {
    format!("{}/{node}", name(lab))
}

/// Every hierarchy of the host: each folder of cgroup v1, or the one of cgroup v2.
fn hierarchies() -> std::io::Result<Vec<Utf8PathBuf>> {
    let mount = Utf8Path::new(MOUNT);
    if mount.join("cgroup.controllers").exists() {
        return Ok(vec![mount.into()]);
    }
    let mut found = Vec::new();
    for entry in mount.read_dir_utf8()? {
        let entry = entry?;
        // Links are second names of joint hierarchies. `unified` is one too: runc uses it beside v1.
        if entry.file_type()?.is_dir() {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

/// Makes the lab's cgroup in every hierarchy, and in it one for each of these nodes.
///
/// # Errors
/// When the kernel refuses.
pub fn make(lab: &str, nodes: &[Node]) -> std::io::Result<()> {
    let nodes = nodes.iter().map(|node| of_node(lab, &node.name()));
    let paths: Vec<String> = std::iter::once(name(lab)).chain(nodes).collect();
    for hierarchy in hierarchies()? {
        for path in &paths {
            let folder = Utf8PathBuf::from(format!("{hierarchy}{path}"));
            fs_err::create_dir_all(&folder)?;
            // A new cpuset holds no processors and no memory, and nothing could run in it.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if folder.join(file).exists() && hierarchy.join(file).exists() {
                    fs_err::write(folder.join(file), fs_err::read(hierarchy.join(file))?)?;
                }
            }
        }
    }
    Ok(())
}

/// Removes the lab's cgroups. A cgroup whose last process is just ending is tried again for a while.
///
/// # Errors
/// When one stays.
pub async fn remove(lab: &str) -> std::io::Result<()> {
    for hierarchy in hierarchies()? {
        let folder = Utf8PathBuf::from(format!("{hierarchy}{}", name(lab)));
        let mut tries = 0;
        while folder.exists() {
            match remove_tree(&folder) {
                Err(error) if tries == 100 => return Err(error),
                Err(_) => aiconform_wait::pause(Duration::from_millis(50)).await,
                Ok(()) => {}
            }
            tries += 1;
        }
    }
    Ok(())
}

fn remove_tree(folder: &Utf8Path) -> std::io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(entry.path())?;
        }
    }
    fs_err::remove_dir(folder)
}
