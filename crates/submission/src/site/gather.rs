//! From a clone of the programme to what the site says.

use super::data::{Answer, AppliedRule, Asks, Counts, Item, Product, Programme, Release, Requirement, Said};
use super::marks::{ItemKind, Mark, Shares};
use super::names::Names;
use super::{MOST, SiteError};
use crate::artifact::{Outcome, bare, words_of};
use crate::case::{Case, is_release};
use crate::checklist::Checklist;
use crate::evidence::{Reference, is_link, is_page};
use crate::finding::plain;
use crate::links::Link;
use crate::product::{self, Field};
use crate::review::{NotFound, Reviewed, review, submissions};
use crate::rules::RULES;
use crate::yaml::Value;
use crate::{Given, Moment, RunFolders};
use aiconform_model::catalogue;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

/// Most findings of a submission that are shown, items of evidence of an answer, and letters of a text. What real
/// submissions have is far below.
const FINDINGS: usize = 200;
const EVIDENCE: usize = 30;
const NOTES: usize = 4_000;
const TEXT: usize = 500;
const NAME: usize = 100;

/// Longest address that becomes a link.
const ADDRESS: usize = 2_000;

/// Entries of `metadata` that are shown: the programme's key, and what it is. Addresses of persons are not.
const METADATA: &[(&str, &str)] = &[
    ("description", "Description"),
    ("vendorName", "Vendor"),
    ("platformVersion", "Version of the product"),
    ("kubernetesVersion", "Version of Kubernetes"),
    ("websiteUrl", "Website"),
    ("documentationUrl", "Documentation"),
    ("repoUrl", "Repository"),
    ("k8sConformanceUrl", "Kubernetes conformance"),
];

/// Reads a clone of the programme, and reviews its submissions by the rules that were in force when each release was open.
///
/// # Errors
/// When there is no clone, or nothing can be made of it.
pub fn gather(
    program: &Utf8Path,
    runs: Option<&(dyn RunFolders + Sync)>,
    made_by: &str,
) -> Result<Programme, SiteError> {
    let folders = folders(program)?;
    let given = Given { moment: Moment::AtMerge, runs, ..Given::default() };
    let reviewed = review(&folders, &given);
    let mut releases: Vec<Release> = Vec::new();
    for (folder, reviewed) in folders.iter().zip(reviewed.submissions) {
        let name = folder.parent().and_then(Utf8Path::file_name).unwrap_or_default();
        if releases.last().is_none_or(|release| release.name != name) {
            releases.push(open(program, name)?);
        }
        if let Some(release) = releases.last_mut() {
            let product = product(release, &Case::read(folder, &given), reviewed);
            release.musts.add_all(product.musts);
            release.products.push(product);
        }
    }
    name_pages(&mut releases);
    let requirements = requirements(&releases);
    // Without a list of members one is not applied.
    let applied = RULES.iter().filter(|rule| rule.id != "vendor_member");
    let rules = applied.map(|rule| AppliedRule {
        id: rule.id,
        level: rule.level,
        origin: rule.origin,
        since: rule.since,
        asks: rule.asks,
    });
    Ok(Programme {
        made_by: made_by.to_owned(),
        releases,
        requirements,
        rules: rules.collect(),
        // The names of members change, and what was one when it was merged need not be one today.
        not_checked: vec![
            "links: nothing goes to the network, so it is not known whether they answer, or what they say"
                .into(),
            "vendorName: whether the vendor is a member of the foundation".into(),
        ],
    })
}

