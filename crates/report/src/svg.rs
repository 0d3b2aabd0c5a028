//! Timelines as inline SVG: a thin line is a pod that waits, a thick bar one that holds a slot. And curves, with what
//! went on behind them. And grids, and bars of shares.

use aiconform_verdict::{Bar, CellKind, Curve, Drawing, Grid, Lane, Mark, Picture, Scale, Span};
use std::fmt::Write;

const WIDTH: f64 = 260.0;
const LANE: f64 = 11.0;
const GAP: f64 = 7.0;
const LEFT: f64 = 14.0;
const TOP: f64 = 18.0;

/// The picture as an SVG element; classes carry the colours.
pub fn svg(picture: &Picture) -> String {
    let (bottom, body) = match &picture.drawing {
        Drawing::Grid(grid) => cells(grid),
        Drawing::Bars(bars) => all_bars(bars),
        Drawing::Lanes { lanes, marks, length } => all_lanes(lanes, marks, *length),
        Drawing::Curves { curves, scale, shades, marks, length } => {
            all_curves(curves, *scale, shades, marks, *length)
        }
    };
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}. {}\">{body}</svg>",
        bottom + 14.0,
        escape(&picture.title),
        escape(&picture.caption)
    )
}

/// Room for the names of the rows of a grid, and the most columns that have room beside it.
const NAMES: f64 = 92.0;
const COLUMNS: usize = 6;

/// A grid, as its bottom and its elements: a field for each try, with its word in it.
fn cells(grid: &Grid) -> (f64, String) {
    let shown = grid.columns.len().min(COLUMNS);
    let width = (WIDTH - NAMES) / shown.max(1) as f64;
    let mut body = String::new();
    for (number, column) in grid.columns.iter().take(shown).enumerate() {
        // More than there is room for are told in the last column.
        let more = grid.columns.len() - shown;
        let name = if more > 0 && number + 1 == shown { format!("{column} +{more}") } else { column.clone() };
        let x = NAMES + width * (number as f64 + 0.5);
        let _ = write!(
            body,
            "<text class=\"when\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            TOP - 6.0,
            escape(&name)
        );
    }
    let mut y = TOP;
    for row in &grid.rows {
        let middle = y + LANE * 0.5 + 3.0;
        let _ = write!(body, "<text class=\"when\" x=\"1\" y=\"{middle:.1}\">{}</text>", escape(&row.name));
        for (number, cell) in row.cells.iter().take(shown).enumerate() {
            let x = NAMES + width * number as f64;
            let class = match cell.kind {
                CellKind::Own => "own",
                CellKind::Kept => "kept",
                CellKind::Leak => "leak",
                CellKind::Open => "open",
            };
            let column = grid.columns.get(number).map(String::as_str).unwrap_or_default();
            let _ = write!(
                body,
                "<g class=\"cell {class}\"><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1.5\"/><text class=\"when\" x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"middle\">{}</text><title>{}: {}: {}</title></g>",
                width - 2.0,
                LANE - 1.5,
                x + width / 2.0 - 1.0,
                escape(&cell.word),
                escape(&row.name),
                escape(column),
                escape(&cell.word)
            );
        }
        y += LANE;
    }
    (y - 8.0, body)
}

/// Height of a picture of curves, and where its values begin: right of their scale.
const HEIGHT: f64 = 90.0;
const EDGE: f64 = 26.0;

fn all_curves(
    curves: &[Curve],
    height: Scale,
    shades: &[Span],
    marks: &[Mark],
    length: u64,
) -> (f64, String) {
    let scale = |at: u64| EDGE + at as f64 / length.max(1) as f64 * (WIDTH - EDGE - 4.0);
    let bottom = TOP + HEIGHT;
    let level = |value: f64| bottom - value.clamp(0.0, 1.05) * HEIGHT;
    let mut body = String::new();
    for shade in shades {
        let (from, to) = (scale(shade.from), scale(shade.to));
        let _ = write!(
            body,
            "<rect class=\"shade\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{HEIGHT}\"><title>{}</title></rect>",
            (to - from).max(1.0),
            shade.state
        );
    }
    for mark in marks {
        let x = scale(mark.at);
        let _ = write!(
            body,
            "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"><title>{}</title></line>",
            escape(&mark.name)
        );
    }
    for (value, name) in levels(height) {
        let y = level(value);
        let _ = write!(
            body,
            "<line class=\"mark\" x1=\"{EDGE}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"when\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            EDGE - 3.0,
            y + 2.5
        );
    }
    for curve in curves {
        let points: Vec<String> = curve
            .points
            .iter()
            .filter(|(_, value)| value.is_finite())
            .map(|(at, value)| format!("{:.1},{:.1}", scale(*at), level(*value)))
            .collect();
        let class = if curve.main { "curve main" } else { "curve" };
        let _ = write!(
            body,
            "<polyline class=\"{class}\" points=\"{}\"><title>{}</title></polyline>",
            points.join(" "),
            escape(&curve.name)
        );
    }
    let _ = write!(
        body,
        "<text class=\"when\" x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">{:.1} s</text>",
        bottom + 10.0,
        length as f64 / 1000.0
    );
    (bottom, body)
}

