//! Devices worked on by a program of the container's image (`docs/guide/load.md`): what it has, work, and memory.
//!
//! What the program says is what it says: who asks compares it with what the kernel and the cluster say of the same device.

use crate::look::{look, sockets};
use crate::program::{PATIENCE, Program};
use aiconform_model::probe::{Answers, LOAD_COMMAND, Loaded, LookFor};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longest silence of a program at work before its work counts as stopped.
const SILENCE: Duration = Duration::from_secs(3);
/// Longest time between two words of a program at work.
const TOLD: Duration = Duration::from_secs(1);

/// The command of the program, where the container has one.
///
/// # Errors
/// When the variable is not what it should be.
pub fn command() -> Option<Result<Vec<String>, String>> {
    // Simulated devices with sockets of their own need none.
    if !sockets().is_empty() {
        return None;
    }
    let text = std::env::var(LOAD_COMMAND).ok()?;
    let read = serde_json::from_str::<Vec<String>>(&text).map_err(|error| format!("{LOAD_COMMAND}: {error}"));
    Some(read.and_then(|command| {
        if command.is_empty() { Err(format!("{LOAD_COMMAND} is empty")) } else { Ok(command) }
    }))
}

/// The program at work, and the one that holds memory.
static LOAD: Mutex<Option<Program>> = Mutex::new(None);
static HELD: Mutex<Option<Program>> = Mutex::new(None);

/// Devices that the program has, by its word, and what kernel and runtime say of them: whether a driver stands behind what the
/// container was given, what that is called, and whether a library on which a version stands came with the device or with the
/// image.
///
/// # Errors
/// When it does not say.
pub fn inspect(command: &[String]) -> Result<Answers, String> {
    let mut program = Program::start(command, &["inspect"])?;
    // All are said when it ends.
    program.until(|said| said.ended)?;
    let said = program.said();
    if said.devices.is_empty() {
        return Err(said.with_last("the program names no device"));
    }
    let look = look(&LookFor::default(), &std::env::temp_dir());
    // One node without a driver is none of a device: a module that is not loaded leaves such.
    let without = look.devices.iter().filter(|seen| seen.opening.has_no_driver()).count();
    let is_simulated =
        look.environment.contains_key(SIMULATED) || (without > 0 && without == look.devices.len());
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut told: Vec<String> = look.environment.values().flat_map(|value| names_in(value)).collect();
    told.extend(by_the_kernel(KERNEL));
    let known = |device: &Value| {
        let mut device = device.clone();
        device["told"] = json!(told);
        device["simulated"] = is_simulated.into();
        let library = device.get("library").and_then(Value::as_str);
        device["library_of_image"] = library.map(|library| mount_of(&mounts, library) == "/").into();
        json!({"device": device})
    };
    let named = said.devices.iter().enumerate();
    let devices = named.map(|(number, device)| (format!("program/{number}"), known(device)));
    Ok(Answers { devices: devices.collect(), errors: Vec::new() })
}

/// Variable by which simulated devices are known.
const SIMULATED: &str = "AICONFORM_SIMULATED";

/// Where NVIDIA's kernel module says which devices there are, a folder for each.
const KERNEL: &str = "/proc/driver/nvidia/gpus";

/// Names of devices in the value of a variable by which a runtime tells a container what it has: those that no two devices
/// have in common, so that no number counts.
fn names_in(value: &str) -> impl Iterator<Item = String> {
    let digits = |word: &str| word.chars().filter(char::is_ascii_hexdigit).count();
    value.split([',', ' ']).filter(move |word| word.contains('-') && digits(word) >= 16).map(str::to_owned)
}

/// Names of devices that the kernel's module says.
fn by_the_kernel(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("information")).ok());
    let name =
        |text: String| Some(text.lines().find_map(|line| line.strip_prefix("GPU UUID:"))?.trim().to_owned());
    texts.filter_map(name).collect()
}

/// The mount point that a path lies below (proc_pid_mountinfo(5)).
fn mount_of<'a>(mounts: &'a str, path: &str) -> &'a str {
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let is_above = |point: &&str| std::path::Path::new(path).starts_with(point);
    points.filter(is_above).max_by_key(|point| point.len()).unwrap_or("/")
}

