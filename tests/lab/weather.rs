//! What a client of a lab meets in bad weather: each kind is felt, and none is when it is healed. Long, so only with
//! `--thorough`.

use super::timed;
use super::{is_gone, is_short, works};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const LAB: &str = "testweather";

/// A request from the host, as a user makes it.
fn request(path: &str) -> Output {
    let kubeconfig = format!("/var/lib/aiconform/{LAB}/kubeconfig");
    let kubectl = works(LAB, &["exec", "--", "sh", "-c", "command -v kubectl"]);
    Command::new(kubectl.trim())
        .args(["--kubeconfig", &kubeconfig, "--request-timeout=20s", "get", "--raw", path])
        .output()
        .unwrap()
}

fn is_answered() -> bool {
    request("/readyz").stdout == b"ok"
}

/// A connection from the host.
fn connection() -> TcpStream {
    let status = std::fs::read_to_string(format!("/var/lib/aiconform/{LAB}/lab.json")).unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let port = u16::try_from(status["port"].as_u64().unwrap()).unwrap();
    TcpStream::connect(("127.0.0.1", port)).unwrap()
}

/// The end of a connection on which nothing is said.
fn ends(mut stream: &TcpStream, within: u64) -> ErrorKind {
    stream.set_read_timeout(Some(Duration::from_secs(within))).unwrap();
    stream.read(&mut [0]).unwrap_err().kind()
}

/// Tells whether the API server says that it is spoken to without keys.
fn is_told_off(mut stream: &TcpStream) -> bool {
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).is_ok() && said.contains("HTTPS server")
}

#[test]
fn every_weather_is_felt_by_whoever_comes_from_outside_and_is_over_when_it_is_healed() {
    timed!();
    if is_short() {
        return;
    }
    works(LAB, &["up", "--with", ""]);
    assert!(is_answered());

    works(LAB, &["break", "weather-delays"]);
    let begin = Instant::now();
    // Two ways for the connection's keys and two for the request, 0.3 s each.
    assert!(is_answered() && begin.elapsed() > Duration::from_secs(1), "{:?}", begin.elapsed());
    works(LAB, &["heal"]);

    let open = connection();
    works(LAB, &["break", "weather-cut-off"]);
    assert_eq!(ends(&open, 5), ErrorKind::ConnectionReset);
    assert!(!is_answered());
    // Only from outside.
    assert!(works(LAB, &["exec", "--", "kubectl", "get", "--raw", "/readyz"]).contains("ok"));
    works(LAB, &["heal"]);
    assert!(is_answered());

    works(LAB, &["break", "weather-resets"]);
    assert_eq!(ends(&connection(), 10), ErrorKind::ConnectionReset);
    works(LAB, &["heal"]);
    // Nobody ends one on which nothing is said so soon.
    assert_eq!(ends(&connection(), 8), ErrorKind::WouldBlock);

    works(LAB, &["break", "weather-stalls"]);
    // What is sent in the time in which nothing comes through is answered after it.
    let stream = connection();
    assert_eq!(ends(&stream, 22), ErrorKind::WouldBlock);
    let begin = Instant::now();
    assert!(is_told_off(&stream) && begin.elapsed() > Duration::from_secs(5), "{:?}", begin.elapsed());
    works(LAB, &["heal"]);

    works(LAB, &["break", "api-server-restarts"]);
    let started = || works(LAB, &["exec", "--", "sh", "-c", "ps -o lstart= -C kube-apiserver"]);
    let (first, begin) = (started(), Instant::now());
    while started() == first {
        assert!(begin.elapsed() < Duration::from_secs(90), "it was never started again");
    }
    works(LAB, &["heal"]);
    // It takes connections before it is ready.
    while !is_answered() {
        assert!(begin.elapsed() < Duration::from_secs(120), "it did not become ready again");
    }

    works(LAB, &["break", "api-server-is-busy"]);
    // Until four of those that ask have met there.
    let rejected = "kubectl get --raw /metrics | grep 'rejected_requests_total.*aiconform-busy' || true";
    let rejected = || works(LAB, &["exec", "--", "sh", "-c", rejected]).contains("concurrency-limit");
    let begin = Instant::now();
    while !rejected() {
        assert!(begin.elapsed() < Duration::from_secs(90), "nobody was refused");
        let asking: Vec<_> =
            (0..24).map(|_| std::thread::spawn(|| request("/api/v1/pods?limit=500"))).collect();
        asking.into_iter().for_each(|one| drop(one.join().unwrap()));
    }
    works(LAB, &["heal"]);
    works(LAB, &["down"]);
    is_gone(LAB);
}
