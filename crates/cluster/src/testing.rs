//! API servers for tests: a scripted one, which gives its answers in the order in which they were written down and hangs
//! when there are no more; and one that holds objects, finalizers and watches.

use crate::api::Api;
use crate::connect::Connection;
use aiconform_model::{EventKind, Scope, Sink};
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::client::Body;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Keeps what was written down.
#[derive(Default)]
pub struct Kept(pub Mutex<Vec<EventKind>>);

impl Sink for Kept {
    fn write(&self, _: &Scope, kind: EventKind) -> u64 {
        let mut kept = self.0.lock().unwrap();
        kept.push(kind);
        kept.len() as u64
    }
}

/// An answer that is lost on its way.
pub const LOST: (u16, &str) = (0, "");

/// A client whose server gives these answers (status and body), whatever is asked; and what was asked.
pub fn scripted(answers: &[(u16, &str)]) -> (Api, Arc<Kept>, Arc<Mutex<Vec<String>>>) {
    let left: Arc<Mutex<VecDeque<(u16, String)>>> =
        Arc::new(Mutex::new(answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect()));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (script, log) = (left, asked.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        log.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let answer = script.lock().unwrap().pop_front();
        async move {
            match answer {
                Some((0, _)) => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
                Some((status, body)) => {
                    let body: Full<bytes::Bytes> = Full::new(body.into());
                    Ok(Response::builder().status(status).body(body).unwrap())
                }
                None => std::future::pending().await,
            }
        }
    });
    let (api, kept) = behind(kube::Client::new(service, "default"));
    (api, kept, asked)
}

fn behind(client: kube::Client) -> (Api, Arc<Kept>) {
    let connection = Connection { client, context: "scripted".into(), server: "https://127.0.0.1:0".into() };
    let kept = Arc::new(Kept::default());
    (Api::new(connection, kept.clone()), kept)
}

type Frames = tokio::sync::mpsc::UnboundedSender<Result<Frame<bytes::Bytes>, Infallible>>;

/// An API server that holds objects, by their paths. It looks at no selectors.
#[derive(Default)]
pub struct Server {
    objects: Mutex<BTreeMap<String, Value>>,
    watches: Mutex<Vec<(String, Frames)>>,
    versions: AtomicU64,
    is_gone: AtomicBool,
    /// Paths whose deletion is refused, and how often yet.
    refused: Mutex<BTreeMap<String, u32>>,
    /// Objects of whose kind the server knows no path any more, while it has them.
    pub unserved: Mutex<BTreeSet<String>>,
    /// Requests that changed anything: method and path.
    pub acts: Mutex<Vec<String>>,
}

