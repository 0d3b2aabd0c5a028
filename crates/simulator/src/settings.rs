//! Settings of the simulator: flags, or environment variables of the same names.

use crate::breakage::Breakage;
use camino::Utf8PathBuf;
use std::str::FromStr;

/// What is simulated, where, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Settings {
    /// Name of the node
    #[arg(long, env = "NODE_NAME", default_value = "node-0")]
    pub node_name: String,
    /// Folder of the kubelet; plugins make themselves known below it
    #[arg(long, env = "AICONFORM_KUBELET_ROOT", default_value = "/var/lib/kubelet")]
    pub kubelet_root: Utf8PathBuf,
    /// Folder of the kubelet's device plugins, which the kubelet's own folder does not move
    #[arg(long, env = "AICONFORM_DEVICE_PLUGINS", default_value = "/var/lib/kubelet/device-plugins")]
    pub device_plugins: Utf8PathBuf,
    /// Folder in which the container runtime looks for CDI specifications
    #[arg(long, env = "AICONFORM_CDI", default_value = "/var/run/cdi")]
    pub cdi: Utf8PathBuf,
    /// Name of the DRA driver
    #[arg(long, env = "AICONFORM_DRIVER", default_value = "accelerator.aiconform.dev")]
    pub driver: String,
    /// Name of the DeviceClass that the manifest makes
    #[arg(long, env = "AICONFORM_DEVICE_CLASS", default_value = "accelerator.aiconform.dev")]
    pub device_class: String,
    /// Number of whole devices given out by DRA; 0 is for no DRA driver
    #[arg(long, env = "AICONFORM_DEVICES", default_value_t = 2)]
    pub devices: u32,
    /// Partitions into which each of these devices can be split
    #[arg(long, env = "AICONFORM_PARTITIONS", default_value_t = 0)]
    pub partitions: u32,
    /// Virtual devices that each of them can be instead
    #[arg(long, env = "AICONFORM_VIRTUAL_DEVICES", default_value_t = 0)]
    pub virtual_devices: u32,
    /// Device plugins: RESOURCE=KIND:COUNT, where KIND is whole, partition, virtual or, with COUNTxSHARES, shared
    #[arg(long = "plugin", env = "AICONFORM_PLUGINS", value_delimiter = ',')]
    pub plugins: Vec<Plugin>,
    /// Where a device's node appears in a container; {index} stands for its number
    #[arg(long, env = "AICONFORM_DEVICE_PATH", default_value = "/dev/accel{index}")]
    pub device_path: String,
    /// Major number of the device nodes; else the first from 240 to 254 that no driver has
    #[arg(long, env = "AICONFORM_MAJOR")]
    pub major: Option<u32>,
    /// Model that the devices say they are
    #[arg(long, env = "AICONFORM_MODEL", default_value = "Simulated Accelerator 16G")]
    pub model: String,
    /// Memory of a whole device in bytes
    #[arg(long, env = "AICONFORM_MEMORY", default_value_t = 16 << 30)]
    pub memory: u64,
    /// Version of the devices' driver
    #[arg(long, env = "AICONFORM_DRIVER_VERSION", default_value = "570.1.2")]
    pub driver_version: String,
    /// Version of the devices' runtime
    #[arg(long, env = "AICONFORM_RUNTIME_VERSION", default_value = "12.8.0")]
    pub runtime_version: String,
    /// Where metrics are served: /metrics as DCGM names them, /metrics/opentelemetry as OpenTelemetry does
    #[arg(long, env = "AICONFORM_METRICS", default_value = "0.0.0.0:9400")]
    pub metrics: String,
    /// Time over which utilisation is measured, in milliseconds
    #[arg(long, env = "AICONFORM_WINDOW", default_value_t = 500)]
    pub window: u64,
    /// What is to be wrong
    #[arg(long = "breakage", env = "AICONFORM_BREAKAGES", value_delimiter = ',')]
    pub breakages: Vec<Breakage>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            node_name: "node-0".into(),
            kubelet_root: "/var/lib/kubelet".into(),
            device_plugins: "/var/lib/kubelet/device-plugins".into(),
            cdi: "/var/run/cdi".into(),
            driver: "accelerator.aiconform.dev".into(),
            device_class: "accelerator.aiconform.dev".into(),
            devices: 2,
            partitions: 0,
            virtual_devices: 0,
            plugins: Vec::new(),
            device_path: "/dev/accel{index}".into(),
            major: None,
            model: "Simulated Accelerator 16G".into(),
            memory: 16 << 30,
            driver_version: "570.1.2".into(),
            runtime_version: "12.8.0".into(),
            metrics: "0.0.0.0:9400".into(),
            window: 500,
            breakages: Vec::new(),
        }
    }
}

impl Settings {
    /// Whether this is wrong.
    pub fn is_broken(&self, breakage: Breakage) -> bool {
        self.breakages.contains(&breakage)
    }

