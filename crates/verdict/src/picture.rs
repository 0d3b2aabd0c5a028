//! A picture of what happened, for the report: lanes or curves over time, a grid of who tried what, or bars of shares.

use serde::Serialize;

/// Lanes over time, with marks; or curves over time, with shades behind them; or a grid; or bars.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Picture {
    /// Title.
    pub title: String,
    /// What is to be seen, in one sentence; also the text for those who do not see it.
    pub caption: String,
    /// What it came to, for the eye and for choosing one to show.
    pub tone: Tone,
    /// Pictures of one series stand side by side.
    pub series: String,
    /// The lanes, from top to bottom.
    pub lanes: Vec<Lane>,
    /// Moments worth naming; behind curves they are lines, with their names to point at.
    pub marks: Vec<Mark>,
    /// Curves; where there are any, they are drawn and lanes are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
    /// What the top of the curves stands for, where they are of a count; else they are of shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// What went on behind the curves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shades: Vec<Span>,
    /// A grid; where there is one, it is drawn and nothing else is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
    /// Bars; where there are any, they are drawn and lanes are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bars: Vec<Bar>,
    /// Length in milliseconds.
    pub length: u64,
}

/// A share that was counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// Bars of one group stand together.
    pub group: String,
    /// Whose share it is.
    pub name: String,
    /// The share, in percent.
    pub share: f64,
    /// What it can come of, in percent.
    pub interval: (f64, f64),
    /// What it should be, in percent.
    pub expected: f64,
}

/// Who tried what, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grid {
    /// What was tried, from left to right.
    pub columns: Vec<String>,
    /// Who tried it, from top to bottom.
    pub rows: Vec<Row>,
}

/// One who tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What came of each.
    pub cells: Vec<Cell>,
}

/// What came of one try.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// In a word.
    pub word: String,
    /// What that is.
    pub kind: CellKind,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// It is its own, and it has it.
    Own,
    /// It is not its own, and it was kept from it.
    Kept,
    /// It is not its own, and it has it.
    Leak,
    /// It could not be told, or was not tried.
    Open,
}

/// A value over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// Its name.
    pub name: String,
    /// Milliseconds, and the value then: 0 at the bottom of the picture, 1 at its top.
    pub points: Vec<(u64, f64)>,
    /// It is the one to look at.
    pub main: bool,
}

/// What a picture came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// All or nothing.
    Whole,
    /// A part holds slots.
    Part,
    /// Parts hold slots, and nobody can go on.
    Deadlock,
    /// It could not be told.
    Open,
}

impl Tone {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Tone::Whole => "all or nothing",
            Tone::Part => "in part",
            Tone::Deadlock => "deadlock",
            Tone::Open => "not decided",
        }
    }
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
    /// `held` or `bound` of a lane, `load` behind curves.
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
