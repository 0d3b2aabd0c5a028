//! `aiconform site`: a static site of the programme.

use crate::commands::review::Judge;
use crate::exit::{Exit, UsageError};
use aiconform_submission::site::{Page, SiteError, gather, pages};
use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

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
    let target = camino::absolute_utf8(&arguments.output_dir)?;
    let Some(parent) = target.parent().filter(|_| target.file_name().is_some()) else {
        return Err(UsageError(format!("{target} cannot be made a site; name a new folder")).into());
    };
    if target.symlink_metadata().is_ok() && !target.is_dir() {
        return Err(UsageError(format!("{target} is no folder; name a new one")).into());
    }
    if target.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(UsageError(format!("{target} is not empty; a site is never written over another")).into());
    }
    let made_by = concat!("aiconform ", env!("CARGO_PKG_VERSION"));
    let programme = gather(&arguments.program, Some(&Judge), made_by)
        .map_err(|error: SiteError| UsageError(error.to_string()))?;
    // Made beside the place where it is to be, and moved when it is whole.
    let existing = parent.ancestors().find(|folder| folder.is_dir()).unwrap_or(Utf8Path::new("/"));
    let staging =
        tempfile::tempdir_in(existing).with_context(|| format!("nothing can be written in {existing}"))?;
    let staged = Utf8Path::from_path(staging.path()).context("the folder's name is no UTF-8")?.join("site");
    let mut files = 0_usize;
    let mut bytes = 0_usize;
    pages(&programme, &mut |page: Page| {
        let file = staged.join(&page.name);
        if let Some(folder) = file.parent() {
            fs_err::create_dir_all(folder)?;
        }
        files += 1;
        bytes += page.content.len();
        fs_err::write(file, page.content)?;
        anyhow::Ok(())
    })?;
    fs_err::create_dir_all(parent)?;
    if target.exists() {
        fs_err::remove_dir(&target)?;
    }
    fs_err::rename(&staged, &target)?;
    anstream::println!("{}", arguments.output_dir.join("index.html"));
    let products: usize = programme.releases.iter().map(|release| release.products.len()).sum();
    anstream::eprintln!(
        "{products} submissions of {} releases: {files} files, {} KiB",
        programme.releases.len(),
        bytes / 1024
    );
    Ok(Exit::Success)
}
