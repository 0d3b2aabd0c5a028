//! A review in words: one file per format.

mod github;
mod markdown;
mod table;
#[cfg(test)]
mod tests;

pub use github::github;
pub use markdown::markdown;
pub use table::table;
