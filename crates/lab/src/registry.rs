//! The registry of a lab that has one: the names by which nodes know it, and the images that it has from the start.

use crate::error::LabError;
use crate::node::{self, Node};
use crate::state::Status;
use crate::tools::Tools;
use aiconform_images::{PROBE, archive_for_each};
use camino::Utf8Path;

/// Address of its Service.
pub const ADDRESS: &str = "10.96.0.50";

/// Name by which it wants a password and shows a certificate, and the way there.
const GUARDED: (&str, &str) = ("registry.example.com", "https://10.96.0.50");
/// Name by which it does neither, and the way there.
const OPEN: (&str, &str) = ("plain.example.com", "http://10.96.0.50");

/// The probe's image, as nodes may pull it.
const IMAGE: &str = "aiconform/probe";
/// An image of this name, with a program for other machines than this one alone.
const FOREIGN: &str = "aiconform/foreign";

/// Folder in which a node keeps what it knows of registries.
pub fn folder(node: &Utf8Path) -> camino::Utf8PathBuf {
    node.join("registries")
}

/// Tells a node of a lab that has a registry where that is, and whose certificates it shows.
///
/// # Errors
/// When a file cannot be written.
pub fn known(lab: &Status, node: &Node) -> Result<(), LabError> {
    let authority = format!("ca = \"{}\"\n", lab.state.join("pki/ca.crt"));
    // Whoever is told of an authority tries TLS first.
    for ((name, server), authority) in [(GUARDED, authority.as_str()), (OPEN, "")] {
        let folder = folder(&node.folder(lab)).join(name);
        fs_err::create_dir_all(&folder)?;
        let host = format!(
            "server = \"{server}\"\n[host.\"{server}\"]\ncapabilities = [\"pull\", \"resolve\", \"push\"]\n{authority}"
        );
        fs_err::write(folder.join("hosts.toml"), host)?;
    }
    Ok(())
}

/// Pushes the images that it has from the start.
///
/// # Errors
/// When the registry does not take one.
pub async fn fill(lab: &Status, tools: &Tools) -> Result<(), LabError> {
    let (_, version) = PROBE.name.split_once(':').unwrap_or_default();
    let name = |image: &str| format!("{}/{image}:{version}", OPEN.0);
    let (own, foreign) = (name(IMAGE), name(FOREIGN));
    push(lab, tools, &own, PROBE.archive(&own)?).await?;
    let program = PROBE.for_other_machines();
    push(lab, tools, &foreign, archive_for_each(&foreign, PROBE.binary, &[&program])?).await
}

/// Pushes an image by way of a node, which does not keep it.
async fn push(lab: &Status, tools: &Tools, name: &str, archive: Vec<u8>) -> Result<(), LabError> {
    let file = lab.state.join("pushed.tar");
    fs_err::write(&file, archive)?;
    let hosts = folder(&node::folder(&lab.state));
    let first = |node: &Node| node.number == 0;
    tools.ctr(first, &["images", "import", "--all-platforms", "--no-unpack", file.as_str()]).await?;
    let pushed = tools.ctr(first, &["images", "push", "--hosts-dir", hosts.as_str(), name]).await;
    tools.ctr(first, &["images", "rm", name]).await?;
    pushed?;
    Ok(fs_err::remove_file(file)?)
}
