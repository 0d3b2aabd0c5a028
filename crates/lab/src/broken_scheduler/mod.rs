//! A scheduler of ours for the lab's one node, which gangs as it should but for one thing.
//!
//! It counts private slots and devices only, which is all that the trials stand on, and talks to the real API server.

mod devices;
mod gangs;

use crate::fake_nodes::FAKE;
use aiconform_cluster::{Api, ClusterError, Mirror};
use aiconform_model::{Kind, Object, Scope};
use devices::{Claims, claims_of};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SLOTS: &str = "slots.aiconform.dev/";
/// Time for which plain pods of one resource are gathered by the scheduler that takes them for a gang: longer
/// than a busy machine takes from one to the next.
const GATHER: Duration = Duration::from_secs(5);

/// Fault of the scheduler: the one thing that it does wrong, in the words of the breakage's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    BindsPart,
    KeepsReservation,
    GangsPlainPods,
    NeverBindsGang,
    NeverRetries,
    StartsNearlyWhole,
    Hoards,
    GivesUpWaiting,
    IgnoresLeast,
    PreemptsInVain,
    EvictsInPart,
    ForgetsMembers,
    CountsAcrossNamespaces,
    KeepsFirstSize,
    AllocatesNothing,
    IgnoresClaims,
    IgnoresSelectors,
    GivesDeviceTwice,
    KeepsDevices,
    RefusesSharers,
    IgnoresOrder,
    IgnoresTaints,
}

/// The scheduler.
pub struct Scheduler {
    api: Api,
    mirror: Arc<Mirror>,
    fault: Fault,
    /// Kind of gangs here.
    groups: Kind,
    /// The condition that says that one waits.
    waits: &'static str,
    /// Pods bound by us that the watch does not show as bound yet.
    assumed: BTreeSet<String>,
    /// Gangs (by UID) that were refused, and when for the first time.
    refused: BTreeMap<String, Instant>,
    /// Least numbers of gangs (by UID) as they were first seen.
    first_least: BTreeMap<String, usize>,
    /// Slots that deleted gangs still hold: resource and count.
    kept: BTreeMap<String, u64>,
    /// Bound gangs (by UID): resource and count.
    bound: BTreeMap<String, (String, u64)>,
    /// The most slots of a resource that its waiting pods have asked for, and since when.
    gathered: BTreeMap<String, (u64, Instant)>,
    /// Claims on devices.
    claims: Claims,
}

/// A pod that waits.
#[derive(Clone)]
struct Waiting {
    namespace: String,
    name: String,
    uid: String,
    resource: String,
    amount: u64,
    group: String,
    priority: i64,
    told: bool,
    /// Names of its claims on devices.
    claims: Vec<String>,
}

/// Gangs in each version of Kubernetes: version of their API, and the condition that says that one waits.
const GANGS: &[(&str, &str)] =
    &[("v1beta1", "PodGroupInitiallyScheduled"), ("v1alpha2", "PodGroupScheduled")];

fn pod_groups(version: &str) -> Kind {
    Kind::namespaced("scheduling.k8s.io", version, "PodGroup", "podgroups")
}

/// The private slots that a pod asks for: which, and how many.
fn slots(pod: &Object) -> Option<(String, u64)> {
    let requests = pod.at("/spec/containers/0/resources/requests").and_then(Value::as_object)?;
    let (name, amount) = requests.iter().find(|(name, _)| name.starts_with(SLOTS))?;
    Some((name.clone(), amount.as_str()?.parse().ok()?))
}

fn resource(pod: &Object) -> String {
    slots(pod).map(|(name, _)| name).unwrap_or_default()
}

fn amount(pod: &Object) -> u64 {
    slots(pod).map_or(0, |(_, amount)| amount)
}

impl Scheduler {
    /// A scheduler with this fault.
    pub fn new(api: Api, mirror: Arc<Mirror>, fault: Fault) -> Scheduler {
        Scheduler {
            api,
            mirror,
            fault,
            groups: pod_groups(GANGS[0].0),
            waits: GANGS[0].1,
            assumed: BTreeSet::new(),
            refused: BTreeMap::new(),
            first_least: BTreeMap::new(),
            kept: BTreeMap::new(),
            bound: BTreeMap::new(),
            gathered: BTreeMap::new(),
            claims: Claims::default(),
        }
    }

