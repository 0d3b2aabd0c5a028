//! Where the metrics of accelerators are: exporters in the cluster, or an endpoint that the profile names.

use crate::acts::target::{Target, bounds};
use crate::adapters::{Dialect, IDS, dialects, recognise};
use crate::marks::ID;
use aiconform_accelerators::{Inventory, NONE, inventory};
use aiconform_check::cx::{Detection, Stop};
use aiconform_check::profile::{Exporter, Profile};
use aiconform_cluster::{Api, Connection};
use aiconform_exposition::{Limits, parse};
use aiconform_model::{Kind, Object, Scope};

/// Most endpoints that are asked which dialect they speak.
const ASKED: usize = 32;

/// Subjects that are there, and those that are not.
pub struct Found {
    /// Accelerators that the nodes offer.
    pub inventory: Inventory,
    /// Subjects that can be tried.
    pub targets: Vec<Target>,
    /// Ids of the others, each with why it cannot.
    pub absent: Vec<(String, String)>,
}

/// Looks which subjects the cluster has.
pub async fn detect(api: &Api) -> Vec<(String, Detection)> {
    let scope = Scope::new(ID, "");
    match find(api, &scope, &Profile::default(), &[]).await {
        Ok(found) => {
            let absent = found.absent.into_iter().map(|(id, why)| (id, Detection::Absent(why)));
            let present = found.targets.iter().map(|target| {
                (target.scope.subject.clone(), Detection::Present(serde_json::json!(target.facts())))
            });
            present.chain(absent).collect()
        }
        Err(stop) => IDS.iter().map(|id| ((*id).to_owned(), Detection::Absent(stop.to_string()))).collect(),
    }
}

/// Looks for subjects: all, or only those of these ids.
///
/// # Errors
/// When the cluster does not let itself be asked, or the profile names files that cannot be read.
pub async fn find(api: &Api, scope: &Scope, profile: &Profile, only: &[String]) -> Result<Found, Stop> {
    let inventory = inventory(api, scope, profile).await?;
    let mut found = Found { inventory, targets: Vec::new(), absent: Vec::new() };
    let is_wanted = |id: &str| only.is_empty() || only.iter().any(|wanted| wanted == id);
    if found.inventory.nodes.is_empty() {
        found.absent = IDS.iter().filter(|id| is_wanted(id)).map(|id| ((*id).into(), NONE.into())).collect();
        return Ok(found);
    }
    if let Some(address) = &profile.accelerator_metrics.endpoint {
        found.targets.push(declared(api, scope, profile, address).await?);
        return Ok(found);
    }
    if let Some(exporter) = &profile.accelerator_metrics.exporter {
        found.targets.push(named(api, scope, profile, exporter).await?);
        return Ok(found);
    }
    let mut there = endpoints(api, scope).await?;
    for id in IDS.iter().filter(|id| is_wanted(id)) {
        match there.iter().position(|(dialect, _)| dialect.id == **id) {
            Some(place) => {
                let (dialect, places) = there.swap_remove(place);
                found.targets.push(Target::new(
                    id,
                    Some(dialect),
                    (api.clone(), bounds(profile)),
                    places,
                    false,
                ));
            }
            None => found.absent.push(((*id).into(), "no pod with the labels of its exporter runs".into())),
        }
    }
    Ok(found)
}

/// Asks the endpoint that the profile names, from here: what it says tells its dialect.
async fn declared(api: &Api, scope: &Scope, profile: &Profile, address: &str) -> Result<Target, Stop> {
    let settings = &profile.accelerator_metrics;
    let start = address.find("://").map_or(0, |place| place + 3);
    let (server, path) = match address[start..].find('/') {
        Some(place) => address.split_at(start + place),
        None => (address, "/metrics"),
    };
    let (authorities, token) =
        (settings.ca_file.as_deref().map(Into::into), settings.token_file.as_deref().map(Into::into));
    let connection = Connection::of_endpoint(server, authorities, token)?;
    let api = Api::new(connection, api.sink().clone());
    let place = Place { path: path.into(), node: String::new() };
    Ok(by_its_words(api, scope, profile, vec![place]).await)
}

/// The pods that the profile names, asked by the API server's proxy.
async fn named(api: &Api, scope: &Scope, profile: &Profile, exporter: &Exporter) -> Result<Target, Stop> {
    let Exporter { namespace, selector, port, path } = exporter;
    let places = places(api, scope, (namespace, selector), (*port, path)).await?;
    if places.is_empty() {
        let space =
            if namespace.is_empty() { String::new() } else { format!(" in the namespace {namespace}") };
        return Err(Stop::Hindered(format!(
            "no pod{space} with the labels {selector} runs, which [accelerator_metrics.exporter] in the profile names"
        )));
    }
    Ok(by_its_words(api.clone(), scope, profile, places).await)
}

/// A subject whose dialect is told by what its endpoints say: by the first that says something of a device, because nodes without
/// one have exporters too.
async fn by_its_words(api: Api, scope: &Scope, profile: &Profile, places: Vec<Place>) -> Target {
    let mut dialect = None;
    for place in places.iter().take(ASKED) {
        let text = api.scrape(scope, &place.path, bounds(profile)).await;
        dialect = parse(&text.text, &Limits::default()).ok().and_then(|found| recognise(&found));
        if dialect.is_some() {
            break;
        }
    }
    let id = dialect.map_or("endpoint", |dialect| dialect.id.as_str());
    Target::new(id, dialect, (api, bounds(profile)), places, true)
}

/// An endpoint of one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path at the API server, or of the endpoint itself.
    pub path: String,
    /// Node that it tells of; empty where that is not known.
    pub node: String,
}

/// Looks for the exporters of every dialect, by the labels of their pods.
async fn endpoints(api: &Api, scope: &Scope) -> Result<Vec<(&'static Dialect, Vec<Place>)>, Stop> {
    let mut found = Vec::new();
    for dialect in dialects() {
        let mut there = Vec::new();
        for endpoint in &dialect.endpoint {
            let selector: Vec<String> =
                endpoint.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let at = (endpoint.port, endpoint.path.as_str());
            there.extend(places(api, scope, ("", &selector.join(",")), at).await?);
        }
        if !there.is_empty() {
            found.push((dialect, there));
        }
    }
    Ok(found)
}

/// Endpoints of the pods of a namespace (empty: any) with these labels that run, at this port and path.
async fn places(
    api: &Api,
    scope: &Scope,
    (namespace, selector): (&str, &str),
    (port, path): (u16, &str),
) -> Result<Vec<Place>, Stop> {
    let pods = api.list(scope, &Kind::pod(), namespace, selector).await?;
    let runs = |pod: &&Object| {
        pod.text("/status/phase") == "Running" && pod.at("/metadata/deletionTimestamp").is_none()
    };
    let place = |pod: &Object| Place {
        path: Api::pod_proxy(pod.namespace(), pod.name(), port, path),
        node: pod.text("/spec/nodeName").into(),
    };
    Ok(pods.iter().filter(runs).map(place).collect())
}
