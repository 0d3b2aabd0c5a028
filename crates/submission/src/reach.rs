//! Whether links answer, as somebody else has asked: which ones there are, and what became of each.

use crate::Given;
use crate::case::Case;
use crate::evidence::is_link;
use crate::yaml::Place;
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, BTreeSet};

/// Most links of a submission that are asked; the one with the most has 75.
const MOST: usize = 500;

/// What became of asking for a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It answers.
    Fine,
    /// It answers, and says that it has moved for good: to where.
    Moved(String),
    /// It cannot be told: why, in words that follow on a colon.
    Unverified(String),
    /// There is nothing: why, in words that follow on a colon.
    Broken(String),
}

/// What became of each link, by its text.
pub type Answers = BTreeMap<String, Reached>;

/// All links of submissions into the network, each once: what stands in `metadata`, and evidence.
pub fn links(folders: &[Utf8PathBuf], given: &Given<'_>) -> BTreeSet<String> {
    let of = |folder: &Utf8PathBuf| {
        let case = Case::read(folder, given);
        let mut seen = BTreeSet::new();
        let places = places(&case).into_iter().map(|(link, ..)| link.to_owned());
        places.filter(|link| seen.insert(link.clone())).take(MOST).collect::<Vec<_>>()
    };
    folders.iter().flat_map(of).collect()
}

/// Each link of a submission, with its place and the requirement that it is evidence of.
pub(crate) fn places<'c>(case: &'c Case<'_>) -> Vec<(&'c str, Place, &'c str)> {
    let Some(product) = case.product() else { return Vec::new() };
    let metadata =
        product.metadata.iter().flatten().filter_map(|(_, value)| Some((value.text()?, value.place, "")));
    let evidence = product.answers().flat_map(|(_, answer)| {
        answer.links().map(|item| (item.text.as_str(), item.place, answer.id.text.as_str()))
    });
    let trimmed = metadata.chain(evidence).map(|(text, place, id)| (text.trim(), place, id));
    trimmed.filter(|(text, ..)| is_link(text)).collect()
}
