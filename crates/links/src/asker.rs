//! Links side by side, each followed to its end.

use crate::gate::{Gate, Public};
use crate::names::{Names, NoAddress, System};
use crate::request::{self, Head, NoAnswer};
use crate::turns::Turns;
use crate::verdict;
use aiconform_submission::reach::{Answers, Reached};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::{Method, StatusCode};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use url::{Host, Url};

/// Limits of what is asked: how much, and how long.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most requests at once.
    pub at_once: usize,
    /// Most of them at one host.
    pub at_a_host: usize,
    /// Time between the beginnings of two requests at one host.
    pub gap: Duration,
    /// Most redirections of a link.
    pub redirections: usize,
    /// Longest time for an answer.
    pub answer: Duration,
    /// Longest time that a server may ask to be left alone and still be asked again.
    pub rest: Duration,
    /// Longest time for everything.
    pub all: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            at_once: 16,
            at_a_host: 2,
            gap: Duration::from_millis(250),
            redirections: 10,
            answer: Duration::from_secs(20),
            rest: Duration::from_secs(60),
            all: Duration::from_secs(600),
        }
    }
}

/// Asks whether links answer.
pub struct Asker {
    /// From names to addresses.
    pub names: Box<dyn Names>,
    /// Gate that says which addresses may be asked.
    pub gate: Box<dyn Gate>,
    /// Whom to believe.
    pub tls: Arc<ClientConfig>,
    /// Limits of what is asked.
    pub limits: Limits,
}

/// Nothing can be asked.
#[derive(Debug, thiserror::Error)]
pub enum CannotAsk {
    /// The name servers of this machine cannot be read.
    #[error("the name servers of this machine cannot be read: {0}")]
    Names(String),
    /// There are no certificates to trust.
    #[error("the certificates that this machine trusts cannot be read: {0}")]
    Certificates(String),
}

/// End of the way of a link.
enum End {
    Reached(Reached),
    /// At a host that is said not to exist.
    Unknown(String),
}

impl Asker {
    /// Asks the public internet, by the name servers and certificates of this machine.
    ///
    /// # Errors
    /// When these cannot be read.
    pub fn new() -> Result<Asker, CannotAsk> {
        let names = System::new().map_err(CannotAsk::Names)?;
        let tls = ClientConfig::with_platform_verifier()
            .map_err(|error| CannotAsk::Certificates(error.to_string()))?;
        Ok(Asker {
            names: Box::new(names),
            gate: Box::new(Public),
            tls: Arc::new(tls),
            limits: Limits::default(),
        })
    }

    /// Asks for each link, and gives what became of it by its text. Pages are asked for once, however many links lead to
    /// parts of them. `progress` is told how many pages of how many have been asked.
    pub async fn ask(&self, links: &BTreeSet<String>, progress: &(dyn Fn(usize, usize) + Sync)) -> Answers {
        let mut answers = Answers::new();
        let mut pages: BTreeMap<Url, Vec<&String>> = BTreeMap::new();
        for link in links {
            match Url::parse(link) {
                Ok(mut url) => {
                    url.set_fragment(None);
                    pages.entry(url).or_default().push(link);
                }
                Err(error) => {
                    let why = format!("it is no address of the web ({error})");
                    answers.insert(link.clone(), Reached::Unverified(why));
                }
            }
        }
        let asking = Asking {
            asker: self,
            turns: Turns::new(self.limits.at_once, self.limits.at_a_host, self.limits.gap),
            resolved: AtomicBool::new(false),
        };
        let deadline = Instant::now() + self.limits.all;
        let all = pages.len();
        let one = |url: Url| async {
            let end = tokio::time::timeout_at(deadline, asking.follow(&url)).await;
            let late = || {
                let why = format!("it did not come to its turn within {} s", self.limits.all.as_secs_f32());
                End::Reached(Reached::Unverified(why))
            };
            let end = end.unwrap_or_else(|_| late());
            (url, end)
        };
        let mut running: FuturesUnordered<_> = pages.keys().cloned().map(one).collect();
        let mut ends = Vec::new();
        while let Some(end) = running.next().await {
            ends.push(end);
            progress(ends.len(), all);
        }
        let resolved = asking.resolved.load(Ordering::Relaxed);
        for (url, end) in ends {
            let reached = match end {
                End::Reached(reached) => reached,
                End::Unknown(host) if resolved => Reached::Broken(format!("there is no host {host}")),
                // A name server that knows nobody says nothing about one of them.
                End::Unknown(host) => Reached::Unverified(format!(
                    "the name server says that there is no host {host}, but it knows no other one of these links either"
                )),
            };
            for link in &pages[&url] {
                answers.insert((*link).clone(), reached.clone());
            }
        }
        answers
    }
}

/// State that the links of one asking share.
struct Asking<'a> {
    asker: &'a Asker,
    turns: Turns,
    /// Set once any name was found.
    resolved: AtomicBool,
}

