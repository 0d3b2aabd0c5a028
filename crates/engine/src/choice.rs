//! Choice of the checks that run, with which files of the user and which profile, from what the user named.

use aiconform_checks::{CHECKS, Check, Declared, Profile};
use aiconform_model::catalogue::{requirement, requirements};
use aiconform_trial::Limit;
use camino::{Utf8Path, Utf8PathBuf};

/// A choice that is the user's to correct, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongChoice(String);

fn wrong(error: impl std::fmt::Display) -> WrongChoice {
    WrongChoice(error.to_string())
}

/// The checks of these requirements, in the order of the checklist; of all that have one, where none is named.
///
/// # Errors
/// When a requirement does not exist or has no check.
pub fn named(requirements_named: &[String]) -> Result<Vec<&'static Check>, WrongChoice> {
    let has_check = |id: &&String| aiconform_checks::check(id).is_some();
    if let Some(id) = requirements_named.iter().find(|id| !has_check(id)) {
        return Err(WrongChoice(if requirements().iter().any(|known| known.id == *id) {
            format!("there is no check for {id} yet; `aiconform list` shows which have one")
        } else {
            format!("there is no requirement {id:?}; `aiconform list` shows all")
        }));
    }
    let is_named = |check: &&Check| requirements_named.iter().any(|id| id == check.id);
    Ok(CHECKS.iter().copied().filter(|check| requirements_named.is_empty() || is_named(check)).collect())
}

/// The checks that are to run, with the adapters of files: those of the named requirements, else of all that the release
/// asks for and the named adapters are for.
///
/// # Errors
/// When a requirement, an adapter or a file is not there or not what it must be, or the release does not ask for a
/// requirement that is named.
pub fn choose(
    release: &str,
    only: &[String],
    adapters: &[String],
    files: &[Utf8PathBuf],
) -> Result<Vec<&'static Check>, WrongChoice> {
    let is_asked =
        |check: &&'static Check| requirement(check.id).is_some_and(|found| found.level(release).is_some());
    let mut chosen = named(only)?;
    if only.is_empty() {
        chosen.retain(is_asked);
    } else if let Some(check) = chosen.iter().find(|check| !is_asked(check)) {
        return Err(WrongChoice(format!(
            "release {release} does not ask for {}; choose another with --release, `aiconform list` shows which",
            check.id
        )));
    }
    let mut chosen = with_files(&chosen, files)?;
    let known: Vec<&str> = chosen.iter().flat_map(|check| check.adapters).copied().collect();
    refuse_unknown("adapter", adapters, &known)?;
    if only.is_empty() && !adapters.is_empty() {
        // Whoever names an adapter is about the requirement that it is for.
        chosen.retain(|check| check.adapters.iter().any(|id| adapters.iter().any(|named| named == id)));
    }
    Ok(chosen)
}

/// Refuses names of trials that no chosen check has.
///
/// # Errors
/// With those that there are.
pub fn refuse_unknown_trials(checks: &[&Check], names: &[String]) -> Result<(), WrongChoice> {
    let known: Vec<&str> = checks.iter().flat_map(|check| check.trials).copied().collect();
    refuse_unknown("trial", names, &known)
}

fn refuse_unknown(kind: &str, names: &[String], known: &[&str]) -> Result<(), WrongChoice> {
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            Err(WrongChoice(format!("there is no {kind} {name:?}; there are: {}", known.join(", "))))
        }
        None => Ok(()),
    }
}

/// The profile in a file, and these checks with the files that it names.
///
/// # Errors
/// When a file cannot be read, or the profile names an adapter that is not there.
pub fn profile(
    path: &Utf8Path,
    checks: &[&'static Check],
) -> Result<(Profile, Vec<&'static Check>), WrongChoice> {
    let text = fs_err::read_to_string(path).map_err(wrong)?;
    let profile = Profile::parse(&text, path.as_str()).map_err(wrong)?;
    let mut known: Vec<&str> = CHECKS.iter().flat_map(|check| check.adapters).copied().collect();
    let mut chosen = Vec::new();
    for check in checks {
        let named = profile.files().into_iter().filter(|(id, _)| *id == check.id);
        let files: Vec<Utf8PathBuf> = named.flat_map(|(_, files)| files).map(Utf8PathBuf::from).collect();
        let check = with_files_of(check, &files)?;
        known.extend(check.files.iter().map(|file| file.id()));
        chosen.push(check);
    }
    let adapters: Vec<String> = profile.adapters().cloned().collect();
    refuse_unknown("adapter", &adapters, &known)
        .map_err(|WrongChoice(why)| wrong(format!("{path}: {why}")))?;
    let limits: Vec<Limit> = CHECKS.iter().flat_map(|check| check.limits).copied().collect();
    let wholes: Vec<_> = CHECKS.iter().map(|check| (check.id, check.limit)).collect();
    let of_loads = || aiconform_accelerators::makers::flaw(&profile);
    let of_metrics = || profile.accelerator_metrics.flaw();
    if let Some(flaw) = profile.limits.flaw(&limits, &wholes).or_else(of_loads).or_else(of_metrics) {
        return Err(wrong(format!("{path}: {flaw}")));
    }
    Ok((profile, chosen))
}

/// These checks with the adapters of files that are given on the command line.
///
/// # Errors
/// With file, line and column of what is wrong in one; a file that no chosen check takes is read all the same.
pub fn with_files(
    checks: &[&'static Check],
    files: &[Utf8PathBuf],
) -> Result<Vec<&'static Check>, WrongChoice> {
    let given = |check: &&'static Check| {
        let takes = check.reads.is_some_and(|reads| reads.flag);
        with_files_of(check, if takes { files } else { &[] })
    };
    for check in CHECKS.iter().filter(|check| !checks.iter().any(|chosen| chosen.id == check.id)) {
        given(check)?;
    }
    checks.iter().map(given).collect()
}

