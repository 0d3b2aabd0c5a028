//! Questions to the probe in a test pod, and its answers: JSON over HTTP, one path for each question.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Port on which the probe serves in the first container of a pod; each further container has the next.
pub const PORT: u16 = 18080;
/// Where a simulated device takes work: `N.sock` for the device of that number.
pub const SOCKETS: &str = "/run/accelerator";
/// Set in every container that is given a simulated device.
pub const SIMULATED: &str = "AICONFORM_SIMULATED";

/// With this variable (`name=value`, several with commas between) the probe is an inference server too: it takes requests as
/// vLLM does (`POST /v1/chat/completions` and `/v1/completions`; with `"hold": true` one runs until `POST /release`), and
/// exposes them with these labels.
pub const LABELS: &str = "PROBE_LABELS";
/// Latencies in seconds that the inference server says it has, request by request; their sums are exact.
pub const LATENCIES: [f64; 4] = [0.015_625, 0.125, 0.5, 4.0];

/// Numbers of a device, which say what it is whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Number {
    /// True for a block device; else it is a character device.
    #[serde(default)]
    pub block: bool,
    /// Its driver.
    pub major: u32,
    /// Number among that driver's devices.
    pub minor: u32,
}

impl std::fmt::Display for Number {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}:{}", if self.block { 'b' } else { 'c' }, self.major, self.minor)
    }
}

/// Result of opening a device for reading and writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// 0 when it was opened, else the error's number (errno(3), Linux).
    pub errno: i32,
    /// The error's name, such as `EPERM`; empty when it was opened.
    #[serde(default)]
    pub name: String,
}

/// Access that an opening shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The kernel came to the device: it was opened, or its driver (or the lack of one) answered.
    Reached,
    /// The kernel refused it for this container (EPERM): the device cgroup.
    Denied,
    /// There is no such node.
    Absent,
    /// Permissions of the file stand before it (EACCES): what lies behind them is not known.
    Hidden,
    /// Something else went wrong: nothing is known.
    Unclear,
}

impl Opening {
    /// Access that it shows. ENXIO is the kernel's word that the device was reached and no driver stands behind it.
    pub fn access(&self) -> Access {
        match self.errno {
            0 => Access::Reached,
            1 => Access::Denied,
            2 | 20 => Access::Absent,
            13 => Access::Hidden,
            // EIO, ENXIO, EBUSY, ENODEV and EINVAL are answers of a driver, or of the kernel in its place.
            5 | 6 | 16 | 19 | 22 => Access::Reached,
            _ => Access::Unclear,
        }
    }

    /// Tells whether no driver stands behind the device: then it is simulated.
    pub fn has_no_driver(&self) -> bool {
        self.errno == 6
    }

    /// In a word.
    pub fn word(&self) -> &str {
        if self.errno == 0 { "opened" } else { &self.name }
    }
}

/// A device node that lies in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its path.
    pub path: String,
    /// Its numbers.
    pub number: Number,
    /// Result of opening it.
    pub opening: Opening,
}

/// Things to look for beside those that lie in the container (`POST /look`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookFor {
    /// Paths to open.
    pub paths: Vec<String>,
    /// Devices for which to make a node, and to open it.
    pub numbers: Vec<Number>,
    /// Files to read, such as those in which a kernel module says its version.
    pub files: Vec<String>,
}

/// Longest part of a file that is read, in bytes.
pub const FILE: usize = 4096;

/// Result for a file that was to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFile {
    /// The path.
    pub path: String,
    /// Its first [`FILE`] bytes, bytes that are no UTF-8 replaced.
    #[serde(default)]
    pub text: String,
    /// Why it could not be read; empty when it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Result for a path that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedPath {
    /// The path.
    pub path: String,
    /// Result of opening it.
    pub opening: Opening,
}

/// Result for a device for which a node was to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedNumber {
    /// The device.
    pub number: Number,
    /// Result of making the node (mknod(2)); errno 0 when it was made.
    pub made: Opening,
    /// Result of opening it, when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
}

