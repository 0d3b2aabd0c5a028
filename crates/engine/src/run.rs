//! Runs checks side by side and undoes what they did.

use crate::role::needs;
use aiconform_checks::{Check, Cx, Options, Profile, Progress, Reach, Stop, Turns, WHOLE};
use aiconform_cluster::{Api, ClusterError, Connection, Mirror, Session, Stamp, missing};
use aiconform_model::{EventKind, Kind, Scope, Sink};
use aiconform_trial::story::LIMITS;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use serde_json::{Value, json};
use std::sync::Arc;

/// A run that is to be made.
pub struct Request {
    /// The cluster.
    pub connection: Connection,
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// The checks.
    pub checks: Vec<&'static Check>,
    /// Profile: how the platform wants to be tested.
    pub profile: Profile,
    /// Choices of the user.
    pub options: Options,
    /// For people.
    pub progress: Arc<dyn Progress>,
}

/// End of a run.
#[derive(Clone, Debug)]
pub struct End {
    /// Facts of the cluster for `run.json`.
    pub cluster: Value,
    /// Id under which everything was labelled.
    pub id: String,
    /// Set if it was interrupted.
    pub interrupted: bool,
    /// Things that could not be undone, and what keeps them, in words.
    pub left: Vec<String>,
    /// Requests sent to the API server, watches included.
    pub requests: u64,
}

/// Runs the checks until they end or `interrupt` does, then undoes everything. Where the checks had ended, `interrupt` ends
/// the wait for what is slow to go.
///
/// # Errors
/// When the cluster does not answer at all, or refuses the run's own namespace.
pub async fn run(request: Request, mut interrupt: BoxFuture<'_, ()>) -> Result<End, ClusterError> {
    let scope = Scope::default();
    let api = Api::new(request.connection, request.sink);
    let version = api.send(&scope, "GET", "/version", None).await?;
    let fingerprint = match api.get(&scope, &Kind::namespace(), "", "kube-system").await {
        Ok(namespace) => namespace.uid().to_owned(),
        Err(ClusterError::Refused(_)) => "not readable".into(),
        Err(error) => return Err(error),
    };
    let cluster = json!({"version": version.get("gitVersion"), "platform": version.get("platform"),
        "context": api.connection().context, "fingerprint": fingerprint});
    let mut allowed = Vec::new();
    for check in request.checks {
        let lacks = missing(&api, &scope, &needs(check, &request.profile)).await?;
        if lacks.is_empty() {
            allowed.push(check);
            continue;
        }
        let why = format!(
            "the user may not: {}; `aiconform rbac`, with the same --profile, prints the role that a run needs",
            lacks.join("; ")
        );
        request.progress.tell(&Scope::new(check.id, ""), &why);
        let hindrance =
            EventKind::Hindrance { who: "the API server's authorization".into(), what: check.id.into(), why };
        api.sink().write(&Scope::new(check.id, ""), hindrance);
    }
    if allowed.is_empty() {
        let requests = api.requests();
        return Ok(End { cluster, id: String::new(), interrupted: false, left: Vec::new(), requests });
    }
    let stamp = Stamp {
        namespace: request.profile.namespace.clone(),
        labels: request.profile.labels.clone(),
        annotations: request.profile.annotations.clone(),
    };
    let session = Session::begin(api, Mirror::new(), stamp).await?;
    let cx = Cx {
        session: session.clone(),
        profile: request.profile,
        options: request.options,
        progress: request.progress.clone(),
        accelerators: Turns::default(),
    };
    let in_force = |check: &&Check| {
        let limits = check
            .limits
            .iter()
            .map(|limit| (limit.key.to_owned(), cx.limit(limit).time.as_secs_f64().into()));
        let whole = cx.profile.limits.whole(check.id, check.limit).as_secs_f64();
        limits.chain([(format!("{}.{WHOLE}", check.id), whole.into())]).collect::<Vec<(String, Value)>>()
    };
    let limits: serde_json::Map<String, Value> = allowed.iter().flat_map(in_force).collect();
    cx.write(&scope, EventKind::Fact { name: LIMITS.into(), value: limits.into() });
    // What adds nodes would change what the others count, so it begins when they have ended.
    let (after, together): (Vec<_>, Vec<_>) =
        allowed.into_iter().partition(|check| check.reach == Reach::Nodes);
    let all = async {
        join_all(together.into_iter().map(|check| one(&cx, check))).await;
        for check in after {
            one(&cx, check).await;
        }
    };
    let interrupted = tokio::select! {
        () = all => false,
        () = &mut interrupt => true,
    };
    if interrupted {
        session.api().sink().write(&scope, EventKind::Stopped { why: "interrupted by the user".into() });
    }
    request.progress.tell(&scope, "removing everything that was created");
    let tell = |words: &str| request.progress.tell(&scope, words);
    let stop = if interrupted { std::future::pending().boxed() } else { interrupt };
    // What was seen until now stands, whatever becomes of the clean-up.
    let left = session.undo(&tell, stop).await.unwrap_or_else(|error| vec![error.to_string()]);
    Ok(End { cluster, id: session.id().into(), interrupted, left, requests: session.api().requests() })
}

async fn one(cx: &Cx, check: &'static Check) {
    let limit = cx.profile.limits.whole(check.id, check.limit);
    let ended = tokio::select! {
        ended = (check.run)(cx, check.files) => ended,
        () = cx.accelerators.over(check.id, limit) => {
            Err(Stop::Hindered(format!(
                "it took longer than {} s; where the platform is that slow, say so in the profile: [limits] {}.whole = {}",
                limit.as_secs(),
                check.id,
                limit.as_secs() * 2
            )))
        }
    };
    if let Err(stop) = ended {
        let scope = Scope::new(check.id, "");
        cx.progress.tell(&scope, &format!("stopped: {stop}"));
        cx.stopped(&scope, &stop);
    }
    cx.session.leave(check.id).await;
}
