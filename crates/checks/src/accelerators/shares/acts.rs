//! Acts on shares and marks phases; decides nothing.

use super::offers::{Maker, Shares, find};
use crate::accelerators::{Container, Probe, ProbePod, Way, blamed, clear};
use crate::cx::{Cx, Detection, Preview, Stop};
use crate::gang_scheduling::ground::pods_on;
use aiconform_cluster::{Api, Scratch, demand};
use aiconform_model::probe::LookFor;
use aiconform_model::{Bin, EventKind, Kind, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Pods that are given a share each, at most: when there are more shares than that, one more pod asks for all that is left
/// and one.
const MOST: u64 = 8;
/// How long each device works at a time, in milliseconds.
const WORK: u64 = 100;
/// Longest time until the scheduler has said no, or a device that is free again is given.
const PATIENCE: Duration = Duration::from_secs(30);

/// A requirement about shares.
pub struct Sharing {
    /// Id of its check.
    pub check: &'static str,
    /// The strategies that it knows: its subjects.
    pub strategies: &'static [&'static str],
    /// How makers name them.
    pub makers: fn() -> &'static [Maker],
    /// What is to be said when a strategy is not offered.
    pub absent: &'static str,
}

impl Sharing {
    async fn offers(&self, api: &Api, scope: &Scope) -> Result<Vec<(&'static str, Vec<Shares>)>, Stop> {
        let found = find(api, scope, (self.makers)()).await?;
        let of = |strategy: &&'static str| {
            (*strategy, found.iter().filter(|offer| offer.strategy == *strategy).cloned().collect())
        };
        Ok(self.strategies.iter().map(of).collect())
    }
}

/// What identifies a subject: the offer that is tried, and the others.
fn facts(offers: &[Shares]) -> Option<Value> {
    let (tried, others) = offers.split_first()?;
    let others: Vec<Value> = others.iter().map(Shares::told).collect();
    Some(json!({"offer": tried.told(), "others": others, "tried": tried.tried, OWN_CONTROL: true}))
}

/// Which subjects the cluster has.
pub async fn detect(sharing: &Sharing, api: &Api) -> Vec<(String, Detection)> {
    match sharing.offers(api, &Scope::new(sharing.check, "")).await {
        Ok(found) => found
            .into_iter()
            .map(|(strategy, offers)| {
                let absent = || Detection::Absent(sharing.absent.into());
                (strategy.to_owned(), facts(&offers).map_or_else(absent, Detection::Present))
            })
            .collect(),
        Err(stop) => sharing
            .strategies
            .iter()
            .map(|id| ((*id).to_owned(), Detection::Absent(stop.to_string())))
            .collect(),
    }
}

/// What would be tried.
pub async fn preview(sharing: &Sharing, api: &Api) -> Preview {
    let mut preview = Preview::default();
    match sharing.offers(api, &Scope::new(sharing.check, "")).await {
        Ok(found) => {
            for offer in found.iter().filter_map(|(_, offers)| offers.first()) {
                let count = offer.places().map_or("an unknown number".into(), |count| count.to_string());
                preview.ground.push(format!(
                    "{}: up to {} of {count} {} on node {} are given to pods, and one more is asked for",
                    offer.strategy,
                    offer.places().unwrap_or(2).min(MOST),
                    offer.name(),
                    offer.node
                ));
            }
        }
        Err(stop) => preview.hindrances.push(stop.to_string()),
    }
    preview
}

/// Runs the check: all strategies at once.
///
/// # Errors
/// When the cluster does not let itself be asked.
pub async fn run(sharing: &Sharing, cx: &Cx) -> Result<(), Stop> {
    let scope = Scope::new(sharing.check, "");
    cx.session.watch_own(&Kind::pod()).await?;
    let named = cx.options.named_of(sharing.strategies);
    let mut subjects = Vec::new();
    for (strategy, offers) in sharing.offers(cx.session.api(), &scope).await? {
        let declared = named.iter().any(|name| name == strategy);
        if !named.is_empty() && !declared {
            continue;
        }
        let scope = Scope::new(sharing.check, strategy);
        match (facts(&offers), offers.into_iter().next()) {
            (Some(facts), Some(offer)) => {
                cx.write(&scope, EventKind::SubjectStarted { facts, control: false, declared });
                subjects.push((scope, offer));
            }
            _ => cx.write(&scope, EventKind::SubjectAbsent { why: sharing.absent.into(), declared }),
        }
    }
    let turn = cx.accelerators.lock().await;
    join_all(subjects.iter().map(|(scope, offer)| async {
        if let Err(stop) = (Trial { cx, scope, offer }).act().await {
            cx.progress.tell(scope, &format!("stopped: {stop}"));
            cx.stopped(scope, &stop);
        }
    }))
    .await;
    drop(turn);
    for (scope, _) in &subjects {
        cx.write(scope, EventKind::SubjectEnded {});
    }
    Ok(())
}

/// Pods that have a share each of what one node offers.
struct Trial<'a> {
    cx: &'a Cx,
    scope: &'a Scope,
    offer: &'a Shares,
}