/// Things that a container sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Its device nodes, without those of every container (null, zero, full, random, urandom, tty, console, ptmx, and
    /// terminals), by path.
    pub devices: Vec<Seen>,
    /// Results for the paths, in their order.
    pub paths: Vec<TriedPath>,
    /// Results for the numbers, in their order.
    pub numbers: Vec<TriedNumber>,
    /// Results for the files, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ReadFile>,
    /// Sockets of simulated devices, by path.
    pub sockets: Vec<String>,
    /// Environment variables that name devices or their makers.
    pub environment: BTreeMap<String, String>,
    /// Mount points that are not of every container.
    pub mounts: Vec<String>,
    /// User that the probe runs as.
    pub user: u32,
    /// Starts of the probe in this container's life as it can tell: its own process id and start time.
    pub started: String,
}

/// Work for every simulated device of the container (`POST /work`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// For how long each is kept busy.
    pub milliseconds: u64,
    /// The run's token.
    #[serde(default)]
    pub token: String,
}

/// Environment variable with the command (a JSON array) of the program by which this container's devices are asked, worked on,
/// and filled; without it they are simulated ones, with sockets.
pub const LOAD_COMMAND: &str = "PROBE_LOAD_COMMAND";
/// Environment variable with the SHA-256 (in hexadecimal) of the run's token. Where it is set, nobody without that token puts
/// the devices to work: the pod's network is not ours alone.
pub const TOKEN_DIGEST: &str = "PROBE_TOKEN_SHA256";

/// Line of a program that puts devices to work (`docs/guide/load.md`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A device that it has.
    Device(serde_json::Map<String, serde_json::Value>),
    /// For how long it has kept its devices busy since it began, each counted.
    BusyMilliseconds(u64),
    /// Bytes that it holds of a device.
    HeldBytes(u64),
    /// Reason for which it cannot.
    Error(String),
}

/// A load that every device of the container is kept under until `POST /rest` (`POST /load`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// It ends by itself after so long.
    pub milliseconds: u64,
    /// The run's token.
    #[serde(default)]
    pub token: String,
}

/// The run's token alone: for the end of a load (`POST /rest`), and where a program is started to be asked (`POST /inspect`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Token {
    /// The run's token.
    pub token: String,
}

/// Result of a load (the answer to `POST /rest`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// For how long the devices were to work, in milliseconds.
    pub asked: u64,
    /// For how long they say that they did.
    pub done: u64,
    /// Words for the fault.
    pub why: String,
}

/// Memory to take of every device of the container and to hold (`POST /hold`); 0 lets go of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Bytes of each.
    pub bytes: u64,
    /// The run's token.
    #[serde(default)]
    pub token: String,
}

/// A name to be resolved by the pod's own resolver (`POST /resolve`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    /// The name.
    pub name: String,
}

/// Ends the probe with this code (`POST /stop`), so that the kubelet starts the container again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// Exit code.
    pub code: u8,
}

/// Environment variable that names a gauge, which `/metrics` then serves from the start, with the value 0.
pub const GAUGE: &str = "PROBE_GAUGE";

/// Sets a gauge that `/metrics` serves (`POST /gauge`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    /// Its name, as Prometheus takes names of metrics.
    pub name: String,
    /// Its value; without one it is served no longer.
    #[serde(default)]
    pub value: Option<f64>,
}

/// Set in the container of a probe that is also a backend: under which name it says who it is. It then answers every request
/// on [`BACKEND_PORT`] with an [`Echo`], and tells what came by `POST /seen`.
pub const BACKEND: &str = "PROBE_BACKEND";
/// Port on which such a probe answers as a backend.
pub const BACKEND_PORT: u16 = 18090;
/// Header in which a request says which it is: its batch and its number, as `BATCH-NUMBER`.
pub const NONCE: &str = "x-aiconform-nonce";
/// Most requests of one batch.
pub const MOST_REQUESTS: u32 = 5000;
/// Most connections of one batch at the same time.
pub const MOST_CONNECTIONS: u32 = 32;
/// Most bytes that are read of one answer's body.
pub const MOST_ANSWER: usize = 16 * 1024;

