//! `aiconform review`: the submissions of anyone.

use crate::exit::{Exit, UsageError};
use crate::talk::Talk;
use aiconform_engine::RunJudge;
use aiconform_links::Asker;
use aiconform_submission::reach::{self, Answers, Reached};
use aiconform_submission::signature::PublicKey;
use aiconform_submission::{Given, Moment, members, review, show, submissions};
use camino::Utf8PathBuf;
use std::collections::BTreeSet;

/// Arguments of `aiconform review`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Submissions: a PRODUCT.yaml, its folder, a folder of a release, or a clone of the programme's repository
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// The rules of which time decide
    #[arg(long, value_enum, default_value_t)]
    rules: Rules,
    /// Names of the foundation's members, one a line; without it vendorName is not checked
    #[arg(long, value_name = "FILE")]
    members: Option<Utf8PathBuf>,
    /// Folder of the programme's checklists (AIConformance-X.Y.yaml) [default: docs of the clone, else built in]
    #[arg(long, value_name = "DIR")]
    templates: Option<Utf8PathBuf>,
    /// The vendor's public key (Ed25519, PEM), which must have signed each submission
    #[arg(long, value_name = "FILE", conflicts_with = "validator_only")]
    verify_key: Option<Utf8PathBuf>,
    /// Check only what the programme's own validator checks
    #[arg(long)]
    validator_only: bool,
    /// Ask whether the links answer, too: of the public internet only, few at a time, each page once
    #[arg(long, conflicts_with = "validator_only")]
    online: bool,
    /// Show notes too
    #[arg(long)]
    notes: bool,
    /// Name every place of findings that differ in nothing else, and not the first three alone
    #[arg(long)]
    all: bool,
    /// Format
    #[arg(short = 'o', long = "output", value_enum, default_value_t)]
    output: Output,
}

/// The rules of which time decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Rules {
    /// Those of the programme's newest validator.
    #[default]
    Today,
    /// Those that were asked when the release was open; what came later is a note.
    AtMerge,
}

/// How a review is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people, each finding with its line.
    #[default]
    Table,
    /// JSON.
    Json,
    /// Annotations of GitHub's workflows.
    Github,
    /// A comment for the reviewer.
    Markdown,
}

/// Reviews submissions; exit code 1 when one is not valid.
pub async fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
    let mut folders = Vec::new();
    for path in &arguments.paths {
        folders.extend(submissions(path).map_err(|error| usage(&error))?);
    }
    let members = match &arguments.members {
        Some(file) => Some(members(&fs_err::read_to_string(file).map_err(|error| usage(&error))?)),
        None => None,
    };
    if let Some(templates) = arguments.templates.as_ref().filter(|templates| !templates.is_dir()) {
        return Err(UsageError(format!("{templates}: there is no such folder of checklists")).into());
    }
    let verify_key = match &arguments.verify_key {
        Some(file) => Some(PublicKey::read(file).map_err(|error| usage(&error))?),
        None => None,
    };
    let mut given = Given {
        verify_key,
        members,
        templates: arguments.templates.clone(),
        moment: match arguments.rules {
            Rules::Today => Moment::Today,
            Rules::AtMerge => Moment::AtMerge,
        },
        validator_only: arguments.validator_only,
        links: None,
        runs: Some(&RunJudge),
    };
    if arguments.online {
        let links = reach::links(&folders, &given);
        let answers = tokio::select! {
            answers = ask(&links) => answers?,
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
        };
        given.links = Some(answers);
    }
    let review = review(&folders, &given);
    match arguments.output {
        Output::Table => anstream::print!("{}", show::table(&review, arguments.notes, arguments.all)),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&review)?),
        Output::Github => anstream::print!("{}", show::github(&review)),
        Output::Markdown => anstream::print!("{}", show::markdown(&review, arguments.all)),
    }
    Ok(if review.valid() { Exit::Success } else { Exit::Failed })
}

/// Asks for all links, and says on stderr how far that is.
async fn ask(links: &BTreeSet<String>) -> anyhow::Result<Answers> {
    let talk = Talk::new();
    let progress = |done: usize, all: usize| {
        // Ten lines tell as much as a thousand.
        if done == all || done.is_multiple_of(all.div_ceil(10)) {
            talk.line("links", &format!("{done} of {all} pages asked"));
        }
    };
    let answers = Asker::new()?.ask(links, &progress).await;
    talk.clear();
    let count = |of: fn(&Reached) -> bool| answers.values().filter(|reached| of(reached)).count();
    let words = format!(
        "{} links: {} answer, {} have moved, {} could not be verified, {} are broken",
        answers.len(),
        count(|reached| matches!(reached, Reached::Fine)),
        count(|reached| matches!(reached, Reached::Moved(_))),
        count(|reached| matches!(reached, Reached::Unverified(_))),
        count(|reached| matches!(reached, Reached::Broken(_))),
    );
    talk.line("", &words);
    Ok(answers)
}