/// Where lines are drawn behind curves, and their names: of a count, whole numbers, at most five.
fn levels(scale: Scale) -> Vec<(f64, String)> {
    let top = match scale {
        Scale::Count(top) if top > 0 => top,
        Scale::Count(_) | Scale::Share => {
            return [(1.0, "100 %"), (0.5, "50 %"), (0.0, "0 %")]
                .map(|(value, name)| (value, name.into()))
                .to_vec();
        }
    };
    let step = usize::try_from(top.div_ceil(4)).unwrap_or(usize::MAX);
    (0..=top).step_by(step).map(|number| (number as f64 / top as f64, number.to_string())).collect()
}

/// Room for the names of bars, and for what they come to.
const LABELS: f64 = 44.0;
const SHARES: f64 = 34.0;

/// Shares as bars: what each can come of as a line with ends, what it should be as a mark across.
fn all_bars(bars: &[Bar]) -> (f64, String) {
    let scale = |share: f64| LABELS + share.clamp(0.0, 100.0) / 100.0 * (WIDTH - LABELS - SHARES);
    let (mut body, mut y, mut group) = (String::new(), TOP - LANE, "");
    for bar in bars {
        if bar.group != group {
            // Further from the bars above than from its own.
            y += if group.is_empty() { LANE } else { LANE + 4.0 };
            group = &bar.group;
            let _ =
                write!(body, "<text class=\"name\" x=\"1\" y=\"{:.1}\">{}</text>", y - 3.0, escape(group));
        }
        body.push_str(&one_bar(bar, y, scale));
        y += LANE + 1.0;
    }
    (y - 8.0, body)
}

fn one_bar(bar: &Bar, y: f64, scale: impl Fn(f64) -> f64) -> String {
    let (low, high) = bar.interval;
    let class = if (low..=high).contains(&bar.expected) { "share kept" } else { "share missed" };
    let (middle, bottom) = (y + LANE * 0.5, y + LANE - 1.5);
    let words = format!(
        "{}, {}: {:.1} % (between {low:.1} and {high:.1} %), expected {} %",
        bar.group, bar.name, bar.share, bar.expected
    );
    let ends = [low, high].map(|end| {
        format!(
            "<line class=\"reach\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{1:.1}\" y2=\"{2:.1}\"/>",
            scale(end),
            middle - 2.5,
            middle + 2.5
        )
    });
    format!(
        "<g class=\"{class}\"><title>{}</title><text class=\"when\" x=\"1\" y=\"{text:.1}\">{}</text>\
         <rect class=\"track\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{all:.1}\" height=\"{height:.1}\" rx=\"1.5\"/>\
         <rect class=\"fill\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"1.5\"/>\
         <line class=\"reach\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>{}{}\
         <line class=\"goal\" x1=\"{goal:.1}\" x2=\"{goal:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
         <text class=\"when\" x=\"{WIDTH}\" y=\"{text:.1}\" text-anchor=\"end\">{:.1} %</text></g>",
        escape(&words),
        escape(&bar.name),
        scale(low),
        scale(high),
        ends[0],
        ends[1],
        y - 1.0,
        bottom + 1.0,
        bar.share,
        text = middle + 2.5,
        left = scale(0.0),
        all = scale(100.0) - scale(0.0),
        width = scale(bar.share) - scale(0.0),
        height = LANE - 1.5,
        goal = scale(bar.expected),
    )
}

