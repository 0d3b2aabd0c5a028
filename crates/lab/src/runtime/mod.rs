//! An OCI runtime that isolates less than it should: it changes what a container is made of, and then is `runc`.
//!
//! containerd calls a link of the lab's, which leads here only in a lab that is broken so. Everything above it (scheduler, kubelet, driver,
//! device plugin, containerd) is right, and counts right.

mod bundle;
mod devices;
pub mod fault;

use crate::breakage::Mechanism;
use crate::error::LabError;
use crate::node::{self, Node};
use crate::state::Status;
use bundle::Bundle;
use camino::{Utf8Path, Utf8PathBuf};
use devices::Devices;
use fault::{Fault, Handler};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Program that containerd calls to make containers of a handler: a link, to `runc` or to what breaks them first.
pub fn program(lab: &Status, handler: Handler) -> Utf8PathBuf {
    node::folder(&lab.state).join(handler.link())
}

/// Points the links of a node where the breakages want them; containers that are made from now on are made so.
///
/// # Errors
/// When one cannot be written, or there is no `runc`.
pub fn point(lab: &Status, node: &Node) -> Result<(), LabError> {
    Handler::ALL.iter().try_for_each(|handler| point_one(lab, node, *handler))
}

fn point_one(lab: &Status, node: &Node, handler: Handler) -> Result<(), LabError> {
    let folder = node.folder(lab);
    let link = handler.link();
    let target = if faults(lab, node, handler).next().is_some() {
        let script = folder.join(format!("{link}.sh"));
        let state = lab.state.as_str().replace('\'', r"'\''");
        // Of all that a runtime is asked, only the making of a container concerns us. The first process of the node is this
        // program, whatever has become of its file.
        let create = format!("exec /proc/1/exe lab-runtime '{state}' {} \"$@\"", handler.name());
        fs_err::write(
            &script,
            format!("#!/bin/sh\ncase \" $* \" in *' create '*) {create} ;; esac\nexec runc \"$@\"\n"),
        )?;
        fs_err::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
        node::folder(&lab.state).join(format!("{link}.sh"))
    } else {
        let path = lab.path();
        let folders = path.split(':').map(Utf8Path::new);
        folders
            .map(|folder| folder.join("runc"))
            .find(|runc| runc.exists())
            .ok_or_else(|| LabError::Start("there is no runc on the PATH".into()))?
    };
    let next = folder.join(format!("{link}.next"));
    let _ = fs_err::remove_file(&next);
    fs_err::os::unix::fs::symlink(&target, &next)?;
    Ok(fs_err::rename(&next, folder.join(link))?)
}

/// Faults in the making of containers of a handler on a node.
fn faults(lab: &Status, node: &Node, handler: Handler) -> impl Iterator<Item = Fault> {
    let of_node = node.breakages.iter().flat_map(|breakage| breakage.mechanisms());
    lab.mechanisms().chain(of_node).filter_map(move |mechanism| match mechanism {
        Mechanism::Runtime(of, fault) if *of == handler => Some(*fault),
        _ => None,
    })
}

/// Changes the container that the arguments are about, and becomes `runc`.
pub fn main(state: &str, handler: &str, arguments: Vec<OsString>) -> ExitCode {
    let known = Handler::ALL.into_iter().find(|one| one.name() == handler);
    let known = known.ok_or_else(|| LabError::Start(format!("there is no handler {handler}")));
    let error = match known.and_then(|handler| change(Utf8Path::new(state), handler, &arguments)) {
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

fn change(state: &Utf8Path, handler: Handler, arguments: &[OsString]) -> Result<(), LabError> {
    let lab = Status::read(state)?.ok_or_else(|| LabError::NotUp(state.to_string()))?;
    let folder = following(arguments, "--bundle")
        .ok_or_else(|| LabError::Start("the runtime is asked to create, without a bundle".into()))?;
    let Some(mut bundle) = Bundle::read(&folder)? else { return Ok(()) };
    let (node, folder) = (node::here(&lab)?, node::folder(state));
    let devices = Devices::of_node(&folder)?;
    for fault in faults(&lab, node, handler) {
        match fault {
            Fault::LeaksToSibling => {
                let given = devices::given_to_pod(&folder, bundle.pod())?;
                bundle.give(&devices, &devices.named(&given));
            }
            Fault::GivesByEnvironment => {
                let wanted = bundle.variable("NVIDIA_VISIBLE_DEVICES").unwrap_or_default().to_owned();
                bundle.give(&devices, &devices.asked_for(&wanted));
            }
            Fault::GivesToAll => bundle.give(&devices, &devices.all()),
            Fault::WithoutDeviceCgroup => bundle.allow_all_devices(),
            Fault::LosesOnRestart if is_restart(&folder, &bundle)? => {
                let next: BTreeSet<u64> =
                    bundle.has(&devices).into_iter().filter_map(|minor| devices.after(minor)).collect();
                bundle.give(&devices, &next);
            }
            Fault::LosesOnRestart => {}
        }
    }
    bundle.write()
}

/// Tells whether this container of its pod was made before; from now on it was.
fn is_restart(folder: &Utf8Path, bundle: &Bundle) -> Result<bool, LabError> {
    let seen = folder.join("runtime-seen");
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
