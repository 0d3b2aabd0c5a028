//! The API server's dynamic resource allocation, and which trials that allows.

use crate::acts::objects::{claim_object, first_available};
use crate::acts::trials;
use crate::adapters::synthetic::{Device, ID as SYNTHETIC, Names};
use crate::marks::{Facts, ID, PREFER, TAINTS};
use crate::reading::{GROUP, VERSION, slice};
use aiconform_check::cx::{Detected, Detection};
use aiconform_check::profile::Profile;
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::{Kind, Object, Scope};
use aiconform_trial::kinds::resource_claim;
use serde_json::{Value, json};

/// Finds the subjects that the cluster has. An API that is not served is no absence: it is what the requirement is about.
pub async fn detect(api: &Api) -> Detected {
    let scope = Scope::new(ID, "");
    let detection = match served(api, &scope, &Profile::default()).await {
        Ok(served) => Detection::Present(json!(served.facts())),
        Err(error) => Detection::Absent(error.to_string()),
    };
    vec![(SYNTHETIC.into(), detection)]
}

/// The API of a cluster, as it was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Served {
    /// Versions of `resource.k8s.io` that are served.
    pub versions: Vec<String>,
    /// Minor version of the API server, 0 when it does not say.
    pub minor: u64,
    /// Why a request's ways in the order of what is preferred are not tried, if so.
    pub without_ways: Option<String>,
    /// Why taints of devices are not tried, if so.
    pub without_taints: Option<String>,
}

impl Served {
    /// Tells whether the version that KAR-0051 asks for is served.
    pub fn stable(&self) -> bool {
        self.versions.iter().any(|version| version == VERSION)
    }

    /// Why trials are left out.
    pub fn left_out(&self) -> impl Iterator<Item = &String> {
        [&self.without_ways, &self.without_taints].into_iter().flatten()
    }

    /// The facts of the subject.
    pub fn facts(&self) -> Facts {
        let left_out = [(PREFER, &self.without_ways), (TAINTS, &self.without_taints)];
        let left_out = left_out.into_iter().filter_map(|(trial, why)| Some((trial.to_owned(), why.clone()?)));
        Facts {
            served: self.versions.clone(),
            minor: self.minor,
            left_out: left_out.collect(),
            simulated: false,
            own_control: true,
            trials: trials::plans(self).iter().map(|plan| plan.name.to_owned()).collect(),
        }
    }
}

/// Asks the API server what it has of dynamic resource allocation.
///
/// # Errors
/// When it does not answer.
pub async fn served(api: &Api, scope: &Scope, profile: &Profile) -> Result<Served, ClusterError> {
    let version = Object(api.send(scope, "GET", "/version", None).await?);
    let minor = version.text("/minor").trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let group = match api.send(scope, "GET", &format!("/apis/{GROUP}"), None).await {
        Ok(group) => group,
        Err(error) if error.is_not_found() => Value::Null,
        Err(error) => return Err(error),
    };
    let versions = group.get("versions").and_then(Value::as_array).into_iter().flatten();
    let versions = versions.filter_map(|version| Some(version.get("version")?.as_str()?.to_owned()));
    let mut served =
        Served { versions: versions.collect(), minor: minor.parse().unwrap_or(0), ..Served::default() };
    if served.stable() {
        let namespace = profile.namespace.as_deref().unwrap_or("default");
        served.without_ways = without_ways(api, scope, namespace).await?;
        served.without_taints = without_taints(api, scope).await?;
    }
    Ok(served)
}

/// Why a request's ways cannot be tried: an API server whose feature is off drops the field, and misses what is left.
async fn without_ways(api: &Api, scope: &Scope, namespace: &str) -> Result<Option<String>, ClusterError> {
    let request = first_available("probe.dra.aiconform.dev", &[("one", &[]), ("other", &[])]);
    let mut object = claim_object("aiconform-probe", &json!({}), &request);
    object["metadata"]["namespace"] = json!(namespace);
    kept(
        api,
        scope,
        &resource_claim(),
        object,
        "/spec/devices/requests/0/firstAvailable",
        "DRAPrioritizedList",
    )
    .await
}

/// Why taints of devices cannot be tried.
async fn without_taints(api: &Api, scope: &Scope) -> Result<Option<String>, ClusterError> {
    let device = Device { tainted: true, ..Device::new("one", "a", "16Gi") };
    let names = Names { run: "probe".into() };
    let published = names.published("probe", "probe", &[device]);
    let Some((kind, object)) = published.into_iter().find(|(kind, _)| *kind == slice()) else {
        return Ok(None);
    };
    kept(api, scope, &kind, object, "/spec/devices/0/taints", "DRADeviceTaints").await
}

/// Asks whether a field of an object would be kept; if not, says why what needs it is left out.
async fn kept(
    api: &Api,
    scope: &Scope,
    kind: &Kind,
    object: Value,
    field: &str,
    gate: &str,
) -> Result<Option<String>, ClusterError> {
    match api.dry_run(scope, kind, &Object(object)).await {
        Ok(got) if got.at(field).is_some() => Ok(None),
        Ok(_) => Ok(Some(format!("the API server drops {field} of a {}: {gate} is off", kind.kind))),
        Err(ClusterError::Refused(refusal)) if matches!(refusal.status, 400 | 422) => Ok(Some(format!(
            "the API server does not take {field} of a {}, {gate} is off: {}",
            kind.kind, refusal.message
        ))),
        Err(ClusterError::Refused(refusal)) => {
            Ok(Some(format!("whether {gate} is on cannot be told: {refusal}")))
        }
        Err(error) => Err(error),
    }
}
