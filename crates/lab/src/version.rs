//! The minor versions of Kubernetes that a lab can have; how they differ is data.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A minor version of Kubernetes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kubernetes {
    /// 1.34.4.
    #[serde(rename = "1.34")]
    Minor34,
    /// 1.35.4.
    #[serde(rename = "1.35")]
    Minor35,
    /// 1.36.3.
    #[serde(rename = "1.36")]
    Minor36,
    /// 1.37.2.
    #[default]
    #[serde(rename = "1.37")]
    Minor37,
}

impl Kubernetes {
    /// All of them.
    pub const ALL: &[Kubernetes] =
        &[Kubernetes::Minor34, Kubernetes::Minor35, Kubernetes::Minor36, Kubernetes::Minor37];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kubernetes::Minor34 => "1.34",
            Kubernetes::Minor35 => "1.35",
            Kubernetes::Minor36 => "1.36",
            Kubernetes::Minor37 => "1.37",
        }
    }

    /// Flags that turn native gang scheduling on, where this version has it in a form that pods can name: the one of API
    /// server, controller manager and scheduler, and the API server's own (pkg/features and pkg/apis/scheduling of that
    /// version; of 1.35's `scheduling.k8s.io/v1alpha1` nothing was left in 1.36).
    pub fn gangs(self) -> Option<(&'static str, &'static str)> {
        match self {
            Kubernetes::Minor34 | Kubernetes::Minor35 => None,
            Kubernetes::Minor36 => Some((
                "--feature-gates=GenericWorkload=true,GangScheduling=true,WorkloadAwarePreemption=true",
                "--runtime-config=scheduling.k8s.io/v1alpha2=true",
            )),
            // GenericWorkload holds the other two.
            Kubernetes::Minor37 => Some((
                "--feature-gates=GenericWorkload=true",
                "--runtime-config=scheduling.k8s.io/v1beta1=true",
            )),
        }
    }
}

impl FromStr for Kubernetes {
    type Err = String;

    fn from_str(name: &str) -> Result<Kubernetes, String> {
        let known = || Kubernetes::ALL.iter().map(|known| known.name()).collect::<Vec<_>>().join(", ");
        let found = Kubernetes::ALL.iter().copied().find(|known| known.name() == name);
        found.ok_or_else(|| format!("a lab can have {}", known()))
    }
}

#[cfg(test)]
mod tests {
    use super::Kubernetes;

    #[test]
    fn every_version_has_a_name_that_leads_back_to_it_and_that_lab_json_uses() {
        for version in Kubernetes::ALL {
            assert_eq!(version.name().parse(), Ok(*version));
            assert_eq!(serde_json::to_value(version).unwrap(), version.name());
        }
        assert_eq!("1.30".parse::<Kubernetes>(), Err("a lab can have 1.34, 1.35, 1.36, 1.37".into()));
    }
}
