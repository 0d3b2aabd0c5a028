//! The simulator as a program: runs on each node that is to have simulated accelerators.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a program says what it does")]

use aiconform_cluster::Target;
use aiconform_simulator::{Settings, manifest, run};
use camino::Utf8PathBuf;
use clap::Parser;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Gives out simulated accelerators on this node, by DRA and by device plugins, and tells what they do
#[derive(Parser)]
#[command(version)]
struct Command {
    /// Path to the kubeconfig; without one, $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long)]
    kubeconfig: Option<Utf8PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long)]
    context: Option<String>,
    /// Print the objects with which this image runs on a cluster with these settings, and do nothing else
    #[arg(long, value_name = "IMAGE")]
    print_manifest: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    if let Some(image) = &command.print_manifest {
        print!("{}", manifest(&command.settings, image));
        return ExitCode::SUCCESS;
    }
    let target = Target { kubeconfig: command.kubeconfig, context: command.context };
    let talk = Arc::new(|words: &str| eprintln!("{words}"));
    let (Ok(mut end), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        eprintln!("error: signals cannot be waited for");
        return ExitCode::from(3);
    };
    tokio::select! {
        ended = run(command.settings, &target, talk) => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::from(3)
            }
        },
        _ = end.recv() => ExitCode::SUCCESS,
        _ = interrupt.recv() => ExitCode::SUCCESS,
    }
}
