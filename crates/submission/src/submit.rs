//! From a judged run to a submission: the programme's template filled, artifacts beside it, nothing claimed that the
//! evidence does not support. Pure: files go in as text and come out as text.

use crate::artifact::Outcome;
use crate::checklist::Checklist;
use crate::evidence::is_link;
use crate::product::Product;
use crate::rules::placeholder::is_placeholder;
use crate::together::{Together, left_out, together};
use crate::{JudgedRun, RunVerdict};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::str::FromStr;
use upstream::Upstream;
use yaml_edit::{ScalarValue, YamlFile};

/// Answers of the vendor about the product: `product.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The product.
    pub metadata: Metadata,
    /// Attestations of what no test shows, by requirement.
    #[serde(default)]
    pub attest: BTreeMap<String, Attestation>,
}

/// The product, under the names of the programme in snake case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "they are the programme's keys, which say themselves what they are")]
pub struct Metadata {
    pub platform_name: String,
    pub platform_version: String,
    pub vendor_name: String,
    pub website_url: String,
    #[serde(default)]
    pub repo_url: Option<String>,
    pub documentation_url: String,
    pub product_logo_url: String,
    pub description: String,
    pub contact_email_address: String,
    pub k8s_conformance_url: String,
}

/// The vendor's word for a requirement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Words on how the requirement is met.
    pub text: String,
    /// Links that show it.
    pub evidence: Vec<String>,
    /// Of a product that is layered on another: which of both meets it.
    #[serde(default)]
    pub owner: Option<String>,
}

/// A submission cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A file of the user's, or of the programme's, is not what it must be.
    #[error("{0}")]
    Input(String),
    /// The run does not support a submission.
    #[error("the run does not support a submission:\n{}", .0.join("\n"))]
    Unsupported(Vec<String>),
}

impl Answers {
    /// Reads `product.toml`; `file` is for the error.
    ///
    /// # Errors
    /// When it is not of this form, or a value is empty or still a placeholder.
    pub fn read(text: &str, file: &str) -> Result<Answers, Refused> {
        let answers: Answers = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let place = crate::case::place_of(text, offset);
            Refused::Input(format!(
                "{file}, line {}, column {}: {}",
                place.line,
                place.column,
                error.message()
            ))
        })?;
        for (key, value) in answers.metadata.entries() {
            if value.trim().is_empty() || is_placeholder(value) {
                let says = format!(
                    "{file}: metadata.{} is {value:?}; put your own value there",
                    crate::product::snake_case(key)
                );
                return Err(Refused::Input(says));
            }
        }
        for (id, attestation) in &answers.attest {
            if aiconform_model::catalogue::requirement(id).is_none() {
                return Err(Refused::Input(format!(
                    "{file}: there is no requirement {id:?}; `aiconform list` shows all"
                )));
            }
            if attestation.text.trim().is_empty() || attestation.evidence.is_empty() {
                let says = format!("{file}: attest.{id} needs a text and at least one link as evidence");
                return Err(Refused::Input(says));
            }
            // Beside the product file lie the views of the run alone, which show nothing of what it did not test.
            if let Some(item) = attestation.evidence.iter().find(|item| !leads_somewhere(item)) {
                let says = format!(
                    "{file}: attest.{id} has {item:?} as evidence, which is no link; put one there (https://…), a file of the run does not show what the run did not test"
                );
                return Err(Refused::Input(says));
            }
        }
        Ok(answers)
    }
}

/// Tells whether an item of evidence is a link with a host.
fn leads_somewhere(item: &str) -> bool {
    let rest = item.split_once("://").map_or("", |(_, rest)| rest);
    is_link(item) && rest.starts_with(char::is_alphanumeric) && !item.contains(char::is_whitespace)
}

