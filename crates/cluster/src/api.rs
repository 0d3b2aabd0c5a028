//! Requests to the API server, each written down with its answer.

use crate::connect::{Connection, causes};
use crate::error::{ClusterError, Refusal};
use crate::labels::RUN_LABEL;
use aiconform_evidence::redact;
use aiconform_model::{EventKind, Kind, Object, Scope, Sink};
use http::Request;
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// An answer that holds only an object's metadata; a refusal comes as it is.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
/// Longest time for one answer.
const ANSWER: Duration = Duration::from_secs(30);
/// Pauses before a request is sent again that was lost on its way: a connection was reset, or the API server is started again.
const AGAIN: [u64; 6] = [200, 400, 800, 1600, 3200, 3200];

/// The recording client: every request and its answer go to the sink.
#[derive(Clone)]
pub struct Api {
    pub(crate) connection: Connection,
    pub(crate) sink: Arc<dyn Sink>,
    count: Arc<AtomicU64>,
    /// Set once it was answered: before that nobody may be there at all.
    answered: Arc<AtomicBool>,
}

/// A request that failed.
struct Failure {
    error: ClusterError,
    /// Set if it was lost on its way, or its answer was: it is not known whether it was done.
    is_lost: bool,
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Failure {
        Failure { error, is_lost: false }
    }
}

impl Api {
    /// A client that writes to this sink.
    pub fn new(connection: Connection, sink: Arc<dyn Sink>) -> Api {
        Api { connection, sink, count: Arc::default(), answered: Arc::default() }
    }

    /// Where events go.
    pub fn sink(&self) -> &Arc<dyn Sink> {
        &self.sink
    }

    /// Context and address, for people.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Requests sent so far, watches included.
    pub fn requests(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The address of a kind's collection, or of one object of it.
    pub fn path(kind: &Kind, namespace: &str, name: &str) -> String {
        let mut path = if kind.group.is_empty() {
            format!("/api/{}", kind.version)
        } else {
            format!("/apis/{}/{}", kind.group, kind.version)
        };
        if kind.namespaced && !namespace.is_empty() {
            path = format!("{path}/namespaces/{namespace}");
        }
        path = format!("{path}/{}", kind.plural);
        if name.is_empty() { path } else { format!("{path}/{name}") }
    }

    /// Creates an object. Where the answer was lost on its way, it may be there already when it is asked for again: it is
    /// taken for the one that was asked for if it has the label of the same run.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn create(&self, scope: &Scope, kind: &Kind, object: &Object) -> Result<Object, ClusterError> {
        let path = Api::path(kind, object.namespace(), "");
        let mut pauses = AGAIN.iter();
        let mut was_lost = false;
        loop {
            match self.attempt(scope, "POST", &path, Some(&object.0)).await {
                Err(Failure { error: ClusterError::Refused(refusal), .. })
                    if was_lost && refusal.reason == "AlreadyExists" =>
                {
                    let there = self.get(scope, kind, object.namespace(), object.name()).await?;
                    // Another run's, or somebody's who has no label of ours, is not ours to use, or to remove.
                    let is_own = there.label(RUN_LABEL) == object.label(RUN_LABEL);
                    return if is_own { Ok(there) } else { Err(refusal.into()) };
                }
                Err(failure) => {
                    let Some(pause) = pauses.next().filter(|_| failure.is_lost) else {
                        return Err(failure.error);
                    };
                    was_lost = true;
                    aiconform_wait::pause(Duration::from_millis(*pause)).await;
                }
                Ok(answer) => return Ok(Object(answer)),
            }
        }
    }

