//! The driver of subjects: who is tried, from its start in the log to its end, whatever becomes of it.

use crate::cx::{Cx, Detection, Stop};
use aiconform_model::{EventKind, Scope};
use aiconform_verdict::Subject;
use futures::future::join_all;
use serde_json::Value;

/// A subject that may be there, and what its check knows of it.
pub struct Candidate<T> {
    /// Id of the subject.
    pub id: String,
    /// Set if it is a control, which never counts itself.
    pub control: bool,
    /// Set if the user named it.
    pub declared: bool,
    /// Facts of it where it could not be looked whether it is there: that is not the same as that it is not.
    pub facts: Value,
    /// Finding whether it can be tried here.
    pub found: Result<Detection, Stop>,
    /// Data with which it is tried.
    pub with: T,
}

/// A subject that is under test.
pub struct Started<T> {
    /// Its scope.
    pub scope: Scope,
    /// As the evidence has it.
    pub subject: Subject,
    /// Data with which it is tried.
    pub with: T,
}

/// Writes down which subjects are there, in the order given, and gives those that are.
pub fn start<T>(cx: &Cx, check: &str, candidates: impl IntoIterator<Item = Candidate<T>>) -> Vec<Started<T>> {
    let mut started = Vec::new();
    for Candidate { id, control, declared, facts, found, with } in candidates {
        let scope = Scope::new(check, &id);
        match found {
            Ok(Detection::Absent(why)) => {
                cx.progress.tell(&scope, &format!("not here: {why}"));
                cx.write(&scope, EventKind::SubjectAbsent { why, declared });
            }
            Ok(Detection::Present(facts)) => {
                cx.write(&scope, EventKind::SubjectStarted { facts: facts.clone(), control, declared });
                let subject = Subject { id, facts, control, declared };
                started.push(Started { scope, subject, with });
            }
            Err(stop) => {
                cx.write(&scope, EventKind::SubjectStarted { facts, control, declared });
                end(cx, &scope, Some(&stop));
            }
        }
    }
    started
}

/// Tries one subject to its end. What `act` gives owns the subject: a future that borrows from what it is called with cannot
/// be shown to be `Send`.
pub async fn one<T, F: Future<Output = Result<(), Stop>>>(
    cx: &Cx,
    started: Started<T>,
    act: impl FnOnce(Started<T>) -> F,
) {
    let scope = started.scope.clone();
    end(cx, &scope, act(started).await.err().as_ref());
}

/// Tries subjects side by side, each to its end.
pub async fn all<T, F: Future<Output = Result<(), Stop>>>(
    cx: &Cx,
    started: Vec<Started<T>>,
    act: impl Fn(Started<T>) -> F,
) {
    join_all(started.into_iter().map(|started| one(cx, started, &act))).await;
}

/// Ends subjects that cannot be tried for one reason, such as that what they share could not be made.
pub fn stopped<T>(cx: &Cx, started: Vec<Started<T>>, stop: &Stop) {
    for Started { scope, .. } in &started {
        end(cx, scope, Some(stop));
    }
}

/// Tries subjects by one act that all of them see: what stops it stops each.
pub async fn together<T, F: Future<Output = Result<(), Stop>>>(
    cx: &Cx,
    started: Vec<Started<T>>,
    act: impl FnOnce(Vec<T>) -> F,
) {
    let (scopes, with): (Vec<Scope>, Vec<T>) =
        started.into_iter().map(|started| (started.scope, started.with)).unzip();
    let stop = act(with).await.err();
    for scope in &scopes {
        end(cx, scope, stop.as_ref());
    }
}

/// Writes down the end of a subject, and before it why it came early.
fn end(cx: &Cx, scope: &Scope, stop: Option<&Stop>) {
    if let Some(stop) = stop {
        cx.progress.tell(scope, &format!("stopped: {stop}"));
        cx.stopped(scope, stop);
    }
    cx.write(scope, EventKind::SubjectEnded {});
}
