//! The probe as a backend behind a gateway: says on every path who it is, and counts what came.

use aiconform_model::probe::{Counted, Echo, MOST_REQUESTS, NONCE, SeenOf};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// Bodies of requests are short; what is longer is not read.
const LONGEST: usize = 64 * 1024;
/// Most batches that are counted: what else comes is not of this run.
const MOST_BATCHES: usize = 512;
/// Headers that proxies add and the sender does not.
const PROXIES: &[&str] =
    &["x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "x-request-id", "x-real-ip"];

/// Requests of each batch, and the numbers that came.
static SEEN: Mutex<BTreeMap<String, (u32, BTreeSet<u32>)>> = Mutex::new(BTreeMap::new());

/// Answers one request as the backend of this name.
pub async fn echo(
    name: &str,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let (parts, body) = request.into_parts();
    // Read to its end, so that the connection can be used again.
    let _ = Limited::new(body, LONGEST).collect().await;
    let nonce = text(&parts.headers, NONCE);
    count(&nonce);
    let is_there = |name: &&&str| parts.headers.contains_key(**name);
    let echo = Echo {
        backend: name.to_owned(),
        nonce,
        peer: peer.ip().to_canonical().to_string(),
        proxied: PROXIES.iter().filter(is_there).map(|name| (*name).to_owned()).collect(),
    };
    let mut response = Response::new(Full::new(serde_json::to_vec(&echo).unwrap_or_default().into()));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    Ok(response)
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn count(nonce: &str) {
    let Some((batch, number)) = nonce.rsplit_once('-') else { return };
    let Ok(number) = number.parse::<u32>() else { return };
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if number >= MOST_REQUESTS || (seen.len() >= MOST_BATCHES && !seen.contains_key(batch)) {
        return;
    }
    let (requests, numbers) = seen.entry(batch.to_owned()).or_default();
    *requests += 1;
    numbers.insert(number);
}

/// Counts what came of these batches.
pub fn seen(of: &SeenOf) -> BTreeMap<String, Counted> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let counted = |batch: &String| {
        let (requests, numbers) = seen.get(batch)?;
        let different = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        Some((batch.clone(), Counted { requests: *requests, different }))
    };
    of.batches.iter().filter_map(counted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_twice_is_one_request_and_what_is_of_no_batch_is_not_counted() {
        for nonce in ["run-a-0", "run-a-1", "run-a-1", "run-b-7", "none", "run-a-x", "run-a-99999"] {
            count(nonce);
        }
        let of = SeenOf { batches: ["run-a", "run-b", "run-c"].map(str::to_owned).to_vec() };
        let told = seen(&of);
        assert_eq!(told["run-a"], Counted { requests: 3, different: 2 });
        assert_eq!(told["run-b"], Counted { requests: 1, different: 1 });
        assert!(!told.contains_key("run-c"));
    }
}
