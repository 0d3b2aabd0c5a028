//! A product in a release: what its submission states, names and says, and what was found in it.

use super::{Bar, Frame, anchor, bar, many, parts, spoken};
use crate::site::data::{Answer, Asks, Product, Programme, Release};
use crate::site::marks::Mark;
use crate::{Finding, Origin};
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

pub fn page<'a>(programme: &'a Programme, release: &'a Release, product: &'a Product) -> OneProduct<'a> {
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
