//! One file per verb: each has its `Arguments` and a `run` that returns how the program ends.

pub mod cleanup;
pub mod compare;
pub mod faults;
pub mod image;
pub mod judge;
pub mod lab;
pub mod list;
pub mod plan;
pub mod review;
pub mod run;
pub mod site;
pub mod submit;
