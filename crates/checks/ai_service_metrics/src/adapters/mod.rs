//! Ways in which a workload declares its metrics.

use aiconform_check::cx::Stop;
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::probe::PORT;
use aiconform_model::{Kind, Object, Scope};
use aiconform_trial::kinds::service;
use serde_json::{Map, Value, json};

/// Ids of all of them; those of a product begin with its name.
pub const IDS: &[&str] =
    &["annotations", "prometheus-operator/pod-monitor", "prometheus-operator/service-monitor"];

/// Label of the pods that an object of an operator is to select.
pub const SELECTS: &str = "aiconform.dev/metrics";
/// Name of the port.
pub const PORT_NAME: &str = "metrics";

/// One way of declaring.
#[derive(Clone, Debug, PartialEq)]
pub enum Way {
    /// Annotations of the pod.
    Annotations,
    /// A PodMonitor of prometheus-operator with these labels.
    PodMonitor(Map<String, Value>),
    /// A ServiceMonitor of prometheus-operator with these labels, and a Service.
    ServiceMonitor(Map<String, Value>),
}

impl Way {
    /// Its id, which is that of the subject.
    pub fn id(&self) -> &'static str {
        match self {
            Way::Annotations => "annotations",
            Way::PodMonitor(_) => "prometheus-operator/pod-monitor",
            Way::ServiceMonitor(_) => "prometheus-operator/service-monitor",
        }
    }

    /// Its id without the product's name, as it stands in names and labels.
    pub fn word(&self) -> &'static str {
        self.id().rsplit('/').next().unwrap_or_default()
    }

    /// This way with these labels on what is created.
    fn with(&self, labels: Map<String, Value>) -> Way {
        match self {
            Way::Annotations => Way::Annotations,
            Way::PodMonitor(_) => Way::PodMonitor(labels),
            Way::ServiceMonitor(_) => Way::ServiceMonitor(labels),
        }
    }

    /// Tells whether an object of the platform selects what is declared so.
    pub fn is_selected(&self) -> bool {
        *self != Way::Annotations
    }

    /// Declares a pod, as far as that is done in the pod itself.
    pub fn declare(&self, pod: &mut Value) {
        if *self == Way::Annotations {
            let annotations =
                [("scrape", "true".to_owned()), ("port", PORT.to_string()), ("path", "/metrics".into())];
            for (name, value) in annotations {
                pod["metadata"]["annotations"][format!("prometheus.io/{name}")] = json!(value);
            }
        } else {
            pod["metadata"]["labels"][SELECTS] = json!(self.word());
        }
    }

    /// Objects that are created beside the pods, with names that begin with this.
    pub fn objects(&self, prefix: &str) -> Vec<(Kind, Value)> {
        let selector = json!({"matchLabels": {SELECTS: self.word()}});
        let endpoint = json!([{"port": PORT_NAME, "path": "/metrics", "interval": "5s"}]);
        let name = format!("{prefix}metrics");
        let monitor = |kind: &Kind, labels: &Map<String, Value>, spec: Value| {
            json!({"apiVersion": kind.api_version(), "kind": kind.kind,
                "metadata": {"name": name, "labels": labels}, "spec": spec})
        };
        match self {
            Way::Annotations => Vec::new(),
            Way::PodMonitor(labels) => {
                let kind = pod_monitors();
                let spec = json!({"selector": selector, "podMetricsEndpoints": endpoint});
                vec![(kind.clone(), monitor(&kind, labels, spec))]
            }
            Way::ServiceMonitor(labels) => {
                let kind = service_monitors();
                let object = json!({"apiVersion": "v1", "kind": "Service",
                    "metadata": {"name": name, "labels": {SELECTS: self.word()}},
                    "spec": {"selector": {SELECTS: self.word()},
                        "ports": [{"name": PORT_NAME, "port": PORT, "targetPort": PORT_NAME}]}});
                let spec = json!({"selector": selector, "endpoints": endpoint});
                vec![(service(), object), (kind.clone(), monitor(&kind, labels, spec))]
            }
        }
    }

    /// Kinds of what is created for it, beside pods.
    pub fn kinds(&self) -> Vec<Kind> {
        self.objects("").into_iter().map(|(kind, _)| kind).collect()
    }
}

fn operated(kind: &str, plural: &str) -> Kind {
    Kind::namespaced("monitoring.coreos.com", "v1", kind, plural)
}

fn pod_monitors() -> Kind {
    operated("PodMonitor", "podmonitors")
}

fn service_monitors() -> Kind {
    operated("ServiceMonitor", "servicemonitors")
}

/// The ways that this cluster has, and why it has not the others.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn ways(api: &Api, scope: &Scope) -> Result<Vec<(&'static str, Result<Way, String>)>, Stop> {
    let prometheuses = operated("Prometheus", "prometheuses");
    let mut found = vec![("annotations", Ok(Way::Annotations))];
    let served = api.serves(scope, &prometheuses).await?;
    let there = if served { listed(api.list(scope, &prometheuses, "", "").await)? } else { Ok(Vec::new()) };
    for (way, selector, kind) in [
        (Way::PodMonitor(Map::new()), "podMonitor", "PodMonitor"),
        (Way::ServiceMonitor(Map::new()), "serviceMonitor", "ServiceMonitor"),
    ] {
        let labels = match &there {
            Err(why) => Err(why.clone()),
            Ok(_) if !served => Err(format!("the API server serves no {kind} of monitoring.coreos.com/v1")),
            Ok(there) => there
                .iter()
                .find_map(|prometheus| labels(prometheus, selector))
                .ok_or_else(|| format!("none of {} Prometheus objects selects {kind}s of every namespace by labels that can be set", there.len())),
        };
        found.push((way.id(), labels.map(|labels| way.with(labels))));
    }
    Ok(found)
}

/// Objects, or why they may not be listed.
fn listed(answer: Result<Vec<Object>, ClusterError>) -> Result<Result<Vec<Object>, String>, Stop> {
    match answer {
        Ok(objects) => Ok(Ok(objects)),
        Err(error) if error.refusal().is_some() => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Labels by which a Prometheus object selects monitors of a kind in every namespace (prometheus-operator, API reference:
/// without a selector it selects none, with an empty one all; without one for namespaces, only its own).
fn labels(prometheus: &Object, selector: &str) -> Option<Map<String, Value>> {
    let namespaces = prometheus.at(&format!("/spec/{selector}NamespaceSelector"))?;
    if !namespaces.as_object()?.values().all(is_empty) {
        return None;
    }
    let selector = prometheus.at(&format!("/spec/{selector}Selector"))?;
    let mut labels = selector.get("matchLabels").and_then(Value::as_object).cloned().unwrap_or_default();
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = expression.get("key")?.as_str()?;
        match expression.get("operator")?.as_str()? {
            "In" => {
                let value = expression.get("values")?.get(0)?;
                labels.insert(key.into(), value.clone());
            }
            "Exists" => {
                labels.entry(key).or_insert_with(|| json!("true"));
            }
            // Without the label both hold.
            _ if !labels.contains_key(key) => {}
            _ => return None,
        }
    }
    Some(labels)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests;
