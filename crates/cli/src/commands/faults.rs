//! `aiconform lab faults`: a broken lab for each fault of the checks, against one healthy twin.

mod compare;

use self::compare::{Row, compare};
use crate::commands::run::{fake_nodes, interrupt};
use crate::exit::{Exit, UsageError};
use crate::format::{self, Format};
use crate::select;
use crate::session::{self, Interrupt, Setup};
use crate::talk::Talk;
use aiconform_checks::{CHECKS, Check, Fault, Level, Options, Profile};
use aiconform_cluster::{Connection, Target};
use aiconform_lab::{Breakage, Kubernetes, Part};
use aiconform_verdict::{Judgement, Verdict};
use camino::Utf8PathBuf;
use futures::future::{LocalBoxFuture, Shared, join_all};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::Semaphore;

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
    /// Version of the labs' Kubernetes: 1.36 or 1.37
    #[arg(long, default_value = "1.37", value_name = "VERSION")]
    kubernetes: Kubernetes,
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

/// What a lab is made like, and what is run on it.
struct Made {
    breakage: Option<Breakage>,
    checks: Vec<&'static Check>,
    adapters: Vec<String>,
    trials: Vec<String>,
    profile: Profile,
}

/// The healthy twin, judged once and awaited by everyone.
type Twin<'a> = Shared<LocalBoxFuture<'a, Result<Arc<Vec<Judgement>>, Arc<anyhow::Error>>>>;

fn told(error: Arc<anyhow::Error>) -> anyhow::Error {
    Arc::try_unwrap(error).unwrap_or_else(|shared| anyhow::anyhow!("the healthy twin: {shared:#}"))
}

