//! Events that a run writes down: one per line, in the order in which they were seen.

use crate::object::{Kind, Object};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// To what an event belongs: a check, and within it a subject. Events of the whole cluster have neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// Id of the check (= requirement id), empty for the run itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub check: String,
    /// Id of the subject, empty when the event concerns all of them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
}

impl Scope {
    /// The scope of one subject of a check.
    pub fn new(check: &str, subject: &str) -> Scope {
        Scope { check: check.into(), subject: subject.into() }
    }
}

/// One thing seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the log, from 0.
    pub sequence: u64,
    /// When it was written down (UTC).
    pub time: Timestamp,
    /// To what it belongs.
    #[serde(flatten)]
    pub scope: Scope,
    /// The thing that was seen.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Change of a watched object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Was there when the watch began, or after a gap.
    Listed,
    /// Appeared.
    Added,
    /// Changed.
    Modified,
    /// Is gone.
    Deleted,
}

/// Whose time a wait is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bin {
    /// The platform works, we wait for it.
    Platform,
    /// Waiting on purpose, to see that nothing happens.
    Dwell,
    /// The program itself.
    Ours,
}

/// The thing that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The subject is under test from here on.
    SubjectStarted {
        /// Version, served group-version, controller: whatever identifies it.
        facts: Value,
        /// True for a control subject, which never counts itself.
        control: bool,
        /// True when the profile or `--adapter` named it.
        declared: bool,
    },
    /// A subject cannot be tried here.
    SubjectAbsent {
        /// Why, in words for the user.
        why: String,
        /// True when the user asked for this subject by name.
        declared: bool,
    },
    /// A request to the API server and its answer.
    Exchange {
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// HTTP status, 0 when no answer came.
        status: u16,
        /// Body sent, redacted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Value>,
        /// Body received, redacted; absent for lists and watches, whose items come as watch events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        response: Option<Value>,
        /// Time from request to the end of the answer, in milliseconds.
        milliseconds: u64,
    },
    /// A text was fetched from an endpoint, such as metrics; it stands here as it came.
    Scrape {
        /// Path at the API server, or address.
        endpoint: String,
        /// HTTP status, 0 when no answer came.
        status: u16,
        /// The answer's `content-type`, empty when it has none.
        content_type: String,
        /// The answer; bytes that are no UTF-8 are replaced.
        text: String,
        /// Bytes after which it was cut, because it was longer than the limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<u64>,
        /// Why there is no answer, or not all of it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        /// Time from request to the end of the answer, in milliseconds.
        milliseconds: u64,
    },
    /// A watched object changed.
    Watch {
        /// Kind of the object.
        kind: Kind,
        /// Change of the object.
        change: Change,
        /// The object as it came, without `managedFields`.
        object: Object,
    },
    /// A watch was interrupted; what happened meanwhile was not seen, only its result.
    WatchGap {
        /// Kind of the watch.
        kind: Kind,
        /// Why.
        why: String,
    },
    /// A phase mark: precedes the first request of its act.
    Phase {
        /// Name of the phase.
        phase: String,
        /// Data for which the phase stands: round, gang names, sizes.
        data: Value,
    },
    /// A wait ended.
    Wait {
        /// Name of the condition.
        condition: String,
        /// Whose time it was.
        bin: Bin,
        /// Limit in milliseconds.
        limit: u64,
        /// Time waited in milliseconds.
        waited: u64,
        /// True if the condition came true.
        met: bool,
        /// The last thing seen, in words.
        last: String,
    },
    /// Something refused or changed what was sent, or the environment does not allow a step.
    Hindrance {
        /// The actor that refused: a webhook, a policy, missing permission, the environment.
        who: String,
        /// The act that was hindered.
        what: String,
        /// Why, and what can be done.
        why: String,
    },
    /// The check stopped here before its end.
    Stopped {
        /// Why.
        why: String,
    },
    /// Acts on this subject came to their end.
    SubjectEnded {},
    /// A fact about the platform or run, for the report.
    Fact {
        /// Name.
        name: String,
        /// Value.
        value: Value,
    },
}
