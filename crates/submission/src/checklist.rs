//! Requirements of a release: from the programme's own checklist where there is one, else from the catalogue.

use crate::product::Product;
use aiconform_model::catalogue::{Level, requirements};
use camino::Utf8Path;
use sha2::{Digest, Sha256};

/// The requirements of one release.
#[derive(Clone, Debug)]
pub struct Checklist {
    /// The release, as `1.37`.
    pub release: String,
    /// Its requirements.
    pub asked: Vec<Asked>,
}

/// One requirement of a release.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// Set for a MUST.
    pub must: bool,
    /// SHA-256 of the official sentence.
    sentence: String,
}

impl Asked {
    /// The level as the programme writes it.
    pub fn level(&self) -> &'static str {
        if self.must { Level::Must.word() } else { Level::Should.word() }
    }

    /// Tells whether this is the official sentence, however it is broken into lines.
    pub fn says(&self, sentence: &str) -> bool {
        digest(&sentence.split_whitespace().collect::<Vec<_>>().join(" ")) == self.sentence
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Checklist {
    /// The checklist of a release, from the folder of the programme's checklists when it has one, else as this program
    /// knows it. `None` when neither knows the release.
    ///
    /// # Errors
    /// When the programme's checklist is there and cannot be read.
    pub fn of(release: &str, templates: Option<&Utf8Path>) -> Result<Option<Checklist>, String> {
        if let Some(templates) = templates {
            let file = templates.join(format!("AIConformance-{release}.yaml"));
            if file.is_file() {
                let text = fs_err::read_to_string(&file).map_err(|error| error.to_string())?;
                let product = Product::read(&text).map_err(|error| format!("{file}, {error}"))?;
                return Ok(Some(Checklist::of_template(release, &product)));
            }
        }
        let asked: Vec<Asked> = requirements()
            .iter()
            .filter_map(|requirement| {
                let there = requirement.releases.iter().find(|there| there.release == release)?;
                Some(Asked {
                    id: requirement.id.clone(),
                    category: requirement.category.clone(),
                    must: there.level == Level::Must,
                    sentence: there.sentence.clone(),
                })
            })
            .collect();
        Ok((!asked.is_empty()).then(|| Checklist { release: release.to_owned(), asked }))
    }

    /// The checklist that a template is.
    pub fn of_template(release: &str, product: &Product) -> Checklist {
        let asked = product
            .answers()
            .map(|(category, answer)| Asked {
                id: answer.id.text.clone(),
                category: category.name.clone(),
                must: answer.level.text == Level::Must.word(),
                sentence: digest(&answer.description.text),
            })
            .collect();
        Checklist { release: release.to_owned(), asked }
    }

    /// A requirement of it.
    pub fn asked(&self, id: &str) -> Option<&Asked> {
        self.asked.iter().find(|asked| asked.id == id)
    }
}

/// The official sentence of a requirement in a release, from a clone of the programme's repository; said to be changed when
/// it is not the one that the catalogue knows by its digest.
///
/// # Errors
/// When the clone's checklist of that release is not there or cannot be read.
pub fn sentence(program: &Utf8Path, release: &str, id: &str) -> Result<String, String> {
    let file = program.join(format!("docs/AIConformance-{release}.yaml"));
    let text = fs_err::read_to_string(&file).map_err(|error| error.to_string())?;
    let product = Product::read(&text).map_err(|error| format!("{file}, {error}"))?;
    let Some((_, answer)) = product.answers().find(|(_, answer)| answer.id.text == id) else {
        return Ok(format!("(not in {file})"));
    };
    let words = &answer.description.text;
    let known = requirements().iter().find(|requirement| requirement.id == id);
    let known = known.and_then(|known| known.releases.iter().find(|there| there.release == release));
    Ok(if known.is_some_and(|known| known.sentence == digest(words)) {
        words.clone()
    } else {
        format!("{words} (differs from the sentence that this version knows)")
    })
}

/// Tells whether a release is this one or later; releases are written as `1.37`.
pub fn at_least(release: &str, other: &str) -> bool {
    match (number(release), number(other)) {
        (Some(release), Some(other)) => release >= other,
        _ => false,
    }
}

fn number(release: &str) -> Option<(u32, u32)> {
    let (major, minor) = release.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_official_sentence_is_told_with_its_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let program = Utf8Path::from_path(folder.path()).unwrap();
        assert!(
            sentence(program, "1.37", "gang_scheduling").unwrap_err().contains("AIConformance-1.37.yaml")
        );
        fs_err::create_dir(program.join("docs")).unwrap();
        let template = "metadata:\n  kubernetesVersion: v1.37\nspec:\n  scheduling:\n    - id: gang_scheduling\n      description: \"Gangs.\"\n      level: MUST\n";
        fs_err::write(program.join("docs/AIConformance-1.37.yaml"), template).unwrap();
        let told = |id: &str| sentence(program, "1.37", id).unwrap();
        assert_eq!(told("gang_scheduling"), "Gangs. (differs from the sentence that this version knows)");
        assert!(told("ai_inference").starts_with("(not in "));
    }
}
