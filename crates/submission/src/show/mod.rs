//! A review in words: one file per format.

mod github;
mod markdown;
mod table;

pub use github::github;
pub use markdown::markdown;
pub use table::table;
