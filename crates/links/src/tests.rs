//! Every way in which a link can end, on real servers of this machine, which the released program never asks: here the
//! gate lets one address in, and calls another one private.

use crate::{Asker, Gate, Limits, Names, NoAddress};
use aiconform_submission::reach::{Answers, Reached};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

type Body = BoxBody<Bytes, Infallible>;

const OPEN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const PRIVATE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

struct OneAddress;

impl Gate for OneAddress {
    fn address(&self, address: IpAddr) -> Result<(), &'static str> {
        if address == OPEN { Ok(()) } else { Err("a private address") }
    }

    fn port(&self, port: u16) -> bool {
        port > 1024
    }
}

/// Knows every name, but for some; `rebinding.test` is another one each time.
#[derive(Default)]
struct Told(AtomicUsize);

impl Names for Told {
    fn look_up<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, NoAddress>> {
        let asked = self.0.fetch_add(1, Ordering::SeqCst);
        let found = match host {
            "gone.test" => Err(NoAddress::Unknown),
            "bare.test" => Err(NoAddress::Without),
            "sick.test" => Err(NoAddress::Failed("server failure".into())),
            "inner.test" => Ok(vec![PRIVATE.into()]),
            "rebinding.test" if asked > 0 => Ok(vec![PRIVATE.into()]),
            "both.test" => Ok(vec![PRIVATE.into(), OPEN.into()]),
            _ => Ok(vec![OPEN.into()]),
        };
        std::future::ready(found).boxed()
    }
}

/// What a server was asked: method, path and headers.
type Asked = Arc<Mutex<Vec<(Method, String, HeaderMap)>>>;

struct Server {
    port: u16,
    asked: Asked,
    most: Arc<AtomicUsize>,
}

impl Server {
    async fn new() -> Server {
        Server::at(OPEN, None).await
    }

    async fn at(address: Ipv4Addr, tls: Option<tokio_rustls::TlsAcceptor>) -> Server {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server { port, asked: Asked::default(), most: Arc::default() };
        let (asked, most) = (server.asked.clone(), server.most.clone());
        let (now, pair) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, most, now, pair, tls) =
                    (asked.clone(), most.clone(), now.clone(), pair.clone(), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (asked, most, now, pair) =
                            (asked.clone(), most.clone(), now.clone(), pair.clone());
                        async move {
                            let many = now.fetch_add(1, Ordering::SeqCst) + 1;
                            most.fetch_max(many, Ordering::SeqCst);
                            let answer = answer(request, port, &asked, &pair).await;
                            now.fetch_sub(1, Ordering::SeqCst);
                            answer
                        }
                    });
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, service).await;
                            }
                        }
                        None => serve(stream, service).await,
                    }
                });
            }
        });
        server
    }

    fn link(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    fn methods(&self, path: &str) -> Vec<Method> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(_, there, _)| there == path).map(|(method, ..)| method.clone()).collect()
    }
}

