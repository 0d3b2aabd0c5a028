//! The folder of a site.

use super::{Page, SiteError, gather, pages};
use crate::RunFolders;
use crate::staging::{Staging, is_filled};
use camino::Utf8Path;

/// A site that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Number of releases that it is about.
    pub releases: usize,
    /// Number of submissions.
    pub products: usize,
    /// Number of its files.
    pub files: usize,
    /// Their size together.
    pub bytes: usize,
}

/// Makes the site of a clone of the programme in a new or empty folder; nothing is left when it cannot be made whole.
///
/// # Errors
/// When the clone cannot be read, or the folder is not new or cannot be written.
pub fn make(
    program: &Utf8Path,
    target: &Utf8Path,
    runs: Option<&(dyn RunFolders + Sync)>,
    made_by: &str,
) -> Result<Made, SiteError> {
    let target = camino::absolute_utf8(target)?;
    let refused = |why| Err(SiteError::Target { folder: target.clone(), why });
    if target.file_name().is_none() {
        return refused("cannot be made a site; name a new folder");
    }
    if target.symlink_metadata().is_ok() && !target.is_dir() {
        return refused("is no folder; name a new one");
    }
    if is_filled(&target) {
        return refused("is not empty; a site is never written over another");
    }
    let programme = gather(program, runs, made_by)?;
    let staging = Staging::beside(&target)?;
    let (mut files, mut bytes) = (0, 0);
    pages(&programme, &mut |page: Page| {
        files += 1;
        bytes += page.content.len();
        Ok::<(), SiteError>(staging.write(&page.name, &page.content)?)
    })?;
    staging.make_room()?;
    staging.settle()?;
    let products = programme.releases.iter().map(|release| release.products.len()).sum();
    Ok(Made { releases: programme.releases.len(), products, files, bytes })
}
