//! From an exposition to what is said of each device, in the same units for every dialect.

use super::{Dialect, Quantity, Series, Unit};
use aiconform_exposition::{Exposition, Sample};

/// A quantity that one scrape tells of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The quantity.
    pub quantity: Quantity,
    /// The device, as the dialect identifies it.
    pub device: String,
    /// Every name that its labels give it.
    pub names: Vec<String>,
    /// Its node, where a label says it.
    pub node: String,
    /// Pods that have it, where labels say it: namespace and name of each. Who shares a device has a series of his own with some
    /// exporters.
    pub pods: Vec<(String, String)>,
    /// The value in the unit of the quantity.
    pub value: f64,
    /// The value as it was written.
    pub written: f64,
    /// In this unit.
    pub unit: Unit,
    /// When it was taken, in seconds since the epoch, where it says so.
    pub timestamp: Option<f64>,
    /// Name of the metric.
    pub metric: String,
    /// Line of the scrape.
    pub line: usize,
}

const ALL: [Quantity; 7] = [
    Quantity::Utilisation,
    Quantity::MemoryUsed,
    Quantity::MemoryFree,
    Quantity::MemoryTotal,
    Quantity::Temperature,
    Quantity::Power,
    Quantity::Interconnect,
];

/// Everything that an exposition says of devices in this dialect, one reading for each device and quantity.
pub fn readings(dialect: &Dialect, exposition: &Exposition) -> Vec<Reading> {
    let units = dialect.device.units.as_ref().and_then(|units| {
        let told =
            exposition.named(&units.metric).find_map(|sample| sample.label(&units.label).parse().ok())?;
        (told > 0).then_some(told)
    });
    ALL.into_iter().flat_map(|quantity| of(dialect, exposition, quantity, units)).collect()
}

fn of(dialect: &Dialect, exposition: &Exposition, quantity: Quantity, units: Option<u64>) -> Vec<Reading> {
    let mut found: Vec<Reading> = Vec::new();
    // The first way that is there at all; of its names the first, unless they are parts of a whole, or each of some devices.
    for series in dialect.series(quantity) {
        for name in &series.names {
            let earlier: Vec<String> = found.iter().map(|reading| reading.device.clone()).collect();
            let samples = exposition.named(name).filter(|sample| is_meant(series, sample));
            for reading in samples.filter_map(|sample| reading(dialect, series, quantity, sample, units)) {
                match found.iter_mut().find(|before| before.device == reading.device) {
                    Some(before) if series.union && earlier.contains(&before.device) => {
                        before.pods.extend(reading.pods);
                    }
                    Some(before) => join(before, reading, series),
                    None => found.push(reading),
                }
            }
            if !found.is_empty() && !series.sum && !series.union {
                return found;
            }
        }
        if !found.is_empty() {
            return found;
        }
    }
    found
}

fn is_meant(series: &Series, sample: &Sample) -> bool {
    series.only.iter().all(|(label, values)| {
        let value = sample.label(label);
        value.is_empty() || values.iter().any(|allowed| allowed == value)
    })
}

fn first<'a>(sample: &'a Sample, labels: &[String]) -> &'a str {
    labels.iter().map(|label| sample.label(label)).find(|value| !is_no_name(value)).unwrap_or_default()
}

/// Tells whether a label names nothing: words for what is not known, a UUID of zeros, and the largest number of 32 bits, which
/// libraries of makers give for an index that there is none of.
fn is_no_name(value: &str) -> bool {
    let lower = value.to_ascii_lowercase().replace('-', "");
    let words = ["", "n/a", "none", "null", "nil", "unknown", "4294967295"];
    words.contains(&lower.as_str()) || lower.ends_with("00000000000000000000000000000000")
}

/// Tells whether a value is none: no number, or what DCGM writes for a field without one (dcgm_structs.h: DCGM_FP64_BLANK and its
/// neighbours from 2^47 on, DCGM_INT64_BLANK from 2^63 - 16 on). No accelerator has 128 TiB, and none works a thousandth of that.
fn is_no_value(value: f64) -> bool {
    !value.is_finite() || (140_737_488_355_328.0..140_737_488_355_344.0).contains(&value) || value >= 9.2e18
}

fn reading(
    dialect: &Dialect,
    series: &Series,
    quantity: Quantity,
    sample: &Sample,
    units: Option<u64>,
) -> Option<Reading> {
    let device = first(sample, &dialect.device.identity);
    if device.is_empty() || is_no_value(sample.value) {
        return None;
    }
    // A unit of a device goes by its number among all of the node.
    let of_units = units.and_then(|units| Some((device.parse::<u64>().ok()? / units).to_string()));
    let device = of_units.as_deref().unwrap_or(device);
    let share = first(sample, &dialect.device.share);
    let names = dialect.device.identity.iter().chain(&dialect.device.also).map(|label| sample.label(label));
    let pod = first(sample, &dialect.attribution.pod);
    let namespace = first(sample, &dialect.attribution.namespace);
    Some(Reading {
        quantity,
        device: if share.is_empty() { device.into() } else { format!("{device}/{share}") },
        names: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        node: first(sample, &dialect.device.node).into(),
        pods: (!pod.is_empty()).then(|| (namespace.into(), pod.into())).into_iter().collect(),
        value: sample.value * series.unit.factor(),
        written: sample.value,
        unit: series.unit,
        timestamp: sample.timestamp,
        metric: sample.name.clone(),
        line: sample.line,
    })
}

/// Several samples of one device: parts are added, else the highest counts, such as the busiest of its engines.
fn join(before: &mut Reading, other: Reading, series: &Series) {
    if series.sum {
        before.value += other.value;
        before.written += other.written;
        before.pods.extend(other.pods);
    } else if other.value > before.value {
        let pods = std::mem::take(&mut before.pods);
        *before = other;
        before.pods.extend(pods);
    } else {
        before.pods.extend(other.pods);
    }
    before.pods.sort();
    before.pods.dedup();
}

/// A device without the part that says which share of it is meant.
pub fn whole(device: &str) -> &str {
    device.split('/').next().unwrap_or(device)
}
