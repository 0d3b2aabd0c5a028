//! `aiconform site`: a static site of the programme.

use crate::exit::{Exit, UsageError};
use aiconform_engine::RunJudge;
use aiconform_submission::site::make;
use camino::Utf8PathBuf;

/// Arguments of `aiconform site`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A clone of the programme's repository (folders v1.33, v1.34, ...)
    #[arg(env = "AICONFORM_PROGRAM_DIR", value_name = "DIR")]
    program: Utf8PathBuf,
    /// The folder to make; new or empty
    #[arg(long, value_name = "DIR")]
    output_dir: Utf8PathBuf,
}

/// Makes the site; nothing is left when it cannot be made whole.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let made_by = concat!("aiconform ", env!("CARGO_PKG_VERSION"));
    let made = match make(&arguments.program, &arguments.output_dir, Some(&RunJudge), made_by) {
        Ok(made) => made,
        Err(error) if error.is_input() => return Err(UsageError(error.to_string()).into()),
        Err(error) => return Err(error.into()),
    };
    anstream::println!("{}", arguments.output_dir.join("index.html"));
    anstream::eprintln!(
        "{} submissions of {} releases: {} files, {} KiB",
        made.products,
        made.releases,
        made.files,
        made.bytes / 1024
    );
    Ok(Exit::Success)
}
