//! `docs/reference/schedulers.md`: what gang schedulers give, from real runs.

use aiconform_evidence::Stored;
use aiconform_verdict::{Judgement, Standing, StepState, SubjectJudgement, judge};
use serde_json::Value;
use std::fmt::Write;

const CHECK: &str = "gang_scheduling";

const HEAD: &str = "# Gang schedulers

Generated from real runs (`aiconform run --lab --level all`, then `cargo run -p xtask -- schedulers RUN…`). Settings are
those that the products come with; queues are made by the run, with a quota equal to the slots unless a line says
otherwise. Native gangs of 1.37 say `disruptionMode: all`, those of 1.36 keep its default, by which each pod is a victim
of its own. Of a version of Kubernetes that was run with several seeds all grades were equal; the first run is shown.
What each claim means: `aiconform explain gang_scheduling`.
";

/// A stored run, judged.
struct Judged {
    run: Value,
    judgement: Judgement,
}

impl Judged {
    fn graded(&self) -> Vec<&SubjectJudgement> {
        self.judgement.subjects.iter().filter(|subject| subject.grade.is_some()).collect()
    }

    fn grades(&self) -> Vec<(&str, &str)> {
        let pairs = self.graded().into_iter();
        pairs
            .filter_map(|subject| Some((subject.id.as_str(), subject.grade.as_ref()?.level.as_str())))
            .collect()
    }

    fn fact(&self, pointer: &str) -> String {
        match self.run.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "unknown".into(),
        }
    }
}

/// The page of stored runs: one part for each version of Kubernetes.
///
/// # Errors
/// When a run graded no gang scheduler, or runs of one version came to different grades.
pub fn page(stored: &[Stored]) -> anyhow::Result<String> {
    let check = aiconform_checks::check(CHECK).ok_or_else(|| anyhow::anyhow!("there is no check {CHECK}"))?;
    let mut groups: Vec<Vec<Judged>> = Vec::new();
    for stored in stored {
        let judged = Judged { run: stored.run.clone(), judgement: judge(check.rules, &stored.evidence) };
        anyhow::ensure!(!judged.graded().is_empty(), "a run graded no gang scheduler");
        let version = judged.fact("/cluster/version");
        match groups.iter_mut().find(|group| group[0].fact("/cluster/version") == version) {
            None => groups.push(vec![judged]),
            Some(group) => {
                let (first, other) = (group[0].grades(), judged.grades());
                anyhow::ensure!(
                    first == other,
                    "on Kubernetes {version} seed {} came to {first:?}, and seed {} to {other:?}",
                    group[0].fact("/seed"),
                    judged.fact("/seed")
                );
                group.push(judged);
            }
        }
    }
    let mut page = HEAD.to_owned();
    for group in &groups {
        part(&mut page, group);
    }
    Ok(page)
}

fn part(page: &mut String, group: &[Judged]) {
    let Some(first) = group.first() else { return };
    let parts = first.run.pointer("/parts").and_then(Value::as_object);
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default()))
        .collect();
    let seeds: Vec<String> = group.iter().map(|judged| judged.fact("/seed")).collect();
    let _ = writeln!(
        page,
        "\n## Kubernetes {}\n\n{}; {} rounds, seeds {}, {}.\n",
        first.fact("/cluster/version"),
        parts.join(", "),
        first.fact("/rounds"),
        seeds.join(" and "),
        first.fact("/started").chars().take(10).collect::<String>()
    );
    let graded = first.graded();
    ladder(page, &graded);
    claims(page, &graded);
    measures(page, &first.judgement);
}

fn ladder(page: &mut String, graded: &[&SubjectJudgement]) {
    let steps = graded.iter().filter_map(|subject| subject.grade.as_ref()).map(|grade| &grade.steps);
    let Some(longest) = steps.max_by_key(|steps| steps.len()) else { return };
    let heads: Vec<String> = longest.iter().map(|step| format!("{}: {}", step.level, step.says)).collect();
    let _ = writeln!(
        page,
        "### Grades\n\n| scheduler | grade | {} |\n|---|---|{}",
        heads.join(" | "),
        "---|".repeat(heads.len())
    );
    for subject in graded {
        let Some(grade) = &subject.grade else { continue };
        let mut cells: Vec<String> = grade
            .steps
            .iter()
            .map(|step| match step.state {
                StepState::Reached => "shown".to_owned(),
                StepState::Missed => format!("missed: {}", step.claim),
                StepState::Untested => format!("not tested: {}", step.claim),
            })
            .collect();
        cells.resize(heads.len(), "–".into());
        let _ = writeln!(page, "| {} | **{}** | {} |", subject.id, grade.level, cells.join(" | "));
    }
}

fn claims(page: &mut String, graded: &[&SubjectJudgement]) {
    let names: Vec<&str> = graded.iter().map(|subject| subject.id.as_str()).collect();
    let _ = writeln!(
        page,
        "\n### Claims\n\n| claim | kind | {} |\n|---|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    let mut told: Vec<&str> = Vec::new();
    for claim in graded.iter().flat_map(|subject| &subject.claims) {
        if told.contains(&claim.id) {
            continue;
        }
        told.push(claim.id);
        let kind = match claim.standing {
            Standing::Must { .. } => "MUST",
            Standing::Additional => "additional",
            Standing::Control | Standing::InForce => "control",
        };
        let outcomes: Vec<&str> = graded
            .iter()
            .map(|subject| subject.outcome(claim.id).map_or("–", |outcome| outcome.word()))
            .collect();
        let _ = writeln!(page, "| {} | {kind} | {} |", claim.says, outcomes.join(" | "));
    }
}

fn measures(page: &mut String, judgement: &Judgement) {
    let measured: Vec<&SubjectJudgement> =
        judgement.subjects.iter().filter(|subject| !subject.measures.is_empty()).collect();
    let names: Vec<&str> = measured.iter().map(|subject| subject.id.as_str()).collect();
    let _ = writeln!(
        page,
        "\n### Two and three gangs, as measured\n\nShares with their exact 95 % interval; times on a small machine, to be compared with one another only.\n\n| | {} |\n|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    let mut told: Vec<&str> = Vec::new();
    for measure in measured.iter().flat_map(|subject| &subject.measures) {
        if told.contains(&measure.name.as_str()) {
            continue;
        }
        told.push(&measure.name);
        let values: Vec<&str> = measured
            .iter()
            .map(|subject| {
                let found = subject.measures.iter().find(|found| found.name == measure.name);
                found.map_or("–", |found| found.value.as_str())
            })
            .collect();
        let _ = writeln!(page, "| {} | {} |", measure.name, values.join(" | "));
    }
}
