//! The pages: each is a template over what the site says. Every foreign text is escaped by the engine; what is marked as
//! safe in the templates is our own style and script.

mod about;
mod front;
mod matrix;
mod product;
mod requirement;

use super::SiteError;
use super::data::{Answer, Counts, Product, Programme, Release, Requirement};
use super::marks::{Mark, Shares};
use askama::Template;
use base64::Engine;
use sha2::{Digest, Sha256};
use std::borrow::Borrow;
use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../../templates/site/style.css");
const SCRIPT: &str = include_str!("../../../templates/site/filter.js");

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
    give("index.html", render(&front::page(programme)))?;
    give("about.html", render(&about::page(programme)))?;
    for (number, release) in programme.releases.iter().enumerate() {
        give(&release.page, render(&matrix::page(programme, number)))?;
        for product in &release.products {
            give(&product.page, render(&product::page(programme, release, product)))?;
        }
    }
    for requirement in &programme.requirements {
        give(&requirement.page, render(&requirement::page(programme, requirement)))?;
    }
    give("site.json", serde_json::to_string_pretty(programme).map_err(SiteError::from))
}

fn render(page: &impl Template) -> Result<String, SiteError> {
    Ok(page.render()?)
}

/// Frame that all pages have.
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

const KINDS: &[Mark] = &[Mark::Tested, Mark::Attested, Mark::Documents, Mark::NoEvidence];

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
