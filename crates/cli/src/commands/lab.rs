//! `aiconform lab`: start, use and end the lab.

use crate::exit::{Exit, UsageError};
use crate::format;
use crate::talk::Talk;
use aiconform_lab::{Breakage, Kubernetes, LabError, Node, Options, Part, Pose};
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
        /// Version of Kubernetes: 1.34 to 1.37
        #[arg(long, default_value = "1.37", value_name = "VERSION")]
        kubernetes: Kubernetes,
        /// What it has beside Kubernetes; an empty text for nothing
        #[arg(long, value_delimiter = ',', value_name = "NAME", default_value = "kueue")]
        with: Vec<String>,
        /// Real nodes, each with a kubelet and a containerd of its own
        #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = nodes_range())]
        nodes: u32,
        /// What one of them is like: "node-1 label=KEY=VALUE taint=KEY=VALUE:EFFECT cpu=500m memory=2Gi pods=20 devices=4:MODEL|none probe=none break=NAME"
        #[arg(long, value_name = "NODE")]
        node: Vec<Node>,
        /// Fake nodes beside the real ones; pods go there only if they tolerate the taint kwok.x-k8s.io/node
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
    /// Tell where the lab is, and what is broken in it
    Status,
    /// Break the lab while it stands
    Break {
        /// Names of breakages, as `lab breakages` lists them
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Heal what is broken in the lab, and see that it is healed
    Heal,
    /// List the breakages of labs: name, part that it is about, and what is wrong
    Breakages,
    /// List what labs are made of and how much room it takes; with `--prune`, remove what no lab needs any more
    Parts {
        /// Remove what other versions of this program have left, and these
        #[arg(long, value_name = "NAME", num_args = 0.., value_delimiter = ',')]
        prune: Option<Vec<String>>,
    },
    /// Run a command inside the namespaces of the lab's first node, or of another
    Exec {
        /// Name of the node, such as node-1
        #[arg(long, value_name = "NODE")]
        node: Option<String>,
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
    let known = || Part::all().map(Part::name).collect::<Vec<_>>().join(", ");
    let named = names.iter().filter(|name| !name.is_empty());
    named
        .map(|name| {
            Part::named(name)
                .ok_or_else(|| UsageError(format!("a lab cannot have {name:?}; there are: {}", known())))
        })
        .collect()
}

/// Numbers of real nodes that a lab can have.
pub fn nodes_range() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(aiconform_lab::MOST_NODES))
}

/// So many nodes, some of them as is said of them.
///
/// # Errors
/// When something is said of a node that is not among them.
pub fn nodes(count: u32, said: &[Node]) -> Result<Vec<Node>, UsageError> {
    let mut nodes: Vec<Node> = (0..count).map(Node::plain).collect();
    for node in said {
        let name = node.name();
        let place = nodes.iter_mut().find(|plain| plain.name() == name);
        *place.ok_or_else(|| {
            UsageError(format!("the lab has no {name}: it has {count} of them, from node-0 on"))
        })? = node.clone();
    }
    Ok(nodes)
}

fn breakages(names: &[String]) -> Result<Vec<Breakage>, UsageError> {
    let known = || Breakage::all().map(Breakage::name).collect::<Vec<_>>().join(", ");
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

/// A size for people.
fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "not built".into(), |bytes| format!("{} MB", bytes.div_ceil(1_000_000)))
}

/// Makes a refusal of the lab an error of usage: the user can ask otherwise.
fn refused(error: LabError) -> anyhow::Error {
    match error {
        LabError::Refused(why) => UsageError(why).into(),
        error => error.into(),
    }
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
        Act::Up { kubernetes, with, nodes, node, fake_nodes, break_, pose } => {
            let options = Options {
                name,
                outlive: true,
                kubernetes,
                nodes: self::nodes(nodes, &node)?,
                fake_nodes,
                parts: parts(&with)?,
                breakages: breakages(&break_)?,
                pose: pose.as_deref().map(posing).transpose()?,
            };
            let talk = Talk::new();
            let lab = tokio::select! {
                lab = aiconform_lab::up(&options, &talk) => lab.map_err(refused)?,
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
            let broken: Vec<&str> = status.breakages.iter().map(|breakage| breakage.name()).collect();
            let broken =
                if broken.is_empty() { String::new() } else { format!(", broken: {}", broken.join(", ")) };
            anstream::println!("{name}: {runs}, API server at https://127.0.0.1:{}{broken}", status.port);
        }
        Act::Break { names } => {
            aiconform_lab::break_lab(&name, &breakages(&names)?).await.map_err(refused)?
        }
        Act::Heal => aiconform_lab::heal(&name).await.map_err(refused)?,
        Act::Breakages => {
            let row = |breakage: Breakage| {
                let part = breakage.part().map_or("", Part::name);
                let birth = if breakage.is_of_birth() { "from birth" } else { "" };
                [breakage.name(), part, birth, breakage.says()].map(str::to_owned).to_vec()
            };
            format::table(&["breakage", "part", "", "what is wrong"], Breakage::all().map(row).collect());
        }
        Act::Parts { prune } => {
            if let Some(names) = prune {
                for gone in aiconform_lab::prune(&names, &Talk::new()).await.map_err(refused)? {
                    anstream::eprintln!("removed {} ({})", gone.name, megabytes(gone.bytes));
                }
            }
            let kept = aiconform_lab::kept().await?;
            let row = |kept: &aiconform_lab::Kept| {
                vec![kept.name.clone(), megabytes(kept.bytes), kept.wanted.clone()]
            };
            let whole = kept.iter().filter_map(|kept| kept.bytes).sum();
            let last = vec!["all of them".to_owned(), megabytes(Some(whole)), String::new()];
            let rows = kept.iter().map(row).chain([last]).collect();
            format::table(&["component", "size", "needed by"], rows);
        }
        Act::Exec { node, command } => {
            let status = aiconform_lab::exec(&name, node.as_deref(), &command).await.map_err(refused)?;
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
