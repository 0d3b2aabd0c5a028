//! A requirement: its words, and who answers it how.

use super::{Bar, Cell, Frame, anchors, bar, many, parts, shares_of, spoken};
use crate::site::data::{Asks, Product, Programme, Release, Requirement};
use crate::site::marks::Mark;
use askama::Template;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "site/requirement.html")]
pub struct OneRequirement<'a> {
    frame: Frame<'a>,
    requirement: &'a Requirement,
    category: String,
    /// Each wording, with the releases that have it.
    words: Vec<(&'a str, String)>,
    releases: Vec<(&'a Release, &'static str, Bar, usize)>,
    rows: Vec<Meets<'a>>,
    legend: Vec<Mark>,
}

/// Row of a product: how it meets a requirement, release by release.
struct Meets<'a> {
    name: &'a str,
    vendor: &'a str,
    cells: Vec<Vec<Cell>>,
}

pub fn page<'a>(programme: &'a Programme, requirement: &'a Requirement) -> OneRequirement<'a> {
    let anchors = anchors(programme);
    let having: Vec<(&Release, &Asks)> = programme
        .releases
        .iter()
        .filter_map(|release| Some((release, release.asks.iter().find(|asks| asks.id == requirement.id)?)))
        .collect();
    let mut words: Vec<(&str, Vec<&str>)> = Vec::new();
    for (release, asks) in having.iter().filter(|(_, asks)| !asks.sentence.is_empty()) {
        match words.iter_mut().find(|(sentence, _)| *sentence == asks.sentence) {
            Some((_, releases)) => releases.push(&release.name),
            None => words.push((&asks.sentence, vec![&release.name])),
        }
    }
    let mut groups: BTreeMap<String, Vec<&Product>> = BTreeMap::new();
    for (release, _) in &having {
        for product in &release.products {
            groups.entry(product.folder.to_lowercase()).or_default().push(product);
        }
    }
    let mut marks = Vec::new();
    let mut rows: Vec<Meets<'_>> = groups
        .values()
        .map(|products| {
            let cells = having.iter().map(|(release, _)| {
                let here = products.iter().filter(|product| product.release == release.name);
                let answered = here.filter_map(|product| {
                    let answer =
                        product.answers.iter().find(|answer| answer.requirement == requirement.id)?;
                    marks.push(answer.mark);
                    Some(Cell::of(product, answer, &anchors))
                });
                answered.collect()
            });
            let cells = cells.collect();
            let last = products.last();
            Meets {
                name: last.map(|product| product.name.as_str()).unwrap_or_default(),
                vendor: last.map(|product| product.vendor.as_str()).unwrap_or_default(),
                cells,
            }
        })
        .collect();
    rows.sort_by_cached_key(|row| (row.name.to_lowercase(), row.vendor.to_owned()));
    let releases = having.iter().filter_map(|(release, _)| {
        let (level, shares) = shares_of(release, &requirement.id)?;
        Some((*release, level, bar(shares), shares.all()))
    });
    OneRequirement {
        frame: Frame::new(programme, requirement.id.clone(), "../", false),
        requirement,
        category: spoken(&requirement.category),
        words: words.into_iter().map(|(sentence, releases)| (sentence, releases.join(", "))).collect(),
        releases: releases.collect(),
        rows,
        legend: Mark::ALL.iter().copied().filter(|mark| marks.contains(mark)).collect(),
    }
}
