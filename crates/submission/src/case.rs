//! A submission as the rules see it.

use crate::artifact::{self, Artifact};
use crate::checklist::Checklist;
use crate::evidence::Reference;
use crate::files::{Files, Unread};
use crate::product::{self, Product};
use crate::yaml::{Place, YamlError};
use crate::{Given, RunFolders};
use camino::{Utf8Path, Utf8PathBuf};
use std::sync::OnceLock;

/// Name of the product file.
pub const PRODUCT: &str = "PRODUCT.yaml";

/// A submission as the rules see it.
pub struct Case<'a> {
    /// Inputs that were given for all.
    pub given: &'a Given<'a>,
    /// Its folder.
    pub folder: Utf8PathBuf,
    /// Folder of the release, as `v1.37`, when it lies in one.
    pub release_folder: Option<String>,
    /// Name of its own folder.
    pub name: String,
    /// Release of the checklist that it answers, as `1.37`.
    pub release: Option<String>,
    /// Checklist of that release; an error says why it cannot be read.
    pub checklist: Result<Option<Checklist>, String>,
    /// Set if the checklist stands in the same clone as the submission, so that one hand may have changed
    /// both.
    pub beside: bool,
    /// The text of the product file.
    pub text: String,
    /// The product file, read.
    pub read: Result<Product, Unreadable>,
    /// All its files.
    pub files: Files,
    artifacts: OnceLock<Vec<Artifact>>,
    texts: OnceLock<Vec<(String, String)>>,
}

/// Why a product file cannot be read.
#[derive(Clone, Debug)]
pub enum Unreadable {
    /// The file as such.
    File(Unread),
    /// It is larger than any product file has reason to be.
    TooLarge(u64),
    /// The byte at this offset is no UTF-8.
    Bytes(usize),
    /// It is no YAML.
    Yaml(YamlError),
}

impl<'a> Case<'a> {
    /// Reads a submission; everything that is wrong with it is left to the rules.
    pub fn read(folder: &Utf8Path, given: &'a Given<'a>) -> Case<'a> {
        let real = folder.canonicalize_utf8().unwrap_or_else(|_| folder.to_owned());
        let name = real.file_name().unwrap_or_default().to_owned();
        let parent = real.parent().and_then(Utf8Path::file_name).unwrap_or_default();
        let release_folder = is_release(parent).then(|| parent.to_owned());
        let files = Files::of(folder);
        let (text, read) = read_product(&files);
        let said = read.as_ref().ok().and_then(|product| product.text_of("kubernetesVersion"));
        // Outside a folder of a release, what it says of itself has to do.
        let said = said.and_then(|(version, _)| minor(version));
        let release = release_folder.as_deref().map(|folder| folder[1..].to_owned()).or(said);
        let beside = given.templates.is_none();
        let templates = given.templates.clone().or_else(|| {
            let docs = real.parent()?.parent()?.join("docs");
            docs.is_dir().then_some(docs)
        });
        let checklist = match &release {
            Some(release) => Checklist::of(release, templates.as_deref()),
            None => Ok(None),
        };
        Case {
            given,
            folder: folder.to_owned(),
            release_folder,
            name,
            release,
            checklist,
            beside,
            text,
            read,
            files,
            artifacts: OnceLock::new(),
            texts: OnceLock::new(),
        }
    }

    /// The product file, when it could be read.
    pub fn product(&self) -> Option<&Product> {
        self.read.as_ref().ok()
    }

    /// The checklist, when there is one.
    pub fn asked(&self) -> Option<&Checklist> {
        self.checklist.as_ref().ok()?.as_ref()
    }

    /// `v1.37/name`, or the folder's name alone.
    pub fn title(&self) -> String {
        match &self.release_folder {
            Some(release) => format!("{release}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Each requirement of the checklist with what is said of it, where both are there; a SHOULD that was left as it is
    /// in the template is no answer.
    pub fn answered(&self) -> Vec<(&crate::checklist::Asked, &product::Answer)> {
        let (Some(product), Some(checklist)) = (self.product(), self.asked()) else { return Vec::new() };
        let pairs = checklist.asked.iter().filter_map(|asked| {
            let answer = product.answer_of(&asked.category, &asked.id)?;
            let left = !asked.must && answer.status.text.is_empty() && answer.evidence.is_empty();
            (!left).then_some((asked, answer))
        });
        pairs.collect()
    }

    /// The local files that are named as evidence, with the requirement that names them.
    pub fn references(
        &self,
    ) -> Vec<(&crate::checklist::Asked, &product::Answer, &product::Field, Reference)> {
        let mut all = Vec::new();
        for (asked, answer) in self.answered() {
            for link in answer.links() {
                if let Some(Ok(reference)) = Reference::of(&link.text, self) {
                    all.push((asked, answer, link, reference));
                }
            }
        }
        all
    }

    /// Every test artifact in the folder, by whatever name.
    pub fn artifacts(&self) -> &[Artifact] {
        self.artifacts.get_or_init(|| artifact::find(&self.files, self.given.validator_only))
    }

    /// The artifact in a file.
    pub fn artifact(&self, file: &str) -> Option<&Artifact> {
        self.artifacts().iter().find(|artifact| artifact.file == file)
    }

    /// The files for people, with their texts: what they say, and what terminals have shown.
    pub fn texts(&self) -> &[(String, String)] {
        self.texts.get_or_init(|| {
            let shown = |name: &str| {
                let name = name.to_ascii_lowercase();
                [".md", ".txt", ".markdown", ".rst", ".adoc"].iter().any(|ending| name.ends_with(ending))
            };
            let texts = self.files.all.iter().filter(|file| shown(&file.name)).filter_map(|file| {
                let bytes = self.files.read(&file.name).ok()?;
                Some((file.name.clone(), String::from_utf8(bytes).ok()?))
            });
            texts.collect()
        })
    }

    /// Judge of run folders, when there is one.
    pub fn runs(&self) -> Option<&dyn RunFolders> {
        self.given.runs.map(|runs| runs as &dyn RunFolders)
    }
}

fn read_product(files: &Files) -> (String, Result<Product, Unreadable>) {
    let size = files.get(PRODUCT).map_or(0, |file| file.size);
    if size > product::LARGEST {
        return (String::new(), Err(Unreadable::TooLarge(size)));
    }
    let bytes = match files.read(PRODUCT) {
        Ok(bytes) => bytes,
        Err(why) => return (String::new(), Err(Unreadable::File(why))),
    };
    match String::from_utf8(bytes) {
        Ok(text) => {
            let read = Product::read(&text).map_err(Unreadable::Yaml);
            (text, read)
        }
        Err(error) => {
            let offset = error.utf8_error().valid_up_to();
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Err(Unreadable::Bytes(offset)))
        }
    }
}

/// Tells whether a folder is named like one of a release.
pub fn is_release(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor))
}

/// `v1.37.2` or `1.37` as `1.37`.
pub fn minor(version: &str) -> Option<String> {
    let version = version.trim();
    let mut parts = version.strip_prefix('v').unwrap_or(version).split(['.', '-', '+']);
    let (major, minor) = (parts.next()?, parts.next()?);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(major) && digits(minor)).then(|| format!("{major}.{minor}"))
}

/// Where a byte stands in a text.
pub fn place_of(text: &str, offset: usize) -> Place {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    Place { line, column, length: 0 }
}
