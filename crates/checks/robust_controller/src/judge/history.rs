//! One operator's resource as the evidence has it: marks, answers, the resource and its children, in the order in which
//! they were seen.

use crate::limits::{PLAIN, READY, RECONCILE, STILL_READY};
use crate::marks::{Closed, Deleted, Found, Mark, Plan, is_of};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::marks::first;
use aiconform_trial::{InForce, Marked, Moment, Position, Story};
use std::time::Duration;

/// An answer of the API server.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Words of the API server where it refused.
    pub message: String,
    /// The answer.
    pub object: Object,
    /// Position of the answer.
    pub at: Position,
}

/// A point of the log.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Its position.
    pub at: Position,
    /// Its time.
    pub when: Moment,
}

impl Point {
    fn of(event: &Event) -> Point {
        Point { at: Position::of(event), when: Moment::of(event) }
    }
}

/// A sight of the resource, or of a child.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its position.
    pub at: Position,
    /// Its time.
    pub when: Moment,
    /// The object; as it was last, when it is gone.
    pub object: Object,
    /// Set if it was gone.
    pub gone: bool,
}

/// A child of the resource.
#[derive(Clone, Debug)]
pub struct Child {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The first sight of it.
    pub seen: Point,
    /// The point at which it was gone.
    pub gone: Option<Point>,
    /// Sights of it while it was there.
    pub looks: Vec<Look>,
}

impl Child {
    /// The last of it before a position.
    fn before(&self, at: Position) -> Option<&Object> {
        self.looks.iter().rev().find(|look| look.at < at).map(|look| &look.object)
    }

    /// Tells whether it was there at a position: seen before it, and not gone.
    pub fn is_there(&self, at: Position) -> bool {
        self.seen.at < at && self.stays(at)
    }

    /// Tells whether it was not gone at a position.
    pub fn stays(&self, at: Position) -> bool {
        self.gone.is_none_or(|gone| gone.at > at)
    }

    /// Tells whether it was on its way out at a position.
    pub fn is_leaving(&self, at: Position) -> bool {
        self.before(at).is_some_and(|object| object.at("/metadata/deletionTimestamp").is_some())
    }

    /// Why a pod was not ready at a position, if it is one and was there.
    pub fn waits(&self, at: Position) -> Option<String> {
        let there = self.kind == "Pod" && self.is_there(at);
        let pod = self.before(at).filter(|pod| there && !pod.condition_is("Ready", "True"))?;
        let message = |kind: &str| {
            let condition = pod.condition(kind).filter(|_| pod.condition_is(kind, "False"))?;
            Some(condition.get("message")?.as_str()?.to_owned())
        };
        let waiting = pod.text("/status/containerStatuses/0/state/waiting/reason");
        let why = message("PodScheduled").or_else(|| (!waiting.is_empty()).then(|| waiting.to_owned()));
        let why = why.or_else(|| message("Ready")).unwrap_or_else(|| "its kubelet has not said why".into());
        Some(format!("its pod {} is not ready ({why})", self.name))
    }
}

/// Limits that were in force.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// [`READY`].
    pub ready: InForce,
    /// [`STILL_READY`].
    pub still_ready: InForce,
    /// [`RECONCILE`].
    pub reconcile: InForce,
    /// [`PLAIN`].
    pub plain: InForce,
}

