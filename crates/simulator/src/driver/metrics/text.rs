//! Samples as text, in the exposition format of Prometheus (version 0.0.4).

use super::{Dialect, Sample};
use crate::breakage::Breakage;
use crate::driver::fleet::Nature;
use crate::driver::holders::Holder;
use crate::driver::node::Node;
use crate::settings::Settings;
use std::fmt::Write;

/// Value of a family for a device.
type Value = fn(&Sample) -> f64;

/// One family: its name, what it says, and the value of a device.
struct Family {
    name: &'static str,
    help: &'static str,
    value: Value,
}

/// Bytes of a mebibyte, the unit of DCGM's memory.
const MEBIBYTE: f64 = 1_048_576.0;

#[allow(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
fn used(sample: &Sample) -> f64 {
    sample.reading.used as f64
}

#[allow(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
fn limit(sample: &Sample) -> f64 {
    sample.reading.memory as f64
}

fn free(sample: &Sample) -> f64 {
    limit(sample) - used(sample)
}

fn percent(sample: &Sample) -> f64 {
    (sample.reading.utilisation * 100.0).round()
}

/// Names and units of DCGM's fields, as `dcgm-exporter` tells them.
fn dcgm(wrong_unit: bool) -> Vec<Family> {
    let (utilisation, used_value, free_value): (Value, Value, Value) = if wrong_unit {
        (|sample| sample.reading.utilisation, used, free)
    } else {
        (percent, |sample| (used(sample) / MEBIBYTE).round(), |sample| (free(sample) / MEBIBYTE).round())
    };
    vec![
        Family { name: "DCGM_FI_DEV_GPU_UTIL", help: "GPU utilization (in %)", value: utilisation },
        Family { name: "DCGM_FI_DEV_FB_USED", help: "Framebuffer memory used (in MiB)", value: used_value },
        Family { name: "DCGM_FI_DEV_FB_FREE", help: "Framebuffer memory free (in MiB)", value: free_value },
        Family {
            name: "DCGM_FI_DEV_GPU_TEMP",
            help: "GPU temperature (in C)",
            value: |sample| sample.temperature(),
        },
        Family { name: "DCGM_FI_DEV_POWER_USAGE", help: "Power draw (in W)", value: |sample| sample.power() },
    ]
}

/// Names and units of the hardware conventions of OpenTelemetry, as its translation for Prometheus writes them.
fn opentelemetry(wrong_unit: bool) -> Vec<Family> {
    let (utilisation, used_value): (Value, Value) = if wrong_unit {
        (percent, |sample| used(sample) / MEBIBYTE)
    } else {
        (|sample| sample.reading.utilisation, used)
    };
    vec![
        Family {
            name: "hw_gpu_utilization_ratio",
            help: "Fraction of time spent working",
            value: utilisation,
        },
        Family { name: "hw_gpu_memory_usage_bytes", help: "GPU memory used", value: used_value },
        Family { name: "hw_gpu_memory_limit_bytes", help: "Size of the GPU memory", value: limit },
        Family { name: "hw_temperature_celsius", help: "Temperature", value: |sample| sample.temperature() },
        Family { name: "hw_power_watts", help: "Power drawn", value: |sample| sample.power() },
    ]
}

/// All samples under the names of a dialect; with a time in milliseconds since 1970 where one is given.
pub fn render(node: &Node, dialect: Dialect, samples: &[Sample], time: Option<i64>) -> String {
    let wrong_unit = node.settings.is_broken(Breakage::WrongUnit);
    let families = match dialect {
        Dialect::Dcgm => dcgm(wrong_unit),
        Dialect::OpenTelemetry => opentelemetry(wrong_unit),
    };
    let driver_version = node.advertised_driver_version();
    let time = time.map(|time| format!(" {time}")).unwrap_or_default();
    let mut text = String::new();
    for Family { name, help, value } in families {
        let _ = writeln!(text, "# HELP {name} {help}; of a simulated device.\n# TYPE {name} gauge");
        for sample in samples {
            let nobody = [None];
            let each: Vec<Option<&Holder>> = sample.holders.iter().map(Some).collect();
            for holder in if each.is_empty() { &nobody[..] } else { &each[..] } {
                let labels = labels(&node.settings, &driver_version, dialect, sample, *holder);
                let _ = writeln!(text, "{name}{{{labels}}} {}{time}", value(sample));
            }
        }
    }
    text
}

