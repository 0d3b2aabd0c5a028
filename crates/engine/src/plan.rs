//! Plans: what would run, and why not, without creating anything.

use crate::role::needs;
use aiconform_checks::{Check, Detection, Profile};
use aiconform_cluster::{Api, ClusterError, missing};
use aiconform_model::Scope;
use serde::Serialize;

/// Checks that would run.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Version of the API server.
    pub version: String,
    /// The checks.
    pub checks: Vec<Planned>,
}

/// One check, as it would run.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Id of the requirement.
    pub requirement: &'static str,
    /// Its subjects.
    pub subjects: Vec<Present>,
    /// Objects that it creates, in words.
    pub creates: &'static str,
    /// Permissions that the user lacks.
    pub lacks: Vec<String>,
    /// Permissions that the user lacks and that it can do without, in its own way.
    pub without: Vec<String>,
    /// Words on what it would stand on and what that can prove.
    pub ground: Vec<String>,
    /// Objects of the check that the cluster would refuse or change, in words.
    pub hindrances: Vec<String>,
    /// Consents for what it does only with them: name, what it is, and whether it is given.
    pub consents: Vec<Asked>,
    /// Longest time in seconds.
    pub limit: u64,
}

/// Something that needs consent.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Its name, for `--consent` and the profile.
    pub name: &'static str,
    /// The thing that is consented to, in words.
    pub says: &'static str,
    /// Set if it is given.
    pub given: bool,
}

/// A subject, and whether it is there.
#[derive(Clone, Debug, Serialize)]
pub struct Present {
    /// Its id.
    pub subject: String,
    /// Set if it would be tried.
    pub present: bool,
    /// Facts that identify it, or why it is not there.
    pub says: String,
}

/// Asks the cluster by reading, access reviews and dry-runs only.
///
/// # Errors
/// When the cluster does not answer.
pub async fn plan(api: &Api, checks: &[&'static Check], profile: &Profile) -> Result<Plan, ClusterError> {
    let scope = Scope::default();
    let version = api.send(&scope, "GET", "/version", None).await?;
    let version =
        version.get("gitVersion").and_then(serde_json::Value::as_str).unwrap_or("unknown").to_owned();
    let mut planned = Vec::new();
    for check in checks {
        let lacks = missing(api, &scope, &needs(check, profile)).await?;
        let without = missing(api, &scope, check.wants).await?;
        let subjects = (check.detect)(api, check.files)
            .await
            .into_iter()
            .map(|(subject, detection)| match detection {
                Detection::Present(facts) => Present { subject, present: true, says: facts.to_string() },
                Detection::Absent(why) => Present { subject, present: false, says: why },
            })
            .collect();
        let preview = (check.preview)(api, profile, check.files).await;
        planned.push(Planned {
            requirement: check.id,
            subjects,
            ground: preview.ground,
            hindrances: preview.hindrances,
            creates: check.creates,
            lacks,
            without,
            consents: check
                .consents
                .iter()
                .map(|consent| Asked {
                    name: consent.name(),
                    says: consent.says(),
                    given: profile.consent.has(*consent),
                })
                .collect(),
            limit: profile.limits.whole(check.id, check.limit).as_secs(),
        });
    }
    Ok(Plan { version, checks: planned })
}
