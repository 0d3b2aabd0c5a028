//! The contract between what is done and what is judged: both halves know this, and nothing else of one another.

use aiconform_trial::Marks;
use serde::{Deserialize, Serialize};

/// Id of the requirement.
pub const ID: &str = "ID";

/// A mark of this check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// The thing is asked.
    Ask {},
    /// It has answered, or had its time.
    Asked {
        /// Whether it answered.
        answered: bool,
    },
}

impl Marks for Mark {}
