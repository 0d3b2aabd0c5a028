//! `aiconform run`: plan, run, judge, report.

use super::lab::{nodes, nodes_range};
use crate::exit::{Exit, UsageError};
use crate::select::{self, Selection};
use crate::session::{self, Interrupt, Setup};
use crate::talk::Talk;
use crate::verdicts;
use aiconform_checks::{Check, Options, Profile};
use aiconform_cluster::{Connection, Target};
use aiconform_engine::refuse_unknown_trials;
use aiconform_lab::{Kubernetes, Node};
use camino::{Utf8Path, Utf8PathBuf};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far to go.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Level {
    /// What a MUST needs
    #[default]
    Must,
    /// Also what goes further
    All,
    /// Only what --trial names: for measuring, no verdict comes of it
    Named,
}

impl From<Level> for aiconform_checks::Level {
    fn from(level: Level) -> aiconform_checks::Level {
        match level {
            Level::Must => aiconform_checks::Level::Must,
            Level::All => aiconform_checks::Level::All,
            Level::Named => aiconform_checks::Level::Named,
        }
    }
}

/// Codes of a run and their meaning, for its help.
const CODES: &str = "Exit codes; of several that fit, the first counts:
  130  interrupted; everything was removed
  2    wrong usage
  3    could not run
  1    a selected MUST failed
  4    a selected MUST is inconclusive or was not run
  5    all passed, but something of the run is still in the cluster; stderr and run.json name it
  0    all selected MUSTs passed or are not applicable";

/// Arguments of `aiconform run`.
#[derive(clap::Args)]
#[command(after_help = CODES)]
pub struct Arguments {
    /// Run on a lab that is started for it and removed afterwards
    #[arg(long, conflicts_with_all = ["kubeconfig", "context"])]
    lab: bool,
    /// Version of the lab's Kubernetes: 1.34 to 1.37 [default: the release that is tested]
    #[arg(long, requires = "lab", value_name = "VERSION")]
    kubernetes: Option<Kubernetes>,
    /// Real nodes of the lab
    #[arg(long, default_value_t = 1, requires = "lab", value_name = "COUNT", value_parser = nodes_range())]
    nodes: u32,
    /// What one of them is like, as in `lab up`
    #[arg(long, requires = "lab", value_name = "NODE")]
    node: Vec<Node>,
    #[command(flatten)]
    selection: Selection,
    /// How far to go: what a MUST needs, or also what goes further (gang scheduling: preemption, lost members, …)
    /// [default: must; with --lab only those checks whose components are quickly built]
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// Trials beyond that level, by name, such as preemption
    #[arg(long, value_delimiter = ',')]
    trial: Vec<String>,
    /// Rounds of every repeated trial
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Pods of the gang of the trial scale
    #[arg(long, default_value_t = aiconform_checks::GANG_SIZE, value_parser = clap::value_parser!(u64).range(2..=5000))]
    size: u64,
    /// Seed of every order that is drawn; drawn itself when not given
    #[arg(long)]
    seed: Option<u64>,
    /// The run folder: new or empty [default: runs/TIME-CONTEXT, or under $ARTIFACTS]
    #[arg(long)]
    output_dir: Option<Utf8PathBuf>,
}

impl Arguments {
    fn level(&self) -> Level {
        self.level.unwrap_or_default()
    }

    /// The version that was asked for, else that of the release.
    fn kubernetes(&self) -> Result<Kubernetes, UsageError> {
        let of_release = || {
            self.selection.release().parse().map_err(|known| {
                let release = self.selection.release();
                UsageError(format!(
                    "no lab has Kubernetes {release} ({known}): test release {release} on another with --kubernetes VERSION"
                ))
            })
        };
        self.kubernetes.map_or_else(of_release, Ok)
    }
}

