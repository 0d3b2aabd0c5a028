//! The files of a submission, which are foreign: nothing outside the folder is read, and nothing without limit.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};
use std::io::Read;
use walkdir::WalkDir;

/// Most files that are looked at in one submission.
pub const MOST: usize = 2_000;
/// Most bytes of a file that is read.
pub const LARGEST: u64 = 32 * 1024 * 1024;
/// Most bytes of the events of a run folder, which are read line by line.
pub const EVENTS: u64 = 128 * 1024 * 1024;
/// Most bytes that are read of one submission.
pub const ALL: u64 = 128 * 1024 * 1024;

/// Deepest folder, from that of the submission, whose files are looked at.
const DEEPEST: usize = 11;

/// The files of a submission.
#[derive(Clone, Debug)]
pub struct Files {
    folder: Utf8PathBuf,
    /// All of them, sorted by name.
    pub all: Vec<File>,
    /// Set if there are others that are not known: more than [`MOST`], more bytes than [`ALL`], deeper than
    /// is looked, or in a folder that cannot be read.
    pub more: bool,
}

/// Most bytes of a file that are bearable, by its name.
pub fn limit(name: &str) -> u64 {
    if name.rsplit('/').next() == Some("events.ndjson") { EVENTS } else { LARGEST }
}

/// A file.
#[derive(Clone, Debug)]
pub struct File {
    /// Name from the folder, with `/`; what is no UTF-8 in it is replaced.
    pub name: String,
    /// Length in bytes.
    pub size: u64,
    /// Kind of file.
    pub kind: Kind,
}

/// Kind of a file.
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
        let entries = WalkDir::new(folder).max_depth(DEEPEST + 1).follow_links(false).sort_by_file_name();
        for entry in entries {
            let Ok(entry) = entry else {
                more = true;
                continue;
            };
            let kind = entry.file_type();
            if kind.is_dir() {
                more |= entry.depth() > DEEPEST;
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

    /// Tells whether there is a file or folder of a name, which leads nowhere else; also of those that are
    /// not known.
    pub fn there(&self, name: &str) -> bool {
        let folder = format!("{name}/");
        if self.all.iter().any(|file| file.name == name || file.name.starts_with(&folder)) {
            return true;
        }
        if !self.more {
            return false;
        }
        let mut path = self.folder.clone();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let Ok(found) = path.symlink_metadata() else { return false };
            if parts.peek().is_some() && !found.is_dir() {
                return false;
            }
        }
        true
    }

    /// The SHA-256 of an ordinary file that is bearable.
    ///
    /// # Errors
    /// [`Unread`], why not.
    pub fn digest(&self, name: &str) -> Result<String, Unread> {
        let file = self.get(name).ok_or(Unread::Missing)?;
        if file.kind != Kind::Plain {
            return Err(Unread::NotPlain);
        }
        if file.size > limit(name) {
            return Err(Unread::TooLarge);
        }
        let opened = fs_err::File::open(self.folder.join(name)).map_err(|_| Unread::Refused)?;
        let mut opened = opened.take(limit(name));
        let mut hash = Sha256::new();
        let mut bytes = vec![0; 64 * 1024];
        loop {
            match opened.read(&mut bytes).map_err(|_| Unread::Refused)? {
                0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
                count => hash.update(&bytes[..count]),
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_looked_at_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        let deep = |folders: usize| path.join(vec!["a"; folders].join("/"));
        std::fs::create_dir_all(deep(DEEPEST)).unwrap();
        std::fs::write(deep(DEEPEST).join("x.md"), "x").unwrap();
        let files = Files::of(path);
        assert_eq!((files.all.len(), files.more), (1, false));
        std::fs::create_dir_all(deep(DEEPEST + 1)).unwrap();
        std::fs::write(deep(DEEPEST + 1).join("x.md"), "x").unwrap();
        let files = Files::of(path);
        assert_eq!((files.all.len(), files.more), (1, true));
        let name = |folders: usize, name: &str| format!("{}/{name}", vec!["a"; folders].join("/"));
        assert!(files.there(&name(DEEPEST + 1, "x.md")) && files.there("a"));
        assert!(!files.there("b.md") && !files.there(&name(DEEPEST + 1, "y.md")));
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_told() {
        assert!(Files::of(Utf8Path::new("/nowhere/at/all")).more);
    }
}
