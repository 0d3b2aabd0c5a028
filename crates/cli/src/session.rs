//! One run into a folder, judged: what `run` and `lab faults` share.

use crate::exit::UsageError;
use crate::talk::Talk;
use crate::verdicts::{self, Judged};
use aiconform_checks::{Check, Options, Profile};
use aiconform_cluster::Connection;
use aiconform_engine::{End, Request};
use aiconform_evidence::Folder;
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
    /// Whether it is a lab of ours.
    pub lab: bool,
    /// What that lab has beside Kubernetes: name and version.
    pub parts: BTreeMap<&'static str, &'static str>,
    /// Release of the checklist.
    pub release: String,
    /// The checks.
    pub checks: Vec<&'static Check>,
    /// How the platform wants to be tested.
    pub profile: Profile,
    /// What the user chose.
    pub options: Options,
    /// The run folder.
    pub path: Utf8PathBuf,
    /// For people.
    pub talk: Arc<Talk>,
    /// When the user wants it to end.
    pub interrupt: Interrupt,
}

/// Runs, closes the folder, judges what stands in it, and writes every view.
///
/// # Errors
/// When the folder cannot be written or the cluster does not answer.
pub async fn run(setup: Setup) -> anyhow::Result<(End, Judged)> {
    let started = jiff::Timestamp::now();
    let path = setup.path;
    let folder = Arc::new(Folder::create(&path).map_err(|error| UsageError(format!("{path}: {error}")))?);
    let adapters = setup.options.adapters.clone();
    let (seed, rounds, level) = (setup.options.seed, setup.options.rounds, setup.options.level);
    let (trials, size) = (setup.options.trials.clone(), setup.options.size);
    let mut profile = setup.profile;
    if setup.lab {
        profile.cluster_autoscaling.in_lab();
    }
    let request = Request {
        connection: setup.connection,
        sink: folder.clone() as Arc<dyn Sink>,
        checks: setup.checks.clone(),
        profile,
        options: setup.options,
        progress: setup.talk.clone(),
    };
    let end = aiconform_engine::run(request, setup.interrupt.boxed()).await;
    setup.talk.clear();
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
    let stored = verdicts::open(&path)?;
    let judged = verdicts::of(&stored);
    verdicts::write(&path, &judged)?;
    Ok((end, judged))
}

/// The folder again, once nobody else holds it.
async fn unique(mut folder: Arc<Folder>) -> anyhow::Result<Folder> {
    for _ in 0..200_u32 {
        match Arc::try_unwrap(folder) {
            Ok(folder) => return Ok(folder),
            Err(shared) => folder = shared,
        }
        aiconform_wait::pause(std::time::Duration::from_millis(20)).await;
    }
    anyhow::bail!("the run folder is still being written to; this is a fault of aiconform")
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
