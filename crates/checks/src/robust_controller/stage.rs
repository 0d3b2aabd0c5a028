//! Where one operator is tried.

use super::adapters::Operator;
use super::discover::found;
use crate::cx::{Cx, Stop};
use crate::pod::{CPU, MEMORY, TestPod};
use crate::render::Flaw;
use aiconform_cluster::{ClusterError, Scratch};
use aiconform_model::{Bin, EventKind, Kind, Object};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Longest time for an operator to do what it is to do. It is a limit, not a wait: an operator that works needs seconds.
const WORK: Duration = Duration::from_secs(90);
/// Longest time for its pods to be ready, which may have just been installed.
pub const READY: Duration = Duration::from_secs(60);
/// The same once they were tried.
pub const STILL_READY: Duration = Duration::from_secs(15);
/// Longest time for what we do to be seen.
const SEEN: Duration = Duration::from_secs(40);
/// Between two looks at what is not watched.
const BETWEEN: Duration = Duration::from_millis(500);

/// What all operators are tried on.
pub struct Ground {
    /// Node of test pods.
    pub node: String,
    /// Image of test pods.
    pub image: String,
    /// PriorityClass of test pods.
    pub priority_class: String,
}

/// Where one operator is tried.
pub struct Stage<'a> {
    cx: &'a Cx,
    scratch: Arc<Scratch>,
    operator: &'a Operator,
    name: String,
    values: Value,
}

/// ReplicaSets, which Kubernetes' own controllers make of Deployments.
fn replica_sets() -> Kind {
    Kind::namespaced("apps", "v1", "ReplicaSet", "replicasets")
}

