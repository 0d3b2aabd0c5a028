//! Answers of links, as somebody else has asked: which ones there are, and what became of each.

use crate::Given;
use crate::case::Case;
use crate::evidence::is_link;
use crate::finding::Level;
use crate::yaml::Place;
use camino::Utf8PathBuf;
use linkify::LinkFinder;
use std::collections::{BTreeMap, BTreeSet};

/// Most links of a submission that are asked; the one with the most has 75.
const MOST: usize = 500;

/// Result of asking for a link.
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

/// Result of asking for each link, by its text.
pub type Answers = BTreeMap<String, Reached>;

/// All links of submissions into the network, each once: what stands in `metadata`, evidence, and what notes name.
pub fn links(folders: &[Utf8PathBuf], given: &Given<'_>) -> BTreeSet<String> {
    let of = |folder: &Utf8PathBuf| {
        let case = Case::read(folder, given);
        let mut seen = BTreeSet::new();
        let places = places(&case).into_iter().map(|named| named.link.to_owned());
        places.filter(|link| seen.insert(link.clone())).take(MOST).collect::<Vec<_>>()
    };
    folders.iter().flat_map(of).collect()
}

/// A link where a submission names it.
pub(crate) struct Named<'c> {
    /// The link.
    pub link: &'c str,
    /// Where it stands.
    pub place: Place,
    /// The requirement, if it is named for one.
    pub requirement: &'c str,
    /// Weight of leading to nothing: a note is read by people, and evidence is what a claim stands on.
    pub broken: Level,
}

/// Each link of a submission.
pub(crate) fn places<'c>(case: &'c Case<'_>) -> Vec<Named<'c>> {
    let Some(product) = case.product() else { return Vec::new() };
    let of =
        |text: &'c str, place, requirement, broken| Named { link: text.trim(), place, requirement, broken };
    let metadata = product
        .metadata
        .iter()
        .flatten()
        .filter_map(|(_, value)| Some(of(value.text()?, value.place, "", Level::Error)));
    let evidence = product.answers().flat_map(|(_, answer)| {
        answer.links().map(|item| of(&item.text, item.place, answer.id.text.as_str(), Level::Error))
    });
    // Last: there is a most of links, and those of notes must not be in the way of evidence.
    let notes = product.answers().flat_map(|(_, answer)| {
        let links = LinkFinder::new().links(&answer.notes.text).map(|link| link.as_str());
        links.map(|link| of(link, answer.notes.place, answer.id.text.as_str(), Level::Warning))
    });
    metadata.chain(evidence).chain(notes).filter(|named| is_link(named.link)).collect()
}
