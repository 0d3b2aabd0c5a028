//! Where the subject acts: its namespace, its node, its trials.

use super::objects::{claim_object, exactly, give, labels, taint_rules, taints_all, template_object};
use crate::adapters::synthetic::{Device, Names};
use crate::limits::{ALIVE, GIVE};
use crate::marks::{CANARY, CLAIMANT, FOREIGN, Mark, STUCK, Step};
use crate::reading::{claim_template, given, reserved, slice};
use aiconform_check::cx::{Cx, Stop};
use aiconform_check::fence::{Fence, gated};
use aiconform_check::pod::{CPU, MEMORY, TestPod};
use aiconform_cluster::{ClusterError, RUN_LABEL, Scratch};
use aiconform_model::{Bin, EventKind, Kind};
use aiconform_trial::InForce;
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::labels::TRIAL;
use aiconform_wait::{TooLate, dwell};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Seconds after which a node ends a test pod that nobody deleted: more than the whole check may take.
pub const DEADLINE: u64 = 3600;
/// Time between two pods that show that others are bound while a claim gets nothing.
const BETWEEN: Duration = Duration::from_secs(4);
/// Time for which a claim that can get nothing is watched getting nothing, beyond the scheduler's no.
const WINDOW: Duration = Duration::from_secs(2);

/// Ground that the trials stand on.
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
    /// Context that the check was given.
    pub cx: &'a Cx,
    /// Ground that the trials stand on.
    pub ground: &'a Ground,
    /// The subject's namespace.
    pub scratch: Arc<Scratch>,
    /// Names of the run's devices.
    pub names: Names,
    fence: Fence,
}

