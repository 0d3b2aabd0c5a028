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
    /// Holders work on their devices by the library of NVIDIA's driver (a stand-in for it), and not by the probe alone
    #[arg(long, env = "AICONFORM_CUDA")]
    pub cuda: bool,
    /// Keys of taints that the manifest's pods tolerate
    #[arg(long = "tolerate", env = "AICONFORM_TOLERATE", value_delimiter = ',')]
    pub tolerate: Vec<String>,
    /// Node whose devices are others: NODE=COUNT or NODE=COUNT:MODEL, of whole ones each way that there are any
    #[arg(long = "on", env = "AICONFORM_ON", value_delimiter = ',')]
    pub others: Vec<Other>,
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
            cuda: false,
            tolerate: Vec::new(),
            others: Vec::new(),
            breakages: Vec::new(),
        }
    }
}

impl Settings {
    /// Tells whether this is wrong.
    pub fn is_broken(&self, breakage: Breakage) -> bool {
        self.breakages.contains(&breakage)
    }

    /// The settings of the node whose name they have.
    #[must_use]
    pub fn here(mut self) -> Settings {
        let Some(other) = self.others.iter().find(|other| other.node == self.node_name).cloned() else {
            return self;
        };
        let whole = self.plugins.iter_mut().filter(|plugin| plugin.form == Form::Whole);
        whole.for_each(|plugin| plugin.count = other.devices);
        if self.devices > 0 {
            self.devices = other.devices;
        }
        self.model = other.model.unwrap_or(self.model);
        self
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
        flags.extend(self.cuda.then(|| "--cuda".to_owned()));
        flags.extend(self.major.map(|major| format!("--major={major}")));
        flags.extend(self.plugins.iter().map(|plugin| format!("--plugin={plugin}")));
        flags.extend(self.others.iter().map(|other| format!("--on={other}")));
        flags.extend(self.breakages.iter().map(|breakage| format!("--breakage={}", breakage.name())));
        flags
    }
}

/// Node whose devices are others than those of the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub node: String,
    /// Number of its whole devices, each way that they are given out.
    pub devices: u32,
    /// Their model, where that is another one.
    pub model: Option<String>,
}

impl FromStr for Other {
    type Err = String;

    fn from_str(text: &str) -> Result<Other, String> {
        let wrong = || {
            format!(
                "{text:?} is not like node-1=4 or node-1=4:MODEL, with 1 to 64 devices and a model without commas"
            )
        };
        let (node, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (count, model) = rest.split_once(':').map_or((rest, None), |(count, model)| (count, Some(model)));
        let devices = count.parse().ok().filter(|count| (1..=64).contains(count)).ok_or_else(wrong)?;
        if model.is_some_and(|model| model.is_empty() || model.contains(',')) {
            return Err(wrong());
        }
        Ok(Other { node: node.into(), devices, model: model.map(str::to_owned) })
    }
}

impl std::fmt::Display for Other {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}={}", self.node, self.devices)?;
        self.model.as_ref().map_or(Ok(()), |model| write!(formatter, ":{model}"))
    }
}

/// Form in which a device plugin gives devices out.
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
    /// Form of what it gives out.
    pub form: Form,
    /// Number of devices (partitions, virtual devices).
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
            cuda: true,
            driver: "gpu.example.com".into(),
            others: ["node-1=4", "node-2=1:Large"].map(|text| text.parse().unwrap()).into(),
            ..Settings::default()
        };
        assert_eq!(parsed(&settings.arguments()), settings);
        let of = |node: &str| {
            let here = Settings { node_name: node.into(), ..settings.clone() }.here();
            (here.devices, here.plugins.iter().map(|plugin| plugin.count).collect::<Vec<_>>(), here.model)
        };
        assert_eq!(of("node-0"), (2, vec![2, 1, 3, 2], settings.model.clone()));
        assert_eq!(of("node-1"), (4, vec![4, 1, 3, 2], settings.model.clone()));
        assert_eq!(of("node-2"), (1, vec![1, 1, 3, 2], "Large".to_owned()));
        for text in ["node-1", "node-1=0", "node-1=many", "node-1=65:Large", "node-1=4:", "node-1=4:A,B"] {
            assert!(text.parse::<Other>().unwrap_err().contains("1 to 64 devices"), "{text}");
        }
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
