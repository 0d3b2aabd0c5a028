//! A pod of the probe in the cluster: asked by the API server's proxy, so that nothing needs to reach the pod's network.

use super::answers::Done;
use super::limits;
use super::makers::Load;
use super::pod::{ProbePod, claim_templates};
use super::pulls::Pulls;
use super::warnings::explained;
use aiconform_check::cx::{Cx, Stop};
use aiconform_cluster::{Api, Scratch};
use aiconform_model::probe::{Hold, Load as LoadFor, Loaded, Look, LookFor, PORT, TOKEN_DIGEST, Token, Work};
use aiconform_model::{Bin, Kind, Object};
use aiconform_trial::kinds::resource_claim;
use aiconform_wait::{TooLate, Wait};
use futures::future::try_join_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The container that is asked to work.
const MAIN: &str = "probe";
/// Longest time until what the pod needs of its namespace is there.
const SETTLE: Duration = Duration::from_secs(30);
/// Longest time until the pod runs, where nothing says otherwise ([`limits::START`]).
pub const START: Duration = Duration::from_secs(120);
/// Longest time until the pod is gone.
const END: Duration = Duration::from_secs(60);
/// A load that nobody ends is over after so many milliseconds: longer than any that is waited for.
const LONGEST: u64 = 600_000;

/// A pod of the probe.
pub struct Probe {
    scratch: Arc<Scratch>,
    /// Its name.
    pub name: String,
    /// Its node, once it runs.
    pub node: String,
    ports: BTreeMap<String, u16>,
    /// Longest time until it runs.
    start: Duration,
    /// The load in it.
    load: Option<Load>,
}

/// State of a pod on its way to running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every container serves.
    Runs,
    /// The scheduler says no, in these words.
    Waits(String),
    /// The node has turned it away, or it ended, in these words.
    Failed(String),
    /// It is on its way, as far as this.
    Comes(String),
}

impl std::fmt::Display for Standing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Standing::Runs => formatter.write_str("runs"),
            Standing::Waits(words) => write!(formatter, "waits: {words}"),
            Standing::Failed(words) => write!(formatter, "failed: {words}"),
            Standing::Comes(words) => formatter.write_str(words),
        }
    }
}

