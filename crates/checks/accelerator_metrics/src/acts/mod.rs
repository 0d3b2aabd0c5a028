//! Acts: a device is put to work and left alone, and all endpoints are asked meanwhile. Nothing is decided here.

pub mod target;

use self::target::{BETWEEN, Target, Wanted};
use crate::adapters::IDS;
use crate::find::{Found, Place, find};
use crate::limits::SHOW;
use crate::marks::{Given, ID, Mark, Offered, Rest, Settled};
use aiconform_accelerators::answers::Device;
use aiconform_accelerators::{
    Container, Inventory, Mode, Offer, Probe, ProbePod, Way, blamed, clear, offers,
};
use aiconform_check::cx::{Cx, Detection, Stop};
use aiconform_check::subject::{Candidate, start, together};
use aiconform_cluster::Scratch;
use aiconform_model::probe::Loaded;
use aiconform_model::{Kind, Scope};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Load phases; fewer when the first does not show.
const CYCLES: u64 = 3;
/// Scrapes of a phase in which nothing changes any more.
const SCRAPES: u64 = 3;
/// Endpoints that are asked at once, where there is one on each of many nodes.
const SIDE_BY_SIDE: usize = 16;
/// Most memory that is taken.
const MOST: u64 = 1 << 30;

/// Runs the check.
///
/// # Errors
/// When subjects cannot be looked for.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    cx.session.watch_own(&Kind::pod()).await?;
    let named = cx.options.named_of(IDS);
    let Found { inventory, targets, absent } = find(cx.session.api(), &scope, &cx.profile, &named).await?;
    let absent = absent.into_iter().map(|(id, why)| (id, Detection::Absent(why), None));
    let present = targets.into_iter().map(|target| {
        (target.scope.subject.clone(), Detection::Present(json!(target.facts())), Some(target))
    });
    let candidates = absent.chain(present).map(|(id, found, with)| Candidate {
        declared: named.contains(&id) || with.as_ref().is_some_and(|target| target.declared),
        control: false,
        facts: Value::Null,
        found: Ok(found),
        with,
        id,
    });
    let started = start(cx, ID, candidates);
    if started.is_empty() {
        return Ok(());
    }
    let act = async |targets: Vec<Option<Target>>| {
        let targets = targets.into_iter().flatten().collect();
        Acts { cx, scope, targets, inventory }.act().await
    };
    together(cx, started, act).await;
    Ok(())
}

/// Tells whether an endpoint says something of devices; where nothing is told before something runs, something is to run.
async fn tells(target: &Target, place: &Place) -> bool {
    let silent = target.dialect.is_some_and(|dialect| dialect.device.silent_at_rest);
    target.look(&place.path).await.is_some_and(|metrics| silent || !metrics.readings.is_empty())
}

/// One load, seen by all endpoints at once.
struct Acts<'a> {
    cx: &'a Cx,
    scope: Scope,
    targets: Vec<Target>,
    inventory: Inventory,
}

