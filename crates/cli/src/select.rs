//! Options of every verb that goes to a cluster: which cluster, which checks, which profile.

use crate::exit::UsageError;
use aiconform_checks::{Check, Consent, Level, Profile};
use aiconform_cluster::{Connection, Target};
use aiconform_engine::{WrongChoice, choose, profile};
use aiconform_lab::Part;
use camino::Utf8PathBuf;
use std::collections::BTreeSet;

/// How the platform wants to be tested.
#[derive(clap::Args, Clone, Debug)]
pub struct Wishes {
    /// Profile of the platform (TOML)
    #[arg(long)]
    profile: Option<Utf8PathBuf>,
    /// What a run may do that costs, opens a door, or takes something from a node, as in [consent] of the profile
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    consent: Vec<String>,
}

impl Wishes {
    /// Tells whether nothing is said of it.
    pub fn is_open(&self) -> bool {
        self.profile.is_none() && self.consent.is_empty()
    }

    /// The profile, or the default one, which may name adapters; and these checks with the files that it names.
    pub fn profile(&self, checks: &[&'static Check]) -> Result<(Profile, Vec<&'static Check>), UsageError> {
        let (mut profile, checks) = match &self.profile {
            Some(path) => profile(path, checks).map_err(usage)?,
            None => (Profile::default(), checks.to_vec()),
        };
        for name in &self.consent {
            let consent = Consent::named(name).ok_or_else(|| {
                let known: Vec<String> = Consent::ALL
                    .iter()
                    .map(|consent| format!("{} ({})", consent.name(), consent.says()))
                    .collect();
                UsageError(format!(
                    "there is nothing called {name:?} to consent to; there is: {}",
                    known.join("; ")
                ))
            })?;
            profile.consent.give(consent);
        }
        Ok((profile, checks))
    }
}

/// Which cluster, which checks, which profile.
#[derive(clap::Args, Clone, Debug)]
pub struct Selection {
    /// Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config]
    #[arg(long)]
    kubeconfig: Option<Utf8PathBuf>,
    /// Context of the kubeconfig [default: the current one]
    #[arg(long)]
    context: Option<String>,
    /// Release of the programme's checklist
    #[arg(long, default_value = "1.37", value_parser = ["1.33", "1.34", "1.35", "1.36", "1.37"])]
    release: String,
    /// Requirements to test [default: all that have a check, or those that the named adapters are for]
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Adapters to try; those named decide [default: all that are found]
    #[arg(long, value_delimiter = ',')]
    adapter: Vec<String>,
    /// File of an adapter to be tried beside the built-in ones (TOML); can be given several times
    #[arg(long, value_name = "FILE")]
    adapter_file: Vec<Utf8PathBuf>,
    #[command(flatten)]
    wishes: Wishes,
    /// Image of the probe that runs in test pods; `aiconform image export` writes it
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
}

impl Selection {
    /// The checks that are to run, with the adapters of files.
    pub fn checks(&self) -> Result<Vec<&'static Check>, UsageError> {
        choose(&self.release, &self.only, &self.adapter, &self.adapter_file).map_err(usage)
    }

    /// Tells whether the user left open which checks run.
    pub fn is_open(&self) -> bool {
        self.only.is_empty() && self.adapter.is_empty()
    }

    /// The profile with the image of the probe, and these checks with the files that it names.
    pub fn profile(&self, checks: &[&'static Check]) -> Result<(Profile, Vec<&'static Check>), UsageError> {
        let (mut profile, checks) = self.wishes.profile(checks)?;
        if self.image.is_some() {
            profile.probe_image.clone_from(&self.image);
        }
        Ok((profile, checks))
    }

    /// Adapters named on the command line.
    pub fn adapters(&self) -> Vec<String> {
        self.adapter.clone()
    }

    /// Release of the checklist.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// The cluster.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        let target = Target { kubeconfig: self.kubeconfig.clone(), context: self.context.clone() };
        Ok(Connection::open(&target).await.map_err(|error| UsageError(error.to_string()))?)
    }
}

/// A wrong choice as an error of the command line.
pub fn usage(wrong: WrongChoice) -> UsageError {
    UsageError(wrong.to_string())
}

/// Parts that a lab must have for these adapters; when none is named, for those that are quickly there, and
/// for all when all is to be tried. An adapter's name begins with that of its product.
pub fn parts(checks: &[&'static Check], adapters: &[String], level: Level) -> BTreeSet<Part> {
    let chosen = |check: &&'static Check| if level == Level::All { check.adapters } else { check.quick };
    let named: Vec<&str> = adapters.iter().map(String::as_str).collect();
    let tried = if named.is_empty() { checks.iter().flat_map(chosen).copied().collect() } else { named };
    let products = tried.iter().filter_map(|adapter| adapter.split('/').next());
    products.chain(checks.iter().flat_map(|check| check.parts).copied()).filter_map(Part::named).collect()
}

/// Tells whether all that a check wants of a lab is quickly built, so that it belongs to the quick set.
pub fn is_quick(check: &Check) -> bool {
    let products = check.quick.iter().filter_map(|adapter| adapter.split('/').next());
    products.chain(check.parts.iter().copied()).filter_map(Part::named).all(Part::is_quick)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_checks::CHECKS;

    #[test]
    fn the_quick_set_waits_for_no_long_build() {
        let quick: Vec<&str> = CHECKS.iter().filter(|check| is_quick(check)).map(|check| check.id).collect();
        assert_eq!(
            quick,
            [
                "dra_support",
                "driver_runtime_management",
                "gpu_sharing",
                "virtualized_accelerator",
                "gang_scheduling",
                "accelerator_metrics",
                "secure_accelerator_access",
            ]
        );
        assert!(!Part::of("kai").is_quick());
    }

    #[test]
    fn a_lab_gets_what_the_adapters_need_and_nothing_else() {
        let parts = |adapters: &[&str]| {
            let adapters: Vec<String> = adapters.iter().map(|name| (*name).to_owned()).collect();
            let gangs = aiconform_checks::check("gang_scheduling").unwrap();
            parts(&[gangs], &adapters, Level::Must)
        };
        assert!(parts(&["plain", "kube-native"]).is_empty());
        assert_eq!(parts(&["kube-native", "kueue/job"]), BTreeSet::from([Part::of("kueue")]));
        assert_eq!(parts(&[]), BTreeSet::from([Part::of("kueue")]));
        assert!(super::parts(CHECKS, &[], Level::All).contains(&Part::of("kai")));
        // Checks of accelerators need some, whichever adapters are tried.
        assert_eq!(
            super::parts(CHECKS, &["kube-native".into()], Level::Must),
            BTreeSet::from([
                Part::of("simulator"),
                Part::of("traefik"),
                Part::of("prometheus"),
                Part::of("prometheus-adapter")
            ])
        );
    }
}
