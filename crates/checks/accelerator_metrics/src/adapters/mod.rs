//! Dialects: how the exporters of different makers say the same of an accelerator. They are data, one file each.

mod reading;
mod scrape;
#[cfg(test)]
mod tests;

pub use reading::{Reading, readings, whole};
pub use scrape::{Lack, Metrics, read};

use aiconform_exposition::Exposition;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILES: &[(&str, &str)] = &[
    ("dcgm", include_str!("dcgm.toml")),
    ("opentelemetry", include_str!("opentelemetry.toml")),
    ("amd", include_str!("amd.toml")),
    ("intel", include_str!("intel.toml")),
    ("neuron", include_str!("neuron.toml")),
    ("tpu", include_str!("tpu.toml")),
    ("ascend", include_str!("ascend.toml")),
];

/// Ids of the dialects, in their order.
pub const IDS: &[&str] = &ids();

const fn ids() -> [&'static str; FILES.len()] {
    let mut ids = [""; FILES.len()];
    let mut place = 0;
    while place < FILES.len() {
        ids[place] = FILES[place].0;
        place += 1;
    }
    ids
}

#[allow(clippy::expect_used, reason = "a unit test reads what is shipped")]
static DIALECTS: LazyLock<Vec<Dialect>> = LazyLock::new(|| {
    let dialect = |(_, text): &(&str, &str)| toml::from_str(text).expect("what is shipped is a dialect");
    FILES.iter().map(dialect).collect()
});

/// Quantity that is told of an accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Share of the time in which it worked, 0 to 1.
    Utilisation,
    /// Memory in use, in bytes.
    MemoryUsed,
    /// Memory that is free, in bytes.
    MemoryFree,
    /// All of its memory, in bytes.
    MemoryTotal,
    /// In degrees Celsius.
    Temperature,
    /// In watts.
    Power,
    /// Traffic on its links, in whatever unit.
    Interconnect,
}

/// Unit of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// 0 to 100.
    Percent,
    /// 0 to 1.
    Ratio,
    /// Bytes.
    Bytes,
    /// 2^20 bytes.
    Mebibytes,
    /// Degrees.
    Celsius,
    /// Watts.
    Watts,
    /// Anything that counts.
    Count,
}

impl Unit {
    /// One of it in the unit of its quantity.
    pub fn factor(self) -> f64 {
        match self {
            Unit::Percent => 0.01,
            Unit::Mebibytes => 1_048_576.0,
            _ => 1.0,
        }
    }

    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Percent => "percent",
            Unit::Ratio => "a ratio",
            Unit::Bytes => "bytes",
            Unit::Mebibytes => "MiB",
            Unit::Celsius => "degrees Celsius",
            Unit::Watts => "watts",
            Unit::Count => "a count",
        }
    }
}

/// One way to say a quantity: the first of the names that is there is read, or all of them added.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Names of the metric.
    pub names: Vec<String>,
    /// Its unit.
    pub unit: Unit,
    /// Labels that, where a sample has them, must have one of these values.
    #[serde(default)]
    pub only: BTreeMap<String, Vec<String>>,
    /// The names are parts of a whole.
    #[serde(default)]
    pub sum: bool,
    /// Each name may tell of devices of which the others do not; of one that several tell of, the first counts.
    #[serde(default)]
    pub union: bool,
}

/// Labels that say which device a series is of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Labels that identify it; the first that a sample has counts.
    pub identity: Vec<String>,
    /// Labels that name it too, to find the device that a pod was given.
    pub also: Vec<String>,
    /// Labels that tell parts of a device from each other.
    pub share: Vec<String>,
    /// Labels that name the node.
    pub node: Vec<String>,
    /// True if one device has several identities, such as its cores.
    #[serde(default)]
    pub several: bool,
    /// Place where it is told how many of these a device has.
    #[serde(default)]
    pub units: Option<Units>,
    /// True if nothing is told of a device before something runs on it.
    #[serde(default)]
    pub silent_at_rest: bool,
}

/// Place where it is told how many units, such as cores, a device has: a label of a metric.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// The metric.
    pub metric: String,
    /// The label.
    pub label: String,
}

/// Labels that name the pod that has the device.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribution {
    /// Its name.
    pub pod: Vec<String>,
    /// Its namespace.
    pub namespace: Vec<String>,
}

/// Where an exporter is usually found.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Labels of its pods.
    pub labels: BTreeMap<String, String>,
    /// Port of the container.
    pub port: u16,
    /// Path.
    #[serde(default = "usual_path")]
    pub path: String,
}

fn usual_path() -> String {
    "/metrics".into()
}

/// Dialect in which one maker's exporter tells quantities.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Id, also of the subject.
    pub id: String,
    /// Name of the exporter.
    pub product: String,
    /// True if it was run against an exporter by us; else nothing is called failed by it.
    pub tried: bool,
    /// Labels that identify the device.
    pub device: Device,
    /// Whose it is.
    pub attribution: Attribution,
    /// Utilisation.
    pub utilisation: Vec<Series>,
    /// Memory in use.
    #[serde(default)]
    pub memory_used: Vec<Series>,
    /// Free memory.
    #[serde(default)]
    pub memory_free: Vec<Series>,
    /// All memory.
    #[serde(default)]
    pub memory_total: Vec<Series>,
    /// Temperature.
    #[serde(default)]
    pub temperature: Vec<Series>,
    /// Power.
    #[serde(default)]
    pub power: Vec<Series>,
    /// Links.
    #[serde(default)]
    pub interconnect: Vec<Series>,
    /// Where it is found.
    #[serde(default)]
    pub endpoint: Vec<Endpoint>,
}

impl Dialect {
    /// The ways in which it says a quantity.
    pub fn series(&self, quantity: Quantity) -> &[Series] {
        match quantity {
            Quantity::Utilisation => &self.utilisation,
            Quantity::MemoryUsed => &self.memory_used,
            Quantity::MemoryFree => &self.memory_free,
            Quantity::MemoryTotal => &self.memory_total,
            Quantity::Temperature => &self.temperature,
            Quantity::Power => &self.power,
            Quantity::Interconnect => &self.interconnect,
        }
    }

    /// Names by which it is known: those of utilisation and memory.
    pub fn known_by(&self) -> impl Iterator<Item = &str> {
        self.utilisation.iter().chain(&self.memory_used).flat_map(|series| &series.names).map(String::as_str)
    }

    /// Number of the names by which it is known that are there.
    fn fits(&self, exposition: &Exposition) -> usize {
        self.known_by().filter(|name| exposition.named(name).next().is_some()).count()
    }
}

/// The dialect of an id.
pub fn dialect(id: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| dialect.id == id)
}

/// All dialects.
pub fn dialects() -> &'static [Dialect] {
    &DIALECTS
}

/// The dialect that an exposition speaks, if we know it.
pub fn recognise(exposition: &Exposition) -> Option<&'static Dialect> {
    let best = DIALECTS.iter().max_by_key(|dialect| dialect.fits(exposition))?;
    (best.fits(exposition) > 0).then_some(best)
}
