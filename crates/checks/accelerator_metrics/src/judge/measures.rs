//! Measures beside the claims: notes for people who compare.

use super::history::History;
use crate::adapters::Quantity;
use aiconform_verdict::Measure;
use std::collections::BTreeSet;

/// Names under which quantities are told, and longest times until something showed.
pub fn measures(history: &History) -> Vec<Measure> {
    let Some(dialect) = history.dialect else { return Vec::new() };
    let readings: Vec<_> = history
        .scrapes
        .iter()
        .filter_map(|scrape| scrape.read.as_ref().ok())
        .flat_map(|read| &read.readings)
        .collect();
    if readings.is_empty() {
        return Vec::new();
    }
    let mut measures = Vec::new();
    let mut tell = |name: &str, value: String| measures.push(Measure { name: name.into(), value });
    for (quantity, name) in [
        (Quantity::Utilisation, "utilisation is told as"),
        (Quantity::MemoryUsed, "memory in use is told as"),
        (Quantity::Temperature, "temperature is told as"),
        (Quantity::Power, "power is told as"),
        (Quantity::Interconnect, "interconnect is told as"),
    ] {
        let of = readings.iter().filter(|reading| reading.quantity == quantity);
        let names: BTreeSet<&str> = of.map(|reading| reading.metric.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        tell(name, if names.is_empty() { "nothing".into() } else { names.join(", ") });
    }
    let aligned = if dialect.id == "opentelemetry" { "yes" } else { "no: names are the maker's own" };
    tell("names align with OpenTelemetry", aligned.into());
    for (waited, name) in [
        (history.waits.load, "longest time from a load to its utilisation, in ms"),
        (history.waits.memory, "time from an allocation to its memory, in ms"),
        (history.waits.gone, "time from the end of a pod to that of its name, in ms"),
    ] {
        if let Some(waited) = waited {
            tell(name, waited.to_string());
        }
    }
    measures
}
