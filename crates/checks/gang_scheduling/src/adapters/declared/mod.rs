//! An adapter that stands in a file: how a product expresses a gang, as templates of its objects and as signs in them.

mod file;
#[cfg(test)]
mod tests;

use super::{Adapter, Can, Capacity, Gang, Wanted, cluster_queue_name, local_queue_name};
use crate::acts::means::Means;
use crate::acts::template::Template;
use crate::marks::ID;
use crate::reading::Signs;
use aiconform_check::cx::{Cx, Declared, Detection, Stop};
use aiconform_check::place::FileError;
use aiconform_check::profile::Profile;
use aiconform_check::render::{self, Flaw};
use aiconform_cluster::{Api, Permission};
use aiconform_model::{Kind, Scope};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::Duration;

/// Adapters that come with the program as files. One that nobody here has seen at work says so.
static SHIPPED: LazyLock<Vec<AdapterFile>> = LazyLock::new(|| {
    [("volcano.toml", include_str!("volcano.toml")), ("kai.toml", include_str!("kai.toml"))]
        .into_iter()
        .map(|(file, text)| file::read(text, file, &[]).expect("a unit test reads what is shipped"))
        .collect()
});

/// Adapters that come with the program as files.
pub fn shipped() -> &'static [AdapterFile] {
    &SHIPPED
}

/// An adapter that was read from a file.
#[derive(Clone, Debug)]
pub struct AdapterFile {
    id: String,
    product: String,
    tried: bool,
    can: Vec<Can>,
    timeout: Option<Duration>,
    kinds: Vec<Kind>,
    /// Kinds among these that the templates give.
    written: Vec<Kind>,
    cluster_objects: Vec<String>,
    objects: Vec<String>,
    group: Option<String>,
    derived: Option<Kind>,
    pods: Pods,
    signs: Signs,
}

/// Origin of a gang's pods.
#[derive(Clone, Debug)]
enum Pods {
    /// They are created one by one; what is merged into a member, and into a pod of no gang.
    Single { member: String, single: String },
    /// One object makes them.
    Wrapped { object: String },
}

/// Values that a trial's templates may use.
const OF_TRIAL: &[&str] = &[
    "run",
    "trial",
    "namespace",
    "queue",
    "cluster_queue",
    "resource",
    "canary",
    "quota",
    "held",
    "preempts",
];
/// Values that the templates of a gang and of its pods may use; that of an object which makes pods also `pod`.
const OF_GANG: &[&str] =
    &["run", "trial", "queue", "cluster_queue", "resource", "priority_class", "name", "size", "least"];
const POD: &str = "pod";

impl Declared for AdapterFile {
    fn id(&self) -> &str {
        &self.id
    }

    fn needs(&self) -> Vec<Permission> {
        self.permissions()
    }
}

impl AdapterFile {
    /// Reads an adapter; `file` is for the error. Every template is rendered with examples, and every JSONPath tried on
    /// the example beside it.
    ///
    /// # Errors
    /// With line and column of what is not TOML, not known, missing, or does not do what it must.
    pub fn read(text: &str, file: &str) -> Result<AdapterFile, FileError> {
        let taken = [crate::CHECK.adapters, &["plain"]].concat();
        file::read(text, file, &taken)
    }

    /// Id of its subject.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The permissions that its kinds need. Their words live as long as the program, as those of the built-in adapters do.
    fn permissions(&self) -> Vec<Permission> {
        const WRITTEN: &[&str] = &["create", "get", "list", "watch", "patch", "delete"];
        const READ: &[&str] = &["get", "list", "watch", "patch", "delete"];
        let word = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let why = word(&format!("objects of {}", self.product));
        self.kinds
            .iter()
            .map(|kind| Permission {
                group: word(&kind.group),
                resource: word(&kind.plural),
                verbs: if self.written.contains(kind) { WRITTEN } else { READ },
                why,
            })
            .collect()
    }

