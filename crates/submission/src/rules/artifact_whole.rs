//! An artifact is whole, of one run, and agrees with itself.

use super::{Found, Look, Matter, Rule};
use crate::artifact::TroubleKind;
use crate::case::Case;
use crate::finding::{Level, Origin};

pub const RULE: Rule = Rule {
    id: "artifact_whole",
    level: Level::Error,
    matter: Matter::Contradiction,
    origin: Origin::Ours,
    since: None,
    asks: "an artifact is not cut off, holds one run, and its numbers are those of its tests",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for artifact in case.artifacts() {
        for trouble in &artifact.troubles {
            let level = if trouble.kind == TroubleKind::Format { Level::Warning } else { Level::Error };
            found.weighs(level, &artifact.file, trouble.place, "", trouble.why.clone());
        }
        // What its name makes the programme read is told by another rule, where it is evidence.
        if let Some(trouble) =
            artifact.unreadable.as_ref().filter(|trouble| trouble.kind == TroubleKind::CutOff)
        {
            found.file(&artifact.file, trouble.place, "", trouble.why.clone());
        }
    }
}
