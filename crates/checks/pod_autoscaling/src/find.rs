//! Ground that there is to stand on: an API that tells metrics, and accelerators of one kind.

use crate::acts::objects::scaled_objects;
use crate::adapters::Source;
use crate::marks::{Facts, ID, autoscalers};
use crate::plan::{ENOUGH, NEEDED};
use aiconform_accelerators::{NONE, Offer, Way, offers};
use aiconform_check::cx::{Detected, Detection, Preview, Stop};
use aiconform_check::profile::Profile;
use aiconform_cluster::{Api, ClusterError, encode};
use aiconform_model::{Kind, Object, Scope};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The metric where the profile names none.
const METRIC: &str = "aiconform_requests_waiting";
/// The version of custom metrics that the autoscaler prefers.
const NEWEST: &str = "v1beta2";

/// Looks which subjects the cluster has: the autoscaler, told of a metric in one way or another.
pub async fn detect(api: &Api) -> Detected {
    let scope = Scope::new(ID, "");
    let mut found = Vec::new();
    for source in Source::ALL {
        let detection = match find(api, &scope, &Profile::default(), source, 1).await {
            Ok(Ok(target)) => Detection::Present(json!(target.facts())),
            Ok(Err(why)) => Detection::Absent(why),
            Err(stop) => Detection::Absent(stop.to_string()),
        };
        found.push((source.id().to_owned(), detection));
    }
    found
}

/// Says what it would stand on.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    let mut lacking = Vec::new();
    for source in Source::ALL {
        match find(api, &Scope::new(ID, ""), profile, source, 1).await {
            Ok(Ok(target)) => preview.ground.push(format!(
                "up to {} pods with one of {} each, scaled by the metric {}, as {} tells it; {}",
                target.most,
                target.asked(),
                target.metric,
                target.served,
                match source {
                    Source::Custom | Source::External =>
                        "something must gather it from pods that are annotated with prometheus.io/scrape",
                    Source::Keda => "KEDA's operator must reach pods by their addresses",
                }
            )),
            Ok(Err(why)) => lacking.push(why),
            Err(stop) => lacking.push(stop.to_string()),
        }
    }
    // One way is enough.
    if preview.ground.is_empty() {
        lacking.dedup();
        preview.hindrances = lacking;
    }
    preview
}

/// A subject that can be tried: what is scaled by what.
pub struct Target {
    /// API that tells the metric.
    pub source: Source,
    /// Group and version of that API.
    pub served: String,
    /// Way in which the pods ask for their accelerators, and where these are.
    pub offer: Offer,
    /// The most replicas.
    pub most: u64,
    /// Name of the metric.
    pub metric: String,
    /// Name of the series that pods say: that of the metric, where the profile does not say otherwise.
    pub said: String,
    /// Labels of its series, where it is an external one and the profile names some.
    pub selector: BTreeMap<String, String>,
    /// Average value that each pod may have.
    pub target: f64,
    /// Set if two namespaces can be had.
    pub apart: bool,
}

impl Target {
    /// Facts that identify the subject.
    pub fn facts(&self) -> Facts {
        Facts {
            own_control: true,
            target: self.target,
            most: self.most,
            metric: self.metric.clone(),
            metrics_api: self.served.clone(),
            given_by: self.offer.mode.id().into(),
            asked_by: self.asked().into(),
            nodes: self.nodes(),
            apart: self.apart,
        }
    }

    /// Name of the class or resource by which accelerators are asked for.
    pub fn asked(&self) -> &str {
        let (Way::Class(name) | Way::Resource(name)) = &self.offer.way;
        name
    }

    /// Nodes that have them.
    pub fn nodes(&self) -> Vec<String> {
        self.offer.nodes.keys().cloned().collect()
    }

    /// Where the values of a metric for the pods of a namespace are read; labels tell which of its series are meant.
    pub fn path(&self, namespace: &str, metric: &str, selector: &BTreeMap<String, String>) -> String {
        let (served, metric) = (&self.served, encode(metric));
        if self.source.is_of_pods() {
            return format!("/apis/{served}/namespaces/{namespace}/pods/*/{metric}");
        }
        let path = format!("/apis/{served}/namespaces/{namespace}/{metric}");
        if selector.is_empty() {
            return path;
        }
        let labels: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!("{path}?labelSelector={}", encode(&labels.join(",")))
    }
}