impl Probe {
    /// Creates the pod, and what it claims.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn create(cx: &Cx, scratch: Arc<Scratch>, pod: &ProbePod<'_>) -> Result<Probe, Stop> {
        let name = scratch.named(pod.role);
        for template in pod.templates(&name) {
            scratch.create(&claim_templates(), template).await?;
        }
        let mut object = pod.lone(&cx.profile, &name);
        know(&mut object, cx.session.token());
        scratch.settle(&Kind::pod(), object.clone(), SETTLE).await?;
        scratch.create(&Kind::pod(), object).await?;
        let ports = pod.containers.iter().map(|it| (it.name.to_owned(), pod.port(it.name))).collect();
        let start = cx.limit(&limits::START).time;
        Ok(Probe { node: String::new(), name, scratch, ports, start, load: pod.load(&cx.profile) })
    }

    /// A pod of the probe that something else made, with one container: its devices are not to be put to work.
    pub fn of(scratch: Arc<Scratch>, name: &str) -> Probe {
        let ports = [(MAIN.to_owned(), PORT)].into();
        Probe { node: String::new(), name: name.into(), scratch, ports, start: START, load: None }
    }

    /// Creates the pod and waits until it runs.
    ///
    /// # Errors
    /// When it is refused, or does not run in time; with the last that was seen of it.
    pub async fn start(cx: &Cx, scratch: Arc<Scratch>, pod: &ProbePod<'_>) -> Result<Probe, Stop> {
        let mut probe = Probe::create(cx, scratch, pod).await?;
        probe.runs().await?;
        Ok(probe)
    }

    /// Its state as it was watched last.
    pub fn stands(&self) -> Standing {
        let Some(pod) = self.scratch.get(&Kind::pod(), &self.name) else {
            return Standing::Comes("it is not there yet".into());
        };
        let refused = pod.condition("PodScheduled").filter(|_| pod.condition_is("PodScheduled", "False"));
        match refused.and_then(|condition| condition.get("message")?.as_str()) {
            _ if pod.condition_is("Ready", "True") => Standing::Runs,
            _ if pod.text("/status/phase") == "Failed" => {
                Standing::Failed([pod.text("/status/reason"), pod.text("/status/message")].join(": "))
            }
            Some(message) if !message.is_empty() => Standing::Waits(message.into()),
            _ => Standing::Comes(state(&pod)),
        }
    }

    /// Ends the probes of these containers and waits until the kubelet has started them again.
    ///
    /// # Errors
    /// When a probe gives no answer, or they do not serve again in time; with the last that was seen.
    pub async fn restart(&self, containers: &[&str]) -> Result<(), Stop> {
        for container in containers {
            self.ask(container, "/stop", &json!({"code": 0})).await?;
        }
        let again = || {
            let pod = self.scratch.get(&Kind::pod(), &self.name).ok_or("it is gone")?;
            let statuses = pod.at("/status").and_then(|status| status.get("containerStatuses")?.as_array());
            let restarted = |name: &&str| {
                let mut statuses = statuses.into_iter().flatten();
                statuses.any(|status| status["name"] == *name && status["restartCount"].as_u64() >= Some(1))
            };
            let all = containers.iter().all(restarted) && pod.condition_is("Ready", "True");
            if all { Ok(()) } else { Err(state(&pod)) }
        };
        let condition = format!("containers of the pod {} to be started again", self.name);
        self.scratch.until(condition, Bin::Platform, self.start, again).await?;
        Ok(())
    }

    /// Deletes the pod without waiting for its end.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn delete(&self) -> Result<(), Stop> {
        Ok(self.scratch.delete(&Kind::pod(), &self.name).await?)
    }

    /// Waits until every container of the pod serves.
    ///
    /// # Errors
    /// When one does not in time; with the last that was seen of the pod, and what the cluster's events say of it.
    pub async fn runs(&mut self) -> Result<(), Stop> {
        match self.ran_within(self.start).await {
            Ok(()) => Ok(()),
            Err(late) => Err(explained(&self.scratch, std::slice::from_ref(&self.name), late).await.into()),
        }
    }

    /// Like [`Probe::runs`], within a time in which it need not come.
    ///
    /// # Errors
    /// When one does not in time; with the last that was seen of the pod.
    pub async fn runs_within(&mut self, limit: Duration) -> Result<(), Stop> {
        Ok(self.ran_within(limit).await?)
    }

    async fn ran_within(&mut self, limit: Duration) -> Result<(), TooLate> {
        let ready = || match self.scratch.get(&Kind::pod(), &self.name) {
            Some(pod) if pod.condition_is("Ready", "True") => Ok(pod.text("/spec/nodeName").to_owned()),
            Some(pod) => Err(state(&pod)),
            None => Err("it is not there yet".into()),
        };
        let condition = format!("the pod {} to run", self.name);
        let mut pulls = Pulls::default();
        let hopeless = || {
            let why = pulls.refused(self.scratch.get(&Kind::pod(), &self.name).as_slice())?;
            Some(with_key(why, self.load.as_ref()))
        };
        let ran = self.scratch.until_unless(condition, Bin::Platform, limit, ready, hopeless).await;
        self.node = ran?.value;
        Ok(())
    }

    /// Namespace of the pod.
    pub fn namespace(&self) -> &str {
        self.scratch.namespace()
    }

    /// Names of its containers.
    pub fn containers(&self) -> impl Iterator<Item = &str> {
        self.ports.keys().map(String::as_str)
    }

    /// Asks the probe in one of the containers.
    ///
    /// # Errors
    /// When it gives no answer.
    pub async fn ask(&self, container: &str, question: &str, body: &Value) -> Result<Value, Stop> {
        let port = self.ports.get(container).copied().unwrap_or(PORT);
        let path = Api::pod_proxy(self.namespace(), &self.name, port, question);
        let api = self.scratch.session().api();
        let answer = api.send(self.scratch.scope(), "POST", &path, Some(body)).await;
        answer.map_err(|error| {
            // The probe's own answer: where there is no pod, the API server says something else.
            if error.is_not_found() && error.to_string().contains("there is no POST") {
                return Stop::Hindered(format!(
                    "the probe in {} does not know {question}: its image is of another version than this program; load the one that `aiconform image export probe` writes",
                    self.name
                ));
            }
            // What the probe could not do, in its own words.
            if let Some(refusal) = error.refusal().filter(|refusal| refusal.status == 400) {
                // An answer that is no object of the API's is told as JSON.
                let text = serde_json::from_str(&refusal.message).unwrap_or_else(|_| refusal.message.clone());
                let words = text.trim();
                return Stop::Hindered(format!("the probe in {}: {words}", self.name));
            }
            error.into()
        })
    }

    /// Asks the device about itself; nothing where it takes no questions.
    ///
    /// # Errors
    /// When the probe gives no answer.
    pub async fn inspect(&self) -> Result<Option<Value>, Stop> {
        let known = Token { token: self.token() };
        let answers = self.ask(MAIN, "/inspect", &json!(known)).await?;
        let devices = answers.get("devices").and_then(Value::as_object).cloned().unwrap_or_default();
        // Each container of a load asks for one: what else it reaches is somebody's.
        let of_load = devices.keys().filter(|name| name.starts_with("program/")).count();
        if of_load > 1 {
            return Err(Stop::Hindered(format!(
                "the load in {} finds {of_load} devices, and the pod was given one: none of them is put to work",
                self.name
            )));
        }
        Ok(devices.into_iter().find_map(|(_, answer)| answer.get("device").cloned()))
    }

    /// Asks the container what it sees, and what it finds of what is looked for.
    ///
    /// # Errors
    /// When the probe gives no answer, or one that is not of its kind.
    pub async fn look(&self, wanted: &LookFor) -> Result<Look, Stop> {
        let asked = serde_json::to_value(wanted).unwrap_or_default();
        let answer = self.ask(MAIN, "/look", &asked).await?;
        serde_json::from_value(answer).map_err(|error| {
            Stop::Hindered(format!("the probe in {} does not say what it sees: {error}", self.name))
        })
    }

    /// Tells the probe something.
    ///
    /// # Errors
    /// When it gives no answer.
    pub async fn tell(&self, question: &str, body: &Value) -> Result<(), Stop> {
        self.ask(MAIN, question, body).await.map(drop)
    }

    /// Has the device work for so many milliseconds.
    pub async fn work(&self, milliseconds: u64) -> Done {
        let mut done = Done { asked: milliseconds, ..Done::default() };
        let work = Work { milliseconds, token: self.token() };
        match self.ask(MAIN, "/work", &json!(work)).await {
            Ok(answer) => {
                done.done = number(&answer, "/done/milliseconds");
                note(&mut done.why, &answer);
            }
            Err(stop) => done.why = stop.to_string(),
        }
        done
    }

    /// Has the device work until [`Probe::rest`]; the probe keeps it busy by itself.
    ///
    /// # Errors
    /// When the probe gives no answer, or has no device that takes work.
    pub async fn load(&self) -> Result<(), Stop> {
        self.tell("/load", &json!(LoadFor { milliseconds: LONGEST, token: self.token() })).await
    }

    /// Ends the load; what came of it.
    pub async fn rest(&self) -> Loaded {
        let rest = Token { token: self.token() };
        let answer = self.ask(MAIN, "/rest", &json!(rest)).await.map_err(|stop| stop.to_string());
        let loaded =
            answer.and_then(|answer| serde_json::from_value(answer).map_err(|error| error.to_string()));
        loaded.unwrap_or_else(|why| Loaded { why, ..Loaded::default() })
    }

    /// Takes so many bytes of the device's memory and holds them (0: lets go of all); gives how many the device says
    /// are held, and what went wrong.
    ///
    /// # Errors
    /// When the probe gives no answer.
    pub async fn hold(&self, bytes: u64) -> Result<(u64, String), Stop> {
        let hold = Hold { bytes, token: self.token() };
        let answer = self.ask(MAIN, "/hold", &json!(hold)).await?;
        let mut why = String::new();
        note(&mut why, &answer);
        Ok((number(&answer, "/done/bytes"), why))
    }

    fn token(&self) -> String {
        self.scratch.session().token().to_owned()
    }

    /// Deletes the pod and waits until it is gone.
    ///
    /// # Errors
    /// When it is refused, or not gone in time.
    pub async fn end(&self) -> Result<(), Stop> {
        end(&self.scratch, &self.name).await
    }
}

