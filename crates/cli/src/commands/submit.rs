//! `aiconform submit`: from a run to the folder of a submission.

use crate::commands::review::Judge;
use crate::exit::{Exit, UsageError};
use crate::format;
use aiconform_evidence::derive::{Key, KeyError, Names};
use aiconform_submission::files::Files;
use aiconform_submission::signature::{self, SigningKey};
use aiconform_submission::submit::derived::{Renaming, differences};
use aiconform_submission::submit::upstream::Upstream;
use aiconform_submission::submit::{Answers, Refused, submission};
use aiconform_submission::{Given, JudgedRun, RunFolders, members, review, show};
use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// Arguments of `aiconform submit`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The run folder
    run: Utf8PathBuf,
    /// A clone of the programme's repository, whose template is filled
    #[arg(long, env = "AICONFORM_PROGRAM_DIR", value_name = "DIR", required_unless_present = "preview")]
    program: Option<Utf8PathBuf>,
    /// What the vendor says of the product (TOML)
    #[arg(long, value_name = "FILE", required_unless_present = "preview")]
    product: Option<Utf8PathBuf>,
    /// The folder to make, as vX.Y/NAME; new or empty
    #[arg(long, value_name = "DIR", required_unless_present = "preview")]
    output_dir: Option<Utf8PathBuf>,
    /// Names of the foundation's members, one a line
    #[arg(long, value_name = "FILE")]
    members: Option<Utf8PathBuf>,
    /// Make a demonstration, which a review refuses, of what stands on simulated devices or was not tried
    #[arg(long)]
    demo: bool,
    /// Artifacts of the programme's own tests, beside ours: JUnit XML, and what `go test -json` and `go test -v` print
    #[arg(long, value_name = "FILE", num_args = 1..)]
    upstream: Vec<Utf8PathBuf>,
    /// Sign the submission with this key (Ed25519, PKCS#8 in PEM)
    #[arg(long, value_name = "FILE")]
    sign: Option<Utf8PathBuf>,
    #[command(flatten)]
    pseudonyms: Pseudonyms,
    /// Show which names become what, and write nothing
    #[arg(long, conflicts_with = "new_key")]
    preview: bool,
}

/// What becomes of the platform's names.
#[derive(clap::Args)]
struct Pseudonyms {
    /// The key of the pseudonyms, with which equal names stay equal in all your submissions [default: one that is forgotten]
    #[arg(long, value_name = "FILE", group = "names")]
    key: Option<Utf8PathBuf>,
    /// Make the key of the pseudonyms in a new file
    #[arg(long, value_name = "FILE", group = "names")]
    new_key: Option<Utf8PathBuf>,
    /// Hide this word too; may be given several times
    #[arg(long, value_name = "WORD", value_parser = word, conflicts_with = "names_as_seen")]
    hide: Vec<String>,
    /// Publish names as they were seen, without the run
    #[arg(long, group = "names")]
    names_as_seen: bool,
}

