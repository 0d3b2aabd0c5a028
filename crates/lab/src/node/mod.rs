//! Nodes of a lab: what each is like, and where it keeps what is its own.
//!
//! The first node shares network and mount namespaces with the control plane. Every further one has a network, mount and
//! PID namespace of its own, whose first process starts its containerd, kubelet and kube-proxy (`process.rs`): when that
//! process ends, whatever its reason, everything on the node ends with it, as when a machine loses its power. The folder of
//! a node lies on every node under the same path ([`folder`]), so that nothing that runs there needs to know which one it
//! is on. Nodes are joined by a bridge in the first one's network, and each has a route to the pods of every other
//! (`network.rs`).

pub mod network;
pub mod options;
pub mod process;

use crate::breakage::Breakage;
use crate::commands;
use crate::error::LabError;
use crate::state::Status;
use crate::supervisor;
use crate::tools::Tools;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// Most nodes that a lab can have: each takes some 250 MB before anything runs on it.
pub const MOST: u32 = 9;

/// Node of a lab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its number, from 0 on.
    pub number: u32,
    /// Labels with which it registers: `key=value`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Taints with which it registers: `key=value:effect`.
    #[serde(default)]
    pub taints: Vec<String>,
    /// CPU that it says it has, in thousandths; everything that the machine has where nothing is said.
    #[serde(default)]
    pub millicores: Option<u64>,
    /// Memory that it says it has, in MiB.
    #[serde(default)]
    pub mebibytes: Option<u64>,
    /// Pods that it takes.
    #[serde(default)]
    pub pods: Option<u32>,
    /// Set if it has no simulated devices.
    #[serde(default)]
    pub bare: bool,
    /// Whole devices that it has, each way that they are given out, where it is another number than elsewhere.
    #[serde(default)]
    pub devices: Option<u32>,
    /// Their model, where that is another one.
    #[serde(default)]
    pub model: Option<String>,
    /// Set if it has not the probe's image, and has to pull it from somewhere.
    #[serde(default)]
    pub without_probe: bool,
    /// Breakages of the runtime that this node has, beside those of the lab.
    #[serde(default)]
    pub breakages: Vec<Breakage>,
}

impl Node {
    /// A node with nothing special.
    pub fn plain(number: u32) -> Node {
        Node { number, ..Node::default() }
    }

    /// Its name in the cluster.
    pub fn name(&self) -> String {
        format!("node-{}", self.number)
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("10.199.0.{}", self.number + 1)
    }

    /// Addresses of its pods.
    pub fn pod_addresses(&self) -> String {
        format!("10.244.{}.0/24", self.number)
    }

    /// Its folder, as the first node sees it beside its own.
    pub fn folder(&self, lab: &Status) -> Utf8PathBuf {
        lab.state.join("nodes").join(self.number.to_string())
    }

    /// Name under which a component of it runs and logs.
    pub fn component(&self, name: &str) -> String {
        if self.number == 0 { name.to_owned() } else { format!("{}-{name}", self.name()) }
    }
}

/// A lab's only node, where nobody asked for more.
pub fn only() -> Vec<Node> {
    vec![Node::plain(0)]
}

/// The folder of the node on which this is asked.
pub fn folder(state: &Utf8Path) -> Utf8PathBuf {
    state.join("node")
}

/// The node on which this is asked.
///
/// # Errors
/// When it is asked outside a lab.
pub fn here(lab: &Status) -> Result<&Node, LabError> {
    let file = folder(&lab.state).join("number");
    let number = fs_err::read_to_string(file)?;
    let found = lab.nodes.iter().find(|node| node.number.to_string() == number.trim());
    found.ok_or_else(|| LabError::Start(format!("the lab has no node {number}")))
}

/// Makes the mount and network namespaces of this process those of a node: its folder at its place, and what components
/// make at fixed places in the node alone.
///
/// # Errors
/// When the kernel refuses.
pub async fn enter(lab: &Status, node: &Node) -> Result<(), LabError> {
    commands::run("ip", &["link", "set", "lo", "up"]).await?;
    // Pods reach one another through the node, as on any node.
    fs_err::write("/proc/sys/net/ipv4/ip_forward", "1")?;
    // Sockets, network namespaces and links to logs that components make at fixed places stay on the node.
    commands::run("mount", &["-t", "tmpfs", "tmpfs", "/run"]).await?;
    commands::run("mount", &["-t", "tmpfs", "tmpfs", "/var/log"]).await?;
    let own = folder(&lab.state);
    commands::run("mount", &["--bind", node.folder(lab).as_str(), own.as_str()]).await?;
    for (folder, fixed) in supervisor::FIXED {
        let folder = own.join(folder);
        fs_err::create_dir_all(&folder)?;
        commands::run("mount", &["--bind", folder.as_str(), fixed]).await?;
    }
    Ok(())
}

/// Asks whether every node of the lab is ready, and the taint of one that was not has been taken away.
///
/// # Errors
/// What is seen of them, where one is not.
pub async fn are_ready(lab: &Status, tools: &Tools) -> Result<(), String> {
    let wanted = "jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type==\"Ready\")].status} {.spec.taints[*].key}{\"\\n\"}{end}";
    let seen = tools.kubectl(&["get", "nodes", "-o", wanted]).await.map_err(|error| error.to_string())?;
    let seen = String::from_utf8_lossy(&seen);
    let is_ready = |node: &Node| {
        let ready = format!("{} True ", node.name());
        seen.lines().any(|line| line.starts_with(&ready) && !line.contains("node.kubernetes.io/"))
    };
    if lab.nodes.iter().all(is_ready) {
        Ok(())
    } else {
        Err(format!("nodes, Ready and taints are {:?}", seen.trim()))
    }
}