/// Runs the verb.
pub async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    // What the user got wrong is told before anything is started.
    let mut checks = arguments.selection.checks()?;
    if arguments.lab && arguments.level.is_none() && arguments.selection.is_open() {
        checks.retain(|check| select::is_quick(check));
    }
    let (profile, checks) = arguments.selection.profile(&checks)?;
    refuse_unknown_trials(&checks, &arguments.trial).map_err(select::usage)?;
    let interrupt = interrupt();
    let talk = Arc::new(Talk::new());
    if !arguments.lab {
        let connection = arguments.selection.connect().await?;
        return on(connection, arguments, (checks, profile), BTreeMap::new(), talk, interrupt).await;
    }
    let options = aiconform_lab::Options {
        // A lab of its own, beside whatever else is up.
        name: format!("run{}", std::process::id()),
        outlive: false,
        breakages: Vec::new(),
        kubernetes: arguments.kubernetes()?,
        nodes: nodes(arguments.nodes, &arguments.node)?,
        fake_nodes: fake_nodes(arguments.level().into(), &arguments.trial),
        parts: select::parts(&checks, &arguments.selection.adapters(), arguments.level().into()),
        pose: None,
    };
    let lab = tokio::select! {
        lab = aiconform_lab::up(&options, talk.as_ref()) => lab?,
        () = interrupt.clone() => return Ok(Exit::Interrupted),
    };
    let target = Target { kubeconfig: Some(lab.kubeconfig()), context: None };
    let result = match Connection::open(&target).await {
        Ok(connection) => {
            on(connection, arguments, (checks, profile), lab.parts(), talk.clone(), interrupt).await
        }
        Err(error) => Err(error.into()),
    };
    talk.line("", "removing the lab");
    let down = lab.down().await;
    let exit = result?;
    down?;
    Ok(exit)
}

/// Fake nodes that a lab needs for what was chosen: slots that lie on several nodes need several.
pub fn fake_nodes(level: aiconform_checks::Level, trials: &[String]) -> u32 {
    let named = |name: &str| trials.iter().any(|trial| trial == name);
    match (named("scale"), named("fragmentation") || level == aiconform_checks::Level::All) {
        (true, _) => 3,
        (false, true) => 2,
        (false, false) => 0,
    }
}

/// Ends with the first Ctrl-C or SIGTERM; a second one stops the program hard.
pub fn interrupt() -> Interrupt {
    let future = async {
        use tokio::signal::unix::{SignalKind, signal};
        // Both are listened to without a pause: the second signal may come at any time after the first.
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return std::future::pending().await;
        };
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        anstream::eprintln!("interrupted; removing what was created (once more to stop at once)");
        tokio::spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            anstream::eprintln!("stopped; `aiconform cleanup` removes what is left in the cluster");
            // Nothing of this process may go on, and nothing of it is waited for.
            #[allow(clippy::exit, reason = "the user asked for a hard stop")]
            std::process::exit(i32::from(Exit::Interrupted.number()));
        });
    };
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        future.await;
        let _ = sender.send(());
    });
    async move {
        let _ = receiver.await;
    }
    .boxed()
    .shared()
}

async fn on(
    connection: Connection,
    arguments: Arguments,
    (checks, profile): (Vec<&'static Check>, Profile),
    parts: BTreeMap<&'static str, &'static str>,
    talk: Arc<Talk>,
    interrupt: Interrupt,
) -> anyhow::Result<Exit> {
    let started = jiff::Timestamp::now();
    let path = match &arguments.output_dir {
        Some(path) => path.clone(),
        None => default_folder(&connection.context, started),
    };
    let drawn = u64::try_from(started.as_microsecond()).unwrap_or_default() % 1_000_000;
    let seed = arguments.seed.unwrap_or(drawn);
    talk.line(
        "",
        &format!("testing {} at {}, seed {seed}, into {path}", connection.context, connection.server),
    );
    let setup = Setup {
        connection,
        lab: arguments.lab,
        parts,
        release: arguments.selection.release().into(),
        checks,
        profile,
        options: Options {
            adapters: arguments.selection.adapters(),
            level: arguments.level().into(),
            trials: arguments.trial.clone(),
            rounds: arguments.rounds,
            size: arguments.size,
            seed,
        },
        path: path.clone(),
        talk: talk.clone(),
        interrupt,
    };
    let result = session::run(setup).await;
    talk.clear();
    let (end, judged) = result?;
    verdicts::print(&judged);
    anstream::eprintln!("report: {}", path.join("report.html"));
    for left in &end.left {
        anstream::eprintln!("could not be removed: {left}");
    }
    if !end.left.is_empty() {
        anstream::eprintln!(
            "the verdicts stand, and something of the run is still there: `aiconform cleanup --run {}` tries again",
            end.id
        );
    }
    if end.interrupted {
        return Ok(Exit::Interrupted);
    }
    Ok(verdicts::exit(&judged).leaving(&end.left))
}

fn default_folder(context: &str, started: jiff::Timestamp) -> Utf8PathBuf {
    let time = started.strftime("%Y%m%dT%H%M%SZ");
    let context: String =
        context.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let root = std::env::var("ARTIFACTS").unwrap_or_else(|_| "runs".into());
    Utf8Path::new(&root).join(format!("{time}-{context}"))
}
