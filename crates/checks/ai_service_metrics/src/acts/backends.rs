//! Where the monitoring system is asked.

use crate::answer::{Series, series, version};
use crate::marks::{QUERY, RUN};
use aiconform_check::cx::Stop;
use aiconform_check::profile::Profile;
use aiconform_cluster::{Api, Connection, TextLimit, encode};
use aiconform_model::{Object, Scope};
use aiconform_trial::kinds::service;
use futures::future::join_all;
use serde_json::Value;
use std::time::Duration;

/// Longest part of an answer that is read, and the longest time that it may take.
const LIMIT: TextLimit = TextLimit { bytes: 4 << 20, time: Duration::from_secs(10) };
/// So many Services are asked whether they are a monitoring system.
const MOST: usize = 12;

/// A monitoring system that speaks the API of Prometheus.
pub struct Backend {
    /// Its name: `namespace/service:port`, or its address.
    pub name: String,
    /// Its version, as far as it says it.
    pub version: String,
    api: Api,
    /// Part of the address before the API's paths.
    base: String,
}

impl Backend {
    /// All series of a run and subject, now.
    ///
    /// # Errors
    /// Why nothing is told, in words; the evidence has it as it came.
    pub async fn ask(&self, scope: &Scope, run: &str) -> Result<Vec<Series>, String> {
        let path = format!("{}{QUERY}{}", self.base, encode(&format!("{{{RUN}=\"{run}\"}}")));
        let text = self.api.scrape(scope, &path, LIMIT).await;
        match text.lack() {
            Some(why) => Err(format!("{}: {why}", self.name)),
            None => series(&text.text).map_err(|why| format!("{}: {why}", self.name)),
        }
    }
}

/// The monitoring system that the profile names, else those that are found by their Services; or why there is none.
///
/// # Errors
/// When the address in the profile is none, or a file that it names is not there.
pub async fn backends(
    api: &Api,
    scope: &Scope,
    profile: &Profile,
) -> Result<Result<Vec<Backend>, String>, Stop> {
    let of = &profile.ai_service_metrics;
    if let Some(address) = &of.url {
        let start = address.find("://").map_or(0, |place| place + 3);
        let (server, base) = match address[start..].find('/') {
            Some(place) => address.split_at(start + place),
            None => (address.as_str(), ""),
        };
        let (authorities, token) =
            (of.ca_file.as_deref().map(Into::into), of.token_file.as_deref().map(Into::into));
        let connection = Connection::of_endpoint(server, authorities, token)?;
        return Ok(Ok(vec![Backend {
            name: address.clone(),
            version: "not asked".into(),
            api: Api::new(connection, api.sink().clone()),
            base: base.trim_end_matches('/').into(),
        }]));
    }
    let listed = match api.list(scope, &service(), "", "").await {
        Ok(listed) => listed,
        Err(error) if error.refusal().is_some() => {
            return Ok(Err(format!(
                "{error}; name the monitoring system in the profile: [ai_service_metrics] url = \"https://…\""
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let mut candidates: Vec<(u8, Object)> =
        listed.into_iter().filter_map(|service| Some((rank(&service)?, service))).collect();
    candidates
        .sort_by_key(|(rank, service)| (*rank, service.namespace().to_owned(), service.name().to_owned()));
    candidates.truncate(MOST);
    let asked = join_all(candidates.iter().map(|(_, service)| asked(api, scope, service))).await;
    let (mut found, mut lacks) = (Vec::new(), Vec::new());
    for answer in asked {
        match answer {
            Ok(backend) => found.push(backend),
            Err(why) => lacks.push(why),
        }
    }
    if found.is_empty() {
        let lacks = if lacks.is_empty() { String::new() } else { format!(" ({})", lacks.join("; ")) };
        return Ok(Err(format!("no Service of the cluster answers as the API of Prometheus{lacks}")));
    }
    Ok(Ok(found))
}

/// Likelihood that a Service leads to a monitoring system that answers queries; nothing where it does not look like one.
/// The names and labels are those of prometheus-operator and of the charts and manifests by which Prometheus, Thanos and
/// VictoriaMetrics are mostly installed.
fn rank(service: &Object) -> Option<u8> {
    let name = service.name();
    let is = |value: &str| {
        ["app.kubernetes.io/name", "app", "app.kubernetes.io/component"]
            .iter()
            .any(|label| service.label(label) == value)
    };
    let other = [
        "alertmanager",
        "node-exporter",
        "adapter",
        "pushgateway",
        "operator",
        "kube-state",
        "blackbox",
        "grafana",
    ];
    if other.iter().any(|word| name.contains(word)) && name != "prometheus-operated" {
        return None;
    }
    if is("prometheus") || name == "prometheus" || name == "prometheus-operated" {
        return Some(0);
    }
    if name.ends_with("-prometheus")
        || name.starts_with("prometheus-")
        || is("kube-prometheus-stack-prometheus")
    {
        return Some(1);
    }
    let others = ["thanos-query", "query-frontend", "vmsingle", "victoria-metrics"];
    others.iter().any(|word| name.contains(word) || is(word)).then_some(2)
}

/// Asks a Service whether it is one.
async fn asked(api: &Api, scope: &Scope, service: &Object) -> Result<Backend, String> {
    let ports = service.at("/spec/ports").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |wanted: &&Value| {
        let name = wanted.get("name").and_then(Value::as_str).unwrap_or_default();
        name.contains("web") || name.starts_with("http")
    };
    let called = format!("{}/{}", service.namespace(), service.name());
    let Some(port) = ports.iter().find(named).or(ports.first()) else {
        return Err(format!("{called} has no port"));
    };
    let number = port.get("port").and_then(Value::as_u64).unwrap_or_default();
    let scheme = match port.get("name").and_then(Value::as_str) {
        Some(name) if name.contains("https") => "https:",
        _ => "",
    };
    let base = format!(
        "/api/v1/namespaces/{}/services/{scheme}{}:{number}/proxy",
        service.namespace(),
        service.name()
    );
    let text = api.scrape(scope, &format!("{base}/api/v1/status/buildinfo"), LIMIT).await;
    let name = format!("{called}:{number}");
    let said = match text.lack() {
        Some(why) => Err(why),
        None => version(&text.text),
    };
    let version = said.map_err(|why| format!("{name}: {why}"))?;
    Ok(Backend { name, version, api: api.clone(), base })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn services_of_monitoring_systems_are_known_and_those_beside_them_are_not() {
        let rank =
            |name: &str, labels: Value| rank(&Object(json!({"metadata": {"name": name, "labels": labels}})));
        assert_eq!(rank("web", json!({"app.kubernetes.io/name": "prometheus"})), Some(0));
        assert_eq!(rank("prometheus-operated", json!({"operated-prometheus": "true"})), Some(0));
        assert_eq!(rank("kps-kube-prometheus-stack-prometheus", json!({})), Some(1));
        assert_eq!(rank("prometheus-k8s", json!({})), Some(1));
        assert_eq!(rank("vmsingle-main", json!({})), Some(2));
        for name in [
            "prometheus-alertmanager",
            "prometheus-adapter",
            "prometheus-operator",
            "llm",
            "prometheus-node-exporter",
        ] {
            assert_eq!(rank(name, json!({})), None, "{name}");
        }
    }
}
