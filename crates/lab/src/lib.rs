//! A real Kubernetes from pinned components, started on a bare Linux machine.
//!
//! `up` builds what is missing into a cache, then starts a supervisor: this same binary under another first
//! argument. The supervisor starts the first process of the lab's own network, mount and PID namespaces, which
//! starts everything else. When the supervisor ends, for whatever reason, all of it ends.
//!
//! `lab up` builds what the cache lacks. The cache's key is a hash of the recipe, its `go.mod`, `go.sum`, flags, and the
//! Go version. Then three processes, each this same binary:
//!
//! 1. The command. It waits for the steps that the others tell.
//! 2. The supervisor, in the host's namespaces. It writes down what it is about to change (kernel settings that a kubelet
//!    sets and no namespace holds, folders at fixed places that labs share and the last one removes, under a lock) before
//!    it changes it, makes a cgroup of the lab's own in every hierarchy, relays a free port of 127.0.0.1 to a socket file, in
//!    the weather that is asked for (`relay.rs`), and undoes everything at the end.
//! 3. The first process of new network, mount and PID namespaces. It starts the components, and for each further node the
//!    first process of that node's namespaces (`node`), and ends with the first of them that ends. The parent-death signal
//!    ends it with the supervisor, so a SIGKILL leaves no process, mount or interface; cgroups and the state folder are swept
//!    by the next `lab up` or `cleanup`.
//!
//! What a lab has beside Kubernetes is a *part* (Kueue, KubeRay, KWOK, KAI scheduler, the simulator, Prometheus,
//! prometheus-operator, prometheus-adapter, KEDA, Karpenter, Traefik, CoreDNS, kube-router, JobSet, LeaderWorkerSet, Kubeflow
//! Trainer), asked for by name: `run --lab` asks
//! for those whose names begin the adapters' names. What belongs to a node runs as a process on each (kube-router); every other
//! part runs as pods from its own manifests (`kubectl kustomize`, or `helm template` where there is a
//! chart only); the image's name and pull policy are changed, or given to the chart as values, and nothing else; where they
//! leave the certificate of a webhook to cert-manager, it is one of the lab's (`serving.rs`). How it is built
//! (`recipe/components.rs`) and brought in (`part/table.rs`) is data, changes of a module included that keep what the lab
//! never uses from being built (`recipe/module.rs`), and so is how one version of Kubernetes differs from another
//! (`version.rs`).
//!
//! On a hybrid host, runc also makes cgroups in the `unified` hierarchy; a lab that forgets it leaks them.
//!
//! A breakage is a row of `breakage/table.rs`: name, part, what is wrong, what is done, and what is asked to see whether it is in
//! force. What is done is one of a few mechanisms (other flags, a process that does not run, a program of ours that does, a part
//! without pods, objects away, there or changed, a policy, other settings), each with its way back, so that a lab is broken and
//! healed while it stands. Only the first process can swap what runs beside it; a command asks it by a socket in the state folder
//! (`control.rs`), and what is broken stands in `lab.json` before it is done. containerd calls a link that leads to `runc`, or, in a
//! lab whose runtime is broken, to what changes the container first.
//!
//! A broken runtime learns whom the kubelet gave which devices from the kubelet's own checkpoints, which stand before any
//! container of the pod does; so it can leak to containers that start before the holder. A shell script in front of it keeps
//! everything but the making of a container away from this large binary.
//!
//! Broken schedulers, autoscalers and gateway, the actor that holds queues and the one that brings nodes are this same binary too,
//! talking to the real API server.

mod actor;
mod breakage;
mod breaking;
mod bringing;
mod broken_autoscaler;
mod broken_gateway;
mod broken_scheduler;
mod buyer;
mod cgroup;
mod commands;
mod configuration;
mod control;
mod error;
mod fake_nodes;
mod first;
mod image;
mod kwok;
mod metrics_adapter;
mod node;
mod part;
mod patience;
mod pki;
mod pose;
mod preflight;
mod process;
mod progress;
mod prometheus;
mod reaping;
mod recipe;
mod registry;
mod relay;
mod running;
mod runtime;
mod serving;
mod shared;
mod simulated;
mod state;
mod supervisor;
mod tools;
mod up;
mod version;

pub use breakage::Breakage;
pub use control::{break_lab, heal};
pub use error::LabError;
pub use node::{MOST as MOST_NODES, Node};
pub use part::Part;
pub use pose::Pose;
pub use progress::{Progress, Step};
pub use recipe::{Kept, kept, prune};
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
        "lab-node" => Some(node::process::main(&next()?, &next()?)),
        "lab-first" => Some(first::main(&next()?)),
        "lab-runtime" => {
            let (state, handler) = (next()?, next()?);
            Some(runtime::main(&state, &handler, arguments.collect()))
        }
        _ => None,
    }
}
