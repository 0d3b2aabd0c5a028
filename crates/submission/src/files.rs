//! The files of a submission, which are foreign: nothing outside the folder is read, and nothing without limit.

use camino::{Utf8Path, Utf8PathBuf};
use std::io::Read;
use walkdir::WalkDir;

/// Most files that are looked at in one submission.
pub const MOST: usize = 2_000;
/// Most bytes of a file that is read.
pub const LARGEST: u64 = 32 * 1024 * 1024;
/// Most bytes that are read of one submission.
pub const ALL: u64 = 128 * 1024 * 1024;

/// The files of a submission.
#[derive(Clone, Debug)]
pub struct Files {
    folder: Utf8PathBuf,
    /// All of them, sorted by name.
    pub all: Vec<File>,
    /// Whether there are more than [`MOST`], so that the others are not known.
    pub more: bool,
}

/// A file.
#[derive(Clone, Debug)]
pub struct File {
    /// Name from the folder, with `/`; what is no UTF-8 in it is replaced.
    pub name: String,
    /// Length in bytes.
    pub size: u64,
    /// What it is.
    pub kind: Kind,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ordinary one.
    Plain,
    /// A symbolic link.
    Link,
    /// A device, a socket, or one whose name is no UTF-8.
    Other,
}

/// Why a file is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// There is none of that name.
    Missing,
    /// It is a symbolic link, or no ordinary file.
    NotPlain,
    /// It is larger than [`LARGEST`].
    TooLarge,
    /// The system refused.
    Refused,
}

impl Files {
    /// Looks at a folder without following links.
    pub fn of(folder: &Utf8Path) -> Files {
        let mut all = Vec::new();
        let mut more = false;
        let mut size = 0;
        let entries = WalkDir::new(folder).max_depth(12).follow_links(false).sort_by_file_name();
        for entry in entries.into_iter().flatten() {
            let kind = entry.file_type();
            if kind.is_dir() {
                continue;
            }
            let length = entry.metadata().map_or(0, |metadata| metadata.len());
            if all.len() == MOST || size > ALL {
                more = true;
                break;
            }
            let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let kind = match path.to_str() {
                Some(_) if kind.is_file() => Kind::Plain,
                _ if kind.is_symlink() => Kind::Link,
                _ => Kind::Other,
            };
            size += if kind == Kind::Plain && length <= LARGEST { length } else { 0 };
            all.push(File { name: path.to_string_lossy().into_owned(), size: length, kind });
        }
        Files { folder: folder.to_owned(), all, more }
    }

    /// A file by its name from the folder.
    pub fn get(&self, name: &str) -> Option<&File> {
        self.all.iter().find(|file| file.name == name)
    }

    /// The bytes of an ordinary file that is not too large.
    ///
    /// # Errors
    /// [`Unread`], why not.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Unread> {
        let file = self.get(name).ok_or(Unread::Missing)?;
        if file.kind != Kind::Plain {
            return Err(Unread::NotPlain);
        }
        if file.size > LARGEST {
            return Err(Unread::TooLarge);
        }
        let mut bytes = Vec::new();
        let opened = fs_err::File::open(self.folder.join(name)).map_err(|_| Unread::Refused)?;
        // It may have grown since it was looked at.
        opened.take(LARGEST).read_to_end(&mut bytes).map_err(|_| Unread::Refused)?;
        Ok(bytes)
    }
}
