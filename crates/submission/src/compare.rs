//! What got better or worse between two runs, or two submissions.

use crate::artifact::Outcome;
use crate::case::Case;
use crate::finding::Level;
use crate::{Given, review};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// One of the two sides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// What it is, for people.
    pub title: String,
    /// Release of the checklist.
    pub release: String,
    /// What can be compared, by name.
    pub items: BTreeMap<String, Item>,
}

/// One thing that can be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// How good it is.
    pub state: State,
    /// The same, in words.
    pub word: String,
    /// Why, in a sentence, or nothing.
    pub why: String,
    /// Whether it counts: that it gets worse is a regression.
    pub counts: bool,
    /// Whether it is there only because it is wrong, so that it is good when it is gone.
    pub fault: bool,
    /// How long it took, where that is known.
    pub seconds: Option<f64>,
}

/// How good something is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Shown not to hold.
    Bad,
    /// Neither shown to hold nor not to.
    Unknown,
    /// Not tried, or said not to apply.
    Skipped,
    /// Holds in part, or on simulated devices.
    Partly,
    /// Shown to hold.
    Good,
}

/// How something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It got worse.
    Worse,
    /// It was tried, and is not any more.
    NewlySkipped,
    /// It is as good, and takes longer.
    Slower,
    /// It got better.
    Better,
    /// It is compared for the first time.
    New,
    /// The other release does not ask for it.
    NotAsked,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Worse => "worse",
            Kind::NewlySkipped => "newly skipped",
            Kind::Slower => "slower",
            Kind::Better => "better",
            Kind::New => "new",
            Kind::NotAsked => "not asked any more",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// How it changed.
    pub kind: Kind,
    /// What.
    pub name: String,
    /// How it was, in words.
    pub before: String,
    /// How it is, in words.
    pub after: String,
    /// Why, in a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Whether it is a regression.
    pub regression: bool,
}

/// All changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The older side.
    pub before: String,
    /// The newer side.
    pub after: String,
    /// The changes, the gravest first.
    pub changes: Vec<Change>,
    /// How many things are the same.
    pub same: usize,
}

impl Comparison {
    /// Whether something that counts got worse or is not tried any more.
    pub fn regression(&self) -> bool {
        self.changes.iter().any(|change| change.regression)
    }
}

/// From how many times as long on something is called slower, and from how many seconds more.
const SLOWER: (f64, f64) = (1.5, 10.0);

/// Compares two sides.
pub fn compare(before: &Side, after: &Side) -> Comparison {
    let mut changes = Vec::new();
    let mut same = 0;
    let names: BTreeSet<&String> = before.items.keys().chain(after.items.keys()).collect();
    for name in names {
        let change = match (before.items.get(name), after.items.get(name)) {
            (Some(old), Some(new)) => changed(name, old, new),
            (Some(old), None) => Some(gone(name, old, before, after)),
            (None, Some(new)) => Some(Change {
                kind: if new.state == State::Bad { Kind::Worse } else { Kind::New },
                name: name.clone(),
                before: "not there".into(),
                after: new.word.clone(),
                why: new.why.clone(),
                regression: new.counts && new.state == State::Bad && asked(name, &before.release),
            }),
            (None, None) => None,
        };
        match change {
            Some(change) => changes.push(change),
            None => same += 1,
        }
    }
    changes.sort_by_key(|change| (!change.regression, change.kind));
    Comparison { before: before.title.clone(), after: after.title.clone(), changes, same }
}

