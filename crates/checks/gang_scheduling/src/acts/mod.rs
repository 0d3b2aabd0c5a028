//! Acts of the check: they choose the ground, make the trials, and mark each step. They decide nothing.

pub mod arena;
pub mod devices;
pub mod ground;
pub mod means;
pub mod preview;
pub mod run;
pub mod stage;
pub mod template;
pub mod trials;
