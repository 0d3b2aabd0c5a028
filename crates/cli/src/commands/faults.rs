//! `aiconform lab faults`: a broken lab for each fault of the checks, against one healthy twin.

mod bench;
mod compare;
mod ledger;
mod plan;
mod rotation;

use self::bench::{Bench, On, Rows, healthy};
use self::compare::Row;
use self::plan::{Made, Queue, Try};
use crate::commands::run::interrupt;
use crate::exit::{Exit, UsageError};
use crate::format::{self, Format};
use crate::select;
use crate::talk::Talk;
use aiconform_checks::{CHECKS, Check, Fault};
use aiconform_lab::{Kubernetes, Part, Status};
use camino::Utf8PathBuf;
use futures::future::join_all;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Arguments of `aiconform lab faults`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Breakages to try [default: all]
    names: Vec<String>,
    /// Requirements whose faults are tried [default: all that have a check]
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Also those that take many minutes, break what goes further than a MUST, or, where no requirement is named, need
    /// components that take long to build
    #[arg(long)]
    slow: bool,
    /// Only a part, of all requirements: the gravest of each MUST, and so many of the others, which follow each other from turn
    /// to turn
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["names", "slow"])]
    turn: Option<usize>,
    /// How many others a turn has
    #[arg(long, default_value_t = 16, requires = "turn", value_name = "COUNT")]
    others: usize,
    /// Version of the labs' Kubernetes: 1.34 to 1.37
    #[arg(long, default_value = "1.37", value_name = "VERSION")]
    kubernetes: Kubernetes,
    /// A lab that stands, on which all is tried: the user's own, from `lab up`
    #[arg(long, value_name = "LAB")]
    on: Option<String>,
    /// Without a run on the healthy lab first: then only what the faults say is compared
    #[arg(long, requires = "on")]
    no_twin: bool,
    /// Format
    #[arg(short = 'o', long = "output", value_enum, default_value_t)]
    output: Format,
    /// Labs that run side by side
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=8))]
    side_by_side: u32,
    /// Rounds of every repeated trial
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Seed of every order that is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the run folders: new or empty [default: a temporary one, removed afterwards]
    #[arg(long)]
    output_dir: Option<Utf8PathBuf>,
}

/// The faults that are to be tried.
fn chosen(arguments: &Arguments) -> anyhow::Result<Vec<(&'static Check, Fault)>> {
    let mut chosen: Vec<(&'static Check, Fault)> = Vec::new();
    if let Some(id) = arguments.only.iter().find(|id| aiconform_checks::check(id).is_none()) {
        let known: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
        return Err(UsageError(format!("there is no check {id:?}; there are: {}", known.join(", "))).into());
    }
    let checks: Vec<&'static Check> = CHECKS
        .iter()
        .copied()
        .filter(|check| arguments.only.is_empty() || arguments.only.iter().any(|id| id == check.id))
        .collect();
    for check in &checks {
        let faults = check.read_faults().map_err(|error| anyhow::anyhow!(error))?;
        chosen.extend(faults.into_iter().map(|fault| (*check, fault)));
    }
    for name in &arguments.names {
        if !chosen.iter().any(|(_, fault)| fault.breakage == *name) {
            let known: Vec<&str> = chosen.iter().map(|(_, fault)| fault.breakage.as_str()).collect();
            return Err(UsageError(format!(
                "no fault names the breakage {name:?}; there are: {}",
                known.join(", ")
            ))
            .into());
        }
    }
    chosen.retain(|(check, fault)| {
        let named = arguments.names.contains(&fault.breakage);
        let all = !arguments.only.is_empty() || arguments.turn.is_some();
        let quick = !fault.slow && (select::is_quick(check) || all);
        named || (arguments.names.is_empty() && (arguments.slow || quick))
    });
    Ok(chosen)
}

/// Runs the verb.
pub async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let mut tries = plan::tries(chosen(&arguments)?)?;
    let talk = Arc::new(Talk::new());
    if let Some(number) = arguments.turn {
        let turn = rotation::turn(tries, number, arguments.others);
        let (count, left) = (turn.tries.len(), turn.left.len());
        talk.line(
            "",
            &format!(
                "turn {number}: {count} are tried, {left} are left to other turns: {}",
                turn.left.join(", ")
            ),
        );
        tries = turn.tries;
    }
    let temporary = tempfile::tempdir()?;
    let folder = match &arguments.output_dir {
        Some(folder) => folder.clone(),
        None => Utf8PathBuf::try_from(temporary.path().to_owned())?,
    };
    let lab = arguments.on.as_deref().map(|name| standing(name, &tries)).transpose()?;
    let (queued, on_lab) = if lab.is_some() { (Vec::new(), tries) } else { (tries, Vec::new()) };
    let mut queue = Queue::new(queued);
    let bench = Bench {
        kubernetes: arguments.kubernetes,
        rounds: arguments.rounds,
        seed: arguments.seed,
        folder,
        talk,
        interrupt: interrupt(),
        ledger: RefCell::default(),
        twins: queue.twins(),
        queue: RefCell::new(queue),
        healthy: RefCell::default(),
    };
    let mut rows: Rows = match lab {
        Some(lab) => on(&bench, &lab, &on_lab, arguments.no_twin).await?,
        None => {
            let walks = (0..arguments.side_by_side).map(|_| bench.walk());
            join_all(walks).await.into_iter().flatten().collect()
        }
    };
    bench.talk.clear();
    if bench.is_interrupted() {
        return Ok(Exit::Interrupted);
    }
    rows.sort_by_key(|(number, _)| *number);
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    print(arguments.output, &rows)?;
    bench.ledger.into_inner().tell(&bench.talk);
    Ok(if rows.iter().all(|row| row.found) { Exit::Success } else { Exit::Failed })
}

