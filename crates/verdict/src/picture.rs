//! A picture of what happened, for the report: lanes over time.

use serde::Serialize;

/// Lanes over time, with marks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Picture {
    /// Title.
    pub title: String,
    /// What is to be seen, in one sentence; also the text for those who do not see it.
    pub caption: String,
    /// Pictures of one series stand side by side.
    pub series: String,
    /// The lanes, from top to bottom.
    pub lanes: Vec<Lane>,
    /// Moments worth naming.
    pub marks: Vec<Mark>,
    /// Length in milliseconds.
    pub length: u64,
}

/// One lane: a pod.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Lanes of one group stand together.
    pub group: String,
    /// What it was when.
    pub spans: Vec<Span>,
}

/// A stretch of a lane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    /// Begin, in milliseconds.
    pub from: u64,
    /// End, in milliseconds.
    pub to: u64,
    /// `held` or `bound`.
    pub state: &'static str,
}

/// A moment worth naming.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// When, in milliseconds.
    pub at: u64,
    /// Its name.
    pub name: String,
}
