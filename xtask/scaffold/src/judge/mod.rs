//! Outcomes from what was seen: pure functions, which name nothing that acts.

use crate::marks::Mark;
use aiconform_trial::{Guard, Marked, Story, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// What is read of a subject's story, once.
pub struct History {
    marks: Vec<Marked<Mark>>,
    lack: String,
}

impl History {
    /// Reads a story.
    ///
    /// # Errors
    /// Why nothing can be told of it.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        Ok(History { marks: story.marks()?, lack: story.lack("it was not asked") })
    }
}

/// Why nothing can be believed.
pub fn doubt(story: &Story<'_>, _: &History) -> Option<String> {
    story.doubt(Guard { watches: &|_| true, admitted: &mut |_| None, own: &mut |_| None })
}

/// Control: the test itself came to its end.
pub fn test_works(history: &History) -> Outcome {
    match history.marks.last() {
        Some(Marked { mark: Mark::Asked { .. }, .. }) => met("it was asked"),
        _ => unknown(history.lack.clone()),
    }
}

/// The thing answers.
pub fn thing_works(history: &History) -> Outcome {
    history.marks.iter().find_map(|marked| match marked.mark {
        Mark::Asked { answered: true } => Some(met("it answered")),
        Mark::Asked { answered: false } => Some(unmet("it did not answer", [marked.at])),
        Mark::Ask {} => None,
    })
    .unwrap_or_else(|| unknown(history.lack.clone()))
}
