//! Use of the devices: work one after the other, and memory that connections hold; over a socket of each
//! device.
//!
//! One JSON object a line each way, see [`Request`] and [`Answer`].

use crate::breakage::Breakage;
use crate::driver::fleet::{Device, Fleet, Nature};
use crate::driver::node::Node;
use crate::driver::{cdi, rpc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Interest};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// Work is looked after so often: whoever went away before it was done keeps the device busy no longer.
const STEP: Duration = Duration::from_millis(20);
/// Longest line that is read, in bytes.
const LINE: u64 = 4096;
/// For how long it is remembered when a device was busy.
const MEMORY: Duration = Duration::from_secs(60);

/// Request of a holder to its device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// To be busy for so long; one work at a time, further ones queue.
    Work {
        /// For how long.
        milliseconds: u64,
    },
    /// Memory, held as long as the connection is open.
    Allocate {
        /// Bytes more.
        bytes: u64,
    },
    /// To say what it is.
    Inspect {},
}

/// Answer of the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done: so much work, or so much memory held by this connection.
    Done {
        /// Time that it was busy.
        #[serde(skip_serializing_if = "Option::is_none")]
        milliseconds: Option<u64>,
        /// Memory that this connection holds now.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
    },
    /// Not done, and why.
    Refused(String),
    /// Facts that the device tells of itself.
    Device {
        /// Its name.
        uuid: String,
        /// Its model.
        model: String,
        /// `gpu`, `partition` or `vgpu`.
        nature: String,
        /// The physical device that it is a part of.
        parent: Option<String>,
        /// Version of its driver.
        driver_version: String,
        /// Version of its runtime.
        runtime_version: String,
        /// All its memory.
        memory_bytes: u64,
        /// Memory of all of the physical device.
        physical_memory_bytes: u64,
        /// Share of it that this is: `2/4`.
        share: Option<String>,
    },
}

/// Record of what a device has done and holds.
#[derive(Debug, Default)]
struct Meter {
    /// When it was busy; the last may go on.
    busy: VecDeque<(Instant, Option<Instant>)>,
    held: u64,
}

/// One device at work.
#[derive(Debug, Default)]
struct Unit {
    memory: u64,
    meter: Mutex<Meter>,
    /// Works wait here for their turn, in their order.
    turn: tokio::sync::Mutex<()>,
    /// The one who works on any part of the physical device, where only one may.
    only: Only,
}

/// Holder of a device or of a share of it.
type Holder = (u32, Option<u32>);

/// The one holder who works on a physical device, and how many of its works go on.
type Only = Arc<Mutex<Option<(Holder, usize)>>>;

/// A work of the one holder who may, ended however it ends.
struct Alone(Only);

impl Alone {
    /// Begins a work, unless another holder works.
    fn begin(only: &Only, holder: Holder) -> Option<Alone> {
        let mut who = only.lock().unwrap_or_else(PoisonError::into_inner);
        let works = match *who {
            Some((other, _)) if other != holder => return None,
            Some((_, works)) => works,
            None => 0,
        };
        *who = Some((holder, works + 1));
        Some(Alone(only.clone()))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let mut who = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *who = who.filter(|(_, works)| *works > 1).map(|(holder, works)| (holder, works - 1));
    }
}

impl Unit {
    fn meter(&self) -> std::sync::MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All devices at work, by index.
#[derive(Debug, Default)]
pub struct Hardware(Vec<Arc<Unit>>);

/// Measurements of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Share of the window in which it was busy, 0 to 1.
    pub utilisation: f64,
    /// Memory in use, in bytes.
    pub used: u64,
    /// All its memory, in bytes.
    pub memory: u64,
}

impl Hardware {
    /// Devices that are idle.
    pub fn new(fleet: &Fleet) -> Hardware {
        let mut physical: BTreeMap<&str, Only> = BTreeMap::new();
        let unit = |device| {
            let only = physical.entry(Device::physical(device)).or_default().clone();
            Arc::new(Unit { memory: device.memory, only, ..Unit::default() })
        };
        Hardware(fleet.devices.iter().map(unit).collect())
    }

    /// Measures a device over the last `window`.
    pub fn read(&self, index: u32, window: Duration) -> Reading {
        let Some(unit) = usize::try_from(index).ok().and_then(|index| self.0.get(index)) else {
            return Reading::default();
        };
        let meter = unit.meter();
        let now = Instant::now();
        let start = now.checked_sub(window).unwrap_or(now);
        let busy: Duration = meter
            .busy
            .iter()
            .map(|(from, to)| to.unwrap_or(now).saturating_duration_since((*from).max(start)))
            .sum();
        let utilisation = if window.is_zero() { 0.0 } else { busy.as_secs_f64() / window.as_secs_f64() };
        Reading { utilisation: utilisation.min(1.0), used: meter.held, memory: unit.memory }
    }
}

