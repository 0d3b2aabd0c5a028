//! Changes for better or worse between two runs, or two submissions.

use crate::artifact::Outcome;
use crate::case::{Case, PRODUCT};
use crate::finding::{Level, plain};
use crate::{Given, review};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// One of the two sides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// Title, for people.
    pub title: String,
    /// Release of the checklist.
    pub release: String,
    /// Things that can be compared, by name.
    pub items: BTreeMap<String, Item>,
}

/// One thing that can be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// State: how good it is.
    pub state: State,
    /// State in words.
    pub word: String,
    /// Why, in a sentence, or nothing.
    pub why: String,
    /// Set if it counts: that it gets worse is a regression.
    pub counts: bool,
    /// Set if it is there only because it is wrong, so that it is good when it is gone.
    pub fault: bool,
    /// Seconds that it took, where that is known.
    pub seconds: Option<f64>,
}

/// State of something, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Shown not to hold.
    Bad,
    /// Neither shown to hold nor not to.
    Unknown,
    /// Not tried, or said not to apply.
    Skipped,
    /// Shown not to apply, which is a proof that can be lost.
    NotApplicable,
    /// Holds in part, or on simulated devices.
    Partly,
    /// Shown to hold.
    Good,
}

/// Kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It got worse.
    Worse,
    /// It was tried, and is not any more.
    NewlySkipped,
    /// It is as good, and takes longer.
    Slower,
    /// It is something else, neither better nor worse: that a failure is not seen any more shows nothing.
    Changed,
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
            Kind::Changed => "changed",
            Kind::Better => "better",
            Kind::New => "new",
            Kind::NotAsked => "not asked any more",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Kind of change.
    pub kind: Kind,
    /// Name of the thing.
    pub name: String,
    /// State before, in words.
    pub before: String,
    /// State after, in words.
    pub after: String,
    /// Why, in a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Set if it is a regression.
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
    /// Number of things that are the same.
    pub same: usize,
}

impl Comparison {
    /// Tells whether something that counts got worse or is not tried any more.
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
    // That something does not apply is known only of what was tried.
    let skipped = match new.state {
        State::Skipped => old.state != State::Skipped,
        State::NotApplicable => !matches!(old.state, State::Skipped | State::NotApplicable),
        _ => false,
    };
    let kind = if skipped {
        Kind::NewlySkipped
    } else if new.state < old.state && old.state != State::Skipped {
        Kind::Worse
    } else if (old.state, new.state) == (State::Bad, State::Unknown) {
        Kind::Changed
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
        why: if matches!(kind, Kind::Worse | Kind::NewlySkipped | Kind::Changed) {
            new.why.clone()
        } else {
            String::new()
        },
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

/// Tells whether a release asks for the requirement with which a name begins; other names are asked for by
/// all.
fn asked(name: &str, release: &str) -> bool {
    let id = name.split(['/', ' ']).next().unwrap_or(name);
    aiconform_model::catalogue::requirement(id).is_none_or(|requirement| requirement.level(release).is_some())
}

/// A submission as a side: what it says of each requirement, the tests in its artifacts, and what a review finds wrong.
///
/// # Errors
/// When the product file or its checklist cannot be read, or it answers nothing: two of these would be alike, and
/// nothing would be known of either.
pub fn submission(folder: &Utf8Path, given: &Given<'_>) -> Result<Side, String> {
    let case = Case::read(folder, given);
    let refused = |why: &str| {
        let file = folder.join(PRODUCT);
        Err(plain(&format!("{file} cannot be compared: {why}; `aiconform review` says what is wrong")))
    };
    if case.product().is_none() {
        return refused("it cannot be read");
    }
    match &case.checklist {
        Ok(Some(_)) => {}
        Ok(None) => return refused("there is no checklist of its release"),
        Err(why) => return refused(&format!("the checklist of its release cannot be read: {why}")),
    }
    if case.answered().is_empty() {
        return refused("it answers no requirement of its release");
    }
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
    let mut counts = BTreeMap::new();
    for finding in review.submissions.iter().flat_map(|reviewed| &reviewed.findings) {
        if finding.level == Level::Error {
            let name = match finding.requirement.as_str() {
                "" => format!("review: {} in {}", finding.rule, finding.file),
                id => format!("{id} in the review: {} in {}", finding.rule, finding.file),
            };
            // The second error of a rule in a file is another one, and is seen when it is new.
            let count = counts.entry(name.clone()).or_insert(0_usize);
            *count += 1;
            let name = if *count == 1 { name } else { format!("{name} ({count})") };
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
    Ok(side)
}

/// The comparison as text; what is foreign in it has nothing that a terminal obeys.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} -> {}", plain(&comparison.before), plain(&comparison.after));
    for change in &comparison.changes {
        let mark = if change.regression { "REGRESSION " } else { "" };
        let _ = write!(
            out,
            "  {mark}{}: {}: {} -> {}",
            change.kind.word(),
            plain(&change.name),
            plain(&change.before),
            plain(&change.after)
        );
        let _ =
            if change.why.is_empty() { writeln!(out) } else { writeln!(out, " ({})", plain(&change.why)) };
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
mod tests;
