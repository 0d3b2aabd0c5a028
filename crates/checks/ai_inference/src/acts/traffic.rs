//! Traffic that is sent to a class's gateway.

use super::stage::{Place, Stage};
use crate::limits;
use crate::marks::{
    AFTER, BACKENDS, Backend, CANARY, CASES, Case, KEPT, LOOK, MISSING, Mark, NOWHERE, SPLIT, Sender,
};
use aiconform_check::cx::Stop;
use aiconform_model::probe::{BACKEND_PORT, Batch, Counted, SeenOf, Sent};
use aiconform_model::{Bin, Scope};
use aiconform_trial::Limit;
use aiconform_wait::Wait;
use futures::future::try_join_all;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Requests of a batch whose shares are measured.
const MANY: u32 = 600;
/// Requests of any other.
const FEW: u32 = 10;
/// So often in a row a change is seen before it counts: there may be several proxies.
const IN_A_ROW: u32 = 3;
/// Connections at the same time.
const CONNECTIONS: u32 = 8;
/// Longest time for one request, and for a batch, in milliseconds; the API server's proxy waits a little longer.
const EACH: u64 = 5000;
const ALL: u64 = 25_000;
/// Between two looks.
const BETWEEN: Duration = Duration::from_millis(200);

/// Name of the batches that go to backends without a gateway.
const DIRECT: &str = "direct";

/// Path and body that an inference client sends.
const PATH: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"?"}]}"#;

/// Batches of one class.
struct Line<'a> {
    stage: &'a Stage<'a>,
    scope: &'a Scope,
    place: &'a Place,
    /// Prefix of the names of batches.
    prefix: String,
    names: Mutex<Vec<String>>,
}

impl Line<'_> {
    fn batch(&self, route: &str) -> Batch {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{}-{}", self.prefix, names.len());
        names.push(name.clone());
        Batch {
            batch: name,
            address: self.place.address.clone(),
            port: self.place.port,
            method: "POST".into(),
            path: PATH.into(),
            host: self.place.host(route),
            headers: Vec::new(),
            body: BODY.into(),
            count: FEW,
            first: 0,
            connections: CONNECTIONS,
            keeps_alive: false,
            each: EACH,
            all: ALL,
        }
    }

    /// Sends a batch, under the name of a case.
    async fn send(&self, case: &str, batch: &Batch) -> Result<(), Stop> {
        let (stage, scope) = (self.stage, self.scope);
        let (case, name) = (case.to_owned(), batch.batch.clone());
        stage.mark(scope, &Mark::Batch { case: case.clone(), batch: name.clone(), count: batch.count });
        let sent = stage.send_whole(batch).await?;
        stage.mark(scope, &Mark::Answered { case, batch: name, keeps_alive: batch.keeps_alive, sent });
        Ok(())
    }

    /// Asks every backend what it has seen of the batches so far.
    async fn count(&self) -> Result<(), Stop> {
        let batches = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let backends = self.stage.seen(&batches).await?;
        self.stage.mark(self.scope, &Mark::Counted { backends });
        Ok(())
    }

    /// Waits until the gateway serves the routes: an accepted one takes effect some time later.
    async fn served(&self) -> Result<(), Stop> {
        self.stage.mark(self.scope, &Mark::Serve {});
        let last: Mutex<Option<Sent>> = Mutex::new(None);
        // A backend keeps no more than some hundred names in mind: every try has the same.
        let batches =
            [SPLIT, "header"].map(|route| Batch { count: 3, each: 2000, all: 3000, ..self.batch(route) });
        let ask = || async {
            for batch in &batches {
                let sent = self.stage.send(batch).await.map_err(|stop| stop.to_string())?;
                let ours = sent.answers.iter().filter(|it| it.answer.status == 200 && it.answer.is_own);
                let is_served = ours.map(|it| it.count).sum::<u32>() == batch.count;
                let words = in_words(&sent);
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
                if !is_served {
                    return Err(format!("{}: {words}", batch.host));
                }
            }
            Ok(())
        };
        let wait = self.wait("the gateway to serve the routes", &limits::SERVE);
        let served = wait.asking(BETWEEN, ask).await;
        let last = last.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_default();
        self.stage.mark(self.scope, &Mark::Served { served: served.is_ok(), last: last.clone() });
        if served.is_err() && last.answers.is_empty() {
            return Err(Stop::Hindered(format!(
                "the gateway does not answer the pod {} at {}, port {}: {}; if pods reach it elsewhere, name that in the profile: [ai_inference] address = \"…\"",
                self.stage.sender.name,
                self.place.address,
                self.place.port,
                in_words(&last)
            )));
        }
        Ok(())
    }

    /// A wait for what counts as late after its limit, and as missing after twice of it.
    fn wait<'w>(&'w self, condition: &str, limit: &Limit) -> Wait<'w> {
        Wait {
            condition: condition.into(),
            bin: Bin::Platform,
            limit: self.stage.cx.limit(limit).watched(),
            sink: self.stage.cx.session.api().sink().as_ref(),
            scope: self.scope,
        }
    }
}

