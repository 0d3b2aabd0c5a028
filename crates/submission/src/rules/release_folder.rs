//! The submission lies in the folder of a release that has a checklist.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "release_folder",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Validator,
    since: None,
    asks: "the submission lies in vX.Y/NAME/, and there is a checklist for release X.Y",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    if case.release_folder.is_none() {
        let says = "the submission does not lie in a folder of a release: move it to vX.Y/NAME/, such as v1.37/my-product/";
        found.at(Place::default(), "", says);
    }
    match (&case.checklist, &case.release) {
        (Err(why), _) => {
            found.at(Place::default(), "", format!("the checklist of the release cannot be read: {why}"))
        }
        (Ok(None), Some(release)) => {
            let says = format!("there is no checklist for release {}", quoted(release));
            found.at(Place::default(), "", says);
        }
        _ => {}
    }
}
