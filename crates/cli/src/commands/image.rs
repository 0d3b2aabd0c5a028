//! `aiconform image`: what runs in pods, for clusters that have no way to it otherwise.

use crate::exit::{Exit, UsageError};
use aiconform_images::IMAGES;
use camino::Utf8PathBuf;

/// Arguments of `aiconform image`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List the images that are part of this program
    List,
    /// Write an image as an OCI archive, to be loaded into nodes or pushed to a registry
    Export {
        /// Which [default: probe]
        #[arg(default_value = "probe")]
        image: String,
        /// Name in the archive [default: the image's own]
        #[arg(long)]
        name: Option<String>,
        /// The same program built for another kind of machine (amd64, arm64): the image is then for both
        #[arg(long, value_name = "PROGRAM")]
        also: Option<Utf8PathBuf>,
        /// The file to write; must not exist [default: NAME.tar]
        #[arg(long, value_name = "FILE")]
        output_file: Option<Utf8PathBuf>,
    },
}

/// Runs the verb.
pub fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    match arguments.verb {
        Verb::List => {
            for image in IMAGES {
                anstream::println!("{}\t{}", image.short(), image.name);
            }
        }
        Verb::Export { image, name, also, output_file } => {
            let Some(found) = aiconform_images::named(&image) else {
                let known: Vec<&str> = IMAGES.iter().map(|image| image.short()).collect();
                return Err(UsageError(format!(
                    "there is no image {image:?}; there are: {}",
                    known.join(", ")
                ))
                .into());
            };
            let path = output_file.unwrap_or_else(|| format!("{}.tar", found.binary).into());
            let name = name.unwrap_or_else(|| found.name.to_owned());
            let archive = match &also {
                Some(program) => {
                    let content = fs_err::read(program).map_err(|error| UsageError(error.to_string()))?;
                    found
                        .archive_with(&name, &content)
                        .map_err(|error| UsageError(format!("{program}: {error}")))?
                }
                None => found.archive(&name)?,
            };
            let mut file = fs_err::OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&path)
                .map_err(|error| UsageError(error.to_string()))?;
            std::io::Write::write_all(&mut file, &archive)?;
            anstream::println!("{path}");
            anstream::eprintln!(
                "{name}; load it into every node, or push it to a registry and name it: {}",
                found.named_by
            );
        }
    }
    Ok(Exit::Success)
}
