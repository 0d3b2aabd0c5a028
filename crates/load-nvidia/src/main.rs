//! The load on NVIDIA's devices, as `docs/guide/load.md` asks for one: it says which device it has, works on it, and takes
//! memory of it.
//!
//! Everything goes through `libcuda.so.1`, which is a part of the driver and is put into the container by whoever gives the
//! device; nothing of CUDA needs to be in the image. The kernel that keeps the device busy stands here as PTX, which the driver
//! translates for whatever generation it finds. The C library is needed, because the driver's library needs it: that is why
//! this program, other than the probe, is not static.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for pods: its lines are what it is asked for"
)]

mod driver;
mod mapped;
mod measure;

use driver::{Device, Driver, Management};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Time that one launch should keep the device busy: short enough to end soon, long enough that what lies between two does not
/// count.
const LAUNCH: Duration = Duration::from_millis(50);
/// Turns of the kernel's loop at first; it is measured how long these take.
const TURNS: u32 = 1 << 14;
/// Most of them in one launch.
const MOST: u32 = 1 << 30;
/// Time between two words on what was done.
const TELL: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["inspect"] => begin().map(drop),
        ["work"] => work(),
        ["hold", bytes] => bytes.parse().map_err(|error| format!("{bytes:?}: {error}")).and_then(hold),
        ["measure", file] => measure::measure(file),
        _ => Err("usage: aiconform-load-nvidia inspect | work | hold BYTES | measure FILE".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&json!({"error": why}));
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a line at once; whoever does not read any more is not told.
fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Opens the driver and its devices, and says which they are.
fn begin() -> Result<(Driver, Vec<Device>), String> {
    let driver = Driver::open()?;
    let count = driver.count()?;
    if count == 0 {
        return Err(
            "libcuda.so.1 is there and finds no device: the container was given none that it can use".into(),
        );
    }
    let devices: Vec<Device> = (0..count).map(|number| driver.device(number)).collect::<Result<_, _>>()?;
    let runtime = driver.version().ok().map(|version| format!("{}.{}", version / 1000, version % 1000 / 10));
    let management = Management::open();
    for device in &devices {
        let physical =
            device.parent.as_ref().map_or(Some(device.memory), |parent| management.as_ref()?.all(parent));
        say(&json!({"device": {
            "uuid": device.uuid, "parent": device.parent, "model": device.model,
            "memory_bytes": device.memory, "physical_memory_bytes": physical,
            "driver_version": driver.kernel_version(), "runtime_version": runtime, "library": mapped::library(),
        }}));
    }
    Ok((driver, devices))
}

/// Keeps every device busy until the program is ended, and says for how long each was, together.
fn work() -> Result<(), String> {
    let (driver, devices) = begin()?;
    let (mut busy, mut told) = (Duration::ZERO, Instant::now());
    let mut loads: Vec<(driver::Load<'_>, u32)> =
        devices.iter().map(|device| Ok((driver.load(device)?, TURNS))).collect::<Result<_, String>>()?;
    say(&json!({"busy_milliseconds": 0}));
    loop {
        for (load, turns) in &mut loads {
            load.launch(*turns)?;
        }
        for (load, turns) in &mut loads {
            let begun = Instant::now();
            load.wait()?;
            let took = begun.elapsed();
            busy += took;
            *turns = longer(*turns, took);
        }
        if told.elapsed() >= TELL {
            say(&json!({"busy_milliseconds": u64::try_from(busy.as_millis()).unwrap_or(u64::MAX)}));
            told = Instant::now();
        }
    }
}

/// Turns of the next launch, when so many took so long.
fn longer(turns: u32, took: Duration) -> u32 {
    let factor = (LAUNCH.as_secs_f64() / took.as_secs_f64().max(1e-6)).clamp(0.5, 4.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between one and the most")]
    let next = (f64::from(turns) * factor) as u32;
    next.clamp(1, MOST)
}

/// Takes so many bytes of every device, says so, and keeps them until the program is ended.
fn hold(bytes: u64) -> Result<(), String> {
    let (driver, devices) = begin()?;
    let mut held = Vec::new();
    for device in &devices {
        held.push(driver.load(device)?);
    }
    for load in &mut held {
        load.take(bytes)?;
        say(&json!({"held_bytes": bytes}));
    }
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_become_as_long_as_they_should_be_and_never_none() {
        assert_eq!(longer(1000, Duration::from_millis(25)), 2000);
        assert_eq!(longer(1000, Duration::from_secs(9)), 500);
        assert_eq!(longer(1, Duration::from_secs(9)), 1);
        assert_eq!(longer(MOST, Duration::from_micros(1)), MOST);
    }
}
