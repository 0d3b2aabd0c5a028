//! Shares that nodes offer, by the names that their makers give them: rules that are data.

use super::marks::Offer;
use crate::inventory::{attribute, classes, expressions, slices};
use crate::way::Way;
use aiconform_check::cx::Stop;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope, quantity};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Names that one maker gives to shares.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maker {
    /// Whose devices, for people.
    pub product: String,
    /// Set if it was run against such devices by us; else nothing is called failed by it.
    pub tried: bool,
    /// The ways in which they are shared.
    pub offer: Vec<Rule>,
}

/// One way in which devices are shared.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Strategy of sharing: also the id of the subject.
    pub strategy: String,
    /// Extended resources that are shares; a "*" stands for anything.
    #[serde(default)]
    pub resources: Vec<String>,
    /// They are shares only where the label says that there are several of each device.
    #[serde(default)]
    pub only_shared: bool,
    /// They are shares only on nodes with these labels or annotations; an empty value stands for any.
    #[serde(default)]
    pub only_with: BTreeMap<String, String>,
    /// Labels that say how many shares each device has. "{resource}" and "{domain}" stand for the resource's own.
    #[serde(default)]
    pub shares: Vec<String>,
    /// Labels that say how many physical devices are shared.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Labels that say how many parts there are.
    #[serde(default)]
    pub parts: Vec<String>,
    /// DRA drivers.
    #[serde(default)]
    pub drivers: Vec<String>,
    /// Values of the attribute `type` of their devices that are parts.
    #[serde(default)]
    pub types: Vec<String>,
}

/// Shares that one node offers in one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Strategy by which it is shared.
    pub strategy: String,
    /// Whose devices.
    pub product: String,
    /// Set if this maker's shares were tried by us.
    pub tried: bool,
    /// Way in which a pod asks for one.
    pub way: Way,
    /// Selector of devices of a class.
    pub selector: String,
    /// The node.
    pub node: String,
    /// Number that can be asked for; not known where partitions of different sizes exclude each other.
    pub offered: Option<u64>,
    /// Number that there are, by the node's labels.
    pub declared: Option<u64>,
    /// Of how many physical devices, where it is known.
    pub physical: Option<u64>,
}

impl Shares {
    /// Number of pods that can have one.
    pub fn places(&self) -> Option<u64> {
        match (self.declared, self.offered) {
            (Some(declared), Some(offered)) => Some(declared.min(offered)),
            (declared, offered) => offered.or(declared),
        }
    }

    /// Name of what it is asked for by.
    pub fn name(&self) -> &str {
        self.way.name()
    }

    /// As it stands in the evidence.
    pub fn to_mark(&self) -> Offer {
        let class = matches!(self.way, Way::Class(_));
        Offer {
            strategy: self.strategy.clone(),
            product: self.product.clone(),
            tried: self.tried,
            asked_by: if class { "device class" } else { "extended resource" }.into(),
            name: self.name().into(),
            selector: self.selector.clone(),
            node: self.node.clone(),
            offered: self.offered,
            declared: self.declared,
            physical: self.physical,
            taken: None,
        }
    }
}

/// Reads the files of makers.
///
/// # Panics
/// When one cannot be read: they are shipped, and a test reads each.
pub fn makers(files: &[&str]) -> Vec<Maker> {
    #[allow(clippy::expect_used, reason = "what is shipped; a test reads every file")]
    let maker = |text: &&str| toml::from_str(text).expect("a maker that is shipped is read");
    files.iter().map(maker).collect()
}

/// Asks what the nodes offer in shares: of each way and maker the node that offers most.
///
/// # Errors
/// When the cluster does not let itself be asked.
pub async fn find(api: &Api, scope: &Scope, makers: &[Maker]) -> Result<Vec<Shares>, Stop> {
    let mut found = Vec::new();
    let nodes = api.list(scope, &Kind::node(), "", "").await?;
    let (mut published, mut offered_classes) = (Vec::new(), Vec::new());
    if api.serves(scope, &slices()).await? {
        published = api.list(scope, &slices(), "", "").await?;
        offered_classes = api.list(scope, &classes(), "", "").await?;
    }
    for maker in makers {
        for rule in &maker.offer {
            for node in &nodes {
                found.extend(plugged(maker, rule, node));
            }
            found.extend(claimable(maker, rule, &published, &offered_classes));
        }
    }
    // Of what is offered the most, and of what is only promised nothing before that.
    found.sort_by_key(|offer| std::cmp::Reverse((offer.tried, offer.offered)));
    Ok(found)
}

/// Extended resources of a node that are shares.
pub fn plugged(maker: &Maker, rule: &Rule, node: &Object) -> Vec<Shares> {
    let said = |key: &str| {
        let label = node.label(key);
        if label.is_empty() { node.annotation(key).to_owned() } else { label.to_owned() }
    };
    let with = |(key, value): (&String, &String)| {
        let said = said(key);
        !said.is_empty() && (value.is_empty() || said == *value)
    };
    if !rule.only_with.iter().all(with) {
        return Vec::new();
    }
    let allocatable = node.at("/status/allocatable").and_then(Value::as_object).cloned().unwrap_or_default();
    // What is promised by labels alone is told too.
    let promised = rule.resources.iter().filter(|name| !name.contains('*'));
    let names: BTreeSet<&String> =
        allocatable.keys().filter(|name| is_meant(&rule.resources, name)).chain(promised).collect();
    let offer = |name: &String| {
        let domain = name.split('/').next().unwrap_or_default();
        let number = |keys: &[String]| -> Option<u64> {
            keys.iter().find_map(|key| {
                said(&key.replace("{resource}", name).replace("{domain}", domain)).parse().ok()
            })
        };
        let (shares, devices, parts) = (number(&rule.shares), number(&rule.devices), number(&rule.parts));
        if rule.only_shared && shares.is_none_or(|shares| shares < 2) {
            return None;
        }
        let declared = parts.or_else(|| Some(shares? * devices?));
        let amount = allocatable.get(name).and_then(Value::as_str).and_then(quantity);
        if amount.is_none_or(|amount| amount < 1.0) && declared.is_none_or(|declared| declared < 1) {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of devices")]
        let offered = Some(amount.unwrap_or_default() as u64);
        Some(Shares {
            strategy: rule.strategy.clone(),
            product: maker.product.clone(),
            tried: maker.tried,
            way: Way::Resource(name.clone()),
            selector: String::new(),
            node: node.name().into(),
            offered,
            declared,
            physical: devices,
        })
    };
    names.into_iter().filter_map(offer).collect()
}

fn is_meant(resources: &[String], name: &str) -> bool {
    resources.iter().any(|meant| match meant.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => meant == name,
    })
}

