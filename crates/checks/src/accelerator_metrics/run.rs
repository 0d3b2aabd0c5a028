//! Acts and marks phases; decides nothing.

mod endpoints;
mod target;

use self::endpoints::{Place, endpoints};
use self::target::{LIMIT, Target, Wanted};
use super::adapters::{IDS, recognise};
use super::history::DIALECT;
use crate::accelerators::{
    Container, Inventory, Mode, NONE, Offer, Probe, ProbePod, Way, blamed, clear, inventory, offers,
};
use crate::cx::{Cx, Detection, Files, Stop};
use crate::profile::Profile;
use aiconform_cluster::{Api, Connection, Scratch};
use aiconform_exposition::{Limits, parse};
use aiconform_model::probe::Loaded;
use aiconform_model::{EventKind, Kind, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const ID: &str = "accelerator_metrics";
/// Load phases; fewer when the first does not show.
const CYCLES: u64 = 3;
/// Scrapes of a phase in which nothing changes any more.
const SCRAPES: u64 = 3;
/// How long metrics may take to show something. Simulated devices, which alone the probe can put to work, tell of the
/// last half second; what is more is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most memory that is taken.
const MOST: u64 = 1 << 30;

/// What is looked for, and where.
struct Found {
    inventory: Inventory,
    targets: Vec<Target>,
    absent: Vec<(String, String)>,
}

/// Which subjects the cluster has.
pub async fn detect(api: &Api, _: Files) -> Vec<(String, Detection)> {
    let scope = Scope::new(ID, "");
    match find(api, &scope, &Profile::default(), &[]).await {
        Ok(found) => {
            let absent = found.absent.into_iter().map(|(id, why)| (id, Detection::Absent(why)));
            let present = found
                .targets
                .iter()
                .map(|target| (target.scope.subject.clone(), Detection::Present(target.facts())));
            present.chain(absent).collect()
        }
        Err(stop) => IDS.iter().map(|id| ((*id).to_owned(), Detection::Absent(stop.to_string()))).collect(),
    }
}

async fn find(api: &Api, scope: &Scope, profile: &Profile, only: &[String]) -> Result<Found, Stop> {
    let inventory = inventory(api, scope, profile).await?;
    let mut found = Found { inventory, targets: Vec::new(), absent: Vec::new() };
    let is_wanted = |id: &str| only.is_empty() || only.iter().any(|wanted| wanted == id);
    if found.inventory.nodes.is_empty() {
        found.absent = IDS.iter().filter(|id| is_wanted(id)).map(|id| ((*id).into(), NONE.into())).collect();
        return Ok(found);
    }
    if let Some(address) = &profile.accelerator_metrics.endpoint {
        found.targets.push(declared(api, scope, profile, address).await?);
        return Ok(found);
    }
    let mut there = endpoints(api, scope).await?;
    for id in IDS.iter().filter(|id| is_wanted(id)) {
        match there.iter().position(|(dialect, _)| dialect.id == **id) {
            Some(place) => {
                let (dialect, places) = there.swap_remove(place);
                found.targets.push(Target::new(ID, id, Some(dialect), api.clone(), places, false));
            }
            None => found.absent.push(((*id).into(), "no pod with the labels of its exporter runs".into())),
        }
    }
    Ok(found)
}

/// The endpoint that the profile names, asked from here; its dialect is told by what it says.
async fn declared(api: &Api, scope: &Scope, profile: &Profile, address: &str) -> Result<Target, Stop> {
    let of = &profile.accelerator_metrics;
    let start = address.find("://").map_or(0, |place| place + 3);
    let (server, path) = match address[start..].find('/') {
        Some(place) => address.split_at(start + place),
        None => (address, "/metrics"),
    };
    let (authorities, token) =
        (of.ca_file.as_deref().map(Into::into), of.token_file.as_deref().map(Into::into));
    let connection = Connection::of_endpoint(server, authorities, token)?;
    let api = Api::new(connection, api.sink().clone());
    let text = api.scrape(scope, path, LIMIT).await;
    let dialect = parse(&text.text, &Limits::default()).ok().and_then(|found| recognise(&found));
    let id = dialect.map_or("endpoint", |dialect| dialect.id.as_str());
    let place = Place { path: path.into(), node: String::new() };
    Ok(Target::new(ID, id, dialect, api, vec![place], true))
}

/// Runs the check.
pub async fn run(cx: &Cx, _: Files) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    cx.session.watch_own(&Kind::pod()).await?;
    let named = cx.options.named_of(IDS);
    let Found { inventory, targets, absent } = find(cx.session.api(), &scope, &cx.profile, &named).await?;
    for (id, why) in absent {
        let declared = named.contains(&id);
        cx.write(&Scope::new(ID, &id), EventKind::SubjectAbsent { why, declared });
    }
    if targets.is_empty() {
        return Ok(());
    }
    for target in &targets {
        let declared = target.declared || named.contains(&target.scope.subject);
        cx.write(
            &target.scope,
            EventKind::SubjectStarted { facts: target.facts(), control: false, declared },
        );
    }
    let acts = Acts { cx, scope, targets, inventory };
    if let Err(stop) = acts.act().await {
        for target in &acts.targets {
            cx.progress.tell(&target.scope, &format!("stopped: {stop}"));
            cx.stopped(&target.scope, &stop);
        }
    }
    for target in &acts.targets {
        cx.write(&target.scope, EventKind::SubjectEnded {});
    }
    Ok(())
}

