//! Steps that the lab tells while it works; it prints nothing itself.

use serde::{Deserialize, Serialize};

/// One step of the lab's work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Something else must come to its end first.
    Waiting {
        /// Thing that is waited for, in words.
        what: String,
    },
    /// A component is being built: its number of how many, and packages compiled so far.
    Building {
        /// Name of the component.
        component: String,
        /// Number of the component, from 1.
        number: usize,
        /// Number of components that are to be built.
        of: usize,
        /// Go packages compiled so far.
        packages: usize,
    },
    /// A component is built.
    Built {
        /// Name of the component.
        component: String,
        /// Seconds it took.
        seconds: u64,
    },
    /// Something of the lab has come up.
    Up {
        /// Name of it.
        what: String,
        /// Milliseconds since the start of the lab.
        milliseconds: u64,
    },
    /// Everything asked for is up.
    Ready,
    /// The lab will not come up.
    Failed {
        /// Why, with the last log lines.
        why: String,
    },
}

/// Takes the steps of the lab's work.
pub trait Progress: Send + Sync {
    /// A step was done, or went on.
    fn step(&self, step: &Step);
}