/// Looks for what a subject needs, or why it cannot be tried.
///
/// # Errors
/// When the cluster does not let itself be asked.
pub async fn find(
    api: &Api,
    scope: &Scope,
    profile: &Profile,
    source: Source,
    seed: u64,
) -> Result<Result<Target, String>, Stop> {
    if !api.serves(scope, &autoscalers()).await? {
        return Ok(Err("the API server does not serve HorizontalPodAutoscaler (autoscaling/v2)".into()));
    }
    if source == Source::Keda && !api.serves(scope, &scaled_objects()).await? {
        return Ok(Err(
            "KEDA is not installed: the API server does not serve ScaledObject (keda.sh/v1alpha1)".into(),
        ));
    }
    let served = match metrics_api(api, scope, source).await? {
        Ok(served) => served,
        Err(why) => return Ok(Err(why)),
    };
    let free = |offer: &Offer| offer.nodes.values().map(|count| count.free).sum::<u64>();
    let mut found = offers(api, scope, profile).await?;
    found.retain(|offer| offer.shared.is_none());
    // The first of those with the most.
    found.sort_by_key(|offer| std::cmp::Reverse(free(offer)));
    let Some(offer) = found.into_iter().next() else { return Ok(Err(NONE.into())) };
    let there = free(&offer);
    if there < NEEDED {
        let (Way::Class(name) | Way::Resource(name)) = &offer.way;
        return Ok(Err(format!(
            "two steps up need {NEEDED} free accelerators that are asked for in one way; the most that there are, of {name}, are {there}: free some, or name the way in the profile: [accelerators]"
        )));
    }
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    let drawn = (seed % 9 + 1) as f64;
    let settings = &profile.pod_autoscaling;
    let named = match source {
        Source::Custom => &settings.metric,
        Source::External => &settings.external_metric,
        // It has names of its own for them.
        Source::Keda => &settings.series,
    };
    let metric = named.clone().unwrap_or_else(|| METRIC.into());
    Ok(Ok(Target {
        source,
        served,
        offer,
        most: there.min(ENOUGH),
        said: settings.series.clone().unwrap_or_else(|| metric.clone()),
        metric,
        selector: if source == Source::External {
            settings.external_selector.clone()
        } else {
            BTreeMap::new()
        },
        target: drawn * 10.0,
        apart: profile.namespace.is_none(),
    }))
}

/// Group and version of the API of such metrics, or why it does not serve.
async fn metrics_api(api: &Api, scope: &Scope, source: Source) -> Result<Result<String, String>, Stop> {
    let (name, words) = (source.group(), source.words());
    let group = match api.send(scope, "GET", &format!("/apis/{name}"), None).await {
        Ok(group) => group,
        Err(error) if error.is_not_found() => {
            return Ok(Err(format!(
                "no API of {words} ({name}) is registered, so that nobody tells the autoscaler a metric of pods"
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let versions: Vec<&str> = group
        .get("versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|version| version.get("version")?.as_str())
        .collect();
    let version = versions.iter().find(|version| **version == NEWEST).or(versions.first());
    let Some(version) = version else {
        return Ok(Err(format!("{name} is registered without a version")));
    };
    match api.send(scope, "GET", &format!("/apis/{name}/{version}"), None).await {
        Ok(_) => {
            let service = api.get(scope, &api_services(), "", &format!("{version}.{name}")).await;
            let of_keda = service.ok().map(|service| is_of_keda(&service));
            match (source, of_keda) {
                (Source::External, Some(true)) => Ok(Err(format!(
                    "the API of {words} ({name}/{version}) is served by KEDA, which tells nothing but the metrics of its ScaledObjects: {} is what it is tried by",
                    Source::Keda.id()
                ))),
                (Source::Keda, Some(false)) => Ok(Err(format!(
                    "KEDA's kinds are there, but the API of {words} ({name}/{version}) is served by something else, so that KEDA cannot tell the autoscaler anything: look at APIService {version}.{name}"
                ))),
                _ => Ok(Ok(format!("{name}/{version}"))),
            }
        }
        Err(ClusterError::Refused(refusal)) if refusal.status != 401 && refusal.status != 403 => {
            let why = unavailable(api, scope, &format!("{version}.{name}")).await;
            Ok(Err(format!(
                "the API of {words} ({name}/{version}) is registered and does not answer ({}{why}): look at the adapter behind it, which is the Service of APIService {version}.{name}",
                refusal.message
            )))
        }
        Err(error) => Err(error.into()),
    }
}

/// Words of the APIService on itself, where it may be read.
async fn unavailable(api: &Api, scope: &Scope, name: &str) -> String {
    let service = api.get(scope, &api_services(), "", name).await;
    service.ok().as_ref().and_then(availability).map(|words| format!("; {words}")).unwrap_or_default()
}

fn api_services() -> Kind {
    Kind::cluster_wide("apiregistration.k8s.io", "v1", "APIService", "apiservices")
}

/// Tells whether KEDA serves the API: it knows no metric but those of its own ScaledObjects.
fn is_of_keda(service: &Object) -> bool {
    service.text("/spec/service/name").contains("keda")
}

fn availability(service: &Object) -> Option<String> {
    let condition = service.condition("Available")?;
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(format!("Available={} {}: {}", text("status"), text("reason"), text("message")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keda_is_known_by_the_service_behind_the_api() {
        let of = |name: &str| Object(json!({"spec": {"service": {"name": name, "namespace": "n"}}}));
        assert!(
            is_of_keda(&of("keda-operator-metrics-apiserver")) && is_of_keda(&of("keda-metrics-apiserver"))
        );
        assert!(!is_of_keda(&of("prometheus-adapter")) && !is_of_keda(&Object(json!({"spec": {}}))));
    }
}
