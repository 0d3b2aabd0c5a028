//! The story of one subject: its events, read once for everything that is judged of it.

use crate::limits::Limit;
use crate::marks::{Marked, Marks, read};
use crate::moment::{Moment, Position};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::Subject;

/// Name of the whole run's fact that holds the limits in force, in seconds by key.
pub const LIMITS: &str = "limits";

/// The events of one subject in the order in which they were seen, with those that concern its whole check or the whole
/// run, and when our own acts on it begin and end.
pub struct Story<'a> {
    subject: &'a Subject,
    events: &'a [&'a Event],
    begin: Position,
    end: Position,
    stopped: Option<&'a str>,
}

impl<'a> Story<'a> {
    /// The story of a subject. Our acts begin with its start. They end with its end, with a stop of its check or of the run, or
    /// with the first of its marks that is called one of `over`: whatever goes after that goes by our own undoing.
    pub fn of(events: &'a [&'a Event], subject: &'a Subject, over: &[&str]) -> Story<'a> {
        let mut story = Story { subject, events, begin: Position::END, end: Position::END, stopped: None };
        for event in events {
            let own = event.scope.subject == subject.id;
            let at = Position(event.sequence);
            match &event.kind {
                EventKind::SubjectStarted { .. } if own => story.begin = story.begin.min(at),
                EventKind::SubjectEnded {} if own => story.end = story.end.min(at),
                EventKind::Stopped { why } => {
                    // One trial of several may stop; then the others go on, and the subject ends in its own time.
                    if event.scope.subject.is_empty() {
                        story.end = story.end.min(at);
                    }
                    story.stopped.get_or_insert(why);
                }
                EventKind::Phase { phase, .. } if over.contains(&phase.as_str()) => {
                    story.end = story.end.min(at);
                }
                _ => {}
            }
        }
        story
    }

    /// The subject.
    pub fn subject(&self) -> &'a Subject {
        self.subject
    }

    /// All events, in order.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &'a Event> + use<'a> {
        self.events.iter().copied()
    }

    /// Tells whether an event is of the subject itself, and not of its whole check or the whole run.
    pub fn is_own(&self, event: &Event) -> bool {
        event.scope.subject == self.subject.id
    }

    /// Events of the subject itself.
    pub fn own(&self) -> impl Iterator<Item = &'a Event> {
        let id = self.subject.id.as_str();
        self.events().filter(move |event| event.scope.subject == id)
    }

    /// Events while our own acts on the subject last.
    pub fn acting(&self) -> impl Iterator<Item = &'a Event> + use<'a> {
        let (begin, end) = (self.begin, self.end);
        self.events().filter(move |event| {
            let at = Position(event.sequence);
            at > begin && at < end
        })
    }

    /// Where our own acts on the subject end, and our undoing may begin; [`Position::END`] where the story does not tell.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Why it ended early.
    pub fn stopped(&self) -> Option<&'a str> {
        self.stopped
    }

    /// Why something is not known: what stopped the subject, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        self.stopped.unwrap_or(otherwise).to_owned()
    }

    /// Its marks, and those of its whole check, in order.
    ///
    /// # Errors
    /// The first mark that cannot be read: another version wrote it, and nothing can be told from it.
    pub fn marks<M: Marks>(&self) -> Result<Vec<Marked<M>>, String> {
        self.events()
            .filter_map(|event| match &event.kind {
                EventKind::Phase { phase, data } if !event.scope.check.is_empty() => {
                    Some((event, phase, data))
                }
                _ => None,
            })
            .map(|(event, phase, data)| {
                let mark = read(phase, data).map_err(|error| {
                    format!(
                        "the mark {phase:?} (event {}) cannot be read, so that nothing is told from it: {error}; judge it with the version of aiconform that ran it",
                        event.sequence
                    )
                })?;
                Ok(Marked { at: Position(event.sequence), when: Moment::of(event), own: self.is_own(event), mark })
            })
            .collect()
    }

    /// A limit as it was in force in the run; where the evidence does not say, its default.
    pub fn limit(&self, limit: &Limit) -> crate::limits::InForce {
        let stored = self.events().find_map(|event| match &event.kind {
            EventKind::Fact { name, value } if name == LIMITS && event.scope.check.is_empty() => {
                value.get(limit.key)?.as_f64()
            }
            _ => None,
        });
        limit.in_force(stored)
    }
}