impl Metadata {
    fn entries(&self) -> Vec<(&'static str, &str)> {
        let mut entries = vec![
            ("platformName", self.platform_name.as_str()),
            ("platformVersion", &self.platform_version),
            ("vendorName", &self.vendor_name),
            ("websiteUrl", &self.website_url),
        ];
        entries.extend(self.repo_url.as_deref().map(|url| ("repoUrl", url)));
        entries.extend([
            ("documentationUrl", self.documentation_url.as_str()),
            ("productLogoUrl", &self.product_logo_url),
            ("description", &self.description),
            ("contactEmailAddress", &self.contact_email_address),
            ("k8sConformanceUrl", &self.k8s_conformance_url),
        ]);
        entries
    }
}

/// The views of a run that go into a submission.
const ARTIFACTS: &[&str] = &["junit.xml", "results.json", "e2e.log", SUMMARY];
/// The one of them for people.
const SUMMARY: &str = "summary.md";

/// Entry that is written of a requirement.
struct Entry {
    status: &'static str,
    evidence: Vec<String>,
    notes: String,
}

/// Makes the files of a submission: name and content.
///
/// # Errors
/// With every reason at once why the runs do not support one; with `demo`, what stands on simulated devices or was not
/// tried is no reason, and is marked.
pub fn submission(
    runs: &[JudgedRun],
    template: &str,
    answers: &Answers,
    demo: bool,
    upstream: &[Upstream],
) -> Result<Vec<(String, Vec<u8>)>, Refused> {
    let Some(run) = runs.first() else { return Err(Refused::Input("no run is given".into())) };
    let broken =
        |why: String| Refused::Input(format!("the template of {} cannot be filled: {why}", run.release));
    let product = Product::read(template).map_err(|error| broken(error.to_string()))?;
    let checklist = Checklist::of_template(&run.release, &product);
    let mut entries = BTreeMap::new();
    let mut reasons = Vec::new();
    reasons.extend(runs.iter().filter_map(other_version));
    for asked in &checklist.asked {
        let told = together(runs, &asked.id);
        let attestation = answers.attest.get(&asked.id);
        let verdict = told.as_ref().map(|told| told.deciding);
        let entry = shown_upstream(&asked.id, verdict, attestation.is_some(), upstream)
            .and_then(|shown| entry(asked.must, &asked.id, told.as_ref(), attestation, demo, &shown));
        match entry {
            Ok(entry) => {
                entries.extend(entry.map(|entry| (asked.id.clone(), entry)));
            }
            Err(why) => reasons.push(format!("- {}: {why}", asked.id)),
        }
    }
    if !reasons.is_empty() {
        return Err(Refused::Unsupported(reasons));
    }
    let filled = fill(template, answers, repo_of(&product), &entries).map_err(broken)?;
    let mut files = vec![("PRODUCT.yaml".to_owned(), filled.into_bytes())];
    for (place, run) in runs.iter().enumerate() {
        // Artifacts without a test in them would read as passed.
        let is_empty = left_out(run).len() == run.verdicts.len();
        let is_shown = |name: &str| ARTIFACTS.contains(&name) && (!is_empty || name == SUMMARY);
        for (name, content) in run.views.iter().filter(|(name, _)| is_shown(name)) {
            files.push((format!("{}{name}", folder(place)), content.clone()));
        }
    }
    files.extend(upstream.iter().map(|artifact| (artifact.name.clone(), artifact.bytes.clone())));
    files.push(("README.md".to_owned(), readme::readme(runs, answers, demo, upstream).into_bytes()));
    Ok(files)
}

/// Folder of a submission in which the views of a run lie, by its place among the runs; those of the first lie in the submission's
/// own. What lies in one folder is of one run.
pub fn folder(place: usize) -> String {
    if place == 0 { String::new() } else { format!("also-{place}/") }
}

/// Why the cluster of a run is none of its release; a demonstration is no way around it.
fn other_version(run: &JudgedRun) -> Option<String> {
    let Some(version) = run.facts.pointer("/cluster/version").and_then(|version| version.as_str()) else {
        return Some("- the cluster: the run does not say its version of Kubernetes; run it again".into());
    };
    (crate::case::minor(version).as_deref() != Some(run.release.as_str())).then(|| {
        format!(
            "- the cluster: it was of Kubernetes {version:?}, and the checklist is that of {release}; run on a cluster of {release}, or with the release of this one (`aiconform run --release`)",
            release = run.release
        )
    })
}

