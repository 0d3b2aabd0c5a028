//! A run of one subject as the evidence has it: its marks, what was sent to the workload, what the workload itself says, and
//! what the monitoring system says.

use crate::answer::{Sampled, Series, series};
use crate::limits::{FIND, FIND_SELECTED, SHOW};
use crate::marks::{Batch, ByPod, Facts, Made, Mark, QUERY};
use aiconform_exposition::{Limits, Sample, parse};
use aiconform_model::{Event, EventKind};
use aiconform_trial::marks::first;
use aiconform_trial::{InForce, Marked, Moment, Position, Story};

/// A question to the monitoring system or to the workload.
#[derive(Clone, Debug)]
pub struct Look {
    /// Position of the answer.
    pub at: Position,
    /// Time at which its request began.
    pub asked: Moment,
    /// Time at which its answer ended.
    pub when: Moment,
    /// The monitoring system or the pod that was asked.
    pub place: String,
    /// The series of the answer, or why it has none.
    pub answer: Result<Vec<Series>, String>,
}

/// A batch of requests.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Requests to each pod, and where they begin.
    pub begin: Option<Marked<ByPod<u64>>>,
    /// All of it was sent.
    pub whole: Option<Marked<()>>,
    /// The time to be counted is over; milliseconds that it took, where it was counted.
    pub settled: Option<Marked<Option<u64>>>,
}

/// One subject's run.
#[derive(Clone, Debug)]
pub struct History {
    /// Its id: the way in which the workload declares its metrics.
    pub way: String,
    /// Set if the user named it.
    pub declared: bool,
    /// Its facts.
    pub facts: Facts,
    /// The limit in force for the workload to be found.
    pub find: InForce,
    /// The limit in force for what changes of it to be shown.
    pub show: InForce,
    /// The workload.
    pub made: Option<Marked<Made>>,
    /// The monitoring system is asked for the workload.
    pub look: Option<Marked<()>>,
    /// The end of that; milliseconds that it took, where it was found.
    pub found: Option<Marked<Option<u64>>>,
    /// The deletion of a pod.
    pub deleted: Option<Marked<()>>,
    /// The pod that was deleted is gone.
    pub gone: Option<Marked<()>>,
    /// The time for its series to end is over; milliseconds that it took, where they ended.
    pub gone_settled: Option<Marked<Option<u64>>>,
    /// Questions to the monitoring system in order.
    pub looks: Vec<Look>,
    /// Questions to the pods of the workload in order.
    pub direct: Vec<Look>,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
    batches: Vec<Sent>,
    marks: Vec<Position>,
}

