//! One request, to an address that was checked, without anything of the asker in it.

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// By which a server knows who asks; no cookie, no credential and nothing of the machine goes with it.
pub const NAME: &str =
    concat!("aiconform/", env!("CARGO_PKG_VERSION"), " (asks whether links of a submission answer)");

/// Most bytes that the head of an answer may have; nothing after the head is asked for.
const LONGEST_HEAD: usize = 64 * 1024;

/// Most addresses of a host that are tried.
const MOST_ADDRESSES: usize = 3;

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    /// Status.
    pub status: StatusCode,
    /// Where it leads.
    pub location: Option<String>,
    /// Time for which the server wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// There is no connection, so that another request would have none either.
    Connection(String),
    /// There was one, and it brought nothing.
    Exchange(String),
}

/// Asks for the head of an answer. What comes after the head is not read: the connection is closed.
///
/// # Errors
/// Why there is none.
pub async fn ask(
    method: &Method,
    url: &Url,
    addresses: &[IpAddr],
    tls: &Arc<ClientConfig>,
    limit: Duration,
) -> Result<Head, NoAnswer> {
    let late = || format!("no answer within {} s", limit.as_secs_f32());
    let port = url.port_or_known_default().unwrap_or(80);
    let connecting = connect(addresses, port, limit);
    let stream = connecting.await.map_err(NoAnswer::Connection)?;
    let exchange = async {
        if url.scheme() == "https" {
            let name = match url.host() {
                Some(Host::Domain(name)) => ServerName::try_from(name.trim_end_matches('.').to_owned())
                    .map_err(|error| error.to_string())?,
                Some(Host::Ipv4(address)) => ServerName::from(IpAddr::V4(address)),
                Some(Host::Ipv6(address)) => ServerName::from(IpAddr::V6(address)),
                None => return Err("it names no host".to_owned()),
            };
            let connector = TlsConnector::from(tls.clone());
            let stream = connector.connect(name, stream).await;
            exchange(method, url, stream.map_err(|error| format!("TLS: {error}"))?).await
        } else {
            exchange(method, url, stream).await
        }
    };
    match tokio::time::timeout(limit, exchange).await {
        Ok(answer) => answer.map_err(NoAnswer::Exchange),
        Err(_) => Err(NoAnswer::Exchange(late())),
    }
}

/// Connects to the first address that takes the connection.
async fn connect(addresses: &[IpAddr], port: u16, limit: Duration) -> Result<TcpStream, String> {
    let mut last = "it has no address".to_owned();
    for address in addresses.iter().take(MOST_ADDRESSES) {
        let to = SocketAddr::new(*address, port);
        last = match tokio::time::timeout(limit / 2, TcpStream::connect(to)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => format!("no connection: {error}"),
            Err(_) => format!("no connection within {} s", (limit / 2).as_secs_f32()),
        };
    }
    Err(last)
}

async fn exchange<S>(method: &Method, url: &Url, stream: S) -> Result<Head, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let words = |error: hyper::Error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        format!("the answer is none of HTTP: {cause}")
    };
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, host)
        .header(USER_AGENT, NAME)
        .header(ACCEPT, "text/html,*/*;q=0.8")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("it cannot be asked for: {error}"))?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(words)?;
    let answering = sender.send_request(request);
    // The connection lives in here and nowhere else, so that it ends with the answer's head.
    let answer = {
        futures::pin_mut!(answering);
        futures::pin_mut!(connection);
        match futures::future::select(answering, connection).await {
            futures::future::Either::Left((answer, _)) => answer,
            futures::future::Either::Right((ended, answering)) => match ended {
                Ok(()) => answering.await,
                Err(error) => Err(error),
            },
        }
    };
    let answer = answer.map_err(words)?;
    Ok(Head {
        status: answer.status(),
        location: text(answer.headers(), &LOCATION),
        retry_after: text(answer.headers(), &RETRY_AFTER)
            .and_then(|text| retry_after(&text, Timestamp::now())),
    })
}

fn text(headers: &HeaderMap, name: &http::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Seconds, or a date (RFC 9110, 10.2.3).
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_is_a_number_or_a_date() {
        let now: Timestamp = "2026-11-28T08:00:00Z".parse().unwrap();
        let seconds = |text: &str| retry_after(text, now).map(|time| time.as_secs());
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("Sat, 28 Nov 2026 08:01:30 GMT"), Some(90));
        assert_eq!(seconds("Sat, 28 Nov 2026 07:00:00 GMT"), Some(0));
        for nothing in ["", "soon", "-5", "1.5"] {
            assert_eq!(seconds(nothing), None, "{nothing}");
        }
    }
}