/// Makes a submission; nothing is left when it cannot be made whole.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let (Some(program), Some(product), Some(output)) =
        (&arguments.program, &arguments.product, &arguments.output_dir)
    else {
        return preview(arguments);
    };
    if arguments.preview {
        return preview(arguments);
    }
    let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
    let text = fs_err::read_to_string(product).map_err(|error| usage(&error))?;
    let answers = Answers::read(&text, product.as_str()).map_err(|error| usage(&error))?;
    let members = match &arguments.members {
        Some(file) => Some(members(&fs_err::read_to_string(file).map_err(|error| usage(&error))?)),
        None => None,
    };
    let run = judged(&arguments.run)?;
    let folder = format!("v{}", run.release);
    let target = camino::absolute_utf8(output)?;
    let (Some(name), Some(parent)) = (target.file_name(), target.parent()) else {
        return Err(UsageError(format!("{target} is no folder of a submission; name {folder}/NAME")).into());
    };
    if parent.file_name() != Some(&folder) {
        let says = format!(
            "the run is of release {}, so the submission belongs into {folder}/NAME, not {target}",
            run.release
        );
        return Err(UsageError(says).into());
    }
    if target.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(
            UsageError(format!("{target} is not empty; a submission is never written over another")).into()
        );
    }
    let templates = program.join("docs");
    let template = templates.join(format!("AIConformance-{}.yaml", run.release));
    let template = fs_err::read_to_string(&template)
        .map_err(|error| UsageError(format!("there is no template for release {}: {error}", run.release)))?;
    let signing = match &arguments.sign {
        Some(file) => Some(SigningKey::read(file).map_err(|error| usage(&error))?),
        None => None,
    };
    let mut artifacts = Vec::new();
    for file in &arguments.upstream {
        artifacts.push((file.to_string(), fs_err::read(file).map_err(|error| usage(&error))?));
    }
    let upstream = match Upstream::all(artifacts) {
        Ok(upstream) => upstream,
        Err(refused) => return refuse(refused),
    };
    // What the run does not support is told before anything is derived, and by the names that the user knows.
    if let Err(refused) = submission(&run, &template, &answers, arguments.demo, &upstream) {
        return refuse(refused);
    }
    // Made beside the place where it is to be, reviewed there, and moved when it is whole.
    let existing = parent.ancestors().find(|folder| folder.is_dir()).unwrap_or(Utf8Path::new("/"));
    let staging =
        tempfile::tempdir_in(existing).with_context(|| format!("nothing can be written in {existing}"))?;
    let staged = Utf8Path::from_path(staging.path())
        .context("the folder's name is no UTF-8")?
        .join(&folder)
        .join(name);
    fs_err::create_dir_all(&staged)?;
    let key = key(&arguments.pseudonyms)?;
    let (run, upstream) = if arguments.pseudonyms.names_as_seen {
        (run, upstream)
    } else {
        match derive(&key, arguments, &run, &upstream, &staged.join("run"))? {
            Ok(derived) => derived,
            Err(differences) => {
                anstream::eprintln!(
                    "error: under pseudonyms the run comes to something else, so nothing was written:\n- {}\ntell the project, and submit with --names-as-seen meanwhile",
                    differences.join("\n- ")
                );
                return Ok(Exit::Failed);
            }
        }
    };
    let files = match submission(&run, &template, &answers, arguments.demo, &upstream) {
        Ok(files) => files,
        Err(refused) => return refuse(refused),
    };
    for (name, content) in &files {
        let file = staged.join(name);
        fs_err::create_dir_all(file.parent().unwrap_or(&staged))?;
        fs_err::write(file, content)?;
    }
    if let Some(signing) = &signing {
        sign(signing, &run, &staged)?;
    }
    let given = Given { members, templates: Some(templates), validator_only: true, ..Given::default() };
    let review = review(std::slice::from_ref(&staged), &given);
    if !review.valid() {
        let table = show::table(&review, false);
        anstream::eprintln!("{}", table.replace(staging.path().to_string_lossy().as_ref(), ""));
        anstream::eprintln!(
            "error: the programme's validator would refuse this submission; nothing was written"
        );
        return Ok(Exit::Failed);
    }
    fs_err::create_dir_all(parent)?;
    if target.exists() {
        fs_err::remove_dir(&target)?;
    }
    if let Some(file) = &arguments.pseudonyms.new_key {
        key.keep(file).map_err(|error| usage(&error))?;
    }
    fs_err::rename(&staged, &target)?;
    for (name, _) in &files {
        anstream::println!("{}", output.join(name));
    }
    if !arguments.pseudonyms.names_as_seen {
        anstream::println!("{}", output.join("run"));
    }
    if let Some(signing) = &signing {
        anstream::println!("{}", output.join(signature::FILE));
        anstream::eprintln!("signed with the key {}", signing.public().id());
    }
    if arguments.demo {
        anstream::eprintln!(
            "this is a demonstration; `aiconform review {output}` says what it does not prove"
        );
    }
    Ok(Exit::Success)
}

fn refuse(refused: Refused) -> anyhow::Result<Exit> {
    match refused {
        Refused::Input(_) => Err(UsageError(refused.to_string()).into()),
        Refused::Unsupported(_) => {
            anstream::eprintln!("error: {refused}");
            Ok(Exit::Failed)
        }
    }
}

fn judged(run: &Utf8Path) -> Result<JudgedRun, UsageError> {
    Judge.judge(run).map_err(|error| UsageError(format!("{run}: {error}")))
}

/// A word long enough to be looked for everywhere.
fn word(text: &str) -> Result<String, String> {
    if text.chars().filter(char::is_ascii_alphanumeric).count() < 3 {
        return Err("a word to hide has three letters or digits at least".into());
    }
    Ok(text.to_owned())
}

/// The key that is wanted; a new one is kept when the submission is made.
fn key(wanted: &Pseudonyms) -> Result<Key, UsageError> {
    let key = match (&wanted.key, &wanted.new_key) {
        (Some(file), _) => Key::read(file),
        (None, Some(file)) if file.exists() => Err(KeyError::There(file.clone())),
        (None, _) => Key::new(),
    };
    key.map_err(|error| UsageError(error.to_string()))
}

