//! Pods that say what they are told to, and waiting for what comes of it.

use super::super::adapters::{Source, alike, is_missing};
use super::super::history::{Scaler, words};
use super::super::objects::{
    COST, DECOY, SCALED, autoscaler, autoscalers, decoy, deployment, pod_monitor, pod_monitors,
    scaled_object, scaled_objects,
};
use super::super::plan::{Name, Step};
use super::find::Target;
use super::said::{asked, detail, failure, readiness, waits};
use crate::accelerators::pod::claim_templates;
use crate::accelerators::{Probe, Pulls, START, explained};
use crate::cx::{Cx, Stop};
use crate::pod::ROLE;
use aiconform_cluster::{Scratch, TextLimit};
use aiconform_model::probe::{Gauge, LookFor, PORT};
use aiconform_model::{Bin, EventKind, Kind, Object};
use aiconform_wait::{TooLate, Wait};
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest time until the metrics API tells a metric that it has never told: adapters look for new names every minute or
/// every ten.
const APPEAR: Duration = Duration::from_secs(300);
/// Longest time until it tells another value: what gathers metrics does so once or twice a minute.
const SHOW: Duration = Duration::from_secs(120);
/// Longest time until the autoscaler has decided on what the API tells: it does so every 15 s (its default period).
const DECIDE: Duration = Duration::from_secs(60);
/// How long pods of which nobody says anything are watched beyond the autoscaler's word that it lacks the metric.
const WINDOW: Duration = Duration::from_secs(4);
/// Between two questions to the metrics API.
const BETWEEN: Duration = Duration::from_millis(500);
/// Longest time until what pods need of a new namespace is there, and until pods are gone.
const SETTLE: Duration = Duration::from_secs(60);
/// Of one answer of the metrics API.
const ANSWER: TextLimit = TextLimit { bytes: 1 << 20, time: Duration::from_secs(10) };

