//! A static site of the programme: who is certified for what, release by release, and on what kind of evidence. Pure: a
//! clone goes in, the content of files comes out, and the same clone gives the same bytes.

mod data;
mod gather;
mod marks;
mod names;
mod pages;

pub use data::{Answer, AppliedRule, Asks, Counts, Item, Product, Programme, Release, Requirement, Said};
pub use gather::gather;
pub use marks::{ItemKind, Mark, Shares};
pub use pages::{Page, pages};

use camino::Utf8PathBuf;

/// Most submissions that a site is made of; the programme has a twentieth of it.
pub const MOST: usize = 1_200;

/// The site cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The path is no clone of the programme.
    #[error(
        "{0} is no clone of the programme: it has no folders of releases with submissions in them (v1.37/NAME/PRODUCT.yaml)"
    )]
    NoProgramme(Utf8PathBuf),
    /// The path does not exist, or is a file.
    #[error("{0}: there is no such folder")]
    Nothing(Utf8PathBuf),
    /// There are more submissions than anybody has reason to have.
    #[error("{folder} has {found} submissions, which is more than the {MOST} that a site is made of")]
    TooMany {
        /// The clone.
        folder: Utf8PathBuf,
        /// How many it has.
        found: usize,
    },
    /// A checklist of the clone cannot be read.
    #[error("the checklist of release {release} cannot be read: {why}")]
    Checklist {
        /// The release.
        release: String,
        /// Why.
        why: String,
    },
    /// The template of a page failed.
    #[error("a page could not be made: {0}")]
    Page(#[from] askama::Error),
    /// The JSON writer failed.
    #[error("site.json could not be made: {0}")]
    Json(#[from] serde_json::Error),
}

#[cfg(test)]
mod tests;
