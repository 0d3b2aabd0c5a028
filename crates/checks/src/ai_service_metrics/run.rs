//! Acts and marks phases; decides nothing.

mod backends;
mod workload;

use self::backends::{Backend, backends};
use self::workload::Workload;
use super::adapters::{IDS, Way, ways};
use super::answer::Series;
use super::history::{COUNTER, DECLARED, GAUGE, UNDECLARED, WHO};
use super::judge::SELECTED;
use crate::accelerators::blamed;
use crate::cx::{Cx, Detection, Preview, Stop};
use crate::profile::Profile;
use aiconform_cluster::{Api, Scratch};
use aiconform_model::{Bin, EventKind, Kind, Scope};
use aiconform_verdict::OWN_CONTROL;
use aiconform_wait::Wait;
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Id of the requirement.
pub const ID: &str = "ai_service_metrics";
/// Rest between two questions to the monitoring system.
const BETWEEN: Duration = Duration::from_millis(400);
/// How long the monitoring system may take to show something, unless the profile says otherwise: many scrape once a minute.
const PATIENCE: Duration = Duration::from_secs(150);
/// How long it may take to find what a monitor declares: the reloader that prometheus-operator puts beside Prometheus misses
/// changes of its configuration, and then reads it again every three minutes (its `--watch-interval`).
const OPERATED: Duration = Duration::from_secs(300);
/// How long it may take to answer at all.
const ANSWERS: Duration = Duration::from_secs(15);

/// What is there to be tried.
struct Found {
    ways: Vec<Way>,
    backends: Vec<Backend>,
    absent: Vec<(String, String)>,
}

async fn find(api: &Api, scope: &Scope, profile: &Profile, only: &[String]) -> Result<Found, Stop> {
    let is_wanted = |id: &str| only.is_empty() || only.iter().any(|wanted| wanted == id);
    let mut found = Found { ways: Vec::new(), backends: Vec::new(), absent: Vec::new() };
    match backends(api, scope, profile).await? {
        Ok(backends) => found.backends = backends,
        Err(why) => {
            found.absent =
                IDS.iter().filter(|id| is_wanted(id)).map(|id| ((*id).to_owned(), why.clone())).collect();
            return Ok(found);
        }
    }
    for (id, way) in ways(api, scope).await? {
        match way {
            _ if !is_wanted(id) => {}
            Ok(way) => found.ways.push(way),
            Err(why) => found.absent.push((id.into(), why)),
        }
    }
    Ok(found)
}

fn facts(way: &Way, backends: &[Backend]) -> Value {
    let monitoring: BTreeMap<&str, &str> =
        backends.iter().map(|backend| (backend.name.as_str(), backend.version.as_str())).collect();
    json!({"monitoring": monitoring, SELECTED: way.is_selected(), OWN_CONTROL: true})
}

/// Which subjects the cluster has.
pub async fn detect(api: &Api) -> Vec<(String, Detection)> {
    match find(api, &Scope::new(ID, ""), &Profile::default(), &[]).await {
        Ok(found) => {
            let present = found
                .ways
                .iter()
                .map(|way| (way.id().to_owned(), Detection::Present(facts(way, &found.backends))));
            let absent = found.absent.iter().map(|(id, why)| (id.clone(), Detection::Absent(why.clone())));
            present.chain(absent).collect()
        }
        Err(stop) => IDS.iter().map(|id| ((*id).to_owned(), Detection::Absent(stop.to_string()))).collect(),
    }
}

/// What would be asked.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    match find(api, &Scope::new(ID, ""), profile, &[]).await {
        Ok(found) => {
            let names =
                found.backends.iter().map(|backend| format!("{} ({})", backend.name, backend.version));
            let names: Vec<String> = names.collect();
            preview
                .ground
                .extend(found.ways.iter().map(|way| format!("{}: asked is {}", way.id(), names.join(", "))));
        }
        Err(stop) => preview.hindrances.push(stop.to_string()),
    }
    preview
}

