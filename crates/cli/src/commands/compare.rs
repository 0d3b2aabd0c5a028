//! `aiconform compare`: what got better or worse between two runs, or two submissions.

use crate::exit::{Exit, UsageError};
use aiconform_submission::compare::text;
use camino::Utf8PathBuf;

/// Arguments of `aiconform compare`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The older run folder or submission
    before: Utf8PathBuf,
    /// The newer one, of the same kind
    after: Utf8PathBuf,
    /// Format
    #[arg(short = 'o', long = "output", value_enum, default_value_t)]
    output: Output,
}

/// How a comparison is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    #[default]
    Table,
    /// JSON.
    Json,
}

/// Compares; exit code 1 when something that counts got worse, or is not tried any more.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let comparison = aiconform_engine::compare(&arguments.before, &arguments.after)
        .map_err(|error| UsageError(error.to_string()))?;
    match arguments.output {
        Output::Table => anstream::print!("{}", text(&comparison)),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&comparison)?),
    }
    Ok(if comparison.regression() { Exit::Failed } else { Exit::Success })
}