/// A check with what these files declare for it.
fn with_files_of(check: &'static Check, files: &[Utf8PathBuf]) -> Result<&'static Check, WrongChoice> {
    let Some(reads) = check.reads.filter(|_| !files.is_empty()) else { return Ok(check) };
    let mut declared: Vec<Box<dyn Declared>> = Vec::new();
    for file in files {
        let text = fs_err::read_to_string(file).map_err(wrong)?;
        let read = (reads.read)(&text, file.as_str()).map_err(wrong)?;
        if declared.iter().any(|other| other.id() == read.id()) {
            return Err(WrongChoice(format!("{file}: another file has an adapter {:?} already", read.id())));
        }
        declared.push(read);
    }
    Ok(check.with(declared))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn chosen(release: &str, only: &[&str], adapters: &[&str]) -> Result<Vec<&'static str>, String> {
        let checks = choose(release, &texts(only), &texts(adapters), &[]).map_err(|why| why.to_string())?;
        Ok(checks.iter().map(|check| check.id).collect())
    }

    #[test]
    fn what_is_named_is_chosen_once_in_the_order_of_the_checklist() {
        let named = ["gang_scheduling", "ai_inference", "gang_scheduling"];
        let both = ["ai_inference", "gang_scheduling"];
        assert_eq!(chosen("1.37", &named, &[]).unwrap(), both);
        assert_eq!(chosen("1.37", &[], &["kueue/job"]).unwrap(), ["gang_scheduling"]);
        assert_eq!(chosen("1.37", &named, &["kueue/job"]).unwrap(), both);
    }

    #[test]
    fn a_release_leaves_out_what_it_does_not_ask_for_and_naming_it_is_wrong() {
        let is_chosen = |release: &str, id: &str| chosen(release, &[], &[]).unwrap().contains(&id);
        assert!(is_chosen("1.35", "dra_support") && !is_chosen("1.37", "dra_support"));
        let why = chosen("1.37", &["dra_support"], &[]).unwrap_err();
        assert!(why.starts_with("release 1.37 does not ask for dra_support"), "{why}");
    }

    #[test]
    fn what_is_not_there_is_told_with_what_there_is() {
        assert!(chosen("1.37", &["gangs"], &[]).unwrap_err().contains("no requirement \"gangs\""));
        let none_yet = chosen("1.37", &["workload_sandboxing"], &[]).unwrap_err();
        assert!(none_yet.contains("no check for workload_sandboxing yet"), "{none_yet}");
        let adapter = chosen("1.37", &["ai_inference"], &["kueue/job"]).unwrap_err();
        assert!(adapter.starts_with("there is no adapter \"kueue/job\"; there are: "), "{adapter}");
        let trials = refuse_unknown_trials(CHECKS, &texts(&["luck"])).unwrap_err().to_string();
        assert!(
            trials.contains("no trial \"luck\"; there are: ") && trials.contains("preemption"),
            "{trials}"
        );
    }

    #[test]
    fn a_profile_that_names_an_unknown_adapter_is_told_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8Path::from_path(folder.path()).unwrap().join("profile.toml");
        fs_err::write(&file, "[gang_scheduling]\nadapter = \"slurm\"\n").unwrap();
        let Err(why) = profile(&file, CHECKS) else { panic!("there is no such adapter") };
        assert!(why.to_string().starts_with(&format!("{file}: there is no adapter \"slurm\"")), "{why}");
        for (limits, flaw) in [
            ("stretch = -1", "[limits] stretch is -1"),
            ("gang_scheduling.luck = 5", "[limits] there is no gang_scheduling.luck; there are: stretch, "),
        ] {
            fs_err::write(&file, format!("[limits]\n{limits}\n")).unwrap();
            let Err(why) = profile(&file, CHECKS) else { panic!("{limits} is no limit") };
            assert!(why.to_string().starts_with(&format!("{file}: {flaw}")), "{why}");
        }
        fs_err::write(&file, "[limits]\nstretch = 3\n[gang_scheduling]\nadapter = \"kai\"\n").unwrap();
        assert_eq!(profile(&file, CHECKS).unwrap().1.len(), CHECKS.len());
    }
}