impl<'a> Stage<'a> {
    /// The stage in a namespace.
    pub fn new(cx: &'a Cx, ground: &'a Ground, scratch: Arc<Scratch>) -> Stage<'a> {
        let names = Names { run: cx.session.id().into() };
        let fence = Fence::new(scratch.clone());
        Stage { cx, ground, scratch, names, fence }
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
            deadline: Some(DEADLINE),
            profile: &self.cx.profile,
        }
        .object()
    }

    /// The fence on which windows are closed: a pod that is gated, and where there are claims, one that no pod names, because
    /// binding and allocation come on two watches.
    ///
    /// # Errors
    /// When the cluster refuses one of them.
    pub async fn make_fence(&mut self, claims: bool) -> Result<(), Stop> {
        let name = self.fence.name().to_owned();
        let labels = labels("fence", "fence", &name);
        let pod = gated(self.pod(&name, labels.clone()));
        self.fence.make(&Kind::pod(), pod).await?;
        if claims {
            let request = exactly(&self.names.class("fence"), &[], &json!([]));
            self.fence.make(&resource_claim(), claim_object(&name, &labels, &request)).await?;
        }
        Ok(())
    }

    /// Longest time for a plain pod to be bound, and for what we do to be seen.
    pub fn alive(&self) -> Duration {
        self.cx.limit(&ALIVE).time
    }

    /// Looks for claims of others that hold devices of the run, and for rules of others that put taints on them: where
    /// there are any, it says nothing of the platform who gets them.
    pub async fn look_for_others(&self) -> Result<(), Stop> {
        let (api, scope) = (self.cx.session.api(), self.scratch.scope());
        let driver = self.names.driver();
        let tell = |who: String, why: &str| {
            let kind = EventKind::Hindrance { who, what: FOREIGN.into(), why: why.into() };
            self.cx.write(scope, kind);
        };
        for object in api.list(scope, &resource_claim(), "", "").await? {
            let ours = object.namespace() == self.scratch.namespace()
                && object.label(RUN_LABEL) == self.cx.session.id();
            if !ours && given(&object).iter().any(|device| device.driver == driver) {
                let who = format!("ResourceClaim {}", object.called());
                tell(who, "it was given a device that only claims of the run can want");
            }
        }
        for kind in taint_rules() {
            let rules = match api.list(scope, &kind, "", "").await {
                Ok(rules) => rules,
                // It is not served in this version, or the user may not read it.
                Err(ClusterError::Refused(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            for rule in rules.iter().filter(|rule| taints_all(rule)) {
                let who = format!("DeviceTaintRule {}", rule.name());
                tell(who, "it puts a taint on devices of every driver, and so on those of the run");
            }
        }
        Ok(())
    }
}

/// Where one trial acts.
pub struct Trial<'a> {
    /// The stage.
    pub stage: &'a Stage<'a>,
    /// Name of the trial.
    pub name: &'a str,
    canaries: AtomicU64,
}

impl<'a> Trial<'a> {
    /// A trial of which nothing is done yet.
    pub fn new(stage: &'a Stage<'a>, name: &'a str) -> Trial<'a> {
        Trial { stage, name, canaries: AtomicU64::new(0) }
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

    /// Marks a step, before its first request.
    pub fn mark(&self, step: Step) {
        self.stage.cx.mark(self.stage.scratch.scope(), &Mark { trial: self.name.into(), step });
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
        stage.scratch.until(condition, Bin::Ours, stage.alive(), look).await?;
        Ok(())
    }

    /// Creates a claim.
    pub async fn claim(&self, suffix: &str, request: &Value) -> Result<String, Stop> {
        let name = self.named(suffix);
        let object = claim_object(&name, &labels(self.name, "claim", &name), request);
        self.stage.scratch.create(&resource_claim(), object).await?;
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
        let mut pod = self.stage.pod(&name, labels(self.name, CLAIMANT, &name));
        give(&mut pod, field, claim);
        self.stage.scratch.create(&Kind::pod(), pod).await?;
        Ok(name)
    }

    /// Pods of these names that are bound and whose claims are given a device, and what is said of the others.
    fn served(&self, names: &[String]) -> (Vec<String>, String) {
        let scratch = &self.stage.scratch;
        let claims: Vec<_> = scratch.all(&resource_claim(), |object| {
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

    /// Longest time for what can be allocated.
    fn give_limit(&self) -> InForce {
        self.stage.cx.limit(&GIVE)
    }

    /// Waits until so many pods of these names are bound with a device; a claim that gets nothing is a fact for the judge,
    /// who is shown whether plain pods are bound meanwhile.
    pub async fn give(&self, names: &[String], wanted: usize) -> Result<Vec<String>, Stop> {
        if self.wait_for(names, wanted, self.give_limit().watched()).await.is_ok() {
            return Ok(self.served(names).0);
        }
        self.stage.look_for_others().await?;
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
        let pod = self.stage.pod(&name, labels(self.name, CANARY, &name));
        self.stage.scratch.create(&Kind::pod(), pod).await?;
        let look = || match self.stage.scratch.get(&Kind::pod(), &name) {
            Some(pod) if !pod.text("/spec/nodeName").is_empty() => Ok(()),
            Some(_) => Err("it is there and not bound".into()),
            None => Err("it does not exist".to_owned()),
        };
        let condition = format!("{}: a pod that claims nothing to be bound", self.name);
        let bound = self.stage.scratch.until(condition, Bin::Platform, self.stage.alive(), look).await;
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
        let _ = scratch.until(condition, Bin::Platform, self.give_limit().time, look).await;
        self.canary().await?;
        let sink = self.stage.cx.session.api().sink().clone();
        let why = format!("{}: a claim that can get nothing is watched", self.name);
        dwell(&why, WINDOW, sink.as_ref(), scratch.scope()).await;
        self.canary().await
    }

    /// Closes a window and marks it: what happened before has been seen.
    pub async fn close(&self, end: Step) -> Result<(), Stop> {
        self.stage.fence.close(self.stage.alive()).await?;
        self.mark(end);
        Ok(())
    }

    /// Deletes pods, and these claims, after saying so: whatever else goes was deleted by someone else.
    pub async fn remove(&self, pods: &[String], claims: &[String]) -> Result<(), Stop> {
        self.mark(Step::Remove { names: pods.iter().chain(claims).cloned().collect() });
        for name in pods {
            self.stage.scratch.delete(&Kind::pod(), name).await?;
        }
        for name in claims {
            self.stage.scratch.delete(&resource_claim(), name).await?;
        }
        Ok(())
    }
}
