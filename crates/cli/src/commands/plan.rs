//! `aiconform plan` and `aiconform rbac`: what would run, without creating anything.

use crate::exit::{Exit, UsageError};
use crate::format::{self, Format};
use crate::select::{Selection, Wishes, usage};
use aiconform_cluster::Api;
use aiconform_engine::{named, with_files};
use aiconform_model::Nowhere;
use camino::Utf8PathBuf;
use std::sync::Arc;

/// Arguments of `aiconform plan`.
#[derive(clap::Args)]
pub struct PlanArguments {
    #[command(flatten)]
    selection: Selection,
    /// Format
    #[arg(short = 'o', long = "output", value_enum, default_value_t)]
    output: Format,
}

/// Arguments of `aiconform rbac`.
#[derive(clap::Args)]
pub struct RoleArguments {
    /// Namespace of the ServiceAccount [default: the one that the profile names, else default]
    #[arg(long)]
    namespace: Option<String>,
    /// Requirements to test [default: all that have a check]
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// File of an adapter whose permissions are needed too (TOML); can be given several times
    #[arg(long, value_name = "FILE")]
    adapter_file: Vec<Utf8PathBuf>,
    #[command(flatten)]
    wishes: Wishes,
}

/// Shows what would run.
pub async fn plan(arguments: PlanArguments) -> anyhow::Result<Exit> {
    let checks = arguments.selection.checks()?;
    let (profile, checks) = arguments.selection.profile(&checks)?;
    let api = Api::new(arguments.selection.connect().await?, Arc::new(Nowhere));
    let plan = aiconform_engine::plan(&api, &checks, &profile).await?;
    if format::print(arguments.output, &plan)? {
        return Ok(Exit::Success);
    }
    anstream::println!("Kubernetes {}", plan.version);
    for check in &plan.checks {
        anstream::println!("\n{} (at most {} s)", check.requirement, check.limit);
        for subject in &check.subjects {
            let word = if subject.present { "would be tried" } else { "not here" };
            anstream::println!("  {}: {word}: {}", subject.subject, subject.says);
        }
        for sentence in &check.ground {
            anstream::println!("  {sentence}");
        }
        anstream::println!("  creates: {}", check.creates);
        for consent in &check.consents {
            let given = if consent.given {
                "given"
            } else {
                "not given: --consent or [consent] of the profile gives it"
            };
            anstream::println!("  needs consent to {} ({}): {given}", consent.name, consent.says);
        }
        for hindrance in &check.hindrances {
            anstream::println!("  would be hindered: {hindrance}");
        }
        for lacks in &check.lacks {
            anstream::println!("  you may not: {lacks}");
        }
        for lacks in &check.without {
            anstream::println!("  you may not, and it can do without: {lacks}");
        }
        if !check.lacks.is_empty() {
            anstream::println!(
                "  it would not run; `aiconform rbac`, with the same --profile, prints the role that it needs"
            );
        }
    }
    Ok(Exit::Success)
}

/// Prints the permissions of a run as Role objects: of any run, or of one with this profile and these consents.
pub fn rbac(arguments: &RoleArguments) -> anyhow::Result<Exit> {
    let checks = named(&arguments.only).map_err(usage)?;
    let checks = with_files(&checks, &arguments.adapter_file).map_err(usage)?;
    let (profile, checks) = arguments.wishes.profile(&checks)?;
    let namespace = match (&arguments.namespace, &profile.namespace) {
        (Some(given), Some(named)) if given != named => {
            return Err(UsageError(format!(
                "--namespace is {given}, and the profile names the namespace {named}, in which everything of a run is to be; leave --namespace out, or name the same"
            ))
            .into());
        }
        (given, named) => given.as_ref().or(named.as_ref()).map_or("default", String::as_str),
    };
    let wanted = (!arguments.wishes.is_open()).then_some(&profile);
    for object in aiconform_engine::role(&checks, wanted, namespace) {
        anstream::print!("---\n{}", serde_saphyr::to_string(&object)?);
    }
    Ok(Exit::Success)
}
