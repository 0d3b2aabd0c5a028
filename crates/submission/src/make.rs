//! Making a submission: from a run folder and what the vendor says to a folder that the programme's validator accepts, under
//! pseudonyms and signed where that is wanted. Nothing is left when it cannot be made whole.

use crate::files::Files;
use crate::signature::{self, SigningKey};
use crate::staging::{Staging, StagingError, is_filled};
use crate::submit::derived::{Renaming, differences};
use crate::submit::upstream::Upstream;
use crate::submit::{Answers, Refused, folder, submission};
use crate::together::together;
use crate::{Given, JudgedRun, RunFolders, members, review, show};
use aiconform_evidence::derive::{DeriveError, Key, KeyError, Names};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that a submission is made of: paths and choices.
#[derive(Clone, Debug)]
pub struct Order {
    /// The run folder.
    pub run: Utf8PathBuf,
    /// Folders of further runs of the same product: of other clusters, and again of the same one.
    pub also: Vec<Utf8PathBuf>,
    /// A clone of the programme's repository, whose template is filled.
    pub program: Utf8PathBuf,
    /// File with what the vendor says of the product (TOML).
    pub product: Utf8PathBuf,
    /// The folder to make, as `vX.Y/NAME`; new or empty.
    pub output: Utf8PathBuf,
    /// Names of the foundation's members, one a line.
    pub members: Option<Utf8PathBuf>,
    /// Set if it may stand on simulated devices and on what was not tried, as a demonstration.
    pub demo: bool,
    /// Artifacts of the programme's own tests.
    pub upstream: Vec<Utf8PathBuf>,
    /// The private key that signs it.
    pub sign: Option<Utf8PathBuf>,
    /// Pseudonyms for the platform's names; `None` publishes names as they were seen, without the run.
    pub pseudonyms: Option<Pseudonyms>,
}

/// Way in which the platform's names become pseudonyms.
#[derive(Clone, Debug)]
pub struct Pseudonyms {
    /// The key that chooses them.
    pub key: KeyFile,
    /// Words that are names too.
    pub hide: Vec<String>,
}

/// Where the key of pseudonyms is.
#[derive(Clone, Debug)]
pub enum KeyFile {
    /// Nowhere: it is made and forgotten.
    Forgotten,
    /// In this file.
    Kept(Utf8PathBuf),
    /// It is made, and kept in this new file together with the submission.
    New(Utf8PathBuf),
}

/// A submission that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Names of its files and folders, from its folder.
    pub files: Vec<String>,
    /// Id of the key that signed it.
    pub signed_by: Option<String>,
    /// Numbers of names that are pseudonyms, and that stay as words that name nobody.
    pub names: Option<(usize, usize)>,
}

/// A submission that was not made, and why; nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// A file or a path is not what it must be: the user's to correct.
    #[error("{0}")]
    Input(String),
    /// The run does not support a submission; each reason.
    #[error("the run does not support a submission:\n{}", .0.join("\n"))]
    Unsupported(Vec<String>),
    /// Under pseudonyms the run comes to something else; each difference.
    #[error(
        "under pseudonyms the run comes to something else, so nothing was written:\n- {}\ntell the project, and submit with --names-as-seen meanwhile",
        .0.join("\n- ")
    )]
    Differs(Vec<String>),
    /// The validator would refuse it; the review, as a table.
    #[error("the programme's validator would refuse this submission; nothing was written")]
    Invalid(String),
    /// The run cannot be put under pseudonyms.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The run under pseudonyms cannot be judged.
    #[error("the derived run: {0}")]
    Derived(String),
    /// It cannot be signed.
    #[error("{0}")]
    Unsigned(String),
    /// There is no place for it.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// It cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<Refused> for NotMade {
    fn from(refused: Refused) -> NotMade {
        match refused {
            Refused::Input(why) => NotMade::Input(why),
            Refused::Unsupported(reasons) => NotMade::Unsupported(reasons),
        }
    }
}

impl Order {
    /// Every run folder, the first first.
    fn runs(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        std::iter::once(&self.run).chain(&self.also)
    }
}