/// The folders of the submissions, release by release, the oldest first.
fn folders(program: &Utf8Path) -> Result<Vec<Utf8PathBuf>, SiteError> {
    if !program.is_dir() {
        return Err(SiteError::Nothing(program.to_owned()));
    }
    let found = match submissions(program) {
        Ok(found) => found,
        Err(NotFound::Nothing(_)) => return Err(SiteError::Nothing(program.to_owned())),
        Err(_) => return Err(SiteError::NoProgramme(program.to_owned())),
    };
    let mut folders: Vec<Utf8PathBuf> =
        found.into_iter().filter(|folder| release_of(program, folder).is_some()).collect();
    if folders.is_empty() {
        return Err(SiteError::NoProgramme(program.to_owned()));
    }
    if folders.len() > MOST {
        return Err(SiteError::TooMany { folder: program.to_owned(), found: folders.len() });
    }
    folders.sort_by_cached_key(|folder| {
        let release = release_of(program, folder).unwrap_or_default().to_owned();
        (number(&release), release, folder.file_name().unwrap_or_default().to_owned())
    });
    Ok(folders)
}

/// The release in whose folder a submission lies, when that is one of the clone.
fn release_of<'a>(program: &Utf8Path, folder: &'a Utf8Path) -> Option<&'a str> {
    let mut parts = folder.strip_prefix(program).ok()?.components();
    let release = parts.next()?.as_str();
    parts.next()?;
    (parts.next().is_none() && is_release(release)).then_some(release)
}

/// `v1.9` before `v1.10`.
fn number(release: &str) -> (u64, u64) {
    let (major, minor) = release.trim_start_matches('v').split_once('.').unwrap_or_default();
    (major.parse().unwrap_or(u64::MAX), minor.parse().unwrap_or(u64::MAX))
}

/// A release without its submissions.
fn open(program: &Utf8Path, name: &str) -> Result<Release, SiteError> {
    let release = name.trim_start_matches('v').to_owned();
    let docs = program.join("docs");
    let docs = docs.is_dir().then_some(docs);
    let checklist = Checklist::of(&release, docs.as_deref())
        .map_err(|why| SiteError::Checklist { release: release.clone(), why })?;
    let template = docs.and_then(|docs| {
        let text = fs_err::read_to_string(docs.join(format!("AIConformance-{release}.yaml"))).ok()?;
        product::Product::read(&text).ok()
    });
    let mut asks: Vec<Asks> = Vec::new();
    for asked in checklist.map(|checklist| checklist.asked).unwrap_or_default() {
        let answer = template.as_ref().and_then(|template| template.answer_of(&asked.category, &asked.id));
        // From here on a name is what a page can show; one that cannot be shown as it is has no answers.
        let (id, category) = (shown(&asked.id, TEXT), shown(&asked.category, TEXT));
        // What a checklist has twice, or without a name, is one thing to its readers, or none.
        if id.is_empty() || asks.iter().any(|other| other.id == id) {
            continue;
        }
        let sentence = answer.map(|answer| shown(&answer.description.text, NOTES)).unwrap_or_default();
        asks.push(Asks { id, category, must: asked.must, sentence });
    }
    Ok(Release {
        name: name.to_owned(),
        page: String::new(),
        asks,
        products: Vec::new(),
        again: 0,
        musts: Shares::default(),
    })
}

fn product(release: &Release, case: &Case<'_>, reviewed: Reviewed) -> Product {
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for asks in &release.asks {
        let own = reviewed.findings.iter().filter(|finding| finding.requirement == asks.id);
        counts.insert(&asks.id, Counts::of(own));
    }
    let mut musts = Shares::default();
    let answers: Vec<Answer> = release
        .asks
        .iter()
        .map(|asks| {
            let answer = answer(case, asks, counts.get(asks.id.as_str()).copied().unwrap_or_default());
            if asks.must {
                musts.add(answer.mark);
            }
            answer
        })
        .collect();
    let text = |key: &str| text_of(case, key).map(|text| shown(&text, NAME));
    let name = text("platformName").filter(|name| !name.trim().is_empty());
    let metadata = METADATA.iter().filter_map(|(key, label)| {
        let text = text_of(case, key).filter(|text| !text.trim().is_empty())?;
        Some(Said { key, label, link: address(&text), text: shown(&text, TEXT) })
    });
    let all = Counts::of(reviewed.findings.iter());
    let mut findings = reviewed.findings;
    findings.truncate(FINDINGS);
    Product {
        release: release.name.clone(),
        folder: shown(&case.name, TEXT),
        page: String::new(),
        name: name.unwrap_or_else(|| shown(&case.name, NAME)),
        vendor: text("vendorName").unwrap_or_default(),
        version: text("platformVersion").unwrap_or_default(),
        metadata: metadata.collect(),
        unreadable: case.read.as_ref().err().map(|_| unread(case)).unwrap_or_default(),
        answers,
        musts,
        findings,
        counts: all,
    }
}

