//! The files are what they seem to be.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::files::{Kind, MOST, limit};
use crate::finding::{Level, Origin};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "safe_files",
    level: Level::Error,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "a submission has ordinary files of a reasonable size, no links; text is UTF-8",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    if case.files.more {
        let says = format!(
            "there are more than {MOST} files in the folder, or they are too large, too deep in it, or in a folder that cannot be read; the others were not looked at"
        );
        found.file("", Place::default(), "", says);
    }
    for file in &case.files.all {
        let says = match file.kind {
            Kind::Link => {
                "this is a symbolic link, which is not followed: put the file itself here".to_owned()
            }
            Kind::Other => "this is no ordinary file, or its name is no UTF-8".to_owned(),
            Kind::Plain if file.size > limit(&file.name) => {
                format!("the file has {} bytes; it is not read beyond {}", file.size, limit(&file.name))
            }
            Kind::Plain => {
                let name = file.name.to_ascii_lowercase();
                let text = [".md", ".txt", ".log", ".xml", ".json", ".yaml", ".yml"]
                    .iter()
                    .any(|ending| name.ends_with(ending));
                if text
                    && file.name != crate::case::PRODUCT
                    && let Ok(Err(error)) = case.files.read(&file.name).map(String::from_utf8)
                {
                    let offset = error.utf8_error().valid_up_to();
                    let place = crate::case::place_of(&String::from_utf8_lossy(error.as_bytes()), offset);
                    found.weighs(Level::Warning, &file.name, place, "", "this is no UTF-8");
                }
                continue;
            }
        };
        found.file(&file.name, Place::default(), "", says);
    }
}
