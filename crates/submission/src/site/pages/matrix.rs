//! A release: requirements by products.

use super::{Bar, Cell, Frame, anchors, bar, many, parts, spoken};
use crate::site::data::{Asks, Programme, Release};
use crate::site::marks::Mark;
use askama::Template;

#[derive(Template)]
#[template(path = "site/release.html")]
pub struct Matrix<'a> {
    frame: Frame<'a>,
    release: &'a Release,
    before: &'a str,
    bar: Bar,
    musts: usize,
    groups: Vec<Group<'a>>,
    legend: Vec<Mark>,
}

/// The requirements of a category.
struct Group<'a> {
    name: String,
    lines: Vec<Line<'a>>,
}

struct Line<'a> {
    asks: &'a Asks,
    page: &'a str,
    cells: Vec<Cell>,
}

pub fn page(programme: &Programme, number: usize) -> Matrix<'_> {
    let release = &programme.releases[number];
    let anchors = anchors(programme);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (place, asks) in release.asks.iter().enumerate() {
        let cells = release.products.iter().filter_map(|product| {
            let answer = product.answers.get(place)?;
            Some(Cell::of(product, answer, &anchors))
        });
        let page = programme.requirements.iter().find(|requirement| requirement.id == asks.id);
        let line = Line {
            asks,
            page: page.map(|requirement| requirement.page.as_str()).unwrap_or_default(),
            cells: cells.collect(),
        };
        let name = spoken(&asks.category);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.lines.push(line),
            None => groups.push(Group { name, lines: vec![line] }),
        }
    }
    let marks = || release.products.iter().flat_map(|product| &product.answers).map(|answer| answer.mark);
    Matrix {
        frame: Frame::new(
            programme,
            format!("{}: {}", release.name, many(release.products.len(), "product")),
            "../",
            false,
        ),
        release,
        before: number
            .checked_sub(1)
            .map(|before| programme.releases[before].name.as_str())
            .unwrap_or_default(),
        bar: bar(release.musts),
        musts: release.asks.iter().filter(|asks| asks.must).count(),
        groups,
        legend: Mark::ALL.iter().copied().filter(|mark| marks().any(|found| found == *mark)).collect(),
    }
}