/// Keeps every device busy for so long.
///
/// # Errors
/// When a load goes on already, or the program does not begin.
pub fn work(command: &[String], milliseconds: u64) -> Result<Answers, String> {
    begin(command, PATIENCE + Duration::from_millis(milliseconds))?;
    // What was told last is older than what was done last.
    std::thread::sleep(Duration::from_millis(milliseconds) + TOLD);
    let loaded = rest();
    let mut answers = Answers::default();
    if !loaded.why.is_empty() {
        answers.errors.push(loaded.why);
    }
    let done = json!({"done": {"milliseconds": loaded.done.min(milliseconds)}});
    answers.devices.insert("program".into(), done);
    Ok(answers)
}

/// Keeps every device busy until [`rest`], at most so long.
///
/// # Errors
/// When a load goes on already, or the program does not begin.
pub fn begin(command: &[String], most: Duration) -> Result<(), String> {
    let mut load = LOAD.lock().unwrap_or_else(PoisonError::into_inner);
    if load.is_some() {
        return Err("a load goes on already; end it with /rest".into());
    }
    let mut program = Program::start(command, &["work"])?;
    program.until(|said| said.worked.is_some())?;
    let id = program.id();
    *load = Some(program);
    // A load that nobody ends.
    std::thread::spawn(move || {
        std::thread::sleep(most);
        let mut load = LOAD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = load.as_mut().filter(|program| program.id() == id) {
            program.end();
        }
    });
    Ok(())
}

/// Ends the load; what was asked of the devices (from the program's first word of work to its last), and for how long it says
/// that they worked.
pub fn rest() -> Loaded {
    let Some(mut program) = LOAD.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return Loaded::default();
    };
    let (asked, devices, done, why) = {
        let said = program.said();
        let asked = said.first.zip(said.worked).map_or(Duration::ZERO, |(first, last)| last - first);
        let quiet = said.worked.map_or(Duration::MAX, |last| last.elapsed().max(said.silence));
        let why = match &said.error {
            Some(why) => why.clone(),
            None if said.ended => said.with_last("the program ended before it was told to"),
            None if quiet > SILENCE => {
                format!("the program said nothing of further work for {:.1} s", quiet.as_secs_f64())
            }
            None => String::new(),
        };
        (asked, said.devices.len().max(1), said.busy.saturating_sub(said.begun), why)
    };
    program.end();
    let asked = u64::try_from(asked.as_millis()).unwrap_or(u64::MAX);
    Loaded { asked: asked.saturating_mul(devices as u64), done, why }
}

