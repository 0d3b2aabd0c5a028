//! Where the metrics of accelerators are.

use super::super::adapters::{Dialect, dialects};
use crate::cx::Stop;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Scope};

/// An endpoint of one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path at the API server, or of the endpoint itself.
    pub path: String,
    /// The node that it tells of, empty where it is not known.
    pub node: String,
}

/// Where the exporters of every dialect are, by the labels of their pods.
///
/// # Errors
/// When pods cannot be listed.
pub async fn endpoints(api: &Api, scope: &Scope) -> Result<Vec<(&'static Dialect, Vec<Place>)>, Stop> {
    let mut found = Vec::new();
    for dialect in dialects() {
        let mut places = Vec::new();
        for endpoint in &dialect.endpoint {
            let selector: Vec<String> =
                endpoint.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            for pod in api.list(scope, &Kind::pod(), "", &selector.join(",")).await? {
                if pod.text("/status/phase") == "Running" && pod.at("/metadata/deletionTimestamp").is_none() {
                    let path = Api::pod_proxy(pod.namespace(), pod.name(), endpoint.port, &endpoint.path);
                    places.push(Place { path, node: pod.text("/spec/nodeName").into() });
                }
            }
        }
        if !places.is_empty() {
            found.push((dialect, places));
        }
    }
    Ok(found)
}