/// One operator's resource, from the first look at the operator to the last.
#[derive(Clone, Debug)]
pub struct History {
    /// The file of the operator, as far as it is needed here.
    pub plan: Plan,
    /// Limits in force.
    pub limits: Limits,
    /// Time until its pods were ready, at the beginning and at the end, where they were not at once.
    pub waited: [Option<Duration>; 2],
    /// The operator as it was found at the beginning.
    pub found: Option<Marked<Found>>,
    /// The operator as it was found at the end.
    pub found_again: Option<Marked<Found>>,
    /// End of the wait for a ReplicaSet of the plain Deployment.
    pub plain_ended: Option<Marked<()>>,
    /// The creation of that Deployment.
    pub plain: Option<Marked<()>>,
    /// The first sight of the ReplicaSet.
    pub replica_set: Option<Point>,
    /// Answers to the resource as it should be.
    pub valid: Vec<Answer>,
    /// The answer to the resource as its webhook must refuse it.
    pub invalid: Option<Answer>,
    /// The creation of the resource.
    pub create: Option<Marked<()>>,
    /// The answer to it.
    pub created: Option<Answer>,
    /// UID of the resource; empty where it was not created.
    pub uid: String,
    /// End of the wait for its children and its status.
    pub reconciled: Option<Marked<Closed>>,
    /// The deletion of a child.
    pub delete_child: Option<Marked<Deleted>>,
    /// End of the wait for another one.
    pub made_again: Option<Marked<Closed>>,
    /// The change of the resource.
    pub change: Option<Marked<()>>,
    /// The answer to it.
    pub change_answer: Option<Answer>,
    /// End of the wait for the change to show.
    pub changed: Option<Marked<Closed>>,
    /// The deletion of the resource.
    pub delete: Option<Marked<()>>,
    /// End of the wait for it to go.
    pub gone: Option<Marked<Closed>>,
    /// Sights of objects of the resource's kind.
    pub looks: Vec<Look>,
    /// Its children, in the order in which they were first seen.
    pub children: Vec<Child>,
    stopped: Option<String>,
}

impl History {
    /// Reads the story of an operator.
    ///
    /// # Errors
    /// When its facts or its marks cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let plan = Plan::of(&story.subject().facts).map_err(|error| {
            format!("the evidence does not say what was planned of this operator: {error}")
        })?;
        let marks = story.marks::<Mark>()?;
        let answers = Answers::read(story, &marks);
        let created = answers.to(|mark| matches!(mark, Mark::Create { .. })).into_iter().next();
        let uid = created.as_ref().map(Answer::made).unwrap_or_default().to_owned();
        let deployment = answers.to(|mark| matches!(mark, Mark::Plain { .. })).into_iter().next();
        let is = |wanted: &Mark| first(&marks, |mark| (mark == wanted).then_some(()));
        let waited = |again: bool| {
            let of = |mark: &Mark| match mark {
                Mark::Found { waited, .. } if !again => *waited,
                Mark::FoundAgain { waited, .. } if again => *waited,
                _ => None,
            };
            marks.iter().find_map(|marked| of(&marked.mark)).map(Duration::from_millis)
        };
        let mut history = History {
            limits: Limits {
                ready: story.limit(&READY),
                still_ready: story.limit(&STILL_READY),
                reconcile: story.limit(&RECONCILE),
                plain: story.limit(&PLAIN),
            },
            waited: [waited(false), waited(true)],
            found: first(&marks, |mark| match mark {
                Mark::Found { found, .. } => found.clone(),
                _ => None,
            }),
            found_again: first(&marks, |mark| match mark {
                Mark::FoundAgain { found, .. } => found.clone(),
                _ => None,
            }),
            plain_ended: is(&Mark::PlainEnded {}),
            plain: first(&marks, |mark| matches!(mark, Mark::Plain { .. }).then_some(())),
            replica_set: None,
            valid: answers.to(|mark| *mark == Mark::AskValid {}),
            invalid: answers.to(|mark| *mark == Mark::AskInvalid {}).into_iter().next(),
            create: first(&marks, |mark| matches!(mark, Mark::Create { .. }).then_some(())),
            created,
            uid,
            reconciled: first(&marks, |mark| match mark {
                Mark::Reconciled(closed) => Some(closed.clone()),
                _ => None,
            }),
            delete_child: first(&marks, |mark| match mark {
                Mark::DeleteChild(child) => Some(child.clone()),
                _ => None,
            }),
            made_again: first(&marks, |mark| match mark {
                Mark::MadeAgain(closed) => Some(closed.clone()),
                _ => None,
            }),
            change: first(&marks, |mark| matches!(mark, Mark::Change { .. }).then_some(())),
            change_answer: answers.to(|mark| matches!(mark, Mark::Change { .. })).into_iter().next(),
            changed: first(&marks, |mark| match mark {
                Mark::Changed(closed) => Some(closed.clone()),
                _ => None,
            }),
            delete: is(&Mark::Delete {}),
            gone: first(&marks, |mark| match mark {
                Mark::Gone(closed) => Some(closed.clone()),
                _ => None,
            }),
            looks: Vec::new(),
            children: Vec::new(),
            stopped: story.stopped().map(str::to_owned),
            plan,
        };
        // The watches are read when it is known whose they are: an answer may be written down after the first of what was
        // made of it was seen.
        let plain = deployment.as_ref().map(Answer::made).unwrap_or_default();
        for event in story.events() {
            if let EventKind::Watch { kind, change, object } = &event.kind {
                if !plain.is_empty() && is_of(object, plain) {
                    history.replica_set.get_or_insert(Point::of(event));
                }
                history.take(event, kind, *change, object);
            }
        }
        Ok(history)
    }

    fn take(&mut self, event: &Event, kind: &Kind, change: Change, object: &Object) {
        let gone = change == Change::Deleted;
        let look = || Look { at: Position::of(event), when: Moment::of(event), object: object.clone(), gone };
        if self.plan.kind == *kind {
            self.looks.push(look());
        } else if let Some(child) = self.children.iter_mut().find(|child| child.uid == object.uid()) {
            if gone {
                child.gone.get_or_insert(Point::of(event));
            } else {
                child.looks.push(look());
            }
        } else if !gone
            && self.plan.children.contains(kind)
            && !self.uid.is_empty()
            && is_of(object, &self.uid)
        {
            self.children.push(Child {
                kind: kind.kind.clone(),
                name: object.name().into(),
                uid: object.uid().into(),
                seen: Point::of(event),
                gone: None,
                looks: vec![look()],
            });
        }
    }

    /// The resource as it was seen last before a position.
    pub fn before(&self, at: Position) -> Option<&Look> {
        self.looks.iter().rev().find(|look| look.at < at && look.object.uid() == self.uid)
    }

    /// The resource as it was seen between two positions, in order.
    pub fn between(&self, begin: Position, end: Position) -> impl Iterator<Item = &Look> {
        self.looks
            .iter()
            .filter(move |look| look.at > begin && look.at < end && look.object.uid() == self.uid)
    }

    /// Why something is not known: what stopped the run, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| otherwise.to_owned())
    }
}