/// Takes so much memory of every device and holds it; 0 lets go of all.
///
/// # Errors
/// When the program does not take it.
pub fn hold(command: &[String], bytes: u64) -> Result<Answers, String> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut answers = Answers::default();
    if let Some(mut program) = held.take() {
        let has_ended = program.has_ended();
        let said = program.said();
        if has_ended || said.error.is_some() {
            let why = said.error.clone();
            let why = why.unwrap_or_else(|| {
                said.with_last("the program that held memory ended before it was told to")
            });
            answers.errors.push(why);
        }
    }
    if bytes == 0 {
        return Ok(answers);
    }
    let mut program = Program::start(command, &["hold", &bytes.to_string()])?;
    program.until(|said| !said.held.is_empty() && said.held.len() >= said.devices.len())?;
    let answers: Vec<u64> = program.said().held.clone();
    *held = Some(program);
    let done =
        |(number, bytes): (usize, &u64)| (format!("program/{number}"), json!({"done": {"bytes": bytes}}));
    Ok(Answers { devices: answers.iter().enumerate().map(done).collect(), errors: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Said;

    /// A program that is a script of the shell.
    fn script(text: &str) -> Vec<String> {
        ["sh", "-c", text, "load"].map(str::to_owned).into()
    }

    const DEVICE: &str = r#"echo '{"device":{"uuid":"GPU-1","memory_bytes":4}}'"#;

    #[test]
    fn what_the_program_says_of_its_devices_is_the_answer() {
        let answers = inspect(&script(&format!("[ \"$1\" = inspect ] && {DEVICE}"))).unwrap();
        assert_eq!(answers.devices["program/0"]["device"]["uuid"], "GPU-1");
        assert_eq!(inspect(&script("exit 0")).unwrap_err(), "the program names no device");
        let talks = inspect(&script("echo 'cannot open it' >&2; exit 1")).unwrap_err();
        assert_eq!(talks, "the program names no device; the last that it wrote: cannot open it");
        assert_eq!(inspect(&script(r#"echo '{"error":"no driver"}'; exit 1"#)).unwrap_err(), "no driver");
        assert!(inspect(&script("echo hello")).unwrap_err().contains("none of the lines of a load"));
        let none = inspect(&["/does/not/exist".to_owned()]).unwrap_err();
        assert!(none.contains("does not start"), "{none}");
    }

    #[test]
    fn a_load_is_ended_with_all_that_it_started_and_says_what_was_done() {
        let folder = tempfile::tempdir().unwrap();
        let child = folder.path().join("child");
        let text = format!(
            "{DEVICE}; sleep 1000 & echo $! > {}; echo '{{\"busy_milliseconds\":0}}'; echo '{{\"busy_milliseconds\":70}}'; trap '' TERM; sleep 1000; sleep 1000",
            child.display()
        );
        begin(&script(&text), Duration::from_secs(100)).unwrap();
        assert!(begin(&script(&text), Duration::from_secs(1)).unwrap_err().contains("goes on already"));
        let is_there = |said: &Said| said.busy == 70;
        LOAD.lock().unwrap().as_mut().unwrap().until(is_there).unwrap();
        let loaded = rest();
        assert_eq!((loaded.done, loaded.why.as_str()), (70, ""));
        let id: i32 = std::fs::read_to_string(&child).unwrap().trim().parse().unwrap();
        // It is nobody's child any more, and whoever waits for those may be slow: dead is dead.
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
        assert_eq!(rest(), Loaded::default());

        // One after the other: there is one load at a time.
        let early = format!("{DEVICE}; echo '{{\"busy_milliseconds\":0}}'");
        begin(&script(&early), Duration::from_secs(100)).unwrap();
        LOAD.lock().unwrap().as_mut().unwrap().until(|said| said.ended).unwrap();
        assert_eq!(rest().why, "the program ended before it was told to");
    }

    #[test]
    fn memory_is_held_until_it_is_let_go_of() {
        let held =
            hold(&script(&format!("{DEVICE}; echo \"{{\\\"held_bytes\\\":$2}}\"; sleep 1000")), 77).unwrap();
        assert_eq!(held.devices["program/0"]["done"]["bytes"], 77);
        assert_eq!(hold(&script(""), 0).unwrap(), Answers::default());
        // One that ends early has not held it.
        hold(&script(&format!("{DEVICE}; echo \"{{\\\"held_bytes\\\":$2}}\"")), 77).unwrap();
        while !HELD.lock().unwrap().as_mut().unwrap().has_ended() {
            std::thread::yield_now();
        }
        assert!(hold(&script(""), 0).unwrap().errors[0].contains("ended before it was told to"));
        let refused = hold(&script(r#"echo '{"error":"out of memory"}'"#), 1).unwrap_err();
        assert_eq!(refused, "out of memory");
    }

    #[test]
    fn names_of_devices_are_told_from_other_words_and_read_from_the_kernel() {
        let uuid = "GPU-00112233-4455-6677-8899-aabbccddeeff";
        let found: Vec<String> = names_in(&format!("{uuid},all, 0,nvidia.com/gpu=0")).collect();
        assert_eq!(found, [uuid]);
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("0000:01:00.0");
        std::fs::create_dir(&device).unwrap();
        let text = format!("Model: \t\t NVIDIA H100\nGPU UUID: \t {uuid}\nDevice Minor: \t 0\n");
        std::fs::write(device.join("information"), text).unwrap();
        assert_eq!(by_the_kernel(folder.path().to_str().unwrap()), [uuid]);
        assert!(by_the_kernel("/does/not/exist").is_empty());
    }

    #[test]
    fn a_file_that_was_mounted_is_told_from_one_of_the_image() {
        let mounts = "1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 / /usr/lib/libcuda.so.1 ro - ext4 /dev/a rw\n3 1 0:3 / /usr rw - x x rw\n";
        assert_eq!(mount_of(mounts, "/usr/lib/libcuda.so.1"), "/usr/lib/libcuda.so.1");
        assert_eq!(
            (mount_of(mounts, "/usr/lib/other"), mount_of(mounts, "/opt/libcuda.so.1")),
            ("/usr", "/")
        );
    }
}
