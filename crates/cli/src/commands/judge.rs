//! `aiconform judge` and `aiconform report`: again from a stored run, without a cluster.

use crate::exit::{Exit, UsageError};
use crate::verdicts;
use aiconform_engine::{Before, Judged};
use camino::Utf8PathBuf;

/// Arguments of `aiconform judge` and `aiconform report`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The run folder
    run: Utf8PathBuf,
}

fn judged(arguments: &Arguments) -> Result<Judged, UsageError> {
    aiconform_engine::judge(&arguments.run).map_err(|error| UsageError(format!("{}: {error}", arguments.run)))
}

/// Judges the evidence of a stored run again and prints the verdicts.
pub fn judge(arguments: &Arguments) -> anyhow::Result<Exit> {
    let judged = judged(arguments)?;
    verdicts::print(&judged);
    Ok(verdicts::exit(&judged))
}

/// Renders every view of a stored run again; says which differed from what was there.
pub fn report(arguments: &Arguments) -> anyhow::Result<Exit> {
    for (name, before) in aiconform_engine::write(&arguments.run, &judged(arguments)?)? {
        let state = match before {
            Before::Same => "the same",
            Before::Different => "was different",
            Before::Missing => "was missing",
        };
        anstream::println!("{}: {state}", arguments.run.join(name));
    }
    Ok(Exit::Success)
}