impl Stage<'_> {
    /// Sends a batch in parts, each no longer than the way to the pod bears: what is far away, or has little of a processor,
    /// does not answer a batch in one. A part without any answer is the last.
    async fn send_whole(&self, batch: &Batch) -> Result<Sent, Stop> {
        let (start, limit) = (Instant::now(), self.cx.limit(&limits::BATCH).time);
        let mut all = Sent::default();
        loop {
            let part = Batch { first: all.sent, count: batch.count - all.sent, ..batch.clone() };
            let mut sent = self.send(&part).await?;
            if batch.keeps_alive && all.sent > 0 {
                // Those that a later part must open say nothing of whether they are used again.
                sent.connections = sent.connections.saturating_sub(batch.connections);
            }
            let is_answered = !sent.answers.is_empty();
            all.join(sent);
            if all.sent >= batch.count || !is_answered || start.elapsed() >= limit {
                return Ok(all);
            }
        }
    }

    async fn send(&self, batch: &Batch) -> Result<Sent, Stop> {
        let asked = serde_json::to_value(batch).unwrap_or_default();
        let answer = self.sender.ask("probe", "/send", &asked).await?;
        serde_json::from_value(answer).map_err(|error| {
            Stop::Hindered(format!("the probe in {} does not say what it sent: {error}", self.sender.name))
        })
    }

    async fn seen(&self, batches: &[String]) -> Result<BTreeMap<String, BTreeMap<String, Counted>>, Stop> {
        let of = serde_json::to_value(SeenOf { batches: batches.to_vec() }).unwrap_or_default();
        let asked = BACKENDS.iter().zip(&self.backends).map(|(role, backend)| {
            let of = &of;
            async move {
                let answer = backend.ask("probe", "/seen", of).await?;
                let seen = serde_json::from_value(answer).map_err(|error| {
                    Stop::Hindered(format!("the probe in {} does not say what came: {error}", backend.name))
                })?;
                Ok::<_, Stop>(((*role).to_owned(), seen))
            }
        });
        Ok(try_join_all(asked).await?.into_iter().collect())
    }

    /// The sender asks every backend without any gateway.
    pub(super) async fn directly(&self, names: &[String]) -> Result<(), Stop> {
        let scope = self.scratch.scope().clone();
        let backends = BACKENDS.iter().zip(&self.backends).zip(names).map(|((role, backend), name)| {
            let (pod, address) = (backend.name.clone(), self.address(&backend.name));
            ((*role).to_owned(), Backend { name: name.clone(), pod, address })
        });
        let sender = Sender { pod: self.sender.name.clone(), address: self.address(&self.sender.name) };
        self.mark(&scope, &Mark::Direct { backends: backends.collect(), sender });
        let mut sent = BTreeMap::new();
        for (role, backend) in BACKENDS.iter().zip(&self.backends) {
            let place = Place {
                address: self.address(&backend.name),
                port: BACKEND_PORT,
                domain: "aiconform.test".into(),
            };
            let prefix = format!("{DIRECT}-{role}");
            let line = Line { stage: self, scope: &scope, place: &place, prefix, names: Mutex::default() };
            sent.insert((*role).to_owned(), self.send(&line.batch(DIRECT)).await?);
        }
        self.mark(&scope, &Mark::Directly { sent });
        Ok(())
    }

    fn line<'l>(&'l self, scope: &'l Scope, number: usize, place: &'l Place, part: &str) -> Line<'l> {
        let prefix = format!("{}-{number}-{part}", self.cx.session.id());
        Line { stage: self, scope, place, prefix, names: Mutex::default() }
    }

    /// Sends the traffic before the weights change.
    pub(super) async fn traffic(&self, scope: &Scope, number: usize, place: &Place) -> Result<(), Stop> {
        let line = self.line(scope, number, place, "a");
        line.served().await?;
        let tell = |words: &str| self.cx.progress.tell(scope, words);
        line.send(NOWHERE, &line.batch(NOWHERE)).await?;
        tell("the split is measured");
        for (keeps_alive, connections) in [(false, CONNECTIONS), (true, KEPT)] {
            let batch = Batch { count: MANY, connections, keeps_alive, ..line.batch(SPLIT) };
            line.send(SPLIT, &batch).await?;
        }
        tell("requests are routed by their headers");
        // The first is drawn, so that what takes turns does not keep step with the forms.
        let first = usize::try_from(self.cx.options.seed % CASES.len() as u64).unwrap_or_default();
        for case in CASES.iter().cycle().skip(first).take(CASES.len()) {
            for (keeps_alive, connections) in [(false, CONNECTIONS), (true, KEPT)] {
                let Case { name, header, value, method, path, .. } = *case;
                let header =
                    if header.is_empty() { Vec::new() } else { vec![(header.to_owned(), value.to_owned())] };
                let mut batch = Batch { connections, keeps_alive, headers: header, ..line.batch("header") };
                if !path.is_empty() {
                    (batch.method, batch.path, batch.body) = (method.into(), path.into(), String::new());
                }
                line.send(name, &batch).await?;
            }
        }
        // An answer that is expected: other ones are seen by the judge.
        let batch = line.batch(MISSING);
        let refused = || async {
            let sent = self.send(&batch).await.map_err(|stop| stop.to_string())?;
            let all = sent.answers.iter().all(|it| it.answer.status == 500) && !sent.answers.is_empty();
            if all { Ok(()) } else { Err(in_words(&sent)) }
        };
        self.mark(scope, &Mark::Refuse {});
        let wait = line.wait("the route without a backend to be answered with 500", &limits::REFUSAL);
        let refused = wait.asking(BETWEEN, refused).await.is_ok();
        self.mark(scope, &Mark::Refused { refused });
        line.send(MISSING, &line.batch(MISSING)).await?;
        line.count().await
    }

    /// Sends the traffic after the weights have changed.
    pub(super) async fn after_change(&self, scope: &Scope, number: usize, place: &Place) -> Result<(), Stop> {
        let line = self.line(scope, number, place, "b");
        let start = Instant::now();
        let named = |role: &str| format!("{role}-{}", self.cx.session.id());
        let (canary, ours) = (named(CANARY), BACKENDS.iter().map(|role| named(role)).collect::<Vec<_>>());
        let row = Mutex::new((0, 0, Sent::default()));
        // A backend keeps no more than some hundred names in mind: every look has the same.
        let batch = Batch { count: LOOK, ..line.batch(SPLIT) };
        let ask = || async {
            let sent = self.send(&batch).await.map_err(|stop| stop.to_string())?;
            let has_changed = has_changed(&sent, &canary, &ours);
            let words = in_words(&sent);
            let mut row = row.lock().unwrap_or_else(PoisonError::into_inner);
            *row = (row.0 + sent.sent, if has_changed { row.1 + 1 } else { 0 }, sent);
            if row.1 >= IN_A_ROW { Ok(()) } else { Err(words) }
        };
        let wait = line.wait("the changed weights to take effect", &limits::CHANGE);
        let changed = wait.asking(Duration::ZERO, ask).await.is_ok();
        let (requests, _, last) = row.into_inner().unwrap_or_else(PoisonError::into_inner);
        let took = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.mark(scope, &Mark::Changed { changed, requests, last, milliseconds: took });
        if changed {
            let batch = Batch { count: MANY, ..line.batch(SPLIT) };
            line.send(AFTER, &batch).await?;
        }
        line.count().await
    }
}

