//! Acts and marks phases; decides nothing.

mod backends;
mod workload;

use self::backends::{Backend, backends};
use self::workload::{Place, Workload};
use crate::adapters::{IDS, Way, ways};
use crate::answer::Series;
use crate::limits::{FIND, FIND_SELECTED, SHOW};
use crate::marks::{Batch, ByPod, COUNTER, DECLARED, Facts, GAUGE, ID, Mark, UNDECLARED, WHO};
use aiconform_accelerators::blamed;
use aiconform_check::cx::{Cx, Detection, Preview, Stop};
use aiconform_check::land::land;
use aiconform_check::profile::Profile;
use aiconform_check::subject::{Candidate, Started, all, start};
use aiconform_cluster::{Api, Scratch};
use aiconform_model::{Bin, Kind, Scope};
use aiconform_trial::Limit;
use aiconform_verdict::OWN_CONTROL;
use aiconform_wait::Wait;
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Rest between two questions to the monitoring system.
const BETWEEN: Duration = Duration::from_millis(400);
/// Longest time for the monitoring system to answer at all.
const ANSWERS: Duration = Duration::from_secs(15);
/// Time that pods of the workload may run beside the waits.
const SPARE: Duration = Duration::from_secs(600);

/// Ways of declaring and monitoring systems that are there to be tried.
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
    let monitoring = backends.iter().map(|backend| (backend.name.clone(), backend.version.clone())).collect();
    let mut facts = json!(Facts { monitoring, selected: way.is_selected() });
    facts[OWN_CONTROL] = json!(true);
    facts
}

/// Finds the subjects that the cluster has.
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

/// Tells what would be asked.
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
    let candidate = |id: &str, found| Candidate {
        id: id.to_owned(),
        control: false,
        declared: named.iter().any(|named| named == id),
        facts: Value::Null,
        found: Ok(found),
        with: (),
    };
    start(cx, ID, absent.into_iter().map(|(id, why)| candidate(&id, Detection::Absent(why))));
    let backends = backends.as_slice();
    let node = match ways.is_empty() {
        true => String::new(),
        false => land(cx.session.api(), &Scope::new(ID, ""), &cx.profile).await?.node.name().to_owned(),
    };
    let node = node.as_str();
    let ways = ways.into_iter().map(|way| {
        let Candidate { id, control, declared, facts, found, .. } =
            candidate(way.id(), Detection::Present(facts(&way, backends)));
        Candidate { id, control, declared, facts, found, with: way }
    });
    let started = start(cx, ID, ways);
    all(cx, started, |Started { scope, with: way, .. }| async move {
        Subject { cx, scope, way, backends, node }.act().await
    })
    .await;
    Ok(())
}

/// One way of declaring.
struct Subject<'a> {
    cx: &'a Cx,
    scope: Scope,
    way: Way,
    backends: &'a [Backend],
    /// Node of its pods: they buy no machine.
    node: &'a str,
}

