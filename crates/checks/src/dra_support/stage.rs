//! Where the subject acts: its namespace, its node, its trials.

use super::adapters::synthetic::{Device, Names};
use super::objects::{
    claim, claim_object, claim_template, exactly, give, given, labels, reserved, slice, template_object,
};
use crate::cx::{Cx, Stop};
use crate::pod::{CPU, MEMORY, TRIAL, TestPod};
use aiconform_cluster::{RUN_LABEL, Scratch};
use aiconform_model::{Bin, EventKind, Kind};
use aiconform_wait::{TooLate, dwell};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest time for what can be allocated to be allocated, before it is asked whether the scheduler takes others.
const GIVE: Duration = Duration::from_secs(20);
/// Longest time for a plain pod to be bound, and for what we do to be seen.
pub const ALIVE: Duration = Duration::from_secs(40);
/// Time between two pods that show that others are bound while a claim gets nothing.
const BETWEEN: Duration = Duration::from_secs(4);
/// Such pods that must be bound one after another before a claim that gets nothing is called stuck, not slow.
pub const STUCK: usize = 3;
/// How long a claim that can get nothing is watched getting nothing, beyond the scheduler's no.
const WINDOW: Duration = Duration::from_secs(2);

/// Name of what a hindrance is about when claims of others hold devices of the run.
pub const FOREIGN_CLAIM: &str = "devices of the run";

/// What the trials stand on.
pub struct Ground {
    /// Node that has the devices.
    pub node: String,
    /// Image of test pods.
    pub image: String,
    /// PriorityClass of test pods.
    pub priority_class: String,
    /// Test pods that the node has room for: trials run side by side as far as it holds all their pods.
    pub budget: Semaphore,
}

/// Where the subject acts.
pub struct Stage<'a> {
    pub cx: &'a Cx,
    pub ground: &'a Ground,
    pub scratch: Arc<Scratch>,
    pub names: Names,
    fences: AtomicU64,
}

impl<'a> Stage<'a> {
    pub fn new(cx: &'a Cx, ground: &'a Ground, scratch: Arc<Scratch>) -> Stage<'a> {
        let names = Names { run: cx.session.id().into() };
        Stage { cx, ground, scratch, names, fences: AtomicU64::new(0) }
    }

    /// A test pod.
    pub fn pod(&self, name: &str, labels: Value) -> Value {
        let nodes = [self.ground.node.clone()];
        TestPod {
            name,
            labels,
            nodes: &nodes,
            image: &self.ground.image,
            priority_class: &self.ground.priority_class,
            resources: json!({"requests": {"cpu": CPU, "memory": MEMORY}}),
            runs: false,
            profile: &self.cx.profile,
        }
        .object()
    }

    fn fence_name(&self) -> String {
        self.scratch.named("fence")
    }

    /// The kinds whose watches a window is closed on: pods, and claims where there are any.
    fn fenced(&self, claims: bool) -> Vec<Kind> {
        if claims { vec![Kind::pod(), claim()] } else { vec![Kind::pod()] }
    }

    /// A pod that is gated and never scheduled, and a claim that no pod names: what is changed of them closes windows.
    pub async fn make_fences(&self, claims: bool) -> Result<(), Stop> {
        let name = self.fence_name();
        let mut pod = self.pod(&name, labels("fence", "fence", &name));
        pod["spec"]["schedulingGates"] = json!([{"name": "aiconform.dev/fence"}]);
        self.scratch.create(&Kind::pod(), pod).await?;
        if claims {
            let request = exactly(&self.names.class("fence"), &[], &json!([]));
            let object = claim_object(&name, &labels("fence", "fence", &name), &request);
            self.scratch.create(&claim(), object).await?;
        }
        Ok(())
    }

    /// Writes of ours, one to a pod and one to a claim, that have come back on their watches: everything before them has
    /// been seen.
    async fn fence(&self, claims: bool) -> Result<(), Stop> {
        let number = self.fences.fetch_add(1, Ordering::Relaxed).to_string();
        let key = format!("aiconform.dev/fence-{number}");
        let patch = json!({"metadata": {"annotations": {&key: "up"}}});
        let name = self.fence_name();
        let kinds = self.fenced(claims);
        for kind in &kinds {
            self.scratch.merge(kind, &name, &patch).await?;
        }
        let look = || {
            let behind: Vec<&str> = kinds
                .iter()
                .filter(|kind| {
                    self.scratch.get(kind, &name).is_none_or(|object| object.annotation(&key) != "up")
                })
                .map(|kind| kind.plural.as_str())
                .collect();
            if behind.is_empty() { Ok(()) } else { Err(format!("not yet on {}", behind.join(", "))) }
        };
        self.scratch.until("writes of ours to come back on their watches", Bin::Ours, ALIVE, look).await?;
        Ok(())
    }

    /// Whether claims of others hold devices of the run, which leaves nothing to say of who gets them.
    pub async fn look_for_foreign_claims(&self) -> Result<(), Stop> {
        let (api, scope) = (self.cx.session.api(), self.scratch.scope());
        let driver = self.names.driver();
        for object in api.list(scope, &claim(), "", "").await? {
            let ours = object.namespace() == self.scratch.namespace()
                && object.label(RUN_LABEL) == self.cx.session.id();
            if !ours && given(&object).iter().any(|device| device.driver == driver) {
                let who = format!("ResourceClaim {}", object.called());
                let why = "it was given a device that only claims of the run can want".into();
                self.cx.write(scope, EventKind::Hindrance { who, what: FOREIGN_CLAIM.into(), why });
            }
        }
        Ok(())
    }
}