fn input(error: impl std::fmt::Display) -> NotMade {
    NotMade::Input(error.to_string())
}

/// Sources that were read for a submission.
struct Sources {
    answers: Answers,
    members: Option<BTreeSet<String>>,
    target: Utf8PathBuf,
    template: String,
    signing: Option<SigningKey>,
    /// The run and the programme's artifacts: as they are, or under pseudonyms.
    shown: Shown,
}

/// Things that a submission shows.
struct Shown {
    /// The run, and those beside it.
    runs: Vec<JudgedRun>,
    upstream: Vec<Upstream>,
}

/// Makes a submission. Run folders are judged by `runs`.
///
/// # Errors
/// [`NotMade`], with everything that the user can mend at once.
pub fn make(order: &Order, runs: &dyn RunFolders) -> Result<Made, NotMade> {
    let Sources { answers, members, target, template, signing, shown } = Sources::read(order, runs)?;
    let files = |shown: &Shown| submission(&shown.runs, &template, &answers, order.demo, &shown.upstream);
    // What the run does not support is told before anything is derived, and by the names that the user knows.
    files(&shown)?;
    let key = order.pseudonyms.as_ref().map(|pseudonyms| pseudonyms.key.open()).transpose()?;
    let staging = Staging::beside(&target)?;
    let (shown, names) = match order.pseudonyms.as_ref().zip(key.as_ref()) {
        Some((pseudonyms, key)) => {
            let (shown, names) = derive(order, &shown, key, &pseudonyms.hide, staging.folder(), runs)?;
            (shown, Some(names))
        }
        None => (shown, None),
    };
    let mut made = Vec::new();
    for (name, content) in files(&shown)? {
        staging.write(&name, &content)?;
        made.push(name);
    }
    if names.is_some() {
        made.extend((0..shown.runs.len()).map(|place| format!("{}run", folder(place))));
    }
    if let Some(signing) = &signing {
        staging.write(signature::FILE, &sign(signing, &shown.runs, staging.folder())?)?;
        made.push(signature::FILE.to_owned());
    }
    let templates = Some(templates(order));
    let given = Given { members, templates, validator_only: true, ..Given::default() };
    let review = review(&[staging.folder().to_owned()], &given);
    if !review.valid() {
        return Err(NotMade::Invalid(staging.shown(&show::table(&review, false, false))));
    }
    staging.make_room()?;
    if let (Some(Pseudonyms { key: KeyFile::New(file), .. }), Some(key)) = (&order.pseudonyms, &key) {
        key.keep(file).map_err(input)?;
    }
    staging.settle()?;
    Ok(Made { files: made, signed_by: signing.map(|key| key.public().id()), names })
}

/// Folder of the programme's templates.
fn templates(order: &Order) -> Utf8PathBuf {
    order.program.join("docs")
}

impl Sources {
    fn read(order: &Order, runs: &dyn RunFolders) -> Result<Sources, NotMade> {
        let text = fs_err::read_to_string(&order.product).map_err(input)?;
        let answers = Answers::read(&text, order.product.as_str())?;
        let members = match &order.members {
            Some(file) => Some(members(&fs_err::read_to_string(file).map_err(input)?)),
            None => None,
        };
        let all = order.runs().map(|run| judged(run, runs)).collect::<Result<Vec<_>, _>>()?;
        let run = all.first().ok_or_else(|| NotMade::Input("no run is given".into()))?;
        if let Some((path, other)) = order.runs().zip(&all).find(|(_, other)| other.release != run.release) {
            let why = format!(
                "{path}: the run is of release {}, and {} of {}; a submission is of one release",
                other.release, order.run, run.release
            );
            return Err(NotMade::Input(why));
        }
        let id = |run: &JudgedRun| run.facts.get("id").and_then(|id| id.as_str()).map(str::to_owned);
        let mut ids = BTreeSet::new();
        if let Some(twice) = all.iter().filter_map(id).find(|id| !ids.insert(id.clone())) {
            return Err(NotMade::Input(format!("the run {twice} is given twice")));
        }
        let target = target(&order.output, &run.release)?;
        let template = templates(order).join(format!("AIConformance-{}.yaml", run.release));
        let template = fs_err::read_to_string(&template).map_err(|error| {
            NotMade::Input(format!("there is no template for release {}: {error}", run.release))
        })?;
        let signing = match &order.sign {
            Some(file) => Some(SigningKey::read(file).map_err(input)?),
            None => None,
        };
        let upstream = Upstream::all(artifacts(&order.upstream)?)?;
        Ok(Sources { answers, members, target, template, signing, shown: Shown { runs: all, upstream } })
    }
}

