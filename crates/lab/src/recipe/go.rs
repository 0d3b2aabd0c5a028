//! Programs that are built from Go modules.

use super::Recipe;
use super::module::Instead;
use crate::error::LabError;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::VecDeque;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Programs of a Go module, and how they are built.
pub struct Go {
    /// Packages to build.
    pub packages: &'static [&'static str],
    /// Linker flags beside `-s -w`.
    pub linker_flags: &'static str,
    /// Build tags.
    pub tags: &'static str,
    /// Files of the recipe: name and content.
    pub files: &'static [(&'static str, &'static str)],
    /// Binaries whose names the build gives wrong: from, to.
    pub rename: &'static [(&'static str, &'static str)],
    /// A module that is built otherwise than it comes.
    pub instead: Option<Instead>,
}

/// Folder of what Go keeps while programs are built: several gigabytes, which go when all are.
pub struct Scratch(Utf8PathBuf);

impl Scratch {
    /// One in this folder.
    pub fn new(folder: Utf8PathBuf) -> Scratch {
        Scratch(folder)
    }

    /// A call of Go that keeps there what it keeps, modules as files that can be removed.
    pub fn go(&self, arguments: &[&str], work: &Utf8Path) -> Command {
        let mut command = Command::new("go");
        command.args(arguments).current_dir(work);
        command.env("GOCACHE", self.0.join("built")).env("GOMODCACHE", self.0.join("modules"));
        command.env("GOFLAGS", "-modcacherw -buildvcs=false").env("CGO_ENABLED", "0");
        command
    }

    /// The folder of a module that the recipe in `work` names.
    ///
    /// # Errors
    /// When Go does not start.
    pub async fn module(&self, module: &str, work: &Utf8Path) -> Result<Utf8PathBuf, LabError> {
        let output = self.go(&["list", "-m", "-f", "{{.Dir}}", module], work).output().await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().into())
    }

    /// Removes it all.
    pub fn remove(self) -> std::io::Result<()> {
        if self.0.exists() { fs_err::remove_dir_all(self.0) } else { Ok(()) }
    }
}

impl Go {
    /// Everything that decides what comes out, the toolchain with it, but for what is built instead of a module.
    pub fn parts<'a>(&self, toolchain: &'a str) -> Vec<&'a str> {
        let files = self.files.iter().flat_map(|(name, content)| [*name, *content]);
        let flags = [self.linker_flags, self.tags, toolchain];
        self.packages.iter().copied().chain(flags).chain(files).collect()
    }

    /// Builds into `work`, its binaries into `work/bin`; tells how many packages are compiled.
    ///
    /// # Errors
    /// With the build's last lines.
    pub async fn build(
        &self,
        recipe: &Recipe,
        work: &Utf8Path,
        scratch: &Scratch,
        told: &(dyn Fn(usize) + Sync),
    ) -> Result<(), LabError> {
        let failed = |why: String, log: String| LabError::Build { component: recipe.name.into(), why, log };
        let bin = work.join("bin");
        for (name, content) in self.files {
            fs_err::write(work.join(name), content)?;
        }
        if let Some(instead) = &self.instead {
            instead.lay(work, scratch).await?;
        }
        told(0);
        let (flags, output) = (format!("-s -w {}", self.linker_flags), format!("{bin}/"));
        let build = ["build", "-v", "-trimpath", "-mod=readonly", "-tags", self.tags, "-ldflags", &flags];
        let arguments = [&build[..], &["-o", &output], self.packages].concat();
        let mut child = scratch
            .go(&arguments, work)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("go does not start: {error}"), String::new()))?;
        let mut last = VecDeque::new();
        let mut packages = 0;
        if let Some(stderr) = child.stderr.take() {
            let mut lines = BufReader::new(stderr).lines();
            while let Some(line) = lines.next_line().await? {
                packages += 1;
                if packages % 25 == 0 {
                    told(packages);
                }
                if last.len() == 20 {
                    last.pop_front();
                }
                last.push_back(line);
            }
        }
        let status = child.wait().await?;
        if !status.success() {
            return Err(failed(status.to_string(), Vec::from(last).join("\n")));
        }
        for (from, to) in self.rename {
            fs_err::rename(bin.join(from), bin.join(to))?;
        }
        Ok(())
    }

    /// Removes what was built instead of a module, once its manifests are rendered.
    ///
    /// # Errors
    /// When it stays.
    pub fn tidy(&self, work: &Utf8Path) -> std::io::Result<()> {
        if self.instead.is_some() { fs_err::remove_dir_all(work.join("instead")) } else { Ok(()) }
    }
}
