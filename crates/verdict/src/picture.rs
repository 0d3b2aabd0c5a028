//! A picture of what happened, for the report: lanes or curves over time, a grid of who tried what, or bars of shares.

use serde::{Serialize, Serializer};

/// A picture of a subject, with what is to be seen in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Picture {
    /// Title.
    pub title: String,
    /// Description of what is to be seen, in one sentence; also the text for those who do not see it.
    pub caption: String,
    /// Tone of its result, for the eye and for choosing one to show.
    pub tone: Tone,
    /// Pictures of one series stand side by side.
    pub series: String,
    /// Place in the series; pictures of the same place stand as they come.
    #[serde(skip)]
    pub place: u64,
    /// The gallery at the top of the report in which it hangs too; else it stands with its subject only.
    #[serde(skip)]
    pub gallery: Option<&'static Gallery>,
    /// Drawing.
    #[serde(flatten)]
    pub drawing: Drawing,
}

/// A form of drawing, with all that is drawn in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Drawing {
    /// Lanes over time.
    Lanes {
        /// The lanes, from top to bottom.
        lanes: Vec<Lane>,
        /// Moments worth naming.
        marks: Vec<Mark>,
        /// Length in milliseconds.
        length: u64,
    },
    /// Curves over time.
    Curves {
        /// The curves.
        curves: Vec<Curve>,
        /// Meaning of the picture's height.
        scale: Scale,
        /// Stretches of what went on behind the curves.
        shades: Vec<Span>,
        /// Moments worth naming: lines behind the curves, with their names to point at.
        marks: Vec<Mark>,
        /// Length in milliseconds.
        length: u64,
    },
    /// A grid.
    Grid(Grid),
    /// Bars of shares.
    Bars(Vec<Bar>),
}

/// Meaning of the height of a picture of curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A share, up to 100 %.
    Share,
    /// A count, up to this.
    Count(u64),
}

/// All forms in one: a drawing in `verdict.json`, which has the fields of every form.
#[derive(Default, Serialize)]
struct Flat<'a> {
    lanes: &'a [Lane],
    marks: &'a [Mark],
    #[serde(skip_serializing_if = "<[Curve]>::is_empty")]
    curves: &'a [Curve],
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "<[Span]>::is_empty")]
    shades: &'a [Span],
    #[serde(skip_serializing_if = "Option::is_none")]
    grid: Option<&'a Grid>,
    #[serde(skip_serializing_if = "<[Bar]>::is_empty")]
    bars: &'a [Bar],
    length: u64,
}

impl Serialize for Drawing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let flat = match self {
            Drawing::Lanes { lanes, marks, length } => {
                Flat { lanes, marks, length: *length, ..Flat::default() }
            }
            Drawing::Curves { curves, scale, shades, marks, length } => Flat {
                curves,
                count: match scale {
                    Scale::Share => None,
                    Scale::Count(top) => Some(*top),
                },
                shades,
                marks,
                length: *length,
                ..Flat::default()
            },
            Drawing::Grid(grid) => Flat { grid: Some(grid), ..Flat::default() },
            Drawing::Bars(bars) => Flat { bars, ..Flat::default() },
        };
        flat.serialize(serializer)
    }
}

/// A row of pictures of all subjects at the top of a requirement, with what its reader must know.
#[derive(Debug, PartialEq, Eq)]
pub struct Gallery {
    /// Heading.
    pub heading: &'static str,
    /// Description of what is to be seen, in one or more sentences.
    pub says: &'static str,
    /// Names of the report's colours, and what each stands for.
    pub legend: &'static [(&'static str, &'static str)],
    /// Where one picture hangs for its whole series, the one that says most, and the series is folded below: names of
    /// what the pictures came to. Else every picture hangs.
    pub words: Option<Words>,
}

/// Names of what pictures came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// Of [`Tone::Good`].
    pub good: &'static str,
    /// Of [`Tone::Bad`].
    pub bad: &'static str,
    /// Of [`Tone::Worst`].
    pub worst: &'static str,
    /// Of [`Tone::Open`].
    pub open: &'static str,
}

impl Words {
    /// The name of a tone.
    pub fn of(&self, tone: Tone) -> &'static str {
        match tone {
            Tone::Good => self.good,
            Tone::Bad => self.bad,
            Tone::Worst => self.worst,
            Tone::Open => self.open,
        }
    }
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
    /// Interval that it can come of, in percent.
    pub interval: (f64, f64),
    /// Share that it should be, in percent.
    pub expected: f64,
}

/// Table of tries: who tried what, and the result of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grid {
    /// Things that were tried, from left to right.
    pub columns: Vec<String>,
    /// Actors that tried it, from top to bottom.
    pub rows: Vec<Row>,
}

/// One who tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Result of each try.
    pub cells: Vec<Cell>,
}

/// Result of one try.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// In a word.
    pub word: String,
    /// Kind of the result.
    pub kind: CellKind,
}

/// Kind of a try's result.
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

/// Tone of a picture's result. Its names in `verdict.json` are older than what it is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Tone {
    /// As it must be.
    #[serde(rename = "whole")]
    Good,
    /// Not as it must be.
    #[serde(rename = "part")]
    Bad,
    /// As bad as it can be.
    #[serde(rename = "deadlock")]
    Worst,
    /// It could not be told.
    #[serde(rename = "open")]
    Open,
}

/// One lane: a pod.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Lanes of one group stand together.
    pub group: String,
    /// States over time.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn written(drawing: Drawing) -> String {
        let picture = Picture {
            title: "t".into(),
            caption: "c".into(),
            tone: Tone::Worst,
            series: "s".into(),
            place: 3,
            gallery: None,
            drawing,
        };
        serde_json::to_string(&picture).unwrap()
    }

    #[test]
    fn every_form_is_written_with_the_fields_of_all_forms_in_one_order() {
        let head = r#"{"title":"t","caption":"c","tone":"deadlock","series":"s","lanes":[]"#;
        assert_eq!(
            written(Drawing::Lanes {
                lanes: Vec::new(),
                marks: vec![Mark { at: 1, name: "m".into() }],
                length: 7
            }),
            format!(r#"{head},"marks":[{{"at":1,"name":"m"}}],"length":7}}"#)
        );
        assert_eq!(
            written(Drawing::Curves {
                curves: vec![Curve { name: "n".into(), points: vec![(1, 0.5)], main: true }],
                scale: Scale::Count(4),
                shades: vec![Span { from: 1, to: 2, state: "load" }],
                marks: Vec::new(),
                length: 7,
            }),
            format!(
                r#"{head},"marks":[],"curves":[{{"name":"n","points":[[1,0.5]],"main":true}}],"count":4,"shades":[{{"from":1,"to":2,"state":"load"}}],"length":7}}"#
            )
        );
        assert_eq!(
            written(Drawing::Grid(Grid { columns: Vec::new(), rows: Vec::new() })),
            format!(r#"{head},"marks":[],"grid":{{"columns":[],"rows":[]}},"length":0}}"#)
        );
        let bar =
            Bar { group: "g".into(), name: "n".into(), share: 1.0, interval: (0.0, 2.0), expected: 3.0 };
        assert_eq!(
            written(Drawing::Bars(vec![bar])),
            format!(
                r#"{head},"marks":[],"bars":[{{"group":"g","name":"n","share":1.0,"interval":[0.0,2.0],"expected":3.0}}],"length":0}}"#
            )
        );
    }
}
