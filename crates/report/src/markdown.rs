//! `summary.md`: for a pull request or a job summary.

use crate::once::said_once;
use crate::{Report, measures};
use aiconform_verdict::Standing;
use std::fmt::Write;

/// The verdicts as Markdown.
pub fn summary(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# AI conformance {}: {}\n", report.release, report.tested);
    let _ = writeln!(
        out,
        "Platform {} (context {}), tested with aiconform {}, seed {}.\n",
        report.fact("/cluster/version"),
        cell(&report.fact("/cluster/context")),
        report.fact("/tool/version"),
        report.fact("/seed")
    );
    for left in report.left() {
        let _ = writeln!(out, "Left in the cluster: {}.\n", cell(left));
    }
    if report.run.pointer("/derived/from").is_some() {
        let _ = writeln!(
            out,
            "Names, addresses and UUIDs of the platform are pseudonyms; the run as it was seen has the manifest with the SHA-256 {}.\n",
            cell(&report.fact("/derived/from"))
        );
    }
    if !report.left_out.is_empty() {
        let _ = writeln!(
            out,
            "Not in the test artifacts, because a validator refuses an artifact with a test in it that did not pass: {}.\n",
            report.left_out.join(", ")
        );
    }
    let _ = writeln!(out, "| requirement | level | verdict | why |\n|---|---|---|---|");
    for judged in &report.requirements {
        let judgement = &judged.judgement;
        let _ = writeln!(
            out,
            "| {} | {} | **{}** | {} |",
            judgement.requirement,
            judged.level,
            judgement.word(),
            cell(&judgement.why)
        );
    }
    for judged in &report.requirements {
        let _ = writeln!(out, "\n## {}\n", judged.judgement.requirement);
        let table = measures::table(&judged.judgement);
        if !table.rows.is_empty() {
            let _ = writeln!(out, "| measured | {} |", table.subjects.join(" | "));
            let _ = writeln!(out, "|---|{}", "---|".repeat(table.subjects.len()));
            for (name, values) in &table.rows {
                let _ = writeln!(out, "| {name} | {} |", values.join(" | "));
            }
            let _ = writeln!(out);
        }
        for subject in &judged.judgement.subjects {
            let grade =
                subject.grade.as_ref().map(|grade| format!(" Grade: {}", grade.says)).unwrap_or_default();
            let shared = said_once(subject);
            let why = shared.as_ref().unwrap_or(&subject.why);
            let _ = writeln!(out, "### {}: {}\n\n{why}.{grade}\n", subject.id, subject.state.word());
            if subject.claims.is_empty() || shared.is_some() {
                continue;
            }
            let _ = writeln!(out, "| claim | kind | outcome | seen |\n|---|---|---|---|");
            for claim in &subject.claims {
                let kind = match claim.standing {
                    Standing::Must { .. } => "MUST",
                    Standing::Additional => "additional",
                    Standing::Control | Standing::InForce => "control",
                };
                let _ = writeln!(
                    out,
                    "| {} | {kind} | {} | {} |",
                    claim.says,
                    claim.outcome.word(),
                    cell(claim.outcome.text())
                );
            }
            let _ = writeln!(out);
        }
    }
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;")
}
