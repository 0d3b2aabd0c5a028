//! The probe: runs in test pods, answers over HTTP what its container sees, and works on the devices it was given.
//!
//! It needs nothing of its image, no rights and no certain user. `aiconform_model::probe` has its questions and answers.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "a program for pods: its output is its log"
)]

mod backend;
mod by_program;
mod devices;
mod gauge;
mod inference;
mod load;
mod look;
mod program;
mod send;
mod token;

use aiconform_model::probe::{
    Answers, BACKEND, BACKEND_PORT, Batch, Gauge, Hold, Leave, Load, LookFor, PORT, Resolve, SeenOf, Token,
    Work,
};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;

/// Questions are short.
const LONGEST: usize = 64 * 1024;

static REQUESTS: AtomicU64 = AtomicU64::new(0);
static WORKED: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // What the pause program does with `-v`: a pod that completes.
        ["-v"] => {
            println!("{}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        ["copy", folder] => copy(std::path::Path::new(folder)),
        ["look"] => print(&look::look(&LookFor::default(), &scratch())),
        [] => serve(PORT),
        ["serve", port] => port.parse().map_err(|error| format!("{port:?}: {error}")).and_then(serve),
        _ => Err("usage: aiconform-probe [serve PORT | copy FOLDER | look | -v]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn print(answer: &impl Serialize) -> Result<(), String> {
    println!("{}", serde_json::to_string(answer).map_err(|error| error.to_string())?);
    Ok(())
}

/// Copies this program into a folder, so that a container of another image runs it.
fn copy(folder: &std::path::Path) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let to = folder.join("aiconform-probe");
    std::fs::copy(&own, &to).map(drop).map_err(|error| format!("{}: {error}", to.display()))
}

/// A folder that this container may write to, when there is one.
fn scratch() -> PathBuf {
    std::env::var_os("PROBE_SCRATCH").map_or_else(|| "/tmp".into(), PathBuf::from)
}

fn serve(port: u16) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let listener = listen(port).await?;
        // Apart from the questions, which nobody is to reach through a gateway.
        if let Some(name) = std::env::var(BACKEND).ok().filter(|name| !name.is_empty()) {
            tokio::spawn(be_backend(listen(BACKEND_PORT).await?, name.leak()));
        }
        println!("serving on port {port}");
        loop {
            let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
            tokio::spawn(async move {
                let service = hyper::service::service_fn(answer);
                // A client that goes away is none of our business.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

async fn listen(port: u16) -> Result<TcpListener, String> {
    // Both families where the node has both.
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("0.0.0.0", port)).await.map_err(|error| error.to_string()),
    }
}

/// Answers as a backend of this name, as long as connections come.
async fn be_backend(listener: TcpListener, name: &'static str) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // As when there are too many: those that are open come to their end first.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| backend::echo(name, peer, request));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>) -> Result<Answer, std::convert::Infallible> {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let answered = match (&parts.method, path.as_str()) {
        (&Method::GET, "/healthz") => Ok(text("text/plain", "ok\n".into())),
        (&Method::GET, "/metrics") if inference::labels().is_some() => {
            const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            Ok(text(OPEN_METRICS, inference::metrics(&inference::labels().unwrap_or_default())))
        }
        (&Method::POST, "/v1/chat/completions" | "/v1/completions") if inference::labels().is_some() => {
            read(body).await.and_then(|request| json_of(&inference::complete(&request)))
        }
        (&Method::POST, "/release") if inference::labels().is_some() => json_of(&inference::release()),
        (&Method::GET, "/metrics") => Ok(text("text/plain; version=0.0.4", metrics())),
        (&Method::POST, "/inspect") => match by_program::command() {
            Some(command) => {
                match read::<Token>(body).await.and_then(|known| token::check(&known.token, command)) {
                    Ok(command) => tried(move || by_program::inspect(&command?)).await,
                    Err(why) => Err(why),
                }
            }
            None => blocking(devices::inspect).await,
        },
        (&Method::POST, "/look") => match read::<LookFor>(body).await {
            Ok(wanted) => blocking(move || look::look(&wanted, &scratch())).await,
            Err(why) => Err(why),
        },
        (&Method::POST, "/work") => {
            match read::<Work>(body).await.and_then(|work| token::check(&work.token, work.milliseconds)) {
                Ok(milliseconds) => {
                    let answers = match by_program::command() {
                        Some(command) => tried(move || by_program::work(&command?, milliseconds)).await,
                        None => blocking(move || devices::work(milliseconds)).await,
                    };
                    WORKED.fetch_add(milliseconds, Ordering::Relaxed);
                    answers
                }
                Err(why) => Err(why),
            }
        }
        (&Method::POST, "/load") => {
            match read::<Load>(body).await.and_then(|load| token::check(&load.token, load.milliseconds)) {
                Ok(milliseconds) => {
                    let most = std::time::Duration::from_millis(milliseconds);
                    let begin = move || match by_program::command() {
                        Some(command) => by_program::begin(&command?, most),
                        None => load::begin(most),
                    };
                    tried(move || begin().map(|()| json!({"loading": true}))).await
                }
                Err(why) => Err(why),
            }
        }
        (&Method::POST, "/rest") => {
            match read::<Token>(body).await.and_then(|rest| token::check(&rest.token, ())) {
                Ok(()) => {
                    let rest =
                        || if by_program::command().is_some() { by_program::rest() } else { load::rest() };
                    let rested = tokio::task::spawn_blocking(rest).await.map_err(|error| error.to_string());
                    rested.and_then(|loaded| {
                        WORKED.fetch_add(loaded.done, Ordering::Relaxed);
                        json_of(&loaded)
                    })
                }
                Err(why) => Err(why),
            }
        }
        (&Method::POST, "/hold") => {
            match read::<Hold>(body).await.and_then(|hold| token::check(&hold.token, hold.bytes)) {
                Ok(bytes) => match by_program::command() {
                    Some(command) => tried(move || by_program::hold(&command?, bytes)).await,
                    None => blocking(move || devices::hold(bytes)).await,
                },
                Err(why) => Err(why),
            }
        }
        (&Method::POST, "/gauge") => match read::<Gauge>(body).await {
            Ok(wanted) => gauge::set(&wanted).and_then(|gauges| json_of(&gauges)),
            Err(why) => Err(why),
        },
        (&Method::POST, "/resolve") => match read::<Resolve>(body).await {
            Ok(resolve) => blocking(move || resolved(&resolve.name)).await,
            Err(why) => Err(why),
        },
        (&Method::POST, "/send") => match read::<Batch>(body).await {
            Ok(asked) => send::send(&asked).await.and_then(|sent| json_of(&sent)),
            Err(why) => Err(why),
        },
        (&Method::POST, "/seen") => match read::<SeenOf>(body).await {
            Ok(of) => json_of(&backend::seen(&of)),
            Err(why) => Err(why),
        },
        (&Method::POST, "/stop") => match read::<Leave>(body).await {
            Ok(leave) => {
                tokio::spawn(async move {
                    // The answer goes out first.
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    std::process::exit(i32::from(leave.code));
                });
                json_of(&json!({"stopping": leave.code}))
            }
            Err(why) => Err(why),
        },
        _ => {
            let mut none = text("text/plain", format!("there is no {} {path}\n", parts.method));
            *none.status_mut() = StatusCode::NOT_FOUND;
            Ok(none)
        }
    };
    Ok(answered.unwrap_or_else(|why| {
        let mut bad = text("text/plain", format!("{why}\n"));
        *bad.status_mut() = StatusCode::BAD_REQUEST;
        bad
    }))
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, String> {
    let bytes = Limited::new(body, LONGEST).collect().await.map_err(|error| error.to_string())?.to_bytes();
    let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// Answers with what came of something that may fail.
async fn tried<T: Serialize + Send + 'static>(
    act: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<Answer, String> {
    let done = tokio::task::spawn_blocking(act).await.map_err(|error| error.to_string())?;
    json_of(&done?)
}

async fn blocking<T: Serialize + Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<Answer, String> {
    let done = tokio::task::spawn_blocking(act).await.map_err(|error| error.to_string())?;
    json_of(&done)
}

fn json_of(value: &impl Serialize) -> Result<Answer, String> {
    serde_json::to_string(value).map(|json| text("application/json", json)).map_err(|error| error.to_string())
}

fn text(kind: &'static str, text: String) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    response
}

fn resolved(name: &str) -> Answers {
    match (name, 0_u16).to_socket_addrs() {
        Ok(found) => {
            let mut addresses: Vec<String> = found.map(|found: SocketAddr| found.ip().to_string()).collect();
            addresses.sort();
            addresses.dedup();
            Answers { devices: [(name.to_owned(), json!(addresses))].into(), errors: Vec::new() }
        }
        Err(error) => Answers { devices: Default::default(), errors: vec![format!("{name}: {error}")] },
    }
}

fn metrics() -> String {
    format!(
        "# HELP probe_requests_total Questions that were answered.\n# TYPE probe_requests_total counter\nprobe_requests_total {}\n\
         # HELP probe_work_milliseconds_total Work that was asked for.\n# TYPE probe_work_milliseconds_total counter\nprobe_work_milliseconds_total {}\n",
        REQUESTS.load(Ordering::Relaxed),
        WORKED.load(Ordering::Relaxed)
    ) + &gauge::metrics()
}
