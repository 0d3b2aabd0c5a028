//! One subject's run as the evidence has it.

use crate::adapters::{Dialect, Said, dialect};
use crate::marks::{Advert, Facts, Found, Mark};
use aiconform_trial::{Position, Story};
use std::collections::BTreeMap;

/// Version that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The driver's.
    Driver,
    /// The runtime's.
    Runtime,
}

impl Version {
    /// Places where a maker says it.
    pub fn said(self, dialect: &Dialect) -> &Said {
        match self {
            Version::Driver => &dialect.driver,
            Version::Runtime => &dialect.runtime,
        }
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Version::Driver => "driver",
            Version::Runtime => "runtime",
        }
    }
}

/// A run of one subject.
#[derive(Default)]
pub struct History {
    /// The words of its maker.
    pub dialect: Option<&'static Dialect>,
    /// Words of each node.
    pub nodes: BTreeMap<String, Advert>,
    /// Where that was marked.
    pub advertised: Position,
    /// Findings of the pod, and where they were marked.
    pub found: Option<(Position, Found)>,
    /// Why it stopped early.
    stopped: Option<String>,
}

impl History {
    /// Reads the story of a subject.
    ///
    /// # Errors
    /// When its facts or one of its marks cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let mut history = History {
            dialect: dialect(&Facts::of(story.subject())?.dialect),
            stopped: story.stopped().map(str::to_owned),
            ..History::default()
        };
        for marked in story.marks()? {
            match marked.mark {
                Mark::Advertised { nodes } => (history.nodes, history.advertised) = (nodes, marked.at),
                Mark::Found(found) => history.found = Some((marked.at, found)),
                Mark::Ask {} | Mark::Over {} => {}
            }
        }
        Ok(history)
    }

    /// Why something is not known: what stopped the run, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| otherwise.into())
    }

    /// The versions that a node advertises, each with where: those of its devices where they are published with any, else
    /// the node's own.
    pub fn advertises(&self, version: Version, advert: &Advert) -> Vec<(String, String)> {
        let Some(dialect) = self.dialect else { return Vec::new() };
        let by_device = self.by_device(version, advert);
        if !by_device.is_empty() {
            return by_device;
        }
        version.said(dialect).on_node(|key| advert.node.get(key).cloned()).into_iter().collect()
    }

    /// The versions that its devices are published with, each with where.
    pub fn by_device(&self, version: Version, advert: &Advert) -> Vec<(String, String)> {
        let Some(dialect) = self.dialect else { return Vec::new() };
        let attributes = &version.said(dialect).attributes;
        let said = advert.devices.iter().filter_map(|device| {
            attributes.iter().find_map(|attribute| {
                let version = device.attributes.get(attribute)?;
                Some((format!("{}: {attribute}", device.name), version.clone()))
            })
        });
        said.collect()
    }

    /// The version that the device itself says, or its driver in the container, and where.
    pub fn own(&self, version: Version) -> Option<(String, String)> {
        let (dialect, (_, found)) = (self.dialect?, self.found.as_ref()?);
        let said = version.said(dialect);
        // A load may say what its image brought: of the runtime it is believed where its library came with the device.
        let is_believed = version == Version::Driver
            || !found.device.is_of_load()
            || found.device.0["library_of_image"] == false;
        if let Some(version) = found.device.text(&said.inspect).filter(|_| is_believed) {
            return Some(("the device".into(), version.to_owned()));
        }
        let text = |path: &str| {
            let files = &found.files;
            files.iter().find(|file| file.path == path && file.why.is_empty()).map(|file| file.text.clone())
        };
        said.in_files(text)
    }
}