async fn serve<S, V>(stream: S, service: V)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    V: hyper::service::Service<Request<Incoming>, Response = Response<Body>, Error = io::Error>,
{
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The path says what is answered: `/STATUS`, or `/STATUS/HEADER-VALUE`, or one of the words below.
async fn answer(
    request: Request<Incoming>,
    port: u16,
    asked: &Asked,
    pair: &Barrier,
) -> Result<Response<Body>, io::Error> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let before = {
        let mut asked = asked.lock().unwrap();
        asked.push((method.clone(), path.clone(), request.headers().clone()));
        asked.iter().filter(|(_, there, _)| *there == path).count() - 1
    };
    let head = method == Method::HEAD;
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(3, '/').collect();
    let (status, location, rest) = match parts[..] {
        ["no-head", status] => (if head { status.parse().unwrap() } else { 200 }, None, None),
        ["head-breaks"] if head => return Err(io::Error::other("not by HEAD")),
        ["head-breaks"] => (200, None, None),
        ["silent"] => std::future::pending().await,
        ["pairs", _] => {
            pair.wait().await;
            // Whoever else may come would come now.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            (200, None, None)
        }
        ["busy", status, rest] => {
            (if before == 0 { status.parse().unwrap() } else { 200 }, None, Some(rest.to_owned()))
        }
        ["always-busy", rest] => (429, None, Some(rest.to_owned())),
        ["endless"] if head => (405, None, None),
        ["endless"] => {
            let frame = || Some((Ok(Frame::data(Bytes::from_static(&[b'x'; 65536]))), ()));
            let body = StreamBody::new(futures::stream::unfold((), move |()| std::future::ready(frame())));
            return Ok(Response::new(BodyExt::boxed(body)));
        }
        ["long-head"] => (200, Some("x".repeat(1_000_000)), None),
        ["steps", left] => match left.parse().unwrap() {
            0 => (200, None, None),
            left => (302, Some(format!("/steps/{}", left - 1)), None),
        },
        ["circle", side] => (302, Some(format!("/circle/{}", if side == "a" { "b" } else { "a" })), None),
        // `=` stands for this server's own port, `|` for a slash.
        ["to", status, to] => {
            (status.parse().unwrap(), Some(to.replace('|', "/").replace('=', &format!(":{port}"))), None)
        }
        [status] => (status.parse().unwrap_or(200), None, None),
        _ => (200, None, None),
    };
    let mut response = Response::builder().status(status);
    if let Some(location) = location {
        response = response.header("Location", location);
    }
    if let Some(rest) = rest {
        response = response.header("Retry-After", rest);
    }
    Ok(response.header("Set-Cookie", "a=b").body(Empty::new().boxed()).unwrap())
}

fn trusting(roots: Vec<CertificateDer<'static>>) -> Arc<ClientConfig> {
    let mut store = rustls::RootCertStore::empty();
    for root in roots {
        store.add(root).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(store).with_no_client_auth())
}

fn asker() -> Asker {
    Asker {
        names: Box::new(Told::default()),
        gate: Box::new(OneAddress),
        tls: trusting(Vec::new()),
        limits: Limits { gap: Duration::ZERO, ..Limits::default() },
    }
}

async fn asked(asker: &Asker, links: &[&str]) -> Answers {
    let links = links.iter().map(|link| (*link).to_owned()).collect();
    asker.ask(&links, &|_, _| {}).await
}

async fn reached(link: &str) -> Reached {
    asked(&asker(), &[link]).await.remove(link).unwrap()
}

/// That a link could not be verified, for a reason with these words.
fn is_unverified(reached: &Reached, words: &str) {
    assert!(matches!(reached, Reached::Unverified(why) if why.contains(words)), "{words}: {reached:?}");
}

fn is_broken(reached: &Reached, words: &str) {
    assert!(matches!(reached, Reached::Broken(why) if why.contains(words)), "{words}: {reached:?}");
}

#[tokio::test]
async fn only_what_says_that_there_is_nothing_is_broken() {
    let server = Server::new().await;
    for status in [200, 204, 206] {
        assert_eq!(reached(&server.link("a.test", &format!("/{status}"))).await, Reached::Fine, "{status}");
    }
    for status in [404, 410] {
        is_broken(&reached(&server.link("a.test", &format!("/{status}"))).await, &status.to_string());
    }
    for status in
        [304, 400, 401, 402, 403, 405, 406, 408, 418, 421, 425, 429, 451, 500, 502, 503, 504, 520, 999]
    {
        is_unverified(&reached(&server.link("a.test", &format!("/{status}"))).await, &status.to_string());
    }
}

#[tokio::test]
async fn what_head_does_not_bring_get_may() {
    let server = Server::new().await;
    for status in [400, 403, 404, 405, 501] {
        let path = format!("/no-head/{status}");
        assert_eq!(reached(&server.link("a.test", &path)).await, Reached::Fine, "{status}");
        assert_eq!(server.methods(&path), [Method::HEAD, Method::GET]);
    }
    assert_eq!(reached(&server.link("a.test", "/head-breaks")).await, Reached::Fine);
    assert_eq!(reached(&server.link("a.test", "/200")).await, Reached::Fine);
    assert_eq!(server.methods("/200"), [Method::HEAD]);
}

