//! Tests by behaviour what the Certified Kubernetes AI Conformance programme asks of a platform.

mod commands;
mod exit;
mod format;
mod memory;
mod select;
mod session;
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
    /// Show what would run on a cluster, without creating anything
    Plan(Box<commands::plan::PlanArguments>),
    /// Print the permissions that a run needs, as Role objects
    Rbac(commands::plan::RoleArguments),
    /// List the requirements of the programme
    List(commands::list::ListArguments),
    /// Explain a requirement, its check and its claims
    Explain(commands::list::ExplainArguments),
    /// Judge a stored run again from its evidence
    Judge(commands::judge::Arguments),
    /// Render the reports of a stored run again
    Report(commands::judge::Arguments),
    /// Review submissions of the programme; without the network, unless its links are to be asked
    Review(commands::review::Arguments),
    /// Make a submission of the programme from a run
    Submit(commands::submit::Arguments),
    /// Make a static site of a clone of the programme
    Site(commands::site::Arguments),
    /// Show what got better or worse between two runs, or two submissions
    Compare(commands::compare::Arguments),
    /// Remove what killed runs left in a cluster
    Cleanup(commands::cleanup::Arguments),
    /// Write the images of what runs in pods
    Image(commands::image::Arguments),
    /// Start, use and break a real Kubernetes on this machine
    Lab(commands::lab::Arguments),
}

fn main() -> ExitCode {
    // A second process of the lab is this same binary under a name that no user types;
    // it must not start a runtime before it has entered its namespaces.
    if let Some(code) = aiconform_lab::reentry(std::env::args_os()) {
        return code;
    }
    memory::share_one_heap();
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
            Verb::Plan(arguments) => commands::plan::plan(*arguments).await,
            Verb::Rbac(arguments) => commands::plan::rbac(&arguments),
            Verb::List(arguments) => commands::list::list(&arguments),
            Verb::Explain(arguments) => commands::list::explain(&arguments),
            Verb::Judge(arguments) => commands::judge::judge(&arguments),
            Verb::Report(arguments) => commands::judge::report(&arguments),
            Verb::Review(arguments) => commands::review::run(&arguments).await,
            Verb::Submit(arguments) => commands::submit::run(&arguments),
            Verb::Site(arguments) => commands::site::run(&arguments),
            Verb::Compare(arguments) => commands::compare::run(&arguments),
            Verb::Cleanup(arguments) => commands::cleanup::run(arguments).await,
            Verb::Image(arguments) => commands::image::run(arguments),
            Verb::Lab(arguments) => commands::lab::run(arguments).await,
        }
    });
    match result {
        Ok(exit) => exit.code(),
        Err(error) => Exit::of(&error).explain(&error),
    }
}
