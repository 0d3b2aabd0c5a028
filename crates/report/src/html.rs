//! `report.html`: one self-contained file, no network, readable without scripts.

use crate::measures::{self, Table};
use crate::svg::svg;
use crate::{Report, ReportError};
use aiconform_verdict::{
    Outcome, Picture, Standing, State, Step, StepState, SubjectJudgement, Tone, Verdict,
};
use askama::Template;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    tested: String,
    facts: Vec<(&'static str, String)>,
    requirements: Vec<Requirement>,
}

struct Requirement {
    id: String,
    level: &'static str,
    summary: String,
    verdict: &'static str,
    class: &'static str,
    glyph: &'static str,
    why: String,
    /// What goes further than the requirement and does not hold: shown first, and no part of the verdict.
    notes: Vec<String>,
    ladder: Vec<Rung>,
    graded: Vec<Graded>,
    glance: Vec<Glance>,
    curves: Vec<Glance>,
    counts: Vec<Glance>,
    grids: Vec<Glance>,
    bars: Vec<Glance>,
    measures: Table,
    subjects: Vec<Subject>,
    /// Subjects that the cluster does not have, by the reason.
    absent: Vec<(String, String)>,
}

/// A picture that stands for a series, beside those of other subjects.
struct Glance {
    subject: String,
    control: bool,
    series: String,
    count: String,
    class: &'static str,
    svg: String,
    caption: String,
}

struct Subject {
    id: String,
    control: bool,
    state: &'static str,
    class: &'static str,
    why: String,
    facts: String,
    grade: String,
    steps: Vec<Rung>,
    claims: Vec<Claim>,
    series: Vec<Series>,
}

