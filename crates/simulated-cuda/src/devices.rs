//! Simulated devices of this container, by the sockets that came with them. What is asked of one moves what its exporter
//! tells; nothing else here does.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

/// Folder of the sockets: not where the probe looks for devices that it works on by itself.
const SOCKETS: &str = "/run/simulated-cuda";

/// Errors of the driver by their numbers (`CUresult`).
pub const OUT_OF_MEMORY: i32 = 2;
pub const NO_DEVICE: i32 = 100;
pub const LAUNCH_FAILED: i32 = 719;

/// A device, and what goes on at it.
struct Device {
    path: String,
    facts: Value,
    /// Works that were begun and not waited for.
    begun: Vec<BufReader<UnixStream>>,
    /// Memory that is held, as long as these are open.
    held: Vec<BufReader<UnixStream>>,
}

static DEVICES: Mutex<Vec<Device>> = Mutex::new(Vec::new());

/// Looks which devices there are; gives how many.
pub fn find() -> usize {
    let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
    let entries = std::fs::read_dir(SOCKETS).into_iter().flatten().flatten();
    let mut paths: Vec<String> = entries.map(|entry| entry.path().display().to_string()).collect();
    paths.sort();
    *devices = paths
        .into_iter()
        .filter_map(|path| {
            let facts = ask(&mut connect(&path)?, &json!({"inspect": {}}))?.get("device")?.clone();
            Some(Device { path, facts, begun: Vec::new(), held: Vec::new() })
        })
        .collect();
    devices.len()
}

/// Number of devices.
pub fn count() -> usize {
    DEVICES.lock().unwrap_or_else(PoisonError::into_inner).len()
}

/// Fact of a device, by its key.
pub fn fact(number: usize, key: &str) -> Option<Value> {
    DEVICES.lock().unwrap_or_else(PoisonError::into_inner).get(number)?.facts.get(key).cloned()
}

/// Begins so many milliseconds of work.
pub fn begin(number: usize, milliseconds: u64) -> i32 {
    let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(device) = devices.get_mut(number) else { return NO_DEVICE };
    let Some(mut stream) = connect(&device.path) else { return NO_DEVICE };
    if send(&mut stream, &json!({"work": {"milliseconds": milliseconds}})).is_none() {
        return NO_DEVICE;
    }
    device.begun.push(stream);
    0
}

/// Waits until what was begun is done.
pub fn wait(number: usize) -> i32 {
    let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(device) = devices.get_mut(number) else { return NO_DEVICE };
    let done = |mut stream| receive(&mut stream).is_some_and(|answer| answer.get("done").is_some());
    let answers: Vec<bool> = device.begun.drain(..).map(done).collect();
    if answers.into_iter().all(|done| done) { 0 } else { LAUNCH_FAILED }
}

/// Takes so many bytes until the process ends.
pub fn take(number: usize, bytes: u64) -> i32 {
    let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(device) = devices.get_mut(number) else { return NO_DEVICE };
    let Some(mut stream) = connect(&device.path) else { return NO_DEVICE };
    match ask(&mut stream, &json!({"allocate": {"bytes": bytes}})) {
        Some(answer) if answer.get("done").is_some() => {
            device.held.push(stream);
            0
        }
        _ => OUT_OF_MEMORY,
    }
}

fn connect(path: &str) -> Option<BufReader<UnixStream>> {
    UnixStream::connect(path).ok().map(BufReader::new)
}

fn send(stream: &mut BufReader<UnixStream>, question: &Value) -> Option<()> {
    stream.get_mut().write_all(format!("{question}\n").as_bytes()).ok()
}

fn receive(stream: &mut BufReader<UnixStream>) -> Option<Value> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

fn ask(stream: &mut BufReader<UnixStream>, question: &Value) -> Option<Value> {
    send(stream, question)?;
    receive(stream)
}

/// The sixteen bytes of a name such as `GPU-00112233-4455-6677-8899-aabbccddeeff`.
pub fn bytes_of(uuid: &str) -> Option<[u8; 16]> {
    let (_, digits) = uuid.split_once('-')?;
    let digits = digits.replace('-', "");
    let byte = |place: usize| u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..16).map_while(byte).collect();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_sixteen_bytes_or_none() {
        let bytes = bytes_of("GPU-00112233-4455-6677-8899-aabbccddeeff").unwrap();
        assert_eq!((bytes[0], bytes[1], bytes[15]), (0, 0x11, 0xff));
        assert_eq!(bytes_of("GPU-0011"), None);
        assert_eq!(bytes_of("none"), None);
    }
}
