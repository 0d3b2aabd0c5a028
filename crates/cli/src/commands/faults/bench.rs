//! Labs that stand while queues of breakages are tried on them: break, run, judge, heal, next. The healthy twin runs first
//! and last, and equal outcomes prove that healing heals.

use super::compare::{Row, alike, compare};
use super::ledger::{Ledger, Spent, timed};
use super::plan::{Flavour, Made, Queue, Try};
use crate::session::{self, Interrupt, Setup};
use crate::talk::Talk;
use aiconform_checks::{Check, Level, Options};
use aiconform_cluster::{Connection, Target};
use aiconform_lab::{Breakage, Kubernetes, Lab};
use aiconform_verdict::{Judgement, Verdict};
use camino::Utf8PathBuf;
use futures::FutureExt;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Rows, each with the number of its try, by which they are printed.
pub type Rows = Vec<(usize, Row)>;

/// Judgements of one run.
type Judged = Rc<Vec<Judgement>>;

/// Where all of one command is tried.
pub struct Bench {
    /// Version of the labs' Kubernetes.
    pub kubernetes: Kubernetes,
    /// Rounds of every repeated trial.
    pub rounds: u32,
    /// Seed of every order that is drawn.
    pub seed: u64,
    /// Folder for the run folders.
    pub folder: Utf8PathBuf,
    /// For people.
    pub talk: Arc<Talk>,
    /// When the user wants it to end.
    pub interrupt: Interrupt,
    /// Times that everything took.
    pub ledger: RefCell<Ledger>,
    /// Tries that wait for a lab.
    pub queue: RefCell<Queue>,
    /// Runs that are made on the healthy labs of each flavour.
    pub twins: BTreeMap<Flavour, Made>,
    /// Results of these, on the first lab that was up.
    pub healthy: RefCell<BTreeMap<Flavour, Judged>>,
}