impl Asking<'_> {
    /// Follows a link to its end.
    async fn follow(&self, start: &Url) -> End {
        let mut url = start.clone();
        let mut been = HashSet::new();
        let mut moved = None;
        let mut for_good = true;
        for _ in 0..=self.asker.limits.redirections {
            if !been.insert(url.clone()) {
                return unverified("its redirections go round in a circle");
            }
            let head = match self.hop(&url).await {
                Ok(head) => head,
                Err(end) => return end,
            };
            if !is_redirection(head.status) {
                let reached = verdict::of_status(head.status);
                if reached != Reached::Fine {
                    return End::Reached(reached);
                }
                if let Some(why) = verdict::astray(start, &url).filter(|_| url != *start) {
                    return unverified(why);
                }
                return End::Reached(moved.map_or(Reached::Fine, |to: Url| Reached::Moved(to.into())));
            }
            let Some(location) = head.location else {
                return unverified(format!("it is redirected ({}) to nowhere", head.status.as_u16()));
            };
            let Ok(mut next) = url.join(&location) else {
                return unverified("it is redirected to what is no address");
            };
            next.set_fragment(None);
            for_good &=
                [StatusCode::MOVED_PERMANENTLY, StatusCode::PERMANENT_REDIRECT].contains(&head.status);
            if for_good {
                moved = Some(next.clone());
            }
            url = next;
        }
        unverified(format!("it is redirected more than {} times", self.asker.limits.redirections))
    }

    /// Asks one page, HEAD first: it costs the server least. What HEAD does not bring, GET may.
    async fn hop(&self, url: &Url) -> Result<Head, End> {
        let addresses = self.addresses(url).await?;
        let by_head = self.patiently(&Method::HEAD, url, &addresses).await?;
        match by_head {
            Ok(head) if head.status.is_success() || is_redirection(head.status) => return Ok(head),
            // Who is asked too often is not asked a second time.
            Ok(head) if head.status == StatusCode::TOO_MANY_REQUESTS => return Ok(head),
            Err(NoAnswer::Connection(why)) => return Err(unverified(why)),
            Ok(_) | Err(NoAnswer::Exchange(_)) => {}
        }
        match self.patiently(&Method::GET, url, &addresses).await? {
            Ok(head) => Ok(head),
            Err(NoAnswer::Connection(why) | NoAnswer::Exchange(why)) => Err(unverified(why)),
        }
    }

    /// Asks, and once more when the server says when.
    async fn patiently(
        &self,
        method: &Method,
        url: &Url,
        addresses: &[IpAddr],
    ) -> Result<Result<Head, NoAnswer>, End> {
        let name = url.host_str().unwrap_or_default();
        let host = self.turns.host(name);
        let asker = self.asker;
        let mut again = true;
        loop {
            let turn = self.turns.turn(&host).await.map_err(unverified)?;
            let answer = request::ask(method, url, addresses, &asker.tls, asker.limits.answer).await;
            drop(turn);
            let Ok(head) = &answer else { return Ok(answer) };
            let busy = head.status == StatusCode::TOO_MANY_REQUESTS;
            if !busy && head.status != StatusCode::SERVICE_UNAVAILABLE {
                return Ok(answer);
            }
            match head.retry_after.filter(|_| again) {
                Some(time) if time <= asker.limits.rest => host.rest(time),
                _ => {
                    if busy {
                        host.leave_alone(format!("{name} says that it is asked too often (429)"));
                    }
                    return Ok(answer);
                }
            }
            again = false;
        }
    }

    /// The addresses of a page's host that may be asked.
    async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, End> {
        if !["http", "https"].contains(&url.scheme()) {
            return Err(unverified(format!("it leads to {}:, which is not the web", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unverified("there is a name or a password in the address"));
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.asker.gate.port(port) {
            return Err(unverified(format!("port {port} is not one on which pages are")));
        }
        let found = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => self.named(name).await?,
            None => return Err(unverified("it names no host")),
        };
        let mut refused = "no address".to_owned();
        let allowed = found.into_iter().filter(|address| match self.asker.gate.address(*address) {
            Ok(()) => true,
            Err(kind) => {
                refused = format!("{kind} ({address})");
                false
            }
        });
        let mut allowed: Vec<IpAddr> = allowed.collect();
        if allowed.is_empty() {
            let host = url.host_str().unwrap_or_default();
            return Err(unverified(format!("{host} has {refused}, and only the public internet is asked")));
        }
        // A machine without IPv6 would try in vain what comes first.
        allowed.sort_by_key(IpAddr::is_ipv6);
        Ok(allowed)
    }

    async fn named(&self, name: &str) -> Result<Vec<IpAddr>, End> {
        let host = self.turns.host(name);
        let look_up = || async {
            let _place = self.turns.any().await.map_err(NoAddress::Failed)?;
            let looking = self.asker.names.look_up(name);
            let late = || NoAddress::Failed("no answer".into());
            tokio::time::timeout(self.asker.limits.answer, looking).await.unwrap_or_else(|_| Err(late()))
        };
        match host.addresses.get_or_init(look_up).await.clone() {
            Ok(addresses) => {
                self.resolved.store(true, Ordering::Relaxed);
                Ok(addresses)
            }
            Err(NoAddress::Unknown) => Err(End::Unknown(name.to_owned())),
            Err(NoAddress::Without) => Err(unverified(format!("{name} has no address"))),
            Err(NoAddress::Failed(why)) => {
                Err(unverified(format!("the name servers do not tell the address of {name} ({why})")))
            }
        }
    }
}

fn unverified(why: impl Into<String>) -> End {
    End::Reached(Reached::Unverified(why.into()))
}

fn is_redirection(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
