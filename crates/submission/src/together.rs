//! Several runs of one product: on clusters beside each other, such as one for the devices of each maker, and again on the same
//! cluster.

use crate::files::Files;
use crate::{JudgedRun, RunVerdict};
use serde_json::Value;

/// Verdicts of several runs on one requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together<'a> {
    /// The one that decides.
    pub deciding: &'a RunVerdict,
    /// The runs that passed it, by their place in the list.
    pub passed: Vec<usize>,
    /// The runs that did not, where one on the same cluster did: they could not tell, or did not try it.
    pub replaced: Vec<usize>,
}

/// Word of a run for the cluster's name where it may not read it.
const UNREADABLE: &str = "not readable";

/// Weight of a verdict among those of one cluster: what failed is never replaced, and what could not be told is.
fn within(verdict: &RunVerdict) -> u8 {
    match verdict {
        _ if verdict.word == "failed" => 5,
        // What one showed on simulated devices would stand beside as proof.
        RunVerdict { passed: true, simulated: true, .. } => 4,
        RunVerdict { passed: true, .. } => 3,
        RunVerdict { not_applicable: true, .. } => 2,
        _ if verdict.word == "not run" => 0,
        _ => 1,
    }
}

/// Weight of a verdict among those of several clusters: the worst decides. A cluster on which it was not tried says
/// nothing against one that passed.
fn between(verdict: &RunVerdict) -> u8 {
    match verdict {
        _ if verdict.word == "failed" => 5,
        // Where it was to be tried and was not, it may apply.
        _ if verdict.word == "not run" => 1,
        RunVerdict { passed: true, simulated: false, .. } => 2,
        RunVerdict { passed: true, .. } => 3,
        RunVerdict { not_applicable: true, .. } => 0,
        _ => 4,
    }
}

/// The cluster of a run and its version; nothing where the run does not say which it was.
fn cluster(run: &JudgedRun) -> Option<(&Value, &Value)> {
    let fingerprint = run.facts.pointer("/cluster/fingerprint")?;
    if fingerprint.as_str().is_none_or(|text| text.is_empty() || text == UNREADABLE) {
        return None;
    }
    Some((fingerprint, run.facts.pointer("/cluster/version")?))
}

/// Tells whether two runs were on one cluster, which did not change its version in between.
pub fn on_one_cluster(one: &JudgedRun, other: &JudgedRun) -> bool {
    cluster(one).is_some_and(|known| cluster(other) == Some(known))
}

/// The verdict that runs come to together on a requirement; nothing where none has one.
pub fn together<'a>(runs: &'a [JudgedRun], requirement: &str) -> Option<Together<'a>> {
    let verdict = |run: &'a JudgedRun| run.verdicts.iter().find(|verdict| verdict.requirement == requirement);
    let known: Vec<(usize, &JudgedRun, &RunVerdict)> =
        runs.iter().enumerate().filter_map(|(place, run)| Some((place, run, verdict(run)?))).collect();
    // Of one cluster the weightiest stands for all; the first where several are alike.
    let stands = |place: usize, run: &JudgedRun, own: &RunVerdict| {
        known.iter().all(|(other, of, verdict)| {
            *other == place
                || !on_one_cluster(run, of)
                || (within(own), std::cmp::Reverse(place)) > (within(verdict), std::cmp::Reverse(*other))
        })
    };
    let standing: Vec<_> = known.iter().filter(|(place, run, own)| stands(*place, run, own)).collect();
    let (.., deciding) = standing.iter().rev().max_by_key(|(.., verdict)| between(verdict))?;
    let is_replaced = |place: usize, run: &JudgedRun, own: &RunVerdict| {
        within(own) < 2
            && standing.iter().any(|(other, of, it)| *other != place && it.passed && on_one_cluster(run, of))
    };
    Some(Together {
        deciding,
        passed: known.iter().filter(|(.., verdict)| verdict.passed).map(|(place, ..)| *place).collect(),
        replaced: known
            .iter()
            .filter(|(place, run, own)| is_replaced(*place, run, own))
            .map(|(place, ..)| *place)
            .collect(),
    })
}

/// Folder of a submission in which the artifacts of one of its runs lie, by the name of a file there: its own, or `also-N/`
/// ([`crate::submit::folder`]).
pub fn folder_of_run(file: &str) -> Option<&str> {
    let folder = file.rfind('/').map_or("", |place| &file[..=place]);
    let number = folder.strip_prefix("also-").and_then(|rest| rest.strip_suffix('/'));
    let is_of_run =
        folder.is_empty() || number.is_some_and(|number| number.bytes().all(|it| it.is_ascii_digit()));
    is_of_run.then_some(folder)
}

