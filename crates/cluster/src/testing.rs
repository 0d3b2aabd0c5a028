//! A scripted API server: answers in the order in which they were written down, and hangs when there are no more.

use crate::api::Api;
use crate::connect::Connection;
use aiconform_model::{EventKind, Scope, Sink};
use http::{Request, Response};
use http_body_util::Full;
use kube::client::Body;
use std::collections::VecDeque;
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
                Some((status, body)) => {
                    let body: Full<bytes::Bytes> = Full::new(body.into());
                    Ok::<_, std::convert::Infallible>(Response::builder().status(status).body(body).unwrap())
                }
                None => std::future::pending().await,
            }
        }
    });
    let connection = Connection {
        client: kube::Client::new(service, "default"),
        context: "scripted".into(),
        server: "https://127.0.0.1:0".into(),
    };
    let kept = Arc::new(Kept::default());
    (Api::new(connection, kept.clone()), kept, asked)
}
