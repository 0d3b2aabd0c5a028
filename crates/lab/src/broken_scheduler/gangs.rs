//! Gangs: when their members are bound, and whom they evict.

use super::{Fault, Scheduler, Waiting, ignore_absence, resource};
use aiconform_cluster::ClusterError;
use aiconform_model::{Kind, Object, Scope};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// After this time the scheduler that gives up waiting binds what fits.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pod that holds a slot.
struct Holder {
    namespace: String,
    name: String,
    group: String,
    priority: i64,
}

impl Scheduler {
    /// Looks at one gang: its object and its members that wait.
    pub(super) async fn gang(
        &mut self,
        group: &Object,
        pods: &[Waiting],
        free: &mut BTreeMap<String, u64>,
    ) -> Result<(), ClusterError> {
        let Some(first) = pods.first() else { return Ok(()) };
        let least = self.least(group);
        let bound = self.members_bound(first);
        let elsewhere = match self.fault {
            Fault::CountsAcrossNamespaces => self.namesakes(first),
            _ => 0,
        };
        if bound + pods.len() + elsewhere < least {
            return Ok(());
        }
        let room =
            usize::try_from(free.get(&first.resource).copied().unwrap_or_default()).unwrap_or(usize::MAX);
        let fit = room.min(pods.len());
        let whole = match self.fault {
            Fault::BindsPart => fit > 0,
            Fault::NeverBindsGang => false,
            Fault::NeverRetries => bound + fit >= least && !self.refused.contains_key(group.uid()),
            Fault::StartsNearlyWhole => (bound + fit) * 10 >= least * 9,
            Fault::IgnoresLeast => fit == pods.len(),
            Fault::ForgetsMembers => bound == 0 && fit >= least,
            Fault::CountsAcrossNamespaces => bound + fit + elsewhere >= least,
            Fault::GivesUpWaiting => {
                bound + fit >= least
                    || self.refused.get(group.uid()).is_some_and(|since| since.elapsed() > PATIENCE)
            }
            _ => bound + fit >= least,
        };
        if whole {
            let held = self.bound.entry(group.uid().into()).or_insert_with(|| (first.resource.clone(), 0));
            held.1 += u64::try_from(fit).unwrap_or_default();
            for pod in &pods[..fit] {
                self.bind(pod, free).await?;
            }
            for pod in &pods[fit..] {
                self.refuse_pod(pod).await?;
            }
            return Ok(());
        }
        self.refuse_gang(group, pods).await?;
        self.preempt(first, least.saturating_sub(bound + fit)).await
    }

    /// Number of members that must start together.
    fn least(&mut self, group: &Object) -> usize {
        let least = group.at("/spec/schedulingPolicy/gang/minCount").and_then(Value::as_u64).unwrap_or(1);
        let least = usize::try_from(least).unwrap_or(usize::MAX);
        let first = *self.first_least.entry(group.uid().into()).or_insert(least);
        if self.fault == Fault::KeepsFirstSize { first } else { least }
    }

    async fn refuse_gang(&mut self, group: &Object, pods: &[Waiting]) -> Result<(), ClusterError> {
        self.refused.entry(group.uid().into()).or_insert_with(Instant::now);
        if group.condition(self.waits).is_none() {
            let condition = json!({"type": self.waits, "status": "False", "reason": "Unschedulable",
                "message": "the gang does not fit", "lastTransitionTime": jiff::Timestamp::now().strftime("%FT%TZ").to_string()});
            let patch = json!({"status": {"conditions": [condition]}});
            let place = (group.namespace(), group.name());
            ignore_absence(self.api.merge(&Scope::default(), &self.groups, place, "status", &patch).await)?;
        }
        for pod in pods {
            self.refuse_pod(pod).await?;
        }
        Ok(())
    }

    /// Evicts gangs of lower priority, whole, until so many slots are free; nobody when that does not help.
    async fn preempt(&self, pod: &Waiting, wanted: usize) -> Result<(), ClusterError> {
        let mut gangs: BTreeMap<(String, String), Vec<Holder>> = BTreeMap::new();
        for holder in self.holders(&pod.resource).into_iter().filter(|holder| holder.priority < pod.priority)
        {
            gangs.entry((holder.namespace.clone(), holder.group.clone())).or_default().push(holder);
        }
        let helps = gangs.values().map(Vec::len).sum::<usize>() >= wanted;
        if !helps && self.fault != Fault::PreemptsInVain {
            return Ok(());
        }
        let mut evicted = 0;
        for mut gang in gangs.into_values() {
            if evicted >= wanted {
                break;
            }
            if self.fault == Fault::EvictsInPart {
                gang.truncate(wanted);
            }
            evicted += gang.len();
            for holder in gang {
                let place = (holder.namespace.as_str(), holder.name.as_str());
                let deleted = self.api.delete(&Scope::default(), &Kind::pod(), place.0, place.1).await;
                ignore_absence(deleted)?;
            }
        }
        Ok(())
    }

    /// Pods that hold slots of a resource.
    fn holders(&self, wanted: &str) -> Vec<Holder> {
        self.mirror.everywhere(&Kind::pod(), |pod| {
            let finished = matches!(pod.text("/status/phase"), "Succeeded" | "Failed");
            let holds = !pod.text("/spec/nodeName").is_empty() || self.assumed.contains(pod.uid());
            let ours = holds && !finished && resource(pod) == wanted;
            (ours && pod.at("/metadata/deletionTimestamp").is_none()).then(|| Holder {
                namespace: pod.namespace().into(),
                name: pod.name().into(),
                group: pod.text("/spec/schedulingGroup/podGroupName").into(),
                priority: pod.at("/spec/priority").and_then(Value::as_i64).unwrap_or_default(),
            })
        })
    }

    /// Members of a pod's gang that hold slots.
    fn members_bound(&self, pod: &Waiting) -> usize {
        let holders = self.holders(&pod.resource);
        holders.iter().filter(|holder| holder.namespace == pod.namespace && holder.group == pod.group).count()
    }

    /// Pods of gangs of the same name in other namespaces.
    fn namesakes(&self, pod: &Waiting) -> usize {
        let found = self.mirror.everywhere(&Kind::pod(), |other| {
            let same = other.text("/spec/schedulingGroup/podGroupName") == pod.group;
            (same && other.namespace() != pod.namespace).then_some(())
        });
        found.len()
    }
}
