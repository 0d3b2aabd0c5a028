//! The catalogue against the programme's own checklists, which are read from a clone and never copied.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use aiconform_model::catalogue::{RELEASES, requirements};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

#[test]
fn the_catalogue_is_what_the_checklists_say() {
    let Ok(program) = std::env::var("AICONFORM_PROGRAM_DIR") else {
        // Straight to stderr: what a test prints is kept back when it does not fail.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no corpus\n");
        return;
    };
    for release in RELEASES {
        let text = std::fs::read_to_string(format!("{program}/docs/AIConformance-{release}.yaml")).unwrap();
        let document: Value = serde_saphyr::from_str(&text).unwrap();
        let mut theirs = BTreeSet::new();
        for (category, items) in document["spec"].as_object().unwrap() {
            for item in items.as_array().unwrap() {
                let digest: String = Sha256::digest(item["description"].as_str().unwrap())
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                let (id, level) = (item["id"].as_str().unwrap(), item["level"].as_str().unwrap());
                theirs.insert((id.to_owned(), category.clone(), level.to_owned(), digest));
            }
        }
        let ours: BTreeSet<_> = requirements()
            .iter()
            .filter_map(|found| {
                let there = found.releases.iter().find(|there| there.release == *release)?;
                Some((
                    found.id.clone(),
                    found.category.clone(),
                    there.level.word().to_owned(),
                    there.sentence.clone(),
                ))
            })
            .collect();
        assert_eq!(ours, theirs, "{release}");
    }
}
