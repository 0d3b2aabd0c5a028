//! A run of one subject as the evidence has it: its phases, what was sent to the workload, what the workload itself says, and
//! what the monitoring system says.

use super::answer::{Series, series};
use aiconform_exposition::{Limits, parse};
use aiconform_model::{Event, EventKind};
use serde_json::Value;
use std::collections::BTreeMap;

/// Label of every series of the workload: which run and subject it is of.
pub const RUN: &str = "aiconform_run";
/// Label of every series of the workload: which of its pods it is of.
pub const WHO: &str = "aiconform_who";
/// The two pods that declare themselves.
pub const DECLARED: [&str; 2] = ["one", "other"];
/// The pod that does not.
pub const UNDECLARED: &str = "undeclared";
/// The counter of requests.
pub const COUNTER: &str = "vllm:request_success_total";
/// The gauge of requests that run.
pub const GAUGE: &str = "vllm:num_requests_running";
/// The histogram of latencies.
pub const HISTOGRAM: &str = "vllm:time_to_first_token_seconds";
/// Path of a query, and what stands before it where it is asked.
pub const QUERY: &str = "/api/v1/query?query=";

/// A phase: from its mark to the next.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub data: Value,
    /// Position of its mark.
    pub begin: u64,
    /// When, in milliseconds since the epoch.
    pub at: i64,
}

/// One question to the monitoring system or to the workload.
#[derive(Clone, Debug)]
pub struct Look {
    /// Position in the log.
    pub sequence: u64,
    /// When its request began and its answer ended, in milliseconds since the epoch.
    pub between: (i64, i64),
    /// Where.
    pub place: String,
    /// What is told, or why nothing is.
    pub told: Result<Vec<Series>, String>,
}

/// One subject's run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its phases in order.
    pub phases: Vec<Phase>,
    /// Questions to the monitoring system in order.
    pub looks: Vec<Look>,
    /// Questions to the pods of the workload in order.
    pub direct: Vec<Look>,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
}

impl History {
    /// Reads the events of a subject.
    pub fn of(events: &[&Event]) -> History {
        let mut history = History::default();
        for event in events {
            let at = event.time.as_millisecond();
            match &event.kind {
                EventKind::Phase { phase, data } => history.phases.push(Phase {
                    name: phase.clone(),
                    data: data.clone(),
                    begin: event.sequence,
                    at,
                }),
                EventKind::Scrape { endpoint, status, text, why, milliseconds, .. } => {
                    let took = i64::try_from(*milliseconds).unwrap_or_default();
                    let (place, is_query) = match endpoint.split_once(QUERY) {
                        Some((base, _)) => (service(base), true),
                        None => (endpoint.clone(), false),
                    };
                    let told = match lack(*status, why, text) {
                        Some(why) => Err(why),
                        None if is_query => series(text),
                        None => exposed(text),
                    };
                    let look = Look { sequence: event.sequence, between: (at - took, at), place, told };
                    if is_query { &mut history.looks } else { &mut history.direct }.push(look);
                }
                EventKind::Stopped { why } => {
                    history.stopped.get_or_insert_with(|| why.clone());
                }
                _ => {}
            }
        }
        history
    }

    /// The phase of a name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// What lies whole within a phase.
    pub fn within<'a>(
        &'a self,
        looks: &'a [Look],
        phase: &'a Phase,
    ) -> impl DoubleEndedIterator<Item = &'a Look> {
        let end =
            self.phases.iter().find(|other| other.begin > phase.begin).map_or(u64::MAX, |next| next.begin);
        looks.iter().filter(move |look| {
            look.sequence > phase.begin && look.sequence < end && look.between.0 >= phase.at
        })
    }

    /// Name of a pod of the workload.
    pub fn pod(&self, who: &str) -> &str {
        let name = || self.phase("made")?.data.get("pods")?.get(who)?.as_str();
        name().unwrap_or_default()
    }

    /// Namespace of the workload.
    pub fn namespace(&self) -> &str {
        let name = || self.phase("made")?.data.get("namespace")?.as_str();
        name().unwrap_or_default()
    }

    /// How many requests a phase sent to each pod.
    pub fn sent<'a>(&'a self, phase: &str) -> BTreeMap<&'a str, u64> {
        let sent = self.phase(phase).and_then(|phase| phase.data.get("sent")?.as_object());
        let of = |(who, amount): (&'a String, &Value)| Some((who.as_str(), amount.as_u64()?));
        sent.into_iter().flatten().filter_map(of).collect()
    }

    /// Why something is not known: what stopped the run, what the last answer lacks, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        let look = self.looks.iter().rev().find_map(|look| look.told.as_ref().err());
        self.stopped
            .clone()
            .or_else(|| look.map(|why| format!("{otherwise}; {why}")))
            .unwrap_or_else(|| otherwise.into())
    }
}

/// A Service's short name, where it is asked through the API server.
fn service(base: &str) -> String {
    let parts: Vec<&str> = base.split('/').collect();
    match parts.as_slice() {
        ["", "api", "v1", "namespaces", namespace, "services", name, "proxy"] => {
            format!("{namespace}/{name}")
        }
        _ => base.to_owned(),
    }
}

/// Why a text is no whole answer, if it is none; what a monitoring system says with an error is told.
fn lack(status: u16, why: &str, text: &str) -> Option<String> {
    if !why.is_empty() {
        // Which of the two is wrong, only whoever runs the endpoint knows.
        let hint = if why.contains("UnknownIssuer") {
            "; if its certificate is right, name the authority that signed it in the profile: [ai_service_metrics] ca_file = \"…\""
        } else {
            ""
        };
        return Some(format!("it could not be read: {why}{hint}"));
    }
    let said = series(text).err().filter(|_| !text.trim().is_empty());
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    match status {
        200..=299 => None,
        300..=399 => Some(format!(
            "it was answered with status {status}, which leads somewhere else, as to a login; name the address behind it, or a token: [ai_service_metrics] token_file = \"…\""
        )),
        401 | 403 => Some(format!(
            "it was answered with status {status}: who asks may not; give it a token: [ai_service_metrics] token_file = \"…\""
        )),
        _ => Some(format!("it was answered with status {status}{said}")),
    }
}

/// What a pod of the workload exposes, in the words of an answer.
fn exposed(text: &str) -> Result<Vec<Series>, String> {
    let found = parse(text, &Limits::default()).map_err(|error| error.to_string())?;
    let of = |sample: aiconform_exposition::Sample| Series {
        name: sample.name,
        labels: sample.labels.into_iter().collect(),
        value: super::answer::Sampled::Number(sample.value),
        held: None,
    };
    Ok(found.samples.into_iter().map(of).collect())
}