/// Where the check acts.
pub struct Stage<'a> {
    cx: &'a Cx,
    target: &'a Target,
    own: Arc<Scratch>,
    other: Arc<Scratch>,
    /// Name of the Deployment, of what scales it, and of the templates of its pods' claims.
    name: String,
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

    /// Marks a phase, before the first request of its act.
    pub fn phase(&self, phase: &str, data: Value) {
        self.cx.write(self.own.scope(), EventKind::Phase { phase: phase.into(), data });
    }

    fn tell(&self, words: &str) {
        self.cx.progress.tell(self.own.scope(), words);
    }

    fn carrier(&self) -> String {
        self.carrier.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn decoy_name(&self) -> String {
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
        self.phase("create", json!({}));
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
        self.phase("plain", json!({"pod": beside.name, "node": beside.node, "look": look}));
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
    fn pods(&self) -> Vec<String> {
        self.own.all(&Kind::pod(), |pod| {
            let serves = is_scaled(pod) && pod.condition_is("Ready", "True");
            serves.then(|| pod.name().to_owned())
        })
    }

    /// Waits until so many scaled pods serve, and there are no others.
    async fn run(&self, wanted: u64) -> Result<(), TooLate> {
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
        let ran = self.own.until_unless(condition, Bin::Platform, START, look, hopeless).await;
        let Err(late) = ran else { return Ok(()) };
        let names = self.own.all(&Kind::pod(), |pod| is_scaled(pod).then(|| pod.name().to_owned()));
        Err(explained(&self.own, &names, late).await)
    }

    /// What the scaled pods see of which it is not known yet.
    async fn given(&self) -> Result<(), Stop> {
        let known = |name: &String| self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(name);
        let new: Vec<String> = self.pods().into_iter().filter(|name| !known(name)).collect();
        let looks = try_join_all(new.iter().map(|name| async move {
            let probe = Probe::of(self.own.clone(), name);
            let look = probe.look(&LookFor::default()).await?;
            let pod = self.own.get(&Kind::pod(), name);
            let node = pod.as_ref().map_or("", |pod| pod.text("/spec/nodeName")).to_owned();
            Ok::<_, Stop>(json!({"pod": name, "node": node, "look": look}))
        }))
        .await?;
        self.phase("given", json!({"pods": looks}));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
        Ok(())
    }

    /// One step; whether it came to what it must.
    pub async fn step(&self, step: &Step) -> Result<bool, Stop> {
        let data = json!({"step": step.name.word(), "value": step.value, "replicas": step.replicas, "decoy": step.decoy});
        self.phase("step", data);
        let said = step.value.map_or("nothing".into(), |value| format!("{value}"));
        self.tell(&format!("{}: the metric is {said}, for {} pods", step.name.word(), step.replicas));
        let mut why = String::new();
        let reached = match self.try_step(step).await {
            Ok(()) => true,
            // What did not come is for the judge.
            Err(Stop::Cluster(aiconform_cluster::ClusterError::TooLate(late))) => {
                why = late.to_string();
                false
            }
            Err(stop) => return Err(stop),
        };
        self.phase("closed", json!({"step": step.name.word(), "reached": reached, "why": why}));
        if !reached {
            self.tell(&format!("{}: {why}", step.name.word()));
        }
        // Whoever has lost pods for want of the metric has its value back afterwards.
        Ok(reached || step.name == Name::Missing)
    }

    async fn try_step(&self, step: &Step) -> Result<(), Stop> {
        if step.decoy > 0.0 {
            self.set(&self.other, &self.decoy_name(), Some(step.decoy)).await?;
            let expected = BTreeMap::from([(self.decoy_name(), step.decoy)]);
            self.shows(&self.other, &expected, SHOW).await?;
        }
        let Some(value) = step.value else {
            for pod in self.pods() {
                self.set(&self.own, &pod, None).await?;
            }
            return self.lacks().await;
        };
        let carrier = self.carrier();
        self.set(&self.own, &carrier, Some(value)).await?;
        let first = step.name == Name::Begin;
        let expected = BTreeMap::from([(carrier, value)]);
        let by_keda = self.target.source == Source::Keda;
        if first && by_keda {
            // Under which name it tells the metric, its autoscaler says.
            self.scaled_by_keda().await?;
        }
        if first {
            self.appears().await?;
        }
        self.shows(&self.own, &expected, SHOW).await?;
        self.phase("shown", json!({"step": step.name.word()}));
        if first {
            if !by_keda {
                let metric = (self.target.metric.as_str(), &self.target.selector);
                let (source, target) = (self.target.source, self.target.target);
                let object = autoscaler(&self.name, source, metric, target, self.target.most);
                self.own.create(&autoscalers(), object).await?;
            }
            // That it does something is for the first step up to show.
            return Ok(());
        }
        if let Err(late) = self.decides(step).await {
            // Whether the value is still told, the judge reads.
            self.ask(&self.own).await;
            return Err(late.into());
        }
        self.phase("decided", json!({"step": step.name.word()}));
        self.run(step.replicas).await?;
        if [Name::FirstUp, Name::SecondUp].contains(&step.name) {
            self.given().await?;
        }
        self.noticed(step, value).await
    }

    /// Has KEDA scale by what the carrying pod says, and waits for the autoscaler that it makes.
    async fn scaled_by_keda(&self) -> Result<(), Stop> {
        let pod = self.own.get(&Kind::pod(), &self.carrier());
        let address = pod.as_ref().map_or("", |pod| pod.text("/status/podIP"));
        let host = if address.contains(':') { format!("[{address}]") } else { address.into() };
        let (said, address) = (&self.target.said, format!("{host}:{PORT}"));
        let object = scaled_object(&self.name, said, &address, self.target.target, self.target.most);
        self.own.create(&scaled_objects(), object).await?;
        let look = || match self.own.get(&autoscalers(), &self.name) {
            Some(_) => Ok(()),
            None => {
                Err(self.own.get(&scaled_objects(), &self.name).as_ref().map_or_else(String::new, readiness))
            }
        };
        self.own.until("KEDA to make an autoscaler of its ScaledObject", Bin::Platform, DECIDE, look).await?;
        Ok(())
    }

    /// Has a pod say a value, or nothing.
    async fn set(&self, scratch: &Arc<Scratch>, pod: &str, value: Option<f64>) -> Result<(), Stop> {
        let gauge = Gauge { name: self.target.said.clone(), value };
        let body = serde_json::to_value(gauge).unwrap_or_default();
        Probe::of(scratch.clone(), pod).tell("/gauge", &body).await
    }

    /// Waits until the metrics API tells anything of the scaled pods.
    async fn appears(&self) -> Result<(), TooLate> {
        let ask = || async {
            let text = self.ask(&self.own).await;
            match text.lack() {
                Some(why) => Err(format!("{why}{}", detail(&text.text))),
                None if self.target.source.values(&text.text)?.is_empty() => Err("it lists no value".into()),
                None => Ok(()),
            }
        };
        let condition = format!("{} to tell the metric {}", self.target.served, self.target.metric);
        self.wait(condition, APPEAR).asking(BETWEEN, ask).await.map(drop)
    }

    /// Waits until the metrics API tells these values of these pods, and 0 of every other in the namespace that is ours.
    async fn shows(
        &self,
        scratch: &Scratch,
        expected: &BTreeMap<String, f64>,
        limit: Duration,
    ) -> Result<(), TooLate> {
        let role = if std::ptr::eq(scratch, &raw const *self.own) { SCALED } else { DECOY };
        let ask = || async {
            let text = self.ask(scratch).await;
            if let Some(why) = text.lack() {
                return Err(format!("{why}{}", detail(&text.text)));
            }
            let told = self.target.source.values(&text.text)?;
            if !self.target.source.is_of_pods() {
                let (sum, wanted): (f64, f64) = (told.values().sum(), expected.values().sum());
                return if !told.is_empty() && alike(sum, wanted) {
                    Ok(())
                } else {
                    Err(format!("it tells {sum} in {} series", told.len()))
                };
            }
            let wrong = |(pod, value): (&String, &f64)| {
                let is_ours = pod.contains(role);
                is_ours && !alike(*value, expected.get(pod).copied().unwrap_or_default())
            };
            let lacking = expected.keys().find(|pod| !told.contains_key(*pod));
            match (told.iter().find(|told| wrong(*told)), lacking) {
                (Some((pod, value)), _) => Err(format!("it tells {value} of {pod}")),
                (None, Some(pod)) => Err(format!("it tells nothing of {pod}")),
                (None, None) => Ok(()),
            }
        };
        let condition = format!("{} to tell what the pods say", self.target.served);
        self.wait(condition, limit).asking(BETWEEN, ask).await.map(drop)
    }

    async fn ask(&self, scratch: &Scratch) -> aiconform_cluster::Text {
        let made =
            if self.target.source == Source::Keda { self.own.get(&autoscalers(), &self.name) } else { None };
        let (metric, selector) = match made.as_ref().and_then(asked) {
            Some((metric, selector)) => (metric, selector),
            None => (self.target.metric.clone(), self.target.selector.clone()),
        };
        let path = self.target.path(scratch.namespace(), &metric, &selector);
        self.cx.session.api().scrape(self.own.scope(), &path, ANSWER).await
    }

    fn wait(&self, condition: String, limit: Duration) -> Wait<'_> {
        Wait {
            condition,
            bin: Bin::Platform,
            limit,
            sink: self.cx.session.api().sink().as_ref(),
            scope: self.own.scope(),
        }
    }

    fn scaler(&self) -> Option<Scaler> {
        self.own.get(&autoscalers(), &self.name).map(|object| Scaler::of(&object, self.target.source))
    }

    fn replicas(&self) -> Option<u64> {
        self.own.get(&Kind::deployment(), &self.name)?.at("/spec/replicas")?.as_u64()
    }

    /// Waits until the Deployment has as many replicas as it must.
    async fn decides(&self, step: &Step) -> Result<(), TooLate> {
        let look = || {
            let (scaler, replicas) = (self.scaler(), self.replicas());
            if replicas == Some(step.replicas)
                && scaler.as_ref().is_some_and(|it| it.wants == Some(step.replicas))
            {
                return Ok(());
            }
            Err(format!("there are {}, and {}", replicas.unwrap_or_default(), words(scaler.as_ref())))
        };
        let condition = format!("replicas to become {}", step.replicas);
        self.own.until(condition, Bin::Platform, DECIDE, look).await.map(drop)
    }

    /// Waits until the autoscaler says that it has seen the value, and wants no other number.
    async fn noticed(&self, step: &Step, value: f64) -> Result<(), Stop> {
        #[allow(clippy::cast_precision_loss, reason = "pods are few")]
        let average = value / step.replicas as f64;
        let look = || {
            let (scaler, replicas) = (self.scaler(), self.replicas());
            let seen = scaler.as_ref().and_then(|it| it.average).is_some_and(|seen| alike(seen, average));
            let wants = scaler.as_ref().is_some_and(|it| it.wants == Some(step.replicas) && it.active);
            if seen && wants && replicas == Some(step.replicas) {
                return Ok(());
            }
            Err(format!("there are {}, and {}", replicas.unwrap_or_default(), words(scaler.as_ref())))
        };
        let condition =
            format!("the autoscaler to see an average of {average} and to want {}", step.replicas);
        self.own.until(condition, Bin::Platform, SHOW, look).await?;
        Ok(())
    }

    /// Waits until nobody tells the metric, and the autoscaler says so, and then watches what it does.
    async fn lacks(&self) -> Result<(), Stop> {
        let ask = || async {
            let text = self.ask(&self.own).await;
            if is_missing(self.target.source, text.status, &text.text) {
                return Ok(());
            }
            Err(text.lack().unwrap_or_else(|| "it still tells values".into()))
        };
        let condition = format!("{} to tell nothing of the metric", self.target.served);
        self.wait(condition, SHOW).asking(BETWEEN, ask).await?;
        self.phase("shown", json!({"step": Name::Missing.word()}));
        let look = || {
            let scaler = self.scaler();
            if scaler.as_ref().is_some_and(|it| !it.active) { Ok(()) } else { Err(words(scaler.as_ref())) }
        };
        let condition = "the autoscaler to say that it lacks the metric";
        let said = self.own.until(condition, Bin::Platform, DECIDE, look).await;
        let sink = self.cx.session.api().sink().clone();
        aiconform_wait::dwell("pods without a metric are watched", WINDOW, sink.as_ref(), self.own.scope())
            .await;
        said?;
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
