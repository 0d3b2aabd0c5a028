//! Labs to measure on, started and ended by the program under measurement.

use anyhow::{Context, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use std::process::{Command, Stdio};

/// The program under measurement, built as this one was.
///
/// # Errors
/// When it cannot be built.
pub fn program(root: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(root).args(["build", "--locked", "-p", "aiconform"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    ensure!(build.status()?.success(), "aiconform could not be built");
    Ok(Utf8PathBuf::try_from(std::env::current_exe()?.with_file_name("aiconform"))?)
}

/// A lab that ends with this value.
pub struct Lab {
    program: Utf8PathBuf,
    name: String,
    /// Kubeconfig of an administrator.
    pub kubeconfig: Utf8PathBuf,
}

impl Lab {
    /// Starts a lab with these flags of `lab up`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn up(program: &Utf8Path, name: &str, flags: &[&str]) -> anyhow::Result<Lab> {
        let output = Command::new(program)
            .args(["lab", "--name", name, "up"])
            .args(flags)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "the lab did not start");
        let kubeconfig = Utf8PathBuf::from(String::from_utf8(output.stdout)?.trim());
        Ok(Lab { program: program.into(), name: name.into(), kubeconfig })
    }

    /// Its state folder.
    ///
    /// # Errors
    /// When there is none, which does not happen.
    pub fn state(&self) -> anyhow::Result<&Utf8Path> {
        self.kubeconfig.parent().context("a kubeconfig without a folder")
    }

    /// Runs a command inside the lab.
    ///
    /// # Errors
    /// When it fails.
    pub fn exec(&self, command: &[&str]) -> anyhow::Result<()> {
        self.ask(command).map(drop)
    }

    /// Like [`Lab::exec`]; gives what the command says.
    ///
    /// # Errors
    /// When it fails.
    pub fn ask(&self, command: &[&str]) -> anyhow::Result<String> {
        let mut exec = Command::new(&self.program);
        exec.args(["lab", "--name", &self.name, "exec", "--"]).args(command).stderr(Stdio::inherit());
        let output = exec.output()?;
        ensure!(output.status.success(), "{} failed in the lab", command.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Process id of the kube-apiserver whose arguments name this lab's state folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_server(&self) -> anyhow::Result<u32> {
        let state = format!("{}/", self.state()?);
        for entry in fs_err::read_dir("/proc")? {
            let entry = entry?;
            let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            let mut words = line.split('\0');
            let is_server = words.next().is_some_and(|program| program.ends_with("/kube-apiserver"));
            if is_server && words.any(|word| word.contains(&state)) {
                return Ok(process);
            }
        }
        bail!("there is no kube-apiserver of {state}");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = Command::new(&self.program).args(["lab", "--name", &self.name, "down"]).status();
    }
}
