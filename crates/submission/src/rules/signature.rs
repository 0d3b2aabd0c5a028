//! Signer of the submission, and whether it is what was signed.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::signature::{self, Check, FILE};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "signature",
    level: Level::Error,
    matter: Matter::Contradiction,
    origin: Origin::Ours,
    since: None,
    asks: "what `attestation.dsse.json` signs is every file of the folder, unchanged, and with --verify-key that key has signed it",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let key = case.given.verify_key.as_ref();
    if case.files.get(FILE).is_none() {
        if let Some(key) = key {
            let says = format!("there is no {FILE}, so the key {} has not signed this submission", key.id());
            found.file(FILE, Place::default(), "", says);
        }
        return;
    }
    let bytes = case.files.read(FILE).map_err(|_| "it cannot be read".to_owned());
    let signed = match bytes.and_then(|bytes| signature::read(&bytes)) {
        Ok(signed) => signed,
        Err(why) => {
            found.file(FILE, Place::default(), "", format!("this is no signature: {why}"));
            return;
        }
    };
    if case.files.more {
        found.file(FILE, Place::default(), "", "not all files of the submission were looked at, so it is not known whether they are what was signed");
    }
    for (name, digest) in &signed.files {
        match case.files.digest(name) {
            Ok(there) if there == *digest => {}
            Ok(_) => found.file(name, Place::default(), "", "this file was changed after it was signed"),
            Err(_) => found.file(
                name,
                Place::default(),
                "",
                "this file was signed, and is not there or cannot be read",
            ),
        }
    }
    for file in
        case.files.all.iter().filter(|file| file.name != FILE && !signed.files.contains_key(&file.name))
    {
        found.file(&file.name, Place::default(), "", "this file is not among those that were signed");
    }
    let names = |keys: &[String]| keys.iter().map(|id| quoted(id)).collect::<Vec<_>>().join(", ");
    match key.map(|key| (key, signed.check(key))) {
        None => {
            let says = format!(
                "the submission is signed by the key {}, which was not verified: give the vendor's public key with --verify-key",
                names(&signed.keys())
            );
            found.weighs(Level::Note, FILE, Place::default(), "", says);
        }
        Some((key, Check::Valid)) => {
            let says = format!("the key {} has signed what {FILE} says", key.id());
            found.weighs(Level::Note, FILE, Place::default(), "", says);
        }
        Some((key, Check::Invalid)) => {
            let says =
                format!("the signature is not valid: the key {} has not signed what stands here", key.id());
            found.file(FILE, Place::default(), "", says);
        }
        Some((key, Check::Other(keys))) => {
            let says = format!("another key has signed this: {}, not {}", names(&keys), key.id());
            found.file(FILE, Place::default(), "", says);
        }
    }
}
