//! `aiconform submit`: from a run to the folder of a submission.

use crate::commands::review::Judge;
use crate::exit::{Exit, UsageError};
use aiconform_submission::submit::{Answers, Refused, submission};
use aiconform_submission::{Given, RunFolders, members, review, show};
use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

/// Arguments of `aiconform submit`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The run folder
    run: Utf8PathBuf,
    /// A clone of the programme's repository, whose template is filled
    #[arg(long, env = "AICONFORM_PROGRAM_DIR", value_name = "DIR")]
    program: Utf8PathBuf,
    /// What the vendor says of the product (TOML)
    #[arg(long, value_name = "FILE")]
    product: Utf8PathBuf,
    /// The folder to make, as vX.Y/NAME; new or empty
    #[arg(long, value_name = "DIR")]
    output_dir: Utf8PathBuf,
    /// Names of the foundation's members, one a line
    #[arg(long, value_name = "FILE")]
    members: Option<Utf8PathBuf>,
    /// Make a demonstration, which a review refuses, of what stands on simulated devices or was not tried
    #[arg(long)]
    demo: bool,
}

/// Makes a submission; nothing is left when it cannot be made whole.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
    let text = fs_err::read_to_string(&arguments.product).map_err(|error| usage(&error))?;
    let answers = Answers::read(&text, arguments.product.as_str()).map_err(|error| usage(&error))?;
    let members = match &arguments.members {
        Some(file) => Some(members(&fs_err::read_to_string(file).map_err(|error| usage(&error))?)),
        None => None,
    };
    let run =
        Judge.judge(&arguments.run).map_err(|error| UsageError(format!("{}: {error}", arguments.run)))?;
    let folder = format!("v{}", run.release);
    let target = camino::absolute_utf8(&arguments.output_dir)?;
    let (Some(name), Some(parent)) = (target.file_name(), target.parent()) else {
        return Err(UsageError(format!("{target} is no folder of a submission; name {folder}/NAME")).into());
    };
    if parent.file_name() != Some(&folder) {
        let says = format!(
            "the run is of release {}, so the submission belongs into {folder}/NAME, not {target}",
            run.release
        );
        return Err(UsageError(says).into());
    }
    if target.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(
            UsageError(format!("{target} is not empty; a submission is never written over another")).into()
        );
    }
    let templates = arguments.program.join("docs");
    let template = templates.join(format!("AIConformance-{}.yaml", run.release));
    let template = fs_err::read_to_string(&template)
        .map_err(|error| UsageError(format!("there is no template for release {}: {error}", run.release)))?;
    let files = match submission(&run, &template, &answers, arguments.demo) {
        Ok(files) => files,
        Err(error @ Refused::Input(_)) => return Err(usage(&error).into()),
        Err(error @ Refused::Unsupported(_)) => {
            anstream::eprintln!("error: {error}");
            return Ok(Exit::Failed);
        }
    };
    // Made beside the place where it is to be, reviewed there, and moved when it is whole.
    let existing = parent.ancestors().find(|folder| folder.is_dir()).unwrap_or(Utf8Path::new("/"));
    let staging =
        tempfile::tempdir_in(existing).with_context(|| format!("nothing can be written in {existing}"))?;
    let staging = Utf8Path::from_path(staging.path()).context("the folder's name is no UTF-8")?.to_owned();
    let staged = staging.join(&folder).join(name);
    let result = stage(&staged, &files).and_then(|()| {
        let given = Given { members, templates: Some(templates), validator_only: true, ..Given::default() };
        let review = review(std::slice::from_ref(&staged), &given);
        if review.valid() {
            fs_err::create_dir_all(parent)?;
            if target.exists() {
                fs_err::remove_dir(&target)?;
            }
            fs_err::rename(&staged, &target)?;
            Ok(None)
        } else {
            Ok(Some(show::table(&review, false)))
        }
    });
    let _ = fs_err::remove_dir_all(&staging);
    if let Some(refused) = result? {
        anstream::eprintln!("{}", refused.replace(staging.as_str(), ""));
        anstream::eprintln!(
            "error: the programme's validator would refuse this submission; nothing was written"
        );
        return Ok(Exit::Failed);
    }
    for (name, _) in &files {
        anstream::println!("{}", arguments.output_dir.join(name));
    }
    if arguments.demo {
        anstream::eprintln!(
            "this is a demonstration; `aiconform review {}` says what it does not prove",
            arguments.output_dir
        );
    }
    Ok(Exit::Success)
}

fn stage(folder: &Utf8Path, files: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
    fs_err::create_dir_all(folder)?;
    for (name, content) in files {
        fs_err::write(folder.join(name), content)?;
    }
    Ok(())
}