/// A batch of requests of one form, to be sent by HTTP/1.1 to one address (`POST /send`). Redirects are not followed, and
/// nothing is tried twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Batch {
    /// Name of the batch, which the requests carry.
    pub batch: String,
    /// Where to: an IP address, or a name for the pod's own resolver.
    pub address: String,
    /// Port there.
    pub port: u16,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// `Host` header.
    pub host: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
    /// Number of requests, at most [`MOST_REQUESTS`].
    pub count: u32,
    /// Number that the first of them carries: that of the batch's requests that were sent before.
    pub first: u32,
    /// Connections at the same time, at most [`MOST_CONNECTIONS`].
    pub connections: u32,
    /// True if each connection is used for many requests; else each request has one of its own.
    pub keeps_alive: bool,
    /// Longest time for one request, its connection included, in milliseconds.
    pub each: u64,
    /// Longest time for all, in milliseconds; what was not sent by then is not.
    pub all: u64,
}

/// Answer of a backend to every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Echo {
    /// Name of the backend.
    pub backend: String,
    /// The request's [`NONCE`], as it came.
    pub nonce: String,
    /// Address from which it came.
    pub peer: String,
    /// Names of headers that came and that only proxies add.
    pub proxied: Vec<String>,
}

/// Answers that are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Name of the backend that answered, by its own word; empty when nobody that is a backend of ours.
    pub backend: String,
    /// `Location` of a redirect.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// True if it says the nonce of this very request.
    pub is_own: bool,
    /// Address from which the backend was asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub peer: String,
    /// Names of headers that only proxies add.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proxied: Vec<String>,
}

/// Answers that are alike, and their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Content of each.
    #[serde(flatten)]
    pub answer: Answer,
    /// Number of them.
    pub count: u32,
}

/// Result of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sent {
    /// Requests that were begun.
    pub sent: u32,
    /// Connections that were made.
    pub connections: u32,
    /// Answers, those that are alike counted together.
    pub answers: Vec<Answered>,
    /// Requests without an answer, by what went wrong.
    pub errors: BTreeMap<String, u32>,
    /// Addresses that the name was resolved to, of which the first was taken.
    pub resolved: Vec<String>,
    /// Time from the first to the last, in milliseconds.
    pub milliseconds: u64,
}

impl Sent {
    /// Adds the result of what was sent later of the same batch.
    pub fn join(&mut self, later: Sent) {
        self.sent += later.sent;
        self.connections += later.connections;
        for answered in later.answers {
            match self.answers.iter_mut().find(|it| it.answer == answered.answer) {
                Some(it) => it.count += answered.count,
                None => self.answers.push(answered),
            }
        }
        for (why, count) in later.errors {
            *self.errors.entry(why).or_default() += count;
        }
        self.resolved = later.resolved;
        self.milliseconds += later.milliseconds;
    }
}

/// Batches about which a backend is asked (`POST /seen`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeenOf {
    /// Names of the batches.
    pub batches: Vec<String>,
}

/// Requests of a batch that a backend saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// Requests that came.
    pub requests: u32,
    /// Different ones among them.
    pub different: u32,
}

/// Answers of the devices of a container, by the socket's path; each as the device gave it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// The answers.
    pub devices: BTreeMap<String, serde_json::Value>,
    /// Faults, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_in_parts_is_counted_together() {
        let part = |backend: &str, count, lost| {
            let answer = Answer { status: 200, backend: backend.into(), ..Answer::default() };
            let errors = (lost > 0).then(|| ("no answer in time".to_owned(), lost)).into_iter().collect();
            Sent { sent: count + lost, answers: vec![Answered { answer, count }], errors, ..Sent::default() }
        };
        let mut all = part("a", 3, 1);
        all.join(part("b", 2, 0));
        all.join(part("a", 4, 2));
        let counts: Vec<(&str, u32)> =
            all.answers.iter().map(|it| (it.answer.backend.as_str(), it.count)).collect();
        assert_eq!((all.sent, counts, all.errors["no answer in time"]), (12, vec![("a", 7), ("b", 2)], 3));
    }

    #[test]
    fn refusal_absence_permissions_and_a_device_without_driver_are_told_apart() {
        let access = |errno| Opening { errno, name: String::new() }.access();
        assert_eq!(
            [0, 1, 2, 6, 13, 24].map(access),
            [
                Access::Reached,
                Access::Denied,
                Access::Absent,
                Access::Reached,
                Access::Hidden,
                Access::Unclear
            ]
        );
    }
}