/// The programme's own tests that show a requirement, as evidence; a reason, when they say otherwise than the run.
fn shown_upstream(
    id: &str,
    verdict: Option<&RunVerdict>,
    attested: bool,
    upstream: &[Upstream],
) -> Result<Vec<String>, String> {
    let passed = verdict.is_some_and(|verdict| verdict.passed);
    let not_applicable = verdict.is_some_and(|verdict| verdict.not_applicable);
    let mut shown = Vec::new();
    for artifact in upstream {
        let test = artifact.reference(id);
        match artifact.outcome(id) {
            Some(Outcome::Pass) if not_applicable => {
                return Err(format!("the run says that it does not apply, and {test} passed"));
            }
            Some(Outcome::Skip) if passed || attested => {
                let says = if passed { "the run says passed" } else { "it is attested" };
                return Err(format!(
                    "{says}, and {test} was skipped; run the programme's tests with what this one needs, or leave their artifacts out"
                ));
            }
            Some(Outcome::Fail) => return Err(format!("{test} failed")),
            Some(Outcome::Pass) => shown.push(test),
            Some(Outcome::Skip) | None => {}
        }
    }
    Ok(shown)
}

fn entry(
    must: bool,
    id: &str,
    told: Option<&Together<'_>>,
    attestation: Option<&Attestation>,
    demo: bool,
    upstream: &[String],
) -> Result<Option<Entry>, String> {
    let shown_otherwise = attestation.is_some() || !upstream.is_empty();
    if let Some(told) = told.filter(|told| told.deciding.word != "not run") {
        let verdict = told.deciding;
        let why = verdict.why.trim_end_matches('.');
        let left = |status, notes: String| Ok(Some(Entry { status, evidence: Vec::new(), notes }));
        match verdict {
            RunVerdict { passed: true, simulated, .. } if demo || !simulated => {
                return Ok(Some(passed(told, attestation, upstream)));
            }
            RunVerdict { passed: true, .. } if must => {
                return Err("it passed on simulated devices, which prove nothing of a platform; run it on real ones, or make a demonstration with --demo".into());
            }
            RunVerdict { not_applicable: true, .. } => return left("N/A", verdict.why.clone()),
            // What a test has refuted cannot be attested.
            _ if must || (verdict.word == "failed" && shown_otherwise) => {
                return Err(format!(
                    "the run says {}: {}; mend the platform and run again, or leave it out of the run",
                    verdict.word, verdict.why
                ));
            }
            _ if verdict.word == "failed" => {
                return left("Not Implemented", format!("{} of aiconform failed: {why}.", verdict.test));
            }
            _ if shown_otherwise => {}
            RunVerdict { passed: true, .. } => {
                let words = "passed on simulated devices alone, which prove nothing of a platform";
                return left("", format!("{} of aiconform {words}.", verdict.test));
            }
            _ => return left("", format!("{} of aiconform could not tell: {why}.", verdict.test)),
        }
    }
    if !upstream.is_empty() {
        let mut notes = "Shown by the programme's own test, not by a test of this run.".to_owned();
        let mut evidence = upstream.to_vec();
        if let Some(attestation) = attestation {
            let _ = write!(notes, " {}", words(attestation));
            evidence.extend_from_slice(&attestation.evidence);
        }
        return Ok(Some(Entry { status: "Implemented", evidence, notes }));
    }
    match attestation {
        Some(attestation) => Ok(Some(Entry {
            status: "Implemented",
            evidence: attestation.evidence.clone(),
            notes: format!("Attested by the vendor, not shown by a test of this run. {}", words(attestation)),
        })),
        None if must && demo => Ok(Some(Entry {
            status: "Implemented",
            evidence: Vec::new(),
            notes: "Demonstration: nothing was tried.".into(),
        })),
        None if must => Err(format!(
            "it is a MUST and the run did not test it; select it with `aiconform run --only {id}`, or attest it in product.toml under [attest.{id}]"
        )),
        None => Ok(None),
    }
}

