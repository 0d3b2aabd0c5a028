//! `report.html`: one self-contained file, no network, readable without scripts.

use crate::measures::{self, Table};
use crate::once::said_once;
use crate::svg::svg;
use crate::whole::whole;
use crate::{Report, ReportError};
use aiconform_verdict::{
    ClaimJudgement, Gallery, Outcome, Picture, Standing, State, Step, StepState, SubjectJudgement, Tone,
    Verdict, Words,
};
use askama::Template;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    tested: String,
    whole: String,
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
    /// Claims that go further than the requirement and do not hold: shown first, and no part of the verdict.
    notes: Vec<String>,
    ladder: Vec<Rung>,
    graded: Vec<Graded>,
    galleries: Vec<Hung>,
    measures: Table,
    subjects: Vec<Subject>,
    /// Subjects that the cluster does not have, by the reason.
    absent: Vec<(String, String)>,
}

/// A gallery, with the pictures of all subjects that hang in it.
struct Hung {
    gallery: &'static Gallery,
    glances: Vec<Glance>,
}

/// A picture beside those of other subjects.
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
    /// Set if `why` says all that is to be said of its claims.
    is_said_once: bool,
    facts: String,
    grade: String,
    steps: Vec<Rung>,
    /// Claims that are not met, and those that are.
    open: Vec<Claim>,
    met: Vec<Claim>,
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
    kind: String,
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
        ("Left in the cluster", report.left().collect::<Vec<_>>().join("; ")),
        ("Tool", format!("aiconform {}", report.fact("/tool/version"))),
    ];
    facts.retain(|(_, said)| !said.is_empty());
    let mut ordered: Vec<&crate::Judged> = report.requirements.iter().collect();
    ordered.sort_by_key(|judged| (judged.level != "MUST", weight(judged.judgement.verdict)));
    let requirements: Vec<Requirement> = ordered
        .into_iter()
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
                galleries: galleries(&judgement.subjects),
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
    Ok(Page { title, tested: report.tested.clone(), whole: whole(report), facts, requirements }.render()?)
}

/// Place of a verdict among others: what failed is read first.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Failed => 0,
        Verdict::Inconclusive => 1,
        Verdict::NotRun => 2,
        Verdict::NotApplicable => 3,
        Verdict::Passed => 4,
    }
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

/// The galleries, in the order in which their first pictures stand.
fn galleries(subjects: &[SubjectJudgement]) -> Vec<Hung> {
    let mut found: Vec<&'static Gallery> = Vec::new();
    for gallery in subjects.iter().flat_map(|subject| &subject.pictures).filter_map(|picture| picture.gallery)
    {
        if !found.contains(&gallery) {
            found.push(gallery);
        }
    }
    let hang = |gallery: &'static Gallery| Hung {
        gallery,
        glances: subjects.iter().flat_map(|subject| glances(subject, gallery)).collect(),
    };
    found.into_iter().map(hang).collect()
}

/// The pictures of a subject that hang in a gallery.
fn glances(subject: &SubjectJudgement, gallery: &Gallery) -> Vec<Glance> {
    let own: Vec<&Picture> =
        subject.pictures.iter().filter(|picture| picture.gallery == Some(gallery)).collect();
    let Some(words) = &gallery.words else {
        let series = |picture: &Picture| match own.len() {
            1 => String::new(),
            _ => picture.title.clone(),
        };
        let each = |picture: &&Picture| Glance {
            subject: subject.id.clone(),
            control: subject.control,
            series: series(picture),
            count: String::new(),
            class: "soft",
            svg: svg(picture),
            caption: picture.caption.clone(),
        };
        return own.iter().map(each).collect();
    };
    let mut names: Vec<&str> = Vec::new();
    for picture in &own {
        if !names.contains(&picture.series.as_str()) {
            names.push(&picture.series);
        }
    }
    names
        .into_iter()
        .filter_map(|name| {
            let series: Vec<&Picture> =
                own.iter().copied().filter(|picture| picture.series == name).collect();
            one_of(subject, &series, words)
        })
        .collect()
}

/// The picture that says most of a series: the worst, and if nothing is bad, one that shows just that.
fn one_of(subject: &SubjectJudgement, series: &[&Picture], words: &Words) -> Option<Glance> {
    let count = |tone: Tone| series.iter().filter(|picture| picture.tone == tone).count();
    let (good, worst) = (count(Tone::Good), count(Tone::Worst));
    let chosen = [Tone::Worst, Tone::Bad, Tone::Open, Tone::Good]
        .into_iter()
        .find_map(|tone| series.iter().find(|picture| picture.tone == tone))?;
    let mut said = format!("{good} of {} rounds {}", series.len(), words.good);
    if worst > 0 {
        said.push_str(&format!(", {worst} in {}", words.worst));
    }
    Some(Glance {
        subject: subject.id.clone(),
        control: subject.control,
        series: chosen.series.clone(),
        count: said,
        class: if good == series.len() { "good" } else { "bad" },
        svg: svg(chosen),
        caption: format!("{}: {}", chosen.caption, words.of(chosen.tone)),
    })
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
    let (met, open): (Vec<&ClaimJudgement>, Vec<&ClaimJudgement>) =
        judged.claims.iter().partition(|claim| claim.outcome.is_met());
    let told = |claim: &ClaimJudgement| {
        let (class, glyph) = match claim.outcome {
            Outcome::Met { .. } => ("good", "✓"),
            Outcome::Unmet { .. } => ("bad", "✕"),
            Outcome::Unknown { .. } => ("unsure", "?"),
        };
        let cites = match claim.standing {
            Standing::Must { cites, .. } => cites,
            Standing::Additional | Standing::Control | Standing::InForce => "",
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
            kind: claim.standing.word(),
            cites,
            outcome: claim.outcome.word(),
            class,
            glyph,
            text: claim.outcome.text().into(),
            events,
        }
    };
    let mut series: Vec<Series> = Vec::new();
    let mut pictures: Vec<&Picture> = judged.pictures.iter().collect();
    pictures.sort_by_key(|picture| picture.place);
    for picture in pictures {
        let drawn =
            Drawn { title: picture.title.clone(), caption: picture.caption.clone(), svg: svg(picture) };
        match series.iter_mut().find(|series| series.name == picture.series) {
            Some(series) => series.pictures.push(drawn),
            None => series.push(Series {
                name: picture.series.clone(),
                open: picture.gallery.is_none_or(|gallery| gallery.words.is_none()),
                pictures: vec![drawn],
            }),
        }
    }
    let shared = said_once(judged);
    Subject {
        is_said_once: shared.is_some(),
        id: judged.id.clone(),
        control: judged.control,
        state: judged.state.word(),
        class: match judged.state {
            State::Passed | State::ControlMet => "good",
            State::Failed | State::ControlUnmet => "bad",
            _ => "unsure",
        },
        why: shared.unwrap_or_else(|| judged.why.clone()),
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
        open: open.into_iter().map(told).collect(),
        met: met.into_iter().map(told).collect(),
        series,
    }
}
