//! Steps of the check as its marks tell them.

use crate::marks::Mark;
use aiconform_trial::{Marked, Moment, Position};

/// Where something was seen in the log, and when that was.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The position.
    pub at: Position,
    /// The time.
    pub when: Moment,
}

/// A step of the check that is about a pod.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its mark.
    pub mark: Seen,
    /// Name of the pod.
    pub pod: String,
}

/// A wait of the check for a pod, or for its node, that ended without what was waited for.
#[derive(Clone, Debug)]
pub struct Late {
    /// Position of its mark.
    pub at: Position,
    /// Name of the pod.
    pub pod: String,
    /// Seconds that it lasted.
    pub seconds: u64,
    /// The last that was seen.
    pub last: String,
    /// Pods of others that need the node; none where they were not read.
    pub others: Option<Vec<String>>,
}

/// The steps of the check.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// The beginning.
    pub begin: Option<Seen>,
    /// The pod that fits no node is made.
    pub impossible: Option<Step>,
    /// The pod that fits no node is deleted.
    pub impossible_deleted: Option<Step>,
    /// Pods are made for which nodes are to come.
    pub triggers: Vec<Step>,
    /// Pods run on nodes.
    pub arrived: Vec<Step>,
    /// Pods do not run after their time.
    pub late: Vec<Late>,
    /// Pods are deleted.
    pub deleted: Vec<Step>,
    /// Nodes of pods that were deleted are gone.
    pub gone: Vec<Step>,
    /// Nodes of pods that were deleted are there after their time.
    pub stays: Vec<Late>,
    /// Everything is deleted.
    pub over: Option<Seen>,
    /// Time of the last mark.
    pub last: Moment,
}

impl Steps {
    /// Takes a mark of the subject.
    pub fn mark(&mut self, Marked { at, when, mark, .. }: Marked<Mark>) {
        let seen = Seen { at, when };
        let step = |pod: String| Step { mark: seen, pod };
        self.last = when;
        match mark {
            Mark::Begin {} => {
                self.begin.get_or_insert(seen);
            }
            Mark::Impossible { pod } => {
                self.impossible.get_or_insert(step(pod));
            }
            Mark::ImpossibleDeleted { pod } => {
                self.impossible_deleted.get_or_insert(step(pod));
            }
            Mark::Trigger { pod } => self.triggers.push(step(pod)),
            Mark::Arrived { pod } => self.arrived.push(step(pod)),
            Mark::Late { pod, seconds, last } => {
                self.late.push(Late { at, pod, seconds, last, others: None });
            }
            Mark::Deleted { pod } => self.deleted.push(step(pod)),
            Mark::Gone { pod } => self.gone.push(step(pod)),
            Mark::Stays { pod, seconds, last, others } => {
                self.stays.push(Late { at, pod, seconds, last, others });
            }
            Mark::Over {} => {
                self.over.get_or_insert(seen);
            }
            Mark::NotProvided { .. } | Mark::Enough { .. } | Mark::End { .. } => {}
        }
    }
}

/// The step that is about a pod.
pub fn about<'a>(steps: &'a [Step], pod: &str) -> Option<&'a Step> {
    steps.iter().find(|step| step.pod == pod)
}

/// The wait that was for a pod.
pub fn waited<'a>(waits: &'a [Late], pod: &str) -> Option<&'a Late> {
    waits.iter().find(|wait| wait.pod == pod)
}
