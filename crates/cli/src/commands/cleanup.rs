//! `aiconform cleanup`: remove what killed runs left.

use crate::exit::{Exit, UsageError};
use crate::talk::Talk;
use aiconform_cluster::{Api, Connection, Target, cleanup, find};
use aiconform_model::Nowhere;
use camino::Utf8PathBuf;
use std::sync::Arc;

/// Arguments of `aiconform cleanup`.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing is left, 5 something is left and named, 2 wrong usage, 3 the cluster cannot be asked"
)]
pub struct Arguments {
    /// Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config]
    #[arg(long)]
    kubeconfig: Option<Utf8PathBuf>,
    /// Context of the kubeconfig [default: the current one]
    #[arg(long)]
    context: Option<String>,
    /// Remove this run only, whether its Lease has expired or not
    #[arg(long)]
    run: Option<String>,
}

/// Runs the verb.
pub async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let swept = aiconform_lab::sweep().await?;
    for lab in &swept {
        anstream::println!("lab {lab}: removed what it left on this machine");
    }
    let named = arguments.kubeconfig.is_some() || arguments.context.is_some() || arguments.run.is_some();
    let target = Target { kubeconfig: arguments.kubeconfig, context: arguments.context };
    let connection = match Connection::open(&target).await {
        Ok(connection) => connection,
        // Labs were what there was to clean up.
        Err(_) if !swept.is_empty() && !named => return Ok(Exit::Success),
        Err(error) => return Err(UsageError(error.to_string()).into()),
    };
    let api = Api::new(connection, Arc::new(Nowhere));
    let talk = Talk::new();
    let found = find(&api).await?;
    let mut left = Vec::new();
    if let Some(id) = &arguments.run
        && !found.iter().any(|run| run.id == *id)
    {
        anstream::println!("run {id}: nothing of it is in the cluster");
    }
    for run in found {
        let chosen = arguments.run.as_ref().map_or(!run.is_live(), |id| *id == run.id);
        if !chosen {
            if arguments.run.is_none() {
                anstream::println!(
                    "run {}: still runs (its Lease was renewed {} s ago)",
                    run.id,
                    run.age.unwrap_or_default()
                );
            }
            continue;
        }
        talk.line("", &format!("removing run {}", run.id));
        let stays = cleanup(&api, &run, &|words| talk.line("", words)).await?;
        if stays.is_empty() {
            anstream::println!("run {}: removed", run.id);
        }
        left.extend(stays);
    }
    for stays in &left {
        anstream::eprintln!("could not be removed: {stays}");
    }
    Ok(Exit::Success.leaving(&left))
}