impl Trial<'_> {
    fn phase(&self, phase: &str, data: Value) {
        self.cx.write(self.scope, EventKind::Phase { phase: phase.into(), data });
    }

    async fn act(&self) -> Result<(), Stop> {
        let mut offer = self.offer.told();
        let taken = self.taken().await?;
        offer["taken"] = json!(taken);
        self.phase("offered", offer);
        if self.offer.offered == Some(0) {
            return Ok(());
        }
        let free = self.offer.places().map(|places| places.saturating_sub(taken));
        let places = free.unwrap_or(2).min(MOST);
        if places < 2 {
            return Err(Stop::Hindered(format!(
                "of {} on {} {places} are free: two pods cannot have one each",
                self.offer.name(),
                self.offer.node
            )));
        }
        let scratch = self.cx.session.scratch(self.scope, &self.scope.subject, &[Kind::pod()]).await?;
        self.cx
            .progress
            .tell(self.scope, &format!("{places} pods are given a share each ({})", self.offer.name()));
        let names: Vec<String> =
            (0..places).map(|number| scratch.named(&format!("holder-{number}"))).collect();
        self.phase("hold", json!({"pods": names}));
        let done = async {
            let created = (0..places).map(|number| self.create(&scratch, format!("holder-{number}"), 1));
            self.use_and_release(&scratch, try_join_all(created).await?, free).await
        };
        let done = blamed(&scratch, done.await).await;
        // Whatever came of it, the next check finds the devices free.
        self.phase("over", json!({}));
        done.and(clear(&scratch).await)
    }

    /// How many of an extended resource pods of others have; what claims of others have is not known here.
    async fn taken(&self) -> Result<u64, Stop> {
        let Way::Resource(name) = &self.offer.way else { return Ok(0) };
        let pods = pods_on(self.cx.session.api(), self.scope, &self.offer.node).await?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of devices")]
        let taken = demand(&pods, name) as u64;
        Ok(taken)
    }

    async fn create(&self, scratch: &Arc<Scratch>, role: String, count: u64) -> Result<Probe, Stop> {
        let nodes = [self.offer.node.clone()];
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut container = Container::with(&self.offer.way, count);
        container.selector = &self.offer.selector;
        let pod = ProbePod {
            role: &role,
            trial: &self.scope.subject,
            nodes: &nodes,
            containers: vec![container],
            restarts: false,
        };
        Probe::create(self.cx, scratch.clone(), &pod).await
    }

    async fn use_and_release(
        &self,
        scratch: &Arc<Scratch>,
        mut holders: Vec<Probe>,
        free: Option<u64>,
    ) -> Result<(), Stop> {
        let started = join_all(holders.iter_mut().map(Probe::runs)).await;
        if let Some(stop) = started.into_iter().find_map(Result::err) {
            return Err(stop);
        }
        let seen = try_join_all(holders.iter().map(|holder| self.seen(holder))).await?;
        self.phase("held", json!({"holders": seen}));
        let Some(first) = holders.first() else { return Ok(()) };
        let alone = first.work(WORK).await;
        self.phase("worked_alone", json!({"pod": first.name, "work": alone}));
        self.phase("work_at_once", json!({}));
        let works = join_all(holders.iter().map(|holder| holder.work(WORK))).await;
        let works: Vec<Value> = holders
            .iter()
            .zip(works)
            .map(|(holder, work)| json!({"pod": holder.name, "work": work}))
            .collect();
        self.phase("worked_at_once", json!({"works": works}));
        // Where nobody knows how many there are, nobody knows what is one more.
        match free {
            Some(free) => self.one_more(scratch, holders, free).await,
            None => Ok(()),
        }
    }

    /// What a holder sees: what its device says of itself, and the device nodes in its container.
    async fn seen(&self, holder: &Probe) -> Result<Value, Stop> {
        let device = holder.inspect().await?;
        let look = holder.look(&LookFor::default()).await?;
        let nodes: Vec<String> = look.devices.iter().map(|seen| seen.number.to_string()).collect();
        Ok(json!({"pod": holder.name, "node": holder.node, "device": device, "nodes": nodes}))
    }

    /// One more than there are waits, and gets what the first gives back.
    async fn one_more(&self, scratch: &Arc<Scratch>, holders: Vec<Probe>, free: u64) -> Result<(), Stop> {
        let asks = free + 1 - holders.len() as u64;
        let name = scratch.named("one-more");
        self.phase("one_more", json!({"pod": name, "asks": asks, "places": free}));
        let mut more = self.create(scratch, "one-more".into(), asks).await?;
        let told = || match scratch.get(&Kind::pod(), &name) {
            Some(pod) if !pod.text("/spec/nodeName").is_empty() => Ok(true),
            Some(pod) if pod.condition_is("PodScheduled", "False") => Ok(false),
            Some(pod) => Err(pod.text("/status/phase").to_owned()),
            None => Err("it is not there yet".into()),
        };
        let condition = format!("the scheduler to say what becomes of {name}");
        let bound = scratch.until(condition, Bin::Platform, PATIENCE, told).await?.value;
        let first = holders.first().map(|holder| holder.name.clone()).unwrap_or_default();
        self.phase("release", json!({"pod": first, "one_more": name}));
        if asks == 1 && !bound {
            if let Some(holder) = holders.first() {
                holder.end().await?;
            }
            let ran = more.runs_within(PATIENCE).await;
            let device = if ran.is_ok() { more.inspect().await? } else { None };
            let why = ran.err().map(|stop| stop.to_string()).unwrap_or_default();
            self.phase("released", json!({"pod": name, "device": device, "why": why}));
        }
        Ok(())
    }
}
