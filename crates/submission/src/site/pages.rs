//! The pages: each is a template over what the site says. Every foreign text is escaped by the engine; what is marked as
//! safe in the templates is our own style and script.

use super::SiteError;
use super::data::{
    Answer, AppliedRule, Asks, Counts, Mark, Product, Programme, Release, Requirement, Shares,
};
use crate::{Finding, Origin};
use askama::Template;
use base64::Engine;
use sha2::{Digest, Sha256};
use std::borrow::Borrow;
use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../templates/site/style.css");
const SCRIPT: &str = include_str!("../../templates/site/filter.js");

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its name from the folder of the site, with `/`.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// Every file of the site, one after the other, so that no more than one is held.
///
/// # Errors
/// When a page cannot be made, or `each` does not take it.
pub fn pages<E: From<SiteError>>(
    programme: &Programme,
    each: &mut dyn FnMut(Page) -> Result<(), E>,
) -> Result<(), E> {
    let mut give = |name: &str, content: Result<String, SiteError>| {
        each(Page { name: name.to_owned(), content: content?.into_bytes() })
    };
    give("index.html", render(&index(programme)))?;
    give("about.html", render(&about(programme)))?;
    for (number, release) in programme.releases.iter().enumerate() {
        give(&release.page, render(&matrix(programme, number)))?;
        for product in &release.products {
            give(&product.page, render(&one_product(programme, release, product)))?;
        }
    }
    for requirement in &programme.requirements {
        give(&requirement.page, render(&one_requirement(programme, requirement)))?;
    }
    give("site.json", serde_json::to_string_pretty(programme).map_err(SiteError::from))
}

fn render(page: &impl Template) -> Result<String, SiteError> {
    Ok(page.render()?)
}

/// What all pages have.
struct Frame<'a> {
    title: String,
    /// The way to the folder of the site.
    root: &'static str,
    policy: String,
    style: &'static str,
    script: &'static str,
    made_by: &'a str,
    releases: &'a [Release],
}

impl<'a> Frame<'a> {
    fn new(
        programme: &'a Programme,
        title: impl Into<String>,
        root: &'static str,
        script: bool,
    ) -> Frame<'a> {
        let script = if script { SCRIPT } else { "" };
        Frame {
            title: title.into(),
            root,
            policy: policy(script),
            style: STYLE,
            script,
            made_by: &programme.made_by,
            releases: &programme.releases,
        }
    }
}

/// Nothing is loaded and nothing runs but our own style and script, known by their digests.
fn policy(script: &str) -> String {
    let digest = |text: &str| {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        format!("'sha256-{digest}'")
    };
    let script = if script.is_empty() { "'none'".to_owned() } else { digest(script) };
    format!(
        "default-src 'none'; img-src data:; style-src {}; script-src {script}; base-uri 'none'; form-action 'none'",
        digest(STYLE)
    )
}

/// Parts of a whole, drawn one after the other.
struct Bar {
    segments: Vec<Segment>,
    /// In words.
    words: String,
}

struct Segment {
    class: &'static str,
    words: &'static str,
    number: usize,
    /// Whole per cent.
    share: usize,
    /// Where it begins and how wide it is, in per cent of the bar.
    start: String,
    width: String,
}

fn bar(shares: Shares) -> Bar {
    let all = shares.all().max(1) as f64;
    let mut before = 0;
    let mut segments = Vec::new();
    for (class, words, number) in shares.parts() {
        if number > 0 {
            segments.push(Segment {
                class,
                words,
                number,
                share: (number as f64 * 100.0 / all).round() as usize,
                start: format!("{:.3}", before as f64 * 100.0 / all),
                width: format!("{:.3}", number as f64 * 100.0 / all),
            });
        }
        before += number;
    }
    Bar { segments, words: shares.words() }
}

/// A cell that stands for an answer.
struct Cell {
    mark: Mark,
    /// The address, from the folder of the site.
    link: String,
    counts: Counts,
    /// Everything that it says, in words.
    words: String,
}

impl Cell {
    fn of(product: &Product, answer: &Answer, anchors: &BTreeMap<&str, &str>) -> Cell {
        let anchor = anchors.get(answer.requirement.as_str()).copied().unwrap_or_default();
        let mut words = answer.mark.words().to_owned();
        if answer.counts.all() > 0 {
            words.push_str("; ");
            words.push_str(&answer.counts.words());
        }
        Cell { mark: answer.mark, link: format!("{}#{anchor}", product.page), counts: answer.counts, words }
    }
}

/// Where the answer to a requirement stands on the page of a product: its own name on every page.
fn anchor(requirement: &Requirement) -> &str {
    let name = requirement.page.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(".html").unwrap_or(name)
}

fn anchors(programme: &Programme) -> BTreeMap<&str, &str> {
    programme.requirements.iter().map(|found| (found.id.as_str(), anchor(found))).collect()
}

/// `schedulingOrchestration` as `Scheduling orchestration`.
fn spoken(category: &str) -> String {
    let mut spoken = String::new();
    for (number, letter) in category.chars().enumerate() {
        if number == 0 {
            spoken.extend(letter.to_uppercase());
        } else if letter.is_uppercase() {
            spoken.push(' ');
            spoken.extend(letter.to_lowercase());
        } else {
            spoken.push(letter);
        }
    }
    spoken
}