impl Subject<'_> {
    fn mark(&self, mark: &Mark) {
        self.cx.mark(&self.scope, mark);
    }

    fn tell(&self, words: &str) {
        self.cx.progress.tell(&self.scope, words);
    }

    /// Time for which something is watched for that has a limit.
    fn watched(&self, limit: &Limit) -> Duration {
        self.cx.limit(limit).watched()
    }

    async fn act(&self) -> Result<(), Stop> {
        let kinds = [vec![Kind::pod()], self.way.kinds()].concat();
        let scratch =
            self.cx.session.scratch(&self.scope, &format!("service-{}", self.way.word()), &kinds).await?;
        let done = self.measure(scratch.clone()).await;
        let done = blamed(&scratch, done).await;
        // What is deleted from here on is our own undoing, early or not.
        self.mark(&Mark::Over {});
        done
    }

    async fn measure(&self, scratch: Arc<Scratch>) -> Result<(), Stop> {
        let run = format!("{}-{}", self.cx.session.id(), self.way.word());
        self.tell("three pods serve metrics, two of them declare it");
        // A pod that is left behind ends by itself once everything would have had its time.
        let watched = self.watched(if self.way.is_selected() { &FIND_SELECTED } else { &FIND });
        let deadline = SPARE + watched + 4 * self.watched(&SHOW);
        let place = Place { node: self.node, deadline };
        let workload = Workload::start(self.cx, scratch, &self.way, &run, &place).await?;
        self.mark(&Mark::Made(workload.made()));
        self.answering(&run).await?;
        self.mark(&Mark::Look {});
        let (backend, settled) = self.discover(&run).await;
        let name = backend.map(|backend| backend.name.clone());
        self.mark(&Mark::Found { settled, backend: name });
        workload.ask_itself().await;
        let Some(backend) = backend else { return Ok(()) };
        self.tell("its pods are found; requests are sent");
        let mut wanted: ByPod<Counts> = ByPod::new();
        for batch in Batch::ALL {
            let sent = self.drawn(batch);
            self.mark(&Mark::of_batch(batch, sent.clone()));
            match batch {
                Batch::Released => workload.release().await?,
                _ => workload.send(&sent, batch == Batch::Held).await?,
            }
            for (who, count) in sent {
                let counts = wanted.entry(who).or_default();
                *(if batch == Batch::Held { &mut counts.running } else { &mut counts.done }) += count;
            }
            if batch == Batch::Released {
                for counts in wanted.values_mut() {
                    counts.done += std::mem::take(&mut counts.running);
                }
            }
            self.mark(&Mark::sent(batch));
            let shows = |series: &[Series]| counted(series, &wanted);
            let settled = self.settle(&run, backend, "the requests to be counted", shows).await;
            self.mark(&Mark::settled(batch, settled));
            workload.ask_itself().await;
        }
        self.tell("requests are counted; one pod is deleted");
        self.mark(&Mark::Deleted { pod: workload.name(DECLARED[0]).to_owned() });
        workload.end(DECLARED[0]).await?;
        self.mark(&Mark::Gone {});
        let settled = self.settle(&run, backend, "the pod that is gone to be told no more", gone).await;
        self.mark(&Mark::GoneSettled { settled });
        Ok(())
    }

    /// Requests that a batch sends to each pod: different numbers, so that who is taken for whom shows.
    fn drawn(&self, batch: Batch) -> ByPod<u64> {
        if batch == Batch::Released {
            return ByPod::new();
        }
        let drawn = (self.cx.options.seed >> (8 * batch as u64)) % 3;
        let sent = [(DECLARED[0], 3 + drawn), (DECLARED[1], 7 + drawn), (UNDECLARED, 2 + drawn)];
        sent.into_iter().map(|(who, count)| (who.to_owned(), count)).collect()
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
                    Ok(series) if DECLARED.iter().all(|who| has(&series, COUNTER, who)) => {
                        return Ok(backend);
                    }
                    Ok(series) => last = format!("{} series of it", series.len()),
                    Err(why) => last = why,
                }
            }
            Err(last)
        };
        let limit = self.watched(if self.way.is_selected() { &FIND_SELECTED } else { &FIND });
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
        let met = self.wait(condition, self.watched(&SHOW)).asking(BETWEEN, ask).await.ok()?;
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

/// Requests of a pod that are to be counted.
#[derive(Clone, Copy, Default)]
struct Counts {
    done: u64,
    running: u64,
}

fn has(series: &[Series], name: &str, who: &str) -> bool {
    series.iter().any(|series| series.name == name && series.label(WHO) == who)
}

/// Nothing where what was sent is counted; else what is.
#[allow(clippy::cast_precision_loss, reason = "requests are far below 2^53")]
fn counted(series: &[Series], wanted: &ByPod<Counts>) -> Result<(), String> {
    for who in DECLARED {
        let Counts { done, running } = wanted.get(who).copied().unwrap_or_default();
        for (name, wanted) in [(COUNTER, done), (GAUGE, running)] {
            let of = series.iter().filter(|series| series.name == name && series.label(WHO) == who);
            let values: Vec<Option<f64>> = of.map(Series::number).collect();
            if values.is_empty() || values.iter().any(|value| *value != Some(wanted as f64)) {
                let told =
                    values.iter().map(|value| value.map_or("no number".into(), |value| value.to_string()));
                let told = told.collect::<Vec<String>>().join(" and ");
                let told = if told.is_empty() { "not told" } else { &told };
                return Err(format!("{name} of {who} is {told}, {wanted} is expected"));
            }
        }
    }
    Ok(())
}

/// Nothing where the first pod has no series any more, and the other still has; else who has.
fn gone(series: &[Series]) -> Result<(), String> {
    match (has(series, COUNTER, DECLARED[0]), has(series, COUNTER, DECLARED[1])) {
        (false, true) => Ok(()),
        (first, other) => Err(format!("series of the pod that is gone: {first}, of the other: {other}")),
    }
}