fn changed(name: &str, old: &Item, new: &Item) -> Option<Change> {
    let kind = if new.state == State::Skipped && old.state != State::Skipped {
        Kind::NewlySkipped
    } else if new.state < old.state && old.state != State::Skipped {
        Kind::Worse
    } else if new.state > old.state {
        Kind::Better
    } else if new.state < old.state {
        // What was not tried came out badly: it is known now.
        if new.state == State::Bad { Kind::Worse } else { Kind::New }
    } else {
        let (was, is) = old.seconds.zip(new.seconds)?;
        (is > was * SLOWER.0 && is > was + SLOWER.1).then_some(Kind::Slower)?
    };
    let words = |item: &Item| match item.seconds.filter(|_| kind == Kind::Slower) {
        Some(seconds) => format!("{} in {seconds:.0} s", item.word),
        None => item.word.clone(),
    };
    Some(Change {
        kind,
        name: name.to_owned(),
        before: words(old),
        after: words(new),
        why: if matches!(kind, Kind::Worse | Kind::NewlySkipped) { new.why.clone() } else { String::new() },
        regression: new.counts && matches!(kind, Kind::Worse | Kind::NewlySkipped),
    })
}

/// Something that the newer side does not have at all.
fn gone(name: &str, old: &Item, before: &Side, after: &Side) -> Change {
    let still_asked = before.release == after.release || asked(name, &after.release);
    let kind = match (still_asked, old.state) {
        (false, _) => Kind::NotAsked,
        (true, _) if old.fault => Kind::Better,
        (true, State::Skipped) => Kind::NotAsked,
        (true, _) => Kind::NewlySkipped,
    };
    Change {
        kind,
        name: name.to_owned(),
        before: old.word.clone(),
        after: "not there".into(),
        why: String::new(),
        regression: old.counts && kind == Kind::NewlySkipped,
    }
}

/// Whether a release asks for the requirement with which a name begins; other names are asked for by all.
fn asked(name: &str, release: &str) -> bool {
    let id = name.split(['/', ' ']).next().unwrap_or(name);
    aiconform_model::catalogue::requirement(id).is_none_or(|requirement| requirement.level(release).is_some())
}

/// A submission as a side: what it says of each requirement, the tests in its artifacts, and what a review finds wrong.
pub fn submission(folder: &Utf8Path, given: &Given<'_>) -> Side {
    let case = Case::read(folder, given);
    let mut side =
        Side { title: case.title(), release: case.release.clone().unwrap_or_default(), ..Side::default() };
    for (asked, answer) in case.answered() {
        let state = match answer.status.text.as_str() {
            "Implemented" => State::Good,
            "Partially Implemented" => State::Partly,
            "N/A" => State::Skipped,
            "Not Implemented" => State::Bad,
            _ => State::Unknown,
        };
        let word = format!("{} ({})", answer.status.text, asked.level());
        side.items.insert(
            asked.id.clone(),
            Item { state, word, why: String::new(), counts: true, fault: false, seconds: None },
        );
    }
    for artifact in case.artifacts() {
        for (name, (outcome, _)) in artifact.outcomes() {
            let (state, word) = match outcome {
                Outcome::Pass => (State::Good, "passed"),
                Outcome::Fail => (State::Bad, "failed"),
                Outcome::Skip => (State::Skipped, "skipped"),
            };
            let item = Item {
                state,
                word: word.into(),
                why: String::new(),
                counts: true,
                fault: false,
                seconds: None,
            };
            side.items.insert(format!("{name} in {}", artifact.file), item);
        }
    }
    let review = review(&[Utf8PathBuf::from(folder)], given);
    for finding in review.submissions.iter().flat_map(|reviewed| &reviewed.findings) {
        if finding.level == Level::Error {
            let name = match finding.requirement.as_str() {
                "" => format!("review: {}", finding.rule),
                id => format!("{id} in the review: {}", finding.rule),
            };
            let why = finding.says.clone();
            side.items.entry(name).or_insert(Item {
                state: State::Bad,
                word: "an error".into(),
                why,
                counts: true,
                fault: true,
                seconds: None,
            });
        }
    }
    side
}

