//! The supervisor: owns the namespaces from the host's side, and undoes everything when they end.

use crate::cgroup;
use crate::configuration;
use crate::error::LabError;
use crate::pki;
use crate::relay;
use crate::shared;
use crate::state::{ROOT, Status};
use camino::Utf8Path;
use std::process::{ExitCode, Stdio};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// Folders at fixed places of the host, over which a node puts its own: name in the node's folder, place.
pub const FIXED: &[(&str, &str)] =
    &[("device-plugins", "/var/lib/kubelet/device-plugins"), ("cni-cache", "/var/lib/cni")];

/// Runs until the lab ends; always on the main thread, whose death would end the namespaces.
pub fn main(state: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result =
        runtime.map_err(LabError::from).and_then(|runtime| runtime.block_on(run(Utf8Path::new(state))));
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(state: &Utf8Path) -> Result<(), LabError> {
    // The terminal's Ctrl-C is for the command that started us; it tells us to end.
    let _ = rustix::process::setsid();
    let mut lab = Status::read(state)?.ok_or_else(|| LabError::NotUp(state.to_string()))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    lab.port = listener.local_addr()?.port();
    lab.supervisor = i32::try_from(std::process::id()).unwrap_or_default();
    // Written before anything is done, so that the next start can undo it.
    lab.write()?;
    prepare(&lab)?;
    let mut holder = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--mount", "--pid", "--fork"])
        .args(["--kill-child=KILL", "--mount-proc", "--"])
        .arg(std::env::current_exe()?)
        .args(["lab-first", state.as_str()])
        .env("PATH", lab.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    lab.holder = holder.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default();
    lab.write()?;
    let (forecast, sky) = tokio::sync::watch::channel(relay::Weather::Fine);
    tokio::spawn({
        let socket = state.join("api.sock");
        async move { relay::host_side(listener, &socket, sky).await }
    });
    tokio::spawn({
        let state = state.to_owned();
        async move { relay::forecasts(&state, forecast).await }
    });
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let by_itself = tokio::select! {
        _ = holder.wait() => true,
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
        () = parent_is_gone(lab.outlive) => false,
    };
    let _ = holder.kill().await;
    let why = fs_err::read_to_string(state.join("ended.txt"));
    undo(&lab).await?;
    // Nobody waits for a lab that outlives its command: why it ended stays for whoever asks.
    if let (true, true, Ok(why)) = (by_itself, lab.outlive, why) {
        fs_err::create_dir_all(ROOT)?;
        fs_err::write(Status::obituary(&lab.name), why)?;
    }
    Ok(())
}

/// Ends when the other end of our stdin is closed, by whatever death, unless the lab outlives its command.
async fn parent_is_gone(outlive: bool) {
    if outlive {
        return std::future::pending().await;
    }
    let mut byte = [0];
    while matches!(tokio::io::stdin().read(&mut byte).await, Ok(1..)) {}
}

fn prepare(lab: &Status) -> Result<(), LabError> {
    shared::enter()?;
    cgroup::make(&lab.name, &lab.nodes)?;
    let servings = lab.parts.iter().filter_map(|part| part.row().serving.as_ref());
    pki::write(&lab.state.join("pki"), &lab.nodes, servings)?;
    configuration::write(lab)?;
    fs_err::create_dir_all(lab.state.join("logs"))?;
    Ok(())
}

/// Undoes what a lab left on the host: cgroups, kernel settings, folders, state. Can be run again.
///
/// # Errors
/// When something stays.
pub async fn undo(lab: &Status) -> Result<(), LabError> {
    cgroup::remove(&lab.name).await?;
    shared::leave(&lab.state)
}
