//! Evidence belongs to the vendor, or to a project that others know.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, PRODUCT};
use crate::finding::{Level, Origin, quoted};
use crate::links::{Link, edited};
use crate::product::Product;
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "personal_repository",
    level: Level::Warning,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "evidence lies in a repository of the vendor or of a known project",
    look: Look::Each(check),
};

/// Owners of repositories of projects on which platforms are built.
const PROJECTS: &[&str] = &[
    "ai-dynamo",
    "argoproj",
    "cert-manager",
    "cilium",
    "cncf",
    "containerd",
    "envoyproxy",
    "google",
    "grafana",
    "helm",
    "istio",
    "kai-scheduler",
    "karmada-io",
    "kedacore",
    "kgateway-dev",
    "kserve",
    "kubeflow",
    "kubernetes",
    "kubernetes-sigs",
    "llm-d",
    "nvidia",
    "open-telemetry",
    "opencontainers",
    "prometheus",
    "prometheus-community",
    "prometheus-operator",
    "project-hami",
    "ray-project",
    "rocm",
    "volcano-sh",
    "vllm-project",
];

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(product) = case.product() else { return };
    let names = names(product);
    let mut told = BTreeSet::new();
    for (asked, answer) in case.answered() {
        for item in answer.links() {
            let Some(link) = Link::of(&item.text) else { continue };
            let Some(owner) = link.owner() else { continue };
            let lower = owner.to_ascii_lowercase();
            let known = PROJECTS.contains(&lower.as_str())
                || names.iter().any(|name| lower.contains(name.as_str()) || name.contains(&lower));
            let branch = link.revision().filter(|branch| edited(branch));
            if (known && branch.is_none()) || !told.insert(owner) {
                continue;
            }
            let level = if branch.is_some() { Level::Warning } else { RULE.level };
            let says = match branch {
                Some(branch) => format!(
                    "the link leads to the branch {} of {}, which somebody made to edit a file; bring it into the vendor's repository",
                    quoted(branch),
                    quoted(owner)
                ),
                None => format!(
                    "the repository of {} is neither the vendor's by its name nor that of a known project; if it is a person's, move the evidence",
                    quoted(owner)
                ),
            };
            found.weighs(level, PRODUCT, item.place, &asked.id, says);
        }
    }
}

/// Words by which the vendor's own repositories can be known.
fn names(product: &Product) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for key in ["vendorName", "platformName"] {
        let text = product.text_of(key).map_or("", |(text, _)| text);
        let words: Vec<String> = text
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        names.insert(words.iter().filter_map(|word| word.chars().next()).collect());
        names.extend(words);
    }
    for key in ["websiteUrl", "documentationUrl", "repoUrl", "contactEmailAddress"] {
        let text = product.text_of(key).map_or("", |(text, _)| text);
        if let Some(link) = Link::of(text) {
            names.extend(link.owner().map(str::to_lowercase));
            names.extend(link.host.split('.').map(str::to_owned));
        } else if let Some((_, host)) = text.split_once('@') {
            names.extend(host.split('.').map(str::to_lowercase));
        }
    }
    let common = [
        "com",
        "org",
        "net",
        "the",
        "for",
        "and",
        "inc",
        "ltd",
        "kubernetes",
        "cloud",
        "github",
        "docs",
        "platform",
        "service",
        "engine",
        "container",
        "enterprise",
    ];
    names.retain(|name| name.len() >= 3 && !common.contains(&name.as_str()));
    names
}
