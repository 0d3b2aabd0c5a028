//! A trial of shares as the evidence has it.

use crate::foreign::{admitted_pod, gap};
use aiconform_model::{Event, EventKind, Kind, Object};
use aiconform_verdict::Subject;
use serde_json::Value;

/// A pod that has a share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holder {
    /// Its name.
    pub pod: String,
    /// What its device says of itself; null where it takes no questions.
    pub device: Value,
    /// Numbers of the device nodes in its container.
    pub nodes: Vec<String>,
}

impl Holder {
    /// A text that its device says.
    pub fn says(&self, key: &str) -> Option<&str> {
        self.device.get(key)?.as_str()
    }

    /// A number that its device says.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.device.get(key)?.as_u64()
    }

    /// The physical device, by its device's own word.
    pub fn physical(&self) -> Option<&str> {
        self.says("parent").or_else(|| self.says("uuid"))
    }
}

/// A load that one pod asked its device for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// The pod.
    pub pod: String,
    /// Milliseconds that were asked for, and that the device says it worked.
    pub asked: u64,
    /// The second of these.
    pub done: u64,
    /// What went wrong.
    pub why: String,
    /// Position of the mark that tells it.
    pub at: u64,
}

impl Work {
    fn of(value: &Value, at: u64) -> Work {
        let number = |key: &str| value["work"][key].as_u64().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Work {
            pod: text(&value["pod"]),
            asked: number("asked"),
            done: number("done"),
            why: text(&value["work"]["why"]),
            at,
        }
    }

    /// Whether all of it was done.
    pub fn is_done(&self) -> bool {
        self.asked > 0 && self.done >= self.asked
    }

    /// In words.
    pub fn words(&self) -> String {
        let why = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
        format!("the device of {} worked {} ms of {} ms{why}", self.pod, self.done, self.asked)
    }
}

/// One more pod than there are shares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OneMore {
    /// Its name.
    pub pod: String,
    /// How many shares it asks for.
    pub asks: u64,
    /// How many there are.
    pub places: u64,
    /// Position of its mark.
    pub at: u64,
    /// The event in which it was bound, and its node.
    pub bound: Option<(u64, String)>,
    /// The event in which the scheduler said no, and what it said.
    pub refused: Option<(u64, String)>,
}

/// The trial.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What was offered, as its mark tells it.
    pub offered: Option<(u64, Value)>,
    /// Names of the pods that asked for a share, and the position of that mark.
    pub asked: Option<(u64, Vec<String>)>,
    /// The pods that had one, all at once.
    pub holders: Option<(u64, Vec<Holder>)>,
    /// The work of the first alone.
    pub alone: Option<Work>,
    /// The works of all at once.
    pub at_once: Option<Vec<Work>>,
    /// One pod more.
    pub more: Option<OneMore>,
    /// The position of the mark with which the first share was given back.
    pub release: Option<u64>,
    /// What became of the one more then: its device, or why it did not run.
    pub released: Option<(u64, Value)>,
    /// Why nothing can be believed.
    pub doubt: Option<String>,
    /// Why it stopped early.
    pub stopped: Option<String>,
    /// Whether a device says that it is simulated.
    pub simulated: bool,
}

impl History {
    /// Reads the events of a subject.
    pub fn of(events: &[&Event], subject: &Subject) -> History {
        let mut history = History::default();
        let (mut acting, mut over, mut let_go) = (false, false, String::new());
        for event in events {
            let ours = event.scope.subject == subject.id;
            let at = event.sequence;
            match &event.kind {
                EventKind::SubjectStarted { .. } if ours => acting = true,
                EventKind::SubjectEnded {} if ours => acting = false,
                EventKind::Stopped { why } => {
                    acting &= !event.scope.subject.is_empty();
                    history.stopped.get_or_insert_with(|| why.clone());
                }
                EventKind::WatchGap { kind, .. } if acting && *kind == Kind::pod() => {
                    gap(&event.kind).into_iter().for_each(|why| history.doubts(why));
                }
                EventKind::Exchange {
                    method,
                    path,
                    status: 200..300,
                    request: Some(sent),
                    response: Some(got),
                    ..
                } if ours => {
                    history.doubt = history.doubt.take().or_else(|| admitted_pod(method, path, sent, got));
                }
                EventKind::Phase { phase, data } if ours => {
                    if phase == "over" {
                        over = true;
                    }
                    if phase == "release" {
                        let_go = data["pod"].as_str().unwrap_or_default().into();
                    }
                    history.mark(phase, data, at);
                }
                EventKind::Watch { kind, object, .. } if ours && *kind == Kind::pod() => {
                    let deleted = object.at("/metadata/deletionTimestamp").is_some();
                    if deleted && !over && acting && object.name() != let_go {
                        history.doubts(format!("the test pod {} was deleted by someone else", object.name()));
                    }
                    history.watched(object, at);
                }
                _ => {}
            }
        }
        history
    }

    fn doubts(&mut self, why: String) {
        self.doubt.get_or_insert(why);
    }

    fn mark(&mut self, phase: &str, data: &Value, at: u64) {
        let array = |key: &str| data[key].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match phase {
            "offered" => self.offered = Some((at, data.clone())),
            "hold" => self.asked = Some((at, array("pods").iter().map(text).collect())),
            "held" => {
                let holder = |value: &Value| Holder {
                    pod: text(&value["pod"]),
                    device: value["device"].clone(),
                    nodes: value["nodes"].as_array().into_iter().flatten().map(text).collect(),
                };
                let holders: Vec<Holder> = array("holders").iter().map(holder).collect();
                // Only simulated devices answer the probe.
                self.simulated |= holders.iter().any(|holder| holder.device.is_object());
                self.holders = Some((at, holders));
            }
            "worked_alone" => self.alone = Some(Work::of(data, at)),
            "worked_at_once" => {
                self.at_once = Some(array("works").iter().map(|work| Work::of(work, at)).collect());
            }
            "one_more" => {
                let number = |key: &str| data[key].as_u64().unwrap_or_default();
                self.more = Some(OneMore {
                    pod: text(&data["pod"]),
                    asks: number("asks"),
                    places: number("places"),
                    at,
                    ..OneMore::default()
                });
            }
            "release" => self.release = Some(at),
            "released" => self.released = Some((at, data.clone())),
            _ => {}
        }
    }

    /// What becomes of the one more before anything is given back.
    fn watched(&mut self, pod: &Object, at: u64) {
        let Some(more) = self.more.as_mut().filter(|more| more.pod == pod.name()) else { return };
        if self.release.is_some() {
            return;
        }
        let node = pod.text("/spec/nodeName");
        if !node.is_empty() {
            more.bound.get_or_insert_with(|| (at, node.to_owned()));
        } else if pod.condition_is("PodScheduled", "False") {
            let said = pod.condition("PodScheduled").and_then(|condition| condition.get("message")?.as_str());
            more.refused.get_or_insert_with(|| (at, said.unwrap_or_default().to_owned()));
        }
    }

    /// A number of the offer.
    pub fn offers(&self, key: &str) -> Option<u64> {
        self.offered.as_ref()?.1.get(key)?.as_u64()
    }

    /// What is asked for, in a word.
    pub fn name(&self) -> &str {
        self.offered.as_ref().and_then(|(_, offer)| offer.get("name")?.as_str()).unwrap_or("it")
    }

    /// Why something is not known: what stopped the run, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| otherwise.into())
    }
}
