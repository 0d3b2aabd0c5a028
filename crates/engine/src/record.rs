//! One run into a folder, judged.

use crate::judge::{Judged, ViewError, judge, write};
use crate::run::{End, Request, run};
use aiconform_checks::{Check, Options, Profile, Progress};
use aiconform_cluster::{ClusterError, Connection};
use aiconform_evidence::{Folder, ReadError, WriteError};
use aiconform_model::Sink;
use camino::Utf8PathBuf;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The user's wish to end.
pub type Interrupt = Shared<BoxFuture<'static, ()>>;

/// One run.
pub struct Setup {
    /// The cluster.
    pub connection: Connection,
    /// Set if it is a lab of ours.
    pub lab: bool,
    /// Parts that such a lab has beside Kubernetes: name and version.
    pub parts: BTreeMap<&'static str, &'static str>,
    /// Release of the checklist.
    pub release: String,
    /// The checks.
    pub checks: Vec<&'static Check>,
    /// Profile: how the platform wants to be tested.
    pub profile: Profile,
    /// Choices of the user.
    pub options: Options,
    /// The run folder.
    pub path: Utf8PathBuf,
    /// For people.
    pub talk: Arc<dyn Progress>,
    /// When the user wants it to end.
    pub interrupt: Interrupt,
}

/// A run that could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The folder that was named cannot hold a run: the user's to correct.
    #[error("{path}: {why}")]
    Folder {
        /// The folder.
        path: Utf8PathBuf,
        /// Why.
        why: WriteError,
    },
    /// The cluster could not be used; no folder is left.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The log could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The run that was written could not be read again.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The views could not be written.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The folder of a run that did not begin could not be removed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A watch of the run did not end with it.
    #[error("the run folder is still being written to; this is a fault of aiconform")]
    Busy,
}

/// Runs, closes the folder, judges what stands in it, and writes every view.
///
/// # Errors
/// When the folder cannot be written or the cluster does not answer.
pub async fn record(setup: Setup) -> Result<(End, Judged), RecordError> {
    let started = jiff::Timestamp::now();
    let path = setup.path;
    let folder = Folder::create(&path).map_err(|why| RecordError::Folder { path: path.clone(), why })?;
    let folder = Arc::new(folder);
    let adapters = setup.options.adapters.clone();
    let (seed, rounds, level) = (setup.options.seed, setup.options.rounds, setup.options.level);
    let (trials, size) = (setup.options.trials.clone(), setup.options.size);
    let mut profile = setup.profile;
    if setup.lab {
        profile.in_lab();
    }
    let request = Request {
        connection: setup.connection,
        sink: folder.clone() as Arc<dyn Sink>,
        checks: setup.checks.clone(),
        profile,
        options: setup.options,
        progress: setup.talk,
    };
    let end = run(request, setup.interrupt.boxed()).await;
    // The watches end with the run; then nobody else holds the folder.
    let folder = unique(folder).await?;
    let end = match end {
        Ok(end) => end,
        Err(error) => {
            // A run that never reached the cluster leaves no folder that looks like a run.
            drop(folder);
            fs_err::remove_dir_all(&path)?;
            return Err(error.into());
        }
    };
    folder.finish(&json!({
        "tool": {"name": "aiconform", "version": env!("CARGO_PKG_VERSION")},
        "release": setup.release,
        "checks": setup.checks.iter().map(|check| check.id).collect::<Vec<_>>(),
        "started": started, "ended": jiff::Timestamp::now(),
        "cluster": end.cluster, "id": end.id, "lab": setup.lab, "parts": setup.parts, "seed": seed, "rounds": rounds,
        "level": level, "trials": trials, "size": size, "peak_memory_kib": peak_memory(),
        "processor_milliseconds": processor_time(), "adapters": adapters, "interrupted": end.interrupted,
        "requests": end.requests, "left": end.left,
    }))?;
    let judged = judge(&path)?;
    write(&path, &judged)?;
    Ok((end, judged))
}

/// The folder again, once nobody else holds it.
async fn unique(mut folder: Arc<Folder>) -> Result<Folder, RecordError> {
    for _ in 0..200_u32 {
        match Arc::try_unwrap(folder) {
            Ok(folder) => return Ok(folder),
            Err(shared) => folder = shared,
        }
        aiconform_wait::pause(std::time::Duration::from_millis(20)).await;
    }
    Err(RecordError::Busy)
}

/// The most memory that this process has held at once, in KiB.
fn peak_memory() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse().ok()
}

/// The processor time that this process has taken so far, in user and kernel mode, in milliseconds.
fn processor_time() -> Option<u64> {
    let line = fs_err::read_to_string("/proc/self/stat").ok()?;
    // The second field, a name in parentheses, may hold blanks (proc_pid_stat(5)); ticks are a hundredth of a second.
    let mut fields = line.rsplit_once(") ")?.1.split(' ').skip(11);
    let (user, kernel) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some((user + kernel) * 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tapes;
    use aiconform_cluster::Target;
    use aiconform_model::Scope;

    struct Silent;

    impl Progress for Silent {
        fn tell(&self, _: &Scope, _: &str) {}
    }

    async fn attempt(folder: &camino::Utf8Path) -> RecordError {
        let kubeconfig = folder.join("config");
        let text = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], "users": [{"name": "u"}],
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}]}"#;
        fs_err::write(&kubeconfig, text).unwrap();
        let target = Target { kubeconfig: Some(kubeconfig), context: None };
        let setup = Setup {
            connection: Connection::open(&target).await.unwrap(),
            lab: false,
            parts: BTreeMap::new(),
            release: "1.37".into(),
            checks: Vec::new(),
            profile: Profile::default(),
            options: Options {
                adapters: Vec::new(),
                level: aiconform_checks::Level::Must,
                trials: Vec::new(),
                rounds: 1,
                size: 2,
                seed: 1,
            },
            path: folder.join("run"),
            talk: Arc::new(Silent),
            interrupt: futures::future::pending().boxed().shared(),
        };
        match record(setup).await {
            Ok(_) => panic!("there is no cluster"),
            Err(error) => error,
        }
    }

    #[tokio::test]
    async fn a_run_that_did_not_begin_leaves_no_folder_and_no_run_is_written_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = camino::Utf8Path::from_path(folder.path()).unwrap();
        assert!(matches!(attempt(path).await, RecordError::Cluster(_)));
        assert!(!path.join("run").exists());
        let run = tapes::stored(folder.path(), tapes::MET, "1.37", &[]);
        assert!(matches!(attempt(path).await, RecordError::Folder { why: WriteError::NotEmpty(_), .. }));
        assert!(judge(&run).is_ok(), "the run that was there is as it was");
    }
}