    fn of_trial(&self, capacity: &Capacity, run: &str, profile: &Profile) -> Value {
        json!({"run": run, "trial": capacity.trial, "namespace": capacity.namespace,
            "queue": local_queue_name(capacity.prefix, capacity.trial),
            "cluster_queue": self.cluster_queue(run, capacity.trial, profile),
            "resource": capacity.resource, "canary": capacity.canary, "quota": capacity.quota,
            "held": capacity.held, "preempts": capacity.preempts})
    }

    fn of_gang(&self, wanted: &Wanted, template: &Template) -> Value {
        json!({"run": template.run, "trial": template.trial,
            "queue": local_queue_name(&template.prefix, &template.trial),
            "cluster_queue": self.cluster_queue(&template.run, &template.trial, &template.profile),
            "resource": template.resource, "priority_class": template.priority_class,
            "name": wanted.name, "size": wanted.size, "least": wanted.least})
    }

    /// The queue of a trial, or the platform's own where the profile names one.
    fn cluster_queue(&self, run: &str, trial: &str, profile: &Profile) -> String {
        let own = profile.gang_scheduling.cluster_queue.clone();
        own.unwrap_or_else(|| cluster_queue_name(run, &self.id, trial))
    }

    fn all(&self, templates: &[String], values: &Value) -> Result<Vec<(Kind, Value)>, Flaw> {
        templates.iter().map(|template| render::object(template, values, &self.kinds)).collect()
    }

    /// The gang's own object.
    fn group(&self, wanted: &Wanted, template: &Template) -> Result<Option<(Kind, Value)>, Flaw> {
        let Some(group) = &self.group else { return Ok(None) };
        let (kind, mut object) = render::object(group, &self.of_gang(wanted, template), &self.kinds)?;
        render::merge(&mut object, &json!({"metadata": {"labels": template.labels("group", &wanted.name)}}));
        Ok(Some((kind, object)))
    }

    /// Our pod with what the file adds.
    fn pod(&self, addition: &str, wanted: &Wanted, template: &Template, pod: Value) -> Result<Value, Flaw> {
        let mut pod = pod;
        render::merge(&mut pod, &render::patch(addition, &self.of_gang(wanted, template))?);
        Ok(pod)
    }

    /// The object that makes our pods.
    fn wrapped(
        &self,
        object: &str,
        wanted: &Wanted,
        template: &Template,
        pod: &Value,
    ) -> Result<(Kind, Value), Flaw> {
        let labels = json!({"metadata": {"labels": pod["metadata"]["labels"]}});
        let mut inner = json!({"metadata": {"labels": pod["metadata"]["labels"],
            "annotations": pod["metadata"]["annotations"]}, "spec": pod["spec"]});
        inner["metadata"]["labels"][aiconform_cluster::RUN_LABEL] = json!(template.run);
        let mut values = self.of_gang(wanted, template);
        // JSON is YAML too: it stands where the file wants a pod's template.
        values[POD] = json!(inner.to_string());
        let (kind, mut whole) = render::object(object, &values, &self.kinds)?;
        // A Job's pods may end by themselves. What else makes pods may go by way of Deployments and the like, whose pods may
        // not.
        if kind != Kind::job()
            && let Some(spec) = inner["spec"].as_object_mut()
        {
            spec.remove("activeDeadlineSeconds");
            values[POD] = json!(inner.to_string());
            whole = render::object(object, &values, &self.kinds)?.1;
        }
        render::merge(&mut whole, &labels);
        Ok((kind, whole))
    }

    fn gang_of(&self, wanted: &Wanted, template: &Template) -> Result<Gang, Flaw> {
        let group = self.group(wanted, template)?.into_iter().collect();
        let members = match &self.pods {
            Pods::Single { member, .. } => (0..wanted.size)
                .map(|number| {
                    let pod = template.member(&wanted.name, number);
                    Ok((Kind::pod(), self.pod(member, wanted, template, pod)?))
                })
                .collect::<Result<_, Flaw>>()?,
            Pods::Wrapped { object } => {
                vec![self.wrapped(object, wanted, template, &template.member(&wanted.name, 0))?]
            }
        };
        let derived = self.derived.iter().map(|kind| (kind.clone(), wanted.name.clone())).collect();
        Ok(Gang { group, members, derived })
    }

