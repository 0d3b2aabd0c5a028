//! Whose devices are claimed.

pub mod synthetic;
