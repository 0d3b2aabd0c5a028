//! Parts that run on a node.

mod cdi;
mod claims;
mod dra;
mod error;
mod fleet;
mod holders;
mod messages;
mod metrics;
mod node;
mod plugin;
mod rpc;
mod run;
mod slices;
#[cfg(test)]
mod tests;
mod work;

pub use error::SimulatorError;
pub use node::Talk;
pub use run::run;
