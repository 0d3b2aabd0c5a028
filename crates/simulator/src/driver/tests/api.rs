//! An API server that keeps objects by their addresses.

use aiconform_cluster::{Api, Connection, Target};
use aiconform_model::{Nowhere, Object};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// What it keeps, by address.
pub type Objects = Arc<Mutex<BTreeMap<String, Value>>>;

/// A client of a new server, and what that keeps.
pub async fn server(folder: &TempDir) -> (Api, Objects) {
    let objects = Objects::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kept = objects.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = kept.clone();
            let service = hyper::service::service_fn(move |request| answer(kept.clone(), request));
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    let kubeconfig = folder.path().join("kubeconfig");
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    let target = Target { kubeconfig: Some(kubeconfig.try_into().unwrap()), context: None };
    (Api::new(Connection::open(&target).await.unwrap(), Arc::new(Nowhere)), objects)
}

async fn answer(kept: Objects, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut kept = kept.lock().unwrap();
    let (status, answer) = match method {
        Method::POST => {
            let object: Value = serde_json::from_slice(&body).unwrap();
            kept.insert(format!("{path}/{}", Object(object.clone()).name()), object.clone());
            (201, Some(object))
        }
        Method::DELETE => (200, kept.remove(&path)),
        _ => (200, kept.get(&path).cloned()),
    };
    let missing = || (404, json!({"kind": "Status", "reason": "NotFound", "message": path}));
    let (status, answer) = answer.map_or_else(missing, |answer| (status, answer));
    Ok(Response::builder().status(status).body(Full::from(answer.to_string())).unwrap())
}