/// Faults of one breakage that are tried on one lab: several checks may say what it does.
type Group = Vec<(&'static Check, Fault)>;

/// Whether it needs a lab with a part whose API other parts serve elsewhere, and so a twin of its own.
fn is_apart(fault: &Fault) -> bool {
    fault.adapters.iter().filter_map(|id| Part::named(id)).any(Part::is_apart)
}

/// Puts together what can be tried in one run: the same breakage in the same way, and each check once.
fn grouped(chosen: Vec<(&'static Check, Fault)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (check, fault) in chosen {
        let fits = |group: &&mut Group| {
            group.iter().all(|(other, there)| {
                let alike = there.breakage == fault.breakage
                    && is_apart(there) == is_apart(&fault)
                    && (&there.trials, &there.profile) == (&fault.trials, &fault.profile);
                alike && other.id != check.id
            })
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push((check, fault)),
            None => groups.push(vec![(check, fault)]),
        }
    }
    groups
}

struct Bench {
    arguments: Arguments,
    /// Labs that may be up.
    labs: Semaphore,
    folder: Utf8PathBuf,
    talk: Arc<Talk>,
    interrupt: Interrupt,
}

/// Runs the verb.
pub async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let mut chosen: Vec<(&'static Check, Fault)> = Vec::new();
    if let Some(id) = arguments.only.iter().find(|id| aiconform_checks::check(id).is_none()) {
        let known: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
        return Err(UsageError(format!("there is no check {id:?}; there are: {}", known.join(", "))).into());
    }
    let mut checks: Vec<&'static Check> = CHECKS
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
        let quick = !fault.slow && (select::is_quick(check) || !arguments.only.is_empty());
        named || (arguments.names.is_empty() && (arguments.slow || quick))
    });
    // The twin has no more than what is compared with it.
    checks.retain(|check| chosen.iter().any(|(other, _)| other.id == check.id));
    let temporary = tempfile::tempdir()?;
    let folder = match &arguments.output_dir {
        Some(folder) => folder.clone(),
        None => Utf8PathBuf::try_from(temporary.path().to_owned())?,
    };
    let labs = Semaphore::new(usize::try_from(arguments.side_by_side)?);
    let bench = Bench { arguments, labs, folder, talk: Arc::new(Talk::new()), interrupt: interrupt() };

    bench.talk.line("", "the healthy twin");
    // A twin tries what its faults try, and nothing else.
    let healthy = |apart: bool| {
        let own: Vec<_> = chosen.iter().filter(|(_, fault)| is_apart(fault) == apart).collect();
        let tried = |list: fn(&Fault) -> &Vec<String>| -> Vec<String> {
            let all: BTreeSet<&String> = own.iter().flat_map(|(_, fault)| list(fault)).collect();
            all.into_iter().cloned().collect()
        };
        let is_tried = |check: &&&Check| own.iter().any(|(other, _)| other.id == check.id);
        (!own.is_empty()).then(|| Made {
            breakage: None,
            checks: checks.iter().filter(is_tried).copied().collect(),
            adapters: tried(|fault| &fault.adapters),
            trials: tried(|fault| &fault.trials),
            profile: Profile::default(),
        })
    };
    let twins: BTreeMap<bool, Made> =
        [false, true].into_iter().filter_map(|apart| Some((apart, healthy(apart)?))).collect();
    let twins: BTreeMap<bool, Twin> = twins
        .iter()
        .map(|(apart, made)| {
            let (run, bench) = (if *apart { "twin-apart" } else { "twin" }, &bench);
            let name = format!("fault{run}-{}", std::process::id());
            let judged = async move { bench.lab(&name, run, made).await };
            (*apart, judged.map(|judged| judged.map(Arc::new).map_err(Arc::new)).boxed_local().shared())
        })
        .collect();
    let groups = grouped(chosen);
    let tried: FuturesUnordered<_> = groups
        .iter()
        .enumerate()
        .map(|(number, group)| {
            let (bench, twins) = (&bench, &twins);
            async move {
                let apart = group.first().is_some_and(|(_, fault)| is_apart(fault));
                (number, bench.rows(number, group, &twins[&apart]).await)
            }
        })
        .collect();
    // Their labs are the first; whatever becomes of them, the others come to their end and leave nothing.
    let judged = join_all(twins.values().cloned());
    let (judged, mut rows): (_, Vec<(usize, Vec<Row>)>) = futures::join!(judged, tried.collect());
    if bench.interrupt.clone().now_or_never().is_some() {
        return Ok(Exit::Interrupted);
    }
    let judged: Vec<_> = judged.into_iter().map(|judged| judged.map_err(told)).collect::<Result<_, _>>()?;
    let twin: Vec<&Judgement> = judged.iter().flat_map(|judged| judged.iter()).collect();
    let healthy = twin.iter().all(|judgement| judgement.verdict == Verdict::Passed);
    rows.sort_by_key(|(number, _)| *number);
    let mut rows: Vec<Row> = rows.into_iter().flat_map(|(_, rows)| rows).collect();
    rows.insert(
        0,
        Row {
            name: "healthy twin".into(),
            claim: String::new(),
            subject: String::new(),
            expected: "passed".into(),
            observed: twin.iter().map(|judgement| judgement.word()).collect::<Vec<_>>().join(", "),
            found: healthy,
            why: twin.iter().map(|judgement| judgement.why.as_str()).collect::<Vec<_>>().join("; "),
        },
    );
    if !format::print(bench.arguments.output, &rows)? {
        let cells = |row: &Row| {
            let found = if row.found { "found" } else { "MISSED" };
            vec![
                row.name.clone(),
                row.subject.clone(),
                row.claim.clone(),
                row.expected.clone(),
                row.observed.clone(),
                found.into(),
            ]
        };
        format::table(
            &["breakage", "subject", "claim", "expected", "observed", ""],
            rows.iter().map(cells).collect(),
        );
    }
    Ok(if rows.iter().all(|row| row.found) { Exit::Success } else { Exit::Failed })
}

impl Bench {
    /// A lab, a run on it, and the lab's end; without a fault it is healthy, and everything that a fault may name is
    /// tried.
    async fn lab(&self, lab_name: &str, run_name: &str, made: &Made) -> anyhow::Result<Vec<Judgement>> {
        let _permit = self.labs.acquire().await?;
        let adapters = &made.adapters;
        let options = aiconform_lab::Options {
            name: lab_name.into(),
            outlive: false,
            breakages: made.breakage.into_iter().collect(),
            kubernetes: self.arguments.kubernetes,
            fake_nodes: fake_nodes(Level::Must, &made.trials),
            parts: select::parts(&made.checks, adapters, Level::Must),
            pose: None,
        };
        let talk = Arc::new(self.talk.named(run_name));
        let lab = tokio::select! {
            lab = aiconform_lab::up(&options, talk.as_ref()) => lab?,
            () = self.interrupt.clone() => anyhow::bail!("interrupted"),
        };
        let target = Target { kubeconfig: Some(lab.kubeconfig()), context: None };
        let result = match Connection::open(&target).await {
            Ok(connection) => {
                let setup = Setup {
                    connection,
                    lab: true,
                    parts: lab.parts(),
                    release: "1.37".into(),
                    checks: made.checks.clone(),
                    profile: made.profile.clone(),
                    options: Options {
                        adapters: adapters.clone(),
                        level: Level::Must,
                        trials: made.trials.clone(),
                        rounds: self.arguments.rounds,
                        size: aiconform_checks::GANG_SIZE,
                        seed: self.arguments.seed,
                    },
                    path: self.folder.join(run_name),
                    talk,
                    interrupt: self.interrupt.clone(),
                };
                session::run(setup).await
            }
            Err(error) => Err(error.into()),
        };
        lab.down().await?;
        let (end, judged) = result?;
        if end.interrupted {
            anyhow::bail!("interrupted");
        }
        if !end.left.is_empty() {
            anyhow::bail!("{run_name}: could not be removed: {}", end.left.join("; "));
        }
        Ok(judged.report.requirements.into_iter().map(|judged| judged.judgement).collect())
    }