impl Bench {
    /// Tells whether the user wants it to end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.clone().now_or_never().is_some()
    }

    /// Starts labs, one after the other, until nothing waits any more that is worth one.
    pub async fn walk(&self) -> Rows {
        let mut rows = Rows::new();
        while !self.is_interrupted() {
            let Some(flavour) = self.queue.borrow_mut().enter() else { break };
            // For what needs a lab from birth, the twin of another lab is as good.
            if self.queue.borrow().stands(&flavour) || !self.healthy.borrow().contains_key(&flavour) {
                rows.extend(self.on_lab(&flavour).await);
            }
            if !self.is_interrupted() && self.healthy.borrow().contains_key(&flavour) {
                rows.extend(self.born(&flavour).await);
            }
            self.queue.borrow_mut().leave(&flavour);
        }
        rows
    }

    /// One lab from its start to its end, and what is tried on it meanwhile.
    async fn on_lab(&self, flavour: &Flavour) -> Rows {
        let mut spent = Spent::default();
        let up = timed(&mut spent.lab_up, self.up(flavour, None)).await;
        let (lab, name) = match up {
            Ok(up) => up,
            Err(error) => return self.give_up(flavour, &error),
        };
        let mut rows = self.tried_on(&lab, &name, flavour, spent).await;
        if let Err(error) = lab.down().await {
            rows.push((usize::MAX, Row::missed(&format!("{name}: lab down"), "gone", &error.to_string())));
        }
        rows
    }

    /// A lab that does not start takes one try with it, so that the next lab comes nearer to the end.
    fn give_up(&self, flavour: &Flavour, error: &anyhow::Error) -> Rows {
        let mut queue = self.queue.borrow_mut();
        let next = queue.take(flavour, false).or_else(|| queue.take(flavour, true));
        next.map(|tried| self.missed(&tried, error)).unwrap_or_default()
    }

    async fn tried_on(&self, lab: &Lab, name: &str, flavour: &Flavour, mut spent: Spent) -> Rows {
        let Some(made) = self.twins.get(flavour) else { return Rows::new() };
        let on = On { name: name.into(), kubeconfig: lab.kubeconfig(), parts: lab.parts() };
        let run = format!("{name}-twin");
        let first = timed(&mut spent.run, self.judge(&on, &run, made)).await;
        let title = format!("healthy twin ({})", flavour.name());
        self.ledger.borrow_mut().add(&title, spent);
        let first = match first {
            Ok(judged) => Rc::new(judged),
            Err(error) => {
                let mut rows = self.give_up(flavour, &error);
                rows.insert(0, (0, Row::missed(&title, "passed", &error.to_string()).timed(spent)));
                return rows;
            }
        };
        let twin = self.healthy.borrow_mut().entry(flavour.clone()).or_insert(first.clone()).clone();
        let mut rows = vec![(0, healthy(&title, &first).timed(spent))];
        let mut broken = false;
        while !self.is_interrupted() {
            let Some(tried) = self.queue.borrow_mut().take(flavour, false) else { break };
            if tried.breakage.is_none() {
                // What is wrong with the healthy lab itself needs no other run.
                rows.extend(self.compared(&tried, &twin, Some(&twin), Spent::default()));
                continue;
            }
            broken = true;
            let (found, is_clean) = self.try_it(&on, &tried, Some(&twin)).await;
            rows.extend(found);
            if !is_clean {
                self.talk
                    .line("", &format!("{name}: is retired, so that nobody inherits what is wrong with it"));
                return rows;
            }
        }
        if broken && !self.is_interrupted() {
            rows.extend(self.again(&on, flavour, made, &first).await);
        }
        rows
    }

    /// The healthy twin once more, after all was broken and healed.
    async fn again(&self, on: &On, flavour: &Flavour, made: &Made, first: &[Judgement]) -> Rows {
        let title = format!("healthy twin again ({})", flavour.name());
        let mut spent = Spent::default();
        let run = format!("{}-twin-again", on.name);
        let last = timed(&mut spent.run, self.judge(on, &run, made)).await;
        self.ledger.borrow_mut().add(&title, spent);
        let rows = match last {
            Ok(last) => alike(&title, first, &last),
            Err(error) => vec![Row::missed(&title, "as at first", &error.to_string())],
        };
        for row in rows.iter().filter(|row| !row.found) {
            self.talk.line("", &format!("{title}: MISSED: {} {}: {}", row.subject, row.claim, row.why));
        }
        rows.into_iter().map(|row| (usize::MAX, row.timed(spent))).collect()
    }

    /// Breakages that a lab has from birth or never: a lab for each.
    async fn born(&self, flavour: &Flavour) -> Rows {
        let mut rows = Rows::new();
        while !self.is_interrupted() {
            let Some(tried) = self.queue.borrow_mut().take(flavour, true) else { break };
            let twin = self.healthy.borrow().get(flavour).cloned();
            let mut spent = Spent::default();
            let up = timed(&mut spent.lab_up, self.up(flavour, tried.breakage)).await;
            let judged = match up {
                Ok((lab, name)) => {
                    let on = On { name, kubeconfig: lab.kubeconfig(), parts: lab.parts() };
                    let run = format!("{}-{}", tried.number, tried.name());
                    let judged = timed(&mut spent.run, self.judge(&on, &run, &tried.made)).await;
                    let down = lab.down().await.map_err(anyhow::Error::from);
                    judged.and_then(|judged| down.map(|()| judged))
                }
                Err(error) => Err(error),
            };
            self.ledger.borrow_mut().add(tried.name(), spent);
            rows.extend(match judged {
                Ok(judged) => self.compared(&tried, &judged, twin.as_ref(), spent),
                Err(error) => self.missed(&tried, &error),
            });
        }
        rows
    }

    /// Breaks a lab that stands, runs, judges and heals; and whether the lab may go on.
    pub async fn try_it(&self, on: &On, tried: &Try, twin: Option<&Judged>) -> (Rows, bool) {
        let mut spent = Spent::default();
        let breakages: Vec<Breakage> = tried.breakage.into_iter().collect();
        let broken = timed(&mut spent.breaking, aiconform_lab::break_lab(&on.name, &breakages)).await;
        let run = format!("{}-{}", tried.number, tried.name());
        let judged = match broken {
            Ok(()) => timed(&mut spent.run, self.judge(on, &run, &tried.made)).await,
            Err(error) => Err(error.into()),
        };
        // Whatever became of the run: the lab may be the user's own.
        let healed = timed(&mut spent.healing, aiconform_lab::heal(&on.name)).await;
        self.ledger.borrow_mut().add(tried.name(), spent);
        let mut rows = match judged {
            Ok(judged) => self.compared(tried, &judged, twin, spent),
            Err(error) => self.missed(tried, &error),
        };
        if let Err(error) = healed {
            let name = format!("{}: healing", tried.name());
            self.talk.line("", &format!("{name}: MISSED: {error}"));
            rows.push((tried.number, Row::missed(&name, "healed", &error.to_string()).timed(spent)));
        }
        let is_clean = rows.iter().all(|(_, row)| row.found);
        (rows, is_clean)
    }

    /// The rows of a run that was judged.
    pub fn compared(&self, tried: &Try, judged: &[Judgement], twin: Option<&Judged>, spent: Spent) -> Rows {
        let of = |all: &[Judgement], check: &Check| {
            all.iter().find(|judgement| judgement.requirement == check.id).cloned()
        };
        let mut rows = Rows::new();
        for (check, fault) in &tried.group {
            let name = if fault.variant.is_empty() {
                format!("{}: {}", check.id, fault.breakage)
            } else {
                format!("{}: {} ({})", check.id, fault.breakage, fault.variant)
            };
            let found = match of(judged, check) {
                Some(judgement) => {
                    compare(&name, fault, &judgement, twin.and_then(|twin| of(twin, check)).as_ref())
                }
                None => vec![Row::missed(&name, &fault.verdict, "nothing was judged")],
            };
            let missed: Vec<&Row> = found.iter().filter(|row| !row.found).collect();
            for row in &missed {
                let what = [row.subject.as_str(), &row.claim].join(" ");
                self.talk.line("", &format!("{name}: MISSED: {what}: {}: {}", row.observed, row.why));
            }
            if missed.is_empty() {
                self.talk.line("", &format!("{name}: found ({:.0} s)", spent.seconds()));
            }
            rows.extend(found.into_iter().map(|row| (tried.number, row.timed(spent))));
        }
        rows
    }

    /// The rows of a try that could not be made.
    fn missed(&self, tried: &Try, error: &anyhow::Error) -> Rows {
        let row = |(check, fault): &(&'static Check, aiconform_checks::Fault)| {
            let name = format!("{}: {}", check.id, fault.breakage);
            self.talk.line("", &format!("{name}: could not be tried: {error:#}"));
            (tried.number, Row::missed(&name, &fault.verdict, &format!("{error:#}")))
        };
        tried.group.iter().map(row).collect()
    }

    async fn up(&self, flavour: &Flavour, breakage: Option<Breakage>) -> anyhow::Result<(Lab, String)> {
        self.ledger.borrow_mut().labs += 1;
        let name = format!("faults{}-{}", self.ledger.borrow().labs, std::process::id());
        let options = aiconform_lab::Options {
            name: name.clone(),
            outlive: false,
            breakages: breakage.into_iter().collect(),
            kubernetes: self.kubernetes,
            nodes: vec![aiconform_lab::Node::plain(0)],
            fake_nodes: flavour.fake_nodes,
            parts: flavour.parts.clone(),
            pose: None,
        };
        let talk = self.talk.named(&name);
        tokio::select! {
            lab = aiconform_lab::up(&options, &talk) => Ok((lab?, name)),
            () = self.interrupt.clone() => anyhow::bail!("interrupted"),
        }
    }

    /// A run on a lab, judged.
    pub async fn judge(&self, on: &On, run: &str, made: &Made) -> anyhow::Result<Vec<Judgement>> {
        let target = Target { kubeconfig: Some(on.kubeconfig.clone()), context: None };
        let setup = Setup {
            connection: Connection::open(&target).await?,
            lab: true,
            parts: on.parts.clone(),
            release: "1.37".into(),
            checks: made.checks.clone(),
            profile: made.profile.clone(),
            options: Options {
                adapters: made.adapters.clone(),
                level: Level::Must,
                trials: made.trials.clone(),
                rounds: self.rounds,
                size: aiconform_checks::GANG_SIZE,
                seed: self.seed,
            },
            path: self.folder.join(run),
            talk: Arc::new(self.talk.named(run)),
            interrupt: self.interrupt.clone(),
        };
        let (end, judged) = session::run(setup).await?;
        if end.interrupted {
            anyhow::bail!("interrupted");
        }
        if !end.left.is_empty() {
            anyhow::bail!("{run}: could not be removed: {}", end.left.join("; "));
        }
        Ok(judged.report.requirements.into_iter().map(|judged| judged.judgement).collect())
    }
}

/// A lab that stands.
pub struct On {
    /// Its name.
    pub name: String,
    /// Its kubeconfig.
    pub kubeconfig: Utf8PathBuf,
    /// Parts that it has: name and version.
    pub parts: BTreeMap<&'static str, &'static str>,
}

/// The row of a healthy lab.
pub fn healthy(title: &str, twin: &[Judgement]) -> Row {
    let all = |word: fn(&Judgement) -> &str, with: &str| twin.iter().map(word).collect::<Vec<_>>().join(with);
    Row {
        name: title.into(),
        expected: "passed".into(),
        observed: all(|judgement| judgement.word(), ", "),
        found: twin.iter().all(|judgement| judgement.verdict == Verdict::Passed),
        why: all(|judgement| &judgement.why, "; "),
        ..Row::default()
    }
}
