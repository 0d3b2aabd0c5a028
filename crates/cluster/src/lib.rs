//! The cluster under test: the only crate that names `kube`.
//!
//! A recording client, one shared watch per kind, and a session that makes scratch namespaces, writes down in the
//! cluster what it is about to change outside them, and undoes everything, also after a crash.

mod api;
mod cleanup;
mod connect;
mod error;
mod hold;
mod journal;
mod labels;
mod mirror;
mod node;
mod permission;
mod remaining;
mod scrape;
mod scratch;
mod session;
mod side_by_side;
#[cfg(test)]
mod testing;

pub use api::{Api, encode};
pub use cleanup::{Found, Tell, cleanup, find};
pub use connect::{Connection, Target, causes};
pub use error::{ClusterError, Refusal};
pub use journal::Entry;
pub use labels::{RUN_LABEL, SUBJECT_LABEL};
pub use mirror::Mirror;
pub use node::{Unsuitable, demand, free, may_become_ready, suitable};
pub use permission::{OF_EVERY_RUN, Permission, missing};
pub use scrape::{Text, TextLimit};
pub use scratch::Scratch;
pub use session::{Session, Stamp};
pub use side_by_side::side_by_side;
