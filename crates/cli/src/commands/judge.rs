//! `aiconform judge` and `aiconform report`: again from a stored run, without a cluster.

use crate::exit::{Exit, UsageError};
use crate::verdicts;
use aiconform_evidence::Stored;
use camino::Utf8PathBuf;

/// Arguments of `aiconform judge` and `aiconform report`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The run folder
    run: Utf8PathBuf,
}

fn open(arguments: &Arguments) -> Result<Stored, UsageError> {
    verdicts::open(&arguments.run).map_err(|error| UsageError(format!("{}: {error}", arguments.run)))
}

/// Judges the evidence of a stored run again and prints the verdicts.
pub fn judge(arguments: &Arguments) -> anyhow::Result<Exit> {
    let judged = verdicts::of(&open(arguments)?);
    verdicts::print(&judged);
    Ok(judged.exit)
}

/// Renders every view of a stored run again; says which differed from what was there.
pub fn report(arguments: &Arguments) -> anyhow::Result<Exit> {
    let judged = verdicts::of(&open(arguments)?);
    for (name, content) in aiconform_report::views(&judged.report)? {
        let file = arguments.run.join(name);
        let state = match fs_err::read(&file) {
            Ok(there) if there == content => "the same",
            Ok(_) => "was different",
            Err(_) => "was missing",
        };
        fs_err::write(&file, content)?;
        anstream::println!("{file}: {state}");
    }
    Ok(Exit::Success)
}
