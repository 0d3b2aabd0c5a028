//! Starting a component: readiness, early exit, and its last log lines in every error.

use crate::error::LabError;
use crate::patience::until;
use camino::{Utf8Path, Utf8PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// A component that was started.
pub struct Component {
    name: String,
    log: Utf8PathBuf,
    child: Child,
}

impl Component {
    /// Starts a program with its output going to `logs/NAME.log`, and with these variables beside its own.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(
        name: &str,
        program: &Utf8Path,
        arguments: &[String],
        variables: &[(&str, &str)],
        logs: &Utf8Path,
    ) -> Result<Component, LabError> {
        let log = logs.join(format!("{name}.log"));
        let file = fs_err::OpenOptions::new().create(true).append(true).open(&log)?.into_parts().0;
        let child = Command::new(program)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| LabError::Component {
                component: name.into(),
                what: format!("does not start ({program}: {error})"),
                log: tail(&log),
            })?;
        Ok(Component { name: name.into(), log, child })
    }

    /// Waits until `probe` says that the component serves.
    ///
    /// # Errors
    /// When it ends first, or does not serve within the limit.
    pub async fn ready<F, R>(&mut self, limit: Duration, probe: F) -> Result<(), LabError>
    where
        F: Fn() -> R,
        R: Future<Output = Result<(), String>>,
    {
        let what = tokio::select! {
            served = until(limit, probe) => match served {
                Ok(()) => return Ok(()),
                Err(last) => format!("did not serve within {} s (last seen: {last})", limit.as_secs_f32()),
            },
            status = self.child.wait() => format!("ended while starting ({})", status?),
        };
        Err(self.error(what))
    }

    /// Waits for the end of the component, which is an error whenever it comes.
    pub async fn ended(&mut self) -> LabError {
        match self.child.wait().await {
            Ok(status) => self.error(format!("ended ({status})")),
            Err(error) => self.error(format!("cannot be watched ({error})")),
        }
    }

    /// Its process id, as this process sees it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn id(&self) -> Result<u32, LabError> {
        self.child.id().ok_or_else(|| self.error("ended while starting".into()))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn stop(mut self) -> Result<(), LabError> {
        Ok(self.child.kill().await?)
    }

    fn error(&self, what: String) -> LabError {
        LabError::Component { component: self.name.clone(), what, log: tail(&self.log) }
    }
}

/// The last lines of a log.
pub fn tail(log: &Utf8Path) -> String {
    let text =
        fs_err::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last: Vec<String> =
        lines[lines.len().saturating_sub(12)..].iter().map(|line| format!("  {line}")).collect();
    if last.is_empty() { "  (it wrote nothing)".into() } else { last.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> (tempfile::TempDir, Result<Component, LabError>) {
        let directory = tempfile::tempdir().unwrap();
        let logs = Utf8PathBuf::from_path_buf(directory.path().into()).unwrap();
        let arguments = ["-c".to_owned(), script.to_owned()];
        let component = Component::start("etcd", Utf8Path::new("/bin/sh"), &arguments, &[], &logs);
        (directory, component)
    }

    #[tokio::test]
    async fn a_missing_binary_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let logs = Utf8PathBuf::from_path_buf(directory.path().into()).unwrap();
        let error =
            Component::start("etcd", Utf8Path::new("/none/etcd"), &[], &[], &logs).err().unwrap().to_string();
        assert!(error.contains("etcd does not start (/none/etcd"), "{error}");
    }

    #[tokio::test]
    async fn an_early_exit_is_told_with_status_and_last_lines() {
        let (_directory, component) = start("echo 'no space left' >&2; exit 7");
        let never = || async { Err("not yet".to_owned()) };
        let error = component.unwrap().ready(Duration::from_secs(60), never).await.unwrap_err().to_string();
        assert!(error.contains("exit status: 7") && error.contains("no space left"), "{error}");
    }

    #[tokio::test]
    async fn a_hanging_component_is_told_with_the_last_thing_seen() {
        let (_directory, component) = start("echo waiting; exec tail -f /dev/null");
        let never = || async { Err("connection refused".to_owned()) };
        let error =
            component.unwrap().ready(Duration::from_millis(300), never).await.unwrap_err().to_string();
        assert!(error.contains("did not serve") && error.contains("connection refused"), "{error}");
    }

    #[tokio::test]
    async fn a_component_killed_while_running_is_told_with_its_signal() {
        let (_directory, component) = start("echo serving; exec tail -f /dev/null");
        let mut component = component.unwrap();
        component.ready(Duration::from_secs(60), || async { Ok(()) }).await.unwrap();
        let id =
            rustix::process::Pid::from_raw(i32::try_from(component.child.id().unwrap()).unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
        let error = component.ended().await.to_string();
        assert!(error.contains("signal: 9"), "{error}");
    }
}