fn judged(run: &Utf8Path, runs: &dyn RunFolders) -> Result<JudgedRun, NotMade> {
    runs.judge(run, true).map_err(|error| NotMade::Input(format!("{run}: {error}")))
}

/// Where the submission is to be: in the folder of the run's release, and nowhere where something is.
fn target(output: &Utf8Path, release: &str) -> Result<Utf8PathBuf, NotMade> {
    let folder = format!("v{release}");
    let target = camino::absolute_utf8(output)?;
    let (Some(_), Some(parent)) = (target.file_name(), target.parent()) else {
        return Err(NotMade::Input(format!("{target} is no folder of a submission; name {folder}/NAME")));
    };
    if parent.file_name() != Some(&folder) {
        return Err(NotMade::Input(format!(
            "the run is of release {release}, so the submission belongs into {folder}/NAME, not {target}"
        )));
    }
    if is_filled(&target) {
        let why = format!("{target} is not empty; a submission is never written over another");
        return Err(NotMade::Input(why));
    }
    Ok(target)
}

/// Artifacts of the programme's tests: place and content.
fn artifacts(files: &[Utf8PathBuf]) -> Result<Vec<(String, Vec<u8>)>, NotMade> {
    files.iter().map(|file| Ok((file.to_string(), fs_err::read(file).map_err(input)?))).collect()
}

impl KeyFile {
    /// The key; a new one is kept when the submission is made.
    fn open(&self) -> Result<Key, NotMade> {
        let key = match self {
            KeyFile::Forgotten => Key::new(),
            KeyFile::Kept(file) => Key::read(file),
            KeyFile::New(file) if file.exists() => Err(KeyError::There(file.clone())),
            KeyFile::New(_) => Key::new(),
        };
        key.map_err(input)
    }
}

