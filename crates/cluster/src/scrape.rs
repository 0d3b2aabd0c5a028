//! Texts of endpoints, fetched with limits and written down as they came.

use crate::api::{Api, explained};
use crate::connect::causes;
use aiconform_model::{EventKind, Scope};
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use kube::client::Body;
use std::time::{Duration, Instant};

/// Formats that Prometheus asks for: OpenMetrics, else its older format, else whatever there is.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// Limit of the part of a text that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimit {
    /// Bytes; what comes after them is not read.
    pub bytes: usize,
    /// Longest time for the whole answer.
    pub time: Duration,
}

/// A text that was fetched, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// HTTP status, 0 when no answer came.
    pub status: u16,
    /// Its content type, empty when it has none.
    pub content_type: String,
    /// The text as far as it was read.
    pub text: String,
    /// Set if it was longer than the limit.
    pub cut: bool,
    /// Why there is no answer, or not all of it.
    pub why: String,
}

impl Text {
    /// Why it is not the whole text of an answer that says yes, if it is not.
    pub fn lack(&self) -> Option<String> {
        if !self.why.is_empty() {
            return Some(self.why.clone());
        }
        (!(200..300).contains(&self.status)).then(|| format!("it was answered with status {}", self.status))
    }
}

impl Api {
    /// Path at the API server by which a port of a pod is reached.
    pub fn pod_proxy(namespace: &str, pod: &str, port: u16, path: &str) -> String {
        format!("/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy{path}")
    }

    /// Fetches a text and writes it down. That there is none is an answer too.
    pub async fn scrape(&self, scope: &Scope, path: &str, limit: TextLimit) -> Text {
        let start = Instant::now();
        let mut found = Text::default();
        let mut bytes = Vec::new();
        let answer = self.fetch(path, limit.bytes, &mut found, &mut bytes);
        match tokio::time::timeout(limit.time, answer).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => found.why = why,
            Err(_) => {
                found.why = format!("it did not end within {} s", limit.time.as_secs_f32());
            }
        }
        if found.cut {
            found.why = format!("it is longer than {} bytes, and was cut there", limit.bytes);
        }
        found.text = String::from_utf8_lossy(&bytes).into_owned();
        let event = EventKind::Scrape {
            endpoint: path.into(),
            status: found.status,
            content_type: found.content_type.clone(),
            text: found.text.clone(),
            cut: found.cut.then_some(limit.bytes as u64),
            why: found.why.clone(),
            milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.sink().write(scope, event);
        found
    }

    async fn fetch(
        &self,
        path: &str,
        most: usize,
        found: &mut Text,
        bytes: &mut Vec<u8>,
    ) -> Result<(), String> {
        let request = Request::builder()
            .method("GET")
            .uri(path)
            .header("accept", ACCEPT)
            .body(Body::empty())
            .map_err(|error| error.to_string())?;
        self.count_one();
        let response =
            self.connection.client.send(request).await.map_err(|error| explained(&causes(&error)))?;
        found.status = response.status().as_u16();
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        found.content_type = content_type.unwrap_or_default().into();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| causes(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            let room = most - bytes.len();
            bytes.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                found.cut = true;
                return Ok(());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Connection;
    use crate::testing::{Kept, scripted};
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    const LIMIT: TextLimit = TextLimit { bytes: 10, time: Duration::from_millis(200) };

    fn written(kept: &Kept) -> Vec<EventKind> {
        kept.0.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn a_text_is_written_down_as_it_came_and_cut_where_it_is_too_long() {
        let (api, kept, asked) = scripted(&[(200, "a 1\n"), (200, "a 1\nb 2\nc 3\n"), (503, "no\n")]);
        let path = Api::pod_proxy("n", "p", 9400, "/metrics");
        let whole = api.scrape(&Scope::default(), &path, LIMIT).await;
        assert_eq!((whole.text.as_str(), whole.lack()), ("a 1\n", None));
        let cut = api.scrape(&Scope::default(), &path, LIMIT).await;
        assert_eq!(cut.text, "a 1\nb 2\nc ");
        assert!(cut.cut && cut.lack().unwrap().contains("longer than 10 bytes"));
        assert!(api.scrape(&Scope::default(), &path, LIMIT).await.lack().unwrap().contains("503"));
        assert_eq!(asked.lock().unwrap()[0], "GET /api/v1/namespaces/n/pods/p:9400/proxy/metrics");
        let EventKind::Scrape { text, cut, status, .. } = &written(&kept)[1] else { panic!() };
        assert_eq!((text.as_str(), *cut, *status), ("a 1\nb 2\nc ", Some(10), 200));
    }

    #[tokio::test]
    async fn an_endpoint_that_hangs_is_told_so() {
        let (api, kept, _) = scripted(&[]);
        let text = api.scrape(&Scope::default(), "/metrics", LIMIT).await;
        assert_eq!((text.status, text.why.as_str()), (0, "it did not end within 0.2 s"));
        assert_eq!(written(&kept).len(), 1);
    }

    /// A server of one answer, which it goes on with for ever.
    #[tokio::test]
    async fn a_text_without_end_is_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (tell, told) = std::sync::mpsc::channel();
        // It ends when the client goes, which is after the test.
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let size = stream.read(&mut asked).unwrap();
            tell.send(String::from_utf8_lossy(&asked[..size]).into_owned()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n").unwrap();
            while stream.write_all(&[b'a'; 4096]).is_ok() {}
        });
        let connection = Connection::of_endpoint(&address, None, None).unwrap();
        let api = Api::new(connection, Arc::new(Kept::default()));
        let limit = TextLimit { bytes: 100_000, time: Duration::from_secs(10) };
        let text = api.scrape(&Scope::default(), "/metrics", limit).await;
        assert_eq!((text.text.len(), text.cut, text.content_type.as_str()), (100_000, true, "text/plain"));
        assert!(told.recv().unwrap().contains("openmetrics-text"));
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let error = |address| Connection::of_endpoint(address, None, None).err().unwrap().to_string();
        assert!(error("metrics:9400/x").contains("metrics:9400/x"));
        let missing = Connection::of_endpoint("https://a", Some("/none/ca.pem".into()), None).err().unwrap();
        assert!(missing.to_string().contains("/none/ca.pem"), "{missing}");
    }
}