/// Devices of a DRA driver that are parts, and the class by which they are asked for.
pub fn claimable(maker: &Maker, rule: &Rule, slices: &[Object], classes: &[Object]) -> Vec<Shares> {
    let mut by_node: BTreeMap<(&str, &str, &str), Vec<&Value>> = BTreeMap::new();
    for slice in slices {
        let (driver, node) = (slice.text("/spec/driver"), slice.text("/spec/nodeName"));
        if node.is_empty() || !rule.drivers.iter().any(|known| known == driver) {
            continue;
        }
        for device in slice.at("/spec/devices").and_then(Value::as_array).into_iter().flatten() {
            let kind = attribute(device, "type").unwrap_or_default();
            if let Some(kind) = rule.types.iter().find(|known| **known == kind) {
                by_node.entry((driver, node, kind)).or_default().push(device);
            }
        }
    }
    let offer = |((driver, node, kind), devices): ((&str, &str, &str), Vec<&Value>)| {
        Some(Shares {
            strategy: rule.strategy.clone(),
            product: maker.product.clone(),
            tried: maker.tried,
            way: Way::Class(class_of(classes, driver, kind)?),
            selector: format!("device.attributes[{}].type == {}", json!(driver), json!(kind)),
            node: node.into(),
            offered: at_once(&devices, slices, node, driver),
            declared: None,
            physical: physical(&devices),
        })
    };
    by_node.into_iter().filter_map(offer).collect()
}

/// The class of this kind of a driver's devices; else that of all of them.
fn class_of(classes: &[Object], driver: &str, kind: &str) -> Option<String> {
    let of_driver = |class: &&Object| expressions(class).iter().any(|expression| expression.contains(driver));
    let of_kind = |class: &&Object| {
        let words = [format!("\"{kind}\""), format!("'{kind}'")];
        expressions(class).iter().any(|expression| words.iter().any(|word| expression.contains(word)))
    };
    let plain = |class: &&Object| !expressions(class).iter().any(|expression| expression.contains(".type"));
    let mut of_driver: Vec<&Object> = classes.iter().filter(of_driver).collect();
    of_driver.sort_by_key(|class| class.name().len());
    let class =
        of_driver.iter().find(|class| of_kind(class)).or(of_driver.iter().find(|class| plain(class)))?;
    Some(class.name().to_owned())
}

/// Of how many physical devices these are parts, where they say it.
fn physical(devices: &[&Value]) -> Option<u64> {
    let parent = |device: &&Value| ["parentUUID", "pciBusID"].iter().find_map(|name| attribute(device, name));
    let parents: Option<BTreeSet<String>> = devices.iter().map(parent).collect();
    Some(parents?.len() as u64)
}

/// Number of these devices that can be given at once: all of them, or what the counters that they share allow, where each
/// takes the same of them.
fn at_once(devices: &[&Value], slices: &[Object], node: &str, driver: &str) -> Option<u64> {
    let sets = |device: &Value| {
        device.get("consumesCounters").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    if devices.iter().all(|device| sets(device).is_empty()) {
        return Some(devices.len() as u64);
    }
    let same = slices
        .iter()
        .filter(|slice| slice.text("/spec/nodeName") == node && slice.text("/spec/driver") == driver);
    let counters: Vec<&Value> = same
        .flat_map(|slice| slice.at("/spec/sharedCounters").and_then(Value::as_array).into_iter().flatten())
        .collect();
    let amount = |value: &Value| value.get("value").and_then(Value::as_str).and_then(quantity);
    let mut groups: BTreeMap<String, (BTreeMap<String, f64>, u64)> = BTreeMap::new();
    for device in devices {
        let sets = sets(device);
        let [set] = sets.as_slice() else { return None };
        let name = set.get("counterSet")?.as_str()?.to_owned();
        let takes: Option<BTreeMap<String, f64>> = set
            .get("counters")?
            .as_object()?
            .iter()
            .map(|(counter, value)| Some((counter.clone(), amount(value)?)))
            .collect();
        let takes = takes?;
        let group = groups.entry(name).or_insert_with(|| (takes.clone(), 0));
        if group.0 != takes {
            return None;
        }
        group.1 += 1;
    }
    let mut sum = 0;
    for (name, (takes, count)) in groups {
        let set = counters.iter().find(|set| set.get("name").and_then(Value::as_str) == Some(&name))?;
        let mut fit = count;
        for (counter, taken) in takes {
            let all = amount(set.get("counters")?.get(&counter)?)?;
            if taken > 0.0 {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a count of devices"
                )]
                let places = (all / taken) as u64;
                fit = fit.min(places);
            }
        }
        sum += fit;
    }
    Some(sum)
}
