//! The words of the project as types: requirements, objects, events, phases.
//!
//! No input or output beyond reading the embedded catalogue.

pub mod catalogue;
pub mod event;
pub mod object;
pub mod probe;
mod quantity;
pub mod sink;

pub use event::{Bin, Change, Event, EventKind, Scope};
pub use object::{Kind, Object};
pub use quantity::{Amounts, quantity};
pub use sink::{Nowhere, Sink};
