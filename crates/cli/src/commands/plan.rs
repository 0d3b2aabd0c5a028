//! `aiconform plan` and `aiconform rbac`: what would run, without creating anything.

use crate::exit::Exit;
use crate::format::{self, Format};
use crate::select::{self, Selection};
use aiconform_cluster::Api;
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
    /// Namespace of the ServiceAccount
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Requirements to test [default: all that have a check]
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// File of an adapter whose permissions are needed too (TOML); can be given several times
    #[arg(long, value_name = "FILE")]
    adapter_file: Vec<Utf8PathBuf>,
}

/// Shows what would run.
pub async fn plan(arguments: PlanArguments) -> anyhow::Result<Exit> {
    let checks = arguments.selection.checks()?;
    let profile = arguments.selection.profile(&checks)?;
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
            anstream::println!("  it would not run; `aiconform rbac` prints the role that it needs");
        }
    }
    Ok(Exit::Success)
}

/// Prints the permissions of a run as Role objects.
pub fn rbac(arguments: &RoleArguments) -> anyhow::Result<Exit> {
    let checks: Vec<_> = aiconform_checks::CHECKS
        .iter()
        .copied()
        .filter(|check| arguments.only.is_empty() || arguments.only.iter().any(|id| id == check.id))
        .collect();
    let checks = select::with_files(&checks, &arguments.adapter_file)?;
    for object in aiconform_engine::role(&checks, &arguments.namespace) {
        anstream::print!("---\n{}", serde_saphyr::to_string(&object)?);
    }
    Ok(Exit::Success)
}
