//! A folder that is made beside its place, and moved there when it is whole.

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

/// A place beside which nothing can be made.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// Nothing can be written there.
    #[error("nothing can be written in {folder}")]
    Nowhere {
        /// The nearest folder that exists.
        folder: Utf8PathBuf,
        /// The system's reason.
        #[source]
        why: std::io::Error,
    },
    /// The folder's name is no text.
    #[error("the folder's name is no UTF-8")]
    Name,
}

/// A folder on its way; without [`Staging::settle`] nothing of it is left.
pub(crate) struct Staging {
    temporary: TempDir,
    folder: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl Staging {
    /// Begins a folder, which keeps its name and that of the folder around it. The path is absolute.
    pub fn beside(target: &Utf8Path) -> Result<Staging, StagingError> {
        let existing = target.ancestors().skip(1).find(|folder| folder.is_dir());
        let existing = existing.unwrap_or(Utf8Path::new("/"));
        let nowhere = |why| StagingError::Nowhere { folder: existing.to_owned(), why };
        let temporary = tempfile::tempdir_in(existing).map_err(nowhere)?;
        let mut folder = Utf8Path::from_path(temporary.path()).ok_or(StagingError::Name)?.to_owned();
        let parent = target.parent().and_then(Utf8Path::file_name);
        folder.extend(parent.into_iter().chain(target.file_name()));
        fs_err::create_dir_all(&folder).map_err(nowhere)?;
        Ok(Staging { temporary, folder, target: target.to_owned() })
    }

    /// Path of the folder meanwhile.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// A text without the temporary part of the paths in it.
    pub fn shown(&self, text: &str) -> String {
        text.replace(self.temporary.path().to_string_lossy().as_ref(), "")
    }

    /// Writes a file, whose name may have folders before it.
    pub fn write(&self, name: &str, content: &[u8]) -> std::io::Result<()> {
        let file = self.folder.join(name);
        fs_err::create_dir_all(file.parent().unwrap_or(&self.folder))?;
        fs_err::write(file, content)
    }

    /// Makes room where the folder is to be: the folders around it, and nothing empty in its place.
    pub fn make_room(&self) -> std::io::Result<()> {
        fs_err::create_dir_all(self.target.parent().unwrap_or(Utf8Path::new("/")))?;
        if self.target.exists() { fs_err::remove_dir(&self.target) } else { Ok(()) }
    }

    /// Moves the folder to where it is to be.
    pub fn settle(self) -> std::io::Result<()> {
        fs_err::rename(&self.folder, &self.target)
    }
}

/// Tells whether a folder holds something, so that nothing may be made in its place.
pub(crate) fn is_filled(folder: &Utf8Path) -> bool {
    folder.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_there_whole_or_not_at_all() {
        let around = tempfile::tempdir().unwrap();
        let around = Utf8Path::from_path(around.path()).unwrap();
        let target = around.join("v1.37/stratus");
        let begun = Staging::beside(&target).unwrap();
        assert!(begun.folder().ends_with("v1.37/stratus"));
        begun.write("a/b.txt", b"b").unwrap();
        drop(begun);
        assert!(!is_filled(around), "what was given up is gone");

        let begun = Staging::beside(&target).unwrap();
        begun.write("a/b.txt", b"b").unwrap();
        assert_eq!(begun.shown(&format!("in {}", begun.folder())), "in /v1.37/stratus");
        assert!(!target.exists());
        begun.make_room().unwrap();
        begun.settle().unwrap();
        assert_eq!(fs_err::read(target.join("a/b.txt")).unwrap(), b"b");
        assert_eq!(around.read_dir_utf8().unwrap().count(), 1);

        // What was put there meanwhile is not written over.
        let begun = Staging::beside(&target).unwrap();
        assert!(begun.make_room().is_err() && is_filled(&target));
    }
}
