//! What every verb that goes to a cluster takes: which cluster, which checks, which profile.

use crate::exit::UsageError;
use aiconform_checks::{AdapterFile, CHECKS, Check, Level, Operator, Profile};
use aiconform_cluster::{Connection, Target};
use aiconform_lab::Part;
use camino::Utf8PathBuf;
use std::collections::BTreeSet;

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
    /// Profile of the platform (TOML)
    #[arg(long)]
    profile: Option<Utf8PathBuf>,
    /// Image of the probe that runs in test pods; `aiconform image export` writes it
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
}

impl Selection {
    /// The checks that are to run, with the adapters of files.
    pub fn checks(&self) -> Result<Vec<&'static Check>, UsageError> {
        let known = aiconform_model::catalogue::requirements();
        let asked = |id: &str| {
            aiconform_model::catalogue::requirement(id)
                .is_some_and(|requirement| requirement.level(&self.release).is_some())
        };
        let mut chosen = Vec::new();
        for id in &self.only {
            match (aiconform_checks::check(id), known.iter().any(|requirement| requirement.id == *id)) {
                (Some(_), _) if !asked(id) => {
                    return Err(UsageError(format!(
                        "release {} does not ask for {id}; choose another with --release, `aiconform list` shows which",
                        self.release
                    )));
                }
                (Some(check), _) => chosen.push(check),
                (None, true) => {
                    return Err(UsageError(format!(
                        "there is no check for {id} yet; `aiconform list` shows which have one"
                    )));
                }
                (None, false) => {
                    return Err(UsageError(format!(
                        "there is no requirement {id:?}; `aiconform list` shows all"
                    )));
                }
            }
        }
        if self.only.is_empty() {
            chosen = CHECKS.iter().copied().filter(|check| asked(check.id)).collect();
        }
        let chosen = with_files(&chosen, &self.adapter_file)?;
        for adapter in &self.adapter {
            let all: Vec<&str> = chosen.iter().flat_map(|check| check.adapters).copied().collect();
            if !all.contains(&adapter.as_str()) {
                return Err(UsageError(format!(
                    "there is no adapter {adapter:?}; there are: {}",
                    all.join(", ")
                )));
            }
        }
        if self.only.is_empty() && !self.adapter.is_empty() {
            // Whoever names an adapter is about the requirement that it is for.
            let has =
                |check: &&Check| check.adapters.iter().any(|id| self.adapter.iter().any(|named| named == id));
            return Ok(chosen.into_iter().filter(has).collect());
        }
        Ok(chosen)
    }

    /// Whether the user left open which checks run.
    pub fn is_open(&self) -> bool {
        self.only.is_empty() && self.adapter.is_empty()
    }

    /// The profile, or the default one; it may name an adapter of these checks.
    pub fn profile(&self, checks: &[&Check]) -> anyhow::Result<Profile> {
        let mut profile = self.read_profile(checks)?;
        if self.image.is_some() {
            profile.probe_image.clone_from(&self.image);
        }
        Ok(profile)
    }

    fn read_profile(&self, checks: &[&Check]) -> anyhow::Result<Profile> {
        let Some(path) = &self.profile else { return Ok(Profile::default()) };
        let text = fs_err::read_to_string(path).map_err(|error| UsageError(error.to_string()))?;
        let mut profile =
            Profile::parse(&text, path.as_str()).map_err(|error| UsageError(error.to_string()))?;
        for file in profile.robust_controller.operator_files.clone() {
            let text = fs_err::read_to_string(&file).map_err(|error| UsageError(error.to_string()))?;
            profile.take_operator(&text, &file).map_err(|error| UsageError(error.to_string()))?;
        }
        let mut known: Vec<&str> = CHECKS.iter().flat_map(|check| check.adapters).copied().collect();
        known.extend(checks.iter().flat_map(|check| check.files).map(AdapterFile::id));
        let operators = &profile.robust_controller.operators;
        known.extend(operators.iter().map(Operator::id));
        let named = [&profile.gang_scheduling.adapter, &profile.robust_controller.operator];
        if let Some(adapter) = named.into_iter().flatten().find(|named| !known.contains(&named.as_str())) {
            return Err(UsageError(format!(
                "{path}: there is no adapter {adapter:?}; there are: {}",
                known.join(", ")
            ))
            .into());
        }
        Ok(profile)
    }

    /// Refuses names of trials that no chosen check has.
    pub fn check_trials(checks: &[&Check], names: &[String]) -> Result<(), UsageError> {
        let known: Vec<&str> = checks.iter().flat_map(|check| check.trials).copied().collect();
        match names.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                Err(UsageError(format!("there is no trial {name:?}; there are: {}", known.join(", "))))
            }
            None => Ok(()),
        }
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