/// Why an image cannot be pulled, with what to name where it is that of a load.
fn with_key(why: String, load: Option<&Load>) -> String {
    match load.filter(|load| why.contains(&load.image)) {
        Some(Load { maker, .. }) => {
            format!(
                "{why}; push the load where nodes can pull it, and name it in the profile: [load.{maker}] image (docs/guide/load.md)"
            )
        }
        None => why,
    }
}

/// Tells every container of a pod by what it knows the run's token: its digest, because whoever may read pods reads that.
fn know(pod: &mut Value, token: &str) {
    let digest: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
    for list in ["initContainers", "containers"] {
        for container in pod["spec"].get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(environment) = container.get_mut("env").and_then(Value::as_array_mut) {
                environment.push(json!({"name": TOKEN_DIGEST, "value": digest}));
            }
        }
    }
}

/// Deletes every pod of the namespace and waits until they and their claims are gone: the next check finds their devices
/// free.
///
/// # Errors
/// When one is refused, or not gone in time.
pub async fn clear(scratch: &Scratch) -> Result<(), Stop> {
    let names = scratch.all(&Kind::pod(), |pod| Some(pod.name().to_owned()));
    try_join_all(names.iter().map(|name| end(scratch, name))).await?;
    let (api, scope) = (scratch.session().api(), scratch.scope());
    let claims = resource_claim();
    if !api.serves(scope, &claims).await? {
        return Ok(());
    }
    let free = || async {
        let there = api.list(scope, &claims, scratch.namespace(), "").await;
        let there = there.map_err(|error| error.to_string())?;
        match there.iter().find(|claim| claim.at("/status/allocation").is_some()) {
            Some(claim) => Err(format!("{} still has its device", claim.called())),
            None => Ok(()),
        }
    };
    let wait = Wait {
        condition: "every claim to let go of its device".into(),
        bin: Bin::Platform,
        limit: END,
        sink: api.sink().as_ref(),
        scope,
    };
    wait.asking(Duration::from_millis(200), free).await?;
    Ok(())
}