fn all_lanes(all: &[Lane], marks: &[Mark], length: u64) -> (f64, String) {
    let mut groups: Vec<&str> = all.iter().map(|lane| lane.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let scale = |at: u64| LEFT + at as f64 / length.max(1) as f64 * (WIDTH - LEFT - 4.0);
    let mut body = String::new();
    let mut y = TOP;
    for (number, group) in groups.iter().enumerate() {
        let mut lanes: Vec<&Lane> = all.iter().filter(|lane| lane.group == *group).collect();
        lanes.sort_by(|a, b| a.name.cmp(&b.name));
        let middle = y + lanes.len() as f64 * LANE / 2.0 + 3.5;
        let letter = group.rsplit('-').next().filter(|letter| letter.len() == 1).unwrap_or("g");
        let _ = write!(
            body,
            "<text class=\"name\" x=\"1\" y=\"{middle:.1}\">{}</text>",
            escape(&letter.to_uppercase())
        );
        for lane in lanes {
            for span in &lane.spans {
                let (from, to) = (scale(span.from), scale(span.to));
                let (class, height) = if span.state == "bound" {
                    (format!("bound g{}", number % 2), LANE - 3.0)
                } else {
                    ("held".into(), 2.0)
                };
                let top = y + (LANE - height) / 2.0;
                let _ = write!(
                    body,
                    "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"1.5\"><title>{} {}</title></rect>",
                    (to - from).max(1.0),
                    escape(&lane.name),
                    span.state
                );
            }
            y += LANE;
        }
        y += GAP;
    }
    let bottom = y - GAP + 4.0;
    for mark in marks {
        let x = scale(mark.at);
        let _ = write!(
            body,
            "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>",
            TOP - 4.0
        );
    }
    // Two marks that stand close would write over each other: the last is named, the title names all.
    if let Some(mark) = marks.last() {
        let x = scale(mark.at);
        let anchor = if x > WIDTH * 0.6 { "end" } else { "start" };
        let _ = write!(
            body,
            "<text class=\"when\" x=\"{x:.1}\" y=\"10\" text-anchor=\"{anchor}\">{}</text>",
            escape(&mark.name)
        );
    }
    let _ = write!(
        body,
        "<text class=\"when\" x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">{:.1} s</text>",
        bottom + 10.0,
        length as f64 / 1000.0
    );
    (bottom, body)
}

/// Text as it may stand in XML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_verdict::{Cell, Row, Tone};

    fn drawn(caption: &str, drawing: Drawing) -> String {
        svg(&Picture {
            title: "t".into(),
            caption: caption.into(),
            tone: Tone::Bad,
            series: "s".into(),
            place: 0,
            gallery: None,
            drawing,
        })
    }

    #[test]
    fn a_grid_has_a_field_for_each_try_and_tells_how_many_columns_there_are_beside() {
        let cell = |word: &str, kind| Cell { word: word.into(), kind };
        let cells = vec![cell("<ENXIO>", CellKind::Leak); 9];
        let columns = (0..9).map(|number| format!("accel{number}")).collect();
        let grid = Grid { columns, rows: vec![Row { name: "plain".into(), cells }] };
        let drawn = drawn("c", Drawing::Grid(grid));
        assert_eq!(drawn.matches("class=\"cell leak\"").count(), COLUMNS, "{drawn}");
        assert!(drawn.contains("accel5 +3") && !drawn.contains("accel6"), "{drawn}");
        assert!(drawn.contains("<title>plain: accel0: &lt;ENXIO&gt;</title>"), "{drawn}");
    }

    #[test]
    fn a_bar_has_its_share_its_interval_and_what_it_should_be() {
        let bar = |group: &str, share, interval, expected| Bar {
            group: group.into(),
            name: "<canary>".into(),
            share,
            interval,
            expected,
        };
        let bars = vec![bar("new", 50.0, (40.0, 60.0), 20.0), bar("new", 20.0, (12.0, 130.0), 20.0)];
        let drawn = drawn("c", Drawing::Bars(bars));
        assert_eq!(drawn.matches(">new</text>").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("class=\"share missed\"").count(), 1, "{drawn}");
        assert!(drawn.contains("&lt;canary&gt;: 50.0 % (between 40.0 and 60.0 %), expected 20 %"), "{drawn}");
        // What lies outside ends at the edge.
        assert!(drawn.contains("x2=\"226.0\"") && !drawn.contains("x2=\"28"), "{drawn}");
    }

    #[test]
    fn curves_lie_within_their_frame_whatever_their_values() {
        let points = vec![(0, 0.0), (500, f64::NAN), (1000, 42.0)];
        let curves = Drawing::Curves {
            curves: vec![Curve { name: "GPU-<a>".into(), points, main: true }],
            scale: Scale::Share,
            shades: vec![Span { from: 200, to: 800, state: "load" }],
            marks: Vec::new(),
            length: 1000,
        };
        let drawn = drawn("<c>", curves);
        assert!(drawn.contains("points=\"26.0,108.0 256.0,13.5\""), "{drawn}");
        assert!(drawn.contains("GPU-&lt;a&gt;") && drawn.contains("&lt;c&gt;") && !drawn.contains("NaN"));
        assert!(drawn.contains("class=\"shade\" x=\"72.0\""), "{drawn}");
        let names = |scale| levels(scale).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(Scale::Share), ["100 %", "50 %", "0 %"]);
        assert_eq!(names(Scale::Count(8)), ["0", "2", "4", "6", "8"]);
        assert_eq!(names(Scale::Count(6)), ["0", "2", "4", "6"]);
        assert_eq!(names(Scale::Count(0)).len(), 3);
    }
}