/// The templates hand in numbers and references to them.
fn many(number: impl Borrow<usize>, one: &str) -> String {
    let number = *number.borrow();
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// The parts of an id, between which a line may be broken.
fn parts(id: &str) -> Vec<&str> {
    id.split_inclusive('_').collect()
}

// The front page.

#[derive(Template)]
#[template(path = "site/index.html")]
struct Index<'a> {
    frame: Frame<'a>,
    products: usize,
    submissions: usize,
    releases: Vec<Overview<'a>>,
    rows: Vec<Row<'a>>,
    requirements: Vec<OverReleases<'a>>,
    kinds: &'static [Mark],
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

const KINDS: &[Mark] = &[Mark::Tested, Mark::Attested, Mark::Documents, Mark::NoEvidence];

fn index(programme: &Programme) -> Index<'_> {
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
    Index {
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
        kinds: KINDS,
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

/// The level of a requirement in a release, and the answers to it.
fn shares_of(release: &Release, id: &str) -> Option<(&'static str, Shares)> {
    let asks = release.asks.iter().find(|asks| asks.id == id)?;
    let mut shares = Shares::default();
    for product in &release.products {
        for answer in product.answers.iter().filter(|answer| answer.requirement == id) {
            shares.add(answer.mark);
        }
    }
    Some((asks.level(), shares))
}

// A release.

#[derive(Template)]
#[template(path = "site/release.html")]
struct Matrix<'a> {
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

fn matrix(programme: &Programme, number: usize) -> Matrix<'_> {
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

// A product in a release.

#[derive(Template)]
#[template(path = "site/product.html")]
struct OneProduct<'a> {
    frame: Frame<'a>,
    release: &'a Release,
    product: &'a Product,
    others: Vec<&'a Product>,
    bar: Bar,
    groups: Vec<(String, Vec<Answered<'a>>)>,
    whole: Vec<&'a Finding>,
    more: usize,
}

struct Answered<'a> {
    asks: &'a Asks,
    page: &'a str,
    anchor: &'a str,
    answer: &'a Answer,
    findings: Vec<&'a Finding>,
}

impl Answered<'_> {
    /// The status as it is written, when the words of the mark do not say it.
    fn written(&self) -> &str {
        if self.answer.mark == Mark::OtherStatus { &self.answer.status } else { "" }
    }
}

fn one_product<'a>(programme: &'a Programme, release: &'a Release, product: &'a Product) -> OneProduct<'a> {
    let mut groups: Vec<(String, Vec<Answered<'a>>)> = Vec::new();
    let mut told = 0;
    for (asks, answer) in release.asks.iter().zip(&product.answers) {
        let requirement = programme.requirements.iter().find(|requirement| requirement.id == asks.id);
        let findings: Vec<&Finding> =
            product.findings.iter().filter(|finding| finding.requirement == asks.id).collect();
        told += findings.len();
        let answered = Answered {
            asks,
            page: requirement.map(|requirement| requirement.page.as_str()).unwrap_or_default(),
            anchor: requirement.map(anchor).unwrap_or_default(),
            answer,
            findings,
        };
        let name = spoken(&asks.category);
        match groups.iter_mut().find(|(group, _)| *group == name) {
            Some((_, all)) => all.push(answered),
            None => groups.push((name, vec![answered])),
        }
    }
    let known = |finding: &&Finding| release.asks.iter().any(|asks| asks.id == finding.requirement);
    let whole: Vec<&Finding> = product.findings.iter().filter(|finding| !known(finding)).collect();
    debug_assert_eq!(told + whole.len(), product.findings.len());
    let folder = product.folder.to_lowercase();
    let same = programme.releases.iter().flat_map(|release| &release.products);
    OneProduct {
        frame: Frame::new(programme, format!("{} in {}", product.name, release.name), "../../", false),
        release,
        product,
        others: same
            .filter(|other| other.folder.to_lowercase() == folder && other.page != product.page)
            .collect(),
        bar: bar(product.musts),
        groups,
        whole,
        more: product.counts.all() - product.findings.len(),
    }
}

// A requirement.

#[derive(Template)]
#[template(path = "site/requirement.html")]
struct OneRequirement<'a> {
    frame: Frame<'a>,
    requirement: &'a Requirement,
    category: String,
    /// Each wording, with the releases that have it.
    words: Vec<(&'a str, String)>,
    releases: Vec<(&'a Release, &'static str, Bar, usize)>,
    rows: Vec<Meets<'a>>,
    legend: Vec<Mark>,
}

/// How a product meets a requirement, release by release.
struct Meets<'a> {
    name: &'a str,
    vendor: &'a str,
    cells: Vec<Vec<Cell>>,
}

fn one_requirement<'a>(programme: &'a Programme, requirement: &'a Requirement) -> OneRequirement<'a> {
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

// How it was made.

#[derive(Template)]
#[template(path = "site/about.html")]
struct About<'a> {
    frame: Frame<'a>,
    marks: &'static [Mark],
    kinds: &'static [Mark],
    rules: &'a [AppliedRule],
    not_checked: &'a [String],
}

fn about(programme: &Programme) -> About<'_> {
    About {
        frame: Frame::new(programme, "How this site is made", "", false),
        kinds: KINDS,
        marks: &Mark::ALL[KINDS.len()..],
        rules: &programme.rules,
        not_checked: &programme.not_checked,
    }
}