    /// Schedules until it is killed.
    pub async fn run(mut self) -> Result<(), ClusterError> {
        for (version, waits) in GANGS {
            let groups = pod_groups(version);
            if self.api.serves(&Scope::default(), &groups).await? {
                (self.groups, self.waits) = (groups, *waits);
                break;
            }
        }
        for kind in [Kind::pod(), Kind::node(), self.groups.clone()] {
            self.mirror.watch(&self.api, &kind, "", ("labelSelector", "")).await?;
        }
        self.watch_claims().await?;
        let mut changes = self.mirror.changes();
        loop {
            changes.borrow_and_update();
            self.pass().await?;
            // Gathering needs a look after its time too.
            if tokio::time::timeout(GATHER, changes.changed()).await.is_ok_and(|changed| changed.is_err()) {
                return Ok(());
            }
        }
    }

    async fn pass(&mut self) -> Result<(), ClusterError> {
        let mut free = self.free();
        let waiting = self.waiting();
        self.forget_deleted_gangs();
        let mut plain: Vec<Waiting> = Vec::new();
        let mut gangs: BTreeMap<(String, String), Vec<Waiting>> = BTreeMap::new();
        for pod in waiting {
            if pod.group.is_empty() {
                plain.push(pod);
            } else {
                gangs.entry((pod.namespace.clone(), pod.group.clone())).or_default().push(pod);
            }
        }
        if self.fault == Fault::Hoards {
            // What a refused gang waits for is kept from everyone.
            for pod in gangs.values().filter_map(|pods| pods.first()) {
                if self.is_refused(pod) {
                    free.insert(pod.resource.clone(), 0);
                }
            }
        }
        self.plain(plain, &mut free).await?;
        if self.fault == Fault::Hoards {
            free = self.free();
        }
        for ((namespace, name), pods) in gangs {
            if let Some(group) = self.mirror.get(&self.groups, &namespace, &name) {
                self.gang(&group, &pods, &mut free).await?;
            }
        }
        Ok(())
    }

    fn is_refused(&self, pod: &Waiting) -> bool {
        let group = self.mirror.get(&self.groups, &pod.namespace, &pod.group);
        group.is_some_and(|group| self.refused.contains_key(group.uid()))
    }

    /// Free slots of the node by resource.
    fn free(&mut self) -> BTreeMap<String, u64> {
        let mut free: BTreeMap<String, u64> = BTreeMap::new();
        self.mirror.all(&Kind::node(), "", |node| {
            let amounts = node.at("/status/allocatable").and_then(Value::as_object)?;
            for (name, amount) in amounts.iter().filter(|(name, _)| name.starts_with(SLOTS)) {
                free.insert(name.clone(), amount.as_str()?.parse().ok()?);
            }
            Some(())
        });
        let mut take = |name: &str, count: u64| {
            if let Some(amount) = free.get_mut(name) {
                *amount = amount.saturating_sub(count);
            }
        };
        let assumed = &mut self.assumed;
        self.mirror.everywhere(&Kind::pod(), |pod| {
            let finished = matches!(pod.text("/status/phase"), "Succeeded" | "Failed");
            let bound = !pod.text("/spec/nodeName").is_empty();
            if bound {
                assumed.remove(pod.uid());
            }
            if (bound || assumed.contains(pod.uid())) && !finished {
                take(&resource(pod), amount(pod));
            }
            None::<()>
        });
        for (name, count) in &self.kept {
            take(name, *count);
        }
        free
    }

    fn waiting(&self) -> Vec<Waiting> {
        self.mirror.everywhere(&Kind::pod(), |pod| {
            let gated = pod
                .at("/spec/schedulingGates")
                .and_then(Value::as_array)
                .is_some_and(|gates| !gates.is_empty());
            let waits = pod.text("/spec/nodeName").is_empty()
                && !gated
                && pod.at("/metadata/deletionTimestamp").is_none()
                && !self.assumed.contains(pod.uid());
            // A claim that is to be made of a template comes later.
            let claims = claims_of(pod)?;
            waits.then(|| Waiting {
                namespace: pod.namespace().into(),
                name: pod.name().into(),
                uid: pod.uid().into(),
                resource: resource(pod),
                amount: amount(pod),
                group: pod.text("/spec/schedulingGroup/podGroupName").into(),
                priority: pod.at("/spec/priority").and_then(Value::as_i64).unwrap_or_default(),
                told: pod.condition("PodScheduled").is_some(),
                claims,
            })
        })
    }

