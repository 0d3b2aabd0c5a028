//! Network between the nodes of a lab: a bridge on the first one, a link from it into each other node, and on each node a
//! route to the pods of every other.

use super::Node;
use crate::commands;
use crate::error::LabError;
use crate::patience::until;
use crate::state::Status;
use std::time::Duration;

/// The bridge that joins the nodes.
const BRIDGE: &str = "nodes";
/// A further node's end of its link.
const LINK: &str = "eth0";
/// Longest time until a process has its namespaces, or its link.
const LIMIT: Duration = Duration::from_secs(30);

/// Gives the first node its address, and what joins it to the others where there are some.
///
/// # Errors
/// When the kernel refuses.
pub async fn of_first(lab: &Status, first: &Node) -> Result<(), LabError> {
    let address = format!("{}/32", first.address());
    commands::run("ip", &["address", "add", &address, "dev", "lo"]).await?;
    // What the node itself sends to a Service needs a way before kube-proxy turns it to a pod; it has no other way out.
    let services = ["route", "add", "10.96.0.0/16", "dev", "lo", "src", &first.address()];
    commands::run("ip", &services).await?;
    if lab.nodes.len() == 1 {
        return Ok(());
    }
    commands::run("ip", &["link", "add", BRIDGE, "type", "bridge"]).await?;
    commands::run("ip", &["link", "set", BRIDGE, "up"]).await?;
    let all = ["route", "add", "10.199.0.0/24", "dev", BRIDGE, "src", &first.address()];
    commands::run("ip", &all).await?;
    to_pods(lab, first).await
}

/// Links the network namespace of a process to the bridge, once it has one of its own.
///
/// # Errors
/// When it does not get one in time, or the kernel refuses.
pub async fn link(node: &Node, process: u32) -> Result<(), LabError> {
    let own = fs_err::read_link("/proc/self/ns/net")?;
    let is_apart = || fs_err::read_link(format!("/proc/{process}/ns/net")).is_ok_and(|its| its != own);
    comes(&format!("a network of {}", node.name()), is_apart).await?;
    let here = format!("veth-{}", node.number);
    let process = process.to_string();
    let pair = ["link", "add", &here, "type", "veth", "peer", "name", LINK, "netns", &process];
    commands::run("ip", &pair).await?;
    commands::run("ip", &["link", "set", &here, "master", BRIDGE, "up"]).await.map(drop)
}

/// Gives a further node its address and routes, once its link is there.
///
/// # Errors
/// When the link does not come in time, or the kernel refuses.
pub async fn of_further(lab: &Status, node: &Node) -> Result<(), LabError> {
    // Of the namespace of this process, not of the one in which /sys was mounted.
    let is_there = || fs_err::read_to_string("/proc/net/dev").is_ok_and(|devices| devices.contains(LINK));
    comes(&format!("the link of {}", node.name()), is_there).await?;
    let address = format!("{}/24", node.address());
    commands::run("ip", &["address", "add", &address, "dev", LINK]).await?;
    commands::run("ip", &["link", "set", LINK, "up"]).await?;
    commands::run("ip", &["route", "add", "default", "via", &Node::plain(0).address()]).await?;
    to_pods(lab, node).await
}

/// Routes to the pods of every other node.
async fn to_pods(lab: &Status, node: &Node) -> Result<(), LabError> {
    for other in lab.nodes.iter().filter(|other| other.number != node.number) {
        // The first node's address is on its loopback, and its neighbours answer at once that they are there.
        let route = ["route", "add", &other.pod_addresses(), "via", &other.address()];
        commands::run("ip", &route).await?;
    }
    Ok(())
}

async fn comes(what: &str, is_so: impl Fn() -> bool) -> Result<(), LabError> {
    let seen = || {
        let is_so = is_so();
        async move { if is_so { Ok(()) } else { Err(String::new()) } }
    };
    let late = |_| LabError::Start(format!("{what} was not there within {} s", LIMIT.as_secs()));
    until(LIMIT, seen).await.map_err(late)
}