/// Deletes a pod of this name and waits until it is gone.
///
/// # Errors
/// When it is refused, or not gone in time.
pub async fn end(scratch: &Scratch, name: &str) -> Result<(), Stop> {
    scratch.delete(&Kind::pod(), name).await?;
    let gone = || match scratch.get(&Kind::pod(), name) {
        None => Ok(()),
        Some(pod) => Err(state(&pod)),
    };
    scratch.until(format!("the pod {name} to be gone"), Bin::Platform, END, gone).await?;
    Ok(())
}

/// The sum of a number over all devices of an answer.
fn number(answers: &Value, pointer: &str) -> u64 {
    let devices = answers.get("devices").and_then(Value::as_object);
    devices.into_iter().flatten().filter_map(|(_, answer)| answer.pointer(pointer)?.as_u64()).sum()
}

/// Notes what a device or the probe said no to.
fn note(why: &mut String, answers: &Value) {
    let refused = answers.get("devices").and_then(Value::as_object);
    let refused = refused.into_iter().flatten().filter_map(|(_, answer)| answer.get("refused")?.as_str());
    let errors =
        answers.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(first) = refused.chain(errors).next() {
        *why = first.into();
    }
}

/// The obstacle that keeps a pod from running, in words.
fn state(pod: &Object) -> String {
    let waiting =
        pod.at("/status").and_then(|status| status.get("containerStatuses")?.pointer("/0/state/waiting"));
    let reason = waiting.and_then(|waiting| waiting.get("reason")?.as_str()).unwrap_or_default();
    let message = waiting.and_then(|waiting| waiting.get("message")?.as_str()).unwrap_or_default();
    let scheduled = pod.condition("PodScheduled").and_then(|condition| condition.get("message")?.as_str());
    format!("{} {reason} {message} {}", pod.text("/status/phase"), scheduled.unwrap_or_default())
        .trim()
        .to_owned()
}
