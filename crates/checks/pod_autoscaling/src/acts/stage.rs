//! Pods that say what they are told to, and what makes and scales them.

use super::objects::{COST, decoy, deployment, pod_monitor, pod_monitors, scaled_objects};
use super::words::{failure, waits};
use crate::adapters::Source;
use crate::find::Target;
use crate::marks::{DECOY, Looked, Mark, SCALED, autoscalers};
use aiconform_accelerators::limits::START;
use aiconform_accelerators::pod::claim_templates;
use aiconform_accelerators::{Probe, Pulls, explained};
use aiconform_check::cx::{Cx, Stop};
use aiconform_cluster::Scratch;
use aiconform_model::probe::LookFor;
use aiconform_model::{Bin, Kind, Object};
use aiconform_trial::labels::ROLE;
use aiconform_wait::TooLate;
use futures::future::try_join_all;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest time until what pods need of a new namespace is there, and until pods are gone.
const SETTLE: Duration = Duration::from_secs(60);

/// Where the check acts.
pub struct Stage<'a> {
    pub(super) cx: &'a Cx,
    pub(super) target: &'a Target,
    /// Namespace of the scaled pods.
    pub(super) own: Arc<Scratch>,
    /// Another namespace.
    pub(super) other: Arc<Scratch>,
    /// Name of the Deployment, of what scales it, and of the templates of its pods' claims.
    pub(super) name: String,
    /// Name of the pod that carries the value, once it runs.
    carrier: Mutex<String>,
    /// Pods of which it is known what they see.
    seen: Mutex<BTreeSet<String>>,
}

