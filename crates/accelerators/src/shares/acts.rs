//! Acts on shares and marks phases; decides nothing.

use super::find::{Maker, Shares, find};
use super::marks::{Holder, Mark, Offer, Work};
use crate::answers::{Device, Done};
use crate::limits::{FREED, REFUSED};
use crate::{Container, Probe, ProbePod, Way, blamed, clear};
use aiconform_check::cx::{Cx, Detection, Preview, Stop};
use aiconform_check::land::pods_on;
use aiconform_check::subject::{Candidate, Started, all, start};
use aiconform_cluster::{Api, Scratch, demand};
use aiconform_model::probe::{Loaded, LookFor};
use aiconform_model::{Bin, Kind, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Pods that are given a share each, at most: when there are more shares than that, one more pod asks for all that is left
/// and one.
const MOST: u64 = 8;
/// Time that the first device works alone, in milliseconds.
const WORK: u64 = 100;
/// Time for which all work at once, from when the last of them began: longer than a program at work may be silent, so that each
/// has done something since.
const AT_ONCE: Duration = Duration::from_secs(4);

/// A requirement about shares.
pub struct Sharing {
    /// Id of its check.
    pub check: &'static str,
    /// The strategies that it knows: its subjects.
    pub strategies: &'static [&'static str],
    /// Rules by which makers name them.
    pub makers: fn() -> &'static [Maker],
    /// Sentence that is said when a strategy is not offered.
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

/// Facts of a subject: the offer that is tried, and the others.
fn facts(offers: &[Shares]) -> Option<Value> {
    let (tried, others) = offers.split_first()?;
    let others: Vec<Offer> = others.iter().map(Shares::to_mark).collect();
    Some(json!({"offer": tried.to_mark(), "others": others, "tried": tried.tried, OWN_CONTROL: true}))
}

/// Finds the subjects that the cluster has.
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

/// Tells what would be tried.
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
    let mut candidates = Vec::new();
    for (strategy, offers) in sharing.offers(cx.session.api(), &scope).await? {
        let declared = named.iter().any(|name| name == strategy);
        if named.is_empty() || declared {
            candidates.push(Candidate {
                id: strategy.into(),
                control: false,
                declared,
                facts: Value::Null,
                found: Ok(facts(&offers)
                    .map_or_else(|| Detection::Absent(sharing.absent.into()), Detection::Present)),
                with: offers.into_iter().next(),
            });
        }
    }
    let started = start(cx, sharing.check, candidates);
    let _turn = cx.accelerators.take(sharing.check).await;
    all(cx, started, |Started { scope, with, .. }| async move {
        match with {
            Some(offer) => Trial { cx, scope: &scope, offer: &offer }.act().await,
            None => Ok(()),
        }
    })
    .await;
    Ok(())
}

/// Pods that have a share each of what one node offers.
struct Trial<'a> {
    cx: &'a Cx,
    scope: &'a Scope,
    offer: &'a Shares,
}

