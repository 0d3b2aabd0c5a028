//! `aiconform list` and `aiconform explain`: the catalogue.

use crate::exit::{Exit, UsageError};
use crate::format::{self, Format};
use aiconform_model::catalogue::{self, RELEASES};
use aiconform_submission::checklist::sentence;
use aiconform_verdict::Standing;

/// Arguments of `aiconform list`.
#[derive(clap::Args)]
pub struct ListArguments {
    /// Release of the checklist [default: all]
    #[arg(long, value_parser = ["1.33", "1.34", "1.35", "1.36", "1.37"])]
    release: Option<String>,
    /// Format
    #[arg(short = 'o', long = "output", value_enum, default_value_t)]
    output: Format,
}

/// Arguments of `aiconform explain`.
#[derive(clap::Args)]
pub struct ExplainArguments {
    /// Id of the requirement
    requirement: String,
    /// A clone of the programme's repository: shows the official sentence of each release
    #[arg(long, env = "AICONFORM_PROGRAM_DIR")]
    program: Option<camino::Utf8PathBuf>,
}

/// Lists the requirements.
pub fn list(arguments: &ListArguments) -> anyhow::Result<Exit> {
    let chosen: Vec<_> = catalogue::requirements()
        .iter()
        .filter(|found| arguments.release.as_ref().is_none_or(|release| found.level(release).is_some()))
        .collect();
    if format::print(arguments.output, &chosen)? {
        return Ok(Exit::Success);
    }
    let releases: Vec<&str> = match &arguments.release {
        Some(release) => vec![release.as_str()],
        None => RELEASES.to_vec(),
    };
    let mut headings = vec!["requirement", "kar"];
    headings.extend(&releases);
    headings.push("check");
    let rows = chosen
        .iter()
        .map(|found| {
            let mut row = vec![found.id.clone(), found.kar.clone().unwrap_or_else(|| "-".into())];
            row.extend(
                releases.iter().map(|release| found.level(release).map_or("-", |level| level.word()).into()),
            );
            row.push(if aiconform_checks::check(&found.id).is_some() { "yes" } else { "not yet" }.into());
            row
        })
        .collect();
    format::table(&headings, rows);
    Ok(Exit::Success)
}

/// Explains a requirement and its check.
pub fn explain(arguments: &ExplainArguments) -> anyhow::Result<Exit> {
    let id = &arguments.requirement;
    let Some(found) = catalogue::requirement(id) else {
        return Err(UsageError(format!("there is no requirement {id:?}; `aiconform list` shows all")).into());
    };
    anstream::println!("{} ({})\n{}\n", found.id, found.category, found.summary);
    if let Some(kar) = &found.kar {
        anstream::println!("Kubernetes AI Requirement (KAR): {kar}");
    }
    for in_release in &found.releases {
        anstream::println!("{}: {}", in_release.release, in_release.level.word());
        if let Some(program) = &arguments.program {
            let sentence = sentence(program, &in_release.release, id).map_err(UsageError)?;
            anstream::println!("    {sentence}");
        }
    }
    match aiconform_checks::check(id) {
        Some(check) => {
            anstream::println!("\n{}", check.explain);
            anstream::println!("Adapters: {}", check.adapters.join(", "));
            anstream::println!("Creates: {}", check.creates);
            anstream::println!("\nClaims:");
            for claim in check.rules.sentences() {
                anstream::println!("  {} ({}): {}", claim.id, claim.standing.word(), claim.says);
                if let Standing::Must { cites, .. } = claim.standing {
                    anstream::println!("      {cites}");
                }
            }
        }
        None => anstream::println!("\nThere is no check for it yet."),
    }
    Ok(Exit::Success)
}
