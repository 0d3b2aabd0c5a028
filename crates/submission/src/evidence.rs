//! Target to which an item of evidence points.

use crate::case::Case;
use crate::links::Link;

/// A file of the submission that is named as evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The file, from the folder of the submission.
    pub file: String,
    /// Part after `#`, or nothing.
    pub fragment: String,
}

/// Tells whether an item is a link into the network.
pub fn is_link(item: &str) -> bool {
    item.starts_with("http://") || item.starts_with("https://")
}

/// Tells whether an item is a link to a page of documentation: into the network, and not to a repository.
pub fn is_page(item: &str) -> bool {
    is_link(item) && Link::of(item).is_none_or(|link| link.owner().is_none() && link.revision().is_none())
}

impl Reference {
    /// Finds what an item points to, by the programme's rules for paths; `None` for a link into the network.
    pub fn of(item: &str, case: &Case<'_>) -> Option<Result<Reference, String>> {
        (!is_link(item)).then(|| {
            let own = case.release_folder.as_ref().map(|release| format!("{release}/{}/", case.name));
            Reference::local(item, own.as_deref())
        })
    }

    fn local(item: &str, own: Option<&str>) -> Result<Reference, String> {
        let path = item.trim();
        let path = path.strip_prefix("file://").unwrap_or(path);
        let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
        let path = path.trim();
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return Err("it names no file".into());
        }
        let path = match own.and_then(|own| path.strip_prefix(own)) {
            Some(inner) => inner,
            None if names_a_product(path) => {
                return Err(
                    "it lies in the folder of another product; evidence must lie beside PRODUCT.yaml".into(),
                );
            }
            None => path,
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() {
                        return Err("it leads out of the submission's folder".into());
                    }
                }
                part => parts.push(part),
            }
        }
        if parts.is_empty() {
            return Err("it names the folder itself, not a file in it".into());
        }
        Ok(Reference { file: parts.join("/"), fragment: fragment.to_owned() })
    }
}

/// Tells whether a path begins with the folder of a product, as `v1.37/name/`.
fn names_a_product(path: &str) -> bool {
    let mut parts = path.splitn(3, '/');
    let release = parts.next().is_some_and(crate::case::is_release);
    release && parts.next().is_some_and(|name| !name.is_empty()) && parts.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_read_as_the_programme_reads_them() {
        let local = |item: &str| Reference::local(item, Some("v1.37/cirrus/"));
        let is = |item: &str, file: &str, fragment: &str| {
            assert_eq!(local(item), Ok(Reference { file: file.into(), fragment: fragment.into() }), "{item}");
        };
        is("junit.xml#TestGangScheduling", "junit.xml", "TestGangScheduling");
        is("file://v1.37/cirrus/a/./b.md", "a/b.md", "");
        is("/a/../b.md", "b.md", "");
        for wrong in ["", "#x", "../a.md", "a/../../b", ".", "v1.36/cirrus/a.md", "file://v1.37/nimbus/a"] {
            assert!(local(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leads_out(item in "[./a#v1:]{0,20}") {
            if let Ok(reference) = Reference::local(&item, None) {
                prop_assert!(!reference.file.starts_with('/'));
                prop_assert!(!reference.file.split('/').any(|part| part == ".." || part.is_empty()));
            }
        }
    }
}