/// Writes every run under pseudonyms into a submission, and judges it: it must come to the same. Gives also how many names were
/// replaced, and how many stay.
fn derive(
    order: &Order,
    original: &Shown,
    key: &Key,
    hide: &[String],
    to: &Utf8Path,
    runs: &dyn RunFolders,
) -> Result<(Shown, (usize, usize)), NotMade> {
    let texts: Vec<String> = original
        .upstream
        .iter()
        .map(|artifact| String::from_utf8_lossy(&artifact.bytes).into_owned())
        .collect();
    let (mut derived, mut upstream) = (Vec::new(), Vec::new());
    let mut renamed = texts.clone();
    let (mut replaced, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for (place, (run, seen)) in order.runs().zip(&original.runs).enumerate() {
        let names = Names::of(run, key, hide, &texts)?;
        let to = to.join(format!("{}run", folder(place)));
        fs_err::create_dir_all(&to)?;
        names.derive(run, &to)?;
        derived.push(the_same(seen, runs.judge(&to, true).map_err(NotMade::Derived)?, &names)?);
        renamed = renamed.iter().map(|text| names.replace(text)).collect();
        replaced.extend(names.replaced().map(|(_, name, _)| name.to_owned()));
        kept.extend(names.kept().map(|(_, name)| name.to_owned()));
    }
    for (artifact, text) in original.upstream.iter().zip(renamed) {
        let renamed = Upstream::read(&artifact.name, text.into_bytes()).ok();
        let Some(renamed) = renamed.filter(|renamed| renamed.says_the_same(artifact)) else {
            let why = format!("{}: a name of the platform is in the name of a test", artifact.name);
            return Err(NotMade::Differs(vec![why]));
        };
        upstream.push(renamed);
    }
    Ok((Shown { runs: derived, upstream }, (replaced.len(), kept.len())))
}

/// A derived run, where it comes to the same as its original and no name is left in what is shown of it.
fn the_same(original: &JudgedRun, derived: JudgedRun, names: &Names) -> Result<JudgedRun, NotMade> {
    let renaming = Renaming { replace: &|text| names.replace(text), nameless: &|text| names.nameless(text) };
    let differences = differences(original, &derived, &renaming);
    if !differences.is_empty() {
        return Err(NotMade::Differs(differences));
    }
    for (name, content) in &derived.views {
        names.look(&String::from_utf8_lossy(content), || name.clone())?;
    }
    Ok(derived)
}

/// The signature of every file of a submission, and of what it says.
fn sign(key: &SigningKey, runs: &[JudgedRun], at: &Utf8Path) -> Result<Vec<u8>, NotMade> {
    let Some(run) = runs.first() else { return Err(NotMade::Unsigned("there is no run to sign".into())) };
    let files = Files::of(at);
    if files.more {
        let why = "the submission has more or larger files than a review reads";
        return Err(NotMade::Unsigned(why.into()));
    }
    let mut digests = BTreeMap::new();
    for file in &files.all {
        let larger = |_| NotMade::Unsigned(format!("{} is larger than a review reads", file.name));
        digests.insert(file.name.clone(), files.digest(&file.name).map_err(larger)?);
    }
    let ids = runs.iter().flat_map(|run| &run.verdicts).map(|verdict| verdict.requirement.as_str());
    let told = ids.filter_map(|id| Some((id, together(runs, id)?.deciding.word.as_str())));
    let verdicts: BTreeMap<&str, &str> = told.collect();
    let also: Vec<_> =
        (1..runs.len()).map(|place| digests.get(&format!("{}run/manifest.json", folder(place)))).collect();
    let predicate = serde_json::json!({
        "tool": run.facts.get("tool"), "release": run.release, "cluster": run.facts.pointer("/cluster/version"),
        "run": {"manifest": digests.get("run/manifest.json"), "derivedFrom": run.facts.pointer("/derived/from")},
        "also": also, "verdicts": verdicts,
    });
    signature::sign(key, &digests, predicate).map_err(|error| NotMade::Unsigned(error.to_string()))
}

/// Names of a run and what becomes of them, shown to the vendor alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Each name that is replaced, sorted: what it is of, the name, its pseudonym.
    pub replaced: Vec<(&'static str, String, String)>,
    /// Each name that stays because it is a word: what it is of, and the word.
    pub kept: Vec<(&'static str, String)>,
    /// Number of events that change.
    pub events: usize,
    /// Number of blobs that change.
    pub blobs: usize,
}

/// Looks at what would become of the names of a run and of these artifacts; writes nothing.
///
/// # Errors
/// When the run, the key or an artifact cannot be read.
pub fn preview(
    run: &Utf8Path,
    pseudonyms: &Pseudonyms,
    upstream: &[Utf8PathBuf],
    runs: &dyn RunFolders,
) -> Result<Preview, NotMade> {
    judged(run, runs)?;
    let key = pseudonyms.key.open()?;
    let texts = artifacts(upstream)?;
    let texts: Vec<String> =
        texts.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    let names = Names::of(run, &key, &pseudonyms.hide, &texts)?;
    let mut replaced: Vec<_> = names.replaced().collect();
    replaced.sort();
    let replaced = replaced.into_iter();
    let (events, blobs) = names.changes(run)?;
    Ok(Preview {
        replaced: replaced
            .map(|(sort, name, pseudonym)| (sort.words(), name.to_owned(), pseudonym.to_owned()))
            .collect(),
        kept: names.kept().map(|(sort, name)| (sort.words(), name.to_owned())).collect(),
        events,
        blobs,
    })
}

#[cfg(test)]
mod tests;
