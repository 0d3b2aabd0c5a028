//! Where one trial acts: its queue, its pods, and what is seen of them.

mod slots;

use super::stage::Stage;
use super::template::{GANG, ROLE, TRIAL, Template};
use crate::adapters::{Can, Capacity, Gang, Wanted};
use crate::limits::{BIND, GO};
use crate::marks::{Mark, Step};
use aiconform_check::cx::Stop;
use aiconform_cluster::side_by_side;
use aiconform_model::{Bin, Kind, Object};
use aiconform_trial::Limit;
use aiconform_wait::{TooLate, dwell};
use futures::FutureExt;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Where one trial acts.
pub struct Arena<'a> {
    pub stage: &'a Stage<'a>,
    pub trial: String,
    resource: String,
    canary: String,
    preempts: bool,
    canaries: AtomicU64,
    /// Numbers of slots that are free at its start, and after each step.
    steps: Vec<u64>,
}

/// The queue of a trial, where there are queues.
pub struct Queue {
    /// Its quota at the start.
    pub quota: u64,
    /// Set if it is held at the start.
    pub held: bool,
    /// Set if a gang of higher priority may take the quota of one of lower priority.
    pub preempts: bool,
}

impl<'a> Arena<'a> {
    /// Prepares a trial: ballast in the slots that are free later, and queues where the adapter has them.
    pub async fn open(
        stage: &'a Stage<'a>,
        trial: &str,
        queue: &Queue,
        steps: Vec<u64>,
    ) -> Result<Arena<'a>, Stop> {
        let (resource, canary) = stage.resources(trial);
        let preempts = queue.preempts;
        let (trial, canaries) = (trial.to_owned(), AtomicU64::new(0));
        let arena = Arena { stage, trial, resource, canary, preempts, canaries, steps };
        let capacity = Capacity { held: queue.held, ..arena.capacity(queue.quota) };
        arena.publish_devices().await?;
        for (kind, object) in stage.adapter.cluster_objects(&capacity, stage.cx)? {
            stage.cx.session.create_cluster_wide(stage.scratch.scope(), &kind, object).await?;
        }
        arena.join(&capacity).await?;
        arena.take_ballast().await?;
        Ok(arena)
    }

    /// This trial in another namespace of the subject.
    pub async fn beside(&self, stage: &'a Stage<'a>, quota: u64) -> Result<Arena<'a>, Stop> {
        let arena = Arena {
            stage,
            trial: self.trial.clone(),
            resource: self.resource.clone(),
            canary: self.canary.clone(),
            preempts: self.preempts,
            canaries: AtomicU64::new(0),
            steps: self.steps.clone(),
        };
        arena.join(&arena.capacity(quota)).await?;
        Ok(arena)
    }

    async fn join(&self, capacity: &Capacity<'_>) -> Result<(), Stop> {
        for (kind, object) in self.claim_templates() {
            self.stage.scratch.create(&kind, object).await?;
        }
        for (kind, object) in self.stage.adapter.objects(capacity, self.stage.cx)? {
            self.stage.scratch.create(&kind, object).await?;
        }
        Ok(())
    }

    fn capacity(&self, quota: u64) -> Capacity<'_> {
        Capacity {
            trial: &self.trial,
            namespace: self.stage.scratch.namespace(),
            prefix: self.stage.scratch.prefix(),
            means: self.stage.ground.means,
            resource: &self.resource,
            canary: &self.canary,
            quota,
            held: false,
            preempts: self.preempts,
        }
    }

    /// Name of an object of this trial.
    pub fn name(&self, suffix: &str) -> String {
        self.stage.scratch.named(&format!("{}-{suffix}", self.trial))
    }

    /// The pod template of this trial's gangs and single pods.
    pub fn template(&self) -> Template {
        self.stage.template(&self.trial, "single", &self.resource)
    }

    /// Marks a step, before its first request.
    pub fn mark(&self, step: Step) {
        let mark = Mark { trial: self.trial.clone(), resource: Some(self.resource.clone()), step };
        self.stage.cx.mark(self.stage.scratch.scope(), &mark);
    }

    /// Creates objects one after another, so that their order is known.
    pub async fn create(&self, objects: &[(Kind, Value)]) -> Result<(), Stop> {
        for (kind, object) in objects {
            self.stage.scratch.create(kind, object.clone()).await?;
        }
        Ok(())
    }

    /// Creates objects side by side, in no order: for so many that one after another would be the client's time.
    pub async fn create_side_by_side(&self, objects: &[(Kind, Value)]) -> Result<(), Stop> {
        let scratch = &self.stage.scratch;
        let requests = objects.iter().map(|(kind, object)| {
            async move { scratch.create(kind, object.clone()).await.map(drop) }.boxed()
        });
        Ok(side_by_side(requests.collect()).await?)
    }

    /// A gang of this trial with this many members, all of which must start together.
    pub fn gang(&self, suffix: &str, size: u64) -> Result<(String, Gang), Stop> {
        self.gang_of(suffix, size, &self.template())
    }

    /// Such a gang from a template of its own.
    pub fn gang_of(&self, suffix: &str, size: u64, template: &Template) -> Result<(String, Gang), Stop> {
        let name = self.name(suffix);
        let gang = self.stage.adapter.gang(&Wanted::whole(&name, size), template)?;
        Ok((name, gang))
    }

    /// Creates a whole gang.
    pub async fn create_gang(&self, gang: &Gang) -> Result<(), Stop> {
        self.create(&gang.group).await?;
        self.create(&gang.members).await
    }

    /// Creates pods that belong to no gang; gives their objects.
    pub async fn singles(&self, prefix: &str, count: u64) -> Result<Vec<(Kind, Value)>, Stop> {
        self.singles_of(prefix, count, &self.template()).await
    }

    /// Creates such pods from a template of their own.
    pub async fn singles_of(
        &self,
        prefix: &str,
        count: u64,
        template: &Template,
    ) -> Result<Vec<(Kind, Value)>, Stop> {
        let objects: Vec<(Kind, Value)> = (0..count)
            .map(|number| self.stage.adapter.single(&self.name(&format!("{prefix}-{number}")), template))
            .collect::<Result<_, Stop>>()?;
        self.create(&objects).await?;
        Ok(objects)
    }

    /// Starts a canary on the second resource and waits until it is bound; one that is not bound stays a fact for the
    /// judge.
    pub async fn canary(&self) -> Result<(Kind, Value), Stop> {
        let number = self.canaries.fetch_add(1, Ordering::Relaxed);
        let template = self.stage.template(&self.trial, "canary", &self.canary);
        let object = self.stage.adapter.single(&self.name(&format!("canary-{number}")), &template)?;
        self.create(std::slice::from_ref(&object)).await?;
        let name = object.1["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let _ = self.bound(&[&name], 1, self.time(&BIND), "a canary to be bound").await;
        Ok(object)
    }

    /// Numbers of pods of these gangs (or single names) that are bound, exist, and have succeeded.
    pub fn count(&self, gangs: &[&str]) -> (u64, u64, u64) {
        let pods = self.stage.scratch.all(&Kind::pod(), |pod| {
            let ours = pod.label(TRIAL) == self.trial && gangs.contains(&pod.label(GANG));
            ours.then(|| (!pod.text("/spec/nodeName").is_empty(), pod.text("/status/phase") == "Succeeded"))
        });
        let count = |wanted: &dyn Fn(&(bool, bool)) -> bool| {
            u64::try_from(pods.iter().filter(|pod| wanted(pod)).count()).unwrap_or_default()
        };
        (count(&|pod| pod.0), count(&|_| true), count(&|pod| pod.1))
    }

    /// A limit, as the profile has it.
    pub fn time(&self, limit: &Limit) -> Duration {
        self.stage.cx.limit(limit).time
    }

    /// Time for which something is watched for whose absence would speak against the product: what comes late is something
    /// else than what never comes.
    pub fn watched(&self, limit: &Limit) -> Duration {
        self.stage.cx.limit(limit).watched()
    }

    /// Waits until `wanted` pods of these gangs are bound.
    pub async fn bound(
        &self,
        gangs: &[&str],
        wanted: u64,
        limit: Duration,
        condition: &str,
    ) -> Result<Duration, TooLate> {
        let look = || match self.count(gangs) {
            (bound, ..) if bound >= wanted => Ok(()),
            (bound, there, _) => Err(format!("{bound} of {wanted} pods bound, {there} exist")),
        };
        let condition = format!("{}: {condition}", self.trial);
        self.stage.scratch.until(condition, Bin::Platform, limit, look).await.map(|met| met.waited)
    }

    /// Words of the product when it refused a gang, when it has.
    pub fn refused(&self, gang: &str) -> Option<String> {
        let kinds = [self.stage.adapter.kinds(&self.stage.facts), vec![Kind::pod()]].concat();
        kinds.iter().find_map(|kind| {
            let refusals = self.stage.scratch.all(kind, |object| self.stage.reading.refusal(kind, object));
            refusals.into_iter().find(|(name, _)| name == gang).map(|(_, words)| words)
        })
    }

    /// Waits until a queue has taken these gangs in, where there is a queue.
    pub async fn queued(&self, gangs: &[&str]) -> Result<(), TooLate> {
        if !self.stage.can(Can::Quota) {
            return Ok(());
        }
        let kinds = self.stage.adapter.kinds(&self.stage.facts);
        let look = || {
            let taken: Vec<String> = kinds
                .iter()
                .flat_map(|kind| {
                    self.stage.scratch.all(kind, |object| self.stage.reading.queued(kind, object))
                })
                .collect();
            let missing: Vec<&str> =
                gangs.iter().copied().filter(|gang| !taken.iter().any(|taken| taken == gang)).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("not in the queue: {}", missing.join(", "))) }
        };
        let condition = format!("{}: the queue to take the gangs in", self.trial);
        self.stage.scratch.until(condition, Bin::Platform, self.time(&BIND), look).await.map(drop)
    }

    /// Waits until the product has said no to a gang.
    pub async fn refusal(&self, gang: &str) -> Result<(), TooLate> {
        self.answer(gang, false).await
    }

    /// Waits until the product has said no to a gang, or has bound a part of it and refused the rest.
    pub async fn refusal_or_part(&self, gang: &str) -> Result<(), TooLate> {
        self.answer(gang, true).await
    }

    async fn answer(&self, gang: &str, or_part: bool) -> Result<(), TooLate> {
        let look = || {
            let (bound, there, _) = self.count(&[gang]);
            let part = or_part && bound > 0 && bound + self.refused_pods(gang) >= there;
            if part || self.refused(gang).is_some() {
                return Ok(());
            }
            Err(format!("{bound} of its pods are bound, no word"))
        };
        let condition = format!("{}: the scheduler's no to {gang}", self.trial);
        self.stage.scratch.until(condition, Bin::Platform, self.time(&BIND), look).await.map(drop)
    }

    /// Waits on purpose.
    pub async fn dwell(&self, why: &str, time: Duration) {
        let sink = self.stage.cx.session.api().sink().clone();
        dwell(&format!("{}: {why}", self.trial), time, sink.as_ref(), self.stage.scratch.scope()).await;
    }

    /// Changes how many members of a waiting gang must start together.
    pub async fn resize(&self, wanted: &Wanted) -> Result<(), Stop> {
        if let Some((kind, patch)) = self.stage.adapter.resize(wanted, &self.template())? {
            self.stage.scratch.merge(&kind, &wanted.name, &patch).await?;
        }
        Ok(())
    }

    /// Names of the bound members of a gang.
    pub fn members(&self, gang: &str) -> Vec<String> {
        self.stage.scratch.all(&Kind::pod(), |pod| {
            let ours = pod.label(TRIAL) == self.trial && pod.label(GANG) == gang;
            (ours && !pod.text("/spec/nodeName").is_empty()).then(|| pod.name().to_owned())
        })
    }

    /// Opens the queue of this trial with this quota, where there is one.
    pub async fn open_queue(&self, quota: u64) -> Result<(), Stop> {
        let stage = self.stage;
        let scope = stage.scratch.scope();
        if let Some((kind, name, patch)) = stage.adapter.set_quota(&self.capacity(quota), stage.cx)? {
            stage.cx.session.api().merge(scope, &kind, ("", &name), "", &patch).await?;
        }
        Ok(())
    }

    /// Number of pods of a gang that the scheduler has refused one by one.
    pub fn refused_pods(&self, gang: &str) -> u64 {
        let refused = self.stage.scratch.all(&Kind::pod(), |pod| {
            let ours = pod.label(TRIAL) == self.trial && pod.label(GANG) == gang;
            let condition = pod.condition("PodScheduled")?;
            let reason = condition.get("reason").and_then(Value::as_str);
            (ours && reason == Some("Unschedulable")).then_some(())
        });
        u64::try_from(refused.len()).unwrap_or_default()
    }

    /// Deletes a gang with all that was made for it, and waits until it is gone.
    pub async fn remove_gang(&self, gang: &Gang) -> Result<(), Stop> {
        self.remove(&gang.members, &gang.derived).await?;
        self.remove(&gang.group, &[]).await
    }

    /// Deletes objects with the pods they made, and waits until they are gone.
    pub async fn remove(&self, objects: &[(Kind, Value)], derived: &[(Kind, String)]) -> Result<(), Stop> {
        let scratch = &self.stage.scratch;
        let named: Vec<(&Kind, &str)> = objects
            .iter()
            .map(|(kind, object)| (kind, object["metadata"]["name"].as_str().unwrap_or_default()))
            .chain(derived.iter().map(|(kind, name)| (kind, name.as_str())))
            .collect();
        side_by_side(named.iter().map(|(kind, name)| scratch.delete(kind, name).boxed()).collect()).await?;
        let gangs: BTreeSet<&str> = objects
            .iter()
            .map(|(_, object)| object["metadata"]["labels"][GANG].as_str().unwrap_or_default())
            .collect();
        let watched: Vec<Kind> = self.stage.adapter.kinds(&self.stage.facts);
        let condition = format!("{}: deleted objects to be gone", self.trial);
        scratch
            .until(condition, Bin::Platform, self.time(&GO), || {
                let pods = scratch.all(&Kind::pod(), |pod: &Object| {
                    let ours = pod.label(TRIAL) == self.trial && gangs.contains(pod.label(GANG));
                    ours.then(|| pod.name().to_owned())
                });
                let mut there =
                    if objects.iter().any(|(_, object)| object["metadata"]["labels"][ROLE] != "group") {
                        pods
                    } else {
                        Vec::new()
                    };
                there.extend(
                    named
                        .iter()
                        .filter(|(kind, name)| watched.contains(kind) && scratch.get(kind, name).is_some())
                        .map(|(kind, name)| format!("{} {name}", kind.kind)),
                );
                if there.is_empty() { Ok(()) } else { Err(format!("still there: {}", there.join(", "))) }
            })
            .await?;
        Ok(())
    }
}
