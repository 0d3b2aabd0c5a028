//! An OCI runtime that isolates less than it should: it changes what a container is made of, and then is `runc`.
//!
//! containerd is told of it only in a lab that is to be broken so. Everything above it (scheduler, kubelet, driver,
//! device plugin, containerd) is right, and counts right.

mod bundle;
mod devices;

use crate::breakage::Breakage;
use crate::error::LabError;
use crate::state::Status;
use bundle::Bundle;
use camino::{Utf8Path, Utf8PathBuf};
use devices::Devices;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Writes the program that containerd is to call in place of `runc`, where the lab is broken so, and gives its path.
///
/// # Errors
/// When it cannot be written.
pub fn write(lab: &Status) -> Result<Option<Utf8PathBuf>, LabError> {
    if !lab.breakages.iter().any(|breakage| breakage.replaces_runtime()) {
        return Ok(None);
    }
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let program = std::env::current_exe()?;
    let (program, state) = (quoted(&program.to_string_lossy()), quoted(lab.state.as_str()));
    let script = lab.state.join("runtime.sh");
    // Of all that a runtime is asked, only the making of a container concerns us.
    fs_err::write(
        &script,
        format!(
            "#!/bin/sh\ncase \" $* \" in *' create '*) exec {program} lab-runtime {state} \"$@\" ;; esac\nexec runc \"$@\"\n"
        ),
    )?;
    fs_err::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(Some(script))
}

/// Changes the container that the arguments are about, and becomes `runc`.
pub fn main(state: &str, arguments: Vec<OsString>) -> ExitCode {
    let error = match change(Utf8Path::new(state), &arguments) {
        // Comes back only where it fails.
        Ok(()) => Command::new("runc").args(&arguments).exec().to_string(),
        Err(error) => error.to_string(),
    };
    let told = serde_json::json!({"level": "error", "msg": format!("the lab's runtime: {error}")});
    // containerd reads the log of a runtime for why it failed.
    let log = following(&arguments, "--log")
        .map(|log| fs_err::OpenOptions::new().append(true).create(true).open(log));
    if let Some(Ok(mut log)) = log {
        let _ = writeln!(log, "{told}");
    }
    let _ = writeln!(std::io::stderr(), "{told}");
    ExitCode::FAILURE
}

/// The value of a flag.
fn following(arguments: &[OsString], flag: &str) -> Option<Utf8PathBuf> {
    let place = arguments.iter().position(|argument| argument == flag)?;
    Some(arguments.get(place + 1)?.to_str()?.into())
}

fn change(state: &Utf8Path, arguments: &[OsString]) -> Result<(), LabError> {
    let lab = Status::read(state)?.ok_or_else(|| LabError::NotUp(state.to_string()))?;
    let folder = following(arguments, "--bundle")
        .ok_or_else(|| LabError::Start("the runtime is asked to create, without a bundle".into()))?;
    let Some(mut bundle) = Bundle::read(&folder)? else { return Ok(()) };
    let devices = Devices::of_node(state)?;
    for breakage in &lab.breakages {
        match breakage {
            Breakage::RuntimeLeaksToSibling => {
                let given = devices::given_to_pod(state, bundle.pod())?;
                bundle.give(&devices, &devices.named(&given));
            }
            Breakage::RuntimeGivesByEnvironment => {
                let wanted = bundle.variable("NVIDIA_VISIBLE_DEVICES").unwrap_or_default().to_owned();
                bundle.give(&devices, &devices.asked_for(&wanted));
            }
            Breakage::RuntimeGivesToAll => bundle.give(&devices, &devices.all()),
            Breakage::RuntimeWithoutDeviceCgroup => bundle.allow_all_devices(),
            Breakage::RuntimeLosesOnRestart if is_restart(state, &bundle)? => {
                let next: BTreeSet<u64> =
                    bundle.has(&devices).into_iter().filter_map(|minor| devices.after(minor)).collect();
                bundle.give(&devices, &next);
            }
            _ => {}
        }
    }
    bundle.write()
}

/// Whether this container of its pod was made before; from now on it was.
fn is_restart(state: &Utf8Path, bundle: &Bundle) -> Result<bool, LabError> {
    let seen = state.join("runtime-seen");
    fs_err::create_dir_all(&seen)?;
    let file = seen.join(format!("{}.{}", bundle.pod(), bundle.container()));
    match fs_err::OpenOptions::new().write(true).create_new(true).open(&file) {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
