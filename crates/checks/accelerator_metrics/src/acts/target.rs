//! Endpoints of one subject, and waiting for what they are to show.

use crate::adapters::{Dialect, Metrics, Quantity, Reading, read, whole};
use crate::find::Place;
use crate::limits::ANSWER;
use crate::marks::{Facts, Given, ID};
use aiconform_check::profile::Profile;
use aiconform_cluster::{Api, TextLimit};
use aiconform_model::{Bin, Scope};
use aiconform_wait::Wait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most bytes of a scrape that are read.
const BYTES: usize = 8 << 20;
/// Rest between two scrapes.
pub const BETWEEN: Duration = Duration::from_millis(200);

/// Bounds of a scrape.
pub fn bounds(profile: &Profile) -> TextLimit {
    TextLimit { bytes: BYTES, time: profile.limit(&ANSWER).time }
}

/// Something that is waited for.
pub enum Wanted<'a> {
    /// The device is busier than at rest, and becomes no busier.
    Busy,
    /// It is as it was at rest.
    Idle,
    /// So many bytes more are in use than before.
    Memory(u64),
    /// So many bytes less are in use.
    Free(u64),
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
    bounds: TextLimit,
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
        id: &str,
        dialect: Option<&'static Dialect>,
        (api, bounds): (Api, TextLimit),
        places: Vec<Place>,
        declared: bool,
    ) -> Target {
        Target { scope: Scope::new(ID, id), dialect, api, bounds, places, declared, known: Mutex::default() }
    }

    /// Facts that identify the subject.
    pub fn facts(&self) -> Facts {
        Facts {
            dialect: self.dialect.map(|dialect| dialect.id.clone()).unwrap_or_default(),
            product: self.dialect.map_or("not known", |dialect| dialect.product.as_str()).into(),
            tried: self.dialect.is_none_or(|dialect| dialect.tried),
            // No dialect was seen with hardware yet; a text of which none is known is judged by the format alone.
            tried_simulated: self.dialect.is_some_and(|dialect| dialect.tried),
            own_control: true,
            endpoints: self.places.iter().map(|place| place.path.clone()).collect(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses the endpoint that is asked from here on: that of this node, or the first where none is known to be of it.
    pub fn choose(&self, node: &str) {
        let place = self.places.iter().find(|place| place.node == node).or_else(|| self.places.first());
        self.known().here = place.map(|place| place.path.clone());
    }

    /// Notes which device the pod was given.
    pub fn know(&self, given: &Given) {
        let mut known = self.known();
        known.uuid = given.names.first().cloned().unwrap_or_default();
        known.memory = given.memory_bytes.unwrap_or_default();
    }

    /// Memory of the device in bytes.
    pub fn memory(&self) -> u64 {
        self.known().memory
    }

    /// Scrapes an endpoint; gives its metrics, if they are some.
    pub async fn look(&self, path: &str) -> Option<Arc<Metrics>> {
        let text = self.api.scrape(&self.scope, path, self.bounds).await;
        if text.lack().is_some() { None } else { read(self.dialect, &text.text).ok() }
    }

    /// Scrapes the endpoint of the device's node.
    pub async fn look_here(&self) -> Option<Arc<Metrics>> {
        let path = self.known().here.clone()?;
        let metrics = self.look(&path).await?;
        let mut known = self.known();
        let value = |quantity| {
            readings(&metrics, &known.uuid)
                .find(|reading| reading.quantity == quantity)
                .map(|found| found.value)
        };
        (known.busy, known.used) = (value(Quantity::Utilisation), value(Quantity::MemoryUsed));
        Some(metrics)
    }

    /// Waits until the endpoint shows something; gives the milliseconds until it did, if it did.
    pub async fn wait(&self, wanted: &Wanted<'_>, limit: Duration) -> Option<u64> {
        let (condition, before) = match wanted {
            Wanted::Busy => ("the load to show", self.known().busy),
            Wanted::Idle => ("the end of the load to show", None),
            Wanted::Memory(_) => ("the memory to show", self.known().used),
            Wanted::Free(_) => ("the end of the memory to show", self.known().used),
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
            let metrics = self.look_here().await.ok_or("no metrics")?;
            self.shows(wanted, before, &metrics, &last)
        };
        let met = wait.asking(BETWEEN, ask).await.ok()?;
        u64::try_from(met.waited.as_millis()).ok()
    }

    /// Looks whether what is wanted is told; an error is what is told instead.
    fn shows(
        &self,
        wanted: &Wanted<'_>,
        before: Option<f64>,
        metrics: &Metrics,
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
            #[allow(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
            (Wanted::Free(bytes), _, Some(used)) => before.unwrap_or_default() - used >= *bytes as f64 * 0.99,
            (Wanted::Gone(pod), ..) => {
                !metrics.readings.iter().any(|reading| reading.pods.iter().any(|(_, name)| name == pod))
            }
            _ => false,
        };
        if shown {
            return Ok(());
        }
        let told =
            |value: Option<f64>| value.map_or_else(|| "not told".to_owned(), |value| value.to_string());
        Err(format!(
            "utilisation {}, memory in use {} of the device {}",
            told(known.busy),
            told(known.used),
            known.uuid
        ))
    }
}

/// Readings of one device.
fn readings<'a>(metrics: &'a Metrics, uuid: &'a str) -> impl Iterator<Item = &'a Reading> {
    metrics.readings.iter().filter(move |reading| {
        whole(&reading.device).eq_ignore_ascii_case(uuid)
            || reading.names.iter().any(|name| name.eq_ignore_ascii_case(uuid))
    })
}
