//! Reaping what is orphaned: the first process of a PID namespace inherits every process whose parent has ended.

use std::collections::BTreeSet;
use tokio::signal::unix::{SignalKind, signal};

/// Reaps orphans. Children of our own are left to whoever waits for them: only a process that was not there as
/// a child of ours when it was started, but came to us by the death of its parent, is reaped here.
pub async fn reap() {
    let Ok(mut changes) = signal(SignalKind::child()) else { return };
    let mut seen = BTreeSet::new();
    while changes.recv().await.is_some() {
        let zombies = zombies();
        for pid in &zombies {
            // Seen twice: whoever waits for a child of ours would have reaped it in between.
            if seen.contains(pid)
                && let Some(pid) = rustix::process::Pid::from_raw(*pid)
            {
                let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
            }
        }
        seen = zombies;
        tokio::task::yield_now().await;
    }
}

fn zombies() -> BTreeSet<i32> {
    let Ok(entries) = fs_err::read_dir("/proc") else { return BTreeSet::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The command's name may hold anything, so fields are counted from its closing bracket.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            (fields.next() == Some("Z") && fields.next() == Some("1")).then_some(pid)
        })
        .collect()
}
