//! Acts of the check: they choose the ground, make the trials, and mark each step. They decide nothing.

pub mod objects;
pub mod preview;
pub mod run;
mod stage;
pub mod trials;
