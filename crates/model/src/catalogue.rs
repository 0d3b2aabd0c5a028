//! The requirements of releases 1.33 to 1.37, read from the embedded catalogue.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The releases of the programme's checklist, oldest first.
pub const RELEASES: &[&str] = &["1.33", "1.34", "1.35", "1.36", "1.37"];

/// Level at which a release asks for a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// It must hold.
    Must,
    /// It should hold.
    Should,
}

impl Level {
    /// As the programme writes it.
    pub fn word(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
        }
    }
}

/// A requirement in one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InRelease {
    /// The release.
    pub release: String,
    /// Level at which it asks.
    pub level: Level,
    /// SHA-256 of the official sentence, as lower-case hexadecimal text.
    pub sentence: String,
}

/// One requirement of the programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its id.
    pub id: String,
    /// Its category in the checklist.
    pub category: String,
    /// Number of its Kubernetes AI Requirement, when it has one.
    #[serde(default)]
    pub kar: Option<String>,
    /// Name of the programme's own test, when it has one.
    #[serde(default)]
    pub test: Option<String>,
    /// Our own summary in one line.
    pub summary: String,
    /// The releases that have it.
    pub releases: Vec<InRelease>,
}

impl Requirement {
    /// Level at which a release asks, or `None` when it does not have the requirement.
    pub fn level(&self, release: &str) -> Option<Level> {
        self.releases.iter().find(|found| found.release == release).map(|found| found.level)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    requirement: Vec<Requirement>,
}

static CATALOGUE: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    let read: Result<Catalogue, toml::de::Error> =
        toml::from_str(include_str!("../../../catalog/requirements.toml"));
    #[allow(clippy::expect_used, reason = "the catalogue is part of the program, and a test reads it")]
    read.expect("the embedded catalogue is TOML").requirement
});

/// All requirements, in the order of the newest checklist.
pub fn requirements() -> &'static [Requirement] {
    &CATALOGUE
}

/// A requirement by its id.
pub fn requirement(id: &str) -> Option<&'static Requirement> {
    requirements().iter().find(|requirement| requirement.id == id)
}

/// Number of MUSTs of a release.
pub fn musts(release: &str) -> usize {
    requirements().iter().filter(|requirement| requirement.level(release) == Some(Level::Must)).count()
}

/// The name under which the programme's validator looks for a requirement's test.
pub fn test_name(id: &str) -> String {
    if let Some(name) = requirement(id).and_then(|requirement| requirement.test.clone()) {
        return name;
    }
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
            .unwrap_or_default()
    };
    format!("Test{}", id.split('_').map(capital).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_has_the_number_of_requirements_and_musts_that_it_publishes() {
        let counts: Vec<(usize, usize)> = RELEASES
            .iter()
            .map(|release| {
                let all = requirements().iter().filter(|found| found.level(release).is_some()).count();
                (musts(release), all)
            })
            .collect();
        assert_eq!(counts, [(8, 9), (9, 9), (9, 12), (8, 14), (8, 15)]);
        assert_eq!(requirements().len(), 16);
    }

    #[test]
    fn test_names_are_the_programmes_or_follow_their_form() {
        assert_eq!(test_name("gang_scheduling"), "TestGangScheduling");
        assert_eq!(test_name("pod_autoscaling"), "TestPodAutoscaling");
    }
}
