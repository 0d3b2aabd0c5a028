//! `aiconform lab`: start, use and end the lab.

use crate::exit::{Exit, UsageError};
use crate::talk::Talk;
use aiconform_lab::{Breakage, Kubernetes, Options, Part, Pose};
use clap::Subcommand;
use std::collections::BTreeSet;

/// Arguments of `aiconform lab`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Name of the lab; labs of different names live side by side
    #[arg(long, default_value_t = aiconform_lab::default_name(), global = true)]
    name: String,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Build what is missing and start the lab; prints the path of its kubeconfig
    Up {
        /// Version of Kubernetes: 1.36 or 1.37
        #[arg(long, default_value = "1.37", value_name = "VERSION")]
        kubernetes: Kubernetes,
        /// What it has beside Kubernetes; an empty text for nothing
        #[arg(long, value_delimiter = ',', value_name = "NAME", default_value = "kueue")]
        with: Vec<String>,
        /// Fake nodes beside the real one; pods go there only if they tolerate the taint kwok.x-k8s.io/node
        #[arg(long, default_value_t = 0, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=5000))]
        fake_nodes: u32,
        /// Break it: names of breakages, as `lab faults` shows them
        #[arg(long = "break", value_delimiter = ',', value_name = "NAME")]
        break_: Vec<String>,
        /// Maker as whose accelerators simulated ones pose, for tests that know makers by name: nvidia
        #[arg(long, value_name = "MAKER")]
        pose: Option<String>,
    },
    /// End the lab and leave nothing of it
    Down,
    /// Tell where the lab is
    Status,
    /// Run a command inside the lab's namespaces
    Exec {
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Break labs, one for each fault of the checks, and see that each is found
    Faults(super::faults::Arguments),
    /// Print a component's log
    Logs {
        /// Name of the component, such as kubelet
        component: String,
    },
}

fn parts(names: &[String]) -> Result<BTreeSet<Part>, UsageError> {
    let known = || Part::ALL.iter().map(|part| part.name()).collect::<Vec<_>>().join(", ");
    let named = names.iter().filter(|name| !name.is_empty());
    named
        .map(|name| {
            Part::named(name)
                .ok_or_else(|| UsageError(format!("a lab cannot have {name:?}; there are: {}", known())))
        })
        .collect()
}

fn breakages(names: &[String]) -> Result<Vec<Breakage>, UsageError> {
    let known = || Breakage::all().map(|breakage| breakage.name()).collect::<Vec<_>>().join(", ");
    names
        .iter()
        .map(|name| {
            Breakage::named(name)
                .ok_or_else(|| UsageError(format!("there is no breakage {name:?}; there are: {}", known())))
        })
        .collect()
}

fn posing(name: &str) -> Result<Pose, UsageError> {
    Pose::named(name).ok_or_else(|| UsageError(format!("no lab poses as {name:?}; there is: nvidia")))
}

/// Runs the verb.
pub async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let name = arguments.name;
    if name.is_empty()
        || name.len() > 20
        || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    {
        return Err(UsageError(format!("{name:?} is no name for a lab: use 1 to 20 of a-z and 0-9")).into());
    }
    match arguments.act {
        Act::Up { kubernetes, with, fake_nodes, break_, pose } => {
            let options = Options {
                name,
                outlive: true,
                kubernetes,
                fake_nodes,
                parts: parts(&with)?,
                breakages: breakages(&break_)?,
                pose: pose.as_deref().map(posing).transpose()?,
            };
            let talk = Talk::new();
            let lab = tokio::select! {
                lab = aiconform_lab::up(&options, &talk) => lab?,
                interrupt = tokio::signal::ctrl_c() => {
                    interrupt?;
                    anstream::eprintln!("interrupted; removing what was started");
                    // Before the lab has a state folder there is nothing to end.
                    if aiconform_lab::status(&options.name).is_ok() {
                        aiconform_lab::down(&options.name).await?;
                    }
                    return Ok(Exit::Interrupted);
                }
            };
            anstream::println!("{}", lab.kubeconfig());
            anstream::eprintln!("the lab is up; use it with: export KUBECONFIG={}", lab.kubeconfig());
        }
        Act::Down => aiconform_lab::down(&name).await?,
        Act::Status => {
            let status = aiconform_lab::status(&name)?;
            let runs = if status.runs() { "up" } else { "dead; `aiconform lab down` removes what it left" };
            anstream::println!("{name}: {runs}, API server at https://127.0.0.1:{}", status.port);
        }
        Act::Exec { command } => {
            let status = aiconform_lab::exec(&name, &command).await?;
            // Ended by a signal: as a shell says it.
            let signal = std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or_default();
            let code = status.code().unwrap_or(128 + signal);
            return Ok(Exit::Of(u8::try_from(code).unwrap_or(1)));
        }
        Act::Faults(arguments) => return super::faults::run(arguments).await,
        Act::Logs { component } => {
            let file = aiconform_lab::status(&name)?.state.join("logs").join(format!("{component}.log"));
            let text = fs_err::read(&file)
                .map_err(|error| UsageError(format!("there is no log of {component:?}: {error}")))?;
            anstream::print!("{}", String::from_utf8_lossy(&text));
        }
    }
    Ok(Exit::Success)
}
