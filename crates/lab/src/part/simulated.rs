//! What the simulator gives out in a lab.

use super::Part;
use crate::error::LabError;
use crate::state::Status;

/// Domain of the names of what it gives out by device plugins.
const DOMAIN: &str = "accelerator.aiconform.dev";
/// What it gives out by them: whole devices, shares in time, partitions, and virtual devices.
const PLUGINS: [&str; 4] =
    ["gpu=whole:2", "gpu.shared=shared:1x3", "gpu-partition=partition:2", "vgpu=virtual:2"];

/// Whole devices where pods are scaled.
const MORE: &str = "gpu=whole:4";

/// What the simulator gives out in a lab, and where the lab has what it needs.
pub fn simulated(lab: &Status) -> Result<aiconform_simulator::Settings, LabError> {
    // What scales pods that have a device each needs some to scale to.
    let scales = [Part::PrometheusAdapter, Part::Keda].iter().any(|part| lab.parts.contains(part));
    let whole = if scales { MORE } else { PLUGINS[0] };
    let plugins = std::iter::once(whole).chain(PLUGINS[1..].iter().copied());
    let plugins = plugins.map(|plugin| format!("{DOMAIN}/{plugin}").parse().map_err(LabError::Start));
    let mut settings = aiconform_simulator::Settings {
        kubelet_root: lab.state.join("kubelet"),
        cdi: lab.state.join("cdi"),
        partitions: 2,
        virtual_devices: 2,
        plugins: plugins.collect::<Result<_, _>>()?,
        breakages: lab.breakages.iter().filter_map(|breakage| breakage.of_simulator()).collect(),
        ..aiconform_simulator::Settings::default()
    };
    if let Some(pose) = lab.pose {
        pose.dress(&mut settings, DOMAIN);
    }
    Ok(settings)
}

/// The simulator's pods.
pub const SIMULATOR_POD: &str = "daemonset/aiconform-simulator";

/// A template that says `1 offered` once the simulator's pod is ready and the kubelet has told the API server what its
/// plugins offer.
pub fn offers(lab: &Status) -> Result<String, LabError> {
    let plugins = simulated(lab)?.plugins;
    let all: Vec<String> =
        plugins.iter().map(|plugin| format!("(index . \"{}\")", plugin.resource)).collect();
    let all = all.join(" ");
    Ok(format!(
        "go-template={{{{range .items}}}}{{{{with .status.numberReady}}}}{{{{.}}}} {{{{end}}}}{{{{with .status.allocatable}}}}{{{{if and {all}}}}}offered{{{{end}}}}{{{{end}}}}{{{{end}}}}"
    ))
}