#[tokio::test]
async fn redirections_are_followed_to_their_end() {
    let server = Server::new().await;
    let to = |path: &str| server.link("a.test", path);
    assert_eq!(reached(&to("/to/302/|200")).await, Reached::Fine);
    assert_eq!(reached(&to("/to/301/|200")).await, Reached::Moved(to("/200")));
    assert_eq!(
        reached(&to("/to/308/http:||b.test=|page")).await,
        Reached::Moved(server.link("b.test", "/page"))
    );
    assert_eq!(reached(&to("/to/302/|to|301||200")).await, Reached::Fine, "not for good from the start");
    is_broken(&reached(&to("/to/302/|404")).await, "404");
    is_broken(&reached(&to("/to/301/http:||gone.test=|")).await, "gone.test");
    is_unverified(&reached(&to("/to/302/|403")).await, "403");
    is_unverified(&reached(&to("/302")).await, "to nowhere");
    is_unverified(&reached(&to("/to/302/mailto:a@b.test")).await, "mailto:");
    is_unverified(&reached(&to("/to/302/http:||[")).await, "no address");
    is_unverified(&reached(&to("/to/302/http:||a:b@c.test=|")).await, "password");
    is_unverified(&reached(&to("/circle/a")).await, "circle");
    assert_eq!(reached(&to("/steps/10")).await, Reached::Fine);
    is_unverified(&reached(&to("/steps/11")).await, "more than 10 times");
    is_unverified(&reached(&to("/to/302/http:||login.test=|a")).await, "a login at login.test");
    is_unverified(&reached(&to("/to/302/http:||b.test=|")).await, "front page of b.test");
}

#[tokio::test]
async fn what_is_not_public_is_not_even_connected_to() {
    let server = Server::new().await;
    let inner = Server::at(PRIVATE, None).await;
    let to = |host: &str| format!("/to/302/http:||{host}:{}|page", inner.port);
    for link in [
        inner.link("inner.test", "/"),
        inner.link("127.0.0.2", "/"),
        inner.link("2130706434", "/"),
        inner.link("0x7f.2", "/"),
        server.link("a.test", &to("inner.test")),
        server.link("a.test", &to("127.0.0.2")),
        server.link("a.test", &to("[::1]")),
    ] {
        is_unverified(&reached(&link).await, "only the public internet is asked");
    }
    is_unverified(&reached("http://a.test:25/").await, "port 25");
    assert!(inner.asked.lock().unwrap().is_empty());
    assert_eq!(reached(&server.link("both.test", "/200")).await, Reached::Fine);
}

#[tokio::test]
async fn a_name_that_changes_meanwhile_leads_nowhere_else() {
    let server = Server::new().await;
    let link = server.link("rebinding.test", "/no-head/405");
    assert_eq!(reached(&link).await, Reached::Fine);
    assert_eq!(server.methods("/no-head/405"), [Method::HEAD, Method::GET]);
}

#[tokio::test]
async fn a_host_is_unknown_only_to_who_knows_others() {
    let server = Server::new().await;
    let (gone, sick, bare, known) = (
        "http://gone.test:8080/a",
        "http://sick.test:8080/a",
        "http://bare.test:8080/a",
        server.link("a.test", "/200"),
    );
    let answers = asked(&asker(), &[gone, sick, bare, &known]).await;
    is_broken(&answers[gone], "no host gone.test");
    is_unverified(&answers[sick], "server failure");
    is_unverified(&answers[bare], "no address");
    let answers = asked(&asker(), &[gone, sick, bare]).await;
    is_unverified(&answers[gone], "knows no other");
}

#[tokio::test]
async fn a_server_that_says_when_is_asked_once_more() {
    let server = Server::new().await;
    for status in [429, 503] {
        let path = format!("/busy/{status}/0");
        assert_eq!(reached(&server.link("a.test", &path)).await, Reached::Fine, "{status}");
        assert_eq!(server.methods(&path), [Method::HEAD, Method::HEAD]);
    }
    is_unverified(&reached(&server.link("a.test", "/always-busy/0")).await, "429");
    assert_eq!(server.methods("/always-busy/0").len(), 2);
}

