//! Modules that are changed before they are built.

use super::go::Scratch;
use crate::commands;
use crate::error::LabError;
use camino::Utf8Path;

/// A module that is changed before it is built, so that what the lab never uses is not built. The recipe's `go.mod` replaces
/// the module by the folder `instead`.
pub struct Instead {
    /// Module and version.
    pub module: &'static str,
    /// Changes that are made.
    pub changes: &'static [Change],
}

/// One change of a module.
pub enum Change {
    /// A file is written, over what is there.
    Write {
        /// The file.
        file: &'static str,
        /// Text that stands there.
        content: &'static str,
    },
    /// Of the files of a folder these stay, and its folders.
    Keep {
        /// The folder.
        folder: &'static str,
        /// Names of files in it.
        files: &'static [&'static str],
    },
    /// Something else stands in a file between two texts; the first of them goes, the second stays.
    Between {
        /// The file.
        file: &'static str,
        /// Where it begins.
        from: &'static str,
        /// Where it ends.
        to: &'static str,
        /// Text that stands there instead.
        content: &'static str,
    },
}

impl Change {
    /// Everything that decides what it does.
    fn parts(&self) -> Vec<&'static str> {
        match *self {
            Change::Write { file, content } => vec![file, content],
            Change::Keep { folder, files } => [&[folder], files].concat(),
            Change::Between { file, from, to, content } => vec![file, from, to, content],
        }
    }

    /// Does it to a module in a folder.
    fn apply(&self, module: &Utf8Path) -> Result<(), LabError> {
        match *self {
            Change::Write { file, content } => fs_err::write(module.join(file), content)?,
            Change::Keep { folder, files } => {
                for entry in module.join(folder).read_dir_utf8()? {
                    let entry = entry?;
                    if entry.file_type()?.is_file() && !files.contains(&entry.file_name()) {
                        fs_err::remove_file(entry.path())?;
                    }
                }
            }
            Change::Between { file, from, to, content } => {
                let text = fs_err::read_to_string(module.join(file))?;
                let (before, rest) = text.split_once(from).ok_or_else(|| lacks(file, from))?;
                let end = rest.find(to).ok_or_else(|| lacks(file, to))?;
                fs_err::write(module.join(file), [before, content, &rest[end..]].concat())?;
            }
        }
        Ok(())
    }
}

fn lacks(file: &str, text: &str) -> LabError {
    LabError::Start(format!("the module's file {file} does not have the text {text:?} any more"))
}

impl Instead {
    /// Everything that decides what comes out.
    pub fn parts(&self) -> Vec<&'static str> {
        std::iter::once(self.module).chain(self.changes.iter().flat_map(Change::parts)).collect()
    }

    /// Lays the module into a folder of the recipe's work.
    pub async fn lay(&self, work: &Utf8Path, scratch: &Scratch) -> Result<(), LabError> {
        // Where there is no go.mod, which would replace it.
        let outside = work.parent().unwrap_or(work);
        let output = scratch.go(&["mod", "download", "-json", self.module], outside).output().await?;
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let Some(source) = said["Dir"].as_str() else {
            let why = said["Error"].as_str().unwrap_or("go did not say why");
            return Err(LabError::Start(format!("the module {} is not to be had: {why}", self.module)));
        };
        let folder = work.join("instead");
        // Files of the cache of modules may not be written to.
        let arguments = ["--recursive", "--no-preserve=mode", source, folder.as_str()];
        commands::run("cp", &arguments).await?;
        self.changes.iter().try_for_each(|change| change.apply(&folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_changed_as_said_and_a_text_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let module = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::create_dir(module.join("inner")).unwrap();
        for (file, content) in [("a.go", "one two three"), ("b.go", ""), ("inner/c.go", "")] {
            fs_err::write(module.join(file), content).unwrap();
        }
        let change = Change::Between { file: "a.go", from: "two", to: "three", content: "2 " };
        change.apply(module).unwrap();
        assert_eq!(fs_err::read_to_string(module.join("a.go")).unwrap(), "one 2 three");
        assert!(change.apply(module).unwrap_err().to_string().contains("\"two\""));
        Change::Keep { folder: "", files: &["a.go"] }.apply(module).unwrap();
        assert!(module.join("inner/c.go").exists() && !module.join("b.go").exists());
        Change::Write { file: "b.go", content: "b" }.apply(module).unwrap();
        assert_eq!(fs_err::read_to_string(module.join("b.go")).unwrap(), "b");
    }
}
