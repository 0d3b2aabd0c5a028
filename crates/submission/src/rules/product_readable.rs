//! The product file can be read.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, Unreadable, place_of};
use crate::files::Unread;
use crate::finding::{Level, Origin};
use crate::product::LARGEST;
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "product_readable",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "PRODUCT.yaml is an ordinary file with YAML in it, no key of which comes twice",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Err(why) = &case.read else { return };
    let (place, why) = match why {
        Unreadable::File(Unread::Missing) => {
            (Place::default(), "there is no PRODUCT.yaml in the folder".to_owned())
        }
        Unreadable::File(Unread::NotPlain) => (
            Place::default(),
            "PRODUCT.yaml is a link or no ordinary file; put the file itself here".to_owned(),
        ),
        Unreadable::File(_) => (Place::default(), "PRODUCT.yaml cannot be opened".to_owned()),
        Unreadable::TooLarge(size) => {
            (Place::default(), format!("PRODUCT.yaml has {size} bytes; it is not read beyond {LARGEST}"))
        }
        Unreadable::Bytes(offset) => {
            (place_of(&case.text, *offset), "this is no UTF-8; save the file as UTF-8".to_owned())
        }
        Unreadable::Yaml(error) => (error.place, format!("this cannot be read: {}", error.why)),
    };
    found.at(place, "", why);
}
