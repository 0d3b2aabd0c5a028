//! Text for the terminal: one line per claim, but for what is said of all of them once; readable without colour.

use crate::Report;
use crate::once::said_once;
use aiconform_verdict::{Outcome, Standing};
use std::fmt::Write;

/// The verdicts as plain text.
pub fn terminal(report: &Report) -> String {
    let mut out = String::new();
    for judged in &report.requirements {
        let judgement = &judged.judgement;
        for subject in &judgement.subjects {
            let _ = writeln!(out, "{}: {}", subject.id, subject.state.word());
            if subject.claims.is_empty() {
                let _ = writeln!(out, "    {}", subject.why);
            }
            let shared = said_once(subject);
            if let Some(sentence) = &shared {
                let _ = writeln!(out, "    {sentence}");
            }
            for claim in subject.claims.iter().filter(|_| shared.is_none()) {
                let mark = match claim.outcome {
                    Outcome::Met { .. } => "met    ",
                    Outcome::Unmet { .. } => "UNMET  ",
                    Outcome::Unknown { .. } => "unknown",
                };
                let kind = match claim.standing {
                    Standing::Must { .. } => "MUST      ",
                    Standing::Additional => "additional",
                    Standing::Control | Standing::InForce => "control   ",
                };
                let _ = writeln!(out, "    {mark}  {kind}  {}", claim.says);
                if !claim.outcome.is_met() {
                    let _ = writeln!(out, "             {}", claim.outcome.text());
                }
            }
            if let Some(grade) = &subject.grade {
                let _ = writeln!(out, "    grade    {}", grade.says);
            }
        }
        let _ = writeln!(out);
        let _ = writeln!(
            out,
            "{} ({}): {}",
            judgement.requirement,
            judged.level,
            judgement.word().to_uppercase()
        );
        let _ = writeln!(out, "    {}", judgement.why);
        for subject in &judgement.subjects {
            let beyond = subject.claims.iter().filter(|claim| claim.standing == Standing::Additional);
            for claim in beyond.filter(|claim| claim.outcome.is_unmet()) {
                let _ = writeln!(out, "    beyond the requirement: {}: {}", subject.id, claim.outcome.text());
            }
        }
    }
    let _ = writeln!(out, "{}", report.tested);
    for left in report.left() {
        let _ = writeln!(out, "left in the cluster: {left}");
    }
    out
}
