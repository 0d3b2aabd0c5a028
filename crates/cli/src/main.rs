//! Tests by behaviour what the Certified Kubernetes AI Conformance programme asks of a platform.

mod commands;
mod exit;
mod select;
mod talk;
mod verdicts;

use clap::{Parser, Subcommand};
use exit::Exit;
use std::process::ExitCode;

/// The command line of `aiconform`.
#[derive(Parser)]
#[command(name = "aiconform", version, about, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Test a cluster, or a lab: plan, run, judge, report
    Run(Box<commands::run::Arguments>),
    /// Start, use and break a real Kubernetes on this machine
    Lab(commands::lab::Arguments),
}

fn main() -> ExitCode {
    // A second process of the lab is this same binary under a name that no user types;
    // it must not start a runtime before it has entered its namespaces.
    if let Some(code) = aiconform_lab::reentry(std::env::args_os()) {
        return code;
    }
    let command_line = CommandLine::parse();
    // The certificate library takes its cryptography from the process; it is chosen once, here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Exit::CouldNotRun.explain(&anyhow::Error::from(error)),
    };
    let result = runtime.block_on(async {
        match command_line.verb {
            Verb::Run(arguments) => commands::run::run(*arguments).await,
            Verb::Lab(arguments) => commands::lab::run(arguments).await,
        }
    });
    match result {
        Ok(exit) => exit.code(),
        Err(error) => Exit::of(&error).explain(&error),
    }
}
