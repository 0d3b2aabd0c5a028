//! Notes of a MUST tell more than the half of it.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "half_shown",
    level: Level::Warning,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "notes of pod_autoscaling speak of more than CPU, and those of robust_controller of an operator with webhooks",
    look: Look::Each(check),
};

/// Words of metrics beyond those of CPU and memory that every cluster has.
const METRICS: &[&str] = &[
    "custom",
    "external",
    "prometheus",
    "keda",
    "dcgm",
    "adapter",
    "gpu util",
    "gpu_util",
    "gpu memory",
    "gpu mem",
    "gpu metric",
    "accelerator util",
    "accelerator metric",
    "queue",
    "per second",
    "latency",
    "token",
    "duty",
    "concurrency",
    "requests_",
    "num_requests",
    "vllm",
];
/// Words before another, among which one that denies is meant for it.
const NEAR: usize = 5;
/// Words that deny what follows.
const DENIALS: &[&str] = &["no", "not", "without", "neither", "lacks", "doesn't", "don't"];

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered().into_iter().filter(|(_, answer)| answer.implemented()) {
        let notes = answer.notes.text.as_str();
        let (what, words) = match asked.id.as_str() {
            "pod_autoscaling" if speaks_of_cpu_alone(notes) => {
                ("speak of CPU alone", "scaling \"based on custom metrics relevant to AI/ML workloads\"")
            }
            "robust_controller" if is_without_webhooks(notes) => {
                ("speak of an operator without webhooks", "that the operator's \"webhooks are operational\"")
            }
            _ => continue,
        };
        let says = format!(
            "{} is Implemented, and its notes {what}: {}; the requirement asks for {words}; a reviewer must decide",
            asked.id,
            quoted(notes.trim())
        );
        found.at(answer.notes.place, &asked.id, says);
    }
}

/// Tells whether a text names CPU as what is scaled by, and no metric beyond it.
fn speaks_of_cpu_alone(notes: &str) -> bool {
    let lower = notes.to_ascii_lowercase();
    let mut words = lower.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| word == "cpu") && !METRICS.iter().any(|metric| lower.contains(metric))
}

/// Tells whether a text denies webhooks, and names none elsewhere.
fn is_without_webhooks(notes: &str) -> bool {
    let lower = notes.to_ascii_lowercase();
    let parts: Vec<&str> =
        lower.split([';', ':', '\n', ',', '(']).flat_map(|part| part.split(". ")).collect();
    let about: Vec<&&str> = parts.iter().filter(|part| part.contains("webhook")).collect();
    let denies = |part: &&str| {
        let before = part.split("webhook").next().unwrap_or_default();
        before.split_whitespace().rev().take(NEAR).any(|word| DENIALS.contains(&word))
    };
    !about.is_empty() && about.iter().all(|part| denies(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_alone_is_told_from_cpu_beside_others() {
        assert!(speaks_of_cpu_alone(
            "HPA scaled a Deployment that requests nvidia.com/gpu on CPU utilization."
        ));
        assert!(!speaks_of_cpu_alone("HPA on CPU and on custom metrics of vLLM"));
        assert!(!speaks_of_cpu_alone("HPA with prometheus-adapter; CPU works too"));
        assert!(!speaks_of_cpu_alone("HPA applies to pods with accelerators without special handling."));
    }

    #[test]
    fn an_operator_without_webhooks_is_told_from_two_of_which_one_has_them() {
        assert!(is_without_webhooks("KubeRay v1.7.0, which deploys no admission or conversion webhooks."));
        assert!(is_without_webhooks("KubeRay without webhooks"));
        let both = "Kueue v0.19.4 with webhooks; KubeRay v1.7.0 as a second, which deploys no admission or conversion webhooks.";
        assert!(!is_without_webhooks(both));
        assert!(!is_without_webhooks("KubeRay: a RayCluster reconciles"));
        assert!(!is_without_webhooks("Not only the pods run: its webhook answers. Nothing is missing."));
    }
}