    /// Asks what would become of an object, without creating it.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn dry_run(&self, scope: &Scope, kind: &Kind, object: &Object) -> Result<Object, ClusterError> {
        let path = format!("{}?dryRun=All", Api::path(kind, object.namespace(), ""));
        self.send(scope, "POST", &path, Some(&object.0)).await.map(Object)
    }

    /// Reads an object.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn get(
        &self,
        scope: &Scope,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Object, ClusterError> {
        self.send(scope, "GET", &Api::path(kind, namespace, name), None).await.map(Object)
    }

    /// Lists objects that carry these labels, page by page.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn list(
        &self,
        scope: &Scope,
        kind: &Kind,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<Object>, ClusterError> {
        let query = format!("labelSelector={}", encode(selector));
        self.pages(scope, kind, namespace, &query).await.map(|(objects, _)| objects)
    }

    /// Lists with a query; gives the objects and the list's resource version.
    pub(crate) async fn pages(
        &self,
        scope: &Scope,
        kind: &Kind,
        namespace: &str,
        query: &str,
    ) -> Result<(Vec<Object>, String), ClusterError> {
        let (mut objects, mut next) = (Vec::new(), String::new());
        loop {
            let path =
                format!("{}?limit=500&{query}&continue={}", Api::path(kind, namespace, ""), encode(&next));
            let mut list = self.send(scope, "GET", &path, None).await?;
            if let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) {
                objects.extend(items.into_iter().map(Object));
            }
            let list = Object(list);
            next = list.text("/metadata/continue").to_owned();
            if next.is_empty() {
                return Ok((objects, list.resource_version().to_owned()));
            }
        }
    }

    /// Merges a patch (RFC 7396) into an object, or into its `subresource`. What became of it comes on its watch.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn merge(
        &self,
        scope: &Scope,
        kind: &Kind,
        (namespace, name): (&str, &str),
        subresource: &str,
        patch: &Value,
    ) -> Result<(), ClusterError> {
        let mut path = Api::path(kind, namespace, name);
        if !subresource.is_empty() {
            path = format!("{path}/{subresource}");
        }
        self.send(scope, "PATCH", &path, Some(patch)).await.map(drop)
    }

    /// Deletes an object; one that is not there is no error.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn delete(
        &self,
        scope: &Scope,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<(), ClusterError> {
        let path = format!("{}?propagationPolicy=Background", Api::path(kind, namespace, name));
        match self.send(scope, "DELETE", &path, None).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Tells whether the server serves this kind, by its own discovery.
    ///
    /// # Errors
    /// When discovery is refused for another reason than absence.
    pub async fn serves(&self, scope: &Scope, kind: &Kind) -> Result<bool, ClusterError> {
        let path = if kind.group.is_empty() {
            format!("/api/{}", kind.version)
        } else {
            format!("/apis/{}/{}", kind.group, kind.version)
        };
        match self.send(scope, "GET", &path, None).await {
            Ok(list) => Ok(list.get("resources").and_then(Value::as_array).is_some_and(|resources| {
                resources
                    .iter()
                    .any(|resource| resource.get("name").and_then(Value::as_str) == Some(&kind.plural))
            })),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends a request and writes it down with its answer. One that does no harm when it is done twice is sent again where it
    /// is lost on its way.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn send(
        &self,
        scope: &Scope,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClusterError> {
        let may_be_twice = method != "POST" || path.ends_with("?dryRun=All");
        let mut pauses = AGAIN.iter();
        loop {
            let failure = match self.attempt(scope, method, path, body).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Some(pause) = pauses.next().filter(|_| failure.is_lost && may_be_twice) else {
                return Err(failure.error);
            };
            aiconform_wait::pause(Duration::from_millis(*pause)).await;
        }
    }

    /// Sends a request once and writes it down with its answer.
    async fn attempt(
        &self,
        scope: &Scope,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let start = Instant::now();
        let mut tries = 0;
        let (status, answer) = loop {
            let result = tokio::time::timeout(ANSWER, self.exchange(method, path, body)).await;
            let unreachable = |why: String| ClusterError::Unreachable {
                server: self.connection.server.clone(),
                what: format!("{method} {path}"),
                why,
            };
            let failure = match result {
                // Priority and fairness asks to come again; the request was not looked at.
                Ok(Ok((429, _))) if tries < 10 => {
                    tries += 1;
                    aiconform_wait::pause(Duration::from_millis(200 * tries)).await;
                    continue;
                }
                Ok(Ok(answer)) => break answer,
                // Before its first answer nobody may be there at all.
                Ok(Err(why)) => {
                    Failure { error: unreachable(why), is_lost: self.answered.load(Ordering::Relaxed) }
                }
                Err(_) => unreachable(format!("no answer within {} s", ANSWER.as_secs())).into(),
            };
            self.tell(scope, method, path, 0, body, None, start);
            return Err(failure);
        };
        self.answered.store(true, Ordering::Relaxed);
        let is_list = method == "GET" && path.contains('?');
        self.tell(scope, method, path, status, body, (!is_list).then_some(&answer), start);
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let answer = Object(answer);
        let mut message = answer.text("/message").to_owned();
        if message.is_empty() {
            message = answer.0.to_string();
        }
        if status == 401 {
            message.push_str("; the credentials are not valid, or not any more: renew the kubeconfig");
        }
        let reason = answer.text("/reason").to_owned();
        let refusal = Refusal { method: method.into(), path: path.into(), status, reason, message };
        Err(ClusterError::from(refusal).into())
    }

    async fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value), String> {
        let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let accept = if matches!(method, "PATCH" | "DELETE") { METADATA } else { "application/json" };
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .header("accept", accept)
            .body(Body::from(bytes))
            .map_err(|error| error.to_string())?;
        self.count.fetch_add(1, Ordering::Relaxed);
        let response =
            self.connection.client.send(request).await.map_err(|error| explained(&causes(&error)))?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.map_err(|error| causes(&error))?.to_bytes();
        let answer = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok((status, answer))
    }

    pub(crate) fn count_one(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    #[allow(clippy::too_many_arguments, reason = "one line of the log, written in one place")]
    fn tell(
        &self,
        scope: &Scope,
        method: &str,
        path: &str,
        status: u16,
        request: Option<&Value>,
        response: Option<&Value>,
        start: Instant,
    ) {
        let clean = |value: &Value| {
            let mut value = value.clone();
            redact(&mut value);
            value
        };
        let event = EventKind::Exchange {
            method: method.into(),
            path: path.into(),
            status,
            request: request.map(clean),
            // Discovery documents say nothing that a subject's facts do not.
            response: response
                .filter(|value| {
                    value.get("resources").is_none()
                        && value.get("kind").is_none_or(|kind| kind != "APIGroupList")
                })
                .map(clean),
            milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.sink.write(scope, event);
    }
}

/// Adds what to do to the errors of a connection that people meet most.
pub(crate) fn explained(why: &str) -> String {
    let lower = why.to_lowercase();
    if lower.contains("expired") {
        format!("{why}; a certificate has expired: renew the kubeconfig")
    } else if lower.contains("refused") || lower.contains("dns") || lower.contains("timed out") {
        format!("{why}; is the cluster up, and the address in the kubeconfig right?")
    } else {
        why.into()
    }
}

/// Percent-encodes what is not unreserved (RFC 3986, section 2.3).
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{LOST, scripted};
    use proptest::prelude::*;
    use serde_json::json;

    const DENIED: &str = r#"{"kind":"Status","reason":"Forbidden","message":"admission webhook \"p\" denied the request: no"}"#;

    #[tokio::test]
    async fn a_refusal_carries_what_was_asked_and_what_was_said() {
        let (api, kept, _) = scripted(&[(403, DENIED)]);
        let secret = Object::new(
            json!({"kind": "Secret", "metadata": {"name": "a", "namespace": "n"}, "data": {"x": "c2VjcmV0"}}),
        );
        let kind = Kind::namespaced("", "v1", "Secret", "secrets");
        let error = api.create(&Scope::default(), &kind, &secret).await.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!((refusal.status, refusal.path.as_str()), (403, "/api/v1/namespaces/n/secrets"));
        assert!(error.to_string().contains("denied the request: no"));
        // Written down, without the secret.
        let kept = format!("{:?}", kept.0.lock().unwrap());
        assert!(kept.contains("Forbidden") && !kept.contains("c2VjcmV0"), "{kept}");
    }

    #[tokio::test]
    async fn a_server_that_asks_to_come_again_is_asked_again() {
        let (api, kept, asked) = scripted(&[(429, "{}"), (200, r#"{"metadata":{"name":"a"}}"#)]);
        let found = api.get(&Scope::default(), &Kind::namespace(), "", "a").await.unwrap();
        assert_eq!(found.name(), "a");
        assert_eq!((asked.lock().unwrap().len(), kept.0.lock().unwrap().len()), (2, 1));
    }

    #[tokio::test]
    async fn what_is_lost_on_its_way_is_asked_again_where_that_does_no_harm_and_only_of_who_has_answered() {
        let there = r#"{"metadata":{"name":"a"}}"#;
        let (api, kept, asked) = scripted(&[(200, there), LOST, LOST, (200, there), LOST, (200, there)]);
        let get = || async { api.get(&Scope::default(), &Kind::namespace(), "", "a").await };
        assert_eq!(get().await.unwrap().name(), "a");
        assert_eq!(get().await.unwrap().name(), "a");
        // Each try is written down.
        assert_eq!((asked.lock().unwrap().len(), kept.0.lock().unwrap().len()), (4, 4));
        // What may not be done twice is not.
        assert!(api.send(&Scope::default(), "POST", "/somewhere", None).await.is_err());
        let (api, _, asked) = scripted(&[LOST, (200, there)]);
        assert!(api.get(&Scope::default(), &Kind::namespace(), "", "a").await.is_err());
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_object_that_was_made_by_the_request_whose_answer_was_lost_is_read() {
        let there = r#"{"metadata":{"name":"a","uid":"u","labels":{"aiconform.dev/run":"r"}}}"#;
        let other = r#"{"metadata":{"name":"a","uid":"v"}}"#;
        let already = r#"{"kind":"Status","reason":"AlreadyExists","message":"there is one"}"#;
        let (api, _, asked) = scripted(&[
            (200, there),
            LOST,
            (409, already),
            (200, there),
            (409, already),
            LOST,
            (409, already),
            (200, other),
        ]);
        api.get(&Scope::default(), &Kind::namespace(), "", "b").await.unwrap();
        let object = Object::new(json!({"metadata": {"name": "a", "labels": {"aiconform.dev/run": "r"}}}));
        let made = api.create(&Scope::default(), &Kind::namespace(), &object).await.unwrap();
        assert_eq!(made.uid(), "u");
        let asked = asked.lock().unwrap().clone();
        assert_eq!(
            asked[1..],
            ["POST /api/v1/namespaces", "POST /api/v1/namespaces", "GET /api/v1/namespaces/a"]
        );
        // One that was there before is refused as ever, and somebody else's too.
        for _ in 0..2 {
            let refused = api.create(&Scope::default(), &Kind::namespace(), &object).await.unwrap_err();
            assert_eq!(refused.refusal().unwrap().reason, "AlreadyExists");
        }
    }

    #[tokio::test]
    async fn lists_are_read_to_their_last_page() {
        let first = r#"{"metadata":{"continue":"next"},"items":[{"metadata":{"name":"a"}}]}"#;
        let last = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"b"}}]}"#;
        let (api, _, asked) = scripted(&[(200, first), (200, last)]);
        let found = api.list(&Scope::default(), &Kind::node(), "", "a=b").await.unwrap();
        assert_eq!(found.iter().map(Object::name).collect::<Vec<_>>(), ["a", "b"]);
        assert!(asked.lock().unwrap()[1].ends_with("continue=next"));
    }

    #[tokio::test]
    async fn deleting_what_is_gone_is_no_error_and_a_kind_that_is_not_served_is_told() {
        let (api, ..) =
            scripted(&[(404, "{}"), (404, "{}"), (200, r#"{"resources":[{"name":"podgroups"}]}"#)]);
        api.delete(&Scope::default(), &Kind::pod(), "n", "a").await.unwrap();
        let groups = Kind::namespaced("scheduling.k8s.io", "v1beta1", "PodGroup", "podgroups");
        assert!(!api.serves(&Scope::default(), &groups).await.unwrap());
        assert!(api.serves(&Scope::default(), &groups).await.unwrap());
    }

    proptest! {
        #[test]
        fn what_is_encoded_holds_only_what_an_address_may(text in ".{0,40}") {
            prop_assert!(encode(&text).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        }
    }
}
