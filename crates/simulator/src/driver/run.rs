//! All parts of the simulator together.

use crate::driver::dra::Driver;
use crate::driver::error::SimulatorError;
use crate::driver::node::{Node, Talk};
use crate::driver::plugin::Plugin;
use crate::driver::{cdi, metrics, slices, work};
use crate::settings::Settings;
use aiconform_cluster::{Api, Connection, Target};
use aiconform_model::Nowhere;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Runs until one part fails, or until it is dropped.
///
/// # Errors
/// When a part cannot do its work: a socket, a folder, the API server.
pub async fn run(settings: Settings, target: &Target, talk: Talk) -> Result<(), SimulatorError> {
    let api = Api::new(Connection::open(target).await?, Arc::new(Nowhere));
    let node = Arc::new(Node::new(settings.here(), Some(api.clone()), talk)?);
    if node.settings.cuda {
        cdi::place_library(&node.settings)?;
    }
    cdi::write(
        &cdi::plugins_file(&node.settings.cdi),
        &cdi::plugins(&node.settings, &node.fleet, node.major),
    )?;
    for breakage in &node.settings.breakages {
        (node.talk)(&format!("broken on purpose: {}", breakage.name()));
    }
    let mut parts: JoinSet<Result<(), SimulatorError>> = JoinSet::new();
    let devices = node.clone();
    parts.spawn(async move { Ok(work::serve(devices).await?) });
    parts.spawn(metrics::serve(node.clone()));
    if !node.fleet.claimable.devices.is_empty() {
        let driver = Arc::new(Driver::new(node.clone())?);
        parts.spawn(async move { Ok(driver.serve().await?) });
        let (node, api) = (node.clone(), api.clone());
        parts.spawn(async move {
            slices::keep(&node, &api).await;
            Ok(())
        });
    }
    for pool in &node.fleet.plugins {
        let plugin = Arc::new(Plugin::new(node.clone(), pool.clone()));
        parts.spawn(async move {
            plugin.serve().await;
            Ok(())
        });
    }
    parts.spawn(async move {
        node.annotate().await;
        Ok(())
    });
    match parts.join_next().await {
        Some(Ok(ended)) => ended,
        Some(Err(error)) => Err(SimulatorError::Unusable(error.to_string())),
        None => Ok(()),
    }
}
