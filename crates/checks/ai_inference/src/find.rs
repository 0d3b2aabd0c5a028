//! GatewayClasses that there are to be tried.

use crate::marks::{ABSENT, Condition, Facts, ID, gateway_classes, gateways, http_routes};
use aiconform_check::cx::{Detection, Stop};
use aiconform_check::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{Object, Scope};
use serde_json::{Value, json};

/// A class of gateways: a subject.
pub struct Target {
    /// Its place among the classes, which keeps names of its objects apart from those of the others.
    pub number: usize,
    /// The class's name.
    pub class: String,
    /// Name of the controller that implements it.
    pub controller: String,
    /// A Gateway of the platform to attach to: namespace and name.
    pub gateway: Option<(String, String)>,
    /// Set if the controller has accepted the class.
    pub is_accepted: bool,
    /// Facts of the subject.
    pub facts: Value,
    /// Set if the profile names it.
    pub declared: bool,
}

impl Target {
    fn new(number: usize, class: &Object, gateway: Option<(String, String)>, declared: bool) -> Target {
        let controller = class.text("/spec/controllerName").to_owned();
        let features = class.at("/status/supportedFeatures").and_then(Value::as_array);
        let facts = Facts {
            class: class.name().into(),
            controller: controller.clone(),
            accepted: class.condition("Accepted").and_then(condition),
            features: features.map(|features| features.len() as u64),
            own_control: true,
        };
        Target {
            number,
            class: class.name().into(),
            controller,
            gateway,
            is_accepted: class.condition_is("Accepted", "True"),
            facts: json!(facts),
            declared,
        }
    }
}

/// A condition as it stands in an object; none where it has another form.
pub fn condition(found: &Value) -> Option<Condition> {
    serde_json::from_value(found.clone()).ok()
}

/// Finds the classes that are to be tried.
///
/// # Errors
/// [`Stop::Hindered`] where there is none, or not the one that the profile names; else that the cluster could not be asked.
pub async fn find(api: &Api, profile: &Profile) -> Result<Vec<Target>, Stop> {
    let scope = Scope::new(ID, "");
    for kind in [gateway_classes(), gateways(), http_routes()] {
        if !api.serves(&scope, &kind).await? {
            return Err(Stop::Hindered(format!(
                "the cluster does not serve {kind}: the Gateway API is not installed; install an implementation of it, which brings its CRDs"
            )));
        }
    }
    let wanted = &profile.ai_inference;
    let classes = api.list(&scope, &gateway_classes(), "", "").await?;
    let (mut class, mut gateway) = (wanted.gateway_class.clone(), None);
    if let Some(named) = &wanted.gateway {
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
        return Ok(vec![Target::new(0, found, gateway, true)]);
    }
    if classes.is_empty() {
        return Err(Stop::Hindered(
            "the Gateway API is served and there is no GatewayClass: install an implementation of it".into(),
        ));
    }
    Ok(classes.iter().enumerate().map(|(number, class)| Target::new(number, class, None, false)).collect())
}

/// Subjects that the cluster has.
pub async fn detect(api: &Api) -> Vec<(String, Detection)> {
    match find(api, &Profile::default()).await {
        Ok(found) => {
            found.into_iter().map(|target| (target.class, Detection::Present(target.facts))).collect()
        }
        Err(stop) => vec![(ABSENT.into(), Detection::Absent(stop.to_string()))],
    }
}