impl Acts<'_> {
    fn mark(&self, mark: &Mark) {
        self.cx.mark(&self.scope, mark);
    }

    fn tell(&self, words: &str) {
        self.cx.progress.tell(&self.scope, words);
    }

    async fn act(&self) -> Result<(), Stop> {
        let _turn = self.cx.accelerators.take(ID).await;
        let readable = self.census().await;
        let scratch = self.cx.session.scratch(&self.scope, "metrics", &[Kind::pod()]).await?;
        let measured = self.measure_all(&scratch, readable).await;
        let measured = blamed(&scratch, measured).await;
        // What is deleted from here on is our own undoing, early or not.
        self.mark(&Mark::Over {});
        measured.and(clear(&scratch).await)
    }

    /// Measures one device after the other, of each that is given in another way.
    async fn measure_all(&self, scratch: &Arc<Scratch>, readable: bool) -> Result<(), Stop> {
        let ways = self.ways().await?;
        let modes = ways.iter().map(|(mode, _)| (*mode).to_owned()).collect();
        self.mark(&Mark::Planned { modes });
        for (number, (mode, way)) in ways.iter().enumerate() {
            let cycles = if number == 0 { CYCLES } else { CYCLES - 1 };
            self.measure(scratch.clone(), mode, way, if readable { cycles } else { 0 }).await?;
        }
        self.mark(&Mark::End {});
        Ok(())
    }

    /// Ways in which a device is given: a driver and a device plugin where both have a free one; else the way that is known,
    /// to wait for one.
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
        if let Some(shared) =
            offers.iter().filter(|offer| offer.way == *way).find_map(|offer| offer.shared.as_ref())
        {
            return Err(Stop::Hindered(format!(
                "a load on a device that others share would be at their cost, and no other is free: {shared}"
            )));
        }
        let mode = if matches!(way, Way::Class(_)) { Mode::Dra } else { Mode::DevicePlugin };
        Ok(vec![(mode.id(), way.clone())])
    }

    /// Measures one device with so many loads; none where nothing can be read, and then it is only seen whether the pod has
    /// one.
    async fn measure(&self, scratch: Arc<Scratch>, mode: &str, way: &Way, cycles: u64) -> Result<(), Stop> {
        let readable = cycles > 0;
        let probe = self.given(scratch, mode, way).await?;
        // What comes late is told from what never comes.
        let patience = if readable { self.cx.limit(&SHOW).watched() } else { Duration::ZERO };
        for target in &self.targets {
            target.choose(&probe.node);
        }
        let cycles = cycles.max(1);
        let scrapes = if readable { SCRAPES } else { 1 };
        self.mark(&Mark::Quiet {});
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
        self.mark(&Mark::PodDeleted { pod: probe.name.clone() });
        probe.end().await?;
        if readable {
            let settled = self.settle(Wanted::Gone(&probe.name), patience).await;
            self.mark(&Mark::GoneSettled { settled });
            self.scrape(1).await;
        }
        Ok(())
    }

    /// Asks every endpoint of every node once; gives whether any says something of devices.
    async fn census(&self) -> bool {
        let mut endpoints: BTreeMap<String, String> = BTreeMap::new();
        for place in self.targets.iter().flat_map(|target| &target.places) {
            let only = self.inventory.nodes.keys().next().filter(|_| self.inventory.nodes.len() == 1);
            let node = if place.node.is_empty() { only.map_or("", String::as_str) } else { &place.node };
            endpoints.insert(place.path.clone(), node.to_owned());
        }
        let offered = |(node, (devices, names)): (&String, &(u64, Vec<String>))| {
            (node.clone(), Offered { devices: *devices, names: names.clone() })
        };
        let nodes = self.inventory.nodes.iter().map(offered).collect();
        self.mark(&Mark::Census { nodes, endpoints });
        let places =
            self.targets.iter().flat_map(|target| target.places.iter().map(move |place| (target, place)));
        let places: Vec<(&Target, &Place)> = places.collect();
        let mut told = false;
        for some in places.chunks(SIDE_BY_SIDE) {
            told |= join_all(some.iter().map(|(target, place)| tells(target, place))).await.contains(&true);
        }
        told
    }

    /// Makes a pod that has a device.
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
            containers: vec![Container::working(way, 1)],
            restarts: false,
        };
        let probe = Probe::start(self.cx, scratch, &pod).await?;
        let Some(device) = probe.inspect().await? else {
            return Err(Stop::Hindered(format!(
                "the pod {} was given an accelerator that the probe cannot put to work: it knows simulated devices, and for others it needs a load, [load.MAKER] in the profile (docs/guide/load.md)",
                probe.name
            )));
        };
        let given = Given {
            mode: Some(mode.into()),
            pod: probe.name.clone(),
            namespace: probe.namespace().into(),
            node: probe.node.clone(),
            names: device["uuid"].as_str().map(str::to_owned).into_iter().collect(),
            simulated: Device(device.clone()).is_simulated(),
            memory_bytes: device["memory_bytes"].as_u64(),
            share: device["share"].as_str().map(str::to_owned),
            device,
        };
        for target in &self.targets {
            target.know(&given);
        }
        self.mark(&Mark::Given(given));
        Ok(probe)
    }

    /// Puts the device under load and to rest; gives whether all endpoints showed the load.
    async fn cycle(&self, probe: &Probe, cycle: u64, scrapes: u64, patience: Duration) -> bool {
        self.mark(&Mark::Load { cycle });
        let begun = probe.load().await;
        let settled = self.settle(Wanted::Busy, if begun.is_ok() { patience } else { Duration::ZERO }).await;
        let reached = settled.values().all(Option::is_some);
        self.mark(&Mark::LoadSettled { cycle, settled });
        self.scrape(scrapes).await;
        let done = match begun {
            Ok(()) => probe.rest().await,
            // It may have begun all the same.
            Err(stop) => {
                probe.rest().await;
                Loaded { why: stop.to_string(), ..Loaded::default() }
            }
        };
        self.mark(&Mark::Rest(Rest { cycle, asked: done.asked, done: done.done, why: done.why }));
        let settled = self.settle(Wanted::Idle, if reached { patience } else { Duration::ZERO }).await;
        self.mark(&Mark::RestSettled { cycle, settled });
        self.scrape(scrapes).await;
        reached
    }

    async fn memory(&self, probe: &Probe, patience: Duration) -> Result<(), Stop> {
        self.mark(&Mark::MemoryBefore {});
        self.scrape(1).await;
        let memory = self.targets.first().map_or(0, Target::memory);
        let bytes = (memory / 4).min(MOST) >> 20 << 20;
        self.mark(&Mark::Allocate { bytes });
        let (held, why) = probe.hold(bytes).await?;
        self.mark(&Mark::Allocated { bytes: held, why });
        let settled = self.settle(Wanted::Memory(held), patience).await;
        let shown = settled.clone();
        self.mark(&Mark::MemorySettled { settled });
        self.scrape(1).await;
        self.mark(&Mark::Free {});
        let (_, why) = probe.hold(0).await?;
        if !why.is_empty() {
            // It was not held for as long as it was looked at.
            self.mark(&Mark::Allocated { bytes: 0, why });
        }
        let settled = self.settle_of(Wanted::Free(held), patience, Some(&shown)).await;
        self.mark(&Mark::FreeSettled { settled });
        self.scrape(1).await;
        Ok(())
    }

    /// Scrapes the device's node, by all endpoints at once.
    async fn scrape(&self, count: u64) {
        let api = self.cx.session.api();
        for number in 0..count {
            join_all(self.targets.iter().map(Target::look_here)).await;
            if number + 1 < count {
                aiconform_wait::dwell("between two scrapes", BETWEEN, api.sink().as_ref(), &self.scope).await;
            }
        }
    }

    /// Waits until the endpoints show something, or for as long as they may take; in milliseconds, by subject.
    async fn settle(&self, wanted: Wanted<'_>, patience: Duration) -> Settled {
        self.settle_of(wanted, patience, None).await
    }

    /// Like [`Acts::settle`], of those alone that have shown what came before.
    async fn settle_of(&self, wanted: Wanted<'_>, patience: Duration, of: Option<&Settled>) -> Settled {
        let is_meant = |subject: &str| of.is_none_or(|of| of.get(subject).copied().flatten().is_some());
        let waits = self.targets.iter().map(|target| async {
            let subject = target.scope.subject.clone();
            let is_waited_for = !patience.is_zero() && is_meant(&subject);
            let waited = if is_waited_for { target.wait(&wanted, patience).await } else { None };
            (subject, waited)
        });
        join_all(waits).await.into_iter().collect()
    }
}