fn print(output: Format, rows: &[Row]) -> anyhow::Result<()> {
    if format::print(output, &rows)? {
        return Ok(());
    }
    let cells = |row: &Row| {
        let found = if row.found { "found" } else { "MISSED" };
        let texts = [&row.name, &row.subject, &row.claim, &row.expected, &row.observed];
        let seconds = format!("{:.1}", row.seconds);
        texts.into_iter().cloned().chain([seconds, found.into()]).collect()
    };
    format::table(
        &["breakage", "subject", "claim", "expected", "observed", "seconds", ""],
        rows.iter().map(cells).collect(),
    );
    Ok(())
}

/// The user's lab of this name, which must be whole and have what these tries need.
fn standing(name: &str, tries: &[Try]) -> anyhow::Result<Status> {
    let lab = aiconform_lab::status(name).map_err(|error| UsageError(error.to_string()))?;
    if let Some(broken) = lab.breakages.first() {
        return Err(UsageError(format!(
            "the lab {name} is broken already ({}): heal it with `aiconform lab --name {name} heal`",
            broken.name()
        ))
        .into());
    }
    for tried in tries {
        if tried.is_of_birth() {
            return Err(UsageError(format!(
                "{} changes the API server, which a lab has from birth: try it without --on",
                tried.name()
            ))
            .into());
        }
        let lacks: Vec<&str> = tried.flavour.parts.difference(&lab.parts).map(|part| part.name()).collect();
        if !lacks.is_empty() || tried.flavour.fake_nodes > lab.fake_nodes {
            let parts: Vec<&str> = tried.flavour.parts.iter().map(|part| part.name()).collect();
            return Err(UsageError(format!(
                "{} needs a lab with more than {name} has: `aiconform lab --name NAME up --with {:?} --fake-nodes {}`",
                tried.name(),
                parts.join(","),
                tried.flavour.fake_nodes
            ))
            .into());
        }
    }
    Ok(lab)
}

/// Tries all of it on the user's lab, after its healthy twin.
async fn on(bench: &Bench, lab: &Status, tries: &[Try], no_twin: bool) -> anyhow::Result<Rows> {
    let parts: BTreeMap<_, _> = lab.parts.iter().map(|part: &Part| (part.name(), part.version())).collect();
    let on = On { name: lab.name.clone(), kubeconfig: lab.kubeconfig(), parts };
    let mut rows = Rows::new();
    let mut twin = None;
    if !no_twin {
        let mut spent = ledger::Spent::default();
        let judged = ledger::timed(&mut spent.run, bench.judge(&on, "twin", &Made::twin(tries))).await?;
        bench.ledger.borrow_mut().add("healthy twin", spent);
        rows.push((0, healthy("healthy twin", &judged).timed(spent)));
        twin = Some(Rc::new(judged));
    }
    for tried in tries {
        if bench.is_interrupted() {
            break;
        }
        match (tried.breakage, &twin) {
            (None, Some(twin)) => {
                rows.extend(bench.compared(tried, twin, Some(twin), ledger::Spent::default()))
            }
            (None, None) => {}
            (Some(_), twin) => {
                let (found, _) = bench.try_it(&on, tried, twin.as_ref()).await;
                rows.extend(found);
            }
        }
    }
    Ok(rows)
}