/// Runs the check.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    cx.session.watch_own(&Kind::pod()).await?;
    let named = cx.options.named_of(IDS);
    let Found { ways, backends, absent } =
        find(cx.session.api(), &Scope::new(ID, ""), &cx.profile, &named).await?;
    for (id, why) in absent {
        let declared = named.contains(&id);
        cx.write(&Scope::new(ID, &id), EventKind::SubjectAbsent { why, declared });
    }
    let subjects: Vec<Subject<'_>> = ways
        .into_iter()
        .map(|way| Subject { cx, scope: Scope::new(ID, way.id()), way, backends: &backends })
        .collect();
    for subject in &subjects {
        let declared = named.contains(&subject.scope.subject);
        let facts = facts(&subject.way, &backends);
        cx.write(&subject.scope, EventKind::SubjectStarted { facts, control: false, declared });
    }
    join_all(subjects.iter().map(|subject| async move {
        if let Err(stop) = subject.act().await {
            cx.progress.tell(&subject.scope, &format!("stopped: {stop}"));
            cx.stopped(&subject.scope, &stop);
        }
        cx.write(&subject.scope, EventKind::SubjectEnded {});
    }))
    .await;
    Ok(())
}

/// One way of declaring.
struct Subject<'a> {
    cx: &'a Cx,
    scope: Scope,
    way: Way,
    backends: &'a [Backend],
}

impl Subject<'_> {
    fn phase(&self, phase: &str, data: Value) {
        self.cx.write(&self.scope, EventKind::Phase { phase: phase.into(), data });
    }

    fn tell(&self, words: &str) {
        self.cx.progress.tell(&self.scope, words);
    }

    fn patience(&self, usual: Duration) -> Duration {
        self.cx.profile.ai_service_metrics.patience_seconds.map_or(usual, Duration::from_secs)
    }

    async fn act(&self) -> Result<(), Stop> {
        let kinds = [vec![Kind::pod()], self.way.kinds()].concat();
        let scratch =
            self.cx.session.scratch(&self.scope, &format!("service-{}", self.way.word()), &kinds).await?;
        let done = self.measure(scratch.clone()).await;
        let done = blamed(&scratch, done).await;
        // What is deleted from here on is our own undoing, early or not.
        self.phase("over", json!({}));
        done
    }

    async fn measure(&self, scratch: Arc<Scratch>) -> Result<(), Stop> {
        let run = format!("{}-{}", self.cx.session.id(), self.way.word());
        self.tell("three pods serve metrics, two of them declare it");
        let workload = Workload::start(self.cx, scratch, &self.way, &run).await?;
        self.phase("made", workload.told());
        self.answering(&run).await?;
        self.phase("look", json!({}));
        let (backend, settled) = self.discover(&run).await;
        self.phase("found", json!({"settled": settled, "backend": backend.map(|backend| &backend.name)}));
        workload.ask_itself().await;
        let Some(backend) = backend else { return Ok(()) };
        self.tell("its pods are found; requests are sent");
        let seed = self.cx.options.seed;
        // Different for each pod, so that who is taken for whom shows.
        let sent = |batch: u64| {
            let drawn = (seed >> (8 * batch)) % 3;
            BTreeMap::from([(DECLARED[0], 3 + drawn), (DECLARED[1], 7 + drawn), (UNDECLARED, 2 + drawn)])
        };
        let mut wanted: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (number, batch) in ["first", "held", "released"].into_iter().enumerate() {
            let sent = if batch == "released" {
                BTreeMap::new()
            } else {
                sent(u64::try_from(number).unwrap_or_default())
            };
            self.phase(batch, json!({"sent": sent}));
            match batch {
                "released" => workload.release().await?,
                _ => workload.send(&sent, batch == "held").await?,
            }
            for (who, count) in &sent {
                let (done, running) = wanted.entry(who).or_default();
                *(if batch == "held" { running } else { done }) += count;
            }
            if batch == "released" {
                for (done, running) in wanted.values_mut() {
                    *done += std::mem::take(running);
                }
            }
            self.phase(&format!("{batch}_sent"), json!({}));
            let settled =
                self.settle(&run, backend, "the requests to be counted", |told| counted(told, &wanted)).await;
            self.phase(&format!("{batch}_settled"), json!({"settled": settled}));
            workload.ask_itself().await;
        }
        self.tell("requests are counted; one pod is deleted");
        self.phase("deleted", json!({"pod": workload.name(DECLARED[0])}));
        workload.end(DECLARED[0]).await?;
        self.phase("gone", json!({}));
        let settled = self.settle(&run, backend, "the pod that is gone to be told no more", gone).await;
        self.phase("gone_settled", json!({"settled": settled}));
        Ok(())
    }

    /// Waits until one of the monitoring systems answers a query at all.
    async fn answering(&self, run: &str) -> Result<(), Stop> {
        let ask = || async {
            let answers = join_all(self.backends.iter().map(|backend| backend.ask(&self.scope, run))).await;
            let whys: Vec<String> =
                answers.iter().filter_map(|answer| answer.as_ref().err().cloned()).collect();
            if whys.len() < answers.len() { Ok(()) } else { Err(whys.join("; ")) }
        };
        self.wait("the monitoring system to answer", ANSWERS).asking(BETWEEN, ask).await?;
        Ok(())
    }

    /// The monitoring system that shows the workload; and after how many milliseconds.
    async fn discover(&self, run: &str) -> (Option<&Backend>, Option<u64>) {
        let ask = || async {
            let answers = join_all(self.backends.iter().map(|backend| backend.ask(&self.scope, run))).await;
            let mut last = String::from("no series of it");
            for (backend, answer) in self.backends.iter().zip(answers) {
                match answer {
                    Ok(told) if DECLARED.iter().all(|who| has(&told, COUNTER, who)) => return Ok(backend),
                    Ok(told) => last = format!("{} series of it", told.len()),
                    Err(why) => last = why,
                }
            }
            Err(last)
        };
        let limit = self.patience(if self.way.is_selected() { OPERATED } else { PATIENCE });
        let found = self.wait("the workload to be found", limit).asking(BETWEEN, ask).await;
        match found {
            Ok(met) => (Some(met.value), u64::try_from(met.waited.as_millis()).ok()),
            Err(_) => (None, None),
        }
    }

    /// Waits until the monitoring system shows something, or for as long as it may take; in milliseconds.
    async fn settle(
        &self,
        run: &str,
        backend: &Backend,
        condition: &str,
        shows: impl Fn(&[Series]) -> Result<(), String> + Sync,
    ) -> Option<u64> {
        let ask = || async { shows(&backend.ask(&self.scope, run).await?) };
        let met = self.wait(condition, self.patience(PATIENCE)).asking(BETWEEN, ask).await.ok()?;
        u64::try_from(met.waited.as_millis()).ok()
    }

    fn wait(&self, condition: &str, limit: Duration) -> Wait<'_> {
        Wait {
            condition: condition.into(),
            bin: Bin::Platform,
            limit,
            sink: self.cx.session.api().sink().as_ref(),
            scope: &self.scope,
        }
    }
}

