//! Simulated accelerators, to try tests of accelerators without any: a DRA driver and device plugins that give out
//! character devices with no driver behind them, sockets through which a holder makes its device work, and a metrics
//! exporter that tells of it. Always known as simulated. What is wrong with it on purpose has names.

pub mod breakage;
#[cfg(feature = "driver")]
mod driver;
pub mod manifest;
pub mod settings;

pub use breakage::Breakage;
pub use manifest::manifest;
pub use settings::{Form, Plugin, Settings};

#[cfg(feature = "driver")]
pub use driver::{SimulatorError, Talk, run};