#[tokio::test]
async fn who_wants_to_be_left_alone_is() {
    let server = Server::new().await;
    let mut asker = asker();
    asker.limits.at_a_host = 1;
    let (first, second) =
        (server.link("a.test", "/always-busy/3600"), server.link("a.test", "/always-busy/7200"));
    let other = server.link("b.test", "/200");
    let answers = asked(&asker, &[&first, &second, &other]).await;
    is_unverified(&answers[&first], "429");
    is_unverified(&answers[&second], "429");
    assert_eq!(answers[&other], Reached::Fine);
    let busy: Vec<_> =
        [3600, 7200].iter().flat_map(|rest| server.methods(&format!("/always-busy/{rest}"))).collect();
    assert_eq!(busy.len(), 1, "one 429 is enough");
}

#[tokio::test]
async fn a_host_has_few_requests_at_once() {
    let server = Server::new().await;
    let links: Vec<String> =
        (0..12).map(|number| server.link("a.test", &format!("/pairs/{number}"))).collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let answers = asked(&asker(), &links).await;
    assert!(answers.values().all(|reached| *reached == Reached::Fine), "{answers:?}");
    assert_eq!(server.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn all_hosts_together_have_not_too_many() {
    let server = Server::new().await;
    let mut asker = asker();
    asker.limits.at_once = 2;
    let links: Vec<String> = (0..12)
        .map(|number| server.link(&format!("host{number}.test"), &format!("/pairs/{number}")))
        .collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let answers = asked(&asker, &links).await;
    assert!(answers.values().all(|reached| *reached == Reached::Fine), "{answers:?}");
    assert_eq!(server.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let server = Server::new().await;
    let mut asker = asker();
    asker.limits.answer = Duration::from_millis(50);
    let link = server.link("a.test", "/silent");
    is_unverified(&asked(&asker, &[&link]).await[&link], "no answer within");
    let mut asker = self::asker();
    asker.limits.all = Duration::from_millis(50);
    is_unverified(&asked(&asker, &[&link]).await[&link], "within");
}

#[tokio::test]
async fn no_more_is_read_than_the_head() {
    let server = Server::new().await;
    assert_eq!(reached(&server.link("a.test", "/endless")).await, Reached::Fine);
    is_unverified(&reached(&server.link("a.test", "/long-head")).await, "none of HTTP");
}

#[tokio::test]
async fn a_page_is_asked_once_by_who_names_himself_and_carries_nothing() {
    let server = Server::new().await;
    let (one, two) = (server.link("a.test", "/page#one"), server.link("a.test", "/page#two"));
    let answers = asked(&asker(), &[&one, &two]).await;
    assert_eq!((&answers[&one], &answers[&two]), (&Reached::Fine, &Reached::Fine));
    let asked = server.asked.lock().unwrap();
    let [(_, path, headers)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(path, "/page");
    assert!(headers["user-agent"].to_str().unwrap().starts_with("aiconform/"));
    let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "connection", "host", "user-agent"]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_not_called_broken() {
    let closed = {
        let listener = TcpListener::bind((OPEN, 0)).await.unwrap();
        format!("http://a.test:{}/", listener.local_addr().unwrap().port())
    };
    is_unverified(&reached(&closed).await, "no connection");
    is_unverified(&reached("https://").await, "no address of the web");
    let server = Server::new().await;
    is_unverified(&reached(&format!("https://a.test:{}/", server.port)).await, "TLS");
}

#[tokio::test]
async fn a_certificate_counts_when_it_is_trusted() {
    let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate = made.cert.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let server = Server::at(OPEN, Some(Arc::new(tls).into())).await;
    let link = |host: &str| format!("https://{host}:{}/200", server.port);
    let mut asker = asker();
    is_unverified(&asked(&asker, &[&link("a.test")]).await[&link("a.test")], "TLS");
    asker.tls = trusting(vec![certificate]);
    assert_eq!(asked(&asker, &[&link("a.test")]).await[&link("a.test")], Reached::Fine);
    is_unverified(&asked(&asker, &[&link("b.test")]).await[&link("b.test")], "TLS");
}

#[tokio::test]
async fn how_far_it_is_is_told() {
    let server = Server::new().await;
    let told = Mutex::new(Vec::new());
    let links =
        [server.link("a.test", "/200"), server.link("a.test", "/404"), server.link("b.test", "/page")];
    asker().ask(&links.into(), &|done, all| told.lock().unwrap().push((done, all))).await;
    assert_eq!(*told.lock().unwrap(), [(1, 3), (2, 3), (3, 3)]);
}