/// A run and artifacts under pseudonyms; the differences, when they come to something else than those they are made of.
type Derived = Result<(JudgedRun, Vec<Upstream>), Vec<String>>;

/// Writes the run under pseudonyms and judges it.
fn derive(
    key: &Key,
    arguments: &Arguments,
    original: &JudgedRun,
    upstream: &[Upstream],
    to: &Utf8Path,
) -> anyhow::Result<Derived> {
    let texts: Vec<String> =
        upstream.iter().map(|artifact| String::from_utf8_lossy(&artifact.bytes).into_owned()).collect();
    let names = Names::of(&arguments.run, key, &arguments.pseudonyms.hide, &texts)?;
    names.derive(&arguments.run, to)?;
    let derived = Judge.judge(to).map_err(|error| anyhow::anyhow!("the derived run: {error}"))?;
    let renaming = Renaming { replace: &|text| names.replace(text), nameless: &|text| names.nameless(text) };
    let differences = differences(original, &derived, &renaming);
    if !differences.is_empty() {
        return Ok(Err(differences));
    }
    for (name, content) in &derived.views {
        names.look(&String::from_utf8_lossy(content), || name.clone())?;
    }
    let mut renamed = Vec::new();
    for (artifact, text) in upstream.iter().zip(&texts) {
        let one = Upstream::read(&artifact.name, names.replace(text).into_bytes()).ok();
        match one.filter(|one| one.says_the_same(artifact)) {
            Some(one) => renamed.push(one),
            None => {
                return Ok(Err(vec![format!(
                    "{}: a name of the platform is in the name of a test",
                    artifact.name
                )]));
            }
        }
    }
    anstream::eprintln!(
        "{} names are pseudonyms, {} stay as words that name nobody; --preview shows them all",
        names.replaced().count(),
        names.kept().count()
    );
    Ok(Ok((derived, renamed)))
}

/// Signs every file of a submission, and what it says.
fn sign(key: &SigningKey, run: &JudgedRun, staged: &Utf8Path) -> anyhow::Result<()> {
    let files = Files::of(staged);
    anyhow::ensure!(!files.more, "the submission has more or larger files than a review reads");
    let mut digests = BTreeMap::new();
    for file in &files.all {
        let digest = files.digest(&file.name);
        let digest = digest.map_err(|_| anyhow::anyhow!("{} is larger than a review reads", file.name))?;
        digests.insert(file.name.clone(), digest);
    }
    let verdicts: BTreeMap<&str, &str> =
        run.verdicts.iter().map(|verdict| (verdict.requirement.as_str(), verdict.word.as_str())).collect();
    let predicate = serde_json::json!({
        "tool": run.facts.get("tool"), "release": run.release, "cluster": run.facts.pointer("/cluster/version"),
        "run": {"manifest": digests.get("run/manifest.json"), "derivedFrom": run.facts.pointer("/derived/from")},
        "verdicts": verdicts,
    });
    fs_err::write(staged.join(signature::FILE), signature::sign(key, &digests, predicate)?)?;
    Ok(())
}

/// Shows what becomes of the names; this alone shows them.
fn preview(arguments: &Arguments) -> anyhow::Result<Exit> {
    judged(&arguments.run)?;
    let key = key(&arguments.pseudonyms)?;
    if arguments.pseudonyms.key.is_none() {
        anstream::eprintln!("without --key, other pseudonyms are chosen each time");
    }
    let mut texts = Vec::new();
    for file in &arguments.upstream {
        let bytes = fs_err::read(file).map_err(|error| UsageError(error.to_string()))?;
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let names = Names::of(&arguments.run, &key, &arguments.pseudonyms.hide, &texts)?;
    let mut replaced: Vec<_> = names.replaced().collect();
    replaced.sort();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for (sort, name, pseudonym) in replaced {
        rows.push(vec![sort.words().to_owned(), name.to_owned(), pseudonym.to_owned()]);
        *counts.entry(sort.words()).or_default() += 1;
    }
    for (sort, name) in names.kept() {
        let stays = "stays: a word that names nobody; --hide hides it too".to_owned();
        rows.push(vec![sort.words().to_owned(), name.to_owned(), stays]);
    }
    format::table(&["kind", "name", "becomes"], rows);
    let (events, blobs) = names.changes(&arguments.run)?;
    let counts: Vec<String> = counts.iter().map(|(sort, count)| format!("{sort} {count}")).collect();
    anstream::println!("\nreplaced: {}", counts.join(", "));
    anstream::println!(
        "changed: {events} events, {blobs} blobs, run.json, and the views; nothing was written"
    );
    Ok(Exit::Success)
}
