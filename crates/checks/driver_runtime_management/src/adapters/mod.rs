//! Dialects in which makers say which driver and which runtime there are: on the node, in ResourceSlices, and in a
//! container. Data, one file each.

#[cfg(test)]
mod tests;

use aiconform_accelerators::way::Way;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILES: &[(&str, &str)] = &[
    ("simulator", include_str!("simulator.toml")),
    ("nvidia", include_str!("nvidia.toml")),
    ("amd", include_str!("amd.toml")),
    ("gaudi", include_str!("gaudi.toml")),
    ("neuron", include_str!("neuron.toml")),
];

static DIALECTS: LazyLock<Vec<Dialect>> = LazyLock::new(|| {
    #[allow(clippy::expect_used, reason = "what is shipped; a test reads every file")]
    let dialect = |(_, text): &(&str, &str)| toml::from_str(text).expect("a dialect that is shipped is read");
    FILES.iter().map(dialect).collect()
});

/// Dialect in which one maker says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Id.
    pub id: String,
    /// Whose devices, for people.
    pub product: String,
    /// True if it was run against such devices by us; else nothing is called failed by it.
    pub tried: bool,
    /// Domains of its extended resources.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Its DRA drivers.
    #[serde(default)]
    pub drivers: Vec<String>,
    /// A node annotation that says that all its devices are this maker's, whatever they are called.
    #[serde(default)]
    pub annotation: String,
    /// The driver's version.
    pub driver: Said,
    /// The runtime's version: of what applications are built against.
    pub runtime: Said,
}

/// Places where a version is said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Said {
    /// Attributes of the devices in ResourceSlices.
    pub attributes: Vec<String>,
    /// Labels or annotations of the node. Several between "+" are parts of a version.
    pub keys: Vec<String>,
    /// Name under which the device says it of itself, when the probe asks it.
    pub inspect: String,
    /// Files in the container that say it: in the first that can be read it is the first word that begins with a digit,
    /// behind these words.
    pub files: BTreeMap<String, String>,
}

impl Dialect {
    /// Tells whether devices that are asked for in this way are this maker's; `drivers` are those of the class.
    pub fn is_of(&self, way: &Way, drivers: &[String]) -> bool {
        match way {
            Way::Class(_) => drivers.iter().any(|driver| self.drivers.contains(driver)),
            Way::Resource(name) => {
                let domain = name.split('/').next().unwrap_or_default();
                self.domains.iter().any(|known| known == domain)
            }
        }
    }

    /// All attributes that it reads.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.driver.attributes.iter().chain(&self.runtime.attributes).map(String::as_str)
    }

    /// All labels and annotations that it reads.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.driver.keys.iter().chain(&self.runtime.keys).flat_map(|keys| keys.split('+'))
    }

    /// All files that it reads.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.driver.files.keys().chain(self.runtime.files.keys()).map(String::as_str)
    }
}

impl Said {
    /// The version that labels or annotations say, and in which of them.
    pub fn on_node(&self, said: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
        self.keys.iter().find_map(|keys| {
            let parts: Option<Vec<String>> =
                keys.split('+').map(|key| said(key).filter(|value| !value.is_empty())).collect();
            Some((keys.clone(), parts?.join(".")))
        })
    }

    /// The version that files say, and in which of them.
    pub fn in_files(&self, text: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
        self.files.iter().find_map(|(path, behind)| {
            let text = text(path)?;
            let (_, rest) = text.split_once(behind.as_str())?;
            let version =
                rest.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
            Some((path.clone(), version.to_owned()))
        })
    }
}

/// Tells whether two texts mean the same version: numbers are compared as numbers ("570.86.06" is the "570.86.6" that a
/// semantic version makes of it), and what is not said is 0 ("12.8" is "12.8.0").
pub fn same(one: &str, other: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        let text = text.trim().trim_start_matches('v');
        let mut parts: Vec<String> = text
            .split(['.', '-', '+', '_'])
            .map(|part| part.parse::<u64>().map_or_else(|_| part.to_lowercase(), |number| number.to_string()))
            .collect();
        while parts.last().is_some_and(|part| part == "0") {
            parts.pop();
        }
        parts
    };
    parts(one) == parts(other)
}

/// The dialect of an id.
pub fn dialect(id: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| dialect.id == id)
}

/// All dialects.
pub fn dialects() -> &'static [Dialect] {
    &DIALECTS
}