/// The comparison as text.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} -> {}", comparison.before, comparison.after);
    for change in &comparison.changes {
        let mark = if change.regression { "REGRESSION " } else { "" };
        let _ = write!(
            out,
            "  {mark}{}: {}: {} -> {}",
            change.kind.word(),
            change.name,
            change.before,
            change.after
        );
        let _ = if change.why.is_empty() { writeln!(out) } else { writeln!(out, " ({})", change.why) };
    }
    let regressions = comparison.changes.iter().filter(|change| change.regression).count();
    let _ = writeln!(
        out,
        "{} changed, {} regressions, {} the same",
        comparison.changes.len(),
        regressions,
        comparison.same
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(state: State) -> Item {
        Item {
            state,
            word: format!("{state:?}"),
            why: "because".into(),
            counts: true,
            fault: false,
            seconds: None,
        }
    }

    fn side(release: &str, items: &[(&str, State)]) -> Side {
        let items = items.iter().map(|(name, state)| ((*name).to_owned(), item(*state))).collect();
        Side { title: release.into(), release: release.into(), items }
    }

    fn kinds(before: &[(&str, State)], after: &[(&str, State)]) -> (Vec<Kind>, bool) {
        let comparison = compare(&side("1.36", before), &side("1.36", after));
        (comparison.changes.iter().map(|change| change.kind).collect(), comparison.regression())
    }

    #[test]
    fn every_change_has_its_kind_and_only_a_loss_is_a_regression() {
        use State::{Bad, Good, Partly, Skipped, Unknown};
        let one = |old, new| {
            let (kinds, regression) = kinds(&[("gang_scheduling", old)], &[("gang_scheduling", new)]);
            (kinds.first().copied(), regression)
        };
        assert_eq!(one(Good, Good), (None, false));
        assert_eq!(one(Good, Bad), (Some(Kind::Worse), true));
        assert_eq!(one(Good, Partly), (Some(Kind::Worse), true));
        assert_eq!(one(Good, Unknown), (Some(Kind::Worse), true));
        assert_eq!(one(Good, Skipped), (Some(Kind::NewlySkipped), true));
        assert_eq!(one(Bad, Skipped), (Some(Kind::NewlySkipped), true));
        assert_eq!(one(Bad, Good), (Some(Kind::Better), false));
        assert_eq!(one(Skipped, Good), (Some(Kind::Better), false));
        assert_eq!(one(Skipped, Bad), (Some(Kind::Worse), true));
        assert_eq!(kinds(&[("gang_scheduling", Good)], &[]), (vec![Kind::NewlySkipped], true));
        assert_eq!(kinds(&[], &[("gang_scheduling", Good)]), (vec![Kind::New], false));
    }

    #[test]
    fn a_fault_that_is_new_is_a_regression_and_one_that_is_gone_is_better() {
        let faulty = || {
            let mut faulty = side("1.37", &[("review: known_keys", State::Bad)]);
            faulty.items.values_mut().for_each(|item| item.fault = true);
            faulty
        };
        let none = side("1.37", &[]);
        let (new, gone) = (compare(&none, &faulty()), compare(&faulty(), &none));
        assert_eq!((new.changes[0].kind, new.regression()), (Kind::Worse, true));
        assert_eq!((gone.changes[0].kind, gone.regression()), (Kind::Better, false));
    }

    #[test]
    fn what_another_release_does_not_ask_is_no_loss() {
        let before = side("1.35", &[("dra_support", State::Good), ("dra_support/main/served", State::Good)]);
        let comparison = compare(&before, &side("1.37", &[]));
        assert!(!comparison.regression());
        assert!(comparison.changes.iter().all(|change| change.kind == Kind::NotAsked), "{comparison:?}");
    }

    #[test]
    fn slower_is_told_and_no_regression() {
        let timed = |seconds: f64| {
            let mut side = side("1.37", &[("gang_scheduling", State::Good)]);
            side.items.values_mut().for_each(|item| item.seconds = Some(seconds));
            side
        };
        assert_eq!(compare(&timed(20.0), &timed(29.0)).changes, []);
        assert_eq!(compare(&timed(2.0), &timed(9.0)).changes, []);
        let slower = compare(&timed(20.0), &timed(40.0));
        assert_eq!((slower.changes[0].kind, slower.regression()), (Kind::Slower, false));
        assert!(
            text(&slower).contains("slower: gang_scheduling: Good in 20 s -> Good in 40 s"),
            "{}",
            text(&slower)
        );
    }
}
