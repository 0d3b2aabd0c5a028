//! From an exposition to what is said of each device, in the same units for every dialect.

use super::{Dialect, Quantity, Series, Unit};
use aiconform_exposition::{Exposition, Sample};

/// What one scrape says of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What is said.
    pub quantity: Quantity,
    /// The device, as the dialect identifies it.
    pub device: String,
    /// Every name that its labels give it.
    pub names: Vec<String>,
    /// Its node, where a label says it.
    pub node: String,
    /// Whose it is, where labels say it: namespace and name.
    pub pod: Option<(String, String)>,
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
    ALL.into_iter().flat_map(|quantity| of(dialect, exposition, quantity)).collect()
}

fn of(dialect: &Dialect, exposition: &Exposition, quantity: Quantity) -> Vec<Reading> {
    let mut found: Vec<Reading> = Vec::new();
    // The first way that is there at all; of its names the first, unless they are parts of a whole.
    for series in dialect.series(quantity) {
        for name in &series.names {
            let samples = exposition.named(name).filter(|sample| is_meant(series, sample));
            for reading in samples.filter_map(|sample| reading(dialect, series, quantity, sample)) {
                match found.iter_mut().find(|before| before.device == reading.device) {
                    Some(before) => join(before, reading, series),
                    None => found.push(reading),
                }
            }
            if !found.is_empty() && !series.sum {
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

fn reading(dialect: &Dialect, series: &Series, quantity: Quantity, sample: &Sample) -> Option<Reading> {
    let device = first(sample, &dialect.device.identity);
    if device.is_empty() {
        return None;
    }
    let share = first(sample, &dialect.device.share);
    let names = dialect.device.identity.iter().chain(&dialect.device.also).map(|label| sample.label(label));
    let pod = first(sample, &dialect.attribution.pod);
    let namespace = first(sample, &dialect.attribution.namespace);
    Some(Reading {
        quantity,
        device: if share.is_empty() { device.into() } else { format!("{device}/{share}") },
        names: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        node: first(sample, &dialect.device.node).into(),
        pod: (!pod.is_empty()).then(|| (namespace.into(), pod.into())),
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
    } else if other.value > before.value {
        let pod = before.pod.take();
        *before = other;
        before.pod = before.pod.take().or(pod);
    }
}