    /// The flags that give these settings again, but for the node's name, which each node has of its own.
    pub fn arguments(&self) -> Vec<String> {
        let mut flags = vec![
            format!("--kubelet-root={}", self.kubelet_root),
            format!("--device-plugins={}", self.device_plugins),
            format!("--cdi={}", self.cdi),
            format!("--driver={}", self.driver),
            format!("--device-class={}", self.device_class),
            format!("--devices={}", self.devices),
            format!("--partitions={}", self.partitions),
            format!("--virtual-devices={}", self.virtual_devices),
            format!("--device-path={}", self.device_path),
            format!("--model={}", self.model),
            format!("--memory={}", self.memory),
            format!("--driver-version={}", self.driver_version),
            format!("--runtime-version={}", self.runtime_version),
            format!("--metrics={}", self.metrics),
            format!("--window={}", self.window),
        ];
        flags.extend(self.major.map(|major| format!("--major={major}")));
        flags.extend(self.plugins.iter().map(|plugin| format!("--plugin={plugin}")));
        flags.extend(self.breakages.iter().map(|breakage| format!("--breakage={}", breakage.name())));
        flags
    }
}

/// What a device plugin gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whole devices.
    Whole,
    /// Shares in time of whole devices: each given out so often.
    Shared {
        /// Shares of each device.
        shares: u32,
    },
    /// Partitions of one device, with memory and a node of their own.
    Partition,
    /// Virtual devices on one device.
    Virtual,
}

/// A device plugin: one extended resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// The extended resource, as `example.com/gpu`.
    pub resource: String,
    /// What it gives out.
    pub form: Form,
    /// How many devices (partitions, virtual devices) there are.
    pub count: u32,
}

impl FromStr for Plugin {
    type Err = String;

    fn from_str(text: &str) -> Result<Plugin, String> {
        let wrong = |why: &str| format!("{text:?} {why}; what is wanted looks like example.com/gpu=whole:2");
        let (resource, rest) = text.split_once('=').ok_or_else(|| wrong("names no kind"))?;
        let (kind, count) = rest.split_once(':').ok_or_else(|| wrong("names no count"))?;
        if !resource.contains('/') {
            return Err(wrong("names a resource without a domain"));
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| (1..=64).contains(number));
        let (count, form) = match (kind, count.split_once('x')) {
            ("shared", Some((count, shares))) => {
                let shares = number(shares).ok_or_else(|| wrong("does not have 1 to 64 shares"))?;
                (count, Form::Shared { shares })
            }
            ("shared", None) => return Err(wrong("says not how many shares each device has (shared:1x4)")),
            (_, Some(_)) => return Err(wrong("has shares, and only shared devices do")),
            ("whole", None) => (count, Form::Whole),
            ("partition", None) => (count, Form::Partition),
            ("virtual", None) => (count, Form::Virtual),
            _ => return Err(wrong("is of no kind: whole, shared, partition, virtual")),
        };
        let count = number(count).ok_or_else(|| wrong("does not have 1 to 64 devices"))?;
        Ok(Plugin { resource: resource.into(), form, count })
    }
}

impl std::fmt::Display for Plugin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Plugin { resource, count, .. } = self;
        match self.form {
            Form::Whole => write!(formatter, "{resource}=whole:{count}"),
            Form::Shared { shares } => write!(formatter, "{resource}=shared:{count}x{shares}"),
            Form::Partition => write!(formatter, "{resource}=partition:{count}"),
            Form::Virtual => write!(formatter, "{resource}=virtual:{count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        settings: Settings,
    }

    fn parsed(flags: &[String]) -> Settings {
        Command::parse_from(std::iter::once(&"simulator".to_owned()).chain(flags)).settings
    }

    #[test]
    fn what_is_not_said_is_the_default_and_what_is_said_comes_back() {
        assert_eq!(parsed(&[]), Settings::default());
        let settings = Settings {
            plugins: ["a.b/c=whole:2", "a.b/c.shared=shared:1x4", "a.b/mig=partition:3", "a.b/v=virtual:2"]
                .map(|text| text.parse().unwrap())
                .into(),
            breakages: vec![Breakage::OneDeviceTwice, Breakage::WrongUnit],
            major: Some(241),
            driver: "gpu.example.com".into(),
            ..Settings::default()
        };
        assert_eq!(parsed(&settings.arguments()), settings);
    }

    #[test]
    fn a_plugin_that_makes_no_sense_is_refused_with_the_reason() {
        for (text, why) in [
            ("gpu=whole:1", "without a domain"),
            ("a.b/c", "names no kind"),
            ("a.b/c=whole", "names no count"),
            ("a.b/c=whole:0", "1 to 64 devices"),
            ("a.b/c=shared:2", "how many shares"),
            ("a.b/c=whole:2x2", "only shared devices do"),
            ("a.b/c=shared:2x0", "1 to 64 shares"),
            ("a.b/c=half:2", "of no kind"),
        ] {
            let error = text.parse::<Plugin>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
