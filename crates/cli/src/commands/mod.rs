//! One file per verb: each has its `Arguments` and a `run` that returns how the program ends.

pub mod lab;
pub mod run;
