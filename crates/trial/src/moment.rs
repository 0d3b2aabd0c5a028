//! Where in the log something stands, and when it was.

use aiconform_model::Event;
use std::fmt;
use std::time::Duration;

/// Position of an event in the log of the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// After everything.
    pub const END: Position = Position(u64::MAX);

    /// The position of an event.
    pub fn of(event: &Event) -> Position {
        Position(event.sequence)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Time of an event, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// The time at which an event was written down.
    pub fn of(event: &Event) -> Moment {
        Moment(event.time.as_millisecond())
    }

    /// Time since an earlier moment; nothing when that one is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or_default())
    }
}
