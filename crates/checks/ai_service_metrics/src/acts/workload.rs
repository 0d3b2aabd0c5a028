//! A workload that speaks and counts as an inference server.

use crate::adapters::{PORT_NAME, Way};
use crate::marks::{ByPod, Made, PODS, RUN, UNDECLARED, WHO};
use aiconform_accelerators::probe::end;
use aiconform_accelerators::{Container, ProbePod, Pulls, START, explained};
use aiconform_check::cx::{Cx, Stop};
use aiconform_cluster::{Api, Scratch, TextLimit};
use aiconform_model::probe::{LABELS, PORT};
use aiconform_model::{Bin, Kind, Object};
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Longest time until what the pods need of their namespace is there.
const SETTLE: Duration = Duration::from_secs(30);
/// Longest part of a pod's metrics that is read, and the longest time that it may take.
const LIMIT: TextLimit = TextLimit { bytes: 1 << 20, time: Duration::from_secs(10) };

/// Where the pods of a workload run, and for how long at most.
pub struct Place<'a> {
    /// Name of the node.
    pub node: &'a str,
    /// Longest time.
    pub deadline: Duration,
}

/// Its three pods, which run.
pub struct Workload {
    scratch: Arc<Scratch>,
    made: Made,
}

impl Workload {
    /// Creates it and waits until it runs.
    ///
    /// # Errors
    /// When something is refused, or a pod does not run in time; with the last that was seen of it.
    pub async fn start(
        cx: &Cx,
        scratch: Arc<Scratch>,
        way: &Way,
        run: &str,
        place: &Place<'_>,
    ) -> Result<Workload, Stop> {
        let kind = Kind::pod();
        let mut made = Made { namespace: scratch.namespace().to_owned(), ..Made::default() };
        for who in PODS {
            let name = scratch.named(who);
            let mut pod = pod(cx, &name, run, who, place);
            if who != UNDECLARED {
                way.declare(&mut pod);
            }
            if made.pods.is_empty() {
                scratch.settle(&kind, pod.clone(), SETTLE).await?;
            }
            let got = scratch.create(&kind, pod.clone()).await?;
            // As the pod is here and now; what is kept of it for judging has no annotations.
            let of = |object: &Object| {
                let part = |name: &str| object.at("/metadata").and_then(|metadata| metadata.get(name));
                json!({"annotations": part("annotations"), "labels": part("labels")})
            };
            made.sent.insert(who.to_owned(), without_nulls(of(&Object(pod))));
            made.admitted.insert(who.to_owned(), of(&got));
            made.pods.insert(who.to_owned(), name);
        }
        for (kind, object) in way.objects(scratch.prefix()) {
            scratch.create(&kind, object).await?;
        }
        let workload = Workload { scratch, made };
        try_join_all(workload.made.pods.values().map(|name| workload.runs(name))).await?;
        Ok(workload)
    }

    async fn runs(&self, name: &str) -> Result<(), Stop> {
        let kind = Kind::pod();
        let ready = || match self.scratch.get(&kind, name) {
            Some(pod) if pod.condition_is("Ready", "True") => Ok(()),
            Some(pod) => Err(format!("its phase is {}", pod.text("/status/phase"))),
            None => Err("it is not there yet".into()),
        };
        let mut pulls = Pulls::default();
        let hopeless = || pulls.refused(self.scratch.get(&kind, name).as_slice());
        let condition = format!("the pod {name} to run");
        match self.scratch.until_unless(condition, Bin::Platform, START, ready, hopeless).await {
            Ok(_) => Ok(()),
            Err(late) => Err(explained(&self.scratch, &[name.to_owned()], late).await.into()),
        }
    }

    /// The workload as it was made, for the evidence.
    pub fn made(&self) -> Made {
        self.made.clone()
    }

    /// Name of one of its pods.
    pub fn name(&self, who: &str) -> &str {
        self.made.pods.get(who).map_or("", String::as_str)
    }

    /// Sends so many requests to each pod, each once; those that are held run until they are released.
    ///
    /// # Errors
    /// When one is not answered.
    pub async fn send(&self, sent: &ByPod<u64>, hold: bool) -> Result<(), Stop> {
        let body =
            json!({"model": "aiconform", "hold": hold, "messages": [{"role": "user", "content": "hello"}]});
        try_join_all(sent.iter().map(|(who, count)| self.each(who, *count, &body))).await?;
        Ok(())
    }

    async fn each(&self, who: &str, count: u64, body: &Value) -> Result<(), Stop> {
        for _ in 0..count {
            self.post(self.name(who), "/v1/chat/completions", body).await?;
        }
        Ok(())
    }

    /// Lets every pod answer what it holds.
    ///
    /// # Errors
    /// When one does not answer.
    pub async fn release(&self) -> Result<(), Stop> {
        let body = json!({});
        try_join_all(self.made.pods.values().map(|name| self.post(name, "/release", &body))).await?;
        Ok(())
    }

    async fn post(&self, name: &str, path: &str, body: &Value) -> Result<(), Stop> {
        let path = Api::pod_proxy(self.scratch.namespace(), name, PORT, path);
        self.scratch.session().api().send(self.scratch.scope(), "POST", &path, Some(body)).await?;
        Ok(())
    }

    /// Asks every pod itself for its metrics; the answers are evidence.
    pub async fn ask_itself(&self) {
        let ask = |name: &String| {
            let path = Api::pod_proxy(self.scratch.namespace(), name, PORT, "/metrics");
            async move { self.scratch.session().api().scrape(self.scratch.scope(), &path, LIMIT).await }
        };
        join_all(self.made.pods.values().map(ask)).await;
    }

    /// Deletes one of its pods and waits until it is gone.
    ///
    /// # Errors
    /// When it is refused, or not gone in time.
    pub async fn end(&self, who: &str) -> Result<(), Stop> {
        end(&self.scratch, self.name(who)).await
    }
}

/// A pod of it, which declares nothing.
fn pod(cx: &Cx, name: &str, run: &str, who: &str, place: &Place<'_>) -> Value {
    let labels = format!("{RUN}={run},{WHO}={who},model_name=aiconform");
    let environment = [(LABELS, labels.as_str())];
    let container = Container { environment: &environment, ..Container::without() };
    let nodes = [place.node.to_owned()];
    let pod =
        ProbePod { role: who, trial: "metrics", nodes: &nodes, containers: vec![container], restarts: true };
    let mut pod = pod.object(cx, name);
    pod["spec"]["activeDeadlineSeconds"] = json!(place.deadline.as_secs());
    pod["spec"]["containers"][0]["ports"] = json!([{"name": PORT_NAME, "containerPort": PORT}]);
    pod
}

/// An object without fields that are null.
fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}