/// These checks with the adapters of files, which are all for gang scheduling.
pub fn with_files(
    checks: &[&'static Check],
    files: &[Utf8PathBuf],
) -> Result<Vec<&'static Check>, UsageError> {
    let mut adapters: Vec<AdapterFile> = Vec::new();
    for file in files {
        let text = fs_err::read_to_string(file).map_err(|error| UsageError(error.to_string()))?;
        let adapter =
            AdapterFile::read(&text, file.as_str()).map_err(|error| UsageError(error.to_string()))?;
        if adapters.iter().any(|other| other.id() == adapter.id()) {
            return Err(UsageError(format!(
                "{file}: another file has an adapter {:?} already",
                adapter.id()
            )));
        }
        adapters.push(adapter);
    }
    if adapters.is_empty() {
        return Ok(checks.to_vec());
    }
    let given = |check: &&'static Check| match check.id {
        "gang_scheduling" => check.with(adapters.clone()),
        _ => check,
    };
    Ok(checks.iter().map(given).collect())
}

/// What a lab must have for these adapters; when none is named, for those that are quickly there, and for all when all
/// is to be tried. An adapter's name begins with that of its product.
pub fn parts(checks: &[&'static Check], adapters: &[String], level: Level) -> BTreeSet<Part> {
    let chosen = |check: &&'static Check| if level == Level::All { check.adapters } else { check.quick };
    let named: Vec<&str> = adapters.iter().map(String::as_str).collect();
    let tried = if named.is_empty() { checks.iter().flat_map(chosen).copied().collect() } else { named };
    let products = tried.iter().filter_map(|adapter| adapter.split('/').next());
    products.chain(checks.iter().flat_map(|check| check.parts).copied()).filter_map(Part::named).collect()
}

/// Whether all that a check wants of a lab is quickly built, so that it belongs to the quick set.
pub fn is_quick(check: &Check) -> bool {
    let products = check.quick.iter().filter_map(|adapter| adapter.split('/').next());
    products.chain(check.parts.iter().copied()).filter_map(Part::named).all(Part::is_quick)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!Part::Kai.is_quick());
    }

    #[test]
    fn a_lab_gets_what_the_adapters_need_and_nothing_else() {
        let parts = |adapters: &[&str]| {
            let adapters: Vec<String> = adapters.iter().map(|name| (*name).to_owned()).collect();
            let gangs = aiconform_checks::check("gang_scheduling").unwrap();
            parts(&[gangs], &adapters, Level::Must)
        };
        assert!(parts(&["plain", "kube-native"]).is_empty());
        assert_eq!(parts(&["kube-native", "kueue/job"]), BTreeSet::from([Part::Kueue]));
        assert_eq!(parts(&[]), BTreeSet::from([Part::Kueue]));
        assert!(super::parts(CHECKS, &[], Level::All).contains(&Part::Kai));
        // Checks of accelerators need some, whichever adapters are tried.
        assert_eq!(
            super::parts(CHECKS, &["kube-native".into()], Level::Must),
            BTreeSet::from([Part::Simulator, Part::Traefik, Part::Prometheus, Part::PrometheusAdapter])
        );
    }
}