/// Why the product file cannot be read.
fn unread(case: &Case<'_>) -> String {
    use crate::case::Unreadable;
    match &case.read {
        Err(Unreadable::Yaml(error)) => shown(&error.to_string(), TEXT),
        Err(Unreadable::Bytes(_)) => "it is not UTF-8".into(),
        Err(Unreadable::TooLarge(size)) => format!("it has {size} bytes"),
        Err(Unreadable::File(_)) => "it is no ordinary file, or the system does not let it be read".into(),
        Ok(_) => String::new(),
    }
}

/// The text of a key of `metadata`; what is no text as it is written.
fn text_of(case: &Case<'_>, key: &str) -> Option<String> {
    let (_, node) = case.product()?.field_of(key)?;
    match &node.value {
        Value::Text(text) | Value::Other(text) => Some(text.clone()),
        _ => None,
    }
}

fn answer(case: &Case<'_>, asks: &Asks, counts: Counts) -> Answer {
    let said = case.product().and_then(|product| product.answer_of(&asks.category, &asks.id));
    let Some(said) = said else {
        let mark = if case.read.is_ok() { Mark::Absent } else { Mark::Unreadable };
        return Answer {
            requirement: asks.id.clone(),
            status: String::new(),
            mark,
            evidence: Vec::new(),
            more: 0,
            notes: String::new(),
            counts,
        };
    };
    let mut results = BTreeMap::new();
    let items: Vec<Item> = said.links().map(|link| item(case, asks, link, &mut results)).collect();
    let kinds: BTreeSet<Mark> = items.iter().map(|item| mark_of(item.kind)).collect();
    let mark = match said.status.text.as_str() {
        // The strongest kind of evidence that is there.
        "Implemented" => kinds.first().copied().unwrap_or(Mark::NoEvidence),
        "N/A" => Mark::NotApplicable,
        "Partially Implemented" => Mark::Partial,
        "Not Implemented" => Mark::NotImplemented,
        other if other.trim().is_empty() => Mark::Open,
        _ => Mark::OtherStatus,
    };
    Answer {
        requirement: asks.id.clone(),
        status: shown(&said.status.text, TEXT),
        mark,
        more: items.len().saturating_sub(EVIDENCE),
        evidence: items.into_iter().take(EVIDENCE).collect(),
        notes: shown(&said.notes.text, NOTES),
        counts,
    }
}

fn mark_of(kind: ItemKind) -> Mark {
    match kind {
        ItemKind::TestPassed => Mark::Tested,
        // A test that did not pass shows nothing; what else the file is, its reader sees.
        ItemKind::File
        | ItemKind::Repository
        | ItemKind::OtherTests
        | ItemKind::TestFailed
        | ItemKind::TestSkipped => Mark::Attested,
        ItemKind::Page => Mark::Documents,
        ItemKind::Missing => Mark::NoEvidence,
    }
}

fn item(
    case: &Case<'_>,
    asks: &Asks,
    link: &Field,
    results: &mut BTreeMap<(String, String), ItemKind>,
) -> Item {
    let text = &link.text;
    let kind = if is_link(text) {
        if is_page(text) { ItemKind::Page } else { ItemKind::Repository }
    } else {
        match Reference::of(text, case) {
            Some(Ok(Reference { file, fragment })) if case.files.there(&file) => *results
                .entry((file, fragment))
                .or_insert_with_key(|(file, fragment)| result(case, &asks.id, file, fragment)),
            _ => ItemKind::Missing,
        }
    };
    Item { text: shown(text, TEXT), link: address(text), kind }
}

