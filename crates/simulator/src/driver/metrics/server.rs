//! The exporter's HTTP server, and the ways in which it misbehaves when it is asked to.

use super::{Dialect, Memory, samples, text};
use crate::breakage::Breakage;
use crate::driver::error::SimulatorError;
use crate::driver::node::Node;
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Type of the exposition format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Texts of before, for an exporter that does not look anew whenever it is asked.
struct Kept {
    dcgm: String,
    opentelemetry: String,
}

impl Kept {
    /// Texts of now; with the time or without.
    async fn taken(node: &Node, memory: &Memory, time: Option<i64>) -> Kept {
        let samples = samples(node, memory).await;
        let render = |dialect| text::render(node, dialect, &samples, time);
        Kept { dcgm: render(Dialect::Dcgm), opentelemetry: render(Dialect::OpenTelemetry) }
    }
}

struct Exporter {
    node: Arc<Node>,
    memory: Memory,
    kept: Mutex<Option<Kept>>,
}

impl Exporter {
    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes samples at its own pace, for ever.
    async fn pace(&self) {
        loop {
            aiconform_wait::pause(PACE).await;
            let taken = Kept::taken(&self.node, &self.memory, None).await;
            *self.kept() = Some(taken);
        }
    }
}

/// Time between two samples of an exporter that takes them at its own pace.
const PACE: std::time::Duration = std::time::Duration::from_secs(30);

/// Serves metrics until it is dropped.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve(node: Arc<Node>) -> Result<(), SimulatorError> {
    let address = &node.settings.metrics;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        SimulatorError::Unusable(format!("metrics cannot be served on {address}: {error}"))
    })?;
    let memory = Memory::default();
    let stale = if node.settings.is_broken(Breakage::StaleSamples) {
        Some(Kept::taken(&node, &memory, Some(jiff::Timestamp::now().as_millisecond())).await)
    } else {
        None
    };
    let is_seldom = node.settings.is_broken(Breakage::SamplesEveryHalfMinute);
    let first = if is_seldom { Some(Kept::taken(&node, &memory, None).await) } else { stale };
    let exporter = Arc::new(Exporter { node, memory, kept: Mutex::new(first) });
    let mut connections = JoinSet::new();
    if is_seldom {
        let exporter = exporter.clone();
        connections.spawn(async move { exporter.pace().await });
    }
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Too many open files: those that are open will end.
                let Ok((stream, _)) = accepted else { aiconform_wait::pause(PAUSE).await; continue };
                let exporter = exporter.clone();
                let service = hyper::service::service_fn(move |request| {
                    let exporter = exporter.clone();
                    async move { Ok::<_, Infallible>(exporter.answer(&request).await) }
                });
                connections.spawn(async move {
                    let server = hyper::server::conn::http1::Builder::new();
                    // How a connection ends is its client's business.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Rest after a connection that could not be taken.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

impl Exporter {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let dialect = match request.uri().path() {
            "/metrics" => Dialect::Dcgm,
            "/metrics/opentelemetry" => Dialect::OpenTelemetry,
            "/healthz" => {
                let missing = self.node.missing();
                let (status, text) = match missing.join(", ") {
                    all if all.is_empty() => (200, "ok\n".to_owned()),
                    missing => (503, format!("waiting for: {missing}\n")),
                };
                return response(status, TEXT, whole(text));
            }
            _ => return response(404, TEXT, whole("metrics are at /metrics and /metrics/opentelemetry\n")),
        };
        let broken = |breakage| self.node.settings.is_broken(breakage);
        if broken(Breakage::MetricsHang) {
            return std::future::pending().await;
        }
        if broken(Breakage::HtmlInsteadOfMetrics) {
            let page = "<!DOCTYPE html>\n<html><body><h1>Sign in</h1></body></html>\n";
            return response(200, "text/html; charset=utf-8", whole(page));
        }
        if broken(Breakage::MetricsGarbage) {
            return response(200, TEXT, whole(garbage()));
        }
        let kept = self.kept().as_ref().map(|kept| match dialect {
            Dialect::Dcgm => kept.dcgm.clone(),
            Dialect::OpenTelemetry => kept.opentelemetry.clone(),
        });
        let text = match kept {
            Some(kept) => kept,
            None => text::render(&self.node, dialect, &samples(&self.node, &self.memory).await, None),
        };
        if broken(Breakage::MetricsEndless) {
            return response(200, TEXT, endless(text));
        }
        let kind = if broken(Breakage::MetricsWrongType) { "image/png" } else { TEXT };
        response(200, kind, whole(text))
    }
}

fn response(status: u16, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    response
}

fn whole(content: impl Into<Bytes>) -> Body {
    Full::new(content.into()).boxed_unsync()
}

/// The text, and then further lines as fast as they are taken, each one valid.
fn endless(text: String) -> Body {
    let lines: Bytes =
        (0..1000).map(|number| format!("more_of_it{{number=\"{number}\"}} 1\n")).collect::<String>().into();
    let more = futures::stream::repeat(lines);
    let all = futures::stream::iter([Bytes::from(text)]).chain(more);
    StreamBody::new(all.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)))).boxed_unsync()
}

/// Bytes of every value, most of them no text; the same each time.
fn garbage() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let byte = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..65536).map(byte).collect()
}