impl Trial<'_> {
    fn mark(&self, mark: &Mark) {
        self.cx.mark(self.scope, mark);
    }

    async fn act(&self) -> Result<(), Stop> {
        let taken = self.taken().await?;
        self.mark(&Mark::Offered(Offer { taken: Some(taken), ..self.offer.to_mark() }));
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
        self.mark(&Mark::Hold { pods: names });
        let done = async {
            let created = (0..places).map(|number| self.create(&scratch, format!("holder-{number}"), 1));
            self.use_and_release(&scratch, try_join_all(created).await?, (free, taken)).await
        };
        let done = blamed(&scratch, done.await).await;
        // Whatever came of it, the next check finds the devices free.
        self.mark(&Mark::Over {});
        done.and(clear(&scratch).await)
    }

    /// Number of an extended resource that pods of others have; the devices of others' claims are not known here.
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
        let mut container = Container::working(&self.offer.way, count);
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
        (free, taken): (Option<u64>, u64),
    ) -> Result<(), Stop> {
        let started = join_all(holders.iter_mut().map(Probe::runs)).await;
        if let Some(stop) = started.into_iter().find_map(Result::err) {
            return Err(stop);
        }
        let seen = try_join_all(holders.iter().map(|holder| self.seen(holder))).await?;
        self.mark(&Mark::Held { holders: seen });
        // Work on a device of which others have shares is at their cost.
        if taken == 0 {
            self.work(&holders).await?;
        }
        // Where nobody knows how many there are, nobody knows what is one more.
        match free {
            Some(free) => self.one_more(scratch, holders, free).await,
            None => Ok(()),
        }
    }

    /// Has the first of the holders work alone, and then all of them at once: each goes on until the last has begun and some
    /// time after.
    async fn work(&self, holders: &[Probe]) -> Result<(), Stop> {
        let Some(first) = holders.first() else { return Ok(()) };
        let (pod, work) = (first.name.clone(), first.work(WORK).await);
        self.mark(&Mark::WorkedAlone(Work { pod, work }));
        self.mark(&Mark::WorkAtOnce {});
        let begun = join_all(holders.iter().map(Probe::load)).await;
        if begun.iter().all(Result::is_ok) {
            self.mark(&Mark::AllAtWork {});
            let sink = self.cx.session.api().sink().clone();
            aiconform_wait::dwell("while all work at once", AT_ONCE, sink.as_ref(), self.scope).await;
        }
        let works = join_all(holders.iter().map(Probe::rest)).await;
        // A question that did not come through is no refusal.
        let (begun, lost): (Vec<_>, Vec<_>) =
            begun.into_iter().partition(|it| !matches!(it, Err(Stop::Cluster(_))));
        if let Some(Err(stop)) = lost.into_iter().next() {
            return Err(stop);
        }
        let works =
            holders.iter().zip(begun).zip(works).map(|((holder, begun), Loaded { asked, done, why })| {
                // Of what did not begin nothing was done.
                let work = match begun {
                    Ok(()) => Done { asked, done, why },
                    Err(stop) => Done { asked: asked.max(WORK), done: 0, why: stop.to_string() },
                };
                Work { pod: holder.name.clone(), work }
            });
        self.mark(&Mark::WorkedAtOnce { works: works.collect() });
        Ok(())
    }

    /// Asks what a holder sees: its device's words about itself, and the device nodes in its container.
    async fn seen(&self, holder: &Probe) -> Result<Holder, Stop> {
        let device = Device(holder.inspect().await?.unwrap_or_default());
        let look = holder.look(&LookFor::default()).await?;
        let nodes = look.devices.iter().map(|seen| seen.number.to_string()).collect();
        Ok(Holder { pod: holder.name.clone(), node: holder.node.clone(), device, nodes })
    }

    /// One more than there are waits, and gets what the first gives back.
    async fn one_more(&self, scratch: &Arc<Scratch>, holders: Vec<Probe>, free: u64) -> Result<(), Stop> {
        let asks = free + 1 - holders.len() as u64;
        let name = scratch.named("one-more");
        self.mark(&Mark::OneMore { pod: name.clone(), asks, places: free });
        let mut more = self.create(scratch, "one-more".into(), asks).await?;
        let answer = || match scratch.get(&Kind::pod(), &name) {
            Some(pod) if !pod.text("/spec/nodeName").is_empty() => Ok(true),
            Some(pod) if pod.condition_is("PodScheduled", "False") => Ok(false),
            Some(pod) => Err(pod.text("/status/phase").to_owned()),
            None => Err("it is not there yet".into()),
        };
        let condition = format!("the scheduler to say what becomes of {name}");
        let bound =
            scratch.until(condition, Bin::Platform, self.cx.limit(&REFUSED).time, answer).await?.value;
        let first = holders.first().map(|holder| holder.name.clone()).unwrap_or_default();
        self.mark(&Mark::Release { pod: first, one_more: name.clone() });
        if asks == 1 && !bound {
            if let Some(holder) = holders.first() {
                holder.end().await?;
            }
            let ran = more.runs_within(self.cx.limit(&FREED).watched()).await;
            let device = if ran.is_ok() { more.inspect().await? } else { None };
            let device = Device(device.unwrap_or_default());
            let why = ran.err().map(|stop| stop.to_string()).unwrap_or_default();
            self.mark(&Mark::Released { pod: name, device, why });
        }
        Ok(())
    }
}