/// A subject on the scale of grades.
struct Graded {
    subject: String,
    control: bool,
    level: String,
    says: String,
    /// A cell for each step of the ladder: class, glyph and word.
    cells: Vec<(&'static str, &'static str, &'static str)>,
}

/// A step of the grade, with what decided it.
#[derive(Clone)]
struct Rung {
    level: String,
    says: String,
    state: &'static str,
    class: &'static str,
    glyph: &'static str,
    claims: Vec<String>,
    why: String,
}

struct Claim {
    id: &'static str,
    says: &'static str,
    kind: &'static str,
    cites: &'static str,
    outcome: &'static str,
    class: &'static str,
    glyph: &'static str,
    text: String,
    events: String,
}

struct Series {
    name: String,
    open: bool,
    pictures: Vec<Drawn>,
}

struct Drawn {
    title: String,
    caption: String,
    svg: String,
}

const LAB: &str = "a lab started by aiconform, of real Kubernetes components";

/// The page.
pub fn page(report: &Report) -> Result<String, ReportError> {
    let seconds = report.seconds();
    let bins = report.bins;
    let total = (bins.platform + bins.dwell + bins.ours).max(1);
    let share = |part: u64| format!("{:.1} s ({} %)", part as f64 / 1000.0, part * 100 / total);
    let mut facts = vec![
        (
            "Platform",
            format!(
                "Kubernetes {}, context {}",
                report.fact("/cluster/version"),
                report.fact("/cluster/context")
            ),
        ),
        (
            "Stands on",
            (report.fact("/lab") == "true")
                .then_some(LAB)
                .into_iter()
                .chain(report.stands_on.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join("; "),
        ),
        (
            "Tested",
            format!(
                "{}, {seconds:.0} s, seed {}, {} rounds",
                report.fact("/started"),
                report.fact("/seed"),
                report.fact("/rounds")
            ),
        ),
        (
            "Time",
            format!(
                "platform {}, waiting on purpose {}, aiconform {}",
                share(bins.platform),
                share(bins.dwell),
                share(bins.ours)
            ),
        ),
        (
            "Cost",
            format!(
                "{} requests to the API server, {} MiB of memory at most",
                report.fact("/requests"),
                memory(report)
            ),
        ),
        ("Tool", format!("aiconform {}", report.fact("/tool/version"))),
    ];
    facts.retain(|(_, said)| !said.is_empty());
    let requirements: Vec<Requirement> = report
        .requirements
        .iter()
        .map(|judged| {
            let judgement = &judged.judgement;
            let (class, glyph) = match judgement.verdict {
                Verdict::Passed => ("good", "✓"),
                Verdict::Failed => ("bad", "✕"),
                _ => ("unsure", "?"),
            };
            Requirement {
                id: judgement.requirement.into(),
                level: judged.level,
                summary: judged.summary.clone(),
                verdict: judgement.word(),
                class,
                glyph,
                why: judgement.why.clone(),
                notes: notes(&judgement.subjects),
                ladder: ladder(&judgement.subjects),
                graded: graded(&judgement.subjects),
                glance: glance(&judgement.subjects),
                curves: pictures(&judgement.subjects, |picture| {
                    !picture.curves.is_empty() && picture.count.is_none()
                }),
                counts: pictures(&judgement.subjects, |picture| picture.count.is_some()),
                grids: pictures(&judgement.subjects, |picture| picture.grid.is_some()),
                bars: pictures(&judgement.subjects, |picture| !picture.bars.is_empty()),
                measures: measures::table(judgement),
                subjects: judgement
                    .subjects
                    .iter()
                    .filter(|subject| !is_absent(subject))
                    .map(subject)
                    .collect(),
                absent: absent(&judgement.subjects),
            }
        })
        .collect();
    let title = match requirements.as_slice() {
        [one] => format!("{}: {}", one.id, one.verdict),
        _ => format!("AI conformance {}", report.release),
    };
    Ok(Page { title, tested: report.tested.clone(), facts, requirements }.render()?)
}

fn notes(subjects: &[SubjectJudgement]) -> Vec<String> {
    subjects
        .iter()
        .flat_map(|subject| subject.claims.iter().map(move |claim| (subject, claim)))
        .filter(|(_, claim)| claim.standing == Standing::Additional && claim.outcome.is_unmet())
        .map(|(subject, claim)| format!("{}: {}", subject.id, claim.outcome.text()))
        .collect()
}

fn memory(report: &Report) -> String {
    let kib = report.run.get("peak_memory_kib").and_then(serde_json::Value::as_u64);
    kib.map_or_else(|| "unknown".into(), |kib| (kib / 1024).to_string())
}

/// Series of two gangs, the picture of each subject that says most.
fn glance(subjects: &[SubjectJudgement]) -> Vec<Glance> {
    let mut shown = Vec::new();
    for subject in subjects {
        let mut series: Vec<&str> = Vec::new();
        for picture in subject.pictures.iter().filter(|picture| picture.series.contains("Two gangs")) {
            if !series.contains(&picture.series.as_str()) {
                series.push(&picture.series);
            }
        }
        for name in series {
            let rounds: Vec<&Picture> =
                subject.pictures.iter().filter(|picture| picture.series == name).collect();
            let count = |tone: Tone| rounds.iter().filter(|picture| picture.tone == tone).count();
            let (whole, deadlocks) = (count(Tone::Whole), count(Tone::Deadlock));
            // A deadlock says most, then a part; a series that is whole shows just that.
            let chosen = [Tone::Deadlock, Tone::Part, Tone::Open, Tone::Whole]
                .into_iter()
                .find_map(|tone| rounds.iter().find(|picture| picture.tone == tone));
            let Some(chosen) = chosen else { continue };
            let mut words = format!("{whole} of {} rounds all or nothing", rounds.len());
            if deadlocks > 0 {
                words.push_str(&format!(", {deadlocks} in deadlock"));
            }
            shown.push(Glance {
                subject: subject.id.clone(),
                control: subject.control,
                series: name.into(),
                count: words,
                class: if whole == rounds.len() { "good" } else { "bad" },
                svg: svg(chosen),
                caption: format!("{}: {}", chosen.caption, chosen.tone.word()),
            });
        }
    }
    shown
}

/// Pictures of this form of each subject; where there are several, each under its title.
fn pictures(subjects: &[SubjectJudgement], form: fn(&Picture) -> bool) -> Vec<Glance> {
    let is_alone = |subject: &SubjectJudgement| subject.pictures.iter().filter(|it| form(it)).count() == 1;
    let of = |subject: &SubjectJudgement, picture: &Picture| Glance {
        subject: subject.id.clone(),
        control: subject.control,
        series: if is_alone(subject) { String::new() } else { picture.title.clone() },
        count: String::new(),
        class: "soft",
        svg: svg(picture),
        caption: picture.caption.clone(),
    };
    subjects
        .iter()
        .flat_map(|subject| subject.pictures.iter().map(move |picture| (subject, picture)))
        .filter(|(_, picture)| form(picture))
        .map(|(subject, picture)| of(subject, picture))
        .collect()
}

/// Nothing was tried on it, because it is not there.
fn is_absent(subject: &SubjectJudgement) -> bool {
    subject.state == State::Absent && subject.claims.is_empty()
}

fn absent(subjects: &[SubjectJudgement]) -> Vec<(String, String)> {
    let mut shown: Vec<(String, String)> = Vec::new();
    for subject in subjects.iter().filter(|subject| is_absent(subject)) {
        match shown.iter_mut().find(|(_, why)| *why == subject.why) {
            Some((names, _)) => names.push_str(&format!(", {}", subject.id)),
            None => shown.push((subject.id.clone(), subject.why.clone())),
        }
    }
    shown
}

/// The steps of the scale, from whichever subject was graded on it.
fn ladder(subjects: &[SubjectJudgement]) -> Vec<Rung> {
    let steps = subjects.iter().filter_map(|subject| subject.grade.as_ref()).map(|grade| &grade.steps);
    steps.max_by_key(|steps| steps.len()).map(|steps| steps.iter().map(rung).collect()).unwrap_or_default()
}

fn graded(subjects: &[SubjectJudgement]) -> Vec<Graded> {
    subjects
        .iter()
        .filter_map(|subject| {
            let grade = subject.grade.as_ref()?;
            let cells =
                grade.steps.iter().map(rung).map(|rung| (rung.class, rung.glyph, rung.state)).collect();
            Some(Graded {
                subject: subject.id.clone(),
                control: subject.control,
                level: grade.level.clone(),
                says: grade.says.clone(),
                cells,
            })
        })
        .collect()
}

fn rung(step: &Step) -> Rung {
    let (state, class, glyph) = match step.state {
        StepState::Reached => ("shown", "good", "✓"),
        StepState::Missed => ("missed", "bad", "✕"),
        StepState::Untested => ("not tested", "unsure", "?"),
    };
    Rung {
        level: step.level.clone(),
        says: step.says.clone(),
        state,
        class,
        glyph,
        claims: step.claim.split(", ").map(str::to_owned).collect(),
        why: step.why.clone(),
    }
}

fn subject(judged: &SubjectJudgement) -> Subject {
    let claims = judged
        .claims
        .iter()
        .map(|claim| {
            let (class, glyph) = match claim.outcome {
                Outcome::Met { .. } => ("good", "✓"),
                Outcome::Unmet { .. } => ("bad", "✕"),
                Outcome::Unknown { .. } => ("unsure", "?"),
            };
            let (kind, cites) = match claim.standing {
                Standing::Must { cites } => ("MUST", cites),
                Standing::Additional => ("additional", ""),
                Standing::Control | Standing::InForce => ("control", ""),
            };
            let events = match &claim.outcome {
                Outcome::Unmet { events, .. } if !events.is_empty() => {
                    let numbers: Vec<String> = events.iter().take(8).map(u64::to_string).collect();
                    format!("events {}", numbers.join(", "))
                }
                _ => String::new(),
            };
            Claim {
                id: claim.id,
                says: claim.says,
                kind,
                cites,
                outcome: claim.outcome.word(),
                class,
                glyph,
                text: claim.outcome.text().into(),
                events,
            }
        })
        .collect();
    let mut series: Vec<Series> = Vec::new();
    for picture in &judged.pictures {
        let drawn =
            Drawn { title: picture.title.clone(), caption: picture.caption.clone(), svg: svg(picture) };
        match series.iter_mut().find(|series| series.name == picture.series) {
            Some(series) => series.pictures.push(drawn),
            None => series.push(Series {
                name: picture.series.clone(),
                open: !picture.series.contains("Two gangs"),
                pictures: vec![drawn],
            }),
        }
    }
    for one in &mut series {
        one.pictures.sort_by_key(|drawn| {
            drawn.title.rsplit(' ').next().and_then(|number| number.parse::<u32>().ok()).unwrap_or_default()
        });
    }
    Subject {
        id: judged.id.clone(),
        control: judged.control,
        state: judged.state.word(),
        class: match judged.state {
            State::Passed | State::ControlMet => "good",
            State::Failed | State::ControlUnmet => "bad",
            _ => "unsure",
        },
        why: judged.why.clone(),
        facts: match &judged.facts {
            serde_json::Value::Object(facts) => facts
                .iter()
                // What was planned is told by the claims.
                .filter_map(|(name, value)| Some(format!("{name} {}", value.as_str()?)))
                .collect::<Vec<_>>()
                .join(", "),
            _ => String::new(),
        },
        grade: judged.grade.as_ref().map(|grade| grade.says.clone()).unwrap_or_default(),
        steps: judged.grade.iter().flat_map(|grade| &grade.steps).map(rung).collect(),
        claims,
        series,
    }
}