    fn single_of(&self, name: &str, template: &Template) -> Result<(Kind, Value), Flaw> {
        let (wanted, pod) = (Wanted::whole(name, 1), template.single(name));
        match &self.pods {
            Pods::Single { single, .. } => Ok((Kind::pod(), self.pod(single, &wanted, template, pod)?)),
            Pods::Wrapped { object } => self.wrapped(object, &wanted, template, &pod),
        }
    }

    /// The template, of these, that uses one of these values.
    fn using<'a>(mut templates: impl Iterator<Item = &'a String>, values: &[&str]) -> Option<&'a String> {
        templates.find(|template| {
            render::names(template).is_ok_and(|names| values.iter().any(|value| names.contains(*value)))
        })
    }

    fn stop(&self, flaw: Flaw) -> Stop {
        Stop::Hindered(format!("the file of the adapter {}: {}", self.id, flaw.why))
    }
}

impl Adapter for AdapterFile {
    fn id(&self) -> &str {
        &self.id
    }

    fn can(&self, _facts: &Value) -> Vec<Can> {
        self.can.clone()
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    fn kinds(&self, _facts: &Value) -> Vec<Kind> {
        self.kinds.iter().filter(|kind| kind.namespaced).cloned().collect()
    }

    fn signs(&self) -> Option<&Signs> {
        Some(&self.signs)
    }

    fn detect<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<Detection, Stop>> {
        async move {
            let scope = Scope::new(ID, &self.id);
            for kind in &self.kinds {
                if !api.serves(&scope, kind).await? {
                    return Ok(Detection::Absent(format!(
                        "the API server does not serve {kind}: {} is not installed, or another version of it",
                        self.product
                    )));
                }
            }
            let api = self.kinds.first().map(Kind::api_version);
            Ok(Detection::Present(json!({"api": api, "product": self.product, "tried": self.tried})))
        }
        .boxed()
    }

    fn cluster_objects(&self, capacity: &Capacity, cx: &Cx) -> Result<Vec<(Kind, Value)>, Stop> {
        if cx.profile.gang_scheduling.cluster_queue.is_some() {
            return Ok(Vec::new());
        }
        let values = self.of_trial(capacity, cx.session.id(), &cx.profile);
        self.all(&self.cluster_objects, &values).map_err(|flaw| self.stop(flaw))
    }

    fn objects(&self, capacity: &Capacity, cx: &Cx) -> Result<Vec<(Kind, Value)>, Stop> {
        let values = self.of_trial(capacity, cx.session.id(), &cx.profile);
        self.all(&self.objects, &values).map_err(|flaw| self.stop(flaw))
    }

    fn counts(&self, means: Means) -> bool {
        // Its file writes quotas of private slots.
        means == Means::Slots || means != Means::Quota && !self.can.contains(&Can::Quota)
    }

    fn set_quota(&self, capacity: &Capacity, cx: &Cx) -> Result<Option<(Kind, String, Value)>, Stop> {
        let own = cx.profile.gang_scheduling.cluster_queue.is_none();
        let queue = AdapterFile::using(self.cluster_objects.iter(), &["quota", "held"]).filter(|_| own);
        let Some(queue) = queue else { return Ok(None) };
        // The same object with its new values, merged into what is there.
        let values = self.of_trial(capacity, cx.session.id(), &cx.profile);
        let (kind, object) = render::object(queue, &values, &self.kinds).map_err(|flaw| self.stop(flaw))?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        Ok(Some((kind, name, object)))
    }

    fn gang(&self, wanted: &Wanted, template: &Template) -> Result<Gang, Stop> {
        self.gang_of(wanted, template).map_err(|flaw| self.stop(flaw))
    }

    fn resize(&self, wanted: &Wanted, template: &Template) -> Result<Option<(Kind, Value)>, Stop> {
        self.group(wanted, template).map_err(|flaw| self.stop(flaw))
    }

    fn single(&self, name: &str, template: &Template) -> Result<(Kind, Value), Stop> {
        self.single_of(name, template).map_err(|flaw| self.stop(flaw))
    }
}
