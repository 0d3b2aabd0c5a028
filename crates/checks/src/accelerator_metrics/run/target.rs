//! One subject's endpoints, and waiting for what they are to show.

use super::super::adapters::{Dialect, Quantity, Reading};
use super::super::history::{Told, read, whole};
use super::endpoints::Place;
use aiconform_cluster::{Api, TextLimit};
use aiconform_model::{Bin, Scope};
use aiconform_wait::Wait;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How much of a scrape is read, and how long it may take: Prometheus itself waits 10 s.
pub const LIMIT: TextLimit = TextLimit { bytes: 8 << 20, time: Duration::from_secs(5) };
/// Rest between two scrapes.
pub const BETWEEN: Duration = Duration::from_millis(200);

/// What is waited for.
pub enum Wanted<'a> {
    /// The device is busier than at rest, and becomes no busier.
    Busy,
    /// It is as it was at rest.
    Idle,
    /// So many bytes more are in use than before.
    Memory(u64),
    /// No series names this pod.
    Gone(&'a str),
}

/// One subject.
pub struct Target {
    /// Its scope.
    pub scope: Scope,
    /// Its dialect, where it speaks one that is known.
    pub dialect: Option<&'static Dialect>,
    api: Api,
    /// Its endpoints, one for each node.
    pub places: Vec<Place>,
    /// The user named it.
    pub declared: bool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The endpoint of the device's node.
    here: Option<String>,
    uuid: String,
    memory: u64,
    /// Utilisation and memory of the device as they were last told.
    busy: Option<f64>,
    used: Option<f64>,
    /// Utilisation at rest, and under load.
    rest: Option<f64>,
    peak: Option<f64>,
}

impl Target {
    /// A subject with its endpoints.
    pub fn new(
        check: &str,
        id: &str,
        dialect: Option<&'static Dialect>,
        api: Api,
        places: Vec<Place>,
        declared: bool,
    ) -> Target {
        Target { scope: Scope::new(check, id), dialect, api, places, declared, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on the endpoint of this node is asked, or the first where none is known to be of it.
    pub fn choose(&self, node: &str) {
        let place = self.places.iter().find(|place| place.node == node).or_else(|| self.places.first());
        self.known().here = place.map(|place| place.path.clone());
    }

    /// What the device that the pod was given says of itself.
    pub fn know(&self, device: &Value) {
        let mut known = self.known();
        known.uuid = device["uuid"].as_str().unwrap_or_default().into();
        known.memory = device["memory_bytes"].as_u64().unwrap_or_default();
    }

    /// Memory of the device in bytes.
    pub fn memory(&self) -> u64 {
        self.known().memory
    }

    /// Scrapes an endpoint; what it says of devices, if it does.
    pub async fn look(&self, path: &str) -> Option<Arc<Told>> {
        let text = self.api.scrape(&self.scope, path, LIMIT).await;
        if text.lack().is_some() { None } else { read(self.dialect, &text.text).ok() }
    }

    /// Scrapes the endpoint of the device's node.
    pub async fn look_here(&self) -> Option<Arc<Told>> {
        let path = self.known().here.clone()?;
        let told = self.look(&path).await?;
        let mut known = self.known();
        let value = |quantity| {
            own(&told, &known.uuid).find(|reading| reading.quantity == quantity).map(|found| found.value)
        };
        (known.busy, known.used) = (value(Quantity::Utilisation), value(Quantity::MemoryUsed));
        Some(told)
    }

    /// Waits until the endpoint shows something; milliseconds until it did, if it did.
    pub async fn wait(&self, wanted: &Wanted<'_>, limit: Duration) -> Option<u64> {
        let (condition, before) = match wanted {
            Wanted::Busy => ("the load to show", self.known().busy),
            Wanted::Idle => ("the end of the load to show", None),
            Wanted::Memory(_) => ("the memory to show", self.known().used),
            Wanted::Gone(_) => ("the pod's name to go", None),
        };
        if matches!(wanted, Wanted::Busy) {
            self.known().rest = before;
        }
        let wait = Wait {
            condition: condition.into(),
            bin: Bin::Platform,
            limit,
            sink: self.api.sink().as_ref(),
            scope: &self.scope,
        };
        let last = Mutex::new(None);
        let ask = || async {
            let told = self.look_here().await.ok_or("no metrics")?;
            self.shows(wanted, before, &told, &last)
        };
        let met = wait.asking(BETWEEN, ask).await.ok()?;
        u64::try_from(met.waited.as_millis()).ok()
    }

    /// Whether what is wanted is told; else what is told.
    fn shows(
        &self,
        wanted: &Wanted<'_>,
        before: Option<f64>,
        told: &Told,
        last: &Mutex<Option<f64>>,
    ) -> Result<(), String> {
        let mut known = self.known();
        let shown = match (wanted, known.busy, known.used) {
            (Wanted::Busy, Some(busy), _) => {
                let rest = before.unwrap_or_default();
                // A value that still rises is not that of the load yet.
                let earlier = last.lock().unwrap_or_else(PoisonError::into_inner).replace(busy);
                let rises = busy - rest;
                let stands = earlier.is_some_and(|earlier| (busy - earlier).abs() <= rises * 0.1);
                known.peak = Some(busy);
                rises > 0.0 && stands
            }
            (Wanted::Idle, Some(busy), _) => {
                let (rest, peak) = (known.rest.unwrap_or_default(), known.peak.unwrap_or_default());
                busy <= rest + (peak - rest) * 0.1
            }
            #[allow(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
            (Wanted::Memory(bytes), _, Some(used)) => {
                used - before.unwrap_or_default() >= *bytes as f64 * 0.99
            }
            (Wanted::Gone(pod), ..) => {
                !told.readings.iter().any(|reading| reading.pod.as_ref().is_some_and(|(_, name)| name == pod))
            }
            _ => false,
        };
        if shown {
            return Ok(());
        }
        Err(format!(
            "utilisation {:?}, memory in use {:?} of the device {}",
            known.busy, known.used, known.uuid
        ))
    }
}

/// Readings of one device.
fn own<'a>(told: &'a Told, uuid: &'a str) -> impl Iterator<Item = &'a Reading> {
    told.readings.iter().filter(move |reading| {
        whole(&reading.device).eq_ignore_ascii_case(uuid)
            || reading.names.iter().any(|name| name.eq_ignore_ascii_case(uuid))
    })
}
