//! Sending batches of requests to one address, and counting what came back.

use aiconform_model::probe::{
    Answer, Answered, Batch, Echo, MOST_ANSWER, MOST_CONNECTIONS, MOST_REQUESTS, NONCE, Sent,
};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Different answers that are told apart; a gateway that makes up a new one for each request fills no memory.
const MOST_KINDS: usize = 64;
/// Longest part of a `Location` that is told.
const LOCATION: usize = 256;

type Body = Full<Bytes>;

/// Sum of what one connection's requests came to.
#[derive(Default)]
struct Sum {
    sent: u32,
    connections: u32,
    answers: BTreeMap<Answer, u32>,
    errors: BTreeMap<String, u32>,
}

/// Sends a batch.
///
/// # Errors
/// When what is asked for is no HTTP request, or the name is not resolved.
pub async fn send(asked: &Batch) -> Result<Sent, String> {
    let start = Instant::now();
    let end = start + Duration::from_millis(asked.all);
    // Once, before anything is sent: what is asked for must be a request.
    request(asked, 0)?;
    let resolve = tokio::net::lookup_host((asked.address.trim_matches(['[', ']']), asked.port));
    let resolved = timeout_at(end, resolve).await;
    let resolved = resolved.map_err(|_| format!("the name {} is not resolved in time", asked.address))?;
    let resolved: Vec<SocketAddr> =
        resolved.map_err(|error| format!("the name {} is not resolved: {error}", asked.address))?.collect();
    let Some(address) = resolved.first().copied() else {
        return Err(format!("the name {} has no address", asked.address));
    };
    let next = AtomicU32::new(asked.first);
    let workers = asked.connections.clamp(1, MOST_CONNECTIONS);
    let sums = futures::future::join_all((0..workers).map(|_| work(asked, address, &next, end))).await;
    let mut all = Sum::default();
    for sum in sums {
        all.sent += sum.sent;
        all.connections += sum.connections;
        for (answer, count) in sum.answers {
            *all.answers.entry(answer).or_default() += count;
        }
        for (error, count) in sum.errors {
            *all.errors.entry(error).or_default() += count;
        }
    }
    Ok(Sent {
        sent: all.sent,
        connections: all.connections,
        answers: all.answers.into_iter().map(|(answer, count)| Answered { answer, count }).collect(),
        errors: all.errors,
        resolved: resolved.iter().map(|address| address.ip().to_string()).collect(),
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

fn request(asked: &Batch, number: u32) -> Result<Request<Body>, String> {
    let mut request = Request::builder()
        .method(asked.method.as_str())
        .uri(asked.path.as_str())
        .header("host", &asked.host)
        .header(NONCE, format!("{}-{number}", asked.batch));
    for (name, value) in &asked.headers {
        request = request.header(name, value);
    }
    if !asked.body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request.body(Full::new(Bytes::from(asked.body.clone()))).map_err(|error| error.to_string())
}

/// One connection after another, or one for all, until every request of the batch has its turn.
async fn work(asked: &Batch, address: SocketAddr, next: &AtomicU32, end: Instant) -> Sum {
    let mut sum = Sum::default();
    let mut open: Option<SendRequest<Body>> = None;
    let after = asked.first.saturating_add(asked.count.min(MOST_REQUESTS));
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= after || Instant::now() >= end {
            return sum;
        }
        sum.sent += 1;
        let limit = (Instant::now() + Duration::from_millis(asked.each)).min(end);
        let answer = timeout_at(limit, one(asked, address, number, &mut open, &mut sum.connections)).await;
        let answer = answer.unwrap_or_else(|_| Err("no answer in time".into()));
        match answer {
            Ok(answer) => {
                if sum.answers.len() < MOST_KINDS || sum.answers.contains_key(&answer) {
                    *sum.answers.entry(answer).or_default() += 1;
                } else {
                    *sum.errors.entry("an answer unlike all others".into()).or_default() += 1;
                }
            }
            Err(why) => {
                open = None;
                *sum.errors.entry(why).or_default() += 1;
            }
        }
        if !asked.keeps_alive {
            open = None;
        }
    }
}

async fn one(
    asked: &Batch,
    address: SocketAddr,
    number: u32,
    open: &mut Option<SendRequest<Body>>,
    connections: &mut u32,
) -> Result<Answer, String> {
    let request = request(asked, number)?;
    // The other side may close a connection whenever it likes; then there is a new one.
    let ready = match open.take() {
        Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
        None => None,
    };
    let mut sender = match ready {
        Some(sender) => sender,
        None => {
            let stream =
                TcpStream::connect(address).await.map_err(|error| format!("connecting: {}", error.kind()))?;
            // A request is small, and waits for its answer.
            let _ = stream.set_nodelay(true);
            let (sender, connection) =
                handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            *connections += 1;
            sender
        }
    };
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let (parts, body) = response.into_parts();
    let location = parts.headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let location = location.chars().take(LOCATION).collect();
    let body = Limited::new(body, MOST_ANSWER).collect().await;
    let body =
        body.map_err(|_| "an answer that does not come to its end, or is too long".to_owned())?.to_bytes();
    let echo: Echo = serde_json::from_slice(&body).unwrap_or_default();
    *open = Some(sender);
    Ok(Answer {
        status: parts.status.as_u16(),
        is_own: echo.nonce == format!("{}-{number}", asked.batch),
        backend: echo.backend.chars().take(64).collect(),
        location,
        peer: echo.peer,
        proxied: echo.proxied,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use tokio::net::TcpListener;

    /// A backend of this name at a free port.
    async fn backend(name: &'static str) -> u16 {
        serve(move |peer, request| async move { crate::backend::echo(name, peer, request).await }).await
    }

    async fn serve<F>(answer: impl Fn(SocketAddr, Request<Incoming>) -> F + Copy + Send + 'static) -> u16
    where
        F: Future<Output = Result<http::Response<Body>, std::convert::Infallible>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let service = service_fn(move |request| answer(peer, request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        port
    }

    fn batch(name: &str, port: u16) -> Batch {
        Batch {
            batch: name.into(),
            address: "127.0.0.1".into(),
            port,
            method: "POST".into(),
            path: "/v1/chat/completions".into(),
            host: "model.test".into(),
            body: "{}".into(),
            count: 40,
            connections: 3,
            each: 5000,
            all: 20_000,
            ..Batch::default()
        }
    }

    #[tokio::test]
    async fn each_request_has_a_connection_of_its_own_or_all_share_a_few() {
        let port = backend("a").await;
        for (keeps_alive, connections) in [(false, 40), (true, 3)] {
            let asked = Batch { keeps_alive, ..batch(if keeps_alive { "kept" } else { "new" }, port) };
            let sent = send(&asked).await.unwrap();
            assert_eq!((sent.sent, sent.connections), (40, connections), "{sent:?}");
            assert_eq!(sent.answers.len(), 1, "{sent:?}");
            let answered = &sent.answers[0];
            assert_eq!((answered.count, answered.answer.status, answered.answer.is_own), (40, 200, true));
            assert_eq!((answered.answer.backend.as_str(), answered.answer.peer.as_str()), ("a", "127.0.0.1"));
        }
    }

    #[tokio::test]
    async fn what_is_sent_later_of_a_batch_goes_on_where_it_was() {
        let seen: &'static std::sync::Mutex<Vec<String>> = Box::leak(Box::default());
        let port = serve(move |peer, request| async move {
            let nonce = request.headers()[NONCE].to_str().unwrap().to_owned();
            seen.lock().unwrap().push(nonce);
            crate::backend::echo("a", peer, request).await
        })
        .await;
        let sent = send(&Batch { first: 40, count: 2, ..batch("later", port) }).await.unwrap();
        assert_eq!((sent.sent, sent.answers[0].answer.is_own), (2, true));
        seen.lock().unwrap().sort();
        assert_eq!(*seen.lock().unwrap(), ["later-40", "later-41"]);
    }

    #[tokio::test]
    async fn a_redirect_is_told_and_not_followed_and_what_is_no_backend_of_ours_has_no_name() {
        let port = serve(|_, _| async {
            let response = http::Response::builder().status(302).header("location", "https://login.test/");
            Ok(response.body(Full::new(Bytes::from_static(b"<html>log in</html>"))).unwrap())
        })
        .await;
        let sent = send(&batch("redirected", port)).await.unwrap();
        let answer = &sent.answers[0].answer;
        assert_eq!((answer.status, answer.location.as_str()), (302, "https://login.test/"));
        assert!(answer.backend.is_empty() && !answer.is_own);
    }

    #[tokio::test]
    async fn silence_ends_at_the_limits_and_bodies_without_an_end_are_cut() {
        let silent = serve(|_, _| std::future::pending()).await;
        let asked = Batch { each: 100, all: 300, ..batch("silent", silent) };
        let sent = send(&asked).await.unwrap();
        assert!(sent.answers.is_empty() && sent.sent < 40, "{sent:?}");
        assert!(sent.errors.contains_key("no answer in time"), "{sent:?}");
        let long =
            serve(|_, _| async { Ok(http::Response::new(Full::new(vec![b'x'; MOST_ANSWER + 1].into()))) })
                .await;
        let sent = send(&batch("long", long)).await.unwrap();
        assert!(sent.answers.is_empty() && sent.errors.len() == 1, "{sent:?}");
    }

    #[tokio::test]
    async fn nobody_there_and_names_that_are_none_are_told() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let sent = send(&batch("nobody", free)).await.unwrap();
        assert!(sent.errors.keys().all(|why| why.starts_with("connecting: ")), "{sent:?}");
        let asked = Batch { address: "none.invalid".into(), ..batch("name", free) };
        assert!(send(&asked).await.unwrap_err().contains("none.invalid"));
        let asked = Batch { path: "no path".into(), ..batch("path", free) };
        assert!(send(&asked).await.is_err());
    }
}
