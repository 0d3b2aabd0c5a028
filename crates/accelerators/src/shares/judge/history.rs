//! A trial of shares as the evidence has it.

use crate::limits::FREED;
use crate::shares::marks::{Holder, Mark, Offer, Work};
use aiconform_model::{Change, Event, EventKind, Kind};
use aiconform_trial::{InForce, Marked, Moment, Position, Story};

/// One more pod than there are shares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OneMore {
    /// Its name.
    pub pod: String,
    /// Number of shares that it asks for.
    pub asks: u64,
    /// Number of shares that there are.
    pub places: u64,
    /// Where it was bound before anything was given back, and its node.
    pub bound: Option<(Position, String)>,
    /// Where the scheduler said no before that, and in which words.
    pub refused: Option<(Position, String)>,
}

/// A share that was given back.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Position of its mark.
    pub at: Position,
    /// When its pod was gone, or about to be deleted where that was not seen.
    pub begun: Moment,
    /// The pod that had it.
    pub pod: String,
}

/// The fate of the pod that waited.
#[derive(Clone, Debug, PartialEq)]
pub struct Released {
    /// Position of its mark.
    pub at: Position,
    /// When it was seen to run, or asked where that was not seen.
    pub when: Moment,
    /// UUID that its device says.
    pub uuid: Option<String>,
    /// Why it does not run; empty where it does.
    pub why: String,
}

/// The trial.
#[derive(Clone, Debug)]
pub struct History {
    /// Longest time until what was given back is given again.
    pub freed: InForce,
    /// The offer, and where that was marked.
    pub offered: Option<(Position, Offer)>,
    /// The pods that had a share, all at once, and where that was marked.
    pub holders: Option<(Position, Vec<Holder>)>,
    /// The work of the first alone.
    pub alone: Option<(Position, Work)>,
    /// Set if none had ended when the last began.
    pub all_at_work: bool,
    /// The works of all at once.
    pub at_once: Option<(Position, Vec<Work>)>,
    /// One pod more.
    pub more: Option<OneMore>,
    /// The share that was given back.
    pub release: Option<Release>,
    /// The fate of the one more then.
    pub released: Option<Released>,
    /// Why it stopped early.
    stopped: Option<String>,
}

impl History {
    /// Reads the story of a subject.
    ///
    /// # Errors
    /// When one of its marks cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let mut history = History {
            freed: story.limit(&FREED),
            offered: None,
            holders: None,
            alone: None,
            all_at_work: false,
            at_once: None,
            more: None,
            release: None,
            released: None,
            stopped: story.stopped().map(str::to_owned),
        };
        for marked in story.marks()? {
            history.add(marked);
        }
        for event in story.own() {
            history.watched(event);
        }
        Ok(history)
    }

    fn add(&mut self, Marked { at, when, mark, .. }: Marked<Mark>) {
        match mark {
            Mark::Offered(offer) => self.offered = Some((at, offer)),
            Mark::Held { holders } => self.holders = Some((at, holders)),
            Mark::WorkedAlone(work) => self.alone = Some((at, work)),
            Mark::AllAtWork {} => self.all_at_work = true,
            Mark::WorkedAtOnce { works } => self.at_once = Some((at, works)),
            Mark::OneMore { pod, asks, places } => {
                self.more = Some(OneMore { pod, asks, places, ..OneMore::default() });
            }
            Mark::Release { pod, .. } => self.release = Some(Release { at, begun: when, pod }),
            Mark::Released { device, why, .. } => {
                self.released =
                    Some(Released { at, when, uuid: device.text("uuid").map(str::to_owned), why });
            }
            Mark::Hold { .. } | Mark::WorkAtOnce {} | Mark::Over {} => {}
        }
    }

    /// Follows the one more, and the pod that makes room for it.
    fn watched(&mut self, event: &Event) {
        let EventKind::Watch { kind, change, object } = &event.kind else { return };
        if *kind != Kind::pod() {
            return;
        }
        let (at, when, name) = (Position::of(event), Moment::of(event), object.name());
        let is_more = self.more.as_ref().is_some_and(|more| more.pod == name);
        if let Some(release) = self.release.as_mut().filter(|release| release.at < at) {
            if *change == Change::Deleted && release.pod == name {
                release.begun = release.begun.max(when);
            }
            if let Some(released) = &mut self.released
                && is_more
                && object.condition_is("Ready", "True")
            {
                released.when = released.when.min(when);
            }
            return;
        }
        let Some(more) = self.more.as_mut().filter(|_| is_more) else { return };
        let node = object.text("/spec/nodeName");
        if !node.is_empty() {
            more.bound.get_or_insert_with(|| (at, node.to_owned()));
        } else if object.condition_is("PodScheduled", "False") {
            let condition = object.condition("PodScheduled");
            let words = condition.and_then(|condition| condition.get("message")?.as_str());
            more.refused.get_or_insert_with(|| (at, words.unwrap_or_default().to_owned()));
        }
    }

    /// The offer.
    pub fn offer(&self) -> Option<&Offer> {
        self.offered.as_ref().map(|(_, offer)| offer)
    }

    /// Why something is not known: what stopped the run, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| otherwise.into())
    }
}
