//! Picture of who tried to open what, and what came of it, for the report.

use super::granted::{Granted, granted};
use super::history::{History, Sight, tries};
use crate::marks::{ASKING, ASKS, MAIN, MAKER, MAKES, PLAIN, SIBLINGS};
use aiconform_model::probe::{Access, Number, Opening};
use aiconform_verdict::{Cell, CellKind, ClaimJudgement, Drawing, Gallery, Grid, Picture, Row, Tone};

const GALLERY: Gallery = Gallery {
    heading: "Who opens what",
    says: "Every container tries every device that any pod was given: a row for each, with what the kernel said.",
    legend: &[
        ("own", "its own, opened (ENXIO: reached, and no driver behind it)"),
        ("kept", "not its own, and kept from it (ENOENT: no such node; EPERM: refused)"),
        ("leak", "not its own, and reached"),
        ("open", "not known"),
    ],
    words: None,
};

/// One picture of a subject in which somebody opened a device.
pub fn pictures(history: &History, _: &[ClaimJudgement]) -> Vec<Picture> {
    granted(history).ok().map(|granted| drawn(history, &granted)).into_iter().collect()
}

fn drawn(history: &History, granted: &Granted) -> Picture {
    let row = |name: String, pod: &str, container: &str, cell: &dyn Fn(&Sight, Number, &str) -> Cell| {
        let sight = history.saw(pod, container, tries).last();
        let cells = granted.nodes.iter().map(|(number, path)| match sight {
            Some(sight) => cell(sight, *number, path),
            None => Cell { word: "not tried".into(), kind: CellKind::Open },
        });
        Row { name, cells: cells.collect() }
    };
    let mut rows = Vec::new();
    for holder in &granted.holders {
        let own = |sight: &Sight, number: Number, path: &str| {
            let cell = opened(sight, number, path);
            let has = holder.given.contains_key(&number) && cell.kind == CellKind::Leak;
            let kind = if has && owners(granted, number) == 1 || granted.common.contains_key(&number) {
                CellKind::Own
            } else {
                cell.kind
            };
            Cell { kind, ..cell }
        };
        rows.push(row(holder.pod.clone(), &holder.pod, MAIN, &own));
        for container in SIBLINGS {
            rows.push(row(format!("{}, {container}", holder.pod), &holder.pod, container, &opened));
        }
    }
    for pod in history.of_role(PLAIN) {
        rows.push(row(pod.name.clone(), &pod.name, MAIN, &opened));
    }
    for pod in history.of_role(ASKS) {
        for container in ASKING {
            rows.push(row(format!("{}, {container}", pod.name), &pod.name, container, &opened));
        }
    }
    for pod in history.of_role(MAKES) {
        rows.push(row(pod.name.clone(), &pod.name, MAKER, &made));
    }
    let has =
        |kind: CellKind| rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.kind == kind).count();
    let (leaks, open, kept) = (has(CellKind::Leak), has(CellKind::Open), has(CellKind::Kept));
    let (tone, caption) = match (leaks, open) {
        (0, 0) => (Tone::Good, format!("all {kept} tries to reach what is not one's own were in vain")),
        (0, open) => (Tone::Open, format!("{kept} tries were in vain, of {open} nothing is known")),
        (leaks, _) => (Tone::Bad, format!("{leaks} tries reached what is not one's own, {kept} did not")),
    };
    let columns = granted.nodes.values().map(|path| path.trim_start_matches("/dev/").to_owned()).collect();
    Picture {
        title: "Who opens what".into(),
        caption,
        tone,
        series: "Who opens what".into(),
        place: 0,
        gallery: Some(&GALLERY),
        drawing: Drawing::Grid(Grid { columns, rows }),
    }
}

/// Number of holders that have a device.
fn owners(granted: &Granted, number: Number) -> usize {
    granted.holders.iter().filter(|holder| holder.given.contains_key(&number)).count()
}

/// Result of a container on a device that is not its own.
fn opened(sight: &Sight, number: Number, path: &str) -> Cell {
    if let Some(seen) = sight.look.devices.iter().find(|seen| seen.number == number) {
        return cell(&seen.opening);
    }
    // Under that path lies another device, or none.
    let tried = sight.look.paths.iter().find(|tried| tried.path == path);
    match tried {
        Some(_) if sight.look.devices.iter().any(|seen| seen.path == path) => {
            Cell { word: "another".into(), kind: CellKind::Kept }
        }
        Some(tried) => cell(&tried.opening),
        None => Cell { word: "not tried".into(), kind: CellKind::Open },
    }
}

/// Result of a node that a container made by itself.
fn made(sight: &Sight, number: Number, _: &str) -> Cell {
    match sight.look.numbers.iter().find(|tried| tried.number == number) {
        Some(tried) => cell(tried.opening.as_ref().unwrap_or(&tried.made)),
        None => Cell { word: "not tried".into(), kind: CellKind::Open },
    }
}

fn cell(opening: &Opening) -> Cell {
    let kind = match opening.access() {
        Access::Reached => CellKind::Leak,
        Access::Denied | Access::Absent => CellKind::Kept,
        Access::Hidden | Access::Unclear => CellKind::Open,
    };
    Cell { word: opening.word().into(), kind }
}
