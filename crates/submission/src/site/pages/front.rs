//! The front page: the programme at a glance, all products with a search, all requirements.

use super::{Bar, Frame, bar, many, parts, shares_of, spoken};
use crate::site::data::{Product, Programme, Release, Requirement};
use crate::site::marks::Shares;
use askama::Template;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "site/index.html")]
pub struct Front<'a> {
    frame: Frame<'a>,
    products: usize,
    submissions: usize,
    releases: Vec<Overview<'a>>,
    rows: Vec<Row<'a>>,
    requirements: Vec<OverReleases<'a>>,
    /// The kinds that a bar can have: name and words.
    shares: Vec<(&'static str, &'static str)>,
}

/// A release in the picture of the programme.
struct Overview<'a> {
    release: &'a Release,
    again: usize,
    new: usize,
    /// Widths of those that were there before and of those that are new, in per cent of the largest release.
    again_width: String,
    new_width: String,
    musts: usize,
    bar: Bar,
}

/// A product over all releases.
struct Row<'a> {
    name: &'a str,
    vendor: &'a str,
    text: String,
    has: String,
    cells: Vec<Vec<InRelease<'a>>>,
}

struct InRelease<'a> {
    product: &'a Product,
    bar: Bar,
    musts: usize,
}

/// A requirement over all releases.
struct OverReleases<'a> {
    requirement: &'a Requirement,
    category: String,
    first: bool,
    /// The level and the answers, where the release has it.
    cells: Vec<Option<(&'static str, Bar)>>,
}

pub fn page(programme: &Programme) -> Front<'_> {
    let largest = programme.releases.iter().map(|release| release.products.len()).max().unwrap_or(1).max(1);
    let width = |number: usize| format!("{:.3}", number as f64 * 100.0 / largest as f64);
    let mut groups: BTreeMap<String, Vec<&Product>> = BTreeMap::new();
    for product in programme.releases.iter().flat_map(|release| &release.products) {
        groups.entry(product.folder.to_lowercase()).or_default().push(product);
    }
    let mut rows: Vec<Row<'_>> = groups.values().map(|products| row(programme, products)).collect();
    rows.sort_by_cached_key(|row| (row.name.to_lowercase(), row.text.clone()));
    let mut last = "";
    let requirements = programme.requirements.iter().map(|requirement| {
        let first = requirement.category != last;
        last = &requirement.category;
        let cells = programme.releases.iter().map(|release| {
            let shares = shares_of(release, &requirement.id)?;
            Some((shares.0, bar(shares.1)))
        });
        OverReleases { requirement, category: spoken(&requirement.category), first, cells: cells.collect() }
    });
    Front {
        frame: Frame::new(programme, "Kubernetes AI conformance: the submissions", "", true),
        products: rows.len(),
        submissions: programme.releases.iter().map(|release| release.products.len()).sum(),
        releases: programme
            .releases
            .iter()
            .map(|release| Overview {
                release,
                again: release.again,
                new: release.products.len() - release.again,
                again_width: width(release.again),
                new_width: width(release.products.len() - release.again),
                musts: release.asks.iter().filter(|asks| asks.must).count(),
                bar: bar(release.musts),
            })
            .collect(),
        requirements: requirements.collect(),
        rows,
        shares: Shares::default().parts().into_iter().map(|(name, words, _)| (name, words)).collect(),
    }
}

fn row<'a>(programme: &'a Programme, products: &[&'a Product]) -> Row<'a> {
    let mut has: Vec<String> = Vec::new();
    let mut text: Vec<String> = Vec::new();
    for product in products {
        for part in [&product.name, &product.vendor, &product.folder] {
            let part = part.to_lowercase();
            if !text.contains(&part) {
                text.push(part);
            }
        }
        has.push(format!("{}/", product.release));
        for (kind, _, number) in product.musts.parts() {
            if number > 0 {
                has.push(format!("{}/{kind}", product.release));
                has.push(format!("/{kind}"));
            }
        }
    }
    let cells = programme.releases.iter().map(|release| {
        let here = products.iter().filter(|product| product.release == release.name);
        here.map(|product| InRelease { product, bar: bar(product.musts), musts: product.musts.all() })
            .collect()
    });
    let cells = cells.collect();
    // What it is called last.
    let last = products.last();
    Row {
        name: last.map(|product| product.name.as_str()).unwrap_or_default(),
        vendor: last.map(|product| product.vendor.as_str()).unwrap_or_default(),
        text: text.join(" "),
        has: has.join(" "),
        cells,
    }
}
