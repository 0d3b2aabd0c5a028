//! A product in a release: what its submission states, names and says, and what was found in it.

use super::{Bar, Frame, anchor, bar, many, parts, spoken};
use crate::site::data::{Answer, Asks, Product, Programme, Release};
use crate::site::marks::Mark;
use crate::{Alike, Finding, Origin};
use askama::Template;

#[derive(Template)]
#[template(path = "site/product.html")]
pub struct OneProduct<'a> {
    frame: Frame<'a>,
    release: &'a Release,
    product: &'a Product,
    others: Vec<&'a Product>,
    bar: Bar,
    groups: Vec<(String, Vec<Answered<'a>>)>,
    whole: Vec<Told<'a>>,
    more: usize,
}

/// A finding with the other places where it stands.
struct Told<'a> {
    found: &'a Finding,
    /// The first of them, in words.
    few: String,
    /// All of them, each with the anchor of its requirement.
    others: Vec<(&'a str, &'a Finding)>,
}

/// Findings that differ in nothing but their place, once each.
fn told<'a>(
    programme: &'a Programme,
    release: &Release,
    alike: &[Alike<'a>],
    is_wanted: impl Fn(&Alike<'a>) -> bool,
) -> Vec<Told<'a>> {
    // What the release does not ask has no card on the page.
    let asked = |id: &str| release.asks.iter().any(|asks| asks.id == id);
    let of = |id: &str| programme.requirements.iter().find(|requirement| requirement.id == id && asked(id));
    let wanted = alike.iter().filter(|alike| is_wanted(alike));
    let told = wanted.map(|alike| Told {
        found: alike.first,
        few: alike.others_on_a_page(),
        others: alike
            .others
            .iter()
            .map(|other| (of(&other.requirement).map(anchor).unwrap_or_default(), *other))
            .collect(),
    });
    told.collect()
}

struct Answered<'a> {
    asks: &'a Asks,
    page: &'a str,
    anchor: &'a str,
    answer: &'a Answer,
    findings: Vec<Told<'a>>,
}

impl Answered<'_> {
    /// The status as it is written, when the words of the mark do not say it.
    fn written(&self) -> &str {
        if self.answer.mark == Mark::OtherStatus { &self.answer.status } else { "" }
    }
}

pub fn page<'a>(programme: &'a Programme, release: &'a Release, product: &'a Product) -> OneProduct<'a> {
    let mut groups: Vec<(String, Vec<Answered<'a>>)> = Vec::new();
    let alike = Alike::of(&product.findings);
    // What concerns several requirements is told of the whole.
    let of = |alike: &Alike<'_>, id: &str| {
        alike.first.requirement == id && alike.others.iter().all(|other| other.requirement == id)
    };
    let mut all = 0;
    for (asks, answer) in release.asks.iter().zip(&product.answers) {
        let requirement = programme.requirements.iter().find(|requirement| requirement.id == asks.id);
        let findings = told(programme, release, &alike, |alike| of(alike, &asks.id));
        all += findings.len();
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
    let whole =
        told(programme, release, &alike, |alike| !release.asks.iter().any(|asks| of(alike, &asks.id)));
    debug_assert_eq!(all + whole.len(), alike.len());
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
