//! Acts and marks; decides nothing.

use crate::limits::ANSWER;
use crate::marks::{ID, Mark};
use aiconform_check::cx::{Cx, Detection, Stop};
use aiconform_check::subject::{self, Candidate, Started};
use serde_json::Value;

/// Why nothing can be tried.
pub const ABSENT: &str = "the thing is not here";

/// Runs the check.
///
/// # Errors
/// When the cluster does not answer.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    let candidate = Candidate {
        id: "thing".into(),
        control: false,
        declared: false,
        facts: Value::Null,
        found: Ok(Detection::Absent(ABSENT.into())),
        with: (),
    };
    let started = subject::start(cx, ID, [candidate]);
    subject::all(cx, started, |Started { scope, .. }| async move {
        cx.mark(&scope, &Mark::Ask {});
        // Acts are watched for as long as their limit says.
        let answered = cx.limit(&ANSWER).watched().is_zero();
        cx.mark(&scope, &Mark::Asked { answered });
        Ok(())
    })
    .await;
    Ok(())
}
