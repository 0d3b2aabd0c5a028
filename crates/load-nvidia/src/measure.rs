//! The load measured on a machine with a GPU: this program at work, and NVML beside it, which exporters read. What comes of it is
//! the one thing that is written to `docs/reference/gpu.md`.

use crate::driver::{Device, Driver, Management};
use crate::mapped;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Kernel module's word on itself: where it is not, there is no GPU.
const MODULE: &str = "/proc/driver/nvidia/version";
/// A load is to be seen as so many percent, at least, within this time.
const BUSY: (u32, Duration) = (90, Duration::from_secs(10));
/// The end of a load is to be seen as so many percent, at most, within this time.
const REST: (u32, Duration) = (5, Duration::from_secs(5));
/// Part of memory that was taken by which what is seen may be more: a context has some of its own, which is measured first.
const MEMORY: f64 = 0.02;
/// Memory that is taken, in bytes.
const TAKEN: u64 = 8 << 30;
/// Time until memory is seen.
const SEEN: Duration = Duration::from_secs(20);
/// Time between two questions.
const BETWEEN: Duration = Duration::from_millis(100);

/// A child that is ended with what it does.
struct Task(Child);

impl Task {
    fn start(task: &[&str]) -> Result<Task, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let child = Command::new(own).args(task).stdout(Stdio::null()).spawn();
        child.map(Task).map_err(|error| error.to_string())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until an answer will do; how long that took, and the last answer.
fn until<T: Copy>(
    limit: Duration,
    ask: impl Fn() -> Option<T>,
    will_do: impl Fn(T) -> bool,
) -> Result<(Duration, T), String> {
    let begun = Instant::now();
    loop {
        let answer = ask().ok_or("NVML does not say")?;
        if will_do(answer) || begun.elapsed() > limit {
            return Ok((begun.elapsed(), answer));
        }
        std::thread::sleep(BETWEEN);
    }
}

/// Measures the first device, and writes what was seen.
///
/// # Errors
/// When there is no GPU, or something is not as it is to be; then nothing is written.
pub fn measure(file: &str) -> Result<(), String> {
    let module = std::fs::read_to_string(MODULE)
        .map_err(|error| format!("{MODULE}: {error}; this measures real devices and no others"))?;
    let driver = Driver::open()?;
    let device = driver.device(0)?;
    let version = driver.version()?;
    let management = Management::open().ok_or("NVML is not there")?;
    let text = seen(&device, version, module.lines().next().unwrap_or_default(), &management)?;
    std::fs::write(file, &text).map_err(|error| format!("{file}: {error}"))?;
    eprintln!("{text}");
    Ok(())
}

fn seen(device: &Device, version: u32, module: &str, management: &Management) -> Result<String, String> {
    let uuid = device.uuid.as_str();
    let busy = || management.busy(uuid);
    let (_, before) = until(REST.1, busy, |busy| busy <= REST.0)?;
    if before > REST.0 {
        return Err(format!("before any load the device is busy to {before} %: somebody else is on it"));
    }
    let load = Task::start(&["work"])?;
    let (rose, high) = until(BUSY.1, busy, |busy| busy >= BUSY.0)?;
    let steady: Vec<u32> = (0..50)
        .map_while(|_| {
            std::thread::sleep(BETWEEN);
            busy()
        })
        .collect();
    drop(load);
    let (fell, low) = until(REST.1, busy, |busy| busy <= REST.0)?;
    let used = || management.used(uuid);
    // What a context takes is no memory that was asked for.
    let first = Task::start(&["hold", "4096"])?;
    std::thread::sleep(REST.1);
    let context = used().ok_or("NVML does not say")?;
    drop(first);
    std::thread::sleep(REST.1);
    let wanted = TAKEN.min(device.memory / 4);
    let held = Task::start(&["hold", &wanted.to_string()])?;
    #[allow(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
    let off = |used: u64| (used as f64 - context as f64 - wanted as f64).abs() / wanted as f64;
    let (shown, last) = until(SEEN, used, |used| off(used) <= MEMORY)?;
    drop(held);
    let lowest = steady.iter().min().copied().unwrap_or_default();
    for (is_so, what) in [
        (
            high >= BUSY.0 && lowest >= BUSY.0,
            format!("under load it is busy to {high} %, and then to {lowest} % at least"),
        ),
        (low <= REST.0, format!("{} s after the load it is busy to {low} %", REST.1.as_secs())),
        (
            off(last) <= MEMORY,
            format!("of {wanted} bytes that were taken, {} are seen", last.saturating_sub(context)),
        ),
    ] {
        if !is_so {
            return Err(format!("it is not as it is to be: {what}"));
        }
    }
    let library = mapped::library().unwrap_or_default();
    Ok(format!(
        "# The load on a GPU\n\nWritten by `aiconform-load-nvidia measure FILE` on a machine with a GPU, and by nothing else. NVML is what NVIDIA's exporter reads.\n\n\
         | what | seen |\n|---|---|\n| device | {} ({} bytes) |\n| kernel module | {module} |\n| CUDA of the driver | {}.{} |\n| library | {library} |\n\
         | at least {} % busy after the load began | {:.1} s |\n| least of the 5 s after that | {lowest} % |\n\
         | at most {} % busy after it ended | {:.1} s |\n| {wanted} bytes taken: seen, beside what a context takes | {} after {:.1} s |\n",
        device.model,
        device.memory,
        version / 1000,
        version % 1000 / 10,
        BUSY.0,
        rose.as_secs_f64(),
        REST.0,
        fell.as_secs_f64(),
        last.saturating_sub(context),
        shown.as_secs_f64()
    ))
}
