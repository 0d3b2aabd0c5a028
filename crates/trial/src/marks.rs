//! Marks: the typed contract between what a check does and what its judge reads.
//!
//! A check has one enum of marks. Each stands in the log as a phase: its name in `snake_case`, and its fields as data.

use crate::moment::{Moment, Position};
use aiconform_model::EventKind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The marks of a check: an enum with `#[serde(tag = "phase", content = "data", rename_all = "snake_case",
/// deny_unknown_fields)]`, whose variants all have fields in braces, be it none, or hold one struct that denies unknown
/// fields.
pub trait Marks: Serialize + DeserializeOwned {}

/// A mark, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Marked<M> {
    /// Position of the mark.
    pub at: Position,
    /// When it was written down.
    pub when: Moment,
    /// Set if it is of the subject itself, and not of its whole check.
    pub own: bool,
    /// The mark.
    pub mark: M,
}

/// The first mark in which something is found, as where that stands.
pub fn first<M, T>(marks: &[Marked<M>], mut find: impl FnMut(&M) -> Option<T>) -> Option<Marked<T>> {
    marks.iter().find_map(|marked| {
        let Marked { at, when, own, .. } = *marked;
        find(&marked.mark).map(|mark| Marked { at, when, own, mark })
    })
}

/// The event that stands for a mark.
///
/// # Panics
/// When the enum is not made as [`Marks`] says; a test of each check writes all of its marks.
pub fn event<M: Marks>(mark: &M) -> EventKind {
    let mut written = serde_json::to_value(mark).unwrap_or_default();
    let phase = written["phase"].as_str().map(str::to_owned);
    #[allow(clippy::expect_used, reason = "the form of the enum, not of its data")]
    let phase = phase.expect("a mark has a phase");
    EventKind::Phase { phase, data: written["data"].take() }
}

/// The mark that a phase of the log stands for.
///
/// # Errors
/// Why it is none of these marks.
pub fn read<M: Marks>(phase: &str, data: &Value) -> Result<M, serde_json::Error> {
    M::deserialize(json!({"phase": phase, "data": data}))
}