impl Server {
    /// A client of it.
    pub fn client(self: &Arc<Server>) -> (Api, Arc<Kept>) {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                if server.is_gone.load(Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                Ok::<_, Infallible>(server.answer(head.method.as_str(), &head.uri, body))
            }
        });
        behind(kube::Client::new(service, "default"))
    }

    /// Number of watches that were asked for.
    pub fn watched(&self) -> usize {
        self.watches.lock().unwrap().len()
    }

    /// Refuses to delete an object so many times, as a webhook does that is away.
    pub fn refuse(&self, path: &str, times: u32) {
        self.refused.lock().unwrap().insert(path.to_owned(), times);
    }

    /// The object at a path.
    pub fn get(&self, path: &str) -> Option<Value> {
        self.objects.lock().unwrap().get(path).cloned()
    }

    /// Gives no answer any more.
    pub fn vanish(&self) {
        self.is_gone.store(true, Ordering::SeqCst);
    }

    /// Puts an object there, as somebody else does.
    pub fn put(&self, path: &str, mut object: Value) {
        let version = self.versions.fetch_add(1, Ordering::SeqCst) + 10;
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        object["metadata"]["name"] = json!(path.rsplit('/').next());
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("uid of {path}"));
        }
        if let Some((_, place)) = path.split_once("/namespaces/").filter(|(_, place)| place.contains('/')) {
            object["metadata"]["namespace"] = json!(place.split('/').next());
        }
        let known = self.objects.lock().unwrap().insert(path.to_owned(), object.clone()).is_some();
        self.tell(path, if known { "MODIFIED" } else { "ADDED" }, &object);
    }

    fn tell(&self, path: &str, kind: &str, object: &Value) {
        let frame = format!("{}\n", json!({"type": kind, "object": object}));
        for (collection, frames) in self.watches.lock().unwrap().iter() {
            if holds(collection, path) {
                let _ = frames.send(Ok(Frame::data(frame.clone().into())));
            }
        }
    }

    /// Deletes an object, or marks it if a finalizer holds it; a namespace goes with the last thing in it.
    pub fn delete(&self, path: &str) {
        let Some(mut object) = self.get(path) else { return };
        let inside: Vec<String> = match path.strip_prefix("/api/v1/namespaces/") {
            Some(name) if !name.contains('/') => self.paths(&format!("/namespaces/{name}/")),
            _ => Vec::new(),
        };
        inside.iter().for_each(|path| self.delete(path));
        let held = inside.iter().any(|path| self.get(path).is_some());
        if held {
            let condition =
                json!({"type": "NamespaceFinalizersRemaining", "status": "True", "message": "some"});
            object["status"]["conditions"] = json!([condition]);
        }
        let has =
            |pointer| object.pointer(pointer).and_then(Value::as_array).is_some_and(|all| !all.is_empty());
        if held || has("/metadata/finalizers") || has("/spec/finalizers") {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T10:05:00Z");
            self.put(path, object);
            return;
        }
        self.objects.lock().unwrap().remove(path);
        self.tell(path, "DELETED", &object);
    }

    fn paths(&self, part: &str) -> Vec<String> {
        self.objects.lock().unwrap().keys().filter(|path| path.contains(part)).cloned().collect()
    }

    fn answer(&self, method: &str, uri: &http::Uri, body: Value) -> Response<Answer> {
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        if method != "GET" {
            self.acts.lock().unwrap().push(format!("{method} {path}"));
        }
        if query.contains("watch=true") {
            let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
            self.watches.lock().unwrap().push((path.to_owned(), sender));
            let frames = futures::stream::unfold(receiver, |mut receiver| async move {
                receiver.recv().await.map(|frame| (frame, receiver))
            });
            return Response::new(StreamBody::new(frames.boxed()));
        }
        let (status, answer) = match (method, self.get(path)) {
            ("GET", None) if query.contains("limit=") => {
                let found = self.objects.lock().unwrap();
                let items: Vec<&Value> =
                    found.iter().filter(|(one, _)| holds(path, one)).map(|(_, object)| object).collect();
                (200, json!({"metadata": {"resourceVersion": "1"}, "items": items}))
            }
            _ if self.unserved.lock().unwrap().contains(path) => (404, json!("404 page not found")),
            (_, None) => (404, json!({"reason": "NotFound"})),
            ("DELETE", Some(_)) if self.refused.lock().unwrap().get(path).is_some_and(|left| *left > 0) => {
                *self.refused.lock().unwrap().entry(path.to_owned()).or_default() -= 1;
                (500, json!({"reason": "InternalError", "message": "failed calling webhook"}))
            }
            ("DELETE", Some(_)) => {
                self.delete(path);
                (200, json!({}))
            }
            ("PATCH", Some(mut object)) => {
                for key in ["finalizers", "annotations"] {
                    if let Some(value) = body["metadata"].get(key) {
                        object["metadata"][key] = value.clone();
                    }
                }
                let is_held =
                    object["metadata"]["finalizers"].as_array().is_some_and(|held| !held.is_empty());
                self.put(path, object);
                // What waited for this goes, and its namespace with it.
                let namespace = path.split("/namespaces/").nth(1).and_then(|place| place.split('/').next());
                let places =
                    [path.to_owned(), format!("/api/v1/namespaces/{}", namespace.unwrap_or_default())];
                for path in places.into_iter().filter(|_| !is_held) {
                    let is_deleted = |object: &Value| !object["metadata"]["deletionTimestamp"].is_null();
                    if self.get(&path).is_some_and(|object| is_deleted(&object)) {
                        self.delete(&path);
                    }
                }
                (200, json!({}))
            }
            (_, Some(object)) => (200, object),
        };
        let frame = Frame::data(bytes::Bytes::from(answer.to_string()));
        let body = StreamBody::new(futures::stream::iter([Ok(frame)]).boxed());
        Response::builder().status(status).body(body).unwrap()
    }
}

type Answer = StreamBody<futures::stream::BoxStream<'static, Result<Frame<bytes::Bytes>, Infallible>>>;

/// Tells whether a collection, of one namespace or of all, holds the object at a path.
fn holds(collection: &str, path: &str) -> bool {
    let Some((parent, _)) = path.rsplit_once('/') else { return false };
    let anywhere = match parent.split_once("/namespaces/") {
        Some((group, place)) => place.split_once('/').map(|(_, plural)| format!("{group}/{plural}")),
        None => None,
    };
    parent == collection || anywhere.as_deref() == Some(collection)
}
