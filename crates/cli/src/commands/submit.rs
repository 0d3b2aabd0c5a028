//! `aiconform submit`: from a run to the folder of a submission.

use crate::exit::{Exit, UsageError};
use crate::format;
use aiconform_engine::RunJudge;
use aiconform_submission::make::{self, KeyFile, Made, NotMade, Order, Preview};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// Arguments of `aiconform submit`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The run folder
    run: Utf8PathBuf,
    /// Further runs of the product: of other clusters (each maker's devices are often on one of their own), and again of the same
    /// cluster, where a run replaces what another could not tell
    #[arg(long, value_name = "RUN", num_args = 1.., conflicts_with = "preview")]
    also: Vec<Utf8PathBuf>,
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

/// A word long enough to be looked for everywhere.
fn word(text: &str) -> Result<String, String> {
    if text.chars().filter(char::is_ascii_alphanumeric).count() < 3 {
        return Err("a word to hide has three letters or digits at least".into());
    }
    Ok(text.to_owned())
}

impl Pseudonyms {
    fn chosen(&self) -> make::Pseudonyms {
        let key = match (&self.key, &self.new_key) {
            (Some(file), _) => KeyFile::Kept(file.clone()),
            (None, Some(file)) => KeyFile::New(file.clone()),
            (None, None) => KeyFile::Forgotten,
        };
        make::Pseudonyms { key, hide: self.hide.clone() }
    }
}

/// Makes a submission; nothing is left when it cannot be made whole.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let (Some(program), Some(product), Some(output), false) =
        (&arguments.program, &arguments.product, &arguments.output_dir, arguments.preview)
    else {
        let pseudonyms = arguments.pseudonyms.chosen();
        return match make::preview(&arguments.run, &pseudonyms, &arguments.upstream, &RunJudge) {
            Ok(preview) => Ok(show(&preview, arguments.pseudonyms.key.is_some())),
            Err(error) => refuse(error),
        };
    };
    let order = Order {
        run: arguments.run.clone(),
        also: arguments.also.clone(),
        program: program.clone(),
        product: product.clone(),
        output: output.clone(),
        members: arguments.members.clone(),
        demo: arguments.demo,
        upstream: arguments.upstream.clone(),
        sign: arguments.sign.clone(),
        pseudonyms: (!arguments.pseudonyms.names_as_seen).then(|| arguments.pseudonyms.chosen()),
    };
    match make::make(&order, &RunJudge) {
        Ok(made) => Ok(tell(&made, output, arguments.demo)),
        Err(error) => refuse(error),
    }
}

fn refuse(error: NotMade) -> anyhow::Result<Exit> {
    match &error {
        NotMade::Input(_) => return Err(UsageError(error.to_string()).into()),
        NotMade::Invalid(table) => anstream::eprintln!("{table}"),
        NotMade::Unsupported(_) | NotMade::Differs(_) => {}
        _ => return Err(error.into()),
    }
    anstream::eprintln!("error: {error}");
    Ok(Exit::Failed)
}

fn tell(made: &Made, output: &Utf8Path, demo: bool) -> Exit {
    for name in &made.files {
        anstream::println!("{}", output.join(name));
    }
    if let Some((replaced, kept)) = made.names {
        anstream::eprintln!(
            "{replaced} names are pseudonyms, {kept} stay as words that name nobody; --preview shows them all"
        );
    }
    if let Some(key) = &made.signed_by {
        anstream::eprintln!("signed with the key {key}");
    }
    if demo {
        anstream::eprintln!(
            "this is a demonstration; `aiconform review {output}` says what it does not prove"
        );
    }
    Exit::Success
}

/// Shows what becomes of the names; this alone shows them.
fn show(preview: &Preview, is_kept: bool) -> Exit {
    if !is_kept {
        anstream::eprintln!("without --key, other pseudonyms are chosen each time");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for (sort, name, pseudonym) in &preview.replaced {
        rows.push(vec![(*sort).to_owned(), name.clone(), pseudonym.clone()]);
        *counts.entry(sort).or_default() += 1;
    }
    for (sort, name) in &preview.kept {
        let stays = "stays: a word that names nobody; --hide hides it too".to_owned();
        rows.push(vec![(*sort).to_owned(), name.clone(), stays]);
    }
    format::table(&["kind", "name", "becomes"], rows);
    let counts: Vec<String> = counts.iter().map(|(sort, count)| format!("{sort} {count}")).collect();
    anstream::println!("\nreplaced: {}", counts.join(", "));
    anstream::println!(
        "changed: {} events, {} blobs, run.json, and the views; nothing was written",
        preview.events,
        preview.blobs
    );
    Exit::Success
}