fn labels(
    settings: &Settings,
    driver_version: &str,
    dialect: Dialect,
    sample: &Sample,
    holder: Option<&Holder>,
) -> String {
    let device = sample.device;
    let index = device.index.to_string();
    let path = settings.device_path.replace("{index}", &index);
    let file = path.rsplit('/').next().unwrap_or_default();
    let holder_names = match dialect {
        Dialect::Dcgm => ["namespace", "pod", "container"],
        Dialect::OpenTelemetry => ["k8s_namespace_name", "k8s_pod_name", "k8s_container_name"],
    };
    let mut labels = match dialect {
        Dialect::Dcgm => vec![
            ("gpu", index.as_str()),
            ("UUID", device.physical()),
            ("device", file),
            ("modelName", &settings.model),
            ("Hostname", &settings.node_name),
            ("DCGM_FI_DRIVER_VERSION", driver_version),
        ],
        Dialect::OpenTelemetry => vec![
            ("hw_id", device.physical()),
            ("hw_name", file),
            ("hw_type", "gpu"),
            ("hw_model", &settings.model),
            ("hw_driver_version", driver_version),
            ("k8s_node_name", &settings.node_name),
        ],
    };
    // Parts have the name of the physical device, and one that tells them apart: as DCGM's exporter says it.
    match (device.nature, dialect) {
        (Nature::Whole, _) => {}
        (Nature::Partition, Dialect::Dcgm) => labels.push(("GPU_I_ID", index.as_str())),
        (Nature::Virtual, Dialect::Dcgm) => labels.push(("vgpu", index.as_str())),
        (_, Dialect::OpenTelemetry) => labels.push(("hw_gpu_partition", index.as_str())),
    }
    labels.push(("simulated", "true"));
    if let Some(Holder { namespace, pod, container }) = holder {
        labels.extend(holder_names.into_iter().zip([namespace, pod, container].map(String::as_str)));
    }
    let labels: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    labels.join(",")
}

/// A label's value, as the format wants it.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::node::Node;
    use crate::driver::work::Reading;
    use std::sync::Arc;

    fn node(breakages: Vec<Breakage>) -> (tempfile::TempDir, Node) {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            cdi: camino::Utf8Path::from_path(folder.path()).unwrap().into(),
            major: Some(240),
            model: "A \"quoted\" model".into(),
            breakages,
            ..Settings::default()
        };
        (folder, Node::new(settings, None, Arc::new(|_| ())).unwrap())
    }

    fn rendered(node: &Node, dialect: Dialect, holders: &[&str], time: Option<i64>) -> String {
        let holder = |pod: &&str| Holder { namespace: "n".into(), pod: (*pod).into(), container: "c".into() };
        let sample = Sample {
            device: &node.fleet.devices[1],
            reading: Reading { utilisation: 0.5, used: 3 << 20, memory: 16 << 30 },
            holders: holders.iter().map(holder).collect(),
        };
        render(node, dialect, &[sample], time)
    }

    #[test]
    fn a_device_is_told_in_both_dialects_with_its_holder() {
        let (_folder, node) = node(Vec::new());
        let uuid = &node.fleet.devices[1].uuid;
        let text = rendered(&node, Dialect::Dcgm, &["p"], None);
        let labels = format!(
            "gpu=\"1\",UUID=\"{uuid}\",device=\"accel1\",modelName=\"A \\\"quoted\\\" model\",Hostname=\"node-0\",\
             DCGM_FI_DRIVER_VERSION=\"570.1.2\",simulated=\"true\",namespace=\"n\",pod=\"p\",container=\"c\""
        );
        assert!(text.contains(&format!("\nDCGM_FI_DEV_GPU_UTIL{{{labels}}} 50\n")), "{text}");
        assert!(text.contains(&format!("\nDCGM_FI_DEV_FB_USED{{{labels}}} 3\n")), "{text}");
        assert!(text.contains(&format!("\nDCGM_FI_DEV_FB_FREE{{{labels}}} 16381\n")), "{text}");
        let text = rendered(&node, Dialect::OpenTelemetry, &["p"], Some(5));
        assert!(text.contains(&format!("\nhw_gpu_utilization_ratio{{hw_id=\"{uuid}\",")), "{text}");
        assert!(
            text.contains("k8s_namespace_name=\"n\",k8s_pod_name=\"p\",k8s_container_name=\"c\"} 0.5 5\n")
        );
        assert!(text.contains("} 3145728 5\n"));
    }

    #[test]
    fn a_device_is_told_once_for_each_holder_and_once_for_nobody() {
        let (_folder, node) = node(Vec::new());
        let count = |holders: &[&str]| {
            let text = rendered(&node, Dialect::Dcgm, holders, None);
            text.lines().filter(|line| line.starts_with("DCGM_FI_DEV_GPU_UTIL{")).count()
        };
        assert_eq!((count(&[]), count(&["a"]), count(&["a", "b"])), (1, 1, 2));
    }

    #[test]
    fn a_wrong_unit_is_wrong_in_both() {
        let (_folder, node) = node(vec![Breakage::WrongUnit]);
        let text = rendered(&node, Dialect::Dcgm, &[], None);
        assert!(text.contains("} 0.5\n") && text.contains("} 3145728\n"), "{text}");
        let text = rendered(&node, Dialect::OpenTelemetry, &[], None);
        assert!(text.contains("} 50\n") && text.contains("} 3\n"), "{text}");
    }
}
