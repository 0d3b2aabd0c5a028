//! The first process of a further node's namespaces: starts the node's components and reaps what is orphaned.

use super::{Node, enter, folder, network};
use crate::commands;
use crate::error::LabError;
use crate::patience::until;
use crate::process::Component;
use crate::reaping::reap;
use crate::running::{LIMIT, Running, connects, daemons, start};
use crate::state::Status;
use camino::Utf8Path;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use tokio::net::UnixStream;

/// Runs until one of its components ends, or until it is killed with its namespaces.
pub fn main(state: &str, number: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime
        .map_err(LabError::from)
        .and_then(|runtime| runtime.block_on(run(Utf8Path::new(state), number)));
    let Err(error) = result else { return ExitCode::SUCCESS };
    // Its log, whose last lines are told of a component that ended.
    let _ = writeln!(std::io::stderr(), "{error}");
    ExitCode::FAILURE
}

async fn run(state: &Utf8Path, number: &str) -> Result<(), LabError> {
    let lab = Status::read(state)?.ok_or_else(|| LabError::NotUp(state.to_string()))?;
    let node = lab.nodes.iter().find(|node| node.number.to_string() == number);
    let node = node.ok_or_else(|| LabError::Start(format!("the lab has no node {number}")))?;
    enter(&lab, node).await?;
    network::of_further(&lab, node).await?;
    tokio::spawn(reap());
    let mut running = Running::default();
    // A node that comes back finds the socket of its former life.
    let socket = folder(state).join("containerd.sock");
    let _ = fs_err::remove_file(&socket);
    let mut containerd = start(&lab, node, "containerd")?;
    let connects_to = || async {
        UnixStream::connect(socket.as_std_path()).await.map(drop).map_err(|error| error.to_string())
    };
    containerd.ready(LIMIT, connects_to).await?;
    running.push(containerd);
    // A kube-proxy ends where nobody answers it.
    let api_server = format!("{}:6443", Node::plain(0).address());
    tokio::select! {
        served = until(LIMIT, || connects(&api_server)) => {
            served.map_err(|last| LabError::Start(format!("no API server at {api_server}: {last}")))?;
        }
        error = running.ended() => return Err(error),
    }
    running.push(start(&lab, node, "kube-proxy")?);
    let mut kubelet = start(&lab, node, "kubelet")?;
    if lab.parts.iter().any(|part| part.row().daemon.is_some()) {
        // What looks for its node when it starts ends where it is not there.
        kubelet.ready(LIMIT, || is_registered(&lab, node)).await?;
        daemons(&lab, node)?.into_iter().for_each(|component| running.push(component));
    }
    running.push(kubelet);
    Err(running.ended().await)
}

/// Asks whether the API server knows the node.
async fn is_registered(lab: &Status, node: &Node) -> Result<(), String> {
    let kubeconfig = format!("--kubeconfig={}", folder(&lab.state).join("admin.kubeconfig"));
    let name = node.name();
    let ask = [kubeconfig.as_str(), "get", "node", &name];
    let said = commands::run(lab.binary("kubectl").as_str(), &ask).await;
    said.map(drop).map_err(|error| error.to_string())
}

/// Starts a further node in namespaces of its own, and links it to the others.
///
/// # Errors
/// When it does not start, or the kernel refuses.
pub async fn begin(lab: &Status, node: &Node) -> Result<Component, LabError> {
    let own = ["--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"];
    let number = node.number.to_string();
    // This same program, whatever has become of its file since; by a descriptor, because `self` will be another process.
    let own_file = fs_err::File::open("/proc/self/exe")?;
    rustix::io::fcntl_setfd(&own_file, rustix::io::FdFlags::empty()).map_err(std::io::Error::from)?;
    let program = format!("/proc/self/fd/{}", own_file.as_raw_fd());
    let program = [program.as_str(), "lab-node", lab.state.as_str(), &number];
    let arguments: Vec<String> = own.iter().chain(&program).map(|word| (*word).to_owned()).collect();
    let logs = lab.state.join("logs");
    let component = Component::start(&node.name(), Utf8Path::new("unshare"), &arguments, &[], &logs)?;
    network::link(node, component.id()?).await?;
    Ok(component)
}
