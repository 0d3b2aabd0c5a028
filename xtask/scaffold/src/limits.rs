//! The longest times that a verdict may hang on.

use aiconform_trial::Limit;

/// For the thing to answer.
pub const ANSWER: Limit =
    Limit { key: "ID.answer", seconds: 60.0, most: 10.0, what: "the thing to answer" };

/// All of them.
pub const LIMITS: &[Limit] = &[ANSWER];
