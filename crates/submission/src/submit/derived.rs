//! A derived run must come to the same as its original, in the same words but for the names.

use crate::JudgedRun;
use serde_json::Value;
use std::collections::BTreeMap;

/// Way in which names are taken out of a text.
pub struct Renaming<'a> {
    /// Puts pseudonyms in the place of names.
    pub replace: &'a dyn Fn(&str) -> String,
    /// Puts what it is of in the place of a pseudonym: of several that did the same thing, another may be the one shown.
    pub nameless: &'a dyn Fn(&str) -> String,
}

/// Facts that are told of a requirement, a subject or a claim.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    outcome: String,
    words: Vec<String>,
    text: String,
}

/// Where a derived run comes to something else than its original; nothing, when it does not.
pub fn differences(original: &JudgedRun, derived: &JudgedRun, renaming: &Renaming<'_>) -> Vec<String> {
    let nothing = |_: &str| -> Option<String> { None };
    let replaced = |text: &str| Some((renaming.replace)(text));
    let (before, after) = match (told(original, renaming, &replaced), told(derived, renaming, &nothing)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return vec![why],
    };
    let mut found = Vec::new();
    for (place, own) in &before {
        match after.get(place) {
            None => found.push(format!("{place}: is not judged any more")),
            Some(other) if own.outcome != other.outcome => {
                found.push(format!(
                    "{place}: {} under its names, {} under pseudonyms",
                    own.outcome, other.outcome
                ));
            }
            Some(other) if own.words != other.words => {
                found.push(format!(
                    "{place}: it says {:?} under pseudonyms, and not {:?}",
                    other.text, own.text
                ));
            }
            Some(_) => {}
        }
    }
    found.extend(
        after.keys().filter(|place| !before.contains_key(*place)).map(|place| format!("{place}: is new")),
    );
    found
}

fn told(
    run: &JudgedRun,
    renaming: &Renaming<'_>,
    change: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, Told>, String> {
    let verdict = run.views.iter().find(|(name, _)| name == "verdict.json").map(|(_, content)| content);
    let verdict: Value = verdict
        .and_then(|content| serde_json::from_slice(content).ok())
        .ok_or("the run has no verdict.json; this is a fault of aiconform")?;
    let mut all = BTreeMap::new();
    let changed = |text: &str| change(text).unwrap_or_else(|| text.to_owned());
    let text_of =
        |value: &Value, key: &str| changed(value.get(key).and_then(Value::as_str).unwrap_or_default());
    let list =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for requirement in list(&verdict, "requirements") {
        let id = text_of(&requirement, "requirement");
        let outcome = format!("{}{}", text_of(&requirement, "verdict"), simulated(&requirement));
        all.insert(id.clone(), one(outcome, &[text_of(&requirement, "why")], renaming));
        for subject in list(&requirement, "subjects") {
            let place = format!("{id}, {}", text_of(&subject, "id"));
            let grade = subject.pointer("/grade/level").and_then(Value::as_str).unwrap_or_default();
            let outcome = format!("{} {grade}{}", text_of(&subject, "state"), simulated(&subject));
            all.insert(place.clone(), one(outcome.trim().to_owned(), &[text_of(&subject, "why")], renaming));
            for claim in list(&subject, "claims") {
                let mut texts = Vec::new();
                leaves(&claim, &mut |text| texts.push(changed(text)));
                let told = one(text_of(&claim, "outcome"), &texts, renaming);
                all.insert(format!("{place}, {}", text_of(&claim, "id")), told);
            }
        }
    }
    Ok(all)
}

fn simulated(value: &Value) -> &'static str {
    if value.get("simulated") == Some(&Value::Bool(true)) { " (simulated)" } else { "" }
}

/// The words are sorted, because lists of names stand in the order of the names.
fn one(outcome: String, texts: &[String], renaming: &Renaming<'_>) -> Told {
    let mut words: Vec<String> = texts
        .iter()
        .map(|text| (renaming.nameless)(text))
        .flat_map(|text| {
            text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    words.sort();
    Told { outcome, words, text: texts.join(" ") }
}

fn leaves(value: &Value, tell: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => tell(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, tell)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, tell)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(subject: &str, outcome: &str, seen: &str) -> JudgedRun {
        let verdict = json!({"requirements": [{"requirement": "gang_scheduling", "verdict": "passed", "why": "w",
            "subjects": [{"id": subject, "state": "met", "why": "", "grade": {"level": "G3"}, "simulated": false,
                "claims": [{"id": "all_or_none", "outcome": outcome, "seen": seen}]}]}]});
        JudgedRun {
            views: vec![("verdict.json".into(), verdict.to_string().into_bytes())],
            ..JudgedRun::default()
        }
    }

    fn found(original: &JudgedRun, derived: &JudgedRun) -> Vec<String> {
        let renaming = Renaming {
            replace: &|text| text.replace("cirrus-1", "qwerty-7").replace("cirrus-2", "asdfgh-3"),
            nameless: &|text| text.replace("qwerty-7", "<node>").replace("asdfgh-3", "<node>"),
        };
        differences(original, derived, &renaming)
    }

    #[test]
    fn the_same_under_other_names_is_the_same() {
        let original = run("pool/cirrus-1", "met", "3 pods on cirrus-1, cirrus-2");
        assert!(found(&original, &run("pool/qwerty-7", "met", "3 pods on asdfgh-3, qwerty-7")).is_empty());
    }

    #[test]
    fn another_outcome_subject_or_number_is_told() {
        let original = run("pool", "met", "3 pods on cirrus-1");
        for (derived, words) in [
            (
                run("pool", "unmet", "3 pods on qwerty-7"),
                "all_or_none: met under its names, unmet under pseudonyms",
            ),
            (run("pool", "met", "4 pods on qwerty-7"), "all_or_none: it says"),
            (run("other", "met", "3 pods on qwerty-7"), "gang_scheduling, pool: is not judged any more"),
        ] {
            let found = found(&original, &derived);
            assert!(found.iter().any(|found| found.contains(words)), "{found:?}");
        }
        assert!(!found(&original, &JudgedRun::default()).is_empty());
    }
}
