//! Asks politely whether links answer. What is foreign names the links, so that nothing is asked that lies behind the
//! asker's own walls: every address of every hop is checked, and the very address that was checked is connected to.

mod asker;
mod gate;
mod names;
mod request;
mod turns;
mod verdict;

pub use asker::{Asker, CannotAsk, Limits};
pub use gate::{Gate, Public};
pub use names::{Names, NoAddress, System};

#[cfg(test)]
mod tests;
