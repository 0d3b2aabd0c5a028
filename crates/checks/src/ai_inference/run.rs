//! Acts and marks phases; decides nothing.

mod stage;
mod traffic;

use self::stage::Stage;
use super::adapters::{gateway_classes, gateways, http_routes, services};
use super::history::{ABSENT, ACCEPTED};
use crate::accelerators::blamed;
use crate::cx::{Cx, Detection, Stop};
use crate::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{EventKind, Kind, Object, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::future::join_all;
use serde_json::{Value, json};

/// Id of the requirement.
pub const ID: &str = "ai_inference";

/// A class of gateways: a subject.
pub struct Target {
    /// The subject.
    pub scope: Scope,
    /// The class's name.
    pub class: String,
    /// What implements it.
    pub controller: String,
    /// A Gateway of the platform to attach to: namespace and name.
    pub gateway: Option<(String, String)>,
    /// Whether it says of the class that it takes it.
    pub is_accepted: bool,
    facts: Value,
    declared: bool,
}

impl Target {
    fn new(class: &Object, gateway: Option<(String, String)>, declared: bool) -> Target {
        let controller = class.text("/spec/controllerName").to_owned();
        let facts = json!({"class": class.name(), "controller": controller, ACCEPTED: class.condition("Accepted"),
            "features": class.at("/status/supportedFeatures").and_then(Value::as_array).map(Vec::len),
            OWN_CONTROL: true});
        Target {
            scope: Scope::new(ID, class.name()),
            class: class.name().into(),
            controller,
            gateway,
            is_accepted: class.condition_is("Accepted", "True"),
            facts,
            declared,
        }
    }
}

/// The classes that are to be tried, or why there are none.
async fn find(api: &Api, profile: &Profile) -> Result<Vec<Target>, Stop> {
    let scope = Scope::new(ID, "");
    for kind in [gateway_classes(), gateways(), http_routes()] {
        if !api.serves(&scope, &kind).await? {
            return Err(Stop::Hindered(format!(
                "the cluster does not serve {kind}: the Gateway API is not installed; install an implementation of it, which brings its CRDs"
            )));
        }
    }
    let of = &profile.ai_inference;
    let classes = api.list(&scope, &gateway_classes(), "", "").await?;
    let (mut class, mut gateway) = (of.gateway_class.clone(), None);
    if let Some(named) = &of.gateway {
        let Some((namespace, name)) = named.split_once('/') else {
            return Err(Stop::Hindered(format!(
                "the profile names the gateway {named:?}: it must be NAMESPACE/NAME"
            )));
        };
        let found = api.get(&scope, &gateways(), namespace, name).await?;
        class = Some(found.text("/spec/gatewayClassName").to_owned());
        gateway = Some((namespace.to_owned(), name.to_owned()));
    }
    if let Some(class) = class {
        let Some(found) = classes.iter().find(|known| known.name() == class) else {
            let known: Vec<&str> = classes.iter().map(Object::name).collect();
            return Err(Stop::Hindered(format!(
                "there is no GatewayClass {class:?}; there are: {}",
                known.join(", ")
            )));
        };
        return Ok(vec![Target::new(found, gateway, true)]);
    }
    if classes.is_empty() {
        return Err(Stop::Hindered(
            "the Gateway API is served and there is no GatewayClass: install an implementation of it".into(),
        ));
    }
    Ok(classes.iter().map(|class| Target::new(class, None, false)).collect())
}

/// Which subjects the cluster has.
pub async fn detect(api: &Api) -> Vec<(String, Detection)> {
    match find(api, &Profile::default()).await {
        Ok(found) => {
            found.into_iter().map(|target| (target.scope.subject, Detection::Present(target.facts))).collect()
        }
        Err(stop) => vec![(ABSENT.into(), Detection::Absent(stop.to_string()))],
    }
}

/// Runs the check.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    let targets = match find(cx.session.api(), &cx.profile).await {
        Ok(targets) => targets,
        Err(Stop::Hindered(why)) => {
            let declared = cx.profile.ai_inference != Default::default();
            cx.write(&Scope::new(ID, ABSENT), EventKind::SubjectAbsent { why, declared });
            return Ok(());
        }
        Err(stop) => return Err(stop),
    };
    for target in &targets {
        let facts = target.facts.clone();
        cx.write(
            &target.scope,
            EventKind::SubjectStarted { facts, control: false, declared: target.declared },
        );
    }
    let accepted: Vec<(usize, &Target)> =
        targets.iter().enumerate().filter(|(_, target)| target.is_accepted).collect();
    if !accepted.is_empty()
        && let Err(stop) = act(cx, &accepted).await
    {
        for (_, target) in &accepted {
            cx.progress.tell(&target.scope, &format!("stopped: {stop}"));
            cx.stopped(&target.scope, &stop);
        }
    }
    for target in &targets {
        cx.write(&target.scope, EventKind::SubjectEnded {});
    }
    Ok(())
}

/// One set of backends and one sender for all classes, which are tried side by side.
async fn act(cx: &Cx, targets: &[(usize, &Target)]) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    let kinds = [Kind::pod(), services(), gateways(), http_routes()];
    for kind in &kinds {
        cx.session.watch_own(kind).await?;
    }
    // An implementation may put pods of its own beside a Gateway, which ask for more than those of the run.
    let scratch = cx.session.scratch_at(&scope, "inference", &kinds, "baseline").await?;
    let acted = async {
        let stage = Stage::new(cx, scratch.clone()).await?;
        join_all(targets.iter().map(|(number, target)| async {
            if let Err(stop) = stage.try_class(*number, target).await {
                cx.progress.tell(&target.scope, &format!("stopped: {stop}"));
                cx.stopped(&target.scope, &stop);
            }
        }))
        .await;
        Ok(())
    };
    let acted: Result<(), Stop> = blamed(&scratch, acted.await).await;
    // What is deleted from here on is our own undoing, early or not.
    cx.write(&scope, EventKind::Phase { phase: "over".into(), data: json!({}) });
    acted
}