/// One load, seen by all endpoints at once.
struct Acts<'a> {
    cx: &'a Cx,
    scope: Scope,
    targets: Vec<Target>,
    inventory: Inventory,
}

impl Acts<'_> {
    fn phase(&self, phase: &str, data: Value) {
        self.cx.write(&self.scope, EventKind::Phase { phase: phase.into(), data });
    }

    fn tell(&self, words: &str) {
        self.cx.progress.tell(&self.scope, words);
    }

    async fn act(&self) -> Result<(), Stop> {
        let _turn = self.cx.accelerators.lock().await;
        let readable = self.census().await;
        let scratch = self.cx.session.scratch(&self.scope, "metrics", &[Kind::pod()]).await?;
        let measured = self.measure_all(&scratch, readable).await;
        let measured = blamed(&scratch, measured).await;
        // What is deleted from here on is our own undoing, early or not.
        self.phase("over", json!({}));
        measured.and(clear(&scratch).await)
    }

    /// One device after the other, of each that is given in another way.
    async fn measure_all(&self, scratch: &Arc<Scratch>, readable: bool) -> Result<(), Stop> {
        let ways = self.ways().await?;
        let modes: Vec<&str> = ways.iter().map(|(mode, _)| *mode).collect();
        self.phase("planned", json!({"modes": modes}));
        for (number, (mode, way)) in ways.iter().enumerate() {
            let cycles = if number == 0 { CYCLES } else { CYCLES - 1 };
            self.measure(scratch.clone(), mode, way, if readable { cycles } else { 0 }).await?;
        }
        self.phase("end", json!({}));
        Ok(())
    }

    /// A driver and a device plugin where both have a free device; else the way that is known, to wait for one.
    async fn ways(&self) -> Result<Vec<(&'static str, Way)>, Stop> {
        let offers = offers(self.cx.session.api(), &self.scope, &self.cx.profile).await?;
        let is_free =
            |offer: &&Offer| offer.shared.is_none() && offer.best().is_some_and(|(_, count)| count.free > 0);
        let of = |mode: Mode| {
            let found = offers.iter().filter(is_free).find(|offer| offer.mode == mode)?;
            Some((mode.id(), found.way.clone()))
        };
        let found: Vec<_> = [Mode::Dra, Mode::DevicePlugin].into_iter().filter_map(of).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let Some(way) = self.inventory.ways.first() else {
            return Err(Stop::Hindered(
                "no DeviceClass and no extended resource gives the accelerators to pods".into(),
            ));
        };
        let mode = if matches!(way, Way::Class(_)) { Mode::Dra } else { Mode::DevicePlugin };
        Ok(vec![(mode.id(), way.clone())])
    }

    /// One device, with so many loads; none where nothing can be read, and then it is only seen whether the pod has one.
    async fn measure(&self, scratch: Arc<Scratch>, mode: &str, way: &Way, cycles: u64) -> Result<(), Stop> {
        let readable = cycles > 0;
        let probe = self.given(scratch, mode, way).await?;
        let patience = if readable { PATIENCE } else { Duration::ZERO };
        for target in &self.targets {
            target.choose(&probe.node);
        }
        let cycles = cycles.max(1);
        let scrapes = if readable { SCRAPES } else { 1 };
        self.phase("quiet", json!({}));
        self.scrape(scrapes).await;
        for cycle in 0..cycles {
            // Lengths are drawn, so that what comes and goes by itself does not keep step.
            let drawn = scrapes + (self.cx.options.seed >> (8 * (cycle % 8))) % 3;
            let reached = self.cycle(&probe, cycle, drawn, patience).await;
            self.tell(&format!("load {} of {cycles}", cycle + 1));
            if !reached {
                break;
            }
        }
        if readable {
            self.memory(&probe, patience).await?;
        }
        self.phase("pod_deleted", json!({"pod": probe.name}));
        probe.end().await?;
        if readable {
            let settled = self.settle(Wanted::Gone(&probe.name), patience).await;
            self.phase("gone_settled", json!({"settled": settled}));
            self.scrape(1).await;
        }
        Ok(())
    }

    /// Every endpoint of every node once; whether any says something of devices.
    async fn census(&self) -> bool {
        let mut places: BTreeMap<&str, &str> = BTreeMap::new();
        for place in self.targets.iter().flat_map(|target| &target.places) {
            let only = self.inventory.nodes.keys().next().filter(|_| self.inventory.nodes.len() == 1);
            let node = if place.node.is_empty() { only.map_or("", String::as_str) } else { &place.node };
            places.insert(&place.path, node);
        }
        self.phase("census", json!({"nodes": self.inventory.told(), "endpoints": places}));
        let asked =
            self.targets.iter().flat_map(|target| target.places.iter().map(move |place| (target, place)));
        let told = join_all(asked.map(|(target, place)| target.look(&place.path))).await;
        told.iter().flatten().any(|told| !told.readings.is_empty())
    }

    /// A pod that has a device.
    async fn given(&self, scratch: Arc<Scratch>, mode: &str, way: &Way) -> Result<Probe, Stop> {
        let nodes: Vec<String> = self.inventory.nodes.keys().cloned().collect();
        self.tell(&format!(
            "a pod is given an accelerator ({})",
            match way {
                Way::Class(name) | Way::Resource(name) => name,
            }
        ));
        // Two pods of one name would be one to whoever reads their history.
        let role = format!("loaded-{mode}");
        let pod = ProbePod {
            role: &role,
            trial: mode,
            nodes: &nodes,
            containers: vec![Container::with(way, 1)],
            restarts: false,
        };
        let probe = Probe::start(self.cx, scratch, &pod).await?;
        let Some(device) = probe.inspect().await? else {
            return Err(Stop::Hindered(format!(
                "the pod {} was given an accelerator that the probe cannot put to work: it knows simulated devices",
                probe.name
            )));
        };
        self.phase(
            "given",
            json!({"mode": mode, "pod": probe.name, "namespace": probe.namespace(), "node": probe.node,
            "names": [device["uuid"]], "simulated": true, "memory_bytes": device["memory_bytes"],
            "share": device["share"], "device": device}),
        );
        for target in &self.targets {
            target.know(&device);
        }
        Ok(probe)
    }

    /// Load and rest; whether all endpoints showed the load.
    async fn cycle(&self, probe: &Probe, cycle: u64, scrapes: u64, patience: Duration) -> bool {
        self.phase("load", json!({"cycle": cycle}));
        let begun = probe.load().await;
        let settled = self.settle(Wanted::Busy, if begun.is_ok() { patience } else { Duration::ZERO }).await;
        let reached = settled.values().all(Option::is_some);
        self.phase("load_settled", json!({"cycle": cycle, "settled": settled}));
        self.scrape(scrapes).await;
        let done = match begun {
            Ok(()) => probe.rest().await,
            Err(stop) => Loaded { why: stop.to_string(), ..Loaded::default() },
        };
        self.phase("rest", json!({"cycle": cycle, "asked": done.asked, "done": done.done, "why": done.why}));
        let settled = self.settle(Wanted::Idle, if reached { patience } else { Duration::ZERO }).await;
        self.phase("rest_settled", json!({"cycle": cycle, "settled": settled}));
        self.scrape(scrapes).await;
        reached
    }

    async fn memory(&self, probe: &Probe, patience: Duration) -> Result<(), Stop> {
        self.phase("memory_before", json!({}));
        self.scrape(1).await;
        let memory = self.targets.first().map_or(0, Target::memory);
        let bytes = (memory / 4).min(MOST) >> 20 << 20;
        self.phase("allocate", json!({"bytes": bytes}));
        let (held, why) = probe.hold(bytes).await?;
        self.phase("allocated", json!({"bytes": held, "why": why}));
        let settled = self.settle(Wanted::Memory(held), patience).await;
        self.phase("memory_settled", json!({"settled": settled}));
        self.scrape(1).await;
        self.phase("free", json!({}));
        probe.hold(0).await?;
        Ok(())
    }

    /// Scrapes of the device's node, of all endpoints at once.
    async fn scrape(&self, count: u64) {
        let api = self.cx.session.api();
        for number in 0..count {
            join_all(self.targets.iter().map(Target::look_here)).await;
            if number + 1 < count {
                aiconform_wait::dwell(
                    "between two scrapes",
                    target::BETWEEN,
                    api.sink().as_ref(),
                    &self.scope,
                )
                .await;
            }
        }
    }

    /// Waits until the endpoints show something, or for as long as they may take; in milliseconds, by subject.
    async fn settle(&self, wanted: Wanted<'_>, patience: Duration) -> BTreeMap<String, Option<u64>> {
        let waits = self.targets.iter().map(|target| async {
            let waited = if patience.is_zero() { None } else { target.wait(&wanted, patience).await };
            (target.scope.subject.clone(), waited)
        });
        join_all(waits).await.into_iter().collect()
    }
}

impl Target {
    /// What identifies the subject.
    fn facts(&self) -> Value {
        let product = self.dialect.map_or("not known", |dialect| dialect.product.as_str());
        let id = self.dialect.map_or("", |dialect| dialect.id.as_str());
        let tried = self.dialect.is_none_or(|dialect| dialect.tried);
        json!({DIALECT: id, "product": product, "tried": tried, OWN_CONTROL: true,
            "endpoints": self.places.iter().map(|place| place.path.clone()).collect::<Vec<_>>()})
    }
}
