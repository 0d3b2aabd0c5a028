//! A real Kubernetes from pinned components, started on a bare Linux machine.
//!
//! `up` builds what is missing into a cache, then starts a supervisor: this same binary under another first
//! argument. The supervisor starts the first process of the lab's own network, mount and PID namespaces, which
//! starts everything else. When the supervisor ends, for whatever reason, all of it ends.

mod actor;
mod breakage;
mod breaking;
mod broken_autoscaler;
mod broken_gateway;
mod broken_operator;
mod broken_scheduler;
mod buyer;
mod cgroup;
mod commands;
mod configuration;
mod error;
mod fake_nodes;
mod first;
mod image;
mod metrics_adapter;
mod part;
mod pki;
mod pose;
mod preflight;
mod process;
mod progress;
mod prometheus;
mod recipe;
mod relay;
mod runtime;
mod serving;
mod shared;
mod state;
mod supervisor;
mod up;
mod version;

pub use breakage::Breakage;
pub use error::LabError;
pub use part::Part;
pub use pose::Pose;
pub use progress::{Progress, Step};
pub use state::{Status, default_name};
pub use up::{Lab, Options, down, exec, status, sweep, up};
pub use version::Kubernetes;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the lab's own processes (supervisor, first process of the namespaces, actors, a broken runtime) when the arguments
/// name one.
///
/// Must be called before the program starts a runtime or any thread: the death of the thread that spawned the
/// namespaces ends them.
pub fn reentry(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let role = arguments.nth(1)?;
    let mut next = || arguments.next().and_then(|path| path.into_string().ok());
    match role.to_str()? {
        "lab-supervise" => Some(supervisor::main(&next()?)),
        "lab-actor" => Some(actor::main(&next()?, &next()?)),
        "lab-first" => Some(first::main(&next()?)),
        "lab-runtime" => {
            let state = next()?;
            Some(runtime::main(&state, arguments.collect()))
        }
        _ => None,
    }
}