/// Tells whether most answers of backends of ours, of which there must be enough, are of this one. Answers of others and lost
/// requests say nothing of shares.
fn has_changed(sent: &Sent, canary: &str, ours: &[String]) -> bool {
    let answers = |is: &dyn Fn(&String) -> bool| -> u32 {
        let of = sent.answers.iter().filter(|it| it.answer.status == 200 && is(&it.answer.backend));
        of.map(|it| it.count).sum()
    };
    let of = answers(&|backend| ours.contains(backend));
    of * 2 >= LOOK && answers(&|backend| backend == canary) * 2 > of
}

/// Result of a batch, in words.
fn in_words(sent: &Sent) -> String {
    let answers = sent.answers.iter().map(|it| {
        let by =
            if it.answer.backend.is_empty() { String::new() } else { format!(" by {}", it.answer.backend) };
        let to =
            if it.answer.location.is_empty() { String::new() } else { format!(" to {}", it.answer.location) };
        format!("{} times {}{by}{to}", it.count, it.answer.status)
    });
    let errors = sent.errors.iter().map(|(why, count)| format!("{count} times {why}"));
    let all: Vec<String> = answers.chain(errors).collect();
    if all.is_empty() { "nothing came back".into() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_model::probe::{Answer, Answered};

    #[test]
    fn a_look_goes_by_the_answers_of_backends_and_not_by_what_was_sent() {
        let ours = ["canary-r", "stable-r", "idle-r"].map(str::to_owned);
        let seen = |of: &[(u16, &str, u32)]| {
            let answers = of.iter().map(|(status, backend, count)| {
                let answer = Answer { status: *status, backend: (*backend).into(), ..Answer::default() };
                Answered { answer, count: *count }
            });
            let sent = Sent { sent: LOOK, answers: answers.collect(), ..Sent::default() };
            has_changed(&sent, "canary-r", &ours)
        };
        assert!(seen(&[(200, "canary-r", 48), (200, "stable-r", 12)]));
        // A third of the requests came to somebody else: the shares are the changed ones all the same.
        assert!(seen(&[(200, "canary-r", 29), (200, "stable-r", 8), (503, "", 23)]));
        assert!(!seen(&[(200, "canary-r", 12), (200, "stable-r", 48)]));
        assert!(!seen(&[(200, "canary-r", 30), (200, "stable-r", 30)]));
        // Too few say nothing.
        assert!(!seen(&[(200, "canary-r", 9), (200, "stable-r", 2), (503, "", 49)]));
        assert!(!seen(&[]));
    }
}
