//! Devices that the simulator gives out in a lab.

use crate::breakage::Mechanism;
use crate::error::LabError;
use crate::node::{self, Node};
use crate::state::Status;
use aiconform_simulator::{Form, Other};

/// Domain of the names of what it gives out by device plugins.
const DOMAIN: &str = "accelerator.aiconform.dev";
/// Devices that it gives out by them: whole ones, shares in time, partitions, and virtual ones.
const PLUGINS: [&str; 4] =
    ["gpu=whole:2", "gpu.shared=shared:1x3", "gpu-partition=partition:2", "vgpu=virtual:2"];

/// Whole devices where pods are scaled.
const MORE: &str = "gpu=whole:4";

/// Settings of the simulator in a lab: what it gives out, and where the lab has what it needs.
pub fn simulated(lab: &Status) -> Result<aiconform_simulator::Settings, LabError> {
    // What scales pods that have a device each needs some to scale to.
    let scales = lab.parts.iter().any(|part| part.row().scales);
    let whole = if scales { MORE } else { PLUGINS[0] };
    let plugins = std::iter::once(whole).chain(PLUGINS[1..].iter().copied());
    let plugins = plugins.map(|plugin| format!("{DOMAIN}/{plugin}").parse().map_err(LabError::Start));
    let mut settings = aiconform_simulator::Settings {
        kubelet_root: node::folder(&lab.state).join("kubelet"),
        cdi: node::folder(&lab.state).join("cdi"),
        partitions: 2,
        virtual_devices: 2,
        plugins: plugins.collect::<Result<_, _>>()?,
        tolerate: lab.nodes.iter().flat_map(|node| &node.taints).map(|taint| key(taint)).collect(),
        others: lab.nodes.iter().filter_map(other).collect(),
        breakages: broken(lab).collect(),
        ..aiconform_simulator::Settings::default()
    };
    if let Some(pose) = lab.pose {
        pose.dress(&mut settings, DOMAIN);
    }
    Ok(settings)
}

/// Devices of a node of which others are said than of the rest.
fn other(node: &Node) -> Option<Other> {
    Some(Other { node: node.name(), devices: node.devices?, model: node.model.clone() })
}

/// The key of a taint: `key=value:effect`.
fn key(taint: &str) -> String {
    taint.split(['=', ':']).next().unwrap_or_default().to_owned()
}

/// Breakages of the simulator.
fn broken(lab: &Status) -> impl Iterator<Item = aiconform_simulator::Breakage> {
    lab.mechanisms().filter_map(|mechanism| match mechanism {
        Mechanism::Simulator(breakage) => Some(*breakage),
        _ => None,
    })
}

/// Nodes that have simulated devices.
pub fn of_nodes(lab: &Status) -> impl Iterator<Item = &Node> {
    lab.nodes.iter().filter(|node| !node.bare)
}

/// Words of [`offers`] once every node offers.
pub fn offered(lab: &Status) -> String {
    let count = of_nodes(lab).count();
    format!("{count} {}", "offered".repeat(count))
}

/// A template that says `1 offered` once the simulator's pod is ready and the kubelet has told the API server what its
/// plugins offer: some of each, but where a breakage offers none. Of several nodes, `2 offeredoffered`.
pub fn offers(lab: &Status) -> Result<String, LabError> {
    let none = broken(lab).any(|breakage| breakage == aiconform_simulator::Breakage::ShareNotOffered);
    let plugins = simulated(lab)?.plugins;
    let offered = plugins.iter().map(|plugin| {
        let amount = format!("(index . \"{}\")", plugin.resource);
        // Between a simulator that ends and the next one, none is there.
        let wanted = if none && plugin.form != Form::Whole { "eq" } else { "ne" };
        format!("(and {amount} ({wanted} {amount} \"0\"))")
    });
    let all = offered.collect::<Vec<String>>().join(" ");
    Ok(format!(
        "go-template={{{{range .items}}}}{{{{with .status.numberReady}}}}{{{{.}}}} {{{{end}}}}{{{{with .status.allocatable}}}}{{{{if and {all}}}}}offered{{{{end}}}}{{{{end}}}}{{{{end}}}}"
    ))
}