/// The entry of a requirement that runs have passed.
fn passed(told: &Together<'_>, attestation: Option<&Attestation>, upstream: &[String]) -> Entry {
    let verdict = told.deciding;
    let mut notes = format!("Shown by {} of aiconform: {}.", verdict.test, verdict.why.trim_end_matches('.'));
    if verdict.simulated {
        notes.insert_str(0, "Demonstration on simulated devices, no proof of a platform. ");
    }
    if let Some(attestation) = attestation {
        let _ = write!(notes, " {}", words(attestation));
    }
    if told.passed.len() > 1 {
        let _ = write!(notes, " {} runs have passed it.", told.passed.len());
    }
    if !told.replaced.is_empty() {
        notes.push_str(" Another run on the same cluster did not show it; it lies beside.");
    }
    if !upstream.is_empty() {
        notes.push_str(" The programme's own test passed too.");
    }
    let mut evidence: Vec<String> =
        told.passed.iter().map(|place| format!("{}junit.xml#{}", folder(*place), verdict.test)).collect();
    evidence.extend_from_slice(upstream);
    evidence.extend(attestation.iter().flat_map(|attestation| attestation.evidence.clone()));
    Entry { status: "Implemented", evidence, notes }
}

fn words(attestation: &Attestation) -> String {
    let owner = attestation.owner.as_deref().map(|owner| format!(" (Owner: {owner}.)")).unwrap_or_default();
    format!("{}{owner}", attestation.text.trim())
}

/// Tells whether the template has a key for the repository, which it keeps as a placeholder that the
/// validator refuses.
fn repo_of(product: &Product) -> bool {
    product.field_of("repoUrl").is_some()
}

/// Fills the template; comments, order and everything that is not answered stay as they are.
fn fill(
    template: &str,
    answers: &Answers,
    has_repo: bool,
    entries: &BTreeMap<String, Entry>,
) -> Result<String, String> {
    let file = YamlFile::from_str(template).map_err(|error| error.to_string())?;
    let document = file.document().ok_or("it is empty")?;
    let metadata = document.get_mapping("metadata").ok_or("it has no metadata")?;
    for (key, value) in answers.metadata.entries() {
        metadata.set(key, ScalarValue::double_quoted(value));
    }
    if has_repo && answers.metadata.repo_url.is_none() {
        metadata.set("repoUrl", ScalarValue::double_quoted(""));
    }
    let spec = document.get_mapping("spec").ok_or("it has no spec")?;
    for category in spec.values() {
        let requirements = category.as_sequence().ok_or("a category is no list")?.clone();
        for item in requirements.values() {
            let requirement = item.as_mapping().ok_or("a requirement is no map")?.clone();
            let id = requirement
                .get("id")
                .and_then(|id| id.as_scalar().map(|id| id.as_string()))
                .unwrap_or_default();
            let Some(entry) = entries.get(&id) else { continue };
            requirement.set("status", ScalarValue::double_quoted(entry.status));
            requirement.set("notes", ScalarValue::double_quoted(entry.notes.as_str()));
            let evidence = requirement.get_sequence("evidence").ok_or("evidence is no list")?;
            for link in &entry.evidence {
                evidence.push(ScalarValue::double_quoted(link.as_str()));
            }
        }
    }
    let filled = file.to_string();
    check(&filled, entries)?;
    Ok(filled)
}

/// Reads what was written with another library, and finds in it what was meant.
fn check(filled: &str, entries: &BTreeMap<String, Entry>) -> Result<(), String> {
    let product = Product::read(filled).map_err(|error| format!("what was written is no YAML: {error}"))?;
    for (id, entry) in entries {
        let same = product.answers().any(|(_, answer)| {
            let evidence: Vec<&str> = answer.evidence.iter().map(|link| link.text.as_str()).collect();
            answer.id.text == *id
                && answer.status.text == entry.status
                && answer.notes.text == entry.notes
                && evidence == entry.evidence
        });
        if !same {
            return Err(format!(
                "what was written for {id} is not what was meant; this is a fault of aiconform"
            ));
        }
    }
    Ok(())
}

pub mod derived;
mod readme;
#[cfg(test)]
mod tests;
pub mod upstream;