    fn forget_deleted_gangs(&mut self) {
        let there: BTreeSet<String> =
            self.mirror.everywhere(&self.groups, |group| Some(group.uid().to_owned())).into_iter().collect();
        let keeps = self.fault == Fault::KeepsReservation;
        let kept = &mut self.kept;
        self.bound.retain(|uid, (resource, count)| {
            let stays = there.contains(uid);
            if !stays && keeps {
                *kept.entry(resource.clone()).or_default() += *count;
            }
            stays
        });
    }

    async fn plain(
        &mut self,
        pods: Vec<Waiting>,
        free: &mut BTreeMap<String, u64>,
    ) -> Result<(), ClusterError> {
        if self.fault == Fault::GangsPlainPods {
            let mut together: BTreeMap<String, Vec<Waiting>> = BTreeMap::new();
            for pod in pods {
                together.entry(pod.resource.clone()).or_default().push(pod);
            }
            self.gathered.retain(|resource, _| together.contains_key(resource));
            for (resource, pods) in together {
                let wanted: u64 = pods.iter().map(|pod| pod.amount).sum();
                let seen = self.gathered.entry(resource.clone()).or_insert((wanted, Instant::now()));
                if wanted > seen.0 {
                    *seen = (wanted, Instant::now());
                }
                // A gang whose pods are deleted one by one does not fit because some of them are gone already.
                let fit = resource.is_empty() || fits(free, &resource, seen.0);
                if seen.1.elapsed() >= GATHER && fit {
                    for pod in &pods {
                        self.bind(pod, free).await?;
                    }
                    self.gathered.remove(&resource);
                }
            }
            return Ok(());
        }
        for pod in pods {
            let fit = pod.resource.is_empty() || fits(free, &pod.resource, pod.amount);
            if fit && (pod.claims.is_empty() || self.claimed(&pod).await?) {
                self.bind(&pod, free).await?;
            } else {
                self.refuse_pod(&pod).await?;
            }
        }
        Ok(())
    }

    async fn bind(&mut self, pod: &Waiting, free: &mut BTreeMap<String, u64>) -> Result<(), ClusterError> {
        let real = |node: &Object| node.label(FAKE).is_empty().then(|| node.name().to_owned());
        let node = self.mirror.all(&Kind::node(), "", real).pop().unwrap_or_default();
        let binding = json!({"apiVersion": "v1", "kind": "Binding",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}});
        let path = format!("{}/binding", Api::path(&Kind::pod(), &pod.namespace, &pod.name));
        self.assumed.insert(pod.uid.clone());
        if let Some(amount) = free.get_mut(&pod.resource) {
            *amount = amount.saturating_sub(pod.amount);
        }
        ignore_absence(self.api.send(&Scope::default(), "POST", &path, Some(&binding)).await)
    }

    async fn refuse_pod(&self, pod: &Waiting) -> Result<(), ClusterError> {
        if pod.told {
            return Ok(());
        }
        let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "no free slot"});
        let patch = json!({"status": {"conditions": [condition]}});
        let place = (pod.namespace.as_str(), pod.name.as_str());
        ignore_absence(self.api.merge(&Scope::default(), &Kind::pod(), place, "status", &patch).await)
    }
}

fn fits(free: &BTreeMap<String, u64>, resource: &str, wanted: u64) -> bool {
    free.get(resource).copied().unwrap_or_default() >= wanted
}

/// Passes over what is gone or was changed meanwhile: it is looked at again with the next change.
fn ignore_absence<T>(result: Result<T, ClusterError>) -> Result<(), ClusterError> {
    match result {
        Err(error) if error.refusal().is_some_and(|refusal| matches!(refusal.status, 404 | 409)) => Ok(()),
        other => other.map(drop),
    }
}
