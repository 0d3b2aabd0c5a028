//! `aiconform run`: plan, run, judge, report.

use crate::exit::{Exit, UsageError};
use crate::select::Selection;
use crate::talk::Talk;
use crate::verdicts;
use aiconform_checks::Options;
use aiconform_cluster::Connection;
use aiconform_engine::Request;
use aiconform_evidence::{Folder, Stored};
use aiconform_model::Sink;
use camino::{Utf8Path, Utf8PathBuf};
use futures::FutureExt;
use serde_json::json;
use std::sync::Arc;

/// Arguments of `aiconform run`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run on a lab that is started for it and removed afterwards
    #[arg(long, conflicts_with_all = ["kubeconfig", "context"])]
    lab: bool,
    #[command(flatten)]
    selection: Selection,
    /// Rounds of every repeated trial
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Seed of every order that is drawn; drawn itself when not given
    #[arg(long)]
    seed: Option<u64>,
    /// The run folder: new or empty [default: runs/TIME-CONTEXT, or under $ARTIFACTS]
    #[arg(long)]
    output_dir: Option<Utf8PathBuf>,
}

/// Runs the verb.
pub async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let checks = arguments.selection.checks()?;
    let profile = arguments.selection.profile()?;
    let started = jiff::Timestamp::now();
    let interrupt = interrupt();
    let talk = Arc::new(Talk::new());
    if !arguments.lab {
        let connection = arguments.selection.connect().await?;
        return on(connection, arguments, checks, profile, started, talk, interrupt, false).await;
    }
    let options = aiconform_lab::Options { name: aiconform_lab::default_name(), outlive: false, breakages: Vec::new() };
    let lab = tokio::select! {
        lab = aiconform_lab::up(&options, talk.as_ref()) => lab?,
        () = interrupt.clone() => return Ok(Exit::Interrupted),
    };
    let target =
        aiconform_cluster::Target { kubeconfig: Some(lab.kubeconfig()), context: None };
    let result = match Connection::open(&target).await {
        Ok(connection) => {
            on(connection, arguments, checks, profile, started, talk.clone(), interrupt, true).await
        }
        Err(error) => Err(error.into()),
    };
    talk.line("", "removing the lab");
    let down = lab.down().await;
    let exit = result?;
    down?;
    Ok(exit)
}

/// Ends with the first Ctrl-C or SIGTERM; a second one stops the program hard.
fn interrupt() -> futures::future::Shared<futures::future::BoxFuture<'static, ()>> {
    let future = async {
        let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(terminate) => terminate,
            Err(_) => return std::future::pending().await,
        };
        tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = terminate.recv() => {} }
        anstream::eprintln!("interrupted; removing what was created (once more to stop at once)");
        tokio::spawn(async move {
            tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = terminate.recv() => {} }
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

#[allow(clippy::too_many_arguments, reason = "what a run is made of, told once")]
async fn on(
    connection: Connection,
    arguments: Arguments,
    checks: Vec<&'static aiconform_checks::Check>,
    profile: aiconform_checks::Profile,
    started: jiff::Timestamp,
    talk: Arc<Talk>,
    interrupt: futures::future::Shared<futures::future::BoxFuture<'static, ()>>,
    lab: bool,
) -> anyhow::Result<Exit> {
    let context = connection.context.clone();
    let path = match &arguments.output_dir {
        Some(path) => path.clone(),
        None => default_folder(&context, started)?,
    };
    let seed = arguments.seed.unwrap_or_else(|| u64::try_from(started.as_microsecond()).unwrap_or_default() % 1_000_000);
    let folder = Arc::new(
        Folder::create(&path).map_err(|error| UsageError(format!("{path}: {error}")))?,
    );
    talk.line("", &format!("testing {context} at {}, seed {seed}, into {path}", connection.server));
    let request = Request {
        connection,
        sink: folder.clone() as Arc<dyn Sink>,
        checks: checks.clone(),
        profile,
        options: Options { adapters: arguments.selection.adapters(), rounds: arguments.rounds, seed },
        progress: talk.clone(),
    };
    let end = aiconform_engine::run(request, interrupt.boxed()).await;
    // The watches are gone with the run; nobody else holds the folder.
    let folder = unique(folder).await?;
    let end = match end {
        Ok(end) => end,
        Err(error) => {
            folder.finish(&json!({"error": error.to_string()}))?;
            return Err(error.into());
        }
    };
    let run = json!({
        "tool": {"name": "aiconform", "version": env!("CARGO_PKG_VERSION")},
        "release": arguments.selection.release(),
        "checks": checks.iter().map(|check| check.id).collect::<Vec<_>>(),
        "started": started, "ended": jiff::Timestamp::now(),
        "cluster": end.cluster, "id": end.id, "lab": lab, "seed": seed, "rounds": arguments.rounds,
        "adapters": arguments.selection.adapters(), "interrupted": end.interrupted,
        "requests": end.requests, "left": end.left,
    });
    folder.finish(&run)?;
    for left in &end.left {
        anstream::eprintln!("could not be removed: {left}");
    }
    let stored = Stored::open(&path)?;
    let outcome = verdicts::of(&stored);
    verdicts::write(&path, &outcome)?;
    verdicts::print(&outcome);
    anstream::eprintln!("report: {}", path.join("report.html"));
    if end.interrupted {
        return Ok(Exit::Interrupted);
    }
    if !end.left.is_empty() {
        return Err(anyhow::anyhow!(
            "something of the run could not be removed; run `aiconform cleanup --run {}`",
            end.id
        ));
    }
    Ok(outcome.exit)
}

/// The folder again, once nobody else holds it.
async fn unique(mut folder: Arc<Folder>) -> anyhow::Result<Folder> {
    for _ in 0..100_u32 {
        match Arc::try_unwrap(folder) {
            Ok(folder) => return Ok(folder),
            Err(shared) => folder = shared,
        }
        aiconform_wait::pause(std::time::Duration::from_millis(20)).await;
    }
    anyhow::bail!("the run folder is still being written to; this is a fault of aiconform")
}

fn default_folder(context: &str, started: jiff::Timestamp) -> anyhow::Result<Utf8PathBuf> {
    let time = started.strftime("%Y%m%dT%H%M%SZ");
    let context: String =
        context.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let root = std::env::var("ARTIFACTS").unwrap_or_else(|_| "runs".into());
    Ok(Utf8Path::new(&root).join(format!("{time}-{context}")))
}
