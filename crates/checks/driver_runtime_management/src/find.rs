//! Finds ways in which accelerators are given, and what nodes say of those: by reading only.

use crate::adapters::{Dialect, dialects};
use crate::marks::{Advert, Facts, GivenBy, Published};
use aiconform_accelerators::inventory::{attribute, classes, expressions, slices};
use aiconform_accelerators::{Way, inventory};
use aiconform_check::cx::Stop;
use aiconform_check::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope};
use serde_json::Value;
use std::collections::BTreeMap;

/// One way in which accelerators are given: a subject.
pub struct Target {
    /// Way in which they are asked for.
    pub way: Way,
    /// Dialect in which their maker says versions.
    pub dialect: Option<&'static Dialect>,
    /// Words of each node that has such devices about them.
    pub nodes: BTreeMap<String, Advert>,
}

impl Target {
    /// Id of the subject.
    pub fn id(&self) -> &str {
        self.way.name()
    }

    /// Facts of the subject.
    pub fn facts(&self) -> Facts {
        let class = matches!(self.way, Way::Class(_));
        Facts {
            dialect: self.dialect.map_or_else(String::new, |dialect| dialect.id.clone()),
            product: self.dialect.map_or("not known", |dialect| dialect.product.as_str()).into(),
            tried: self.dialect.is_none_or(|dialect| dialect.tried),
            given_by: if class { GivenBy::Driver } else { GivenBy::Plugin },
            own_control: true,
        }
    }
}

/// Asks the cluster which ways there are.
///
/// # Errors
/// When it does not let itself be asked.
pub async fn find(api: &Api, scope: &Scope, profile: &Profile) -> Result<Vec<Target>, Stop> {
    let inventory = inventory(api, scope, profile).await?;
    let nodes = api.list(scope, &Kind::node(), "", "").await?;
    let (mut published, mut offered) = (Vec::new(), Vec::new());
    if inventory.ways.iter().any(|way| matches!(way, Way::Class(_))) {
        published = api.list(scope, &slices(), "", "").await?;
        offered = api.list(scope, &classes(), "", "").await?;
    }
    let target = |way: Way| {
        let drivers = drivers(&way, &published, &offered);
        let here: Vec<&Object> = nodes.iter().filter(|node| has(node, &way, &drivers, &published)).collect();
        let declared = |dialect: &&Dialect| {
            !dialect.annotation.is_empty()
                && here.iter().any(|node| !node.annotation(&dialect.annotation).is_empty())
        };
        let dialect = dialects()
            .iter()
            .find(declared)
            .or_else(|| dialects().iter().find(|dialect| dialect.is_of(&way, &drivers)));
        let advert = |node: &&Object| (node.name().to_owned(), advert(node, dialect, &drivers, &published));
        Target { nodes: here.iter().map(advert).collect(), way, dialect }
    };
    Ok(inventory.ways.into_iter().map(target).collect())
}

/// The drivers whose devices a class selects.
fn drivers(way: &Way, slices: &[Object], classes: &[Object]) -> Vec<String> {
    let Way::Class(name) = way else { return Vec::new() };
    let Some(class) = classes.iter().find(|class| class.name() == name) else { return Vec::new() };
    let expressions = expressions(class).concat();
    let mut drivers: Vec<String> = slices
        .iter()
        .map(|slice| slice.text("/spec/driver").to_owned())
        .filter(|driver| expressions.contains(driver.as_str()))
        .collect();
    drivers.sort();
    drivers.dedup();
    drivers
}

fn has(node: &Object, way: &Way, drivers: &[String], slices: &[Object]) -> bool {
    match way {
        Way::Resource(name) => {
            let allocatable = node.at("/status/allocatable").and_then(Value::as_object);
            allocatable.and_then(|all| all.get(name)).is_some_and(|amount| amount != "0")
        }
        Way::Class(_) => of_node(node, drivers, slices).next().is_some(),
    }
}

fn of_node<'a>(
    node: &'a Object,
    drivers: &'a [String],
    slices: &'a [Object],
) -> impl Iterator<Item = &'a Value> {
    slices
        .iter()
        .filter(|slice| slice.text("/spec/nodeName") == node.name())
        .filter(|slice| drivers.iter().any(|driver| driver == slice.text("/spec/driver")))
        .flat_map(|slice| slice.at("/spec/devices").and_then(Value::as_array).into_iter().flatten())
}

/// Words of a node that a dialect reads: labels and annotations, and attributes of its devices.
fn advert(node: &Object, dialect: Option<&Dialect>, drivers: &[String], slices: &[Object]) -> Advert {
    let Some(dialect) = dialect else { return Advert::default() };
    let label = |key: &str| {
        let value = if node.label(key).is_empty() { node.annotation(key) } else { node.label(key) };
        (!value.is_empty()).then(|| (key.to_owned(), value.to_owned()))
    };
    let device = |device: &Value| Published {
        name: device["name"].as_str().unwrap_or_default().into(),
        attributes: dialect
            .attributes()
            .chain(["uuid"])
            .filter_map(|name| Some((name.to_owned(), attribute(device, name)?)))
            .collect(),
    };
    Advert {
        node: dialect.keys().filter_map(label).collect(),
        devices: of_node(node, drivers, slices).map(device).collect(),
    }
}
