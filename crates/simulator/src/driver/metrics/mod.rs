//! The metrics exporter: what the devices do, in the names of DCGM and of OpenTelemetry, over HTTP.

mod server;
mod text;

pub use server::serve;

use crate::breakage::Breakage;
use crate::driver::fleet::{Device, Nature};
use crate::driver::holders::{self, Holder, Holders};
use crate::driver::node::Node;
use crate::driver::work::Reading;
use crate::settings::Settings;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Under which names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// As NVIDIA's DCGM exporter.
    Dcgm,
    /// The hardware conventions of OpenTelemetry, as translated for Prometheus.
    OpenTelemetry,
}

/// Sample of one device.
struct Sample<'a> {
    device: &'a Device,
    reading: Reading,
    /// Nobody, or each holder of a shared device.
    holders: Vec<Holder>,
}

impl Sample<'_> {
    /// In degrees Celsius; follows utilisation, as a device of this kind would.
    fn temperature(&self) -> f64 {
        30.0 + 45.0 * self.reading.utilisation
    }

    /// In watts.
    fn power(&self) -> f64 {
        60.0 + 240.0 * self.reading.utilisation
    }
}

/// Memory of the exporter, so that it can be wrong about it.
#[derive(Default)]
struct Memory {
    holders: Mutex<Holders>,
    told: Mutex<String>,
}

/// Everything that is to be told now, and is, unless something is wrong.
async fn samples<'a>(node: &'a Node, memory: &Memory) -> Vec<Sample<'a>> {
    let settings = &node.settings;
    let holders = attribution(node, memory).await;
    let mut samples: Vec<Sample> = node
        .fleet
        .devices
        .iter()
        .map(|device| Sample {
            device,
            reading: node.hardware.read(device.index, Duration::from_millis(settings.window)),
            holders: holders.get(&device.index).cloned().unwrap_or_default(),
        })
        .collect();
    distort(settings, &mut samples);
    samples
}

fn distort(settings: &Settings, samples: &mut Vec<Sample>) {
    if settings.is_broken(Breakage::OneSeriesTooFew) {
        let whole = |sample: &Sample| sample.device.nature == Nature::Whole;
        if let Some(last) = samples.iter().rposition(whole) {
            samples.remove(last);
        }
    }
    if settings.is_broken(Breakage::ConstantUtilisation) {
        samples.iter_mut().for_each(|sample| sample.reading.utilisation = 0.42);
    }
}

async fn attribution(node: &Node, memory: &Memory) -> Holders {
    let said = match holders::ask(node).await {
        Ok(holders) => {
            memory.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
            if !node.settings.is_broken(Breakage::StaleAttribution) {
                return holders;
            }
            let mut known = memory.holders.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(holders);
            return known.clone();
        }
        Err(error) => format!("metrics name no pods: {error}"),
    };
    let mut told = memory.told.lock().unwrap_or_else(PoisonError::into_inner);
    if *told != said {
        (node.talk)(&said);
        *told = said;
    }
    Holders::new()
}
