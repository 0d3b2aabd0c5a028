//! Fences: objects of ours whose changes close windows. When a write of ours has come back on the watch of its kind,
//! everything of that kind that had happened before it has been seen.

use crate::cx::Stop;
use aiconform_cluster::Scratch;
use aiconform_model::{Bin, Kind};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Objects of one name, one of each kind whose watch a window is closed on.
pub struct Fence {
    scratch: Arc<Scratch>,
    name: String,
    kinds: Vec<Kind>,
    writes: AtomicU64,
}

impl Fence {
    /// A fence in a namespace, of which nothing is made yet.
    pub fn new(scratch: Arc<Scratch>) -> Fence {
        Fence { name: scratch.named("fence"), scratch, kinds: Vec::new(), writes: AtomicU64::new(0) }
    }

    /// Name of its objects.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes an object of it, which has its name and does nothing, such as a pod that is [`gated`].
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn make(&mut self, kind: &Kind, object: Value) -> Result<(), Stop> {
        self.scratch.create(kind, object).await?;
        self.kinds.push(kind.clone());
        Ok(())
    }

    /// Closes a window on all kinds of the fence.
    ///
    /// # Errors
    /// When the cluster refuses a write, or one has not come back within the limit.
    pub async fn close(&self, limit: Duration) -> Result<(), Stop> {
        self.close_on(&self.kinds, limit).await
    }

    /// Closes a window on some kinds of the fence.
    ///
    /// # Errors
    /// When the cluster refuses a write, or one has not come back within the limit.
    pub async fn close_on(&self, kinds: &[Kind], limit: Duration) -> Result<(), Stop> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let key = format!("aiconform.dev/fence-{number}");
        let patch = json!({"metadata": {"annotations": {&key: "up"}}});
        for kind in kinds {
            self.scratch.merge(kind, &self.name, &patch).await?;
        }
        let look = || {
            let is_behind = |kind: &&Kind| {
                self.scratch.get(kind, &self.name).is_none_or(|object| object.annotation(&key) != "up")
            };
            let behind: Vec<&str> = kinds.iter().filter(is_behind).map(|kind| kind.plural.as_str()).collect();
            if behind.is_empty() { Ok(()) } else { Err(format!("not yet on {}", behind.join(", "))) }
        };
        let condition = "writes of ours to come back on the watch";
        self.scratch.until(condition, Bin::Ours, limit, look).await?;
        Ok(())
    }
}

/// Holds a pod back for ever: it is watched, and nothing schedules it.
pub fn gated(mut pod: Value) -> Value {
    pod["spec"]["schedulingGates"] = json!([{"name": "aiconform.dev/fence"}]);
    pod
}