/// Result that a file shows of a requirement.
fn result(case: &Case<'_>, requirement: &str, file: &str, fragment: &str) -> ItemKind {
    let Some(artifact) = case.artifact(file).filter(|artifact| artifact.unreadable.is_none()) else {
        return ItemKind::File;
    };
    let words = words_of(requirement);
    let about = |name: &str| {
        let bare = bare(name);
        words.iter().any(|word| !word.is_empty() && bare.contains(word))
    };
    let outcome = if fragment.is_empty() {
        let about: BTreeSet<&str> =
            artifact.tests.iter().map(|test| test.name.as_str()).filter(|name| about(name)).collect();
        let came_to = |outcome: Outcome| {
            let mut tests = artifact.tests.iter().filter(|test| about.contains(test.name.as_str()));
            tests.any(|test| test.outcome == outcome).then_some(outcome)
        };
        came_to(Outcome::Fail).or_else(|| came_to(Outcome::Pass)).or_else(|| came_to(Outcome::Skip))
    } else {
        about(fragment).then(|| artifact.outcome(fragment)).flatten()
    };
    match outcome {
        Some(Outcome::Pass) => ItemKind::TestPassed,
        Some(Outcome::Fail) => ItemKind::TestFailed,
        Some(Outcome::Skip) => ItemKind::TestSkipped,
        None => ItemKind::OtherTests,
    }
}

/// The address of a text that is one, and leads where it says.
fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let plain_letters = plain(text) == text && !text.contains(|letter: char| letter.is_whitespace());
    let leads = is_link(text) && Link::of(text).is_some() && !authority.contains('@');
    (leads && plain_letters && text.len() <= ADDRESS).then(|| text.to_owned())
}

/// A foreign text as a page shows it: without letters that turn or hide others, not longer than this. Its lines stay.
fn shown(text: &str, longest: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let cut: String = text.trim().chars().take(longest).collect();
    for line in cut.lines() {
        lines.push(plain(&line.replace('\t', " ")));
    }
    let mut shown = lines.join("\n");
    if cut.len() < text.trim().len() {
        shown.push_str(" … (cut here)");
    }
    shown
}

/// Gives every product its page, and counts who was there before.
fn name_pages(releases: &mut [Release]) {
    let mut before: BTreeSet<String> = BTreeSet::new();
    let mut folders = Names::default();
    for release in releases {
        let folder = folders.give(&release.name);
        release.page = format!("releases/{folder}.html");
        let mut names = Names::default();
        for product in &mut release.products {
            product.page = format!("products/{folder}/{}.html", names.give(&product.folder));
        }
        let here: BTreeSet<String> =
            release.products.iter().map(|product| product.folder.to_lowercase()).collect();
        release.again =
            release.products.iter().filter(|product| before.contains(&product.folder.to_lowercase())).count();
        before = here;
        release.products.sort_by_cached_key(|product| (product.name.to_lowercase(), product.folder.clone()));
    }
}

fn requirements(releases: &[Release]) -> Vec<Requirement> {
    let mut names = Names::default();
    let mut found: Vec<Requirement> = Vec::new();
    let mut add = |id: &str, category: &str| {
        if found.iter().any(|requirement| requirement.id == id) {
            return;
        }
        let known = catalogue::requirement(id);
        found.push(Requirement {
            id: id.to_owned(),
            category: category.to_owned(),
            page: format!("requirements/{}.html", names.give(id)),
            summary: known.map(|known| known.summary.clone()).unwrap_or_default(),
            kar: known.and_then(|known| known.kar.clone()).unwrap_or_default(),
        });
    };
    for release in releases.iter().rev() {
        for asks in &release.asks {
            add(&asks.id, &asks.category);
        }
    }
    // Those that only older releases have stand with their category.
    let mut categories: Vec<String> = Vec::new();
    for requirement in &found {
        if !categories.contains(&requirement.category) {
            categories.push(requirement.category.clone());
        }
    }
    found.sort_by_key(|requirement| categories.iter().position(|name| *name == requirement.category));
    found
}
