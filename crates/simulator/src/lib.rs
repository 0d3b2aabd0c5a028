//! Simulated accelerators, to try tests of accelerators without any: a DRA driver and device plugins that give out
//! character devices with no driver behind them, sockets through which a holder makes its device work, and a metrics
//! exporter that tells of it. Always known as simulated. What is wrong with it on purpose has names.

pub mod breakage;
pub mod manifest;
pub mod settings;

#[cfg(feature = "driver")]
mod cdi;
#[cfg(feature = "driver")]
mod claims;
#[cfg(feature = "driver")]
mod dra;
#[cfg(feature = "driver")]
mod error;
#[cfg(feature = "driver")]
mod fleet;
#[cfg(feature = "driver")]
mod holders;
#[cfg(feature = "driver")]
mod messages;
#[cfg(feature = "driver")]
mod metrics;
#[cfg(feature = "driver")]
mod node;
#[cfg(feature = "driver")]
mod plugin;
#[cfg(feature = "driver")]
mod rpc;
#[cfg(feature = "driver")]
mod run;
#[cfg(feature = "driver")]
mod slices;
#[cfg(feature = "driver")]
mod work;

pub use breakage::Breakage;
pub use manifest::manifest;
pub use settings::{Form, Plugin, Settings};

#[cfg(feature = "driver")]
pub use error::SimulatorError;
#[cfg(feature = "driver")]
pub use node::Talk;
#[cfg(feature = "driver")]
pub use run::run;
