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
    labels.iter().map(|label| sample.label(label)).find(|value| !value.is_empty()).unwrap_or_default()
}

fn reading(
    dialect: &Dialect,
    series: &Series,
    quantity: Quantity,
    sample: &Sample,
    units: Option<u64>,
) -> Option<Reading> {
    let device = first(sample, &dialect.device.identity);
    if device.is_empty() {
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