/// Whether an object belongs to the owner with this UID.
pub fn is_of(object: &Object, owner: &str) -> bool {
    let owners = object.at("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|one| one.get("uid").and_then(Value::as_str) == Some(owner))
}

impl<'a> Stage<'a> {
    pub fn new(
        cx: &'a Cx,
        ground: &Ground,
        scratch: Arc<Scratch>,
        operator: &'a Operator,
        suffix: &str,
    ) -> Stage<'a> {
        // Names begin with a letter, as some operators want, and hold the run's prefix.
        let name = format!("aiconform-{}-{suffix}-it", cx.session.id());
        let (held, held_job) = (pod(cx, ground, true, false), pod(cx, ground, true, true));
        let values = json!({"run": cx.session.id(), "name": name, "namespace": scratch.namespace(),
            "image": ground.image, "pod": pod(cx, ground, false, false).to_string(),
            "held_pod": held.to_string(), "held_job_pod": held_job.to_string()});
        Stage { cx, scratch, operator, name, values }
    }

    fn kind(&self) -> &Kind {
        &self.operator.plan().kind
    }

    fn namespace(&self) -> &str {
        if self.kind().namespaced { self.scratch.namespace() } else { "" }
    }

    fn phase(&self, phase: &str, data: Value) {
        self.cx.write(self.scratch.scope(), EventKind::Phase { phase: phase.into(), data });
    }

    fn flawed(&self, flaw: Flaw) -> Stop {
        Stop::Hindered(format!("the file of the operator {}: {}", self.operator.id(), flaw.why))
    }

    /// An object as it is sent.
    fn prepared(&self, mut object: Value, kind: &Kind) -> Value {
        if kind.namespaced {
            object["metadata"]["namespace"] = json!(self.scratch.namespace());
        }
        self.cx.session.stamped(self.scratch.scope(), object).0
    }

    /// Looks for the operator's definition, webhooks and pods, and waits until its pods are ready.
    pub async fn find(&self, phase: &str, limit: Duration) -> Result<(), Stop> {
        let (api, scope) = (self.cx.session.api(), self.scratch.scope());
        self.phase("look", json!({}));
        let ask = || async {
            match found(api, scope, self.operator).await {
                Ok(found) if found.pods.is_empty() => Err((found, "none is there".to_owned())),
                Ok(found) => match found.pods.iter().find(|pod| !pod.ready) {
                    Some(pod) => {
                        let last = format!("{} is not ready: {}", pod.name, pod.says);
                        Err((found, last))
                    }
                    None => Ok(Ok(found)),
                },
                Err(stop) => Ok(Err(stop)),
            }
        };
        let last = std::sync::Mutex::new(None);
        let wait = aiconform_wait::Wait {
            condition: format!("the pods of {} to be ready", self.operator.plan().product),
            bin: Bin::Platform,
            limit,
            sink: api.sink().as_ref(),
            scope,
        };
        let asked = wait
            .asking(BETWEEN, || async {
                ask().await.map_err(|(found, words)| {
                    *last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(found);
                    words
                })
            })
            .await;
        let found = match asked {
            Ok(met) => Some(met.value?),
            Err(_) => last.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner),
        };
        self.phase(phase, json!({"found": found}));
        Ok(())
    }

    /// Asks for the resource as it should be and as its webhook must refuse it, without creating either.
    pub async fn ask(&self) -> Result<(), Stop> {
        let (api, scope) = (self.cx.session.api(), self.scratch.scope());
        for (kind, object) in self.operator.before(&self.values).map_err(|flaw| self.flawed(flaw))? {
            let object = self.prepared(object, &kind);
            self.cx.session.create_cluster_wide(scope, &kind, object).await?;
        }
        let valid = self.operator.valid(&self.values).map_err(|flaw| self.flawed(flaw))?;
        let invalid = self.operator.invalid(&self.values).map_err(|flaw| self.flawed(flaw))?;
        for (phase, object) in [("ask_valid", valid.clone()), ("ask_invalid", invalid), ("ask_valid", valid)]
        {
            self.phase(phase, json!({}));
            let object = Object(self.prepared(object, self.kind()));
            match api.dry_run(scope, self.kind(), &object).await {
                // What was answered is for the judge.
                Ok(_) | Err(ClusterError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.phase("asked", json!({}));
        Ok(())
    }

    /// Makes a Deployment of no pods: Kubernetes' own controllers must make a ReplicaSet of it meanwhile.
    pub async fn make_plain(&self) -> Result<(), Stop> {
        let (api, namespace) = (self.cx.session.api(), self.scratch.namespace());
        self.cx.session.mirror().watch(api, &replica_sets(), namespace, ("labelSelector", "")).await?;
        let name = self.scratch.named("plain");
        let labels = json!({"aiconform.dev/plain": name});
        let container = json!({"name": "pause", "image": self.values["image"],
            "resources": {"requests": {"cpu": CPU, "memory": MEMORY}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}});
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container],
                    "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}}}}});
        self.phase("plain", json!({"name": name}));
        self.scratch.create(&Kind::deployment(), deployment).await?;
        let look = || {
            let made = self.scratch.all(&replica_sets(), |object| {
                object.name().starts_with(&name).then(|| object.name().to_owned())
            });
            if made.is_empty() { Err("none".to_owned()) } else { Ok(()) }
        };
        // That it does not come is for the judge.
        let _ = self.scratch.until("a ReplicaSet of a Deployment", Bin::Platform, SEEN, look).await;
        self.phase("plain_ended", json!({}));
        Ok(())
    }

    fn own(&self) -> Option<Object> {
        self.cx.session.mirror().get(self.kind(), self.namespace(), &self.name)
    }

    fn children(&self, kind: &Kind, owner: &str) -> Vec<Object> {
        self.scratch.all(kind, |object| is_of(object, owner).then(|| object.clone()))
    }

    /// Creates the resource; gives whether it could be.
    pub async fn create(&self) -> Result<bool, Stop> {
        let (session, scope, plan) = (&self.cx.session, self.scratch.scope(), self.operator.plan());
        let object = self.operator.valid(&self.values).map_err(|flaw| self.flawed(flaw))?;
        match session.watch_own(self.kind()).await {
            Err(error) if error.is_not_found() => {
                self.phase("refused", json!({}));
                return Ok(false);
            }
            watched => watched?,
        }
        for kind in &plan.children {
            session
                .mirror()
                .watch(session.api(), kind, self.scratch.namespace(), ("labelSelector", ""))
                .await?;
        }
        self.cx.progress.tell(scope, &format!("a {} is created", self.kind().kind));
        self.phase("create", json!({"name": self.name}));
        let object = self.prepared(object, self.kind());
        match session.create_cluster_wide(scope, self.kind(), object).await {
            Ok(_) => {}
            Err(ClusterError::Refused(_)) => {
                self.phase("refused", json!({}));
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        let look = || {
            let Some(own) = self.own() else { return Err("it is not seen yet".into()) };
            for kind in &plan.children {
                if self.children(kind, own.uid()).is_empty() {
                    return Err(format!("it has no {}", kind.kind));
                }
            }
            plan.lacks(&own, &plan.reconciled).map_or(Ok(()), Err)
        };
        self.work(format!("a {} to be reconciled", self.kind().kind), look).await;
        let uid = self.own().map(|own| own.uid().to_owned()).unwrap_or_default();
        self.close("reconciled", &uid).await?;
        Ok(true)
    }

    async fn work(&self, condition: String, look: impl FnMut() -> Result<(), String> + Send) {
        // What was not done in time is for the judge.
        let _ = self.scratch.until(condition, Bin::Platform, WORK, look).await;
    }

    /// Deletes a child, and waits for another.
    pub async fn make_again(&self) -> Result<(), Stop> {
        let Some(kind) = &self.operator.plan().again else { return Ok(()) };
        let Some(own) = self.own() else { return Ok(()) };
        let before = self.children(kind, own.uid());
        let Some(child) = before.first() else { return Ok(()) };
        self.phase("delete_child", json!({"kind": kind, "name": child.name(), "uid": child.uid()}));
        self.scratch.delete(kind, child.name()).await?;
        let look = || {
            let new = self.children(kind, own.uid()).iter().any(|now| {
                !before.iter().any(|then| then.uid() == now.uid())
                    && now.at("/metadata/deletionTimestamp").is_none()
            });
            if new { Ok(()) } else { Err(format!("no other {}", kind.kind)) }
        };
        self.work(format!("a {} that was deleted to be made again", kind.kind), look).await;
        self.close("made_again", own.uid()).await
    }

    /// Changes the resource, and waits until that is followed.
    pub async fn change(&self) -> Result<(), Stop> {
        let (plan, scope) = (self.operator.plan(), self.scratch.scope());
        let patch = self.operator.change(&self.values).map_err(|flaw| self.flawed(flaw))?;
        let (Some(patch), Some(shows)) = (patch, &plan.changed) else { return Ok(()) };
        let Some(before) = self.own() else { return Ok(()) };
        self.phase("change", json!({"generation": before.at("/metadata/generation")}));
        let place = (self.namespace(), self.name.as_str());
        match self.cx.session.api().merge(scope, self.kind(), place, "", &patch).await {
            Ok(()) => {}
            Err(ClusterError::Refused(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let look = || match self.own() {
            Some(own) if own.at("/metadata/generation") == before.at("/metadata/generation") => {
                Err("the change is not seen yet".into())
            }
            Some(own) => plan.lacks(&own, shows).map_or(Ok(()), Err),
            None => Err("it is gone".into()),
        };
        self.work(format!("a change of the {} to be followed", self.kind().kind), look).await;
        self.close("changed", before.uid()).await
    }

    /// Deletes the resource, and waits until it and everything of it is gone.
    pub async fn delete(&self) -> Result<(), Stop> {
        let (plan, scope) = (self.operator.plan(), self.scratch.scope());
        let Some(own) = self.own() else { return Ok(()) };
        self.phase("delete", json!({}));
        self.cx.session.api().delete(scope, self.kind(), self.namespace(), &self.name).await?;
        let left = || {
            let it = self.own().filter(|object| object.uid() == own.uid());
            let finalizers = it.as_ref().and_then(|object| object.at("/metadata/finalizers"));
            let mut left: Vec<String> = Vec::new();
            if it.is_some() {
                let held = finalizers.map_or_else(|| "no finalizers".into(), Value::to_string);
                left.push(format!("{} {} with {held}", self.kind().kind, self.name));
            }
            for kind in &plan.children {
                let names = self.children(kind, own.uid());
                left.extend(names.iter().map(|child| format!("{} {}", kind.kind, child.name())));
            }
            if left.is_empty() { Ok(()) } else { Err(left.join(", ")) }
        };
        self.work(format!("a {} and all that was made of it to be gone", self.kind().kind), left).await;
        self.close("gone", own.uid()).await
    }

    /// Closes a window: what is listed now is set beside what was watched, so that a watch that lags behind is not taken
    /// for an operator that does nothing.
    async fn close(&self, phase: &str, uid: &str) -> Result<(), Stop> {
        let (api, scope) = (self.cx.session.api(), self.scratch.scope());
        let listed = match api.get(scope, self.kind(), self.namespace(), &self.name).await {
            Ok(own) => Some(own),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        let mut children = Vec::new();
        for kind in &self.operator.plan().children {
            let all = api.list(scope, kind, self.scratch.namespace(), "").await?;
            let own = all.iter().filter(|object| is_of(object, uid));
            children.extend(own.map(|object| json!({"kind": kind.kind, "name": object.name()})));
        }
        let said = self.said(uid).await;
        let there = listed.is_some_and(|own| own.uid() == uid);
        self.phase(phase, json!({"there": there, "children": children, "said": said}));
        Ok(())
    }

    /// What Events say of the resource: who refused what the operator wanted to make of it.
    async fn said(&self, uid: &str) -> Option<Vec<String>> {
        let (api, scope) = (self.cx.session.api(), self.scratch.scope());
        let namespace = if self.kind().namespaced { self.scratch.namespace() } else { "default" };
        // Without them it is not known why something did not come, and nothing else depends on them.
        let events = api.list(scope, &Kind::event(), namespace, "").await.ok()?;
        let of_it = events.iter().filter(|event| event.text("/involvedObject/uid") == uid);
        let mut said: Vec<String> = of_it
            .filter(|event| event.text("/type") == "Warning")
            .map(|event| event.text("/message").chars().take(600).collect())
            .collect();
        said.sort();
        said.dedup();
        said.truncate(5);
        Some(said)
    }
}

/// A template of pods: small, admitted at the restricted Pod Security level, ready at once, or never scheduled.
fn pod(cx: &Cx, ground: &Ground, held: bool, of_job: bool) -> Value {
    let nodes = [ground.node.clone()];
    let mut pod = TestPod {
        name: "",
        labels: json!({}),
        nodes: &nodes,
        image: &ground.image,
        priority_class: &ground.priority_class,
        resources: json!({"requests": {"cpu": CPU, "memory": MEMORY}}),
        runs: true,
        profile: &cx.profile,
    }
    .object();
    let spec = &mut pod["spec"];
    let container = &mut spec["containers"][0];
    if let Some(container) = container.as_object_mut() {
        container.remove("args");
    }
    // Operators that want a probe and find none put in one of their own, which asks for what is not there.
    let probe = json!({"exec": {"command": ["/pause", "-v"]}, "periodSeconds": 5, "timeoutSeconds": 10,
        "failureThreshold": 30});
    container["readinessProbe"] = probe.clone();
    container["livenessProbe"] = probe;
    if held {
        spec["schedulingGates"] = json!([{"name": "aiconform.dev/held"}]);
    }
    if !of_job && let Some(spec) = spec.as_object_mut() {
        spec.remove("restartPolicy");
    }
    json!({"metadata": {"labels": pod["metadata"]["labels"], "annotations": pod["metadata"]["annotations"]},
        "spec": pod["spec"]})
}