impl<'a> Stage<'a> {
    pub fn new(cx: &'a Cx, target: &'a Target, own: Arc<Scratch>, other: Arc<Scratch>) -> Stage<'a> {
        let name = own.named(SCALED);
        Stage { cx, target, own, other, name, carrier: Mutex::default(), seen: Mutex::default() }
    }

    /// Marks what is done next, before its first request.
    pub fn mark(&self, mark: &Mark) {
        self.cx.mark(self.own.scope(), mark);
    }

    pub(super) fn tell(&self, words: &str) {
        self.cx.progress.tell(self.own.scope(), words);
    }

    pub(super) fn carrier(&self) -> String {
        self.carrier.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn decoy_name(&self) -> String {
        self.other.named(DECOY)
    }

    /// Creates the Deployment of one pod with an accelerator, and a pod without one in the other namespace, and waits until
    /// both run.
    pub async fn create(&self) -> Result<(), Stop> {
        let nodes = self.target.nodes();
        let metric = (self.target.source, self.target.said.as_str());
        let (templates, object) = deployment(self.cx, &self.name, metric, &self.target.offer.way, &nodes);
        for template in templates {
            self.own.create(&claim_templates(), template).await?;
        }
        // With the labels of the scaled pods, where only the namespace tells it from them.
        let gang = if self.target.apart { self.name.clone() } else { self.decoy_name() };
        let decoy = decoy(self.cx, &self.decoy_name(), &gang, metric, &nodes);
        self.other.settle(&Kind::pod(), decoy.clone(), SETTLE).await?;
        self.own.settle(&Kind::deployment(), object.clone(), SETTLE).await?;
        self.monitor(&gang).await?;
        self.mark(&Mark::Create {});
        self.other.create(&Kind::pod(), decoy).await?;
        self.own.create(&Kind::deployment(), object).await?;
        self.tell("a pod is given an accelerator, and one in another namespace is not");
        self.run(1).await?;
        let first = self.pods().into_iter().next().unwrap_or_default();
        first.clone_into(&mut self.carrier.lock().unwrap_or_else(PoisonError::into_inner));
        // It stays when others go: what it says is what is known.
        let stays = json!({"metadata": {"annotations": {COST: "1000"}}});
        self.own.merge(&Kind::pod(), &first, &stays).await?;
        let mut beside = Probe::of(self.other.clone(), &self.decoy_name());
        beside.runs().await?;
        let look = beside.look(&LookFor::default()).await?;
        let plain = Looked { pod: beside.name, node: beside.node, look };
        self.mark(&Mark::Plain(Box::new(plain)));
        self.given().await
    }

    /// Tells a Prometheus operator of the pods, where one is installed and it may be told.
    async fn monitor(&self, gang: &str) -> Result<(), Stop> {
        let (api, kind) = (self.cx.session.api(), pod_monitors());
        if !api.serves(self.own.scope(), &kind).await? {
            return Ok(());
        }
        for (scratch, gang) in [(&self.own, self.name.as_str()), (&self.other, gang)] {
            if let Err(error) = scratch.create(&kind, pod_monitor(&scratch.named("metrics"), gang)).await {
                self.tell(&format!("pods are annotated only: {error}"));
            }
        }
        Ok(())
    }

    /// Names of the scaled pods that serve.
    pub(super) fn pods(&self) -> Vec<String> {
        self.own.all(&Kind::pod(), |pod| {
            let serves = is_scaled(pod) && pod.condition_is("Ready", "True");
            serves.then(|| pod.name().to_owned())
        })
    }

    /// Waits until so many scaled pods serve, and there are no others.
    pub(super) async fn run(&self, wanted: u64) -> Result<(), TooLate> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let look = || {
            let pods = self.own.all(&Kind::pod(), |pod| is_scaled(pod).then(|| pod.clone()));
            let serving = pods.iter().filter(|pod| pod.condition_is("Ready", "True")).count();
            if serving == wanted && pods.len() == wanted {
                return Ok(());
            }
            let waits = pods.iter().find(|pod| !pod.condition_is("Ready", "True")).map(waits);
            let waits =
                waits.or_else(|| self.own.get(&Kind::deployment(), &self.name).as_ref().and_then(failure));
            Err(format!("{serving} of {} pods serve: {}", pods.len(), waits.unwrap_or_default()))
        };
        let mut pulls = Pulls::default();
        let hopeless = || {
            let pods = self.own.all(&Kind::pod(), |pod| is_scaled(pod).then(|| pod.clone()));
            pulls.refused(&pods)
        };
        let condition = format!("{wanted} pods with an accelerator to run");
        // What comes late is told from what never comes.
        let limit = self.cx.limit(&START).watched();
        let ran = self.own.until_unless(condition, Bin::Platform, limit, look, hopeless).await;
        let Err(late) = ran else { return Ok(()) };
        let names = self.own.all(&Kind::pod(), |pod| is_scaled(pod).then(|| pod.name().to_owned()));
        Err(explained(&self.own, &names, late).await)
    }

    /// Asks what the scaled pods see of which it is not known yet.
    pub(super) async fn given(&self) -> Result<(), Stop> {
        let known = |name: &String| self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(name);
        let new: Vec<String> = self.pods().into_iter().filter(|name| !known(name)).collect();
        let pods = try_join_all(new.iter().map(|name| async move {
            let probe = Probe::of(self.own.clone(), name);
            let look = probe.look(&LookFor::default()).await?;
            let pod = self.own.get(&Kind::pod(), name);
            let node = pod.as_ref().map_or("", |pod| pod.text("/spec/nodeName")).to_owned();
            Ok::<_, Stop>(Looked { pod: name.clone(), node, look })
        }))
        .await?;
        self.mark(&Mark::Given { pods });
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
        Ok(())
    }

    /// Takes away what scales and what makes pods, and waits until the pods are gone.
    pub async fn end(&self) -> Result<(), Stop> {
        if self.target.source == Source::Keda {
            // Its autoscaler goes with it, as soon as KEDA lets it.
            self.own.delete(&scaled_objects(), &self.name).await?;
        } else {
            self.own.delete(&autoscalers(), &self.name).await?;
        }
        self.own.delete(&Kind::deployment(), &self.name).await?;
        let gone = || {
            let left = self.own.all(&Kind::pod(), |pod| is_scaled(pod).then(|| pod.name().to_owned()));
            if left.is_empty() { Ok(()) } else { Err(left.join(", ")) }
        };
        self.own.until("the scaled pods to be gone", Bin::Platform, SETTLE, gone).await?;
        Ok(())
    }
}

fn is_scaled(pod: &Object) -> bool {
    pod.label(ROLE) == SCALED
}
