//! Artifacts of the programme's own tests, which lie beside ours as evidence.

use super::Refused;
use crate::artifact::{self, Artifact, Kind, Outcome, TroubleKind, some};
use aiconform_model::catalogue::{requirements, test_name};

/// Folder of these artifacts in a submission, so that they are not taken for ours.
pub const FOLDER: &str = "upstream";
/// Bytes that stand in every artifact of ours.
const OURS: &[u8] = b"aiconform.dev/aiconform";

/// An artifact of the programme's tests.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its name in the submission, by which the programme's validator knows it.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    artifact: Artifact,
}

impl Upstream {
    /// Reads an artifact, of which nothing may be wrong; `file` is its place and is told in the error.
    ///
    /// # Errors
    /// When it is none, cannot be read, is not whole, has a failing test, or none of the programme's.
    pub fn read(file: &str, bytes: Vec<u8>) -> Result<Upstream, Refused> {
        let refused = |line: usize, why: &str| {
            let line = if line > 0 { format!(", line {line}") } else { String::new() };
            Err(Refused::Input(format!("{file}{line}: {why}")))
        };
        if bytes.windows(OURS.len()).any(|window| window == OURS) {
            return refused(
                0,
                "this is an artifact of aiconform, which is taken from the run; give those of the programme's tests",
            );
        }
        let Some(artifact) = artifact::read(file, &bytes) else {
            return refused(
                0,
                "this is no test artifact: neither JUnit XML, nor what `go test -json` or `go test -v` prints",
            );
        };
        let contradicted = artifact.troubles.iter().find(|trouble| trouble.kind != TroubleKind::Format);
        if let Some(trouble) = artifact.unreadable.as_ref().or(contradicted) {
            return refused(trouble.place.line, &trouble.why);
        }
        let failures = artifact.failures();
        if !failures.is_empty() {
            let why =
                format!("tests failed in it, and the programme takes no such artifact: {}", some(&failures));
            return refused(0, &why);
        }
        let base = match artifact.kind {
            Kind::Junit => "junit.xml",
            Kind::GoTest => "results.json",
            Kind::Log => "e2e.log",
        };
        let upstream = Upstream { name: format!("{FOLDER}/{base}"), bytes, artifact };
        if requirements().iter().all(|requirement| upstream.outcome(&requirement.id).is_none()) {
            return refused(0, "no test in it is one of the programme's, such as TestGangScheduling");
        }
        Ok(upstream)
    }

    /// Reads the artifacts of one run of the programme's tests: place and content.
    ///
    /// # Errors
    /// As [`Upstream::read`], and when two are of one kind or say different things.
    pub fn all(files: Vec<(String, Vec<u8>)>) -> Result<Vec<Upstream>, Refused> {
        let mut all: Vec<(String, Upstream)> = Vec::new();
        for (file, bytes) in files {
            let one = Upstream::read(&file, bytes)?;
            for (before, other) in &all {
                if one.name == other.name {
                    let why = format!("{file} and {before} are of the same kind; give one artifact of each");
                    return Err(Refused::Input(why));
                }
                let there = other.artifact.outcomes();
                let here = one.artifact.outcomes();
                let differs = here
                    .iter()
                    .find(|(name, (outcome, _))| there.get(*name).is_some_and(|(other, _)| other != outcome));
                if let Some((name, (outcome, line))) = differs {
                    let why = format!(
                        "{file}, line {line}: {} {}, and not so in {before}: they are not of one run",
                        crate::finding::quoted(name),
                        outcome.word()
                    );
                    return Err(Refused::Input(why));
                }
            }
            all.push((file, one));
        }
        Ok(all.into_iter().map(|(_, one)| one).collect())
    }

    /// Tells whether another has the same tests with the same results.
    pub fn says_the_same(&self, other: &Upstream) -> bool {
        self.artifact.tests == other.artifact.tests
    }

    /// Outcome of the test of a requirement; a test all of whose subtests were skipped has shown nothing.
    pub fn outcome(&self, id: &str) -> Option<Outcome> {
        let name = test_name(id);
        let outcome = self.artifact.outcome(&name)?;
        let mut subtests = self.artifact.subtests(&name).peekable();
        let nothing = subtests.peek().is_some() && subtests.all(|test| test.outcome == Outcome::Skip);
        Some(if nothing { Outcome::Skip } else { outcome })
    }

    /// Reference by which a requirement names it as evidence.
    pub fn reference(&self, id: &str) -> String {
        format!("{}#{}", self.name, test_name(id))
    }
}
