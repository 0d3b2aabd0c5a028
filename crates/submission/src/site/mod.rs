//! A static site of the programme: who is certified for what, release by release, and on what kind of evidence. Pure: a
//! clone goes in, the content of files comes out, and the same clone gives the same bytes; `make.rs` alone writes them.

mod data;
mod gather;
mod make;
mod marks;
mod names;
mod pages;

pub use data::{Answer, AppliedRule, Asks, Counts, Item, Product, Programme, Release, Requirement, Said};
pub use gather::gather;
pub use make::{Made, make};
pub use marks::{ItemKind, Mark, Shares};
pub use pages::{Page, pages};

use crate::staging::StagingError;
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
        /// Number of its submissions.
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
    /// The folder to make is no place for a site.
    #[error("{folder} {why}")]
    Target {
        /// The folder.
        folder: Utf8PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// Nothing can be made beside it.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// A page cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl SiteError {
    /// Tells whether what was named is wrong, so that the user can correct it.
    pub fn is_input(&self) -> bool {
        match self {
            SiteError::NoProgramme(_)
            | SiteError::Nothing(_)
            | SiteError::TooMany { .. }
            | SiteError::Checklist { .. }
            | SiteError::Target { .. } => true,
            SiteError::Page(_) | SiteError::Json(_) | SiteError::Staging(_) | SiteError::Io(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