/// Serves the work sockets of all devices, until it is dropped.
///
/// # Errors
/// When a socket cannot be made.
pub async fn serve(node: Arc<Node>) -> io::Result<()> {
    let mut sockets = JoinSet::new();
    for device in &node.fleet.devices {
        for share in device.share_numbers() {
            let listener = rpc::listen(&cdi::socket(&node.settings, device, share), 0o666)?;
            sockets.spawn(serve_one(node.clone(), device.index, share, listener));
        }
    }
    while sockets.join_next().await.is_some() {}
    Ok(())
}

async fn serve_one(node: Arc<Node>, index: u32, share: Option<u32>, listener: UnixListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let node = node.clone();
                connections.spawn(async move { converse(&node, index, share, stream).await });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Memory of a connection, given back when it ends however it ends.
struct Held<'a> {
    unit: &'a Unit,
    bytes: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut meter = self.unit.meter();
        meter.held = meter.held.saturating_sub(self.bytes);
    }
}

/// Time in which a device is busy, ended however it ends.
struct Busy<'a>(&'a Unit);

impl<'a> Busy<'a> {
    fn begin(unit: &'a Unit) -> Busy<'a> {
        let mut meter = unit.meter();
        let now = Instant::now();
        meter.busy.retain(|(_, to)| to.is_none_or(|to| now.saturating_duration_since(to) < MEMORY));
        meter.busy.push_back((now, None));
        Busy(unit)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some((_, to)) = self.0.meter().busy.back_mut() {
            *to = Some(Instant::now());
        }
    }
}

async fn converse(node: &Node, index: u32, share: Option<u32>, stream: UnixStream) -> io::Result<()> {
    let gone = |what: &str| io::Error::other(format!("no device {index}: {what}"));
    let position = usize::try_from(index).map_err(|_| gone("no such index"))?;
    let unit = node.hardware.0.get(position).ok_or_else(|| gone("not in the fleet"))?;
    let device = node.fleet.at(index).ok_or_else(|| gone("not in the fleet"))?;
    let mut held = Held { unit, bytes: 0 };
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without an end is cut, and then not understood.
        if (&mut stream).take(LINE).read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_slice::<Request>(&line) {
            Ok(Request::Work { milliseconds }) => {
                let alone = node.settings.is_broken(Breakage::OneHolderAtATime)
                    && (device.shares > 1 || device.nature != Nature::Whole);
                let only = alone.then(|| Alone::begin(&unit.only, (index, share)));
                if matches!(only, Some(None)) {
                    say(&mut stream, &Answer::Refused("another holder works on the device".into())).await?;
                    continue;
                }
                let _turn = unit.turn.lock().await;
                if !work(unit, Duration::from_millis(milliseconds), stream.get_ref()).await {
                    return Ok(());
                }
                Answer::Done { milliseconds: Some(milliseconds), bytes: None }
            }
            Ok(Request::Allocate { bytes }) => allocate(&mut held, bytes),
            Ok(Request::Inspect {}) => inspect(node, device, share),
            Err(error) => Answer::Refused(format!("not understood: {error}")),
        };
        say(&mut stream, &answer).await?;
    }
}

async fn say(stream: &mut BufReader<UnixStream>, answer: &Answer) -> io::Result<()> {
    let mut text = serde_json::to_vec(answer)?;
    text.push(b'\n');
    stream.get_mut().write_all(&text).await
}

/// Keeps a device busy; gives false when whoever asked has gone.
async fn work(unit: &Unit, time: Duration, stream: &UnixStream) -> bool {
    let _busy = Busy::begin(unit);
    let start = Instant::now();
    while let Some(left) = time.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
        aiconform_wait::pause(left.min(STEP)).await;
        let ready = futures::FutureExt::now_or_never(stream.ready(Interest::WRITABLE));
        // Hung up, not merely done with asking.
        if let Some(Ok(ready)) = ready
            && ready.is_write_closed()
        {
            return false;
        }
    }
    true
}

fn allocate(held: &mut Held<'_>, bytes: u64) -> Answer {
    let mut meter = held.unit.meter();
    let free = held.unit.memory.saturating_sub(meter.held);
    if bytes > free {
        return Answer::Refused(format!("{bytes} bytes are asked for and {free} are free"));
    }
    meter.held += bytes;
    held.bytes += bytes;
    Answer::Done { milliseconds: None, bytes: Some(held.bytes) }
}

fn inspect(node: &Node, device: &Device, share: Option<u32>) -> Answer {
    let nature = match device.nature {
        Nature::Whole => "gpu",
        Nature::Partition => "partition",
        Nature::Virtual => "vgpu",
    };
    Answer::Device {
        uuid: device.uuid.clone(),
        model: node.settings.model.clone(),
        nature: nature.into(),
        parent: device.parent.clone(),
        driver_version: node.settings.driver_version.clone(),
        runtime_version: node.settings.runtime_version.clone(),
        memory_bytes: device.memory,
        physical_memory_bytes: device.physical_memory,
        share: share.map(|share| format!("{share}/{}", device.shares)),
    }
}