/// Tells whether two artifacts of a submission are of two of its runs: what one has skipped, the other may have shown. Only those
/// beside which their run lies, because they are held against its evidence.
pub fn of_two_runs(files: &Files, one: &str, other: &str) -> bool {
    let is_shown = |folder: &str| files.get(&format!("{folder}run/manifest.json")).is_some();
    let folders = folder_of_run(one).zip(folder_of_run(other));
    folders.is_some_and(|(one, other)| one != other && is_shown(one) && is_shown(other))
}

/// Requirements of a run that the artifacts of a submission leave out: a test that is none of "passed", "skipped" has the programme's
/// validator refuse the whole artifact. Everything else that is published says what they came to.
pub fn left_out(run: &JudgedRun) -> Vec<String> {
    let is_left =
        |verdict: &&RunVerdict| !verdict.passed && !verdict.not_applicable && verdict.word != "not run";
    run.verdicts.iter().filter(is_left).map(|verdict| verdict.requirement.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(cluster: &str, word: &str) -> JudgedRun {
        let verdict = RunVerdict {
            requirement: "a".into(),
            test: "TestA".into(),
            passed: word.starts_with("passed"),
            simulated: word == "passed (simulated)",
            not_applicable: word == "not applicable",
            word: word.into(),
            why: String::new(),
            against: Vec::new(),
            failed_by_interpretation_alone: false,
        };
        let fingerprint = if cluster.is_empty() { Value::Null } else { json!(cluster) };
        let facts = json!({"cluster": {"fingerprint": fingerprint, "version": "v1.37.0"}});
        JudgedRun { verdicts: vec![verdict], facts, ..JudgedRun::default() }
    }

    fn word(runs: &[(&str, &str)]) -> (String, Vec<usize>, Vec<usize>) {
        let runs: Vec<JudgedRun> = runs.iter().map(|(cluster, word)| run(cluster, word)).collect();
        let together = together(&runs, "a").unwrap();
        (together.deciding.word.clone(), together.passed, together.replaced)
    }

    #[test]
    fn on_one_cluster_what_could_not_be_told_is_replaced_and_what_failed_is_not() {
        for (first, later, stands) in [
            ("inconclusive", "passed", "passed"),
            ("not run", "passed", "passed"),
            ("passed", "inconclusive", "passed"),
            ("failed", "passed", "failed"),
            ("passed", "failed", "failed"),
            ("inconclusive", "failed", "failed"),
            ("inconclusive", "not applicable", "not applicable"),
            ("passed (simulated)", "passed", "passed (simulated)"),
        ] {
            assert_eq!(word(&[("c", first), ("c", later)]).0, stands, "{first}, then {later}");
        }
        assert_eq!(word(&[("c", "inconclusive"), ("c", "passed")]), ("passed".into(), vec![1], vec![0]));
        // Who does not say which cluster it was replaces nothing.
        assert_eq!(word(&[("", "inconclusive"), ("", "passed")]).0, "inconclusive");
        assert_eq!(word(&[(UNREADABLE, "inconclusive"), (UNREADABLE, "passed")]).0, "inconclusive");
    }

    #[test]
    fn of_several_clusters_the_worst_decides() {
        for (one, other, decides) in [
            ("passed", "inconclusive", "inconclusive"),
            ("inconclusive", "failed", "failed"),
            ("passed", "passed (simulated)", "passed (simulated)"),
            ("passed", "not run", "passed"),
            ("passed", "not applicable", "passed"),
            ("not run", "not applicable", "not run"),
        ] {
            assert_eq!(word(&[("c", one), ("d", other)]).0, decides, "{one} and {other}");
            assert_eq!(word(&[("c", other), ("d", one)]).0, decides, "{other} and {one}");
        }
        assert_eq!(word(&[("c", "passed"), ("d", "passed")]), ("passed".into(), vec![0, 1], Vec::new()));
        assert_eq!(together(&[run("c", "passed")], "b"), None);
    }

    #[test]
    fn a_cluster_of_another_version_is_another() {
        let mut runs = [run("c", "inconclusive"), run("c", "passed")];
        assert!(on_one_cluster(&runs[0], &runs[1]));
        runs[1].facts["cluster"]["version"] = json!("v1.37.1");
        assert_eq!(together(&runs, "a").unwrap().deciding.word, "inconclusive");
    }

    #[test]
    fn what_a_validator_would_take_for_a_failure_is_left_out() {
        let left = |word: &str| left_out(&run("c", word)).len();
        assert_eq!(["failed", "inconclusive"].map(left), [1, 1]);
        assert_eq!(["passed", "passed (simulated)", "not applicable", "not run"].map(left), [0; 4]);
    }
}