fn has(told: &[Series], name: &str, who: &str) -> bool {
    told.iter().any(|series| series.name == name && series.label(WHO) == who)
}

/// Whether what was sent is counted; else what is.
#[allow(clippy::cast_precision_loss, reason = "requests are far below 2^53")]
fn counted(told: &[Series], wanted: &BTreeMap<&str, (u64, u64)>) -> Result<(), String> {
    for who in DECLARED {
        let (done, running) = wanted.get(who).copied().unwrap_or_default();
        for (name, wanted) in [(COUNTER, done), (GAUGE, running)] {
            let of = told.iter().filter(|series| series.name == name && series.label(WHO) == who);
            let values: Vec<Option<f64>> = of.map(Series::number).collect();
            if values.is_empty() || values.iter().any(|value| *value != Some(wanted as f64)) {
                return Err(format!("{name} of {who} is {values:?}, {wanted} is expected"));
            }
        }
    }
    Ok(())
}

/// Whether the first pod is told no more, and the other still is.
fn gone(told: &[Series]) -> Result<(), String> {
    match (has(told, COUNTER, DECLARED[0]), has(told, COUNTER, DECLARED[1])) {
        (false, true) => Ok(()),
        (first, other) => Err(format!("series of the pod that is gone: {first}, of the other: {other}")),
    }
}
