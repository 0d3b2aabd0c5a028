//! Contents of the cache of components, and their sizes.

use super::build::{alone, components, folder};
use super::{RECIPES, toolchain};
use crate::error::LabError;
use crate::progress::Progress;
use camino::{Utf8Path, Utf8PathBuf};

/// Component that is kept, or could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name; of what no recipe of this program makes, the name of its folder.
    pub name: String,
    /// Labs that need it, in words.
    pub wanted: String,
    /// Size in bytes of what is built; nothing where it is not.
    pub bytes: Option<u64>,
    /// Set if no recipe of this program makes it: another version of this program did, or another Go.
    pub is_old: bool,
    folder: Utf8PathBuf,
}

/// Every component, built or not, and what else lies among them.
///
/// # Errors
/// When a folder cannot be read.
pub async fn kept() -> Result<Vec<Kept>, LabError> {
    let toolchain = toolchain().await.unwrap_or_default();
    let mut found = Vec::new();
    for recipe in RECIPES {
        let folder = folder(recipe, &toolchain);
        let bytes = if folder.exists() { Some(size(&folder)?) } else { None };
        let wanted = recipe.wanted.to_string();
        found.push(Kept { name: recipe.name.into(), wanted, bytes, is_old: false, folder });
    }
    let Ok(entries) = components().read_dir_utf8() else { return Ok(found) };
    for entry in entries {
        let entry = entry?;
        let folder = entry.path().to_owned();
        if entry.file_type()?.is_dir() && !found.iter().any(|kept| kept.folder == folder) {
            let (name, bytes) = (entry.file_name().to_owned(), Some(size(&folder)?));
            found.push(Kept { name, wanted: "nothing any more".into(), bytes, is_old: true, folder });
        }
    }
    Ok(found)
}

/// Removes what no recipe of this program makes, and the components of these names; gives what was removed. Labs that are
/// up go on with what they have open.
///
/// # Errors
/// When a name is none, or something stays.
pub async fn prune(names: &[String], progress: &dyn Progress) -> Result<Vec<Kept>, LabError> {
    let all = kept().await?;
    if let Some(name) = names.iter().find(|name| !all.iter().any(|kept| kept.name == **name)) {
        let known: Vec<&str> = all.iter().map(|kept| kept.name.as_str()).collect();
        return Err(LabError::Refused(format!(
            "there is no component {name:?}; there are: {}",
            known.join(", ")
        )));
    }
    let root = components();
    fs_err::create_dir_all(&root)?;
    // What another program is building at this moment is nothing old.
    let _held = alone(&root, progress).await?;
    let goes = |kept: &Kept| kept.bytes.is_some() && (kept.is_old || names.contains(&kept.name));
    let gone: Vec<Kept> = all.into_iter().filter(goes).collect();
    for kept in &gone {
        if kept.folder.exists() {
            fs_err::remove_dir_all(&kept.folder)?;
        }
    }
    Ok(gone)
}

/// Size of everything in a folder.
fn size(folder: &Utf8Path) -> Result<u64, LabError> {
    let mut bytes = 0;
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