    /// The rows of the faults of one lab; those that could not be tried are missed, and the others go on.
    async fn rows(&self, number: usize, group: &Group, twin: &Twin<'_>) -> Vec<Row> {
        self.try_faults(number, group, twin).await.unwrap_or_else(|error| {
            let missed = group.iter().map(|(_, fault)| {
                self.talk.line("", &format!("{}: could not be tried: {error}", fault.breakage));
                Row {
                    name: fault.breakage.clone(),
                    claim: String::new(),
                    subject: String::new(),
                    expected: fault.verdict.clone(),
                    observed: "could not be tried".into(),
                    found: false,
                    why: error.to_string(),
                }
            });
            missed.collect()
        })
    }

    async fn try_faults(&self, number: usize, group: &Group, twin: &Twin<'_>) -> anyhow::Result<Vec<Row>> {
        let (check, fault) = group.first().ok_or_else(|| anyhow::anyhow!("nothing is to be tried"))?;
        // What is wrong with the healthy lab itself needs no other.
        let judged = if fault.breakage == "none" {
            twin.clone().await.map_err(told)?
        } else {
            let breakage = Breakage::named(&fault.breakage).ok_or_else(|| {
                anyhow::anyhow!("{}: the lab knows no breakage {}", check.id, fault.breakage)
            })?;
            let made = Made {
                breakage: Some(breakage),
                checks: group.iter().map(|(check, _)| *check).collect(),
                adapters: group.iter().flat_map(|(_, fault)| fault.adapters.clone()).collect(),
                trials: fault.trials.clone(),
                profile: Profile::parse(&fault.profile, "faults.toml")?,
            };
            let run = format!("{number}-{}", fault.breakage);
            Arc::new(self.lab(&format!("fault{number}-{}", std::process::id()), &run, &made).await?)
        };
        let twin = twin.clone().await.map_err(told)?;
        let of = |all: &[Judgement], check: &Check| {
            all.iter().find(|judgement| judgement.requirement == check.id).cloned()
        };
        let mut rows = Vec::new();
        for (check, fault) in group {
            let name = if fault.variant.is_empty() {
                format!("{}: {}", check.id, fault.breakage)
            } else {
                format!("{}: {} ({})", check.id, fault.breakage, fault.variant)
            };
            let judgement =
                of(&judged, check).ok_or_else(|| anyhow::anyhow!("{name}: nothing was judged"))?;
            let found = compare(&name, fault, &judgement, of(&twin, check).as_ref());
            let missed: Vec<&Row> = found.iter().filter(|row| !row.found).collect();
            for row in &missed {
                let what = [row.subject.as_str(), &row.claim].join(" ");
                self.talk.line("", &format!("{name}: MISSED: {what}: {}: {}", row.observed, row.why));
            }
            if missed.is_empty() {
                self.talk.line("", &format!("{name}: found"));
            }
            rows.extend(found);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_one_breakage_share_a_lab_and_no_check_is_tried_twice_on_it() {
        let all = CHECKS
            .iter()
            .flat_map(|check| check.read_faults().unwrap().into_iter().map(move |fault| (*check, fault)));
        let all: Vec<(&'static Check, Fault)> = all.collect();
        let groups = grouped(all.clone());
        assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), all.len());
        assert!(groups.len() < all.len(), "no breakage is known to two checks");
        for group in groups {
            let ids: BTreeSet<&str> = group.iter().map(|(check, _)| check.id).collect();
            assert_eq!(ids.len(), group.len());
            assert!(group.iter().all(|(_, fault)| fault.breakage == group[0].1.breakage));
        }
    }
}