impl History {
    /// Reads the story of a subject.
    ///
    /// # Errors
    /// When its facts or its marks cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let subject = story.subject();
        let facts: Facts = serde_json::from_value(subject.facts.clone())
            .map_err(|error| format!("the facts of {} cannot be read: {error}", subject.id))?;
        let marks = story.marks::<Mark>()?;
        let is = |wanted: &Mark| first(&marks, |mark| (mark == wanted).then_some(()));
        let mut history = History {
            find: story.limit(if facts.selected { &FIND_SELECTED } else { &FIND }),
            show: story.limit(&SHOW),
            way: subject.id.clone(),
            declared: subject.declared,
            facts,
            made: first(&marks, |mark| match mark {
                Mark::Made(made) => Some(made.clone()),
                _ => None,
            }),
            look: is(&Mark::Look {}),
            found: first(&marks, |mark| match mark {
                Mark::Found { settled, .. } => Some(*settled),
                _ => None,
            }),
            deleted: first(&marks, |mark| matches!(mark, Mark::Deleted { .. }).then_some(())),
            gone: is(&Mark::Gone {}),
            gone_settled: first(&marks, |mark| match mark {
                Mark::GoneSettled { settled } => Some(*settled),
                _ => None,
            }),
            looks: Vec::new(),
            direct: Vec::new(),
            stopped: story.stopped().map(str::to_owned),
            batches: Batch::ALL.into_iter().map(|batch| Sent::read(&marks, batch)).collect(),
            marks: marks.iter().map(|marked| marked.at).collect(),
        };
        story.events().for_each(|event| history.take(event));
        Ok(history)
    }

    fn take(&mut self, event: &Event) {
        let EventKind::Scrape { endpoint, status, text, why, milliseconds, .. } = &event.kind else { return };
        let (place, is_query) = match endpoint.split_once(QUERY) {
            Some((base, _)) => (service(base), true),
            None => (endpoint.clone(), false),
        };
        let answer = match lack(*status, why, text) {
            Some(why) => Err(why),
            None if is_query => series(text),
            None => exposed(text),
        };
        let when = Moment::of(event);
        let took = i64::try_from(*milliseconds).unwrap_or_default();
        let look = Look { at: Position::of(event), asked: Moment(when.0 - took), when, place, answer };
        if is_query { &mut self.looks } else { &mut self.direct }.push(look);
    }

    /// A batch.
    pub fn batch(&self, batch: Batch) -> Option<&Sent> {
        self.batches.get(batch as usize)
    }

    /// Questions that lie whole between a mark and the next.
    pub fn within<'a, T>(
        &self,
        looks: &'a [Look],
        mark: &Marked<T>,
    ) -> impl DoubleEndedIterator<Item = &'a Look> + use<'a, T> {
        let (begin, when) = (mark.at, mark.when);
        let end = self.marks.iter().find(|other| **other > begin).copied().unwrap_or(Position::END);
        looks.iter().filter(move |look| look.at > begin && look.at < end && look.asked >= when)
    }

    /// The last answer of a pod of the workload itself between a mark and the next.
    pub fn of_pod<T>(&self, pod: &str, mark: &Marked<T>) -> Option<&Look> {
        let here = format!("/pods/{pod}:");
        self.within(&self.direct, mark).rev().find(|look| look.place.contains(&here))
    }

    /// Name of a pod of the workload; empty where there is none.
    pub fn pod(&self, who: &str) -> &str {
        self.made.as_ref().and_then(|made| made.mark.pods.get(who)).map_or("", String::as_str)
    }

    /// Namespace of the workload; empty where there is none.
    pub fn namespace(&self) -> &str {
        self.made.as_ref().map_or("", |made| &made.mark.namespace)
    }

    /// Number of requests that a batch sent to a pod; none where the evidence does not say.
    pub fn sent(&self, batch: Batch, who: &str) -> u64 {
        let begin = self.batch(batch).and_then(|batch| batch.begin.as_ref());
        begin.and_then(|begin| begin.mark.get(who)).copied().unwrap_or_default()
    }

    /// Why something is not known: what stopped the run, what the last answer lacks, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        let look = self.looks.iter().rev().find_map(|look| look.answer.as_ref().err());
        self.stopped
            .clone()
            .or_else(|| look.map(|why| format!("{otherwise}; {why}")))
            .unwrap_or_else(|| otherwise.into())
    }
}

impl Sent {
    fn read(marks: &[Marked<Mark>], batch: Batch) -> Sent {
        let whole = Mark::sent(batch);
        Sent {
            begin: first(marks, |mark| match (mark, batch) {
                (Mark::First { sent }, Batch::First)
                | (Mark::Held { sent }, Batch::Held)
                | (Mark::Released { sent }, Batch::Released) => Some(sent.clone()),
                _ => None,
            }),
            whole: first(marks, |mark| (*mark == whole).then_some(())),
            settled: first(marks, |mark| match (mark, batch) {
                (Mark::FirstSettled { settled }, Batch::First)
                | (Mark::HeldSettled { settled }, Batch::Held)
                | (Mark::ReleasedSettled { settled }, Batch::Released) => Some(*settled),
                _ => None,
            }),
        }
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

/// Why a text is no whole answer, if it is none, with what the monitoring system says of its error.
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

/// Series that a pod of the workload exposes, as those of an answer.
fn exposed(text: &str) -> Result<Vec<Series>, String> {
    let found = parse(text, &Limits::default()).map_err(|error| error.to_string())?;
    let of = |sample: Sample| Series {
        name: sample.name,
        labels: sample.labels.into_iter().collect(),
        value: Sampled::Number(sample.value),
        held: None,
    };
    Ok(found.samples.into_iter().map(of).collect())
}
