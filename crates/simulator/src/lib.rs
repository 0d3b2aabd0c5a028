//! Simulated accelerators, to try tests of accelerators without any: a DRA driver and device plugins that give out
//! character devices with no driver behind them, sockets through which a holder makes its device work, and a metrics
//! exporter that tells of it. Always known as simulated. What is wrong with it on purpose has names.
//!
//! The kubelet's gRPC is written by hand: messages from their field numbers, services on `tonic`'s codec and `hyper`'s
//! HTTP/2. What the kubelet must be met with: its library sends the path of a registration socket as `:authority`, with each
//! "/" as "%2F", and HTTP libraries take that only before an "@", so the socket's name has one; and a kubelet that is told of
//! a device plugin's socket whose earlier connection it has not seen end never forgets that connection, so each registration
//! has a new path.
//!
//! What was prepared stands in the CDI files and nowhere else, each written whole. A breakage changes what is injected or told,
//! never what is counted, so that the platform around it stays right.

pub mod breakage;
#[cfg(feature = "driver")]
mod driver;
pub mod manifest;
pub mod settings;

pub use breakage::Breakage;
pub use manifest::manifest;
pub use settings::{Form, Other, Plugin, Settings};

#[cfg(feature = "driver")]
pub use driver::{SimulatorError, Talk, run};
