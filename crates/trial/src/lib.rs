//! Pure functions of the evidence with which every check judges.

pub mod foreign;
pub mod guard;
pub mod kinds;
pub mod labels;
pub mod limits;
pub mod marks;
pub mod moment;
pub mod outcome;
pub mod path;
pub mod rules;
pub mod statistics;
pub mod story;
#[cfg(feature = "testing")]
#[allow(clippy::expect_used, reason = "a test that cannot go on should end")]
pub mod testing;
pub mod unread;

pub use guard::{Admitted, Guard};
pub use limits::{Came, InForce, Limit};
pub use marks::{Marked, Marks};
pub use moment::{Moment, Position};
pub use outcome::{met, together, unknown, unmet, worst};
pub use rules::{Claim, Rules};
pub use story::Story;