/// Where one trial acts.
pub struct Trial<'a> {
    pub stage: &'a Stage<'a>,
    pub name: &'a str,
    /// Whether claims can be made at all.
    claims: bool,
    canaries: AtomicU64,
}

impl<'a> Trial<'a> {
    pub fn new(stage: &'a Stage<'a>, name: &'a str, claims: bool) -> Trial<'a> {
        Trial { stage, name, claims, canaries: AtomicU64::new(0) }
    }

    /// Name of an object of this trial.
    pub fn named(&self, suffix: &str) -> String {
        self.stage.scratch.named(&format!("{}-{suffix}", self.name))
    }

    /// Name of the class of this trial's devices.
    pub fn class(&self) -> String {
        self.stage.names.class(self.name)
    }

    /// A request of any of this trial's devices that these select.
    pub fn request(&self, selectors: &[String]) -> Value {
        exactly(&self.class(), selectors, &json!([]))
    }

    /// Marks a phase, before the first request of its act.
    pub fn phase(&self, phase: &str, mut data: Value) {
        data["trial"] = json!(self.name);
        let kind = EventKind::Phase { phase: phase.into(), data };
        self.stage.cx.write(self.stage.scratch.scope(), kind);
    }

    /// Publishes the trial's devices, and waits until they are seen.
    pub async fn publish(&self, devices: &[Device]) -> Result<(), Stop> {
        let stage = self.stage;
        for (kind, object) in stage.names.published(self.name, &stage.ground.node, devices) {
            stage.cx.session.create_cluster_wide(stage.scratch.scope(), &kind, object).await?;
        }
        let name = stage.names.slice(self.name);
        let look = || match stage.cx.session.mirror().get(&slice(), "", &name) {
            Some(_) => Ok(()),
            None => Err("not yet".into()),
        };
        let condition = format!("{}: the devices to be seen", self.name);
        stage.scratch.until(condition, Bin::Ours, ALIVE, look).await?;
        Ok(())
    }

    /// Creates a claim.
    pub async fn claim(&self, suffix: &str, request: &Value) -> Result<String, Stop> {
        let name = self.named(suffix);
        let object = claim_object(&name, &labels(self.name, "claim", &name), request);
        self.stage.scratch.create(&claim(), object).await?;
        Ok(name)
    }

    /// Creates a pod that names a claim.
    pub async fn claimant(&self, suffix: &str, claim: &str) -> Result<String, Stop> {
        self.pod_with(suffix, "resourceClaimName", claim).await
    }

    /// Creates a claim and a pod of the same name that names it.
    pub async fn claimed(&self, suffix: &str, request: &Value) -> Result<String, Stop> {
        let name = self.claim(suffix, request).await?;
        self.claimant(suffix, &name).await
    }

    /// Creates a template of claims, and a pod of the same name that gets a claim of it.
    pub async fn claimed_by_template(&self, suffix: &str, request: &Value) -> Result<String, Stop> {
        let name = self.named(suffix);
        let mut labels = labels(self.name, "claim", &name);
        labels[RUN_LABEL] = json!(self.stage.cx.session.id());
        let object = template_object(&name, &labels, request);
        self.stage.scratch.create(&claim_template(), object).await?;
        self.pod_with(suffix, "resourceClaimTemplateName", &name).await
    }

    async fn pod_with(&self, suffix: &str, field: &str, claim: &str) -> Result<String, Stop> {
        let name = self.named(suffix);
        let mut pod = self.stage.pod(&name, labels(self.name, "claimant", &name));
        give(&mut pod, field, claim);
        self.stage.scratch.create(&Kind::pod(), pod).await?;
        Ok(name)
    }

    /// Pods of these names that are bound and whose claims are given a device, and what is said of the others.
    fn served(&self, names: &[String]) -> (Vec<String>, String) {
        let scratch = &self.stage.scratch;
        let claims: Vec<_> = scratch.all(&claim(), |object| {
            let ours = object.label(TRIAL) == self.name && !given(object).is_empty();
            ours.then(|| reserved(object))
        });
        let mut served = Vec::new();
        let mut last = Vec::new();
        for name in names {
            let Some(pod) = scratch.get(&Kind::pod(), name) else {
                last.push(format!("{name} does not exist"));
                continue;
            };
            let bound = !pod.text("/spec/nodeName").is_empty();
            if bound && claims.iter().any(|reserved| reserved.contains(pod.uid())) {
                served.push(name.clone());
                continue;
            }
            let condition = pod.condition("PodScheduled").and_then(|condition| condition.get("message"));
            let said = condition.and_then(Value::as_str).unwrap_or("nothing was said of it");
            let state = if bound { "is bound and has no device" } else { "is not bound" };
            last.push(format!("{name} {state}: {said}"));
        }
        (served, last.join("; "))
    }

    /// Waits until so many pods of these names are bound with a device; a claim that gets nothing is a fact for the judge,
    /// who is shown whether plain pods are bound meanwhile.
    pub async fn give(&self, names: &[String], wanted: usize) -> Result<Vec<String>, Stop> {
        if self.wait_for(names, wanted, GIVE).await.is_ok() {
            return Ok(self.served(names).0);
        }
        self.stage.look_for_foreign_claims().await?;
        for _ in 0..STUCK {
            self.canary().await?;
            if self.wait_for(names, wanted, BETWEEN).await.is_ok() {
                break;
            }
        }
        Ok(self.served(names).0)
    }

    async fn wait_for(&self, names: &[String], wanted: usize, limit: Duration) -> Result<(), TooLate> {
        let look = || match self.served(names) {
            (served, _) if served.len() >= wanted => Ok(()),
            (served, last) => {
                Err(format!("{} of {wanted} have a device and are bound; {last}", served.len()))
            }
        };
        let condition = format!("{}: claims to be given devices and their pods to be bound", self.name);
        self.stage.scratch.until(condition, Bin::Platform, limit, look).await.map(drop)
    }

    /// Creates a pod that claims nothing, and waits until it is bound.
    ///
    /// # Errors
    /// When it is not: then nothing can be said of claims, and the trial need not go on.
    pub async fn canary(&self) -> Result<(), Stop> {
        let number = self.canaries.fetch_add(1, Ordering::Relaxed);
        let name = self.named(&format!("canary-{number}"));
        let pod = self.stage.pod(&name, labels(self.name, "canary", &name));
        self.stage.scratch.create(&Kind::pod(), pod).await?;
        let look = || match self.stage.scratch.get(&Kind::pod(), &name) {
            Some(pod) if !pod.text("/spec/nodeName").is_empty() => Ok(()),
            Some(_) => Err("it is there and not bound".into()),
            None => Err("it does not exist".to_owned()),
        };
        let condition = format!("{}: a pod that claims nothing to be bound", self.name);
        let bound = self.stage.scratch.until(condition, Bin::Platform, ALIVE, look).await;
        bound.map(drop).map_err(|late| Stop::Hindered(late.to_string()))
    }

    /// Watches pods that can get nothing: until the scheduler has said no, and then beside plain pods that are bound.
    pub async fn watch_waiting(&self, names: &[String]) -> Result<(), Stop> {
        let scratch = &self.stage.scratch;
        let look = || {
            let silent: Vec<&str> = names
                .iter()
                .filter(|name| {
                    !scratch.get(&Kind::pod(), name).is_some_and(|pod| {
                        pod.condition_is("PodScheduled", "False") || !pod.text("/spec/nodeName").is_empty()
                    })
                })
                .map(String::as_str)
                .collect();
            if silent.is_empty() { Ok(()) } else { Err(format!("no word on {}", silent.join(", "))) }
        };
        let condition = format!("{}: the scheduler's no", self.name);
        // No word is for the judge.
        let _ = scratch.until(condition, Bin::Platform, GIVE, look).await;
        self.canary().await?;
        let sink = self.stage.cx.session.api().sink().clone();
        let why = format!("{}: a claim that can get nothing is watched", self.name);
        dwell(&why, WINDOW, sink.as_ref(), scratch.scope()).await;
        self.canary().await
    }

    /// Closes a window and marks it: what happened before has been seen.
    pub async fn close(&self, phase: &str) -> Result<(), Stop> {
        self.stage.fence(self.claims).await?;
        self.phase(phase, json!({}));
        Ok(())
    }

    /// Deletes pods, and these claims, after saying so: whatever else goes was deleted by someone else.
    pub async fn remove(&self, pods: &[String], claims: &[String]) -> Result<(), Stop> {
        let names: Vec<&String> = pods.iter().chain(claims).collect();
        self.phase("remove", json!({"names": names}));
        for name in pods {
            self.stage.scratch.delete(&Kind::pod(), name).await?;
        }
        for name in claims {
            self.stage.scratch.delete(&claim(), name).await?;
        }
        Ok(())
    }
}
