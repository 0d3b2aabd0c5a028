//! The data plane: one request in, the same to the backend that the rules choose, its answer out.

use super::Fault;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::net::{TcpListener, TcpStream};

/// One backend of a rule.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Where it is, when it is there.
    pub address: Option<SocketAddr>,
    /// Set if there is no such Service.
    pub is_missing: bool,
    /// Its weight.
    pub weight: u64,
}

/// One match of one rule of a route.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Hosts.
    pub hosts: Vec<String>,
    /// Headers: name in small letters, and value.
    pub headers: Vec<(String, String)>,
    /// Backends.
    pub backends: Vec<Backend>,
}

/// Table of what is served.
pub struct Table {
    /// The rules of all routes.
    pub rules: RwLock<Vec<Rule>>,
    fault: Fault,
    turn: AtomicU64,
    /// Answers by host and path.
    kept: Mutex<BTreeMap<String, Bytes>>,
}

impl Table {
    /// Nothing yet, with this fault.
    pub fn new(fault: Fault) -> Table {
        Table { rules: RwLock::default(), fault, turn: AtomicU64::new(0), kept: Mutex::default() }
    }

    /// The backends of the rule that fits best: that with the most headers.
    fn backends(&self, host: &str, headers: &HeaderMap) -> Option<Vec<Backend>> {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let fits = |rule: &&Rule| {
            let matches = |(name, value): &(String, String)| {
                let there = headers.get(name).and_then(|there| there.to_str().ok());
                match self.fault {
                    Fault::IgnoresHeaders => true,
                    Fault::IgnoresHeaderValues => there.is_some(),
                    Fault::IgnoresHeaderCase => there.is_some_and(|it| it.eq_ignore_ascii_case(value)),
                    _ => there == Some(value),
                }
            };
            rule.hosts.iter().any(|known| known == host) && rule.headers.iter().all(matches)
        };
        rules.iter().filter(fits).max_by_key(|rule| rule.headers.len()).map(|rule| rule.backends.clone())
    }

    /// One of the backends, each as often as its weight says.
    fn choose(&self, backends: &[Backend], turn: u64) -> Option<SocketAddr> {
        let weight = |backend: &Backend| match self.fault {
            Fault::IgnoresWeights => u64::from(backend.weight > 0),
            Fault::ServesZeroWeight => backend.weight.max(4),
            _ => backend.weight,
        };
        let sum: u64 = backends.iter().map(weight).sum();
        // A stride that shares no factor with the sums that are used, so that each place has its turn.
        let mut place = turn.wrapping_mul(37).checked_rem(sum)?;
        for backend in backends {
            if place < weight(backend) {
                return backend.address;
            }
            place -= weight(backend);
        }
        None
    }
}

/// Serves as long as connections come.
pub async fn serve(listener: TcpListener, table: Arc<Table>) {
    while let Ok((stream, _)) = listener.accept().await {
        let table = table.clone();
        let connection = table.turn.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let answer = |request| answer(table.clone(), connection, request);
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer))
                .await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(
    table: Arc<Table>,
    connection: u64,
    request: Request<Incoming>,
) -> Result<Answer, std::convert::Infallible> {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_owned();
    if table.fault == Fault::NeverAnswers {
        std::future::pending::<()>().await;
    }
    if table.fault == Fault::AsksToLogIn {
        let mut response = status(302, "log in first");
        response.headers_mut().insert("location", http::HeaderValue::from_static("https://login.lab.test/"));
        return Ok(response);
    }
    let Some(backends) = table.backends(&host, &parts.headers) else { return Ok(status(404, "no route")) };
    let turn = match table.fault {
        Fault::ChoosesByConnection => connection,
        _ => table.turn.fetch_add(1, Ordering::Relaxed),
    };
    let Some(address) = table.choose(&backends, turn) else { return Ok(status(500, "no backend")) };
    let key = format!("{address} {host} {}", parts.uri.path());
    let keeps = table.fault == Fault::Caches;
    if keeps && let Some(body) = table.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Response::new(Full::new(body.clone())));
    }
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match forward(address, Request::from_parts(parts, Full::new(body))).await {
        Ok(response) => {
            if keeps {
                let body = response.body().clone().collect().await;
                let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                table.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key, body);
            }
            Ok(response)
        }
        Err(why) => Ok(status(502, &why)),
    }
}

async fn forward(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok(Response::from_parts(parts, Full::new(body)))
}

fn status(status: u16, words: &str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(words.to_owned())));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(last: u8, weight: u64) -> Backend {
        Backend { address: Some(([10, 0, 0, last], 80).into()), is_missing: false, weight }
    }

    /// Of 100 turns, those of each of the backends with weights 80, 20 and 0.
    fn shares(fault: Fault) -> [usize; 3] {
        let table = Table::new(fault);
        let all = [backend(1, 80), backend(2, 20), backend(3, 0)];
        let chosen: Vec<_> = (0..100).map(|turn| table.choose(&all, turn)).collect();
        all.map(|backend| chosen.iter().filter(|chosen| **chosen == backend.address).count())
    }

    #[test]
    fn weights_are_kept_exactly_but_for_the_faults_about_them() {
        assert_eq!(shares(Fault::TellsStaleStatus), [80, 20, 0]);
        assert_eq!(shares(Fault::IgnoresWeights), [50, 50, 0]);
        assert!(shares(Fault::ServesZeroWeight)[2] > 0);
        assert_eq!(Table::new(Fault::Caches).choose(&[], 7), None);
    }

    #[test]
    fn the_rule_with_the_most_headers_is_taken_but_for_the_faults_about_them() {
        let rule = |headers: &[(&str, &str)], last| Rule {
            hosts: vec!["a.test".into()],
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            backends: vec![backend(last, 1)],
        };
        let chosen = |fault, sent: &[(&'static str, &'static str)]| {
            let table = Table::new(fault);
            *table.rules.write().unwrap() = vec![rule(&[("model", "Large")], 2), rule(&[], 1)];
            let headers: HeaderMap = sent
                .iter()
                .map(|(name, value)| {
                    (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
                })
                .collect();
            let backends = table.backends("a.test", &headers).unwrap();
            assert!(table.backends("b.test", &headers).is_none());
            backends[0].address.unwrap().to_string()
        };
        let (one, two) = ("10.0.0.1:80", "10.0.0.2:80");
        let healthy = Fault::TellsStaleStatus;
        let sent: [&[(&str, &str)]; 4] =
            [&[("model", "Large")], &[("model", "large")], &[("model", "small")], &[]];
        assert_eq!(sent.map(|sent| chosen(healthy, sent)), [two, one, one, one]);
        assert_eq!(sent.map(|sent| chosen(Fault::IgnoresHeaderCase, sent)), [two, two, one, one]);
        assert_eq!(sent.map(|sent| chosen(Fault::IgnoresHeaderValues, sent)), [two, two, two, one]);
        assert_eq!(sent.map(|sent| chosen(Fault::IgnoresHeaders, sent)), [two, two, two, two]);
    }
}