/// Answers to what was written or changed, and the marks between which they stand.
struct Answers<'a> {
    answers: Vec<Answer>,
    marks: &'a [Marked<Mark>],
}

impl Answers<'_> {
    fn read<'a>(story: &Story<'_>, marks: &'a [Marked<Mark>]) -> Answers<'a> {
        let answer = |event: &Event| match &event.kind {
            EventKind::Exchange { method, status, response, .. } if method == "POST" || method == "PATCH" => {
                let object = Object(response.clone().unwrap_or_default());
                let message = object.text("/message").to_owned();
                Some(Answer { status: *status, message, object, at: Position::of(event) })
            }
            _ => None,
        };
        // The journal and the Lease belong to the whole run.
        Answers { answers: story.own().filter_map(answer).collect(), marks }
    }

    /// The first answer between each mark of a sort and the next mark.
    fn to(&self, sort: impl Fn(&Mark) -> bool) -> Vec<Answer> {
        let of = |(place, marked): (usize, &Marked<Mark>)| {
            let end = self.marks.get(place + 1).map_or(Position::END, |next| next.at);
            self.answers.iter().find(|answer| answer.at > marked.at && answer.at < end).cloned()
        };
        self.marks.iter().enumerate().filter(|(_, marked)| sort(&marked.mark)).filter_map(of).collect()
    }
}

impl Answer {
    /// UID of what was made; empty where nothing was.
    fn made(&self) -> &str {
        if (200..300).contains(&self.status) { self.object.uid() } else { "" }
    }
}
