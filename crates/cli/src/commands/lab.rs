//! `aiconform lab`: start, use and break the lab.

use crate::exit::Exit;

/// Arguments of `aiconform lab`.
#[derive(clap::Args)]
pub struct Arguments {}

/// Runs the verb.
pub async fn run(_arguments: Arguments) -> anyhow::Result<Exit> {
    Ok(Exit::Success)
}
