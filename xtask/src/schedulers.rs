//! `docs/reference/schedulers.md`: what gang schedulers give, from a real run.

use aiconform_evidence::Stored;
use aiconform_verdict::{Judgement, Standing, StepState, SubjectJudgement, judge};
use serde_json::Value;
use std::fmt::Write;

const CHECK: &str = "gang_scheduling";

/// The page of a stored run.
///
/// # Errors
/// When the run has no verdict of gang scheduling.
pub fn page(stored: &Stored) -> anyhow::Result<String> {
    let check = aiconform_checks::check(CHECK).ok_or_else(|| anyhow::anyhow!("there is no check {CHECK}"))?;
    let judgement = judge(check.rules, &stored.evidence);
    let graded: Vec<&SubjectJudgement> =
        judgement.subjects.iter().filter(|subject| subject.grade.is_some()).collect();
    anyhow::ensure!(!graded.is_empty(), "the run graded no gang scheduler");
    let mut page = head(&stored.run);
    ladder(&mut page, &graded);
    claims(&mut page, &graded);
    measures(&mut page, &judgement);
    Ok(page)
}

fn head(run: &Value) -> String {
    let fact = |pointer: &str| match run.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "unknown".into(),
    };
    let parts = run.pointer("/parts").and_then(Value::as_object);
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default()))
        .collect();
    format!(
        "# Gang schedulers\n\nGenerated from a real run (`aiconform run --lab --level all`, then `cargo run -p xtask -- schedulers RUN`): \
        Kubernetes {}, {}; {} rounds, seed {}, {}. Settings are those that the products come with; queues are made by the run, \
        with quota equal to the slots unless a line says otherwise. What each claim means: `aiconform explain {CHECK}`.\n\n",
        fact("/cluster/version"),
        parts.join(", "),
        fact("/rounds"),
        fact("/seed"),
        fact("/started").chars().take(10).collect::<String>()
    )
}

fn ladder(page: &mut String, graded: &[&SubjectJudgement]) {
    let steps = graded.iter().filter_map(|subject| subject.grade.as_ref()).map(|grade| &grade.steps);
    let Some(longest) = steps.max_by_key(|steps| steps.len()) else { return };
    let heads: Vec<String> = longest.iter().map(|step| format!("{}: {}", step.level, step.says)).collect();
    let _ = writeln!(
        page,
        "## Grades\n\n| scheduler | grade | {} |\n|---|---|{}",
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
        "\n## Claims\n\n| claim | kind | {} |\n|---|---|{}",
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
        "\n## Two and three gangs, as measured\n\nShares with their exact 95 % interval; times on a small machine, to be compared with one another only.\n\n| | {} |\n|---|{}",
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
