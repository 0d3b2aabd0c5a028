//! Where one operator is tried.

use crate::adapters::Operator;
use crate::find::found;
use crate::limits::{PLAIN, RECONCILE};
use crate::marks::{Closed, Deleted, Found, Listed, Mark, is_of};
use aiconform_check::cx::{Cx, Stop};
use aiconform_check::pod::{CPU, MEMORY, TestPod};
use aiconform_check::render::Flaw;
use aiconform_cluster::{ClusterError, Scratch};
use aiconform_model::{Bin, Kind, Object};
use aiconform_trial::Limit;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at what is not watched.
const BETWEEN: Duration = Duration::from_millis(500);

/// Ground that all operators are tried on.
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
            "image": ground.image, "node": ground.node, "pod": pod(cx, ground, false, false).to_string(),
            "held_pod": held.to_string(), "held_job_pod": held_job.to_string()});
        Stage { cx, scratch, operator, name, values }
    }

    fn kind(&self) -> &Kind {
        &self.operator.plan().kind
    }

    fn namespace(&self) -> &str {
        if self.kind().namespaced { self.scratch.namespace() } else { "" }
    }

    /// Marks what is done next.
    pub fn mark(&self, mark: &Mark) {
        self.cx.mark(self.scratch.scope(), mark);
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

    /// Looks for the operator's definition, webhooks and pods, and waits until its pods are ready; gives what was found
    /// last, and after how many milliseconds they were ready, where they were not at once.
    pub async fn find(&self, limit: &Limit) -> Result<(Option<Found>, Option<u64>), Stop> {
        let (api, scope) = (self.cx.session.api(), self.scratch.scope());
        self.mark(&Mark::Look {});
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
            limit: self.cx.limit(limit).watched(),
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
        let last = last.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(match asked {
            Ok(met) => {
                let waited = last.and_then(|_| u64::try_from(met.waited.as_millis()).ok());
                (Some(met.value?), waited)
            }
            Err(_) => (last, None),
        })
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
        for (mark, object) in
            [(Mark::AskValid {}, valid.clone()), (Mark::AskInvalid {}, invalid), (Mark::AskValid {}, valid)]
        {
            self.mark(&mark);
            let object = Object(self.prepared(object, self.kind()));
            match api.dry_run(scope, self.kind(), &object).await {
                // What was answered is for the judge.
                Ok(_) | Err(ClusterError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.mark(&Mark::Asked {});
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
        self.mark(&Mark::Plain { name: name.clone() });
        self.scratch.create(&Kind::deployment(), deployment).await?;
        let look = || {
            let made = self.scratch.all(&replica_sets(), |object| {
                object.name().starts_with(&name).then(|| object.name().to_owned())
            });
            if made.is_empty() { Err("none".to_owned()) } else { Ok(()) }
        };
        // That it does not come is for the judge.
        let _ = self
            .scratch
            .until("a ReplicaSet of a Deployment", Bin::Platform, self.cx.limit(&PLAIN).watched(), look)
            .await;
        self.mark(&Mark::PlainEnded {});
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
                self.mark(&Mark::Refused {});
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
        self.mark(&Mark::Create { name: self.name.clone() });
        let object = self.prepared(object, self.kind());
        match session.create_cluster_wide(scope, self.kind(), object).await {
            Ok(_) => {}
            Err(ClusterError::Refused(_)) => {
                self.mark(&Mark::Refused {});
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
        self.mark(&Mark::Reconciled(self.close(&uid).await?));
        Ok(true)
    }

    async fn work(&self, condition: String, look: impl FnMut() -> Result<(), String> + Send) {
        // What was not done in time is for the judge.
        let limit = self.cx.limit(&RECONCILE).watched();
        let _ = self.scratch.until(condition, Bin::Platform, limit, look).await;
    }

    /// Deletes a child, and waits for another.
    pub async fn make_again(&self) -> Result<(), Stop> {
        let Some(kind) = &self.operator.plan().again else { return Ok(()) };
        let Some(own) = self.own() else { return Ok(()) };
        let before = self.children(kind, own.uid());
        let Some(child) = before.first() else { return Ok(()) };
        let (name, uid) = (child.name().to_owned(), child.uid().to_owned());
        self.mark(&Mark::DeleteChild(Deleted { kind: kind.clone(), name, uid }));
        self.scratch.delete(kind, child.name()).await?;
        let look = || {
            let new = self.children(kind, own.uid()).iter().any(|now| {
                !before.iter().any(|then| then.uid() == now.uid())
                    && now.at("/metadata/deletionTimestamp").is_none()
            });
            if new { Ok(()) } else { Err(format!("no other {}", kind.kind)) }
        };
        self.work(format!("a {} that was deleted to be made again", kind.kind), look).await;
        self.mark(&Mark::MadeAgain(self.close(own.uid()).await?));
        Ok(())
    }

    /// Changes the resource, and waits until that is followed.
    pub async fn change(&self) -> Result<(), Stop> {
        let (plan, scope) = (self.operator.plan(), self.scratch.scope());
        let patch = self.operator.change(&self.values).map_err(|flaw| self.flawed(flaw))?;
        let (Some(patch), Some(shows)) = (patch, &plan.changed) else { return Ok(()) };
        let Some(before) = self.own() else { return Ok(()) };
        let generation = before.at("/metadata/generation").and_then(Value::as_u64);
        self.mark(&Mark::Change { generation });
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
        self.mark(&Mark::Changed(self.close(before.uid()).await?));
        Ok(())
    }

    /// Deletes the resource, and waits until it and everything of it is gone.
    pub async fn delete(&self) -> Result<(), Stop> {
        let (plan, scope) = (self.operator.plan(), self.scratch.scope());
        let Some(own) = self.own() else { return Ok(()) };
        self.mark(&Mark::Delete {});
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
        self.mark(&Mark::Gone(self.close(own.uid()).await?));
        Ok(())
    }

    /// Closes a window: lists what is there now.
    async fn close(&self, uid: &str) -> Result<Closed, Stop> {
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
            children.extend(own.map(|object| Listed { kind: kind.kind.clone(), name: object.name().into() }));
        }
        let there = listed.is_some_and(|own| own.uid() == uid);
        Ok(Closed { there, children, said: self.warnings(uid).await })
    }

    /// Warnings in Events of the resource: who refused what the operator wanted to make of it.
    async fn warnings(&self, uid: &str) -> Option<Vec<String>> {
        let (api, scope) = (self.cx.session.api(), self.scratch.scope());
        let namespace = if self.kind().namespaced { self.scratch.namespace() } else { "default" };
        // Without them it is not known why something did not come, and nothing else depends on them.
        let events = api.list(scope, &Kind::event(), namespace, "").await.ok()?;
        let of_it = events.iter().filter(|event| event.text("/involvedObject/uid") == uid);
        let mut warnings: Vec<String> = of_it
            .filter(|event| event.text("/type") == "Warning")
            .map(|event| event.text("/message").chars().take(600).collect())
            .collect();
        warnings.sort();
        warnings.dedup();
        warnings.truncate(5);
        Some(warnings)
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
        // Templates of others than Jobs may not have one.
        deadline: of_job.then_some(3600),
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
